//! How numbers are printed: shares times 100 with one decimal, as papers do, losses in nats with three; `±` is half the width
//! of the interval.

use evaluation::Interval;
use spec::Unit;

/// What stands where there is no number.
pub(crate) const HOLE: &str = "—";

/// What a table's title says about its numbers.
pub(crate) fn name(unit: Unit) -> &'static str {
    match unit {
        Unit::Share => "in percent",
        Unit::Nats => "in nats",
    }
}

/// `62.1 ±2.3`, `2.314 ±0.045`
pub(crate) fn score(value: f64, interval: Interval, unit: Unit) -> String {
    format!("{} {}", plain(value, unit), half(interval, unit))
}

/// `-31.4 ±2.9`, `+0.3 ±1.0`
pub(crate) fn change(value: f64, interval: Interval, unit: Unit) -> String {
    format!("{} {}", with_sign(plain(value, unit)), half(interval, unit))
}

/// `62.1`, `2.314`; never `-0.0`.
pub(crate) fn plain(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Share => tenths(100.0 * value),
        Unit::Nats => without_negative_zero(format!("{value:.3}")),
    }
}

/// Of a number that is one of percent already.
pub(crate) fn tenths(value: f64) -> String {
    without_negative_zero(format!("{value:.1}"))
}

/// As [`tenths`], and a gain has its sign.
pub(crate) fn signed(value: f64) -> String {
    with_sign(tenths(value))
}

/// `+62.1`; of zero without a sign.
pub(crate) fn with_sign(text: String) -> String {
    if text.starts_with('-') || is_zero(&text) { text } else { format!("+{text}") }
}

fn without_negative_zero(text: String) -> String {
    if is_zero(&text) { text.replace('-', "") } else { text }
}

fn is_zero(text: &str) -> bool {
    text.bytes().all(|byte| b"-0.".contains(&byte))
}

/// `0.032`, `<0.001`
pub(crate) fn probability(p: f64) -> String {
    if p < 0.001 { "<0.001".to_owned() } else { format!("{p:.3}") }
}

fn half(interval: Interval, unit: Unit) -> String {
    format!("±{}", plain((interval.high - interval.low) / 2.0, unit))
}
