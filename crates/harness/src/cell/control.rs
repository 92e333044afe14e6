//! The line from the parent: `stop` asks for a checkpoint, the end of input means that the parent is gone.

use std::io::BufRead;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::events::{Event, STOP};

/// Set when the cell should checkpoint and leave.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    pub fn asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Watches the rest of standard input on a thread of its own.
    pub fn watch() -> Self {
        let stop = Stop::default();
        let flag = stop.clone();
        std::thread::spawn(move || {
            for line in std::io::stdin().lock().lines() {
                match line {
                    Ok(line) if line == STOP => flag.0.store(true, Ordering::Relaxed),
                    Ok(_) => {}
                    Err(_) => break,
                }
            }
            // The parent died without saying stop: nobody would see what we go on to do, and a new parent may
            // already be waiting for our lock. At most the work since the last checkpoint is lost.
            if !flag.asked() {
                leave_at_once();
            }
        });
        stop
    }
}

/// Ends the process without tidying up, which a graphics driver at work could draw out.
fn leave_at_once() -> ! {
    // SAFETY: `_exit` runs nothing of this process any more, and the system takes back all that it holds.
    unsafe { libc::_exit(i32::from(crate::exit::Exit::Interrupted as u8)) }
}

/// Writes events on standard output, one JSON object a line.
#[derive(Debug, Clone, Copy, Default)]
pub struct Events;

impl Events {
    pub fn send(self, event: &Event) {
        use std::io::Write;
        if let Ok(line) = serde_json::to_string(event) {
            // A parent that no longer listens is noticed on standard input.
            let _ = writeln!(std::io::stdout().lock(), "{line}");
        }
    }
}
