//! Support sets are disjoint from what is scored, and depend on seed, language and number alone.

use std::collections::BTreeSet;

use spec::Language;
use strategies::SupportSet;

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
