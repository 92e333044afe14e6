//! Laws of encoding, and the cache, with the tiny tokenizers.

mod common;

use std::fs;
use std::path::Path;

use common::{examples, format, labels, language, list, options, question, tagged, text, tiny};
use data::{CacheUse, DataFolder, EncodeOptions, Encoded, Value, column};
use spec::{DataKey, IGNORED_LABEL, Labels, Language, Name, Portion, Split, Targets, Task, Words};
use tasks::{ImportFile, Input, encode, encoded, import_file};
use tempfile::TempDir;

#[test]
fn words_cut_away_have_no_label() {
    for name in ["tiny-bert", "tiny-xlmr"] {
        let words = ["Maria", "harbour", "\u{200b}", "Kazan", "vollständig", "Nairobi", "Lisbon"];
        let gold = [1, 2, 3, 4, 5, 6, 1];
        let encoded = encode(&tagged(&[(&words, &gold)]), &tiny(name), &options(12, 0)).unwrap();
        let Targets::TokenLabels(labels) = encoded.batch(&[0], 1).targets else { panic!() };
        assert_eq!(labels.len(), encoded.lengths()[0]);
        let kept: Vec<i32> = labels.iter().copied().filter(|&label| label != IGNORED_LABEL).collect();
        assert_eq!(kept.len() as u64 + encoded.cut(), words.len() as u64);
        assert!(encoded.cut() > 0 && kept.len() > 1);
        // The labels that are left are those of their own words.
        let first = encoded.list(column::FIRST_TOKENS, 0);
        assert_eq!(first.len(), words.len());
        for (&token, gold) in first.iter().zip(gold).filter(|(token, _)| **token != IGNORED_LABEL) {
            assert_eq!(labels[token as usize], gold as i32);
        }
        assert_eq!(first.iter().filter(|&&token| token != IGNORED_LABEL).count(), kept.len());
    }
}

