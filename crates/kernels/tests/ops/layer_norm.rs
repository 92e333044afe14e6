use kernels::layer_norm::{Affine, Branch, backward, forward};
use kernels::{Dropout, dropout};
use proptest::prelude::*;

use crate::TOLERANCE;
use crate::data::{assert_close, numbers};
use crate::reference::{self, differences, evaluate};
use crate::tape::Var;

const EPSILON: f32 = 1e-5;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Plain,
    Residual,
    Dropped,
}

fn compare(rows: usize, hidden: usize, kind: Kind) {
    let x = numbers(1, rows * hidden, 1.0);
    let values = numbers(2, rows * hidden, 1.0);
    let gamma: Vec<f32> = numbers(3, hidden, 0.3).iter().map(|x| x + 1.0).collect();
    let beta = numbers(4, hidden, 0.3);
    let dy = numbers(5, rows * hidden, 1.0);
    let dropout = (kind == Kind::Dropped).then(|| Dropout::new(0.4, 11).unwrap());
    let ones = vec![1.0; values.len()];
    let factors = dropout.map_or(ones.clone(), |d| dropout::apply(&ones, hidden, d).unwrap());
    let affine = Affine { gamma: &gamma, beta: &beta, epsilon: EPSILON };
    let branch = (kind != Kind::Plain).then_some(Branch { values: &values, dropout });
    let (y, saved) = forward(&x, branch, affine).unwrap();
    let got = backward(&dy, &gamma, &saved).unwrap();

    let definition = |v: &[Vec<Var>]| {
        let branch = (kind != Kind::Plain).then_some((&v[1][..], &factors[..]));
        reference::layer_norm(&v[0], branch, &v[2], &v[3], f64::from(EPSILON))
    };
    let operands = [&x[..], &values, &gamma, &beta];
    let expected = evaluate(&operands, &dy, definition);
    let check = |gradients: &[Vec<f64>]| {
        assert_close("dx", &got.input, &gradients[0], TOLERANCE);
        match kind {
            Kind::Plain => assert_eq!(got.branch, None),
            Kind::Residual => assert_close("d branch", &got.input, &gradients[1], TOLERANCE),
            Kind::Dropped => assert_close("d branch", got.branch.as_ref().unwrap(), &gradients[1], TOLERANCE),
        }
        assert_close("d gamma", &got.gamma, &gradients[2], TOLERANCE);
        assert_close("d beta", &got.beta, &gradients[3], TOLERANCE);
    };
    assert_close("y", &y, &expected.y, TOLERANCE);
    check(&expected.gradients);
    if rows * hidden < 20 {
        check(&differences(&operands, &dy, definition));
    }
}

#[test]
fn awkward_shapes() {
    for kind in [Kind::Plain, Kind::Residual, Kind::Dropped] {
        for (rows, hidden) in [(1, 3), (2, 5), (3, 6), (65, 16), (7, 33), (130, 9)] {
            compare(rows, hidden, kind);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn random_shapes(rows in 1usize..80, hidden in 3usize..50, kind in 0usize..3) {
        compare(rows, hidden, [Kind::Plain, Kind::Residual, Kind::Dropped][kind]);
    }
}

#[test]
fn a_constant_row_becomes_beta() {
    // Variance 0: only epsilon keeps the division defined.
    let affine = Affine { gamma: &[2.0; 20], beta: &[0.25; 20], epsilon: 1e-12 };
    let (y, saved) = forward(&[3.0; 20], None, affine).unwrap();
    assert_eq!(y, [0.25; 20]);
    let gradients = backward(&[1.0; 20], affine.gamma, &saved).unwrap();
    assert!(gradients.input.iter().all(|x| x.is_finite()));
}

#[test]
fn a_large_mean_does_not_eat_the_variance() {
    let x: Vec<f32> = (0..64).map(|i| 4096.0 + (i % 2) as f32).collect();
    let affine = Affine { gamma: &[1.0; 64], beta: &[0.0; 64], epsilon: 0.0 };
    let (y, _) = forward(&x, None, affine).unwrap();
    for (i, y) in y.iter().enumerate() {
        assert!((y - if i % 2 == 0 { -1.0 } else { 1.0 }).abs() < 1e-6, "{y}");
    }
}

#[test]
fn wrong_shapes_are_refused() {
    let affine = Affine { gamma: &[1.0; 4], beta: &[0.0; 4], epsilon: 1e-5 };
    assert!(forward(&[1.0; 7], None, affine).is_err());
    assert!(forward(&[1.0; 8], None, Affine { beta: &[0.0; 3], ..affine }).is_err());
    let branch = Branch { values: &[1.0; 4], dropout: None };
    assert!(forward(&[1.0; 8], Some(branch), affine).is_err());
    let (_, saved) = forward(&[1.0; 8], None, affine).unwrap();
    assert!(backward(&[1.0; 4], affine.gamma, &saved).is_err());
    assert!(backward(&[1.0; 16], &[1.0; 8], &saved).is_err());
}
