//! What methods are for: remembering under conflict, staying near the start, meta-learning's laws.

mod strategy_support;

use model::{Learner, OptimizerConfig};
use spec::{Anchor, Ewc, Fomaml, Gem, GradientRule, L2Sp, LfMlf, LfMlfForm, Method, OuterLoop, RecAdam, Reptile, Task};
use strategies::{BatchSource, Strategy};
use strategy_support::*;

/// A learner that has learnt the labels of shift 5.
fn taught() -> Learner {
    let stage = stage(150, 3e-3, Vec::new());
    let (mut learner, mut toy) = (tiny(), Toy::new(&stage));
    toy.shifts = vec![5, 5];
    train(&plain(), &stage, &mut learner, &mut toy);
    learner
}

#[test]
fn gem_and_ewc_forget_less_than_plain_training_under_conflict() {
    let taught = taught();
    let folder = taught.save_point();
    let stage = stage(40, 1e-3, vec![memory("old", Task::Ner)]);
    let run = |method: Method| {
        let mut learner = tiny();
        learner.restore(&folder);
        // Half of the new labels contradict the old ones.
        let mut toy = Toy { shifts: vec![5, 6], memories: vec![(Task::Ner, 5)], first: 5000, cycle: u64::MAX };
        let reports = train(&method, &stage, &mut learner, &mut toy);
        let conflicts: f64 = reports
            .iter()
            .filter_map(|report| report.series.iter().find(|(name, _)| name == "conflicts").map(|(_, count)| *count))
            .sum();
        (loss(&mut learner, 50, 5), loss(&mut learner, 51, 6), conflicts)
    };
    let mut learner = tiny();
    learner.restore(&folder);
    let (old, new) = (loss(&mut learner, 50, 5), loss(&mut learner, 51, 6));
    let (plain_old, plain_new, _) = run(plain());
    let (gem_old, gem_new, conflicts) = run(with_rule(GradientRule::Gem(Gem { ridge: 0.0, ..Gem::default() })));
    println!("old {old} {plain_old} {gem_old}; new {new} {plain_new} {gem_new}; {conflicts} conflicts");
    // At the end of learning the Fisher information is small, so that its weight must be large.
    let (ewc_old, ewc_new, _) = run(with_anchor(Anchor::Ewc(Ewc { lambda: 1e5, fisher_batches: 4, ..Ewc::default() })));
    println!("ewc {ewc_old} {ewc_new}");
    assert!(conflicts >= 10.0, "{conflicts}");
    assert!(plain_old > old && gem_old < plain_old, "{old} {plain_old} {gem_old}");
    assert!(ewc_old < 0.95 * plain_old, "{ewc_old} {plain_old}");
    assert!(plain_new < new && gem_new < new && ewc_new < new, "{new} {plain_new} {gem_new} {ewc_new}");
}

/// Length of the encoder's way from its start.
fn distance(learner: &Learner, start: &model::SavePoint) -> f64 {
    let moved = learner.displacement(start).unwrap();
    let norms = learner.squared_norms(&moved).unwrap();
    norms.iter().filter(|(group, _)| **group != model::Group::Head).map(|(_, norm)| norm).sum::<f64>().sqrt()
}

#[test]
fn anchored_methods_end_nearer_to_their_start_at_an_equal_loss() {
    let stage = stage(300, 1e-3, vec![memory("old", Task::Ner)]);
    let polyhedron = LfMlf { form: LfMlfForm::Polyhedron, kappa: 0.2, ..LfMlf::default() };
    let level = 1.0;
    // The way until the first time that the mean of ten losses is below the level.
    let way = |method: &Method| {
        let mut learner = tiny();
        learner.set_dropout(Some(0.0));
        let start = learner.save_point();
        let mut toy = Toy { shifts: vec![0, 0], cycle: 4, ..Toy::new(&stage) };
        let mut strategy = Strategy::new(method, &stage, SEED);
        strategy.begin(&mut learner, &mut toy).unwrap();
        let mut losses = Vec::new();
        for step in 0..stage.steps {
            losses.push(strategy.step(&mut learner, &mut toy, step).unwrap().loss);
            let last = &losses[losses.len().saturating_sub(10)..];
            if last.len() == 10 && last.iter().sum::<f64>() / 10.0 < level {
                return distance(&learner, &start);
            }
        }
        panic!("{method:?} does not learn: {:?}", losses.last())
    };
    let mean = way(&plain());
    for method in [
        with_rule(GradientRule::LfMlf(polyhedron)),
        with_anchor(Anchor::L2Sp(L2Sp { alpha: 0.1, beta: 0.0 })),
        with_anchor(Anchor::RecAdam(RecAdam { gamma: Some(100.0), width: 1.0 / 30.0, t0: 0.1, w: 1.0 })),
    ] {
        let found = way(&method);
        println!("{} {}: {found} against {mean}", method.rule.name(), method.anchor.name());
        assert!(found < 0.95 * mean, "{method:?}: {found} is not much nearer than {mean}");
    }
}

