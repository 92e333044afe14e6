//! What a person sees while cells run: bars on a terminal, lines elsewhere. All of it on standard error.

use std::collections::{BTreeMap, BTreeSet};
use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{HumanDuration, MultiProgress, ProgressBar, ProgressStyle};
use spec::Cell;

use runner::{Event, cost};

/// Without a terminal, a running cell says this often how far it is.
const QUIET: Duration = Duration::from_secs(60);

pub struct Board {
    bars: MultiProgress,
    whole: ProgressBar,
    terminal: bool,
    started: Instant,
    state: Mutex<State>,
}

struct State {
    cells: BTreeMap<String, Running>,
    /// Cost of all cells, of ended ones, in tokens.
    total: f64,
    ended: f64,
    count: usize,
    of: usize,
    /// What was warned of already.
    warned: BTreeSet<String>,
}

struct Running {
    bar: ProgressBar,
    cost: f64,
    share: f64,
    said: Instant,
}

impl Board {
    pub fn new(cells: &[Cell]) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let bars = MultiProgress::new();
        if !terminal {
            bars.set_draw_target(indicatif::ProgressDrawTarget::hidden());
        }
        let whole = bars.add(ProgressBar::new(1000));
        whole.set_style(style("{bar:30.green} {msg}"));
        let total = cells.iter().map(cost::tokens).sum();
        let state =
            State { cells: BTreeMap::new(), total, ended: 0.0, count: 0, of: cells.len(), warned: BTreeSet::new() };
        let board = Board { bars, whole, terminal, started: Instant::now(), state: Mutex::new(state) };
        board.redraw(&board.lock());
        board
    }

    pub fn start(&self, cell: &Cell) {
        let bar = self.bars.add(ProgressBar::new(1));
        bar.set_style(style("  {bar:28.cyan} {msg}"));
        bar.set_message(label(cell));
        let running = Running { bar, cost: cost::tokens(cell), share: 0.0, said: Instant::now() };
        self.lock().cells.insert(cell.folder(), running);
    }

    pub fn event(&self, cell: &Cell, event: &Event) {
        let (phase, position, loss) = match event {
            Event::Progress { phase, done, of, loss } => (phase, Some((*done, *of)), loss),
            Event::Waiting { phase } => (phase, None, &None),
            Event::Note { text } => return self.note(&format!("  {}: {text}", label(cell))),
            Event::Warning { text } => return self.warn(text),
            Event::Ended { .. } | Event::Undone { .. } => return,
        };
        let mut state = self.lock();
        let Some(running) = state.cells.get_mut(&cell.folder()) else { return };
        if let Some((done, of)) = position {
            running.share = done as f64 / of.max(1) as f64;
            running.bar.set_length(of);
            running.bar.set_position(done);
        }
        let loss = loss.map(|loss| format!(", loss {loss:.3}")).unwrap_or_default();
        let message = format!("{}: {phase}{loss}", label(cell));
        running.bar.set_message(runner::harmless(&message));
        let percent = 100.0 * running.share;
        if !self.terminal && running.said.elapsed() > QUIET {
            running.said = Instant::now();
            let left = self.left(&state);
            runner::say(format_args!("  {percent:3.0} % of {message}{left}"));
        }
        self.redraw(&state);
    }

    pub fn end(&self, cell: &Cell, outcome: &str, time: Duration) {
        let mut state = self.lock();
        if let Some(running) = state.cells.remove(&cell.folder()) {
            running.bar.finish_and_clear();
            state.ended += running.cost;
        }
        state.count += 1;
        let line = format!("[{}/{}] {}: {outcome} ({})", state.count, state.of, label(cell), seconds(time));
        self.note(&line);
        self.redraw(&state);
    }

    /// Several cells may meet the same fault of the machine: it is told once.
    fn warn(&self, text: &str) {
        if self.lock().warned.insert(text.to_owned()) {
            self.note(&format!("warning: {text}"));
        }
    }

    /// A line that stays.
    pub fn note(&self, line: &str) {
        if self.terminal {
            let _ = self.bars.println(runner::harmless(line));
        } else {
            runner::say(line);
        }
    }

    pub fn finish(&self) {
        self.whole.finish_and_clear();
    }

    fn redraw(&self, state: &State) {
        let share = self.share(state);
        self.whole.set_position((share * 1000.0) as u64);
        self.whole.set_message(format!("{}/{} cells{}", state.count, state.of, self.left(state)));
    }

    fn share(&self, state: &State) -> f64 {
        let running: f64 = state.cells.values().map(|running| running.share * running.cost).sum();
        (state.ended + running) / state.total.max(1.0)
    }

    /// Time left, once enough is done to say.
    fn left(&self, state: &State) -> String {
        let share = self.share(state);
        if share < 0.01 {
            return String::new();
        }
        let left = self.started.elapsed().as_secs_f64() * (1.0 - share) / share;
        format!(", about {} left", HumanDuration(Duration::from_secs_f64(left.max(0.0))))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn label(cell: &Cell) -> String {
    let settings = &cell.method.settings;
    let own = if settings.is_empty() { String::new() } else { format!(" ({settings})") };
    format!("{} {}{own} seed {}", cell.protocol.name, cell.method.name, cell.seed)
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

fn seconds(time: Duration) -> String {
    let seconds = time.as_secs();
    if seconds < 120 {
        format!("{:.1} s", time.as_secs_f64())
    } else {
        format!("{} min {} s", seconds / 60, seconds % 60)
    }
}
