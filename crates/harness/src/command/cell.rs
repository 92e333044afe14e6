//! The hidden `harness cell`: reads a job from standard input and runs it here.

use std::io::BufRead;

use anyhow::{Context, Result};
use runner::{Ended, Job};

use crate::exit::Exit;
use crate::{memory, parent, places};

pub fn run() -> Result<Exit> {
    memory::keep_freed();
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).context("cannot read the job")?;
    let job: Job = serde_json::from_str(&line).context("standard input holds no job; `cell` is started by `sweep`")?;
    let data = places::data(&job.data, &job.cache)?;
    Ok(match runner::run(&job, data, parent::watch(), &parent::tell)? {
        Ended::Published => Exit::Ok,
        Ended::Interrupted => Exit::Interrupted,
        Ended::Busy => Exit::Busy,
        Ended::Undone => Exit::Unfinished,
    })
}
