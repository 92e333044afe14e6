//! Encoding against transformers, by the values of `scripts/reference/data.py`.

mod common;

use std::path::PathBuf;

use common::{
    examples, format, json, language, number, numbers, options, question, real, reference, tagged, text, texts, tiny,
};
use data::{Encoded, Examples, Tokenization};
use serde_json::Value;
use spec::{IGNORED_LABEL, Targets, Task};
use tasks::{Input, encode, read};

/// Sentence of words whose tags count from 0 to 6, again and again.
fn sentence(words: &[&str]) -> Examples {
    let tags: Vec<usize> = (0..words.len()).map(|word| word % 7).collect();
    tagged(&[(words, &tags)])
}

/// Ids, and the label of every token by transformers' word alignment: the word's tag at its first token.
fn check_ner(case: &Value, words: &[&str], encoded: &Encoded, item: usize) {
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
        let mine = encoded.list("offsets", item).chunks_exact(2).map(|pair| vec![pair[0] as u32, pair[1] as u32]);
        assert_eq!(mine.collect::<Vec<_>>(), offsets, "window {index}");
        assert_eq!(encoded.number("context", item), Some(number(&window["context"]) as i32));
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
        let tokenization = tiny(name);
        for case in all[name]["ner"].as_array().unwrap() {
            let words = texts(&case["sentence"]);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let options = options(number(&case["max_length"]), 0);
            check_ner(case, &words, &encode(&sentence(&words), &tokenization, &options).unwrap(), 0);
        }
        for case in all[name]["nli"].as_array().unwrap() {
            let pair = ["premise", "hypothesis"].map(|field| text(case[field].as_str().unwrap()));
            let mut fields = Vec::from(pair);
            fields.push(data::Value::Label(2));
            let pair = examples(Task::Nli, &Task::Nli.usual_labels(), vec![fields]);
            let encoded = encode(&pair, &tokenization, &options(number(&case["max_length"]), 0)).unwrap();
            assert_eq!(encoded.ids(0), numbers(&case["ids"]), "{case}");
            let types: Vec<u32> = encoded.segments(0).iter().map(|&segment| u32::from(segment)).collect();
            assert_eq!(types, numbers(&case["types"]));
        }
    }
}

#[test]
fn question_windows_are_those_of_transformers() {
    let all = json("tiny.json");
    for name in ["tiny-bert", "tiny-xlmr"] {
        let tokenization = Tokenization::load(&reference(name)).unwrap();
        let mut checked = 0;
        for case in all[name]["qa"].as_array().unwrap() {
            let options = options(number(&case["max_length"]), number(&case["stride"]));
            for answer in case["answers"].as_array().unwrap() {
                let [asked, context] = ["question", "context"].map(|field| case[field].as_str().unwrap());
                let example = question(asked, context, answer["text"].as_str().unwrap(), number(&answer["start"]));
                let encoded = encode(&example, &tokenization, &options).unwrap();
                assert_eq!(check_windows(case, &answer["labels"], &encoded, 0), encoded.len());
                checked += encoded.len();
            }
        }
        assert!(checked > 20, "{checked}");
    }
}

/// The real tokenizer on rows of the real data in twelve languages a task.
#[test]
fn real_texts_give_what_transformers_gives() {
    let Some(root) = real() else { return };
    let all = json("real.json");
    let tokenization = Tokenization::load(&root.join("models/multilingual-e5-small-64k")).unwrap();
    let data = root.join("data");
    let load =
        |name, path: PathBuf, code: &str| read(format(name), &Input::new(vec![path], language(code))).unwrap().examples;
    let code = |case: &Value| case["language"].as_str().unwrap().to_owned();
    let mut languages = [0; 3];
    for cases in all["ner"].as_array().unwrap().chunk_by(|a, b| a["language"] == b["language"]) {
        let path = data.join("wikiann").join(code(&cases[0])).join("train-00000-of-00001.parquet");
        let examples = load("wikiann-parquet", path, &code(&cases[0]));
        let sentences = examples.text_lists("tokens");
        for case in cases {
            let words = sentences.get(number(&case["row"]));
            let options = options(number(&case["max_length"]), 0);
            check_ner(case, &words, &encode(&sentence(&words), &tokenization, &options).unwrap(), 0);
        }
        languages[0] += 1;
    }
    for cases in all["nli"].as_array().unwrap().chunk_by(|a, b| a["language"] == b["language"]) {
        let examples = load("xnli-tsv", data.join("xnli/XNLI-1.0/xnli.test.tsv"), &code(&cases[0]));
        for case in cases {
            let example = examples.select(&[number(&case["row"])]);
            let encoded = encode(&example, &tokenization, &options(number(&case["max_length"]), 0)).unwrap();
            assert_eq!(encoded.ids(0), numbers(&case["ids"]), "{} {}", case["language"], case["row"]);
        }
        languages[1] += 1;
    }
    for cases in all["qa"].as_array().unwrap().chunk_by(|a, b| a["language"] == b["language"]) {
        let path = data.join("xquad").join(format!("xquad.{}.json", code(&cases[0])));
        let examples = load("squad-json", path, &code(&cases[0]));
        for case in cases {
            let example = examples.select(&[number(&case["row"])]);
            let options = options(number(&case["max_length"]), number(&case["stride"]));
            let encoded = encode(&example, &tokenization, &options).unwrap();
            assert_eq!(check_windows(case, &case["answers"][0]["labels"], &encoded, 0), encoded.len());
        }
        languages[2] += 1;
    }
    assert_eq!(languages, [12; 3]);
}
