use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, Int32Array, Int32Builder, Int64Array, Int64Builder, ListArray, ListBuilder, RecordBatch,
    StringArray, StringBuilder, StructArray, UInt64Array,
};
use arrow::datatypes::{DataType, Field};
use spec::{Ids, Kind, Labels, Task};

/// Arrow counts the bytes of a column of text in 31 bits.
const MOST_TEXT: usize = i32::MAX as usize;

/// The examples of one file: a table with a column `id` and the columns that `spec`'s table of tasks names.
#[derive(Debug, Clone, PartialEq)]
pub struct Examples {
    task: Task,
    labels: Labels,
    table: RecordBatch,
}

/// One field of an example on its way into [`Examples`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Text(String),
    Texts(Vec<String>),
    /// An index into the label names.
    Label(usize),
    Labels(Vec<usize>),
    Number(i64),
    Numbers(Vec<i64>),
    Answers(Vec<Answer>),
}

/// A span of a context. `context.chars().skip(start)` begins with `text`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub text: String,
    /// In characters (Unicode code points), as all SQuAD-like files count.
    pub start: usize,
}

impl Answer {
    /// The start of an answer that a file puts in front of its context, which no text has.
    pub const NOWHERE: usize = usize::MAX;

    pub fn new(text: String, start: i64) -> Self {
        Self { text, start: usize::try_from(start).unwrap_or(Self::NOWHERE) }
    }
}

impl Examples {
    pub fn task(&self) -> Task {
        self.task
    }

    /// What the label columns' numbers mean.
    pub fn labels(&self) -> &Labels {
        &self.labels
    }

    pub fn len(&self) -> usize {
        self.table.num_rows()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Keeps the first `limit` examples.
    pub fn truncate(&mut self, limit: usize) {
        if limit < self.len() {
            self.table = self.table.slice(0, limit);
        }
    }

    /// So many examples, in the file's order: those whose ids give the smallest hashes with the seed.
    #[must_use]
    pub fn sample(self, count: usize, seed: u64) -> Self {
        if count >= self.len() {
            return self;
        }
        let rank =
            |(place, id): (usize, &str)| (blake3::hash(format!("sample {seed} {id}").as_bytes()).to_hex(), place);
        let mut ranked: Vec<_> = self.ids().enumerate().map(rank).collect();
        ranked
            .sort_unstable_by(|(one, here), (other, there)| one.as_bytes().cmp(other.as_bytes()).then(here.cmp(there)));
        let mut places: Vec<usize> = ranked[..count].iter().map(|(_, place)| *place).collect();
        places.sort_unstable();
        self.select(&places)
    }

    /// The examples at these places, in this order.
    ///
    /// # Panics
    /// If there is no such place.
    #[must_use]
    pub fn select(&self, places: &[usize]) -> Self {
        assert!(places.iter().all(|&place| place < self.len()), "a place beyond the {} examples", self.len());
        let places = UInt64Array::from_iter_values(places.iter().map(|&place| place as u64));
        match arrow::compute::take_record_batch(&self.table, &places) {
            Ok(table) => Self { table, labels: self.labels.clone(), task: self.task },
            Err(error) => panic!("rows of a table: {error}"),
        }
    }

    /// The same examples with their labels numbered as in `labels`.
    ///
    /// # Errors
    /// The first name of a label that `labels` lacks.
    pub fn relabelled(&self, labels: &Labels) -> Result<Self, &str> {
        let places = self.labels.places_in(labels)?;
        Ok(self.renumbered(labels.clone(), places.into_iter().map(|place| place as i64).collect()))
    }

    /// The same examples with label `i` at `places[i]` of `labels`.
    fn renumbered(&self, labels: Labels, places: Vec<i64>) -> Self {
        let renumbered = |numbers: &Int64Array| -> ArrayRef {
            Arc::new(Int64Array::from_iter_values(numbers.values().iter().map(|&label| places[label as usize])))
        };
        let column = |(kind, column): (Kind, &ArrayRef)| -> ArrayRef {
            match kind {
                Kind::Label => renumbered(inner(column)),
                Kind::Labels => {
                    let (field, offsets, numbers, nulls) = inner::<ListArray>(column).clone().into_parts();
                    Arc::new(ListArray::new(field, offsets, renumbered(inner(&numbers)), nulls))
                }
                _ => column.clone(),
            }
        };
        let columns = std::iter::once(self.table.column(0).clone()).chain(self.columns().into_iter().map(column));
        match RecordBatch::try_new(self.table.schema(), columns.collect()) {
            Ok(table) => Self { table, labels, task: self.task },
            Err(error) => panic!("columns of the same types: {error}"),
        }
    }

    /// Identifier of each example, in order.
    pub fn ids(&self) -> impl ExactSizeIterator<Item = &str> {
        let ids = self.texts("id");
        (0..self.len()).map(move |row| ids.value(row))
    }

    /// A column of [`Kind::Text`], or `id`.
    ///
    /// # Panics
    /// If the task has no such column of this kind; so do the methods that follow.
    pub fn texts(&self, name: &str) -> &StringArray {
        self.column(name)
    }

    /// A column of [`Kind::Label`] or [`Kind::Number`].
    pub fn numbers(&self, name: &str) -> &Int64Array {
        self.column(name)
    }

    /// A column of [`Kind::Texts`].
    pub fn text_lists(&self, name: &str) -> Lists<'_, StringArray> {
        Lists::of(self.column(name))
    }

