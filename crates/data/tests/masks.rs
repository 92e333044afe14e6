//! Which tokens are hidden for masked language modelling.

mod common;

use common::tokenization;
use data::{Encoded, Item, Tokenization, mask_tokens};
use spec::{Batch, IGNORED_LABEL, Labels, Targets, Task};

fn batch(tokenization: &Tokenization, texts: &[&str]) -> Batch {
    let items = texts.iter().enumerate().map(|(row, text)| {
        let (ids, segments) = tokenization.single.single(&tokenization.ids(text).unwrap());
        vec![Item { example: row as u32, ids, segments, ..Item::default() }]
    });
    let encoded = Encoded::new(Task::Mlm, &Labels::default(), tokenization.pad_id(), 60, items);
    encoded.batch(&(0..encoded.len()).collect::<Vec<_>>(), 1)
}

#[test]
fn hidden_tokens_are_the_drawn_share_and_come_back_from_the_targets() {
    let tokenization = tokenization();
    let long = "one two three four five six seven eight nine ten eleven twelve";
    let plain = batch(&tokenization, &[long, "one", long]);
    let masked = mask_tokens(plain.clone(), &tokenization, 0.25, 7).unwrap();
    assert_eq!(masked, mask_tokens(plain.clone(), &tokenization, 0.25, 7).unwrap());
    assert_ne!(masked, mask_tokens(plain.clone(), &tokenization, 0.25, 8).unwrap());
    let Targets::MaskedTokens(targets) = &masked.targets else { panic!("masked tokens") };
    for row in 0..3 {
        let places = row * plain.seq..(row + 1) * plain.seq;
        let hidden: Vec<usize> = places.clone().filter(|&place| targets[place] != IGNORED_LABEL).collect();
        let ordinary = plain.lengths[row] - 2;
        assert_eq!(hidden.len(), ((ordinary as f64 * 0.25).round() as usize).max(1));
        for place in places {
            let restored = if hidden.contains(&place) { targets[place] } else { masked.ids[place] };
            assert_eq!(restored, plain.ids[place]);
        }
        let (first, last) = (row * plain.seq, row * plain.seq + plain.lengths[row] - 1);
        assert!(!hidden.contains(&first) && !hidden.contains(&last), "special tokens stay");
    }
}

#[test]
fn most_hidden_tokens_become_the_mask_and_some_a_random_token() {
    let tokenization = tokenization();
    let plain = batch(&tokenization, &["one two three four five six seven eight nine ten eleven twelve"; 400]);
    let masked = mask_tokens(plain.clone(), &tokenization, 0.5, 1).unwrap();
    let Targets::MaskedTokens(targets) = &masked.targets else { panic!("masked tokens") };
    let hidden: Vec<usize> = (0..targets.len()).filter(|&place| targets[place] != IGNORED_LABEL).collect();
    let mut counts = std::collections::BTreeMap::new();
    hidden.iter().for_each(|&place| *counts.entry(masked.ids[place]).or_insert(0usize) += 1);
    let (&mask, &most) = counts.iter().max_by_key(|(_, count)| **count).unwrap();
    assert!(!plain.ids.contains(&mask));
    let share = |count: usize| count as f64 / hidden.len() as f64;
    let kept = hidden.iter().filter(|&&place| masked.ids[place] == plain.ids[place]).count();
    assert!((share(most) - 0.8).abs() < 0.04, "{}", share(most));
    assert!((share(kept) - 0.1).abs() < 0.03, "{}", share(kept));
}

#[test]
fn impossible_rates_are_refused() {
    let tokenization = tokenization();
    for rate in [0.0, -0.1, 1.1, f64::NAN] {
        let error = mask_tokens(batch(&tokenization, &["one"]), &tokenization, rate, 0).unwrap_err();
        assert!(error.to_string().contains("masking rate"), "{error}");
    }
}
