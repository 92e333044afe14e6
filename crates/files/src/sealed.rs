//! Content with its own hash in front, for caches: a file that is not ours, or not whole, cannot be mistaken for one.

use std::io;
use std::path::Path;

/// Magic, hash of the rest.
const HEADER: usize = 8 + blake3::OUT_LEN;

/// What a kind of sealed files begins with.
pub type Magic = [u8; 8];

/// Why a file is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// It does not begin with the magic.
    OfAnotherKind,
    /// Its content is not what its hash says.
    Damaged,
}

/// Writes content that is complete or absent at every instant.
///
/// # Errors
/// The system's.
pub fn write(path: &Path, magic: &Magic, content: &[u8]) -> io::Result<()> {
    let hash = blake3::hash(content);
    crate::write(path, &[&magic[..], hash.as_bytes(), content].concat())
}

/// The content within the bytes of a sealed file.
///
/// # Errors
/// [`Broken`], saying what is wrong with them.
pub fn open<'a>(bytes: &'a [u8], magic: &Magic) -> Result<&'a [u8], Broken> {
    let content = bytes.get(HEADER..).filter(|_| bytes.starts_with(magic)).ok_or(Broken::OfAnotherKind)?;
    if blake3::hash(content).as_bytes()[..] != bytes[magic.len()..HEADER] {
        return Err(Broken::Damaged);
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_written_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("entry");
        write(&path, b"LETHEONE", b"content").unwrap();
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(open(&bytes, b"LETHEONE"), Ok(&b"content"[..]));
        assert_eq!(open(&bytes, b"LETHETWO"), Err(Broken::OfAnotherKind));
        for place in magic_end()..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1;
            assert_eq!(open(&damaged, b"LETHEONE"), Err(Broken::Damaged), "byte {place}");
        }
        assert_eq!(open(&bytes[..bytes.len() - 1], b"LETHEONE"), Err(Broken::Damaged));
        assert_eq!(open(&bytes[..20], b"LETHEONE"), Err(Broken::OfAnotherKind));
    }

    fn magic_end() -> usize {
        size_of::<Magic>()
    }
}
