//! Exit codes, in one place.

use std::process::ExitCode;

/// How the program ends. The numbers are part of the interface: scripts and nightly jobs read them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Everything asked for is done.
    Ok = 0,
    /// Bad arguments, suite, data or model; nothing was computed.
    Usage = 2,
    /// The sweep ran to its end, and some cells failed.
    CellsFailed = 3,
    /// The filters left nothing to do.
    NothingSelected = 4,
    /// Stopped by Ctrl-C; the same command carries on.
    Interrupted = 6,
    /// The results folder is damaged or cannot be written.
    Results = 7,
    /// Of a cell's process alone: another one works on the cell, or it has results.
    Busy = 75,
    /// A fault of this program.
    Internal = 70,
}

/// Text for `--help`.
pub const TABLE: &str = "\
Exit codes:
  0   all done
  2   bad arguments, suite, data or model
  3   the sweep ended, some cells failed (their causes are in the report)
  4   the filters selected nothing
  6   interrupted; the same command carries on
  7   the results folder is damaged or cannot be written (a full disk, say)
  70  a fault of the program itself";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

/// Prints the error with its causes on stderr and says how to end.
pub fn explain(error: &anyhow::Error) -> Exit {
    if error.chain().any(|cause| {
        cause.downcast_ref::<std::io::Error>().is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
    }) {
        return Exit::Ok; // `| head` closed the pipe: nothing is wrong.
    }
    runner::say(format_args!("error: {}", runner::one_line(error)));
    if error.chain().any(|cause| cause.is::<results::ResultsError>()) { Exit::Results } else { Exit::Usage }
}
