use kernels::KernelError;
use kernels::linear::{self, Need};
use kernels::tied::{Size, backward, forward};
use proptest::prelude::*;

use crate::TOLERANCE;
use crate::data::{assert_close, numbers};
use crate::reference::{self, evaluate};
use crate::tape::Var;

fn compare(rows: usize, hidden: usize, words: usize) {
    let (x, table) = (numbers(1, rows * hidden, 1.0), numbers(2, words * hidden, 0.3));
    let (bias, dy) = (numbers(3, words, 0.5), numbers(4, rows * words, 1.0));
    let size = Size { hidden, words };
    let definition = |v: &[Vec<Var>]| {
        let weight: Vec<Var> =
            (0..hidden).flat_map(|i| (0..words).map(move |o| o * hidden + i)).map(|at| v[1][at]).collect();
        reference::linear(&v[0], &weight, Some(&v[2]), linear::Size { inputs: hidden, outputs: words })
    };
    let y = forward(&x, &table, &bias, size).unwrap();
    let all = backward(&dy, &x, &table, size, Need::ALL).unwrap();
    let expected = evaluate(&[&x, &table, &bias], &dy, definition);
    assert_close("y", &y, &expected.y, TOLERANCE);
    assert_close("dx", all.input.as_ref().unwrap(), &expected.gradients[0], TOLERANCE);
    assert_close("d table", all.weight.as_ref().unwrap(), &expected.gradients[1], TOLERANCE);
    assert_close("db", all.bias.as_ref().unwrap(), &expected.gradients[2], TOLERANCE);
    for bits in 0..8 {
        let need = Need { input: bits & 1 > 0, weight: bits & 2 > 0, bias: bits & 4 > 0 };
        let some = backward(&dy, &x, &table, size, need).unwrap();
        assert_eq!(some.input, all.input.clone().filter(|_| need.input));
        assert_eq!(some.weight, all.weight.clone().filter(|_| need.weight));
        assert_eq!(some.bias, all.bias.clone().filter(|_| need.bias));
    }
}

#[test]
fn awkward_sizes() {
    // 600 rows take a copy of the transposed table, fewer a view.
    for (rows, hidden, words) in [(1, 1, 1), (1, 17, 3), (3, 1, 5), (600, 3, 5), (2, 7, 300)] {
        compare(rows, hidden, words);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn random_sizes(rows in 1usize..30, hidden in 1usize..30, words in 1usize..30) {
        compare(rows, hidden, words);
    }
}

#[test]
fn wrong_shapes_are_refused() {
    let size = Size { hidden: 2, words: 3 };
    let refused = |error: KernelError, text: &str| assert_eq!(error.to_string(), text);
    let (x, table, bias) = ([0.0; 4], [0.0; 6], [0.0; 3]);
    refused(forward(&x[1..], &table, &bias, size).unwrap_err(), "x has 3 elements, but its shape [1, 2] needs 2");
    refused(forward(&x, &table[1..], &bias, size).unwrap_err(), "table has 5 elements, but its shape [3, 2] needs 6");
    refused(forward(&x, &table, &bias[1..], size).unwrap_err(), "bias has 2 elements, but its shape [3] needs 3");
    refused(
        backward(&[0.0; 6], &x[2..], &table, size, Need::ALL).unwrap_err(),
        "x has 2 elements, but its shape [2, 2] needs 4",
    );
    let none = Size { hidden: 0, words: 3 };
    assert_eq!(forward(&[], &[], &bias, none).unwrap_err(), KernelError::Empty { size: "hidden" });
}
