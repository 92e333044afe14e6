//! What is imported is what the files hold: the real data, counted by other means than the readers'.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use common::{format, language, real};
use data::Examples;
use parquet::file::reader::{FileReader, SerializedFileReader};
use serde_json::Value;
use tasks::{Input, Read, read};

fn read_file(name: &str, path: &Path, code: &str) -> Read {
    read_files(name, vec![path.to_owned()], code)
}

fn read_files(name: &str, paths: Vec<PathBuf>, code: &str) -> Read {
    read(format(name), &Input::new(paths, language(code))).unwrap_or_else(|error| panic!("{error}"))
}

/// Files below a folder whose name the test likes, sorted.
fn files(folder: &Path, takes: &dyn Fn(&str) -> bool) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path, takes));
        } else if takes(path.file_name().unwrap().to_str().unwrap()) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn parent(path: &Path) -> &str {
    path.parent().unwrap().file_name().unwrap().to_str().unwrap()
}

fn words(examples: &Examples) -> usize {
    let sentences = examples.text_lists("tokens");
    (0..examples.len()).map(|row| sentences.get(row).len()).sum()
}

/// How often each label of a column of lists occurs, by name.
fn tally(examples: &Examples, column: &str) -> BTreeMap<String, usize> {
    let (labels, lists) = (examples.labels(), examples.number_lists(column));
    let mut tally = BTreeMap::new();
    for row in 0..examples.len() {
        for &label in lists.get(row) {
            *tally.entry(labels.name(label as usize).unwrap().to_owned()).or_default() += 1;
        }
    }
    tally
}

#[test]
fn treebanks() {
    let Some(root) = real() else { return };
    let files = files(&root.join("data/ud"), &|name| name.ends_with(".conllu"));
    assert!(files.len() > 30);
    for path in &files {
        let code = path.file_name().unwrap().to_str().unwrap().split('_').next().unwrap();
        let text = fs::read_to_string(path).unwrap();
        let (mut sentences, mut ranges, mut empty) = (0, 0, 0);
        let (mut tags, mut relations) = (BTreeMap::<String, usize>::new(), BTreeMap::<String, usize>::new());
        let (mut heads, mut forms) = (Vec::new(), Vec::new());
        for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let columns: Vec<&str> = line.split('\t').collect();
            match columns[0] {
                id if id.contains('-') => ranges += 1,
                id if id.contains('.') => empty += 1,
                id => {
                    sentences += usize::from(id == "1");
                    forms.push(columns[1]);
                    *tags.entry(columns[3].to_owned()).or_default() += 1;
                    *relations.entry(columns[7].split(':').next().unwrap().to_owned()).or_default() += 1;
                    heads.push(columns[6].parse::<i64>().unwrap());
                }
            }
        }
        let pos = read_file("pos-conllu", path, code);
        let parse = read_file("parse-conllu", path, code);
        let name = path.display();
        for (read, column, expected) in [(&pos, "upos", &tags), (&parse, "deprel", &relations)] {
            assert_eq!((read.examples.len(), words(&read.examples)), (sentences, forms.len()), "{name}");
            assert_eq!(tally(&read.examples, column), *expected, "{name}");
            let told: usize =
                read.notes.iter().map(|note| note.split(' ').next().unwrap().parse::<usize>().unwrap()).sum();
            assert_eq!(told, ranges + empty, "{name}");
            let lists = read.examples.text_lists("tokens");
            assert!((0..sentences).flat_map(|row| lists.get(row)).eq(forms.iter().copied()), "{name}");
        }
        let lists = parse.examples.number_lists("head");
        assert!((0..sentences).flat_map(|row| lists.get(row)).eq(&heads), "{name}");
    }
}

#[test]
fn choices() {
    let Some(root) = real() else { return };
    let files = files(&root.join("data/xcopa"), &|name| name.ends_with(".jsonl"));
    assert_eq!(files.len(), 25);
    for path in &files {
        let rows: Vec<Value> =
            fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let read = read_file("choice-jsonl", path, parent(path));
        assert_eq!((read.examples.len(), read.notes.len()), (rows.len(), 0), "{}", path.display());
        let (choices, ids) = (read.examples.text_lists("choices"), common::ids(&read.examples));
        for (at, row) in rows.iter().enumerate() {
            let field = |name: &str| row[name].as_str().unwrap();
            assert_eq!(ids[at], row["idx"].to_string());
            assert_eq!(choices.get(at), [field("choice1"), field("choice2")]);
            assert_eq!(read.examples.numbers("label").value(at), row["label"].as_i64().unwrap());
            assert_eq!(read.examples.texts("premise").value(at), field("premise"));
            assert_eq!(read.examples.texts("question").value(at), field("question"));
        }
    }
}

