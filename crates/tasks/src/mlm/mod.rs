//! Hidden tokens of plain text, restored by the model's own language model.

use data::lines::{lines, read_text};
use data::{
    DataError, EncodeOptions, Encoded, Examples, ExamplesBuilder, Item, Tokenization, evaluation_batches, mask_tokens,
};
use evaluation::MaskedText;
use model::Learner;
use serde_json::Value;
use spec::{IGNORED_LABEL, Labels, Language, Targets, Task};

use crate::encode::{each, single};
use crate::files::push;
use crate::format::{Description, Files, Input, Read};
use crate::predict::{BATCH_TOKENS, pad_multiple};
use crate::{Scored, TaskError, TaskFolder};

pub(super) struct Folder;

/// Share of tokens that are hidden when a model is measured (Devlin et al. 2019, section 3.1).
const HIDDEN_SHARE: f64 = 0.15;

impl TaskFolder for Folder {
    fn formats(&self) -> &'static [Description] {
        const FORMATS: &[Description] = &[Description {
            name: "text",
            task: Task::Mlm,
            about: "plain text, one sentence or paragraph a line",
            files: Files::One,
            given: &[],
            read: read_text_lines,
            read_all: None,
        }];
        FORMATS
    }

    /// One a text, nothing hidden yet (see [`data::mask_tokens`]).
    fn items(
        &self,
        examples: &Examples,
        tokenization: &Tokenization,
        options: &EncodeOptions,
    ) -> Result<Vec<Vec<Item>>, DataError> {
        let texts = examples.texts("text");
        each(examples.len(), |row| Ok(vec![single(row, texts.value(row), tokenization, options)?]))
    }

    fn predict(&self, _learner: &Learner, examples: &Examples, _encoded: &Encoded) -> Result<Vec<Value>, TaskError> {
        Err(no_predictions(examples.task()))
    }

    fn score(&self, gold: &Examples, _predictions: &[Value], _language: Language) -> Result<Scored, TaskError> {
        Err(no_predictions(gold.task()))
    }

    fn evaluate(
        &self,
        learner: &Learner,
        tokenization: &Tokenization,
        _language: Language,
        examples: &Examples,
        encoded: &Encoded,
    ) -> Result<Scored, TaskError> {
        let texts = masked_texts(learner, tokenization, encoded, examples.len())?;
        Ok(Scored::of(evaluation::score_masked_tokens(&texts)?))
    }
}

/// What the model restores of each text's hidden tokens. Which are hidden depends on the tokenizer and the texts alone, so
/// that every model and method is asked the same.
fn masked_texts(
    learner: &Learner,
    tokenization: &Tokenization,
    encoded: &Encoded,
    texts: usize,
) -> Result<Vec<MaskedText>, TaskError> {
    let mut scored = vec![MaskedText { hidden: 0, restored: 0, loss: 0.0 }; texts];
    for (index, items) in evaluation_batches(&encoded.lengths(), BATCH_TOKENS).into_iter().enumerate() {
        let batch = encoded.batch(&items, pad_multiple(learner.backend()));
        let seed = spec::derived_seed(0, "mask", &[index as u64]);
        let batch = mask_tokens(batch, tokenization, HIDDEN_SHARE, seed)?;
        let Targets::MaskedTokens(targets) = &batch.targets else { continue };
        let places = (0..targets.len()).filter(|&place| targets[place] != IGNORED_LABEL);
        for (place, score) in places.zip(learner.masked_token_scores(&batch)?) {
            let text = &mut scored[encoded.example(items[place / batch.seq])];
            text.hidden += 1;
            text.restored += usize::from(score.correct);
            text.loss += f64::from(score.loss);
        }
    }
    Ok(scored)
}

fn read_text_lines(input: &Input) -> Result<Read, DataError> {
    let path = input.path();
    let text = read_text(path)?;
    let mut builder = ExamplesBuilder::new(Task::Mlm, Labels::default());
    let mut empty = 0;
    for (number, line) in lines(&text) {
        let place = || format!("line {number}");
        if line.trim().is_empty() {
            empty += 1;
            continue;
        }
        // By its line, so that lines of translations are known to belong together.
        let id = (number - 1).to_string();
        push(&mut builder, path, place, &id, vec![data::Value::Text(line.to_owned())])?;
    }
    let note = (empty > 0).then(|| format!("{empty} empty lines were passed over"));
    Ok(Read { examples: builder.finish(), notes: note.into_iter().collect(), left_out: 0 })
}

fn no_predictions(task: Task) -> TaskError {
    TaskError::NoPredictions { task, advice: "measure it by an `mlm` probe in a suite" }
}
