//! The same cell on every back end that is there agrees within a stated tolerance.

use std::collections::BTreeMap;

use crate::world::{MODEL, SUITE, World, stderr};

/// Largest difference of a score (a fraction of at most 120 words or 48 sentences): one example may flip.
const TOLERANCE: f64 = 0.03;

fn scores(world: &World, backend: &str) -> Option<BTreeMap<String, f64>> {
    let results = format!("on-{backend}");
    let arguments = ["sweep", "suite.toml", "--method", "ft", "--backend", backend];
    let output = world.run(&results, &arguments);
    if !output.status.success() {
        let report = String::from_utf8_lossy(&output.stdout).into_owned() + &stderr(&output);
        assert!(backend == "wgpu" && report.contains("adapter"), "{backend}: {report}");
        eprintln!("skipped: no adapter for {backend}; Debian's mesa-vulkan-drivers has a software one");
        return None;
    }
    let csv = world.ok_in(&results, &["report", "suite.toml", "--method", "ft", "--backend", backend, "--format", "csv"]);
    let mut lines = csv.lines();
    let header: Vec<&str> = lines.next()?.split(',').collect();
    let value = header.iter().position(|name| *name == "value").expect("a column `value`");
    Some(
        lines
            .filter_map(|line| {
                let fields: Vec<&str> = line.split(',').collect();
                let key = fields[..value].iter().filter(|field| **field != backend).copied().collect::<Vec<_>>().join(",");
                Some((key, fields.get(value)?.parse().ok()?))
            })
            .collect(),
    )
}

#[test]
fn back_ends_agree() {
    let world = World::new();
    // No dropout: the back ends draw different masks.
    world.edit(&format!("{MODEL}/config.json"), "dropout_prob\": 0.1", "dropout_prob\": 0.0");
    world.write("suite.toml", &SUITE.replace("steps = 30", "steps = 3").replace("before = [\"pairs\"]\n", ""));
    let cpu = scores(&world, "cpu").expect("the CPU is always there");
    assert!(!cpu.is_empty());
    for backend in ["ndarray", "wgpu"] {
        let Some(other) = scores(&world, backend) else { continue };
        assert_eq!(cpu.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
        for (key, value) in &cpu {
            assert!((value - other[key]).abs() <= TOLERANCE, "{backend}: {key}: {value} and {}", other[key]);
        }
    }
}
