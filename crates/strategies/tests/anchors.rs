//! What anchors hold on to in a later stage: adapters and heads of earlier ones, and not what is new.

mod strategy_support;

use std::collections::BTreeMap;

use model::{Gradients, Learner, SavePoint};
use spec::{Adapter, Anchor, GradientRule, L2Sp, LfMlf, Lora, Method, Multitask, RecAdam, Stage, Structure, Task};
use strategies::{BatchSource, Strategy};
use strategy_support::*;

const RATE: f64 = 1e-2;

/// Trains entities first, with this structure, and makes a fresh head for parts of speech.
fn after_first_stage(structure: &Structure) -> Learner {
    let mut learner = two_headed();
    learner.remove_head(Some(Task::Pos)).unwrap();
    let (method, first) = (Method { structure: structure.clone(), ..plain() }, stage(4, RATE, Vec::new()));
    let mut data = Tasked::new(&first);
    let mut strategy = Strategy::new(&method, &first, SEED);
    strategy.begin(&mut learner, &mut data).unwrap();
    for step in 0..first.steps {
        strategy.step(&mut learner, &mut data, step).unwrap();
    }
    learner.end_stage();
    learner.set_head(Some(Task::Pos), labels(), SEED + 1).unwrap();
    learner
}

/// Parts of speech, with a memory of the entities: the heads of both train.
fn second() -> Stage {
    let stage = stage(3, RATE, vec![memory("past", Task::Ner)]);
    Stage { task: Task::Pos, weight_decay: 0.0, clip: 1e9, ..stage }
}

fn joint(structure: &Structure, anchor: Anchor) -> Method {
    let rule = GradientRule::Multitask(Multitask::default());
    Method { structure: structure.clone(), rule, anchor, ..plain() }
}

/// The mean over two languages and the memory, by hand.
fn gradient(learner: &mut Learner, data: &mut Tasked, step: u64) -> Gradients {
    let mut subs = vec![data.source(0, step).unwrap(), data.source(1, step).unwrap()];
    subs.extend(data.memory(0, step).unwrap());
    let each = subs.iter().map(|sub| learner.loss_and_gradients(&sub.batch, sub.dropout_seed).unwrap().1);
    let each: Vec<Gradients> = each.collect();
    learner.combine(each, &[1.0 / 3.0; 3]).unwrap()
}

const OLD_HEAD: &str = "heads.ner.classifier.weight";
const NEW_HEAD: &str = "heads.pos.classifier.weight";

