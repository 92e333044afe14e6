//! Notations of entity tags, and their conversion to IOB2, which [`crate::score_entities`] reads.
//!
//! | notation | first word of an entity | words within | last of several | only word |
//! | --- | --- | --- | --- | --- |
//! | IOB1 | `I` | `I` | `I` | `I` |
//! | IOB2 | `B` | `I` | `I` | `B` |
//! | IOBES | `B` | `I` | `E` | `S` |
//! | BILOU | `B` | `I` | `L` | `U` |
//!
//! IOB1 writes `B` for the first word of an entity that follows another of the same type directly, and only there.
//! Sources: Ramshaw and Marcus, "Text Chunking using Transformation-Based Learning", 1995 (IOB1); Tjong Kim Sang and
//! Veenstra, "Representing Text Chunks", EACL 1999 (IOB2); Ratinov and Roth, CoNLL 2009 (BILOU).

use std::fmt;

/// How a file writes its entities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notation {
    Iob1,
    Iob2,
    Iobes,
    Bilou,
}

impl Notation {
    pub const ALL: [Self; 4] = [Self::Iob1, Self::Iob2, Self::Iobes, Self::Bilou];

    fn prefixes(self) -> &'static str {
        match self {
            Self::Iob1 | Self::Iob2 => "BI",
            Self::Iobes => "BIES",
            Self::Bilou => "BILU",
        }
    }

    /// Whether the last word of an entity has a prefix of its own.
    fn marks_ends(self) -> bool {
        matches!(self, Self::Iobes | Self::Bilou)
    }
}

impl fmt::Display for Notation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Iob1 => "IOB1",
            Self::Iob2 => "IOB2",
            Self::Iobes => "IOBES",
            Self::Bilou => "BILOU",
        })
    }
}

