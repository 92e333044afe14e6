//! What cells have in common: the state after their first stages, where nothing that differs between them has a part in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

use crate::{
    Anchor, Backend, Cell, DataKey, FirstStage, GradientRule, Laft, Language, LanguageDistance, LanguageDistances,
    Memory, Method, OuterLoop, Probe, Protocol, Schedule, Sharing, Stage, Structure, Subnetworks, TargetMask,
};

/// Hash of everything that the state after a cell's first stages depends on: model, curve, events, notes, subnetworks.
/// What was measured on the way is no part of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PrefixId(String);

impl PrefixId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PrefixId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[derive(Serialize)]
struct Prefix<'a> {
    numeric_version: u32,
    model_hash: &'a str,
    backend: Backend,
    seed: u64,
    method: Axes<'a>,
    stages: Vec<Trained<'a>>,
    /// Content hash of every file that is read.
    data: BTreeMap<String, Option<&'a String>>,
    near: Option<(&'a LanguageDistances, BTreeSet<Language>)>,
}

/// A stage without what is measured after it.
#[derive(Serialize)]
struct Trained<'a> {
    stage: Stage,
    /// Those that the method asks for, with their places.
    memories: Vec<(usize, &'a Memory)>,
}

/// A method without its name.
#[derive(Serialize)]
struct Axes<'a> {
    structure: &'a Structure,
    rule: &'a GradientRule,
    schedule: &'a Schedule,
    outer: &'a OuterLoop,
    anchor: &'a Anchor,
    subnetworks: Option<Subnetworks>,
    sharing: Option<Laft>,
}

impl Cell {
    /// What the state after this many of the cell's stages depends on (after all of them, if it has fewer).
    ///
    /// Everything that a cell is counts, unless it is known to come later or to change nothing: what the method is called,
    /// probes, memories that the method does not ask for, what languages without a subnetwork use, how updates are shared
    /// while there was none, a rule for memories while there are none.
    pub fn prefix(&self, stages: usize) -> PrefixId {
        let protocol = self.method.goes_through(&self.protocol);
        let stages = &protocol.stages[..stages.min(protocol.stages.len())];
        let method = Axes::of(&self.method, stages);
        let prefix = Prefix {
            numeric_version: self.numeric_version,
            model_hash: &self.model_hash,
            backend: self.backend,
            seed: self.seed,
            data: self.read_by(stages),
            // Between the languages of all probes too: the median distance is among the knobs.
            near: method
                .sharing
                .as_ref()
                .is_some_and(Laft::needs_distances)
                .then(|| (&self.distances, self.protocol.languages())),
            method,
            stages: stages.iter().map(|stage| Trained::of(stage, &self.method)).collect(),
        };
        let canonical = serde_json::to_vec(&prefix).unwrap_or_default();
        PrefixId(blake3::hash(&canonical).to_hex()[..32].to_owned())
    }

    fn read_by(&self, stages: &[Stage]) -> BTreeMap<String, Option<&String>> {
        let asked = |stage: &Stage| Stage {
            memories: stage.memories.iter().filter(|memory| self.method.asks_for(memory)).cloned().collect(),
            probes: measured_on_the_way(stage),
            ..stage.clone()
        };
        let stages = stages.iter().map(asked).collect();
        let protocol = Protocol { name: self.protocol.name.clone(), before: Vec::new(), stages };
        let keys: BTreeSet<DataKey> = protocol.data().into_iter().chain(self.method.data(&protocol)).collect();
        keys.into_iter().map(|key| (key.to_string(), self.data.get(&key.to_string()))).collect()
    }
}

/// What is measured while a stage trains is part of its series.
fn measured_on_the_way(stage: &Stage) -> Vec<Probe> {
    stage.probe_every.map_or_else(Vec::new, |_| stage.probes.clone())
}

impl<'a> Trained<'a> {
    fn of(stage: &'a Stage, method: &Method) -> Self {
        let listed = stage.memories.iter().enumerate();
        Self {
            stage: Stage { memories: Vec::new(), probes: measured_on_the_way(stage), ..stage.clone() },
            memories: listed.filter(|(_, memory)| method.asks_for(memory)).collect(),
        }
    }
}

impl<'a> Axes<'a> {
    /// What a method does in its first stages.
    fn of(method: &'a Method, stages: &[Stage]) -> Self {
        // Its settings are in the stages.
        let Method { name: _, structure, rule, schedule, outer, anchor, subnetworks, sharing, settings: _ } = method;
        let updated = stages.len() > 1;
        let (structure, sharing) = match sharing {
            Some(laft) if !updated => match laft.stage1 {
                FirstStage::Full => (&Structure::Full, None),
                FirstStage::Adapter => (structure, Some(Laft { stage1: laft.stage1, ..Laft::new(Sharing::All) })),
            },
            sharing => (structure, sharing.clone()),
        };
        let remembers =
            stages.iter().flat_map(|stage| &stage.memories).any(|memory| rule.memories().take(&memory.name));
        let of_memories = matches!(rule, GradientRule::Multitask(_)) || rule.rows().hold_against_memories();
        let rule = if of_memories && !remembers { &GradientRule::Mean } else { rule };
        let subnetworks = subnetworks.clone().map(|knobs| Subnetworks {
            target: TargetMask::None,
            target_distance: LanguageDistance::default(),
            cross_evaluate: false,
            ..knobs
        });
        Self { structure, rule, schedule, outer, anchor, subnetworks, sharing }
    }
}

impl Method {
    /// Whether its gradient rule or its anchor takes gradients on this memory.
    pub fn asks_for(&self, memory: &Memory) -> bool {
        self.rule.memories().take(&memory.name) || self.anchor.memories().take(&memory.name)
    }
}
