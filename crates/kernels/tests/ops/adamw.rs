use kernels::adamw::{Moments, Step, step};

use crate::data::{assert_close, numbers};

fn at(t: i32) -> Step {
    Step {
        gradient_scale: 1.0,
        learning_rate: 1e-3,
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
        weight_decay: 0.01,
        bias_correction1: 1.0 - 0.9f64.powi(t),
        bias_correction2: 1.0 - 0.999f64.powi(t),
    }
}

/// Columns: parameter before, gradients of steps 1 to 3, parameter after each step (PyTorch 2.15, f32).
const REFERENCE: &str = include_str!("../reference/adamw.tsv");

#[test]
fn three_steps_equal_pytorch() {
    let rows: Vec<Vec<f32>> =
        REFERENCE.lines().skip(1).map(|line| line.split('\t').map(|field| field.parse().unwrap()).collect()).collect();
    let column = |index: usize| -> Vec<f32> { rows.iter().map(|row| row[index]).collect() };
    let mut parameter = column(0);
    let (mut first, mut second) = (vec![0.0; rows.len()], vec![0.0; rows.len()]);
    for t in 1..=3 {
        let moments = Moments { first: &mut first, second: &mut second };
        step(&mut parameter, &column(t), moments, &at(t as i32)).unwrap();
        for (got, expected) in parameter.iter().zip(column(3 + t)) {
            let bound = 2.0 * f32::EPSILON * expected.abs().max(1e-3);
            assert!((got - expected).abs() <= bound, "step {t}: {got} instead of {expected}");
        }
    }
}

#[test]
fn long_slices_equal_the_definition() {
    let len = 40_003;
    let (start, gradient) = (numbers(1, len, 1.0), numbers(2, len, 0.1));
    let (mut p, mut m, mut v) = (start.clone(), vec![0.0; len], vec![0.0; len]);
    let mut exact: Vec<[f64; 3]> = start.iter().map(|&p| [f64::from(p), 0.0, 0.0]).collect();
    for t in 1..=5 {
        let s = at(t);
        let moments = Moments { first: &mut m, second: &mut v };
        step(&mut p, &gradient, moments, &s).unwrap();
        for ([p, m, v], &g) in exact.iter_mut().zip(&gradient) {
            let g = f64::from(g);
            *p -= s.learning_rate * s.weight_decay * *p;
            *m = s.beta1 * *m + (1.0 - s.beta1) * g;
            *v = s.beta2 * *v + (1.0 - s.beta2) * g * g;
            *p -= s.learning_rate * (*m / s.bias_correction1) / ((*v / s.bias_correction2).sqrt() + s.epsilon);
        }
    }
    let column = |i: usize| -> Vec<f64> { exact.iter().map(|row| row[i]).collect() };
    assert_close("p", &p, &column(0), 1e-6);
    assert_close("m", &m, &column(1), 1e-6);
    assert_close("v", &v, &column(2), 1e-6);
}

#[test]
fn different_lengths_are_refused() {
    let moments = Moments { first: &mut [0.0; 2], second: &mut [0.0; 1] };
    assert!(step(&mut [1.0; 2], &[1.0; 2], moments, &at(1)).is_err());
}
