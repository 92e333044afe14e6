use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::path::Path;

/// A file that one process has for itself, as long as this value and the process live.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Takes a lock; `None` if another process has it. Its file may be removed by who holds it.
///
/// # Errors
/// [`ErrorKind::InvalidInput`] if something else is in the file's place, be it a link to one; the system's.
pub fn try_lock(path: &Path) -> io::Result<Option<Lock>> {
    loop {
        let file = open(path)?;
        match file.try_lock() {
            Ok(()) if is_at(&file, path) => return Ok(Some(Lock { _file: file })),
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

/// Takes a lock, and waits for it where another process has it.
///
/// # Errors
/// As [`try_lock`].
pub fn lock(path: &Path) -> io::Result<Lock> {
    loop {
        let file = open(path)?;
        file.lock()?;
        if is_at(&file, path) {
            return Ok(Lock { _file: file });
        }
    }
}

/// Makes the file only where nothing is, so that no link is followed.
fn open(path: &Path) -> io::Result<File> {
    loop {
        match OpenOptions::new().write(true).create_new(true).open(path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            made => return made,
        }
        let opened = fs::symlink_metadata(path).and_then(|found| match found.is_file() {
            true => OpenOptions::new().write(true).open(path),
            false => {
                let message = format!("`{}` is no regular file; move it away", path.display());
                Err(io::Error::new(ErrorKind::InvalidInput, message))
            }
        });
        match opened {
            // Removed in between.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            opened => return opened,
        }
    }
}

/// Whether a file is still the one of this name: who held the lock may have removed it after we opened it, and then it
/// guards nothing.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(held), Ok(named)) => (held.dev(), held.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

/// Elsewhere an open file cannot be removed.
#[cfg(not(unix))]
fn is_at(_file: &File, _path: &Path) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_has_it_at_a_time_also_after_its_file_was_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let held = try_lock(&path).unwrap().expect("nobody has it");
        assert!(try_lock(&path).unwrap().is_none());
        fs::remove_file(&path).unwrap();
        let other = try_lock(&path).unwrap().expect("another file");
        drop(held);
        assert!(try_lock(&path).unwrap().is_none());
        drop(other);
        drop(lock(&path).unwrap());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_its_place_is_refused_and_makes_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let (path, victim) = (folder.path().join("lock"), folder.path().join("victim"));
        std::os::unix::fs::symlink(&victim, &path).unwrap();
        for _ in 0..2 {
            let refused = try_lock(&path).unwrap_err().to_string();
            assert!(refused.contains("lock` is no regular file"), "{refused}");
            let there = victim.exists();
            fs::write(&victim, "content").unwrap();
            assert!(!there || fs::read(&victim).unwrap() == b"content");
        }
    }
}
