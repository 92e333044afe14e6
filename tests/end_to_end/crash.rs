//! Kill anything at any moment; the same command carries on, and nothing shows in the results.
//!
//! Kills are aimed: a cell is frozen, its work folder is looked at while nothing moves, and only then it is killed.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::world::{SUITE, World};

const SWEEP: [&str; 4] = ["sweep", "suite.toml", "--checkpoint-every", "0"];

/// A moment that passed unseen is waited for again, in a fresh folder, this many times: half a record stands for some
/// milliseconds only.
const TRIES: usize = 60;
const PATIENCE: Duration = Duration::from_secs(120);

/// Two stages of two methods, which checkpoint as often as they can.
fn world() -> World {
    let world = World::new();
    let second = r#"
[[protocol.ner.stage]]
task = "ner"
data = "people"
languages = ["de"]
steps = 10
batch = 8
learning-rate = 1e-3
weight-decay = 0.01
warmup = 0.1
clip = 1.0
max-length = 48
probes = ["people"]
"#;
    world.write("suite.toml", &(SUITE.replace("steps = 30", "steps = 60") + second));
    world
}

/// What a sweep in peace records.
static WHOLE: LazyLock<BTreeMap<String, Vec<u8>>> = LazyLock::new(|| {
    let world = world();
    world.ok_in("whole", &SWEEP);
    world.recorded("whole")
});

/// These records are the same bytes as those of a sweep in peace.
#[track_caller]
fn assert_undisturbed(recorded: &BTreeMap<String, Vec<u8>>, cells: usize) {
    let folders: Vec<&str> = recorded.keys().filter_map(|name| name.strip_suffix("/outcome.json")).collect();
    assert_eq!(folders.len(), cells);
    let whole = WHOLE.iter().filter(|(name, _)| folders.iter().any(|folder| name.starts_with(folder)));
    let whole: BTreeMap<&String, &Vec<u8>> = whole.collect();
    assert!(recorded.keys().eq(whole.keys().copied()), "{:?} instead of {:?}", recorded.keys(), whole.keys());
    for (name, bytes) in whole {
        assert!(recorded[name] == *bytes, "{name} differs");
    }
}

/// How far a cell's checkpoint is: by moment of the protocol, then by its probes, then by steps of the stage after it.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Deserialize)]
pub struct Progress {
    pub moment: usize,
    probes: usize,
    pub steps: u64,
}

/// A point in a cell's life, told by its work folder.
#[derive(Debug, Clone, Copy)]
pub enum Moment {
    /// Claimed and without a checkpoint yet.
    Start,
    /// Half a checkpoint is written beside an older one.
    Checkpointing,
    /// In the middle of the first stage.
    Training,
    /// In the middle of the second stage.
    Updating,
    /// After the second stage, before its first probe is done.
    Updated,
    /// After the first stage, before its first probe is done.
    BetweenStages,
    /// Between the probes of the first stage.
    Probing,
    /// Half the record is written.
    Publishing,
}

impl Moment {
    pub fn is_now(self, work: &Path) -> bool {
        match self {
            Moment::Start => work.is_dir() && states(work).next().is_none() && !work.join("new-state").exists(),
            Moment::Checkpointing => work.join("new-state").is_dir() && states(work).next().is_some(),
            Moment::Publishing => work.join("finished").is_dir(),
            _ => checkpoint(work).is_some_and(|(_, progress)| self.is_at(&progress)),
        }
    }

    /// Whether a newest checkpoint says so; the moments between checkpoints never do.
    pub fn is_at(self, progress: &Progress) -> bool {
        let Progress { moment, probes, steps } = *progress;
        match self {
            Moment::Training => moment == 0 && (20..50).contains(&steps),
            Moment::Updating => moment == 1 && (20..50).contains(&steps),
            Moment::Updated => (moment, probes, steps) == (2, 0, 0),
            Moment::BetweenStages => (moment, probes, steps) == (1, 0, 0),
            Moment::Probing => (moment, probes, steps) == (1, 1, 0),
            Moment::Start | Moment::Checkpointing | Moment::Publishing => false,
        }
    }
}

