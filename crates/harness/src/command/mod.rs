//! The sub-commands, one file each.

mod cell;
mod data;
mod embed;
mod explain;
mod list;
mod predict;
mod pretrain;
mod report;
mod run;
mod score;
mod sweep;
mod tune;

use anyhow::Result;

use crate::cli::{Cli, Command};
use crate::exit::Exit;

/// Dispatches to the sub-command.
pub fn run(arguments: Cli) -> Result<Exit> {
    let folders = arguments.folders;
    match arguments.command {
        Command::Sweep(options) => sweep::run(&folders, &options),
        Command::Tune(options) => tune::run(&folders, &options),
        Command::Run(options) => run::run(&folders, &options),
        Command::Report(options) => report::run(&folders, &options),
        Command::List { what } => list::run(&folders, what),
        Command::Explain { method } => explain::run(&method),
        Command::Data { command } => data::run(&folders, command),
        Command::Pretrain(options) => pretrain::run(&folders, &options),
        Command::Predict(options) => predict::run(&folders, &options),
        Command::Embed(options) => embed::run(&folders, &options),
        Command::Score(options) => score::run(&options),
        Command::Cell => cell::run(),
    }
}
