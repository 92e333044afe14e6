//! Tables of sentences with classes, PAWS-X, and choices, good and bad.

mod common;

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, ListBuilder, RecordBatch, StringArray, StringBuilder};
use common::{classes, format, ids, labels, read_files, read_text, refuses};
use data::Examples;
use parquet::arrow::ArrowWriter;
use spec::{Language, Task};
use tasks::{Input, Read, read};
use tempfile::TempDir;

/// Reads one file of any table; `columns` are the names of text, pair and label.
fn table(name: &str, text: &str, columns: [Option<&str>; 3]) -> Result<Examples, String> {
    let read = read_files("sentences", &[(name, text.as_bytes())], "en", |input| {
        let [text, pair, label] = columns.map(|name| name.map(str::to_owned));
        input.columns = tasks::Columns { text, pair, label };
    });
    read.map(|read| read.examples)
}

fn texts(examples: &Examples) -> Vec<(&str, &str)> {
    let (first, second) = (examples.texts("sentence1"), examples.texts("sentence2"));
    (0..examples.len()).map(|row| (first.value(row), second.value(row))).collect()
}

const USUAL: [Option<&str>; 3] = [None; 3];

#[test]
fn commas_part_what_quotes_do_not_hold_together() {
    let text = "label,id,text\r\npos,a,\"He said \"\"no\"\", twice\"\nneg,b,\"two\nlines\"\npos,c,plain\n";
    let read = table("file0.csv", text, USUAL).unwrap();
    assert_eq!(texts(&read), [("He said \"no\", twice", ""), ("two\nlines", ""), ("plain", "")]);
    assert_eq!((ids(&read), classes(&read)), (vec!["a", "b", "c"], vec!["pos", "neg", "pos"]));
    // Names are sorted, not in the order of the rows.
    assert_eq!(*read.labels(), labels(&["neg", "pos"]));
}

#[test]
fn tabs_part_all_and_quotation_marks_are_text() {
    let text = "first\tclass\tsecond\n\"He left.\t1\tHe \"left\" it\n\"\t0\t\"\"\n";
    let columns = [Some("first"), Some("second"), Some("class")];
    for name in ["file0.tsv", "file0.txt", "file0.tab"] {
        let read = table(name, text, columns).unwrap();
        assert_eq!(texts(&read), [("\"He left.", "He \"left\" it"), ("\"", "\"\"")]);
        assert_eq!((ids(&read), classes(&read)), (vec!["0", "1"], vec!["1", "0"]));
    }
}

#[test]
fn json_lines_have_any_fields() {
    let text = "{\"q\": \"one\", \"a\": \"two\", \"gold\": 3, \"id\": 7}\n\n{\"gold\": true, \"q\": \"three\", \"a\": \"\\u00e9\", \"id\": \"x\"}\n";
    for name in ["file0.jsonl", "file0.json", "file0.ndjson"] {
        let read = table(name, text, [Some("q"), Some("a"), Some("gold")]).unwrap();
        assert_eq!(texts(&read), [("one", "two"), ("three", "é")]);
        assert_eq!((ids(&read), classes(&read)), (vec!["7", "x"], vec!["3", "true"]));
    }
}

#[test]
fn bad_tables_are_refused_with_line_and_column() {
    let csv = |text: &str, says: &[&str]| refuses(table("file0.csv", text, USUAL), says);
    csv("", &["line 1", "no column `text`", "--text"]);
    csv("text,class\na,b\n", &["line 1", "no column `label`", "--label", "text, class"]);
    csv("text,label\na,b\nc\n", &["line 3", "1 field"]);
    csv("text,label\na,b\nc,d,e\n", &["line 3", "3 fields"]);
    csv("text,label\na,b\n ,b\n", &["line 3", "empty text"]);
    csv("text,label\na,b\nc,\n", &["line 3", "empty label", "`label`"]);
    csv("text,label\n", &["no examples"]);
    csv("id,text,label\n1,a,b\n1,c,b\n", &["line 3", "`1` occurs twice"]);
    let tsv = table("file0.tsv", "text\tlabel\na\tb\tc\n", USUAL);
    refuses(tsv, &["line 2", "3 fields"]);
    refuses(table("file0.csv", "text,label\na,b\n", [None, Some("other"), None]), &["line 1", "`other`", "--pair"]);
    let json = |text: &str, says: &[&str]| refuses(table("file0.jsonl", text, USUAL), says);
    json("{\"text\": \"a\", \"label\": 1}\n[1]\n", &["line 2", "no JSON object"]);
    json("{\"text\": \"a\"}\n", &["line 1", "no `label`", "--label"]);
    json("{\"text\": null, \"label\": 1}\n", &["line 1", "no `text`", "--text"]);
    refuses(table("file0.xml", "<a/>", USUAL), &[".csv, .tsv or .jsonl"]);
    // A column of texts taken for one of labels.
    let many = (0..10_001).map(|row| format!("a,{row}\n")).collect::<String>();
    csv(&format!("text,label\n{many}"), &["10001 label names", "10000"]);
}

