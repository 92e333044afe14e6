use data::lines::read_text;
use data::{Answer, DataError, ExamplesBuilder, Value};
use serde::Deserialize;
use spec::{Labels, Task};

use crate::files::push;
use crate::format::{Input, Read};

#[derive(Deserialize)]
struct Document {
    data: Vec<Article>,
}

#[derive(Deserialize)]
struct Article {
    paragraphs: Vec<Paragraph>,
}

#[derive(Deserialize)]
struct Paragraph {
    context: String,
    qas: Vec<Question>,
}

#[derive(Deserialize)]
struct Question {
    id: Id,
    question: String,
    #[serde(default)]
    answers: Vec<JsonAnswer>,
}

/// A name, which some files write as a number.
#[derive(Deserialize)]
#[serde(try_from = "serde_json::Value")]
struct Id(String);

impl TryFrom<serde_json::Value> for Id {
    type Error = String;
    fn try_from(value: serde_json::Value) -> Result<Self, String> {
        match value {
            serde_json::Value::String(text) => Ok(Self(text)),
            serde_json::Value::Number(number) => Ok(Self(number.to_string())),
            other => Err(format!("id {other} is neither text nor a number")),
        }
    }
}

#[derive(Deserialize)]
struct JsonAnswer {
    text: String,
    answer_start: i64,
}

/// Reads SQuAD 1.1's JSON.
pub(super) fn read(input: &Input) -> Result<Read, DataError> {
    let mut builder = ExamplesBuilder::new(Task::Qa, Labels::default());
    let mut left_out = 0;
    for path in &input.paths {
        let text = read_text(path)?;
        // Bytes of contexts, one a question.
        let mut contexts = 0;
        let document: Document = serde_json::from_str(&text)
            .map_err(|error| DataError::file(path, format!("is not SQuAD's JSON (data, paragraphs, qas): {error}")))?;
        for paragraph in document.data.into_iter().flat_map(|article| article.paragraphs) {
            for Question { id: Id(id), question, answers } in paragraph.qas {
                let place = || format!("question `{id}`");
                let bad = |message: String| match message.starts_with(NO_ANSWER) {
                    true => DataError::unlabelled(path, place(), message),
                    false => DataError::row(path, place(), message),
                };
                // What is only predicted needs none.
                let answers = if input.unlabelled { Vec::new() } else { answers };
                let answers =
                    answers.into_iter().map(|JsonAnswer { text, answer_start }| Answer::new(text, answer_start));
                let answers = answers.collect();
                contexts += paragraph.context.len();
                if contexts > SLACK + MOST_REPEATED * text.len() {
                    return Err(DataError::row(
                        path,
                        place(),
                        "has a context that too many questions are about: the file \
                        would become more than a hundred times as large; take contexts apart",
                    ));
                }
                let context = Value::Text(paragraph.context.clone());
                let mut fields = vec![Value::Text(question), context, Value::Answers(answers)];
                left_out += keep_standing(&mut fields);
                check(&fields, input.unlabelled).map_err(bad)?;
                push(&mut builder, path, place, &id, fields)?;
            }
        }
    }
    Ok(Read { examples: builder.finish(), notes: note(left_out), left_out: 0 })
}

/// Leaves out the answers that do not stand where they say, if there is one that does: an annotator's slip. How many they are.
pub(super) fn keep_standing(fields: &mut [Value]) -> usize {
    let [_, Value::Text(context), Value::Answers(answers)] = fields else { return 0 };
    if !answers.iter().any(|answer| stands(context, answer)) {
        return 0;
    }
    let all = answers.len();
    // What is empty is no answer, and told so.
    answers.retain(|answer| answer.text.is_empty() || stands(context, answer));
    all - answers.len()
}

/// What is said about answers that were left out.
pub(super) fn note(left_out: usize) -> Vec<String> {
    let message = "answers that are not at their answer_start were left out, others of their questions kept";
    (left_out > 0).then(|| format!("{left_out} {message}")).into_iter().collect()
}

/// Whether an answer begins in the context where it says.
fn stands(context: &str, Answer { text, start }: &Answer) -> bool {
    let byte = context.char_indices().map(|(byte, _)| byte).nth(*start);
    !text.is_empty() && byte.is_some_and(|byte| context[byte..].starts_with(text.as_str()))
}

const NO_ANSWER: &str = "has no answer";
/// Contexts, once for each of their questions, may make this many times a file's bytes, besides the slack. SQuAD's make five.
const MOST_REPEATED: usize = 100;
const SLACK: usize = 1 << 26;

fn misplaced(text: &str, start: usize) -> String {
    match start {
        Answer::NOWHERE => format!("answer `{text}` has an answer_start in front of the context"),
        start => format!("answer `{text}` is not in the context at character {start}, its answer_start"),
    }
}

/// Refuses a question without an answer, unless none is needed, and one whose answers do not stand in the context where the
/// file says.
pub(super) fn check(fields: &[Value], unlabelled: bool) -> Result<(), String> {
    let [Value::Text(question), Value::Text(context), Value::Answers(answers)] = fields else {
        return Err("is no question, context and answers".to_owned());
    };
    if answers.iter().all(|answer| answer.text.is_empty()) && !unlabelled {
        return Err(format!(
            "{NO_ANSWER}: a question of SQuAD 2.0 that cannot be answered, or a copy of the file with its answers taken out"
        ));
    }
    if [context, question].iter().any(|text| text.contains('\0')) {
        return Err("holds a null character".to_owned());
    }
    match answers.iter().find(|answer| !stands(context, answer)) {
        Some(Answer { text, start }) => Err(misplaced(text, *start)),
        None => Ok(()),
    }
}
