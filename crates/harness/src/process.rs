//! One cell's process, seen from its parent.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use runner::{Event, Job};

use crate::exit::Exit;
use crate::parent::STOP;

/// Bytes of a cell's standard error that are kept: its end says why it died.
const KEPT_STDERR: usize = 64 * 1024;
const TICK: Duration = Duration::from_millis(100);
/// A cell that was asked to stop and does not come to a checkpoint is killed after this long.
const PATIENCE: Duration = Duration::from_secs(120);

/// How a cell's process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// It published its results; the outcome's label.
    Published(String),
    /// It checkpointed because it was asked to.
    Interrupted,
    /// It ran longer than it may.
    TimedOut,
    /// Another process works on this cell.
    Busy,
    /// The results folder cannot be written: no other cell would fare better.
    ResultsFailed(String),
    /// It refused its job before any work.
    Refused(String),
    /// The machine or its files kept it from an outcome. Whether it may fare better at once.
    Undone { why: String, retry: bool },
    /// It died of a fault of its own: a panic, a bad access to memory.
    Died { detail: String },
}

/// This program's file, also after it was replaced on disk by a newer build.
fn own_executable() -> Result<PathBuf> {
    let link = PathBuf::from("/proc/self/exe");
    if link.exists() { Ok(link) } else { std::env::current_exe().context("cannot find this program's own file") }
}

