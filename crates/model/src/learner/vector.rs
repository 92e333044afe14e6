//! Parameters and gradients as points and directions of one space.

use std::path::Path;

use super::Learner;
use crate::device::{guard, to_device};
use crate::gradients::{Gradient, Gradients, add_rows};
use crate::layout::Role;
use crate::random::Uniform;
use crate::{Group, ModelError, Part, SavePoint, checkpoint};

impl Learner {
    /// Moves the trained parameters by `rate(group) · direction`, past the optimiser.
    ///
    /// # Errors
    /// [`ModelError::State`] if a group was frozen or a head replaced since the direction was taken, or a rate is not
    /// finite; the device's.
    pub fn shift(&mut self, direction: &Gradients, rate: &dyn Fn(Group) -> f64) -> Result<(), ModelError> {
        let state = &mut self.state;
        let open = state.open();
        if !direction.fits(&state.layout, &open) {
            return Err(ModelError::state("the direction was taken before a group was frozen or the head replaced"));
        }
        for (index, gradient) in direction.of.iter().enumerate() {
            let Some(gradient) = gradient else { continue };
            let rate = rate(state.layout.entries[index].group);
            if !rate.is_finite() {
                return Err(ModelError::state(format!("rate {rate} of a move is not finite")));
            }
            let value = state.values[index].clone();
            state.values[index] = guard(|| match gradient {
                Gradient::Dense(tensor) => Ok(value + tensor.clone() * rate),
                Gradient::Rows(rows) => add_rows(value, rows, rate),
            })?;
            state.changed[index] = true;
        }
        Ok(())
    }

    /// The trained parameters themselves.
    pub fn point(&self) -> Gradients {
        let open = self.state.open();
        let values = self.state.values.iter().zip(&open);
        let of = values.map(|(value, &open)| open.then(|| Gradient::Dense(value.clone()))).collect();
        Gradients { of, open }
    }

    /// The part of a gradient in some of the parameters that are trained now; elsewhere it is 0.
    pub fn part(&self, gradients: &Gradients, of: &dyn Fn(Part) -> bool) -> Gradients {
        let open = self.state.open();
        let parameters = gradients.of.iter().zip(&open).enumerate();
        let part = parameters
            .map(|(index, (gradient, &open))| gradient.clone().filter(|_| open && of(self.state.part(index))));
        Gradients { of: part.collect(), open }
    }

    /// One value an input column of each dense weight of the encoder's layers that trains, the same for all its output
    /// rows: `value` of a uniform draw in (0, 1) that depends on (seed, parameter, column) alone. 0 elsewhere.
    ///
    /// # Errors
    /// Those of the device.
    pub fn by_input_column(&self, seed: u64, value: &dyn Fn(f64) -> f64) -> Result<Gradients, ModelError> {
        let open = self.state.open();
        let entries = self.state.layout.entries.iter().zip(&open);
        let columns = entries.map(|(entry, &open)| {
            let (true, true, Role::Weight, Group::Layer(_), &[outputs, inputs]) =
                (open, entry.transposed, entry.role, entry.group, entry.file_shape.as_slice())
            else {
                return Ok(None);
            };
            let mut uniform = Uniform::new(seed, "input columns", &entry.name);
            // Dense weights lie in memory as `[in, out]`.
            let values: Vec<f32> =
                (0..inputs).flat_map(|_| std::iter::repeat_n(value(uniform.draw()) as f32, outputs)).collect();
            guard(|| Ok(Some(Gradient::Dense(to_device(values, &self.device)))))
        });
        Ok(Gradients { of: columns.collect::<Result<_, ModelError>>()?, open: self.state.open() })
    }

    /// Changes the optimiser's epsilon from the next step on; moments stay.
    pub fn set_epsilon(&mut self, epsilon: f64) {
        self.state.optimizer.config.epsilon = epsilon;
    }

    /// Does `work` without dropout.
    pub fn without_dropout<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.dropout.replace(0.0);
        let done = work(self);
        self.dropout = before;
        done
    }
}

impl SavePoint {
    /// Writes the point as [`Learner::save_checkpoint`] does; [`Learner::load_checkpoint`] reads it.
    ///
    /// # Errors
    /// [`ModelError::Io`], [`ModelError::Checkpoint`], or the device's.
    pub fn save(&self, path: &Path) -> Result<(), ModelError> {
        checkpoint::save(&self.0, path)
    }
}