#[test]
fn label_names_may_be_given() {
    let text = b"text,label\na,neg\nb,pos\n";
    let given = |names: &[&str]| {
        let set = |input: &mut Input| input.labels = labels(names);
        read_files("sentences", &[("file0.csv", text)], "en", set).map(|read| read.examples)
    };
    let read = given(&["pos", "neutral", "neg"]).unwrap();
    assert_eq!((&read.numbers("label").values()[..], read.labels().len()), (&[2, 0][..], 3));
    refuses(given(&["0", "1"]), &["line 2", "label `neg` is not one of 0, 1"]);
}

#[test]
fn files_of_one_table_are_read_one_after_the_other() {
    let files: [(&str, &[u8]); 2] = [("a.csv", b"text,label\nx,b\n"), ("b.tsv", b"label\ttext\na\ty\n")];
    let read = read_files("sentences", &files, "en", |_| {}).unwrap().examples;
    assert_eq!((texts(&read), classes(&read)), (vec![("x", ""), ("y", "")], vec!["b", "a"]));
    assert_eq!((ids(&read), read.labels()), (vec!["0", "1"], &labels(&["a", "b"])));
}

const PAWSX: &str = "id\tsentence1\tsentence2\tlabel\n";

#[test]
fn pawsx_leaves_out_what_was_not_translated() {
    let rows = "1\tEr \"kam\" .\tEr ging .\t0\n2\tNS\tEr ging .\t1\n3\ta\tb\t1\n4\ta\tNS\t0\n";
    let Read { examples, notes, .. } =
        read_files("pawsx-tsv", &[("file0", format!("{PAWSX}{rows}").as_bytes())], "de", |_| {}).unwrap();
    assert_eq!((ids(&examples), classes(&examples)), (vec!["1", "3"], vec!["different", "paraphrase"]));
    assert_eq!(texts(&examples)[0], ("Er \"kam\" .", "Er ging ."));
    assert_eq!(notes, ["2 rows whose translation failed (`NS`) were left out"]);
    let bad = |rows: &str, says: &[&str]| refuses(read_text("pawsx-tsv", format!("{PAWSX}{rows}"), "de"), says);
    bad("1\ta\tb\n", &["line 2", "3 columns"]);
    bad("1\ta\tb\t1\n2\ta\tb\t2\n", &["line 3", "label `2` is not 0 or 1"]);
    bad("1\ta\tb\t\n", &["line 2", "label ``"]);
    bad("1\t\tb\t1\n", &["line 2", "empty text"]);
    bad("1\tNS\tNS\t1\n", &["no examples"]);
    bad("1\ta\tb\t1\n1\ta\tb\t1\n", &["line 3", "`1` occurs twice"]);
    refuses(read_text("pawsx-tsv", "1\ta\tb\t1\n", "de"), &["line 1", "header"]);
}

fn parquet(name: &str, columns: Vec<(&str, ArrayRef)>) -> Result<Examples, String> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("file0");
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = ArrowWriter::try_new(std::fs::File::create(&path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let read = read(format(name), &Input::new(vec![path], Language::ENGLISH));
    read.map(|read| read.examples).map_err(|error| error.to_string())
}

fn column(texts: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(texts.to_vec()))
}

fn whole(numbers: &[i64]) -> ArrayRef {
    Arc::new(Int64Array::from(numbers.to_vec()))
}

#[test]
fn a_table_of_pairs_must_name_its_labels() {
    let columns =
        || vec![("sentence1", column(&["a", "b"])), ("sentence2", column(&["c", "d"])), ("label", whole(&[0, 1]))];
    refuses(parquet("paraphrase-parquet", columns()), &["does not name the labels", "`label`", "--labels"]);
}

const CHOICE: &str =
    r#"{"premise": "P.", "choice1": "A.", "choice2": "B.", "question": "cause", "label": 1, "idx": 5}"#;

#[test]
fn choices_are_as_many_as_there_are() {
    let three = r#"{"premise": "P.", "choice1": "A.", "choice2": "B.", "choice3": "C.", "question": "effect", "label": 2, "idx": 6, "changed": false}"#;
    let list = r#"{"premise": "Q.", "choices": ["A.", "B."], "question": "cause", "label": 0, "idx": "x"}"#;
    let read = read_text("choice-jsonl", format!("{CHOICE}\n\n{three}\n{list}\n"), "et").unwrap();
    assert_eq!(ids(&read), ["5", "6", "x"]);
    let choices = read.text_lists("choices");
    assert_eq!([0, 1, 2].map(|row| choices.get(row).len()), [2, 3, 2]);
    assert_eq!((choices.get(1)[2], &read.numbers("label").values()[..]), ("C.", &[1, 2, 0][..]));
    assert_eq!((read.texts("premise").value(2), read.texts("question").value(1)), ("Q.", "effect"));
    let unnamed = CHOICE.replace(", \"idx\": 5", "");
    let read = read_text("choice-jsonl", format!("{unnamed}\n{unnamed}\n"), "et").unwrap();
    assert_eq!(ids(&read), ["0", "1"]);
}

