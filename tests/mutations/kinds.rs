//! The kinds of files, a sample of each, and how it is read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use data::uriel::Distances;
use data::{DataFolder, EncodeOptions, Tokenization};
use model::Learner;
use spec::{Backend, DataKey, Language, Name, Split, Suite, Task, TypologicalDistance};
use tasks::{Format, Input};

use crate::mutate::Content;

pub struct Kind {
    pub name: &'static str,
    pub make: fn(&Path) -> Sample,
}

/// Files of a kind, whole.
pub struct Sample {
    /// Those that are mutated, one at a time.
    pub files: Vec<PathBuf>,
    pub kind: Content,
    /// Every error has to hold one of these.
    pub named: Vec<String>,
    /// Called when a file was written: recomputes the hashes that an attacker would.
    pub complete: fn(&Path),
    /// Reads all, and uses what it read. It is told which file is a mutant.
    pub read: Box<Reader>,
}

/// What is wrong, as a user would be told.
type Reader = dyn Fn(Option<&Path>) -> Result<(), String>;

pub const KINDS: &[Kind] = &[
    Kind { name: "manifest", make: manifest },
    Kind { name: "parquet", make: parquet },
    Kind { name: "conll", make: |place| text(place, CONLL) },
    Kind { name: "tsv", make: |place| text(place, TSV) },
    Kind { name: "json", make: |place| text(place, JSON) },
    Kind { name: "config", make: |place| model(place, "config.json", Content::Text) },
    Kind { name: "tokenizer", make: |place| model(place, "tokenizer.json", Content::Text) },
    Kind { name: "safetensors", make: |place| model(place, "model.safetensors", Content::Binary) },
    Kind { name: "saved", make: saved },
    Kind { name: "checkpoint", make: checkpoint },
    Kind { name: "npy", make: npy },
    Kind { name: "npz", make: npz },
    Kind { name: "suite", make: suite },
    Kind { name: "record", make: |place| record(place, &["cell.json", "outcome.json", "files.json"], Content::Text) },
    Kind {
        name: "record-parquet",
        make: |place| record(place, &["scores.parquet", "examples.parquet", "curve.parquet"], Content::Binary),
    },
    Kind { name: "cache", make: cache },
];

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn names(files: &[PathBuf]) -> Vec<String> {
    files.iter().filter_map(|file| Some(file.file_name()?.to_str()?.to_owned())).collect()
}

fn nothing(_: &Path) {}

fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// A data set of the repository with some of its files.
fn data_set(place: &Path, tasks: &[(Task, Split)]) -> (DataFolder, Vec<DataKey>) {
    let (from, to) = (repository().join("datasets/mini"), place.join("data/mini"));
    let mut kept = String::new();
    let manifest = std::fs::read_to_string(from.join("manifest.toml")).expect("a manifest");
    let (head, entries) = manifest.split_once("[[file]]").expect("entries");
    let mut keys = Vec::new();
    for &(task, split) in tasks {
        let language = if task == Task::Retrieval { "de" } else { "en" };
        let is_this = |entry: &&str| {
            ["task", "language", "split"]
                .into_iter()
                .zip([task.as_str(), language, split.as_str()])
                .all(|(key, value)| entry.contains(&format!("{key} = \"{value}\"")))
        };
        let entry = entries.split("[[file]]").find(is_this).expect("an entry");
        kept.push_str(&format!("[[file]]{entry}"));
        let file = format!("{task}/{language}/{split}.parquet");
        std::fs::create_dir_all(to.join(&file).parent().expect("a folder")).expect("a folder");
        std::fs::copy(from.join(&file), to.join(&file)).expect("copied");
        let language = Language::parse(language).expect("a language");
        keys.push(DataKey::new(task, &Name::new("mini").expect("a name"), language, split));
    }
    std::fs::write(to.join("manifest.toml"), format!("{head}{kept}")).expect("written");
    (DataFolder::open(&place.join("data")), keys)
}

fn manifest(place: &Path) -> Sample {
    let (folder, keys) = data_set(place, &[(Task::Ner, Split::Test), (Task::Nli, Split::Test)]);
    Sample {
        files: vec![place.join("data/mini/manifest.toml")],
        kind: Content::Text,
        // What is no longer there is named as the key, and damage by the file that does not fit.
        named: ["manifest.toml", ".parquet", "no data for"].map(str::to_owned).to_vec(),
        complete: nothing,
        read: Box::new(move |_| {
            let (_, faults) = folder.check(&mut |_| {}).map_err(said)?;
            faults.into_iter().next().map_or(Ok(()), |fault| Err(said(fault)))?;
            keys.iter().try_for_each(|key| folder.load(key, None).map(|_| ()).map_err(said))
        }),
    }
}

