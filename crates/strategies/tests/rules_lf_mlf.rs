//! Laws and guarantees of the LF-MLF-style rules, and the normalisers that they share with MGDA.

mod rules_support;

use rules_support::*;
use strategies::rules::*;

#[test]
fn lf_mlf_without_anchor_is_mgda() {
    for_problems(15, |kind, rows, _| {
        let zero = vec![0.0; rows[0].len()];
        let shortest = direction(&Mgda::default(), rows);
        for form in [LfMlfForm::Polyhedron, LfMlfForm::Simplex] {
            for rule in [exact_lf_mlf(form), LfMlf { form, ..LfMlf::default() }] {
                let (combination, gradient) = combine_with_anchor(&rule, rows, &zero).unwrap();
                if !stationary(&combination) {
                    let unit = largest_norm(rows);
                    assert!(distance(&gradient, &shortest) <= 1e-9 * unit, "{kind:?} {form:?} of {rows:?}");
                }
            }
        }
    });
}

#[test]
fn lf_mlf_form_a_keeps_its_margin_and_form_b_its_simplex() {
    for_problems(16, |kind, rows, random| {
        let h = anchor_for(rows, random);
        let rho = 1.0 - random.uniform();
        let shortest = direction(&Mgda::default(), rows);
        let norm2 = dot(&shortest, &shortest);
        for rescale in [AnchorRescale::None, AnchorRescale::Clip, AnchorRescale::Normalise] {
            let a = LfMlf { form: LfMlfForm::Polyhedron, rho, h_rescale: Some(rescale), ..LfMlf::default() };
            let (combination, gradient) = combine_with_anchor(&a, rows, &h).unwrap();
            if stationary(&combination) {
                assert!(norm(&gradient) == 0.0 && combination.anchor == 0.0);
                return;
            }
            let rescaled = combination.anchor * norm(&h);
            match rescale {
                AnchorRescale::None => assert_eq!(combination.anchor, 1.0),
                AnchorRescale::Clip => assert!(rescaled <= 0.5 * norm(&shortest) * (1.0 + 1e-9)),
                AnchorRescale::Normalise => assert!((rescaled / norm(&shortest) - 0.5).abs() < 1e-7, "{kind:?}"),
            }
            assert!(combination.weights.iter().all(|lambda| *lambda >= 0.0));
            for row in rows {
                let unit = norm(row) * norm(&gradient).max(rescaled);
                assert!(dot(row, &gradient) >= rho * norm2 - 1e-9 * unit, "{kind:?} {rescale:?}");
            }
            // The bound of the convergence proof: |d| <= 2 |h| + |g*|.
            assert!(norm(&gradient) <= (2.0 * rescaled + norm(&shortest)) * (1.0 + 1e-7), "{kind:?} {rescale:?}");

            let b = LfMlf { form: LfMlfForm::Simplex, ..a };
            let (combination, _) = combine_with_anchor(&b, rows, &h).unwrap();
            assert_eq!(combination.anchor, 0.0);
            assert!(combination.weights.iter().all(|lambda| *lambda >= 0.0));
            assert!((combination.weights.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{kind:?}");
        }
    });
}

#[test]
fn the_quadratic_toy_never_breaks_the_guarantees() {
    // Three rank-5 quadratic losses in R^30, from theta0 = 0, at the step sizes of the convergence proofs.
    for form in [LfMlfForm::Polyhedron, LfMlfForm::Simplex] {
        let mut random = Random::new(19);
        let factors: Vec<Rows> = (0..3).map(|_| random.rows(5, 30)).collect();
        let targets = random.rows(3, 5);
        // L_k = 1/2 |A_k theta - y_k|^2 is as smooth as |A_k|^2; the Frobenius norm bounds it.
        let smoothness = factors.iter().map(|a| a.iter().map(|row| dot(row, row)).sum::<f64>()).fold(0.0, f64::max);
        let (kappa, rho) = (0.5, 1.0);
        let eta = match form {
            LfMlfForm::Polyhedron => rho / (smoothness * (2.0 * kappa + 1.0f64).powi(2)),
            LfMlfForm::Simplex => 1.0 / (3.0 * smoothness),
        };
        let rule = match form {
            LfMlfForm::Polyhedron => LfMlf { form, h_rescale: Some(AnchorRescale::Normalise), ..LfMlf::default() },
            LfMlfForm::Simplex => LfMlf { form, ..LfMlf::default() },
        };
        let errors = |theta: &[f64]| -> Rows {
            let error = |k: usize| factors[k].iter().zip(&targets[k]).map(|(a, y)| dot(a, theta) - y).collect();
            (0..3).map(error).collect()
        };
        let losses = |theta: &[f64]| -> Vec<f64> { errors(theta).iter().map(|e| 0.5 * dot(e, e)).collect() };
        let mut theta = vec![0.0; 30];
        let start = losses(&theta);
        let (mut steps, mut sum) = (0, 0.0);
        loop {
            let before = losses(&theta);
            let rows: Rows = errors(&theta).iter().zip(&factors).map(|(e, a)| expand(e, a)).collect();
            let (combination, gradient) = combine_with_anchor(&rule, &rows, &theta).unwrap();
            if stationary(&combination) || steps == 20_000 {
                break;
            }
            let shortest = direction(&Mgda::default(), &rows);
            let norm2 = dot(&shortest, &shortest);
            sum += norm2;
            theta.iter_mut().zip(&gradient).for_each(|(theta, g)| *theta -= eta * g);
            let after = losses(&theta);
            match form {
                LfMlfForm::Polyhedron => {
                    for (before, after) in before.iter().zip(&after) {
                        assert!(*after <= before - 0.5 * eta * rho * norm2 + 1e-13, "step {steps}");
                    }
                    assert!(norm(&gradient) <= (2.0 * kappa + 1.0) * norm2.sqrt() * (1.0 + 1e-9));
                }
                LfMlfForm::Simplex => {
                    let fall = before.iter().sum::<f64>() - after.iter().sum::<f64>();
                    assert!(fall >= 0.5 * eta * dot(&gradient, &gradient) - 1e-13, "step {steps}");
                    assert!(norm(&gradient) >= norm2.sqrt() * (1.0 - 1e-9));
                }
            }
            steps += 1;
        }
        assert!(steps < 20_000, "{form:?} did not come to rest");
        let bound = match form {
            LfMlfForm::Polyhedron => start.iter().copied().fold(f64::INFINITY, f64::min) * 2.0 / (eta * rho),
            LfMlfForm::Simplex => start.iter().sum::<f64>() * 2.0 / eta,
        };
        assert!(sum <= bound, "{form:?}: {sum} {bound}");
    }
}

#[test]
fn normalisers_divide_the_gradients() {
    let mut random = Random::new(20);
    for _ in 0..200 {
        let rows = random.rows(4, 6);
        let h = random.vector(6);
        let losses: Vec<f64> = (0..4).map(|_| 0.1 + random.uniform()).collect();
        let products: Vec<f64> = rows.iter().map(|row| dot(row, &h)).collect();
        let gram_of_rows = gram(&rows);
        let anchor = Some(AnchorDirection { products: &products, norm2: dot(&h, &h) });
        let input = RuleInput { losses: &losses, anchor, ..RuleInput::of(&gram_of_rows) };
        for (normaliser, divisors) in [
            (Normaliser::L2, rows.iter().map(|row| norm(row)).collect::<Vec<_>>()),
            (Normaliser::Loss, losses.clone()),
            (Normaliser::LossL2, rows.iter().zip(&losses).map(|(row, loss)| norm(row) * loss).collect()),
        ] {
            let divided: Rows =
                rows.iter().zip(&divisors).map(|(row, n)| row.iter().map(|value| value / n).collect()).collect();
            // MGDA weighs the gradients as given by what it found for the divided ones.
            let mgda = Mgda { gradient_normalise: normaliser, ..Mgda::default() };
            let given = mgda.combine(&input, &mut RuleState::default()).unwrap();
            let plain = combine(&Mgda::default(), &gram(&divided)).unwrap();
            assert!(distance(&given.weights, &plain.weights) < 1e-9);
            // LF-MLF moves along the divided gradients.
            for form in [LfMlfForm::Polyhedron, LfMlfForm::Simplex] {
                let rule = LfMlf { form, gradient_normalise: normaliser, ..LfMlf::default() };
                let given = rule.combine(&input, &mut RuleState::default()).unwrap();
                let mut gradient = expand(&given.weights, &rows);
                gradient.iter_mut().zip(&h).for_each(|(value, h)| *value += given.anchor * h);
                let plain = LfMlf { form, ..LfMlf::default() };
                let (_, expected) = combine_with_anchor(&plain, &divided, &h).unwrap();
                assert!(distance(&gradient, &expected) < 1e-8 * norm(&expected).max(1.0), "{form:?} {normaliser:?}");
            }
        }
    }
}
