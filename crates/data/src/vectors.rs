//! Sentence vectors in files: NumPy's format 1.0 and Parquet.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, FixedSizeListArray, Float32Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field};
use parquet::arrow::ArrowWriter;

use crate::{DataError, npy};

const MAGIC: &[u8] = b"\x93NUMPY\x01\x00";
/// Bytes of an array: two million vectors of 1,024 numbers.
const LARGEST: u64 = 1 << 33;
/// The header ends at a multiple of this, so that the numbers are aligned.
const ALIGNMENT: usize = 64;

/// Writes `vectors` `[rows, width]` as a little-endian f32 array that `numpy.load` reads.
///
/// # Errors
/// [`DataError::Io`].
pub fn write_npy(path: &Path, vectors: &[f32], width: usize) -> Result<(), DataError> {
    let rows = vectors.len() / width.max(1);
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {width}), }}");
    let used = MAGIC.len() + 2 + header.len() + 1;
    header.push_str(&" ".repeat(used.next_multiple_of(ALIGNMENT) - used));
    header.push('\n');
    let mut bytes = MAGIC.to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(vectors.iter().flat_map(|value| value.to_le_bytes()));
    files::write(path, &bytes).map_err(DataError::io("write", path))
}

/// Reads a two-dimensional little-endian f32 array in C order; gives the values and the width of a row.
///
/// # Errors
/// [`DataError::Io`], or [`DataError::File`] for any other kind of array or a file of the wrong length.
pub fn read_npy(path: &Path) -> Result<(Vec<f32>, usize), DataError> {
    let bytes = files::read(path, LARGEST).map_err(DataError::io("read", path))?;
    let refuse = |message: &str| DataError::file(path, message);
    let mut body = bytes.as_slice();
    let header = npy::read_header(&mut body).map_err(|message| refuse(&message))?;
    if header.kind != "<f4" {
        return Err(refuse("holds no little-endian 32-bit floats; save it as np.float32"));
    }
    let [rows, width] = header.shape.as_slice() else { return Err(refuse("is no array of two dimensions")) };
    if rows.checked_mul(*width).and_then(|values| values.checked_mul(4)) != Some(body.len()) {
        return Err(refuse("its length does not match its shape"));
    }
    let values = body.chunks_exact(4).map(|value| f32::from_le_bytes([value[0], value[1], value[2], value[3]]));
    Ok((values.collect(), *width))
}

/// Writes sentences and their `vectors` `[rows, width]` as the columns `sentence` and `vector`.
///
/// # Errors
/// [`DataError::Io`] or [`DataError::File`].
pub fn write_parquet(path: &Path, sentences: &[String], vectors: &[f32], width: usize) -> Result<(), DataError> {
    let refuse = |message: String| DataError::file(path, message);
    let width = i32::try_from(width).map_err(|_| refuse(format!("vectors of {width} numbers are too long")))?;
    let values: ArrayRef = Arc::new(Float32Array::from(vectors.to_vec()));
    let item = Arc::new(Field::new("item", DataType::Float32, false));
    let vectors: ArrayRef =
        Arc::new(FixedSizeListArray::try_new(item, width, values, None).map_err(|error| refuse(error.to_string()))?);
    let sentences: ArrayRef = Arc::new(StringArray::from_iter_values(sentences));
    let batch = RecordBatch::try_from_iter([("sentence", sentences), ("vector", vectors)])
        .map_err(|error| refuse(error.to_string()))?;
    let mut bytes = Vec::new();
    let write = |bytes: &mut Vec<u8>| {
        let mut writer = ArrowWriter::try_new(bytes, batch.schema(), None)?;
        writer.write(&batch)?;
        writer.close()
    };
    write(&mut bytes).map_err(|error| refuse(error.to_string()))?;
    files::write(path, &bytes).map_err(DataError::io("write", path))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn numpy_files_survive_the_way_there_and_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("v.npy");
        let vectors = [1.5, -2.0, 3.25, f32::MIN_POSITIVE, 0.0, 7.0];
        write_npy(&path, &vectors, 3).expect("written");
        assert_eq!(read_npy(&path).expect("read"), (vectors.to_vec(), 3));
        let bytes = fs::read(&path).expect("bytes");
        assert_eq!((bytes.len() - 6 * 4) % ALIGNMENT, 0);
        for length in [0, 5, 9, 40, bytes.len() - 1] {
            fs::write(&path, &bytes[..length]).expect("cut");
            assert!(read_npy(&path).is_err(), "cut to {length} bytes");
        }
    }
}
