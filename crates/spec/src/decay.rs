use std::f64::consts::PI;
use std::fmt;

use serde::{Deserialize, Serialize};

/// How a learning rate goes on after its warm-up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decay {
    /// It falls to 0 in a straight line (Devlin et al. 2019, A.2).
    #[default]
    Linear,
    /// It stays.
    Constant,
    /// It falls to 0 along half a wave (Loshchilov and Hutter 2017, equation 5, without restarts).
    Cosine,
}

impl Decay {
    pub(crate) fn is_linear(&self) -> bool {
        *self == Self::Linear
    }

    /// The rate at a step (from 0) of `steps`: from 0 to `peak` over the first `warmup` share of them, then as it decays.
    ///
    /// The number of warm-up steps is rounded up, as in the Transformers library's trainer, so the first step of a run with
    /// warm-up has a rate of 0.
    pub fn rate(self, peak: f64, warmup: f64, step: u64, steps: u64) -> f64 {
        let rising = (warmup * steps as f64).ceil() as u64;
        if step < rising {
            return peak * step as f64 / rising.max(1) as f64;
        }
        let falling = steps.saturating_sub(rising).max(1) as f64;
        match self {
            Self::Linear => peak * steps.saturating_sub(step) as f64 / falling,
            Self::Constant => peak,
            Self::Cosine => peak * 0.5 * (1.0 + (PI * ((step - rising) as f64 / falling).min(1.0)).cos()),
        }
    }
}

impl fmt::Display for Decay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Linear => "linear",
            Self::Constant => "constant",
            Self::Cosine => "cosine",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Decay;

    /// transformers 5.24: `get_{linear,constant,cosine}_schedule_with_warmup`, 2 steps of warm-up of 6, base rate 1.
    #[test]
    fn rates_are_those_of_transformers() {
        let rates = |decay: Decay| (0..7).map(|step| decay.rate(1.0, 0.2, step, 6)).collect::<Vec<f64>>();
        assert_eq!(rates(Decay::Linear), [0.0, 0.5, 1.0, 0.75, 0.5, 0.25, 0.0]);
        assert_eq!(rates(Decay::Constant), [0.0, 0.5, 1.0, 1.0, 1.0, 1.0, 1.0]);
        let cosine = [0.0, 0.5, 1.0, 0.853_553_390_593_273_8, 0.5, 0.146_446_609_406_726_24, 0.0];
        for (found, expected) in rates(Decay::Cosine).into_iter().zip(cosine) {
            assert!((found - expected).abs() < 1e-15, "{found} {expected}");
        }
    }

    #[test]
    fn edges_are_finite() {
        assert_eq!(Decay::Linear.rate(1.0, 0.0, 0, 4), 1.0);
        assert_eq!(Decay::Linear.rate(1.0, 1.0, 3, 4), 0.75);
        assert_eq!(Decay::Linear.rate(1.0, 1.0, 4, 4), 0.0);
        assert_eq!(Decay::Linear.rate(1.0, 0.1, 0, 1), 0.0);
        assert_eq!(Decay::Cosine.rate(1.0, 1.0, 4, 4), 1.0);
        assert_eq!(Decay::Cosine.rate(1.0, 0.0, 9, 4), 0.0);
    }
}