    /// A column of [`Kind::Labels`] or [`Kind::Numbers`].
    pub fn number_lists(&self, name: &str) -> Lists<'_, Int64Array> {
        Lists::of(self.column(name))
    }

    /// Texts and starts of a column of [`Kind::Answers`].
    pub fn answers(&self, name: &str) -> Answers<'_> {
        let records: &StructArray = self.column(name);
        Answers { texts: Lists::of(inner(records.column(0))), starts: Lists::of(inner(records.column(1))) }
    }

    fn column<A: Array + 'static>(&self, name: &str) -> &A {
        match self.table.column_by_name(name) {
            Some(column) => inner(column),
            None => panic!("examples of {} have no column `{name}`", self.task),
        }
    }

    /// The columns that a file holds; `id` among them unless examples are named by their row.
    pub(crate) fn stored(&self) -> Result<RecordBatch, arrow::error::ArrowError> {
        match self.task.description().ids {
            Ids::Column => Ok(self.table.clone()),
            Ids::Row => self.table.project(&(1..self.table.num_columns()).collect::<Vec<_>>()),
        }
    }

    /// Names examples as reading their file will: by row where the task says so.
    #[must_use]
    pub(crate) fn renamed(mut self) -> Self {
        if self.task.description().ids == Ids::Row {
            let ids: ArrayRef = Arc::new(StringArray::from_iter_values((0..self.len()).map(|row| row.to_string())));
            let mut columns = self.table.columns().to_vec();
            columns[0] = ids;
            if let Ok(table) = RecordBatch::try_new(self.table.schema(), columns) {
                self.table = table;
            }
        }
        self
    }

    /// BLAKE3 of the content, in hexadecimal: the same examples give the same hash whatever file format, compression or
    /// row grouping they came in. Label names count unless they are the task's usual ones.
    pub fn content_hash(&self) -> String {
        let mut hash = Fields(blake3::Hasher::new());
        hash.text("lethe examples 1");
        hash.text(self.task.as_str());
        hash.number(self.len());
        let columns = self.columns();
        for row in 0..self.len() {
            hash.text(self.texts("id").value(row));
            columns.iter().for_each(|(kind, column)| hash.field(*kind, column, row, self.labels.len()));
        }
        if self.labels != self.task.usual_labels() {
            hash.text("labels");
            hash.number(self.labels.len());
            self.labels.names().iter().for_each(|name| hash.text(name));
        }
        hash.0.finalize().to_hex().to_string()
    }

    /// A hash of each example's text, without its name and labels: equal for examples that a model cannot tell apart.
    pub(crate) fn text_hashes(&self) -> Vec<blake3::Hash> {
        let columns = self.columns();
        let hash = |row: usize| {
            let mut hash = Fields(blake3::Hasher::new());
            for (kind, column) in columns.iter().filter(|(kind, _)| matches!(kind, Kind::Text | Kind::Texts)) {
                hash.field(*kind, column, row, 0);
            }
            hash.0.finalize()
        };
        (0..self.len()).map(hash).collect()
    }

    /// The same examples without a label that none of them bears.
    ///
    /// # Errors
    /// The first row that bears it.
    pub fn without_label(&self, name: &str) -> Result<Self, usize> {
        let Some(gone) = self.labels.index(name).map(|label| label as i64) else { return Ok(self.clone()) };
        for (kind, column) in self.columns() {
            let bears = |row: usize| match kind {
                Kind::Label => inner::<Int64Array>(column).value(row) == gone,
                Kind::Labels => Lists::<Int64Array>::of(inner(column)).get(row).contains(&gone),
                _ => false,
            };
            if let Some(row) = (0..self.len()).find(|&row| bears(row)) {
                return Err(row);
            }
        }
        let kept = self.labels.names().iter().filter(|&own| own != name).cloned();
        // Nothing is at its place any more; names that stood once still do.
        let labels = Labels::new(kept).unwrap_or_default();
        let places = self.labels.names().iter().map(|own| labels.index(own).unwrap_or_default() as i64).collect();
        Ok(self.renumbered(labels, places))
    }

    fn columns(&self) -> Vec<(Kind, &ArrayRef)> {
        let kinds = self.task.description().columns.iter().map(|column| column.kind);
        kinds.zip(&self.table.columns()[1..]).collect()
    }
}

