//! The formats of entities, inference, questions and translations on small files, good and bad.

mod common;

use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Int32Builder, Int64Array, Int64Builder, LargeListBuilder, LargeStringBuilder, ListBuilder, RecordBatch,
    StringArray, StringBuilder, StructArray,
};
use common::{classes, format, ids, read_files, read_text, read_texts, refuses, sentences};
use data::Examples;
use parquet::arrow::ArrowWriter;
use spec::{Language, Task};
use tasks::{Format, Input, read};
use tempfile::TempDir;

type Sentences<'a> = Vec<Vec<(&'a str, &'a str)>>;

fn words(examples: &Examples) -> Sentences<'_> {
    sentences(examples, "ner_tags")
}

const SMALL: [&[(&str, &str)]; 2] = [&[("Ada", "B-PER"), ("ran", "O")], &[("Yo", "B-LOC")]];

#[test]
fn formats_have_names_of_their_own() {
    let all = Format::all();
    for (index, format) in all.iter().enumerate() {
        assert_eq!(format.as_str().parse(), Ok(*format));
        assert!(all[..index].iter().all(|other| other.as_str() != format.as_str()), "{format}");
        assert!(!format.about().is_empty());
    }
    for task in Task::ALL {
        assert!(all.iter().any(|format| format.task() == *task), "{task} can be read from nothing");
    }
    assert!("wikiann".parse::<Format>().unwrap_err().to_string().contains("wikiann-text"));
}

#[test]
fn wikiann_text_in_both_layouts() {
    let plain = read_text("wikiann-text", "Ada\tB-PER\nran\tO\n\n\nYo\tB-LOC\n", "yo").unwrap();
    let prefixed = read_text("wikiann-text", "yo:Ada\tB-PER\nyo:ran\tO\n\nyo:Yo\tB-LOC", "yo").unwrap();
    let windows = read_text("wikiann-text", "\u{feff}Ada\tB-PER\r\nran\tO\r\n\r\nYo\tB-LOC\r\n", "yo").unwrap();
    assert_eq!(words(&plain), SMALL);
    assert_eq!(plain.number_lists("ner_tags").get(1), [5]);
    assert_eq!(plain, prefixed);
    assert_eq!(plain, windows);
    // A token that merely begins like the prefix is left as it is.
    let one = read_text("wikiann-text", "yo:Ada\tO\nran\tO\n", "yo").unwrap();
    assert_eq!(words(&one)[0][0].0, "yo:Ada");
}

#[test]
fn bad_wikiann_text_is_refused() {
    refuses(read_text("wikiann-text", "Ada\tO\nran\n", "en"), &["line 2", "no tag"]);
    refuses(read_text("wikiann-text", "Ada\tO\nran\tDOG\n", "en"), &["line 2", "word `ran`", "`DOG`"]);
    refuses(read_text("wikiann-text", "Ada\tO\nran\t\n", "en"), &["line 2", "no tag"]);
    refuses(read_text("wikiann-text", "Ada O\n", "en"), &["line 1", "no tab", "`conll`"]);
    refuses(read_text("wikiann-text", "Ada\tO\n\tO\n", "en"), &["line 2"]);
    refuses(read_text("wikiann-text", b"Ada\tO\nr\xffn\tO\n", "en"), &["line 2", "UTF-8"]);
    refuses(read_text("wikiann-text", b"Ada\tO\nr\0n\tO\n", "en"), &["line 2", "null"]);
    refuses(read_text("wikiann-text", "\n\n", "en"), &["no examples"]);
    refuses(read_text("wikiann-text", "", "en"), &["no examples"]);
}

const XNLI: &str = "language\tgold_label\tsentence1\tsentence2\tgenre\n";

