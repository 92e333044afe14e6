//! Support sets are disjoint from what is scored and depend on seed, language and number alone; adaptation can be undone.

mod strategy_support;

use std::collections::BTreeSet;

use spec::{Adapt, Language, Method, Structure};
use strategies::{SupportSet, adapt};
use strategy_support::*;

#[test]
fn support_and_rest_are_the_file() {
    let swahili = Language::parse("sw").unwrap();
    let mut seen = BTreeSet::new();
    for set in 0..20 {
        let draw = || SupportSet::draw(7, swahili, set, 20, 53, true).unwrap();
        let SupportSet { support, rest } = draw();
        assert_eq!(draw(), SupportSet { support: support.clone(), rest: rest.clone() });
        assert_eq!((support.len(), rest.len()), (20, 33));
        assert!(rest.is_sorted());
        let all: BTreeSet<usize> = support.iter().chain(&rest).copied().collect();
        assert_eq!(all, (0..53).collect());
        seen.insert(support);
    }
    assert_eq!(seen.len(), 20);
    let of = |seed, code| SupportSet::draw(seed, Language::parse(code).unwrap(), 0, 20, 53, true).unwrap();
    assert!(of(7, "sw") != of(8, "sw") && of(7, "sw") != of(7, "yo"));
}

#[test]
fn too_few_examples_are_refused() {
    let breton = Language::parse("br").unwrap();
    let draw = |examples, score_rest| SupportSet::draw(1, breton, 0, 20, examples, score_rest);
    assert!(draw(20, false).unwrap().rest.is_empty());
    assert_eq!(
        draw(20, true).unwrap_err().to_string(),
        "`br` has 20 examples, too few for 20 to adapt on and others to score"
    );
    assert_eq!(draw(19, false).unwrap_err().to_string(), "`br` has 19 examples, too few for 20 to adapt on");
    assert_eq!(draw(21, true).unwrap().rest.len(), 1);
}

#[test]
fn adaptation_moves_what_the_structure_trains_and_a_save_point_undoes_it() {
    let stage = stage(3, 1e-3, Vec::new());
    let knobs = Adapt { steps: 3, learning_rate: 1e-2, ..Adapt::default() };
    for structure in [Structure::Full, Structure::BitFit, Structure::FrozenLower { layers: Some(1) }] {
        let method = Method { structure: structure.clone(), ..plain() };
        let mut learner = tiny();
        train(&method, &stage, &mut learner, &mut Toy::new(&stage));
        let (before, point) = (bits(&learner), learner.save_point());
        let support = Toy::labelled(9, 9, 5);
        adapt(&knobs, &method, &mut learner, &support, 1).unwrap();
        let adapted = bits(&learner);
        for ((name, before), (_, after)) in before.iter().zip(&adapted) {
            let trains = match structure {
                Structure::BitFit => name.ends_with("bias"),
                Structure::FrozenLower { .. } => !name.contains("embeddings") && !name.contains("layer.0."),
                _ => true,
            };
            assert!(trains || name.contains("classifier") || before == after, "{structure:?} {name}");
        }
        let moved = |part: &str| before.iter().zip(&adapted).any(|(b, a)| b.0.contains(part) && b.1 != a.1);
        assert!(moved("classifier") && moved("layer.1."), "{structure:?}");
        learner.restore(&point);
        assert_eq!(bits(&learner), before, "{structure:?}");
        // Equal calls, equal bits; another seed, other dropout.
        adapt(&knobs, &method, &mut learner, &support, 1).unwrap();
        assert_eq!(bits(&learner), adapted);
    }
}