/// Numbers of the checkpoints in a work folder.
fn states(work: &Path) -> impl Iterator<Item = u64> {
    let entries = fs::read_dir(work).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.strip_prefix("state-")?.parse().ok())
}

/// Number and contents of the newest checkpoint, unless it is being replaced just now.
pub fn checkpoint(work: &Path) -> Option<(u64, Progress)> {
    let number = states(work).max()?;
    let bytes = fs::read(work.join(format!("state-{number}/progress.cbor"))).ok()?;
    Some((number, ciborium::from_reader(bytes.as_slice()).ok()?))
}

/// The only folder of unfinished work.
pub fn work(world: &World, results: &str) -> Option<PathBuf> {
    let entries = fs::read_dir(world.path(results).join("work")).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).find(|path| path.is_dir())
}

pub fn spawn(world: &World, results: &str, arguments: &[&str]) -> Child {
    let mut command: Command = world.command(results, arguments);
    let said = File::create(world.path(&format!("{results}.txt"))).expect("a file");
    command.stdout(Stdio::null()).stderr(said).spawn().expect("the binary starts")
}

pub fn signal(process: u32, signal: i32) {
    // SAFETY: the system call touches no memory of ours, and the processes are children of this one or theirs.
    unsafe { libc::kill(process as i32, signal) };
}

/// Processes started by this one.
pub fn children(process: u32) -> Vec<u32> {
    let mut found: Vec<u32> = Vec::new();
    for task in fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten() {
        let text = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        found.extend(text.split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
    }
    found
}

/// The letters that tell what each thread of a process does: `T` for stopped, `Z` for dead.
fn threads(process: u32) -> Vec<char> {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let state = |text: String| text.rsplit_once(") ")?.1.chars().next();
    tasks.filter_map(|task| state(fs::read_to_string(task.path().join("stat")).ok()?)).collect()
}

pub fn is_gone(process: u32) -> bool {
    threads(process).iter().all(|state| "ZX".contains(*state))
}

/// Whether a process holds a cell's lock.
fn has_claimed(process: u32) -> bool {
    let files = fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten();
    files.filter_map(|file| fs::read_link(file.path()).ok()).any(|file| file.extension().is_some_and(|e| e == "lock"))
}

/// Waits until this holds, for a time that only something stuck would take.
#[track_caller]
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "{what} takes more than {PATIENCE:?}");
        std::thread::sleep(Duration::from_micros(50));
    }
}

/// Freezes the living, unrecorded cell of a sweep at a moment; `None` if the sweep ended before it was seen there.
pub fn freeze(parent: &mut Child, world: &World, results: &str, moment: Moment) -> Option<u32> {
    let mut frozen = None;
    wait_until(&format!("to see a cell at {moment:?}"), || {
        let is_now = || work(world, results).filter(|work| moment.is_now(work));
        for cell in children(parent.id()) {
            if is_now().is_some() && has_claimed(cell) {
                signal(cell, libc::SIGSTOP);
                wait_until("to freeze a cell", || threads(cell).iter().all(|state| "TZX".contains(*state)));
                if let Some(work) = is_now().filter(|_| threads(cell).contains(&'T')) {
                    let record = world.path(results).join("cells").join(work.file_name().expect("a cell's name"));
                    assert!(!record.exists(), "a cell at {moment:?} is recorded already");
                    frozen = Some(cell);
                    return true;
                }
                signal(cell, libc::SIGCONT);
            }
        }
        parent.try_wait().expect("a child").is_some()
    });
    frozen
}