#[test]
fn xnli_finds_columns_by_name_and_leaves_out_rows_without_majority() {
    let rows = "de\tneutral\tA\tB \u{201c}x\ty\nde\t-\tA\tC\t\nen\tentailment\t\"A\tD\t\nde\tcontradiction\tA\tE\t\n";
    let german = read_text("xnli-tsv", format!("{XNLI}{rows}"), "de").unwrap();
    assert_eq!((classes(&german), ids(&german)), (vec!["neutral", "contradiction"], vec!["0", "2"]));
    assert_eq!(german.numbers("label").values()[..], [1, 2]);
    assert_eq!(german.texts("hypothesis").value(0), "B \u{201c}x");
    let english = read_text("xnli-tsv", format!("{XNLI}{rows}"), "en").unwrap();
    assert_eq!(english.texts("premise").value(0), "\"A");
}

#[test]
fn bad_nli_tables_are_refused() {
    refuses(read_text("xnli-tsv", format!("{XNLI}de\tneutral\tA\tB\n"), "de"), &["line 2", "4 columns"]);
    refuses(read_text("xnli-tsv", format!("{XNLI}de\tmaybe\tA\tB\t\n"), "de"), &["line 2", "maybe"]);
    refuses(read_text("xnli-tsv", format!("{XNLI}qq\tneutral\tA\tB\t\n"), "de"), &["line 2", "qq"]);
    refuses(read_text("xnli-tsv", format!("{XNLI}de\tneutral\tA\tB\t\n"), "en"), &["`en`", "de"]);
    refuses(read_text("xnli-tsv", "language\tgold_label\n", "de"), &["sentence1"]);
    refuses(read_text("multinli-tsv", "premise\thypo\tlabel\nA\tB\n", "en"), &["line 2", "2 columns"]);
    refuses(read_text("multinli-tsv", "A\tB\tneutral\n", "en"), &["line 1", "header"]);
    refuses(read_text("multinli-tsv", "premise\thypo\tlabel\nA\tB\t0\n", "en"), &["line 2", "`0`"]);
    let good = read_text("multinli-tsv", "premise\thypo\tlabel\nA\tB\tcontradictory\nA\tB\t-\n", "en").unwrap();
    assert_eq!((classes(&good), ids(&good)), (vec!["contradiction"], vec!["0"]));
}

fn squad(id: &str, context: &str, answer: &str, start: i64) -> String {
    let answers = serde_json::json!([{"text": answer, "answer_start": start}]);
    let question = serde_json::json!({"id": id, "question": "Q?", "answers": answers, "more": 1});
    serde_json::json!({"version": "1", "data": [{"title": "T", "paragraphs": [{"context": context, "qas": [question]}]}]})
        .to_string()
}

#[test]
fn squad_counts_characters() {
    let context = "🙂 กรุงเทพ cafe\u{301} here";
    for answer in ["🙂", "กรุงเทพ", "cafe\u{301}", "here"] {
        let start = context.split(answer).next().unwrap().chars().count();
        let read = read_text("squad-json", squad("a", context, answer, start as i64), "th").unwrap();
        assert_eq!(read.answers("answers").get(0), [(answer, start)]);
        let off = read_text("squad-json", squad("a", context, answer, start as i64 + 1), "th");
        refuses(off, &["question `a`", "answer_start"]);
    }
}

#[test]
fn bad_squad_is_refused() {
    let good = squad("a", "one two", "two", 4);
    refuses(read_text("squad-json", &good[..good.len() / 2], "en"), &["SQuAD's JSON", "line 1"]);
    refuses(read_text("squad-json", good.replace("qas", "qs"), "en"), &["qas"]);
    refuses(read_text("squad-json", squad("a", "one", "one", -1), "en"), &["question `a`"]);
    refuses(read_text("squad-json", squad("a", "one", "one", i64::MAX), "en"), &["question `a`"]);
    refuses(read_text("squad-json", squad("a", "one", "", 1), "en"), &["question `a`"]);
    refuses(read_text("squad-json", squad("a", "o\0e", "e", 2), "en"), &["question `a`", "null"]);
    let none = r#"{"data":[{"paragraphs":[{"context":"c","qas":[{"id":"x","question":"q","answers":[]}]}]}]}"#;
    refuses(read_text("squad-json", none, "en"), &["question `x`", "no answer"]);
    let deep = "[".repeat(100_000);
    refuses(read_text("squad-json", deep, "en"), &["SQuAD's JSON"]);
    let twice = read_texts("squad-json", &[good.as_bytes(), good.as_bytes()], "en");
    let message = twice.unwrap_err();
    assert!(message.contains("file1: question `a`: identifier `a` occurs twice"), "{message}");
}

