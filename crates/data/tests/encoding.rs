//! Laws of encoding and decoding, the cache, and hostile tokenizers, with the tiny tokenizers.

mod common;

use std::fs;
use std::path::Path;

use common::reference;
use data::{
    Answer, CacheUse, DataError, DataFolder, EncodeOptions, Encoded, Examples, Format, ImportFile, NerDecoder,
    NerExample, NliDecoder, NliExample, PairExample, QaDecoder, QaExample, Tokenization, encode, encoded, import_file,
};
use spec::{DataKey, IGNORED_LABEL, Language, Name, Split, Targets, Task};
use tempfile::TempDir;

fn options(max_length: usize, stride: usize) -> EncodeOptions {
    EncodeOptions { max_length, stride, prefix: String::new() }
}

fn tiny(name: &str) -> Tokenization {
    Tokenization::load(&reference(name)).unwrap()
}

fn sentence(words: &[&str], tags: &[u8]) -> NerExample {
    NerExample { id: String::new(), words: words.iter().map(|&word| word.to_owned()).collect(), tags: tags.to_vec() }
}

/// Logits `[items, seq, labels]` that put `tag(item, token)` first.
fn favour(items: &[usize], seq: usize, tag: impl Fn(usize, usize) -> usize) -> Vec<f32> {
    let mut logits = vec![0.0; items.len() * seq * 7];
    for (row, &item) in items.iter().enumerate() {
        for token in 0..seq {
            logits[(row * seq + token) * 7 + tag(item, token)] = 1.0;
        }
    }
    logits
}

#[test]
fn words_cut_away_have_no_label_and_are_predicted_outside() {
    for name in ["tiny-bert", "tiny-xlmr"] {
        let words = ["Maria", "harbour", "\u{200b}", "Kazan", "vollständig", "Nairobi", "Lisbon"];
        let example = sentence(&words, &[1, 2, 3, 4, 5, 6, 1]);
        let encoded = encode(&Examples::Ner(vec![example.clone()]), &tiny(name), &options(12, 0)).unwrap();
        let Targets::TokenLabels(labels) = encoded.batch(&[0], 1).targets else { panic!() };
        assert_eq!(labels.len(), encoded.lengths()[0]);
        let kept: Vec<i32> = labels.iter().copied().filter(|&label| label != IGNORED_LABEL).collect();
        assert_eq!(kept.len() as u64 + encoded.cut(), words.len() as u64);
        assert!(encoded.cut() > 0 && kept.len() > 1);
        // The labels that are left are those of their own words.
        let mut decoder = NerDecoder::new(&encoded);
        let gold = favour(&[0], labels.len(), |_, token| labels[token].max(0) as usize);
        decoder.add(&[0], labels.len(), &gold).unwrap();
        let tags = &decoder.finish()[0];
        assert_eq!(tags.len(), words.len());
        assert!(tags.iter().zip(&example.tags).all(|(&tag, &gold)| tag == gold || tag == 0));
        assert_eq!(tags.iter().filter(|&&tag| tag != 0).count(), kept.len());
    }
}

#[test]
fn predictions_do_not_depend_on_batches_or_padding() {
    let examples: Vec<NerExample> = (1..9).map(|count| sentence(&vec!["Lisbon"; count], &vec![5; count])).collect();
    let encoded = encode(&Examples::Ner(examples), &tiny("tiny-bert"), &options(64, 0)).unwrap();
    let run = |batches: &[Vec<usize>], multiple| {
        let mut decoder = NerDecoder::new(&encoded);
        for items in batches {
            let seq = encoded.batch(items, multiple).seq;
            decoder.add(items, seq, &favour(items, seq, |item, token| (item * 5 + token) % 7)).unwrap();
        }
        decoder.finish()
    };
    let alone: Vec<Vec<usize>> = (0..8).map(|item| vec![item]).collect();
    assert_eq!(run(&alone, 1), run(&[vec![7, 0, 3], vec![1, 2, 6, 5, 4]], 16));
}

#[test]
fn batches_are_padded_at_the_end() {
    let tokenization = tiny("tiny-xlmr");
    let examples = vec![sentence(&["Maria"], &[1]), sentence(&["Maria"; 9], &[1; 9])];
    let encoded = encode(&Examples::Ner(examples), &tokenization, &options(21, 0)).unwrap();
    let batch = encoded.batch(&[1, 0], 8);
    let lengths = encoded.lengths();
    assert_eq!(batch.lengths, [lengths[1], lengths[0]]);
    assert!(batch.seq >= lengths[1] && (batch.seq.is_multiple_of(8) || batch.seq == 21));
    let row = &batch.ids[batch.seq..];
    assert!(row[lengths[0]..].iter().all(|&id| id == tokenization.pad_id()));
    assert_eq!(row[..lengths[0]].iter().map(|&id| id as u32).collect::<Vec<_>>(), encoded.ids(0));
    let Targets::TokenLabels(labels) = &batch.targets else { panic!() };
    assert!(labels[batch.seq + lengths[0]..].iter().all(|&label| label == IGNORED_LABEL));
    assert_eq!(encoded.batch(&[1], 64).seq, 21.max(lengths[1]));
    assert_eq!(encoded.batch(&[], 8).seq, 0);
}

