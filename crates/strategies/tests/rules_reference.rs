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
