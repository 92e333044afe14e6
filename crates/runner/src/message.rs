//! Messages for people on standard error, in one place.

use std::fmt::{Display, Write as _};
use std::io::Write as _;

/// Characters of a message.
const LONGEST: usize = 20_000;

/// A message and a new line on standard error, made [`harmless`]. A standard error that is closed or full loses the message;
/// `eprintln!` would panic.
///
/// A message that is longer than any of ours quotes a file that is none of the kind, and is cut.
pub fn say(message: impl Display) {
    let mut message = message.to_string();
    if let Some((end, _)) = message.char_indices().nth(LONGEST) {
        let more = message[end..].chars().count();
        message.truncate(end);
        message.push_str(&format!("… and {more} more characters"));
    }
    show(harmless(&message));
}

/// As [`say`], for text whose escape sequences are our own: tables.
pub fn show(text: impl Display) {
    // One call, so that lines of several processes do not mix.
    let _ = std::io::stderr().write_all(format!("{text}\n").as_bytes());
}

/// Text that a terminal shows as it is: control characters, and marks that reorder text, are written as `\u{1b}`. Names,
/// labels and paths in messages may come from anywhere. New lines and tabs stay.
pub fn harmless(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\n' | '\t' => shown.push(letter),
            '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => {
                let _ = write!(shown, "{}", letter.escape_unicode());
            }
            letter if letter.is_control() => {
                let _ = write!(shown, "{}", letter.escape_unicode());
            }
            letter => shown.push(letter),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_is_left() {
        let hostile = "label `\u{1b}[31mO\u{1b}]0;title\u{7}`\r\u{9b}2J\u{202e}abc\u{0}";
        let shown = harmless(hostile);
        assert_eq!(shown, r"label `\u{1b}[31mO\u{1b}]0;title\u{7}`\u{d}\u{9b}2J\u{202e}abc\u{0}");
        let plain = "error: `ü` 数\n\thint: ə";
        assert_eq!(harmless(plain), plain);
    }
}
