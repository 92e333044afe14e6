//! Heads, one or several, by task.

use std::collections::BTreeSet;

use spec::{Head, Task};

use super::Learner;
use crate::ModelError;
use crate::device::to_device;
use crate::layout::Entry;
use crate::network::Parts;
use crate::objective;
use crate::owner::{HeadUse, OwnedHead, Owner, serving};

impl Learner {
    /// The head that serves a task: the task's own, else that of no known task if it has the task's objective. Of no task:
    /// the main head.
    pub fn head(&self, task: Option<Task>) -> Option<&Head> {
        let index = serving(&self.state.parts.heads, self.state.setup.heads.main, task)?;
        Some(&self.state.parts.heads[index].head)
    }

    /// Whether the task has a head of its own; of no task: whether there is a head of no known task.
    pub fn has_head(&self, task: Option<Task>) -> bool {
        self.state.parts.heads.iter().any(|owned| owned.owner == Owner::of(task))
    }

    /// The main head's task, if that is known.
    pub fn main_task(&self) -> Option<Task> {
        self.state.setup.heads.main.and_then(Owner::task)
    }

    /// Tasks that have a head of their own, in the order of the table of tasks.
    pub fn tasks(&self) -> Vec<Task> {
        self.state.parts.heads.iter().filter_map(|owned| owned.owner.task()).collect()
    }

    /// Gives a task (or no known one) a fresh head without optimiser state, in the place of one that it has: weights normal
    /// with the configuration's `initializer_range`, biases 0, but for parsers, from (seed, name). BERT's pooler takes the
    /// folder's values where it has them. The head becomes the main one, and the only one that trains.
    ///
    /// # Errors
    /// [`ModelError::State`] for a head without labels or of impossible sizes.
    pub fn set_head(&mut self, task: Option<Task>, head: Head, seed: u64) -> Result<(), ModelError> {
        objective::check_head(&head)?;
        let owner = Owner::of(task);
        let parts = self.state.parts.clone().with_head(OwnedHead { owner, head: head.clone() });
        let deviation = self.config.initializer_range;
        self.state.rebuild(
            &self.config,
            parts,
            |entry| entry.owner != Some(owner),
            |entry| {
                let values = match (entry.bare_name(), &self.pooler) {
                    ("pooler.dense.weight", Some(pooler)) => pooler.weight.clone(),
                    ("pooler.dense.bias", Some(pooler)) => pooler.bias.clone(),
                    _ => objective::fresh(&head, entry, deviation, seed),
                };
                Ok(to_device(values, &self.device))
            },
        )?;
        self.state.setup.heads = HeadUse::only(owner);
        Ok(())
    }

    /// Lets the parameters of exactly these heads train, unless [`crate::Group::Head`] is frozen: those of the others get no
    /// gradients, no decay and no steps.
    ///
    /// # Errors
    /// [`ModelError::State`] if no head serves one of the tasks.
    pub fn train_heads(&mut self, tasks: &[Option<Task>]) -> Result<(), ModelError> {
        let trained = tasks.iter().map(|&task| self.owner(task)).collect::<Result<BTreeSet<Owner>, _>>()?;
        self.state.setup.heads.trained = trained;
        Ok(())
    }

    /// Makes the head that serves a task the main one.
    ///
    /// # Errors
    /// [`ModelError::State`] if there is none.
    pub fn use_head(&mut self, task: Option<Task>) -> Result<(), ModelError> {
        self.state.setup.heads.main = Some(self.owner(task)?);
        Ok(())
    }

    /// Takes a task's own head away (or that of no known task), if there is one. If it was the main one, the first of the
    /// others becomes that.
    ///
    /// # Errors
    /// Those of the device.
    pub fn remove_head(&mut self, task: Option<Task>) -> Result<(), ModelError> {
        let owner = Owner::of(task);
        let mut parts: Parts = self.state.parts.clone();
        parts.heads.retain(|owned| owned.owner != owner);
        let first = parts.heads.first().map(|owned| owned.owner);
        let none =
            |entry: &Entry| Err(ModelError::state(format!("`{}` is new in a model with fewer parts", entry.name)));
        self.state.rebuild(&self.config, parts, |_| true, none)?;
        let heads = &mut self.state.setup.heads;
        heads.trained.remove(&owner);
        if heads.main == Some(owner) {
            heads.main = first;
        }
        Ok(())
    }

    /// Whose head serves a task; of no task: the head of no known task.
    fn owner(&self, task: Option<Task>) -> Result<Owner, ModelError> {
        let heads = &self.state.parts.heads;
        let index = match task {
            Some(_) => serving(heads, None, task),
            None => heads.iter().position(|owned| owned.owner == Owner::Unknown),
        };
        index.map(|index| heads[index].owner).ok_or_else(|| {
            let whose = task.map_or("of no known task".to_owned(), |task| format!("for the task {task}"));
            ModelError::state(format!("the model has no head {whose}; set one first"))
        })
    }
}
