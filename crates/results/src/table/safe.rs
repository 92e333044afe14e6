/// One line of text without terminal control: escape sequences, control characters and marks that reorder text are
/// removed; line breaks and tabs become spaces.
pub(crate) fn plain(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\n' | '\t' | '\u{2028}' | '\u{2029}' => clean.push(' '),
            '\r' if characters.peek() == Some(&'\n') => {}
            '\r' => clean.push(' '),
            '\u{1b}' => match characters.next() {
                Some('[') => skip_control_sequence(&mut characters),
                Some(']' | 'P' | 'X' | '^' | '_') => skip_string(&mut characters),
                _ => {}
            },
            '\u{9b}' => skip_control_sequence(&mut characters),
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => {}
            c if c.is_control() => {}
            c => clean.push(c),
        }
    }
    clean.trim().to_owned()
}

/// Up to the final byte of `CSI … final`.
fn skip_control_sequence(characters: &mut impl Iterator<Item = char>) {
    characters.find(|c| ('\u{40}'..='\u{7e}').contains(c));
}

/// Up to BEL or ST.
fn skip_string(characters: &mut std::iter::Peekable<std::str::Chars>) {
    while let Some(c) = characters.next() {
        if c == '\u{7}' || c == '\u{9c}' || (c == '\u{1b}' && characters.next_if_eq(&'\\').is_some()) {
            return;
        }
    }
}
