//! Entity-level precision, recall and F1 of IOB2 tags with any entity types. For other notations see [`crate::tags`].

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::contribution::{Contribution, NamedScores};
use crate::error::{ScoreError, Side};
use crate::tags;

/// How tags become entities. They differ on an `I-` tag that continues nothing: after `O`, at the start of a sentence,
/// or after another type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Such an `I-` belongs to no entity: seqeval's `mode="strict", scheme=IOB2`.
    Strict,
    /// Such an `I-` starts an entity: seqeval's default, the chunking of CoNLL's `conlleval`.
    Lenient,
}

/// Entities of one sentence, or summed over many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntityCounts {
    /// Entities with the gold boundaries and the gold type.
    pub correct: u64,
    pub predicted: u64,
    pub gold: u64,
}

impl EntityCounts {
    pub fn precision(self) -> Contribution {
        Contribution { numerator: self.correct as f64, denominator: self.predicted as f64 }
    }

    pub fn recall(self) -> Contribution {
        Contribution { numerator: self.correct as f64, denominator: self.gold as f64 }
    }

    /// 2 · correct / (predicted + gold), the harmonic mean of precision and recall without their divisions.
    pub fn f1(self) -> Contribution {
        Contribution { numerator: 2.0 * self.correct as f64, denominator: (self.predicted + self.gold) as f64 }
    }
}

/// Micro-averaged entity scores under both schemes, `<task>.{f1,precision,recall}.{strict,lenient}`; one contribution a
/// sentence.
///
/// # Errors
/// No sentences, a sentence or tag without its counterpart, or a tag other than `O`, `B-TYPE`, `I-TYPE`.
pub fn score_entities<G: AsRef<str>, P: AsRef<str>>(
    task: &str,
    gold: &[Vec<G>],
    predicted: &[Vec<P>],
) -> Result<NamedScores, ScoreError> {
    let pairs = parse_pairs(gold, predicted)?;
    let mut scores = NamedScores::new();
    for (scheme, mode) in [(Scheme::Strict, "strict"), (Scheme::Lenient, "lenient")] {
        let counts: Vec<EntityCounts> = pairs.iter().map(|(gold, predicted)| count(gold, predicted, scheme)).collect();
        scores.insert(format!("{task}.f1.{mode}"), counts.iter().map(|c| c.f1()).collect());
        scores.insert(format!("{task}.precision.{mode}"), counts.iter().map(|c| c.precision()).collect());
        scores.insert(format!("{task}.recall.{mode}"), counts.iter().map(|c| c.recall()).collect());
    }
    Ok(scores)
}

/// Counts over all sentences for each entity type that occurs in gold or prediction.
///
/// # Errors
/// As [`score_entities`].
pub fn entity_counts_by_type<G: AsRef<str>, P: AsRef<str>>(
    gold: &[Vec<G>],
    predicted: &[Vec<P>],
    scheme: Scheme,
) -> Result<BTreeMap<String, EntityCounts>, ScoreError> {
    let mut types: BTreeMap<String, EntityCounts> = BTreeMap::new();
    for (gold, predicted) in parse_pairs(gold, predicted)? {
        for (kind, counts) in count_by_type(&gold, &predicted, scheme) {
            let sum = types.entry(kind.to_owned()).or_default();
            sum.correct += counts.correct;
            sum.predicted += counts.predicted;
            sum.gold += counts.gold;
        }
    }
    Ok(types)
}

/// F1 of each entity type under [`Scheme::Strict`], `<task>.f1.strict.<type>`; one contribution a sentence. The types are
/// those of entities in gold or prediction: where only one of two methods has a type, no gold entity is of it.
///
/// # Errors
/// As [`score_entities`].
pub fn score_entities_by_type<G: AsRef<str>, P: AsRef<str>>(
    task: &str,
    gold: &[Vec<G>],
    predicted: &[Vec<P>],
) -> Result<NamedScores, ScoreError> {
    let pairs = parse_pairs(gold, predicted)?;
    let sentences: Vec<BTreeMap<&str, EntityCounts>> =
        pairs.iter().map(|(gold, predicted)| count_by_type(gold, predicted, Scheme::Strict)).collect();
    let kinds: BTreeSet<&str> = sentences.iter().flat_map(BTreeMap::keys).copied().collect();
    let scores = kinds.into_iter().map(|kind| {
        let of_kind = sentences.iter().map(|counts| counts.get(kind).copied().unwrap_or_default().f1());
        (format!("{task}.f1.strict.{kind}"), of_kind.collect())
    });
    Ok(scores.collect())
}

