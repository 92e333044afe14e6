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
    /// The results folder is damaged or cannot be written, a model cannot be saved, or a disk is full.
    Results = 7,
    /// The sweep ran to its end, and some cells have no record: another process works on them, or the machine failed them.
    Unfinished = 8,
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
  7   the results folder is damaged or cannot be written, a model or the output cannot be, or a disk is full
  8   the sweep ended, some cells are not finished: another process works on them, or files or memory failed them
      (said above); the same command carries on
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
    let full = runner::is_disk_full(error);
    let hint = if full { "\nhint: free some space and run the same command again" } else { "" };
    runner::say(format_args!("error: {}{hint}", runner::one_line(error)));
    let kept = error.chain().any(|cause| {
        cause.is::<results::ResultsError>() || cause.is::<runner::NotSaved>() || cause.is::<crate::screen::Unwritable>()
    });
    if kept || full { Exit::Results } else { Exit::Usage }
}
