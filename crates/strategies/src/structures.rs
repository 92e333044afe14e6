//! Which parameters exist and which of them a method may train.

use std::collections::BTreeSet;

use model::{AdapterConfig, AdapterStack, Group, Learner, LoraConfig, Tuned};
use spec::{Adapter, AdapterPlacement, Method, SpecError, Stage, Structure};

use crate::StrategyError;
use crate::outputs::{is_output, outputs};
use crate::schedules::ScheduleState;

/// Name of the adapters that a task trains.
const TASK: &str = "task";

/// Adds the structure's parameters where the learner lacks them, drawn from the seed, and gives the groups that train in
/// this stage.
pub(crate) fn prepare(
    method: &Method,
    stage: &Stage,
    learner: &mut Learner,
    seed: u64,
) -> Result<Vec<Group>, StrategyError> {
    learner.set_tuned(match method.structure {
        Structure::BitFit => Tuned::Biases,
        _ => Tuned::All,
    });
    match &method.structure {
        Structure::Full | Structure::FrozenLower { .. } | Structure::BitFit => {}
        Structure::Adapter(knobs) => {
            if !learner.adapters().contains(&TASK) {
                learner.add_adapter(TASK, bottleneck(knobs), seed)?;
            }
            learner.activate(AdapterStack {
                adapters: vec![TASK.to_owned()],
                trained: BTreeSet::from([TASK.to_owned()]),
                ..AdapterStack::default()
            })?;
        }
        Structure::Lora(knobs) => {
            if learner.lora().is_none() {
                let config = LoraConfig { rank: knobs.rank, alpha: knobs.alpha, ..LoraConfig::default() };
                learner.add_lora(config, seed)?;
            }
        }
        Structure::MadX(_) => {
            return Err(SpecError::Composition {
                method: method.name.to_string(),
                reason: "`mad-x` needs the other stages of its protocol".to_owned(),
            }
            .into());
        }
    }
    trained(method, &outputs(method, stage), learner)
}

/// Whether the method's schedule fits a stage on an encoder of `layers` layers: what the learner would say once the stage
/// begins, without one.
///
/// # Errors
/// [`SpecError::Composition`] with the reason.
pub fn check_schedule(method: &Method, stage: &Stage, layers: usize) -> Result<(), SpecError> {
    let groups = planned(method, stage, layers)?;
    ScheduleState::new(&method.name, method.schedule_of(stage), &groups, stage.steps, 0).map(|_| ())
}

/// The groups that the structure will train, in the learner's order.
fn planned(method: &Method, stage: &Stage, layers: usize) -> Result<Vec<Group>, SpecError> {
    let lower = method.structure.frozen_layers(&method.name, layers)?;
    let mut groups = match method.structure {
        Structure::Adapter(_) | Structure::Lora(_) | Structure::MadX(_) => (0..layers).map(Group::Adapter).collect(),
        Structure::Full | Structure::BitFit | Structure::FrozenLower { .. } => {
            let embeddings = lower.is_none().then_some(Group::Embeddings);
            embeddings.into_iter().chain((lower.unwrap_or(0)..layers).map(Group::Layer)).collect::<Vec<_>>()
        }
    };
    groups.extend(outputs(method, stage));
    groups.sort();
    Ok(groups)
}

/// The groups that a structure trains, of a learner that has its parameters; of the output layers these.
pub(crate) fn trained(
    method: &Method,
    outputs: &BTreeSet<Group>,
    learner: &Learner,
) -> Result<Vec<Group>, StrategyError> {
    let groups = learner.groups();
    let layers = groups.iter().filter(|group| matches!(group, Group::Layer(_))).count();
    let lower = method.structure.frozen_layers(&method.name, layers)?;
    let trains = |group: &Group| match (&method.structure, group) {
        (_, output_layer) if is_output(output_layer) => outputs.contains(output_layer),
        (Structure::Adapter(_) | Structure::Lora(_) | Structure::MadX(_), group) => matches!(group, Group::Adapter(_)),
        (Structure::FrozenLower { .. }, Group::Embeddings) => lower.is_none(),
        (Structure::FrozenLower { .. }, Group::Layer(layer)) => lower.is_none_or(|lower| *layer >= lower),
        (Structure::Full | Structure::BitFit | Structure::FrozenLower { .. }, _) => true,
    };
    Ok(groups.into_iter().filter(trains).collect())
}

/// The learner's adapter of these knobs.
pub(crate) fn bottleneck(knobs: &Adapter) -> AdapterConfig {
    match knobs.placement {
        AdapterPlacement::Pfeiffer => AdapterConfig::pfeiffer(knobs.reduction),
        AdapterPlacement::Houlsby => AdapterConfig::houlsby(knobs.reduction),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use spec::{Adapter, Backend, Decay, Gem, GradientRule, Head, Labels, Lora, Memory, Name, Split, Task};

    use super::*;

    fn stage() -> Stage {
        Stage {
            task: Task::Ner,
            data: Name::new("d").unwrap(),
            split: Split::Train,
            languages: Vec::new(),
            examples: None,
            steps: 1,
            batch: 1,
            learning_rate: 1e-3,
            weight_decay: 0.0,
            warmup: 0.0,
            decay: Decay::default(),
            clip: 1.0,
            max_length: 8,
            stride: 0,
            parser: None,
            trace_every: None,
            probe_every: None,
            memories: Vec::new(),
            probes: Vec::new(),
        }
    }

    fn memory(task: Task) -> Memory {
        Memory {
            name: Name::new("past").unwrap(),
            task,
            data: Name::new("d").unwrap(),
            split: Split::Train,
            languages: Vec::new(),
            examples: None,
            batch: 1,
            max_length: 8,
            stride: 0,
            prefix: String::new(),
            candidates: Default::default(),
        }
    }

    #[test]
    fn what_is_planned_is_what_the_learner_trains() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../encoders/mini");
        for structure in [
            Structure::Full,
            Structure::BitFit,
            Structure::FrozenLower { layers: None },
            Structure::FrozenLower { layers: Some(0) },
            Structure::FrozenLower { layers: Some(2) },
            Structure::Adapter(Adapter::default()),
            Structure::Lora(Lora::default()),
        ] {
            let rule = GradientRule::Gem(Gem::default());
            let method = Method { structure, rule, ..Method::plain(Name::new("m").unwrap()) };
            let mut learner = Learner::load(&folder, Backend::Cpu).unwrap();
            learner.set_head(Some(Task::Ner), Head::TokenLabels { labels: Labels::numbered(2) }, 1).unwrap();
            let layers = learner.config().num_hidden_layers;
            for (task, memories) in [(Task::Ner, vec![]), (Task::Mlm, vec![]), (Task::Mlm, vec![memory(Task::Ner)])] {
                let stage = Stage { task, memories, ..stage() };
                let trained = prepare(&method, &stage, &mut learner, 1).unwrap();
                assert_eq!(planned(&method, &stage, layers).unwrap(), trained, "{method:?} {task}");
                assert_eq!(trained.contains(&Group::Head), task == Task::Ner || !stage.memories.is_empty());
            }
        }
    }
}
