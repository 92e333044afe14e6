//! Which parameters exist and which of them a method may train.

use std::collections::BTreeSet;

use model::{AdapterConfig, AdapterStack, Group, Learner, LoraConfig, Tuned};
use spec::{Adapter, AdapterPlacement, Method, SpecError, Structure, Task};

use crate::StrategyError;
use crate::modules::output;

/// Name of the adapters that a task trains.
const TASK: &str = "task";

/// Adds the structure's parameters where the learner lacks them, drawn from the seed, and gives the groups that train on
/// this task. Of the output layers that is the task's: the language model's serves memories of text otherwise.
pub(crate) fn prepare(
    method: &Method,
    task: Task,
    learner: &mut Learner,
    seed: u64,
) -> Result<Vec<Group>, StrategyError> {
    let output = output(task);
    let is_output = |group: &Group| matches!(group, Group::Head | Group::LanguageModel);
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
    let groups = learner.groups();
    let layers = groups.iter().filter(|group| matches!(group, Group::Layer(_))).count();
    let lower = method.structure.frozen_layers(&method.name, layers)?;
    let trains = |group: &Group| match (&method.structure, group) {
        (_, output_layer) if is_output(output_layer) => *output_layer == output,
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