/// A structure, and a weight that it adds and trains.
fn structures() -> [(Structure, &'static str); 3] {
    [
        (Structure::Full, "encoder.layer.0.output.dense.weight"),
        (Structure::Adapter(Adapter::default()), "encoder.layer.0.output.adapters.task.adapter_down.0.weight"),
        (Structure::Lora(Lora::default()), "encoder.layer.0.attention.self.query.lora_B.weight"),
    ]
}

fn read(learner: &Learner, name: &str) -> Vec<f64> {
    learner
        .parameter(name)
        .unwrap_or_else(|error| panic!("{error}: {:?}", learner.parameter_names()))
        .into_iter()
        .map(f64::from)
        .collect()
}

#[test]
fn rec_adam_recalls_what_an_earlier_stage_has_trained() {
    let (b1, b2, eps, gamma) = (0.9f64, 0.999f64, 1e-6f64, 40.0);
    for (structure, added) in structures() {
        let mut learner = after_first_stage(&structure);
        let stage = second();
        let method =
            joint(&structure, Anchor::RecAdam(RecAdam { gamma: Some(gamma), width: 2.0 / 3.0, t0: 0.5, w: 1.0 }));
        let mut data = Tasked::new(&stage);
        let mut strategy = Strategy::new(&method, &stage, SEED);
        strategy.begin(&mut learner, &mut data).unwrap();
        let names = [added, OLD_HEAD, NEW_HEAD];
        let start = names.map(|name| read(&learner, name));
        let mut moments: BTreeMap<(&str, usize), (f64, f64)> = BTreeMap::new();
        for step in 0..stage.steps {
            let t = step as i32 + 1;
            let rate = RATE * (3 - step) as f64 / 3.0;
            let lambda = 1.0 / (1.0 + (-0.5 * (f64::from(t) - 1.5)).exp());
            let rate_t = rate * (1.0 - b2.powi(t)).sqrt() / (1.0 - b1.powi(t));
            let found = gradient(&mut learner, &mut data, step);
            let before = names.map(|name| read(&learner, name));
            strategy.step(&mut learner, &mut data, step).unwrap();
            for (index, name) in names.into_iter().enumerate() {
                let found = learner.gradient(&found, name).unwrap().unwrap();
                for (place, after) in read(&learner, name).into_iter().enumerate() {
                    let g = f64::from(found[place]);
                    let (m, v) = moments.entry((name, place)).or_default();
                    (*m, *v) = (b1 * *m + (1.0 - b1) * g, b2 * *v + (1.0 - b2) * g * g);
                    let adam = rate_t * *m / (v.sqrt() + eps);
                    let mut expected = before[index][place] - adam;
                    if name != NEW_HEAD {
                        expected = before[index][place] - lambda * adam;
                        expected -= rate * (1.0 - lambda) * gamma * (expected - start[index][place]);
                    }
                    let off = (after - expected).abs();
                    assert!(
                        off <= 2e-6 * expected.abs() + 2e-7,
                        "{structure:?} {name} {place} at {t}: {after} {expected}"
                    );
                }
            }
        }
    }
}

/// The gradient that the optimiser's first step sees, from its first moment: a step of Adam moves by the rate where the
/// gradient points, whatever its size, so that its sign alone can be seen in the parameters.
fn first_step(method: &Method, learner: &mut Learner) -> (SavePoint, SavePoint) {
    let stage = second();
    let mut data = Tasked::new(&stage);
    let mut strategy = Strategy::new(method, &stage, SEED);
    strategy.begin(learner, &mut data).unwrap();
    let start = learner.save_point();
    strategy.step(learner, &mut data, 0).unwrap();
    let one = learner.save_point();
    strategy.step(learner, &mut data, 1).unwrap();
    (start, one)
}

#[test]
fn l2_sp_pulls_old_parameters_to_where_they_were_and_new_ones_to_zero() {
    for (structure, added) in structures() {
        let mut learner = after_first_stage(&structure);
        // The penalty is all there is to see.
        let (start, one) = first_step(&joint(&structure, Anchor::L2Sp(L2Sp { alpha: 1e9, beta: 1e9 })), &mut learner);
        let two = learner.save_point();
        let at = |learner: &mut Learner, point: &SavePoint, name: &str| {
            learner.restore(point);
            read(learner, name)
        };
        for name in [added, OLD_HEAD] {
            // The first step follows the loss, for nothing has moved yet; the second goes back.
            let [start, one, two] = [&start, &one, &two].map(|point| at(&mut learner, point, name));
            let back = start.iter().zip(&one).zip(&two).filter(|((start, one), _)| (*one - *start).abs() > 1e-4);
            let (back, all) = back.fold((0, 0), |(back, all), ((start, one), two)| {
                (back + usize::from((two - one) * (start - one) > 0.0), all + 1)
            });
            assert!(all >= 32 && back == all, "{structure:?} {name}: {back} of {all}");
        }
        let [start, one] = [&start, &one].map(|point| at(&mut learner, point, NEW_HEAD));
        let moved = start.iter().zip(&one).filter(|(start, _)| start.abs() > 1e-3);
        assert!(moved.clone().count() > 50 && moved.clone().all(|(start, one)| (one - start) * start < 0.0), "to zero");
    }
}

#[test]
fn lf_mlf_measures_the_way_of_all_that_is_not_new() {
    for (structure, _) in structures() {
        let mut learner = after_first_stage(&structure);
        let rule = GradientRule::LfMlf(LfMlf::default());
        let method = Method { structure: structure.clone(), rule, ..plain() };
        let stage = Stage { memories: Vec::new(), ..second() };
        let mut data = Tasked::new(&stage);
        let mut strategy = Strategy::new(&method, &stage, SEED);
        strategy.begin(&mut learner, &mut data).unwrap();
        let start = learner.save_point();
        let h = |report: &strategies::StepReport| report.series.iter().find(|(name, _)| name == "h").unwrap().1;
        assert_eq!(h(&strategy.step(&mut learner, &mut data, 0).unwrap()), 0.0);
        let norms = learner.squared_norms(&learner.displacement(&start).unwrap()).unwrap();
        // The one head that trains is new.
        let way: f64 = norms.iter().filter(|(group, _)| **group != model::Group::Head).map(|(_, norm)| norm).sum();
        let found = h(&strategy.step(&mut learner, &mut data, 1).unwrap());
        assert!(
            way > 0.0 && (found - way.sqrt()).abs() <= 1e-6 * found,
            "{structure:?}: {found} is not {}",
            way.sqrt()
        );
    }
}

#[test]
fn a_resumed_stage_knows_what_is_new() {
    let files = std::env::temp_dir().join(format!("lethe-anchors-{}", std::process::id()));
    std::fs::create_dir_all(&files).unwrap();
    let stage = second();
    for (structure, _) in structures() {
        for anchor in [Anchor::L2Sp(L2Sp { alpha: 0.5, beta: 0.5 }), Anchor::RecAdam(RecAdam::default())] {
            let method = joint(&structure, anchor);
            let (mut learner, mut data) = (after_first_stage(&structure), Tasked::new(&stage));
            let mut strategy = Strategy::new(&method, &stage, SEED);
            strategy.begin(&mut learner, &mut data).unwrap();
            strategy.step(&mut learner, &mut data, 0).unwrap();
            strategy.save(&learner, &files).unwrap();
            learner.save_checkpoint(&files.join("learner.safetensors")).unwrap();
            let expected: Vec<_> = (1..3).map(|step| strategy.step(&mut learner, &mut data, step).unwrap()).collect();

            // As a process that starts again has it: every head and adapter just made.
            let mut again = two_headed();
            let mut resumed = Strategy::new(&method, &stage, SEED);
            resumed.load(&mut again, &files).unwrap();
            again.load_checkpoint(&files.join("learner.safetensors")).unwrap();
            let reports: Vec<_> = (1..3).map(|step| resumed.step(&mut again, &mut data, step).unwrap()).collect();
            assert_eq!(reports, expected, "{method:?}");
            assert_eq!(bits(&again), bits(&learner), "{method:?}");
        }
    }
    std::fs::remove_dir_all(files).unwrap();
}
