//! What a stage can hold on to: parameters that train and were there before it.

use std::collections::BTreeSet;

use super::{Anchor, FirstStage, Forgetting, GradientRule, Method, Structure, UpdateStage};
use crate::{Language, Objective, Protocol, Stage, Task};

impl Method {
    /// Whether it refers to theta0, the parameters at the start of a stage.
    fn refers_to_start(&self) -> bool {
        let measures = |rule: &GradientRule| matches!(rule, GradientRule::LfMlf(knobs) if matches!(knobs.forgetting, Forgetting::L2 | Forgetting::Fisher));
        !self.anchor.is_none() || measures(&self.rule)
    }

    /// Refuses methods that pull towards theta0 where no stage trains anything that has one. Without the encoder's number
    /// of layers it is taken for granted that `frozen-lower` leaves some open.
    ///
    /// # Errors
    /// The reason.
    pub(super) fn check_anchored(&self, protocol: &Protocol, layers: Option<usize>) -> Result<(), String> {
        if !self.refers_to_start() || protocol.stages.is_empty() {
            return Ok(());
        }
        let remembers = |stage: &Stage| stage.memories.iter().any(|memory| self.anchor.memories().take(&memory.name));
        let holds = |index: usize| match &self.anchor {
            // It mixes weights of the encoder alone.
            Anchor::Mixout(_) => {
                matches!(self.structure, Structure::Full | Structure::FrozenLower { .. }) && self.opens_encoder(layers)
            }
            Anchor::Ewc(_) => remembers(&protocol.stages[index]) && self.trains_known(protocol, index, layers),
            Anchor::None | Anchor::L2Sp(_) | Anchor::RecAdam(_) => self.trains_known(protocol, index, layers),
        };
        if (0..protocol.stages.len()).any(holds) {
            return Ok(());
        }
        let place = format!("[protocol.{}]", protocol.name);
        let structure = self.structure.name();
        Err(match &self.anchor {
            Anchor::Mixout(_) => format!(
                "`mixout` mixes weights of the encoder, and the structure `{structure}` trains none here: use another anchor"
            ),
            Anchor::None => format!(
                "`{}` measures forgetting by the way from where a stage began, and all that the structure `{structure}` trains in \
                 {place} is new in its stage: use `forgetting = \"mlm-memory\"` or \"kl\", or another structure",
                self.rule.name()
            ),
            anchor => format!(
                "`{}` holds parameters near where a stage began, and all that the structure `{structure}` trains in {place} is \
                 new in its stage{}: use another structure, or a stage that goes on with what an earlier one has trained",
                anchor.name(),
                if matches!(anchor, Anchor::Ewc(_)) { " or without a memory for it" } else { "" }
            ),
        })
    }

    /// Whether a stage (from 0) trains something that was there before it. Heads that come with the model are not counted:
    /// whether they fit is known once its data are.
    fn trains_known(&self, protocol: &Protocol, index: usize, layers: Option<usize>) -> bool {
        let stage = &protocol.stages[index];
        let earlier = &protocol.stages[..index];
        // The language model comes with the encoder.
        let known = |task: Task| !task.has_head() || earlier.iter().any(|stage| stage.task == task);
        if let Some(laft) = &self.sharing {
            return match (index, laft.stage1, laft.stage2) {
                (0, FirstStage::Full, _) | (1.., _, UpdateStage::Full) => true,
                (0, FirstStage::Adapter, _) | (1.., _, UpdateStage::ModuleAndHead) => known(stage.task),
                (1.., _, UpdateStage::Module) => false,
            };
        }
        if let Structure::MadX(_) = self.structure {
            let is_text = |stage: &Stage| stage.task.objective() == Objective::MaskedTokens;
            let adapted: BTreeSet<Language> =
                earlier.iter().filter(|stage| is_text(stage)).flat_map(|stage| &stage.languages).copied().collect();
            return match is_text(stage) {
                true => stage.languages.iter().any(|language| adapted.contains(language)),
                false => known(stage.task),
            };
        }
        let memories = stage.memories.iter().filter(|memory| self.asks_for(memory)).map(|memory| memory.task);
        let heads = || memories.clone().filter(|task| task.has_head()).any(known);
        match self.structure {
            // All stages share them.
            Structure::Adapter(_) | Structure::Lora(_) => index > 0 || known(stage.task) || heads(),
            _ => self.opens_encoder(layers) || known(stage.task) || heads(),
        }
    }

    /// Whether the structure trains parameters of the encoder itself, of so many layers.
    fn opens_encoder(&self, layers: Option<usize>) -> bool {
        match (&self.structure, layers) {
            (Structure::FrozenLower { layers: Some(frozen) }, Some(layers)) => *frozen < layers,
            _ => true,
        }
    }
}
