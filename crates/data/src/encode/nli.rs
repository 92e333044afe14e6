use super::storage::{Item, Target};
use super::{EncodeOptions, Tokenization};
use crate::{DataError, NliExample};

/// One sequence for a premise and a hypothesis.
pub(super) fn items(
    index: u32,
    example: &NliExample,
    tokenization: &Tokenization,
    options: &EncodeOptions,
) -> Result<Vec<Item>, DataError> {
    let premise = tokenization.ids(&example.premise)?;
    let hypothesis = tokenization.ids(&example.hypothesis)?;
    let room = options.max_length - tokenization.pair.len();
    let (first, second) = longest_first(premise.len(), hypothesis.len(), room);
    let cut = u64::from((first, second) != (premise.len(), hypothesis.len()));
    let (ids, segments) = tokenization.pair.pair(&premise[..first], &hypothesis[..second]);
    Ok(vec![Item { example: index, ids, segments, target: Target::Class(example.label), cut }])
}

/// Tokens kept of two texts: only the longer one is cut as long as that is enough, else both to halves, the odd token
/// going to the longer one (the second, if they are equal). The rule of the `tokenizers` library's `longest_first`.
fn longest_first(first: usize, second: usize, room: usize) -> (usize, usize) {
    if first + second <= room {
        return (first, second);
    }
    let short = first.min(second);
    let (short, long) = if 2 * short > room { (room / 2, room - room / 2) } else { (short, room - short) };
    if first > second { (long, short) } else { (short, long) }
}

#[cfg(test)]
mod tests {
    use super::longest_first;

    #[test]
    fn cuts_the_longer_text_first() {
        assert_eq!(longest_first(3, 4, 7), (3, 4));
        assert_eq!(longest_first(3, 9, 7), (3, 4));
        assert_eq!(longest_first(9, 3, 7), (4, 3));
        assert_eq!(longest_first(9, 9, 7), (3, 4));
        assert_eq!(longest_first(10, 9, 7), (4, 3));
        assert_eq!(longest_first(0, 9, 7), (0, 7));
    }
}
