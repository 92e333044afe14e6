//! Batches to pre-train on that compare texts.

mod common;

use std::collections::BTreeSet;

use common::{plain, tokenization};
use data::{Corpus, Examples, Objective, Tokenization};
use spec::{Batch, IGNORED_LABEL, Targets};

/// Words are letters, and the languages have none in common.
fn corpus(tokenization: &Tokenization) -> Corpus {
    let words = |word: &dyn Fn(usize) -> String| -> Examples {
        let text = |row: usize| {
            (0..6).map(|place| word(row * (place + 2) + place * place + row / 7)).collect::<Vec<_>>().join(" ")
        };
        plain((0..400).map(text))
    };
    let english = words(&|number| ["a", "b", "c", "d", "e", "f", "g"][number % 7].to_owned());
    let russian = words(&|number| ["а", "б", "в", "г", "д"][number % 5].to_owned());
    let languages = [("en".parse().unwrap(), english), ("ru".parse().unwrap(), russian)];
    Corpus::new(&languages, true, tokenization, 64).unwrap()
}

fn labels(batch: &Batch) -> &[i32] {
    let Targets::TokenLabels(labels) = &batch.targets else { panic!("token labels") };
    labels
}

/// Ids of a row between its special tokens, cut where two texts meet, each with its labels.
fn sides(batch: &Batch, row: usize) -> [Vec<(i32, i32)>; 2] {
    let (first, last) = (row * batch.seq, row * batch.seq + batch.lengths[row] - 1);
    let tokens: Vec<(i32, i32)> = (first + 1..last).map(|place| (batch.ids[place], labels(batch)[place])).collect();
    let between = tokens.iter().position(|(id, _)| *id == batch.ids[last]).unwrap();
    [tokens[..between].to_vec(), tokens[between + 1..].to_vec()]
}

#[test]
fn tokens_are_labelled_by_what_the_other_side_says() {
    let tokenization = tokenization();
    let corpus = corpus(&tokenization);
    let mut seen = BTreeSet::new();
    for seed in 0..200 {
        let batch = corpus.batch(Objective::Correspondence, 256, &tokenization, seed).unwrap();
        assert_eq!(batch, corpus.batch(Objective::Correspondence, 256, &tokenization, seed).unwrap());
        for row in 0..batch.len() {
            assert_eq!(labels(&batch)[row * batch.seq], IGNORED_LABEL, "the first token has no label of its own");
            let sides = sides(&batch, row);
            let said = sides.each_ref().map(|side| side.iter().map(|(id, _)| *id).collect::<BTreeSet<i32>>());
            let strangers = said[0].is_disjoint(&said[1]);
            for (side, other) in [(&sides[0], &said[1]), (&sides[1], &said[0])] {
                for &(id, label) in side {
                    seen.insert((strangers, label));
                    // Within a language a token that is said is never called missing from its own text, nor one that is
                    // nowhere on the other side called said; across languages nobody can tell.
                    assert!(strangers || label != 0 || other.contains(&id), "{id} is labelled as said");
                }
            }
            for place in batch.lengths[row]..batch.seq {
                assert_eq!(labels(&batch)[row * batch.seq + place], IGNORED_LABEL);
            }
        }
    }
    let expected = [(false, 0), (false, 1), (false, 2), (true, IGNORED_LABEL), (true, 0), (true, 1), (true, 2)];
    assert_eq!(seen, BTreeSet::from(expected));
}

#[test]
fn a_row_is_labelled_by_whether_its_last_text_follows() {
    let tokenization = tokenization();
    let corpus = corpus(&tokenization);
    let mut seen = [0, 0];
    for seed in 0..200 {
        let batch = corpus.batch(Objective::Entailment, 256, &tokenization, seed).unwrap();
        for row in 0..batch.len() {
            let start = row * batch.seq;
            let label = labels(&batch)[start];
            assert!(labels(&batch)[start + 1..start + batch.seq].iter().all(|&label| label == IGNORED_LABEL));
            seen[usize::try_from(label).unwrap()] += 1;
            let [texts, told] = sides(&batch, row).map(|side| side.iter().map(|(id, _)| *id).collect());
            let (texts, told): (BTreeSet<i32>, BTreeSet<i32>) = (texts, told);
            if !texts.is_disjoint(&told) && label == 0 {
                assert!(told.is_subset(&texts), "what follows says nothing new");
            }
        }
    }
    assert!(seen[0] > 100 && seen[1] > 100, "{seen:?}");
}

#[test]
fn comparing_needs_parallel_text() {
    let tokenization = tokenization();
    let text = plain(["one two three"]);
    let corpus = Corpus::new(&[("en".parse().unwrap(), text)], false, &tokenization, 64).unwrap();
    let error = corpus.batch(Objective::Correspondence, 256, &tokenization, 1).unwrap_err().to_string();
    assert!(error.contains("parallel"), "{error}");
}
