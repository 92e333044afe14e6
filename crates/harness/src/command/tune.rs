//! `harness tune`: the trials of a suite's tuning, and what they chose as tables for a suite file.

use anyhow::{Result, bail};
use results::ResultsFolder;

use super::sweep::{Search, search};
use crate::cli::{Folders, Sweep};
use crate::exit::Exit;
use crate::tuning::Trials;
use crate::{plan, screen, suites};

pub fn run(folders: &Folders, options: &Sweep) -> Result<Exit> {
    let suite = plan::narrow(suites::load(&options.suite, options.quick)?, &options.filters)?;
    let results = ResultsFolder::open(&folders.results)?;
    let Some(trials) = Trials::new(&suite, folders, options.backend)? else {
        bail!("suite `{}` tunes nothing: give it a [tune] table (see `docs/tuning.md`)", suite.name);
    };
    match search(trials, folders, options, &results)? {
        Search::Ended(exit) => Ok(exit),
        Search::Chosen(chosen) => {
            runner::show(chosen.table.terminal(screen::width(), screen::color()));
            screen::print(chosen.text().trim_end())?;
            Ok(Exit::Ok)
        }
    }
}
