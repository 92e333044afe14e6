//! The hidden `harness cell`: reads a job from standard input and runs it here.

use std::io::BufRead;

use anyhow::{Context, Result};

use crate::events::Job;
use crate::exit::Exit;

pub fn run() -> Result<Exit> {
    crate::cell::keep_freed_memory();
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).context("cannot read the job")?;
    let job: Job = serde_json::from_str(&line).context("standard input holds no job; `cell` is started by `sweep`")?;
    crate::cell::run(&job)
}
