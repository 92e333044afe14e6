//! Masks of heads: hand-computed values and laws.

use std::collections::BTreeMap;

use spec::{DynamicKnobs, DynamicStart, Language, Merge, Normalise, PruneKnobs, Subnetworks, TargetMask};
use strategies::subnetworks::{
    Ask, DynamicMasks, Importance, Mask, MaskError, MaskSource, Pruning, PruningError, SavedDynamic, Scores,
    TargetError, cross_masks, target_mask,
};

fn language(code: &str) -> Language {
    Language::parse(code).unwrap()
}

fn mask(text: &str) -> Mask {
    text.split('/').map(str::to_owned).collect::<Vec<_>>().try_into().unwrap()
}

fn scores(layers: usize, heads: usize, values: &[f64]) -> Scores {
    Scores::new(layers, heads, values.to_vec()).unwrap()
}

fn prune(fraction: f64, threshold: f64) -> PruneKnobs {
    PruneKnobs { fraction, threshold }
}

#[track_caller]
fn close(values: &[f64], expected: &[f64]) {
    assert_eq!(values.len(), expected.len());
    assert!(values.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-15), "{values:?} instead of {expected:?}");
}

#[test]
fn importance_in_numbers() {
    let mut importance = Importance::new(2, 2).unwrap();
    close(importance.scores(Normalise::LayerL2ThenMinmax).values(), &[0.0; 4]);
    // The sign goes before the sum: a head that helps one batch and hurts another matters.
    importance.add(&[1.0, -4.0, -0.5, 0.0], 3).unwrap();
    importance.add(&[-2.0, 0.0, 0.5, 0.0], 2).unwrap();
    close(importance.scores(Normalise::None).values(), &[3.0 / 5.0, 4.0 / 5.0, 1.0 / 5.0, 0.0]);
    close(importance.scores(Normalise::LayerL2ThenMinmax).values(), &[0.6, 0.8, 1.0, 0.0]);

    let before = importance.clone();
    assert_eq!(importance.add(&[1.0; 3], 1), Err(MaskError::Count { found: 3, expected: 4 }));
    let error = importance.add(&[1.0, 1.0, f64::NAN, 1.0], 1).unwrap_err();
    assert_eq!(error.to_string(), "the importance of head 0 of layer 1 is NaN");
    assert_eq!(importance, before);
    assert_eq!(Importance::new(0, 2), Err(MaskError::Shape));
}

#[test]
fn normalised_scores_lie_between_0_and_1() {
    // [3, 4] / 5 and [0, 2] / 2: least 0, most 1. Then [6, 8] / 10 and [1, 1] / sqrt 2, which the smallest is taken from.
    close(scores(2, 2, &[3.0, 4.0, 0.0, 2.0]).normalised(Normalise::LayerL2ThenMinmax).values(), &[0.6, 0.8, 0.0, 1.0]);
    let root = 0.5f64.sqrt();
    let found = scores(2, 2, &[6.0, 8.0, 1.0, 1.0]).normalised(Normalise::LayerL2ThenMinmax);
    let expected = (root - 0.6) / 0.2;
    assert!(found.values().iter().zip([0.0, 1.0, expected, expected]).all(|(a, b)| (a - b).abs() < 1e-12));
    // A dead layer and equal scores divide by no zero.
    close(
        scores(2, 2, &[0.0, 0.0, 3.0, 4.0]).normalised(Normalise::LayerL2ThenMinmax).values(),
        &[0.0, 0.0, 0.75, 1.0],
    );
    close(scores(1, 3, &[2.0; 3]).normalised(Normalise::LayerL2ThenMinmax).values(), &[0.0; 3]);
}

#[test]
fn the_golden_vector_of_pruning() {
    let mut pruning = Pruning::new(2, 2, &prune(0.4, 0.9)).unwrap();
    assert_eq!(pruning.ask(), Ask::Measure(&mask("11/11")));
    let first = scores(2, 2, &[3.0, 4.0, 1.0, 0.0]).normalised(Normalise::LayerL2ThenMinmax);
    pruning.answer(80.0, first).unwrap();
    assert_eq!(pruning.ask(), Ask::Measure(&mask("11/10")));
    // Just at the threshold. The dropped head's importance is the highest now, and it is not dropped twice.
    pruning.answer(72.0, scores(2, 2, &[0.2, 0.5, 0.9, 1.0])).unwrap();
    assert_eq!(pruning.ask(), Ask::Measure(&mask("01/10")));
    pruning.answer(71.9, scores(2, 2, &[0.0; 4])).unwrap();
    assert_eq!(pruning.ask(), Ask::Done(&mask("11/10")));
    assert_eq!(pruning.rounds().iter().map(|round| round.satisfied).collect::<Vec<_>>(), [true, true, false]);
    assert_eq!(pruning.answer(1.0, scores(2, 2, &[0.0; 4])), Err(PruningError::Ended));
}

