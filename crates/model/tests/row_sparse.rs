//! Gradients of the embeddings keep the rows that a batch touches. Whatever is done with them gives the bits that it gives
//! with the same gradients in full.

mod common;

use common::{Expected, MASKED, bits, tiny};
use model::{Gradients, Learner, OptimizerConfig};
use spec::{Backend, Batch, Head, IGNORED_LABEL, Labels, Targets};

const WORDS: &str = "embeddings.word_embeddings.weight";

/// The same gradient with every zero of the parameters that it reaches written out.
fn full(learner: &Learner, gradients: &Gradients) -> Gradients {
    let reached = learner.squared_norms(gradients).unwrap();
    let point = learner.part(&learner.point(), &|part| reached.contains_key(&part.group));
    gradients.clone().add_scaled(&point, 0.0).unwrap()
}

fn table(learner: &Learner, gradients: &Gradients) -> Vec<f32> {
    learner.gradient(gradients, WORDS).unwrap().unwrap()
}

fn gradient(learner: &mut Learner, batch: &Batch, seed: u64) -> Gradients {
    learner.loss_and_gradients(batch, seed).unwrap().1
}

/// A batch, and one with the same words in the other order and fewer of them.
fn two() -> (Learner, [Batch; 2]) {
    let learner = tiny("xlm-roberta-tokens", Backend::Cpu);
    let batch = Expected::read("xlm-roberta-tokens").batch("batch");
    let mut other = batch.clone();
    other.ids.reverse();
    other.ids.iter_mut().filter(|id| **id % 3 == 0).for_each(|id| *id = 7);
    (learner, [batch, other])
}

#[test]
fn memory_follows_the_rows_touched() {
    let (mut learner, [batch, other]) = two();
    let [words, hidden] = [learner.config().vocab_size, learner.config().hidden_size];
    let sparse = gradient(&mut learner, &batch, 1);
    let (few, many) = (sparse.bytes(), full(&learner, &sparse).bytes());
    let touched = batch.ids.iter().collect::<std::collections::BTreeSet<_>>().len();
    assert!(few + (words - touched) * hidden * 4 - touched * 4 <= many, "{few} of {many} bytes");
    // Those of the union, not more.
    let second = gradient(&mut learner, &other, 2);
    let rows = |gradients: &Gradients| {
        table(&learner, gradients).chunks(hidden).map(|row| row.iter().any(|x| *x != 0.0)).collect::<Vec<_>>()
    };
    let union: Vec<bool> = rows(&sparse).into_iter().zip(rows(&second)).map(|(a, b)| a || b).collect();
    let sum = learner.combine(vec![sparse, second], &[0.5, 0.5]).unwrap();
    assert_eq!(rows(&sum), union);
    assert!(sum.bytes() < many);
}

#[test]
fn algebra_gives_the_bits_of_full_gradients() {
    let (mut learner, [batch, other]) = two();
    let sparse = [gradient(&mut learner, &batch, 1), gradient(&mut learner, &other, 2)];
    let dense = [full(&learner, &sparse[0]), full(&learner, &sparse[1])];
    let mixed = [sparse[0].clone(), dense[1].clone()];
    let expected = learner.gram(&dense).unwrap();
    for sets in [&sparse, &mixed] {
        assert_eq!(learner.gram(sets).unwrap(), expected);
        for weights in [[0.3, -1.7], [1.0, 0.25]] {
            let combined = |sets: &[Gradients; 2]| learner.combine(sets.to_vec(), &weights).unwrap();
            assert_eq!(table(&learner, &combined(sets)), table(&learner, &combined(&dense)));
            let added = |[a, b]: &[Gradients; 2]| a.clone().add_scaled(b, weights[0]).unwrap();
            assert_eq!(table(&learner, &added(sets)), table(&learner, &added(&dense)));
            let turned = |[a, b]: &[Gradients; 2]| b.clone().add_scaled(a, weights[0]).unwrap();
            assert_eq!(table(&learner, &turned(sets)), table(&learner, &turned(&dense)));
        }
        let product = |[a, b]: &[Gradients; 2]| a.square().multiply(b).unwrap();
        assert_eq!(table(&learner, &product(sets)), table(&learner, &product(&dense)));
        let product = |[a, b]: &[Gradients; 2]| b.square().multiply(a).unwrap();
        assert_eq!(table(&learner, &product(sets)), table(&learner, &product(&dense)));
    }
    assert_eq!(learner.squared_norms(&sparse[0]).unwrap(), learner.squared_norms(&dense[0]).unwrap());
    let mut twin = tiny("xlm-roberta-tokens", Backend::Cpu);
    learner.shift(&sparse[0], &|_| 0.1).unwrap();
    twin.shift(&dense[0], &|_| 0.1).unwrap();
    assert!(bits(&learner) == bits(&twin));
}