#[test]
fn bad_choices_are_refused_with_line_and_field() {
    let bad = |from: &str, to: &str, says: &[&str]| {
        let line = CHOICE.replace(from, to);
        assert_ne!(line, CHOICE);
        refuses(read_text("choice-jsonl", format!("{}\n{line}\n", CHOICE.replace('5', "4")), "et"), says);
    };
    bad("\"choice2\": \"B.\", ", "", &["line 2", "1 choices", "`choice1`"]);
    bad("\"choice1\": \"A.\", ", "", &["line 2", "`choice2`", "no `choice1`"]);
    bad("\"B.\"", "\" \"", &["line 2", "`choice2` is empty"]);
    bad("\"B.\"", "3", &["line 2", "`choice2` is 3"]);
    bad("\"label\": 1", "\"label\": 2", &["line 2", "label 2 is not one of 0 to 1"]);
    bad("\"label\": 1", "\"label\": -2", &["line 2", "label -2 is not one of 0 to 1"]);
    bad("\"label\": 1", "\"label\": -1", &["line 2", "label -1", "not public"]);
    bad("\"label\": 1", "\"label\": \"1\"", &["line 2", "`label` is \"1\""]);
    bad("\"label\": 1, ", "", &["line 2", "no `label`"]);
    bad("\"premise\": \"P.\", ", "", &["line 2", "no `premise`"]);
    bad("\"question\": \"cause\", ", "", &["line 2", "no `question`"]);
    bad("}", "", &["line 2", "no JSON object"]);
    bad("\"idx\": 5", "\"idx\": 4", &["line 2", "`4` occurs twice"]);
    bad("\"cause\"", "\"why\"", &["line 2", "`question` is `why`", "`cause` or `effect`"]);
    refuses(read_text("choice-jsonl", "\n", "et"), &["no examples"]);
}

#[test]
fn tables_of_choices_in_both_shapes() {
    let columns = |right: i64, second: &str| {
        vec![
            ("premise", column(&["P.", "Q."])),
            ("choice1", column(&["A.", "C."])),
            ("choice2", column(&["B.", second])),
            ("question", column(&["cause", "effect"])),
            ("label", whole(&[0, right])),
        ]
    };
    let read = parquet("choice-parquet", columns(1, "D.")).unwrap();
    assert_eq!((ids(&read), read.text_lists("choices").get(1)), (vec!["0", "1"], vec!["C.", "D."]));
    let mut named = columns(1, "D.");
    named.push(("idx", whole(&[8, 9])));
    assert_eq!(ids(&parquet("choice-parquet", named).unwrap()), ["8", "9"]);
    refuses(parquet("choice-parquet", columns(2, "D.")), &["row 2", "label 2 is not one of 0 to 1"]);
    refuses(parquet("choice-parquet", columns(-1, "D.")), &["row 2", "not public"]);
    refuses(parquet("choice-parquet", columns(1, "")), &["row 2", "`choice2` is empty"]);
    let without: Vec<_> = columns(1, "D.").into_iter().filter(|(name, _)| *name != "choice2").collect();
    refuses(parquet("choice-parquet", without), &["row 1", "1 choices"]);
    let without: Vec<_> = columns(1, "D.").into_iter().filter(|(name, _)| *name != "question").collect();
    refuses(parquet("choice-parquet", without), &["no column `question`"]);

    let ours = |lists: &[&[&str]], right: &[i64]| {
        let mut choices = ListBuilder::new(StringBuilder::new());
        lists.iter().for_each(|list| choices.append_value(list.iter().map(Some)));
        let texts = |text| column(&vec![text; lists.len()]);
        let choices: ArrayRef = Arc::new(choices.finish());
        parquet(
            "choice-parquet",
            vec![("premise", texts("t")), ("question", texts("cause")), ("choices", choices), ("label", whole(right))],
        )
    };
    assert_eq!(ours(&[&["a", "b"], &["a", "b", "c"]], &[1, 2]).unwrap().len(), 2);
    refuses(ours(&[&["a", "b"], &["a", "b"]], &[1, 2]), &["row 2", "label 2 is not one of 0 to 1"]);
    refuses(ours(&[&["a"]], &[0]), &["row 1", "1 choices"]);
    refuses(ours(&[&["a", "b"]], &[-1]), &["row 1", "not public"]);
    assert_eq!(format("choice-parquet").task(), Task::Choice);
}
