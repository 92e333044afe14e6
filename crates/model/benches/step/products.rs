//! The products of a training step with its weights, and nothing else: what a step could be at best.

use std::hint::black_box;

use kernels::linear::{self, Need};

use crate::encoder::{ROWS, SEQ, Size};

/// `y = x W`, `dx = dy Wᵀ` and `dW = xᵀ dy` of one layer's six weights.
pub fn work(size: &'static Size) -> Box<dyn FnMut()> {
    let (h, f) = (size.hidden, size.hidden * 4);
    let numbers = |len: usize| (0..len).map(|k| (k * 7_919 % 997) as f32 / 997.0 - 0.5).collect::<Vec<f32>>();
    let mut sizes = vec![(h, h); 4];
    sizes.extend([(h, f), (f, h)]);
    let operands: Vec<_> = sizes
        .into_iter()
        .map(|(inputs, outputs)| {
            let rows = ROWS * SEQ;
            (
                linear::Size { inputs, outputs },
                numbers(rows * inputs),
                numbers(inputs * outputs),
                numbers(rows * outputs),
            )
        })
        .collect();
    let need = Need { input: true, weight: true, bias: false };
    Box::new(move || {
        for (size, x, weight, dy) in &operands {
            black_box(linear::forward(x, weight, None, *size).unwrap());
            black_box(linear::backward(dy, x, weight, *size, need).unwrap());
        }
    })
}
