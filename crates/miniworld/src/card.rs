//! The data card: what the folder holds, how it was made, and what cannot be concluded from it.

use std::fmt::Write;

use crate::write::{Manifest, Scores};

const INTRODUCTION: &str = "# The mini world

Sentences about an invented world in eleven languages, written by a grammar: the data that Lethe is to use when no other is given.
Every row says the same in every language. The folder is generated; do not edit it.

## What it is
- `ner/<language>/<split>.parquet`: the schema of WikiANN. Names of people, organisations and places; in Chinese a token is a
  character, in Vietnamese a syllable. A company is tagged without the word for company.
- `qa/<language>/<split>.parquet`: the schema of XQuAD. A paragraph, a question (who, where, from where, when, how many, which
  organisation, which city, why) and one answer, its start counted in characters. Case suffixes after an apostrophe (Turkish)
  are not part of an answer; inflected names (Russian) are answered as they stand.
- `nli/<language>/<split>.parquet`: the schema of XNLI; 0 entailment, 1 neutral, 2 contradiction. The label follows from the world's
  logic in the single-event reading: two sentences about the same birth, sale or opening speak of one event. Every
  hypothesis comes three times, once with each label.
- `pos/<language>/<split>.conllu`: forms, universal parts of speech, heads and relations in CoNLL-U; the other columns are empty.
  Words are orthographic: contractions and clitics are one word, so there are no multiword tokens.
- `retrieval/<language>/<split>.parquet`: `id`, `source` in the language, `target` in English. No fact of these pairs is told in `text`.
- `text/<language>/train.parquet`: `id`, `text`; sentences, questions and paragraphs to pre-train on, in all languages the same.
- `manifest.toml`: rows and BLAKE3 of every file.

## How it was made
Facts (births, deaths, moves, visits, meetings, studies, work, novels, films and operas, foundations, closures with their causes,
openings, purchases) are drawn from a seed about invented people and companies in real cities, and put into words by a lexicon and a
grammar for each language, written for this project. The same seed gives the same bytes. Train, validation and test of `ner`, `qa`, `nli`
and `pos` share no name, city, country, brand or title and no sentence pattern (what comes first, voice, how the year is told, source);
questions and hypotheses have the same plain form in all. `text` and `retrieval` use all names and patterns.

## What it is not
Not a sample of how people write: a few hundred names, some fifteen kinds of events, one clause a sentence. Nothing that it says of any
real place or company name is true. Scores on it rank methods on a small controlled problem; they say nothing about absolute quality on
real text, about dialects, idiom, ambiguity or long documents. The languages were chosen by script and family, not by need.
No speaker of each language has reviewed the grammar independently.

## Give-away checks
What models reach that cannot have understood anything, on the test split:
`hypothesis` is the accuracy of naive Bayes on words and word pairs of the hypothesis alone (chance 0.333); `overlap` that of a logistic
regression on how many words and figures of the hypothesis the premise lacks, and on lengths; `first` and `longest` answer every question with
the first or the longest name of the paragraph (exact match); `majority` tags every word as it is most often tagged in train (strict F1).

";

/// The card as Markdown.
pub(crate) fn card(manifest: &Manifest, scores: &[Scores]) -> String {
    let mut text = INTRODUCTION.to_owned();
    text.push_str(
        "| language | hypothesis | overlap | first | longest | majority |\n| --- | --- | --- | --- | --- | --- |\n",
    );
    // Writing to a string cannot fail.
    for row in scores {
        let _ = writeln!(
            text,
            "| {} | {:.3} | {:.3} | {:.3} | {:.3} | {:.3} |",
            row.language.code(),
            row.hypothesis_only,
            row.word_overlap,
            row.first_entity,
            row.longest_entity,
            row.majority_tag
        );
    }
    let _ = write!(text, "\n## Sizes\nRows for each language; the seed is {}.\n\n", manifest.seed);
    text.push_str("| task | split | rows |\n| --- | --- | --- |\n");
    let first = manifest.files.first().map(|file| file.language.clone());
    for file in manifest.files.iter().filter(|file| Some(&file.language) == first.as_ref()) {
        let _ = writeln!(text, "| {} | {} | {} |", file.task, file.split, file.rows);
    }
    let _ =
        write!(text, "\n## Licence\nMIT or Apache-2.0, as the rest of the repository. No text of others was used.\n");
    text
}
