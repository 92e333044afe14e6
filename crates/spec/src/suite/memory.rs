//! `[memory.NAME]` tables, and the memories that stages list by name.

use std::collections::BTreeMap;

use crate::{Candidates, Language, Memory, Name, Objective, Portion, SpecError, Split, Stage, Task};

/// The built-in memory: examples of every earlier stage.
const PAST_STAGES: &str = "past-stages";
/// Examples of each earlier stage that are kept, over its languages: `n_memories` of GEM's official scripts.
const PAST_EXAMPLES: usize = 256;

/// Either data of its own, or, with `past-stages = true`, that of earlier stages.
#[derive(Default, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct MemoryText {
    #[serde(default)]
    past_stages: bool,
    task: Option<Task>,
    data: Option<Name>,
    split: Option<Split>,
    #[serde(default)]
    languages: Vec<Language>,
    examples: Option<Portion>,
    batch: Option<usize>,
    max_length: Option<usize>,
    #[serde(default)]
    stride: usize,
    #[serde(default)]
    prefix: String,
    #[serde(default)]
    candidates: Candidates,
}

/// The memories of a suite by name.
pub(super) struct MemoryTexts<'a>(pub &'a BTreeMap<Name, MemoryText>);

impl MemoryTexts<'_> {
    /// The memories that a stage lists. `past` are the stages before it.
    ///
    /// # Errors
    /// [`SpecError::UnknownWord`] for a name without a table; [`SpecError::Invalid`] for a table that is not whole, and
    /// for past stages where there are none.
    pub fn listed(
        &self,
        suite: &str,
        names: &[String],
        stage: &Stage,
        past: &[Stage],
    ) -> Result<Vec<Memory>, SpecError> {
        let mut memories = Vec::new();
        for (index, name) in names.iter().enumerate() {
            let invalid = |message: String| SpecError::Invalid {
                suite: suite.to_owned(),
                message: format!("[memory.{name}]: {message}"),
            };
            if names[..index].contains(name) {
                return Err(invalid("a stage lists it twice".to_owned()));
            }
            let key = Name::new(name.as_str())?;
            let built_in = MemoryText { past_stages: true, ..MemoryText::default() };
            let text = match self.0.get(&key) {
                Some(text) => text,
                None if name == PAST_STAGES => &built_in,
                None => {
                    let known = self.0.keys().map(Name::as_str).chain([PAST_STAGES]);
                    return Err(SpecError::unknown("memory", name, known));
                }
            };
            let found = if text.past_stages { text.past(&key, stage, past) } else { text.own(&key) };
            memories.extend(found.map_err(invalid)?);
        }
        Ok(memories)
    }
}

impl MemoryText {
    fn own(&self, name: &Name) -> Result<Vec<Memory>, String> {
        let whole = "`task`, `data`, `languages`, `batch` and `max-length` are needed (or `past-stages = true`)";
        let (Some(task), Some(data), Some(batch), Some(max_length)) =
            (self.task, &self.data, self.batch, self.max_length)
        else {
            return Err(whole.to_owned());
        };
        Ok(vec![Memory {
            name: name.clone(),
            task,
            data: data.clone(),
            split: self.split.unwrap_or(Split::Train),
            languages: self.languages.clone(),
            examples: self.examples,
            batch,
            max_length,
            stride: self.stride,
            prefix: self.prefix.clone(),
            candidates: self.candidates,
        }])
    }

    /// One memory an earlier stage, of equally many examples each: GEM's own setting.
    fn past(&self, name: &Name, stage: &Stage, past: &[Stage]) -> Result<Vec<Memory>, String> {
        let own = self.task.is_some() || self.data.is_some() || !self.languages.is_empty() || self.max_length.is_some();
        if own
            || self.split.is_some()
            || self.stride != 0
            || !self.prefix.is_empty()
            || self.candidates != Candidates::Language
        {
            return Err("past stages bring their own data: leave all but `examples` and `batch` out".to_owned());
        }
        if past.is_empty() {
            return Err("there is no earlier stage: list it from the second stage on".to_owned());
        }
        past.iter()
            .map(|earlier| {
                let wanted = self.examples.unwrap_or(Portion::sample(PAST_EXAMPLES));
                let kept = wanted.count().div_ceil(earlier.languages.len().max(1));
                Ok(Memory {
                    name: name.clone(),
                    task: earlier.task,
                    data: earlier.data.clone(),
                    split: earlier.split,
                    languages: earlier.languages.clone(),
                    // A part of what the stage was trained on.
                    examples: Some(match earlier.examples {
                        Some(trained) => trained.of(trained.count().min(kept)),
                        None => wanted.of(kept),
                    }),
                    batch: self.batch.unwrap_or(stage.batch).max(earlier.languages.len()),
                    max_length: earlier.max_length,
                    stride: earlier.stride,
                    prefix: String::new(),
                    candidates: Candidates::Language,
                })
            })
            .collect()
    }
}

/// `past` are the stages before the memory's.
pub(super) fn check_memory(memory: &Memory, stage: &Stage, past: &[Stage]) -> Result<(), String> {
    memory.source().check()?;
    if !(1..=65_536).contains(&memory.batch) || memory.batch < memory.languages.len() {
        return Err("`batch` must be 1 to 65,536 and hold at least one example of each language".to_owned());
    }
    let ranked = memory.task.objective() == Objective::Ranking;
    if !ranked && memory.candidates != Candidates::Language {
        return Err("`candidates` belongs to retrieval".to_owned());
    }
    if ranked && memory.batch < 2 * memory.languages.len() {
        return Err("`batch` must hold two pairs of each language: they are ranked against each other".to_owned());
    }
    if matches!(memory.name.as_str(), "all" | "none") {
        return Err(
            "methods ask for memories by name, and this name means something else there: choose another".to_owned()
        );
    }
    let has_head = past.iter().chain([stage]).any(|stage| stage.task == memory.task);
    if memory.task.has_head() && !has_head {
        return Err(format!(
            "it is of task {}, and while {} is trained the model has no head for it: use text (`mlm`), sentence pairs \
             (`retrieval`), the stage's own task or one learnt before it",
            memory.task, stage.task
        ));
    }
    Ok(())
}
