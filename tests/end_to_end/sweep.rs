//! Sweeps: what they print, what they skip, and that parts make the whole.

use std::collections::BTreeMap;

use crate::world::{SUITE, World, stderr};

#[test]
fn a_sweep_prints_tables_and_a_second_one_has_nothing_to_do() {
    let world = World::new();
    let planned = world.ok(&["sweep", "suite.toml", "--dry-run"]);
    assert!(planned.contains("to run") && planned.contains("2 cells to run, 2 in all"), "{planned}");

    let table = world.ok(&["sweep", "suite.toml"]);
    for expected in ["frozen", "ner.f1.strict", "retrieval", "de", "en"] {
        assert!(table.contains(expected), "{expected} is missing in\n{table}");
    }
    let before = world.recorded("results");
    assert_eq!(before.keys().filter(|name| name.ends_with("outcome.json")).count(), 2);

    let again = world.run("results", &["sweep", "suite.toml"]);
    assert!(stderr(&again).contains("0 of 2 cells to run"), "{}", stderr(&again));
    assert_eq!(String::from_utf8_lossy(&again.stdout), table);
    assert_eq!(world.recorded("results"), before, "a finished cell is never touched");
    let planned = world.ok(&["sweep", "suite.toml", "--dry-run"]);
    assert!(planned.contains("done") && planned.contains("0 cells to run"), "{planned}");
}

#[test]
fn probes_on_the_way_compare_methods_that_have_learnt_equally_much() {
    let world = World::new();
    world.edit("suite.toml", "steps = 30", "steps = 30\nprobe-every = 10");
    let report = world.ok(&["sweep", "suite.toml"]);
    let (_, table) = report.split_once("at equal learning: ner.f1.strict of ").expect("the table");
    let (table, _) = table.split_once("\n\n").expect("its end");
    for method in ["ft", "frozen"] {
        let line = table.lines().find(|line| line.starts_with(method)).expect("a line a method");
        let fields: Vec<&str> = line.split_whitespace().collect();
        let steps = fields[1].parse::<u64>().ok().filter(|steps| (10..=30).contains(steps));
        assert!(steps.is_some() && fields.len() == 4, "{line}");
    }
    // Without it there is none.
    world.edit("suite.toml", "\nprobe-every = 10", "");
    assert!(!world.ok_in("plain", &["sweep", "suite.toml"]).contains("at equal learning"));
}

#[test]
fn what_is_not_run_yet_is_one_line_of_a_report() {
    let world = World::new();
    world.write("suite.toml", &format!("{SUITE}\n[protocol.later]\nbefore = [\"pairs\"]\n"));
    std::fs::create_dir_all(world.path("results/cells")).expect("a folder");
    for format in ["terminal", "csv"] {
        let said = world.fails(4, &["report", "suite.toml", "--format", format]);
        assert!(
            said.contains("nothing is recorded of these 4 cells") && said.contains("harness sweep suite.toml"),
            "{said}"
        );
    }
    world.ok(&["sweep", "suite.toml", "--task", "ner", "--method", "ft"]);
    let report = world.ok(&["report", "suite.toml"]);
    let (_, later) = report.split_once("later on tiny-encoder (cpu)").expect("its section");
    assert!(later.trim_start().starts_with("- its 2 cells are not run yet\n\nner on"), "{later}");
}

#[test]
fn the_same_cell_gives_the_same_bytes() {
    let world = World::new();
    world.ok_in("first", &["sweep", "suite.toml"]);
    // Without the cache of encoded data and shared measurements, in two processes at once, one thread each.
    std::fs::remove_dir_all(world.path("cache")).expect("the cache is a folder");
    world.ok_in("second", &["sweep", "suite.toml", "--jobs", "2"]);
    let (first, second) = (world.recorded("first"), world.recorded("second"));
    assert_eq!(first.keys().collect::<Vec<_>>(), second.keys().collect::<Vec<_>>());
    for (name, bytes) in &first {
        assert!(second[name] == *bytes, "{name} differs");
    }
}

