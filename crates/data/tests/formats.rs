//! Every format on small files of its own, good and bad.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Int32Builder, Int64Array, LargeListBuilder, LargeStringBuilder, RecordBatch, StringArray,
};
use data::{Examples, Format, read};
use parquet::arrow::ArrowWriter;
use spec::Language;
use tempfile::TempDir;

fn read_text(format: Format, text: impl AsRef<[u8]>, language: &str) -> Result<Examples, String> {
    read_texts(format, &[text.as_ref()], language)
}

fn read_texts(format: Format, texts: &[&[u8]], language: &str) -> Result<Examples, String> {
    let folder = TempDir::new().unwrap();
    let paths: Vec<PathBuf> = (0..texts.len()).map(|index| folder.path().join(format!("file{index}"))).collect();
    for (path, text) in paths.iter().zip(texts) {
        std::fs::write(path, text).unwrap();
    }
    let read = read(format, &paths, Language::parse(language).unwrap());
    read.map(|read| read.examples).map_err(|error| error.to_string())
}

/// The error names the file, and says this.
fn refuses(result: Result<Examples, String>, words: &[&str]) {
    let message = result.expect_err("should be refused");
    assert!(message.contains("file0"), "{message}");
    assert!(!message.contains('\n'), "{message}");
    words.iter().for_each(|word| assert!(message.contains(word), "`{message}` does not say `{word}`"));
}

fn words(examples: &Examples) -> Vec<(Vec<String>, Vec<u8>)> {
    let Examples::Ner(examples) = examples else { panic!("not NER") };
    examples.iter().map(|example| (example.words.clone(), example.tags.clone())).collect()
}

#[test]
fn wikiann_text_in_both_layouts() {
    let plain = read_text(Format::WikiannText, "Ada\tB-PER\nran\tO\n\n\nYo\tB-LOC\n", "yo").unwrap();
    let prefixed = read_text(Format::WikiannText, "yo:Ada\tB-PER\nyo:ran\tO\n\nyo:Yo\tB-LOC", "yo").unwrap();
    let windows = read_text(Format::WikiannText, "\u{feff}Ada\tB-PER\r\nran\tO\r\n\r\nYo\tB-LOC\r\n", "yo").unwrap();
    assert_eq!(words(&plain), [(vec!["Ada".into(), "ran".into()], vec![1, 0]), (vec!["Yo".into()], vec![5])]);
    assert_eq!(plain, prefixed);
    assert_eq!(plain, windows);
    // A token that merely begins like the prefix is left as it is.
    let one = read_text(Format::WikiannText, "yo:Ada\tO\nran\tO\n", "yo").unwrap();
    assert_eq!(words(&one)[0].0[0], "yo:Ada");
}

#[test]
fn bad_wikiann_text_is_refused() {
    refuses(read_text(Format::WikiannText, "Ada\tO\nran\n", "en"), &["line 2", "no tag"]);
    refuses(read_text(Format::WikiannText, "Ada\tO\nran\tB-DOG\n", "en"), &["line 2", "B-DOG", "B-PER"]);
    refuses(read_text(Format::WikiannText, "Ada\tO\n\tO\n", "en"), &["line 2"]);
    refuses(read_text(Format::WikiannText, b"Ada\tO\nr\xffn\tO\n", "en"), &["line 2", "UTF-8"]);
    refuses(read_text(Format::WikiannText, b"Ada\tO\nr\0n\tO\n", "en"), &["line 2", "null"]);
    refuses(read_text(Format::WikiannText, "\n\n", "en"), &["no examples"]);
    refuses(read_text(Format::WikiannText, "", "en"), &["no examples"]);
}

const XNLI: &str = "language\tgold_label\tsentence1\tsentence2\tgenre\n";

