//! The output layer of a language model, whose weight is the table of word embeddings: `y = x E^T + b`.

use crate::error::{KernelError, check, check_sizes};
use crate::linear::{Gradients, Need};
use crate::matmul::{Mat, Transposed, column_sums, par_outer, par_product};

/// Sizes of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub hidden: usize,
    pub words: usize,
}

fn validate(operand: &'static str, len: usize, width: usize, table: &[f32], size: Size) -> Result<usize, KernelError> {
    check_sizes(&[("hidden", size.hidden), ("words", size.words)])?;
    let rows = len / width;
    check(operand, len, &[rows, width])?;
    check("table", table.len(), &[size.words, size.hidden])?;
    Ok(rows)
}

/// `x [rows, hidden]`, `table [words, hidden]`, `bias [words]` to `[rows, words]`.
///
/// # Errors
/// When a slice does not fit its shape.
pub fn forward(x: &[f32], table: &[f32], bias: &[f32], size: Size) -> Result<Vec<f32>, KernelError> {
    let Size { hidden, words } = size;
    let rows = validate("x", x.len(), hidden, table, size)?;
    check("bias", bias.len(), &[words])?;
    let mut y = vec![0.0; rows * words];
    let table = Transposed::new(table, words, hidden, rows);
    par_product(&mut y, Mat::new(x, rows, hidden, hidden), table.mat(), Some(bias));
    Ok(y)
}

/// Gradients for `dy [rows, words]`: `dx = dy E`, `dE = dy^T x` as `weight`, `db` the column sums of `dy`.
///
/// # Errors
/// When a slice does not fit its shape.
pub fn backward(dy: &[f32], x: &[f32], table: &[f32], size: Size, need: Need) -> Result<Gradients, KernelError> {
    let Size { hidden, words } = size;
    let rows = validate("dy", dy.len(), words, table, size)?;
    check("x", x.len(), &[rows, hidden])?;
    let dy_mat = Mat::new(dy, rows, words, words);
    let (input, (weight, bias)) = rayon::join(
        || {
            need.input.then(|| {
                let mut dx = vec![0.0; rows * hidden];
                par_product(&mut dx, dy_mat, Mat::new(table, words, hidden, hidden), None);
                dx
            })
        },
        || {
            let table = need.weight.then(|| {
                let mut d_table = vec![0.0; words * hidden];
                par_outer(&mut d_table, dy_mat, Mat::new(x, rows, hidden, hidden));
                d_table
            });
            (table, need.bias.then(|| column_sums(dy, words)))
        },
    );
    Ok(Gradients { input, weight, bias })
}
