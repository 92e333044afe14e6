//! Row-sparse vectors against the same vectors in full: equal bits, not close numbers.

use kernels::adamw::{self, Moments, Step, live_rows, step_rows};
use kernels::combine::{Combination, combine};
use kernels::embedding;
use kernels::reduce::{dot, gram};
use kernels::rows::{RowSparse, Vector};
use proptest::prelude::*;

use crate::data::numbers;

/// A gradient of some rows of a table `[rows, hidden]`; rows may be asked for twice.
fn sparse(seed: u64, ids: &[u32], hidden: usize) -> RowSparse {
    embedding::backward(&numbers(seed, ids.len() * hidden, 1.0), ids, hidden).unwrap()
}

fn full(sparse: &RowSparse, len: usize) -> Vec<f32> {
    let mut dense = vec![0.0; len];
    for (row, values) in sparse.iter() {
        dense[row as usize * sparse.hidden..][..sparse.hidden].copy_from_slice(values);
    }
    dense
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// Tables of 700 rows have several pieces of a sum, whose borders fall into rows.
const ROWS: usize = 700;

fn ids() -> impl Strategy<Value = Vec<u32>> {
    prop_oneof![
        prop::collection::vec(0..ROWS as u32, 0..300),
        Just((0..ROWS as u32).collect()),
        Just(vec![3; 50]),
        Just(Vec::new()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn products_equal_those_of_full_vectors(a in ids(), b in ids(), hidden in 1usize..70) {
        let len = ROWS * hidden;
        let (a, b, dense) = (sparse(1, &a, hidden), sparse(2, &b, hidden), numbers(3, len, 1.0));
        let (full_a, full_b) = (full(&a, len), full(&b, len));
        let sets = [Vector::Rows(&a), Vector::Rows(&b), Vector::Dense(&dense)];
        let fulls = [Vector::Dense(&full_a), Vector::Dense(&full_b), Vector::Dense(&dense)];
        let all = |sets: [Vector<'_>; 3]| gram(&[sets.map(Some).to_vec()]).unwrap().remove(0);
        let (found, expected) = (all(sets), all(fulls));
        for i in 0..3 {
            for j in 0..3 {
                let product = dot(fulls[i], fulls[j]).unwrap();
                prop_assert_eq!(found[i * 3 + j].to_bits(), product.to_bits());
                prop_assert_eq!(expected[i * 3 + j].to_bits(), product.to_bits());
            }
        }
    }

    #[test]
    fn combinations_equal_those_of_full_vectors(terms in prop::collection::vec(ids(), 1..5), hidden in 1usize..40) {
        let len = ROWS * hidden;
        let weights = [0.3f32, -1.7, 1.0, 0.25];
        let terms: Vec<RowSparse> =
            terms.iter().enumerate().map(|(i, ids)| sparse(i as u64, ids, hidden)).collect();
        let weighted: Vec<(&RowSparse, f32)> = terms.iter().zip(weights).collect();
        let found = RowSparse::combine(&weighted).unwrap();
        prop_assert!(found.rows.is_sorted_by(|a, b| a < b));

        let fulls: Vec<Vec<f32>> = terms.iter().map(|term| full(term, len)).collect();
        let plain: Vec<f32> = (0..len)
            .map(|k| fulls.iter().zip(weights).skip(1).fold(fulls[0][k] * weights[0], |sum, (x, w)| sum + x[k] * w))
            .collect();
        let mut sum = fulls[0].clone();
        let others = fulls[1..].iter().zip(&weights[1..]).map(|(term, &weight)| (term.as_slice(), weight)).collect();
        combine(vec![Combination { sum: &mut sum, first: weights[0], terms: others }]).unwrap();
        // A sum over fewer terms may differ in the sign of a zero, and equality of numbers allows that.
        prop_assert_eq!(&found.to_dense(len).unwrap(), &plain);
        prop_assert_eq!(bits(&sum), bits(&plain));
    }

    #[test]
    fn elementwise_products_keep_the_rows_of_both(a in ids(), b in ids(), hidden in 1usize..9) {
        let len = ROWS * hidden;
        let (a, b) = (sparse(1, &a, hidden), sparse(2, &b, hidden));
        let expected: Vec<f32> = full(&a, len).iter().zip(full(&b, len)).map(|(a, b)| a * b).collect();
        let full_b = full(&b, len);
        for other in [Vector::Rows(&b), Vector::Dense(&full_b)] {
            prop_assert_eq!(&a.multiply(other).unwrap().to_dense(len).unwrap(), &expected);
        }
    }

    #[test]
    fn optimiser_steps_equal_those_of_full_gradients(
        steps in prop::collection::vec(ids(), 1..6),
        hidden in 1usize..20,
        weight_decay in prop_oneof![Just(0.0), Just(0.1)],
    ) {
        let len = ROWS * hidden;
        let start = numbers(9, len, 1.0);
        let mut dense = [start.clone(), vec![0.0; len], vec![0.0; len]];
        let mut rows = dense.clone();
        let mut live: Vec<u32> = Vec::new();
        for (t, ids) in steps.iter().enumerate() {
            let gradient = sparse(t as u64, ids, hidden);
            let step = Step {
                gradient_scale: 0.7,
                learning_rate: 1e-2,
                beta1: 0.9,
                beta2: 0.999,
                epsilon: 1e-8,
                weight_decay,
                bias_correction1: 1.0 - 0.9f64.powi(t as i32 + 1),
                bias_correction2: 1.0 - 0.999f64.powi(t as i32 + 1),
            };
            let [p, first, second] = &mut dense;
            adamw::step(p, &full(&gradient, len), Moments { first, second }, &step).unwrap();
            let [p, first, second] = &mut rows;
            // A resumed run finds the live rows in the moments.
            let found = live_rows(first, second, hidden);
            prop_assert!(found.iter().all(|row| live.contains(row)));
            live = if t % 2 == 0 { live } else { found };
            step_rows(p, &gradient, &mut live, Moments { first, second }, &step).unwrap();
            for (dense, rows) in dense.iter().zip(&rows) {
                prop_assert_eq!(bits(dense), bits(rows));
            }
        }
    }
}

#[test]
fn rows_that_nothing_touched_do_not_move_without_decay() {
    let (mut p, mut first, mut second) = (numbers(1, 40, 1.0), vec![0.0; 40], vec![0.0; 40]);
    let before = p.clone();
    let step = Step {
        gradient_scale: 1.0,
        learning_rate: 0.1,
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
        weight_decay: 0.0,
        bias_correction1: 0.1,
        bias_correction2: 0.001,
    };
    let mut live = vec![7];
    let moments = Moments { first: &mut first, second: &mut second };
    step_rows(&mut p, &sparse(1, &[2, 2], 4), &mut live, moments, &step).unwrap();
    assert_eq!(live, [2, 7]);
    let moved: Vec<usize> = (0..10).filter(|row| p[row * 4..][..4] != before[row * 4..][..4]).collect();
    assert_eq!(moved, [2]);
}

#[test]
fn bad_calls_are_refused() {
    let outside = sparse(1, &[9], 4);
    assert!(outside.to_dense(36).is_err());
    assert!(outside.to_dense(40).is_ok());
    assert!(dot(Vector::Rows(&outside), Vector::Dense(&[0.0; 36])).is_err());
    assert!(dot(Vector::Rows(&outside), Vector::Rows(&sparse(1, &[9], 3))).is_err());
    assert!(RowSparse::combine(&[]).is_err());
    assert!(RowSparse::combine(&[(&outside, 1.0), (&sparse(1, &[9], 3), 1.0)]).is_err());
    assert!(combine(vec![Combination { sum: &mut [0.0], first: 1.0, terms: vec![(&[1.0, 2.0], 1.0)] }]).is_err());
    assert!(gram(&[vec![Some(Vector::Dense(&[1.0])), Some(Vector::Dense(&[1.0, 2.0]))]]).is_err());
}
