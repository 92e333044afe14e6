//! Every rule through the whole strategy: its weights are the pure rule's, and the identities between rules hold.

mod strategy_support;

use model::{Gradients, OptimizerConfig};
use spec::{
    AGem, AGemReference, Anchor, CaGrad, CaGradRescale, Forgetting, Gem, GradVac, GradientRule, ImtlG, LfMlf,
    LfMlfForm, Memories, Mgda, Mixout, MixoutDropout, Mu, Multitask, Name, NashMtl, Normaliser, PcGrad, Rows, Sgs,
    Task,
};
use strategies::rules::{AnchorDirection, Gram, RuleInput, RuleState, rule};
use strategies::{BatchSource, Strategy};
use strategy_support::*;

fn rules() -> Vec<GradientRule> {
    let mlm = Memories::Named(Name::new("mlm").unwrap());
    vec![
        GradientRule::Mean,
        GradientRule::Multitask(Multitask::default()),
        GradientRule::PcGrad(PcGrad::default()),
        GradientRule::PcGrad(PcGrad { memory: mlm.clone(), ..PcGrad::default() }),
        GradientRule::GradVac(GradVac { initial_target: 0.5, ..GradVac::default() }),
        GradientRule::Mgda(Mgda::default()),
        GradientRule::Mgda(Mgda { gradient_normalise: Normaliser::LossL2, ..Mgda::default() }),
        GradientRule::CaGrad(CaGrad::default()),
        GradientRule::NashMtl(NashMtl::default()),
        GradientRule::ImtlG(ImtlG::default()),
        GradientRule::Sgs(Sgs::default()),
        GradientRule::AGem(AGem::default()),
        GradientRule::AGem(AGem { reference: AGemReference::Average, ..AGem::default() }),
        GradientRule::NashMtl(NashMtl { update_every: 2, ..NashMtl::default() }),
        GradientRule::Gem(Gem::default()),
        GradientRule::Gem(Gem { margin: 0.5, memory: mlm, ..Gem::default() }),
        GradientRule::LfMlf(LfMlf::default()),
        GradientRule::LfMlf(LfMlf { form: LfMlfForm::Polyhedron, ..LfMlf::default() }),
    ]
}

