//! What is kept of a pre-training: with the learner's state all that a resumed one needs, and at the end its record.

use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use spec::Language;

use super::{OBJECTIVES, Settings};

/// File beside the model's.
pub const FILE: &str = "pretraining.json";
/// Bytes of it: a few hundred points of the curve.
const LARGEST: u64 = 1 << 24;

/// Mean losses over the steps since the point before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Point {
    pub step: u64,
    /// Nats a hidden token; absent where no step had this objective.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub masked_lm: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub translation_lm: Option<f64>,
    /// Nats a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ranking: Option<f64>,
    /// Nats a token that is labelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correspondence: Option<f64>,
    /// Nats a row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entailment: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Record {
    pub version: u32,
    pub settings: Settings,
    pub text: String,
    pub text_hash: String,
    pub languages: Vec<Language>,
    pub rows: usize,
    /// Tokens of the text, once through.
    pub text_tokens: usize,
    pub vocabulary: usize,
    /// Tokens read in training so far, padding left out.
    pub tokens: u64,
    pub steps: u64,
    pub curve: Vec<Point>,
    /// Of the model that was trained on, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Box<Record>>,
    /// Sum of losses and steps by objective since the last point, in the order of [`OBJECTIVES`].
    pub open: [(f64, u64); OBJECTIVES.len()],
}

impl Record {
    /// Books a step's loss; `objective` is a place in [`OBJECTIVES`].
    pub fn book(&mut self, objective: usize, loss: f64, tokens: usize, every: u64) {
        self.steps += 1;
        self.tokens += tokens as u64;
        self.open[objective].0 += loss;
        self.open[objective].1 += 1;
        if self.steps.is_multiple_of(every) || self.steps == self.settings.steps {
            let [masked_lm, translation_lm, ranking, correspondence, entailment] =
                self.open.map(|(sum, steps)| (steps > 0).then(|| sum / steps as f64));
            self.curve.push(Point { step: self.steps, masked_lm, translation_lm, ranking, correspondence, entailment });
            self.open = [(0.0, 0); OBJECTIVES.len()];
        }
    }

    pub fn save(&self, folder: &Path) -> Result<()> {
        let path = folder.join(FILE);
        let text = serde_json::to_string_pretty(self)?;
        std::fs::write(&path, text + "\n").with_context(|| format!("cannot write `{}`", path.display()))
    }

    pub fn load(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE);
        let text = files::read_text(&path, LARGEST).with_context(|| format!("cannot read `{}`", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("`{}` is damaged", path.display()))
    }
}