/// Sweeps, and kills each cell once that is seen at this moment; gives the folders of those that were. The moment is
/// one that checkpoints tell, and passes: a cell that is killed too often is given up.
pub fn kill_each(world: &World, results: &str, sweep: &[&str], moment: Moment) -> BTreeSet<OsString> {
    let mut struck = BTreeSet::new();
    // One at a time: whose folder is looked at is whose process is frozen.
    let mut parent = spawn(world, results, &[sweep, &["-j", "1"]].concat());
    while let Some(cell) = freeze(&mut parent, world, results, moment) {
        let work = work(world, results).expect("a frozen cell's folder");
        let (_, before) = checkpoint(&work).expect("a checkpoint");
        signal(cell, libc::SIGKILL);
        assert!(work.file_name().is_some_and(|name| struck.insert(name.to_owned())), "{work:?} was killed before");
        wait_until("a killed cell to go on", || {
            !work.exists() || checkpoint(&work).is_some_and(|(_, at)| at > before && !moment.is_at(&at))
        });
    }
    assert!(parent.wait().expect("the parent ends").success());
    struck
}

/// Sweeps one cell and kills its process at two moments; `false` if one of them passed unseen.
fn kill_cell(world: &World, results: &str, moments: [Moment; 2]) -> bool {
    let mut parent = spawn(world, results, &[&SWEEP[..], &["--method", "ft"]].concat());
    let mut kills = 0;
    for moment in moments {
        let Some(cell) = freeze(&mut parent, world, results, moment) else { break };
        let work = work(world, results).expect("a frozen cell's folder");
        let before = checkpoint(&work);
        signal(cell, libc::SIGKILL);
        kills += 1;
        if let (Moment::Training, Some((number, at))) = (moment, before) {
            // It goes on from its checkpoint: from the beginning, its next one would be that of the first step.
            let mut next = None;
            wait_until("to see the next checkpoint", || {
                next = checkpoint(&work).filter(|(newer, _)| *newer > number).map(|(_, next)| next);
                next.is_some()
            });
            assert!(next > Some(at), "{next:?} after {at:?}");
        }
    }
    assert!(parent.wait().expect("the parent ends").success());
    let said = fs::read_to_string(world.path(&format!("{results}.txt"))).expect("what the parent said");
    assert_eq!(
        said.matches("its process was killed (signal 9), as the system does when memory runs out; starting it again")
            .count(),
        kills,
        "{said}"
    );
    assert_undisturbed(&world.recorded(results), 1);
    kills == moments.len()
}

#[test]
fn a_killed_cell_is_started_again_and_resumes() {
    let world = world();
    for moments in [
        [Moment::Start, Moment::Checkpointing],
        [Moment::Training, Moment::BetweenStages],
        [Moment::Probing, Moment::Publishing],
    ] {
        let hit = (0..TRIES).any(|attempt| kill_cell(&world, &format!("{moments:?}-{attempt}"), moments));
        assert!(hit, "no cell was ever killed at {moments:?}");
    }
}

/// Kills sweeps that share a folder, each at the next moment; `false` if one of them passed unseen.
fn kill_parents(world: &World, results: &str, moments: &[Moment]) -> bool {
    let mut finished_earlier = BTreeMap::new();
    let mut kills = 0;
    for &moment in moments {
        // One cell at a time: whose folder is looked at is whose process is frozen.
        let mut parent = spawn(world, results, &[&SWEEP[..], &["-j", "1"]].concat());
        let Some(cell) = freeze(&mut parent, world, results, moment) else { break };
        signal(parent.id(), libc::SIGKILL);
        parent.wait().expect("the parent ends");
        kills += 1;
        // Let go, it finds its parent gone; as an orphan that was frozen, the system may have ended it already.
        signal(cell, libc::SIGCONT);
        wait_until("an orphan's end", || is_gone(cell));
        let recorded = world.recorded(results);
        for (name, bytes) in &finished_earlier {
            assert!(recorded.get(name) == Some(bytes), "{name} was finished and has changed");
        }
        finished_earlier = recorded;
    }
    world.ok_in(results, &SWEEP);
    assert_undisturbed(&world.recorded(results), 2);
    kills == moments.len()
}

