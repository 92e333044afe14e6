use burn::tensor::Tensor;

use super::config::{Activation, reduced};
use crate::layout::{Layout, Linear};
use crate::weights::Weights;
use crate::{Group, ops};

/// An invertible adapter: additive coupling of the two halves of a vector (NICE, Dinh et al. 2015, section 3.2; MAD-X,
/// Pfeiffer et al. 2020, equations 3 and 4).
#[derive(Debug, Clone)]
pub(crate) struct Coupling {
    f: Half,
    g: Half,
}

/// Dense, activation, dense, from one half to the other.
#[derive(Debug, Clone)]
struct Half {
    down: Linear,
    activation: Activation,
    up: Linear,
}

impl Coupling {
    pub fn new(name: &str, hidden: usize, reduction: f64, activation: Activation, layout: &mut Layout) -> Self {
        let (half, group) = (hidden / 2, Group::Invertible);
        let inner = reduced(half, reduction);
        let mut part = |part: &str| Half {
            down: layout.linear(&format!("{name}.{part}.0"), group, half, inner),
            activation,
            up: layout.linear(&format!("{name}.{part}.2"), group, inner, half),
        };
        Self { f: part("F"), g: part("G") }
    }

    /// `o₁ = e₁ + F(e₂)`, `o₂ = e₂ + G(o₁)` for `[batch, seq, hidden]`.
    pub fn forward(&self, hidden: Tensor<3>, weights: &Weights) -> Tensor<3> {
        let [first, second] = halves(hidden);
        let first = first + self.f.apply(second.clone(), weights);
        let second = second + self.g.apply(first.clone(), weights);
        Tensor::cat(vec![first, second], 2)
    }

    /// `e₂ = o₂ - G(o₁)`, `e₁ = o₁ - F(e₂)`.
    pub fn inverse(&self, hidden: Tensor<3>, weights: &Weights) -> Tensor<3> {
        let [first, second] = halves(hidden);
        let second = second - self.g.apply(first.clone(), weights);
        let first = first - self.f.apply(second.clone(), weights);
        Tensor::cat(vec![first, second], 2)
    }
}

impl Half {
    fn apply(&self, x: Tensor<3>, weights: &Weights) -> Tensor<3> {
        ops::linear(self.activation.apply(ops::linear(x, self.down, weights)), self.up, weights)
    }
}

fn halves(hidden: Tensor<3>) -> [Tensor<3>; 2] {
    let [batch, seq, size] = hidden.dims();
    [0..size / 2, size / 2..size].map(|columns| hidden.clone().slice([0..batch, 0..seq, columns]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random;
    use burn::tensor::{Device, TensorData};

    #[test]
    fn the_inverse_undoes_the_coupling_and_zero_weights_make_both_the_identity() {
        for (deviation, same) in [(0.8, false), (0.0, true)] {
            let mut layout = Layout::default();
            let coupling = Coupling::new("c", 10, 2.0, Activation::Relu, &mut layout);
            let device = Device::flex();
            let tensor = |name: &str, count: usize, deviation: f64| {
                Tensor::<1>::from_data(
                    TensorData::new(random::normal(1, "test", name, deviation, count), [count]),
                    &device,
                )
            };
            let values: Vec<_> =
                layout.entries.iter().map(|entry| tensor(&entry.name, entry.len(), deviation)).collect();
            let weights = Weights::inference(&layout, &values);
            let x = tensor("x", 60, 1.0).reshape([2, 3, 10]);
            let y = coupling.forward(x.clone(), &weights);
            let back = coupling.inverse(y.clone(), &weights);
            let gap = |a: Tensor<3>| (a - x.clone()).abs().max().into_scalar::<f32>();
            let (moved, returned) = (gap(y), gap(back));
            assert!(returned < 1e-5 && (moved == 0.0) == same && (same || moved > 0.1), "{moved} {returned}");
        }
    }
}
