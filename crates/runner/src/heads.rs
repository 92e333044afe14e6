//! The heads of the tasks that a cell learns.

use anyhow::Result;
use spec::Stage;

use crate::job::Event;
use crate::labels;
use crate::running::Running;

impl Running<'_> {
    /// Adds the heads of the tasks that stages up to this one train first, fresh, drawn from the cell's seed; one that came
    /// with the model and has the data's labels is kept.
    pub fn set_heads(&mut self, stage: usize) -> Result<()> {
        let protocol = self.protocol;
        for (index, stage) in protocol.stages.iter().enumerate().take(stage + 1) {
            if protocol.first_stage_of(stage.task) == Some(index) {
                self.set_head(stage)?;
            }
        }
        Ok(())
    }

    pub fn set_head(&mut self, stage: &Stage) -> Result<()> {
        let sizes = stage.parser.clone().unwrap_or_default();
        let Some(head) = stage.task.head(labels::of_stage(&self.data, stage)?, &sizes) else { return Ok(()) };
        if self.learner.head(Some(stage.task)) == Some(&head) {
            self.learner.use_head(Some(stage.task))?;
            return Ok(());
        }
        if self.learner.head(Some(stage.task)).is_some() {
            let text =
                format!("the model's own head for {} has other labels or sizes: a fresh one is made", stage.task);
            (self.events)(&Event::Note { text });
        }
        Ok(self.learner.set_head(Some(stage.task), head, self.cell().seed)?)
    }
}
