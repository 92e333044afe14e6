use std::fs::{self, File};
use std::io;
use std::path::Path;

/// What names of files begin with that are not complete; random letters follow, so that nobody can be there before.
pub(crate) const PART: &str = ".part-";
/// How many.
pub(crate) const RANDOM: usize = 6;

/// Writes a file under another name, flushes it to the disk and renames it. What was there before is unharmed by a failure;
/// its folder is made if it is missing.
///
/// # Errors
/// The system's.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_with(path, |error| error, |partial| fs::write(partial, bytes))
}

/// As [`write`], with a function that writes the file it is given.
///
/// # Errors
/// The function's, and the system's as `failed` makes them.
pub fn write_with<E>(
    path: &Path,
    failed: impl Fn(io::Error) -> E,
    fill: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<(), E> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(&failed)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(PART).rand_bytes(RANDOM);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // The process's umask still applies; the default of a temporary file would shut out everybody else.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    // Its drop removes what a failure leaves.
    let partial = builder.tempfile_in(folder).map_err(&failed)?.into_temp_path();
    #[cfg(unix)]
    let permissions = fs::metadata(&partial).map_err(&failed)?.permissions();
    fill(&partial)?;
    // Who replaces the file may have made it for itself alone.
    #[cfg(unix)]
    fs::set_permissions(&partial, permissions).map_err(&failed)?;
    File::open(&partial).and_then(|file| file.sync_all()).map_err(&failed)?;
    partial.persist(path).map_err(|error| failed(error.error))?;
    crate::folder::sync_entries(folder);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_leaves_what_was_there_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new").join("file");
        write(&path, b"first").unwrap();
        let half = |partial: &Path| {
            fs::write(partial, b"half")?;
            Err(io::Error::other("full"))
        };
        let failed = write_with(&path, |error| error, half);
        assert_eq!(failed.unwrap_err().to_string(), "full");
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn others_may_read_what_a_function_wrote() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (ours, plain) = (folder.path().join("ours"), folder.path().join("plain"));
        let replaced = |partial: &Path| {
            fs::remove_file(partial)?;
            fs::write(partial, b"")?;
            fs::set_permissions(partial, fs::Permissions::from_mode(0o600))
        };
        write_with(&ours, |error| error, replaced).unwrap();
        fs::write(&plain, b"").unwrap();
        let mode = |path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&ours), mode(&plain));
    }
}
