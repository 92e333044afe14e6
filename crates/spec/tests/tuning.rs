//! Settings that methods bring along, and the search for them.

use std::collections::BTreeSet;

use spec::{Cell, Language, Name, Portion, Split, Suite, Trial, Tuning};

const SUITE: &str = r#"
description = "two methods, two protocols"
model = "m"
seeds = [1]
methods = ["ft", "adapter", "strong"]

[method.adapter]
learning-rate = 1e-3
warmup = [0.1, 0.2]

[method.adapter.protocol.one]
learning-rate = 3e-3
warmup = 0.3

[method.strong]
preset = "l2-sp"
tune = { anchor.alpha = [0.1, 1, 10], steps = [[5, 6], [7, 8]] }

[method.strong.protocol.one]
steps = 9

[tune]
seeds = [101, 102]
trials = 6
examples = 50
select = "source-validation"

[tune.grid]
learning-rate = [1e-4, 3e-4, 1e-3]
warmup = [0.0, 0.1]

[probe.test]
task = "ner"
data = "d"
languages = ["en", "de", "sw"]
max-length = 32

[protocol.two]
before = []
[[protocol.two.stage]]
task = "ner"
data = "d"
languages = ["en", "de"]
steps = 20
batch = 8
learning-rate = 5e-4
weight-decay = 0.0
warmup = 0.0
clip = 1.0
max-length = 32
probes = ["test"]
[[protocol.two.stage]]
task = "ner"
data = "new"
languages = ["de"]
steps = 10
batch = 8
learning-rate = 5e-4
weight-decay = 0.0
warmup = 0.0
clip = 1.0
max-length = 48
probes = ["test"]

[protocol.one]
[[protocol.one.stage]]
task = "ner"
data = "d"
languages = ["en"]
steps = 20
batch = 8
learning-rate = 5e-4
weight-decay = 0.0
warmup = 0.0
clip = 1.0
max-length = 32
probes = ["test"]
"#;

fn parse(from: &str, to: &str) -> Result<Suite, String> {
    assert!(SUITE.contains(from), "{from}");
    Suite::parse("s", &SUITE.replacen(from, to, 1)).map_err(|error| error.to_string())
}

/// A suite without the grids that a change of it would not fit.
fn untuned(from: &str, to: &str) -> Result<Suite, String> {
    let (start, rest) = SUITE.split_once("[tune]").unwrap();
    let (_, rest) = rest.split_once("[probe.test]").unwrap();
    let text = format!("{start}[probe.test]{rest}")
        .replace("tune = { anchor.alpha = [0.1, 1, 10], steps = [[5, 6], [7, 8]] }\n", "");
    assert!(text.contains(from), "{from}");
    Suite::parse("s", &text.replacen(from, to, 1)).map_err(|error| error.to_string())
}

/// `steps learning-rate warmup` of each stage as a method goes through a protocol.
fn stages(suite: &Suite, protocol: &str, method: &str) -> Vec<(u64, f64, f64)> {
    let is =
        |(p, m, _): &(&spec::Protocol, &spec::Method, u64)| p.name.as_str() == protocol && m.name.as_str() == method;
    let (protocol, method, _) = suite.work().find(is).unwrap();
    let protocol = method.goes_through(protocol);
    protocol.stages.iter().map(|stage| (stage.steps, stage.learning_rate, stage.warmup)).collect()
}

#[test]
fn a_method_brings_settings_for_all_protocols_for_one_and_for_each_stage() {
    let suite = parse("x", "x").unwrap();
    assert_eq!(stages(&suite, "two", "ft"), [(20, 5e-4, 0.0), (10, 5e-4, 0.0)]);
    assert_eq!(stages(&suite, "two", "adapter"), [(20, 1e-3, 0.1), (10, 1e-3, 0.2)]);
    assert_eq!(stages(&suite, "one", "adapter"), [(20, 3e-3, 0.3)]);
    assert_eq!(stages(&suite, "two", "strong"), [(20, 5e-4, 0.0), (10, 5e-4, 0.0)]);
    assert_eq!(stages(&suite, "one", "strong"), [(9, 5e-4, 0.0)]);
}

#[test]
fn settings_that_cannot_be_are_refused() {
    for (from, to, said) in [
        ("warmup = [0.1, 0.2]", "warmup = [0.1]", "`warmup` lists 1 values for 2 stages"),
        ("learning-rate = 1e-3\n", "learning-rate = 2\n", "`learning-rate` must be in (0, 1]"),
        ("learning-rate = 1e-3\n", "learning-rate = \"fast\"\n", "a number for all stages, or a list of numbers"),
        ("learning-rate = 1e-3\n", "structure = \"full\"\n", "makes another method of it"),
        ("learning-rate = 1e-3\n", "preset = \"ft\"\n", "makes another method of it"),
        ("steps = 9\n", "steps = 9.5\n", "9.5"),
        ("steps = 9\n", "anchor = \"ewc\"\n", "settings of stages and knobs of the method only"),
        ("[method.strong.protocol.one]", "[method.strong.protocol.on]", "did you mean `one`?"),
    ] {
        let message = untuned(from, to).unwrap_err();
        assert!(message.contains(said), "{to}: {message}");
    }
}

