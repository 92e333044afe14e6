//! Which compositions make sense on which protocol.

use super::knob::KnobError;
use super::{
    Anchor, Forgetting, GradientRule, Laft, LfMlfForm, Memories, Method, OuterLoop, Schedule, Structure, Subnetworks,
};
use crate::{Objective, Protocol, SpecError, Stage};

impl Method {
    /// Whether this method can be run on this protocol, and does there what its name says.
    ///
    /// A method that has nothing to work on in some stages (GEM before there is a past, PCGrad on one language) trains
    /// there like plain fine-tuning; one that has nothing to work on in any stage is refused.
    ///
    /// # Errors
    /// [`SpecError::Composition`] with the reason.
    pub fn check(&self, protocol: &Protocol) -> Result<(), SpecError> {
        let protocol = &*self.goes_through(protocol);
        let knob = |axis: &str, result: Result<(), KnobError>| result.map_err(|error| format!("{axis} {error}"));
        knob("structure", self.structure.check())
            .and_then(|()| knob("rule", self.rule.check()))
            .and_then(|()| knob("schedule", self.schedule.check()))
            .and_then(|()| knob("anchor", self.anchor.check()))
            .and_then(|()| knob("outer", self.outer.check()))
            .and_then(|()| knob("subnetworks", self.subnetworks.as_ref().map_or(Ok(()), Subnetworks::check)))
            .and_then(|()| knob("sharing", self.sharing.as_ref().map_or(Ok(()), Laft::check)))
            .and_then(|()| self.settings.check(protocol))
            .and_then(|()| self.check_axes())
            .and_then(|()| self.check_subnetworks(protocol))
            .and_then(|()| self.check_per_language(protocol))
            .and_then(|()| self.check_memories(protocol))
            .and_then(|()| self.check_stages(protocol))
            .and_then(|()| self.check_anchored(protocol, None))
            .and_then(|()| self.check_recall(protocol))
            .map_err(|reason| SpecError::Composition { method: self.name.to_string(), reason })
    }

    /// The same, as far as it depends on the number of the encoder's layers.
    ///
    /// # Errors
    /// [`SpecError::Composition`] with the reason.
    pub fn check_with_layers(&self, protocol: &Protocol, layers: usize) -> Result<(), SpecError> {
        self.check_anchored(protocol, Some(layers))
            .map_err(|reason| SpecError::Composition { method: self.name.to_string(), reason })
    }

    /// Axes against each other.
    fn check_axes(&self) -> Result<(), String> {
        let reptile = matches!(self.outer, OuterLoop::Reptile(_));
        if let (Schedule::ChainThaw(_) | Schedule::Ulmfit(_), true) = (&self.schedule, reptile) {
            return Err(format!(
                "the schedule `{}` sets the optimiser's learning rates, and `reptile` has no optimiser: use another schedule, or another outer loop",
                self.schedule.name()
            ));
        }
        let added = matches!(self.structure, Structure::Adapter(_) | Structure::Lora(_) | Structure::MadX(_));
        if let (Anchor::Mixout(_), true) = (&self.anchor, added) {
            return Err(format!(
                "`mixout` mixes trained weights with those of the start, and the structure `{}` trains none of the encoder's: use another anchor",
                self.structure.name()
            ));
        }
        match &self.anchor {
            Anchor::L2Sp(_) | Anchor::Ewc(_) | Anchor::RecAdam(_) if reptile => Err(format!(
                "the anchor `{}` pulls at the optimiser's gradient, and `reptile` has no optimiser: use `mixout`, or another outer loop",
                self.anchor.name()
            )),
            _ => Ok(()),
        }
    }

