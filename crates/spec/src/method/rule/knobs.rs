use super::Memories;
use crate::method::KnobError;

/// What a rule's knobs say about the rule.
pub trait RuleKnobs {
    /// The memories of a stage that the rule asks for gradients.
    fn memories(&self) -> &Memories;

    /// What the rows of the Gram matrix are.
    fn rows(&self) -> Rows {
        Rows::Tasks
    }

    /// Refuses knobs outside their ranges.
    ///
    /// # Errors
    /// [`KnobError`] naming the knob.
    fn check(&self) -> Result<(), KnobError> {
        Ok(())
    }
}

/// What a rule makes of the gradients of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// Languages and memories alike: one loss each.
    Tasks,
    /// The mean over the languages is one; it is held against each memory.
    CurrentThenMemories,
    /// The same against all memories as one.
    CurrentThenUnion,
    /// Languages only; memories give the direction that forgets.
    LanguagesAndAnchor,
}

impl Rows {
    /// Whether memories are there to be held against, and not tasks themselves.
    pub fn hold_against_memories(self) -> bool {
        matches!(self, Self::CurrentThenMemories | Self::CurrentThenUnion)
    }
}
