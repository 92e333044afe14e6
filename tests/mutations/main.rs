//! Files of every kind that are read from outside, mutated: each is read, or refused with its name, in little time and memory,
//! and never brings the reader down.
//!
//! A process of its own reads the mutants of a kind, under a limit of its memory, so that a crash or a hang is told from the
//! seed that brought it. `LETHE_MUTANTS` is how many a kind has; `scripts/mutate.sh` runs many.

mod kinds;
mod mutate;

use std::os::unix::process::CommandExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use kinds::{KINDS, Kind};

/// Mutants of a kind where nobody says.
const FEW: u64 = 100;
/// Address space of a reading process: the program itself, threads' stacks, and what a file may ask for.
const MOST_MEMORY: u64 = 6 << 30;
/// Reading one file, on a busy machine.
const MOST_TIME: Duration = Duration::from_secs(10);
const CHILD: &str = "LETHE_MUTANTS_OF";

fn count() -> u64 {
    std::env::var("LETHE_MUTANTS").ok().and_then(|text| text.parse().ok()).unwrap_or(FEW)
}

fn first_seed() -> u64 {
    std::env::var("LETHE_MUTANTS_FROM").ok().and_then(|text| text.parse().ok()).unwrap_or(0)
}

#[test]
fn no_file_brings_its_reader_down() {
    let only = std::env::var("LETHE_MUTANTS_KIND").ok();
    let folder = tempfile::tempdir().expect("a folder");
    let mut failures = Vec::new();
    for kind in KINDS.iter().filter(|kind| only.as_deref().is_none_or(|only| only == kind.name)) {
        failures.extend(run(kind, folder.path()));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// Mutants of a kind in processes of their own; what went wrong with which. A process that dies is followed by one that goes on
/// behind the mutant that killed it.
fn run(kind: &Kind, folder: &Path) -> Vec<String> {
    let (mut failures, mut seed, last) = (Vec::new(), first_seed(), first_seed() + count());
    while seed < last && failures.len() < 10 {
        let progress = folder.join(format!("{}.progress", kind.name));
        let stderr = folder.join(format!("{}.stderr", kind.name));
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command
            .args(["--exact", "reads_mutants", "--nocapture"])
            .env("RUST_BACKTRACE", "0")
            .env(CHILD, kind.name)
            .env("LETHE_MUTANTS_FROM", seed.to_string())
            .env("LETHE_MUTANTS", (last - seed).to_string())
            .env("LETHE_MUTANTS_PROGRESS", &progress)
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(&stderr).expect("a file"));
        let limit = libc::rlimit { rlim_cur: MOST_MEMORY, rlim_max: MOST_MEMORY };
        // SAFETY: between fork and exec only a system call is made, on memory that the child has.
        unsafe {
            command.pre_exec(move || match libc::setrlimit(libc::RLIMIT_AS, &limit) {
                0 => Ok(()),
                _ => Err(std::io::Error::last_os_error()),
            });
        }
        std::fs::write(&progress, seed.to_string()).expect("written");
        let mut child = command.spawn().expect("a child");
        let (mut at, mut since) = (seed, Instant::now());
        let status = loop {
            if let Some(status) = child.try_wait().expect("a child") {
                break Some(status);
            }
            let now = reached(&progress).unwrap_or(at);
            if now != at {
                (at, since) = (now, Instant::now());
            }
            if since.elapsed() > 3 * MOST_TIME {
                let _ = child.kill();
                let _ = child.wait();
                break None;
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        let at = reached(&progress).unwrap_or(at);
        let said = || {
            let text = std::fs::read(&stderr).unwrap_or_default();
            let text = String::from_utf8_lossy(&text).into_owned();
            text.chars().rev().take(2000).collect::<Vec<_>>().into_iter().rev().collect::<String>()
        };
        match status {
            Some(status) if status.success() => break,
            Some(status) => failures.push(format!("{} with seed {at}: {status}\n{}", kind.name, said())),
            None => failures.push(format!("{} with seed {at}: hangs", kind.name)),
        }
        seed = at + 1;
    }
    failures
}

fn reached(progress: &Path) -> Option<u64> {
    std::fs::read_to_string(progress).ok()?.trim().parse().ok()
}

/// The other side of [`run`]; nothing by itself.
#[test]
fn reads_mutants() {
    let Ok(name) = std::env::var(CHILD) else { return };
    let kind = KINDS.iter().find(|kind| kind.name == name).expect("a kind");
    let progress = PathBuf::from(std::env::var_os("LETHE_MUTANTS_PROGRESS").expect("a file for the progress"));
    let place = tempfile::tempdir().expect("a folder");
    let sample = (kind.make)(place.path());
    let read = |mutant: Option<&Path>| catch_unwind(AssertUnwindSafe(|| (sample.read)(mutant)));
    assert_eq!(read(None).expect("no panic"), Ok(()), "{name}: the sample itself must be read");
    let wholes: Vec<Vec<u8>> = sample.files.iter().map(|file| std::fs::read(file).expect("a file")).collect();
    for seed in first_seed()..first_seed() + count() {
        std::fs::write(&progress, seed.to_string()).expect("written");
        let mut random = mutate::Random::new(seed);
        let at = random.below(sample.files.len());
        let mutant = mutate::mutate(&wholes[at], sample.kind, &mut random);
        let path = &sample.files[at];
        std::fs::write(path, &mutant).expect("written");
        (sample.complete)(path);
        let start = Instant::now();
        let outcome = read(Some(path));
        let time = start.elapsed();
        let fails = |why: String| panic!("{name}, seed {seed}, `{}`: {why}", path.display());
        match outcome {
            Err(_) => fails("the reader panicked".to_owned()),
            Ok(Err(message)) if !sample.named.iter().any(|word| message.contains(word)) => {
                fails(format!("the error names no file: {message}"));
            }
            Ok(Err(message)) if message.len() > 10_000_000 => fails(format!("{} bytes are no message", message.len())),
            Ok(_) if time > MOST_TIME => fails(format!("took {time:?}")),
            Ok(_) => {}
        }
        std::fs::write(path, &wholes[at]).expect("written");
        (sample.complete)(path);
    }
}
