//! Laws of the training order and of evaluation batches.

use std::collections::BTreeMap;

use data::{TrainingOrder, evaluation_batches, padding_share};
use spec::Language;

fn lengths(count: usize) -> Vec<usize> {
    (0..count).map(|item| 5 + item * 7919 % 60).collect()
}

fn order(seed: u64, batch: usize, counts: &[usize]) -> TrainingOrder {
    let languages = ["en", "de", "sw", "th"].map(|code| Language::parse(code).unwrap());
    let sources = languages.into_iter().zip(counts).map(|(language, &count)| (language, lengths(count))).collect();
    TrainingOrder::new(seed, "stage 0", batch, sources).unwrap()
}

#[test]
fn a_step_needs_no_history() {
    for counts in [&[500][..], &[500, 90, 33]] {
        let all: Vec<_> = {
            let mut order = order(1, 16, counts);
            (0..300).map(|step| order.sub_batches(step)).collect()
        };
        for step in [0, 299, 7, 31, 30, 150] {
            assert_eq!(order(1, 16, counts).sub_batches(step), all[step as usize]);
        }
        assert_ne!(order(2, 16, counts).sub_batches(0), all[0]);
    }
    let source = || vec![(Language::ENGLISH, lengths(500))];
    let mut other = TrainingOrder::new(1, "stage 1", 16, source()).unwrap();
    assert_ne!(other.sub_batches(0), order(1, 16, &[500]).sub_batches(0));
}

#[test]
fn a_languages_order_does_not_depend_on_its_neighbours() {
    let (mut one, mut two) = (order(1, 16, &[500, 80]), order(1, 16, &[500, 300]));
    assert!((0..100).all(|step| one.sub_batches(step)[0] == two.sub_batches(step)[0]));
}

#[test]
fn every_language_gives_an_equal_share() {
    for (batch, counts) in
        [(16, vec![500, 90]), (16, vec![500, 90, 33]), (7, vec![100, 90, 80, 70]), (4, vec![9, 8, 7, 2])]
    {
        let mut order = order(3, batch, &counts);
        let mut given: BTreeMap<Language, usize> = BTreeMap::new();
        let steps = counts.len() * 30;
        for step in 0..steps {
            let batches = order.sub_batches(step as u64);
            let sizes: Vec<usize> = batches.iter().map(|(_, items)| items.len()).collect();
            assert_eq!(sizes.iter().sum::<usize>(), batch);
            assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1);
            batches.iter().for_each(|(language, items)| *given.entry(*language).or_default() += items.len());
        }
        assert!(given.values().all(|&items| items == steps * batch / counts.len()), "{given:?}");
    }
}

#[test]
fn an_epoch_holds_no_item_twice_and_leaves_out_less_than_a_cycle() {
    for counts in [vec![500], vec![500, 300, 400]] {
        let mut order = order(5, 16, &counts);
        // One step of one language, or three steps of three: 16 items of each language either way.
        let cycle = 16;
        for (source, &count) in counts.iter().enumerate() {
            let cycles = count / cycle;
            let steps = cycles * if counts.len() == 1 { 1 } else { counts.len() };
            for epoch in 0..3 {
                let steps = (epoch * steps) as u64..((epoch + 1) * steps) as u64;
                let mut items: Vec<usize> = steps.flat_map(|step| order.sub_batches(step)[source].1.clone()).collect();
                assert_eq!(items.len(), cycles * cycle);
                items.sort_unstable();
                items.dedup();
                assert_eq!(items.len(), cycles * cycle);
                assert!(items.iter().all(|&item| item < count));
            }
        }
    }
    let mut order = order(5, 16, &[500]);
    let mut epoch =
        |number: u64| (number * 31..(number + 1) * 31).map(|step| order.sub_batches(step)).collect::<Vec<_>>();
    assert_ne!(epoch(0), epoch(1));
}

#[test]
fn small_and_impossible_sources() {
    let mut few = order(1, 16, &[3]);
    let items = &few.sub_batches(40)[0].1;
    assert_eq!(items.len(), 16);
    let most = (0..3).map(|item| items.iter().filter(|&&other| other == item).count()).max().unwrap();
    assert!(most <= 6);
    let refused = |batch, sources| TrainingOrder::new(1, "", batch, sources).unwrap_err().to_string();
    assert!(refused(16, vec![]).contains("0 source languages"));
    assert!(refused(0, vec![(Language::ENGLISH, vec![1])]).contains("batch of 0"));
    assert!(refused(4, vec![(Language::ENGLISH, vec![])]).contains("`en` has no training items"));
}

#[test]
fn similar_lengths_come_together() {
    let share = order(1, 16, &[2000]).padding_share();
    let unsorted: Vec<Vec<usize>> = (0..2000).collect::<Vec<_>>().chunks(16).map(<[usize]>::to_vec).collect();
    assert!(share < 0.03, "{share}");
    assert!(padding_share(&unsorted, &lengths(2000)) > 0.2);
}

#[test]
fn evaluation_batches_hold_every_item_once_within_the_budget() {
    let mut lengths = lengths(700);
    lengths[13] = 900;
    let batches = evaluation_batches(&lengths, 512);
    let mut items: Vec<usize> = batches.concat();
    items.sort_unstable();
    assert_eq!(items, (0..700).collect::<Vec<_>>());
    for batch in &batches {
        let longest = batch.iter().map(|&item| lengths[item]).max().unwrap();
        assert!(longest * batch.len() <= 512 || batch.len() == 1);
    }
    assert!(padding_share(&batches, &lengths) < 0.05);
    assert!(evaluation_batches(&[], 512).is_empty());
}
