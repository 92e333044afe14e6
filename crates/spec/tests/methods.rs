//! Methods and memories in suites: every rule by name, compositions that make no sense, and ids that stay.

use spec::{
    AGem, Anchor, Candidates, Forgetting, Gem, GradientRule, LfMlf, LfMlfForm, MaskKind, Memories, Method, Mu, MuRule,
    Name, OuterLoop, Portion, PruneKnobs, Subnetworks, Suite, Task, presets,
};

const STAGES: &str = r#"
[probe.ner]
task = "ner"
data = "wikiann"
languages = ["en", "de"]
max-length = 64

[memory.mlm]
task = "mlm"
data = "corpus"
languages = ["sw", "hi"]
examples = 256
batch = 8
max-length = 64

[memory.retrieval]
task = "retrieval"
data = "tatoeba"
split = "test"
languages = ["de"]
batch = 8
max-length = 64
prefix = "query: "

[protocol.p]

[[protocol.p.stage]]
task = "ner"
data = "wikiann"
languages = ["en", "de"]
steps = 10
batch = 4
learning-rate = 5e-5
weight-decay = 0.0
warmup = 0.1
clip = 1.0
max-length = 64
memories = ["mlm", "retrieval"]
probes = ["ner"]
"#;

const SECOND: &str = r#"
[[protocol.p.stage]]
task = "ner"
data = "wikiann"
languages = ["hi"]
steps = 10
batch = 6
learning-rate = 5e-5
weight-decay = 0.0
warmup = 0.1
clip = 1.0
max-length = 64
memories = ["past-stages"]
"#;

fn suite(method: &str, stages: &str) -> Result<Suite, String> {
    let text = format!(
        "description = \"d\"\nmodel = \"m\"\nseeds = [1]\nmethods = [\"own\"]\n[method.own]\n{method}\n{stages}"
    );
    Suite::parse("demo", &text).map_err(|error| error.to_string())
}

fn method(text: &str) -> Method {
    suite(text, STAGES).unwrap().methods.remove(0)
}

/// What the check says to this method on these stages.
fn refusal(text: &str, stages: &str) -> String {
    let suite = suite(text, stages).unwrap();
    suite.methods[0].check(&suite.protocols[0]).expect_err(text).to_string()
}

#[test]
fn every_rule_anchor_and_outer_loop_is_a_word_and_a_table() {
    let rules = [
        "mean",
        "multitask",
        "pcgrad",
        "gradvac",
        "mgda",
        "cagrad",
        "nash-mtl",
        "imtl-g",
        "sgs",
        "a-gem",
        "gem",
        "lf-mlf",
    ];
    for rule in rules {
        let word = method(&format!("rule = \"{rule}\""));
        assert_eq!(word, method(&format!("rule = {{ kind = \"{rule}\" }}")));
        assert_eq!(word.rule.name(), rule);
    }
    for anchor in ["none", "l2-sp", "ewc", "rec-adam", "mixout"] {
        assert_eq!(method(&format!("anchor = \"{anchor}\"")).anchor.name(), anchor);
    }
    for outer in ["plain", "fomaml", "reptile"] {
        assert_eq!(method(&format!("outer = \"{outer}\"")).outer.name(), outer);
    }
}

#[test]
fn knobs_are_read() {
    let gem = method("rule = { kind = \"gem\", margin = 0.5, memory = \"mlm\" }").rule;
    let memory = Memories::Named(Name::new("mlm").unwrap());
    assert_eq!(gem, GradientRule::Gem(Gem { margin: 0.5, memory, ..Gem::default() }));
    let lf_mlf =
        method("rule = { kind = \"lf-mlf\", form = \"polyhedron\", forgetting = \"kl\", mu = \"inverse-lr\" }").rule;
    let expected = LfMlf {
        form: LfMlfForm::Polyhedron,
        forgetting: Forgetting::Kl,
        mu: Mu::Rule(MuRule::InverseLr),
        ..LfMlf::default()
    };
    assert_eq!(lf_mlf, GradientRule::LfMlf(expected));
    let GradientRule::LfMlf(weighed) = method("rule = { kind = \"lf-mlf\", mu = 0.25 }").rule else { panic!() };
    assert_eq!(weighed.mu, Mu::Weight(0.25));
    let OuterLoop::Reptile(reptile) = method("outer = { kind = \"reptile\", inner-steps = 8 }").outer else { panic!() };
    assert_eq!((reptile.inner_steps, reptile.meta_step), (8, 1.0));
    let composed = method("preset = \"gem\"\nanchor = { kind = \"l2-sp\", alpha = 0.1 }");
    assert!(matches!((composed.rule, composed.anchor), (GradientRule::Gem(_), Anchor::L2Sp(_))));
    assert!(method("preset = \"mixout\"\nanchor = \"none\"").anchor.is_none());
}

