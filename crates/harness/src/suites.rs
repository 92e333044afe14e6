//! Suites that ship with the program, and suite files.

use std::path::Path;

use anyhow::{Context, Result, bail};
use spec::Suite;

/// (name, text) of every suite in `suites/`.
const SHIPPED: &[(&str, &str)] = &[
    ("mini", include_str!("../../../suites/mini.toml")),
    ("mini-quick", include_str!("../../../suites/mini-quick.toml")),
    ("mini-subnetworks", include_str!("../../../suites/mini-subnetworks.toml")),
    ("mini-methods", include_str!("../../../suites/mini-methods.toml")),
    ("mini-tuned", include_str!("../../../suites/mini-tuned.toml")),
    ("mini-updates", include_str!("../../../suites/mini-updates.toml")),
    ("mini-madx", include_str!("../../../suites/mini-madx.toml")),
    ("mini-tasks", include_str!("../../../suites/mini-tasks.toml")),
    ("real-quick", include_str!("../../../suites/real-quick.toml")),
    ("real-small", include_str!("../../../suites/real-small.toml")),
    ("real-methods", include_str!("../../../suites/real-methods.toml")),
    ("real-updates", include_str!("../../../suites/real-updates.toml")),
    ("real-tasks", include_str!("../../../suites/real-tasks.toml")),
    ("real-full", include_str!("../../../suites/real-full.toml")),
];

/// Bytes of a suite file; the longest that ships has 4,400.
const LARGEST: u64 = 1 << 20;

pub fn shipped() -> Vec<Result<Suite, spec::SpecError>> {
    SHIPPED.iter().map(|(name, text)| Suite::parse(name, text)).collect()
}

/// The suite of that name, or in that TOML file; its short version if it is to be `quick`.
pub fn load(suite: &str, quick: bool) -> Result<Suite> {
    let short = format!("{suite}-quick");
    let suite = if quick { short.as_str() } else { suite };
    let path = Path::new(suite);
    if path.extension().is_some_and(|extension| extension == "toml") {
        let text = files::read_text(path, LARGEST).with_context(|| format!("cannot read suite `{suite}`"))?;
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or("suite");
        return Suite::parse(stem, &text).with_context(|| format!("suite file `{suite}`"));
    }
    match SHIPPED.iter().find(|(name, _)| *name == suite) {
        Some((name, text)) => Ok(Suite::parse(name, text)?),
        None => {
            let names = SHIPPED.iter().map(|(name, _)| *name);
            let near = spec::nearest(suite, names.clone()).map(|near| format!(" (did you mean `{near}`?)"));
            bail!(
                "no suite `{suite}`{}; shipped: {}; or give the path of a .toml file",
                near.unwrap_or_default(),
                names.collect::<Vec<_>>().join(", ")
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ships_can_be_planned_and_tuned() {
        for suite in shipped() {
            let suite = suite.unwrap();
            let trials = suite.trials().unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(trials.is_empty(), suite.tuning.is_none(), "{}", suite.name);
            for (protocol, method, _) in suite.work() {
                method.check(protocol).unwrap_or_else(|error| panic!("{}: {error}", suite.name));
            }
        }
    }
}
