use std::collections::BTreeSet;

use model::{Group, Learner, ModelError, OptimizerConfig};
use spec::{Batch, GradientRule, Language, Method, OuterLoop, Schedule, Stage};
use thiserror::Error;

use crate::linear_warmup_decay;

#[derive(Debug, Error)]
pub enum StrategyError {
    #[error(transparent)]
    Spec(#[from] spec::SpecError),
    #[error(transparent)]
    Model(#[from] ModelError),
}

/// The sub-batch of one source language.
#[derive(Debug, Clone)]
pub struct LanguageBatch {
    pub language: Language,
    pub batch: Batch,
    /// Seed of the dropout masks of this sub-batch.
    pub dropout_seed: u64,
}

/// What one step did.
#[derive(Debug, Clone, PartialEq)]
pub struct StepReport {
    /// Mean over the languages of their mean losses.
    pub loss: f64,
    /// Mean loss of each language's sub-batch, in the order given.
    pub losses: Vec<f64>,
    pub learning_rate: f64,
    /// Global L2 norm before clipping.
    pub gradient_norm: f64,
}

/// A method at work on one stage.
#[derive(Debug)]
pub struct Strategy<'a> {
    method: &'a Method,
    stage: &'a Stage,
}

impl<'a> Strategy<'a> {
    pub fn new(method: &'a Method, stage: &'a Stage) -> Self {
        Self { method, stage }
    }

    /// Chooses what is trained and starts with a fresh optimiser; a resumed stage then loads its checkpoint over it.
    ///
    /// # Errors
    /// The structure does not fit this encoder.
    pub fn begin(&self, learner: &mut Learner) -> Result<(), StrategyError> {
        let layers = learner.groups().iter().filter(|group| matches!(group, Group::Layer(_))).count();
        let frozen: BTreeSet<Group> = match self.method.structure.frozen_layers(&self.method.name, layers)? {
            None => BTreeSet::new(),
            Some(lower) => std::iter::once(Group::Embeddings).chain((0..lower).map(Group::Layer)).collect(),
        };
        learner.set_frozen(&frozen);
        learner.begin_stage(OptimizerConfig {
            weight_decay: self.stage.weight_decay,
            clip: self.stage.clip,
            ..OptimizerConfig::default()
        });
        Ok(())
    }

    /// One optimiser step on one sub-batch per source language.
    ///
    /// # Errors
    /// [`ModelError::NonFinite`] when a loss, gradient or parameter stops being finite.
    pub fn step(
        &mut self,
        learner: &mut Learner,
        batches: &[LanguageBatch],
        step: u64,
    ) -> Result<StepReport, StrategyError> {
        let OuterLoop::Plain = self.method.outer;
        let Schedule::All = self.method.schedule;
        let mut losses = Vec::with_capacity(batches.len());
        let mut gradients = Vec::with_capacity(batches.len());
        for LanguageBatch { batch, dropout_seed, .. } in batches {
            let (loss, gradient) = learner.loss_and_gradients(batch, *dropout_seed)?;
            losses.push(loss);
            gradients.push(gradient);
        }
        let direction = match self.method.rule {
            GradientRule::Mean => {
                let weights = vec![1.0 / gradients.len() as f64; gradients.len()];
                learner.combine(gradients, &weights)?
            }
        };
        let learning_rate = linear_warmup_decay(self.stage.learning_rate, self.stage.warmup, step, self.stage.steps);
        let norms = learner.step(direction, learning_rate)?;
        Ok(StepReport {
            loss: losses.iter().sum::<f64>() / losses.len() as f64,
            losses,
            learning_rate,
            gradient_norm: norms.gradient,
        })
    }
}
