//! Encoding and decoding against transformers, by the values of `scripts/reference/data.py`.

mod common;

use std::path::PathBuf;

use common::{json, number, numbers, real, reference, texts};
use data::{
    Answer, EncodeOptions, Encoded, Examples, Format, NerExample, NliExample, QaDecoder, QaExample, Tokenization,
    encode, read,
};
use serde_json::Value;
use spec::{IGNORED_LABEL, Language, Targets};

fn options(max_length: usize, stride: usize) -> EncodeOptions {
    EncodeOptions { max_length, stride, prefix: String::new() }
}

fn tags(words: usize) -> Vec<u8> {
    (0..words).map(|word| (word % 7) as u8).collect()
}

/// Ids, and the label of every token by transformers' word alignment: the word's tag at its first token.
fn check_ner(case: &Value, words: &[String], encoded: &Encoded, item: usize) {
    assert_eq!(encoded.ids(item), numbers(&case["ids"]), "{words:?}");
    let mut last = None;
    let labels: Vec<i32> = case["words"]
        .as_array()
        .unwrap()
        .iter()
        .map(|word| {
            let word = word.as_u64();
            let first = word.is_some() && word != last;
            last = word.or(last);
            if first { (word.unwrap() % 7) as i32 } else { IGNORED_LABEL }
        })
        .collect();
    assert_eq!(encoded.batch(&[item], 1).targets, Targets::TokenLabels(labels), "{words:?}");
}

/// The windows of a question from item `first` on, labelled with the answer that has these labels.
fn check_windows(case: &Value, labels: &Value, encoded: &Encoded, first: usize) -> usize {
    let windows = case["windows"].as_array().unwrap();
    for (index, window) in windows.iter().enumerate() {
        let item = first + index;
        assert_eq!(encoded.ids(item), numbers(&window["ids"]), "window {index} of {case}");
        let types: Vec<u32> = encoded.segments(item).iter().map(|&segment| u32::from(segment)).collect();
        assert_eq!(types, numbers(&window["types"]));
        let offsets: Vec<Vec<u32>> = window["offsets"].as_array().unwrap().iter().map(numbers).collect();
        let (from, mine) = encoded.context(item);
        assert_eq!(mine.iter().map(|&(start, end)| vec![start, end]).collect::<Vec<_>>(), offsets, "window {index}");
        assert_eq!(from, number(&window["context"]));
        let label = numbers(&labels[index]);
        let expected = Targets::Spans { starts: vec![label[0] as i32], ends: vec![label[1] as i32] };
        assert_eq!(encoded.batch(&[item], 1).targets, expected, "window {index} of {case}");
    }
    first + windows.len()
}

#[test]
fn tiny_tokenizers_give_what_transformers_gives() {
    let all = json("tiny.json");
    for name in ["tiny-bert", "tiny-xlmr"] {
        let tokenization = Tokenization::load(&reference(name)).unwrap();
        for case in all[name]["ner"].as_array().unwrap() {
            let words = texts(&case["sentence"]);
            let example = NerExample { id: "0".into(), tags: tags(words.len()), words: words.clone() };
            let options = options(number(&case["max_length"]), 0);
            let encoded = encode(&Examples::Ner(vec![example]), &tokenization, &options).unwrap();
            check_ner(case, &words, &encoded, 0);
        }
        for case in all[name]["nli"].as_array().unwrap() {
            let text = |field: &str| case[field].as_str().unwrap().to_owned();
            let (premise, hypothesis) = (text("premise"), text("hypothesis"));
            let example = NliExample { id: "0".into(), premise, hypothesis, label: 2 };
            let options = options(number(&case["max_length"]), 0);
            let encoded = encode(&Examples::Nli(vec![example]), &tokenization, &options).unwrap();
            assert_eq!(encoded.ids(0), numbers(&case["ids"]), "{case}");
            let types: Vec<u32> = encoded.segments(0).iter().map(|&segment| u32::from(segment)).collect();
            assert_eq!(types, numbers(&case["types"]));
        }
    }
}

