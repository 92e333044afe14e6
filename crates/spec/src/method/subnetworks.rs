//! Subnetworks-style methods: each source language trains and uses a part of the attention heads.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::knob::{KnobError, at_least_one, within};
use super::{Anchor, Method, Structure};
use crate::{DataKey, DataSource, LanguageDistance, Portion, Protocol, Split, Stage};

/// The knobs of subnetworks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Subnetworks {
    /// There is no default: whoever changes another knob says this one again.
    pub kind: MaskKind,
    /// Default `abs-grad-mask`.
    #[serde(default)]
    pub importance: ImportanceSource,
    /// Default `layer-l2-then-minmax`.
    #[serde(default)]
    pub normalise: Normalise,
    #[serde(default)]
    pub discovery: Discovery,
    /// Default `majority`, which of one mask is that mask.
    #[serde(default)]
    pub merge: Merge,
    /// Default `mask-update`.
    #[serde(default)]
    pub update: MaskUpdate,
    #[serde(default)]
    pub prune: PruneKnobs,
    #[serde(default)]
    pub dynamic: DynamicKnobs,
    /// Default `none`.
    #[serde(default)]
    pub target: TargetMask,
    /// Of `target = "nearest-source"`. Default `syntax-knn-cosine`.
    #[serde(default)]
    pub target_distance: LanguageDistance,
    /// Fresh batches of each language whose gradients are compared after the stage, with masks and without; 0 for none.
    /// Default 4.
    #[serde(default = "conflict_batches")]
    pub conflict_batches: usize,
    /// Whether the source languages are also scored under each other's masks and under random ones. Default false.
    #[serde(default)]
    pub cross_evaluate: bool,
}

fn conflict_batches() -> usize {
    4
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MaskKind {
    /// Masks stay as they were found.
    Static,
    /// Masks follow the model.
    Dynamic,
    /// Static masks with as many random heads in every layer: a control.
    Random,
}

/// What masks are found on, before the stage: a copy of the model that is fine-tuned on the language's training data as the
/// stage would, and then pruned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct Discovery {
    /// Plain steps of a copy, each on the language's share of a batch. Default: as many as the stage has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<u64>,
    /// Copies of each language, on batches of their own; their masks are merged. Default 1.
    pub copies: u64,
    /// Batches that a head's importance is summed over, in every round. Default 16.
    pub batches: usize,
    /// Which part of the stage's data scores a mask. Default `validation`.
    pub split: Split,
    /// Which of its examples; default all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub examples: Option<Portion>,
}

impl Default for Discovery {
    fn default() -> Self {
        Self { steps: None, copies: 1, batches: 16, split: Split::Validation, examples: None }
    }
}

/// Where the importance of a head comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImportanceSource {
    /// `|d loss / d mask|`
    #[default]
    AbsGradMask,
    /// Uniform draws: a control.
    Random,
}

/// How importances of several layers are brought together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Normalise {
    /// Each layer divided by its L2 norm, then all moved into `[0, 1]`.
    #[default]
    LayerL2ThenMinmax,
    None,
}

/// Which heads of several masks of one language are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Merge {
    /// Those of the first mask.
    Single,
    /// Those of all masks.
    Intersection,
    /// Those of more than half of the masks.
    #[default]
    Majority,
    /// Those of any mask.
    Union,
}

/// What a mask keeps from being trained.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MaskUpdate {
    /// Heads that no language of a step has are left as they are, bit for bit.
    #[default]
    MaskUpdate,
    /// They get no gradient, and yet move by the optimiser's momentum and decay.
    GradientOnly,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct PruneKnobs {
    /// Share of all heads that a round drops, in (0, 1); at least one head. Default 0.1.
    pub fraction: f64,
    /// Share of the full model's score that must be left, in (0, 1]. Default 0.9.
    pub threshold: f64,
}

impl Default for PruneKnobs {
    fn default() -> Self {
        Self { fraction: 0.1, threshold: 0.9 }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct DynamicKnobs {
    /// Steps between two choices of heads. Default 100.
    pub every: u64,
    /// Share of the past in the moving average, in [0, 1). Default 0.9.
    pub ema: f64,
    /// Default `static`.
    pub init: DynamicStart,
    /// Heads of a mask. Default: as many as the language's static mask has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<usize>,
}

impl Default for DynamicKnobs {
    fn default() -> Self {
        Self { every: 100, ema: 0.9, init: DynamicStart::default(), size: None }
    }
}

/// The masks until the first choice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DynamicStart {
    /// The static masks.
    #[default]
    Static,
    /// All heads.
    Ones,
}

/// The mask of a language that was not trained.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TargetMask {
    /// All heads.
    #[default]
    None,
    /// That of the nearest trained language.
    NearestSource,
    /// The most important heads on its support examples.
    FromSupport,
}