/// One annotator's slip costs his answer, not the file.
#[test]
fn misplaced_answers_are_left_out_beside_good_ones() {
    let good = squad("a", "one two", "two", 4);
    let two = good.replace(
        "[{\"answer_start\":4,\"text\":\"two\"}]",
        "[{\"answer_start\":3,\"text\":\"two\"},{\"answer_start\":4,\"text\":\"two\"}]",
    );
    assert_ne!(good, two);
    let read = read_files("squad-json", &[("file0", two.as_bytes())], "de", |_| {}).unwrap();
    assert_eq!(read.examples.answers("answers").get(0), [("two", 4)]);
    assert!(read.notes.len() == 1 && read.notes[0].starts_with("1 answers that are not at their answer_start"));
    let parquet = |starts: [i64; 2]| {
        let (mut texts, mut places) = (ListBuilder::new(StringBuilder::new()), ListBuilder::new(Int64Builder::new()));
        texts.append_value(["two"; 2].map(Some));
        places.append_value(starts.map(Some));
        let fields: [(&str, ArrayRef); 2] =
            [("text", Arc::new(texts.finish())), ("answer_start", Arc::new(places.finish()))];
        let answers: ArrayRef = Arc::new(StructArray::try_from(fields.to_vec()).unwrap());
        let one = |text: &str| -> ArrayRef { Arc::new(StringArray::from(vec![text])) };
        let columns =
            vec![("id", one("a")), ("question", one("Q?")), ("context", one("one two")), ("answers", answers)];
        read_parquet("squad-parquet", columns)
    };
    assert_eq!(parquet([3, 4]).unwrap().answers("answers").get(0), [("two", 4)]);
    refuses(parquet([3, 5]), &["row 1", "character 3"]);
    refuses(
        read_text("squad-json", two.replace("\"answer_start\":4", "\"answer_start\":5"), "de"),
        &["question `a`", "character 3"],
    );
}

/// One annotator's slip does not cost the question.
#[test]
fn an_answer_in_front_of_its_context_is_left_out_beside_a_good_one() {
    let question = |answers: serde_json::Value| {
        let question = serde_json::json!({"id": "a", "question": "Q?", "answers": answers});
        serde_json::json!({"data": [{"paragraphs": [{"context": "one two", "qas": [question]}]}]}).to_string()
    };
    let (good, bad) =
        (serde_json::json!({"text": "two", "answer_start": 4}), serde_json::json!({"text": "one", "answer_start": -1}));
    let both = question(serde_json::json!([bad, good]));
    let read = read_files("squad-json", &[("file0", both.as_bytes())], "en", |_| {}).unwrap();
    assert_eq!(read.examples.answers("answers").get(0), [("two", 4)]);
    assert!(read.notes[0].starts_with("1 answers that are not at their answer_start"), "{:?}", read.notes);
    refuses(
        read_text("squad-json", question(serde_json::json!([bad])), "en"),
        &["question `a`", "in front of the context"],
    );
}

/// A context once for each of a thousand questions.
#[test]
fn a_context_of_too_many_questions_is_refused() {
    let question = |index: usize| serde_json::json!({"id": index, "question": "Q?", "answers": [{"text": "a", "answer_start": 0}]});
    let paragraph =
        serde_json::json!({"context": "a".repeat(1 << 18), "qas": (0..2000).map(question).collect::<Vec<_>>()});
    let text = serde_json::json!({"data": [{"paragraphs": [paragraph]}]}).to_string();
    refuses(read_text("squad-json", text, "en"), &["question `", "too many questions"]);
}

