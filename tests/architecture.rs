//! Keeps the walls of ARCHITECTURE.md: the direction of dependencies, and who may see Burn.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// What each crate of the workspace may depend on, within the workspace.
const ALLOWED: &[(&str, &[&str])] = &[
    ("spec", &[]),
    ("random", &[]),
    ("files", &[]),
    ("kernels", &[]),
    ("evaluation", &["random"]),
    ("data", &["spec", "random", "files"]),
    ("miniworld", &["spec", "random", "files", "data"]),
    ("model", &["spec", "random", "files", "kernels"]),
    ("strategies", &["spec", "random", "files", "model"]),
    ("tasks", &["spec", "data", "model", "evaluation"]),
    ("results", &["spec", "files", "evaluation"]),
    ("runner", &["spec", "files", "data", "tasks", "model", "strategies", "evaluation", "results"]),
    (
        "harness",
        &["spec", "files", "data", "tasks", "model", "strategies", "evaluation", "results", "runner", "miniworld"],
    ),
];

/// The crates that name Burn. The rest compiles in seconds.
const MAY_SEE_BURN: &[&str] = &["model"];

#[test]
fn dependencies_point_the_way_the_architecture_says() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let name = |value: &Value| value["name"].as_str().expect("a name").to_owned();
    let members: BTreeSet<String> = packages.iter().map(name).collect();
    assert!(members.contains("harness"), "the workspace was read");
    let allowed: BTreeMap<&str, &[&str]> = ALLOWED.iter().copied().collect();
    for package in packages {
        let who = name(package);
        let may = allowed.get(&*who).unwrap_or_else(|| panic!("crate `{who}` has no line in tests/architecture.rs"));
        let dependencies = package["dependencies"].as_array().expect("dependencies");
        for dependency in dependencies.iter().filter(|dependency| dependency["kind"].is_null()) {
            let on = name(dependency);
            assert!(!members.contains(&on) || may.contains(&&*on), "`{who}` must not depend on `{on}`");
            assert!(!on.starts_with("burn") || MAY_SEE_BURN.contains(&&*who), "`{who}` must not see `{on}`");
            assert!(on != "polars" || who == "results", "`{who}` must not see `{on}`");
        }
    }
}

/// Crates whose modules stand in an order: none uses one that uses it, be it through others.
const WITHOUT_CIRCLES: &[&str] = &["runner", "model"];

#[test]
fn modules_do_not_go_in_circles() {
    for name in WITHOUT_CIRCLES {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name).join("src");
        let uses = module_uses(&source);
        assert!(uses.len() > 5, "{name}: its modules were read");
        for module in uses.keys() {
            let (mut reached, mut left) = (BTreeSet::new(), vec![module]);
            while let Some(next) = left.pop() {
                for used in uses.get(next).into_iter().flatten().filter(|used| *used != next) {
                    assert!(used != module, "{name}: `{module}` uses `{next}`, which uses `{module}`");
                    if reached.insert(used) {
                        left.push(used);
                    }
                }
            }
        }
    }
}

/// The modules of a crate's root, and those that each names.
fn module_uses(source: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let files = rust_files(source);
    let module = |path: &Path| {
        let first = path.strip_prefix(source).ok()?.components().next()?;
        Some(Path::new(&first).file_stem()?.to_str()?.to_owned())
    };
    let mut uses: BTreeMap<String, BTreeSet<String>> =
        files.iter().filter_map(|p| Some((module(p)?, BTreeSet::new()))).collect();
    uses.remove("lib");
    let all: BTreeSet<String> = uses.keys().cloned().collect();
    for path in &files {
        let Some(used) = module(path).and_then(|own| uses.get_mut(&own)) else { continue };
        let text = std::fs::read_to_string(path).expect("a source file");
        let product = text.split("#[cfg(test)]").next().unwrap_or_default();
        let code: String = product.lines().map(|line| line.split("//").next().unwrap_or_default()).collect();
        for named in code.split("crate::").skip(1) {
            let listed = match named.strip_prefix('{') {
                Some(list) => list.split(';').next().unwrap_or_default(),
                None => {
                    named.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next().unwrap_or_default()
                }
            };
            let words = listed.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
            used.extend(words.filter(|word| all.contains(*word)).map(str::to_owned));
        }
    }
    uses
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries
        .flat_map(|path| match path.is_dir() {
            true => rust_files(&path),
            false => vec![path],
        })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

/// `eprintln!` and `println!` panic where standard error or output cannot be written, and print whatever a name holds:
/// messages go through `runner::say`, output through `harness::screen`.
#[test]
fn nothing_prints_on_its_own() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut read = 0;
    for folder in std::fs::read_dir(crates).expect("the crates").map(|entry| entry.expect("an entry").path()) {
        for path in rust_files(&folder.join("src")).into_iter().filter(|path| !path.ends_with("tests.rs")) {
            let text = std::fs::read_to_string(&path).expect("a source file");
            let product = text.split("#[cfg(test)]").next().unwrap_or_default();
            let code = product.lines().map(|line| line.split("//").next().unwrap_or_default());
            for (number, line) in code.enumerate() {
                let prints = ["print!(", "println!("].iter().any(|call| line.contains(call));
                assert!(!prints, "{}:{}: {line}", path.display(), number + 1);
            }
            read += 1;
        }
    }
    assert!(read > 200, "only {read} files were read");
}

/// Rust files below a folder.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn the_tests_that_the_readmes_promises_name_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let readme = std::fs::read_to_string(root.join("README.md")).expect("the README");
    let (_, promises) = readme.split_once("## What you can rely on").expect("the promises");
    let (promises, _) = promises.split_once("\n## ").expect("another section");
    let mut files = Vec::new();
    ["tests", "crates"].iter().for_each(|folder| sources(&root.join(folder), &mut files));
    let tests: String = files.iter().map(|path| std::fs::read_to_string(path).expect("a source file")).collect();
    let rows = promises.lines().filter(|line| line.starts_with("| ") && !line.contains("---")).skip(1);
    let mut count = 0;
    for row in rows {
        let named: Vec<&str> = row.rsplit('|').nth(1).expect("a column").split('`').skip(1).step_by(2).collect();
        assert!(!named.is_empty(), "no test: {row}");
        for name in named {
            assert!(tests.contains(&format!("#[test]\nfn {name}()")), "there is no test `{name}`");
            count += 1;
        }
    }
    assert!(count >= 12, "{count} tests are named");
}
