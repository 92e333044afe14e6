//! The data card: what the folder holds, how it was made, and what cannot be concluded from it.

use std::collections::BTreeMap;
use std::fmt::Write;

use data::ManifestEntry;
use spec::Split;

use crate::giveaway::Scores;
use crate::grammar::Language;

const INTRODUCTION: &str = "# The mini world

Sentences about an invented world in eleven languages, written by a grammar: the data that Lethe is to use when no other is given.
Every row says the same in every language. The folder is generated; do not edit it.

## What it is
A data set of the canonical data folder, with `manifest.toml`: rows and content hash of each file of
- `ner/<language>/<split>.parquet`: names of people, organisations and places, tagged as in WikiANN; in Chinese a token is a
  character, in Vietnamese a syllable. A company is tagged without the word for company.
- `qa/<language>/<split>.parquet`: as in XQuAD a paragraph, a question (who, where, from where, when, how many, which
  organisation, which city, why) and one answer, its start counted in characters. Case suffixes after an apostrophe (Turkish)
  are not part of an answer; inflected names (Russian) are answered as they stand.
- `nli/<language>/<split>.parquet`: as in XNLI; 0 entailment, 1 neutral, 2 contradiction. The label follows from the world's
  logic in the single-event reading: two sentences about the same birth, sale or opening speak of one event. Every
  hypothesis comes three times, once with each label.
- `retrieval/<language>/<split>.parquet`: `id`, `source` in the language, `target` in English. There is none for English.
- `mlm/<language>/<split>.parquet`: `id`, `text`; to train on, sentences, questions and paragraphs; to measure, sentences. Rows are
  parallel: row `i` of a split has the same `id` in every language and says the same. What the pairs of `retrieval` and the
  held-out splits tell, with or without its year, is told nowhere else in `retrieval` and `mlm`.
- `pos/<language>/<split>.parquet` and `parse/<language>/<split>.parquet`: the same sentences with universal parts of speech, and
  with heads (0 is the root) and universal relations. Words are orthographic: contractions and clitics are one word, so there are
  no multiword tokens.
- `choice/<language>/<split>.parquet`: as in XCOPA a premise, a question (`cause` or `effect`) and two choices; the label follows from
  the world's laws of cause. People leave where disaster strikes or an institution closes and go where something opens; they work,
  study, meet, found and die where they have moved to; visitors are met where they go; disasters close institutions; who goes
  bankrupt is bought, and belongs to the buyer; heirs inherit from the dead. Every two choices come twice, each right once: the
  second premise is the first with two cities, companies, people or disasters in each other's place.

## How it was made
Facts (births, deaths, moves, visits, meetings, studies, work, novels, films and operas, foundations, closures with their causes,
openings, purchases) are drawn from a seed about invented people and companies in real cities, and put into words by a lexicon and a
grammar for each language, written for this project. The same seed gives the same bytes. Train, validation and test of `ner`, `qa`, `nli`,
`pos`, `parse` and `choice` share no name, city, country, brand or title, nor a sentence pattern (what comes first, voice, how the year is
told, source); questions, hypotheses and choices have the same plain form in all. Bankruptcies, inheritances, who owned whom and that
disasters happened are told in `choice` alone, so that a model pre-trained on `mlm` has not met their verbs.
`mlm` and `retrieval` use all names and patterns: who pre-trains on `mlm` has met the names of every split.

## What it is not
Not a sample of how people write: a few hundred names, some fifteen kinds of events, one clause a sentence. Nothing that it says of any
real place or company name is true. Scores on it rank methods on a small controlled problem; they say nothing about absolute quality on
real text, about dialects, idiom, ambiguity or long documents. Hardly a word is two parts of speech, so that tags in the language of
training are nearly a matter of looking words up; what they are in another language is not. The languages were chosen by script and
family, not by need. No speaker of each language has reviewed the grammar independently.

## Give-away checks
What models reach that cannot have understood anything, on the test split:
`hypothesis` is the accuracy of naive Bayes on words and word pairs of the hypothesis alone (chance 0.333); `overlap` that of a logistic
regression on how many words and figures of the hypothesis the premise lacks, and on lengths; `first` and `longest` answer every question with
the first or the longest name of the paragraph (exact match); `majority` tags every word as it is most often tagged in train (strict F1);
`part` gives every word its most frequent part of speech (accuracy), `head` every part of speech its most frequent distance to the head and
relation (labelled attachment); `choices` and `shared words` are for `choice` what `hypothesis` and `overlap` are for `nli` (chance 0.500).

";

/// The card as Markdown.
pub(crate) fn card(seed: u64, entries: &[ManifestEntry], scores: &[(Language, Scores)]) -> String {
    let mut text = INTRODUCTION.to_owned();
    text.push_str(
        "| language | hypothesis | overlap | first | longest | majority | part | head | choices | shared words |\n",
    );
    text.push_str("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n");
    // Writing to a string cannot fail.
    for (language, row) in scores {
        let _ = writeln!(
            text,
            "| {} | {:.3} | {:.3} | {:.3} | {:.3} | {:.3} | {:.3} | {:.3} | {:.3} | {:.3} |",
            language.code(),
            row.hypothesis_only,
            row.word_overlap,
            row.first_entity,
            row.longest_entity,
            row.majority_tag,
            row.usual_part,
            row.usual_head,
            row.choices_only,
            row.choice_overlap
        );
    }
    let _ = write!(text, "\n## Sizes\nRows for each language; the seed is {seed}.\n\n");
    text.push_str("| task | train | validation | test |\n| --- | --- | --- | --- |\n");
    let rows: BTreeMap<(&str, Split), usize> =
        entries.iter().map(|entry| ((entry.task.as_str(), entry.split), entry.rows)).collect();
    let mut tasks: Vec<&str> = rows.keys().map(|(task, _)| *task).collect();
    tasks.dedup();
    for task in tasks {
        let [train, validation, test] =
            Split::ALL.map(|split| rows.get(&(task, split)).map_or("–".to_owned(), usize::to_string));
        let _ = writeln!(text, "| {task} | {train} | {validation} | {test} |");
    }
    text.push_str("\n## Licence\nMIT or Apache-2.0, as the rest of the repository. No text of others was used.\n");
    text
}
