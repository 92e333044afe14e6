//! Stages with subnetworks: what they leave alone, and when they are plain training.

mod strategy_support;

use std::collections::BTreeMap;

use model::Learner;
use spec::{
    Discovery, DynamicKnobs, Fomaml, MaskKind, MaskUpdate, Method, OuterLoop, PruneKnobs, Reptile, Stage, Subnetworks,
};
use strategies::subnetworks::Mask;
use strategies::{BatchError, BatchSource, Strategy, SubBatch};
use strategy_support::*;

const LAYERS: usize = 2;
const HEADS: usize = 4;

/// Pruned down to two heads a language.
fn small(kind: MaskKind) -> Subnetworks {
    Subnetworks {
        discovery: Discovery { steps: Some(2), batches: 2, ..Discovery::default() },
        prune: PruneKnobs { fraction: 0.4, threshold: 0.01 },
        dynamic: DynamicKnobs { every: 2, ..DynamicKnobs::default() },
        ..Subnetworks::new(kind)
    }
}

fn with_masks(knobs: Subnetworks) -> Method {
    Method { subnetworks: Some(knobs), ..plain() }
}

/// (layer, head)
type Place = (usize, usize);

/// The bits of each head's own parameters.
fn by_head(learner: &Learner) -> BTreeMap<Place, Vec<u32>> {
    let width = learner.config().hidden_size / HEADS;
    let hidden = learner.config().hidden_size;
    let mut found: BTreeMap<Place, Vec<u32>> = BTreeMap::new();
    for layer in 0..LAYERS {
        for name in ["self.query", "self.key", "self.value", "output.dense"] {
            let of = |kind: &str| learner.parameter(&format!("encoder.layer.{layer}.attention.{name}.{kind}")).unwrap();
            for (place, value) in of("weight").into_iter().enumerate() {
                // `[out, in]`: heads are rows of the projections and columns of the output.
                let head = if name == "output.dense" { place % hidden / width } else { place / hidden / width };
                found.entry((layer, head)).or_default().push(value.to_bits());
            }
            if name != "output.dense" {
                for (place, value) in of("bias").into_iter().enumerate() {
                    found.entry((layer, place / width)).or_default().push(value.to_bits());
                }
            }
        }
    }
    found
}

/// Heads that trained, and those that some language had at some step.
fn moved(method: &Method, stage: &Stage) -> (Vec<Place>, Vec<Place>) {
    let (mut learner, mut toy) = (tiny(), Toy::new(stage));
    let untouched = bits(&learner);
    let mut strategy = Strategy::new(method, stage, SEED);
    strategy.begin(&mut learner, &mut toy).unwrap();
    assert_eq!(bits(&learner), untouched, "finding masks changes nothing");
    let before = by_head(&learner);
    let mut used: Vec<Place> = Vec::new();
    for step in 0..stage.steps {
        let masks: Vec<Mask> = strategy.masks().into_values().collect();
        assert!(masks.len() == 2);
        for mask in masks {
            let kept = |&(layer, head): &Place| mask.rows()[layer][head];
            used.extend(before.keys().filter(|place| kept(place)));
        }
        strategy.step(&mut learner, &mut toy, step).unwrap();
    }
    used.sort_unstable();
    used.dedup();
    let after = by_head(&learner);
    let moved = before.iter().filter(|(place, bits)| after[place] != **bits).map(|(place, _)| *place);
    assert_ne!(bits(&learner), untouched);
    (moved.collect(), used)
}

#[test]
fn heads_that_no_language_has_do_not_move() {
    let stage = stage(6, 1e-3, Vec::new());
    let inner = Fomaml { inner_steps: 2, inner_learning_rate: 1e-3, ..Fomaml::default() };
    let reptile = Reptile { inner_steps: 2, ..Reptile::default() };
    for (kind, outer) in [
        (MaskKind::Random, OuterLoop::Plain),
        (MaskKind::Static, OuterLoop::Plain),
        (MaskKind::Static, OuterLoop::Reptile(reptile)),
        (MaskKind::Dynamic, OuterLoop::Fomaml(inner)),
    ] {
        let (moved, used) = moved(&Method { outer: outer.clone(), ..with_masks(small(kind)) }, &stage);
        assert_eq!(moved, used, "{kind:?} {outer:?}");
        assert!(used.len() < LAYERS * HEADS, "{used:?}");
    }
    // Without that, decay moves them all.
    let knobs = Subnetworks { update: MaskUpdate::GradientOnly, ..small(MaskKind::Static) };
    assert_eq!(moved(&with_masks(knobs), &stage).0.len(), LAYERS * HEADS);
}

