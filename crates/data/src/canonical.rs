use std::path::Path;

use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use spec::{Ids, Kind, Labels, Task};

use crate::examples::{Answer, ExamplesBuilder, Value};
use crate::table::{Part, Table};
use crate::{DataError, Examples};

/// The canonical Parquet of the examples: the columns of the hub's schema that we use, Zstandard, one row group for all
/// but very large files. `path` is for messages.
pub(crate) fn to_bytes(examples: &Examples, path: &Path) -> Result<Vec<u8>, DataError> {
    let failed = |error: &dyn std::fmt::Display| DataError::file(path, format!("cannot be made: {error}"));
    let batch = examples.stored().map_err(|error| failed(&error))?;
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

/// What becomes of a table's rows without a label (-1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unlabelled {
    /// They are refused: the split's labels are withheld.
    Refused,
    /// A class of -1 leaves its row out, unless there are no others. Tags are all there or refused.
    LeftOut,
    /// Labels and whatever else is to be predicted are not looked at, and need not be there: 0 stands in their place, which
    /// says nothing.
    Kept,
}

/// Reads tables whose columns are named as the task names them: ours, and the hub's of the same schema. Examples bear the
/// file's `id`, or the number of their row over all files, counted from 0. Also gives how many rows were left out.
///
/// `labels` says what label columns mean where the file itself does not; `check` may refuse an example, given its fields, or
/// mend them.
///
/// # Errors
/// [`DataError`] naming the file, and the row where it is about one.
pub fn read_parquet(
    paths: &[impl AsRef<Path>],
    task: Task,
    labels: &Labels,
    unlabelled: Unlabelled,
    check: &dyn Fn(&mut [Value]) -> Result<(), String>,
) -> Result<(Examples, usize), DataError> {
    let description = task.description();
    let classes = description.columns.iter().any(|column| column.kind == Kind::Label);
    let leaves_out = unlabelled == Unlabelled::LeftOut && classes;
    let (mut left_out, mut first_left_out) = (0, None);
    let mut builder = ExamplesBuilder::new(task, labels.clone());
    for path in paths.iter().map(AsRef::as_ref) {
        let table = Table::open(path)?;
        let named = description.ids == Ids::Column && table.has("id");
        let is_read =
            |column: &&spec::Column| unlabelled != Unlabelled::Kept || matches!(column.kind, Kind::Text | Kind::Texts);
        let (there, unread): (Vec<&spec::Column>, Vec<&spec::Column>) = description.columns.iter().partition(is_read);
        let mut names: Vec<&str> = there.iter().map(|column| column.name).collect();
        names.extend(named.then_some("id"));
        for part in table.read(&names)? {
            let ids = if named { Some(part.column(path, "id")?.words(path)?) } else { None };
            let columns = there.iter().map(|column| fields(&part, path, column.name, column.kind));
            let mut columns = columns.collect::<Result<Vec<_>, _>>()?;
            for row in 0..part.rows() {
                let place = || format!("row {}", part.first_row + row + 1);
                let id = match &ids {
                    Some(ids) => ids.value(row).to_owned(),
                    None => (builder.len() + left_out).to_string(),
                };
                let bad = |message: String| match message.starts_with(UNLABELLED) {
                    true => DataError::unlabelled(path, place(), message),
                    false => DataError::row(path, place(), message),
                };
                let fields = columns.iter_mut().map(|column| column(row)).collect::<Result<Vec<_>, _>>();
                let mut fields = match fields {
                    Err(message) if leaves_out && message.starts_with(UNLABELLED) => {
                        left_out += 1;
                        first_left_out.get_or_insert_with(|| bad(message));
                        continue;
                    }
                    fields => with_stand_ins(fields.map_err(bad)?, &unread, description.columns),
                };
                check(&mut fields).map_err(bad)?;
                builder.push(&id, fields).map_err(bad)?;
            }
        }
    }
    match first_left_out {
        Some(withheld) if builder.is_empty() => Err(withheld),
        _ => Ok((builder.finish(), left_out)),
    }
}

/// How a fault begins that says that a row's label is withheld.
const UNLABELLED: &str = "label -1";

/// The fields of all columns, in the table's order: those read, and 0 for the others, as often as the row has words.
fn with_stand_ins(read: Vec<Value>, unread: &[&spec::Column], columns: &[spec::Column]) -> Vec<Value> {
    if unread.is_empty() {
        return read;
    }
    let words = read.iter().find_map(|field| match field {
        Value::Texts(texts) => Some(texts.len()),
        _ => None,
    });
    let words = words.unwrap_or_default();
    let mut read = read.into_iter();
    let field = |column: &spec::Column| match (unread.contains(&column), column.kind) {
        (true, Kind::Label) => Some(Value::Label(0)),
        (true, Kind::Labels) => Some(Value::Labels(vec![0; words])),
        (true, Kind::Number) => Some(Value::Number(0)),
        (true, Kind::Numbers) => Some(Value::Numbers(vec![0; words])),
        (true, Kind::Answers) => Some(Value::Answers(Vec::new())),
        _ => read.next(),
    };
    columns.iter().filter_map(field).collect()
}

/// The field of a row.
type Field<'a> = Box<dyn FnMut(usize) -> Result<Value, String> + 'a>;

/// Reads one column of a part, row by row.
fn fields<'a>(part: &Part, path: &Path, name: &'static str, kind: Kind) -> Result<Field<'a>, DataError> {
    let column = part.column(path, name)?;
    let label = move |value: i64| match usize::try_from(value) {
        Ok(label) => Ok(label),
        Err(_) if value == -1 => Err(format!("{UNLABELLED} in `{name}` marks a split whose labels are not public")),
        Err(_) => Err(format!("label {value} in `{name}` is below 0")),
    };
    Ok(match kind {
        Kind::Text => {
            let texts = column.texts(path)?;
            Box::new(move |row| Ok(Value::Text(texts.value(row).to_owned())))
        }
        Kind::Texts => {
            let lists = column.text_lists(path)?;
            Box::new(move |row| Ok(Value::Texts(lists[row].iter().flatten().map(str::to_owned).collect())))
        }
        Kind::Label => {
            let numbers = column.numbers(path)?;
            Box::new(move |row| label(numbers.value(row)).map(Value::Label))
        }
        Kind::Labels => {
            let lists = column.number_lists(path)?;
            Box::new(move |row| {
                lists[row].values().iter().map(|&value| label(value)).collect::<Result<_, _>>().map(Value::Labels)
            })
        }
        Kind::Number => {
            let numbers = column.numbers(path)?;
            Box::new(move |row| Ok(Value::Number(numbers.value(row))))
        }
        Kind::Numbers => {
            let lists = column.number_lists(path)?;
            Box::new(move |row| Ok(Value::Numbers(lists[row].values().to_vec())))
        }
        Kind::Answers => {
            let texts = column.member(path, "text")?.text_lists(path)?;
            let starts = column.member(path, "answer_start")?.number_lists(path)?;
            Box::new(move |row| {
                if texts[row].iter().count() != starts[row].values().len() {
                    return Err(format!("has more or fewer texts than starts in `{name}`"));
                }
                let answers = texts[row].iter().flatten().zip(starts[row].values());
                Ok(Value::Answers(answers.map(|(text, &start)| Answer::new(text.to_owned(), start)).collect()))
            })
        }
    })
}
