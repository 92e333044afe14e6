//! ULMFiT (Howard and Ruder 2018): gradual unfreezing, discriminative learning rates, slanted triangular learning rate.

use std::collections::BTreeMap;

use model::Group;
use spec::SpecError;

use super::cumulative::Cumulative;
use super::interval::Stage;
use super::state::Open;

#[derive(Debug, Clone)]
pub(super) struct Ulmfit {
    head: Vec<Group>,
    units: Cumulative,
    steps: u64,
    knobs: spec::Ulmfit,
}

impl Ulmfit {
    /// The head is the last layer and starts alone; the unit of rank `j` from the top follows after `j + 1` intervals
    /// (epochs in the paper).
    pub fn new(stage: &Stage, head: &[Group], knobs: &spec::Ulmfit) -> Result<Self, SpecError> {
        let count = stage.units.len() as u64;
        let interval = stage.interval(knobs.interval, stage.units.len(), |interval| count * interval)?;
        let units = Cumulative {
            order: stage.units.iter().rev().copied().collect(),
            openings: (1..=count).map(|rank| rank * interval).collect(),
        };
        Ok(Self { head: head.to_vec(), units, steps: stage.steps, knobs: knobs.clone() })
    }

    /// Discriminative rates: the head's is 1, and `lr_{l-1} = lr_l / decay`.
    pub fn open(&self, step: u64) -> Open {
        let head = self.head.iter().map(|&group| (group, 1.0));
        let depth = self.units.open(step).iter().zip(1i32..);
        let rates = head.chain(depth.map(|(&group, depth)| (group, self.knobs.decay.powi(-depth))));
        let rates: BTreeMap<Group, f64> = rates.collect();
        Open {
            groups: rates.keys().copied().collect(),
            rates,
            peak_share: Some(slanted_triangle(step, self.steps, self.knobs.cut, self.knobs.ratio)),
            fresh_optimizer: false,
        }
    }
}

/// Share of the peak at step `t` of `T`: `cut = floor(T cut_frac)`, `p = t / cut` below the cut and
/// `1 - (t - cut) / (cut (1 / cut_frac - 1))` from it on, rate `(1 + p (ratio - 1)) / ratio`.
///
/// Because of the floor, `p` falls below 0 before the end of short runs; it is held at 0, and the cut at 1 step or more.
fn slanted_triangle(step: u64, steps: u64, cut_share: f64, ratio: f64) -> f64 {
    let cut = (steps as f64 * cut_share).floor().max(1.0);
    let t = step as f64;
    let p = if t < cut { t / cut } else { 1.0 - (t - cut) / (cut * (1.0 / cut_share - 1.0)) };
    (1.0 + p.max(0.0) * (ratio - 1.0)) / ratio
}

#[cfg(test)]
mod tests {
    use super::slanted_triangle;

    #[test]
    fn a_slanted_triangle_by_hand() {
        let rates: Vec<f64> = (0..=20).map(|step| slanted_triangle(step, 20, 0.1, 32.0)).collect();
        // cut 2, falling over 18 steps.
        let expected = [(0, 1.0 / 32.0), (1, 16.5 / 32.0), (2, 1.0), (11, 16.5 / 32.0), (20, 1.0 / 32.0)];
        for (step, rate) in expected {
            assert!((rates[step] - rate).abs() < 1e-15, "{step}: {}", rates[step]);
        }
        assert!(rates[..3].is_sorted() && rates[2..].iter().rev().is_sorted());
    }

    #[test]
    fn a_short_stage_never_has_a_rate_below_the_lowest() {
        for steps in 1..40 {
            for step in 0..steps {
                let rate = slanted_triangle(step, steps, 0.1, 32.0);
                assert!((1.0 / 32.0..=1.0).contains(&rate), "{step} of {steps}: {rate}");
            }
        }
    }
}
