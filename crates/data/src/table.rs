use std::fs::File;
use std::path::{Path, PathBuf};

use arrow::array::{Array, ArrayRef, Int64Array, ListArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::DataError;
use crate::expansion::{self, MOST_EXPANSION, SLACK};

/// More rows than any data set of this kind has; a larger number is a damaged or hostile file.
const MOST_ROWS: i64 = 100_000_000;

/// A Parquet file whose columns are known and not yet read.
pub struct Table {
    path: PathBuf,
    size: u64,
    builder: ParquetRecordBatchReaderBuilder<File>,
}

impl Table {
    /// # Errors
    /// [`DataError`] if the file cannot be opened, is damaged (also where the Parquet library panics) or declares absurd
    /// sizes.
    pub fn open(path: &Path) -> Result<Self, DataError> {
        let (file, size) = files::open(path).map_err(DataError::io("read", path))?;
        let builder = files::no_panic(|| ParquetRecordBatchReaderBuilder::try_new(file))
            .map_err(|panic| damaged(path, &panic))?
            .map_err(|error| damaged(path, &error))?;
        let metadata = builder.metadata();
        let rows = metadata.file_metadata().num_rows();
        let sizes = metadata.row_groups().iter().map(|group| group.total_byte_size().max(0) as u64);
        let bytes = sizes.fold(0, u64::saturating_add);
        if !(0..=MOST_ROWS).contains(&rows) || bytes > SLACK + MOST_EXPANSION.saturating_mul(size) {
            let absurd = format!("it declares {rows} rows and {bytes} bytes of content in a file of {size}");
            return Err(damaged(path, &absurd));
        }
        Ok(Self { path: path.to_owned(), size, builder })
    }

    /// Whether it has a top-level column of this name.
    pub fn has(&self, column: &str) -> bool {
        self.columns().contains(&column)
    }

    fn columns(&self) -> Vec<&str> {
        self.builder.schema().fields().iter().map(|field| field.name().as_str()).collect()
    }

    pub fn rows(&self) -> usize {
        self.builder.metadata().file_metadata().num_rows() as usize
    }

    /// The names of a column's classes, where the hub's metadata in the file say them (`ClassLabel`, or a list of such).
    pub fn class_names(&self, column: &str) -> Option<Vec<String>> {
        let metadata = self.builder.metadata().file_metadata().key_value_metadata()?;
        let text = metadata.iter().find(|entry| entry.key == "huggingface")?.value.as_ref()?;
        let value: serde_json::Value = serde_json::from_str(text).ok()?;
        let feature = value.get("info")?.get("features")?.get(column)?;
        let names = feature.get("names").or_else(|| feature.get("feature")?.get("names"))?;
        names.as_array()?.iter().map(|name| name.as_str().map(str::to_owned)).collect()
    }

    /// Some of its top-level columns, batch by batch.
    ///
    /// # Errors
    /// [`DataError`] if there is no such column, or the file is damaged or would take absurdly much memory.
    pub fn read(self, columns: &[&str]) -> Result<Vec<Part>, DataError> {
        let found = self.columns();
        if let Some(missing) = columns.iter().find(|column| !found.contains(column)) {
            let message = format!("has no column `{missing}`; its columns are {}", found.join(", "));
            return Err(DataError::file(&self.path, message));
        }
        let roots: Vec<usize> = (0..found.len()).filter(|&index| columns.contains(&found[index])).collect();
        let Self { path, size, builder } = self;
        let file = File::open(&path).map_err(DataError::io("read", &path))?;
        let rows = builder.metadata().file_metadata().num_rows();
        files::no_panic(|| {
            let schema = builder.parquet_schema();
            let leaves: Vec<usize> =
                (0..schema.num_columns()).filter(|&leaf| roots.contains(&schema.get_column_root_idx(leaf))).collect();
            expansion::check(file, size, builder.metadata(), &leaves).map_err(|message| damaged(&path, &message))?;
            let mask = ProjectionMask::leaves(schema, leaves);
            let reader = builder.with_projection(mask).with_batch_size(8192).build();
            let mut parts: Vec<Part> = Vec::new();
            let mut first_row = 0;
            for batch in reader.map_err(|error| damaged(&path, &error))? {
                let batch = batch.map_err(|error| damaged(&path, &error))?;
                let rows = batch.num_rows();
                parts.push(Part { batch, first_row });
                first_row += rows;
            }
            if first_row as i64 != rows {
                return Err(damaged(&path, &format!("it declares {rows} rows and holds {first_row}")));
            }
            Ok(parts)
        })
        .unwrap_or_else(|panic| Err(damaged(&path, &panic)))
    }
}

fn damaged(path: &Path, error: &dyn std::fmt::Display) -> DataError {
    DataError::file(path, format!("is not a readable Parquet file: {error}"))
}

/// Some rows of a file.
pub struct Part {
    batch: RecordBatch,
    /// Rows of the file before these.
    pub first_row: usize,
}

impl Part {
    pub fn rows(&self) -> usize {
        self.batch.num_rows()
    }

    pub fn column(&self, path: &Path, name: &str) -> Result<Column, DataError> {
        let array =
            self.batch.column_by_name(name).ok_or_else(|| DataError::file(path, format!("has no column `{name}`")))?;
        Ok(Column { array: array.clone(), name: name.to_owned(), first_row: self.first_row })
    }
}

/// A column of a [`Part`], to be read as one of the types that the schemas use.
pub struct Column {
    array: ArrayRef,
    name: String,
    first_row: usize,
}

impl Column {
    /// A member of a column of records.
    pub fn member(&self, path: &Path, name: &str) -> Result<Column, DataError> {
        let full = format!("{}.{name}", self.name);
        self.no_nulls(path, self.array.as_ref())?;
        let records = self.array.as_any().downcast_ref::<arrow::array::StructArray>();
        match records.and_then(|records| records.column_by_name(name)) {
            Some(array) => Ok(Column { array: array.clone(), name: full, first_row: self.first_row }),
            None => Err(DataError::file(path, format!("has no column `{full}`"))),
        }
    }

    pub fn texts(&self, path: &Path) -> Result<StringArray, DataError> {
        let array = self.cast(path, &DataType::Utf8, "text")?;
        Ok(array.as_any().downcast_ref::<StringArray>().cloned().unwrap_or_else(|| StringArray::new_null(0)))
    }

    /// Texts, or whole numbers as their digits: identifiers.
    pub fn words(&self, path: &Path) -> Result<StringArray, DataError> {
        match self.array.data_type().is_integer() {
            true => {
                Ok(StringArray::from_iter_values(self.numbers(path)?.iter().flatten().map(|number| number.to_string())))
            }
            false => self.texts(path),
        }
    }

    pub fn numbers(&self, path: &Path) -> Result<Int64Array, DataError> {
        let array = self.cast(path, &DataType::Int64, "whole numbers")?;
        Ok(array.as_any().downcast_ref::<Int64Array>().cloned().unwrap_or_else(|| Int64Array::new_null(0)))
    }

    /// One list of texts a row.
    pub fn text_lists(&self, path: &Path) -> Result<Vec<StringArray>, DataError> {
        self.lists(path, DataType::Utf8, "lists of text")
    }

    /// One list of whole numbers a row.
    pub fn number_lists(&self, path: &Path) -> Result<Vec<Int64Array>, DataError> {
        self.lists(path, DataType::Int64, "lists of whole numbers")
    }

    fn lists<A: Array + Clone + 'static>(&self, path: &Path, item: DataType, what: &str) -> Result<Vec<A>, DataError> {
        let list = DataType::List(Field::new_list_field(item, true).into());
        let array = self.cast(path, &list, what)?;
        let Some(lists) = array.as_any().downcast_ref::<ListArray>() else { return Ok(Vec::new()) };
        let mut rows = Vec::with_capacity(lists.len());
        for (index, values) in lists.iter().flatten().enumerate() {
            if values.null_count() > 0 {
                return Err(self.null(path, index));
            }
            rows.extend(values.as_any().downcast_ref::<A>().cloned());
        }
        Ok(rows)
    }

    fn cast(&self, path: &Path, to: &DataType, what: &str) -> Result<ArrayRef, DataError> {
        let from = self.array.data_type();
        let fits = match (from, to) {
            (DataType::List(a) | DataType::LargeList(a), DataType::List(b)) => fits(a.data_type(), b.data_type()),
            _ => fits(from, to),
        };
        let wrong = || DataError::file(path, format!("column `{}` has type {from}, not {what}", self.name));
        if !fits {
            return Err(wrong());
        }
        let array = files::no_panic(|| cast(&self.array, to)).map_err(|_| wrong())?.map_err(|_| wrong())?;
        self.no_nulls(path, array.as_ref())?;
        Ok(array)
    }

    fn no_nulls(&self, path: &Path, array: &dyn Array) -> Result<(), DataError> {
        match (0..array.len()).find(|&index| array.is_null(index)) {
            Some(index) => Err(self.null(path, index)),
            None => Ok(()),
        }
    }

    fn null(&self, path: &Path, index: usize) -> DataError {
        let place = format!("row {}, column `{}`", self.first_row + index + 1, self.name);
        DataError::row(path, place, "is null; every row needs a value")
    }
}

/// Whether values of a type may be read as another without changing their meaning.
fn fits(from: &DataType, to: &DataType) -> bool {
    match to {
        DataType::Utf8 => match from {
            DataType::Dictionary(_, values) => fits(values, to),
            _ => matches!(from, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View),
        },
        DataType::Int64 => from.is_integer(),
        _ => false,
    }
}
