//! CoNLL-U, the format of Universal Dependencies' treebanks (version 2): ten tab-separated columns a word, comments
//! before a sentence, an empty line after it. <https://universaldependencies.org/format.html>

use std::path::{Path, PathBuf};

use data::lines::{lines, read_text};
use data::{DataError, Value};

/// A relation without the subtype of a language: `nmod` of `nmod:poss`.
pub(crate) fn universal(relation: &str) -> &str {
    relation.split_once(':').map_or(relation, |(universal, _)| universal)
}

const COLUMNS: [&str; 10] = ["ID", "FORM", "LEMMA", "UPOS", "XPOS", "FEATS", "HEAD", "DEPREL", "DEPS", "MISC"];

/// What is wrong with a file, and where; whoever knows the path adds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// From 1.
    pub(crate) line: usize,
    /// The column's name; none if it is about the whole line or sentence.
    pub(crate) field: Option<&'static str>,
    pub(crate) message: String,
}

impl Fault {
    fn of_line(line: usize, message: impl Into<String>) -> Self {
        Self { line, field: None, message: message.into() }
    }

    fn of_field(line: usize, field: &'static str, message: impl Into<String>) -> Self {
        Self { line, field: Some(field), message: message.into() }
    }

    /// The place as messages name it.
    pub(crate) fn place(&self) -> String {
        match self.field {
            Some(field) => format!("line {}, column `{field}`", self.line),
            None => format!("line {}", self.line),
        }
    }
}

/// A file of sentences.
pub(crate) struct Treebank<'a> {
    pub path: &'a Path,
    pub sentences: Vec<Sentence<'a>>,
}

/// The texts of files, by path.
pub(crate) fn read_texts(paths: &[PathBuf]) -> Result<Vec<(&Path, String)>, DataError> {
    paths.iter().map(|path| Ok((path.as_path(), read_text(path)?))).collect()
}

/// The sentences of files.
///
/// # Errors
/// The first fault, with its file.
pub(crate) fn parse_all<'a>(texts: &'a [(&'a Path, String)]) -> Result<Vec<Treebank<'a>>, DataError> {
    let one = |(path, text): &'a (&'a Path, String)| match parse(text) {
        Ok(sentences) => Ok(Treebank { path, sentences }),
        Err(fault) => Err(DataError::row(path, fault.place(), fault.message)),
    };
    texts.iter().map(one).collect()
}

/// What was left out of the files, for people.
pub(crate) fn notes(files: &[Treebank]) -> Vec<String> {
    let sentences = || files.iter().flat_map(|file| &file.sentences);
    let multiword: usize = sentences().map(|sentence| sentence.multiword).sum();
    let empty: usize = sentences().map(|sentence| sentence.empty).sum();
    let note = |count: usize, what: &str| (count > 0).then(|| format!("{count} {what} were passed over"));
    [note(multiword, "multiword tokens (their words are kept)"), note(empty, "empty nodes")]
        .into_iter()
        .flatten()
        .collect()
}

impl Treebank<'_> {
    /// Name of the file's `row`-th sentence: its own; with its file's in front where there are `files`; the number of `all`
    /// sentences before it where it has none.
    pub(crate) fn id(&self, files: usize, row: usize, all: usize) -> String {
        let stem = self.path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        match (self.sentences[row].id, files) {
            (Some(id), 1) => id.to_owned(),
            (Some(id), _) => format!("{stem}:{id}"),
            (None, _) => all.to_string(),
        }
    }
}

impl Sentence<'_> {
    /// Its words, as an example's field.
    pub(crate) fn forms(&self) -> Value {
        Value::Texts(self.words.iter().map(|word| word.form.to_owned()).collect())
    }
}

/// A sentence of at least one word. Texts are those of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sentence<'a> {
    /// Of the comment `# sent_id = …`.
    pub(crate) id: Option<&'a str>,
    /// The syntactic words, in order: word k is `words[k - 1]`.
    pub(crate) words: Vec<Word<'a>>,
    /// How many rows of multiword tokens (`3-4`) were left out.
    pub(crate) multiword: usize,
    /// How many rows of empty nodes (`5.1`) were left out.
    pub(crate) empty: usize,
}

/// A syntactic word; what the file leaves open (`_`) is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word<'a> {
    /// Its line in the file, from 1.
    pub(crate) line: usize,
    /// May hold spaces, and may be a mere `_`, which stands for itself here.
    pub(crate) form: &'a str,
    pub(crate) upos: Option<&'a str>,
    /// The number of the word it depends on, from 1 to the number of words, or 0 for the root.
    pub(crate) head: Option<usize>,
    pub(crate) deprel: Option<&'a str>,
}

