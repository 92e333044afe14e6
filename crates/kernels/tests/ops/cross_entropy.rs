use kernels::KernelError;
use kernels::cross_entropy::{IGNORED, Score, backward, forward, scores};
use proptest::prelude::*;

use crate::TOLERANCE;
use crate::data::{assert_close, numbers};
use crate::reference::{self, differences, evaluate};

fn compare(rows: usize, classes: usize, ignore_every: usize) {
    let logits = numbers(1, rows * classes, 3.0);
    let targets: Vec<i64> =
        (0..rows).map(|row| if row % ignore_every == 1 { IGNORED } else { (row * 5 % classes) as i64 }).collect();
    let d_loss = [1.7];
    let (loss, saved) = forward(&logits, &targets, classes).unwrap();
    let gradient = backward(d_loss[0], &logits, &targets, classes, &saved).unwrap();
    let definition = |v: &[Vec<crate::tape::Var>]| reference::cross_entropy(&v[0], &targets, classes);
    let expected = evaluate(&[&logits], &d_loss, definition);
    assert_close("loss", &[loss], &expected.y, TOLERANCE);
    assert_close("d logits", &gradient, &expected.gradients[0], TOLERANCE);
    if logits.len() < 40 {
        assert_close("d logits", &gradient, &differences(&[&logits], &d_loss, definition)[0], TOLERANCE);
    }
}

#[test]
fn awkward_shapes() {
    for (rows, classes, ignore_every) in [(1, 2, 2), (2, 3, 2), (5, 7, 3), (40, 17, 2), (3, 1000, 5)] {
        compare(rows, classes, ignore_every);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn random_shapes(rows in 1usize..40, classes in 2usize..60, ignore_every in 2usize..6) {
        compare(rows, classes, ignore_every);
    }
}

#[test]
fn scores_are_the_terms_of_the_mean_and_name_the_first_best_class() {
    let (rows, classes) = (37, 90);
    let logits = numbers(5, rows * classes, 3.0);
    let targets: Vec<i64> = (0..rows).map(|row| (row * 7 % classes) as i64).collect();
    let found = scores(&logits, &targets, classes).unwrap();
    let mean = found.iter().map(|score| f64::from(score.loss)).sum::<f64>() / rows as f64;
    let (loss, _) = forward(&logits, &targets, classes).unwrap();
    assert!((mean - f64::from(loss)).abs() < 1e-6 * mean);
    for (row, score) in logits.chunks(classes).zip(&found) {
        assert!(row.iter().all(|&logit| logit <= row[score.best]));
    }
    let ties = scores(&[1.0, 5.0, 5.0, 1e30, 0.0, -1e30], &[1, 2], 3).unwrap();
    assert_eq!(ties[0].best, 1);
    assert_eq!(ties[1], Score { loss: 2e30, best: 0 });
    assert!(scores(&[0.0; 3], &[IGNORED], 3).is_err() && scores(&[0.0; 2], &[0], 3).is_err());
}

#[test]
fn extreme_logits_have_finite_losses() {
    let logits = [1e30, -1e30, 0.0, 0.0, -5e4, 5e4];
    let (loss, saved) = forward(&logits, &[0, 1], 3).unwrap();
    // 0 in the first row, 1e5 in the second.
    assert_eq!(loss, 5e4);
    let gradient = backward(1.0, &logits, &[0, 1], 3, &saved).unwrap();
    assert_eq!(gradient, [0.0, 0.0, 0.0, 0.0, -0.5, 0.5]);
}

#[test]
fn ignored_rows_are_not_read() {
    let logits = [f32::NAN, f32::NAN, 0.5, 0.5];
    let (loss, saved) = forward(&logits, &[IGNORED, 1], 2).unwrap();
    assert!((loss - std::f32::consts::LN_2).abs() < 1e-7);
    let gradient = backward(1.0, &logits, &[IGNORED, 1], 2, &saved).unwrap();
    assert_eq!(gradient, [0.0, 0.0, 0.5, -0.5]);
}

#[test]
fn bad_targets_are_refused() {
    let target = |target| KernelError::Target { row: 1, target, classes: 2 };
    assert_eq!(forward(&[0.0; 4], &[0, 2], 2).unwrap_err(), target(2));
    assert_eq!(forward(&[0.0; 4], &[0, -1], 2).unwrap_err(), target(-1));
    assert_eq!(target(2).to_string(), "target 2 of row 1 is neither a class below 2 nor -100 (ignored)");
    assert_eq!(forward(&[0.0; 4], &[IGNORED; 2], 2).unwrap_err(), KernelError::NoTarget);
    assert!(forward(&[0.0; 3], &[0, 1], 2).is_err());
}
