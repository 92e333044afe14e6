//! The header of NumPy's array files, formats 1.0 to 3.0.

use std::io::Read;

const MAGIC: &[u8] = b"\x93NUMPY";
/// A header of plain arrays is about 100 bytes; format 2.0 allows gigabytes.
const LONGEST: u32 = 1 << 16;

/// What an array in C order holds, and how much of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    /// NumPy's type string, such as `<f4` or `<U3`.
    pub kind: String,
    pub shape: Vec<usize>,
    /// Bytes of the file before the values.
    pub length: u64,
}

/// Reads the header, and leaves the reader at the first value.
///
/// # Errors
/// A message without a file name: not NumPy's format, Fortran order, or elements that are not of one plain type. Python
/// objects are such elements: reading them would run code of the file.
pub(crate) fn read_header(reader: &mut impl Read) -> Result<Header, String> {
    let ends = |_| "ends within its header".to_owned();
    let mut start = [0; 8];
    reader.read_exact(&mut start).map_err(ends)?;
    if !start.starts_with(MAGIC) {
        return Err("not a NumPy array".to_owned());
    }
    let (field, size) = match start[6] {
        1 => {
            let mut size = [0; 2];
            reader.read_exact(&mut size).map_err(ends)?;
            (2, u32::from(u16::from_le_bytes(size)))
        }
        2 | 3 => {
            let mut size = [0; 4];
            reader.read_exact(&mut size).map_err(ends)?;
            (4, u32::from_le_bytes(size))
        }
        version => return Err(format!("NumPy format {version}.x is not known")),
    };
    if size > LONGEST {
        return Err(format!("its header says it is {size} bytes long"));
    }
    let mut text = vec![0; size as usize];
    reader.read_exact(&mut text).map_err(ends)?;
    let text = String::from_utf8_lossy(&text);
    let kind = between(&text, "'descr': '", "'").ok_or("holds records: save an array of plain numbers or texts")?;
    if kind.contains('O') {
        return Err("holds Python objects, which could run code: save an array of plain numbers or texts".to_owned());
    }
    if between(&text, "'fortran_order': ", ",") != Some("False") {
        return Err("is not in C order: save np.ascontiguousarray of it".to_owned());
    }
    let shape = between(&text, "'shape': (", ")").ok_or("gives no shape")?;
    let sizes = shape.split(',').map(str::trim).filter(|size| !size.is_empty());
    let shape = sizes.map(|size| size.parse().map_err(|_| format!("has a size of `{size}`"))).collect::<Result<_, _>>();
    Ok(Header { kind: kind.to_owned(), shape: shape?, length: 8 + field + u64::from(size) })
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    text.split_once(before)?.1.split_once(after).map(|(inside, _)| inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(version: u8, header: &str) -> Vec<u8> {
        let size = (header.len() as u32).to_le_bytes();
        let field = if version == 1 { &size[..2] } else { &size[..] };
        [MAGIC, &[version, 0], field, header.as_bytes()].concat()
    }

    fn plain(kind: &str, order: &str, shape: &str) -> String {
        format!("{{'descr': '{kind}', 'fortran_order': {order}, 'shape': {shape}, }}   \n")
    }

    #[test]
    fn shapes_and_kinds_of_every_format() {
        for (version, extra) in [(1, 2), (2, 4), (3, 4)] {
            for (shape, sizes) in [("()", vec![]), ("(7,)", vec![7]), ("(7, 3)", vec![7, 3])] {
                let text = plain("<U3", "False", shape);
                let header = read_header(&mut file(version, &text).as_slice()).unwrap();
                let length = 8 + extra + text.len() as u64;
                assert_eq!(header, Header { kind: "<U3".to_owned(), shape: sizes, length });
            }
        }
    }

    #[test]
    fn refuses_what_it_would_misread() {
        let refuse = |bytes: &[u8]| read_header(&mut &bytes[..]).unwrap_err();
        assert_eq!(refuse(b"PK\x03\x04 no array"), "not a NumPy array");
        assert!(refuse(&file(1, &plain("|O", "False", "(2,)"))).contains("Python objects"));
        assert!(refuse(&file(1, &plain("<f4", "True", "(2, 2)"))).contains("C order"));
        assert!(refuse(&file(1, &plain("<f4", "False", "(2, -1)"))).contains("a size of `-1`"));
        assert!(refuse(&file(1, &plain("<f4", "False", "(99999999999999999999,)"))).contains("a size of `9999"));
        assert!(
            refuse(&file(1, "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}")).contains("records")
        );
        assert!(refuse(&file(9, "")).contains("format 9"));
        assert!(refuse(&[MAGIC, &[2, 0, 255, 255, 255, 255]].concat()).contains("4294967295 bytes"));
        let whole = file(1, &plain("<f4", "False", "(2,)"));
        for length in 0..whole.len() {
            assert_eq!(refuse(&whole[..length]), "ends within its header");
        }
    }
}
