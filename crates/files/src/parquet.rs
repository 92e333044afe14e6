//! What the headers of Parquet's pages say (Thrift's compact protocol), told before a page is decompressed or decoded:
//! libraries trust it.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

/// Bytes of a header; statistics of long texts are in it.
const LONGEST: u64 = 1 << 20;
/// Structs within structs; a page's header has two.
const DEEPEST: usize = 8;

/// What the pages of a column hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pages {
    /// Bytes, once they are decompressed.
    pub bytes: u64,
    /// Values, those of dictionaries among them.
    pub values: u64,
}

/// Measures the pages of a column chunk, which lies at `start` of the file and has `length` bytes.
///
/// # Errors
/// A message without the file's name, if a header is damaged.
pub fn measure(mut file: &File, start: u64, length: u64) -> Result<Pages, String> {
    let end = start.checked_add(length).ok_or("a column beyond the end of the file")?;
    let (mut at, mut pages) = (start, Pages::default());
    while at < end {
        let mut bytes = Vec::new();
        let mut read = |most: u64| {
            bytes.clear();
            file.seek(SeekFrom::Start(at))?;
            file.take(most.min(end - at)).read_to_end(&mut bytes)?;
            Ok::<_, std::io::Error>(header(&bytes))
        };
        // Nearly all are short.
        let mut found = read(256).map_err(|error| error.to_string())?;
        if found.is_none() {
            found = read(LONGEST).map_err(|error| error.to_string())?;
        }
        let Sizes { header, compressed, page } = found.ok_or("the header of a page is damaged")?;
        pages.bytes = pages.bytes.saturating_add(page.bytes);
        pages.values = pages.values.saturating_add(page.values);
        at = at.saturating_add(header).saturating_add(compressed);
    }
    Ok(pages)
}

#[derive(Debug, PartialEq)]
struct Sizes {
    header: u64,
    compressed: u64,
    page: Pages,
}

/// The sizes in a page's header; `None` if these are not the bytes of one.
fn header(bytes: &[u8]) -> Option<Sizes> {
    let mut input = Compact(bytes);
    let (mut compressed, mut uncompressed, mut values) = (None, None, 0);
    input.fields(0, DEEPEST, &mut |within, id, number| match (within, id) {
        (0, 2) => uncompressed = Some(number),
        (0, 3) => compressed = Some(number),
        // Of a data page, a dictionary, a data page of version 2.
        (5 | 7 | 8, 1) => values = number,
        _ => {}
    })?;
    let page = Pages { bytes: u64::try_from(uncompressed?).ok()?, values: u64::try_from(values).ok()? };
    let header = (bytes.len() - input.0.len()) as u64;
    Some(Sizes { header, compressed: u64::try_from(compressed?).ok()?, page })
}

/// What is left to read.
struct Compact<'a>(&'a [u8]);

impl Compact<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(byte)
    }

    fn skip(&mut self, count: u64) -> Option<()> {
        self.0 = self.0.get(usize::try_from(count).ok()?..)?;
        Some(())
    }

    fn varint(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn number(&mut self) -> Option<i64> {
        let zigzag = self.varint()?;
        Some((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64))
    }

    /// All fields of a struct, which is itself the field `within`; `tell` hears of those that are whole numbers.
    fn fields(&mut self, within: i64, depth: usize, tell: &mut dyn FnMut(i64, i64, i64)) -> Option<()> {
        let mut id = 0;
        loop {
            let byte = self.byte()?;
            if byte == 0 {
                return Some(());
            }
            id = match byte >> 4 {
                0 => self.number()?,
                delta => i64::wrapping_add(id, i64::from(delta)),
            };
            match byte & 0x0f {
                4..=6 => tell(within, id, self.number()?),
                // A truth value is its type.
                1 | 2 => {}
                12 if within == 0 => self.fields(id, depth.checked_sub(1)?, tell)?,
                kind => self.value(kind, depth)?,
            }
        }
    }

    fn value(&mut self, kind: u8, depth: usize) -> Option<()> {
        match kind {
            1..=3 => self.skip(1),
            4..=6 => self.varint().map(drop),
            7 => self.skip(8),
            8 => {
                let length = self.varint()?;
                self.skip(length)
            }
            9 | 10 => {
                let byte = self.byte()?;
                let count = if byte >> 4 == 15 { self.varint()? } else { u64::from(byte >> 4) };
                (0..count).try_for_each(|_| self.value(byte & 0x0f, depth.checked_sub(1)?))
            }
            12 => self.fields(-1, depth.checked_sub(1)?, &mut |_, _, _| {}),
            // There are no maps in a page's header.
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_stand_in_the_second_and_third_field() {
        // Type 0, 300 bytes, 20 compressed, a struct with a number and a text, the end; then the page.
        let bytes =
            [&[0x15, 0, 0x15, 0xd8, 0x04, 0x15, 40, 0x2c, 0x15, 8, 0x18, 3][..], b"abc", &[0, 0, 0xff, 0xff]].concat();
        let page = Pages { bytes: 300, values: 4 };
        assert_eq!(header(&bytes), Some(Sizes { header: 17, compressed: 20, page }));
        // Fewer values than none.
        let mut negative = bytes.clone();
        negative[9] = 9;
        assert_eq!(header(&negative), None);
        for length in 0..17 {
            assert_eq!(header(&bytes[..length]), None, "{length}");
        }
        assert_eq!(header(&[0x1c; 100]), None);
        assert_eq!(header(&[0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x0f]), None);
    }
}
