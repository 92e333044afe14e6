//! How much longer a tokenizer's steps may make a text, told from tokenizer.json: steps that each double it, thirty in a row,
//! would never end.

use serde::Deserialize;
use serde_json::Value;

/// A text may become this many times longer. Compatibility normalisation, the most that public tokenizers do, makes one
/// letter up to 18.
const MOST: u64 = 1000;
/// Steps in all; public tokenizers have up to about ten.
const MOST_STEPS: usize = 64;

/// Tokens that a template may put around a text and a pair: public tokenizers put three and four there.
const MOST_ADDED: u64 = 1000;

/// What changes a text before the model cuts it into tokens.
#[derive(Deserialize)]
struct Steps {
    normalizer: Option<Value>,
    pre_tokenizer: Option<Value>,
    post_processor: Option<Value>,
}

/// Refuses a tokenizer.json whose steps make texts absurdly longer. What is no tokenizer passes: its loader knows better.
///
/// # Errors
/// A message without the file's name.
pub(crate) fn check(json: &[u8]) -> Result<(), String> {
    let Ok(Steps { normalizer, pre_tokenizer, post_processor }) = serde_json::from_slice(json) else { return Ok(()) };
    let added = post_processor.as_ref().map_or(0, added);
    if added > MOST_ADDED {
        return Err(format!("its post_processor adds {added} tokens to a text; at most {MOST_ADDED} are expected"));
    }
    let mut steps = Vec::new();
    [&normalizer, &pre_tokenizer].into_iter().flatten().for_each(|step| list(step, &mut steps));
    if steps.len() > MOST_STEPS {
        return Err(format!("has {} steps before its model; at most {MOST_STEPS} are expected", steps.len()));
    }
    let longer = steps.iter().map(|step| growth(step)).fold(1, u64::saturating_mul);
    if longer > MOST {
        return Err(format!(
            "its normalizer and pre_tokenizer could make a text {longer} times longer; more than {MOST} times is not expected"
        ));
    }
    Ok(())
}

/// How many tokens templates put around a text at most, and around a pair.
fn added(step: &Value) -> u64 {
    let inner = step.get("processors").and_then(Value::as_array).into_iter().flatten();
    let tokens = step.get("special_tokens");
    let ids = |piece: &Value| {
        let name = piece.get("SpecialToken")?.get("id")?.as_str()?;
        Some(tokens?.get(name)?.get("ids")?.as_array()?.len() as u64)
    };
    let pieces = ["single", "pair"].into_iter().filter_map(|key| step.get(key)?.as_array()).flatten();
    let own = pieces.map(|piece| ids(piece).unwrap_or(1)).fold(0, u64::saturating_add);
    inner.map(added).fold(own, u64::saturating_add)
}

/// The steps that a sequence consists of, or the step itself.
fn list<'a>(step: &'a Value, steps: &mut Vec<&'a Value>) {
    match ["normalizers", "pretokenizers"].iter().find_map(|key| step.get(key)?.as_array()) {
        Some(inner) => inner.iter().for_each(|step| list(step, steps)),
        None => steps.push(step),
    }
}

/// How many times longer a step makes a text at most.
fn growth(step: &Value) -> u64 {
    let letters = |key: &str| step.get(key).and_then(Value::as_str).unwrap_or_default().chars().count() as u64;
    match step.get("type").and_then(Value::as_str).unwrap_or_default() {
        "Replace" => {
            let content = letters("content");
            match step.get("pattern").and_then(|pattern| pattern.get("String")?.as_str()) {
                Some("") => content + 1,
                Some(text) => content.div_ceil(text.chars().count() as u64).max(1),
                None if matches_nothing(step) => content + 1,
                None => content.max(1),
            }
        }
        "Prepend" => letters("prepend").max(1),
        "NFKC" | "NFKD" => 18,
        "Precompiled" => {
            longest_replacement(step.get("precompiled_charsmap").and_then(Value::as_str).unwrap_or_default())
        }
        "NFC" | "NFD" | "BertNormalizer" => 4,
        "ByteLevel" => 2,
        _ => 1,
    }
}

/// Letters of the longest text that SentencePiece's table of replacements holds: in base64 the length of an index, the index,
/// and the texts with a null byte behind each.
fn longest_replacement(table: &str) -> u64 {
    let bytes = base64(table);
    let Some((&index, rest)) = bytes.split_first_chunk() else { return 1 };
    let texts = rest.get(u32::from_le_bytes(index) as usize..).unwrap_or_default();
    let letters = texts.split(|&byte| byte == 0).map(|text| String::from_utf8_lossy(text).chars().count() as u64);
    letters.max().unwrap_or_default().max(1)
}