/// The sentences of a file's text, which has no byte order mark any more. Multiword tokens and empty nodes are checked and
/// left out. Whether heads make a tree is for [`check_tree`] to say.
///
/// # Errors
/// The first [`Fault`]: not ten columns, words that do not count 1, 2, 3 …, a range that does not stand before the words
/// that it covers or covers others, an empty node out of order, an empty form, tag or relation, a head that is no number
/// or no word of the sentence, a comment within a sentence, comments without words.
pub(crate) fn parse(text: &str) -> Result<Vec<Sentence<'_>>, Fault> {
    let mut sentences = Vec::new();
    let mut open = Open::default();
    for (number, line) in lines(text) {
        if line.is_empty() {
            sentences.extend(std::mem::take(&mut open).close()?);
        } else if let Some(comment) = line.strip_prefix('#') {
            open.comment(number, comment)?;
        } else {
            open.row(number, line)?;
        }
    }
    sentences.extend(open.close()?);
    Ok(sentences)
}

/// A sentence whose end has not been read.
#[derive(Default)]
struct Open<'a> {
    /// The number of its first line, comments included; 0 before that.
    begin: usize,
    id: Option<&'a str>,
    /// Whether its text has been given.
    told: bool,
    words: Vec<Word<'a>>,
    multiword: usize,
    empty: usize,
    /// The last multiword token: its line and its first and last word.
    range: Option<(usize, usize, usize)>,
    /// Whether its comments are over.
    rows: bool,
    /// How many empty nodes follow the last word so far.
    empty_here: usize,
}

impl<'a> Open<'a> {
    fn comment(&mut self, line: usize, comment: &'a str) -> Result<(), Fault> {
        if self.rows {
            return Err(Fault::of_line(line, "is a comment within a sentence; is the empty line before it missing?"));
        }
        if self.begin == 0 {
            self.begin = line;
        }
        let Some((key, value)) = comment.split_once('=') else { return Ok(()) };
        let (key, value) = (key.trim(), value.trim());
        let place = match key {
            "sent_id" => &mut self.id,
            // Known, and not needed.
            "text" if !self.told => {
                self.told = true;
                return Ok(());
            }
            "text" => return Err(Fault::of_line(line, "gives `text` of the same sentence once more")),
            _ => return Ok(()),
        };
        if place.is_some() {
            return Err(Fault::of_line(line, format!("gives `{key}` of the same sentence once more")));
        }
        *place = Some(value).filter(|value| !value.is_empty());
        Ok(())
    }

