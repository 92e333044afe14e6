//! What holds the parameters near theta0, their values at the start of the stage: one file a method.
//!
//! Whatever trains has a theta0, the head of an earlier stage and adapters too, unless it is new in the stage: what was just
//! drawn at random is nothing to hold on to.
//!
//! L2-SP and EWC add the gradient of their penalty to the rule's; RecAdam takes the optimiser's step in its own way;
//! Mixout evaluates losses at mixed parameters. theta0 is one more copy of the parameters in memory and in checkpoints.

mod ewc;
mod l2_sp;
pub(crate) mod mixout;
mod rec_adam;

use model::{Gradients, Group, Learner, SavePoint, StepNorms};
use spec::{Anchor, Stage};

use crate::error::StrategyError;

/// `theta - theta0` of the parameters that have one and train now, 0 elsewhere.
pub(crate) fn displacement(learner: &Learner, start: &SavePoint) -> Result<Gradients, StrategyError> {
    let moved = learner.displacement(start)?;
    Ok(learner.part(&moved, &|part| !part.is_new))
}

/// The direction with the gradient of the anchor's penalty.
pub(crate) fn pulled(
    anchor: &Anchor,
    direction: Gradients,
    learner: &Learner,
    start: Option<&SavePoint>,
    fisher: Option<&Gradients>,
) -> Result<Gradients, StrategyError> {
    match (anchor, start, fisher) {
        (Anchor::L2Sp(knobs), Some(start), _) => l2_sp::pulled(knobs, direction, learner, start),
        (Anchor::Ewc(knobs), Some(start), Some(fisher)) => ewc::pulled(knobs, direction, learner, start, fisher),
        _ => Ok(direction),
    }
}

