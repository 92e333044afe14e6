//! Work side by side, each piece on one thread.

use std::sync::OnceLock;
use std::thread;

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::ModelError;

/// Pools of one thread each, made when they are first needed; none where the system grants no threads.
static LANES: OnceLock<Vec<ThreadPool>> = OnceLock::new();

/// As many as there are threads for the kernels, at least 1.
pub(super) fn count() -> usize {
    rayon::current_num_threads()
}

/// Each item's work, in the items' order. What the work does in parallel stays on its lane. At most [`count`] items.
///
/// # Errors
/// [`ModelError::Device`] if a thread cannot be had or dies.
pub(super) fn side_by_side<I: Sync, T: Send>(items: &[I], work: impl Fn(&I) -> T + Sync) -> Result<Vec<T>, ModelError> {
    let lanes = LANES.get_or_init(|| {
        let lane = |_| ThreadPoolBuilder::new().num_threads(1).build();
        (0..count()).map(lane).collect::<Result<_, _>>().unwrap_or_default()
    });
    let failed = || ModelError::Device { message: "a thread for a batch of its own could not be had".to_owned() };
    let work = &work;
    thread::scope(|scope| {
        let started: Vec<_> = items
            .iter()
            .enumerate()
            .map(|(index, item)| {
                let lane = lanes.get(index).ok_or_else(failed)?;
                let run = move || lane.install(|| work(item));
                thread::Builder::new().spawn_scoped(scope, run).map_err(|_| failed())
            })
            .collect();
        started.into_iter().map(|thread| thread?.join().map_err(|_| failed())).collect()
    })
}