#[test]
fn steps_give_the_bits_of_full_gradients_through_a_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint");
    for weight_decay in [0.0, 0.1] {
        let (mut learner, batches) = two();
        let mut twin = tiny("xlm-roberta-tokens", Backend::Cpu);
        for learner in [&mut learner, &mut twin] {
            learner.begin_stage(OptimizerConfig { weight_decay, ..OptimizerConfig::default() });
        }
        for step in 0..6 {
            let batch = &batches[usize::from(step % 3 == 1)];
            let sparse = gradient(&mut learner, batch, step);
            let mut dense = gradient(&mut twin, batch, step);
            // Both kinds in one stage, too.
            if step != 4 {
                dense = full(&twin, &dense);
            }
            let norms = [learner.step(sparse, 1e-2).unwrap(), twin.step(dense, 1e-2).unwrap()];
            assert_eq!(norms[0], norms[1]);
            assert!(bits(&learner) == bits(&twin), "step {step}, decay {weight_decay}");
            if step == 2 {
                learner.save_checkpoint(&path).unwrap();
                learner = tiny("xlm-roberta-tokens", Backend::Cpu);
                learner.load_checkpoint(&path).unwrap();
            }
        }
    }
}

/// The decoder of masked words shares the table with the lookup: its gradient is full, and theirs add up.
#[test]
fn both_uses_of_a_tied_table_count() {
    for folder in MASKED {
        let expected = Expected::read(folder);
        let mut learner = tiny(folder, Backend::Cpu);
        let mut batch = expected.batch("batch");
        let tied = gradient(&mut learner, &batch, 1);
        let hidden = learner.config().hidden_size;
        let touched = |gradients: &Gradients, learner: &Learner| {
            table(learner, gradients).chunks(hidden).filter(|row| row.iter().any(|x| *x != 0.0)).count()
        };
        assert_eq!(touched(&tied, &learner), learner.config().vocab_size);
        // A stage that has both: a dense step makes every row live.
        learner.set_head(None, Head::TokenLabels { labels: Labels::numbered(7) }, 1).unwrap();
        let mut twin = tiny(folder, Backend::Cpu);
        twin.set_head(None, Head::TokenLabels { labels: Labels::numbered(7) }, 1).unwrap();
        let real = |index: usize| index % batch.seq < batch.lengths[index / batch.seq];
        let label = |index| if real(index) { 1 } else { IGNORED_LABEL };
        let labelled = Targets::TokenLabels((0..batch.ids.len()).map(label).collect());
        for step in 0..4 {
            let masked = batch.targets.clone();
            if step % 2 == 0 {
                batch.targets = labelled.clone();
            }
            let sparse = gradient(&mut learner, &batch, step);
            let dense = gradient(&mut twin, &batch, step);
            let dense = full(&twin, &dense);
            learner.step(sparse, 1e-2).unwrap();
            twin.step(dense, 1e-2).unwrap();
            batch.targets = masked;
            let words = |learner: &Learner| learner.parameter(WORDS).unwrap();
            assert_eq!(words(&learner), words(&twin), "{folder}, step {step}");
        }
    }
}

#[test]
fn a_saved_gradient_keeps_its_rows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gradient");
    let (mut learner, [batch, _]) = two();
    let sparse = gradient(&mut learner, &batch, 1);
    learner.save_gradients(&sparse, &path).unwrap();
    let again = learner.load_gradients(&path).unwrap();
    assert_eq!(again.bytes(), sparse.bytes());
    assert_eq!(
        learner.gram(&[sparse.clone(), again]).unwrap(),
        learner.gram(&[sparse.clone(), sparse.clone()]).unwrap()
    );
    // Another back end has no rows, and takes them in full.
    let ndarray = tiny("xlm-roberta-tokens", Backend::Ndarray);
    let read = ndarray.load_gradients(&path).unwrap();
    assert_eq!(table(&ndarray, &read), table(&learner, &sparse));
}