    /// A memory that is asked for by name must be in some stage, and be of a kind that the asker can use.
    fn check_memories(&self, protocol: &Protocol) -> Result<(), String> {
        for (asker, memories) in
            [(self.rule.name(), self.rule.memories()), (self.anchor.name(), self.anchor.memories())]
        {
            let Memories::Named(name) = memories else { continue };
            let mut known: Vec<&str> =
                protocol.stages.iter().flat_map(|stage| &stage.memories).map(|memory| memory.name.as_str()).collect();
            known.sort_unstable();
            known.dedup();
            if !known.contains(&name.as_str()) {
                let listed =
                    if known.is_empty() { "lists none".to_owned() } else { format!("has {}", known.join(", ")) };
                return Err(format!(
                    "`{asker}` asks for the memory `{name}`, and [protocol.{}] {listed}",
                    protocol.name
                ));
            }
        }
        let GradientRule::LfMlf(rule) = &self.rule else { return Ok(()) };
        if rule.forgetting == Forgetting::L2 {
            return Ok(());
        }
        for (index, stage) in protocol.stages.iter().enumerate() {
            let taken: Vec<_> = stage.memories.iter().filter(|memory| rule.memory.take(&memory.name)).collect();
            if taken.is_empty() {
                return Err(format!(
                    "its measure of forgetting needs a memory, and stage {} of [protocol.{}] has none: give it \
                     `memories`, or use `forgetting = \"l2\"`",
                    index + 1,
                    protocol.name
                ));
            }
            let text = matches!(rule.forgetting, Forgetting::MlmMemory | Forgetting::Kl);
            if let Some(memory) = taken.iter().find(|memory| text && memory.task.objective() != Objective::MaskedTokens)
            {
                return Err(format!(
                    "its measure of forgetting is one of masked tokens, and the memory `{}` is of task {}",
                    memory.name, memory.task
                ));
            }
        }
        Ok(())
    }

    /// RecAdam's way back must come nearer to where the stage began with every step.
    fn check_recall(&self, protocol: &Protocol) -> Result<(), String> {
        let Anchor::RecAdam(knobs) = &self.anchor else { return Ok(()) };
        let raised = if let Schedule::ChainThaw(chain) = &self.schedule { chain.head_rate.max(1.0) } else { 1.0 };
        for (index, stage) in protocol.stages.iter().enumerate() {
            let rate = raised * stage.learning_rate;
            let share = rate * knobs.w * knobs.strength(stage.learning_rate);
            if share >= 2.0 {
                return Err(format!(
                    "`rec-adam` goes back {share} times the way to where stage {} of [protocol.{}] began at each step (learning rate \
                     × w × gamma), and from 2 on ends ever farther from it: with this learning rate `gamma` must be below {}",
                    index + 1,
                    protocol.name,
                    2.0 / rate / knobs.w
                ));
            }
        }
        Ok(())
    }

    /// Something to do in at least one stage.
    fn check_stages(&self, protocol: &Protocol) -> Result<(), String> {
        let some = |does: &dyn Fn(&Stage) -> bool| protocol.stages.is_empty() || protocol.stages.iter().any(does);
        let taken =
            |stage: &Stage| stage.memories.iter().filter(|memory| self.rule.memories().take(&memory.name)).count();
        let (rule, place) = (self.rule.name(), format!("[protocol.{}]", protocol.name));
        let works = match &self.rule {
            GradientRule::Mean => true,
            rule_of_memories
                if matches!(rule_of_memories, GradientRule::Multitask(_))
                    || rule_of_memories.rows().hold_against_memories() =>
            {
                if !some(&|stage| taken(stage) > 0) {
                    return Err(format!(
                        "`{rule}` needs memories, and no stage of {place} has one for it: add `memories = [...]` to a \
                         stage (`past-stages` from the second stage on)"
                    ));
                }
                true
            }
            GradientRule::LfMlf(lf_mlf) => {
                lf_mlf.form == LfMlfForm::Polyhedron || some(&|stage| stage.languages.len() > 1)
            }
            _ => some(&|stage| stage.languages.len() + taken(stage) > 1),
        };
        if !works {
            return Err(format!(
                "`{rule}` combines the gradients of several source languages or memories, and every stage of {place} \
                 has only one: it would be plain fine-tuning"
            ));
        }
        if self.outer != OuterLoop::Plain && !some(&|stage| stage.languages.len() > 1) {
            return Err(format!(
                "`{}` learns across source languages, and every stage of {place} has only one",
                self.outer.name()
            ));
        }
        let remembers = |stage: &Stage| stage.memories.iter().any(|memory| self.anchor.memories().take(&memory.name));
        if matches!(self.anchor, Anchor::Ewc(_)) && !some(&remembers) {
            return Err(format!(
                "`ewc` measures on memories what matters to the past, and no stage of {place} has one for it"
            ));
        }
        Ok(())
    }
}