/// Read as the public files are, whose content no manifest vouches for.
fn parquet(place: &Path) -> Sample {
    let splits = [Task::Ner, Task::Qa, Task::Choice, Task::Parse].map(|task| (task, Split::Validation));
    data_set(place, &splits);
    let formats = ["wikiann-parquet", "squad-parquet", "choice-parquet", ""];
    let files: Vec<(PathBuf, Option<Format>, Task)> = splits
        .iter()
        .zip(formats)
        .map(|(&(task, split), format)| {
            (place.join(format!("data/mini/{task}/en/{split}.parquet")), format.parse().ok(), task)
        })
        .collect();
    let paths: Vec<PathBuf> = files.iter().map(|(path, ..)| path.clone()).collect();
    Sample {
        named: names(&paths),
        files: paths,
        kind: Content::Binary,
        complete: nothing,
        read: Box::new(move |mutant| {
            for (path, format, task) in files.iter().filter(|(path, ..)| mutant.is_none_or(|mutant| mutant == path)) {
                let (paths, labels) = (vec![path.clone()], spec::Labels::numbered(1000));
                match format {
                    Some(format) => drop(tasks::read(*format, &Input::new(paths, Language::ENGLISH)).map_err(said)?),
                    None => {
                        let unlabelled = data::Unlabelled::Refused;
                        data::read_parquet(&paths, *task, &labels, unlabelled, &|_| Ok(())).map_err(said)?;
                    }
                }
            }
            Ok(())
        }),
    }
}

/// Name of a file, its format, and its text.
type Texts = &'static [(&'static str, &'static str, &'static str)];

const CONLL: Texts = &[
    ("a.tsv", "wikiann-text", "en:Ada\tB-PER\nen:ran\tO\n\nen:Rio\tB-LOC\nen:Grande\tI-LOC\n"),
    ("a.conll", "conll", "-DOCSTART- -X- O O\n\nAda NNP I-NP B-PER\nran VB O O\n\nRio NNP O B-DATE\n"),
    (
        "a.conllu",
        "parse-conllu",
        "# sent_id = 1\n1-2\tdel\t_\t_\t_\t_\t_\t_\t_\t_\n1\tde\tde\tADP\t_\t_\t2\tcase\t_\t_\n2\tel\tel\tDET\t_\t_\t0\troot\t_\t_\n\
         2.1\tx\t_\t_\t_\t_\t_\t_\t_\t_\n3\tfin\tfin\tNOUN\t_\t_\t2\tnsubj:pass\t_\tSpaceAfter=No\n\n",
    ),
];
const TSV: Texts = &[
    (
        "x.tsv",
        "xnli-tsv",
        "language\tgold_label\tsentence1\tsentence2\nde\tneutral\tA\tB\nen\tneutral\tA\tB\nen\t-\tC\tD\n",
    ),
    ("m.tsv", "multinli-tsv", "premise\thypo\tlabel\nA b\tC\tcontradictory\nD\tE\tneutral\n"),
    ("p.tsv", "pawsx-tsv", "id\tsentence1\tsentence2\tlabel\n1\tA\tB\t0\n2\tNS\tB\t1\n3\tC\tD\t1\n"),
    ("s.csv", "sentences", "id,text,label\n1,\"a, \"\"b\"\"\",good\n2,c,bad\n3,\"d\ne\",good\n"),
    ("u.tsv", "pos-text", "Ada\tPROPN\nran\tVERB\n\nso\tADV\n"),
    ("x3.tsv", "xtreme-nli", "A\tB\tneutral\nC\tD\tentailment\n"),
];
const JSON: Texts = &[
    (
        "q.json",
        "squad-json",
        r#"{"version": "1", "data": [{"title": "T", "paragraphs": [{"context": "Ada was born in Rio 12 years ago.", "qas": [
           {"id": "a", "question": "Who?", "answers": [{"text": "Ada", "answer_start": 0}]},
           {"id": 7, "question": "Where?", "answers": [{"text": "Rio", "answer_start": 16}, {"text": "in", "answer_start": -1}]}]}]}]}"#,
    ),
    (
        "c.jsonl",
        "choice-jsonl",
        "{\"premise\": \"A\", \"choice1\": \"B\", \"choice2\": \"C\", \"question\": \"cause\", \"label\": 0, \"idx\": 0, \"changed\": false}\n\
         {\"premise\": \"D\", \"choice1\": \"E\", \"choice2\": \"F\", \"question\": \"effect\", \"label\": 1, \"idx\": 1, \"changed\": false}\n",
    ),
    ("s.jsonl", "sentences", "{\"text\": \"a\", \"label\": 1}\n{\"text\": \"b\", \"label\": 22, \"id\": 3}\n"),
];

