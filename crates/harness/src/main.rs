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
    interrupt::ignore_file_size_limit();
    let arguments = match cli::Cli::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return refuse(&error).into(),
    };
    // A cell that is ended from outside is to be seen as that by its parent.
    if !matches!(arguments.command, cli::Command::Cell)
        && let Err(error) = interrupt::early()
    {
        return exit::explain(&error).into();
    }
    match catch_unwind(AssertUnwindSafe(|| command::run(arguments))) {
        Ok(Ok(exit)) => exit.into(),
        Ok(Err(error)) => exit::explain(&error).into(),
        Err(_panic) => {
            runner::say("error: this is a fault of the program; the lines above say where");
            exit::Exit::Internal.into()
        }
    }
}

/// Prints what the arguments asked for instead of work (help, the version), or what is wrong with them.
fn refuse(error: &clap::Error) -> exit::Exit {
    if error.use_stderr() {
        runner::say(error.render().to_string().trim_end());
        return exit::Exit::Usage;
    }
    match error.print() {
        Ok(()) => exit::Exit::Ok,
        Err(error) => exit::explain(&screen::Unwritable(error).into()),
    }
}
