//! The references' golden vectors: inputs and outputs as printed there, to the digits given.

mod rules_support;

use rules_support::*;
use strategies::rules::*;

/// Fixture G of the references.
fn fixture() -> Vec<Vec<f64>> {
    vec![vec![1.0, 2.0, 0.0, -1.0], vec![-2.0, 1.0, 0.5, 0.3], vec![0.2, -1.5, 1.0, 0.4]]
}

const DIGITS: f64 = 1.01e-9;

#[track_caller]
fn assert_near(actual: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(actual.len(), expected.len());
    for (a, e) in actual.iter().zip(expected) {
        assert!((a - e).abs() <= tolerance, "{actual:?} is not {expected:?}");
    }
}

fn pcgrad(visit: VisitOrder) -> PcGrad {
    PcGrad { visit, reduction: Reduction::Sum, ..PcGrad::default() }
}

#[test]
fn pcgrad_vectors() {
    let g = fixture();
    let ascending = direction(&pcgrad(VisitOrder::Ascending), &g);
    assert_near(&ascending, &[-0.595197851, 0.943852793, 3.028692395, -0.239272106], DIGITS);
    let descending = direction(&pcgrad(VisitOrder::Descending), &g);
    assert_near(&descending, &[-0.783518971, 1.656770341, 3.057656191, -0.418309179], DIGITS);
    let mean = direction(&PcGrad { visit: VisitOrder::Ascending, reduction: Reduction::Mean, ..PcGrad::default() }, &g);
    assert_near(&mean, &ascending.iter().map(|value| value / 3.0).collect::<Vec<_>>(), 1e-15);
}

#[test]
fn gradvac_single_pair_vectors() {
    // The reference turns g1 alone; the result of the pair is p1 + p3, and p3 is the mirror image.
    let g = fixture();
    for (target, p1) in [
        (0.0, [1.185507246, 0.608695652, 0.927536232, -0.628985507]),
        (0.2, [1.223778362, 0.321662285, 1.118891810, -0.552443276]),
        (0.5, [1.293754308, -0.203157309, 1.468771539, -0.412491384]),
    ] {
        let rule = GradVac {
            fixed_target: Some(target),
            visit: VisitOrder::Ascending,
            reduction: Reduction::Sum,
            ..GradVac::default()
        };
        let combination = combine(&rule, &gram(&[g[0].clone(), g[2].clone()])).unwrap();
        // p1 = g1 + a g3 and p3 = g3 + b g1, so the weights are (1 + b, 1 + a).
        let a = combination.weights[1] - 1.0;
        let actual: Vec<f64> = g[0].iter().zip(&g[2]).map(|(x, y)| x + a * y).collect();
        assert_near(&actual, &p1, DIGITS);
    }
}

#[test]
fn gradvac_whole_step_and_targets() {
    let g = fixture();
    let gram = gram(&g);
    let rule = GradVac {
        beta: 0.01,
        visit: VisitOrder::Ascending,
        reduction: Reduction::Sum,
        denominator_epsilon: 1e-8,
        ..GradVac::default()
    };
    let mut state = RuleState::default();
    let combination = rule.combine(&RuleInput::of(&gram), &mut state).unwrap();
    let sum = expand(&combination.weights, &g);
    assert_near(&sum, &[-0.595197851, 0.943852799, 3.028692383, -0.239272107], DIGITS);
    let targets = [0.0, -0.000529999, -0.007201567, -0.000529999, 0.0, -0.003359643, -0.007033392, -0.004719561, 0.0];
    assert_near(&state.target_cosines, &targets, DIGITS);
}

#[test]
fn gradvac_orders_of_update_differ_and_state_round_trips() {
    let gram = gram(&fixture());
    let rule = |order| GradVac { order, visit: VisitOrder::Ascending, initial_target: 0.3, ..GradVac::default() };
    let run = |order| {
        let mut state = RuleState::default();
        let first = rule(order).combine(&RuleInput::of(&gram), &mut state).unwrap();
        (first.weights, state)
    };
    let (compare_first, state) = run(TargetOrder::CompareThenUpdate);
    let (update_first, _) = run(TargetOrder::UpdateThenCompare);
    assert!(compare_first != update_first);

    let text = serde_json::to_string(&state).unwrap();
    let mut again: RuleState = serde_json::from_str(&text).unwrap();
    assert_eq!(again, state);
    let mut kept = state;
    let rule = rule(TargetOrder::CompareThenUpdate);
    let a = rule.combine(&RuleInput::of(&gram), &mut kept).unwrap();
    let b = rule.combine(&RuleInput::of(&gram), &mut again).unwrap();
    assert_eq!((a, kept), (b, again));
}

#[test]
fn mgda_vectors() {
    let g = fixture();
    let combination = combine(&Mgda::default(), &gram(&g)).unwrap();
    assert_near(&combination.weights, &[0.323696629, 0.199136099, 0.477167272], DIGITS);
    let shortest = expand(&combination.weights, &g);
    assert_near(&shortest, &[0.020857885, 0.130778448, 0.576735322, -0.073088890], DIGITS);
    assert_near(&[dot(&shortest, &shortest)], &[0.355503671], DIGITS);
    let two = combine(&Mgda::default(), &gram(&g[..2])).unwrap();
    assert_near(&two.weights[..1], &[0.472361809], DIGITS);
}

