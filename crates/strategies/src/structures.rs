//! Which parameters exist and which of them a method may train.

use std::collections::BTreeSet;

use model::{AdapterConfig, AdapterStack, Group, Learner, LoraConfig, Tuned};
use spec::{Adapter, AdapterPlacement, Method, SpecError, Stage, Structure, Task};

use crate::StrategyError;
use crate::modules::output;
use crate::schedules::ScheduleState;

/// Name of the adapters that a task trains.
const TASK: &str = "task";

/// Adds the structure's parameters where the learner lacks them, drawn from the seed, and gives the groups that train on
/// this task.
pub(crate) fn prepare(
    method: &Method,
    task: Task,
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
    trained(method, output(task), learner)
}

/// Whether the method's schedule fits a stage on an encoder of `layers` layers: what the learner would say once the stage
/// begins, without one.
///
/// # Errors
/// [`SpecError::Composition`] with the reason.
pub fn check_schedule(method: &Method, stage: &Stage, layers: usize) -> Result<(), SpecError> {
    let groups = planned(method, stage.task, layers)?;
    ScheduleState::new(&method.name, &method.schedule, &groups, stage.steps, 0).map(|_| ())
}

/// The groups that the structure will train, in the learner's order.
fn planned(method: &Method, task: Task, layers: usize) -> Result<Vec<Group>, SpecError> {
    let lower = method.structure.frozen_layers(&method.name, layers)?;
    let mut groups = match method.structure {
        Structure::Adapter(_) | Structure::Lora(_) | Structure::MadX(_) => (0..layers).map(Group::Adapter).collect(),
        Structure::Full | Structure::BitFit | Structure::FrozenLower { .. } => {
            let embeddings = lower.is_none().then_some(Group::Embeddings);
            embeddings.into_iter().chain((lower.unwrap_or(0)..layers).map(Group::Layer)).collect::<Vec<_>>()
        }
    };
    groups.push(output(task));
    groups.sort();
    Ok(groups)
}

/// The groups that a structure trains, of a learner that has its parameters. Of the output layers that is one: the language
/// model's serves memories of text, unless it is its task that is trained.
pub(crate) fn trained(method: &Method, output: Group, learner: &Learner) -> Result<Vec<Group>, StrategyError> {
    let is_output = |group: &Group| matches!(group, Group::Head | Group::LanguageModel);
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use spec::{Adapter, Backend, Head, Lora, Name};

    use super::*;

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
            let method = Method { structure, ..Method::plain(Name::new("m").unwrap()) };
            let mut learner = Learner::load(&folder, Backend::Cpu).unwrap();
            learner.set_head(Head::TokenLabels { labels: 2 }, 1).unwrap();
            let layers = learner.config().num_hidden_layers;
            for task in [Task::Ner, Task::Mlm] {
                let trained = prepare(&method, task, &mut learner, 1).unwrap();
                assert_eq!(planned(&method, task, layers).unwrap(), trained, "{method:?} {task}");
            }
        }
    }
}