fn text(place: &Path, texts: Texts) -> Sample {
    let files: Vec<(PathBuf, Format)> = texts
        .iter()
        .map(|(name, format, text)| {
            std::fs::write(place.join(name), text).expect("written");
            (place.join(name), format.parse().expect("a format"))
        })
        .collect();
    let paths: Vec<PathBuf> = files.iter().map(|(path, _)| path.clone()).collect();
    Sample {
        named: names(&paths),
        files: paths,
        kind: Content::Text,
        complete: nothing,
        read: Box::new(move |mutant| {
            for (path, format) in files.iter().filter(|(path, _)| mutant.is_none_or(|mutant| mutant == path)) {
                let input = Input::new(vec![path.clone()], Language::ENGLISH);
                // What is predicted only needs less.
                let _ = tasks::read(*format, &Input { unlabelled: true, ..input.clone() });
                tasks::read(*format, &input).map_err(said)?;
            }
            Ok(())
        }),
    }
}

fn tiny_encoder(place: &Path) -> PathBuf {
    let (from, to) = (repository().join("tests/fixtures/tiny-encoder"), place.join("tiny-encoder"));
    std::fs::create_dir_all(&to).expect("a folder");
    for name in ["config.json", "tokenizer.json", "model.safetensors"] {
        std::fs::copy(from.join(name), to.join(name)).expect("copied");
    }
    to
}

/// Loads a model folder and computes with it.
fn use_model(folder: &Path) -> Result<(), String> {
    let tokenization = Tokenization::load(folder).map_err(said)?;
    let learner = Learner::load(folder, Backend::Cpu).map_err(said)?;
    let options = EncodeOptions { max_length: learner.config().max_tokens().min(32), stride: 0, prefix: String::new() };
    let sentences = ["Ada lived in Rio, Łódź and 東京.".to_owned(), "a".to_owned()];
    // Lengths that no text fits into are the caller's: they are told as such.
    let encoded = tasks::encode_sentences(&sentences, &tokenization, &options);
    let encoded = encoded.map_err(|error| format!("{}: {error}", folder.display()))?;
    let vectors = tasks::sentence_vectors(&learner, &encoded);
    vectors.map(|_| ()).map_err(|error| format!("{}: {error}", folder.display()))
}

fn model(place: &Path, file: &str, kind: Content) -> Sample {
    let folder = tiny_encoder(place);
    Sample {
        files: vec![folder.join(file)],
        kind,
        named: ["config.json", "tokenizer.json", "model.safetensors", "tiny-encoder"].map(str::to_owned).to_vec(),
        complete: nothing,
        read: Box::new(move |_| use_model(&folder)),
    }
}

/// What only our own folders have: further heads, adapters, low-rank factors.
fn saved(place: &Path) -> Sample {
    let mut learner = Learner::load(&tiny_encoder(place), Backend::Cpu).expect("a model");
    let labels = || spec::Labels::numbered(3);
    let sizes = spec::ParserSizes { arc: 8, label: 4, ..spec::ParserSizes::default() };
    for (task, head) in [
        (Task::Nli, spec::Head::RowLabels { labels: labels() }),
        (Task::Parse, spec::Head::Arcs { labels: labels(), sizes }),
    ] {
        learner.set_head(Some(task), head, 1).expect("a head");
    }
    let adapter = model::AdapterConfig::pfeiffer(4.0).with_invertible(2.0);
    learner.add_adapter("one", adapter, 1).expect("an adapter");
    let stack = model::AdapterStack { adapters: vec!["one".to_owned()], ..model::AdapterStack::default() };
    learner.activate(stack).expect("a stack");
    let adapted = place.join("adapted-model");
    learner.save_folder(&adapted, model::Precision::F16).expect("saved");
    let mut learner = Learner::load(&tiny_encoder(place), Backend::Cpu).expect("a model");
    learner.add_lora(model::LoraConfig::default(), 1).expect("factors");
    let low_rank = place.join("low-rank-model");
    learner.save_folder(&low_rank, model::Precision::F32).expect("saved");
    let inner = [adapted.join("adapters/one"), low_rank.join("lora")];
    let mut files = vec![adapted.join("config.json")];
    files.extend(inner.into_iter().map(|folder| folder.join("adapter_config.json")));
    Sample {
        files,
        kind: Content::Text,
        named: ["adapted-model", "low-rank-model"].map(str::to_owned).to_vec(),
        complete: nothing,
        read: Box::new(move |_| [&adapted, &low_rank].into_iter().try_for_each(|folder| use_model(folder))),
    }
}