#[test]
fn reports_come_in_every_format() {
    let world = World::new();
    world.ok(&["sweep", "suite.toml"]);
    let csv = world.ok(&["report", "suite.toml", "--format", "csv"]);
    let rows: Vec<&str> = csv.lines().filter(|line| line.contains("ner.f1.strict")).collect();
    assert!(!rows.is_empty(), "{csv}");
    for format in ["markdown", "latex"] {
        assert!(world.ok(&["report", "suite.toml", "--format", format]).contains("frozen"));
    }
    for (arguments, title) in [
        (&[][..], "compared with ft"),
        (&["--control", "frozen"], "compared with frozen"),
        (&["--all-pairs", "--over-languages"], "pairs of methods"),
    ] {
        let text = world.ok(&[&["report", "suite.toml"], arguments].concat());
        assert!(text.contains(title) && text.contains("not decided (1 seed; 3 are the least)"), "{text}");
        assert!(!text.contains("is better"), "{text}");
    }
    for command in ["report", "sweep"] {
        let error = world.fails(2, &[command, "suite.toml", "--control", "gem"]);
        assert!(error.contains("no method is named `gem`") && error.contains("frozen, ft"), "{error}");
    }
}

/// Ten thousand cells take seconds: what is asked about each must not look at all the others.
#[test]
fn large_suites_are_shown_at_once() {
    let world = World::new();
    let start = std::time::Instant::now();
    let plan = world.ok(&["sweep", "suite.toml", "--seed", "1..5000", "--dry-run"]);
    assert!(plan.contains("10000 cells to run"), "{}", &plan[plan.len() - 200..]);
    // Two seconds on an idle machine.
    assert!(start.elapsed() < std::time::Duration::from_secs(30), "{:?}", start.elapsed());
}

#[test]
fn filters_and_limits_choose_cells() {
    let world = World::new();
    let text = |arguments: &[&str]| world.ok(&[&["sweep", "suite.toml", "--dry-run"], arguments].concat());
    assert!(text(&["--method", "ft"]).contains("1 cells to run, 1 in all"));
    assert!(text(&["--seed", "1..3"]).contains("6 cells to run, 6 in all"));
    assert!(text(&["--limit", "1"]).contains("1 cells to run, 2 in all"));
    assert!(text(&["--language", "de"]).contains("2 cells to run"));
    let error = world.fails(4, &["sweep", "suite.toml", "--task", "qa"]);
    assert!(error.contains("nothing selected"), "{error}");
    let error = world.fails(2, &["sweep", "suite.toml", "--method", "frozzen"]);
    assert!(error.contains("did you mean `frozen`"), "{error}");
}

#[test]
fn shards_copied_together_equal_the_whole() {
    let world = World::new();
    world.write("suite.toml", &SUITE.replace("seeds = [1]", "seeds = [1, 2]").replace("steps = 30", "steps = 3"));
    world.ok_in("whole", &["sweep", "suite.toml"]);
    for part in 1..=3 {
        let shard = format!("{part}/3");
        // A shard that holds no cell says so and ends with 4.
        let output = world.run("parts", &["sweep", "suite.toml", "--shard", &shard]);
        assert!(matches!(output.status.code(), Some(0 | 4)), "{}", stderr(&output));
    }
    assert_eq!(world.recorded("parts"), world.recorded("whole"));
}

#[test]
fn lists_show_what_there_is() {
    let world = World::new();
    let all = world.ok(&["list"]);
    for expected in ["real-small", "frozen", "retrieval.p1.to-english", "tiny-encoder", "people"] {
        assert!(all.contains(expected), "{expected} is missing in\n{all}");
    }
    let checked = world.ok(&["data", "check"]);
    assert_eq!(
        checked.lines().filter(|line| line.starts_with("ok") && !line.contains("mini/")).count(),
        5,
        "{checked}"
    );
}

