use std::path::Path;

use crate::DataError;

/// Bytes of a text file. Texts of a column are counted in 32 bits.
const LARGEST: u64 = 1 << 31;

/// The whole of a text file: UTF-8 with or without a byte order mark, without null characters.
///
/// # Errors
/// [`DataError`] naming the line of the first bad byte.
pub fn read_text(path: &Path) -> Result<String, DataError> {
    let bytes = files::read(path, LARGEST).map_err(DataError::io("read", path))?;
    let line = |end: usize| format!("line {}", 1 + bytes[..end].iter().filter(|&&byte| byte == b'\n').count());
    if let Some(position) = bytes.iter().position(|&byte| byte == 0) {
        return Err(DataError::row(path, line(position), "holds a null character; is this a text file?"));
    }
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(text.strip_prefix('\u{feff}').unwrap_or(text).to_owned()),
        Err(error) => {
            let message = "is not UTF-8; convert the file to UTF-8 first";
            Err(DataError::row(path, line(error.valid_up_to()), message))
        }
    }
}

/// The lines of a text with their numbers from 1, ended by `\n` or `\r\n`, without the empty one after the last end.
pub fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.strip_suffix('\n')
        .unwrap_or(text)
        .split('\n')
        .map(|line| line.strip_suffix('\r').unwrap_or(line))
        .enumerate()
        .map(|(index, line)| (index + 1, line))
}
