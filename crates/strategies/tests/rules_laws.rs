//! Laws that all gradient rules obey, on random problems, degenerate and badly scaled ones included.

mod rules_support;

use rules_support::*;
use strategies::rules::*;

#[test]
fn every_rule_answers_every_problem_with_finite_weights_twice_the_same() {
    let rules = rules();
    let mut failures = Vec::new();
    for_problems(1, |kind, rows, random| {
        let h = anchor_for(rows, random);
        for (name, rule) in &rules {
            if needs_memory(name) && rows.len() < 2 {
                continue;
            }
            match combine_with_anchor(rule.as_ref(), rows, &h) {
                Ok((combination, gradient)) => {
                    assert_eq!(combination.weights.len(), rows.len());
                    assert!(combination.weights.iter().chain(&gradient).all(|w| w.is_finite()), "{name} {kind:?}");
                    let again = combine_with_anchor(rule.as_ref(), rows, &h).unwrap();
                    assert_eq!(again.0, combination, "{name} {kind:?}");
                }
                Err(error) => failures.push(format!("{name} on {kind:?} {rows:?}: {error}")),
            }
        }
    });
    assert!(failures.is_empty(), "{} failures, first: {}", failures.len(), failures[0]);
}

#[test]
fn symmetric_rules_do_not_notice_the_order_of_tasks() {
    let rules: Vec<_> = rules()
        .into_iter()
        .filter(|(name, _)| ["mean", "mgda", "cagrad", "nash", "lf-mlf"].iter().any(|rule| name.starts_with(rule)))
        .collect();
    for_problems(2, |kind, rows, random| {
        let h = anchor_for(rows, random);
        let order = random.permutation(rows.len());
        let permuted: Rows = order.iter().map(|i| rows[*i].clone()).collect();
        for (name, rule) in &rules {
            let (a, x) = combine_with_anchor(rule.as_ref(), rows, &h).unwrap();
            let (b, y) = combine_with_anchor(rule.as_ref(), &permuted, &h).unwrap();
            if *name == "mgda l2" && kind != Kind::Generic {
                continue; // where alpha is not unique, it may weigh unequal gradients differently
            }
            let unit = largest_norm(rows).max(norm(&x));
            assert!(distance(&x, &y) <= 1e-7 * unit, "{name} {kind:?}: {x:?} {y:?} of {rows:?}");
            if kind == Kind::Generic {
                // The gradients are independent, so the weights are unique.
                let weights: Vec<f64> = order.iter().map(|i| a.weights[*i]).collect();
                assert!(distance(&weights, &b.weights) <= 1e-7 * norm(&weights).max(1.0), "{name}: {a:?} {b:?}");
            }
        }
    });
}

#[test]
fn memories_may_come_in_any_order() {
    for_problems(3, |kind, rows, random| {
        if rows.len() < 2 {
            return;
        }
        let mut permuted = vec![rows[0].clone()];
        permuted.extend(random.permutation(rows.len() - 1).into_iter().map(|i| rows[i + 1].clone()));
        for rule in [&AGem::default() as &dyn Rule, &Gem { margin: 0.0, ridge: 0.0, ..Gem::default() }, &Gem::default()]
        {
            let (x, y) = (direction(rule, rows), direction(rule, &permuted));
            assert!(distance(&x, &y) <= 1e-7 * norm(&rows[0]), "{kind:?}: {x:?} {y:?} of {rows:?}");
        }
    });
}

#[test]
fn scaling_all_gradients_scales_the_result() {
    // Nash's result has a length of its own; GEM's ridge and margin have units. All others are homogeneous.
    let rules: Vec<_> = rules()
        .into_iter()
        .filter(|(name, _)| !name.starts_with("nash") && !["gem", "gem margin", "mgda l2"].contains(name))
        .collect();
    for_problems(4, |kind, rows, random| {
        let factor = [1e-20, 0.125, 3.0, 1e20][random.below(4)];
        let h = anchor_for(rows, random);
        let (larger, larger_h) = (scaled(rows, factor), scaled(std::slice::from_ref(&h), factor).remove(0));
        for (name, rule) in &rules {
            if needs_memory(name) && rows.len() < 2 {
                continue;
            }
            let (_, x) = combine_with_anchor(rule.as_ref(), rows, &h).unwrap();
            let (_, y) = combine_with_anchor(rule.as_ref(), &larger, &larger_h).unwrap();
            let x = scaled(&[x], factor).remove(0);
            let unit = (largest_norm(rows) * factor).max(norm(&x));
            assert!(distance(&x, &y) <= 1e-7 * unit, "{name} {kind:?} by {factor}: {x:?} {y:?} of {rows:?}");
        }
    });
}