#[test]
fn unknown_kinds_and_knobs_are_refused() {
    for (text, expected) in [
        ("rule = \"pcgrat\"", "unknown variant `pcgrat`"),
        ("rule = { kind = \"mean\", beta = 1.0 }", "beta"),
        ("rule = { kind = \"gem\", margins = 1.0 }", "margins"),
        ("rule = { kind = \"gem\", memory = \"../x\" }", "safe name"),
        ("rule = { kind = \"lf-mlf\", mu = \"inverse\" }", "mu"),
        ("anchor = \"l3-sp\"", "l3-sp"),
        ("outer = { kind = \"fomaml\", inner-steps = -1 }", "-1"),
    ] {
        let message = suite(text, STAGES).unwrap_err();
        assert!(message.contains(expected), "{text}: {message}");
    }
}

#[test]
fn what_was_written_before_is_written_the_same() {
    let name = || Name::new("ft").unwrap();
    assert_eq!(
        serde_json::to_string(&Method::plain(name())).unwrap(),
        r#"{"name":"ft","structure":{"kind":"full"},"rule":{"kind":"mean"},"schedule":{"kind":"all"},"outer":{"kind":"plain"}}"#
    );
    let old = suite("preset = \"ft\"", &STAGES.replace("memories = [\"mlm\", \"retrieval\"]\n", "")).unwrap();
    let stage = serde_json::to_string(&old.protocols[0].stages[0]).unwrap();
    assert!(!stage.contains("memories"), "{stage}");
    for preset in presets() {
        let method = preset.method(name());
        let read: Method = serde_json::from_str(&serde_json::to_string(&method).unwrap()).unwrap();
        assert_eq!(read, method);
        let by_name = format!("preset = \"{}\"", preset.name);
        assert_eq!(suite(&by_name, STAGES).unwrap().methods[0].rule, method.rule);
    }
}

#[test]
fn every_rule_is_written_as_cell_ids_know_it() {
    for written in [
        r#"{"kind":"mean"}"#,
        r#"{"kind":"multitask","memory":"all"}"#,
        r#"{"kind":"pcgrad","visit":"random","reduction":"mean"}"#,
        r#"{"kind":"gradvac","beta":0.5,"initial-target":0.0,"fixed-target":null,"order":"compare-then-update","visit":"random","reduction":"mean","denominator-epsilon":0.0}"#,
        r#"{"kind":"mgda","gradient-normalise":"none"}"#,
        r#"{"kind":"cagrad","c":0.5,"rescale":"one-plus-c2"}"#,
        r#"{"kind":"nash-mtl","max-norm":1.0}"#,
        r#"{"kind":"imtl-g"}"#,
        r#"{"kind":"sgs"}"#,
        r#"{"kind":"a-gem","reference":"union","memory":"all"}"#,
        r#"{"kind":"gem","margin":0.0,"ridge":0.001,"memory":"all"}"#,
        r#"{"kind":"lf-mlf","form":"simplex","forgetting":"l2","mu":1.0,"h-rescale":null,"kappa":0.5,"rho":1.0,"gradient-normalise":"none","solver-ridge":1e-12,"pareto-tol":1e-10,"memory":"all","fisher-batches":16,"rise-probe-every":50}"#,
    ] {
        let rule: GradientRule = serde_json::from_str(written).unwrap();
        assert_eq!(serde_json::to_string(&rule).unwrap(), written);
        let defaults = method(&format!("rule = \"{}\"", rule.name()));
        assert_eq!(defaults.rule, rule);
    }
}

#[test]
fn every_preset_runs_on_two_languages_with_memories() {
    let suite = suite("preset = \"ft\"", STAGES).unwrap();
    for preset in presets() {
        let method = preset.method(Name::new(preset.name).unwrap());
        // These need stages of their own.
        if !method.is_per_language() {
            method.check(&suite.protocols[0]).unwrap();
        }
    }
}