/// The optimiser's step.
pub(crate) fn step(
    anchor: &Anchor,
    direction: Gradients,
    learner: &mut Learner,
    start: Option<&SavePoint>,
    (stage, step): (&Stage, u64),
    learning_rate: &dyn Fn(Group) -> f64,
) -> Result<StepNorms, StrategyError> {
    match (anchor, start) {
        (Anchor::RecAdam(knobs), Some(start)) => {
            rec_adam::step(knobs, direction, learner, start, (stage, step), learning_rate)
        }
        _ => Ok(learner.step_by_group(direction, learning_rate)?),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use spec::{Backend, Batch, Ewc, Head, L2Sp, Labels, Mixout, MixoutBackward, Targets};

    use super::*;
    use crate::batch_source::SubBatch;

    const WEIGHT: &str = "encoder.layer.1.attention.self.query.weight";

    /// A learner some steps away from its start, and the batch that it trains on.
    fn moved() -> (Learner, SavePoint, SubBatch) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/tiny-encoder");
        let mut learner = Learner::load(&folder, Backend::Cpu).unwrap();
        learner.set_head(None, Head::RowLabels { labels: Labels::numbered(2) }, 1).unwrap();
        let batch = Batch {
            ids: vec![2, 20, 30, 3, 2, 40, 50, 3],
            type_ids: vec![0; 8],
            lengths: vec![4, 4],
            seq: 4,
            targets: Targets::Classes(vec![0, 1]),
            ..Batch::default()
        };
        let start = learner.save_point();
        for step in 0..3 {
            let (_, gradient) = learner.loss_and_gradients(&batch, step).unwrap();
            learner.step(gradient, 1e-2).unwrap();
        }
        (learner, start, SubBatch { batch, dropout_seed: 9 })
    }

    fn on(learner: &Learner, gradients: &Gradients) -> Vec<f32> {
        learner.gradient(gradients, WEIGHT).unwrap().unwrap()
    }

    #[test]
    fn ewc_with_unit_fisher_is_l2_sp_without_beta() {
        let (mut learner, start, sub) = moved();
        let (_, gradient) = learner.loss_and_gradients(&sub.batch, 0).unwrap();
        let ones = learner.by_input_column(0, &|_| 1.0).unwrap();
        let ewc = Anchor::Ewc(Ewc { lambda: 0.25, ..Ewc::default() });
        let l2_sp = Anchor::L2Sp(L2Sp { alpha: 0.25, beta: 0.0 });
        let a = pulled(&ewc, gradient.clone(), &learner, Some(&start), Some(&ones)).unwrap();
        let b = pulled(&l2_sp, gradient.clone(), &learner, Some(&start), None).unwrap();
        assert_eq!(on(&learner, &a), on(&learner, &b));
        assert_ne!(on(&learner, &a), on(&learner, &gradient));
        // Without the 1/2 the pull is twice as strong.
        let doubled = Anchor::Ewc(Ewc { lambda: 0.125, half_factor: false, ..Ewc::default() });
        let c = pulled(&doubled, gradient, &learner, Some(&start), Some(&ones)).unwrap();
        assert_eq!(on(&learner, &a), on(&learner, &c));
        // A new head has no start: L2-SP's beta alone pulls at it.
        let beta = Anchor::L2Sp(L2Sp { alpha: 0.0, beta: 0.5 });
        let zero = learner.combine(vec![b], &[0.0]).unwrap();
        let d = pulled(&beta, zero, &learner, Some(&start), None).unwrap();
        let head = |gradients| learner.gradient(gradients, "classifier.weight").unwrap().unwrap();
        let halves: Vec<f32> = learner.parameter("classifier.weight").unwrap().iter().map(|w| 0.5 * w).collect();
        assert_eq!(head(&d), halves);
        assert!(on(&learner, &d).iter().all(|value| *value == 0.0));
    }

    #[test]
    fn mixout_mixes_by_input_column_and_scales_the_gradient() {
        let (mut learner, start, sub) = moved();
        learner.set_dropout(Some(0.0));
        let p = 0.25;
        let now = learner.parameter(WEIGHT).unwrap();
        let here = learner.save_point();
        learner.restore(&start);
        let then = learner.parameter(WEIGHT).unwrap();
        learner.restore(&here);

        // The mask, by its values on the weight `[out, in]`.
        let mask = learner.by_input_column(9, &|uniform| f64::from(u8::from(uniform >= p))).unwrap();
        let mask = on(&learner, &mask);
        let columns = learner.config().hidden_size;
        assert!(mask.chunks(columns).all(|row| row == &mask[..columns]), "one draw an input column");
        assert!(mask.contains(&0.0) && mask.contains(&1.0));

        // The paper's forward formula on this weight.
        let k = learner.by_input_column(9, &|uniform| if uniform < p { -1.0 } else { p / (1.0 - p) }).unwrap();
        let mixed = k.multiply(&displacement(&learner, &start).unwrap()).unwrap();
        learner.shift(&mixed, &|_| 1.0).unwrap();
        let p = p as f32;
        let found = learner.parameter(WEIGHT).unwrap();
        for (((mixed, w), u), mask) in found.iter().zip(&now).zip(&then).zip(&mask) {
            let expected = (mask * w + (1.0 - mask) * u - p * u) / (1.0 - p);
            assert!((mixed - expected).abs() <= 1e-5 * (1.0 + expected.abs()), "{mixed} {expected}");
        }
        let (loss, inner) = learner.loss_and_gradients(&sub.batch, 9).unwrap();
        let inner = on(&learner, &inner);
        learner.restore(&here);

        for (backward, scale) in [(MixoutBackward::Exact, 1.0 / (1.0 - p)), (MixoutBackward::Released, 1.0)] {
            let knobs = Mixout { p: p.into(), backward, ..Mixout::default() };
            let (same, gradient) = mixout::gradient(&knobs, &mut learner, &start, &sub).unwrap();
            assert_eq!(same, loss);
            for ((found, inner), mask) in on(&learner, &gradient).iter().zip(&inner).zip(&mask) {
                assert!((found - mask * scale * inner).abs() <= 1e-6 * (1.0 + inner.abs()), "{backward:?}");
            }
            assert_eq!(learner.parameter(WEIGHT).unwrap(), now, "the parameters are as before");
        }
    }

    #[test]
    fn mixout_agrees_with_the_references_numbers() {
        // p = .25, w = (2, 2, 1, 0), u = (1, 2, 3, 4), mask = (1, 0, 1, 0), as w + k (w - u).
        let k = |mask: bool| if mask { 0.25 / 0.75 } else { -1.0 };
        let cases =
            [(2.0, 1.0, true, 7.0 / 3.0), (2.0, 2.0, false, 2.0), (1.0, 3.0, true, 1.0 / 3.0), (0.0, 4.0, false, 4.0)];
        for (w, u, mask, expected) in cases {
            let mixed: f64 = w + k(mask) * (w - u);
            assert!(
                (mixed - expected).abs() < 1e-12 && (1.0 + k(mask) - f64::from(u8::from(mask)) / 0.75).abs() < 1e-12
            );
        }
    }
}