/// Answers of a made-up model: heads that count cost much.
fn answer(mask: &Mask) -> (f64, Scores) {
    let worth: Vec<f64> = (0..mask.layers() * mask.heads()).map(|head| f64::from((head as u32 * 7) % 12)).collect();
    let kept: f64 = worth.iter().zip(mask.values()).map(|(worth, kept)| worth * f64::from(kept)).sum();
    // Importance changes with the mask, also that of dropped heads.
    let importance = worth.iter().enumerate().map(|(head, worth)| worth + f64::from((mask.size() + head) as u32 % 3));
    (kept, Scores::new(mask.layers(), mask.heads(), importance.collect()).unwrap())
}

#[test]
fn pruning_only_ever_drops_and_keeps_the_last_satisfying_mask() {
    for (fraction, threshold) in [(0.1, 0.9), (0.3, 0.5), (0.01, 0.99), (0.9, 0.1), (0.25, 1.0)] {
        let knobs = prune(fraction, threshold);
        let mut pruning = Pruning::new(3, 4, &knobs).unwrap();
        let mut masks = Vec::new();
        while let Ask::Measure(mask) = pruning.ask() {
            let mask = mask.clone();
            let (score, importance) = answer(&mask);
            pruning.answer(score, importance).unwrap();
            masks.push(mask);
            // Broken off here, it goes on alike.
            let saved = serde_json::to_string(pruning.rounds()).unwrap();
            let rounds: Vec<_> = serde_json::from_str(&saved).unwrap();
            let resumed = Pruning::resume(3, 4, &knobs, &rounds).unwrap();
            assert_eq!(resumed.ask(), pruning.ask());
            assert_eq!(resumed.rounds(), pruning.rounds());
        }
        let count = ((fraction * 12.0) as usize).max(1);
        for (before, after) in masks.iter().zip(&masks[1..]) {
            assert_eq!(before.size() - after.size(), count);
            let both = Mask::merged(&[before, after], Merge::Intersection).unwrap();
            assert_eq!(both, *after, "nothing comes back");
        }
        let Ask::Done(found) = pruning.ask() else { panic!("ended") };
        assert!(found.size() >= 1);
        let last = pruning.rounds().iter().rfind(|round| round.satisfied).unwrap();
        assert_eq!(*found, last.mask);
        let full = pruning.rounds()[0].score;
        for round in pruning.rounds() {
            let share = round.score / full;
            assert!(round.satisfied == (share >= threshold) || (share - threshold).abs() < 1e-12);
        }
    }
}

#[test]
fn a_mask_that_always_satisfies_keeps_a_head() {
    let mut pruning = Pruning::new(2, 3, &prune(0.4, 0.5)).unwrap();
    while let Ask::Measure(_) = pruning.ask() {
        pruning.answer(1.0, scores(2, 3, &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0])).unwrap();
    }
    assert_eq!(pruning.ask(), Ask::Done(&mask("000/011")));
}

#[test]
fn pruning_refuses_what_it_cannot_use() {
    let new = || Pruning::new(2, 2, &PruneKnobs::default()).unwrap();
    let flat = || scores(2, 2, &[0.5; 4]);
    for score in [0.0, -3.0] {
        assert_eq!(new().answer(score, flat()), Err(PruningError::NothingToKeep { score }));
    }
    assert!(matches!(new().answer(f64::NAN, flat()), Err(PruningError::NotFinite { .. })));
    let error = new().answer(1.0, scores(1, 2, &[0.0; 2])).unwrap_err();
    assert_eq!(error.to_string(), "masks of 2x2 and 1x2 heads (layers x heads) do not belong to one model");
    assert!(matches!(Pruning::new(0, 2, &PruneKnobs::default()), Err(MaskError::Shape)));
    // The rounds of another model, or of other knobs.
    let mut pruning = new();
    pruning.answer(1.0, flat()).unwrap();
    pruning.answer(0.95, flat()).unwrap();
    let resume = |heads, knobs: &PruneKnobs| Pruning::resume(2, heads, knobs, pruning.rounds());
    assert!(resume(2, &PruneKnobs::default()).is_ok());
    assert!(matches!(resume(3, &PruneKnobs::default()), Err(PruningError::OtherRounds)));
    assert!(matches!(resume(2, &prune(0.5, 0.9)), Err(PruningError::OtherRounds)));
    assert!(matches!(resume(2, &prune(0.1, 0.99)), Err(PruningError::OtherRounds)));
}

