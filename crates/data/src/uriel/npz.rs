//! NumPy's archives: a zip file with an array file for every name.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use zip::ZipArchive;
use zip::read::ZipFile;

use crate::DataError;
use crate::npy::{self, Header};

/// Bytes of an array of names, of one row of numbers, and of all of them: lang2vec's largest have 1, 0.02 and 120 MB.
const MOST_NAMES: u64 = 1 << 26;
const LONGEST_ROW: usize = 1 << 24;
const MOST_NUMBERS: u64 = 1 << 32;

pub(super) struct Archive {
    path: PathBuf,
    zip: ZipArchive<BufReader<File>>,
}

impl Archive {
    /// # Errors
    /// [`DataError::Io`], or [`DataError::File`] if it is no whole zip file.
    pub fn open(path: &Path) -> Result<Self, DataError> {
        let (file, _) = files::open(path).map_err(DataError::io("read", path))?;
        let zip = ZipArchive::new(BufReader::new(file))
            .map_err(|error| DataError::file(path, format!("not a whole npz file ({error}); copy it again")))?;
        Ok(Self { path: path.to_owned(), zip })
    }

    /// An array of texts, one-dimensional.
    ///
    /// # Errors
    /// [`DataError::File`] if the array is missing, damaged or of another kind.
    pub fn texts(&mut self, name: &str) -> Result<Vec<String>, DataError> {
        let mut array = self.array(name)?;
        let letters = array.header.kind.strip_prefix("<U").and_then(|letters| letters.parse::<usize>().ok());
        let (Some(letters @ 1..), [count]) = (letters, array.header.shape.as_slice()) else {
            return Err(array.refuse(format!(
                "is a `{}` array of shape {:?}, not a list of texts",
                array.header.kind, array.header.shape
            )));
        };
        let count = *count;
        let width = letters.saturating_mul(4);
        array.check_size(count as u64, width, MOST_NAMES)?;
        let mut texts = Vec::new();
        array.rows(count, width, |_, bytes| {
            let points =
                bytes.chunks_exact(4).map(|point| u32::from_le_bytes([point[0], point[1], point[2], point[3]]));
            let text: Option<String> = points.take_while(|point| *point != 0).map(char::from_u32).collect();
            texts.push(text.ok_or("holds what is no text")?);
            Ok(())
        })?;
        Ok(texts)
    }

    /// Hands the rows `[columns, depth]` of an array of numbers `[rows, columns, depth]` to `visit`, from the first to
    /// the last.
    ///
    /// # Errors
    /// [`DataError::File`] if the array is missing, damaged, or of another kind or shape, or with `visit`'s message.
    pub fn numbers(
        &mut self,
        name: &str,
        shape: [usize; 3],
        mut visit: impl FnMut(usize, &[f64]) -> Result<(), String>,
    ) -> Result<(), DataError> {
        let mut array = self.array(name)?;
        let (size, read): (usize, fn(&[u8]) -> f64) = match array.header.kind.as_str() {
            "<f4" => (4, |b| f64::from(f32::from_le_bytes([b[0], b[1], b[2], b[3]]))),
            "<f8" => (8, |b| f64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]])),
            kind => return Err(array.refuse(format!("holds `{kind}`, not floating-point numbers"))),
        };
        if array.header.shape != shape {
            return Err(
                array.refuse(format!("has shape {:?}, but the names beside it make {shape:?}", array.header.shape))
            );
        }
        let [rows, columns, depth] = shape;
        let width = columns.saturating_mul(depth).saturating_mul(size);
        if width > LONGEST_ROW {
            return Err(array.refuse(format!("has rows of {width} bytes")));
        }
        array.check_size(rows as u64, width, MOST_NUMBERS)?;
        let mut values = Vec::with_capacity(columns * depth);
        array.rows(rows, width, |row, bytes| {
            values.clear();
            values.extend(bytes.chunks_exact(size).map(read));
            visit(row, &values)
        })
    }

    fn array<'a>(&'a mut self, name: &str) -> Result<Array<'a>, DataError> {
        let place = format!("the array `{name}`");
        let path = self.path.as_path();
        let mut entry = self
            .zip
            .by_name(&format!("{name}.npy"))
            .map_err(|error| DataError::file(path, format!("{place} cannot be read ({error})")))?;
        let header =
            npy::read_header(&mut entry).map_err(|message| DataError::file(path, format!("{place} {message}")))?;
        Ok(Array { path, place, header, entry })
    }
}

struct Array<'a> {
    path: &'a Path,
    place: String,
    header: Header,
    entry: ZipFile<'a, BufReader<File>>,
}

impl Array<'_> {
    fn refuse(&self, message: String) -> DataError {
        DataError::file(self.path, format!("{} {message}", self.place))
    }

    /// Refuses an array whose bytes, as the archive counts them, are not what its shape asks for, or too many.
    fn check_size(&self, count: u64, width: usize, most: u64) -> Result<(), DataError> {
        match count.checked_mul(width as u64).filter(|bytes| *bytes <= most) {
            None => Err(self.refuse(format!("has {count} rows of {width} bytes, too many to be lang2vec's"))),
            Some(bytes) if self.entry.size() != self.header.length + bytes => {
                Err(self.refuse("has a length that does not match its shape".to_owned()))
            }
            Some(_) => Ok(()),
        }
    }

    /// Reads all rows, so that the archive's checksum is verified.
    fn rows(
        &mut self,
        count: usize,
        width: usize,
        mut visit: impl FnMut(usize, &[u8]) -> Result<(), String>,
    ) -> Result<(), DataError> {
        let mut bytes = vec![0; width];
        for row in 0..count {
            self.entry.read_exact(&mut bytes).map_err(|error| self.damaged(&error))?;
            visit(row, &bytes).map_err(|message| self.refuse(message))?;
        }
        io::copy(&mut self.entry, &mut io::sink()).map_err(|error| self.damaged(&error))?;
        Ok(())
    }

    fn damaged(&self, error: &io::Error) -> DataError {
        self.refuse(format!("is damaged ({error}); copy the file again"))
    }
}