#[test]
fn settings_make_another_cell_and_none_the_same_as_ever() {
    let suite = parse("x", "x").unwrap();
    let written = |method: &str| {
        let (_, method, _) = suite.work().find(|(_, m, _)| m.name.as_str() == method).unwrap();
        serde_json::to_string(method).unwrap()
    };
    assert!(!written("ft").contains("settings"));
    assert!(
        written("adapter").contains(r#""settings":{"learning-rate":0.003,"warmup":0.3}"#),
        "{}",
        written("adapter")
    );
    let again: spec::Method = serde_json::from_str(&written("adapter")).unwrap();
    assert_eq!(serde_json::to_string(&again).unwrap(), written("adapter"));
}

#[test]
fn a_state_is_common_to_methods_that_train_the_same_whoever_says_so() {
    let twice = "methods = [\"ft\", \"same\", \"other\"]\n\n[method.same]\npreset = \"ft\"\nlearning-rate = 5e-4\n\n[method.other]\npreset = \"ft\"\nlearning-rate = [5e-4, 1e-4]\n";
    let suite = untuned("methods = [\"ft\", \"adapter\", \"strong\"]\n", twice);
    // A list for two stages does not fit the protocol of one.
    assert!(suite.unwrap_err().contains("lists 2 values for 1 stages"));
    let suite = untuned(
        "methods = [\"ft\", \"adapter\", \"strong\"]\n",
        &twice.replace("[5e-4, 1e-4]\n", "5e-4\n[method.other.protocol.two]\nlearning-rate = [5e-4, 1e-4]\n"),
    )
    .unwrap();
    let prefix = |method: &str, stages: usize| {
        let is =
            |(p, m, _): &(&spec::Protocol, &spec::Method, u64)| p.name.as_str() == "two" && m.name.as_str() == method;
        let (protocol, method, seed) = suite.work().find(is).unwrap();
        let cell = Cell {
            numeric_version: 1,
            model: suite.model.clone(),
            model_hash: String::new(),
            method: method.clone(),
            protocol: protocol.clone(),
            seed,
            backend: spec::Backend::Cpu,
            data: Default::default(),
            distances: Default::default(),
        };
        cell.prefix(stages)
    };
    assert_eq!(prefix("ft", 2), prefix("same", 2));
    assert_eq!(prefix("ft", 1), prefix("other", 1));
    assert_ne!(prefix("ft", 2), prefix("other", 2));
}

#[test]
fn every_method_has_as_many_trials_and_they_see_sources_only() {
    let suite = parse("x", "x").unwrap();
    let trials = suite.trials().unwrap_err().to_string();
    // A list of steps for two stages does not fit the protocol of one.
    assert!(trials.contains("lists 2 values for 1 stages"), "{trials}");
    let suite = parse("steps = [[5, 6], [7, 8]]", "steps = [5, 7]").unwrap();
    let trials = suite.trials().unwrap();
    assert_eq!(trials.len(), 2 * 3 * 6);
    for of_method in trials.chunks(6) {
        let tried: BTreeSet<String> = of_method.iter().map(|trial| format!("{:?}", trial.values)).collect();
        assert_eq!(tried.len(), 6, "each combination once");
        assert!(of_method.iter().all(|trial| trial.method.name == of_method[0].method.name));
    }
    for Trial { protocol, for_protocol, .. } in &trials {
        assert_eq!(protocol.name.as_str(), format!("tune-{for_protocol}"));
        for key in protocol.data() {
            let sources = if for_protocol.as_str() == "one" { "en" } else { "de en" };
            assert!(key.split != Split::Test && sources.contains(key.language.code()), "{key}");
        }
        let probes: Vec<_> = protocol.probes().collect();
        assert!(
            protocol.stages.iter().rev().skip(1).all(|stage| stage.probes.is_empty()) && protocol.before.is_empty()
        );
        assert!(
            probes.iter().all(|probe| probe.split == Split::Validation && probe.examples == Some(Portion::sample(50)))
        );
        assert_eq!(probes.len(), protocol.stages.len(), "one for what each stage trains on");
    }
    let first = &trials[0].values;
    assert_eq!((first[0].name.as_str(), first[1].name.as_str()), ("learning-rate", "warmup"));
    let strong: Vec<&Trial> = trials.iter().filter(|trial| trial.method.name.as_str() == "strong").collect();
    let alpha = |trial: &Trial| match &trial.method.anchor {
        spec::Anchor::L2Sp(knobs) => knobs.alpha,
        other => panic!("{other:?}"),
    };
    assert_eq!(strong[..6].iter().map(|trial| alpha(trial)).collect::<Vec<_>>(), [0.1, 0.1, 1.0, 1.0, 10.0, 10.0]);
    let edges: Vec<bool> = strong[..6].iter().map(|trial| trial.values[0].at_edge).collect();
    assert_eq!(edges, [true, true, false, false, true, true]);
}

#[test]
fn grids_that_are_unfair_or_impossible_are_refused() {
    for (from, to, said) in [
        ("seeds = [101, 102]", "seeds = [1]", "seed 1 is one of the suite's"),
        ("seeds = [101, 102]", "seeds = []", "at least one"),
        ("trials = 6", "trials = 0", "at least one"),
        ("learning-rate = [1e-4, 3e-4, 1e-3]", "learning-rate = 1e-4", "wants a list of the values"),
        ("learning-rate = [1e-4, 3e-4, 1e-3]", "learning-rate = [1e-4, 1e-4]", "lists a value twice"),
        ("learning-rate = [1e-4, 3e-4, 1e-3]", "learnin-rate = [1e-4]", "did you mean `learning-rate`?"),
        ("select = \"source-validation\"", "select = \"target-test\"", "unknown variant `target-test`"),
    ] {
        let message = parse(from, to).unwrap_err();
        assert!(message.contains(said), "{to}: {message}");
    }
    for (from, to, said) in [
        ("trials = 6", "trials = 5", "every method has 5 trials, and the values of `ft` make 6 combinations"),
        (
            "anchor.alpha = [0.1, 1, 10], steps = [[5, 6], [7, 8]]",
            "anchor.alpha = [0.1, 1, -1], steps = [5, 7]",
            "alpha",
        ),
        (
            "anchor.alpha = [0.1, 1, 10], steps = [[5, 6], [7, 8]]",
            "anchor.alpah = [0.1, 1, 3], steps = [5, 7]",
            "unknown field `alpah`",
        ),
        (
            "anchor.alpha = [0.1, 1, 10], steps = [[5, 6], [7, 8]]",
            "sharing.kernel = [1, 2, 3], steps = [5, 7]",
            "the method has no `sharing.kernel`",
        ),
    ] {
        let message = parse(from, to).unwrap().trials().unwrap_err().to_string();
        assert!(message.contains(said), "{to}: {message}");
    }
    let (start, rest) = SUITE.split_once("[tune]").unwrap();
    let (_, rest) = rest.split_once("[probe.test]").unwrap();
    let message = Suite::parse("s", &format!("{start}[probe.test]{rest}")).unwrap_err().to_string();
    assert!(message.contains("the suite has no [tune]"), "{message}");
}

#[test]
fn the_best_trial_is_the_first_of_equal_ones_and_no_failed_one() {
    assert_eq!(Tuning::best(&[None, Some(0.1), Some(0.3), Some(0.3)]), Some(2));
    assert_eq!(Tuning::best(&[Some(f64::MIN)]), Some(0));
    assert_eq!(Tuning::best(&[None, None]), None);
}

#[test]
fn a_score_is_the_mean_over_all_that_judges_and_none_where_one_is_missing() {
    let suite = parse("steps = [[5, 6], [7, 8]]", "steps = [5, 7]").unwrap();
    let trials = suite.trials().unwrap();
    let two = trials.iter().find(|trial| trial.for_protocol.as_str() == "two").unwrap();
    let value = |missing: Option<&str>| {
        let missing = missing.map(str::to_owned);
        move |probe: &spec::Probe, language: Language, metric: &str| {
            assert_eq!(metric, "ner.f1.strict");
            let name = format!("{} {language}", probe.name);
            (missing.as_ref() != Some(&name)).then_some(match name.as_str() {
                "source-1 en" => 0.9,
                "source-1 de" => 0.6,
                "source-2 de" => 0.3,
                other => panic!("{other}"),
            })
        }
    };
    assert!((two.score(value(None)).unwrap() - 0.6).abs() < 1e-12);
    assert_eq!(two.score(value(Some("source-2 de"))), None);
}

#[test]
fn the_tuned_suite_has_the_chosen_methods_on_their_protocols() {
    let suite = parse("steps = [[5, 6], [7, 8]]", "steps = [5, 7]").unwrap();
    let trials = suite.trials().unwrap();
    let chosen: Vec<Trial> = trials.chunks(6).map(|of_method| of_method[3].clone()).collect();
    let tuned = suite.tuned(&chosen).unwrap();
    assert!(tuned.tuning.is_none());
    assert_eq!(stages(&tuned, "one", "ft"), [(20, 3e-4, 0.1)]);
    assert_eq!(stages(&tuned, "one", "adapter"), [(20, 3e-4, 0.1)]);
    assert_eq!(stages(&tuned, "one", "strong"), [(7, 5e-4, 0.0)]);
    assert!(tuned.methods.iter().all(|method| method.name != Name::new("tune").unwrap()));
}
