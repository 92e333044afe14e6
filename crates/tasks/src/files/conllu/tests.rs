use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{Fault, Sentence, check_tree, parse, universal};
use data::lines::read_text;
use spec::Task;

/// Two sentences with all that the format knows, the last without an empty line after it.
const SAMPLE: &str = "\
# newdoc
# sent_id = a-1
# text = Vámonos al mar.
1-2\tVámonos\t_\t_\t_\t_\t_\t_\t_\t_
1\tVamos\tir\tVERB\t_\tMood=Imp\t0\troot\t_\t_
2\tnos\tnosotros\tPRON\t_\t_\t1\tobj\t_\t_
3-4\tal\t_\t_\t_\t_\t_\t_\t_\t_
3\ta\ta\tADP\t_\t_\t5\tcase\t_\t_
4\tel\tel\tDET\t_\t_\t5\tdet\t_\t_
5\tmar\tmar\tNOUN\t_\t_\t1\tobl:arg\t_\tSpaceAfter=No
5.1\tazul\tazul\tADJ\t_\t_\t_\t_\t5:amod\t_
5.2\tya\tya\tADV\t_\t_\t_\t_\t1:advmod\t_
6\t.\t.\tPUNCT\t_\t_\t1\tpunct\t_\t_


#text=gia đình _ #
0.1\tcó\tcó\tVERB\t_\t_\t_\t_\t0:root\t_
1\tgia đình\t_\t_\t_\t_\t0\t_\t_\t_
2\t_\t_\tSYM\t_\t_\t_\tdep\t_\t_
3\t#\t_\tSYM\t_\t_\t1\tdep\t_\t_";

fn row(id: &str, head: &str) -> String {
    format!("{id}\tw{id}\t_\tX\t_\t_\t{head}\tdep\t_\t_\n")
}

/// A sentence of words with these heads.
fn headed(heads: &[usize]) -> String {
    heads.iter().enumerate().map(|(index, head)| row(&(index + 1).to_string(), &head.to_string())).collect()
}

fn fault(line: usize, field: Option<&'static str>, message: &str) -> Fault {
    Fault { line, field, message: message.to_owned() }
}

fn check_sample(sentences: &[Sentence]) {
    let [first, second] = sentences else { panic!("{} sentences", sentences.len()) };
    assert_eq!(first.id, Some("a-1"));
    assert_eq!(second.id, None);
    assert_eq!((first.multiword, first.empty), (2, 2));
    assert_eq!((second.multiword, second.empty), (0, 1));
    let forms = |sentence: &Sentence| sentence.words.iter().map(|word| word.form.to_owned()).collect::<Vec<_>>();
    assert_eq!(forms(first), ["Vamos", "nos", "a", "el", "mar", "."]);
    assert_eq!(forms(second), ["gia đình", "_", "#"]);
    let lines: Vec<usize> = first.words.iter().map(|word| word.line).collect();
    assert_eq!(lines, [5, 6, 8, 9, 10, 13]);
    let tags: Vec<_> = first.words.iter().map(|word| word.upos.unwrap()).collect();
    assert_eq!(tags, ["VERB", "PRON", "ADP", "DET", "NOUN", "PUNCT"]);
    let arcs: Vec<_> = first.words.iter().map(|word| (word.head.unwrap(), word.deprel.unwrap())).collect();
    assert_eq!(arcs, [(0, "root"), (1, "obj"), (5, "case"), (5, "det"), (1, "obl:arg"), (1, "punct")]);
    let open: Vec<_> = second.words.iter().map(|word| (word.upos, word.head, word.deprel)).collect();
    assert_eq!(open, [(None, Some(0), None), (Some("SYM"), None, Some("dep")), (Some("SYM"), Some(1), Some("dep"))]);
}

#[test]
fn words_comments_ranges_and_empty_nodes() {
    check_sample(&parse(SAMPLE).unwrap());
    for ends in ["\n", "\n\n", "\n\n\n\n"] {
        check_sample(&parse(&format!("{SAMPLE}{ends}")).unwrap());
    }
    for nothing in ["", "\n", "\r\n\n\n"] {
        assert_eq!(parse(nothing).unwrap(), []);
    }
    let ahead = format!("\n\n{SAMPLE}");
    let sentences = parse(&ahead).unwrap();
    assert_eq!((sentences.len(), sentences[0].words[0].line), (2, 7));
    // A comment of another key that begins or ends alike, and an empty value.
    let sentences = parse("# text_en = no\n# my text = no\n# sent_id =\n1\tw\t_\t_\t_\t_\t_\t_\t_\t_\n").unwrap();
    assert_eq!(sentences[0].id, None);
}

