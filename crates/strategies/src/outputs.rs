//! Which output layers a stage trains.

use std::collections::BTreeSet;

use model::Group;
use spec::{Method, Objective, Stage, Task};

/// Output layers are no units: they are what every schedule begins with.
pub(crate) fn is_output(group: &Group) -> bool {
    matches!(group, Group::Head | Group::LanguageModel)
}

/// The output layer that a task trains.
pub(crate) fn output(task: Task) -> Group {
    if task.objective() == Objective::MaskedTokens { Group::LanguageModel } else { Group::Head }
}

/// The tasks whose heads a stage trains: its own, and those of the memories that the method asks for.
pub(crate) fn heads(method: &Method, stage: &Stage) -> BTreeSet<Task> {
    let memories = stage.memories.iter().filter(|memory| method.asks_for(memory)).map(|memory| memory.task);
    std::iter::once(stage.task).chain(memories).filter(|task| task.has_head()).collect()
}

/// The output layers that a stage trains. The language model's serves memories of text, unless it is its task that is
/// trained.
pub(crate) fn outputs(method: &Method, stage: &Stage) -> BTreeSet<Group> {
    let heads = heads(method, stage).into_iter().map(|_| Group::Head);
    heads.chain([output(stage.task)]).collect()
}