/// Lists of a column, one a row.
#[derive(Debug)]
pub struct Lists<'a, A> {
    offsets: &'a [i32],
    values: &'a A,
}

impl<'a, A: Array + 'static> Lists<'a, A> {
    fn of(lists: &'a ListArray) -> Self {
        Self { offsets: lists.value_offsets(), values: inner(lists.values()) }
    }

    fn range(&self, row: usize) -> std::ops::Range<usize> {
        self.offsets[row] as usize..self.offsets[row + 1] as usize
    }
}

impl<'a> Lists<'a, StringArray> {
    pub fn get(&self, row: usize) -> Vec<&'a str> {
        self.range(row).map(|place| self.values.value(place)).collect()
    }
}

impl<'a> Lists<'a, Int64Array> {
    pub fn get(&self, row: usize) -> &'a [i64] {
        &self.values.values()[self.range(row)]
    }
}

/// A column of answers.
#[derive(Debug)]
pub struct Answers<'a> {
    texts: Lists<'a, StringArray>,
    starts: Lists<'a, Int32Array>,
}

impl<'a> Answers<'a> {
    /// Text and start of each answer of a row.
    pub fn get(&self, row: usize) -> Vec<(&'a str, usize)> {
        let starts = self.starts.range(row).map(|place| self.starts.values.value(place) as usize);
        self.texts.get(row).into_iter().zip(starts).collect()
    }
}

fn inner<A: Array + 'static>(column: &ArrayRef) -> &A {
    match column.as_any().downcast_ref() {
        Some(array) => array,
        None => panic!("a column of another type: {}", column.data_type()),
    }
}

/// Collects examples row by row.
#[derive(Debug)]
pub struct ExamplesBuilder {
    task: Task,
    labels: Labels,
    ids: StringBuilder,
    /// The names so far, where the task's examples have names.
    named: HashSet<String>,
    columns: Vec<ColumnBuilder>,
    rows: usize,
    /// Bytes of text so far.
    text: usize,
}

#[derive(Debug)]
enum ColumnBuilder {
    Text(StringBuilder),
    Texts(ListBuilder<StringBuilder>),
    Number(Int64Builder),
    Numbers(ListBuilder<Int64Builder>),
    Answers(ListBuilder<StringBuilder>, ListBuilder<Int32Builder>),
}

