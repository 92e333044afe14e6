//! A stage that is left and taken up again equals one that never stopped, bit for bit.

mod strategy_support;

use spec::{
    Anchor, Discovery, DynamicKnobs, Ewc, FisherSquare, Fomaml, Forgetting, Fun, GradVac, GradientRule, L2Sp, LfMlf,
    MaskKind, Method, Mixout, OuterLoop, PcGrad, PruneKnobs, RecAdam, Reptile, Schedule, Subnetworks, Task, Ulmfit,
};
use strategies::Strategy;
use strategy_support::*;

fn methods() -> Vec<Method> {
    let fisher = LfMlf { forgetting: Forgetting::Fisher, fisher_batches: 2, ..LfMlf::default() };
    let kl = LfMlf { forgetting: Forgetting::Kl, ..LfMlf::default() };
    let per_example = Ewc { lambda: 10.0, fisher_batches: 2, ..Ewc::default() };
    let batch_mean = Ewc { fisher_square: FisherSquare::BatchMean, ..per_example.clone() };
    let masks = |kind| Subnetworks {
        discovery: Discovery { steps: Some(2), batches: 2, ..Discovery::default() },
        prune: PruneKnobs { fraction: 0.1, threshold: 0.01 },
        dynamic: DynamicKnobs { every: 2, ..DynamicKnobs::default() },
        ..Subnetworks::new(kind)
    };
    let fomaml = OuterLoop::Fomaml(Fomaml { inner_steps: 2, inner_learning_rate: 1e-3, ..Fomaml::default() });
    vec![
        Method { subnetworks: Some(masks(MaskKind::Static)), ..plain() },
        Method { subnetworks: Some(masks(MaskKind::Random)), ..with_rule(GradientRule::PcGrad(PcGrad::default())) },
        Method { subnetworks: Some(masks(MaskKind::Dynamic)), ..with_outer(fomaml) },
        plain(),
        with_rule(GradientRule::PcGrad(PcGrad::default())),
        with_rule(GradientRule::GradVac(GradVac::default())),
        with_rule(GradientRule::LfMlf(LfMlf::default())),
        with_rule(GradientRule::LfMlf(fisher)),
        with_rule(GradientRule::LfMlf(kl)),
        with_anchor(Anchor::L2Sp(L2Sp::default())),
        with_anchor(Anchor::Ewc(per_example)),
        with_anchor(Anchor::Ewc(batch_mean)),
        with_anchor(Anchor::RecAdam(RecAdam { gamma: Some(10.0), t0: 0.5, ..RecAdam::default() })),
        with_anchor(Anchor::Mixout(Mixout::default())),
        with_outer(OuterLoop::Fomaml(Fomaml { inner_steps: 2, inner_learning_rate: 1e-3, ..Fomaml::default() })),
        with_outer(OuterLoop::Reptile(Reptile { inner_steps: 2, ..Reptile::default() })),
        Method { schedule: Schedule::Fun(Fun::default()), ..plain() },
        Method { schedule: Schedule::Ulmfit(Ulmfit::default()), ..with_anchor(Anchor::L2Sp(L2Sp::default())) },
    ]
}

#[test]
fn a_resumed_stage_equals_one_that_never_stopped() {
    let folder = tempfile();
    for method in methods() {
        let stage = stage(6, 1e-3, vec![memory("mlm", Task::Mlm)]);
        let what = format!(
            "{:?} {:?} {:?} {:?} {:?}",
            method.rule, method.anchor, method.outer, method.schedule, method.subnetworks
        );
        let (mut learner, mut toy) = (with_language_model(), Toy::new(&stage));
        // The stage is not the first, so that its start is no model folder.
        train(&plain(), &strategy_support::stage(2, 1e-3, Vec::new()), &mut learner, &mut toy);
        let mut strategy = Strategy::new(&method, &stage, SEED);
        strategy.begin(&mut learner, &mut toy).unwrap();
        for step in 0..3 {
            strategy.step(&mut learner, &mut toy, step).unwrap();
        }
        let learner_file = folder.join("learner.safetensors");
        strategy.save(&learner, &folder).unwrap();
        learner.save_checkpoint(&learner_file).unwrap();
        let expected: Vec<_> = (3..6).map(|step| strategy.step(&mut learner, &mut toy, step).unwrap()).collect();

        let mut again = with_language_model();
        let mut resumed = Strategy::new(&method, &stage, SEED);
        resumed.load(&mut again, &folder).unwrap();
        again.load_checkpoint(&learner_file).unwrap();
        let reports: Vec<_> = (3..6).map(|step| resumed.step(&mut again, &mut toy, step).unwrap()).collect();
        assert_eq!(reports, expected, "{what}");
        assert_eq!(bits(&again), bits(&learner), "{what}");
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_damaged_state_is_named() {
    let folder = tempfile();
    let stage = stage(2, 1e-3, Vec::new());
    let method = with_rule(GradientRule::GradVac(GradVac::default()));
    let (mut learner, mut toy) = (tiny(), Toy::new(&stage));
    let mut strategy = Strategy::new(&method, &stage, SEED);
    assert!(strategy.step(&mut learner, &mut toy, 0).unwrap_err().to_string().contains("has not begun"));
    strategy.begin(&mut learner, &mut toy).unwrap();
    strategy.step(&mut learner, &mut toy, 0).unwrap();
    strategy.save(&learner, &folder).unwrap();
    let file = folder.join("strategy.json");
    let text = std::fs::read_to_string(&file).unwrap();
    for broken in [&text[..text.len() / 2], "{}", &text.replace("rule", "rool")] {
        std::fs::write(&file, broken).unwrap();
        let error = Strategy::new(&method, &stage, SEED).load(&mut learner, &folder).unwrap_err().to_string();
        assert!(error.contains("strategy.json"), "{error}");
    }
    std::fs::remove_dir_all(folder).unwrap();
}

/// A folder of this test process.
fn tempfile() -> std::path::PathBuf {
    let thread = std::thread::current();
    let name = format!("lethe-strategies-{}-{}", std::process::id(), thread.name().unwrap_or("main"));
    let folder = std::env::temp_dir().join(name.replace(':', "-"));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