#[test]
fn killing_the_parent_at_any_moment_changes_nothing() {
    let world = world();
    // The last one falls into the second cell, when the first is recorded.
    for moments in [
        &[Moment::Start, Moment::Checkpointing, Moment::Training, Moment::BetweenStages, Moment::Probing][..],
        &[Moment::Publishing, Moment::Training],
    ] {
        let hit = (0..TRIES).any(|attempt| kill_parents(&world, &format!("{moments:?}-{attempt}"), moments));
        assert!(hit, "no parent was ever killed at {moments:?}");
    }
}

#[test]
fn a_cell_leaves_when_its_parent_is_killed() {
    let world = world();
    // Hours of work, if it went on.
    world.edit("suite.toml", "steps = 60", "steps = 9000000");
    let mut parent = spawn(&world, "orphan", &SWEEP);
    let cell = freeze(&mut parent, &world, "orphan", Moment::Training).expect("so long a cell is not missed");
    signal(cell, libc::SIGCONT);
    signal(parent.id(), libc::SIGKILL);
    parent.wait().expect("the parent ends");
    wait_until("an orphan's end", || is_gone(cell));
    assert!(world.recorded("orphan").is_empty());
}

#[test]
fn ctrl_c_checkpoints_and_says_how_to_go_on() {
    let world = world();
    let mut parent = spawn(&world, "interrupted", &SWEEP);
    let cell = freeze(&mut parent, &world, "interrupted", Moment::Training).expect("a cell in training");
    signal(parent.id(), libc::SIGINT);
    // Time to pass the wish on, which the frozen cell reads when it moves again.
    std::thread::sleep(Duration::from_secs(1));
    signal(cell, libc::SIGCONT);
    assert_eq!(parent.wait().expect("the parent ends").code(), Some(6));
    let said = fs::read_to_string(world.path("interrupted.txt")).expect("what the parent said");
    assert!(said.contains("its checkpoint is kept") && said.contains("the same command carries on"), "{said}");
    assert!(world.recorded("interrupted").is_empty());
    world.ok_in("interrupted", &SWEEP);
    assert_undisturbed(&world.recorded("interrupted"), 2);
}

#[test]
fn a_second_ctrl_c_ends_the_cells_too() {
    let world = world();
    // Hours of work, and one checkpoint in a thousand years.
    world.edit("suite.toml", "steps = 60", "steps = 9000000");
    let mut parent = spawn(&world, "twice", &SWEEP);
    let cell = freeze(&mut parent, &world, "twice", Moment::Training).expect("so long a cell is not missed");
    // It cannot come to a checkpoint, as in the middle of a long step.
    signal(parent.id(), libc::SIGINT);
    std::thread::sleep(Duration::from_secs(1));
    signal(parent.id(), libc::SIGINT);
    assert_eq!(parent.wait().expect("the parent ends").code(), Some(6));
    signal(cell, libc::SIGCONT);
    wait_until("an orphan's end", || is_gone(cell));
}

#[test]
fn a_cell_that_is_killed_from_outside_is_left_undone() {
    let world = world();
    let sweep = [&SWEEP[..], &["-j", "1", "--method", "ft"]].concat();
    for deadly in [libc::SIGKILL, libc::SIGTERM] {
        let results = format!("killed-{deadly}");
        let mut parent = spawn(&world, &results, &sweep);
        let mut killed = BTreeSet::new();
        wait_until("to kill every try", || {
            for cell in children(parent.id()) {
                if work(&world, &results).is_some() && has_claimed(cell) && killed.insert(cell) {
                    signal(cell, deadly);
                }
            }
            parent.try_wait().expect("a child").is_some()
        });
        let said = fs::read_to_string(world.path(&format!("{results}.txt"))).expect("what the parent said");
        assert_eq!(parent.wait().expect("the parent ends").code(), Some(8), "{said}");
        assert!(killed.len() == 3 && said.contains("left undone") && said.contains("carries on"), "{said}");
        assert!(world.recorded(&results).is_empty(), "a kill is no outcome");
        world.ok_in(&results, &sweep);
        assert_undisturbed(&world.recorded(&results), 1);
    }
}

