//! Laws of single gradient rules, and identities that tie them together.

mod rules_support;

use rules_support::*;
use strategies::rules::*;

#[test]
fn mgda_is_the_shortest_point_of_the_hull() {
    for_problems(6, |kind, rows, _| {
        let combination = combine(&Mgda::default(), &gram(rows)).unwrap();
        assert!((combination.weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!(combination.weights.iter().all(|weight| *weight >= 0.0));
        let shortest = expand(&combination.weights, rows);
        for (row, weight) in rows.iter().zip(&combination.weights) {
            let excess = dot(row, &shortest) - dot(&shortest, &shortest);
            let unit = 1e-12 * norm(row) * rows.iter().map(|row| norm(row)).fold(f64::INFINITY, f64::min);
            assert!(excess >= -unit, "{kind:?}: {excess:e} {unit:e} of {rows:?}");
            if kind == Kind::Generic && *weight > 0.0 {
                assert!(excess.abs() <= 1e-10 * norm(row).powi(2), "{kind:?}");
            }
        }
    });
}

#[test]
fn nash_bargain_is_kept() {
    let mut solved = 0;
    for_problems(7, |kind, rows, _| {
        let gram = gram(rows);
        let combination = combine(&NashMtl { max_norm: 0.0, ..NashMtl::default() }, &gram).unwrap();
        if stationary(&combination) {
            assert!(combination.weights.iter().all(|weight| *weight == 0.0));
            return;
        }
        solved += 1;
        assert!(combination.weights.iter().all(|weight| *weight > 0.0));
        if matches!(kind, Kind::Generic | Kind::Huge | Kind::Tiny | Kind::NearlyParallel | Kind::Duplicate) {
            for (product, weight) in combination.products(&gram, None).iter().zip(&combination.weights) {
                assert!((product * weight - 1.0).abs() < 1e-8, "{kind:?}: {} of {rows:?}", product * weight);
            }
            let length = gram.norm2(&combination.weights).sqrt();
            assert!((length - (rows.len() as f64).sqrt()).abs() < 1e-7, "{kind:?}: {length}");
        }
    });
    assert!(solved > 5 * PER_KIND, "{solved}");
}

#[test]
fn gradvac_with_target_zero_is_pcgrad() {
    for_problems(8, |kind, rows, _| {
        for visit in [VisitOrder::Ascending, VisitOrder::Descending] {
            let vaccine = GradVac { fixed_target: Some(0.0), visit, ..GradVac::default() };
            let surgery = PcGrad { visit, ..PcGrad::default() };
            let (x, y) = (direction(&vaccine, rows), direction(&surgery, rows));
            assert!(distance(&x, &y) <= 1e-7 * largest_norm(rows), "{kind:?}: {x:?} {y:?} of {rows:?}");
        }
    });
}

#[test]
fn gradvac_reaches_its_target_for_two_tasks() {
    let mut random = Random::new(9);
    for _ in 0..1000 {
        let rows = random.rows(2, 4);
        let target = 1.8 * random.uniform() - 0.9;
        let rule = GradVac { fixed_target: Some(target), ..GradVac::default() };
        let gram = gram(&rows);
        let combination = combine(&rule, &gram).unwrap();
        if gram.cosine(0, 1) < target {
            // Both turn by the same rule: p_i = g_i + a_i g_j with mean weights (1 + a_j) / 2.
            let p: Vec<f64> = (0..4).map(|k| rows[0][k] + (2.0 * combination.weights[1] - 1.0) * rows[1][k]).collect();
            let cosine = dot(&p, &rows[1]) / norm(&p) / norm(&rows[1]);
            assert!((cosine - target).abs() < 1e-9, "{cosine} {target}");
        } else {
            assert_eq!(combination.weights, [0.5, 0.5]);
        }
    }
}

#[test]
fn pcgrad_on_two_tasks_conflicts_with_neither() {
    for_problems(10, |kind, rows, _| {
        if rows.len() < 2 {
            return;
        }
        let x = direction(&PcGrad::default(), &rows[..2]);
        for row in &rows[..2] {
            assert!(dot(row, &x) >= -1e-12 * norm(row) * largest_norm(&rows[..2]), "{kind:?}");
        }
    });
}

#[test]
fn cagrad_without_radius_is_the_mean_and_stays_within_its_radius() {
    for_problems(11, |kind, rows, random| {
        let gram = gram(rows);
        let mean = direction(&Mean {}, rows);
        let none = combine(&CaGrad { c: 0.0, rescale: CaGradRescale::None, ..CaGrad::default() }, &gram).unwrap();
        assert_eq!(none.weights, combine(&Mean {}, &gram).unwrap().weights);

        let c = 0.95 * random.uniform();
        let combination = combine(&CaGrad { c, rescale: CaGradRescale::None, ..CaGrad::default() }, &gram).unwrap();
        let d = expand(&combination.weights, rows);
        let noise = 1e-12 * largest_norm(rows);
        let moved = distance(&d, &mean);
        assert!(moved <= c * norm(&mean) * (1.0 + 1e-9) + noise, "{kind:?}: {rows:?}");
        if !stationary(&combination) {
            assert!(moved >= c * norm(&mean) * (1.0 - 1e-9) - noise, "{kind:?}: {rows:?}");
        }
        // No direction of the ball that we can think of helps the worst-off task more.
        let worst = |d: &[f64]| rows.iter().map(|row| dot(row, d)).fold(f64::INFINITY, f64::min);
        let reached = worst(&d);
        let unit = norm(&mean) * largest_norm(rows);
        for _ in 0..10 {
            let step = random.vector(mean.len());
            let length = c * norm(&mean) / norm(&step);
            let other: Vec<f64> = mean.iter().zip(&step).map(|(mean, step)| mean + length * step).collect();
            assert!(worst(&other) <= reached + 1e-9 * unit, "{kind:?}: {} {reached} of {rows:?}", worst(&other));
        }
    });
}

#[test]
fn gem_with_one_memory_is_agem_and_the_nearest_point() {
    for_problems(12, |kind, rows, _| {
        if rows.len() < 2 {
            return;
        }
        let gem = direction(&Gem { margin: 0.0, ridge: 0.0, ..Gem::default() }, &rows[..2]);
        let agem = direction(&AGem::default(), &rows[..2]);
        assert!(distance(&gem, &agem) <= 1e-10 * norm(&rows[0]), "{kind:?}: {gem:?} {agem:?}");
    });
}

#[test]
fn gem_with_two_memories_has_the_closed_form() {
    let mut random = Random::new(13);
    for _ in 0..2000 {
        let rows = random.rows(3, 5);
        let (g, m1, m2) = (&rows[0], &rows[1], &rows[2]);
        let (s1, s2) = (dot(m1, g), dot(m2, g));
        let (a, b, c) = (dot(m1, m1), dot(m1, m2), dot(m2, m2));
        let expected = if s1 >= 0.0 && s2 >= 0.0 {
            [0.0, 0.0]
        } else if s1 < 0.0 && s2 - s1 * b / a >= 0.0 {
            [-s1 / a, 0.0]
        } else if s2 < 0.0 && s1 - s2 * b / c >= 0.0 {
            [0.0, -s2 / c]
        } else {
            let determinant = a * c - b * b;
            [(b * s2 - c * s1) / determinant, (b * s1 - a * s2) / determinant]
        };
        let combination = combine(&Gem { margin: 0.0, ridge: 0.0, ..Gem::default() }, &gram(&rows)).unwrap();
        assert!(distance(&combination.weights[1..], &expected) <= 1e-8 * norm(&expected).max(1.0));
    }
}

#[test]
fn gem_keeps_multipliers_above_the_margin_and_rests_without_conflict() {
    for_problems(14, |_, rows, random| {
        if rows.len() < 2 {
            return;
        }
        let margin = random.uniform();
        let gram = gram(rows);
        let combination = combine(&Gem { margin, ridge: 1e-3, ..Gem::default() }, &gram).unwrap();
        assert_eq!(combination.weights[0], 1.0);
        if (1..rows.len()).all(|k| gram.get(0, k) >= 0.0) {
            assert!(combination.weights[1..].iter().all(|weight| *weight == 0.0));
        } else {
            assert!(combination.weights[1..].iter().all(|weight| *weight >= margin));
        }
    });
}

#[test]
fn one_gradient_has_closed_forms() {
    let mut random = Random::new(17);
    for _ in 0..1000 {
        let g = random.vector(4);
        let h = random.vector(4);
        let rows = vec![g.clone()];
        let a = exact_lf_mlf(LfMlfForm::Polyhedron);
        let (combination, _) = combine_with_anchor(&a, &rows, &h).unwrap();
        let (g2, gh) = (dot(&g, &g), dot(&g, &h));
        assert!((combination.weights[0] - ((g2 - gh) / g2).max(0.0)).abs() < 1e-12);
        let (combination, _) = combine_with_anchor(&exact_lf_mlf(LfMlfForm::Simplex), &rows, &h).unwrap();
        assert!((combination.weights[0] - 1.0).abs() < 1e-15 && combination.anchor == 0.0);
        for (name, rule) in rules().into_iter().filter(|(name, _)| !needs_memory(name)) {
            let (combination, gradient) = combine_with_anchor(rule.as_ref(), &rows, &h).unwrap();
            let factor = match name {
                "cagrad" => 1.5 / 1.25,
                "cagrad 0.9" => 1.9 / 1.9,
                name if name.starts_with("nash") => 1.0 / g2.sqrt(),
                name if name.starts_with("lf-mlf a") => continue,
                _ => 1.0,
            };
            let expected: Vec<f64> = g.iter().map(|value| value * factor).collect();
            assert!(distance(&gradient, &expected) < 1e-10 * norm(&g), "{name}: {combination:?}");
        }
    }
}

#[test]
fn sgs_projects_on_the_drawn_language_and_draws_all_equally() {
    let mut random = Random::new(18);
    let rows = vec![vec![1.0, 0.2], vec![-1.0, 0.1], vec![-1.0, 0.3]];
    let gram = gram(&rows);
    let mut projected = 0;
    for step in 0..3000 {
        let input = RuleInput { step, seed: 5, ..RuleInput::of(&gram) };
        let combination = Sgs::default().combine(&input, &mut RuleState::default()).unwrap();
        assert_eq!(combination, Sgs::default().combine(&input, &mut RuleState::default()).unwrap());
        if let [Event::Conflict { row: 3, other: 0, .. }] = combination.events[..] {
            projected += 1;
            assert!(combination.products(&gram, None)[0].abs() < 1e-15);
        } else {
            assert_eq!(combination.weights, [1.0 / 3.0; 3]);
        }
    }
    // Only the first language conflicts with the mean.
    assert!((900..1100).contains(&projected), "{projected}");
    let rows = random.rows(4, 6);
    let x = direction(&Sgs::default(), &rows);
    assert!(rows.iter().any(|row| dot(row, &x) >= -1e-12));
}

#[test]
fn random_orders_depend_on_seed_and_step_only() {
    let mut random = Random::new(21);
    let gram = gram(&random.rows(5, 3));
    for rule in [&PcGrad::default() as &dyn Rule, &GradVac::default()] {
        let run = |seed, step| {
            let input = RuleInput { seed, step, ..RuleInput::of(&gram) };
            rule.combine(&input, &mut RuleState::default()).unwrap().weights
        };
        assert_eq!(run(1, 1), run(1, 1));
        let first = run(1, 1);
        assert!((2..30).any(|step| run(1, step) != first) && (2..30).any(|seed| run(seed, 1) != first));
    }
}