#[test]
fn the_weights_are_the_pure_rules() {
    let stage = stage(3, 1e-3, vec![memory("mlm", Task::Mlm), memory("retrieval", Task::Retrieval)]);
    for named in rules() {
        let method = with_rule(named.clone());
        let (mut learner, mut toy) = (with_language_model(), Toy::new(&stage));
        let start = learner.save_point();
        let before = bits(&learner);
        let mut strategy = Strategy::new(&method, &stage, SEED);
        strategy.begin(&mut learner, &mut toy).unwrap();
        let mut state = RuleState::default();
        for step in 0..stage.steps {
            // By hand: one gradient a language, and one a memory that is asked for.
            let mut rows: Vec<(f64, Gradients)> = (0..2)
                .map(|source| {
                    let sub = toy.source(source, step).unwrap();
                    learner.loss_and_gradients(&sub.batch, sub.dropout_seed).unwrap()
                })
                .collect();
            let losses: Vec<f64> = rows.iter().map(|(loss, _)| *loss).collect();
            if named.rows().hold_against_memories() {
                let gradients = rows.drain(..).map(|(_, gradient)| gradient).collect();
                rows.push((0.0, learner.combine(gradients, &[0.5, 0.5]).unwrap()));
            }
            for (index, memory) in stage.memories.iter().enumerate() {
                if named.memories().take(&memory.name) {
                    let sub = toy.memory(index, step).unwrap().remove(0);
                    rows.push(learner.loss_and_gradients(&sub.batch, sub.dropout_seed).unwrap());
                }
            }
            if named.rows() == Rows::CurrentThenUnion {
                // Four rows of text and two pairs of translations.
                let memories = rows.drain(1..).map(|(_, gradient)| gradient).collect();
                rows.push((0.0, learner.combine(memories, &[4.0 / 6.0, 2.0 / 6.0]).unwrap()));
            }
            let (row_losses, mut gradients): (Vec<f64>, Vec<Gradients>) = rows.into_iter().unzip();
            let m = gradients.len();
            if let GradientRule::LfMlf(_) = named {
                let moved = learner.displacement(&start).unwrap();
                gradients.push(learner.part(&moved, &|part| !part.is_new));
            }
            let products = learner.gram(&gradients).unwrap();
            let all = gradients.len();
            let values = (0..m).flat_map(|i| products[i * all..i * all + m].to_vec()).collect();
            let gram = Gram::new(m, values).unwrap();
            let along = &products[(all - 1) * all..(all - 1) * all + m];
            let anchor = (all > m).then(|| AnchorDirection { products: along, norm2: products[all * all - 1] });
            let input = RuleInput { gram: &gram, anchor, losses: &row_losses, step, seed: SEED };
            let found = rule(&named).combine(&input, &mut state).unwrap();

            let report = strategy.step(&mut learner, &mut toy, step).unwrap();
            assert_eq!(report.losses, losses, "{}", named.name());
            assert!(report.note.is_none(), "{}: {report:?}", named.name());
            if !matches!(named, GradientRule::Mean | GradientRule::Multitask(_)) {
                let reported: Vec<f64> = report
                    .series
                    .iter()
                    .filter(|(name, _)| name.starts_with("weight.") && name != "weight.h")
                    .map(|(_, weight)| *weight)
                    .collect();
                assert_eq!(reported, found.weights, "{} at step {step}", named.name());
            }
            let mut weights = found.weights;
            weights.extend((all > m).then_some(found.anchor));
            let direction = learner.combine(gradients, &weights).unwrap();
            let norm = learner.squared_norms(&direction).unwrap().values().sum::<f64>().sqrt();
            let relative = (norm - report.gradient_norm).abs() / norm.max(1e-30);
            assert!(relative < 1e-4, "{}: {norm} is not {}", named.name(), report.gradient_norm);
        }
        assert_ne!(bits(&learner), before, "{} does not move", named.name());
    }
}

#[test]
fn the_mean_is_one_combined_step() {
    let stage = stage(3, 1e-3, Vec::new());
    let (mut learner, mut twin, mut toy) = (tiny(), tiny(), Toy::new(&stage));
    train(&plain(), &stage, &mut learner, &mut toy);
    twin.begin_stage(OptimizerConfig { weight_decay: 0.01, clip: 1.0, ..OptimizerConfig::default() });
    for step in 0..3 {
        let gradients = (0..2).map(|source| {
            let sub = toy.source(source, step).unwrap();
            twin.loss_and_gradients(&sub.batch, sub.dropout_seed).unwrap().1
        });
        let gradients: Vec<Gradients> = gradients.collect();
        let direction = twin.combine(gradients, &[0.5, 0.5]).unwrap();
        twin.step(direction, 1e-3 * (3 - step) as f64 / 3.0).unwrap();
    }
    assert_eq!(bits(&learner), bits(&twin));
}

/// The series of weights on the same parameters and eight different batches: no step moves anything.
fn weights(rule: GradientRule, memories: &[Task]) -> Vec<Vec<f64>> {
    let memories = memories.iter().map(|&task| memory("m", task)).collect();
    let stage = stage(8, 0.0, memories);
    let (mut learner, mut toy) = (tiny(), Toy::new(&stage));
    let reports = train(&with_rule(rule), &stage, &mut learner, &mut toy);
    let weights = |name: &str| name.starts_with("weight.") && name != "weight.h";
    reports
        .iter()
        .map(|report| report.series.iter().filter(|(name, _)| weights(name)).map(|(_, weight)| *weight).collect())
        .collect()
}

