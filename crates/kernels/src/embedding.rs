//! Sums of rows gathered from tables (word, position and type embeddings), with row-sparse gradients.

use rayon::prelude::*;

use crate::error::{KernelError, check, check_sizes};
use crate::rows::RowSparse;

/// A table `[rows, hidden]` and the row each token takes from it, `[tokens]`.
#[derive(Debug, Clone, Copy)]
pub struct Lookup<'a> {
    pub table: &'a [f32],
    pub ids: &'a [u32],
}

/// `[tokens, hidden]`: for each token the sum of its rows.
///
/// # Errors
/// When there is no lookup, they name different numbers of tokens, a table has no whole rows, or an id is outside of its
/// table.
pub fn forward(lookups: &[Lookup], hidden: usize) -> Result<Vec<f32>, KernelError> {
    check_sizes(&[("hidden", hidden), ("lookups", lookups.len())])?;
    let tokens = lookups[0].ids.len();
    for lookup in lookups {
        check("ids", lookup.ids.len(), &[tokens])?;
        let rows = lookup.table.len() / hidden;
        check("table", lookup.table.len(), &[rows, hidden])?;
        if let Some(position) = lookup.ids.iter().position(|&id| id as usize >= rows) {
            let id = lookup.ids[position];
            return Err(KernelError::Id { position, id, rows });
        }
    }
    let mut y = vec![0.0; tokens * hidden];
    y.par_chunks_mut(hidden).enumerate().with_min_len(256).for_each(|(token, y)| {
        for lookup in lookups {
            let row = &lookup.table[lookup.ids[token] as usize * hidden..][..hidden];
            for (y, x) in y.iter_mut().zip(row) {
                *y += x;
            }
        }
    });
    Ok(y)
}

/// The gradient of one table for `dy [tokens, hidden]`; a row's contributions are added in the order of its tokens.
///
/// # Errors
/// When `dy` does not fit.
pub fn backward(dy: &[f32], ids: &[u32], hidden: usize) -> Result<RowSparse, KernelError> {
    check_sizes(&[("hidden", hidden)])?;
    check("dy", dy.len(), &[ids.len(), hidden])?;
    let mut order: Vec<usize> = (0..ids.len()).collect();
    order.sort_by_key(|&token| ids[token]);
    let groups: Vec<&[usize]> = order.chunk_by(|&a, &b| ids[a] == ids[b]).collect();
    let rows = groups.iter().map(|group| ids[group[0]]).collect();
    let mut values = vec![0.0; groups.len() * hidden];
    (values.par_chunks_mut(hidden), groups.par_iter()).into_par_iter().with_min_len(64).for_each(|(row, tokens)| {
        for &token in *tokens {
            for (sum, x) in row.iter_mut().zip(&dy[token * hidden..][..hidden]) {
                *sum += x;
            }
        }
    });
    Ok(RowSparse { hidden, rows, values })
}
