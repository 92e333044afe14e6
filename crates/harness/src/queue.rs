//! Which cell is run next, and which stages it has in common with others.

use std::collections::BTreeMap;
use std::path::Path;

use spec::{Cell, PrefixId};

use runner::cost;

/// The cells of a sweep: first the cheapest, so that there is soon something to see, then the longest first, so that at the
/// end no core waits long for another.
pub struct Queue<'a> {
    cache: &'a Path,
    waiting: Vec<Entry<'a>>,
    running: Vec<Entry<'a>>,
    /// How many cells that have not ended come to a state.
    wanted: BTreeMap<PrefixId, usize>,
}

struct Entry<'a> {
    cell: &'a Cell,
    /// What the states after its stages depend on.
    states: Vec<PrefixId>,
}

/// A cell to run.
pub struct Next<'a> {
    pub cell: &'a Cell,
    /// How many of its first stages cells that have not ended have in common with it.
    pub common_stages: usize,
}

impl<'a> Queue<'a> {
    /// `cache` is where cells keep states for each other.
    pub fn new(cells: &'a [Cell], cache: &'a Path) -> Self {
        let entry = |cell: &'a Cell| Entry {
            cell,
            states: (1..=cell.protocol.stages.len()).map(|stages| cell.prefix(stages)).collect(),
        };
        let mut waiting: Vec<Entry> = cells.iter().map(entry).collect();
        let mut wanted = BTreeMap::new();
        for state in waiting.iter().flat_map(|entry| &entry.states) {
            *wanted.entry(state.clone()).or_insert(0) += 1;
        }
        waiting.sort_by(|a, b| cost::tokens(b.cell).total_cmp(&cost::tokens(a.cell)));
        let cheapest = waiting.len().min(1);
        waiting.rotate_right(cheapest);
        Self { cache, waiting, running: Vec::new(), wanted }
    }

    /// The first cell that need not wait for a stage which a running cell trains; the first of all, if there is none.
    pub fn next(&mut self) -> Option<Next<'a>> {
        if self.waiting.is_empty() {
            return None;
        }
        let free = self.waiting.iter().position(|entry| !self.would_wait(entry));
        let entry = self.waiting.remove(free.unwrap_or(0));
        let common_stages = entry.states.iter().take_while(|state| self.wanted.get(state) > Some(&1)).count();
        let next = Next { cell: entry.cell, common_stages };
        self.running.push(entry);
        Some(next)
    }

    fn would_wait(&self, entry: &Entry) -> bool {
        let missing = entry.states.iter().enumerate().find(|(_, state)| !runner::is_cached(self.cache, state));
        missing.is_some_and(|(stage, state)| self.running.iter().any(|other| other.states.get(stage) == Some(state)))
    }

    /// A cell is no longer run; what no other will want is forgotten, unless this one is to go on later.
    pub fn end(&mut self, cell: &Cell, finished: bool) {
        let Some(place) = self.running.iter().position(|entry| std::ptr::eq(entry.cell, cell)) else { return };
        for state in self.running.remove(place).states.into_iter().filter(|_| finished) {
            if let Some(wanted) = self.wanted.get_mut(&state) {
                *wanted -= 1;
                if *wanted == 0 {
                    runner::remove(self.cache, &state);
                }
            }
        }
    }
}

#[cfg(test)]
pub mod tests {
    use std::collections::BTreeSet;

    use spec::{Backend, LanguageDistances, NUMERIC_VERSION};

    use super::*;

    /// The cells of a built-in suite, of data and a model that are not looked at.
    pub fn cells(suite: &str) -> Vec<Cell> {
        let suite = crate::suites::load(suite, false).unwrap();
        let of_work = |(protocol, method, seed): (&spec::Protocol, &spec::Method, u64)| Cell {
            numeric_version: NUMERIC_VERSION,
            model: suite.model.clone(),
            model_hash: String::new(),
            method: method.clone(),
            protocol: protocol.clone(),
            seed,
            backend: Backend::Cpu,
            data: BTreeMap::new(),
            distances: LanguageDistances::default(),
        };
        suite.work().map(of_work).collect()
    }