fn assert_same(a: GradientRule, b: GradientRule, memories: &[Task], tolerance: f64) {
    let names = format!("{} and {}", a.name(), b.name());
    let (a, b) = (weights(a, memories), weights(b, memories));
    for (a, b) in a.iter().flatten().zip(b.iter().flatten()) {
        assert!((a - b).abs() <= tolerance, "{names}: {a} is not {b}");
    }
    assert!(a.concat().len() >= 16 && a.concat().iter().any(|weight| (weight - 0.5).abs() > 1e-6), "{names}: {a:?}");
}

#[test]
fn identities_between_rules_hold_through_the_strategy() {
    let vaccine = GradVac { fixed_target: Some(0.0), ..GradVac::default() };
    assert_same(GradientRule::GradVac(vaccine), GradientRule::PcGrad(PcGrad::default()), &[], 1e-9);
    let gem = Gem { ridge: 0.0, ..Gem::default() };
    assert_same(GradientRule::Gem(gem), GradientRule::AGem(AGem::default()), &[Task::Ner], 1e-9);
    for form in [LfMlfForm::Simplex, LfMlfForm::Polyhedron] {
        let still = LfMlf { form, mu: Mu::Weight(0.0), ..LfMlf::default() };
        assert_same(GradientRule::LfMlf(still), GradientRule::Mgda(Mgda::default()), &[], 1e-9);
    }
}

#[test]
fn degenerate_knobs_are_plain_fine_tuning_bit_for_bit() {
    let stage = stage(4, 1e-3, Vec::new());
    let mut reference = tiny();
    train(&plain(), &stage, &mut reference, &mut Toy::new(&stage));
    let circle = CaGrad { c: 0.0, rescale: CaGradRescale::None, ..CaGrad::default() };
    let still = Anchor::Mixout(Mixout { p: 0.0, dropout: MixoutDropout::Kept, ..Mixout::default() });
    for method in [with_rule(GradientRule::CaGrad(circle)), with_anchor(still)] {
        let mut learner = tiny();
        train(&method, &stage, &mut learner, &mut Toy::new(&stage));
        assert_eq!(bits(&learner), bits(&reference), "{method:?}");
    }
}

#[test]
fn mixout_takes_the_place_of_dropout() {
    let stage = stage(4, 1e-3, Vec::new());
    let mut reference = tiny();
    reference.set_dropout(Some(0.0));
    train(&plain(), &stage, &mut reference, &mut Toy::new(&stage));
    let mut learner = tiny();
    let nothing_mixed = Anchor::Mixout(Mixout { p: 0.0, ..Mixout::default() });
    train(&with_anchor(nothing_mixed), &stage, &mut learner, &mut Toy::new(&stage));
    assert_eq!(bits(&learner), bits(&reference));
}

/// Sentences with classes: four of each language and of memories one and three.
struct Classes;

impl Classes {
    fn batch(purpose: u64, rows: usize) -> spec::Batch {
        let batch = Toy::batch(purpose, 0, |_| spec::Targets::Classes(vec![0, 1, 2, 1]));
        let mut parts = batch.parts();
        parts.truncate(rows);
        Self::joined(parts)
    }

    fn joined(parts: Vec<spec::Batch>) -> spec::Batch {
        let classes = |part: &spec::Batch| match &part.targets {
            spec::Targets::Classes(classes) => classes.clone(),
            other => panic!("{other:?}"),
        };
        spec::Batch {
            ids: parts.iter().flat_map(|part| part.ids.clone()).collect(),
            type_ids: parts.iter().flat_map(|part| part.type_ids.clone()).collect(),
            lengths: parts.iter().flat_map(|part| part.lengths.clone()).collect(),
            targets: spec::Targets::Classes(parts.iter().flat_map(classes).collect()),
            ..parts[0].clone()
        }
    }
}

impl BatchSource for Classes {
    fn source(&mut self, source: usize, _: u64) -> Result<strategies::SubBatch, strategies::BatchError> {
        Ok(strategies::SubBatch { batch: Self::batch(source as u64, 4), dropout_seed: 0 })
    }

