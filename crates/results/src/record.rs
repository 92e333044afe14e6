use std::collections::BTreeMap;
use std::path::PathBuf;

use evaluation::Contribution;
use serde::{Deserialize, Serialize};
use spec::{Cell, Language, Name, Outcome, Task};

/// Everything a cell measured. What it was is known to its [`crate::Claim`].
#[derive(Debug, Clone, PartialEq)]
pub struct CellResult {
    pub outcome: Outcome,
    pub scores: Vec<Score>,
    pub examples: Vec<ProbeExamples>,
    pub curve: Vec<CurvePoint>,
    pub series: Vec<SeriesPoint>,
    /// Events worth knowing, in order: free text without times.
    pub notes: Vec<String>,
}

impl CellResult {
    /// A result without measurements.
    pub fn failed(outcome: Outcome) -> Self {
        Self {
            outcome,
            scores: Vec::new(),
            examples: Vec::new(),
            curve: Vec::new(),
            series: Vec::new(),
            notes: Vec::new(),
        }
    }
}

/// One metric of one probe in one language at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// 0 before training, i after stage i.
    pub moment: u32,
    pub probe: Name,
    pub task: Task,
    pub language: Language,
    /// Named with its variant: `ner.f1.strict`.
    pub metric: String,
    /// A fraction in 0..=1 for accuracies and F1.
    pub value: f64,
    /// Bounds of the 95 % interval over examples, where there is one.
    pub low: Option<f64>,
    pub high: Option<f64>,
    pub examples: u64,
}

/// What every example of a probe adds to each metric: the input of intervals and comparisons.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProbeExamples {
    pub moment: u32,
    pub probe: Name,
    pub language: Language,
    /// One a scored example, `[examples]`.
    pub ids: Vec<String>,
    /// By metric, `[examples]` each.
    pub contributions: BTreeMap<String, Vec<Contribution>>,
}

/// One optimiser step that was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// Counted from 1 over all stages.
    pub step: u64,
    /// Counted from 1.
    pub stage: u32,
    pub loss: f64,
    pub learning_rate: f64,
    /// Global L2 norm before clipping.
    pub gradient_norm: f64,
}

/// A value that only some methods have, at a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeriesPoint {
    pub step: u64,
    pub series: String,
    pub value: f64,
}

/// What series of a probe's scores on the way begin with.
const OF_PROBE: &str = "probe ";

/// Name of the series of a probe's main metric in a language, measured while a stage trains.
pub fn series_of_probe(probe: &Name, language: Language) -> String {
    format!("{OF_PROBE}{probe} {language}")
}

/// Whether a series is one of [`series_of_probe`].
pub fn is_of_probe(series: &str) -> bool {
    series.starts_with(OF_PROBE)
}

/// What varies by host and hour; kept apart from everything that is compared.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Timing {
    /// Wall-clock seconds by phase.
    pub seconds: BTreeMap<String, f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_memory_bytes: Option<u64>,
    /// Real (not padding) tokens trained on a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub train_tokens_per_second: Option<f64>,
    /// Steps that another cell had done already, up to the same state: no time of this one.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub steps_of_other_cells: u64,
    pub threads: usize,
    /// Processor, memory, operating system, device.
    pub host: String,
    /// How often the cell was started.
    #[serde(default)]
    pub attempts: u32,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// A recorded cell. Scores and examples stay on disk until asked for.
#[derive(Debug, Clone)]
pub struct FinishedCell {
    pub cell: Cell,
    pub outcome: Outcome,
    pub notes: Vec<String>,
    /// Version of the build that ran the cell.
    pub version: String,
    /// Absent if the file is missing or unreadable: times are never worth a result.
    pub timing: Option<Timing>,
    pub path: PathBuf,
}

/// A folder in the place of a recorded cell that cannot be read or believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damaged {
    pub folder: String,
    pub why: String,
}

/// What the folder knows of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    Missing,
    /// Not recorded, but work to go on from may exist.
    Partial,
    Finished(Outcome),
    Damaged {
        why: String,
    },
    /// Recorded, but the system does not give it out: nothing is known of it, and it is left alone.
    Unreadable {
        why: String,
    },
}

/// Which recorded cells a sweep runs again. Cells without a record run under every policy, from their last checkpoint; a
/// record that cannot be read is left alone by all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Overwrite {
    /// None: nothing that is there is touched, not even a damaged record.
    Never,
    /// Damaged records only.
    #[default]
    Missing,
    /// Damaged records and failures; skipped cells are no failures.
    Failed,
    /// All.
    Always,
}

impl Overwrite {
    pub const ALL: [Overwrite; 4] = [Overwrite::Never, Overwrite::Missing, Overwrite::Failed, Overwrite::Always];

    pub fn as_str(self) -> &'static str {
        match self {
            Overwrite::Never => "never",
            Overwrite::Missing => "missing",
            Overwrite::Failed => "failed",
            Overwrite::Always => "always",
        }
    }

    /// Whether a cell of this status is to be run.
    pub fn runs(self, status: &Status) -> bool {
        match status {
            Status::Missing | Status::Partial => true,
            Status::Damaged { .. } => self != Overwrite::Never,
            Status::Unreadable { .. } => false,
            Status::Finished(Outcome::Done | Outcome::Skipped { .. }) => self == Overwrite::Always,
            Status::Finished(_) => matches!(self, Overwrite::Failed | Overwrite::Always),
        }
    }
}

impl std::fmt::Display for Overwrite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

impl std::str::FromStr for Overwrite {
    type Err = spec::SpecError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|policy| policy.as_str() == text)
            .ok_or_else(|| spec::SpecError::unknown("overwrite policy", text, Self::ALL.map(Self::as_str)))
    }
}