impl ExamplesBuilder {
    /// Of a task, with the names of its labels (none where it has none).
    pub fn new(task: Task, labels: Labels) -> Self {
        let builder = |kind| match kind {
            Kind::Text => ColumnBuilder::Text(StringBuilder::new()),
            Kind::Texts => ColumnBuilder::Texts(ListBuilder::new(StringBuilder::new())),
            Kind::Label | Kind::Number => ColumnBuilder::Number(Int64Builder::new()),
            Kind::Labels | Kind::Numbers => ColumnBuilder::Numbers(ListBuilder::new(Int64Builder::new())),
            Kind::Answers => {
                ColumnBuilder::Answers(ListBuilder::new(StringBuilder::new()), ListBuilder::new(Int32Builder::new()))
            }
        };
        let columns = task.description().columns.iter().map(|column| builder(column.kind)).collect();
        Self { task, labels, ids: StringBuilder::new(), named: HashSet::new(), columns, rows: 0, text: 0 }
    }

    pub fn len(&self) -> usize {
        self.rows
    }

    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Adds an example: its name, and its fields in the order of the task's columns.
    ///
    /// # Errors
    /// What is wrong with it, without its place: a name that another example has, a label that has no name, lists of
    /// different length, more text than one file can hold.
    ///
    /// # Panics
    /// If the fields are not those of the task.
    pub fn push(&mut self, id: &str, fields: Vec<Value>) -> Result<(), String> {
        let columns = self.task.description().columns;
        assert_eq!(columns.len(), fields.len(), "fields of {}", self.task);
        let mut words: Option<(&str, usize)> = None;
        self.text += id.len();
        for (column, field) in columns.iter().zip(&fields) {
            self.text += field.bytes();
            if let Some(label) = field.labels().find(|&label| label >= self.labels.len()) {
                let names = &self.labels;
                return Err(format!(
                    "label {label} in `{}` is not one of the {} labels ({names})",
                    column.name,
                    names.len()
                ));
            }
            if let Value::Answers(answers) = field
                && let Some(answer) = answers.iter().find(|answer| i32::try_from(answer.start).is_err())
            {
                return Err(format!("answer `{}` in `{}` starts where no context has text", answer.text, column.name));
            }
            if let Some(length) = field.length() {
                match words {
                    Some((first, expected)) if expected != length => {
                        return Err(format!("has {expected} values in `{first}` and {length} in `{}`", column.name));
                    }
                    _ => words = Some((column.name, length)),
                }
            }
        }
        if self.text > MOST_TEXT {
            return Err("is more text than one file can hold (2 GiB): import it in parts".to_owned());
        }
        if self.task.description().ids == Ids::Column && !self.named.insert(id.to_owned()) {
            return Err(format!("identifier `{id}` occurs twice; each example needs one of its own"));
        }
        self.ids.append_value(id);
        for (builder, field) in self.columns.iter_mut().zip(fields) {
            builder.push(field);
        }
        self.rows += 1;
        Ok(())
    }

    pub fn finish(mut self) -> Examples {
        let ids: ArrayRef = Arc::new(self.ids.finish());
        let names = self.task.description().columns.iter().map(|column| column.name);
        let columns = self.columns.into_iter().map(ColumnBuilder::finish);
        let columns = std::iter::once(("id", ids)).chain(names.zip(columns));
        match RecordBatch::try_from_iter(columns) {
            Ok(table) => Examples { task: self.task, labels: self.labels, table },
            Err(error) => panic!("columns of one length: {error}"),
        }
    }
}

impl Value {
    fn bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Texts(texts) => texts.iter().map(String::len).sum(),
            Self::Answers(answers) => answers.iter().map(|answer| answer.text.len()).sum(),
            Self::Label(_) | Self::Labels(_) | Self::Number(_) | Self::Numbers(_) => 0,
        }
    }

    fn labels(&self) -> impl Iterator<Item = usize> {
        let labels = match self {
            Self::Label(label) => std::slice::from_ref(label),
            Self::Labels(labels) => labels,
            _ => &[],
        };
        labels.iter().copied()
    }

    /// Of lists that have one value a word.
    fn length(&self) -> Option<usize> {
        match self {
            Self::Texts(texts) => Some(texts.len()),
            Self::Labels(labels) => Some(labels.len()),
            Self::Numbers(numbers) => Some(numbers.len()),
            Self::Text(_) | Self::Label(_) | Self::Number(_) | Self::Answers(_) => None,
        }
    }
}