/// XTREME's script writes with Python's csv module, and keeps the labels of the test split to itself.
#[test]
fn xtremes_paraphrases_may_be_quoted() {
    let text = "\"He said \"\"no\"\".\"\tB\t1\r\nC\tD\t0\r\n";
    let read = read_text("xtreme-paraphrase", text, "de").unwrap();
    assert_eq!((read.texts("sentence1").value(0), read.texts("sentence2").value(1)), ("He said \"no\".", "D"));
    assert_eq!(classes(&read), ["paraphrase", "different"]);
    refuses(read_text("xtreme-paraphrase", "A\tB\n", "de"), &["line 1", "no label", "neither trained on nor scored"]);
    refuses(read_text("xtreme-paraphrase", "A\tB\t2\n", "de"), &["line 1", "`2`"]);
    refuses(read_text("xtreme-paraphrase", "A\tB\t0\nC\n", "de"), &["line 2", "1 columns"]);
}

/// The shard that a bad tag is in is named, and the row there.
#[test]
fn a_bad_tag_in_a_later_file_is_named_with_that_file() {
    let folder = TempDir::new().unwrap();
    let shard = |name: &str, second: i32| {
        let path = folder.path().join(name);
        let rows = [Some(vec![Some(0)]), Some(vec![Some(second)])];
        parquet(&path, vec![("tokens", tokens(&[&[Some("a")], &[Some("b")]])), ("ner_tags", tags(&rows))]);
        path
    };
    let labels = spec::Labels::new(["O", "B-DATE", "X-DATE"]).unwrap();
    let paths = vec![shard("first", 1), shard("second", 2)];
    let input = Input { labels, ..Input::new(paths, Language::ENGLISH) };
    let message = read(format("wikiann-parquet"), &input).unwrap_err().to_string();
    assert!(message.contains("second: row 2, column `ner_tags`") && message.contains("X-DATE"), "{message}");
}

