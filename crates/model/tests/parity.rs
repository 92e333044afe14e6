//! Parity with PyTorch and transformers on tiny random models; the numbers come from `scripts/reference/model.py --tiny`.

mod common;

use common::{Expected, FOLDERS, difference, flat, max_abs, real_tokens, tiny, train};
use spec::Backend;

/// Shifts the hidden states of all tokens alike, and so all start and all end logits.
const LAST_SHIFT: &str = "encoder.layer.2.output.LayerNorm.bias";

#[test]
fn hidden_states_and_logits_within_1e_4() {
    // Composed operations compute padded queries too, the fused ones leave them out: nothing reads them.
    for (backend, folder) in [Backend::Cpu, Backend::Ndarray].into_iter().flat_map(|b| FOLDERS.map(|f| (b, f))) {
        let (learner, expected) = (tiny(folder, backend), Expected::read(folder));
        let batch = expected.batch("odd");
        let real = |values: Vec<f32>| if backend == Backend::Cpu { real_tokens(&batch, values) } else { values };
        let hidden = difference(&real(learner.hidden_states(&batch).unwrap()), &real(expected.floats("hidden")));
        let logits = difference(&real(flat(learner.logits(&batch).unwrap())), &real(expected.floats("logits")));
        assert!(hidden < 1e-4 && logits < 1e-4, "{backend}, {folder}: hidden {hidden}, logits {logits}");
    }
}

#[test]
fn losses_and_gradients_of_every_parameter_within_1e_4() {
    for folder in FOLDERS {
        let (mut learner, expected) = (tiny(folder, Backend::Cpu), Expected::read(folder));
        let (loss, gradients) = learner.loss_and_gradients(&expected.batch("batch"), 0).unwrap();
        let expected_loss = f64::from(expected.floats("loss")[0]);
        assert!((loss - expected_loss).abs() < 1e-5, "{folder}: loss {loss}, expected {expected_loss}");

        let mut reference = expected.gradients();
        reference.sort_by(|a, b| a.0.cmp(&b.0));
        let mut names = learner.parameter_names();
        names.sort_unstable();
        assert_eq!(names, reference.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), "{folder}");
        let largest = reference.iter().map(|(_, values)| max_abs(values)).fold(0.0, f32::max);
        for (name, values) in &reference {
            let ours = learner.gradient(&gradients, name).unwrap().unwrap();
            let worst = difference(&ours, values);
            // What shifts all inputs of a softmax alike has a true gradient of 0, and both sides hold rounding noise:
            // there the model's largest gradient is the measure.
            let zero = name.ends_with("attention.self.key.bias")
                || folder.ends_with("spans") && ["qa_outputs.bias", LAST_SHIFT].contains(&name.as_str());
            assert_eq!(zero, max_abs(values) < 1e-12, "{folder}: {name}");
            let scale = if zero { largest } else { max_abs(values) };
            assert!(worst < 1e-4 * scale, "{folder}: {name} differs by {worst}, scale {scale}");
        }
    }
}

#[test]
fn loss_over_100_steps_within_1e_3() {
    for folder in FOLDERS {
        let (mut learner, expected) = (tiny(folder, Backend::Cpu), Expected::read(folder));
        let batches: Vec<_> = (0..3).map(|number| expected.batch(&format!("train{number}"))).collect();
        let (losses, norms) = train(&mut learner, &batches, 100, 2e-3);
        let curve = expected.floats("curve");
        assert_eq!(curve.len(), 100);
        for (step, (loss, expected)) in losses.iter().zip(&curve).enumerate() {
            let gap = (loss - f64::from(*expected)).abs();
            assert!(gap < 1e-3, "{folder}, step {step}: loss {loss}, expected {expected}");
        }
        let (first, expected) = (norms[0], f64::from(expected.floats("norms")[0]));
        assert!((first - expected).abs() < 1e-4 * expected, "{folder}: gradient norm {first}, expected {expected}");
    }
}
