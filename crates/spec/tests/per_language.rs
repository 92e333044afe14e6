//! Methods whose languages use modules of their own: words in suites, refusals, and ids that stay.

use spec::{
    Cell, FirstStage, Kernel, Laft, Language, LanguageDistances, MadX, Method, Name, Sharing, StackedResidual,
    Structure, Suite, UpdateStage, presets,
};

const PROBE: &str = r#"
[probe.ner]
task = "ner"
data = "wikiann"
languages = ["en", "de"]
max-length = 64

[protocol.p]
"#;

fn stage(task: &str, languages: &str, more: &str) -> String {
    format!(
        "[[protocol.p.stage]]\ntask = \"{task}\"\ndata = \"d\"\nlanguages = {languages}\nsteps = 10\nbatch = 8\n\
         learning-rate = 5e-5\nweight-decay = 0.0\nwarmup = 0.1\nclip = 1.0\nmax-length = 64\n{more}\n"
    )
}

/// All languages, then an update.
fn update() -> String {
    stage("ner", "[\"en\", \"de\"]", "") + &stage("ner", "[\"de\"]", "probes = [\"ner\"]")
}

/// Text, then a task.
fn stacks() -> String {
    stage("mlm", "[\"en\", \"de\"]", "") + &stage("ner", "[\"en\"]", "probes = [\"ner\"]")
}

fn suite(method: &str, stages: &str) -> Result<Suite, String> {
    let text = format!(
        "description = \"d\"\nmodel = \"m\"\nseeds = [1]\nmethods = [\"own\"]\n[method.own]\n{method}\n{PROBE}{stages}"
    );
    Suite::parse("demo", &text).map_err(|error| error.to_string())
}

fn method(text: &str) -> Method {
    suite(text, &update()).unwrap().methods.remove(0)
}

fn check(text: &str, stages: &str) -> Result<(), String> {
    let suite = suite(text, stages).unwrap();
    suite.methods[0].check(&suite.protocols[0]).map_err(|error| error.to_string())
}

#[test]
fn sharing_is_a_word_and_a_table() {
    for (word, kind) in [
        ("all", Sharing::All),
        ("updated-only", Sharing::UpdatedOnly),
        ("scaled", Sharing::Scaled),
        ("mixture", Sharing::Mixture),
        ("shuffled", Sharing::Shuffled),
    ] {
        assert_eq!(method(&format!("sharing = \"{word}\"")).sharing, Some(Laft::new(kind)));
        assert_eq!(method(&format!("sharing = {{ kind = \"{word}\" }}")).sharing, Some(Laft::new(kind)));
    }
    let own = method(
        "preset = \"laft-uriel\"\nsharing = { kind = \"mixture\", stage1 = \"adapter\", stage2 = \"full\", kernel = \
         \"linear\", tau = 0.25 }\nrule = \"pcgrad\"",
    );
    let expected = Laft {
        stage1: FirstStage::Adapter,
        stage2: UpdateStage::Full,
        kernel: Kernel::Linear,
        tau: Some(0.25),
        ..Laft::new(Sharing::Mixture)
    };
    assert_eq!(own.sharing, Some(expected));
    assert!(matches!(own.structure, Structure::Adapter(_)));
    // A knob alone would silently make another method of it.
    assert!(suite("preset = \"laft-isolated\"\nsharing = { tau = 1.0 }", &update()).unwrap_err().contains("`kind`"));
    assert!(suite("sharing = \"scalled\"", &update()).unwrap_err().contains("scalled"));
    let knobs = "structure = { kind = \"mad-x\", residual = \"shared\", invertible = false }";
    let expected = MadX { residual: StackedResidual::Shared, invertible: false, ..MadX::default() };
    assert_eq!(suite(knobs, &stacks()).unwrap().methods[0].structure, Structure::MadX(expected));
}

#[test]
fn presets_that_share_run_on_updates_and_mad_x_on_text_first() {
    for preset in presets() {
        let method = preset.method(Name::new(preset.name).unwrap());
        if !method.is_per_language() {
            continue;
        }
        let stages = if method.sharing.is_some() { update() } else { stacks() };
        check(&format!("preset = \"{}\"", preset.name), &stages).unwrap();
        let read: Method = serde_json::from_str(&serde_json::to_string(&method).unwrap()).unwrap();
        assert_eq!(read, method);
    }
    let kind = |name: &str| spec::preset(name).unwrap().method(Name::new(name).unwrap()).sharing.unwrap().kind;
    assert_eq!(
        ["laft", "laft-isolated", "laft-uriel", "laft-shuffled"].map(kind),
        [Sharing::All, Sharing::UpdatedOnly, Sharing::Scaled, Sharing::Shuffled]
    );
}