/// Windows, offsets, labels, and the decoded answer for made-up logits given in batches of three, last first.
#[test]
fn question_windows_and_answers_are_those_of_transformers() {
    let all = json("tiny.json");
    for name in ["tiny-bert", "tiny-xlmr"] {
        let tokenization = Tokenization::load(&reference(name)).unwrap();
        for max_length in [64, 40] {
            let cases: Vec<&Value> =
                all[name]["qa"].as_array().unwrap().iter().filter(|case| case["max_length"] == max_length).collect();
            let options = options(max_length, number(&cases[0]["stride"]));
            for case in &cases {
                for answer in case["answers"].as_array().unwrap() {
                    let example = qa_example(case, answer);
                    let encoded = encode(&Examples::Qa(vec![example]), &tokenization, &options).unwrap();
                    assert_eq!(check_windows(case, &answer["labels"], &encoded, 0), encoded.len());
                }
            }
            let examples: Vec<QaExample> = cases.iter().map(|case| qa_example(case, &case["answers"][0])).collect();
            let encoded = encode(&Examples::Qa(examples.clone()), &tokenization, &options).unwrap();
            let mut decoder = QaDecoder::new(&encoded);
            let order: Vec<usize> = (0..encoded.len()).rev().collect();
            for items in order.chunks(3) {
                let seq = encoded.batch(items, 8).seq;
                let logits: Vec<f32> = items
                    .iter()
                    .flat_map(|&item| (0..seq).flat_map(move |token| [logit(item, token, 0), logit(item, token, 1)]))
                    .collect();
                decoder.add(items, seq, &logits).unwrap();
            }
            for (answer, case) in decoder.finish(&examples).iter().zip(&cases) {
                assert_eq!(answer, case["best"].as_str().unwrap(), "{case}");
            }
        }
    }
}

fn qa_example(case: &Value, answer: &Value) -> QaExample {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let answers = vec![Answer { text: text(&answer["text"]), start: number(&answer["start"]) }];
    QaExample { id: String::new(), question: text(&case["question"]), context: text(&case["context"]), answers }
}

fn logit(window: usize, token: usize, column: usize) -> f32 {
    ((window * 7919 + token * 104729 + column * 15485863) % 65537) as f32 / 1024.0
}

/// The real tokenizer on rows of the real data in twelve languages a task.
#[test]
fn real_texts_give_what_transformers_gives() {
    let Some(root) = real() else { return };
    let all = json("real.json");
    let tokenization = Tokenization::load(&root.join("models/multilingual-e5-small-64k")).unwrap();
    let data = root.join("data");
    let load = |format, path: PathBuf, language: &str| {
        read(format, &[path], Language::parse(language).unwrap()).unwrap().examples
    };
    let language = |case: &Value| case["language"].as_str().unwrap().to_owned();
    let mut languages = [0; 3];
    for cases in all["ner"].as_array().unwrap().chunk_by(|a, b| a["language"] == b["language"]) {
        let path = data.join("wikiann").join(language(&cases[0])).join("train-00000-of-00001.parquet");
        let Examples::Ner(examples) = load(Format::WikiannParquet, path, &language(&cases[0])) else { unreachable!() };
        for case in cases {
            let words = examples[number(&case["row"])].words.clone();
            let example = NerExample { id: String::new(), tags: tags(words.len()), words: words.clone() };
            let options = options(number(&case["max_length"]), 0);
            check_ner(case, &words, &encode(&Examples::Ner(vec![example]), &tokenization, &options).unwrap(), 0);
        }
        languages[0] += 1;
    }
    for cases in all["nli"].as_array().unwrap().chunk_by(|a, b| a["language"] == b["language"]) {
        let path = data.join("xnli/XNLI-1.0/xnli.test.tsv");
        let Examples::Nli(examples) = load(Format::XnliTsv, path, &language(&cases[0])) else { unreachable!() };
        for case in cases {
            let example = examples[number(&case["row"])].clone();
            let options = options(number(&case["max_length"]), 0);
            let encoded = encode(&Examples::Nli(vec![example]), &tokenization, &options).unwrap();
            assert_eq!(encoded.ids(0), numbers(&case["ids"]), "{} {}", case["language"], case["row"]);
        }
        languages[1] += 1;
    }
    for cases in all["qa"].as_array().unwrap().chunk_by(|a, b| a["language"] == b["language"]) {
        let path = data.join("xquad").join(format!("xquad.{}.json", language(&cases[0])));
        let Examples::Qa(examples) = load(Format::SquadJson, path, &language(&cases[0])) else { unreachable!() };
        for case in cases {
            let example = examples[number(&case["row"])].clone();
            let options = options(number(&case["max_length"]), number(&case["stride"]));
            let encoded = encode(&Examples::Qa(vec![example]), &tokenization, &options).unwrap();
            assert_eq!(check_windows(case, &case["answers"][0]["labels"], &encoded, 0), encoded.len());
        }
        languages[2] += 1;
    }
    assert_eq!(languages, [12; 3]);
}
