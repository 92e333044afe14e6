//! Holm's correction.

use crate::error::StatisticsError;

/// Holm's step-down adjustment (Holm, Scandinavian Journal of Statistics 1979): p-values that can be compared with the
/// level directly while the chance of any false rejection stays below it. In the given order.
///
/// # Errors
/// A value outside 0..=1.
pub fn holm(p_values: &[f64]) -> Result<Vec<f64>, StatisticsError> {
    if let Some((index, &value)) = p_values.iter().enumerate().find(|(_, p)| !(0.0..=1.0).contains(*p)) {
        return Err(StatisticsError::NotProbability { index, value });
    }
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut adjusted = vec![0.0; p_values.len()];
    let mut floor: f64 = 0.0;
    for (rank, &index) in order.iter().enumerate() {
        floor = floor.max((p_values.len() - rank) as f64 * p_values[index]).min(1.0);
        adjusted[index] = floor;
    }
    Ok(adjusted)
}