#[test]
fn what_makes_no_sense_is_refused_with_the_reason() {
    let one = stage("ner", "[\"en\", \"de\"]", "probes = [\"ner\"]");
    let other_task = stage("nli", "[\"en\"]", "") + &stage("ner", "[\"de\"]", "probes = [\"ner\"]");
    let late = stage("ner", "[\"en\"]", "probes = [\"ner\"]") + &stage("mlm", "[\"en\", \"de\"]", "");
    let foreign = stage("mlm", "[\"en\", \"de\"]", "") + &stage("ner", "[\"sw\"]", "probes = [\"ner\"]");
    let narrow = stage("mlm", "[\"en\"]", "") + &stage("ner", "[\"en\"]", "probes = [\"ner\"]");
    let adapted = |stages: String| {
        stages.replace("[\"ner\"]", "[\"few\"]")
            + &PROBE.replace("[probe.ner]", "[probe.few]").replace("\n[protocol.p]\n", "adapt = { support = 5 }\n")
    };
    let (few, few_text) = (adapted(update()), adapted(stacks()));
    let remembering = stage("ner", "[\"en\", \"de\"]", "")
        + &stage("ner", "[\"de\"]", "memories = [\"past-stages\"]\nprobes = [\"ner\"]");
    for (text, stages, expected) in [
        ("preset = \"laft\"", &one, "at least one more of the same task, and [protocol.p] has 1"),
        ("preset = \"laft\"", &other_task, "an update of its task nli, and stage 2 of [protocol.p] is of task ner"),
        (
            "sharing = \"all\"",
            &update(),
            "needs the structure `adapter`, which says what an update's modules are, and not `full`",
        ),
        ("preset = \"laft\"\nstructure = \"lora\"", &update(), "not `lora`"),
        ("preset = \"laft\"\nschedule = \"gu\"", &update(), "the schedule `gu` opens groups"),
        ("preset = \"laft\"\nanchor = \"mixout\"", &update(), "use another anchor"),
        ("preset = \"laft\"\nrule = \"gem\"", &remembering, "gradients on the memory `past-stages`"),
        ("preset = \"laft\"", &few, "the probe `few` adapts what all languages train alike"),
        ("preset = \"madx\"", &few_text, "the probe `few` adapts what all languages train alike"),
        ("preset = \"laft-uriel\"\nsharing = { kind = \"scaled\", tau = 0.0 }", &update(), "sharing knob `tau` is 0"),
        ("preset = \"madx\"", &update(), "begin [protocol.p] with a stage of task mlm"),
        ("preset = \"madx\"", &late, "begin [protocol.p] with a stage of task mlm"),
        (
            "preset = \"madx\"",
            &foreign,
            "stage 2 of [protocol.p] trains ner in `sw`, which has no language adapter yet",
        ),
        ("preset = \"madx\"", &narrow, "the probe `ner` after stage 2 of [protocol.p] measures `de`"),
        ("structure = { kind = \"mad-x\", task-reduction = -1.0 }", &stacks(), "`task-reduction` is -1"),
    ] {
        let message = check(text, stages).expect_err(text);
        assert!(message.starts_with("method `own`: ") && message.contains(expected), "{text}: {message}");
    }
    check("preset = \"laft\"\nrule = \"pcgrad\"\nouter = \"reptile\"", &update()).unwrap();
}

#[test]
fn text_is_trained_and_retrieval_is_not() {
    for method in ["ft", "frozen", "adapter", "lora", "bitfit"] {
        check(&format!("preset = \"{method}\""), &stacks()).unwrap();
    }
    let retrieval = suite("preset = \"ft\"", &(stage("retrieval", "[\"de\"]", "") + &update())).unwrap_err();
    assert!(retrieval.contains("retrieval is only probed, never trained"), "{retrieval}");
    // A head stays once it is learnt, and is not there before.
    suite("preset = \"ft\"", &(update() + &stage("mlm", "[\"en\"]", "probes = [\"ner\"]"))).unwrap();
    let headless = stage("mlm", "[\"en\"]", "probes = [\"ner\"]") + &update();
    assert!(suite("preset = \"ft\"", &headless).unwrap_err().contains("the model has no head for it yet"));
}

#[test]
fn distances_are_symmetric_survive_writing_and_belong_to_the_id() {
    let [de, en, sw] = ["de", "en", "sw"].map(|code| Language::parse(code).unwrap());
    let found = LanguageDistances::between_all(&[en, sw, de], |a, b| {
        (a != sw && b != sw).then(|| if a == b { 0.0 } else { 1.0 / 3.0 })
    });
    assert_eq!((found.between(en, de), found.between(de, en)), (Some(0.333333333333), Some(0.333333333333)));
    assert_eq!((found.between(de, de), found.between(sw, sw), found.between(sw, de)), (Some(0.0), None, None));
    assert_eq!(serde_json::to_string(&found).unwrap(), r#"{"de":{"de":0.0,"en":0.333333333333},"en":{"en":0.0}}"#);
    let read: LanguageDistances = serde_json::from_str(&serde_json::to_string(&found).unwrap()).unwrap();
    assert_eq!(read, found);

    let suite = suite("preset = \"laft-uriel\"", &update()).unwrap();
    let cell = Cell {
        numeric_version: 1,
        model: suite.model.clone(),
        model_hash: String::new(),
        method: suite.methods[0].clone(),
        protocol: suite.protocols[0].clone(),
        seed: 1,
        backend: spec::Backend::Cpu,
        data: Default::default(),
        distances: LanguageDistances::default(),
    };
    assert!(!serde_json::to_string(&cell).unwrap().contains("distances"));
    assert_ne!(Cell { distances: found, ..cell.clone() }.id(), cell.id());
}
