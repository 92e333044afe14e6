use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use crate::DataError;

/// Writes a file that is complete or absent at every instant: a temporary file beside it, flushed to disk, then renamed.
///
/// # Errors
/// [`DataError::Io`] naming the file; whatever was there before is then unharmed.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), DataError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(DataError::io("create the folder", folder))?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".part-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // The process's umask still applies; the default of a temporary file would shut out everybody else.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(folder).map_err(DataError::io("write", path))?;
    file.write_all(bytes).map_err(DataError::io("write", path))?;
    file.as_file().sync_all().map_err(DataError::io("write", path))?;
    file.persist(path).map_err(|error| DataError::io("write", path)(error.error))?;
    // A rename is durable only once the folder is flushed; file systems that cannot do that are left as they are.
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
    Ok(())
}
