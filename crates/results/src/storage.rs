use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// The changes made to a results folder, one system call's worth each, so that tests can let any of them fail.
pub(crate) trait Storage: Send + Sync {
    fn create_dir(&self, path: &Path) -> io::Result<()>;
    /// Creates a file where nothing is, so that no link is followed; its bytes may be lost in a crash until
    /// [`Storage::sync`].
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;
    /// Waits until a file's bytes, or a folder's entries, are on the disk.
    fn sync(&self, path: &Path) -> io::Result<()>;
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    fn remove_file(&self, path: &Path) -> io::Result<()>;
    fn remove_dir_all(&self, path: &Path) -> io::Result<()>;
}

pub(crate) struct Disk;

impl Storage for Disk {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        fs::create_dir(path)
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        OpenOptions::new().write(true).create_new(true).open(path)?.write_all(bytes)
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        // Folders cannot be opened as files on Windows; there a rename is on the disk when it returns.
        if cfg!(windows) && path.is_dir() {
            return Ok(());
        }
        File::open(path)?.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir_all(path)
    }
}