    fn row(&mut self, line: usize, row: &'a str) -> Result<(), Fault> {
        if row.trim().is_empty() {
            return Err(Fault::of_line(line, "is white space; what ends a sentence is an empty line"));
        }
        let mut columns = [""; COLUMNS.len()];
        let mut found = 0;
        for column in row.split('\t') {
            if let Some(place) = columns.get_mut(found) {
                *place = column;
            }
            found += 1;
        }
        if found != COLUMNS.len() {
            let message = format!("has {found} columns between tabs, not {}", COLUMNS.len());
            return Err(Fault::of_line(line, message));
        }
        let [id, form, _, upos, _, _, head, deprel, ..] = columns;
        if self.begin == 0 {
            self.begin = line;
        }
        self.rows = true;
        let row = self.number(line, id)?;
        if form.trim().is_empty() {
            return Err(Fault::of_field(line, "FORM", "is empty"));
        }
        match row {
            Row::Range => self.multiword += 1,
            Row::Empty => self.empty += 1,
            Row::Word => {
                let given = |field, value: &'a str| match value {
                    "" => Err(Fault::of_field(line, field, "is empty; what is not known is written `_`")),
                    "_" => Ok(None),
                    value => Ok(Some(value)),
                };
                let head = given("HEAD", head)?.map(|head| {
                    number(head)
                        .ok_or_else(|| Fault::of_field(line, "HEAD", format!("`{head}` is not the number of a word")))
                });
                self.words.push(Word {
                    line,
                    form,
                    upos: given("UPOS", upos)?,
                    head: head.transpose()?,
                    deprel: given("DEPREL", deprel)?,
                });
            }
        }
        Ok(())
    }

    /// What a row is by its identifier, if it is in order.
    fn number(&mut self, line: usize, id: &str) -> Result<Row, Fault> {
        let bad = |message: String| Err(Fault::of_field(line, "ID", message));
        let next = self.words.len() + 1;
        if let Some((first, last)) = id.split_once('-') {
            let (Some(first), Some(last)) = (number(first), number(last)) else {
                return bad(format!("`{id}` is no range of words such as `3-4`"));
            };
            let covered = self.range.map_or(0, |(.., last)| last);
            return if first > last {
                bad(format!("range `{id}` ends before it begins"))
            } else if first <= covered {
                bad(format!("range `{id}` covers words that the range before it covers"))
            } else if first != next {
                bad(format!("range `{id}` stands before word {next}, not before word {first}"))
            } else {
                self.range = Some((line, first, last));
                Ok(Row::Range)
            };
        }
        if let Some((word, place)) = id.split_once('.') {
            let (Some(word), Some(place)) = (number(word), number(place)) else {
                return bad(format!("`{id}` is no empty node such as `5.1`"));
            };
            let expected = (next - 1, self.empty_here + 1);
            if (word, place) != expected {
                return bad(format!("empty node `{id}` stands where `{}.{}` should", expected.0, expected.1));
            }
            if let Some((_, first, last)) = self.range
                && first == next
            {
                return bad(format!("empty node `{id}` stands between range `{first}-{last}` and its first word"));
            }
            self.empty_here += 1;
            return Ok(Row::Empty);
        }
        if number(id) != Some(next) {
            return bad(format!("`{id}` stands where word {next} of the sentence should"));
        }
        self.empty_here = 0;
        Ok(Row::Word)
    }

    /// The sentence; none if nothing was read since the last one.
    fn close(self) -> Result<Option<Sentence<'a>>, Fault> {
        if self.begin == 0 {
            return Ok(None);
        }
        let words = self.words.len();
        if words == 0 {
            return Err(Fault::of_line(self.begin, "begins a sentence without words"));
        }
        if let Some((line, first, last)) = self.range.filter(|(.., last)| *last > words) {
            let message = format!("range `{first}-{last}` covers words that the sentence of {words} words lacks");
            return Err(Fault::of_field(line, "ID", message));
        }
        for word in &self.words {
            if let Some(head) = word.head.filter(|head| *head > words) {
                let message = format!("{head} is not a word of the sentence, which has {words}");
                return Err(Fault::of_field(word.line, "HEAD", message));
            }
        }
        Ok(Some(Sentence { id: self.id, words: self.words, multiword: self.multiword, empty: self.empty }))
    }
}

enum Row {
    Word,
    /// Of a multiword token.
    Range,
    Empty,
}

/// A whole number as the format writes it: digits alone, none of them a leading zero.
fn number(text: &str) -> Option<usize> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    plain.then(|| text.parse().ok()).flatten()
}

/// Refuses a sentence of [`parse`] whose heads make no tree with exactly one word on the root.
///
/// # Errors
/// The first [`Fault`]: a word without head, or that is its own head; no word or two on the root; words that hang on each
/// other in a circle.
pub(crate) fn check_tree(sentence: &Sentence) -> Result<(), Fault> {
    let words = &sentence.words;
    let named = |index: usize| format!("word {} (`{}`)", index + 1, words[index].form);
    let bad = |index: usize, message: String| Err(Fault::of_field(words[index].line, "HEAD", message));
    let mut heads = Vec::with_capacity(words.len());
    let mut root = None;
    for (index, word) in words.iter().enumerate() {
        let Some(head) = word.head else { return bad(index, format!("{} has no head", named(index))) };
        if head == index + 1 {
            return bad(index, format!("{} is its own head", named(index)));
        }
        if head == 0
            && let Some(first) = root.replace(index)
        {
            return bad(index, format!("{} hangs on the root, as {} does already", named(index), named(first)));
        }
        heads.push(head);
    }
    if root.is_none() {
        let line = words.first().map_or(0, |word| word.line);
        return Err(Fault::of_line(line, "begins a sentence of which no word hangs on the root"));
    }
    // The word from which each was first passed on the way up; the root counts as passed before all.
    let mut passed = vec![usize::MAX; words.len() + 1];
    passed[0] = 0;
    for begin in 1..=words.len() {
        let mut place = begin;
        while passed[place] == usize::MAX {
            passed[place] = begin;
            place = heads[place - 1];
        }
        if passed[place] == begin {
            let message = format!("{} hangs on itself by way of word {}", named(place - 1), heads[place - 1]);
            return bad(place - 1, message);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