#[test]
fn a_limit_on_the_size_of_files_is_an_error_and_no_death_of_a_cell() {
    let world = world();
    let binary = world.command("limited", &SWEEP);
    let mut limited = Command::new("sh");
    // In blocks of 512 bytes: smaller than a checkpoint.
    limited.args(["-c", "ulimit -f 100; exec \"$0\" \"$@\""]).arg(binary.get_program()).args(binary.get_args());
    limited.envs(binary.get_envs().filter_map(|(name, value)| Some((name, value?)))).current_dir(world.root.path());
    let output = limited.output().expect("a shell");
    let error = crate::world::stderr(&output);
    assert_eq!(output.status.code(), Some(7), "{error}");
    assert!(error.contains("limited") && error.to_lowercase().contains("too large"), "{error}");
    assert!(world.recorded("limited").is_empty(), "a limit is no outcome");
    world.ok_in("limited", &SWEEP);
    assert_undisturbed(&world.recorded("limited"), 2);
}

#[test]
fn a_limit_on_the_size_of_a_log_is_no_death_of_the_sweep() {
    let world = world();
    let binary = world.command("logged", &SWEEP);
    let log = world.write("log", &"x".repeat(4096));
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -f 1024; truncate -s 512K \"$LOG\"; exec \"$0\" \"$@\" 2>>\"$LOG\""]).env("LOG", log);
    limited.arg(binary.get_program()).args(binary.get_args());
    limited.envs(binary.get_envs().filter_map(|(name, value)| Some((name, value?)))).current_dir(world.root.path());
    assert!(limited.output().expect("a shell").status.success());
    assert_undisturbed(&world.recorded("logged"), 2);
}

#[test]
fn ctrl_c_has_its_exit_code_from_the_beginning() {
    let world = world();
    // Before the program has begun, the system ends it.
    let catches = |process: u32| {
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 2 != 0)
    };
    for milliseconds in [5, 20, 60] {
        let mut parent = spawn(&world, "early", &SWEEP);
        wait_until("a program's beginning", || catches(parent.id()));
        std::thread::sleep(Duration::from_millis(milliseconds));
        signal(parent.id(), libc::SIGINT);
        assert_eq!(parent.wait().expect("the parent ends").code(), Some(6));
    }
    world.ok_in("early", &SWEEP);
    assert_undisturbed(&world.recorded("early"), 2);
}

#[test]
fn two_sweeps_on_one_folder_share_the_work() {
    let world = world();
    let sweeps = [spawn(&world, "shared", &SWEEP), spawn(&world, "shared", &SWEEP)];
    for mut sweep in sweeps {
        // The one that ends first says that the other one is still at work.
        let code = sweep.wait().expect("ends").code();
        assert!(code == Some(0) || code == Some(8), "{code:?}");
    }
    world.ok_in("shared", &SWEEP);
    assert_undisturbed(&world.recorded("shared"), 2);
}

#[test]
fn a_full_disk_is_one_clear_error_and_costs_nothing_that_is_done() {
    let world = world();
    let disk = world.path("disk");
    fs::create_dir(&disk).expect("a folder");
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=640k", "tmpfs"])
        .arg(&disk)
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !mounted {
        eprintln!("skipped: mounting a small tmpfs needs root");
        return;
    }
    let output = world.run("disk/results", &SWEEP);
    let error = crate::world::stderr(&output);
    let kept = world.recorded("disk/results");
    // Room again: the same command carries on.
    let grown = Command::new("mount").args(["-o", "remount,size=64m"]).arg(&disk).status();
    let resumed = world.run("disk/results", &SWEEP);
    let recorded = world.recorded("disk/results");
    let _ = Command::new("umount").arg(&disk).status();
    assert_eq!(output.status.code(), Some(7), "{error}");
    assert!(error.to_lowercase().contains("no space left") && error.contains("disk/results"), "{error}");
    assert!(grown.is_ok_and(|status| status.success()));
    assert!(resumed.status.success(), "{}", crate::world::stderr(&resumed));
    for (name, bytes) in &kept {
        assert!(recorded.get(name) == Some(bytes), "{name} has changed");
    }
    assert_undisturbed(&recorded, 2);
}