fn question(context: &str, answer: &str) -> QaExample {
    let start = context[..context.find(answer).unwrap()].chars().count();
    let answers = vec![Answer { text: answer.into(), start }];
    QaExample { id: String::new(), question: "Where?".into(), context: context.into(), answers }
}

fn span_of(encoded: &Encoded, item: usize) -> (usize, usize) {
    match encoded.batch(&[item], 1).targets {
        Targets::Spans { starts, ends } => (starts[0] as usize, ends[0] as usize),
        other => panic!("{other:?}"),
    }
}

/// Labels read back as text give the answer, in scripts where bytes, characters and tokens all differ.
#[test]
fn labelled_tokens_cover_the_answer() {
    let context = "🙂🙂 สมชายเดินทางไปเชียงใหม่ and the cafe\u{301} in Zu\u{308}rich: राम दिल्ली से मुंबई जाएगा, زارت القاهرة, 上海 👩‍👩‍👧 ½ end";
    for name in ["tiny-bert", "tiny-xlmr"] {
        for answer in ["เชียงใหม่", "cafe\u{301}", "Zu\u{308}rich", "दिल्ली", "القاهرة", "上海", "👩‍👩‍👧", "end", "🙂🙂"]
        {
            let example = question(context, answer);
            for (max_length, stride) in [(100, 30), (40, 16)] {
                let encoded =
                    encode(&Examples::Qa(vec![example.clone()]), &tiny(name), &options(max_length, stride)).unwrap();
                let held: Vec<usize> = (0..encoded.len()).filter(|&item| span_of(&encoded, item) != (0, 0)).collect();
                assert!(!held.is_empty(), "{name}: `{answer}` is in no window");
                for &item in &held {
                    let (start, end) = span_of(&encoded, item);
                    let (from, offsets) = encoded.context(item);
                    let (first, last) = (offsets[start - from].0 as usize, offsets[end - from].1 as usize);
                    let text: String = context.chars().skip(first).take(last - first).collect();
                    assert!(text.contains(answer), "{name}: `{text}` for `{answer}`");
                    assert!(text.chars().count() <= answer.chars().count() + 20, "{name}: `{text}` for `{answer}`");
                    // The decoder gives the same text when the model is sure of the label.
                    let length = encoded.lengths()[item];
                    let mut logits = vec![0.0; length * 2];
                    logits[start * 2] = 9.0;
                    logits[end * 2 + 1] = 9.0;
                    let mut decoder = QaDecoder::new(&encoded);
                    decoder.add(&[item], length, &logits).unwrap();
                    assert_eq!(decoder.finish(std::slice::from_ref(&example)), [text.trim()]);
                }
            }
        }
    }
}

#[test]
fn windows_cover_the_context_and_overlap_by_the_stride() {
    let context = "Maria lives in Lisbon and works near the harbour. ".repeat(20);
    let encoded =
        encode(&Examples::Qa(vec![question(&context, "Lisbon")]), &tiny("tiny-bert"), &options(40, 8)).unwrap();
    assert!(encoded.len() > 4);
    for item in 1..encoded.len() {
        let (_, before) = encoded.context(item - 1);
        let (_, after) = encoded.context(item);
        assert_eq!(before[before.len() - 8..], after[..8]);
        assert_eq!(encoded.lengths()[item - 1], 40);
        assert_eq!(encoded.example(item), 0);
    }
    // A question too long for its window is cut, not refused.
    let mut long = question(&context, "Lisbon");
    long.question = "Where does Maria live? ".repeat(40);
    let encoded = encode(&Examples::Qa(vec![long]), &tiny("tiny-bert"), &options(40, 8)).unwrap();
    assert!((0..encoded.len()).any(|item| span_of(&encoded, item) != (0, 0)));
}