#[test]
fn no_loss_rises_where_a_rule_promises_it() {
    for_problems(5, |kind, rows, random| {
        let h = anchor_for(rows, random);
        for (name, rule, first) in [
            ("mgda", Box::new(Mgda::default()) as Box<dyn Rule>, 0),
            ("nash", Box::new(NashMtl { max_norm: 0.0, ..NashMtl::default() }), 0),
            ("lf-mlf a", Box::new(exact_lf_mlf(LfMlfForm::Polyhedron)), 0),
            ("lf-mlf b", Box::new(exact_lf_mlf(LfMlfForm::Simplex)), 0),
            ("gem", Box::new(Gem { margin: 0.0, ridge: 0.0, ..Gem::default() }), 1),
        ] {
            if rows.len() < 1 + first {
                continue;
            }
            let (_, x) = combine_with_anchor(rule.as_ref(), rows, &h).unwrap();
            for row in &rows[first..] {
                let unit = norm(row) * norm(&x).max(if first == 1 { norm(&rows[0]) } else { 0.0 });
                // What cancels in x is of the size of the rows that make it up, not of x.
                let noise = 1e-15 * norm(row) * largest_norm(rows);
                assert!(dot(row, &x) >= -1e-8 * unit - noise, "{name} {kind:?}: {} {unit} of {rows:?}", dot(row, &x));
            }
        }
    });
}

#[test]
fn bad_input_is_named() {
    let rows = vec![vec![1.0, 0.0], vec![-0.5, 1.0]];
    let gram = gram(&rows);
    let message =
        |rule: &dyn Rule, input: RuleInput| rule.combine(&input, &mut RuleState::default()).unwrap_err().to_string();
    let plain = RuleInput::of(&gram);
    let one = Gram::new(1, vec![1.0]).unwrap();
    assert!(message(&LfMlf::default(), plain).contains("needs an anchor direction"));
    let short = AnchorDirection { products: &[1.0], norm2: 1.0 };
    assert!(message(&LfMlf::default(), RuleInput { anchor: Some(short), ..plain }).contains("1 values for 2"));
    let wild = AnchorDirection { products: &[1.0, f64::NAN], norm2: 1.0 };
    assert!(message(&LfMlf::default(), RuleInput { anchor: Some(wild), ..plain }).contains("value 1 is NaN"));
    assert!(message(&Gem::default(), RuleInput::of(&one)).contains("at least one memory"));
    assert!(message(&Gem { margin: -1.0, ridge: 0.0, ..Gem::default() }, plain).contains("knob `margin` is -1"));
    assert!(message(&CaGrad { c: f64::NAN, ..CaGrad::default() }, plain).contains("knob `c` is NaN"));
    assert!(message(&LfMlf { rho: 1.5, ..LfMlf::default() }, plain).contains("in (0, 1]"));
    assert!(message(&GradVac { fixed_target: Some(1.0), ..GradVac::default() }, plain).contains("in (-1, 1)"));
    let by_loss = Mgda { gradient_normalise: Normaliser::Loss, ..Mgda::default() };
    assert!(message(&by_loss, plain).contains("0 values for 2 gradients"));
    assert!(message(&by_loss, RuleInput { losses: &[1.0, 0.0], ..plain }).contains("loss 1 is 0"));

    let mut state = RuleState { target_cosines: vec![0.0; 9], ..RuleState::default() };
    let error = GradVac::default().combine(&plain, &mut state).unwrap_err().to_string();
    assert!(error.contains("holds 9 target cosines, and 2 gradients need 4"));
}