/// What a text in base64 stands for, as far as it is one.
fn base64(text: &str) -> Vec<u8> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let digits: Vec<u8> = text.bytes().map_while(digit).collect();
    let bytes = |four: &[u8]| {
        let bits = four.iter().fold(0_u32, |bits, &digit| (bits << 6) | u32::from(digit)) << (6 * (4 - four.len()) + 8);
        bits.to_be_bytes().into_iter().take(four.len() * 6 / 8).collect::<Vec<u8>>()
    };
    digits.chunks(4).flat_map(bytes).collect()
}

/// Whether the regular expression of a step might match between two letters.
fn matches_nothing(step: &Value) -> bool {
    let Some(pattern) = step.get("pattern").and_then(|pattern| pattern.get("Regex")?.as_str()) else { return true };
    pattern.is_empty()
        || pattern.contains(['*', '?', '|', '^', '$', '('])
        || ["\\b", "\\B", "\\A", "\\z", "\\Z", "\\G", "\\K", "{0", "{,"].iter().any(|part| pattern.contains(part))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn checked(normalizers: Vec<Value>) -> Result<(), String> {
        let steps = json!({"type": "Sequence", "normalizers": normalizers});
        check(json!({"normalizer": steps, "pre_tokenizer": {"type": "ByteLevel"}}).to_string().as_bytes())
    }

    fn replace(kind: &str, pattern: &str, content: &str) -> Value {
        json!({"type": "Replace", "pattern": {kind: pattern}, "content": content})
    }

    #[test]
    fn steps_of_public_tokenizers_pass() {
        checked(vec![
            json!({"type": "Precompiled", "precompiled_charsmap": "AA=="}),
            replace("Regex", " {2,}", " "),
            replace("String", "``", "\""),
            replace("String", " ", "▁"),
            json!({"type": "Prepend", "prepend": "▁"}),
            json!({"type": "Lowercase"}),
        ])
        .unwrap();
        check(b"no tokenizer").unwrap();
        check(b"{}").unwrap();
    }

    #[test]
    fn tables_of_replacements_are_as_long_as_their_longest_text() {
        assert_eq!(base64("TWFuIGE="), b"Man a");
        assert_eq!(base64("TWFuIA=="), b"Man ");
        // An index of four bytes, and the texts `ab` and `äöü`.
        let table = [&4_u32.to_le_bytes()[..], b"....", "ab\0äöü\0".as_bytes()].concat();
        const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut text = String::new();
        for three in table.chunks(3) {
            let bits = three.iter().fold(0_u32, |bits, &byte| (bits << 8) | u32::from(byte)) << (8 * (3 - three.len()));
            let digits = (0..=three.len()).map(|at| DIGITS[(bits >> (18 - 6 * at)) as usize & 63] as char);
            text.extend(digits);
        }
        assert_eq!(longest_replacement(&text), 3);
        assert_eq!(longest_replacement(""), 1);
        let long = json!({"type": "Precompiled", "precompiled_charsmap": text});
        checked(vec![long.clone(); 6]).unwrap_err();
        checked(vec![long]).unwrap();
    }

    #[test]
    fn templates_that_would_fill_the_memory_are_refused() {
        let template = |pieces: usize, ids: usize| {
            let piece = json!({"SpecialToken": {"id": "<s>", "type_id": 0}});
            let tokens = json!({"<s>": {"id": "<s>", "ids": vec![0; ids], "tokens": vec!["<s>"; ids]}});
            let one = json!({"type": "TemplateProcessing", "single": vec![piece; pieces], "pair": [], "special_tokens": tokens});
            let nested = json!({"type": "Sequence", "processors": [one.clone()]});
            [one, nested].map(|processor| check(json!({"post_processor": processor}).to_string().as_bytes()))
        };
        assert!(template(3, 1).into_iter().all(|checked| checked.is_ok()));
        for error in template(400, 400) {
            assert!(error.unwrap_err().contains("adds 160000 tokens"));
        }
    }

    #[test]
    fn chains_that_double_a_text_are_refused() {
        for step in [
            replace("String", "a", "aa"),
            replace("String", "", "a"),
            replace("Regex", "b*", "a"),
            replace("Regex", "(?=a)", "a"),
            replace("Regex", "a", "aa"),
            json!({"type": "Sequence", "normalizers": [replace("String", "a", "aa")]}),
            json!({"type": "Prepend", "prepend": "a".repeat(2)}),
        ] {
            let error = checked(vec![step.clone(); 30]).expect_err(&step.to_string());
            assert!(error.contains("times longer"), "{error}");
        }
        assert!(checked(vec![json!({"type": "Lowercase"}); 100]).unwrap_err().contains("101 steps"));
        assert!(checked(vec![replace("String", "a", &"a".repeat(5000))]).is_err());
    }
}