#[test]
fn answers_stay_short_ordered_and_inside() {
    let example = question(&"Maria lives in Lisbon. ".repeat(12), "Lisbon");
    let encoded = encode(&Examples::Qa(vec![example.clone()]), &tiny("tiny-bert"), &options(100, 8)).unwrap();
    let seq = encoded.lengths()[0];
    let (from, offsets) = encoded.context(0);
    let answer = |best: &[(usize, usize, f32)]| {
        let mut logits = vec![0.0; seq * 2];
        best.iter().for_each(|&(token, column, value)| logits[token * 2 + column] = value);
        let mut decoder = QaDecoder::new(&encoded);
        decoder.add(&[0], seq, &logits).unwrap();
        decoder.finish(std::slice::from_ref(&example)).remove(0)
    };
    let text = |start: usize, end: usize| {
        let (start, end) = (offsets[start].0 as usize, offsets[end].1 as usize);
        example.context.chars().skip(start).take(end - start).collect::<String>()
    };
    assert_eq!(answer(&[(from + 2, 0, 5.0), (from + 3, 1, 5.0)]), text(2, 3));
    // The special token and the question score highest, but are no answers.
    assert_eq!(answer(&[(0, 0, 9.0), (0, 1, 9.0), (1, 0, 9.0), (from + 2, 0, 5.0), (from + 3, 1, 5.0)]), text(2, 3));
    // End before start, and 31 tokens: the next best is taken; 30 tokens are allowed.
    let best = [(from + 35, 0, 5.0), (from + 5, 1, 4.0), (from + 5, 0, 3.0)];
    assert_eq!(answer(&best), text(5, 5));
    assert_eq!(answer(&[(from + 5, 0, 5.0), (from + 34, 1, 5.0)]), text(5, 34));
    assert_ne!(answer(&[(from + 5, 0, 5.0), (from + 35, 1, 5.0)]), text(5, 35));
}

#[test]
fn a_logit_that_is_no_number_is_an_error() {
    let ner = encode(&Examples::Ner(vec![sentence(&["Maria"], &[1])]), &tiny("tiny-bert"), &options(16, 0)).unwrap();
    let seq = ner.lengths()[0];
    let error = NerDecoder::new(&ner).add(&[0], seq, &vec![f32::NAN; seq * 7]).unwrap_err();
    assert!(matches!(error, DataError::NotFinite { example: 0, .. }));
    let pair = NliExample { id: String::new(), premise: "a".into(), hypothesis: "b".into(), label: 1 };
    let nli = encode(&Examples::Nli(vec![pair]), &tiny("tiny-bert"), &options(16, 0)).unwrap();
    let mut decoder = NliDecoder::new(&nli);
    assert!(decoder.add(&[0], &[0.0, f32::INFINITY, 0.0]).is_err());
    decoder.add(&[0], &[-3.0, -1.0, -2.0]).unwrap();
    assert_eq!(decoder.finish(), [1]);
    assert_eq!(nli.batch(&[0], 1).targets, Targets::Classes(vec![1]));
    let qa = encode(&Examples::Qa(vec![question("one two", "two")]), &tiny("tiny-bert"), &options(16, 4)).unwrap();
    let seq = qa.lengths()[0];
    assert!(QaDecoder::new(&qa).add(&[0], seq, &vec![f32::NEG_INFINITY; seq * 2]).is_err());
}

#[test]
fn retrieval_puts_sources_before_english() {
    let pair =
        |source: &str, english: &str| PairExample { id: String::new(), source: source.into(), english: english.into() };
    let examples = Examples::Pairs(vec![pair("Ελένη", "Maria"), pair("Анна", "Lisbon")]);
    let with = |prefix: &str| {
        encode(&examples, &tiny("tiny-xlmr"), &EncodeOptions { prefix: prefix.into(), ..options(32, 0) }).unwrap()
    };
    let (plain, prefixed) = (with(""), with("query: "));
    assert_eq!((plain.len(), plain.examples()), (4, 2));
    assert_eq!((0..4).map(|item| plain.example(item)).collect::<Vec<_>>(), [0, 1, 0, 1]);
    let alone = vec![pair("x", "Maria")];
    let alone = encode(&Examples::Pairs(alone), &tiny("tiny-xlmr"), &options(32, 0)).unwrap();
    assert_eq!(plain.ids(2), alone.ids(1));
    assert!(prefixed.ids(2).len() > plain.ids(2).len());
    assert_eq!(plain.batch(&[0, 2], 1).targets, Targets::None);
}

#[test]
fn impossible_lengths_are_refused() {
    let refused = |options: &EncodeOptions| {
        encode(&Examples::Qa(vec![question("one two", "two")]), &tiny("tiny-xlmr"), options).unwrap_err().to_string()
    };
    // XLM-R counts positions from its padding id + 1 = 2, so 130 rows hold 128 tokens.
    assert!(refused(&options(129, 8)).contains("128 positions"));
    assert!(refused(&options(6, 0)).contains("no room"));
    assert!(refused(&options(64, 60)).contains("stride 60"));
    assert!(encode(&Examples::Qa(vec![question("one two", "two")]), &tiny("tiny-xlmr"), &options(128, 52)).is_ok());
}