/// Entities learnt from these data at this learning rate, measured before and after.
fn protocol(name: &str, data: &str, learning_rate: &str) -> String {
    format!(
        r#"
[protocol.{name}]
before = ["people"]

[[protocol.{name}.stage]]
task = "ner"
data = "{data}"
languages = ["en", "de"]
steps = 30
batch = 8
learning-rate = {learning_rate}
weight-decay = 0.01
warmup = 0.1
clip = 1.0
max-length = 48
probes = ["people"]
"#
    )
}

/// The imported training data with each token's tag given to another token.
fn import_shuffled(world: &World, language: &str) {
    let text = std::fs::read_to_string(world.path(&format!("{language}-train.tsv"))).expect("written by the world");
    let tags: Vec<&str> = text.lines().filter_map(|line| Some(line.split_once('\t')?.1)).collect();
    let mut order: Vec<usize> = (0..tags.len()).collect();
    order.sort_by_key(|token| *blake3::hash(&token.to_le_bytes()).as_bytes());
    let mut shuffled = order.into_iter().map(|token| tags[token]);
    let lines = text.lines().map(|line| match line.split_once('\t') {
        Some((token, _)) => format!("{token}\t{}\n", shuffled.next().expect("as many tags as tokens")),
        None => "\n".to_owned(),
    });
    let file = world.write(&format!("{language}-shuffled.tsv"), &lines.collect::<String>());
    let import = ["data", "import", &file, "--format", "wikiann-text", "--name", "shuffled", "--split", "train"];
    world.ok(&[&import[..], &["--language", language]].concat());
}

/// The tiny encoder learns the tiny task: the score of held-out sentences and the training loss show it, for every
/// method and language. Neither does so where the tags are shuffled, nor where the optimiser all but stands still:
/// what is asserted of learning would fail if labels, gradients or updates were broken.
#[test]
fn scores_and_losses_show_that_a_task_was_learnt() {
    let world = World::new();
    for language in ["en", "de"] {
        import_shuffled(&world, language);
    }
    let (head, _) = SUITE.split_once("[protocol.ner]").expect("the suite's only protocol");
    let learnt = protocol("learnt", "people", "3e-3");
    let shuffled = protocol("shuffled", "shuffled", "3e-3");
    let still = protocol("still", "people", "1e-9");
    world.write("suite.toml", &[head, &learnt, &shuffled, &still].concat());
    world.ok(&["sweep", "suite.toml"]);

    let folder = results::ResultsFolder::open(&world.path("results")).expect("the results of the sweep");
    let (cells, damaged) = folder.finished().expect("readable results");
    assert!(cells.len() == 6 && damaged.is_empty(), "{} cells, {damaged:?}", cells.len());
    for finished in cells {
        let name = format!("{} {}", finished.cell.protocol.name, finished.cell.method.name);
        let mut f1 = BTreeMap::new();
        for score in finished.scores().expect("scores").into_iter().filter(|score| score.metric == "ner.f1.strict") {
            f1.insert((score.language.to_string(), score.moment), score.value);
        }
        assert_eq!(f1.len(), 4, "{name}: two languages before and after");
        let losses: Vec<f64> = finished.curve().expect("a curve").iter().map(|point| point.loss).collect();
        let mean = |losses: &[f64]| losses.iter().sum::<f64>() / losses.len() as f64;
        let (first, last) = (mean(&losses[..3]), mean(&losses[losses.len() - 3..]));
        for language in ["en", "de"] {
            let [before, after] = [0, 1].map(|moment| f1[&(language.to_owned(), moment)]);
            let said = format!("{name}: F1 of {language} {before:.3} to {after:.3}, loss {first:.3} to {last:.3}");
            match finished.cell.protocol.name.as_str() {
                "learnt" => assert!(after > 0.75 && after > before + 0.4 && last < 0.4 * first, "{said}"),
                _ => assert!(after < 0.5 && after < before + 0.1 && last > 0.4 * first, "{said}"),
            }
        }
    }
}
