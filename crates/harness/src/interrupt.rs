//! Ctrl-C and the signals of batch systems.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use anyhow::Result;
use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1};

use crate::exit::Exit;

/// A file that may grow no more is an error of the write, as a full disk is, and no death.
pub fn ignore_file_size_limit() {
    // SAFETY: the disposition of a signal that nothing of this program handles.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
}

/// What ends the program at once.
static NOW: LazyLock<Arc<AtomicBool>> = LazyLock::new(|| Arc::new(AtomicBool::new(true)));

/// Ctrl-C and what batch systems send.
const SIGNALS: [i32; 3] = [SIGINT, SIGTERM, SIGUSR1];

/// Until [`flag`] is asked for, a signal ends the program at once, with the exit code of an interruption.
pub fn early() -> Result<()> {
    for signal in SIGNALS {
        signal_hook::flag::register_conditional_shutdown(signal, Exit::Interrupted as i32, Arc::clone(&NOW))?;
    }
    Ok(())
}

/// A flag that the first Ctrl-C (or SIGTERM, SIGUSR1) raises; the second ends the program at once.
pub fn flag() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in SIGNALS {
        signal_hook::flag::register_conditional_shutdown(signal, Exit::Interrupted as i32, Arc::clone(&stop))?;
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    NOW.store(false, Ordering::SeqCst);
    Ok(stop)
}