/// A data folder with one small file.
fn folder(place: &Path) -> (DataFolder, DataKey) {
    let source = place.join("train.tsv");
    fs::write(&source, "Maria\tB-PER\nlives\tO\n\nLisbon\tB-LOC\n\nKöln\tB-LOC\nBahnhof\tI-LOC\n").unwrap();
    let data = DataFolder::open(&place.join("data"));
    let dataset = Name::new("wiki").unwrap();
    let key = DataKey::new(Task::Ner, &dataset, Language::ENGLISH, Split::Train);
    let file = ImportFile {
        paths: vec![source],
        format: Format::WikiannText,
        dataset,
        task: Task::Ner,
        language: Language::ENGLISH,
        split: Split::Train,
        licence: String::new(),
        source: String::new(),
    };
    import_file(&file, &data, &mut |_| {}).unwrap();
    (data, key)
}

#[test]
fn the_cache_gives_the_same_and_survives_damage() {
    let place = TempDir::new().unwrap();
    let (data, key) = folder(place.path());
    let cache = place.path().join("cache");
    let tokenization = tiny("tiny-bert");
    let get = |limit, options: &EncodeOptions| encoded(&cache, &data, &key, limit, &tokenization, options).unwrap();
    let (fresh, usage) = get(None, &options(32, 0));
    assert_eq!(usage, CacheUse::Built);
    let file = fs::read_dir(&cache).unwrap().next().unwrap().unwrap().path();
    assert_eq!(fresh, encode(&data.load(&key, None).unwrap(), &tokenization, &options(32, 0)).unwrap());
    assert_eq!(get(None, &options(32, 0)), (fresh.clone(), CacheUse::Hit));
    // Neither the stride, which sentences do not have, nor a limit beyond the file makes another entry.
    assert_eq!(get(Some(100), &options(32, 9)), (fresh.clone(), CacheUse::Hit));
    assert_eq!(get(Some(2), &options(32, 0)).0.len(), 2);
    assert_eq!(get(None, &options(12, 0)).1, CacheUse::Built);

    let good = fs::read(&file).unwrap();
    for at in 0..good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= 0x10;
        fs::write(&file, if at % 2 == 0 { &bytes } else { &good[..at] }).unwrap();
        let (again, usage) = get(None, &options(32, 0));
        assert_eq!(again, fresh);
        assert!(matches!(usage, CacheUse::Rebuilt(_)), "{usage:?} at byte {at}");
        assert_eq!(fs::read(&file).unwrap(), good);
    }
    // A cache that cannot be written costs time, not the result.
    let blocked = place.path().join("blocked");
    fs::write(&blocked, "a file").unwrap();
    let (again, usage) = encoded(&blocked, &data, &key, None, &tokenization, &options(32, 0)).unwrap();
    assert_eq!(again, fresh);
    assert!(matches!(usage, CacheUse::Unwritten(_)));
}

#[test]
fn hostile_tokenizers_are_refused() {
    let place = TempDir::new().unwrap();
    let (tokenizer, config) = (place.path().join("tokenizer.json"), place.path().join("config.json"));
    let good = fs::read_to_string(reference("tiny-bert/tokenizer.json")).unwrap();
    let good_config = fs::read_to_string(reference("tiny-bert/config.json")).unwrap();
    let load = |text: &str, config_text: &str| {
        fs::write(&tokenizer, text).unwrap();
        fs::write(&config, config_text).unwrap();
        Tokenization::load(place.path())
    };
    let whole = load(&good, &good_config).unwrap();
    assert_eq!((whole.hash().len(), whole.pad_id(), whole.longest()), (64, 0, Some(128)));
    assert_eq!(whole.hash(), tiny("tiny-bert").hash());
    let refused = |text: &str, config: &str, word: &str| {
        let message = load(text, config).unwrap_err().to_string();
        assert!(message.contains(".json") && message.contains(word), "`{message}` does not say `{word}`");
    };
    refused("", &good_config, "tokenizer.json");
    refused(&good[..good.len() / 2], &good_config, "tokenizer.json");
    refused(&"[".repeat(1 << 20), &good_config, "tokenizer.json");
    refused("{\"model\":{}}", &good_config, "tokenizer.json");
    refused(&good, "{", "config.json");
    refused(&good, "{\"pad_token_id\": -1}", "config.json");
    refused(&good, "{\"vocab_size\": 3}", "vocab_size 3");
    let mut unframed: serde_json::Value = serde_json::from_str(&good).unwrap();
    unframed["post_processor"] = serde_json::Value::Null;
    refused(&unframed.to_string(), &good_config, "special token");
    fs::remove_file(&config).unwrap();
    assert!(Tokenization::load(place.path()).unwrap_err().to_string().contains("config.json"));
    // Sparse: nothing is written, yet the size is that of a bomb.
    fs::File::create(&tokenizer).unwrap().set_len(300_000_000).unwrap();
    assert!(Tokenization::load(place.path()).unwrap_err().to_string().contains("300000000 bytes"));
}