#[test]
fn byte_order_mark_and_line_ends_of_windows() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("file");
    std::fs::write(&path, format!("\u{feff}{}\r\n", SAMPLE.replace('\n', "\r\n"))).unwrap();
    check_sample(&parse(&read_text(&path).unwrap()).unwrap());
}

#[test]
fn faults_name_line_and_column() {
    let blank = "\n".to_owned();
    let id = |line, message: &str| fault(line, Some("ID"), message);
    let of = |field: usize, value: &str| {
        let mut columns = ["1", "w", "_", "X", "_", "_", "0", "root", "_", "_"];
        columns[field] = value;
        columns.join("\t")
    };
    for (text, expected) in [
        ("# a\n1\tw\tX".to_owned(), fault(2, None, "has 3 columns between tabs, not 10")),
        (format!("{}\t", of(0, "1")), fault(1, None, "has 11 columns between tabs, not 10")),
        ("word".to_owned(), fault(1, None, "has 1 columns between tabs, not 10")),
        (row("1", "0") + "  \n", fault(2, None, "is white space; what ends a sentence is an empty line")),
        (row("2", "0"), id(1, "`2` stands where word 1 of the sentence should")),
        (row("0", "0"), id(1, "`0` stands where word 1 of the sentence should")),
        (row("01", "0"), id(1, "`01` stands where word 1 of the sentence should")),
        (row("+1", "0"), id(1, "`+1` stands where word 1 of the sentence should")),
        (row("", "0"), id(1, "`` stands where word 1 of the sentence should")),
        (row("1", "0") + &row("1", "0"), id(2, "`1` stands where word 2 of the sentence should")),
        (row("1", "0") + &row("3", "0"), id(2, "`3` stands where word 2 of the sentence should")),
        (headed(&[0, 1]) + &blank + &row("3", "1"), id(4, "`3` stands where word 1 of the sentence should")),
        (row("1-", "_"), id(1, "`1-` is no range of words such as `3-4`")),
        (row("1-2-3", "_"), id(1, "`1-2-3` is no range of words such as `3-4`")),
        (row("2-1", "_"), id(1, "range `2-1` ends before it begins")),
        (row("2-3", "_"), id(1, "range `2-3` stands before word 1, not before word 2")),
        (row("1", "0") + &row("1-2", "_"), id(2, "range `1-2` stands before word 2, not before word 1")),
        (
            row("1-2", "_") + &row("1", "0") + &row("2-3", "_"),
            id(3, "range `2-3` covers words that the range before it covers"),
        ),
        (row("1-2", "_") + &row("1-2", "_"), id(2, "range `1-2` covers words that the range before it covers")),
        (
            row("1", "0") + &row("2-3", "_") + &row("2", "1") + &blank + &row("1", "0"),
            id(2, "range `2-3` covers words that the sentence of 2 words lacks"),
        ),
        (row("1.", "_"), id(1, "`1.` is no empty node such as `5.1`")),
        (row("1.1", "_"), id(1, "empty node `1.1` stands where `0.1` should")),
        (row("1", "0") + &row("1.2", "_"), id(2, "empty node `1.2` stands where `1.1` should")),
        (
            row("1", "0") + &row("1.1", "_") + &row("2", "1") + &row("1.2", "_"),
            id(4, "empty node `1.2` stands where `2.1` should"),
        ),
        (row("1-2", "_") + &row("0.1", "_"), id(2, "empty node `0.1` stands between range `1-2` and its first word")),
        (of(1, ""), fault(1, Some("FORM"), "is empty")),
        (of(1, "\u{a0} "), fault(1, Some("FORM"), "is empty")),
        ("1-2\t\t_\t_\t_\t_\t_\t_\t_\t_".to_owned(), fault(1, Some("FORM"), "is empty")),
        ("0.1\t\t_\t_\t_\t_\t_\t_\t_\t_".to_owned(), fault(1, Some("FORM"), "is empty")),
        (of(3, ""), fault(1, Some("UPOS"), "is empty; what is not known is written `_`")),
        (of(6, ""), fault(1, Some("HEAD"), "is empty; what is not known is written `_`")),
        (of(7, ""), fault(1, Some("DEPREL"), "is empty; what is not known is written `_`")),
        (of(6, "-1"), fault(1, Some("HEAD"), "`-1` is not the number of a word")),
        (of(6, "w"), fault(1, Some("HEAD"), "`w` is not the number of a word")),
        (of(6, "99999999999999999999"), fault(1, Some("HEAD"), "`99999999999999999999` is not the number of a word")),
        (of(6, "2"), fault(1, Some("HEAD"), "2 is not a word of the sentence, which has 1")),
        (
            headed(&[0, 1]) + &blank + &headed(&[2]),
            fault(4, Some("HEAD"), "2 is not a word of the sentence, which has 1"),
        ),
        (
            row("1", "0") + "# sent_id = 2\n",
            fault(2, None, "is a comment within a sentence; is the empty line before it missing?"),
        ),
        (row("1", "0") + "\n# a\n# b\n\n" + &row("1", "0"), fault(3, None, "begins a sentence without words")),
        ("# a\n".to_owned(), fault(1, None, "begins a sentence without words")),
        (row("0.1", "_"), fault(1, None, "begins a sentence without words")),
        (row("1-1", "_"), fault(1, None, "begins a sentence without words")),
        (
            "# sent_id = a\n# sent_id = b\n".to_owned() + &row("1", "0"),
            fault(2, None, "gives `sent_id` of the same sentence once more"),
        ),
    ] {
        assert_eq!(parse(&text), Err(expected), "{text:?}");
    }
    assert_eq!(fault(3, Some("HEAD"), "").place(), "line 3, column `HEAD`");
    assert_eq!(fault(3, None, "").place(), "line 3");
}

