//! Keeps the walls of ARCHITECTURE.md: the direction of dependencies, and who may see Burn.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// What each crate of the workspace may depend on, within the workspace.
const ALLOWED: &[(&str, &[&str])] = &[
    ("spec", &[]),
    ("evaluation", &[]),
    ("kernels", &[]),
    ("miniworld", &["spec", "data"]),
    ("data", &["spec"]),
    ("model", &["spec", "kernels"]),
    ("strategies", &["spec", "model"]),
    ("tasks", &["spec", "data", "model", "evaluation"]),
    ("results", &["spec", "evaluation"]),
    ("harness", &["spec", "data", "tasks", "model", "strategies", "evaluation", "results", "miniworld"]),
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
