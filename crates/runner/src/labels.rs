//! Label names of heads and of the data that they meet.

use anyhow::{Result, bail};
use data::DataFolder;
use spec::{DataKey, Labels, Protocol, Stage, Task};

/// The labels that a stage's data have: those of its first language, and behind them what the others add.
pub fn of_stage(folder: &DataFolder, stage: &Stage) -> Result<Labels> {
    let mut all = Labels::default();
    for key in stage.source().keys().filter(|_| stage.task.has_labels()) {
        let entry = folder.entry(&key)?;
        all = all.joined(&entry.labels());
    }
    Ok(all)
}

/// Refuses data with labels that the head does not have which the first stage of their task makes.
pub fn check(folder: &DataFolder, protocol: &Protocol, keys: impl IntoIterator<Item = DataKey>) -> Result<()> {
    let head = |task: Task| {
        let stage = protocol.first_stage_of(task).map(|index| &protocol.stages[index]);
        stage.map(|stage| Ok::<_, anyhow::Error>((of_stage(folder, stage)?, stage))).transpose()
    };
    for key in keys.into_iter().filter(|key| key.task.has_labels()) {
        let Some((labels, stage)) = head(key.task)? else { continue };
        if let Err(name) = folder.entry(&key)?.labels().places_in(&labels) {
            bail!(
                "[protocol.{}]: `{key}` has the label `{name}`, which the first {} stage does not learn: the labels of its data \
                 `{}` are {labels}",
                protocol.name,
                key.task,
                stage.data
            );
        }
    }
    Ok(())
}
