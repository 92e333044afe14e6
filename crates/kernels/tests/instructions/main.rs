//! Instructions of every operation, counted by valgrind: the gate that no neighbour on the machine can disturb.
//!
//! `cargo test -p kernels --test instructions` compares with `baseline.tsv` and fails where an operation takes more than
//! [`TOLERANCE`] more; `-- --write` writes the file anew. Valgrind shows programs one fixed processor with AVX2 and without
//! AVX-512 on every machine that has AVX2, so that counts do not depend on the machine; they do depend on the compiler and
//! on valgrind, both of which the file names. Without valgrind, with others than the file's or in another profile than
//! `dev`, nothing is compared, and that is said aloud.

mod operations;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

/// What an operation may take more than the baseline.
const TOLERANCE: f64 = 0.05;
/// Makes the program run the operations instead of starting valgrind.
const COUNTED: &str = "--counted";

fn baseline_path() -> PathBuf {
    // Cargo runs tests in their package's folder; a path from compile time may be that of another checkout.
    PathBuf::from("tests/instructions/baseline.tsv")
}

/// Runs every operation once to warm up, then once to be counted.
fn run_operations() {
    rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build_global().unwrap();
    for operation in &mut operations::all() {
        for _ in 0..2 {
            operations::lethe_counted(operation);
        }
    }
}

/// First line of what a program says of its version.
fn version(program: &str) -> Option<String> {
    let output = Command::new(program).arg("--version").output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).lines().next()?.to_owned())
}

/// Instructions of each operation: callgrind writes a file at each entry and each exit of the counted function.
fn count() -> Result<BTreeMap<&'static str, u64>, String> {
    let folder = std::env::temp_dir().join(format!("lethe-instructions-{}", std::process::id()));
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--dump-before=lethe_counted", "--dump-after=lethe_counted"])
        .arg(format!("--callgrind-out-file={}", folder.join("part").display()))
        .arg(program)
        .arg(COUNTED)
        .output()
        .map_err(|error| format!("valgrind cannot be started: {error}"))?;
    if !output.status.success() {
        return Err(format!("valgrind: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr)));
    }
    // Parts 1, 3, 5 … are what lies between the calls, 4, 8, 12 … the second calls.
    let total = |part: usize| -> Result<u64, String> {
        let path = folder.join(format!("part.{part}"));
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let line = text.lines().find_map(|line| line.strip_prefix("totals: "));
        line.and_then(|line| line.trim().parse().ok()).ok_or_else(|| format!("{}: no totals", path.display()))
    };
    let operations = operations::all().into_iter().enumerate();
    let counts = operations.map(|(at, operation)| Ok((operation.name, total(4 * at + 4)?))).collect();
    std::fs::remove_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    counts
}

/// The baseline's first line: what its numbers hold for.
fn tools() -> Result<String, String> {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let of = |program: &str| version(program).ok_or_else(|| format!("{program} cannot be had on this machine"));
    Ok(format!("# {}, {}, {}", of(&rustc)?, of("valgrind")?, std::env::consts::ARCH))
}

/// Why nothing can be compared here, if so; else what the numbers hold for.
fn fits(baseline: &str, write: bool) -> Result<String, String> {
    let tools = tools()?;
    if !cfg!(debug_assertions) {
        return Err("the baseline holds for the profile `dev`".to_owned());
    }
    if kernels::Simd::detected() < kernels::Simd::Avx2 {
        return Err("the baseline holds for processors with AVX2".to_owned());
    }
    match baseline.lines().next() {
        Some(line) if line != tools && !write => Err(format!("the baseline holds for `{line}`, this is `{tools}`")),
        _ => Ok(tools),
    }
}

fn gate(baseline: &str, tools: &str, write: bool) -> Result<ExitCode, String> {
    let counts = count()?;
    if write {
        let lines: String = counts.iter().map(|(name, count)| format!("{name}\t{count}\n")).collect();
        std::fs::write(baseline_path(), format!("{tools}\n{lines}")).map_err(|error| error.to_string())?;
        println!("wrote {}", baseline_path().display());
        return Ok(ExitCode::SUCCESS);
    }
    let before: BTreeMap<&str, f64> = baseline
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .filter_map(|(name, count)| Some((name, count.parse().ok()?)))
        .collect();
    let mut failed = false;
    println!("{:24} {:>12} {:>12} {:>8}", "operation", "baseline", "now", "change");
    for (name, &count) in &counts {
        let Some(&before) = before.get(name) else {
            println!("{name:24} {:>12} {count:>12}  not in the baseline: write it anew", "");
            failed = true;
            continue;
        };
        let change = count as f64 / before - 1.0;
        let verdict = if change > TOLERANCE { "  TOO MUCH" } else { "" };
        failed |= change > TOLERANCE;
        println!("{name:24} {before:>12} {count:>12} {:>+7.1}%{verdict}", 100.0 * change);
    }
    if failed {
        println!("if that is as it should be: cargo test -p kernels --test instructions -- --write");
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == COUNTED) {
        run_operations();
        return ExitCode::SUCCESS;
    }
    // What `cargo nextest` asks of every test program.
    if arguments.iter().any(|argument| argument == "--list") {
        if !arguments.iter().any(|argument| argument == "--ignored") {
            println!("instructions: test");
        }
        return ExitCode::SUCCESS;
    }
    let write = arguments.iter().any(|argument| argument == "--write");
    let baseline = match std::fs::read_to_string(baseline_path()) {
        Ok(baseline) => baseline,
        Err(_) if write => String::new(),
        Err(error) => {
            eprintln!("error: {}: {error}", baseline_path().display());
            return ExitCode::FAILURE;
        }
    };
    let tools = match fits(&baseline, write) {
        Ok(tools) => tools,
        Err(why) => {
            eprintln!("skipped: instructions are not counted: {why}");
            return ExitCode::SUCCESS;
        }
    };
    gate(&baseline, &tools, write).unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::FAILURE
    })
}
