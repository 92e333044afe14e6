use std::collections::BTreeSet;
use std::num::NonZeroU64;

use serde::{Deserialize, Serialize};

use crate::portion::recorded;
use crate::{Adapt, DataKey, DataSource, Decay, Language, Name, ParserSizes, Portion, Split, Task};

/// The shape of an experiment: probes, then stages with probes after each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Protocol {
    pub name: Name,
    /// Measured on the model as it came.
    pub before: Vec<Probe>,
    pub stages: Vec<Stage>,
}

/// One training stage and the measurements after it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Stage {
    pub task: Task,
    pub data: Name,
    pub split: Split,
    /// Source languages. Each gives an equal share of every batch.
    pub languages: Vec<Language>,
    /// Which examples of each language; all if left out.
    #[serde(default, with = "recorded", skip_serializing_if = "Option::is_none")]
    pub examples: Option<Portion>,
    /// Optimiser steps.
    pub steps: u64,
    /// Examples (or question windows) a step, over all languages.
    pub batch: usize,
    pub learning_rate: f64,
    pub weight_decay: f64,
    /// Share of the steps during which the learning rate rises from 0.
    pub warmup: f64,
    /// How it goes on then.
    #[serde(default, skip_serializing_if = "Decay::is_linear")]
    pub decay: Decay,
    /// Largest global L2 norm of the gradient.
    pub clip: f64,
    /// Tokens of a sentence, pair or window, special tokens included.
    pub max_length: usize,
    /// Tokens that neighbouring question-answering windows share.
    pub stride: usize,
    /// Shape of the parser that a stage of task `parse` trains; the usual one if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parser: Option<ParserSizes>,
    /// Steps between measurements of the Fisher trace of all that trains, for curves; none where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_every: Option<NonZeroU64>,
    /// Steps between measurements of the probes' main metrics while it trains, the first one before the first step, for curves of what is learnt and kept; none
    /// where it is left out. Probes that adapt are not measured on the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe_every: Option<NonZeroU64>,
    /// Data of the past that a method may ask for gradients while it trains this stage.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub memories: Vec<Memory>,
    /// Measured after this stage.
    pub probes: Vec<Probe>,
}

/// Examples of what a stage must not forget. Gives one gradient a step: the mean over its languages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Memory {
    /// Shared by the memories that `past-stages` stands for, one an earlier stage.
    pub name: Name,
    pub task: Task,
    pub data: Name,
    pub split: Split,
    pub languages: Vec<Language>,
    /// Which examples of each language; all if left out.
    #[serde(default, with = "recorded", skip_serializing_if = "Option::is_none")]
    pub examples: Option<Portion>,
    /// Examples, question windows or sentence pairs a step, over all languages.
    pub batch: usize,
    pub max_length: usize,
    pub stride: usize,
    /// Put before every sentence of a retrieval memory.
    pub prefix: String,
    /// Among what a retrieval memory looks for a translation. Default `language`.
    #[serde(default, skip_serializing_if = "Candidates::is_language")]
    pub candidates: Candidates,
}

/// Among how many sentences of a memory's batch each one's translation is looked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Candidates {
    /// Those of the batch in its language pair: a batch of 32 in ten languages has three or four, which hardly ask for
    /// anything.
    #[default]
    Language,
    /// Those of the whole batch.
    Batch,
}

impl Candidates {
    fn is_language(&self) -> bool {
        *self == Self::Language
    }
}

/// A measurement: a task's scores per language on held-out data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Probe {
    pub name: Name,
    pub task: Task,
    pub data: Name,
    pub split: Split,
    pub languages: Vec<Language>,
    #[serde(default, with = "recorded", skip_serializing_if = "Option::is_none")]
    pub examples: Option<Portion>,
    pub max_length: usize,
    pub stride: usize,
    /// Put before every sentence of a retrieval probe, as some encoders want (`query: `).
    pub prefix: String,
    /// The layer whose hidden states are a retrieval probe's vectors, from 1; the last one, if it is left out. XTREME reads
    /// the 8th of 12.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<usize>,
    /// Few-shot: what is scored is the model after steps on a few examples of the language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adapt: Option<Adapt>,
}

