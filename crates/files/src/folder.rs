use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::atomic::{PART, RANDOM};

/// Whether a folder is there. A link in its place is none of ours: what is written below it would land elsewhere.
///
/// # Errors
/// [`ErrorKind::NotADirectory`] if it is a link or no folder; the system's.
pub fn is_folder(path: &Path) -> io::Result<bool> {
    let found = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        found => found?,
    };
    if found.is_dir() {
        return Ok(true);
    }
    let what = if found.is_symlink() { "a link" } else { "no folder" };
    let message = format!("`{}` is {what}, and only a folder is written to; move it away", path.display());
    Err(io::Error::new(ErrorKind::NotADirectory, message))
}

/// Makes a folder below `root`, which may be a link itself, with all between them.
///
/// # Errors
/// As [`is_folder`] for each of them.
pub fn create_below(root: &Path, folder: &Path) -> io::Result<()> {
    fs::create_dir_all(root)?;
    let below = folder.strip_prefix(root).map_err(|_| {
        let message = format!("`{}` does not lie below `{}`", folder.display(), root.display());
        io::Error::new(ErrorKind::InvalidInput, message)
    })?;
    let mut path = root.to_owned();
    for part in below.components() {
        path.push(part);
        if !is_folder(&path)?
            && let Err(error) = fs::create_dir(&path)
            // Another process may have been quicker.
            && !is_folder(&path)?
        {
            return Err(error);
        }
    }
    Ok(())
}

/// Whether files can be made in a folder. None is left there.
///
/// # Errors
/// Why not.
pub fn check_writable(folder: &Path) -> io::Result<()> {
    tempfile::tempfile_in(folder).map(drop)
}

/// Removes what killed processes left of [`crate::write`] in a folder, if it was not touched for so long.
pub fn tidy(folder: &Path, age: Duration) {
    if !is_folder(folder).unwrap_or(false) {
        return;
    }
    let old = |path: &Path| {
        let changed = fs::symlink_metadata(path).ok()?.modified().ok()?;
        Some(SystemTime::now().duration_since(changed).unwrap_or_default() >= age)
    };
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let ours =
            entry.file_name().to_str().and_then(|name| name.strip_prefix(PART)).is_some_and(|random| {
                random.len() == RANDOM && random.bytes().all(|byte| byte.is_ascii_alphanumeric())
            });
        if ours && old(&entry.path()) == Some(true) {
            // What stays costs space, nothing else.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Files below a folder by their relative name with `/`. Links are not followed.
///
/// # Errors
/// A folder cannot be listed.
pub fn walk(folder: &Path) -> io::Result<BTreeMap<String, PathBuf>> {
    let mut files = BTreeMap::new();
    let mut open = vec![(String::new(), folder.to_owned())];
    while let Some((prefix, folder)) = open.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if entry.file_type()?.is_dir() {
                open.push((format!("{name}/"), entry.path()));
            } else {
                files.insert(name, entry.path());
            }
        }
    }
    Ok(files)
}

/// Waits until a folder with all below it is on the disk.
pub(crate) fn sync_all(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            true => sync_all(&entry.path())?,
            false => File::open(entry.path())?.sync_all()?,
        }
    }
    sync_entries(folder);
    Ok(())
}

/// A rename is durable only once the folder is flushed; file systems that cannot do that are left as they are.
pub fn sync_entries(folder: &Path) {
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_link_below_the_root_is_refused_by_name_and_nothing_is_written_through_it() {
        let (root, victim) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let linked = root.path().join("linked");
        symlink(victim.path(), &linked).unwrap();
        create_below(&linked, &linked.join("one/two")).unwrap();
        assert!(victim.path().join("one/two").is_dir(), "the root itself may be a link");
        for folder in [linked.clone(), linked.join("deep")] {
            let refused = create_below(root.path(), &folder).unwrap_err().to_string();
            assert!(refused.contains("linked` is a link"), "{refused}");
        }
        assert!(!victim.path().join("deep").exists());
        let refused = create_below(&linked, root.path()).unwrap_err().to_string();
        assert!(refused.contains("does not lie below"), "{refused}");
    }

    #[test]
    fn old_parts_go_and_all_else_stays() {
        let folder = tempfile::tempdir().unwrap();
        for name in [".part-abc123", ".part-new123", ".part-of-mine", "part-abc123"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let hour = Duration::from_secs(3600);
        let old = File::options().write(true).open(folder.path().join(".part-abc123")).unwrap();
        old.set_modified(SystemTime::now() - 2 * hour).unwrap();
        tidy(folder.path(), hour);
        let mut left: Vec<String> = walk(folder.path()).unwrap().into_keys().collect();
        left.sort();
        assert_eq!(left, [".part-new123", ".part-of-mine", "part-abc123"]);
    }
}