/// A dictionary of one long text and run lengths of it: a few kilobytes that stand for terabytes.
#[test]
fn a_table_that_would_fill_the_memory_is_refused() {
    const ROWS: usize = 1000;
    let long: ArrayRef = Arc::new(StringArray::from_iter_values(std::iter::repeat_n("a".repeat(1 << 14), ROWS)));
    let short: ArrayRef = Arc::new(StringArray::from_iter_values(std::iter::repeat_n("b", ROWS)));
    let labels: ArrayRef = Arc::new(Int64Array::from(vec![0; ROWS]));
    let batch = RecordBatch::try_from_iter([("premise", long), ("hypothesis", short), ("label", labels)]).unwrap();
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("file0");
    let properties = parquet::file::properties::WriterProperties::builder()
        .set_compression(parquet::basic::Compression::ZSTD(parquet::basic::ZstdLevel::default()))
        .build();
    let file = std::fs::File::create(&path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
    (0..20).for_each(|_| writer.write(&batch).unwrap());
    writer.close().unwrap();
    assert!(std::fs::metadata(&path).unwrap().len() < 100_000);
    let read = read(format("nli-parquet"), &Input::new(vec![path], Language::ENGLISH));
    refuses(read.map(|_| ()).map_err(|error| error.to_string()), &["bytes of memory"]);
}

#[test]
fn tatoeba_lines_belong_together() {
    let pairs = read_texts("tatoeba", &[b"eins\r\nzwei\r\n", b"one\ntwo\n"], "de").unwrap();
    assert_eq!(ids(&pairs), ["0", "1"]);
    assert_eq!((pairs.texts("source").value(1), pairs.texts("target").value(1)), ("zwei", "two"));
    refuses(read_texts("tatoeba", &[b"eins\nzwei\n", b"one\n"], "de"), &["2 lines", "1"]);
    refuses(read_texts("tatoeba", &[b"eins\n\nzwei\n", b"one\nand\ntwo\n"], "de"), &["line 2", "empty"]);
    assert!(read_texts("tatoeba", &[b"eins\n"], "de").unwrap_err().contains("two files"));
}

fn parquet(path: &Path, columns: Vec<(&str, ArrayRef)>) {
    // Through `with_nullable`: a column without nulls may still be one that could have them.
    let batch =
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap();
    let mut writer = ArrowWriter::try_new(std::fs::File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

fn read_parquet(name: &str, columns: Vec<(&str, ArrayRef)>) -> Result<Examples, String> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("file0");
    parquet(&path, columns);
    let read = read(format(name), &Input::new(vec![path], Language::ENGLISH));
    read.map(|read| read.examples).map_err(|error| error.to_string())
}

fn tokens(rows: &[&[Option<&str>]]) -> ArrayRef {
    let mut lists = LargeListBuilder::new(LargeStringBuilder::new());
    rows.iter().for_each(|row| lists.append_value(row.iter().copied()));
    Arc::new(lists.finish())
}

fn tags(rows: &[Option<Vec<Option<i32>>>]) -> ArrayRef {
    let mut lists = LargeListBuilder::new(Int32Builder::new());
    rows.iter().for_each(|row| lists.append_option(row.clone()));
    Arc::new(lists.finish())
}

#[test]
fn parquet_types_may_vary_in_width_only() {
    let two = || tokens(&[&[Some("Ada"), Some("ran")], &[Some("Yo")]]);
    let good = read_parquet(
        "wikiann-parquet",
        vec![("tokens", two()), ("ner_tags", tags(&[Some(vec![Some(1), Some(0)]), Some(vec![Some(5)])]))],
    );
    assert_eq!(words(&good.unwrap()), SMALL);

    let texts: ArrayRef = Arc::new(StringArray::from(vec!["a", "b"]));
    let wrong = |tags: ArrayRef| read_parquet("wikiann-parquet", vec![("tokens", two()), ("ner_tags", tags)]);
    refuses(wrong(texts.clone()), &["ner_tags", "Utf8"]);
    refuses(
        wrong(tags(&[Some(vec![Some(1), Some(7)]), Some(vec![])])),
        &["row 1", "label 7 in `ner_tags`", "7 labels"],
    );
    refuses(
        wrong(tags(&[Some(vec![Some(1), Some(-1)]), Some(vec![])])),
        &["row 1", "label -1 in `ner_tags`", "not public"],
    );
    refuses(
        wrong(tags(&[Some(vec![Some(1), Some(2)]), Some(vec![])])),
        &["row 2", "1 values in `tokens` and 0 in `ner_tags`"],
    );
    refuses(wrong(tags(&[Some(vec![Some(1), Some(2)]), None])), &["row 2", "ner_tags", "null"]);
    refuses(wrong(tags(&[Some(vec![Some(1), None]), Some(vec![Some(1)])])), &["row 1", "ner_tags", "null"]);
    refuses(read_parquet("wikiann-parquet", vec![("tokens", two())]), &["no column `ner_tags`", "tokens"]);
    let null_word = tokens(&[&[None]]);
    let one_tag = tags(&[Some(vec![Some(0)])]);
    let nulls = read_parquet("wikiann-parquet", vec![("tokens", null_word), ("ner_tags", one_tag)]);
    refuses(nulls, &["row 1", "tokens", "null"]);
    refuses(read_parquet("wikiann-parquet", vec![("tokens", tokens(&[])), ("ner_tags", tags(&[]))]), &["no examples"]);

    let nli = |premise: ArrayRef, labels: Vec<i64>| {
        let labels: ArrayRef = Arc::new(Int64Array::from(labels));
        let columns = vec![("premise", premise), ("hypothesis", texts.clone()), ("label", labels)];
        read_parquet("nli-parquet", columns)
    };
    assert_eq!(nli(texts.clone(), vec![0, 2]).unwrap().len(), 2);
    refuses(nli(texts.clone(), vec![0, 3]), &["row 2", "label 3"]);
    refuses(nli(texts.clone(), vec![-1, -1]), &["row 1", "not public"]);
    // Some rows whose annotators did not agree, as in SNLI.
    let some = nli(texts.clone(), vec![-1, 2]).unwrap();
    assert_eq!((classes(&some), ids(&some)), (vec!["contradiction"], vec!["1"]));
    refuses(nli(Arc::new(StringArray::from(vec![Some("a"), None])), vec![0, 1]), &["row 2", "premise", "null"]);
    refuses(read_parquet("squad-parquet", vec![("id", texts.clone())]), &["no column `question`"]);
}

#[test]
fn a_foreign_file_is_refused() {
    for format in ["wikiann-parquet", "nli-parquet", "squad-parquet"] {
        refuses(read_text(format, "premise\thypo\tlabel\n", "en"), &["Parquet"]);
        refuses(read_text(format, "", "en"), &["Parquet"]);
        refuses(read_text(format, "PAR1PAR1", "en"), &["Parquet"]);
        refuses(read_text(format, [b"PAR1".as_slice(), &[0xff; 4], b"PAR1"].concat(), "en"), &["Parquet"]);
    }
    let nowhere = Input::new(vec!["/nowhere/at-all".into()], Language::ENGLISH);
    assert!(read(format("squad-json"), &nowhere).unwrap_err().to_string().contains("/nowhere"));
}

#[test]
fn a_format_reads_as_many_files_as_it_says() {
    let count = |name: &str, files: usize| read_texts(name, &vec![b"x".as_slice(); files], "en").unwrap_err();
    assert!(count("squad-json", 0).contains("no file"));
    for name in ["wikiann-text", "conll", "xnli-tsv", "multinli-tsv", "pos-text", "pawsx-tsv", "text"] {
        assert!(count(name, 2).contains("reads one file, 2 were given"), "{name}");
    }
    assert!(count("tatoeba", 3).contains("two files"));
}

#[test]
fn text_is_read_line_by_line() {
    let read = read_text("text", "one two\r\n три\n", "en").unwrap();
    assert_eq!(
        (ids(&read), read.texts("text").value(0), read.texts("text").value(1)),
        (vec!["0", "1"], "one two", " три")
    );
    refuses(read_text("text", "\n", "en"), &["no examples"]);
}

/// Names are those of the lines, so that lines of translations stay together.
#[test]
fn empty_lines_part_paragraphs() {
    let read = read_files("text", &[("file0", b"one\n \n\ntwo\n")], "en", |_| {}).unwrap();
    assert_eq!((ids(&read.examples), read.notes), (vec!["0", "3"], vec!["2 empty lines were passed over".to_owned()]));
}

/// MultiNLI's own header, two of its columns left out.
const MULTINLI: &str = "promptID\tpairID\tgenre\tsentence1_parse\tsentence1\tsentence2\tlabel1\tgold_label\n";

#[test]
fn multinli_in_its_own_columns_and_xtremes() {
    let rows =
        "1\t1n\tx\t(a)\ta \"b\tc\tneutral\tneutral\n2\t2n\tx\t\td\te\tneutral\t-\n3\t3n\tx\t\tf\tg\t\tentailment\n";
    let text = format!("{MULTINLI}{rows}");
    let read = read_files("multinli-txt", &[("file0", text.as_bytes())], "en", |_| {}).unwrap();
    assert_eq!((classes(&read.examples), ids(&read.examples)), (vec!["neutral", "entailment"], vec!["0", "2"]));
    assert_eq!(read.examples.texts("premise").value(0), "a \"b");
    assert_eq!(
        (read.left_out, read.notes),
        (1, vec!["1 rows without a majority label (`-`) were left out".to_owned()])
    );
    refuses(read_text("multinli-txt", format!("{MULTINLI}1\t2\n"), "en"), &["line 2", "2 columns, the header 8"]);
    refuses(read_text("multinli-txt", text.replace("gold_label", "label"), "en"), &["line 1", "`gold_label`"]);
    let bare = read_text("xtreme-nli", "a b\tc d\tneutral\ne\tf\tcontradictory\n", "de").unwrap();
    assert_eq!(classes(&bare), ["neutral", "contradiction"]);
    refuses(read_text("xtreme-nli", "premise\thypo\tlabel\n", "de"), &["line 1", "label `label`"]);
}

#[test]
fn columns_are_named_only_where_they_can_be() {
    let set = |input: &mut Input| input.columns.text = Some("review".to_owned());
    let message = read_files("conll", &[("file0", b"a O\n")], "en", set).unwrap_err();
    assert!(message.contains("`conll`") && message.contains("--text") && message.contains("`sentences`"), "{message}");
}

/// Files may write names as numbers.
#[test]
fn names_may_be_numbers() {
    let good = squad("7", "one two", "two", 4).replace("\"7\"", "7");
    let other = squad("8", "one two", "one", 0);
    let read = read_texts("squad-json", &[good.as_bytes(), other.as_bytes()], "de").unwrap();
    assert_eq!(ids(&read), ["7", "8"]);
    refuses(read_text("squad-json", good.replace("\"id\":7", "\"id\":[7]"), "de"), &["id [7]"]);
}

/// A hub's file names its classes; numbers mean what those say, and are numbered as in other files of the task.
#[test]
fn classes_are_those_that_the_file_names() {
    let folder = TempDir::new().unwrap();
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["a", "b", "c"]));
    let write = |name: &str, classes: &[&str]| {
        let path = folder.path().join(name);
        let labels: ArrayRef = Arc::new(Int64Array::from(vec![0, 1, 2]));
        let columns = vec![("premise", texts.clone()), ("hypothesis", texts.clone()), ("label", labels)];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let features = serde_json::json!({"label": {"names": classes, "_type": "ClassLabel"}});
        let told = serde_json::json!({"info": {"features": features}}).to_string();
        let mut writer = ArrowWriter::try_new(std::fs::File::create(&path).unwrap(), batch.schema(), None).unwrap();
        writer.append_key_value_metadata(parquet::file::metadata::KeyValue::new("huggingface".to_owned(), told));
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        path
    };
    let read_all = |paths: &[&std::path::PathBuf]| {
        let paths = paths.iter().map(|&path| path.clone()).collect();
        read(format("nli-parquet"), &Input::new(paths, Language::ENGLISH)).map_err(|error| error.to_string())
    };
    let order = ["entailment", "contradiction", "neutral"];
    let turned = write("turned", &order);
    let examples = read_all(&[&turned]).unwrap().examples;
    assert_eq!(classes(&examples), order);
    assert_eq!(
        (examples.labels(), &examples.numbers("label").values()[..]),
        (&Task::Nli.usual_labels(), &[0, 2, 1][..])
    );
    // Names that are not the usual ones stay.
    let own = write("own", &["yes", "no", "maybe"]);
    assert_eq!(classes(&read_all(&[&own]).unwrap().examples), ["yes", "no", "maybe"]);
    let message = read_all(&[&own, &turned]).unwrap_err();
    assert!(
        message.contains("turned: names the labels of `label` otherwise than") && message.contains("own"),
        "{message}"
    );
    let twice = write("twice", &["yes", "yes", "no"]);
    let message = read_all(&[&twice]).unwrap_err();
    assert!(message.contains("twice: its metadata name labels badly") && message.contains("`yes`"), "{message}");
}