#[test]
fn subnetworks_are_named_by_kind_and_read_what_scores_them() {
    let word = method("subnetworks = \"dynamic\"");
    assert_eq!(word, method("subnetworks = { kind = \"dynamic\" }"));
    assert_eq!(word.subnetworks, method("preset = \"subnet-dynamic\"").subnetworks);
    let fewer = method("preset = \"subnet-dynamic\"\nsubnetworks = { kind = \"static\", prune = { threshold = 0.5 } }");
    let expected = PruneKnobs { threshold: 0.5, ..PruneKnobs::default() };
    assert_eq!(fewer.subnetworks, Some(Subnetworks { prune: expected, ..Subnetworks::new(MaskKind::Static) }));
    assert!(
        suite("subnetworks = { prune = { threshold = 0.5 } }", STAGES).unwrap_err().contains("missing field `kind`")
    );

    let both = suite("preset = \"subnet-static\"", &format!("{STAGES}{SECOND}")).unwrap();
    let keys: Vec<String> = both.methods[0].data(&both.protocols[0]).iter().map(ToString::to_string).collect();
    assert_eq!(keys, ["wikiann/ner/de/validation", "wikiann/ner/en/validation"], "the second stage has one language");
    assert!(method("preset = \"ft\"").data(&both.protocols[0]).is_empty());
    let support = STAGES.replacen("max-length = 64", "max-length = 64\nadapt = { support = 5 }", 1);
    let support = support.replacen("languages = [\"en\", \"de\"]", "languages = [\"en\", \"sw\"]", 1);
    let from_support = suite("subnetworks = { kind = \"static\", target = \"from-support\" }", &support).unwrap();
    from_support.methods[0].check(&from_support.protocols[0]).unwrap();
}

#[test]
fn memories_are_resolved_and_count_as_data() {
    let suite = suite("preset = \"gem\"", &format!("{STAGES}{SECOND}")).unwrap();
    let [first, second] = &suite.protocols[0].stages[..] else { panic!() };
    let names: Vec<&str> = first.memories.iter().map(|memory| memory.name.as_str()).collect();
    assert_eq!(names, ["mlm", "retrieval"]);
    let [past] = &second.memories[..] else { panic!("one memory an earlier stage") };
    assert_eq!(
        (past.name.as_str(), past.task, past.batch, past.examples),
        ("past-stages", Task::Ner, 6, Some(Portion::sample(128)))
    );
    assert_eq!(past.languages, first.languages);
    let keys: Vec<String> = suite.protocols[0].data().iter().map(ToString::to_string).collect();
    for key in ["corpus/mlm/sw/train", "corpus/mlm/hi/train", "tatoeba/retrieval/de/test"] {
        assert!(keys.contains(&key.to_owned()), "{keys:?}");
    }
    suite.methods[0].check(&suite.protocols[0]).unwrap();
}

#[test]
fn bad_memories_are_refused() {
    for (from, to, expected) in [
        ("memories = [\"mlm\"", "memories = [\"mml\"", "unknown memory `mml` (did you mean `mlm`?)"),
        ("memories = [\"mlm\"", "memories = [\"past-stages\"", "no earlier stage"),
        ("memories = [\"mlm\", ", "memories = [\"mlm\", \"mlm\", ", "lists it twice"),
        ("examples = 256\nbatch = 8\n", "", "`batch` and `max-length` are needed"),
        ("batch = 8", "batch = 1", "at least one example of each language"),
        ("languages = [\"de\"]\nbatch = 8", "languages = [\"de\"]\nbatch = 1", "two pairs of each language"),
        ("task = \"mlm\"", "task = \"nli\"", "the model has no head for it"),
        ("languages = [\"de\"]\nbatch", "languages = [\"en\"]\nbatch", "leave `en` out"),
        ("task = \"mlm\"", "past-stages = true\ntask = \"mlm\"", "bring their own data"),
        ("[memory.mlm]", "[memory.all]", "unknown memory `mlm`"),
    ] {
        assert!(STAGES.contains(from), "{from}");
        let message = suite("preset = \"ft\"", &STAGES.replacen(from, to, 1)).unwrap_err();
        assert!(message.contains(expected), "{to}: {message}");
    }
    let reserved = STAGES.replace("[memory.mlm]", "[memory.all]").replace("[\"mlm\", ", "[\"all\", ");
    assert!(suite("preset = \"ft\"", &reserved).unwrap_err().contains("choose another"));
}

