/// Linear warm-up from 0 over the first `warmup` share of `steps`, then linear decay to 0 (Devlin et al. 2019, A.2).
///
/// `step` counts from 0. The number of warm-up steps is rounded up, as in the Transformers library's trainer, so the
/// first step of a run with warm-up has a rate of 0.
pub fn linear_warmup_decay(peak: f64, warmup: f64, step: u64, steps: u64) -> f64 {
    let rising = (warmup * steps as f64).ceil() as u64;
    if step < rising {
        peak * step as f64 / rising.max(1) as f64
    } else {
        peak * steps.saturating_sub(step) as f64 / steps.saturating_sub(rising).max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::linear_warmup_decay;

    #[test]
    fn matches_the_schedule_of_transformers() {
        // get_linear_schedule_with_warmup(num_warmup_steps=2, num_training_steps=6), base rate 1.
        let rates: Vec<f64> = (0..7).map(|step| linear_warmup_decay(1.0, 0.2, step, 6)).collect();
        assert_eq!(rates, [0.0, 0.5, 1.0, 0.75, 0.5, 0.25, 0.0]);
    }

    #[test]
    fn edges_are_finite() {
        assert_eq!(linear_warmup_decay(1.0, 0.0, 0, 4), 1.0);
        assert_eq!(linear_warmup_decay(1.0, 1.0, 3, 4), 0.75);
        assert_eq!(linear_warmup_decay(1.0, 1.0, 4, 4), 0.0);
        assert_eq!(linear_warmup_decay(1.0, 0.1, 0, 1), 0.0);
    }
}