#[test]
fn xnli_finds_columns_by_name_and_leaves_out_rows_without_majority() {
    let rows = "de\tneutral\tA\tB \u{201c}x\ty\nde\t-\tA\tC\t\nen\tentailment\t\"A\tD\t\nde\tcontradiction\tA\tE\t\n";
    let Examples::Nli(german) = read_text(Format::XnliTsv, format!("{XNLI}{rows}"), "de").unwrap() else { panic!() };
    assert_eq!(german.iter().map(|example| example.label).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(german.iter().map(|example| example.id.as_str()).collect::<Vec<_>>(), ["0", "2"]);
    assert_eq!(german[0].hypothesis, "B \u{201c}x");
    let Examples::Nli(english) = read_text(Format::XnliTsv, format!("{XNLI}{rows}"), "en").unwrap() else { panic!() };
    assert_eq!(english[0].premise, "\"A");
}

#[test]
fn bad_nli_tables_are_refused() {
    refuses(read_text(Format::XnliTsv, format!("{XNLI}de\tneutral\tA\tB\n"), "de"), &["line 2", "4 columns"]);
    refuses(read_text(Format::XnliTsv, format!("{XNLI}de\tmaybe\tA\tB\t\n"), "de"), &["line 2", "maybe"]);
    refuses(read_text(Format::XnliTsv, format!("{XNLI}qq\tneutral\tA\tB\t\n"), "de"), &["line 2", "qq"]);
    refuses(read_text(Format::XnliTsv, format!("{XNLI}de\tneutral\tA\tB\t\n"), "en"), &["`en`", "de"]);
    refuses(read_text(Format::XnliTsv, "language\tgold_label\n", "de"), &["sentence1"]);
    refuses(read_text(Format::MultinliTsv, "premise\thypo\tlabel\nA\tB\n", "en"), &["line 2", "2 columns"]);
    refuses(read_text(Format::MultinliTsv, "A\tB\tneutral\n", "en"), &["line 1", "header"]);
    refuses(read_text(Format::MultinliTsv, "premise\thypo\tlabel\nA\tB\t0\n", "en"), &["line 2", "`0`"]);
    let good = read_text(Format::MultinliTsv, "premise\thypo\tlabel\nA\tB\tcontradictory\nA\tB\t-\n", "en").unwrap();
    let Examples::Nli(good) = good else { panic!() };
    assert_eq!(good.iter().map(|example| example.label).collect::<Vec<_>>(), [2]);
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
        let Examples::Qa(read) = read_text(Format::SquadJson, squad("a", context, answer, start as i64), "th").unwrap()
        else {
            panic!()
        };
        assert_eq!((read[0].answers[0].start, read[0].answers[0].text.as_str()), (start, answer));
        let off = read_text(Format::SquadJson, squad("a", context, answer, start as i64 + 1), "th");
        refuses(off, &["question `a`", "answer_start"]);
    }
}

#[test]
fn bad_squad_is_refused() {
    let good = squad("a", "one two", "two", 4);
    refuses(read_text(Format::SquadJson, &good[..good.len() / 2], "en"), &["SQuAD's JSON", "line 1"]);
    refuses(read_text(Format::SquadJson, good.replace("qas", "qs"), "en"), &["qas"]);
    refuses(read_text(Format::SquadJson, squad("a", "one", "one", -1), "en"), &["question `a`"]);
    refuses(read_text(Format::SquadJson, squad("a", "one", "one", i64::MAX), "en"), &["question `a`"]);
    refuses(read_text(Format::SquadJson, squad("a", "one", "", 1), "en"), &["question `a`"]);
    refuses(read_text(Format::SquadJson, squad("a", "o\0e", "e", 2), "en"), &["question `a`", "null"]);
    let none = r#"{"data":[{"paragraphs":[{"context":"c","qas":[{"id":"x","question":"q","answers":[]}]}]}]}"#;
    refuses(read_text(Format::SquadJson, none, "en"), &["question `x`", "no answer"]);
    let deep = "[".repeat(100_000);
    refuses(read_text(Format::SquadJson, deep, "en"), &["SQuAD's JSON"]);
    let twice = read_texts(Format::SquadJson, &[good.as_bytes(), good.as_bytes()], "en");
    refuses(twice, &["example 2", "`a` occurs twice"]);
}

#[test]
fn tatoeba_lines_belong_together() {
    let Examples::Pairs(pairs) = read_texts(Format::Tatoeba, &[b"eins\r\nzwei\r\n", b"one\ntwo\n"], "de").unwrap()
    else {
        panic!()
    };
    assert_eq!((pairs[1].id.as_str(), pairs[1].source.as_str(), pairs[1].english.as_str()), ("1", "zwei", "two"));
    refuses(read_texts(Format::Tatoeba, &[b"eins\nzwei\n", b"one\n"], "de"), &["2 lines", "1"]);
    refuses(read_texts(Format::Tatoeba, &[b"eins\n\nzwei\n", b"one\nand\ntwo\n"], "de"), &["line 2", "empty"]);
    assert!(read_texts(Format::Tatoeba, &[b"eins\n"], "de").unwrap_err().contains("two files"));
}