/// The mean of the two languages' gradients at a step, by hand.
fn mean_gradient(learner: &mut Learner, toy: &mut Toy, step: u64) -> model::Gradients {
    let gradients = (0..2).map(|source| {
        let sub = toy.source(source, step).unwrap();
        learner.loss_and_gradients(&sub.batch, sub.dropout_seed).unwrap().1
    });
    let gradients = gradients.collect();
    learner.combine(gradients, &[0.5, 0.5]).unwrap()
}

#[test]
fn rec_adam_steps_as_its_equations_say() {
    let (lr, b1, b2, eps) = (1e-3f64, 0.9f64, 0.999f64, 1e-6f64);
    // k = 0.5 and t0 = 1.5 of 3 steps.
    let knobs = RecAdam { gamma: Some(20.0), width: 2.0 / 3.0, t0: 0.5, w: 1.0 };
    let mut stage = stage(3, lr, Vec::new());
    (stage.clip, stage.weight_decay) = (0.0, 0.0);
    let (mut learner, mut toy) = (tiny(), Toy::new(&stage));
    let method = with_anchor(Anchor::RecAdam(knobs.clone()));
    let mut strategy = Strategy::new(&method, &stage, SEED);
    strategy.begin(&mut learner, &mut toy).unwrap();
    let names = ["embeddings.word_embeddings.weight", "encoder.layer.0.output.dense.weight", "classifier.weight"];
    let read = |learner: &Learner, name: &str| -> Vec<f64> {
        learner.parameter(name).unwrap().into_iter().map(f64::from).collect()
    };
    let start: Vec<Vec<f64>> = names.iter().map(|name| read(&learner, name)).collect();
    let mut moments: Vec<Vec<(f64, f64)>> = start.iter().map(|values| vec![(0.0, 0.0); values.len()]).collect();
    for step in 0..3 {
        let t = step as i32 + 1;
        let rate = lr * (3 - step) as f64 / 3.0;
        let lambda = knobs.w / (1.0 + (-0.5 * (f64::from(t) - 1.5)).exp());
        let rate_t = rate * (1.0 - b2.powi(t)).sqrt() / (1.0 - b1.powi(t));
        let gradient = mean_gradient(&mut learner, &mut toy, step);
        let before: Vec<Vec<f64>> = names.iter().map(|name| read(&learner, name)).collect();
        strategy.step(&mut learner, &mut toy, step).unwrap();
        for (index, name) in names.iter().enumerate() {
            let gradient = learner.gradient(&gradient, name).unwrap().unwrap();
            let after = read(&learner, name);
            for place in 0..after.len() {
                let g = f64::from(gradient[place]);
                let (m, v) = &mut moments[index][place];
                (*m, *v) = (b1 * *m + (1.0 - b1) * g, b2 * *v + (1.0 - b2) * g * g);
                let adam = rate_t * *m / (v.sqrt() + eps);
                let mut expected = before[index][place] - adam;
                if *name != "classifier.weight" {
                    expected = before[index][place] - lambda * adam;
                    expected -= rate * (knobs.w - lambda) * 20.0 * (expected - start[index][place]);
                }
                let off = (after[place] - expected).abs();
                assert!(off <= 1e-6 * expected.abs() + 1e-8, "{name} {place} at {t}: {} {expected}", after[place]);
            }
        }
    }
}

#[test]
fn rec_adam_without_recall_is_adam() {
    let stage = stage(4, 1e-3, Vec::new());
    let (mut learner, mut twin, mut toy) = (tiny(), tiny(), Toy::new(&stage));
    let recall = RecAdam { gamma: Some(0.0), width: 1e-4, t0: 0.0, w: 1.0 };
    train(&with_anchor(Anchor::RecAdam(recall)), &stage, &mut learner, &mut toy);
    twin.begin_stage(OptimizerConfig { weight_decay: 0.01, clip: 1.0, ..OptimizerConfig::default() });
    for step in 0..4 {
        let direction = mean_gradient(&mut twin, &mut toy, step);
        twin.set_epsilon(1e-6 / (1.0 - 0.999f64.powf((step + 1) as f64)).sqrt());
        twin.step(direction, 1e-3 * (4 - step) as f64 / 4.0).unwrap();
    }
    assert_eq!(bits(&learner), bits(&twin));
}