#[test]
fn cagrad_vectors() {
    // The reference's solver is good to about 1e-6 here.
    let g = fixture();
    let unscaled = CaGrad { c: 0.5, rescale: CaGradRescale::None, ..CaGrad::default() };
    let d = direction(&unscaled, &g);
    assert_near(&d, &[-0.167363136, 0.230822326, 0.746202492, -0.051582035], 1e-6);
    let w: Vec<f64> = combine(&unscaled, &gram(&g)).unwrap().weights.iter().map(|w| w - 1.0 / 3.0).collect();
    let sum: f64 = w.iter().sum();
    assert_near(&w.iter().map(|w| w / sum).collect::<Vec<_>>(), &[0.168980283, 0.0, 0.831019717], 1e-6);
    let rescaled = direction(&CaGrad::default(), &g);
    assert_near(&rescaled, &[-0.133890509, 0.184657861, 0.596961994, -0.041265628], 1e-6);
    let by = |rescale| direction(&CaGrad { c: 0.5, rescale, ..CaGrad::default() }, &g)[0] / d[0];
    assert_near(
        &[by(CaGradRescale::OnePlusC), by(CaGradRescale::OnePlusLambda)],
        &[1.0 / 1.5, 1.0 / (1.0 + sum)],
        1e-12,
    );
}

#[test]
fn nash_vectors() {
    let g = fixture();
    let combination = combine(&NashMtl { max_norm: 0.0, ..NashMtl::default() }, &gram(&g)).unwrap();
    assert_near(&combination.weights, &[0.914222685, 0.652600935, 1.311165758], DIGITS);
    let d = expand(&combination.weights, &g);
    assert_near(&d, &[-0.128746032, 0.514297668, 1.637466225, -0.193976102], DIGITS);
    let clipped = direction(&NashMtl::default(), &g);
    assert_near(&clipped, &d.iter().map(|value| value / 3f64.sqrt()).collect::<Vec<_>>(), 1e-12);
}

/// The task's gradient and the memories of the references.
fn episodic() -> Vec<Vec<f64>> {
    vec![vec![1.0, -2.0, 0.5, 3.0], vec![-1.0, 1.0, 0.0, -0.5], vec![0.5, 1.0, 1.0, 0.2], vec![-2.0, 0.3, 0.1, 0.4]]
}

#[test]
fn gem_vectors() {
    let rows = episodic();
    for (margin, ridge, multipliers, result) in [
        (0.0, 0.0, [2.0, 0.0, 0.0], [-1.0, 0.0, 0.5, 2.0]),
        (0.0, 1e-3, [1.999111506, 0.0, 0.0], [-0.999111506, -0.000888494, 0.5, 2.000444247]),
        (0.5, 1e-3, [1.443802754, 0.5, 0.5], [-1.193802754, 0.093802754, 1.05, 2.578098623]),
    ] {
        let combination = combine(&Gem { margin, ridge, ..Gem::default() }, &gram(&rows)).unwrap();
        assert_eq!(combination.weights[0], 1.0);
        assert_near(&combination.weights[1..], &multipliers, DIGITS);
        assert_near(&expand(&combination.weights, &rows), &result, DIGITS);
    }
}

#[test]
fn gem_with_two_memories() {
    let g = vec![1.0, -2.0, 0.5, 3.0];
    let m = vec![-1.0, 1.0, 0.0, -0.5];
    for (m1, m2, v, result) in [
        (vec![1.0, 0.0, 1.0, 0.0], vec![0.0, -1.0, 0.0, 1.0], [0.0, 0.0], [1.0, -2.0, 0.5, 3.0]),
        (m.clone(), vec![0.5, 1.0, 1.0, 0.2], [2.0, 0.0], [-1.0, 0.0, 0.5, 2.0]),
        (vec![0.0, 0.0, 1.0, 1.0], vec![-1.0, 1.0, 0.5, -0.5], [0.0, 1.7], [-0.7, -0.3, 1.35, 2.15]),
        (
            m.clone(),
            vec![0.5, 0.5, -1.0, -0.5],
            [1.870967742, 1.161290323],
            [-0.290322581, 0.451612903, -0.661290323, 1.483870968],
        ),
    ] {
        let rows = vec![g.clone(), m1, m2];
        let combination = combine(&Gem { margin: 0.0, ridge: 0.0, ..Gem::default() }, &gram(&rows)).unwrap();
        assert_near(&combination.weights[1..], &v, DIGITS);
        assert_near(&expand(&combination.weights, &rows), &result, DIGITS);
    }
}

#[test]
fn agem_vectors() {
    let rows = episodic();
    let mean = direction(&AGem::default(), &rows);
    assert_near(&mean, &[-0.224529781, -0.873432602, 1.038793103, 3.048981191], DIGITS);
    assert_near(&direction(&AGem::default(), &rows[..2]), &[-1.0, 0.0, 0.5, 2.0], DIGITS);
}