#[test]
fn entities() {
    let Some(root) = real() else { return };
    let tables = files(&root.join("data/wikiann"), &|name| name.ends_with(".parquet"));
    assert_eq!(tables.len(), 78);
    for path in &tables {
        let file = SerializedFileReader::new(fs::File::open(path).unwrap()).unwrap();
        let leaf = |name: &str| {
            let schema = file.metadata().file_metadata().schema_descr_ptr();
            (0..schema.num_columns()).find(|&leaf| schema.column(leaf).path().parts()[0] == name).unwrap()
        };
        let values = |name: &str| {
            let groups = file.metadata().row_groups();
            groups.iter().map(|group| group.column(leaf(name)).num_values()).sum::<i64>() as usize
        };
        let read = read_file("wikiann-parquet", path, parent(path));
        assert_eq!(read.examples.len() as i64, file.metadata().file_metadata().num_rows(), "{}", path.display());
        assert_eq!((words(&read.examples), words(&read.examples)), (values("tokens"), values("ner_tags")));
        assert!(read.notes.is_empty());
    }
    let texts = files(&root.join("data/wikiann/text_xtreme"), &|name| name.ends_with(".tsv"));
    assert_eq!(texts.len(), 4);
    let original = files(&root.join("data/wikiann/text_rahimi_layout"), &|_| true);
    assert_eq!(original.len(), 2);
    for path in texts.iter().chain(&original) {
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let code = stem.split_once('-').map_or_else(|| parent(path), |(_, code)| code);
        let text = fs::read_to_string(path).unwrap();
        let mut expected = BTreeMap::<String, usize>::new();
        for line in text.lines().filter(|line| !line.is_empty()) {
            *expected.entry(line.rsplit('\t').next().unwrap().to_owned()).or_default() += 1;
        }
        let blocks = text.split("\n\n").filter(|block| !block.trim_matches('\n').is_empty()).count();
        for name in ["wikiann-text", "conll"] {
            let read = read_file(name, path, code);
            assert_eq!(read.examples.len(), blocks, "{}", path.display());
            assert_eq!(tally(&read.examples, "ner_tags"), expected, "{}", path.display());
        }
    }
    // The layout of the original release gives what the other gives.
    for split in ["train", "dev"] {
        let plain = read_file("wikiann-text", &root.join(format!("data/wikiann/text_xtreme/{split}-yo.tsv")), "yo");
        let prefixed = read_file("wikiann-text", &root.join("data/wikiann/text_rahimi_layout/yo").join(split), "yo");
        assert_eq!(plain.examples, prefixed.examples);
    }
}

#[test]
fn inference() {
    let Some(root) = real() else { return };
    for split in ["dev", "test"] {
        let path = root.join(format!("data/xnli/XNLI-1.0/xnli.{split}.tsv"));
        let text = fs::read_to_string(&path).unwrap();
        let mut counted: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
        for line in text.lines().skip(1) {
            let columns: Vec<&str> = line.split('\t').collect();
            *counted.entry(columns[0]).or_default().entry(columns[1]).or_default() += 1;
        }
        assert_eq!(counted.len(), 15);
        for (code, expected) in counted {
            let read = read_file("xnli-tsv", &path, code);
            let mut found = BTreeMap::new();
            common::classes(&read.examples).into_iter().for_each(|class| *found.entry(class).or_insert(0) += 1);
            assert_eq!((found, read.notes.len()), (expected, 0), "{code}");
        }
    }
    let path = root.join("data/xnli/XNLI-MT-1.0/multinli/multinli.train.en.16k.tsv");
    let lines = fs::read_to_string(&path).unwrap().lines().skip(1).count();
    assert_eq!(read_file("multinli-tsv", &path, "en").examples.len(), lines);
}

#[test]
fn questions() {
    let Some(root) = real() else { return };
    let folders = ["xquad", "mlqa", "squad", "tydiqa"].map(|folder| root.join("data").join(folder));
    let files: Vec<PathBuf> =
        folders.iter().flat_map(|folder| files(folder, &|name| name.ends_with(".json"))).collect();
    assert_eq!(files.len(), 12 + 5 + 2 + 6);
    let mut withheld = 0;
    for path in &files {
        let file: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        let list = |value: &Value, key: &str| value[key].as_array().unwrap().clone();
        let paragraphs = list(&file, "data").into_iter().flat_map(|article| list(&article, "paragraphs"));
        let questions: Vec<Value> = paragraphs.flat_map(|paragraph| list(&paragraph, "qas")).collect();
        let unanswered = |question: &Value| list(question, "answers").iter().all(|answer| answer["text"] == "");
        if questions.iter().any(unanswered) {
            // A copy without its answers is refused whole, with the reason.
            let error = read(format("squad-json"), &Input::new(vec![path.clone()], language("en"))).unwrap_err();
            assert!(error.to_string().contains("no answer"), "{error}");
            withheld += 1;
            continue;
        }
        let read = read_file("squad-json", path, "en").examples;
        let ids: Vec<&str> = questions.iter().map(|question| question["id"].as_str().unwrap()).collect();
        assert_eq!(common::ids(&read), ids, "{}", path.display());
        let answers = read.answers("answers");
        for (row, question) in questions.iter().enumerate() {
            assert_eq!(answers.get(row).len(), list(question, "answers").len());
            assert_eq!(read.texts("question").value(row), question["question"].as_str().unwrap());
        }
    }
    assert_eq!(withheld, 6);
}

#[test]
fn translations() {
    let Some(root) = real() else { return };
    let english = files(&root.join("data/tatoeba"), &|name| name.ends_with(".eng"));
    assert_eq!(english.len(), 112);
    for path in &english {
        let code = path.file_stem().unwrap().to_str().unwrap().split(['.', '-']).nth(1).unwrap();
        let foreign = path.with_extension(code);
        let lines = |path: &Path| fs::read(path).unwrap().iter().filter(|&&byte| byte == b'\n').count();
        let read = read_files("tatoeba", vec![foreign.clone(), path.clone()], code);
        assert_eq!((read.examples.len(), read.examples.len()), (lines(&foreign), lines(path)), "{}", path.display());
    }
}
