//! How far a cell has come: with the learner's checkpoint and the strategy's, all that a resumed cell needs.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};
use results::{CurvePoint, ProbeExamples, Score, SeriesPoint};
use serde::{Deserialize, Serialize};
use spec::Language;
use strategies::subnetworks::Mask;

const FORMAT: u32 = 1;
/// Bytes of the file: the contributions of all examples of all probes so far.
const LARGEST: u64 = 1 << 34;
/// CBOR, because it gives every number back to the last bit.
const FILE: &str = "progress.cbor";
/// The learner's part of a checkpoint.
pub const LEARNER: &str = "learner.safetensors";

/// Probes of a moment are measured one after the other, then the stage that follows is trained, and so on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    format: u32,
    /// 0 before training, `i` after stage `i`.
    pub moment: usize,
    /// Probes of this moment that are done.
    pub probes: usize,
    /// Steps of stage `moment` (counted from 0) that are done.
    pub steps: u64,
    pub scores: Vec<Score>,
    pub examples: Vec<ProbeExamples>,
    pub curve: Vec<CurvePoint>,
    pub series: Vec<SeriesPoint>,
    pub notes: Vec<String>,
    /// The subnetworks that the last stage left; empty without such.
    #[serde(default)]
    pub masks: BTreeMap<Language, Mask>,
}

impl Default for Progress {
    fn default() -> Self {
        Self {
            format: FORMAT,
            moment: 0,
            probes: 0,
            steps: 0,
            scores: Vec::new(),
            examples: Vec::new(),
            curve: Vec::new(),
            series: Vec::new(),
            notes: Vec::new(),
            masks: BTreeMap::new(),
        }
    }
}

impl Progress {
    pub fn save(&self, folder: &Path) -> Result<()> {
        let path = folder.join(FILE);
        let mut bytes = Vec::new();
        ciborium::into_writer(self, &mut bytes)?;
        std::fs::write(&path, bytes).with_context(|| format!("cannot write `{}`", path.display()))
    }

    pub fn load(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE);
        let bytes = files::read(&path, LARGEST).with_context(|| format!("cannot read `{}`", path.display()))?;
        let progress: Self =
            ciborium::from_reader(bytes.as_slice()).with_context(|| format!("`{}` is damaged", path.display()))?;
        if !progress.is_known() {
            bail!("`{}` has format {}, this build reads {FORMAT}", path.display(), progress.format);
        }
        Ok(progress)
    }

    /// Whether it is of the format that this build writes.
    pub fn is_known(&self) -> bool {
        self.format == FORMAT
    }

    /// Whether so many stages are done and nothing of the next, without what was measured.
    pub fn is_after_stage(&self, stages: usize) -> bool {
        let measured = !self.scores.is_empty() || !self.examples.is_empty();
        (self.moment, self.probes, self.steps) == (stages, 0, 0) && !measured
    }

    /// Whether the learner has been changed since it was loaded.
    pub fn trained(&self) -> bool {
        self.moment > 0 || self.steps > 0
    }
}