impl Subnetworks {
    /// Every other knob at its default.
    pub fn new(kind: MaskKind) -> Self {
        Self {
            kind,
            importance: ImportanceSource::default(),
            normalise: Normalise::default(),
            discovery: Discovery::default(),
            merge: Merge::default(),
            update: MaskUpdate::default(),
            prune: PruneKnobs::default(),
            dynamic: DynamicKnobs::default(),
            target: TargetMask::default(),
            target_distance: LanguageDistance::default(),
            conflict_batches: conflict_batches(),
            cross_evaluate: false,
        }
    }

    /// Refuses knobs outside their ranges.
    ///
    /// # Errors
    /// [`KnobError`] naming the knob.
    pub fn check(&self) -> Result<(), KnobError> {
        let PruneKnobs { fraction, threshold } = self.prune;
        within("prune.fraction", fraction, fraction > 0.0 && fraction < 1.0, "in (0, 1)")?;
        within("prune.threshold", threshold, threshold > 0.0 && threshold <= 1.0, "in (0, 1]")?;
        let DynamicKnobs { every, ema, size, .. } = &self.dynamic;
        within("dynamic.every", *every as f64, *every > 0, "at least 1")?;
        within("dynamic.ema", *ema, (0.0..1.0).contains(ema), "in [0, 1)")?;
        within("dynamic.size", 0.0, *size != Some(0), "at least 1")?;
        let Discovery { copies, batches, examples, .. } = &self.discovery;
        at_least_one("discovery.copies", *copies as usize)?;
        at_least_one("discovery.batches", *batches)?;
        within("discovery.examples", 0.0, examples.is_none_or(|portion| portion.count() > 0), "at least 1")?;
        self.target_distance.check("target-distance")
    }

    /// Whether a stage trains with masks. With one source language there is nothing to part.
    pub fn masks(stage: &Stage) -> bool {
        stage.languages.len() > 1
    }
}

impl Discovery {
    /// What scores the subnetworks of a stage's languages.
    pub fn source<'a>(&self, stage: &'a Stage) -> DataSource<'a> {
        DataSource { split: self.split, examples: self.examples, ..stage.source() }
    }
}

impl Method {
    /// Files that the method reads beside the protocol's own: what its masks are scored on.
    pub fn data(&self, protocol: &Protocol) -> BTreeSet<DataKey> {
        let Some(knobs) = &self.subnetworks else { return BTreeSet::new() };
        let stages = protocol.stages.iter().filter(|stage| Subnetworks::masks(stage));
        stages.flat_map(|stage| knobs.discovery.source(stage).keys()).collect()
    }

    /// Masks against the other axes and the protocol.
    pub(super) fn check_subnetworks(&self, protocol: &Protocol) -> Result<(), String> {
        let Some(knobs) = &self.subnetworks else { return Ok(()) };
        let place = format!("[protocol.{}]", protocol.name);
        if self.is_per_language() {
            let modules = if self.sharing.is_some() { "sharing" } else { self.structure.name() };
            return Err(format!(
                "`subnetworks` chooses the heads that a language uses and `{modules}` the modules, and what one of them does \
                 would be put down to the other: leave one of them out"
            ));
        }
        match &self.structure {
            Structure::Full | Structure::FrozenLower { .. } | Structure::Lora(_) | Structure::BitFit => {}
            other => {
                return Err(format!(
                    "`subnetworks` chooses the attention heads that a language trains, and the structure `{}` trains none: \
                     use `full`, `frozen-lower`, `lora` or `bit-fit`",
                    other.name()
                ));
            }
        }
        match &self.anchor {
            Anchor::Mixout(_) => {
                return Err("`mixout` swaps the weights of heads at random while `subnetworks` chooses heads by what they do: use \
                            another anchor"
                    .to_owned());
            }
            Anchor::RecAdam(_) if knobs.update == MaskUpdate::MaskUpdate => {
                return Err(
                    "`rec-adam` moves all parameters beside the optimiser's step, and `subnetworks` holds those of \
                            masked heads: use another anchor, or `update = \"gradient-only\"`"
                        .to_owned(),
                );
            }
            _ => {}
        }
        if !protocol.stages.is_empty() && !protocol.stages.iter().any(Subnetworks::masks) {
            return Err(format!(
                "`subnetworks` needs at least two source languages in a stage, and every stage of {place} has only one"
            ));
        }
        for stage in protocol.stages.iter().filter(|stage| Subnetworks::masks(stage)) {
            let scored = stage.probes.iter().filter(|probe| probe.task.has_head() && probe.adapt.is_none());
            let foreign = |languages: &[crate::Language]| languages.iter().any(|it| !stage.languages.contains(it));
            if let Some(probe) = scored.into_iter().find(|probe| foreign(&probe.languages))
                && knobs.target == TargetMask::FromSupport
            {
                return Err(format!(
                    "`target = \"from-support\"` chooses a language's heads on its support examples, and probe `{}` has none: \
                     give it `adapt`, or only source languages",
                    probe.name
                ));
            }
        }
        Ok(())
    }
}
