use std::collections::BTreeSet;

use crate::{DataKey, ExampleRows, Language, Name, Objective, Portion, Split, Task};

const MOST_TOKENS: usize = 8192;

/// Data as a stage, a memory or a probe reads them: which files, how much of each, and how long their rows may be.
///
/// The fields of stages, memories and probes stay their own, in the order in which the ids of cells hash them; whatever
/// reads, checks, encodes or counts data takes this.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DataSource<'a> {
    pub task: Task,
    pub data: &'a Name,
    pub split: Split,
    pub languages: &'a [Language],
    /// Which examples of each language; all, if `None`.
    pub examples: Option<Portion>,
    /// Tokens of a sentence, pair or window, special tokens included.
    pub max_length: usize,
    /// Tokens that neighbouring question-answering windows share.
    pub stride: usize,
    /// Put before every sentence of retrieval.
    pub prefix: &'a str,
}

impl<'a> DataSource<'a> {
    /// The file of one language.
    pub fn key(&self, language: Language) -> DataKey {
        DataKey::new(self.task, self.data, language, self.split)
    }

    /// The files of all languages, in their order.
    pub fn keys(self) -> impl Iterator<Item = DataKey> + 'a {
        self.languages.iter().map(move |&language| self.key(language))
    }

    /// # Errors
    /// What is wrong, in the words of suites.
    pub fn check(&self) -> Result<(), String> {
        let refuse = |bad: bool, message: &str| if bad { Err(message.to_owned()) } else { Ok(()) };
        refuse(self.languages.is_empty(), "`languages` is empty")?;
        let mut seen = BTreeSet::new();
        if let Some(language) = self.languages.iter().find(|language| !seen.insert(**language)) {
            return Err(format!("language `{language}` is listed twice"));
        }
        if !(8..=MOST_TOKENS).contains(&self.max_length) {
            return Err(format!("`max-length` must be 8 to {MOST_TOKENS} tokens"));
        }
        let windows = self.task.description().rows == ExampleRows::Windows;
        refuse(!windows && self.stride != 0, "`stride` belongs to question answering")?;
        refuse(windows && self.stride >= self.max_length / 2, "`stride` must be smaller than half of `max-length`")?;
        let none = self.examples.is_some_and(|portion| portion.count() == 0);
        refuse(none, "`examples` must be at least 1; leave it out for all")?;
        let ranked = self.task.objective() == Objective::Ranking;
        refuse(!self.prefix.is_empty() && !ranked, "`prefix` belongs to retrieval")?;
        let english = ranked && self.languages.contains(&Language::ENGLISH);
        refuse(english, "retrieval is ranked against English: leave `en` out of its languages")
    }
}
