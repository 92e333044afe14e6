mod still;

use std::collections::{BTreeMap, BTreeSet};

use burn::tensor::Tensor;
use spec::Batch;

use crate::adapter::Active;
use crate::layout::{Entry, Layout};
use crate::network::{Network, Parts};
use crate::objective::{Objective, OutputLayer};
use crate::optimizer::{AdamW, Moments};
use crate::setup::Setup;
use crate::{Group, ModelConfig, ModelError, Part};

/// Everything that training changes.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub parts: Parts,
    pub network: Network,
    pub layout: Layout,
    /// Flat parameters without autodiff, in the layout's order.
    pub values: Vec<Tensor<1>>,
    pub optimizer: AdamW,
    pub frozen: BTreeSet<Group>,
    pub setup: Setup,
    /// Parameters that may differ from the model folder's, in the layout's order.
    pub changed: Vec<bool>,
    /// Parameters that were made since the last stage ended, in the layout's order: no stage has left them a value.
    pub new: Vec<bool>,
}

/// A learner's state in memory: parameters, parts and their set-up, optimiser, frozen groups. Cheap to make: tensors are
/// shared until one side changes them.
#[derive(Debug, Clone)]
pub struct SavePoint(pub(crate) State);

impl State {
    /// Which parameters train, in the layout's order.
    pub fn open(&self) -> Vec<bool> {
        self.layout.entries.iter().map(|entry| !self.frozen.contains(&entry.group) && self.may_train(entry)).collect()
    }

    /// Whether a parameter trains unless its group is frozen.
    pub fn may_train(&self, entry: &Entry) -> bool {
        let Setup { heads, stack, tuned, .. } = &self.setup;
        let of_stack = entry.adapter.as_ref().is_none_or(|name| stack.trained.contains(name));
        let of_head = entry.owner.is_none_or(|owner| heads.trained.contains(&owner));
        let of_base = matches!(entry.group, Group::Embeddings | Group::Layer(_));
        of_stack && of_head && (!of_base || tuned.contains(entry.role))
    }

    /// Which part of the model a parameter belongs to.
    pub fn part(&self, index: usize) -> Part {
        Part { group: self.layout.entries[index].group, is_new: self.new[index] }
    }

    /// The adapters that take part in forward passes.
    pub fn active(&self) -> Active<'_> {
        self.network.active(&self.setup.stack)
    }

    /// How a batch's loss is computed.
    ///
    /// # Errors
    /// [`ModelError::State`] without the output layer that it needs, [`ModelError::Batch`] if it bears no targets.
    pub fn objective(&self, batch: &Batch) -> Result<&dyn Objective, ModelError> {
        self.network.outputs.objective(batch, self.setup.heads.main)
    }

    /// The head that serves a batch.
    ///
    /// # Errors
    /// [`ModelError::State`] if there is none.
    pub fn head(&self, batch: &Batch) -> Result<&dyn OutputLayer, ModelError> {
        self.network.outputs.head(batch.task, self.setup.heads.main)
    }

    /// Becomes a network of other parts. Parameters of the same name and shape that `keep` approves of keep their values
    /// and their optimiser state; the others are `fresh`.
    ///
    /// # Errors
    /// Those of `fresh`; the state is as before then.
    pub fn rebuild(
        &mut self,
        config: &ModelConfig,
        parts: Parts,
        keep: impl Fn(&Entry) -> bool,
        fresh: impl Fn(&Entry) -> Result<Tensor<1>, ModelError>,
    ) -> Result<(), ModelError> {
        let (network, layout) = Network::declare(config, &parts);
        let old: BTreeMap<&str, usize> = self
            .layout
            .entries
            .iter()
            .enumerate()
            .filter(|(_, entry)| keep(entry))
            .map(|(index, entry)| (entry.name.as_str(), index))
            .collect();
        let kept = |entry: &Entry| {
            let index = old.get(entry.name.as_str()).copied();
            index.filter(|&index| self.layout.entries[index].file_shape == entry.file_shape)
        };
        type Kept = ((Tensor<1>, Option<Moments>), (bool, bool));
        let parameters = layout.entries.iter().map(|entry| match kept(entry) {
            Some(index) => {
                let learnt = (self.values[index].clone(), self.optimizer.moments[index].clone());
                Ok((learnt, (self.changed[index], self.new[index])))
            }
            None => Ok(((fresh(entry)?, None), (true, true))),
        });
        let parameters = parameters.collect::<Result<Vec<Kept>, ModelError>>()?;
        let (learnt, marks): (Vec<_>, Vec<_>) = parameters.into_iter().unzip();
        (self.values, self.optimizer.moments) = learnt.into_iter().unzip();
        (self.changed, self.new) = marks.into_iter().unzip();
        (self.parts, self.network, self.layout) = (parts, network, layout);
        Ok(())
    }
}
