//! Import of public folders and of single files.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Builder, ListBuilder, RecordBatch, StringBuilder};
use common::{format, labels, language, sentences};
use data::{DataFolder, Examples};
use parquet::arrow::ArrowWriter;
use spec::{DataKey, Labels, Name, Split, Task};
use tasks::{ImportFile, Input, Selection, import, import_file};
use tempfile::TempDir;

/// A folder of files to import, and one to import into.
struct World {
    place: TempDir,
    data: DataFolder,
}

impl World {
    fn new() -> Self {
        let place = TempDir::new().unwrap();
        let data = DataFolder::open(&place.path().join("data"));
        Self { place, data }
    }

    fn source(&self) -> PathBuf {
        self.place.path().join("public")
    }

    fn put(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.source().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    /// Imports all that is recognised: the error, if there is one, and what is said.
    fn import(&self) -> (Option<String>, Vec<String>) {
        let mut said = Vec::new();
        let result = import(&self.source(), &self.data, &Selection::default(), &mut |line| said.push(line.to_owned()));
        (result.err().map(|error| error.to_string()), said)
    }

    fn keys(&self) -> Vec<String> {
        let lines = self.data.check(&mut |_| {}).unwrap().0;
        assert!(lines.iter().all(|line| line.damage.is_none()), "{lines:?}");
        lines.iter().map(|line| line.key.to_string()).collect()
    }

    /// Imports one file into the data set `mine`: what is said.
    fn import_file(
        &self,
        name: &str,
        path: PathBuf,
        code: &str,
        split: Split,
        given: Labels,
    ) -> Result<String, String> {
        let format = format(name);
        let mut input = Input::new(vec![path], language(code));
        input.labels = given;
        let (dataset, licence, source) = (Name::new("mine").unwrap(), String::new(), String::new());
        let file = ImportFile { format, input, dataset, task: format.task(), split, licence, source };
        let mut said = Vec::new();
        import_file(&file, &self.data, &mut |line| said.push(line.to_owned())).map_err(|error| error.to_string())?;
        Ok(said.join("\n"))
    }

    fn load(&self, task: Task, code: &str, split: Split) -> Examples {
        let key = DataKey::new(task, &Name::new("mine").unwrap(), language(code), split);
        self.data.load(&key, None).unwrap()
    }
}

const SQUAD: &str = r#"{"data":[{"paragraphs":[{"context":"one two","qas":[{"id":"a","question":"?","answers":[{"text":"two","answer_start":4}]}]}]}]}"#;
const CHOICE: &str = r#"{"premise":"p","choice1":"a","choice2":"b","question":"cause","label":1,"idx":0}"#;

fn wikiann(sentences: &[&str]) -> Vec<u8> {
    let (mut words, mut tags) = (ListBuilder::new(StringBuilder::new()), ListBuilder::new(Int64Builder::new()));
    for sentence in sentences {
        words.append_value(sentence.split(' ').map(Some));
        tags.append_value(sentence.split(' ').map(|_| Some(0)));
    }
    let columns: [(&str, ArrayRef); 2] = [("tokens", Arc::new(words.finish())), ("ner_tags", Arc::new(tags.finish()))];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

#[test]
fn public_file_names_are_recognised() {
    let world = World::new();
    let put = |name: &str, text: &str| {
        world.put(name, text);
    };
    put("xquad/xquad.th.json", SQUAD);
    put("squad/train-v1.1.json", SQUAD);
    put("squad/dev-v1.1.minus-xquad.json", SQUAD);
    put("mlqa/dev/dev-context-de-question-de.json", SQUAD);
    put("mlqa/dev/dev-context-de-question-en.json", "never read");
    put("tydiqa/tydiqa.goldp.sw.dev.json", SQUAD);
    put("x/xnli.dev.tsv", "language\tgold_label\tsentence1\tsentence2\nde\tneutral\ta\tb\nbg\tneutral\ta\tb\n");
    put("x/multinli.train.en.tsv", "premise\thypo\tlabel\na\tb\tneutral\n");
    put("t/tatoeba.cmn-eng.cmn", "一\n");
    put("t/tatoeba.cmn-eng.eng", "one\n");
    let tree = "1\tgo\t_\tVERB\t_\t_\t0\troot\t_\t_\n\n";
    put("ud/UD_German-GSD/de_gsd-ud-test.conllu", tree);
    put("ud/UD_German-PUD/de_pud-ud-test.conllu", &tree.repeat(2));
    put("xcopa/et/val.et.jsonl", CHOICE);
    put("xcopa/en/train.en.jsonl", CHOICE);
    put("elsewhere/train.de.jsonl", "never read");
    put("x-final/de/test_2k.tsv", "id\tsentence1\tsentence2\tlabel\n1\ta\tb\t1\n");
    put("elsewhere/de/train.tsv", "never read");
    put("notes.txt", "something else");
    put("tydiqa/tydiqa.goldp.ko.dev.json", &SQUAD.replace("two\",", "\",").replace("4}", "0}"));
    world.put("wikiann/de/test-00000-of-00001.parquet", wikiann(&["ein Satz"]));
    let (error, said) = world.import();
    assert_eq!(error, None);
    let left_out: Vec<&String> = said.iter().filter(|line| line.contains("left out")).collect();
    assert!(left_out.len() == 2 && left_out[1].contains("goldp.ko") && left_out[1].contains("no answer"), "{said:?}");
    assert!(
        left_out[0].contains("not recognised") && left_out[0].contains("4 files") && left_out[0].contains("notes.txt")
    );
    let expected = [
        "copa/choice/en/train",
        "mlqa/qa/de/validation",
        "multinli/nli/en/train",
        "paws-x/paraphrase/de/test",
        "squad/qa/en/train",
        "squad-dev/qa/en/train",
        "tatoeba/retrieval/zh/test",
        "tydiqa/qa/sw/validation",
        "ud/pos/de/test",
        "ud/parse/de/test",
        "wikiann/ner/de/test",
        "xcopa/choice/et/validation",
        "xnli/nli/bg/validation",
        "xnli/nli/de/validation",
        "xquad/qa/th/test",
    ];
    assert_eq!((world.keys(), said.len()), (expected.map(str::to_owned).to_vec(), expected.len() + 2));
    // All treebanks of a language are one file.
    let rows = |task| {
        let key = DataKey::new(task, &Name::new("ud").unwrap(), language("de"), Split::Test);
        world.data.entry(&key).unwrap().rows
    };
    assert_eq!([rows(Task::Pos), rows(Task::Parse)], [3, 3]);

    // Again: nothing changes.
    let (error, said) = world.import();
    assert!(
        error.is_none() && said.iter().filter(|line| line.contains("already there")).count() == expected.len(),
        "{said:?}"
    );

    let only = Selection { datasets: vec![Name::new("xnli").unwrap()], languages: vec![language("de")] };
    let elsewhere = DataFolder::open(&world.place.path().join("other"));
    assert_eq!(import(&world.source(), &elsewhere, &only, &mut |_| {}).unwrap().len(), 1);
    let nothing = import(elsewhere.root(), &world.data, &Selection::default(), &mut |_| {});
    assert!(nothing.unwrap_err().to_string().contains("no file with the name"));
}

#[test]
fn a_bad_file_does_not_keep_the_others_out() {
    let world = World::new();
    world.put("korean/multinli.train.ko.tsv", "sentence1\tsentence2\tgold_label\na\tb\tneutral\n");
    world.put("a/xquad.ar.json", "{");
    world.put("xquad.de.json", SQUAD);
    let (error, said) = world.import();
    assert_eq!(world.keys(), ["xquad/qa/de/test"]);
    let error = error.unwrap();
    assert!(error.contains("multinli.train.ko.tsv") && error.contains("line 1"), "{error}");
    let others: Vec<&String> = said.iter().filter(|line| line.contains("not imported")).collect();
    assert!(others.len() == 1 && others[0].contains("xquad.ar.json"), "{said:?}");
}

/// Two files of one name in two folders are two copies, or two data sets; neither is both.
#[test]
fn files_of_one_name_in_two_folders_are_refused() {
    let world = World::new();
    let [first, second] = ["fquad", "sber"].map(|folder| world.put(&format!("{folder}/train-v1.1.json"), SQUAD));
    let (error, _) = world.import();
    let error = error.unwrap();
    for path in [first, second] {
        assert!(error.contains(path.to_str().unwrap()), "{error}");
    }
    assert!(error.contains("squad/qa (train)") && world.keys().is_empty(), "{error}");

    let world = World::new();
    for snapshot in ["aaa", "bbb"] {
        let name = format!("datasets--wikiann/snapshots/{snapshot}/de/test-00000-of-00001.parquet");
        world.put(&name, wikiann(&["ein Satz"]));
    }
    // Shards of one folder belong together.
    for shard in ["00000", "00001"] {
        world.put(&format!("wikiann/fr/test-{shard}-of-00002.parquet"), wikiann(&["une phrase"]));
    }
    let error = world.import().0.unwrap();
    assert!(error.contains("aaa") && error.contains("bbb"), "{error}");
    assert_eq!(world.keys(), ["wikiann/ner/fr/test"]);
    assert_eq!(world.data.list().unwrap().0[0].entries[0].rows, 2);
}

#[test]
fn unknown_languages_are_named() {
    let world = World::new();
    for (code, file) in [("zh-yue", "train"), ("zh-yue", "test"), ("xx", "test"), ("de", "test")] {
        world.put(&format!("wikiann/{code}/{file}-00000-of-00001.parquet"), wikiann(&["ein Satz"]));
    }
    let tree = "1\tgo\t_\tVERB\t_\t_\t0\troot\t_\t_\n\n";
    world.put("UD_X/qqq_x-ud-test.conllu", tree);
    let (error, said) = world.import();
    assert_eq!((error, world.keys()), (None, vec!["wikiann/ner/de/test".to_owned()]));
    for (files, code) in [("2 files of wikiann", "`zh-yue`"), ("1 file of wikiann", "`xx`"), ("1 file of ud", "`qqq`")]
    {
        let named = said.iter().any(|line| line.contains("left out") && line.contains(files) && line.contains(code));
        assert!(named, "{code}: {said:?}");
    }
    assert_eq!(said.len(), 4);
}

#[test]
fn a_file_is_imported_as_what_it_is_said_to_be() {
    let world = World::new();
    let path = world.put("any", "Ada\tB-PER\nran\tO\n");
    let file = ImportFile {
        format: format("wikiann-text"),
        input: Input::new(vec![path], language("en")),
        dataset: Name::new("mine").unwrap(),
        task: Task::Qa,
        split: Split::Train,
        licence: String::new(),
        source: String::new(),
    };
    assert!(import_file(&file, &world.data, &mut |_| {}).unwrap_err().to_string().contains("is for ner"));
    let entry = import_file(&ImportFile { task: Task::Ner, ..file }, &world.data, &mut |_| {}).unwrap();
    assert_eq!((entry.rows, entry.source.as_str()), (1, "any"));
    assert_eq!(
        sentences(&world.load(Task::Ner, "en", Split::Train), "ner_tags"),
        [vec![("Ada", "B-PER"), ("ran", "O")]]
    );
}

#[test]
fn notes_of_the_reader_are_told() {
    let world = World::new();
    let path = world.put("any", "a I-X\n");
    let said = world.import_file("conll", path, "en", Split::Test, Labels::default()).unwrap();
    assert!(said.contains("mine/ner/en/test: tags in IOB1 were turned into IOB2"), "{said}");
}

/// Files with fewer or more labels number those alike that they share, whichever comes first.
#[test]
fn files_of_a_data_set_number_labels_alike() {
    let (few, many) = ("a B-DATE\nb O\n", "a B-DATE\nb O\nc B-AGE\nd I-AGE\n");
    let names = |world: &World, split| world.load(Task::Ner, "de", split).labels().clone();
    let tags = |world: &World, split| world.load(Task::Ner, "de", split).number_lists("ner_tags").get(0).to_vec();
    for order in [[Split::Train, Split::Test], [Split::Test, Split::Train]] {
        let world = World::new();
        for split in order {
            let path = world.put(split.as_str(), if split == Split::Train { few } else { many });
            world.import_file("conll", path, "de", split, Labels::default()).unwrap();
        }
        let (train, test) = (names(&world, Split::Train), names(&world, Split::Test));
        let shared = train.len().min(test.len());
        assert_eq!(train.names()[..shared], test.names()[..shared], "{order:?}");
        assert_eq!(tags(&world, Split::Train)[..], tags(&world, Split::Test)[..2], "{order:?}");
        for split in order {
            let read = world.load(Task::Ner, "de", split);
            assert_eq!(sentences(&read, "ner_tags")[0][..2], [("a", "B-DATE"), ("b", "O")]);
        }
        // A third file, whose labels are among those of the larger one.
        let path = world.put("dev", "c B-AGE\n");
        world.import_file("conll", path, "de", Split::Validation, Labels::default()).unwrap();
        assert_eq!(names(&world, Split::Validation), test, "{order:?}");
    }
    // Where neither contains the other, both stay as they are; given names count alone.
    let world = World::new();
    let path = world.put("train", few);
    world.import_file("conll", path, "de", Split::Train, Labels::default()).unwrap();
    let path = world.put("test", "a B-PROD\n");
    world.import_file("conll", path.clone(), "de", Split::Test, Labels::default()).unwrap();
    assert_eq!(names(&world, Split::Test), labels(&["O", "B-PROD", "I-PROD"]));
    let given = labels(&["B-PROD", "O", "I-PROD"]);
    world.import_file("conll", path, "de", Split::Test, given.clone()).unwrap();
    assert_eq!(names(&world, Split::Test), given);
    let manifest = fs::read_to_string(world.data.root().join("mine/manifest.toml")).unwrap();
    assert!(manifest.contains(r#"labels = ["B-PROD", "O", "I-PROD"]"#), "{manifest}");
}

/// The numbers of a table are places in its own names, whatever the data set's other files call theirs.
#[test]
fn tables_keep_the_meaning_of_their_numbers() {
    let world = World::new();
    let path = world.put("train.csv", "text,label\na,yes\nb,no\nc,maybe\n");
    world.import_file("sentences", path, "de", Split::Train, Labels::default()).unwrap();
    assert_eq!(*world.load(Task::Paraphrase, "de", Split::Train).labels(), labels(&["maybe", "no", "yes"]));
    let path = world.source().join("test.parquet");
    write_pairs(&path, &["yes", "no"], &[0, 1, 1]);
    world.import_file("paraphrase-parquet", path, "de", Split::Test, Labels::default()).unwrap();
    let test = world.load(Task::Paraphrase, "de", Split::Test);
    assert_eq!(
        (common::classes(&test), &test.numbers("label").values()[..]),
        (vec!["yes", "no", "no"], &[2, 1, 1][..])
    );
}

/// A hub's table of pairs, which names its classes.
fn write_pairs(path: &Path, names: &[&str], rows: &[i64]) {
    use arrow::array::{Int64Array, StringArray};
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["t"; rows.len()]));
    let label: ArrayRef = Arc::new(Int64Array::from(rows.to_vec()));
    let columns = [("sentence1", texts.clone()), ("sentence2", texts), ("label", label)];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = ArrowWriter::try_new(fs::File::create(path).unwrap(), batch.schema(), None).unwrap();
    let told = serde_json::json!({"info": {"features": {"label": {"names": names}}}}).to_string();
    writer.append_key_value_metadata(parquet::file::metadata::KeyValue::new("huggingface".to_owned(), told));
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

/// The folder that XTREME's download script makes, and MultiNLI's own archive.
#[test]
fn other_layouts_of_public_data_are_recognised() {
    let world = World::new();
    world.put("panx/test-de.tsv", "Anna\tB-PER\nin\tO\n");
    world.put("udpos/train-de.tsv", "Anna\tPROPN\n");
    world.put("xnli/test-de.tsv", "a b\tc d\tneutral\n");
    world.put("pawsx/dev-de.tsv", "\"ein \"\"a\"\"\"\tb\t1\r\nc\td\t0\r\n");
    world.put("pawsx/test-de.tsv", "a\tb\r\n");
    world.put("tatoeba/de-en.de", "eins\n");
    world.put("tatoeba/de-en.en", "one\n");
    let header = "promptID\tpairID\tsentence1\tsentence2\tgold_label\n";
    for part in ["train", "dev_matched", "dev_mismatched"] {
        world.put(&format!("multinli_1.0/multinli_1.0_{part}.txt"), format!("{header}1\t1n\ta\tb\tneutral\n"));
    }
    world.put("elsewhere/test-de.tsv", "never read");
    let (error, said) = world.import();
    assert_eq!(error, None);
    let expected = [
        "multinli/nli/en/train",
        "multinli/nli/en/validation",
        "multinli-mismatched/nli/en/validation",
        "panx/ner/de/test",
        "paws-x/paraphrase/de/validation",
        "tatoeba/retrieval/de/test",
        "udpos/pos/de/train",
        "xnli/nli/de/test",
    ];
    assert_eq!(world.keys(), expected, "{said:?}");
    // The English side belongs to the foreign one and is no file of its own; nobody knows it by its name.
    let others = said.iter().find(|line| line.contains("not recognised")).unwrap();
    assert!(others.contains("1 file (") && others.contains("test-de.tsv"), "{others}");
}

#[test]
fn a_data_set_that_is_not_there_is_told_with_what_is() {
    let world = World::new();
    world.put("xquad/xquad.de.json", SQUAD);
    let only = |names: &[&str]| {
        let datasets = names.iter().map(|&name| Name::new(name).unwrap()).collect();
        let mut said = Vec::new();
        let selection = Selection { datasets, languages: Vec::new() };
        let result = import(&world.source(), &world.data, &selection, &mut |line| said.push(line.to_owned()));
        (result.map_err(|error| error.to_string()), said.join("\n"))
    };
    let message = only(&["xquda"]).0.unwrap_err();
    assert!(message.contains("`xquda`") && message.contains("did you mean `xquad`?"), "{message}");
    let (imported, said) = only(&["xquad", "mlqa"]);
    assert!(imported.unwrap().len() == 1 && said.contains("nothing of `mlqa`") && said.contains("xquad"), "{said}");
}

#[test]
fn what_is_replaced_is_told() {
    let world = World::new();
    let import = |name: &str, text: &str| {
        let path = world.put(name, text);
        world.import_file("wikiann-text", path, "en", Split::Train, Labels::default()).unwrap()
    };
    assert!(import("one.tsv", "Ada\tB-PER\n\nran\tO\n").ends_with("2 rows, imported"));
    assert!(import("one.tsv", "Ada\tB-PER\n\nran\tO\n").ends_with("2 rows, already there"));
    let said = import("two.tsv", "Bo\tB-PER\n");
    assert!(said.ends_with("1 rows, imported in place of other 2 rows from one.tsv"), "{said}");
}

#[test]
fn labels_are_named_only_where_they_can_be() {
    let world = World::new();
    for (format, text) in [("choice-jsonl", CHOICE), ("multinli-tsv", "premise\thypo\tlabel\na\tb\tneutral\n")] {
        let path = world.put("any", text);
        let message = world.import_file(format, path, "en", Split::Train, labels(&["a", "b"])).unwrap_err();
        assert!(message.contains(format) && message.contains("--labels"), "{message}");
    }
    assert!(world.keys().is_empty());
}

#[test]
fn two_imports_at_once_lose_nothing() {
    let world = World::new();
    let path = world.put("any", "Ada\tB-PER\n");
    std::thread::scope(|scope| {
        for split in Split::ALL {
            let (world, path) = (&world, path.clone());
            scope.spawn(move || world.import_file("wikiann-text", path, "en", split, Labels::default()).unwrap());
        }
    });
    assert_eq!(world.keys().len(), 3);
}
