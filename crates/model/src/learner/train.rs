use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use spec::Batch;

use super::{Learner, lanes};
use crate::device::{compute, is_host, to_host};
use crate::encoder::Dropout;
use crate::gradients::{self, Gradient, Gradients};
use crate::objective::Pass;
use crate::optimizer::AdamW;
use crate::weights::Weights;
use crate::{Group, ModelError, OptimizerConfig, Part, SavePoint, StepNorms, batch};

/// Burn's generator is one a process: whoever draws from it holds this from seeding to the last draw.
static RANDOM: Mutex<()> = Mutex::new(());

impl Learner {
    /// Starts a stage: no optimiser state is left.
    pub fn begin_stage(&mut self, optimizer: OptimizerConfig) {
        self.state.optimizer = AdamW::new(optimizer, self.state.values.len());
    }

    /// Ends a stage: its optimiser state, twice as large as what has been trained, is no part of checkpoints from here on,
    /// and nothing of the model is new any more.
    pub fn end_stage(&mut self) {
        self.begin_stage(OptimizerConfig::default());
        self.state.new.fill(false);
    }

    /// Mean loss over the batch's targets that count, and its gradient with respect to everything not frozen. The targets
    /// say which output layer gives the loss: masked tokens the language model, translations none (in-batch ranking of
    /// sentence vectors), all others the head that serves the batch's task. Dropout draws from `dropout_seed`.
    ///
    /// # Errors
    /// [`ModelError::Batch`] if the batch does not fit, [`ModelError::State`] without the output layer that it needs or
    /// when everything that takes part in the loss is frozen, [`ModelError::NonFinite`] if the loss is not finite,
    /// [`ModelError::Device`] and [`ModelError::OutOfMemory`].
    pub fn loss_and_gradients(&mut self, batch: &Batch, dropout_seed: u64) -> Result<(f64, Gradients), ModelError> {
        self.pass(batch, dropout_seed)
    }

    /// [`Learner::loss_and_gradients`] of several batches with the seeds of their dropout, to the same bits. On the CPU's
    /// back end as many at a time as there are threads, each on one of them: small batches then wait for each other once,
    /// not at every operation.
    ///
    /// # Errors
    /// As [`Learner::loss_and_gradients`], of the first batch that fails.
    pub fn losses_and_gradients(&mut self, batches: &[(&Batch, u64)]) -> Result<Vec<(f64, Gradients)>, ModelError> {
        let learner = &*self;
        let one = |&(batch, seed): &(&Batch, u64)| learner.pass(batch, seed);
        let lanes = self.passes_at_once();
        let mut found = Vec::with_capacity(batches.len());
        for batches in batches.chunks(lanes) {
            // Fewer batches than threads leave none idle if they take turns.
            let results = match batches.len() < lanes || lanes == 1 {
                true => batches.iter().map(one).collect(),
                false => lanes::side_by_side(batches, one)?,
            };
            for result in results {
                found.push(result?);
            }
        }
        Ok(found)
    }

    /// How many batches [`Learner::losses_and_gradients`] computes at a time, at least 1.
    pub fn passes_at_once(&self) -> usize {
        if is_host(&self.device) { lanes::count() } else { 1 }
    }

    fn pass(&self, batch: &Batch, dropout_seed: u64) -> Result<(f64, Gradients), ModelError> {
        batch::check(batch, &self.config)?;
        let state = &self.state;
        let objective = state.objective(batch)?;
        objective.check(batch)?;
        let open = state.open();
        if !open.contains(&true) {
            return Err(ModelError::state("every group is frozen, so there is nothing to train"));
        }
        let dropout = self.dropouts();
        compute(&self.device, || {
            let weights =
                Weights::training(&state.layout, &state.values, &open, dropout_seed).with_head_masks(self.head_masks());
            let input = state.network.encoder.input(batch, &self.device);
            let loss = {
                let _drawing = self.seed(dropout, dropout_seed);
                let active = state.active();
                let pass = Pass { batch, input: &input, active: &active, dropout, weights: &weights };
                objective.loss(self.trunk.states(objective, state, &pass, &self.device)?, &pass)?
            };
            if !loss.is_autodiff() {
                return Err(ModelError::state("every group that takes part in this loss is frozen"));
            }
            let value = f64::from(to_host(loss.clone().inner())?[0]);
            if !value.is_finite() {
                return Err(ModelError::NonFinite { what: "loss".to_owned() });
            }
            let mut found = loss.backward();
            Ok((value, Gradients { of: weights.into_gradients(&mut found)?, open }))
        })
    }

    /// Inner products of `m` gradients, `[m, m]` row-major.
    ///
    /// # Errors
    /// [`ModelError::State`] if they are not of the same trained parameters.
    pub fn gram(&self, gradients: &[Gradients]) -> Result<Vec<f64>, ModelError> {
        compute(&self.device, || gradients::gram(gradients, &self.state.layout, &self.device))
    }