impl ColumnBuilder {
    fn push(&mut self, value: Value) {
        match (self, value) {
            (Self::Text(column), Value::Text(text)) => column.append_value(text),
            (Self::Texts(column), Value::Texts(texts)) => column.append_value(texts.iter().map(Some)),
            (Self::Number(column), Value::Label(label)) => column.append_value(label as i64),
            (Self::Number(column), Value::Number(number)) => column.append_value(number),
            (Self::Numbers(column), Value::Labels(labels)) => {
                column.append_value(labels.iter().map(|&label| Some(label as i64)));
            }
            (Self::Numbers(column), Value::Numbers(numbers)) => {
                column.append_value(numbers.iter().map(|&number| Some(number)));
            }
            (Self::Answers(texts, starts), Value::Answers(answers)) => {
                texts.append_value(answers.iter().map(|answer| Some(&answer.text)));
                starts.append_value(answers.iter().map(|answer| i32::try_from(answer.start).ok()));
            }
            (column, value) => panic!("a field of another kind: {value:?} for {column:?}"),
        }
    }

    fn finish(self) -> ArrayRef {
        match self {
            Self::Text(mut column) => Arc::new(column.finish()),
            Self::Texts(mut column) => Arc::new(column.finish()),
            Self::Number(mut column) => Arc::new(column.finish()),
            Self::Numbers(mut column) => Arc::new(column.finish()),
            Self::Answers(mut texts, mut starts) => {
                let list = |name: &str, item| {
                    Arc::new(Field::new(name, DataType::List(Arc::new(Field::new_list_field(item, true))), true))
                };
                Arc::new(StructArray::from(vec![
                    (list("text", DataType::Utf8), Arc::new(texts.finish()) as ArrayRef),
                    (list("answer_start", DataType::Int32), Arc::new(starts.finish()) as ArrayRef),
                ]))
            }
        }
    }
}

/// Fields with their length in front, so that no two different sequences of fields give the same bytes.
struct Fields(blake3::Hasher);

impl Fields {
    fn number(&mut self, number: usize) {
        self.0.update(&(number as u64).to_le_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len());
        self.0.update(bytes);
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// Labels of sets of at most 256 are one byte each, of larger ones two.
    fn labels(&mut self, labels: &[i64], names: usize) {
        match names <= 256 {
            true => self.bytes(&labels.iter().map(|&label| label as u8).collect::<Vec<_>>()),
            false => self.bytes(&labels.iter().flat_map(|&label| (label as u16).to_le_bytes()).collect::<Vec<_>>()),
        }
    }

    /// One field of a row; `names` is the size of the label set.
    fn field(&mut self, kind: Kind, column: &ArrayRef, row: usize, names: usize) {
        match kind {
            Kind::Text => self.text(inner::<StringArray>(column).value(row)),
            Kind::Texts => {
                let texts = Lists::<StringArray>::of(inner(column)).get(row);
                self.number(texts.len());
                texts.into_iter().for_each(|text| self.text(text));
            }
            Kind::Label => self.labels(&[inner::<Int64Array>(column).value(row)], names),
            Kind::Labels => self.labels(Lists::<Int64Array>::of(inner(column)).get(row), names),
            Kind::Number => self.number(inner::<Int64Array>(column).value(row) as usize),
            Kind::Numbers => {
                let numbers = Lists::<Int64Array>::of(inner(column)).get(row);
                self.number(numbers.len());
                numbers.iter().for_each(|&number| self.number(number as usize));
            }
            Kind::Answers => {
                let records: &StructArray = inner(column);
                let answers =
                    Answers { texts: Lists::of(inner(records.column(0))), starts: Lists::of(inner(records.column(1))) };
                let answers = answers.get(row);
                self.number(answers.len());
                for (text, start) in answers {
                    self.text(text);
                    self.number(start);
                }
            }
        }
    }
}