#[test]
fn compositions_that_make_no_sense_are_refused_with_the_reason() {
    let without = STAGES.replace("memories = [\"mlm\", \"retrieval\"]\n", "");
    let foreign = without.replacen("languages = [\"en\", \"de\"]", "languages = [\"en\", \"sw\"]", 1);
    let alone = without.replace("languages = [\"en\", \"de\"]\nsteps", "languages = [\"en\"]\nsteps");
    for (text, stages, expected) in [
        ("rule = \"pcgrad\"", &alone, "would be plain fine-tuning"),
        ("rule = \"lf-mlf\"", &alone, "would be plain fine-tuning"),
        ("outer = \"fomaml\"", &alone, "learns across source languages"),
        ("outer = \"reptile\"", &alone, "learns across source languages"),
        ("rule = \"gem\"", &without, "needs memories"),
        ("rule = \"a-gem\"", &without, "needs memories"),
        ("rule = \"multitask\"", &without, "needs memories"),
        ("anchor = \"ewc\"", &without, "measures on memories"),
        ("rule = { kind = \"gem\", memory = \"mlm\" }", &without, "[protocol.p] lists none"),
        ("rule = { kind = \"gem\", memory = \"past\" }", &STAGES.to_owned(), "has mlm, retrieval"),
        ("rule = { kind = \"lf-mlf\", forgetting = \"kl\" }", &without, "use `forgetting = \"l2\"`"),
        ("rule = { kind = \"lf-mlf\", forgetting = \"mlm-memory\" }", &STAGES.to_owned(), "`retrieval` is of task"),
        ("outer = \"reptile\"\nanchor = \"rec-adam\"", &without, "`reptile` has no optimiser"),
        ("outer = \"reptile\"\nschedule = \"chain-thaw\"", &without, "`reptile` has no optimiser"),
        ("schedule = { kind = \"fun\", batches = 0 }", &without, "schedule knob `batches` is 0"),
        ("rule = { kind = \"cagrad\", c = 1.0 }", &without, "rule knob `c` is 1: it must be in [0, 1)"),
        ("rule = { kind = \"gem\", margin = nan }", &STAGES.to_owned(), "`margin` is NaN"),
        ("anchor = { kind = \"mixout\", p = 1.0 }", &without, "anchor knob `p` is 1"),
        ("outer = { kind = \"fomaml\", inner-steps = 0 }", &without, "outer knob `inner-steps` is 0"),
        ("preset = \"subnet-static\"", &alone, "needs at least two source languages"),
        ("preset = \"subnet-static\"\nanchor = \"mixout\"", &without, "use another anchor"),
        ("preset = \"subnet-static\"\nanchor = \"rec-adam\"", &without, "`update = \"gradient-only\"`"),
        ("preset = \"subnet-dynamic\"\nstructure = \"adapter\"", &without, "the structure `adapter` trains none"),
        (
            "subnetworks = { kind = \"static\", prune = { fraction = 0 } }",
            &without,
            "subnetworks knob `prune.fraction` is 0",
        ),
        ("subnetworks = { kind = \"static\", discovery = { copies = 0 } }", &without, "`discovery.copies` is 0"),
        (
            "subnetworks = { kind = \"static\", target-distance = { geo-maxabs = -1.0 } }",
            &without,
            "subnetworks knob `target-distance` is -1",
        ),
        ("preset = \"subnet-static\"\nstructure = \"mad-x\"", &without, "`mad-x` the modules"),
        ("preset = \"subnet-static\"\nstructure = \"adapter\"\nsharing = \"all\"", &without, "`sharing` the modules"),
        ("subnetworks = { kind = \"static\", target = \"from-support\" }", &foreign, "probe `ner` has none"),
    ] {
        let message = refusal(text, stages);
        assert!(message.starts_with("method `own`: ") && message.contains(expected), "{text}: {message}");
    }
    // Something to do in one stage is enough; a memory is a task beside the one language.
    let later = suite("rule = \"gem\"", &format!("{without}{SECOND}")).unwrap();
    later.methods[0].check(&later.protocols[0]).unwrap();
    let polyhedron = suite("rule = { kind = \"lf-mlf\", form = \"polyhedron\" }", &alone).unwrap();
    polyhedron.methods[0].check(&polyhedron.protocols[0]).unwrap();
    let english = STAGES.replace("languages = [\"en\", \"de\"]\nsteps", "languages = [\"en\"]\nsteps");
    let beside = suite("rule = { kind = \"pcgrad\", memory = \"mlm\" }", &english).unwrap();
    beside.methods[0].check(&beside.protocols[0]).unwrap();
    assert_eq!(AGem::default().memory, Memories::All);
}