/// Runs a cell to its end and passes its events on.
pub fn run(
    job: &Job,
    threads: usize,
    limit: Option<Duration>,
    stop: &AtomicBool,
    mut on_event: impl FnMut(&Event),
) -> Result<Ending> {
    let mut child = Command::new(own_executable()?)
        .arg("cell")
        .env("RAYON_NUM_THREADS", threads.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0) // Ctrl-C reaches the parent alone, which then asks the cells to checkpoint.
        .spawn()
        .context("cannot start a cell's process")?;
    let mut stdin = child.stdin.take().context("a cell's process has no standard input")?;
    let stdout = child.stdout.take().context("a cell's process has no standard output")?;
    let stderr = child.stderr.take().context("a cell's process has no standard error")?;
    // A cell that dies before it has read its job is reported by its exit status below.
    let _ = writeln!(stdin, "{}", serde_json::to_string(job)?);

    let (sender, events) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if let Ok(event) = serde_json::from_str::<Event>(&line)
                && sender.send(event).is_err()
            {
                break;
            }
        }
    });
    let errors = std::thread::spawn(move || last_bytes(stderr, KEPT_STDERR));

    let mut stint = Stint::new(Instant::now());
    let mut asked_at: Option<Instant> = None;
    let mut timed_out = false;
    let mut published = None;
    let mut undone = None;
    loop {
        match events.recv_timeout(TICK) {
            Ok(Event::Ended { outcome }) => published = Some(outcome),
            Ok(Event::Undone { why, retry }) => undone = Some(Ending::Undone { why, retry }),
            Ok(event) => {
                stint.heard(&event, Instant::now());
                on_event(&event);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if asked_at.is_none() && stop.load(Ordering::Relaxed) {
            asked_at = Some(Instant::now());
            let _ = writeln!(stdin, "{STOP}");
        }
        if asked_at.is_some_and(|asked| asked.elapsed() > PATIENCE) {
            kill(&mut child);
            asked_at = Some(Instant::now());
        }
        if limit.is_some_and(|limit| stint.worked(Instant::now()) > limit) && !timed_out {
            timed_out = true;
            kill(&mut child);
        }
    }
    let status = child.wait().context("cannot wait for a cell's process")?;
    let _ = reader.join();
    let detail = errors.join().unwrap_or_default();
    Ok(if let Some(outcome) = published {
        Ending::Published(outcome)
    } else if let Some(undone) = undone {
        undone
    } else if timed_out {
        Ending::TimedOut
    } else if status.code() == Some(Exit::Busy as i32) {
        Ending::Busy
    } else if asked_at.is_some() {
        Ending::Interrupted
    } else if status.code() == Some(Exit::Interrupted as i32) {
        Ending::Undone { why: "its process left without being asked".to_owned(), retry: true }
    } else if status.code() == Some(Exit::Results as i32) {
        Ending::ResultsFailed(tail(&detail))
    } else if status.code() == Some(Exit::Usage as i32) {
        Ending::Refused(tail(&detail))
    } else {
        of_death(status, tail(&detail))
    })
}

/// Signals by which a process ends itself: all others come from outside.
const OWN: [i32; 6] = [libc::SIGABRT, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGSEGV, libc::SIGSYS];

/// What a process that said nothing died of, from its status and the last that it wrote.
fn of_death(status: ExitStatus, last: String) -> Ending {
    let Some(signal) = status.signal() else { return Ending::Died { detail: format!("{status}\n{last}") } };
    // Rust aborts where memory cannot be had, which is no fault of the cell.
    let memory = last.lines().find(|line| line.starts_with("memory allocation of"));
    match (signal, memory) {
        (libc::SIGKILL, _) => Ending::Undone {
            why: "its process was killed (signal 9), as the system does when memory runs out".to_owned(),
            retry: true,
        },
        (_, Some(line)) => Ending::Undone { why: format!("out of memory: {line}"), retry: true },
        (signal, _) if OWN.contains(&signal) => Ending::Died { detail: format!("signal {signal}\n{last}") },
        _ => Ending::Undone { why: format!("its process was ended from outside (signal {signal})"), retry: true },
    }
}

/// How long a cell has been at work: what it waits for its neighbours is not held against it.
struct Stint {
    started: Instant,
    waited: Duration,
    waiting: Option<Instant>,
}

impl Stint {
    fn new(started: Instant) -> Self {
        Self { started, waited: Duration::ZERO, waiting: None }
    }

    fn heard(&mut self, event: &Event, now: Instant) {
        if let Event::Waiting { .. } = event {
            self.waiting.get_or_insert(now);
        } else if let Some(since) = self.waiting.take() {
            self.waited += now - since;
        }
    }

    fn worked(&self, now: Instant) -> Duration {
        now - self.started - self.waited - self.waiting.map_or(Duration::ZERO, |since| now - since)
    }
}

/// Kills the cell and whatever it started.
fn kill(child: &mut Child) {
    let _ = child.kill();
}

fn last_bytes(mut stream: impl Read, most: usize) -> String {
    let mut kept = VecDeque::with_capacity(most);
    let mut buffer = [0u8; 8192];
    while let Ok(n) = stream.read(&mut buffer) {
        if n == 0 {
            break;
        }
        kept.extend(&buffer[..n]);
        let surplus = kept.len().saturating_sub(most);
        kept.drain(..surplus);
    }
    String::from_utf8_lossy(kept.make_contiguous()).into_owned()
}

/// The last lines of what a cell wrote, which say why it ended.
fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(12)..].join("\n").trim_start_matches("error: ").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_cell_does_to_itself_is_its_death() {
        let died = |signal, last: &str| of_death(ExitStatus::from_raw(signal), last.to_owned());
        assert!(matches!(died(libc::SIGSEGV, ""), Ending::Died { .. }));
        assert!(matches!(died(libc::SIGABRT, "a panic that cannot unwind"), Ending::Died { .. }));
        assert!(matches!(died(101 << 8, "a panic"), Ending::Died { .. }));
        for (signal, last) in [
            (libc::SIGKILL, ""),
            (libc::SIGTERM, ""),
            (libc::SIGXCPU, ""),
            (libc::SIGABRT, "thread main\nmemory allocation of 80 bytes failed"),
        ] {
            assert!(matches!(died(signal, last), Ending::Undone { retry: true, .. }), "{signal}");
        }
    }

    #[test]
    fn waiting_for_others_is_not_work() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let waiting = Event::Waiting { phase: "waiting".to_owned() };
        let working = Event::Progress { phase: "measuring".to_owned(), done: 0, of: 1, loss: None };
        let mut stint = Stint::new(start);
        let mut worked = Vec::new();
        for (second, event) in
            [(2, &working), (5, &waiting), (6, &waiting), (9, &working), (11, &waiting), (13, &waiting)]
        {
            stint.heard(event, at(second));
            worked.push(stint.worked(at(second + 1)).as_secs());
        }
        assert_eq!(worked, [3, 5, 5, 6, 7, 7]);
    }
}
