//! Mixout. Lee, Cho, Kang, ICLR 2020, arXiv 1909.11299.
//!
//! ```text
//! w' = ( mask w + (1 - mask) theta0 - p theta0 ) / (1 - p),      mask ~ Bernoulli(1 - p), one an input column
//! dL/dw = dL/dw' mask / (1 - p)                                  (`released`: dL/dw' mask)
//! ```
//!
//! With k = p / (1 - p) where the mask is 1 and -1 where it is 0 both become `w' = w + k (w - theta0)` and
//! `dL/dw = dL/dw' + k dL/dw'`. Only the weights of dense layers of the encoder are mixed; a mask holds for one sub-batch.
//! It stands in the place of the model's dropout, which is off unless `dropout` keeps it. Measurements use w.

use model::{Gradients, Learner, SavePoint};
use spec::{Mixout, MixoutBackward, MixoutDropout};

use super::displacement;
use crate::batch_source::SubBatch;
use crate::error::StrategyError;

/// Loss and gradient on one sub-batch; the learner's parameters are as before.
pub(crate) fn gradient(
    knobs: &Mixout,
    learner: &mut Learner,
    start: &SavePoint,
    sub: &SubBatch,
) -> Result<(f64, Gradients), StrategyError> {
    let p = knobs.p;
    let factor = |kept: f64| move |uniform: f64| if uniform < p { -1.0 } else { kept };
    let k = learner.by_input_column(sub.dropout_seed, &factor(p / (1.0 - p)))?;
    let mixed = k.multiply(&displacement(learner, start)?)?;
    let here = learner.save_point();
    learner.shift(&mixed, &|_| 1.0)?;
    let pass = |learner: &mut Learner| learner.loss_and_gradients(&sub.batch, sub.dropout_seed);
    let found = match knobs.dropout {
        MixoutDropout::Off => learner.without_dropout(pass),
        MixoutDropout::Kept => pass(learner),
    };
    learner.restore(&here);
    let (loss, gradient) = found?;
    let k = match knobs.backward {
        MixoutBackward::Exact => k,
        MixoutBackward::Released => learner.by_input_column(sub.dropout_seed, &factor(0.0))?,
    };
    let masked = k.multiply(&gradient)?;
    Ok((loss, gradient.add_scaled(&masked, 1.0)?))
}
