//! Ctrl-C and the signals of batch systems.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Result;

/// A file that may grow no more is an error of the write, as a full disk is, and no death.
pub fn ignore_file_size_limit() {
    // SAFETY: the disposition of a signal that nothing of this program handles.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
}

/// A flag that the first Ctrl-C (or SIGTERM, SIGUSR1) raises; the second ends the program at once.
pub fn flag() -> Result<Arc<AtomicBool>> {
    use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1};
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGUSR1] {
        signal_hook::flag::register_conditional_shutdown(
            signal,
            crate::exit::Exit::Interrupted as i32,
            Arc::clone(&stop),
        )?;
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    Ok(stop)
}
