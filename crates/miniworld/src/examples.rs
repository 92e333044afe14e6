//! Examples of each task before they are stored.

use data::{Answer, DataError, Examples, ExamplesBuilder, Value};
use spec::Task;

use crate::tasks::{ChoiceExample, TreeExample};

/// One sentence of words with an entity tag each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NerExample {
    pub id: String,
    pub words: Vec<String>,
    /// Index into WikiANN's seven tags, one a word.
    pub tags: Vec<u8>,
}

/// A premise, a hypothesis and how they relate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NliExample {
    pub id: String,
    pub premise: String,
    pub hypothesis: String,
    /// Index into XNLI's three classes.
    pub label: u8,
}

/// A question whose answer is a piece of the context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QaExample {
    pub id: String,
    pub question: String,
    pub context: String,
    pub answers: Vec<Answer>,
}

/// A sentence and its English translation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairExample {
    pub id: String,
    pub source: String,
    pub english: String,
}

/// A sentence or paragraph of plain text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextExample {
    pub id: String,
    pub text: String,
}

/// An example of a task as the fields of its row.
pub(crate) trait Row {
    /// Its name, and its fields in the order of the task's columns.
    fn row(self, task: Task) -> (String, Vec<Value>);
}

/// The rows as examples of a task, whose labels are the usual ones.
///
/// # Errors
/// [`DataError`] for a row that no file of the task can hold.
pub(crate) fn examples<R: Row>(task: Task, rows: Vec<R>) -> Result<Examples, DataError> {
    let mut builder = ExamplesBuilder::new(task, task.usual_labels());
    for row in rows {
        let (id, fields) = row.row(task);
        builder.push(&id, fields).map_err(|message| DataError::options(format!("{task} row {id} {message}")))?;
    }
    Ok(builder.finish())
}

impl Row for NerExample {
    fn row(self, _task: Task) -> (String, Vec<Value>) {
        let tags = self.tags.into_iter().map(usize::from).collect();
        (self.id, vec![Value::Texts(self.words), Value::Labels(tags)])
    }
}

impl Row for NliExample {
    fn row(self, _task: Task) -> (String, Vec<Value>) {
        let label = Value::Label(self.label.into());
        (self.id, vec![Value::Text(self.premise), Value::Text(self.hypothesis), label])
    }
}

impl Row for QaExample {
    fn row(self, _task: Task) -> (String, Vec<Value>) {
        (self.id, vec![Value::Text(self.question), Value::Text(self.context), Value::Answers(self.answers)])
    }
}

impl Row for PairExample {
    fn row(self, _task: Task) -> (String, Vec<Value>) {
        (self.id, vec![Value::Text(self.source), Value::Text(self.english)])
    }
}

impl Row for TextExample {
    fn row(self, _task: Task) -> (String, Vec<Value>) {
        (self.id, vec![Value::Text(self.text)])
    }
}

impl Row for ChoiceExample {
    fn row(self, _task: Task) -> (String, Vec<Value>) {
        let texts = [Value::Text(self.premise), Value::Text(self.question.to_owned())].into_iter();
        (self.id, texts.chain([Value::Texts(self.choices.into()), Value::Number(self.label.into())]).collect())
    }
}

/// For `pos` its parts of speech, for `parse` its tree, relations without subtypes.
impl Row for TreeExample {
    fn row(self, task: Task) -> (String, Vec<Value>) {
        let labels = task.usual_labels();
        // A name that is none of the labels is refused with its row.
        let index = |name: &str| labels.index(name.split(':').next().unwrap_or(name)).unwrap_or(usize::MAX);
        let mut fields = vec![Value::Texts(self.words)];
        match task {
            Task::Pos => fields.push(Value::Labels(self.upos.into_iter().map(index).collect())),
            _ => {
                fields.push(Value::Numbers(self.heads.into_iter().map(|head| head as i64).collect()));
                fields.push(Value::Labels(self.relations.into_iter().map(index).collect()));
            }
        }
        (self.id, fields)
    }
}
