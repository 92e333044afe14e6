use spec::Kernel;

/// kappa(d), in `[0, 1]`, for `d >= 0`.
pub fn kappa(kernel: Kernel, d: f64, tau: f64) -> f64 {
    match kernel {
        Kernel::Exp => (-d / tau).exp(),
        Kernel::Linear => (1.0 - d / tau).max(0.0),
        Kernel::Threshold => f64::from(u8::from(d <= tau)),
    }
}

/// `softmax_u(-d_u / tau)`, of at least one distance.
pub(super) fn softmax(distances: &[f64], tau: f64) -> Vec<f64> {
    // The nearest gives exp(0), so that the sum is never 0.
    let nearest = distances.iter().copied().fold(f64::INFINITY, f64::min);
    let weights: Vec<f64> = distances.iter().map(|d| (-(d - nearest) / tau).exp()).collect();
    let total: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / total).collect()
}

/// The middle value, or the mean of the middle two; `None` of nothing.
pub(super) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() % 2 {
        1 => Some(values[middle]),
        _ => Some(0.5 * (values.get(middle.checked_sub(1)?)? + values[middle])),
    }
}
