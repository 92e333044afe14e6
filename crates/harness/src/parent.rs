//! The parent of a cell's process, seen from the cell: events go to it as lines of JSON on standard output; on standard input
//! come the job, `stop`, which asks for a checkpoint, and the end, which means that the parent is gone.

use std::io::{BufRead, Write};

use runner::{Event, Stop};

use crate::exit::Exit;

/// The line that asks a cell to checkpoint and leave.
pub const STOP: &str = "stop";

/// Watches the rest of standard input on a thread of its own.
pub fn watch() -> Stop {
    let stop = Stop::default();
    let flag = stop.clone();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            match line {
                Ok(line) if line == STOP => flag.ask(),
                Ok(_) => {}
                Err(_) => break,
            }
        }
        // The parent is gone: nobody would see what we go on to do, and a new parent may already be waiting for our
        // lock. At most the work since the last checkpoint is lost.
        leave_at_once();
    });
    stop
}

/// Ends the process without tidying up, which a graphics driver at work could draw out.
fn leave_at_once() -> ! {
    // SAFETY: `_exit` runs nothing of this process any more, and the system takes back all that it holds.
    unsafe { libc::_exit(i32::from(Exit::Interrupted as u8)) }
}

pub fn tell(event: &Event) {
    if let Ok(line) = serde_json::to_string(event) {
        // A parent that no longer listens is noticed on standard input.
        let _ = writeln!(std::io::stdout().lock(), "{line}");
    }
}