#[test]
fn what_nothing_holds_on_to_is_refused() {
    let stages = STAGES.to_owned();
    let with = |structure: &str, what: &str| format!("structure = \"{structure}\"\n{what}");
    let anchors = ["anchor = \"l2-sp\"", "anchor = \"ewc\"", "anchor = \"rec-adam\"", "rule = \"lf-mlf\""];
    for structure in ["adapter", "lora"] {
        for what in anchors {
            // In the first stage adapters and head are new, and in the second both go on.
            let message = refusal(&with(structure, what), &stages);
            assert!(message.contains("is new in its stage") && message.contains(structure), "{message}");
            let both = format!("{STAGES}{}", SECOND.replace("[\"hi\"]", "[\"hi\", \"sw\"]"));
            let both = suite(&with(structure, what), &both).unwrap();
            both.methods[0].check(&both.protocols[0]).unwrap();
        }
    }
    // Form A's h on a loss is none of the way from theta0.
    let by_loss = with("adapter", "rule = { kind = \"lf-mlf\", forgetting = \"mlm-memory\", memory = \"mlm\" }");
    let by_loss = suite(&by_loss, STAGES).unwrap();
    by_loss.methods[0].check(&by_loss.protocols[0]).unwrap();
    for what in anchors {
        let encoder = suite(&with("bit-fit", what), STAGES).unwrap();
        encoder.methods[0].check(&encoder.protocols[0]).unwrap();
    }
    assert!(refusal(&with("bit-fit", "anchor = \"mixout\""), &stages).contains("trains none here"));
    // What `frozen-lower` leaves open is known with the encoder.
    let all = suite("structure = { kind = \"frozen-lower\", layers = 12 }\nanchor = \"l2-sp\"", STAGES).unwrap();
    let (method, protocol) = (&all.methods[0], &all.protocols[0]);
    method.check(protocol).unwrap();
    method.check_with_layers(protocol, 13).unwrap();
    assert!(method.check_with_layers(protocol, 12).unwrap_err().to_string().contains("is new in its stage"));
    // MAD-X and updates train modules of a stage each.
    let mad_x = with("mad-x", "anchor = \"l2-sp\"");
    let text = STAGES.replacen(
        "[[protocol.p.stage]]\ntask = \"ner\"\ndata = \"wikiann\"",
        "[[protocol.p.stage]]\ntask = \"mlm\"\ndata = \"corpus\"",
        1,
    );
    let text = text.replace("memories = [\"mlm\", \"retrieval\"]\n", "").replace("probes = [\"ner\"]\n", "");
    let second = SECOND.replace("memories = [\"past-stages\"]", "probes = [\"ner\"]").replace("[\"hi\"]", "[\"en\"]");
    assert!(refusal(&mad_x, &format!("{text}{second}")).contains("is new in its stage"));
    let third = suite(&mad_x, &format!("{text}{second}{second}")).unwrap();
    third.methods[0].check(&third.protocols[0]).unwrap();
}

#[test]
fn rec_adam_is_told_in_shares_of_the_stage_and_must_not_run_away() {
    assert!(suite("anchor = { kind = \"rec-adam\", k = 0.5 }", STAGES).unwrap_err().contains("unknown field `k`"));
    assert!(refusal("anchor = { kind = \"rec-adam\", t0 = 250.0 }", STAGES).contains("a share of the stage's steps"));
    // 5e-5 × 40,000 is 2.
    let message = refusal("anchor = { kind = \"rec-adam\", gamma = 40000.0 }", STAGES);
    assert!(message.contains("goes back 2 times the way") && message.contains("must be below 40000"), "{message}");
    for fine in ["{ kind = \"rec-adam\", gamma = 39999.0 }", "\"rec-adam\""] {
        let fine = suite(&format!("anchor = {fine}"), STAGES).unwrap();
        fine.methods[0].check(&fine.protocols[0]).unwrap();
    }
    let fast = "schedule = { kind = \"chain-thaw\", head-rate = 30.0 }\nanchor = \"rec-adam\"";
    assert!(refusal(fast, STAGES).contains("goes back 3 times"));
}

#[test]
fn translations_may_be_looked_for_in_the_whole_batch() {
    let with = |candidates: &str| STAGES.replace("prefix = \"query: \"", &format!("candidates = \"{candidates}\""));
    let memory = |stages: &str| suite("preset = \"gem\"", stages).unwrap().protocols[0].stages[0].memories[1].clone();
    assert_eq!(memory(&with("batch")).candidates, Candidates::Batch);
    assert!(serde_json::to_string(&memory(&with("batch"))).unwrap().contains("\"candidates\":\"batch\""));
    assert!(!serde_json::to_string(&memory(STAGES)).unwrap().contains("candidates"));
    assert!(suite("preset = \"gem\"", &with("all")).unwrap_err().contains("unknown variant `all`"));
    let text = STAGES.replace("languages = [\"sw\", \"hi\"]", "languages = [\"sw\", \"hi\"]\ncandidates = \"batch\"");
    assert!(suite("preset = \"gem\"", &text).unwrap_err().contains("`candidates` belongs to retrieval"));
}