fn checkpoint(place: &Path) -> Sample {
    let folder = tiny_encoder(place);
    let path = place.join("learner.safetensors");
    let mut learner = Learner::load(&folder, Backend::Cpu).expect("a model");
    let labels = Task::Nli.usual_labels();
    learner.set_head(Some(Task::Nli), spec::Head::RowLabels { labels }, 1).expect("a head");
    learner.save_checkpoint(&path).expect("saved");
    Sample {
        files: vec![path.clone()],
        kind: Content::Binary,
        named: vec!["learner.safetensors".to_owned()],
        complete: nothing,
        read: Box::new(move |_| {
            let mut learner = Learner::load(&folder, Backend::Cpu).map_err(said)?;
            learner.load_checkpoint(&path).map_err(said)
        }),
    }
}

fn npy(place: &Path) -> Sample {
    let path = place.join("v.npy");
    data::vectors::write_npy(&path, &[0.5; 24], 8).expect("written");
    Sample {
        files: vec![path.clone()],
        kind: Content::Binary,
        named: vec!["v.npy".to_owned()],
        complete: nothing,
        read: Box::new(move |_| data::vectors::read_npy(&path).map(|_| ()).map_err(said)),
    }
}

fn npz(place: &Path) -> Sample {
    let from = repository().join("crates/data/tests/reference/uriel");
    let files = ["features.npz", "feature_predictions.npz", "family_features.npz", "geocoord_features.npz"];
    let files: Vec<PathBuf> = files
        .iter()
        .map(|name| {
            std::fs::copy(from.join(name), place.join(name)).expect("copied");
            place.join(name)
        })
        .collect();
    let place = place.to_owned();
    Sample {
        named: names(&files),
        files,
        kind: Content::Binary,
        complete: nothing,
        read: Box::new(move |_| {
            let codes = ["deu", "eng"].map(str::to_owned);
            TypologicalDistance::ALL
                .into_iter()
                .try_for_each(|kind| Distances::of_codes(&place, kind, &codes).map(|_| ()).map_err(said))
        }),
    }
}

fn suite(place: &Path) -> Sample {
    let files: Vec<PathBuf> = ["mini-tuned", "mini-subnetworks", "mini-updates"]
        .iter()
        .map(|name| {
            let path = place.join(format!("{name}.toml"));
            std::fs::copy(repository().join(format!("suites/{name}.toml")), &path).expect("copied");
            path
        })
        .collect();
    let read = files.clone();
    Sample {
        // Whoever reads the file names it; the suite itself goes by its name.
        named: ["mini-tuned", "mini-subnetworks", "mini-updates"].map(str::to_owned).to_vec(),
        files,
        kind: Content::Text,
        complete: nothing,
        read: Box::new(move |mutant| {
            for path in read.iter().filter(|path| mutant.is_none_or(|mutant| mutant == *path)) {
                let named = |message: String| format!("{}: {message}", path.display());
                let text = files::read_text(path, 1 << 20).map_err(|error| named(error.to_string()))?;
                let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
                let suite = Suite::parse(stem, &text).map_err(said)?;
                let _ = suite.trials();
                for (protocol, method, _) in suite.work().take(1000) {
                    let _ = method.check(protocol);
                    let _ = method.data(protocol);
                }
            }
            Ok(())
        }),
    }
}

/// Writes a record's `files.json` anew, as whoever forges a record would.
fn seal_record(file: &Path) {
    let folder = file.parent().expect("a folder");
    if file.ends_with("files.json") {
        return;
    }
    let mut listed = BTreeMap::new();
    for entry in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        let name = entry.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        if !["files.json", "timing.json", "log.txt"].contains(&name.as_str()) {
            let bytes = std::fs::read(&entry).expect("a file");
            let hash = blake3::hash(&bytes).to_hex().to_string();
            listed.insert(name, Entry { bytes: bytes.len() as u64, blake3: hash });
        }
    }
    let check = blake3::hash(&serde_json::to_vec(&(1, &listed)).expect("JSON")).to_hex().to_string();
    let manifest = serde_json::json!({"format": 1, "files": listed, "check": check});
    std::fs::write(folder.join("files.json"), manifest.to_string()).expect("written");
}

