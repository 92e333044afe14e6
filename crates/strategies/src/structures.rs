//! Which parameters exist and which of them a method may train.

use std::collections::BTreeSet;

use model::{AdapterConfig, AdapterStack, Group, Learner, LoraConfig, Tuned};
use spec::{AdapterPlacement, Method, SpecError, Stage, Structure};

use crate::StrategyError;
use crate::schedules::ScheduleState;

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

/// Whether the method's schedule fits a stage on an encoder of `layers` layers: what the learner would say once the stage
/// begins, without one.
///
/// # Errors
/// [`SpecError::Composition`] with the reason.
pub fn check_schedule(method: &Method, stage: &Stage, layers: usize) -> Result<(), SpecError> {
    let groups = planned(method, layers)?;
    ScheduleState::new(&method.name, &method.schedule, &groups, stage.steps, 0).map(|_| ())
}

/// The groups that the structure will train, in the learner's order.
fn planned(method: &Method, layers: usize) -> Result<Vec<Group>, SpecError> {
    let lower = method.structure.frozen_layers(&method.name, layers)?;
    let mut groups = match method.structure {
        Structure::Adapter(_) | Structure::Lora(_) => (0..layers).map(Group::Adapter).collect(),
        Structure::Full | Structure::BitFit | Structure::FrozenLower { .. } => {
            let embeddings = lower.is_none().then_some(Group::Embeddings);
            embeddings.into_iter().chain((lower.unwrap_or(0)..layers).map(Group::Layer)).collect::<Vec<_>>()
        }
    };
    groups.push(Group::Head);
    groups.sort();
    Ok(groups)
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use spec::{Adapter, Backend, Head, Lora, Name};

    use super::*;

    #[test]
    fn what_is_planned_is_what_the_learner_trains() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/tiny-encoder");
        for structure in [
            Structure::Full,
            Structure::BitFit,
            Structure::FrozenLower { layers: None },
            Structure::FrozenLower { layers: Some(0) },
            Structure::FrozenLower { layers: Some(2) },
            Structure::Adapter(Adapter::default()),
            Structure::Lora(Lora::default()),
        ] {
            let method = Method { structure, ..Method::plain(Name::new("m").unwrap()) };
            let mut learner = Learner::load(&folder, Backend::Cpu).unwrap();
            learner.set_head(Head::TokenLabels { labels: 2 }, 1).unwrap();
            let layers = learner.config().num_hidden_layers;
            assert_eq!(planned(&method, layers).unwrap(), prepare(&method, &mut learner, 1).unwrap(), "{method:?}");
        }
    }
}