#[test]
fn lf_mlf_vectors() {
    let g = fixture();
    let h = vec![0.3, -0.4, 0.8, 0.1];
    let zero = vec![0.0; 4];
    let alpha = [0.323696629, 0.199136099, 0.477167272];
    let shortest = [-0.020857885, -0.130778448, -0.576735322, 0.073088890];
    for (form, rho, h, lambda, d, products) in [
        (
            LfMlfForm::Polyhedron,
            1.0,
            &h,
            [0.168389380, 0.182775372, 0.0],
            [-0.102838637, -0.119554133, -0.891387686, 0.013556769],
            [-0.355503671, -0.355503671, -0.727201507],
        ),
        (
            LfMlfForm::Polyhedron,
            0.5,
            &h,
            [0.137011592, 0.147725714, 0.0],
            [-0.141560164, -0.021748897, -0.873862857, -0.007306123],
            [-0.177751836, -0.177751836, -0.872473993],
        ),
        (LfMlfForm::Polyhedron, 1.0, &zero, alpha, shortest, [-0.355503671; 3]),
        (
            LfMlfForm::Simplex,
            1.0,
            &h,
            [0.300919707, 0.148806448, 0.550273845],
            [-0.113361579, 0.074764906, -0.624677069, 0.036168234],
            [0.0, 0.0, -0.745029451],
        ),
        (LfMlfForm::Simplex, 1.0, &zero, alpha, shortest, [-0.355503671; 3]),
    ] {
        let rule = LfMlf { form, rho, h_rescale: Some(AnchorRescale::None), ..LfMlf::default() };
        let (combination, gradient) = combine_with_anchor(&rule, &g, h).unwrap();
        assert_near(&combination.weights, &lambda, DIGITS);
        let actual: Vec<f64> = gradient.iter().map(|value| -value).collect();
        assert_near(&actual, &d, DIGITS);
        let along: Vec<f64> = g.iter().map(|row| dot(row, &actual)).collect();
        assert_near(&along, &products, DIGITS);
    }
}

#[test]
fn knobs_have_the_documented_names_and_defaults() {
    fn text<T: serde::Serialize + Default>() -> String {
        serde_json::to_string(&T::default()).unwrap()
    }
    assert_eq!(text::<PcGrad>(), r#"{"visit":"random","reduction":"mean"}"#);
    assert_eq!(
        text::<GradVac>(),
        r#"{"beta":0.5,"initial-target":0.0,"fixed-target":null,"order":"compare-then-update","visit":"random","reduction":"mean","denominator-epsilon":0.0}"#
    );
    assert_eq!(text::<Mgda>(), r#"{"gradient-normalise":"none"}"#);
    assert_eq!(text::<CaGrad>(), r#"{"c":0.5,"rescale":"one-plus-c2"}"#);
    assert_eq!(text::<NashMtl>(), r#"{"max-norm":1.0}"#);
    assert_eq!(text::<Sgs>(), "{}");
    assert_eq!(text::<AGem>(), r#"{"reference":"union","memory":"all"}"#);
    assert_eq!(text::<Gem>(), r#"{"margin":0.0,"ridge":0.001,"memory":"all"}"#);
    assert_eq!(
        text::<LfMlf>(),
        r#"{"form":"simplex","forgetting":"l2","mu":1.0,"h-rescale":null,"kappa":0.5,"rho":1.0,"gradient-normalise":"none","solver-ridge":1e-12,"pareto-tol":1e-10,"memory":"all","fisher-batches":16,"rise-probe-every":50}"#
    );
    assert!(serde_json::from_str::<Gem>(r#"{"margins":1}"#).is_err());
}

#[test]
fn imtl_g_vectors() {
    // Printed by TorchJD's IMTLG in double precision.
    let rule = ImtlG::default();
    let weights = |g: &[Vec<f64>]| combine(&rule, &gram(g)).unwrap().weights;
    let g = fixture();
    assert_near(&weights(&g), &[0.3281491490, 0.2027814168, 0.4690694342], DIGITS);
    assert_near(&direction(&rule, &g), &[0.0164002023, 0.1554755635, 0.5704601426, -0.0796869503], DIGITS);
    let g = [vec![3.0, 4.0], vec![-5.0, 12.0]];
    assert_near(&weights(&g), &[0.7222222222, 0.2777777778], DIGITS);
    assert_near(&direction(&rule, &g), &[0.7777777778, 6.2222222222], DIGITS);
    // Here the equal projections are negative.
    let g = [vec![-0.4, -1.2, 0.6], vec![0.6, -1.0, 2.5], vec![-1.2, -1.7, -1.2]];
    assert_near(&weights(&g), &[15.1459175258, -6.9045914384, -7.2413260874], DIGITS);
    let d = direction(&rule, &g);
    assert_near(&d, &[-1.5115305685, 1.0397447560, 0.5156632243], DIGITS);
    assert!(g.iter().all(|row| dot(row, &d) < 0.0));
}