#[test]
fn batches_are_padded_at_the_end() {
    let tokenization = tiny("tiny-xlmr");
    let examples = tagged(&[(&["Maria"], &[1]), (&["Maria"; 9], &[1; 9])]);
    let encoded = encode(&examples, &tokenization, &options(21, 0)).unwrap();
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

fn asked(context: &str, answer: &str) -> data::Examples {
    question("Where?", context, answer, context[..context.find(answer).unwrap()].chars().count())
}

/// The window's first token of the context, and the characters of each token.
fn context(encoded: &Encoded, item: usize) -> (usize, Vec<(usize, usize)>) {
    let offsets = encoded.list("offsets", item).chunks_exact(2).map(|pair| (pair[0] as usize, pair[1] as usize));
    (encoded.number("context", item).unwrap() as usize, offsets.collect())
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
    let said = "🙂🙂 สมชายเดินทางไปเชียงใหม่ and the cafe\u{301} in Zu\u{308}rich: राम दिल्ली से मुंबई जाएगा, زارت القاهرة, 上海 👩‍👩‍👧 ½ end";
    for name in ["tiny-bert", "tiny-xlmr"] {
        for answer in ["เชียงใหม่", "cafe\u{301}", "Zu\u{308}rich", "दिल्ली", "القاهرة", "上海", "👩‍👩‍👧", "end", "🙂🙂"]
        {
            let example = asked(said, answer);
            for (max_length, stride) in [(100, 30), (40, 16)] {
                let encoded = encode(&example, &tiny(name), &options(max_length, stride)).unwrap();
                let held: Vec<usize> = (0..encoded.len()).filter(|&item| span_of(&encoded, item) != (0, 0)).collect();
                assert!(!held.is_empty(), "{name}: `{answer}` is in no window");
                for &item in &held {
                    let (start, end) = span_of(&encoded, item);
                    let (from, offsets) = context(&encoded, item);
                    let (first, last) = (offsets[start - from].0, offsets[end - from].1);
                    let text: String = said.chars().skip(first).take(last - first).collect();
                    assert!(text.contains(answer), "{name}: `{text}` for `{answer}`");
                    assert!(text.chars().count() <= answer.chars().count() + 20, "{name}: `{text}` for `{answer}`");
                }
            }
        }
    }
}

#[test]
fn windows_cover_the_context_and_overlap_by_the_stride() {
    let said = "Maria lives in Lisbon and works near the harbour. ".repeat(20);
    let encoded = encode(&asked(&said, "Lisbon"), &tiny("tiny-bert"), &options(40, 8)).unwrap();
    assert!(encoded.len() > 4);
    for item in 1..encoded.len() {
        let (_, before) = context(&encoded, item - 1);
        let (_, after) = context(&encoded, item);
        assert_eq!(before[before.len() - 8..], after[..8]);
        assert_eq!(encoded.lengths()[item - 1], 40);
        assert_eq!(encoded.example(item), 0);
    }
    // A question too long for its window is cut, not refused.
    let long = question(&"Where does Maria live? ".repeat(40), &said, "Lisbon", 15);
    let encoded = encode(&long, &tiny("tiny-bert"), &options(40, 8)).unwrap();
    assert!((0..encoded.len()).any(|item| span_of(&encoded, item) != (0, 0)));
}

#[test]
fn retrieval_puts_sources_before_english() {
    let pairs = |pairs: &[(&str, &str)]| {
        let rows = pairs.iter().map(|(source, english)| vec![text(source), text(english)]);
        examples(Task::Retrieval, &Labels::default(), rows.collect())
    };
    let both = pairs(&[("Ελένη", "Maria"), ("Анна", "Lisbon")]);
    let with = |prefix: &str| {
        encode(&both, &tiny("tiny-xlmr"), &EncodeOptions { prefix: prefix.into(), ..options(32, 0) }).unwrap()
    };
    let (plain, prefixed) = (with(""), with("query: "));
    assert_eq!((plain.len(), plain.examples()), (4, 2));
    assert_eq!((0..4).map(|item| plain.example(item)).collect::<Vec<_>>(), [0, 1, 0, 1]);
    let alone = encode(&pairs(&[("x", "Maria")]), &tiny("tiny-xlmr"), &options(32, 0)).unwrap();
    assert_eq!(plain.ids(2), alone.ids(1));
    assert!(prefixed.ids(2).len() > plain.ids(2).len());
    assert_eq!(plain.batch(&[0, 2], 1).targets, Targets::None);
    let batch = plain.drawn_batch(&[1], 1);
    assert_eq!((batch.len(), &batch.targets), (2, &Targets::Translations));
    assert_eq!(batch.ids[..batch.lengths[0]].iter().map(|&id| id as u32).collect::<Vec<_>>(), plain.ids(1));
}

/// A row a choice, with the premise and the question in words in front of it.
#[test]
fn choices_are_rows_behind_their_premise() {
    let tokenization = tiny("tiny-bert");
    let row = |question: &str, choices: &[&str], right| {
        vec![text("Maria works."), text(question), list(choices), Value::Number(right)]
    };
    let rows = vec![
        row("cause", &["Lisbon", "She lives in Lisbon."], 1),
        row("effect", &["Anna", "Kazan", "harbour"], 2),
        row("Who works?", &["Maria", "Anna"], 0),
    ];
    let encoded = encode(&examples(Task::Choice, &Labels::default(), rows), &tokenization, &options(40, 0)).unwrap();
    assert_eq!((0..7).map(|item| encoded.example(item)).collect::<Vec<_>>(), [0, 0, 1, 1, 1, 2, 2]);
    let pair = |context: &str, choice: &str| {
        tokenization.pair.pair(&tokenization.ids(context).unwrap(), &tokenization.ids(choice).unwrap())
    };
    for (item, context, choice) in [
        (0, "Maria works. What was the cause?", "Lisbon"),
        (4, "Maria works. What was the effect?", "harbour"),
        (5, "Maria works. Who works?", "Maria"),
    ] {
        let (ids, segments) = pair(context, choice);
        assert_eq!((encoded.ids(item), encoded.segments(item)), (&ids[..], &segments[..]));
    }
    let batch = encoded.drawn_batch(&[1, 2], 1);
    assert_eq!(batch.targets, Targets::Choices { rows: vec![3, 2], right: vec![2, 0] });
    assert_eq!(encoded.drawn_lengths().len(), 3);
}

#[test]
fn trees_lose_words_that_are_cut_and_what_hangs_on_them() {
    let words = ["Maria", "lives", "in", "\u{200b}", "Lisbon", "harbour", "harbour", "harbour"];
    let heads = [2, 0, 5, 2, 2, 8, 8, 2];
    let labels = labels(&["dep", "root"]);
    let relations = heads.map(|head| usize::from(head == 0));
    let fields =
        vec![list(&words), Value::Numbers(heads.map(|head| head as i64).to_vec()), Value::Labels(relations.to_vec())];
    let (examples, tokenization) = (examples(Task::Parse, &labels, vec![fields]), tiny("tiny-bert"));
    let (mut cut, mut headless) = (0, 0);
    for max_length in 8..40 {
        let encoded = encode(&examples, &tokenization, &options(max_length, 0)).unwrap();
        let [first, last] = [column::FIRST_TOKENS, column::LAST_TOKENS].map(|name| encoded.list(name, 0));
        let there = |word: usize| first[word] != IGNORED_LABEL;
        // The special token stands first; words follow one another.
        let mut next = 1;
        for word in (0..words.len()).filter(|&word| there(word)) {
            assert!(first[word] == next && last[word] >= next && last[word] < max_length as i32 - 1);
            next = last[word] + 1;
        }
        for (word, head) in heads.into_iter().enumerate() {
            let counts = there(word) && (head == 0 || there(head - 1));
            let expected = if counts { (head as i32, relations[word] as i32) } else { (IGNORED_LABEL, IGNORED_LABEL) };
            assert_eq!((encoded.list(column::HEADS, 0)[word], encoded.list(column::RELATIONS, 0)[word]), expected);
            headless += usize::from(there(word) && !counts);
        }
        assert_eq!(encoded.cut(), (0..words.len()).filter(|&word| !there(word)).count() as u64);
        cut += encoded.cut();
        let batch = encoded.batch(&[0], 1);
        assert_eq!(batch.words, Some(Words { first: first.to_vec(), last: last.to_vec(), width: words.len() }));
    }
    assert!(cut > 0 && headless > 0);
}

#[test]
fn one_text_or_two_are_classed() {
    let tokenization = tiny("tiny-bert");
    let rows = vec![
        vec![text("Maria works."), text(""), Value::Label(1)],
        vec![text("Maria works."), text("Anna"), Value::Label(0)],
    ];
    let names = labels(&["no", "yes"]);
    let encoded = encode(&examples(Task::Paraphrase, &names, rows), &tokenization, &options(40, 0)).unwrap();
    let [maria, anna] = ["Maria works.", "Anna"].map(|text| tokenization.ids(text).unwrap());
    assert_eq!(encoded.ids(0), tokenization.single.single(&maria).0);
    assert_eq!(encoded.ids(1), tokenization.pair.pair(&maria, &anna).0);
    assert_eq!(encoded.batch(&[1, 0], 1).targets, Targets::Classes(vec![0, 1]));
}

#[test]
fn labels_are_numbered_as_the_head_of_the_model() {
    let mut encoded = encode(&tagged(&[(&["Maria", "Lisbon"], &[1, 5])]), &tiny("tiny-bert"), &options(16, 0)).unwrap();
    let Targets::TokenLabels(before) = encoded.batch(&[0], 1).targets else { panic!() };
    let head = labels(&["B-LOC", "I-LOC", "B-ORG", "I-ORG", "B-PER", "I-PER", "O", "B-DATE"]);
    encoded.relabel(&head).unwrap();
    let Targets::TokenLabels(after) = encoded.batch(&[0], 1).targets else { panic!() };
    let renumbered = |label: &i32| match label {
        1 => 4,
        5 => 0,
        other => *other,
    };
    assert_eq!(after, before.iter().map(renumbered).collect::<Vec<_>>());
    let lacking = encoded.relabel(&labels(&["O"])).unwrap_err().to_string();
    assert!(lacking.contains("`B-LOC`"), "{lacking}");
}

#[test]
fn impossible_lengths_are_refused() {
    let asked = asked("one two", "two");
    let refused = |options: &EncodeOptions| encode(&asked, &tiny("tiny-xlmr"), options).unwrap_err().to_string();
    // XLM-R counts positions from its padding id + 1 = 2, so 130 rows hold 128 tokens.
    assert!(refused(&options(129, 8)).contains("128 positions"));
    assert!(refused(&options(6, 0)).contains("no room"));
    assert!(refused(&options(64, 60)).contains("stride 60"));
    assert!(encode(&asked, &tiny("tiny-xlmr"), &options(128, 52)).is_ok());
}

/// A data folder with one small file.
fn folder(place: &Path) -> (DataFolder, DataKey) {
    let source = place.join("train.tsv");
    fs::write(&source, "Maria\tB-PER\nlives\tO\n\nLisbon\tB-LOC\n\nKöln\tB-LOC\nBahnhof\tI-LOC\n").unwrap();
    let data = DataFolder::open(&place.join("data"));
    let dataset = Name::new("wiki").unwrap();
    let key = DataKey::new(Task::Ner, &dataset, Language::ENGLISH, Split::Train);
    let file = ImportFile {
        format: format("wikiann-text"),
        input: Input::new(vec![source], language("en")),
        dataset,
        task: Task::Ner,
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
    assert_eq!(get(Some(Portion::First(100)), &options(32, 9)), (fresh.clone(), CacheUse::Hit));
    assert_eq!(get(Some(Portion::First(2)), &options(32, 0)).0.len(), 2);
    // A sample is another file than the head, and all of it is the file itself.
    assert_eq!(get(Some(Portion::sample(2)), &options(32, 0)).1, CacheUse::Built);
    assert_eq!(get(Some(Portion::sample(2)), &options(32, 0)).1, CacheUse::Hit);
    assert_eq!(get(Some(Portion::sample(100)), &options(32, 0)).1, CacheUse::Hit);
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