    /// Squared Euclidean norm of a gradient by group, without the groups that it does not reach.
    ///
    /// # Errors
    /// Those of the device.
    pub fn squared_norms(&self, gradients: &Gradients) -> Result<BTreeMap<Group, f64>, ModelError> {
        let norms = compute(&self.device, || gradients.squared_norms(&self.state.layout, &self.device))?;
        let mut by_group = BTreeMap::new();
        for (index, norm) in norms {
            *by_group.entry(self.state.layout.entries[index].group).or_insert(0.0) += norm;
        }
        Ok(by_group)
    }

    /// `Σ weight · gradient`.
    ///
    /// # Errors
    /// [`ModelError::State`] if the numbers of gradients and weights differ, there are none, or they are not of the same
    /// trained parameters; [`ModelError::NonFinite`] for a weight that is not finite.
    pub fn combine(&self, gradients: Vec<Gradients>, weights: &[f64]) -> Result<Gradients, ModelError> {
        compute(&self.device, || gradients::combine(gradients, weights, &self.device))
    }

    /// How far the trained parameters have moved since `origin`, `θ - θ₀`.
    ///
    /// # Errors
    /// [`ModelError::State`] if `origin` has other parameters.
    pub fn displacement(&self, origin: &SavePoint) -> Result<Gradients, ModelError> {
        let (state, origin) = (&self.state, &origin.0);
        if state.parts != origin.parts {
            return Err(ModelError::state("the save point is of a model with other parts"));
        }
        let open = state.open();
        compute(&self.device, || {
            let pairs = state.values.iter().zip(&origin.values).zip(&open);
            let of =
                pairs.map(|((now, then), &open)| open.then(|| Gradient::Dense(now.clone() - then.clone()))).collect();
            Ok(Gradients { of, open: open.clone() })
        })
    }

    /// Clips the gradient by its global norm and takes one AdamW step. Parameters that the loss does not reach stay as
    /// they are, weight decay included.
    ///
    /// # Errors
    /// [`ModelError::NonFinite`] naming the parameter whose gradient is not finite (nothing has moved then);
    /// [`ModelError::State`] if a group was frozen or a head replaced since the gradient was taken.
    pub fn step(&mut self, gradients: Gradients, learning_rate: f64) -> Result<StepNorms, ModelError> {
        self.step_by_group(gradients, &|_| learning_rate)
    }

    /// [`Learner::step`] with a learning rate for each group.
    ///
    /// # Errors
    /// As [`Learner::step`].
    pub fn step_by_group(
        &mut self,
        gradients: Gradients,
        learning_rate: &dyn Fn(Group) -> f64,
    ) -> Result<StepNorms, ModelError> {
        self.step_by_part(gradients, &|part| learning_rate(part.group))
    }

    /// [`Learner::step`] with learning rates that tell what is new from what is not.
    ///
    /// # Errors
    /// As [`Learner::step`].
    pub fn step_by_part(
        &mut self,
        gradients: Gradients,
        learning_rate: &dyn Fn(Part) -> f64,
    ) -> Result<StepNorms, ModelError> {
        let state = &mut self.state;
        let rates: Vec<f64> = (0..state.values.len()).map(|index| learning_rate(state.part(index))).collect();
        if let Some(rate) = rates.iter().find(|rate| !rate.is_finite() || **rate < 0.0) {
            return Err(ModelError::state(format!("learning rate {rate} is not a finite number from 0 up")));
        }
        let open = state.open();
        if !gradients.fits(&state.layout, &open) {
            return Err(ModelError::state("the gradient was taken before a group was frozen or the head replaced"));
        }
        for (changed, gradient) in state.changed.iter_mut().zip(&gradients.of) {
            *changed |= gradient.is_some();
        }
        let still = state.still(&self.config, &self.device)?;
        let norms = compute(&self.device, || {
            state.optimizer.step(&mut state.values, gradients, &rates, &state.layout, &self.device)
        })?;
        compute(&self.device, || {
            state.put_back(still);
            Ok(())
        })?;
        Ok(norms)
    }

    /// Seeds the back end's generator where something will be drawn from it, and keeps others away from it. The CPU's
    /// kernels draw from no generator.
    fn seed(&self, dropout: Dropout, seed: u64) -> Option<MutexGuard<'static, ()>> {
        let draws = [dropout.hidden, dropout.attention, dropout.classifier].iter().any(|&p| p > 0.0);
        (draws && !is_host(&self.device)).then(|| {
            let lock = RANDOM.lock().unwrap_or_else(PoisonError::into_inner);
            self.device.seed(seed);
            lock
        })
    }
}