fn parquet(path: &Path, columns: Vec<(&str, ArrayRef)>) {
    // Through `with_nullable`: a column without nulls may still be one that could have them.
    let batch =
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap();
    let mut writer = ArrowWriter::try_new(std::fs::File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

fn read_parquet(format: Format, columns: Vec<(&str, ArrayRef)>) -> Result<Examples, String> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("file0");
    parquet(&path, columns);
    read(format, &[path], Language::ENGLISH).map(|read| read.examples).map_err(|error| error.to_string())
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
        Format::WikiannParquet,
        vec![("tokens", two()), ("ner_tags", tags(&[Some(vec![Some(1), Some(0)]), Some(vec![Some(5)])]))],
    );
    assert_eq!(words(&good.unwrap()), [(vec!["Ada".into(), "ran".into()], vec![1, 0]), (vec!["Yo".into()], vec![5])]);

    let texts: ArrayRef = Arc::new(StringArray::from(vec!["a", "b"]));
    let wrong = |tags: ArrayRef| read_parquet(Format::WikiannParquet, vec![("tokens", two()), ("ner_tags", tags)]);
    refuses(wrong(texts.clone()), &["ner_tags", "Utf8"]);
    refuses(wrong(tags(&[Some(vec![Some(1), Some(7)]), Some(vec![])])), &["row 1", "tag 7"]);
    refuses(wrong(tags(&[Some(vec![Some(1), Some(-1)]), Some(vec![])])), &["row 1", "tag -1"]);
    refuses(wrong(tags(&[Some(vec![Some(1), Some(2)]), Some(vec![])])), &["row 2", "1 words", "0 tags"]);
    refuses(wrong(tags(&[Some(vec![Some(1), Some(2)]), None])), &["row 2", "ner_tags", "null"]);
    refuses(wrong(tags(&[Some(vec![Some(1), None]), Some(vec![Some(1)])])), &["row 1", "ner_tags", "null"]);
    refuses(read_parquet(Format::WikiannParquet, vec![("tokens", two())]), &["no column `ner_tags`", "tokens"]);
    let null_word = tokens(&[&[None]]);
    let one_tag = tags(&[Some(vec![Some(0)])]);
    let nulls = read_parquet(Format::WikiannParquet, vec![("tokens", null_word), ("ner_tags", one_tag)]);
    refuses(nulls, &["row 1", "tokens", "null"]);
    refuses(
        read_parquet(Format::WikiannParquet, vec![("tokens", tokens(&[])), ("ner_tags", tags(&[]))]),
        &["no examples"],
    );

    let nli = |premise: ArrayRef, labels: Vec<i64>| {
        let labels: ArrayRef = Arc::new(Int64Array::from(labels));
        let columns = vec![("premise", premise), ("hypothesis", texts.clone()), ("label", labels)];
        read_parquet(Format::NliParquet, columns)
    };
    assert_eq!(nli(texts.clone(), vec![0, 2]).unwrap().len(), 2);
    refuses(nli(texts.clone(), vec![0, 3]), &["row 2", "label 3"]);
    refuses(nli(texts.clone(), vec![-1, -1]), &["row 1", "not public"]);
    refuses(nli(Arc::new(StringArray::from(vec![Some("a"), None])), vec![0, 1]), &["row 2", "premise", "null"]);
    refuses(read_parquet(Format::SquadParquet, vec![("id", texts.clone())]), &["no column `context`"]);
}

#[test]
fn a_foreign_file_is_refused() {
    for format in [Format::WikiannParquet, Format::NliParquet, Format::SquadParquet] {
        refuses(read_text(format, "premise\thypo\tlabel\n", "en"), &["Parquet"]);
        refuses(read_text(format, "", "en"), &["Parquet"]);
        refuses(read_text(format, "PAR1PAR1", "en"), &["Parquet"]);
        refuses(read_text(format, [b"PAR1".as_slice(), &[0xff; 4], b"PAR1"].concat(), "en"), &["Parquet"]);
    }
    assert!(
        read(Format::SquadJson, &["/nowhere/at-all".into()], Language::ENGLISH)
            .unwrap_err()
            .to_string()
            .contains("/nowhere")
    );
}
