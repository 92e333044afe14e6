use data::{Cells, DataError, EncodeOptions, Item, Tokenization, column};

/// The windows of one question: as much context as fits beside the question, neighbours sharing `stride` tokens.
///
/// Window borders and answer labels are those of transformers' `run_qa.py` (`truncation="only_second"`,
/// `return_overflowing_tokens`), save that the search for the first token stops at the end of the context, past which
/// that script runs if the answer is the window's last token. A question so long that no context would fit, at which transformers fails, is cut.
pub(super) fn windows(
    example: usize,
    [question, context]: [&str; 2],
    answer: Option<(&str, usize)>,
    tokenization: &Tokenization,
    options: &EncodeOptions,
) -> Result<Vec<Item>, DataError> {
    let question = tokenization.ids(question.trim_start())?;
    let context = tokenization.text(context)?;
    let frame = &tokenization.pair;
    let free = options.max_length - frame.special();
    let longest_question = 3 * (free - options.stride) / 4;
    let question = &question[..question.len().min(longest_question)];
    let room = free - question.len();
    let context_ids = context.get_ids();
    let first_token = (frame.before.len() + question.len() + frame.between.len()) as u32;
    let mut items = Vec::new();
    let mut from = 0;
    loop {
        let to = (from + room).min(context_ids.len());
        let (ids, segments) = frame.pair(question, &context_ids[from..to]);
        let offsets: Vec<(u32, u32)> =
            context.get_offsets()[from..to].iter().map(|&(start, end)| (start as u32, end as u32)).collect();
        let (answer, cut) = answer.map_or(((0, 0), 0), |answer| locate(answer, &offsets, first_token));
        items.push(Item {
            example: example as u32,
            ids,
            segments,
            columns: vec![
                (column::CONTEXT, Cells::Number(first_token as i32)),
                (
                    column::OFFSETS,
                    Cells::List(offsets.iter().flat_map(|&(start, end)| [start as i32, end as i32]).collect()),
                ),
                (column::ANSWER_START, Cells::Number(answer.0 as i32)),
                (column::ANSWER_END, Cells::Number(answer.1 as i32)),
            ],
            cut,
        });
        if to == context_ids.len() {
            return Ok(items);
        }
        from += room - options.stride;
    }
}

/// The first and last token of the answer, or 0 and 0 unless the window holds all of it; and whether it holds a part only.
fn locate((text, start): (&str, usize), offsets: &[(u32, u32)], first_token: u32) -> ((u32, u32), u64) {
    let (start, end) = (start as u32, (start + text.chars().count()) as u32);
    let (Some(&(window_start, _)), Some(&(_, window_end))) = (offsets.first(), offsets.last()) else {
        return ((0, 0), 0);
    };
    if window_start > start || window_end < end {
        return ((0, 0), u64::from(window_start < end && window_end > start));
    }
    // Tokens come in the order of the text, so both searches are over sorted offsets.
    let first = offsets.partition_point(|&(token_start, _)| token_start <= start).saturating_sub(1) as u32;
    let last = offsets.partition_point(|&(_, token_end)| token_end < end) as u32;
    // Where one character became several tokens, the searches meet from the wrong sides.
    ((first_token + first.min(last), first_token + first.max(last)), 0)
}