#[test]
fn masks_are_written_as_text_and_read_with_care() {
    let found = mask("1010/0110");
    assert_eq!((found.layers(), found.heads(), found.size()), (2, 4, 4));
    assert_eq!(found.values(), [1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0]);
    let text = serde_json::to_string(&found).unwrap();
    assert_eq!(text, r#"["1010","0110"]"#);
    assert_eq!(serde_json::from_str::<Mask>(&text).unwrap(), found);
    for bad in ["[]", r#"[""]"#, r#"["10","1"]"#, r#"["12"]"#, r#"["1 "]"#] {
        assert!(serde_json::from_str::<Mask>(bad).is_err(), "{bad}");
    }
    for bad in ["[]", "[[]]", "[[1.0],[1.0,2.0]]", "[[null]]"] {
        assert!(serde_json::from_str::<Scores>(bad).is_err(), "{bad}");
    }
}

#[test]
fn merges_of_masks() {
    let (a, b, c) = (mask("110/001"), mask("011/001"), mask("010/110"));
    let merged = |masks: &[&Mask], merge| Mask::merged(masks, merge).unwrap().to_string();
    let all = [&a, &b, &c];
    assert_eq!(merged(&all, Merge::Single), "110/001");
    assert_eq!(merged(&all, Merge::Intersection), "010/000");
    assert_eq!(merged(&all, Merge::Majority), "010/001");
    assert_eq!(merged(&all, Merge::Union), "111/111");
    assert_eq!(merged(&[&a, &b], Merge::Majority), "010/001", "half is no majority");
    for merge in [Merge::Single, Merge::Intersection, Merge::Majority, Merge::Union] {
        assert_eq!(merged(&[&a], merge), a.to_string());
    }
    for merge in [Merge::Intersection, Merge::Majority, Merge::Union] {
        assert_eq!(merged(&[&c, &a, &b], merge), merged(&all, merge), "order does not matter");
    }
    assert_eq!(Mask::merged(&[], Merge::Union), Err(MaskError::Nothing));
    assert!(matches!(Mask::merged(&[&a, &mask("11/11")], Merge::Union), Err(MaskError::Different { .. })));
}

#[test]
fn most_important_heads_are_the_complement_of_the_least() {
    let scores = scores(2, 3, &[0.3, 0.1, 0.3, 0.9, 0.1, 0.3]);
    for count in 0..=6 {
        let top = Mask::most_important(&scores, count);
        assert_eq!(top.size(), count);
        assert_eq!(top, Mask::full(2, 3).unwrap().without_least(&scores, 6 - count).unwrap());
    }
    // Ties: the lower goes first.
    assert_eq!(Mask::most_important(&scores, 3).to_string(), "001/101");
    assert_eq!(Mask::most_important(&scores, 99).size(), 6);
}

#[test]
fn random_masks_have_the_sizes_of_their_layers() {
    let original = mask("110000/111111/000000/100000");
    let (german, swahili) = (language("de"), language("sw"));
    let mut seen = Vec::new();
    for draw in 0..50 {
        let random = original.random_like(3, german, draw);
        assert_eq!(random, original.random_like(3, german, draw));
        for (row, like) in random.rows().iter().zip(original.rows()) {
            assert_eq!(row.iter().filter(|kept| **kept).count(), like.iter().filter(|kept| **kept).count());
        }
        seen.push(random);
    }
    let differ = |other: &dyn Fn(u64) -> Mask| (0..50).filter(|&draw| other(draw) != seen[draw as usize]).count();
    assert!(differ(&|draw| original.random_like(4, german, draw)) > 40);
    assert!(differ(&|draw| original.random_like(3, swahili, draw)) > 40);
    assert!(differ(&|_| seen[0].clone()) > 40);
    // Every head of the first layer is taken about as often: 50 x 2 / 6.
    for head in 0..6 {
        let taken = seen.iter().filter(|mask| mask.rows()[0][head]).count();
        assert!((7..=28).contains(&taken), "head {head}: {taken}");
    }
    let random = Scores::random(2, 3, 1, german, 0).unwrap();
    assert_eq!(random, Scores::random(2, 3, 1, german, 0).unwrap());
    assert!(
        random != Scores::random(2, 3, 1, german, 1).unwrap() && random != Scores::random(2, 3, 1, swahili, 0).unwrap()
    );
    assert!(random.values().iter().all(|value| (0.0..1.0).contains(value)));
}

#[test]
fn a_cross_evaluation_has_every_mask_and_its_controls() {
    let masks = BTreeMap::from([(language("de"), mask("1100/1110")), (language("sw"), mask("0001/1111"))]);
    let cross = cross_masks(&masks, 3, 5);
    assert_eq!(cross.len(), 2 + 2 * 3);
    assert_eq!(cross[&MaskSource::Language(language("sw"))], masks[&language("sw")]);
    let names: Vec<String> = cross.keys().map(MaskSource::to_string).collect();
    assert!(names.contains(&"de".to_owned()) && names.contains(&"random-3.sw".to_owned()), "{names:?}");
    // A language's controls do not depend on who else is there.
    let alone = cross_masks(&BTreeMap::from([(language("sw"), masks[&language("sw")].clone())]), 3, 5);
    assert!(alone.iter().all(|(source, mask)| cross[source] == *mask));
    assert!(cross_masks(&masks, 3, 6) != cross);
}

fn dynamic(knobs: &DynamicKnobs) -> DynamicMasks {
    let masks = BTreeMap::from([(language("de"), mask("110/000")), (language("sw"), mask("100/000"))]);
    DynamicMasks::new(knobs, Normalise::None, &masks).unwrap()
}

#[test]
fn dynamic_masks_in_numbers() {
    let knobs = DynamicKnobs { every: 2, ema: 0.5, ..DynamicKnobs::default() };
    let mut masks = dynamic(&knobs);
    let (german, swahili) = (language("de"), language("sw"));
    masks.observe(german, &[0.0, 0.0, -4.0, 1.0, 0.0, 2.0]).unwrap();
    assert!(masks.after(0).is_empty(), "the period has not ended");
    assert_eq!(masks.masks()[&german], mask("110/000"));
    masks.observe(german, &[0.0, 0.0, 0.0, 0.0, 0.0, 6.0]).unwrap();
    // e: 1 of the third head, 0.25 of the fourth, 3.5 of the last. Swahili had no batch.
    assert_eq!(masks.after(1), [german]);
    assert_eq!(masks.masks()[&german], mask("001/001"));
    assert_eq!(masks.masks()[&swahili], mask("100/000"));
    assert_eq!(masks.save().averages[&german], [0.0, 0.0, 1.0, 0.25, 0.0, 3.5]);
    masks.observe(swahili, &[1.0, 0.0, 0.0, 0.0, 0.0, 0.0]).unwrap();
    assert!(masks.after(3).is_empty(), "the same heads again");
}

#[test]
fn dynamic_masks_keep_their_sizes_and_languages_do_not_mix() {
    for (size, init) in [(None, DynamicStart::Static), (None, DynamicStart::Ones), (Some(4), DynamicStart::Static)] {
        let knobs = DynamicKnobs { every: 3, size, init, ..DynamicKnobs::default() };
        let (german, swahili) = (language("de"), language("sw"));
        let mut both = dynamic(&knobs);
        let mut alone = dynamic(&knobs);
        if init == DynamicStart::Ones {
            assert_eq!(both.masks()[&swahili].size(), 6);
        }
        for step in 0..30u64 {
            let gradient = |shift: u64| (0..6u64).map(|head| ((head * 5 + shift) % 7) as f64 - 3.0).collect::<Vec<_>>();
            both.observe(german, &gradient(step)).unwrap();
            alone.observe(german, &gradient(step)).unwrap();
            both.observe(swahili, &gradient(step * step + 1)).unwrap();
            both.after(step);
            alone.after(step);
            assert_eq!(both.masks()[&german], alone.masks()[&german]);
            if step >= 2 {
                assert_eq!(both.masks()[&german].size(), size.unwrap_or(2));
                assert_eq!(both.masks()[&swahili].size(), size.unwrap_or(1));
            }
            // Broken off here, it goes on alike.
            let saved: SavedDynamic = serde_json::from_str(&serde_json::to_string(&both.save()).unwrap()).unwrap();
            let mut resumed = dynamic(&knobs);
            resumed.restore(saved).unwrap();
            assert_eq!(resumed.save(), both.save());
        }
    }
}

#[test]
fn dynamic_masks_refuse_what_is_not_theirs() {
    let mut masks = dynamic(&DynamicKnobs::default());
    assert_eq!(masks.observe(language("fr"), &[0.0; 6]), Err(MaskError::NoMask { language: language("fr") }));
    assert_eq!(masks.observe(language("de"), &[0.0; 5]), Err(MaskError::Count { found: 5, expected: 6 }));
    assert!(matches!(masks.observe(language("de"), &[f64::INFINITY; 6]), Err(MaskError::NotFinite { .. })));
    let before = masks.save();
    let mut other = before.clone();
    other.masks.insert(language("fr"), mask("111/111"));
    assert_eq!(masks.restore(other), Err(MaskError::OtherLanguages));
    let mut other = before.clone();
    other.masks.insert(language("de"), mask("11/11"));
    assert!(matches!(masks.restore(other), Err(MaskError::Different { .. })));
    let mut other = before.clone();
    other.averages.insert(language("de"), vec![f64::NAN; 6]);
    assert!(matches!(masks.restore(other), Err(MaskError::NotFinite { .. })));
    assert_eq!(masks.save(), before);
    let none = DynamicMasks::new(&DynamicKnobs::default(), Normalise::None, &BTreeMap::new());
    assert!(matches!(none, Err(MaskError::Nothing)));
}

#[test]
fn masks_of_targets() {
    let masks = BTreeMap::from([
        (language("de"), mask("110/000")),
        (language("hi"), mask("001/011")),
        (language("sw"), mask("111/111")),
    ]);
    let (target, hindi) = (language("ur"), language("hi"));
    let distance = |_: Language, source: Language| match source.code() {
        "de" => Some(0.4),
        "hi" => Some(0.1),
        _ => None,
    };
    let find = |rule, support: Option<&Scores>| target_mask(rule, target, &masks, &distance, support);
    assert_eq!(find(TargetMask::None, None).unwrap(), mask("111/111"));
    assert_eq!(find(TargetMask::NearestSource, None).unwrap(), masks[&hindi]);
    let tie = target_mask(TargetMask::NearestSource, target, &masks, &|_, _| Some(0.0), None).unwrap();
    assert_eq!(tie, masks[&language("de")]);
    // Sizes 2, 3 and 6: 11 / 3 is nearest to 4.
    let support = scores(2, 3, &[5.0, 1.0, 4.0, 6.0, 2.0, 3.0]);
    assert_eq!(find(TargetMask::FromSupport, Some(&support)).unwrap(), mask("101/101"));
    for rule in [TargetMask::None, TargetMask::NearestSource, TargetMask::FromSupport] {
        assert_eq!(target_mask(rule, hindi, &masks, &distance, None).unwrap(), masks[&hindi], "its own");
    }
    assert_eq!(find(TargetMask::FromSupport, None), Err(TargetError::NoSupport { target }));
    let none = target_mask(TargetMask::NearestSource, target, &masks, &|_, _| None, None);
    assert_eq!(none, Err(TargetError::NoNeighbour { target }));
}

#[test]
fn knobs_are_read_and_refused() {
    let read = |text: &str| serde_json::from_str::<Subnetworks>(text);
    let knobs = read(r#"{ "kind": "dynamic", "prune": { "fraction": 0.2 }, "target": "nearest-source" }"#).unwrap();
    assert_eq!(knobs.prune, prune(0.2, 0.9));
    assert_eq!(read(&serde_json::to_string(&knobs).unwrap()).unwrap(), knobs);
    assert_eq!(knobs.check(), Ok(()));
    assert!(read(r#"{ "mask": "static" }"#).is_err());
    assert!(read(r#"{ "prune": { "fraction": 0.2 } }"#).is_err(), "the kind is said");
    for (text, knob) in [
        (r#"{ "kind": "static", "prune": { "fraction": 0 } }"#, "prune.fraction"),
        (r#"{ "kind": "static", "prune": { "fraction": 1 } }"#, "prune.fraction"),
        (r#"{ "kind": "static", "prune": { "threshold": 1.1 } }"#, "prune.threshold"),
        (r#"{ "kind": "static", "dynamic": { "every": 0 } }"#, "dynamic.every"),
        (r#"{ "kind": "static", "dynamic": { "ema": 1 } }"#, "dynamic.ema"),
        (r#"{ "kind": "static", "dynamic": { "size": 0 } }"#, "dynamic.size"),
    ] {
        assert_eq!(read(text).unwrap().check().unwrap_err().knob, knob);
    }
}
