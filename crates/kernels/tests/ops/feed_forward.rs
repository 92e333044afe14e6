use kernels::feed_forward::{Need, Size, Weights, backward, forward};
use proptest::prelude::*;

use crate::TOLERANCE;
use crate::data::{assert_close, numbers};
use crate::reference::{self, differences, evaluate};
use crate::tape::Var;

struct Case {
    /// x, w1, b1, w2, b2
    operands: [Vec<f32>; 5],
    dy: Vec<f32>,
    size: Size,
}

impl Case {
    fn new(rows: usize, hidden: usize, inner: usize) -> Self {
        Self {
            operands: [
                numbers(1, rows * hidden, 1.0),
                numbers(2, hidden * inner, 0.7),
                numbers(3, inner, 0.7),
                numbers(4, inner * hidden, 0.5),
                numbers(5, hidden, 0.5),
            ],
            dy: numbers(6, rows * hidden, 1.0),
            size: Size { hidden, inner },
        }
    }

    fn weights(&self) -> Weights<'_> {
        let [_, w1, b1, w2, b2] = &self.operands;
        Weights { w1, b1, w2, b2 }
    }
}

fn compare(rows: usize, hidden: usize, inner: usize) {
    use kernels::linear::Size as Linear;
    let case = Case::new(rows, hidden, inner);
    let (y, saved) = forward(&case.operands[0], case.weights(), case.size).unwrap();
    let got = backward(&case.dy, &case.operands[0], case.weights(), &saved, case.size, Need::ALL).unwrap();
    let [up, down] = [(hidden, inner), (inner, hidden)].map(|(inputs, outputs)| Linear { inputs, outputs });
    let definition = |v: &[Vec<Var>]| {
        let pre = reference::linear(&v[0], &v[1], Some(&v[2]), up);
        let activation: Vec<Var> = pre.into_iter().map(reference::gelu).collect();
        reference::linear(&activation, &v[3], Some(&v[4]), down)
    };
    let operands = case.operands.each_ref().map(|operand| &operand[..]);
    let expected = evaluate(&operands, &case.dy, definition);
    let got = [got.input, got.w1, got.b1, got.w2, got.b2].map(Option::unwrap);
    let check = |gradients: &[Vec<f64>]| {
        for (name, (got, expected)) in ["dx", "dw1", "db1", "dw2", "db2"].iter().zip(got.iter().zip(gradients)) {
            assert_close(name, got, expected, TOLERANCE);
        }
    };
    assert_close("y", &y, &expected.y, TOLERANCE);
    check(&expected.gradients);
    if rows * hidden * inner < 40 {
        check(&differences(&operands, &case.dy, definition));
    }
}

#[test]
fn awkward_sizes() {
    for (rows, hidden, inner) in [(1, 1, 1), (2, 3, 5), (257, 3, 4), (3, 17, 33), (19, 16, 64)] {
        compare(rows, hidden, inner);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn random_sizes(rows in 1usize..30, hidden in 1usize..24, inner in 1usize..40) {
        compare(rows, hidden, inner);
    }
}

#[test]
fn unneeded_gradients_are_absent_and_change_nothing() {
    let case = Case::new(9, 8, 12);
    let x = &case.operands[0];
    let (_, saved) = forward(x, case.weights(), case.size).unwrap();
    let run = |need| backward(&case.dy, x, case.weights(), &saved, case.size, need).unwrap();
    let all = run(Need::ALL);
    for bits in 0..32 {
        let need =
            Need { input: bits & 1 > 0, w1: bits & 2 > 0, b1: bits & 4 > 0, w2: bits & 8 > 0, b2: bits & 16 > 0 };
        let some = run(need);
        assert_eq!(some.input, all.input.clone().filter(|_| need.input));
        assert_eq!(some.w1, all.w1.clone().filter(|_| need.w1));
        assert_eq!(some.b1, all.b1.clone().filter(|_| need.b1));
        assert_eq!(some.w2, all.w2.clone().filter(|_| need.w2));
        assert_eq!(some.b2, all.b2.clone().filter(|_| need.b2));
    }
}

#[test]
fn gelu_is_exact_over_its_whole_range() {
    // A 1 x 1 block with unit weights is GELU itself.
    let xs: Vec<f32> = (-160_000..=160_000).map(|i| i as f32 * 1e-4).collect();
    let weights = Weights { w1: &[1.0], b1: &[0.0], w2: &[1.0], b2: &[0.0] };
    let size = Size { hidden: 1, inner: 1 };
    let (y, saved) = forward(&xs, weights, size).unwrap();
    let slope = backward(&vec![1.0; xs.len()], &xs, weights, &saved, size, Need::ALL).unwrap();
    let slope = slope.input.unwrap();
    for ((&x, &y), &slope) in xs.iter().zip(&y).zip(&slope) {
        let x = f64::from(x);
        let distribution = 0.5 * libm::erfc(-x / 2.0f64.sqrt());
        let density = (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt();
        // GELU / x = (1 + erf(x / sqrt 2)) / 2, so this bounds the error of erf by 1e-6.
        assert!((f64::from(y) - x * distribution).abs() <= 5e-7 * x.abs(), "GELU({x}) = {y}");
        assert!((f64::from(slope) - distribution - x * density).abs() <= 6e-7, "GELU'({x}) = {slope}");
        // Down to where the tail becomes exactly 0 it keeps its relative accuracy.
        if (-11.7..0.0).contains(&x) {
            assert!((f64::from(y) / (x * distribution) - 1.0).abs() <= 1e-5, "GELU({x}) = {y}");
        }
    }
    for x in [f32::NEG_INFINITY, f32::INFINITY, f32::NAN, 0.0, -0.0] {
        let (y, _) = forward(&[x], weights, size).unwrap();
        assert!(x.is_nan() == y[0].is_nan() || x.is_infinite(), "GELU({x}) = {}", y[0]);
    }
}

#[test]
fn wrong_shapes_are_refused() {
    let case = Case::new(3, 4, 5);
    let x = &case.operands[0];
    assert!(forward(&x[1..], case.weights(), case.size).is_err());
    let weights = Weights { b1: &[0.0; 4], ..case.weights() };
    assert_eq!(forward(x, weights, case.size).unwrap_err().to_string(), "b1 has 4 elements, but its shape [5] needs 5");
    let (_, saved) = forward(&x[4..], case.weights(), case.size).unwrap();
    assert!(backward(&case.dy, x, case.weights(), &saved, case.size, Need::ALL).is_err());
}
