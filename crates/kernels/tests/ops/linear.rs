use kernels::KernelError;
use kernels::linear::{Need, Size, backward, forward};
use proptest::prelude::*;

use crate::TOLERANCE;
use crate::data::{assert_close, numbers};
use crate::reference::{self, differences, evaluate};
use crate::tape::Var;

struct Case {
    x: Vec<f32>,
    weight: Vec<f32>,
    bias: Vec<f32>,
    dy: Vec<f32>,
    size: Size,
}

fn case(rows: usize, inputs: usize, outputs: usize) -> Case {
    Case {
        x: numbers(1, rows * inputs, 1.0),
        weight: numbers(2, inputs * outputs, 0.3),
        bias: numbers(3, outputs, 0.5),
        dy: numbers(4, rows * outputs, 1.0),
        size: Size { inputs, outputs },
    }
}

fn definition(size: Size) -> impl Fn(&[Vec<Var>]) -> Vec<Var> {
    move |v| reference::linear(&v[0], &v[1], Some(&v[2]), size)
}

fn compare(rows: usize, inputs: usize, outputs: usize) {
    let Case { x, weight, bias, dy, size } = case(rows, inputs, outputs);
    let y = forward(&x, &weight, Some(&bias), size).unwrap();
    let gradients = backward(&dy, &x, &weight, size, Need::ALL).unwrap();
    let expected = evaluate(&[&x, &weight, &bias], &dy, definition(size));
    assert_close("y", &y, &expected.y, TOLERANCE);
    assert_close("dx", &gradients.input.unwrap(), &expected.gradients[0], TOLERANCE);
    assert_close("dw", &gradients.weight.unwrap(), &expected.gradients[1], TOLERANCE);
    assert_close("db", &gradients.bias.unwrap(), &expected.gradients[2], TOLERANCE);

    let plain = forward(&x, &weight, None, size).unwrap();
    let expected = evaluate(&[&x, &weight], &dy, |v| reference::linear(&v[0], &v[1], None, size));
    assert_close("y without bias", &plain, &expected.y, TOLERANCE);
}

#[test]
fn awkward_sizes() {
    for (rows, inputs, outputs) in
        [(1, 1, 1), (1, 17, 3), (3, 1, 5), (257, 3, 2), (300, 5, 7), (2, 130, 3), (5, 16, 64)]
    {
        compare(rows, inputs, outputs);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn random_sizes(rows in 1usize..40, inputs in 1usize..40, outputs in 1usize..40) {
        compare(rows, inputs, outputs);
    }
}

#[test]
fn the_reference_agrees_with_differences() {
    let Case { x, weight, bias, dy, size } = case(3, 4, 2);
    let operands = [&x[..], &weight, &bias];
    let numeric = differences(&operands, &dy, definition(size));
    let gradients = backward(&dy, &x, &weight, size, Need::ALL).unwrap();
    assert_close("dx", &gradients.input.unwrap(), &numeric[0], TOLERANCE);
    assert_close("dw", &gradients.weight.unwrap(), &numeric[1], TOLERANCE);
    assert_close("db", &gradients.bias.unwrap(), &numeric[2], TOLERANCE);
}

#[test]
fn unneeded_gradients_are_absent_and_change_nothing() {
    let Case { x, weight, dy, size, .. } = case(9, 8, 6);
    let all = backward(&dy, &x, &weight, size, Need::ALL).unwrap();
    for bits in 0..8 {
        let need = Need { input: bits & 1 > 0, weight: bits & 2 > 0, bias: bits & 4 > 0 };
        let some = backward(&dy, &x, &weight, size, need).unwrap();
        assert_eq!(some.input, all.input.clone().filter(|_| need.input));
        assert_eq!(some.weight, all.weight.clone().filter(|_| need.weight));
        assert_eq!(some.bias, all.bias.clone().filter(|_| need.bias));
    }
}

#[test]
fn no_rows_give_empty_and_zero_results() {
    let Case { weight, bias, size, .. } = case(1, 4, 3);
    assert_eq!(forward(&[], &weight, Some(&bias), size).unwrap(), Vec::<f32>::new());
    let gradients = backward(&[], &[], &weight, size, Need::ALL).unwrap();
    assert_eq!(gradients.weight.unwrap(), vec![0.0; 12]);
    assert_eq!(gradients.bias.unwrap(), vec![0.0; 3]);
}

#[test]
fn nan_reaches_only_its_row() {
    let Case { mut x, weight, bias, size, .. } = case(4, 8, 5);
    x[8] = f32::NAN;
    let y = forward(&x, &weight, Some(&bias), size).unwrap();
    for (row, y) in y.chunks(5).enumerate() {
        assert!(y.iter().all(|y| y.is_nan() == (row == 1)), "row {row}: {y:?}");
    }
}

#[test]
fn wrong_shapes_are_refused() {
    let Case { x, weight, bias, dy, size } = case(3, 4, 2);
    let refused = |error: KernelError, text: &str| assert_eq!(error.to_string(), text);
    refused(
        forward(&x[1..], &weight, Some(&bias), size).unwrap_err(),
        "x has 11 elements, but its shape [2, 4] needs 8",
    );
    refused(forward(&x, &weight[1..], None, size).unwrap_err(), "weight has 7 elements, but its shape [4, 2] needs 8");
    refused(
        forward(&x, &weight, Some(&bias[1..]), size).unwrap_err(),
        "bias has 1 elements, but its shape [2] needs 2",
    );
    refused(
        backward(&dy[2..], &x, &weight, size, Need::ALL).unwrap_err(),
        "x has 12 elements, but its shape [2, 4] needs 8",
    );
    let none = Size { inputs: 0, outputs: 2 };
    assert_eq!(forward(&[], &[], None, none).unwrap_err(), KernelError::Empty { size: "inputs" });
}
