//! `y = x W + b`.

use crate::error::{KernelError, check, check_sizes};
use crate::matmul::{Mat, Transposed, column_sums, par_outer, par_product};

/// Which gradients a backward pass computes; the others cost nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need {
    pub input: bool,
    pub weight: bool,
    pub bias: bool,
}

impl Need {
    /// Every gradient.
    pub const ALL: Self = Self { input: true, weight: true, bias: true };
}

/// Gradients of [`forward`]; `None` where [`Need`] did not ask.
#[derive(Debug, Clone, PartialEq)]
pub struct Gradients {
    /// `[rows, inputs]`
    pub input: Option<Vec<f32>>,
    /// `[inputs, outputs]`
    pub weight: Option<Vec<f32>>,
    /// `[outputs]`
    pub bias: Option<Vec<f32>>,
}

/// Widths of a linear map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub inputs: usize,
    pub outputs: usize,
}

impl Size {
    fn rows(self, operand: &'static str, len: usize, width: usize) -> Result<usize, KernelError> {
        check_sizes(&[("inputs", self.inputs), ("outputs", self.outputs)])?;
        let rows = len / width;
        check(operand, len, &[rows, width])?;
        Ok(rows)
    }
}

/// `x [rows, inputs]`, `weight [inputs, outputs]`, `bias [outputs]` to `[rows, outputs]`.
///
/// # Errors
/// When a slice does not fit its shape.
pub fn forward(x: &[f32], weight: &[f32], bias: Option<&[f32]>, size: Size) -> Result<Vec<f32>, KernelError> {
    let Size { inputs, outputs } = size;
    let rows = size.rows("x", x.len(), inputs)?;
    check("weight", weight.len(), &[inputs, outputs])?;
    if let Some(bias) = bias {
        check("bias", bias.len(), &[outputs])?;
    }
    let mut y = vec![0.0; rows * outputs];
    let (x, weight) = (Mat::new(x, rows, inputs, inputs), Mat::new(weight, inputs, outputs, outputs));
    par_product(&mut y, x, weight, bias);
    Ok(y)
}

/// Gradients for `dy [rows, outputs]`: `dx = dy W^T`, `dW = x^T dy`, `db` the column sums of `dy`.
///
/// # Errors
/// When a slice does not fit its shape.
pub fn backward(dy: &[f32], x: &[f32], weight: &[f32], size: Size, need: Need) -> Result<Gradients, KernelError> {
    let Size { inputs, outputs } = size;
    let rows = size.rows("dy", dy.len(), outputs)?;
    check("x", x.len(), &[rows, inputs])?;
    check("weight", weight.len(), &[inputs, outputs])?;
    let dy_mat = Mat::new(dy, rows, outputs, outputs);
    let (input, (weight, bias)) = rayon::join(
        || {
            need.input.then(|| {
                let mut dx = vec![0.0; rows * inputs];
                let weight = Transposed::new(weight, inputs, outputs, rows);
                par_product(&mut dx, dy_mat, weight.mat(), None);
                dx
            })
        },
        || {
            let weight = need.weight.then(|| {
                let mut dw = vec![0.0; inputs * outputs];
                par_outer(&mut dw, Mat::new(x, rows, inputs, inputs), dy_mat);
                dw
            });
            (weight, need.bias.then(|| column_sums(dy, outputs)))
        },
    );
    Ok(Gradients { input, weight, bias })
}
