//! Character classes as Python's `re`, `str.split` and `unicodedata` define them; Rust's own differ in places
//! (U+001C..U+001F are spaces to Python, combining marks are no word characters).
//!
//! The tables here are of a newer Unicode than any Python in use. A test holds them equal on every character that Python
//! 3.11 (Unicode 14) knows.

use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

/// `string.punctuation` or a general category `P*`.
pub(crate) fn is_punctuation(character: char) -> bool {
    if character.is_ascii() {
        character.is_ascii_punctuation()
    } else {
        character.general_category_group() == GeneralCategoryGroup::Punctuation
    }
}

/// Python's `\w`: a letter, a number of any kind or the underscore. No marks, unlike UTS 18.
pub(crate) fn is_word(character: char) -> bool {
    if character.is_ascii() {
        character.is_ascii_alphanumeric() || character == '_'
    } else {
        matches!(character.general_category_group(), GeneralCategoryGroup::Letter | GeneralCategoryGroup::Number)
    }
}

/// `str.isspace`, which is also what `str.split()` splits at.
pub(crate) fn is_space(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\u{1c}'..='\u{1f}')
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// Code points in a list of inclusive ranges `[first, last, first, last, …]`.
    fn set(ranges: &Value) -> Vec<bool> {
        let mut set = vec![false; 0x11_0000];
        let bounds: Vec<usize> =
            ranges.as_array().unwrap().iter().map(|bound| bound.as_u64().unwrap() as usize).collect();
        for range in bounds.chunks_exact(2) {
            set[range[0]..=range[1]].fill(true);
        }
        set
    }

    #[test]
    fn classes_equal_those_of_python_for_every_character_it_knows() {
        let reference: Value = serde_json::from_str(include_str!("../tests/reference/characters.json")).unwrap();
        let assigned = set(&reference["assigned"]);
        for (name, class) in [
            ("punctuation", is_punctuation as fn(char) -> bool),
            ("word", is_word as fn(char) -> bool),
            ("space", is_space as fn(char) -> bool),
        ] {
            let expected = set(&reference[name]);
            let differing: Vec<String> = ('\0'..=char::MAX)
                .filter(|&c| assigned[c as usize] && class(c) != expected[c as usize])
                .map(|c| format!("U+{:04X}", c as u32))
                .collect();
            assert_eq!(differing, Vec::<String>::new(), "{name}");
        }
    }
}
