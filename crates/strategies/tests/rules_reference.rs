//! Agreement with independent solvers on committed problems, made by `scripts/reference/gradient_rules.py`.

mod rules_support;

use std::collections::BTreeMap;

use rules_support::*;
use serde::Deserialize;
use strategies::rules::*;

#[derive(Deserialize)]
struct Problem {
    kind: String,
    stationary: bool,
    g: Rows,
    h: Vec<f64>,
    expected: BTreeMap<String, Vec<f64>>,
}

fn rule(name: &str) -> Box<dyn Rule> {
    let ascending = VisitOrder::Ascending;
    let lf_mlf = |form, rho| LfMlf { form, rho, h_rescale: Some(AnchorRescale::None), ..LfMlf::default() };
    match name {
        "pcgrad" => Box::new(PcGrad { visit: ascending, ..PcGrad::default() }),
        "gradvac-0.3" => Box::new(GradVac { fixed_target: Some(0.3), visit: ascending, ..GradVac::default() }),
        "agem" => Box::new(AGem::default()),
        "gem-official" => Box::new(Gem { margin: 0.5, ridge: 1e-3, ..Gem::default() }),
        "gem" => Box::new(Gem { margin: 0.0, ridge: 0.0, ..Gem::default() }),
        "mgda" => Box::new(Mgda::default()),
        "cagrad-0.4" => Box::new(CaGrad { c: 0.4, rescale: CaGradRescale::None, ..CaGrad::default() }),
        "nash" => Box::new(NashMtl { max_norm: 0.0, ..NashMtl::default() }),
        "imtl-g" => Box::new(ImtlG::default()),
        "lf-mlf-a" => Box::new(lf_mlf(LfMlfForm::Polyhedron, 0.7)),
        "lf-mlf-b" => Box::new(lf_mlf(LfMlfForm::Simplex, 1.0)),
        _ => panic!("no rule is called {name}"),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Run {
    every: u64,
    max_norm: f64,
    steps: Vec<NashStep>,
}

#[derive(Deserialize)]
struct NashStep {
    g: Rows,
    weights: Vec<f64>,
    length: f64,
    direction: Vec<f64>,
}

/// Made by `scripts/reference/nash_released.py`.
#[test]
fn nash_keeps_and_clips_its_weights_as_the_released_code_does() {
    let runs: Vec<Run> = serde_json::from_str(include_str!("reference/nash_released.json")).unwrap();
    assert_eq!(runs.len(), 9);
    for Run { every, max_norm, steps } in runs {
        let rule = NashMtl { max_norm, update_every: every, ..NashMtl::default() };
        let mut state = RuleState::default();
        for (step, expected) in steps.iter().enumerate() {
            let gram = gram(&expected.g);
            let input = RuleInput { step: step as u64, ..RuleInput::of(&gram) };
            // Back from text, as a resumed run has it.
            state = serde_json::from_str(&serde_json::to_string(&state).unwrap()).unwrap();
            let found = expand(&rule.combine(&input, &mut state).unwrap().weights, &expected.g);
            let off = distance(&found, &expected.direction) / norm(&expected.direction);
            assert!(off < 1e-5, "every {every}, step {step}: {found:?} is not {:?}", expected.direction);
            let clipped = max_norm > 0.0 && expected.length > max_norm;
            assert!((norm(&found) - if clipped { max_norm } else { expected.length }).abs() < 1e-5);
            if every > 1 {
                assert!(distance(&state.bargain, &expected.weights) < 1e-5 * norm(&expected.weights));
            }
        }
    }
}

#[test]
fn rules_agree_with_independent_solvers() {
    let problems: Vec<Problem> = serde_json::from_str(include_str!("reference/gradient_rules.json")).unwrap();
    let mut compared: BTreeMap<&str, (usize, f64)> = BTreeMap::new();
    for (index, problem) in problems.iter().enumerate() {
        for (name, expected) in &problem.expected {
            let (combination, gradient) = combine_with_anchor(rule(name).as_ref(), &problem.g, &problem.h).unwrap();
            let error = distance(&gradient, expected) / norm(expected).max(1.0);
            assert!(
                error <= 1e-6,
                "problem {index} ({}), {name}: {gradient:?} is not {expected:?}; {combination:?}",
                problem.kind
            );
            let entry = compared.entry(name).or_default();
            *entry = (entry.0 + 1, entry.1.max(error));
        }
        if problem.stationary {
            let shortest = direction(&Mgda::default(), &problem.g);
            assert!(norm(&shortest) < 1e-2, "problem {index} is not stationary");
        }
    }
    assert_eq!(problems.len(), 200);
    assert!(compared.len() == 11 && compared.values().all(|(count, _)| *count >= 80), "{compared:?}");
    println!("comparisons and largest relative differences: {compared:?}");
}
