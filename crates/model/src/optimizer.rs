use burn::tensor::{Device, Tensor};
use kernels::adamw;

use crate::device::{from_host, host, is_host, to_device};
use crate::gradients::{Gradient, Gradients};
use crate::layout::{Entry, Layout, Role};
use crate::{ModelError, device};

/// AdamW (Loshchilov and Hutter 2019, algorithm 2) and clipping by the global norm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OptimizerConfig {
    /// Decoupled decay of weights and embeddings; biases and LayerNorm do not decay.
    pub weight_decay: f64,
    /// Longest gradient; longer ones are scaled to this norm. 0 clips nothing.
    pub clip: f64,
    pub beta1: f64,
    pub beta2: f64,
    pub epsilon: f64,
}

/// The defaults of the transformers library's trainer.
impl Default for OptimizerConfig {
    fn default() -> Self {
        Self { weight_decay: 0.0, clip: 1.0, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }
    }
}

/// What a step saw.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepNorms {
    /// Euclidean norm of the whole gradient before clipping.
    pub gradient: f64,
    pub clipped: bool,
}

/// One parameter's state.
#[derive(Debug, Clone)]
pub(crate) struct Moments {
    pub first: Tensor<1>,
    pub second: Tensor<1>,
    /// Of a table that only row-sparse gradients have moved: the rows whose moments may differ from 0, ascending.
    pub live: Option<Vec<u32>>,
    /// Steps this parameter has taken; a parameter that was frozen for a while lags behind the others.
    pub steps: u64,
}

/// Optimiser state by parameter, in the layout's order; `None` before a parameter's first step.
#[derive(Debug, Clone)]
pub(crate) struct AdamW {
    pub config: OptimizerConfig,
    pub moments: Vec<Option<Moments>>,
}

impl AdamW {
    pub fn new(config: OptimizerConfig, parameters: usize) -> Self {
        Self { config, moments: vec![None; parameters] }
    }

    /// Clips the gradient and moves the parameters that have one, at a learning rate each.
    pub fn step(
        &mut self,
        values: &mut [Tensor<1>],
        gradients: Gradients,
        learning_rates: &[f64],
        layout: &Layout,
        device: &Device,
    ) -> Result<StepNorms, ModelError> {
        let squares = gradients.squared_norms(layout, device)?;
        if let Some((index, _)) = squares.iter().find(|(_, square)| !square.is_finite()) {
            return Err(ModelError::NonFinite { what: format!("gradient of {}", layout.entries[*index].name) });
        }
        let norm = squares.iter().map(|(_, square)| square).sum::<f64>().sqrt();
        // PyTorch's clip_grad_norm_ adds the same constant.
        let scale = self.config.clip / (norm + 1e-6);
        let clipped = self.config.clip > 0.0 && scale < 1.0;

        for (index, gradient) in gradients.of.into_iter().enumerate() {
            let Some(gradient) = gradient else { continue };
            let moments = self.moments[index].take().unwrap_or_else(|| Moments::zero(&gradient, &values[index]));
            let entry = &layout.entries[index];
            let scale = if clipped { scale } else { 1.0 };
            let step = self.numbers(scale, learning_rates[index], entry.role == Role::Weight, moments.steps + 1);
            // The optimiser's handle is taken out, so that a value nobody else holds is changed in place.
            let value = std::mem::replace(&mut values[index], Tensor::empty([0], device));
            let (value, moments) = match gradient {
                Gradient::Dense(gradient) if !is_host(device) => update(value, gradient, moments, &step),
                gradient => update_host(value, &gradient, moments, &step)?,
            };
            values[index] = value;
            self.moments[index] = Some(moments);
        }
        Ok(StepNorms { gradient: norm, clipped })
    }

    fn numbers(&self, gradient_scale: f64, learning_rate: f64, decays: bool, steps: u64) -> adamw::Step {
        let config = &self.config;
        adamw::Step {
            gradient_scale,
            learning_rate,
            beta1: config.beta1,
            beta2: config.beta2,
            epsilon: config.epsilon,
            weight_decay: if decays { config.weight_decay } else { 0.0 },
            bias_correction1: 1.0 - config.beta1.powf(steps as f64),
            bias_correction2: 1.0 - config.beta2.powf(steps as f64),
        }
    }
}

/// One pass over the CPU's memory, of a row-sparse gradient over the rows that any gradient has touched.
fn update_host(
    value: Tensor<1>,
    gradient: &Gradient,
    moments: Moments,
    step: &adamw::Step,
) -> Result<(Tensor<1>, Moments), ModelError> {
    let Moments { first, second, mut live, steps } = moments;
    let (mut value, mut first, mut second) = (host(value), host(first), host(second));
    let state = adamw::Moments { first: first.storage_mut(), second: second.storage_mut() };
    let done = match (gradient, &mut live) {
        (Gradient::Rows(gradient), Some(live)) => adamw::step_rows(value.storage_mut(), gradient, live, state, step),
        (Gradient::Rows(gradient), None) => {
            let mut every = (0..(state.first.len() / gradient.hidden) as u32).collect();
            adamw::step_rows(value.storage_mut(), gradient, &mut every, state, step)
        }
        (Gradient::Dense(gradient), _) => {
            live = None;
            adamw::step(value.storage_mut(), host(gradient.clone()).storage(), state, step)
        }
    };
    done.map_err(|error| ModelError::state(error.to_string()))?;
    Ok((from_host(value), Moments { first: from_host(first), second: from_host(second), live, steps: steps + 1 }))
}

/// The same in tensor operations.
fn update(value: Tensor<1>, gradient: Tensor<1>, moments: Moments, step: &adamw::Step) -> (Tensor<1>, Moments) {
    let gradient = gradient * step.gradient_scale;
    let value = value * (1.0 - step.learning_rate * step.weight_decay);
    let first = moments.first.clone() + (gradient.clone() - moments.first) * (1.0 - step.beta1);
    let second = moments.second * step.beta2 + gradient.clone() * gradient * (1.0 - step.beta2);
    let denominator = second.clone().sqrt() * (1.0 / step.bias_correction2.sqrt()) + step.epsilon;
    let value = value - first.clone() / denominator * (step.learning_rate / step.bias_correction1);
    (value, Moments { first, second, live: None, steps: moments.steps + 1 })
}

impl Moments {
    /// Before the first step.
    fn zero(gradient: &Gradient, value: &Tensor<1>) -> Self {
        match gradient {
            Gradient::Dense(gradient) => {
                Self { first: gradient.zeros_like(), second: gradient.zeros_like(), live: None, steps: 0 }
            }
            Gradient::Rows(_) => {
                // The system gives memory that nobody writes to only on paper.
                let zeros = || to_device(vec![0.0; value.dims()[0]], &value.device());
                Self { first: zeros(), second: zeros(), live: Some(Vec::new()), steps: 0 }
            }
        }
    }

    /// As they were saved.
    pub fn restored(first: Tensor<1>, second: Tensor<1>, steps: u64, entry: &Entry) -> Self {
        let live = entry.table().filter(|_| is_host(&first.device())).map(|[_, columns]| {
            let (first, second) = (host(first.clone()), host(second.clone()));
            adamw::live_rows(first.storage(), second.storage(), columns)
        });
        Self { first, second, live, steps }
    }

    /// Both moments on the host.
    pub fn to_host(&self) -> Result<(Vec<f32>, Vec<f32>), ModelError> {
        Ok((device::to_host(self.first.clone())?, device::to_host(self.second.clone())?))
    }
}
