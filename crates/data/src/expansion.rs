//! How much memory the columns of a Parquet file will take, told before they are decoded: a dictionary and run lengths can
//! hold terabytes in kilobytes.

use std::fs::File;
use std::sync::Arc;

use parquet::basic::{Encoding, Type};
use parquet::column::page::{Page, PageReader};
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaData;
use parquet::file::serialized_reader::SerializedPageReader;

/// Bytes that a value takes at least on its way into an example.
const PER_VALUE: u64 = 64;
/// Columns may take this many bytes for each of the file's, plus [`SLACK`]: text seldom shrinks to a hundredth.
pub(crate) const MOST_EXPANSION: u64 = 500;
pub(crate) const SLACK: u64 = 1 << 27;

/// Refuses columns (`leaves` of the schema) that would take absurdly more memory than the file's `size`.
///
/// # Errors
/// A message without the file's name, which is also that a page cannot be read.
pub(crate) fn check(file: File, size: u64, metadata: &ParquetMetaData, leaves: &[usize]) -> Result<(), String> {
    let (file, most) = (Arc::new(file), SLACK.saturating_add(MOST_EXPANSION.saturating_mul(size)));
    let absurd = || {
        format!(
            "its columns would take more than {most} bytes of memory, {MOST_EXPANSION} times the file's {size} and {SLACK} more"
        )
    };
    let (mut taken, mut decompressed): (u64, u64) = (0, 0);
    for group in metadata.row_groups() {
        let rows =
            usize::try_from(group.num_rows()).map_err(|_| format!("a row group of {} rows", group.num_rows()))?;
        for &leaf in leaves {
            let column = group.column(leaf);
            let (start, length) = column.byte_range();
            decompressed = decompressed.saturating_add(files::parquet::measure(&file, start, length)?.bytes);
            if decompressed > most {
                return Err(absurd());
            }
            let pages = SerializedPageReader::new(file.clone(), column, rows, None);
            let mut pages = pages.map_err(|error| error.to_string())?;
            // Of the dictionary's values.
            let mut longest = column.column_descr().type_length().max(0) as u64;
            while let Some(page) = pages.get_next_page().map_err(|error| error.to_string())? {
                let bytes = page.buffer().len() as u64;
                let values = u64::from(page.num_values());
                taken = taken.saturating_add(match page {
                    Page::DictionaryPage { buf, .. } => {
                        if column.column_type() == Type::BYTE_ARRAY {
                            longest = longest_text(&buf).map_err(|error| error.to_string())?;
                        }
                        bytes
                    }
                    Page::DataPage { encoding, .. } | Page::DataPageV2 { encoding, .. } => {
                        let content = match encoding {
                            Encoding::PLAIN_DICTIONARY | Encoding::RLE_DICTIONARY => values.saturating_mul(longest),
                            // Each value may repeat all of the one before.
                            Encoding::DELTA_BYTE_ARRAY => match values.saturating_mul(bytes) {
                                content if content > most => {
                                    return Err(format!(
                                        "column `{}` is encoded as DELTA_BYTE_ARRAY, in which a page of {bytes} bytes may \
                                         stand for any number: write it with the usual encodings",
                                        column.column_path().string()
                                    ));
                                }
                                content => content,
                            },
                            _ => bytes,
                        };
                        content.saturating_add(values.saturating_mul(PER_VALUE))
                    }
                });
                if taken > most {
                    return Err(absurd());
                }
            }
        }
    }
    Ok(())
}

/// Bytes of the longest value of a dictionary page of texts, each with its length in front.
fn longest_text(mut page: &[u8]) -> Result<u64, ParquetError> {
    let mut longest = 0;
    while let Some((&length, rest)) = page.split_first_chunk() {
        let length = u32::from_le_bytes(length);
        page = rest
            .get(length as usize..)
            .ok_or_else(|| ParquetError::General("a dictionary ends within a value".to_owned()))?;
        longest = longest.max(u64::from(length));
    }
    Ok(longest)
}