/// Whose held-out score falls with every mask.
struct Falling(Toy, u32);

impl BatchSource for Falling {
    fn source(&mut self, source: usize, draw: u64) -> Result<SubBatch, BatchError> {
        self.0.source(source, draw)
    }

    fn memory(&mut self, memory: usize, draw: u64) -> Result<Vec<SubBatch>, BatchError> {
        self.0.memory(memory, draw)
    }

    fn score(&mut self, _: &Learner, _: usize) -> Result<f64, BatchError> {
        self.1 += 1;
        Ok(f64::from(self.1 % 2) + 0.01)
    }
}

#[test]
fn full_masks_are_plain_training_and_say_what_was_tried() {
    let stage = stage(3, 1e-3, Vec::new());
    let mut twin = tiny();
    train(&plain(), &stage, &mut twin, &mut Toy::new(&stage));
    for kind in [MaskKind::Static, MaskKind::Random, MaskKind::Dynamic] {
        let method = with_masks(Subnetworks { prune: PruneKnobs::default(), ..small(kind) });
        let (mut learner, mut data) = (tiny(), Falling(Toy::new(&stage), 0));
        let mut strategy = Strategy::new(&method, &stage, SEED);
        let began = strategy.begin(&mut learner, &mut data).unwrap();
        let events: Vec<&str> = began.events.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(events, ["prune.en.8", "prune.en.7", "heads.en", "prune.de.8", "prune.de.7", "heads.de"]);
        assert!(began.notes[0].contains("subnetwork of en: 1111/1111"), "{:?}", began.notes);
        for step in 0..stage.steps {
            strategy.step(&mut learner, &mut data, step).unwrap();
        }
        assert_eq!(bits(&learner), bits(&twin), "{kind:?}");
    }
}

#[test]
fn gradients_under_masks_and_without() {
    let stage = stage(2, 1e-3, Vec::new());
    let method = with_masks(small(MaskKind::Static));
    let (mut learner, mut toy) = (tiny(), Toy::new(&stage));
    let mut strategy = Strategy::new(&method, &stage, SEED);
    strategy.begin(&mut learner, &mut toy).unwrap();
    let [masked, full] = [true, false].map(|masked| strategy.products(&mut learner, &mut toy, 3, masked).unwrap());
    assert_eq!((masked.len(), masked[0].len()), (3, 4));
    assert_ne!(masked, full);
    for products in masked.iter().chain(&full) {
        assert!(products[0] > 0.0 && products[3] > 0.0 && (products[1] - products[2]).abs() < 1e-12);
    }
    assert_eq!(full, strategy.products(&mut learner, &mut toy, 3, false).unwrap(), "no mask stays on");
}

#[test]
fn a_model_that_knows_nothing_is_refused() {
    struct Nothing(Toy);
    impl BatchSource for Nothing {
        fn source(&mut self, source: usize, draw: u64) -> Result<SubBatch, BatchError> {
            self.0.source(source, draw)
        }
        fn memory(&mut self, memory: usize, draw: u64) -> Result<Vec<SubBatch>, BatchError> {
            self.0.memory(memory, draw)
        }
        fn score(&mut self, _: &Learner, _: usize) -> Result<f64, BatchError> {
            Ok(0.0)
        }
    }
    let stage = stage(2, 1e-3, Vec::new());
    let method = with_masks(small(MaskKind::Static));
    let mut data = Nothing(Toy::new(&stage));
    let error = Strategy::new(&method, &stage, SEED).begin(&mut tiny(), &mut data).unwrap_err().to_string();
    assert_eq!(
        error,
        "no subnetwork of `en` can be found: the model scores 0 with all heads: there is nothing to keep a share of; \
         give its copy more steps (`discovery.steps`)"
    );
}
