//! How numbers are printed: scores times 100 with one decimal, as papers do; `±` is half the width of the interval.

use evaluation::Interval;

/// What stands where there is no number.
pub(crate) const HOLE: &str = "—";

/// `62.1 ±2.3`
pub(crate) fn score(value: f64, interval: Interval) -> String {
    format!("{} {}", percent(value), half(interval))
}

/// `-31.4 ±2.9`, `+0.3 ±1.0`
pub(crate) fn change(value: f64, interval: Interval) -> String {
    format!("{} {}", signed(100.0 * value), half(interval))
}

/// `62.1`; never `-0.0`.
pub(crate) fn percent(value: f64) -> String {
    tenths(100.0 * value)
}

/// As [`percent`], of a number that is one already.
pub(crate) fn tenths(value: f64) -> String {
    let text = format!("{value:.1}");
    if text == "-0.0" { "0.0".to_owned() } else { text }
}

/// As [`tenths`], and a gain has its sign.
pub(crate) fn signed(value: f64) -> String {
    let text = tenths(value);
    if text.starts_with('-') || text == "0.0" { text } else { format!("+{text}") }
}

/// `0.032`, `<0.001`
pub(crate) fn probability(p: f64) -> String {
    if p < 0.001 { "<0.001".to_owned() } else { format!("{p:.3}") }
}

fn half(interval: Interval) -> String {
    format!("±{}", percent((interval.high - interval.low) / 2.0))
}
