use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Int32Builder, Int64Array, Int64Builder, ListBuilder, RecordBatch, StringArray, StringBuilder, StructArray,
};
use arrow::datatypes::{DataType, Field};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use spec::Task;

use crate::readers::{self, checked};
use crate::{DataError, Examples};

/// The canonical Parquet of the examples: the columns of the hub's schema that we use, Zstandard, one row group for all
/// but very large files. `path` is for messages.
pub(crate) fn to_bytes(examples: &Examples, path: &Path) -> Result<Vec<u8>, DataError> {
    let failed = |error: &dyn std::fmt::Display| DataError::file(path, format!("cannot be made: {error}"));
    let batch = batch(examples).map_err(|error| failed(&error))?;
    let level = ZstdLevel::try_new(3).map_err(|error| failed(&error))?;
    // Without the writer's version, so that a newer library gives the same bytes where its encoding is the same.
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_created_by("lethe".to_owned())
        .build();
    let mut bytes = Vec::new();
    let mut writer =
        ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).map_err(|error| failed(&error))?;
    writer.write(&batch).map_err(|error| failed(&error))?;
    writer.close().map_err(|error| failed(&error))?;
    Ok(bytes)
}

/// Reads a canonical file; a file of the hub's schema does as well.
pub(crate) fn read(path: &Path, task: Task) -> Result<Examples, DataError> {
    let paths: &[PathBuf] = &[path.to_owned()];
    let examples = match task {
        Task::Ner => Examples::Ner(readers::read_wikiann_parquet(paths)?),
        Task::Nli => Examples::Nli(readers::read_nli_parquet(paths)?),
        Task::Qa => Examples::Qa(readers::read_squad_parquet(paths)?),
        Task::Retrieval => Examples::Pairs(readers::read_tatoeba_parquet(paths)?),
        Task::Mlm => Examples::Text(readers::read_text_parquet(paths)?),
    };
    checked(path, examples)
}

/// Names examples as reading the canonical file will: by row where the schema has no column for names.
pub(crate) fn renamed(mut examples: Examples) -> Examples {
    match &mut examples {
        Examples::Ner(examples) => {
            examples.iter_mut().enumerate().for_each(|(row, example)| example.id = row.to_string());
        }
        Examples::Nli(examples) => {
            examples.iter_mut().enumerate().for_each(|(row, example)| example.id = row.to_string());
        }
        Examples::Qa(_) | Examples::Pairs(_) | Examples::Text(_) => {}
    }
    examples
}

fn batch(examples: &Examples) -> Result<RecordBatch, arrow::error::ArrowError> {
    let columns: Vec<(&str, ArrayRef)> = match examples {
        Examples::Ner(examples) => {
            let mut words = ListBuilder::new(StringBuilder::new());
            let mut tags = ListBuilder::new(Int64Builder::new());
            for example in examples {
                words.append_value(example.words.iter().map(Some));
                tags.append_value(example.tags.iter().map(|&tag| Some(i64::from(tag))));
            }
            vec![("tokens", Arc::new(words.finish())), ("ner_tags", Arc::new(tags.finish()))]
        }
        Examples::Nli(examples) => vec![
            ("premise", texts(examples.iter().map(|example| &example.premise))),
            ("hypothesis", texts(examples.iter().map(|example| &example.hypothesis))),
            ("label", Arc::new(Int64Array::from_iter_values(examples.iter().map(|example| i64::from(example.label))))),
        ],
        Examples::Qa(examples) => {
            let mut answers = ListBuilder::new(StringBuilder::new());
            let mut starts = ListBuilder::new(Int32Builder::new());
            for example in examples {
                answers.append_value(example.answers.iter().map(|answer| Some(&answer.text)));
                starts.append_value(example.answers.iter().map(|answer| i32::try_from(answer.start).ok()));
            }
            let list = |name: &str, item| {
                Arc::new(Field::new(name, DataType::List(Arc::new(Field::new_list_field(item, true))), true))
            };
            let answers = StructArray::from(vec![
                (list("text", DataType::Utf8), Arc::new(answers.finish()) as ArrayRef),
                (list("answer_start", DataType::Int32), Arc::new(starts.finish()) as ArrayRef),
            ]);
            vec![
                ("id", texts(examples.iter().map(|example| &example.id))),
                ("context", texts(examples.iter().map(|example| &example.context))),
                ("question", texts(examples.iter().map(|example| &example.question))),
                ("answers", Arc::new(answers)),
            ]
        }
        Examples::Pairs(examples) => vec![
            ("id", texts(examples.iter().map(|example| &example.id))),
            ("source", texts(examples.iter().map(|example| &example.source))),
            ("target", texts(examples.iter().map(|example| &example.english))),
        ],
        Examples::Text(examples) => vec![
            ("id", texts(examples.iter().map(|example| &example.id))),
            ("text", texts(examples.iter().map(|example| &example.text))),
        ],
    };
    RecordBatch::try_from_iter(columns)
}

fn texts<'a>(values: impl Iterator<Item = &'a String>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}