/// In the order of the results folder's own.
#[derive(serde::Serialize)]
struct Entry {
    bytes: u64,
    blake3: String,
}

fn record(place: &Path, mutated: &[&str], kind: Content) -> Sample {
    let from = repository().join("results/record/mini/cells");
    let mut cells: Vec<PathBuf> =
        std::fs::read_dir(from).expect("records").map(|entry| entry.expect("an entry").path()).collect();
    cells.sort();
    let cell = cells.iter().find(|cell| cell.to_string_lossy().contains("-ft-")).expect("a record");
    let to = place.join("results/cells").join(cell.file_name().expect("a name"));
    std::fs::create_dir_all(&to).expect("a folder");
    for entry in std::fs::read_dir(cell).expect("a record").map(|entry| entry.expect("an entry").path()) {
        std::fs::copy(&entry, to.join(entry.file_name().expect("a name"))).expect("copied");
    }
    let root = place.join("results");
    let files: Vec<PathBuf> = mutated.iter().map(|name| to.join(name)).collect();
    let name = cell.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
    Sample {
        files,
        kind,
        named: vec![name],
        complete: seal_record,
        read: Box::new(move |_| {
            let results = results::ResultsFolder::read(&root).map_err(said)?;
            let (finished, damaged) = results.finished().map_err(said)?;
            for cell in &finished {
                cell.scores().map_err(said)?;
                cell.examples().map_err(said)?;
                cell.curve().map_err(said)?;
                cell.series().map_err(said)?;
            }
            let options = results::ReportOptions { resamples: 10, ..results::ReportOptions::default() };
            let report = results::report(&[], &finished, &damaged, &options);
            // Whatever a record says, the report of all records can be told.
            let report = report.unwrap_or_else(|error| panic!("no report: {error}"));
            report.render(results::Format::Terminal { width: 100, color: false });
            match damaged.first() {
                Some(damaged) => Err(format!("{}: {}", damaged.folder, damaged.why)),
                None => Ok(()),
            }
        }),
    }
}

/// Writes an entry's hash anew.
fn seal_entry(file: &Path) {
    let bytes = std::fs::read(file).expect("an entry");
    if let Some((magic, rest)) = bytes.split_first_chunk::<8>()
        && let Some(content) = rest.get(blake3::OUT_LEN..)
    {
        files::sealed::write(file, magic, content).expect("written");
    }
}

fn cache(place: &Path) -> Sample {
    let tasks = [Task::Ner, Task::Qa, Task::Nli, Task::Choice, Task::Parse, Task::Retrieval, Task::Mlm];
    let (folder, keys) = data_set(place, &tasks.map(|task| (task, Split::Test)));
    let tokenization = Tokenization::load(&tiny_encoder(place)).expect("a tokenizer");
    let cache = place.join("cache");
    let portion = Some(spec::Portion::First(5));
    let read = move |key: &DataKey, cache: &Path| {
        let options = EncodeOptions { max_length: 48, stride: 12, prefix: String::new() };
        let (encoded, _) = tasks::encoded(cache, &folder, key, portion, &tokenization, &options).map_err(said)?;
        Ok::<_, String>((encoded, options))
    };
    for key in &keys {
        read(key, &cache).expect("encoded");
    }
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(&cache).expect("a cache").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    assert_eq!(files.len(), tasks.len(), "an entry a task");
    let learner = Learner::load(&tiny_encoder(place), Backend::Cpu).expect("a model");
    Sample {
        files,
        kind: Content::Binary,
        // No entry may be the end of a cell.
        named: Vec::new(),
        complete: seal_entry,
        read: Box::new(move |mutant| {
            let of_mutant = |key: &&DataKey| {
                let name = mutant.and_then(Path::file_name).and_then(|name| name.to_str());
                name.is_none_or(|name| name.starts_with(&format!("{}-", key.task)))
            };
            for key in keys.iter().filter(of_mutant) {
                let (encoded, _) = read(key, &cache)?;
                let items: Vec<usize> = (0..encoded.len()).collect();
                encoded.batch(&items, 8);
                let drawn: Vec<usize> = (0..encoded.drawn_lengths().len()).collect();
                let batch = encoded.drawn_batch(&drawn, 8);
                encoded.clone().relabel(&key.task.usual_labels()).map_err(said)?;
                learner.sentence_vectors(&spec::Batch { task: None, ..batch }).map_err(said)?;
            }
            Ok(())
        }),
    }
}
