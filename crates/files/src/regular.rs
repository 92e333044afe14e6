//! Files from outside: read only if they are regular files and no larger than they can be.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

/// Opens a file to read, and gives its length. What is no regular file is refused before it is opened: a pipe would wait for
/// a writer, and a device has no end.
///
/// # Errors
/// The system's, or that it is no regular file.
pub fn open(path: &Path) -> io::Result<(File, u64)> {
    regular(&fs::metadata(path)?)?;
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    regular(&metadata)?;
    Ok((file, metadata.len()))
}

fn regular(metadata: &fs::Metadata) -> io::Result<()> {
    match metadata.is_file() {
        true => Ok(()),
        false if metadata.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        false => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file, but a pipe or a device")),
    }
}

/// The whole content of a regular file of at most so many bytes.
///
/// # Errors
/// As [`open`], or that it is larger ([`io::ErrorKind::FileTooLarge`]).
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let too_large = |size: u64| {
        let message = format!("it has {size} bytes, and more than {most} are not expected of such a file");
        io::Error::new(io::ErrorKind::FileTooLarge, message)
    };
    let (file, size) = open(path)?;
    if size > most {
        return Err(too_large(size));
    }
    let mut bytes = Vec::with_capacity(size as usize);
    // It may grow while it is read.
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    match bytes.len() as u64 {
        size if size > most => Err(too_large(size)),
        _ => Ok(bytes),
    }
}

/// As [`read`], for text.
///
/// # Errors
/// As [`read`], or that it is not UTF-8.
pub fn read_text(path: &Path, most: u64) -> io::Result<String> {
    let line = |bytes: &[u8]| 1 + bytes.iter().filter(|&&byte| byte == b'\n').count();
    String::from_utf8(read(path, most)?).map_err(|error| {
        let bad = line(&error.as_bytes()[..error.utf8_error().valid_up_to()]);
        io::Error::new(io::ErrorKind::InvalidData, format!("line {bad} is not UTF-8"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_regular_files_of_a_likely_size_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "ab\nc").unwrap();
        assert_eq!(read(&path, 4).unwrap(), b"ab\nc");
        assert_eq!(read_text(&path, 4).unwrap(), "ab\nc");
        let error = read(&path, 3).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        assert!(error.to_string().contains("4 bytes") && error.to_string().contains("more than 3"), "{error}");
        fs::write(&path, b"ab\n\xff").unwrap();
        assert_eq!(read_text(&path, 9).unwrap_err().to_string(), "line 2 is not UTF-8");
        assert_eq!(read(folder.path(), 9).unwrap_err().kind(), io::ErrorKind::IsADirectory);
        assert_eq!(read(&folder.path().join("absent"), 9).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[cfg(unix)]
    #[test]
    fn pipes_and_devices_are_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        for path in [pipe.as_path(), Path::new("/dev/zero"), Path::new("/dev/null")] {
            for error in [read(path, 9).unwrap_err(), crate::hash(path).unwrap_err()] {
                assert!(error.to_string().contains("not a regular file"), "{}: {error}", path.display());
            }
        }
    }
}
