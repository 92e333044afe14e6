//! Facts and patterns for every task, drawn before any language, and their examples in one.

use spec::{Split, Task};

use crate::error::MiniworldError;
use crate::examples::{NerExample, NliExample, PairExample, TextExample};
use crate::giveaway::MentionedQuestion;
use crate::grammar::Language;
use crate::sizes::Sizes;
use crate::tasks::{
    ChoiceExample, ChoicePlan, InferencePlan, ParallelPlan, Passage, QuestionPlan, Told, TreeExample, choices,
    inferences, parallel, questions, sentences, tagged, trees,
};

/// The splits that retrieval has.
pub(crate) const HELD_OUT: [Split; 2] = [Split::Validation, Split::Test];

/// What all languages tell alike; by split.
pub(crate) struct Plans {
    ner: [Vec<Told>; 3],
    qa: [Vec<QuestionPlan>; 3],
    nli: [Vec<InferencePlan>; 3],
    parallel: ParallelPlan,
    trees: [Vec<Told>; 3],
    choice: [Vec<ChoicePlan>; 3],
}

type Drawn<T> = Result<Vec<T>, MiniworldError>;

impl Plans {
    /// # Errors
    /// [`MiniworldError::TooMany`] if the world has not so much to tell.
    pub fn draw(seed: u64, sizes: &Sizes) -> Result<Self, MiniworldError> {
        Ok(Self {
            ner: each(seed, "ner", sizes.ner, sentences)?,
            qa: each(seed, "qa", sizes.qa, questions)?,
            nli: each(seed, "nli", sizes.nli, inferences)?,
            parallel: parallel(seed, sizes.retrieval, sizes.mlm)?,
            trees: each(seed, "pos", sizes.trees, sentences)?,
            choice: each(seed, "choice", sizes.choice, choices)?,
        })
    }

    pub fn ner(&self, language: Language) -> [Vec<NerExample>; 3] {
        self.ner.each_ref().map(|told| tagged(language, told))
    }

    pub fn nli(&self, language: Language) -> [Vec<NliExample>; 3] {
        self.nli.each_ref().map(|plans| plans.iter().enumerate().map(|(row, plan)| plan.say(language, row)).collect())
    }

    /// Questions with the mentions in their contexts.
    ///
    /// # Errors
    /// [`MiniworldError::Unsayable`].
    pub fn qa(&self, language: Language) -> Result<[Vec<MentionedQuestion>; 3], MiniworldError> {
        let [train, validation, test] = self.qa.each_ref().map(|plans| {
            let say = |plan: &QuestionPlan| Some((plan.say(language)?, plan.mentions(language)));
            every(Task::Qa, language, plans.iter().map(say))
        });
        Ok([train?, validation?, test?])
    }

    /// Pairs of a language other than English with English: validation and test.
    pub fn retrieval(&self, language: Language) -> [Vec<PairExample>; 2] {
        [0, 1].map(|at| {
            let pair = |(row, told): (usize, &Told)| PairExample {
                id: identifier(HELD_OUT[at], row),
                source: told.text(language),
                english: told.text(Language::English),
            };
            self.parallel.pairs[at].iter().enumerate().map(pair).collect()
        })
    }

    /// Plain text.
    ///
    /// # Errors
    /// [`MiniworldError::Unsayable`].
    pub fn mlm(&self, language: Language) -> Result<[Vec<TextExample>; 3], MiniworldError> {
        let [train, validation, test] = [0, 1, 2].map(|at| {
            let say = |(row, passage): (usize, &Passage)| {
                Some(TextExample { id: identifier(Split::ALL[at], row), text: passage.text(language)? })
            };
            every(Task::Mlm, language, self.parallel.text[at].iter().enumerate().map(say))
        });
        Ok([train?, validation?, test?])
    }

    /// Sentences with their trees, for `pos` and `parse`.
    pub fn trees(&self, language: Language) -> [Vec<TreeExample>; 3] {
        [0, 1, 2].map(|at| trees(language, &self.trees[at], Split::ALL[at].as_str()))
    }

    pub fn choice(&self, language: Language) -> [Vec<ChoiceExample>; 3] {
        [0, 1, 2].map(|at| {
            let say = |(row, plan): (usize, &ChoicePlan)| plan.say(language, identifier(Split::ALL[at], row));
            self.choice[at].iter().enumerate().map(say).collect()
        })
    }
}

/// Draws for each split.
fn each<T>(
    seed: u64,
    task: &str,
    sizes: [usize; 3],
    draw: impl Fn(u64, &str, Split, usize) -> Drawn<T>,
) -> Result<[Vec<T>; 3], MiniworldError> {
    let [train, validation, test] =
        [0, 1, 2].map(|at| draw(seed, &format!("{task} {}", Split::ALL[at]), Split::ALL[at], sizes[at]));
    Ok([train?, validation?, test?])
}

/// All rows or none: a row left out would set those after it apart from their translations.
fn every<T>(task: Task, language: Language, rows: impl Iterator<Item = Option<T>>) -> Drawn<T> {
    let say = |(row, said): (usize, Option<T>)| {
        said.ok_or(MiniworldError::Unsayable { task: task.as_str(), row, language: language.into() })
    };
    rows.enumerate().map(say).collect()
}

fn identifier(split: Split, row: usize) -> String {
    format!("{split}-{row:05}")
}
