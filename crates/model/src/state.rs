use std::collections::BTreeSet;

use burn::tensor::Tensor;

use crate::head::HeadModel;
use crate::layout::Layout;
use crate::optimizer::AdamW;
use crate::{Group, ModelError};

/// Everything that training changes.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub layout: Layout,
    pub head: Option<HeadModel>,
    /// Flat parameters without autodiff, in the layout's order.
    pub values: Vec<Tensor<1>>,
    pub optimizer: AdamW,
    pub frozen: BTreeSet<Group>,
    /// Parameters that may differ from the model folder's, in the layout's order.
    pub changed: Vec<bool>,
}

/// A learner's state in memory: parameters, head, optimiser, frozen groups. Cheap to make: tensors are shared until one
/// side changes them.
#[derive(Debug, Clone)]
pub struct SavePoint(pub(crate) State);

pub(crate) fn check_count(what: &str, found: usize, expected: usize) -> Result<(), ModelError> {
    match found == expected {
        true => Ok(()),
        false => Err(ModelError::state(format!("{found} {what}, expected {expected}"))),
    }
}
