//! Laws of IMTL-G, which unlike other rules has no answer where gradients are linearly dependent.

mod rules_support;

use rules_support::*;
use strategies::rules::*;

fn impartial(rows: &[Vec<f64>]) -> Result<Combination, RuleError> {
    combine(&ImtlG::default(), &gram(rows))
}

/// Whether problems of this kind have linearly dependent gradients.
fn dependent(kind: Kind, rows: &[Vec<f64>]) -> bool {
    match kind {
        Kind::RankDeficient => rows.len() > rows[0].len(),
        Kind::Opposite | Kind::Duplicate => rows.len() > 1,
        Kind::Zero | Kind::AllZero => true,
        Kind::Generic | Kind::Huge | Kind::Tiny | Kind::MixedScales | Kind::NearlyParallel => false,
    }
}

/// Length of what the weights add up, before anything cancels.
fn terms(weights: &[f64], rows: &[Vec<f64>]) -> f64 {
    weights.iter().zip(rows).map(|(weight, row)| weight.abs() * norm(row)).sum()
}

#[test]
fn projections_on_all_gradients_are_equal_and_dependent_gradients_are_refused() {
    let (mut solved, mut too_near) = (0, 0);
    for_problems(30, |kind, rows, _| {
        let found = match impartial(rows) {
            Ok(found) if !dependent(kind, rows) => found,
            Err(RuleError::Solve(SolveError::Singular { .. })) if dependent(kind, rows) => return,
            // A few of these are within 1e-6 of dependence.
            Err(RuleError::Solve(SolveError::Singular { .. })) if kind == Kind::NearlyParallel => {
                too_near += 1;
                return;
            }
            other => panic!("{kind:?}: {other:?} of {rows:?}"),
        };
        solved += 1;
        let size: f64 = found.weights.iter().map(|weight| weight.abs()).sum();
        assert!((found.weights.iter().sum::<f64>() - 1.0).abs() <= 1e-14 * size, "{kind:?}: {found:?}");
        let gradient = expand(&found.weights, rows);
        let projections: Vec<f64> = rows.iter().map(|row| dot(row, &gradient) / norm(row)).collect();
        let noise = 1e-13 * terms(&found.weights, rows);
        for projection in &projections {
            let error = (projection - projections[0]).abs();
            assert!(error <= noise, "{kind:?}: {projections:?} {noise} of {rows:?}");
            if kind == Kind::Generic {
                assert!(error <= 1e-6 * projections[0].abs(), "{projections:?} of {rows:?}");
            }
        }
    });
    assert!(solved >= 5 * PER_KIND && too_near <= PER_KIND / 20, "{solved} {too_near}");
}

#[test]
fn the_order_of_gradients_does_not_matter() {
    for_problems(31, |kind, rows, random| {
        let Ok(found) = impartial(rows) else { return };
        let order = random.permutation(rows.len());
        let permuted: Rows = order.iter().map(|i| rows[*i].clone()).collect();
        let again = impartial(&permuted).unwrap();
        let (x, y) = (expand(&found.weights, rows), expand(&again.weights, &permuted));
        assert!(distance(&x, &y) <= 1e-7 * terms(&found.weights, rows), "{kind:?}: {x:?} {y:?} of {rows:?}");
    });
}

#[test]
fn a_common_scale_changes_no_weight() {
    for_problems(32, |kind, rows, random| {
        let Ok(found) = impartial(rows) else { return };
        let factor = [1e-20, 0.125, 3.0, 1e20][random.below(4)];
        let again = impartial(&scaled(rows, factor)).unwrap();
        // The gradients' rounding errors are magnified as far as the gradients are dependent.
        let error = distance(&terms_of(&found.weights, rows), &terms_of(&again.weights, rows));
        let tolerance = if factor == 0.125 { 0.0 } else { 1e-5 };
        assert!(error <= tolerance * terms(&found.weights, rows), "{kind:?} by {factor}: {error} of {rows:?}");
    });
}

fn terms_of(weights: &[f64], rows: &[Vec<f64>]) -> Vec<f64> {
    weights.iter().zip(rows).map(|(weight, row)| weight * norm(row)).collect()
}

#[test]
fn the_length_of_one_gradient_changes_the_result_in_length_only() {
    let mut random = Random::new(33);
    for _ in 0..1000 {
        let m = 2 + random.below(4);
        let mut rows = random.rows(m, m + 3);
        let before = direction(&ImtlG::default(), &rows);
        let factor = 10f64.powf(4.0 * random.uniform() - 2.0);
        rows[0].iter_mut().for_each(|value| *value *= factor);
        let after = direction(&ImtlG::default(), &rows);
        let cosine = dot(&before, &after) / norm(&before) / norm(&after);
        assert!((cosine.abs() - 1.0).abs() < 1e-9, "{cosine} by {factor} of {rows:?}");
    }
}

#[test]
fn few_gradients_have_closed_forms() {
    let mut random = Random::new(34);
    for _ in 0..1000 {
        let rows = random.rows(2, 4);
        assert_eq!(impartial(&rows[..1]).unwrap().weights, [1.0]);
        // The bisector: each weighs as much as the other is long.
        let (a, b) = (norm(&rows[0]), norm(&rows[1]));
        assert!(distance(&impartial(&rows).unwrap().weights, &[b / (a + b), a / (a + b)]) < 1e-12, "{rows:?}");
    }
    let orthonormal = [vec![0.0, 1.0, 0.0], vec![1.0, 0.0, 0.0], vec![0.0, 0.0, -1.0]];
    assert_eq!(impartial(&orthonormal).unwrap().weights, [1.0 / 3.0; 3]);
}

#[test]
fn what_has_no_answer_says_why() {
    let message = |rows: &[Vec<f64>]| impartial(rows).unwrap_err().to_string();
    assert!(message(&[vec![1.0, 2.0], vec![0.0, 0.0]]).contains("a gradient is zero"));
    assert!(message(&[vec![1.0, 2.0], vec![-2.0, -4.0]]).contains("linearly dependent"));
    // Cosines 0.8, 0.8 and 0.4 give z = (-5/3, 5/3, 5/3): with the lengths 1, 2, 2 its weights add up to 0, and with a
    // first gradient that is any shorter the projections are negative.
    let with_first = |length: f64| {
        let cross = 1.6 * length;
        Gram::new(3, vec![length * length, cross, cross, cross, 4.0, 1.6, cross, 1.6, 4.0]).unwrap()
    };
    let error = combine(&ImtlG::default(), &with_first(1.0)).unwrap_err().to_string();
    assert!(error.contains("no such weights have the sum 1"), "{error}");
    for (length, negative) in [(0.9, true), (1.1, false)] {
        let gram = with_first(length);
        let products = combine(&ImtlG::default(), &gram).unwrap().products(&gram, None);
        assert!(products.iter().all(|product| (*product < 0.0) == negative), "{products:?}");
    }
}
