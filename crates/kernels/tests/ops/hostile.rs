//! NaN and infinity in any operand: no panic, results of the right length, and NaN where the mathematics has it. (Attention
//! and linear layers have their own tests of which rows it reaches.)

use kernels::attention::{Attention, Inputs};
use kernels::layer_norm::{Affine, Branch};
use kernels::{Dropout, reduce, rows::Vector};
use kernels::{adamw, attention, cross_entropy, dropout, embedding, feed_forward, gelu, layer_norm, linear, tied};

use crate::data::numbers;

const ROWS: usize = 6;
const HIDDEN: usize = 20;
const POISONS: [f32; 3] = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY];

/// Rows of `values` that hold something not finite.
fn bad_rows(values: &[f32], width: usize) -> Vec<usize> {
    let rows = values.chunks(width).enumerate();
    rows.filter(|(_, row)| row.iter().any(|x| !x.is_finite())).map(|(row, _)| row).collect()
}

/// `values` with `poison` in row 2.
fn poisoned(mut values: Vec<f32>, poison: f32) -> Vec<f32> {
    values[2 * HIDDEN + 7] = poison;
    values
}

#[test]
fn what_works_on_rows_keeps_it_in_its_row() {
    let [y, dy] = [2, 3].map(|seed| numbers(seed, ROWS * HIDDEN, 1.0));
    let affine = Affine { gamma: &y[..HIDDEN], beta: &dy[..HIDDEN], epsilon: 1e-5 };
    let size = feed_forward::Size { hidden: HIDDEN, inner: 30 };
    let [w1, w2] = [4, 5].map(|seed| numbers(seed, HIDDEN * 30, 0.3));
    let weights = feed_forward::Weights { w1: &w1, b1: &w2[..30], w2: &w2, b2: &y[..HIDDEN] };
    for poison in POISONS {
        let x = poisoned(numbers(1, ROWS * HIDDEN, 1.0), poison);
        let dropout = Some(Dropout::new(0.0, 1).unwrap());
        let (out, saved) = layer_norm::forward(&x, Some(Branch { values: &y, dropout }), affine).unwrap();
        assert_eq!(bad_rows(&out, HIDDEN), [2]);
        let gradients = layer_norm::backward(&dy, affine.gamma, &saved).unwrap();
        assert_eq!(bad_rows(&gradients.input, HIDDEN), [2]);
        assert!(gradients.gamma.iter().any(|x| x.is_nan()));

        let (out, saved) = feed_forward::forward(&x, weights, size).unwrap();
        assert_eq!(bad_rows(&out, HIDDEN), [2]);
        let gradients = feed_forward::backward(&dy, &x, weights, &saved, size, feed_forward::Need::ALL).unwrap();
        assert!(!gradients.w1.unwrap().iter().all(|x| x.is_finite()));

        let dx = gelu::backward(&poisoned(dy.clone(), poison), &y).unwrap();
        assert_eq!(bad_rows(&dx, HIDDEN), [2]);
        let dropped = dropout::apply(&x, HIDDEN, Dropout::new(0.5, 3).unwrap()).unwrap();
        assert!(bad_rows(&dropped, HIDDEN).iter().all(|&row| row == 2));

        let lookup = embedding::Lookup { table: &x, ids: &[0, 2, 5, 2] };
        assert_eq!(bad_rows(&embedding::forward(&[lookup], HIDDEN).unwrap(), HIDDEN), [1, 3]);
        let rows = embedding::backward(&x, &[4, 4, 1, 0, 0, 3], HIDDEN).unwrap();
        assert_eq!(bad_rows(&rows.values, HIDDEN), [1], "id 1 is the second row touched");

        let size = tied::Size { hidden: HIDDEN, words: 3 };
        let out = tied::forward(&x, &w1[..3 * HIDDEN], &w2[..3], size).unwrap();
        assert_eq!(bad_rows(&out, 3), [2]);
        tied::backward(&out, &x, &w1[..3 * HIDDEN], size, linear::Need::ALL).unwrap();
    }
}

#[test]
fn attention_never_lets_it_into_another_example() {
    let (lengths, x) = ([3, 2], numbers(1, 6 * HIDDEN, 1.0));
    let call = Attention {
        batch: 2,
        sequence: 3,
        hidden: HIDDEN,
        heads: 2,
        lengths: &lengths,
        head_mask: None,
        dropout: Some(Dropout::new(0.3, 5).unwrap()),
    };
    for poison in POISONS {
        let bad = poisoned(x.clone(), poison);
        for operand in 0..3 {
            let [query, key, value] = [0, 1, 2].map(|at| if at == operand { &bad[..] } else { &x });
            let inputs = Inputs { query, key, value };
            let (context, saved) = attention::forward(inputs, &call).unwrap();
            let gradients = attention::backward(&x, inputs, &saved, &call).unwrap();
            for values in [&context, &gradients.query, &gradients.key, &gradients.value] {
                assert!(bad_rows(values, HIDDEN).iter().all(|&row| row < 3), "{poison} in operand {operand}");
            }
        }
        let inputs = Inputs { query: &x, key: &x, value: &x };
        let (_, saved) = attention::forward(inputs, &call).unwrap();
        let gradients = attention::backward(&bad, inputs, &saved, &call).unwrap();
        assert!(!bad_rows(&gradients.query, HIDDEN).is_empty());
        assert!(bad_rows(&gradients.value, HIDDEN).iter().all(|&row| row < 3));
    }
}

#[test]
fn losses_sums_and_the_optimiser_pass_it_on() {
    for poison in POISONS {
        let logits = poisoned(numbers(1, ROWS * HIDDEN, 1.0), poison);
        let targets = [0, 1, 2, 3, 4, 5];
        let (loss, saved) = cross_entropy::forward(&logits, &targets, HIDDEN).unwrap();
        // A class that is impossible, and not the target, is no fault.
        assert_eq!(loss.is_finite(), poison == f32::NEG_INFINITY, "{poison}: {loss}");
        let gradient = cross_entropy::backward(1.0, &logits, &targets, HIDDEN, &saved).unwrap();
        assert_eq!(gradient.len(), logits.len());
        assert!(bad_rows(&gradient, HIDDEN).iter().all(|&row| row == 2));
        assert!(cross_entropy::scores(&logits, &targets, HIDDEN).unwrap().iter().all(|score| score.best < HIDDEN));

        let sum = reduce::dot(Vector::Dense(&logits), Vector::Dense(&logits)).unwrap();
        assert!(!sum.is_finite());
        let (mut p, mut m, mut v) = (vec![1.0; logits.len()], vec![0.0; logits.len()], vec![0.0; logits.len()]);
        let step = adamw::Step {
            gradient_scale: 1.0,
            learning_rate: 0.1,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.0,
            bias_correction1: 0.1,
            bias_correction2: 0.001,
        };
        adamw::step(&mut p, &logits, adamw::Moments { first: &mut m, second: &mut v }, &step).unwrap();
        let at = 2 * HIDDEN + 7;
        assert!(p[at].is_nan() && p.iter().enumerate().all(|(i, x)| i == at || x.is_finite()));
    }
}