#[test]
fn trees() {
    let head = |line, message: &str| Err(fault(line, Some("HEAD"), message));
    let no_root = "begins a sentence of which no word hangs on the root";
    for (text, expected) in [
        (headed(&[0]), Ok(())),
        (headed(&[2, 0, 2, 3]), Ok(())),
        (row("1", "0") + &row("2", "_"), head(2, "word 2 (`w2`) has no head")),
        (headed(&[0, 2]), head(2, "word 2 (`w2`) is its own head")),
        (headed(&[1]), head(1, "word 1 (`w1`) is its own head")),
        (headed(&[0, 1, 0]), head(3, "word 3 (`w3`) hangs on the root, as word 1 (`w1`) does already")),
        (format!("# a\n{}", headed(&[2, 1])), Err(fault(2, None, no_root))),
        (headed(&[0, 3, 2]), head(2, "word 2 (`w2`) hangs on itself by way of word 3")),
        // Word 2 only leads to the circle.
        (headed(&[0, 4, 4, 3]), head(4, "word 4 (`w4`) hangs on itself by way of word 3")),
    ] {
        assert_eq!(check_tree(&parse(&text).unwrap()[0]), expected, "{text:?}");
    }
}

/// Of all lists of heads, those that are trees with one word on the root: n^(n−1) by Cayley's formula.
#[test]
fn as_many_trees_as_there_are() {
    for words in 1..=5_usize {
        let lists = (0..(words + 1).pow(words as u32)).map(|number| {
            let digits = std::iter::successors(Some(number), |rest| Some(rest / (words + 1)));
            digits.take(words).map(|rest| rest % (words + 1)).collect::<Vec<usize>>()
        });
        let trees = lists.filter(|heads| check_tree(&parse(&headed(heads)).unwrap()[0]).is_ok()).count();
        assert_eq!(trees, words.pow(words as u32 - 1));
    }
}