/// A tag and where it stands, sentences and words counting from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub sentence: usize,
    pub word: usize,
    pub tag: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` of sentence {}, word {}", self.tag, self.sentence, self.word)
    }
}

/// Tags that follow no notation, or not the one that they should.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TagError {
    #[error("the tag {at} is neither `O` nor `B-`, `I-`, `E-`, `S-`, `L-` or `U-` with a type")]
    Unknown { at: Place },
    #[error("the tag {at} does not exist in {notation}")]
    Foreign { at: Place, notation: Notation },
    #[error("the tag {at} continues nothing, as it must in {notation}")]
    ContinuesNothing { at: Place, notation: Notation },
    #[error("the tag {at} separates nothing: in IOB1 `B-` only follows a word of an entity of the same type")]
    SeparatesNothing { at: Place },
    #[error("the tag {at} is the last of an entity that does not end as {notation} wants")]
    Unfinished { at: Place, notation: Notation },
    #[error("the tags {iobes} and {bilou} are of different notations, IOBES and BILOU")]
    Mixed { iobes: Place, bilou: Place },
    #[error("the tags are neither IOB2, for {not_iob2} continues nothing, nor IOB1, for {not_iob1} separates nothing")]
    NeitherIob { not_iob2: Place, not_iob1: Place },
}

impl TagError {
    /// The tag that is at fault, or the first of two that do not go together.
    pub fn place(&self) -> &Place {
        match self {
            Self::Unknown { at }
            | Self::Foreign { at, .. }
            | Self::ContinuesNothing { at, .. }
            | Self::SeparatesNothing { at }
            | Self::Unfinished { at, .. } => at,
            Self::Mixed { iobes: at, .. } | Self::NeitherIob { not_iob2: at, .. } => at,
        }
    }
}

/// The notation of a file's tags. Tags without any entity are IOB2.
///
/// IOBES and BILOU are known by their own prefixes alone and may still break their rules, which [`to_iob2`] tells.
///
/// # Errors
/// A tag of no notation, prefixes of both IOBES and BILOU, or tags that fit neither IOB1 nor IOB2.
pub fn recognise<S: AsRef<str>>(sentences: &[Vec<S>]) -> Result<Notation, TagError> {
    let mut first_of = [None, None];
    for (sentence, tags) in sentences.iter().enumerate() {
        for (word, tag) in tags.iter().enumerate() {
            let at = || Place { sentence, word, tag: tag.as_ref().to_owned() };
            match split(tag.as_ref()) {
                Some(Tag { prefix: 'O' | 'B' | 'I', .. }) => {}
                Some(Tag { prefix: 'E' | 'S', .. }) => first_of[0] = first_of[0].take().or_else(|| Some(at())),
                Some(Tag { prefix: 'L' | 'U', .. }) => first_of[1] = first_of[1].take().or_else(|| Some(at())),
                _ => return Err(TagError::Unknown { at: at() }),
            }
        }
    }
    match first_of {
        [Some(iobes), Some(bilou)] => Err(TagError::Mixed { iobes, bilou }),
        [Some(_), None] => Ok(Notation::Iobes),
        [None, Some(_)] => Ok(Notation::Bilou),
        [None, None] => match (to_iob2(sentences, Notation::Iob2), to_iob2(sentences, Notation::Iob1)) {
            (Ok(_), _) => Ok(Notation::Iob2),
            (Err(_), Ok(_)) => Ok(Notation::Iob1),
            (
                Err(TagError::ContinuesNothing { at: not_iob2, .. }),
                Err(TagError::SeparatesNothing { at: not_iob1 }),
            ) => Err(TagError::NeitherIob { not_iob2, not_iob1 }),
            (Err(error), _) => Err(error),
        },
    }
}

/// The same entities in IOB2, for tags that follow `notation` strictly.
///
/// # Errors
/// A tag that the notation does not have, or that breaks its rules: it continues or separates nothing, or leaves an
/// entity without its end.
pub fn to_iob2<S: AsRef<str>>(sentences: &[Vec<S>], notation: Notation) -> Result<Vec<Vec<String>>, TagError> {
    let converted = sentences.iter().enumerate().map(|(sentence, tags)| {
        convert(tags, notation).map_err(|(word, fault)| {
            let at = Place { sentence, word, tag: tags[word].as_ref().to_owned() };
            match fault {
                Fault::Unknown => TagError::Unknown { at },
                Fault::Foreign => TagError::Foreign { at, notation },
                Fault::ContinuesNothing => TagError::ContinuesNothing { at, notation },
                Fault::SeparatesNothing => TagError::SeparatesNothing { at },
                Fault::Unfinished => TagError::Unfinished { at, notation },
            }
        })
    });
    converted.collect()
}

enum Fault {
    Unknown,
    Foreign,
    ContinuesNothing,
    SeparatesNothing,
    Unfinished,
}

/// One sentence in IOB2, or the word at fault.
fn convert<S: AsRef<str>>(tags: &[S], notation: Notation) -> Result<Vec<String>, (usize, Fault)> {
    let mut converted = Vec::with_capacity(tags.len());
    // The type of the entity that the word before belongs to, unless that word ended it.
    let mut open: Option<&str> = None;
    for (word, tag) in tags.iter().enumerate() {
        let Tag { prefix, kind } = split(tag.as_ref()).ok_or((word, Fault::Unknown))?;
        if prefix != 'O' && !notation.prefixes().contains(prefix) {
            return Err((word, Fault::Foreign));
        }
        let continues = open == Some(kind);
        let starts = match (notation, prefix) {
            (Notation::Iob1, 'B') if !continues => return Err((word, Fault::SeparatesNothing)),
            (Notation::Iob1, 'I') => !continues,
            (_, 'I' | 'E' | 'L') if !continues => return Err((word, Fault::ContinuesNothing)),
            (_, 'I' | 'E' | 'L') => false,
            // `O` and what starts an entity: the one before should have ended.
            _ if notation.marks_ends() && open.is_some() => return Err((word - 1, Fault::Unfinished)),
            _ => true,
        };
        open = matches!(prefix, 'B' | 'I').then_some(kind);
        converted.push(match prefix {
            'O' => "O".to_owned(),
            _ => format!("{}-{kind}", if starts { 'B' } else { 'I' }),
        });
    }
    if notation.marks_ends() && open.is_some() {
        return Err((tags.len() - 1, Fault::Unfinished));
    }
    Ok(converted)
}

/// A tag in its parts. `O` has no type.
pub(crate) struct Tag<'a> {
    pub prefix: char,
    pub kind: &'a str,
}

/// `O`, or a letter, `-` and a type, which may hold further `-` within. Types that start or end with `-` are refused:
/// seqeval itself reads them differently in its two modes.
pub(crate) fn split(tag: &str) -> Option<Tag<'_>> {
    if tag == "O" {
        return Some(Tag { prefix: 'O', kind: "" });
    }
    let (prefix, kind) = tag.split_once('-')?;
    let mut letters = prefix.chars();
    let prefix = letters.next().filter(|letter| letters.next().is_none() && "BIESLU".contains(*letter))?;
    let whole = !kind.is_empty() && !kind.starts_with('-') && !kind.ends_with('-');
    whole.then_some(Tag { prefix, kind })
}
