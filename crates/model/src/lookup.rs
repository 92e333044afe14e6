use std::sync::Arc;

use burn::tensor::{Tensor, TensorData, module};

use crate::device::is_host;
use crate::fused;

/// Rows of `table` `[rows, hidden]`: `[ids, hidden]`.
pub(crate) fn lookup(table: Tensor<2>, ids: &Arc<[u32]>) -> Tensor<2> {
    let device = table.device().inner();
    if is_host(&device) {
        return fused::lookup(table, Arc::clone(ids));
    }
    let rows: Vec<i32> = ids.iter().map(|&id| id as i32).collect();
    let rows = Tensor::from_data(TensorData::new(rows, [1, ids.len()]), &device);
    module::embedding(table, rows).squeeze_dim(0)
}