impl Stage {
    pub fn source(&self) -> DataSource<'_> {
        let &Self { task, ref data, split, ref languages, examples, max_length, stride, .. } = self;
        DataSource { task, data, split, languages, examples, max_length, stride, prefix: "" }
    }
}

impl Memory {
    pub fn source(&self) -> DataSource<'_> {
        let &Self { task, ref data, split, ref languages, examples, max_length, stride, ref prefix, .. } = self;
        DataSource { task, data, split, languages, examples, max_length, stride, prefix }
    }
}

impl Probe {
    pub fn source(&self) -> DataSource<'_> {
        let &Self { task, ref data, split, ref languages, examples, max_length, stride, ref prefix, .. } = self;
        DataSource { task, data, split, languages, examples, max_length, stride, prefix }
    }

    /// What the few examples are drawn from that a probe adapts to.
    pub fn support(&self) -> Option<DataSource<'_>> {
        self.adapt.as_ref().map(|adapt| DataSource { split: adapt.split, examples: None, ..self.source() })
    }
}

impl Protocol {
    /// Every file of data the protocol reads.
    pub fn data(&self) -> BTreeSet<DataKey> {
        let stages = self.stages.iter().map(Stage::source);
        let memories = self.stages.iter().flat_map(|stage| &stage.memories).map(Memory::source);
        let probes = self.probes().flat_map(|probe| std::iter::once(probe.source()).chain(probe.support()));
        stages.chain(memories).chain(probes).flat_map(DataSource::keys).collect()
    }

    /// All probes in the order in which they are measured.
    pub fn probes(&self) -> impl Iterator<Item = &Probe> {
        self.before.iter().chain(self.stages.iter().flat_map(|stage| &stage.probes))
    }

    /// The stage (from 0) in which the head of a task is first trained.
    pub fn first_stage_of(&self, task: Task) -> Option<usize> {
        self.stages.iter().position(|stage| stage.task == task)
    }

    /// The probes of each moment: before training, then after each stage.
    pub fn moments(&self) -> impl Iterator<Item = &[Probe]> {
        std::iter::once(self.before.as_slice()).chain(self.stages.iter().map(|stage| stage.probes.as_slice()))
    }

    /// The task the last stage trains: what a table of this protocol is about.
    pub fn task(&self) -> Option<Task> {
        self.stages.last().map(|stage| stage.task)
    }

    /// Source languages of all stages, without repetition, in order of first use.
    pub fn sources(&self) -> Vec<Language> {
        let mut seen = BTreeSet::new();
        self.stages
            .iter()
            .flat_map(|stage| &stage.languages)
            .copied()
            .filter(|language| seen.insert(*language))
            .collect()
    }

    /// Languages of the stages that train a task, without repetition, in order of first use.
    pub fn of_task(&self, task: Task) -> Vec<Language> {
        let stages = self.stages.iter().filter(|stage| stage.task == task).cloned().collect();
        Self { stages, ..self.clone() }.sources()
    }

    /// Languages of all stages and probes, in the order of their codes.
    pub fn languages(&self) -> BTreeSet<Language> {
        let stages = self.stages.iter().flat_map(|stage| &stage.languages);
        stages.chain(self.probes().flat_map(|probe| &probe.languages)).copied().collect()
    }

    /// Total optimiser steps.
    pub fn steps(&self) -> u64 {
        self.stages.iter().map(|stage| stage.steps).sum()
    }

    /// The same protocol measuring only these languages; probes left without a language are dropped.
    #[must_use]
    pub fn narrowed(mut self, languages: &[Language]) -> Self {
        let narrow = |probes: &mut Vec<Probe>| {
            for probe in probes.iter_mut() {
                probe.languages.retain(|language| languages.contains(language));
            }
            probes.retain(|probe| !probe.languages.is_empty());
        };
        narrow(&mut self.before);
        for stage in &mut self.stages {
            narrow(&mut stage.probes);
        }
        self
    }
}
