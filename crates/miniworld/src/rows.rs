//! Rows as Arrow tables in the schemas of the public data sets' Parquet files.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Int32Builder, Int64Array, Int64Builder, ListBuilder, RecordBatch, StringArray, StringBuilder, StructArray,
};
use arrow::datatypes::{DataType, Field, Fields, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

use crate::error::MiniworldError;
use crate::tasks::{Inference, Question, TAGS, Tagged};

const STRING: &str = r#"{"dtype": "string", "_type": "Value"}"#;

fn sequence(feature: &str) -> String {
    format!(r#"{{"feature": {feature}, "_type": "Sequence"}}"#)
}

fn class_label(names: &[&str]) -> String {
    format!(r#"{{"names": ["{}"], "_type": "ClassLabel"}}"#, names.join(r#"", ""#))
}

/// A column: name, Hugging Face feature, values.
type Column = (&'static str, String, ArrayRef);

fn table(columns: Vec<Column>) -> Result<RecordBatch, arrow::error::ArrowError> {
    let features: Vec<String> = columns.iter().map(|(name, feature, _)| format!(r#""{name}": {feature}"#)).collect();
    let metadata = format!(r#"{{"info": {{"features": {{{}}}}}}}"#, features.join(", "));
    let fields: Vec<Field> =
        columns.iter().map(|(name, _, values)| Field::new(*name, values.data_type().clone(), true)).collect();
    let schema = Schema::new_with_metadata(fields, HashMap::from([("huggingface".to_owned(), metadata)]));
    RecordBatch::try_new(Arc::new(schema), columns.into_iter().map(|(_, _, values)| values).collect())
}

fn strings<'a>(values: impl Iterator<Item = &'a str>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

fn element(kind: DataType) -> Arc<Field> {
    Arc::new(Field::new("element", kind, true))
}

fn lists<'a>(rows: impl Iterator<Item = &'a [String]>) -> ArrayRef {
    let mut builder = ListBuilder::new(StringBuilder::new()).with_field(element(DataType::Utf8));
    for row in rows {
        builder.append_value(row.iter().map(Some));
    }
    Arc::new(builder.finish())
}

/// WikiANN: tokens, tags, the language of each token, and the mentions as text.
pub(crate) fn ner(rows: &[Tagged], code: &str) -> Result<RecordBatch, arrow::error::ArrowError> {
    let mut tags = ListBuilder::new(Int64Builder::new()).with_field(element(DataType::Int64));
    for row in rows {
        tags.append_value(row.tags.iter().copied().map(Some));
    }
    let languages: Vec<Vec<String>> = rows.iter().map(|row| vec![code.to_owned(); row.tokens.len()]).collect();
    table(vec![
        ("tokens", sequence(STRING), lists(rows.iter().map(|row| row.tokens.as_slice()))),
        ("ner_tags", sequence(&class_label(&TAGS)), Arc::new(tags.finish())),
        ("langs", sequence(STRING), lists(languages.iter().map(Vec::as_slice))),
        ("spans", sequence(STRING), lists(rows.iter().map(|row| row.spans.as_slice()))),
    ])
}

/// XQuAD: one answer a question; `answer_start` counts characters.
pub(crate) fn qa<'a>(rows: impl Iterator<Item = &'a Question>) -> Result<RecordBatch, arrow::error::ArrowError> {
    let rows: Vec<&Question> = rows.collect();
    let mut starts = ListBuilder::new(Int32Builder::new()).with_field(element(DataType::Int32));
    for row in &rows {
        let start =
            i32::try_from(row.answer.start).map_err(|error| arrow::error::ArrowError::CastError(error.to_string()))?;
        starts.append_value([Some(start)]);
    }
    let texts: Vec<[String; 1]> = rows.iter().map(|row| [row.answer.text.clone()]).collect();
    let texts = lists(texts.iter().map(<[String; 1]>::as_slice));
    let starts: ArrayRef = Arc::new(starts.finish());
    let fields: Fields = [("text", &texts), ("answer_start", &starts)]
        .map(|(name, values)| Arc::new(Field::new(name, values.data_type().clone(), true)))
        .into();
    let answers = StructArray::try_new(fields, vec![texts, starts], None)?;
    let feature = format!(
        r#"{{"feature": {{"text": {STRING}, "answer_start": {{"dtype": "int32", "_type": "Value"}}}}, "_type": "Sequence"}}"#
    );
    table(vec![
        ("id", STRING.to_owned(), strings(rows.iter().map(|row| row.id.as_str()))),
        ("context", STRING.to_owned(), strings(rows.iter().map(|row| row.context.as_str()))),
        ("question", STRING.to_owned(), strings(rows.iter().map(|row| row.question.as_str()))),
        ("answers", feature, Arc::new(answers)),
    ])
}

/// XNLI: 0 entailment, 1 neutral, 2 contradiction.
pub(crate) fn nli(rows: &[Inference]) -> Result<RecordBatch, arrow::error::ArrowError> {
    let labels = Int64Array::from_iter_values(rows.iter().map(|row| row.label.number()));
    table(vec![
        ("premise", STRING.to_owned(), strings(rows.iter().map(|row| row.premise.as_str()))),
        ("hypothesis", STRING.to_owned(), strings(rows.iter().map(|row| row.hypothesis.as_str()))),
        ("label", class_label(&["entailment", "neutral", "contradiction"]), Arc::new(labels)),
    ])
}

/// Sentence pairs: `source` in the language, `target` in English.
pub(crate) fn retrieval(
    ids: &[String],
    source: &[String],
    target: &[String],
) -> Result<RecordBatch, arrow::error::ArrowError> {
    table(vec![
        ("id", STRING.to_owned(), strings(ids.iter().map(String::as_str))),
        ("source", STRING.to_owned(), strings(source.iter().map(String::as_str))),
        ("target", STRING.to_owned(), strings(target.iter().map(String::as_str))),
    ])
}

/// Text to pre-train on; the same id says the same in every language.
pub(crate) fn text(ids: &[String], text: &[String]) -> Result<RecordBatch, arrow::error::ArrowError> {
    table(vec![
        ("id", STRING.to_owned(), strings(ids.iter().map(String::as_str))),
        ("text", STRING.to_owned(), strings(text.iter().map(String::as_str))),
    ])
}

/// The table as the bytes of a Parquet file, a function of the table alone.
pub(crate) fn encode(path: &Path, table: &RecordBatch) -> Result<Vec<u8>, MiniworldError> {
    let encoded = || -> Result<Vec<u8>, ParquetError> {
        // Beside the Arrow schema, where readers that do not know Arrow find it, as in the public files.
        let metadata =
            table.schema().metadata().clone().into_iter().map(|(key, value)| KeyValue::new(key, value)).collect();
        let properties = WriterProperties::builder()
            .set_key_value_metadata(Some(metadata))
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(19)?))
            .set_created_by("miniworld".to_owned())
            .build();
        let mut writer = ArrowWriter::try_new(Vec::new(), table.schema(), Some(properties))?;
        writer.write(table)?;
        writer.into_inner()
    };
    encoded().map_err(|source| MiniworldError::Encode { path: path.to_owned(), source })
}
