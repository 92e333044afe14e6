//! Keeps the walls of ARCHITECTURE.md: the direction of dependencies, and who may see Burn.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand};

/// What each crate of the workspace may depend on, within the workspace.
const ALLOWED: &[(&str, &[&str])] = &[
    ("spec", &[]),
    ("evaluation", &[]),
    ("kernels", &[]),
    ("miniworld", &["spec"]),
    ("data", &["spec"]),
    ("model", &["spec", "kernels"]),
    ("strategies", &["spec", "model"]),
    ("results", &["spec", "evaluation"]),
    ("harness", &["spec", "data", "model", "strategies", "evaluation", "results", "miniworld"]),
];

/// The crates that name Burn. The rest compiles in seconds.
const MAY_SEE_BURN: &[&str] = &["model"];

#[test]
fn dependencies_point_the_way_the_architecture_says() {
    let metadata = MetadataCommand::new().no_deps().exec().expect("cargo metadata");
    let members: BTreeSet<&str> = metadata.packages.iter().map(|package| package.name.as_str()).collect();
    let allowed: BTreeMap<&str, &[&str]> = ALLOWED.iter().copied().collect();
    for package in &metadata.packages {
        let name = package.name.as_str();
        let may = allowed.get(name).unwrap_or_else(|| panic!("crate `{name}` has no line in tests/architecture.rs"));
        for dependency in package.dependencies.iter().filter(|dependency| dependency.kind == DependencyKind::Normal) {
            let on = dependency.name.as_str();
            assert!(!members.contains(on) || may.contains(&on), "`{name}` must not depend on `{on}`");
            assert!(!on.starts_with("burn") || MAY_SEE_BURN.contains(&name), "`{name}` must not see `{on}`");
            let tables = ["polars", "comfy-table"];
            assert!(!tables.contains(&on) || ["results", "harness"].contains(&name), "`{name}` must not see `{on}`");
        }
    }
}
