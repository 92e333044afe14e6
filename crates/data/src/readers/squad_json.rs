use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::lines::read_text;
use crate::{Answer, DataError, QaExample};

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
    id: String,
    question: String,
    #[serde(default)]
    answers: Vec<JsonAnswer>,
}

#[derive(Deserialize)]
struct JsonAnswer {
    text: String,
    answer_start: i64,
}

/// Reads SQuAD 1.1's JSON.
pub(super) fn read(paths: &[PathBuf]) -> Result<Vec<QaExample>, DataError> {
    let mut examples = Vec::new();
    for path in paths {
        let text = read_text(path)?;
        let document: Document = serde_json::from_str(&text)
            .map_err(|error| DataError::file(path, format!("is not SQuAD's JSON (data, paragraphs, qas): {error}")))?;
        for paragraph in document.data.into_iter().flat_map(|article| article.paragraphs) {
            for question in paragraph.qas {
                let answers = question.answers.into_iter().map(|answer| (answer.text, answer.answer_start)).collect();
                let context = paragraph.context.clone();
                examples.push(example(path, question.id, question.question, context, answers)?);
            }
        }
    }
    Ok(examples)
}

/// A question whose answers all stand in the context where the file says.
pub(super) fn example(
    path: &Path,
    id: String,
    question: String,
    context: String,
    answers: Vec<(String, i64)>,
) -> Result<QaExample, DataError> {
    let bad = |message: String| DataError::row(path, format!("question `{id}`"), message);
    if answers.iter().all(|(text, _)| text.is_empty()) {
        let message = "has no answer: a question of SQuAD 2.0 that cannot be answered, or a copy of the file with its \
                       answers taken out";
        return Err(DataError::unlabelled(path, format!("question `{id}`"), message));
    }
    if [&context, &question].iter().any(|text| text.contains('\0')) {
        return Err(bad("holds a null character".to_owned()));
    }
    let mut checked = Vec::with_capacity(answers.len());
    for (text, start) in answers {
        let found = usize::try_from(start)
            .ok()
            .and_then(|start| Some((start, context.char_indices().map(|(byte, _)| byte).nth(start)?)))
            .filter(|&(_, byte)| !text.is_empty() && context[byte..].starts_with(&text));
        match found {
            Some((start, _)) => checked.push(Answer { text, start }),
            None => {
                let message = format!("answer `{text}` is not in the context at character {start}, its answer_start");
                return Err(bad(message));
            }
        }
    }
    Ok(QaExample { id, question, context, answers: checked })
}
