use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::sync::Arc;

use burn::tensor::Tensor;

use crate::device::is_host;
use crate::gradients::Gradient;
use crate::layout::{Entry, Layout, Slot};
use crate::lookup::lookup;
use crate::{Group, ModelError};

/// The parameters as tensors for one forward pass: trained ones are leaves of a fresh autodiff graph, frozen ones plain
/// tensors, so that nothing below the lowest trained group is recorded or differentiated.
pub(crate) struct Weights {
    parameters: Vec<Parameter>,
    open: Vec<bool>,
    trained: BTreeSet<Group>,
    /// Factors on the heads, `[heads]` by layer.
    head_masks: Option<Vec<Tensor<1>>>,
    /// Seed of this pass's dropout masks, and how many have been asked for.
    dropout: (u64, Cell<u64>),
    /// Lookups in trained tables whose rows are leaves.
    lookups: RefCell<Vec<Lookup>>,
}

/// A parameter in the shape of its slot. Leaves are made in it: a reshape of a leaf would be one more node of the graph for
/// every parameter.
enum Parameter {
    Vector(Tensor<1>),
    Matrix(Tensor<2>),
}

impl Parameter {
    fn new(entry: &Entry, value: &Tensor<1>, open: bool) -> Self {
        match entry.matrix() {
            Some(shape) => Self::Matrix(leaf(value.clone().reshape(shape), open)),
            None => Self::Vector(leaf(value.clone(), open)),
        }
    }

    fn get<const D: usize>(&self) -> Tensor<D> {
        Tensor::from_dispatch(match self {
            Self::Vector(vector) => vector.clone().into_dispatch(),
            Self::Matrix(matrix) => matrix.clone().into_dispatch(),
        })
    }

    /// What a backward pass found for it, flat.
    fn gradient(self, found: &mut burn::tensor::Gradients) -> Option<Tensor<1>> {
        match self {
            Self::Vector(vector) if vector.is_autodiff() => vector.grad_remove(found),
            Self::Matrix(matrix) if matrix.is_autodiff() => matrix.grad_remove(found).map(|found| found.reshape([-1])),
            Self::Vector(_) | Self::Matrix(_) => None,
        }
    }
}

fn leaf<const D: usize>(value: Tensor<D>, open: bool) -> Tensor<D> {
    if open { value.autodiff().require_grad() } else { value }
}

/// Rows `[ids, hidden]` taken from the table of a parameter.
struct Lookup {
    index: usize,
    ids: Arc<[u32]>,
    rows: Tensor<2>,
}

impl Weights {
    /// For inference: nothing is recorded and dropout is off.
    pub fn inference(layout: &Layout, values: &[Tensor<1>]) -> Self {
        Self::training(layout, values, &vec![false; values.len()], 0)
    }

    /// For training: the `open` parameters require gradients.
    pub fn training(layout: &Layout, values: &[Tensor<1>], open: &[bool], dropout_seed: u64) -> Self {
        let parameters = layout.entries.iter().zip(values).zip(open);
        let trained = layout.entries.iter().zip(open).filter(|(_, open)| **open).map(|(entry, _)| entry.group);
        Self {
            parameters: parameters.map(|((entry, value), open)| Parameter::new(entry, value, *open)).collect(),
            open: open.to_vec(),
            trained: trained.collect(),
            head_masks: None,
            dropout: (dropout_seed, Cell::new(0)),
            lookups: RefCell::default(),
        }
    }

    /// The same with a factor on each head, `[heads]` by layer.
    pub fn with_head_masks(self, head_masks: Option<Vec<Tensor<1>>>) -> Self {
        Self { head_masks, ..self }
    }

    pub fn head_masks(&self) -> Option<Vec<Tensor<1>>> {
        self.head_masks.clone()
    }

    pub fn head_mask(&self, layer: usize) -> Option<Tensor<1>> {
        self.head_masks.as_ref().map(|masks| masks[layer].clone())
    }

    pub fn get<const D: usize>(&self, slot: Slot<D>) -> Tensor<D> {
        self.parameters[slot.index].get()
    }

    /// Whether the group trains in this pass; dropout is applied only inside such groups.
    pub fn trains(&self, group: Group) -> bool {
        self.trained.contains(&group)
    }

    /// Whether a parameter trains in this pass.
    pub fn is_trained<const D: usize>(&self, slot: Slot<D>) -> bool {
        self.open[slot.index]
    }

    /// The next dropout mask of this pass for the CPU's kernels; operations ask in the order of the forward pass.
    pub fn dropout(&self, probability: f64) -> Option<kernels::Dropout> {
        let (seed, asked) = &self.dropout;
        asked.set(asked.get() + 1);
        let key = blake3::hash(&[seed.to_le_bytes(), asked.get().to_le_bytes()].concat());
        let mut first = [0; 8];
        first.copy_from_slice(&key.as_bytes()[..8]);
        match probability > 0.0 {
            // Probabilities were checked with the configuration.
            true => kernels::Dropout::new(probability as f32, u64::from_le_bytes(first)).ok(),
            false => None,
        }
    }

    /// How many dropout masks this pass has asked for.
    pub fn dropout_asked(&self) -> u64 {
        self.dropout.1.get()
    }

    /// Counts dropout masks as asked for by a part of the pass that is left out.
    pub fn pass_over_dropout(&self, count: u64) {
        let asked = &self.dropout.1;
        asked.set(asked.get() + count);
    }

    /// Rows of a table: `[ids, hidden]`. On the CPU's back end the rows that a trained table gives are leaves themselves,
    /// whose gradient is then the table's without the rows of zeros.
    pub fn lookup(&self, slot: Slot<2>, ids: &Arc<[u32]>) -> Tensor<2> {
        let table = self.get(slot);
        if !table.is_autodiff() || !is_host(&table.device().inner()) {
            return lookup(table, ids);
        }
        let rows = lookup(table.inner(), ids).autodiff().require_grad();
        self.lookups.borrow_mut().push(Lookup { index: slot.index, ids: Arc::clone(ids), rows: rows.clone() });
        rows
    }

    /// What a backward pass found for each parameter, in the layout's order.
    pub fn into_gradients(self, found: &mut burn::tensor::Gradients) -> Result<Vec<Option<Gradient>>, ModelError> {
        let parameters = self.parameters.into_iter();
        let mut gradients: Vec<Option<Gradient>> =
            parameters.map(|parameter| parameter.gradient(found).map(Gradient::Dense)).collect();
        for Lookup { index, ids, rows } in self.lookups.into_inner() {
            let Some(dy) = rows.grad_remove(found) else { continue };
            let rows = Gradient::of_lookup(dy, &ids)?;
            gradients[index] = Some(match gradients[index].take() {
                None => rows,
                Some(other) => other.add_scaled(&rows, 1.0)?,
            });
        }
        Ok(gradients)
    }
}
