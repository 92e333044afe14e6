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
        let missing = report.contains("adapter") || report.contains("not in this build");
        assert!(backend == "wgpu" && missing, "{backend}: {report}");
        eprintln!("skipped: {backend} wants `--features wgpu` and an adapter; Debian's mesa-vulkan-drivers has one");
        return None;
    }
    let csv =
        world.ok_in(&results, &["report", "suite.toml", "--method", "ft", "--backend", backend, "--format", "csv"]);
    let mut lines = csv.lines();
    let header: Vec<&str> = lines.next()?.split(',').collect();
    let column = |name: &str| header.iter().position(|title| *title == name).expect("a known column");
    // The experiment is a hash that the back end is part of.
    let (value, differ) = (column("value"), [column("backend"), column("experiment")]);
    Some(
        lines
            .filter_map(|line| {
                let fields: Vec<&str> = line.split(',').collect();
                let key: Vec<&str> =
                    (0..value).filter(|index| !differ.contains(index)).map(|index| fields[index]).collect();
                Some((key.join(","), fields.get(value)?.parse().ok()?))
            })
            .collect(),
    )
}

#[test]
fn back_ends_agree() {
    let world = World::new();
    // No dropout: the back ends draw different masks. One short protocol: a software renderer takes its time over every
    // new shape.
    world.edit(&format!("{MODEL}/config.json"), "dropout_prob\": 0.1", "dropout_prob\": 0.0");
    let suite = SUITE.replace("steps = 30", "steps = 2").replace("before = [\"pairs\"]\n", "");
    let suite = suite.replace("languages = [\"en\", \"de\"]", "languages = [\"en\"]").replace(", \"pairs\"]", "]");
    world.write("suite.toml", &suite);
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