#[derive(Clone, Copy)]
enum Tag<'a> {
    Outside,
    Begin(&'a str),
    Inside(&'a str),
}

impl<'a> Tag<'a> {
    fn parse(tag: &'a str) -> Option<Self> {
        match tags::split(tag)? {
            tags::Tag { prefix: 'O', .. } => Some(Self::Outside),
            tags::Tag { prefix: 'B', kind } => Some(Self::Begin(kind)),
            tags::Tag { prefix: 'I', kind } => Some(Self::Inside(kind)),
            _ => None,
        }
    }
}

#[derive(PartialEq, Eq)]
struct Entity<'a> {
    start: usize,
    /// One past the last token.
    end: usize,
    kind: &'a str,
}

fn count(gold: &[Tag], predicted: &[Tag], scheme: Scheme) -> EntityCounts {
    let (gold, predicted) = (entities(gold, scheme), entities(predicted, scheme));
    EntityCounts {
        correct: correct(&gold, &predicted).count() as u64,
        predicted: predicted.len() as u64,
        gold: gold.len() as u64,
    }
}

fn count_by_type<'a>(gold: &[Tag<'a>], predicted: &[Tag<'a>], scheme: Scheme) -> BTreeMap<&'a str, EntityCounts> {
    let (gold, predicted) = (entities(gold, scheme), entities(predicted, scheme));
    let mut types: BTreeMap<&str, EntityCounts> = BTreeMap::new();
    for entity in &gold {
        types.entry(entity.kind).or_default().gold += 1;
    }
    for entity in &predicted {
        types.entry(entity.kind).or_default().predicted += 1;
    }
    for entity in correct(&gold, &predicted) {
        types.entry(entity.kind).or_default().correct += 1;
    }
    types
}

/// Entities of a sentence in order of their start; at most one starts at a token.
fn entities<'a>(tags: &[Tag<'a>], scheme: Scheme) -> Vec<Entity<'a>> {
    let mut entities: Vec<Entity<'a>> = Vec::new();
    let mut open: Option<&str> = None;
    for (token, &tag) in tags.iter().enumerate() {
        let starts = match tag {
            Tag::Outside => None,
            Tag::Begin(kind) => Some(kind),
            Tag::Inside(kind) if open == Some(kind) => {
                if let Some(entity) = entities.last_mut() {
                    entity.end = token + 1;
                }
                continue;
            }
            Tag::Inside(kind) => (scheme == Scheme::Lenient).then_some(kind),
        };
        entities.extend(starts.map(|kind| Entity { start: token, end: token + 1, kind }));
        open = starts;
    }
    entities
}

/// The gold entities that were predicted exactly.
fn correct<'a, 'b>(gold: &'b [Entity<'a>], predicted: &'b [Entity<'a>]) -> impl Iterator<Item = &'b Entity<'a>> {
    let mut candidates = predicted.iter().peekable();
    gold.iter().filter(move |entity| {
        while candidates.next_if(|candidate| candidate.start < entity.start).is_some() {}
        candidates.peek() == Some(entity)
    })
}

type TagPair<'a> = (Vec<Tag<'a>>, Vec<Tag<'a>>);

fn parse_pairs<'a, G: AsRef<str>, P: AsRef<str>>(
    gold: &'a [Vec<G>],
    predicted: &'a [Vec<P>],
) -> Result<Vec<TagPair<'a>>, ScoreError> {
    ScoreError::check_counts(gold.len(), predicted.len())?;
    let pairs = gold.iter().zip(predicted).enumerate();
    pairs
        .map(|(example, (gold, predicted))| {
            if gold.len() != predicted.len() {
                return Err(ScoreError::TagCount { example, gold: gold.len(), predicted: predicted.len() });
            }
            Ok((parse_sentence(gold, Side::Gold, example)?, parse_sentence(predicted, Side::Predicted, example)?))
        })
        .collect()
}

fn parse_sentence<S: AsRef<str>>(tags: &[S], side: Side, example: usize) -> Result<Vec<Tag<'_>>, ScoreError> {
    let tags = tags.iter().map(AsRef::as_ref).enumerate();
    tags.map(|(token, tag)| {
        Tag::parse(tag).ok_or_else(|| ScoreError::Tag { side, example, token, tag: tag.to_owned() })
    })
    .collect()
}