/// Whatever is damaged, there is a fault with a line of the text, or sentences whose heads are words of theirs.
#[test]
fn damaged_texts() {
    let pieces = ["", "\t", "\n", "\n\n", "#", "_", "-", ".", "0", "1", "9", " ", "\r", "ñ", "1-2\t", "= "];
    let mut state = 1_u64;
    let mut draw = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let mut refused = 0;
    for _ in 0..20_000 {
        let mut text: Vec<char> = SAMPLE.chars().collect();
        for _ in 0..=draw(3) {
            let begin = draw(text.len());
            let end = (begin + draw(3)).min(text.len());
            text.splice(begin..end, pieces[draw(pieces.len())].chars());
        }
        let text: String = text.into_iter().collect();
        match parse(&text) {
            Ok(sentences) => {
                for sentence in &sentences {
                    let words = sentence.words.len();
                    assert!(words > 0 && sentence.words.iter().all(|word| word.head.is_none_or(|head| head <= words)));
                    if let Err(fault) = check_tree(sentence) {
                        assert!(sentence.words.iter().any(|word| word.line == fault.line));
                    }
                }
            }
            Err(fault) => {
                refused += 1;
                assert!((1..=text.split('\n').count()).contains(&fault.line) && !fault.message.contains('\n'));
            }
        }
    }
    assert!((5_000..20_000).contains(&refused), "{refused}");
}

#[test]
fn names() {
    for task in [Task::Pos, Task::Parse] {
        assert!(task.usual_labels().names().is_sorted_by(|a, b| a < b));
    }
    assert_eq!(["nmod:poss", "root", "obl:arg:x", ""].map(universal), ["nmod", "root", "obl", ""]);
}

/// Every treebank of the real data, against a count of lines by their first bytes.
#[test]
fn real_treebanks() {
    let Some(root) = std::env::var_os("LETHE_REAL").map(PathBuf::from) else {
        eprintln!("skipped: LETHE_REAL is not set");
        return;
    };
    let folders = std::fs::read_dir(root.join("data/ud")).unwrap().map(|entry| entry.unwrap().path());
    let files = folders.flat_map(|folder| std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()));
    let mut files: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|end| end == "conllu")).collect();
    files.sort();
    let mut total = [0; 4];
    let (mut tags, mut relations) = (BTreeMap::<&str, usize>::new(), BTreeMap::<&str, usize>::new());
    let texts: Vec<String> = files.iter().map(|path| read_text(path).unwrap()).collect();
    for (path, text) in files.iter().zip(&texts) {
        // Sentences, words, multiword tokens, empty nodes. Each sentence has one word 1.
        let mut counted = [0; 4];
        for line in text.lines() {
            let id = line.split('\t').next().unwrap();
            let kind = id.trim_start_matches(|c: char| c.is_ascii_digit()).chars().next();
            match kind {
                _ if id.is_empty() || id.starts_with('#') => {}
                None => {
                    counted[0] += usize::from(id == "1");
                    counted[1] += 1;
                }
                Some('-') => counted[2] += 1,
                Some('.') => counted[3] += 1,
                Some(_) => panic!("{}: {line}", path.display()),
            }
        }
        let sentences =
            parse(text).unwrap_or_else(|fault| panic!("{}: {}: {}", path.display(), fault.place(), fault.message));
        let sum = |of: fn(&Sentence) -> usize| sentences.iter().map(of).sum::<usize>();
        let parsed = [
            sentences.len(),
            sum(|sentence| sentence.words.len()),
            sum(|sentence| sentence.multiword),
            sum(|sentence| sentence.empty),
        ];
        assert_eq!(parsed, counted, "{}", path.display());
        total.iter_mut().zip(parsed).for_each(|(total, count)| *total += count);
        for sentence in &sentences {
            check_tree(sentence)
                .unwrap_or_else(|fault| panic!("{}: {}: {}", path.display(), fault.place(), fault.message));
            for word in &sentence.words {
                *tags.entry(word.upos.unwrap()).or_default() += 1;
                let relation = universal(word.deprel.unwrap());
                assert_eq!(relation == "root", word.head == Some(0), "{}: line {}", path.display(), word.line);
                *relations.entry(relation).or_default() += 1;
            }
        }
    }
    eprintln!("{} treebank files: sentences, words, multiword tokens, empty nodes {total:?}", files.len());
    let known = |task: Task, found: &BTreeMap<&str, usize>| {
        let labels = task.usual_labels();
        assert!(found.keys().all(|name| labels.index(name).is_some()), "{found:?}");
    };
    known(Task::Pos, &tags);
    known(Task::Parse, &relations);
    assert!(!files.is_empty());
}
