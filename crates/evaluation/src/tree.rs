//! Attachment scores of dependency trees over gold words.
//!
//! Source: `conll18_ud_eval.py` of the CoNLL 2018 shared task (Zeman et al., "CoNLL 2018 Shared Task: Multilingual
//! Parsing from Raw Text to Universal Dependencies"), version 1.2, where both sides have the same words. CLAS is Nivre and
//! Fang, "Universal Dependency Evaluation", UDW 2017.

use crate::contribution::{Contribution, Scores};
use crate::error::{ScoreError, Side};

pub const PARSE_LAS: &str = "parse.las";
pub const PARSE_UAS: &str = "parse.uas";
pub const PARSE_CLAS: &str = "parse.clas";

/// The universal relations of content words. Function words (`aux`, `case`, `cc`, `clf`, `cop`, `det`, `mark`),
/// punctuation and relations that UD does not know count in LAS only.
pub const CONTENT_RELATIONS: [&str; 29] = [
    "acl",
    "advcl",
    "advmod",
    "amod",
    "appos",
    "ccomp",
    "compound",
    "conj",
    "csubj",
    "dep",
    "discourse",
    "dislocated",
    "expl",
    "fixed",
    "flat",
    "goeswith",
    "iobj",
    "list",
    "nmod",
    "nsubj",
    "nummod",
    "obj",
    "obl",
    "orphan",
    "parataxis",
    "reparandum",
    "root",
    "vocative",
    "xcomp",
];

/// What a word depends on, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dependency<'a> {
    /// The head's place, words counting from 1; 0 for the root.
    pub head: usize,
    /// With or without a subtype (`nsubj:pass`).
    pub relation: &'a str,
}

impl<'a> Dependency<'a> {
    /// The relation up to its subtype: all that is compared.
    fn universal(self) -> &'a str {
        self.relation.split(':').next().unwrap_or_default()
    }

    fn is_content(self) -> bool {
        CONTENT_RELATIONS.binary_search(&self.universal()).is_ok()
    }
}

/// The dependency of each word of a sentence, in the words' order.
pub type Tree<'a> = Vec<Dependency<'a>>;

/// Why dependencies are no tree. Words count from 1, as heads do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    #[error("the head of word {word} is {head}, but there are only {words} words")]
    Head { word: usize, head: usize, words: usize },
    #[error("word {word} is in a cycle: its heads lead back to it")]
    Cycle { word: usize },
    #[error("words {first} and {second} both depend on the root: a tree has one such word")]
    Roots { first: usize, second: usize },
}

/// Attachment scores; one contribution a sentence.
///
/// | metric | a word is correct by | over |
/// | --- | --- | --- |
/// | `parse.uas` | head | words |
/// | `parse.las` | head and universal relation | words |
/// | `parse.clas` | head and universal relation | F1 over content words: those of gold for recall, of the prediction for precision |
///
/// # Errors
/// No sentences, a sentence or word without its counterpart, or a side that [`check_tree`] refuses: the script does not
/// score such files either. Sentences without words, which it refuses too, add nothing here.
pub fn score_trees(gold: &[Tree], predicted: &[Tree]) -> Result<Scores, ScoreError> {
    ScoreError::check_counts(gold.len(), predicted.len())?;
    let (mut uas, mut las, mut clas) = (Vec::new(), Vec::new(), Vec::new());
    for (example, (gold, predicted)) in gold.iter().zip(predicted).enumerate() {
        if gold.len() != predicted.len() {
            return Err(ScoreError::WordCount { example, gold: gold.len(), predicted: predicted.len() });
        }
        for (side, tree) in [(Side::Gold, gold), (Side::Predicted, predicted)] {
            check_tree(tree).map_err(|error| ScoreError::Tree { side, example, error })?;
        }
        let [mut heads, mut relations, mut content, mut content_correct] = [0_usize; 4];
        for (gold, predicted) in gold.iter().zip(predicted) {
            let attached = gold.head == predicted.head;
            let correct = attached && gold.universal() == predicted.universal();
            heads += usize::from(attached);
            relations += usize::from(correct);
            content += usize::from(gold.is_content()) + usize::from(predicted.is_content());
            content_correct += usize::from(correct && gold.is_content());
        }
        let part = |correct: usize, of: usize| Contribution { numerator: correct as f64, denominator: of as f64 };
        uas.push(part(heads, gold.len()));
        las.push(part(relations, gold.len()));
        clas.push(part(2 * content_correct, content));
    }
    Ok(Scores::from([(PARSE_UAS, uas), (PARSE_LAS, las), (PARSE_CLAS, clas)]))
}

/// Whether dependencies form a tree: every head is a word or the root, no heads lead back to a word, and exactly one word
/// depends on the root. A sentence without words is a tree.
///
/// # Errors
/// The first of these that does not hold, with a word at fault.
pub fn check_tree(tree: &[Dependency]) -> Result<(), TreeError> {
    let words = tree.len();
    if let Some(place) = tree.iter().position(|word| word.head > words) {
        return Err(TreeError::Head { word: place + 1, head: tree[place].head, words });
    }
    // For each word the walk towards the root that came by it first; a walk that meets its own trace is in a cycle.
    let mut walks = vec![0; words];
    for start in 1..=words {
        let mut word = start;
        while word != 0 && walks[word - 1] == 0 {
            walks[word - 1] = start;
            word = tree[word - 1].head;
        }
        if word != 0 && walks[word - 1] == start {
            return Err(TreeError::Cycle { word });
        }
    }
    // Without cycles there is at least one root.
    let mut roots = (1..=words).filter(|word| tree[word - 1].head == 0);
    match (roots.next(), roots.next()) {
        (Some(first), Some(second)) => Err(TreeError::Roots { first, second }),
        _ => Ok(()),
    }
}
