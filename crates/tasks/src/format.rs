use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use data::{DataError, Examples};
use spec::{Labels, Language, SpecError, Split, Task};

/// A file format that people have data of a task in.
#[derive(Clone, Copy)]
pub struct Format(&'static Description);

/// What a task's folder says of a format.
pub struct Description {
    pub name: &'static str,
    pub task: Task,
    /// In one line, for lists.
    pub about: &'static str,
    pub files: Files,
    /// What may be said about a file beside its language.
    pub given: &'static [Given],
    pub read: fn(&Input) -> Result<Read, DataError>,
    /// Reads all languages of a file that holds several.
    pub read_all: Option<ReadAll>,
}

/// A reader of a file that holds several languages.
pub type ReadAll = fn(&Path) -> Result<BTreeMap<Language, Read>, DataError>;

/// How many files make one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Files {
    One,
    /// Read one after the other.
    Many,
    /// The foreign one, then the English one.
    Two,
}

/// What a person may tell about files that do not tell it themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given {
    /// [`Input::labels`].
    Labels,
    /// [`Input::columns`].
    Columns,
}

/// What is read, and what only the caller knows about it.
#[derive(Debug, Clone)]
pub struct Input {
    pub paths: Vec<PathBuf>,
    pub language: Language,
    /// The names of the labels, by index; the files' own if empty.
    pub labels: Labels,
    /// Of tables: the columns with the text, its pair and the label.
    pub columns: Columns,
    /// Whether examples without a label are read too. What stands in its place is of no meaning, so that they can only be
    /// predicted.
    pub unlabelled: bool,
}

/// Names of a table's columns, where they are not the usual ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns {
    pub text: Option<String>,
    pub pair: Option<String>,
    pub label: Option<String>,
}

/// What a reader found.
#[derive(Debug)]
pub struct Read {
    pub examples: Examples,
    /// Rows left out on purpose and the like, for people.
    pub notes: Vec<String>,
    /// How many rows were left out because they have no label; they may have been predicted all the same.
    pub left_out: usize,
}

/// A file of a public release that was recognised by its name.
pub struct Found {
    pub dataset: &'static str,
    pub language: Spoken,
    pub split: Split,
    /// Name of the format.
    pub format: &'static str,
    pub licence: &'static str,
}

/// What language a public file is in.
pub enum Spoken {
    One(Language),
    /// A file of many languages.
    Many,
    /// Its name has this code, which is none of a language that is known.
    Unknown(String),
}

impl Format {
    /// Every format of every task.
    pub fn all() -> Vec<Format> {
        Task::ALL.iter().flat_map(|&task| crate::folder(task).formats()).map(Format).collect()
    }

    pub fn as_str(self) -> &'static str {
        self.0.name
    }

    pub fn task(self) -> Task {
        self.0.task
    }

    pub fn about(self) -> &'static str {
        self.0.about
    }

    /// Whether this can be said about its files.
    pub fn takes(self, given: Given) -> bool {
        self.0.given.contains(&given)
    }

    pub(crate) fn files(self) -> Files {
        self.0.files
    }

    pub(crate) fn read_all(self) -> Option<ReadAll> {
        self.0.read_all
    }
}

impl PartialEq for Format {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name
    }
}

impl Eq for Format {}

impl fmt::Debug for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Format({})", self.0.name)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Format {
    type Err = SpecError;
    fn from_str(text: &str) -> Result<Self, SpecError> {
        let all = Self::all();
        let found = all.iter().find(|format| format.as_str() == text);
        found.copied().ok_or_else(|| SpecError::unknown("format", text, all.iter().map(|format| format.as_str())))
    }
}

impl Input {
    /// Files of a language about which nothing else is known.
    pub fn new(paths: Vec<PathBuf>, language: Language) -> Self {
        Self { paths, language, labels: Labels::default(), columns: Columns::default(), unlabelled: false }
    }

    /// Stands for the label of an example that has none: the first name, or none where labels are needed.
    pub(crate) fn stand_in(&self) -> Option<&str> {
        self.labels.name(0).filter(|_| self.unlabelled)
    }

    /// The first file, which every input has.
    pub(crate) fn path(&self) -> &Path {
        self.paths.first().map_or(Path::new(""), PathBuf::as_path)
    }
}

impl From<Examples> for Read {
    fn from(examples: Examples) -> Self {
        Self { examples, notes: Vec::new(), left_out: 0 }
    }
}

/// Reads one language's examples from the files of one format.
///
/// # Errors
/// [`DataError`] naming the file and row: an unreadable or foreign file, text that is not UTF-8 or holds a null character,
/// a label outside the task's set, words and tags of different number, an answer that is not where the file says, an
/// identifier twice, no examples at all.
pub fn read(format: Format, input: &Input) -> Result<Read, DataError> {
    let count = input.paths.len();
    let refuse = |message: String| Err(DataError::options(message));
    match format.files() {
        _ if count == 0 => return refuse("no file was given to read".to_owned()),
        Files::One if count > 1 => return refuse(format!("format `{format}` reads one file, {count} were given")),
        Files::Two if count != 2 => {
            return refuse(format!("format `{format}` reads two files: the foreign one, then the English one"));
        }
        Files::One | Files::Many | Files::Two => {}
    }
    if input.columns != Columns::default() && !format.takes(Given::Columns) {
        let takes = Format::all().into_iter().filter(|format| format.takes(Given::Columns));
        let takes = takes.map(|format| format!("`{format}`")).collect::<Vec<_>>().join(", ");
        let message = "has columns of its own: leave --text, --pair and --label out";
        return refuse(format!("format `{format}` {message}, or read a table by {takes}"));
    }
    let read = (format.0.read)(input)?;
    checked(input.path(), read)
}

/// Refuses an empty split.
pub(crate) fn checked(path: &Path, read: Read) -> Result<Read, DataError> {
    if read.examples.is_empty() {
        return Err(DataError::file(path, "holds no examples: an empty split can be neither trained on nor scored"));
    }
    Ok(read)
}
