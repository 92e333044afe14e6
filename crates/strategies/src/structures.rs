//! Which parameters exist and which of them a method may train.

use std::collections::BTreeSet;

use model::{AdapterConfig, AdapterStack, Group, Learner, LoraConfig, Tuned};
use spec::{AdapterPlacement, Method, Structure};

use crate::StrategyError;

/// Name of the adapters that a task trains.
const TASK: &str = "task";

/// Adds the structure's parameters where the learner lacks them, drawn from the seed, and gives the groups that train.
/// The language model's output layer is used by memories of text and never trained.
pub(crate) fn prepare(method: &Method, learner: &mut Learner, seed: u64) -> Result<Vec<Group>, StrategyError> {
    learner.set_tuned(match method.structure {
        Structure::BitFit => Tuned::Biases,
        _ => Tuned::All,
    });
    match &method.structure {
        Structure::Full | Structure::FrozenLower { .. } | Structure::BitFit => {}
        Structure::Adapter(knobs) => {
            if !learner.adapters().contains(&TASK) {
                let config = match knobs.placement {
                    AdapterPlacement::Pfeiffer => AdapterConfig::pfeiffer(knobs.reduction),
                    AdapterPlacement::Houlsby => AdapterConfig::houlsby(knobs.reduction),
                };
                learner.add_adapter(TASK, config, seed)?;
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
    }
    trained(method, learner)
}

/// The groups that a structure trains, of a learner that has its parameters.
pub(crate) fn trained(method: &Method, learner: &Learner) -> Result<Vec<Group>, StrategyError> {
    let added = |group: &Group| matches!(group, Group::Adapter(_) | Group::Head);
    let groups = learner.groups();
    let layers = groups.iter().filter(|group| matches!(group, Group::Layer(_))).count();
    let lower = method.structure.frozen_layers(&method.name, layers)?;
    let trains = |group: &Group| match method.structure {
        Structure::Adapter(_) | Structure::Lora(_) => added(group),
        Structure::Full | Structure::BitFit => *group != Group::LanguageModel,
        Structure::FrozenLower { .. } => match group {
            Group::Embeddings => lower.is_none(),
            Group::Layer(layer) => lower.is_none_or(|lower| *layer >= lower),
            other => *other != Group::LanguageModel,
        },
    };
    Ok(groups.into_iter().filter(trains).collect())
}
