use std::path::Path;

use half::{bf16, f16};
use memmap2::Mmap;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensorError, SafeTensors};

use crate::ModelError;
use crate::layout::Entry;

/// Maps a file into memory.
pub(crate) fn mapped(path: &Path) -> Result<Mmap, ModelError> {
    let (file, _) = files::open(path).map_err(|source| ModelError::io(path, source))?;
    // SAFETY: the map is read-only and private to this process; as for every reader of mapped files, nobody may
    // truncate the file while a model is being read, which takes seconds.
    unsafe { Mmap::map(&file) }.map_err(|source| ModelError::io(path, source))
}

/// Bytes of a header: about 100 a tensor, of which the largest encoders have some hundreds, and a checkpoint with adapters of
/// many languages ten thousand.
const LARGEST_HEADER: u64 = 1 << 24;

/// The tensors of a safetensors file; its header is checked against the file's length. The error is a sentence.
pub(crate) fn parse(bytes: &[u8]) -> Result<SafeTensors<'_>, String> {
    if let Some((&length, _)) = bytes.split_first_chunk()
        && let length = u64::from_le_bytes(length)
        && length > LARGEST_HEADER
        && length < bytes.len() as u64
    {
        return Err(format!(
            "its header has {length} bytes, and more than {LARGEST_HEADER} are not expected of a model"
        ));
    }
    SafeTensors::deserialize(bytes).map_err(|error| {
        let why = match &error {
            SafeTensorError::HeaderTooSmall | SafeTensorError::InvalidHeaderLength => {
                format!("the file is cut off inside its header ({} bytes)", bytes.len())
            }
            SafeTensorError::MetadataIncompleteBuffer => {
                format!("the header promises another amount of data than the file's {} bytes hold", bytes.len())
            }
            SafeTensorError::HeaderTooLarge => "the header claims to be larger than 100 MB".to_owned(),
            SafeTensorError::InvalidHeaderDeserialization(error) => format!("the header is malformed: {error}"),
            other => other.to_string(),
        };
        format!("not a safetensors file, or a damaged one: {why}")
    })
}

/// The tensor's values as `f32`; `None` if its type is not f32, f16 or bf16.
pub(crate) fn values(view: &TensorView<'_>) -> Option<Vec<f32>> {
    let bytes = view.data();
    match view.dtype() {
        Dtype::F32 => Some(bytes.as_chunks().0.iter().map(|&chunk| f32::from_le_bytes(chunk)).collect()),
        Dtype::F16 => Some(bytes.as_chunks().0.iter().map(|&chunk| f16::from_le_bytes(chunk).to_f32()).collect()),
        Dtype::BF16 => Some(bytes.as_chunks().0.iter().map(|&chunk| bf16::from_le_bytes(chunk).to_f32()).collect()),
        _ => None,
    }
}

/// A parameter's values in the order of files.
pub(crate) fn file_order(entry: &Entry, values: Vec<f32>) -> Vec<f32> {
    match (entry.transposed, entry.file_shape.as_slice()) {
        (true, &[rows, columns]) => transposed(&values, columns, rows),
        _ => values,
    }
}

/// The transpose of a row-major `[rows, columns]` matrix.
pub(crate) fn transposed(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    // Square tiles keep both sides of the copy in cache.
    const TILE: usize = 32;
    let mut result = vec![0.0; values.len()];
    for row_start in (0..rows).step_by(TILE) {
        for column_start in (0..columns).step_by(TILE) {
            for row in row_start..rows.min(row_start + TILE) {
                for column in column_start..columns.min(column_start + TILE) {
                    result[column * rows + row] = values[row * columns + column];
                }
            }
        }
    }
    result
}