#[test]
fn fomaml_without_inner_steps_trains_on_the_queries() {
    let stage = stage(3, 1e-3, Vec::new());
    let still = Fomaml { inner_steps: 3, inner_learning_rate: 0.0, head_inner_learning_rate: Some(0.0) };
    let (mut learner, mut twin, mut toy) = (tiny(), tiny(), Toy::new(&stage));
    train(&with_outer(OuterLoop::Fomaml(still)), &stage, &mut learner, &mut toy);
    /// The second of every two draws.
    struct Queries(Toy);
    impl BatchSource for Queries {
        fn source(&mut self, source: usize, draw: u64) -> Result<strategies::SubBatch, strategies::BatchError> {
            self.0.source(source, 2 * draw + 1)
        }
        fn memory(&mut self, memory: usize, draw: u64) -> Result<Vec<strategies::SubBatch>, strategies::BatchError> {
            self.0.memory(memory, draw)
        }
    }
    let mut queries = Queries(toy);
    let method = plain();
    let mut strategy = Strategy::new(&method, &stage, SEED);
    strategy.begin(&mut twin, &mut queries).unwrap();
    for step in 0..3 {
        strategy.step(&mut twin, &mut queries, step).unwrap();
    }
    assert_eq!(bits(&learner), bits(&twin));
}

#[test]
fn inner_steps_leave_the_parameters_alone() {
    let stage = stage(2, 0.0, Vec::new());
    let inner = Fomaml { inner_steps: 3, inner_learning_rate: 1e-2, ..Fomaml::default() };
    let mut learner = tiny();
    let before = bits(&learner);
    let reports = train(&with_outer(OuterLoop::Fomaml(inner)), &stage, &mut learner, &mut Toy::new(&stage));
    assert_eq!(bits(&learner), before);
    // Yet the inner steps were taken: they change what the query sees.
    let mut again = tiny();
    let still = Fomaml { inner_steps: 3, inner_learning_rate: 0.0, head_inner_learning_rate: Some(0.0) };
    let without = train(&with_outer(OuterLoop::Fomaml(still)), &stage, &mut again, &mut Toy::new(&stage));
    assert_ne!(reports[0].losses, without[0].losses);
}

#[test]
fn reptile_with_one_inner_step_follows_the_gradient() {
    let (alpha, eps) = (0.125, 0.5);
    let stage = stage(1, 0.0, Vec::new());
    let knobs = Reptile { inner_steps: 1, inner_learning_rate: alpha, meta_step: eps };
    let (mut learner, mut twin, mut toy) = (tiny(), tiny(), Toy::new(&stage));
    train(&with_outer(OuterLoop::Reptile(knobs)), &stage, &mut learner, &mut toy);
    let mean = mean_gradient(&mut twin, &mut toy, 0);
    twin.shift(&mean, &|_| -eps * alpha).unwrap();
    // The way of the inner step is rounded in units of the parameters.
    let off = difference(&learner, &twin);
    assert!(off < 1e-6, "{off}");
    assert!(difference(&tiny(), &twin) > 1e-4);
}

#[test]
fn reptile_learns_at_its_default_rates() {
    let stage = stage(40, 1e-3, Vec::new());
    let run = |knobs: Reptile| {
        let mut learner = tiny();
        let mut toy = Toy { shifts: vec![5, 5], cycle: 8, ..Toy::new(&stage) };
        let before = loss(&mut learner, 0, 5);
        train(&with_outer(OuterLoop::Reptile(knobs)), &stage, &mut learner, &mut toy);
        (before, loss(&mut learner, 0, 5))
    };
    let (before, after) = run(Reptile::default());
    let (_, slow) = run(Reptile { inner_learning_rate: 1e-3, ..Reptile::default() });
    println!("{before} {after} {slow}");
    assert!(before - after > 5.0 * (before - slow).abs(), "{before} {after} {slow}");
}

#[test]
fn ewc_at_its_default_strength_holds_back_a_pre_trained_encoder() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../encoders/mini");
    let stage = stage(25, 5e-4, vec![memory("mlm", Task::Mlm)]);
    let run = |method: &Method| {
        let mut learner = Learner::load(&folder, spec::Backend::Cpu).unwrap();
        learner.set_head(None, labels(), SEED).unwrap();
        let mut toy = Toy { cycle: 8, ..Toy::new(&stage) };
        let start = learner.save_point();
        train(method, &stage, &mut learner, &mut toy);
        distance(&learner, &start)
    };
    let ewc = |lambda| with_anchor(Anchor::Ewc(Ewc { lambda, fisher_batches: 4, ..Ewc::default() }));
    let (free, weak, default) = (run(&plain()), run(&ewc(1.0)), run(&ewc(Ewc::default().lambda)));
    println!("{free} {weak} {default}");
    assert!(weak > 0.95 * free && default < 0.9 * free, "{free} {weak} {default}");
}

#[test]
fn fomamls_inner_steps_are_felt_at_their_default_rates() {
    let stage = stage(1, 1e-3, Vec::new());
    let query = |rate: f64| {
        let knobs = Fomaml { inner_learning_rate: rate, ..Fomaml::default() };
        train(&with_outer(OuterLoop::Fomaml(knobs)), &stage, &mut tiny(), &mut Toy::new(&stage))[0].loss
    };
    let (still, slow, default) = (query(0.0), query(1e-5), query(Fomaml::default().inner_learning_rate));
    println!("{still} {slow} {default}");
    assert!((default - still).abs() > 20.0 * (slow - still).abs() && default != still, "{still} {slow} {default}");
}
