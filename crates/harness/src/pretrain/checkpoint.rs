//! The state of a pre-training, sealed by its hash: what is damaged costs work, never a number.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use files::sealed;
use model::Learner;
use serde::{Deserialize, Serialize};

use super::Record;

const MAGIC: &sealed::Magic = b"LETHEPRE";
const LEARNER: &str = "learner.safetensors";
/// The file of a state that is written last.
const STATE: &str = "state";
/// What names of states begin with; the step follows.
const PREFIX: &str = "checkpoint-";

/// Bytes of a state: its record has some points a step.
const LARGEST: u64 = 1 << 30;

/// Whether a pipe, a folder or something without end is in the place of a file.
fn is_no_file(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::InvalidInput | ErrorKind::IsADirectory | ErrorKind::FileTooLarge)
}

/// What a state belongs to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Of {
    /// Hash of settings and text.
    pub work: String,
    /// Hash of the tokenizer and configuration that were made for it; empty where a model is trained on.
    pub prepared: String,
}

#[derive(Serialize, Deserialize)]
struct State {
    of: Of,
    record: Record,
    /// Hash of the learner's checkpoint beside it.
    learner: String,
}

/// Saves the state beside the last one, then takes the last one away: one of them is always whole.
pub fn save(work: &Path, of: &Of, learner: &Learner, record: &Record) -> Result<()> {
    let (fresh, place) = (work.join("checkpoint.new"), work.join(format!("{PREFIX}{:010}", record.steps)));
    let failed = || format!("cannot save a checkpoint in `{}`", work.display());
    clear(&fresh).and_then(|()| fs::create_dir(&fresh)).with_context(failed)?;
    let path = fresh.join(LEARNER);
    learner.save_checkpoint(&path)?;
    let learner = files::hash(&path).with_context(failed)?.to_hex().to_string();
    let state = State { of: of.clone(), record: record.clone(), learner };
    sealed::write(&fresh.join(STATE), MAGIC, &serde_json::to_vec(&state)?).with_context(failed)?;
    clear(&place).and_then(|()| fs::rename(&fresh, &place)).with_context(failed)?;
    files::sync_entries(work);
    for old in folders(work)?.into_iter().filter(|old| *old != place) {
        clear(&old).with_context(|| format!("cannot remove `{}`", old.display()))?;
    }
    Ok(())
}

/// Goes back to the newest state that is whole, if there is one, and gives its record. Damage is said aloud.
///
/// # Errors
/// A state cannot be read, or not be taken up.
pub fn resume(work: &Path, of: &Of, learner: &mut Learner) -> Result<Option<Record>> {
    for folder in folders(work)?.into_iter().rev() {
        let path = folder.join(LEARNER);
        let why = match read(&folder)? {
            Ok(state) if state.of != *of => "its tokenizer is another one",
            Ok(state) => match files::hash(&path) {
                Ok(hash) if hash.to_hex().as_str() == state.learner => {
                    learner.load_checkpoint(&path)?;
                    return Ok(Some(state.record));
                }
                Err(error) if error.kind() != ErrorKind::NotFound && !is_no_file(error.kind()) => {
                    return Err(error).with_context(|| format!("cannot read `{}`", path.display()));
                }
                _ => "its parameters are not what was written",
            },
            Err(why) => why,
        };
        runner::say(format_args!(
            "warning: the checkpoint `{}` is damaged: {why}; going on from an earlier one, or from the beginning",
            folder.display()
        ));
    }
    Ok(None)
}

/// Refuses a folder in which something else was begun.
///
/// # Errors
/// It was, or a state cannot be read.
pub fn check(work: &Path, of_work: &str) -> Result<()> {
    for folder in folders(work)? {
        if read(&folder)?.is_ok_and(|state| state.of.work != of_work) {
            bail!(
                "`{}` holds a pre-training that was begun with other settings or text; repeat its command, or remove the folder",
                work.display()
            );
        }
    }
    Ok(())
}

/// A state, or what is wrong with it.
fn read(folder: &Path) -> Result<std::result::Result<State, &'static str>> {
    let path = folder.join(STATE);
    let bytes = match files::read(&path, LARGEST) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Err("it has no state")),
        Err(error) if is_no_file(error.kind()) => return Ok(Err("its state is not what was written")),
        bytes => bytes.with_context(|| format!("cannot read `{}`", path.display()))?,
    };
    let Ok(content) = sealed::open(&bytes, MAGIC) else { return Ok(Err("its state is not what was written")) };
    Ok(serde_json::from_slice(content).map_err(|_| "its state is of another version"))
}

/// Saved states, oldest first.
fn folders(work: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(work).with_context(|| format!("cannot read `{}`", work.display()))?;
    let ours = |path: &PathBuf| path.file_name().and_then(|name| name.to_str()).is_some_and(|n| n.starts_with(PREFIX));
    let mut found: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(ours).collect();
    found.sort();
    Ok(found)
}

fn clear(folder: &Path) -> std::io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}
