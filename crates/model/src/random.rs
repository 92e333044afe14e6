use ::random::Generator;

/// Uniform draws, a function of (seed, purpose, name) alone and made on the host, so that every back end draws the same.
pub(crate) struct Uniform(Generator);

impl Uniform {
    pub fn new(seed: u64, purpose: &str, name: &str) -> Self {
        let key = blake3::hash(format!("{seed}/{purpose}/{name}").as_bytes());
        Self(::random::keyed(*key.as_bytes()))
    }

    /// In (0, 1): 53 random bits, shifted by half a step.
    pub fn draw(&mut self) -> f64 {
        ((::random::bits(&mut self.0) >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }
}

/// `count` draws from a normal distribution around 0.
pub(crate) fn normal(seed: u64, purpose: &str, name: &str, deviation: f64, count: usize) -> Vec<f32> {
    let mut uniform = Uniform::new(seed, purpose, name);
    // Box and Muller 1958: two uniform draws make one normal draw; the second is not needed often enough to be kept.
    (0..count)
        .map(|_| {
            let (radius, angle) = ((-2.0 * uniform.draw().ln()).sqrt(), std::f64::consts::TAU * uniform.draw());
            (deviation * radius * angle.cos()) as f32
        })
        .collect()
}

/// `count` draws from a normal distribution around 0, without those beyond two deviations.
pub(crate) fn truncated_normal(seed: u64, purpose: &str, name: &str, deviation: f64, count: usize) -> Vec<f32> {
    // One draw in 22 falls out; what remains of twice as many is enough but for counts of one or two.
    let mut spare = 2 * count + 64;
    loop {
        let mut draws = normal(seed, purpose, name, deviation, spare);
        draws.retain(|&draw| f64::from(draw.abs()) <= 2.0 * deviation);
        if draws.len() >= count {
            draws.truncate(count);
            return draws;
        }
        spare *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn truncated_draws_stay_within_two_deviations_and_keep_their_order() {
        let draws = truncated_normal(1, "adapter", "x", 0.01, 5_000);
        let variance = draws.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / 5_000.0;
        // The deviation of a normal distribution cut off at two deviations is 0.8796 of it.
        assert!(draws.iter().all(|x| x.abs() <= 0.02) && (variance.sqrt() - 0.008_796).abs() < 3e-4, "{variance}");
        assert_eq!(draws[..9], truncated_normal(1, "adapter", "x", 0.01, 9)[..]);
    }

    #[test]
    fn normal_draws_have_their_moments_and_depend_on_every_part_of_the_key() {
        let draws = normal(1, "head", "classifier.weight", 0.02, 20_000);
        let mean = draws.iter().map(|&x| f64::from(x)).sum::<f64>() / 20_000.0;
        let variance = draws.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / 20_000.0;
        assert!(mean.abs() < 5e-4 && (variance.sqrt() - 0.02).abs() < 3e-4, "{mean} {variance}");
        assert_eq!(draws[..8], normal(1, "head", "classifier.weight", 0.02, 8)[..]);
        for other in [normal(2, "head", "classifier.weight", 0.02, 8), normal(1, "head", "other", 0.02, 8)] {
            assert_ne!(draws[..8], other[..]);
        }
    }
}