    #[test]
    fn the_cheapest_cell_is_first_and_then_the_longest() {
        let (cells, cache) = (cells("mini"), tempfile::tempdir().unwrap());
        let mut queue = Queue::new(&cells, cache.path());
        let costs: Vec<f64> = std::iter::from_fn(|| queue.next()).map(|next| cost::tokens(next.cell)).collect();
        assert_eq!(costs.len(), cells.len());
        assert!(costs[1..].is_sorted_by(|a, b| a >= b), "{costs:?}");
        assert!(costs[1..].iter().all(|cost| *cost >= costs[0]), "{costs:?}");
    }

    /// A state for other cells, as the queue sees it.
    fn keep(cache: &Path, state: &PrefixId) {
        let folder = cache.join("stages").join(state.as_str());
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("state.cbor"), []).unwrap();
    }

    #[test]
    fn no_cell_waits_for_a_stage_while_another_can_be_run() {
        let (cells, cache) = (cells("mini-updates"), tempfile::tempdir().unwrap());
        let mut queue = Queue::new(&cells, cache.path());
        let trained = |cell: &Cell| (cell.prefix(1), cell.seed);
        let kinds: BTreeSet<_> = cells.iter().map(trained).collect();
        let running: Vec<Next> = (0..kinds.len()).map(|_| queue.next().unwrap()).collect();
        assert_eq!(running.iter().map(|next| trained(next.cell)).collect::<BTreeSet<_>>(), kinds);
        for next in &running {
            let others = cells.iter().filter(|cell| trained(cell) == trained(next.cell)).count() - 1;
            assert_eq!(next.common_stages, usize::from(others > 0), "{}", next.cell.folder());
        }
        // All that is left would wait, and is run nevertheless.
        assert!(queue.next().is_some());
    }

    #[test]
    fn a_state_is_forgotten_when_the_last_cell_that_wants_it_has_ended() {
        let (cells, cache) = (cells("mini-updates"), tempfile::tempdir().unwrap());
        let mut queue = Queue::new(&cells, cache.path());
        for cell in &cells {
            keep(cache.path(), &cell.prefix(1));
        }
        let mut left: Vec<&Cell> = cells.iter().collect();
        while let Some(Next { cell, .. }) = queue.next() {
            left.retain(|other| !std::ptr::eq(*other, cell));
            queue.end(cell, true);
            let wanted = left.iter().any(|other| other.prefix(1) == cell.prefix(1));
            assert_eq!(runner::is_cached(cache.path(), &cell.prefix(1)), wanted);
        }
        assert_eq!(std::fs::read_dir(cache.path().join("stages")).unwrap().count(), 0);
    }

    #[test]
    fn a_cell_that_is_to_go_on_keeps_its_states() {
        let (cells, cache) = (cells("mini-updates"), tempfile::tempdir().unwrap());
        let mut queue = Queue::new(&cells, cache.path());
        let Next { cell, .. } = queue.next().unwrap();
        keep(cache.path(), &cell.prefix(1));
        while let Some(next) = queue.next() {
            queue.end(next.cell, true);
        }
        queue.end(cell, false);
        assert!(runner::is_cached(cache.path(), &cell.prefix(1)));
    }

    #[test]
    fn a_stage_in_common_costs_once() {
        let cells = cells("mini-updates");
        let apart: f64 = cells.iter().map(cost::tokens).sum();
        let of = |method: &str| {
            let found = cells.iter().find(|cell| cell.method.name.as_str() == method && cell.seed == 1);
            found.unwrap_or_else(|| panic!("no cell of {method}")).clone()
        };
        let stage = |method: &str| cost::training_tokens(&of(method), &of(method).protocol.stages[0]);
        assert_eq!(cost::together(&[of("ft"), of("frozen")]), cost::tokens(&of("ft")) + cost::tokens(&of("frozen")));
        assert_eq!(
            cost::together(&[of("ft"), of("laft")]),
            cost::tokens(&of("ft")) + cost::tokens(&of("laft")) - stage("laft")
        );
        assert!(cost::together(&cells) < apart);
    }
}
