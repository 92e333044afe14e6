//! The same tiny models on every back end that this machine has. Tolerances: logits 1e-5 absolute, gradients 1e-4 of a
//! tensor's largest entry, ten steps' losses 1e-4.

mod common;

use common::{Expected, difference, flat, max_abs, real_tokens, reference, tiny, train};
use model::{Learner, ModelError};
use spec::Backend;

fn compare(backend: Backend, folders: &[&str]) {
    for &folder in folders {
        let expected = Expected::read(folder);
        // One shape only: a software renderer spends its time on compiling a shader for each.
        let batch = expected.batch("train1");
        let [mut ours, mut other] = [Backend::Cpu, backend].map(|backend| tiny(folder, backend));

        let [a, b] = [&ours, &other].map(|learner| real_tokens(&batch, flat(learner.logits(&batch).unwrap())));
        let logits = difference(&a, &b);
        assert!(logits < 1e-5, "{folder} on {backend}: logits differ by {logits}");

        let (loss, gradients) = ours.loss_and_gradients(&batch, 0).unwrap();
        let (other_loss, other_gradients) = other.loss_and_gradients(&batch, 0).unwrap();
        assert!((loss - other_loss).abs() < 1e-5, "{folder} on {backend}: {loss}, {other_loss}");
        for name in ours.parameter_names() {
            let a = ours.gradient(&gradients, name).unwrap().unwrap();
            let b = other.gradient(&other_gradients, name).unwrap().unwrap();
            let (worst, scale) = (difference(&a, &b), max_abs(&a));
            if scale < 1e-6 {
                // A true gradient of 0 (see the parity test): both hold rounding noise.
                assert!(worst < 1e-6, "{folder} on {backend}: {name} is {worst} away from 0");
                continue;
            }
            assert!(worst <= 1e-4 * scale, "{folder} on {backend}: {name} differs by {worst} of {scale}");
        }
        let gram = ours.gram(&[gradients.clone(), gradients]).unwrap();
        let other_gram = other.gram(&[other_gradients.clone(), other_gradients]).unwrap();
        for (a, b) in gram.iter().zip(&other_gram) {
            assert!((a - b).abs() < 1e-4 * a.abs(), "{folder} on {backend}: Gram {a}, {b}");
        }

        let (losses, _) = train(&mut ours, std::slice::from_ref(&batch), 10, 2e-3);
        let (other_losses, _) = train(&mut other, std::slice::from_ref(&batch), 10, 2e-3);
        for (step, (a, b)) in losses.iter().zip(&other_losses).enumerate() {
            assert!((a - b).abs() < 1e-4, "{folder} on {backend}, step {step}: {a}, {b}");
        }
    }
}

#[test]
fn ndarray_agrees_with_cpu() {
    compare(Backend::Ndarray, &["bert-tokens", "bert-spans", "xlm-roberta-classes"]);
}

#[test]
fn wgpu_agrees_with_cpu() {
    match Learner::load(&reference("bert-tokens"), Backend::Wgpu) {
        Ok(_) => compare(Backend::Wgpu, &["bert-spans"]),
        Err(error) => {
            assert!(matches!(error, ModelError::Device { .. }), "{error}");
            eprintln!("skipped: {error}");
        }
    }
}

#[cfg(not(feature = "cuda"))]
#[test]
fn a_back_end_that_is_not_compiled_in_names_its_feature() {
    let error = Learner::load(&reference("bert-tokens"), Backend::Cuda).err().unwrap().to_string();
    assert!(error.contains("`cuda`") && error.contains("--features cuda"), "{error}");
}
