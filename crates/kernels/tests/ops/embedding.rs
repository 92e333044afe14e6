use kernels::KernelError;
use kernels::embedding::{Lookup, backward, forward};
use proptest::prelude::*;

use crate::data::numbers;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn gradients_scatter_back(ids in prop::collection::vec(0u32..12, 1..90), hidden in 1usize..20) {
        let dy = numbers(1, ids.len() * hidden, 1.0);
        let sparse = backward(&dy, &ids, hidden).unwrap();
        prop_assert!(sparse.rows.is_sorted_by(|a, b| a < b));
        let mut dense = vec![0.0f32; 12 * hidden];
        for (&id, dy) in ids.iter().zip(dy.chunks(hidden)) {
            for (sum, x) in dense[id as usize * hidden..].iter_mut().zip(dy) {
                *sum += x;
            }
        }
        let mut scattered = vec![0.0f32; 12 * hidden];
        for (&row, values) in sparse.rows.iter().zip(sparse.values.chunks(hidden)) {
            scattered[row as usize * hidden..][..hidden].copy_from_slice(values);
        }
        // The same order of the same additions: equal, not close.
        prop_assert_eq!(dense, scattered);
        let mut unique = ids.clone();
        unique.sort_unstable();
        unique.dedup();
        prop_assert_eq!(unique, sparse.rows);
    }

    #[test]
    fn tokens_get_the_sum_of_their_rows(tokens in 1usize..600, hidden in 1usize..10) {
        let (words, positions) = (numbers(1, 50 * hidden, 1.0), numbers(2, 700 * hidden, 1.0));
        let word_ids: Vec<u32> = (0..tokens as u32).map(|i| i * 7 % 50).collect();
        let position_ids: Vec<u32> = (0..tokens as u32).collect();
        let y = forward(&[
            Lookup { table: &words, ids: &word_ids },
            Lookup { table: &positions, ids: &position_ids },
        ], hidden).unwrap();
        for (token, y) in y.chunks(hidden).enumerate() {
            for (i, y) in y.iter().enumerate() {
                let expected = words[word_ids[token] as usize * hidden + i] + positions[token * hidden + i];
                prop_assert_eq!(*y, expected);
            }
        }
    }
}

#[test]
fn bad_calls_are_refused() {
    let table = [0.0; 6];
    let lookup = |ids| Lookup { table: &table, ids };
    assert_eq!(forward(&[lookup(&[0, 2, 3])], 2).unwrap_err(), KernelError::Id { position: 2, id: 3, rows: 3 });
    assert!(forward(&[lookup(&[0]), lookup(&[0, 1])], 2).is_err());
    assert!(forward(&[lookup(&[0])], 4).is_err());
    assert_eq!(forward(&[], 2).unwrap_err(), KernelError::Empty { size: "lookups" });
    assert!(backward(&[0.0; 5], &[1, 2], 2).is_err());
}
