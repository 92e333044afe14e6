use thiserror::Error;

/// Why a suite, a name or a composition was refused. Messages say what to do.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum SpecError {
    #[error("`{text}` is not a language code this build knows{hint}; codes are ISO 639-1 (`de`) or 639-3 (`deu`)")]
    UnknownLanguage { text: String, hint: String },
    #[error("unknown {what} `{text}`{hint}; known: {known}")]
    UnknownWord { what: &'static str, text: String, hint: String, known: String },
    #[error("`{text}` is not a safe name: use 1 to 100 of A-Z a-z 0-9 . _ - and do not start with a dot or a dash")]
    UnsafeName { text: String },
    #[error("{message}")]
    Labels { message: String },
    #[error("{suite}: line {line}, column {column}: {message}{hint}")]
    Syntax { suite: String, line: usize, column: usize, message: String, hint: String },
    #[error("{suite}: {message}")]
    Invalid { suite: String, message: String },
    #[error("method `{method}`: {reason}")]
    Composition { method: String, reason: String },
}

impl SpecError {
    /// An unknown word of a closed vocabulary, with the nearest known word as a hint.
    pub fn unknown<'a>(what: &'static str, text: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let known: Vec<&str> = known.into_iter().collect();
        Self::UnknownWord {
            what,
            text: text.to_owned(),
            hint: hint(nearest(text, known.iter().copied())),
            known: known.join(", "),
        }
    }

    /// The same as a fault of a suite, unless it says so already.
    pub(crate) fn of_suite(self, suite: &str) -> Self {
        match self {
            Self::Syntax { .. } | Self::Invalid { .. } => self,
            other => Self::Invalid { suite: suite.to_owned(), message: other.to_string() },
        }
    }
}

pub(crate) fn hint(nearest: Option<&str>) -> String {
    nearest.map(|word| format!(" (did you mean `{word}`?)")).unwrap_or_default()
}

/// The word nearest to `text` among `words`, if one is near enough to be what was meant.
pub fn nearest<'a>(text: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    words
        .into_iter()
        .map(|word| (strsim::damerau_levenshtein(&text.to_lowercase(), &word.to_lowercase()), word))
        .filter(|(distance, word)| *distance <= 1 + word.len().min(text.len()) / 4)
        .min()
        .map(|(_, word)| word)
}