    fn memory(&mut self, memory: usize, _: u64) -> Result<Vec<strategies::SubBatch>, strategies::BatchError> {
        let batch = Self::batch(100 + memory as u64, [1, 3][memory]);
        Ok(vec![strategies::SubBatch { batch, dropout_seed: 0 }])
    }
}

#[test]
fn a_gem_holds_against_one_batch_of_all_memories() {
    let stage = stage(1, 1e-3, vec![memory("a", Task::Nli), memory("b", Task::Nli)]);
    let stage = spec::Stage { task: Task::Nli, ..stage };
    let mut learner = tiny();
    learner.set_head(None, spec::Head::RowLabels { labels: spec::Labels::numbered(3) }, SEED).unwrap();
    learner.set_dropout(Some(0.0));
    let union = Classes::joined(vec![Classes::batch(100, 1), Classes::batch(101, 3)]);
    let (loss, reference) = learner.loss_and_gradients(&union, 0).unwrap();
    let mut current = (0..2).map(|source| learner.loss_and_gradients(&Classes::batch(source, 4), 0).unwrap().1);
    let current = [current.next().unwrap(), current.next().unwrap()].to_vec();
    let current = learner.combine(current, &[0.5, 0.5]).unwrap();
    let products = learner.gram(&[current, reference]).unwrap();
    let cosine = products[1] / (products[0] * products[3]).sqrt();
    let report = train(&with_rule(GradientRule::AGem(AGem::default())), &stage, &mut learner, &mut Classes).remove(0);
    assert!((value(&report, "loss.memories") - loss).abs() < 1e-6, "{report:?} {loss}");
    assert!((value(&report, "cosine.current.memories") - cosine).abs() < 1e-5, "{report:?} {cosine}");
}

#[test]
fn measures_of_forgetting_on_memories_run() {
    let stage = stage(3, 1e-3, vec![memory("mlm", Task::Mlm)]);
    for forgetting in [Forgetting::Fisher, Forgetting::MlmMemory, Forgetting::Kl] {
        let knobs = LfMlf { forgetting, fisher_batches: 2, rise_probe_every: 1, ..LfMlf::default() };
        let mut learner = with_language_model();
        let reports = train(&with_rule(GradientRule::LfMlf(knobs)), &stage, &mut learner, &mut Toy::new(&stage));
        let h: Vec<f64> = reports.iter().map(|report| value(report, "h")).collect();
        // A distance is 0 at the start; a loss has a gradient there.
        assert_eq!(h[0] == 0.0, forgetting == Forgetting::Fisher, "{forgetting:?}: {h:?}");
        assert!(h[1] > 0.0 && h[2] > 0.0, "{forgetting:?}: {h:?}");
        let [(name, risen)] = &reports[0].events[..] else { panic!("{:?}", reports[0].events) };
        assert!(name == "losses risen" && (0.0..=2.0).contains(risen), "{name} {risen}");
    }
}

#[test]
fn what_cannot_be_solved_is_left_out_and_told() {
    // Two opposite gradients and one memory: no direction lowers both losses, so MGDA's relatives rest.
    let stage = stage(3, 1e-3, Vec::new());
    let rule = GradientRule::LfMlf(LfMlf { pareto_tol: 1e9, ..LfMlf::default() });
    let mut learner = tiny();
    let before = bits(&learner);
    let reports = train(&with_rule(rule), &stage, &mut learner, &mut Toy::new(&stage));
    assert_eq!(bits(&learner), before);
    let skipped: Vec<f64> = reports.iter().map(|report| value(report, "skipped")).collect();
    assert_eq!(skipped, [1.0, 2.0, 3.0]);
    let notes: Vec<Option<&str>> = reports.iter().map(|report| report.note.as_deref()).collect();
    assert!(notes[0].is_some_and(|note| note.contains("step 1 is left out") && note.contains("stationary")));
    assert!(notes[1].is_some() && notes[2].is_none(), "{notes:?}");
}
