//! `harness`: the program that researchers run.
//!
//! The parent plans, schedules and keeps the books; it never opens a device. Each cell runs in a process of its own
//! (the hidden sub-command `cell`), so that a crash, a hang or an exhausted memory costs one cell and never a sweep.

mod board;
mod built_in;
mod cli;
mod command;
mod exit;
mod headline;
mod interrupt;
mod memory;
mod parent;
mod places;
mod plan;
mod prepare;
mod pretrain;
mod process;
mod queue;
mod scheduler;
mod screen;
mod suites;
mod tuning;
mod typology;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let arguments = cli::Cli::parse();
    match catch_unwind(AssertUnwindSafe(|| command::run(arguments))) {
        Ok(Ok(exit)) => exit.into(),
        Ok(Err(error)) => exit::explain(&error).into(),
        Err(_panic) => {
            eprintln!("error: this is a fault of the program; the lines above say where");
            exit::Exit::Internal.into()
        }
    }
}
