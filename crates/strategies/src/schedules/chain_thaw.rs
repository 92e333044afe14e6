//! Chain-thaw (Felbo et al. 2017; huggingface/torchMoji): one group after the other alone, then all together.
//!
//! The original ends a phase by early stopping on development data and goes back to its best weights. Stages here have a
//! fixed number of steps, so phases have a fixed length and go on from their last weights. Its weight decay of the
//! embeddings (1e-6) is the stage's instead.

use model::Group;
use spec::SpecError;

use super::interval::Stage;
use super::state::Open;

#[derive(Debug, Clone)]
pub(super) struct ChainThaw {
    head: Vec<Group>,
    units: Vec<Group>,
    interval: u64,
    head_rate: f64,
}

impl ChainThaw {
    pub fn new(stage: &Stage, head: &[Group], knobs: &spec::ChainThaw) -> Result<Self, SpecError> {
        if head.is_empty() {
            return Err(stage.refused("chain-thaw begins with the head, and the structure trains none".to_owned()));
        }
        let alone = stage.units.len() + 1;
        let interval = stage.interval(knobs.interval, alone, |interval| alone as u64 * interval)?;
        Ok(Self { head: head.to_vec(), units: stage.units.to_vec(), interval, head_rate: knobs.head_rate })
    }

    /// Phase 0 trains the head at its own rate, phase `j` the `j`-th unit from below, the last phase everything.
    pub fn open(&self, step: u64) -> Open {
        let phase = (step / self.interval).min(self.units.len() as u64 + 1) as usize;
        let (groups, rate): (Vec<Group>, f64) = match phase {
            0 => (self.head.clone(), self.head_rate),
            _ if phase <= self.units.len() => (vec![self.units[phase - 1]], 1.0),
            _ => (self.units.iter().chain(&self.head).copied().collect(), 1.0),
        };
        Open {
            rates: groups.iter().map(|&group| (group, 1.0)).collect(),
            groups: groups.into_iter().collect(),
            peak_share: Some(rate),
            fresh_optimizer: step > 0 && step == phase as u64 * self.interval,
        }
    }
}
