//! One probe: a task's scores in every language asked for, on the model as it is.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use data::{
    CacheUse, EncodeOptions, Encoded, Examples, NerDecoder, NliDecoder, QaDecoder, QaExample, Tokenization,
    evaluation_batches, mask_tokens,
};
use evaluation::{Contribution, MaskedText, RESAMPLES, Scores};
use model::{Learner, Logits};
use results::{ProbeExamples, Score};
use spec::{Backend, DataKey, IGNORED_LABEL, Language, Probe, Targets, Task};

use super::runner::Running;
use super::shared::Measured;
use super::{few_shot, language};
use crate::seed::derived_seed;

/// Real and padding tokens of one evaluation batch: large enough to keep the processor busy, small enough to stay in
/// its caches.
const BATCH_TOKENS: usize = 2048;
/// Lengths are rounded up to a multiple of this on a GPU, where every new shape means kernels to compile and tune.
const GPU_LENGTHS: usize = 32;
/// Share of tokens hidden by a language-modelling probe (Devlin et al. 2019, section 3.1), and the seed of which.
const HIDDEN_SHARE: f64 = 0.15;
const MASK_SEED: u64 = 0;
/// Seed of every bootstrap, so that equal scores have equal intervals.
const INTERVAL_SEED: u64 = 0;

/// What padded lengths are multiples of.
pub fn pad_multiple(backend: Backend) -> usize {
    match backend {
        Backend::Cpu | Backend::Ndarray => 1,
        Backend::Wgpu | Backend::Vulkan | Backend::Cuda => GPU_LENGTHS,
    }
}

/// Measures all languages of a probe.
pub fn measure(running: &mut Running, probe: &Probe) -> Result<Measured> {
    let mut measured = Measured { scores: Vec::new(), examples: Vec::new() };
    for &language in &probe.languages {
        let key = DataKey::new(probe.task, &probe.data, language, probe.split);
        let options =
            EncodeOptions { max_length: probe.max_length, stride: probe.stride, prefix: probe.prefix.clone() };
        let (encoded, used) =
            data::encoded(&running.job.cache, &running.data, &key, probe.examples, &running.tokenization, &options)
                .with_context(|| format!("probe data `{key}`"))?;
        warn(&used);
        let examples = running.data.load(&key, probe.examples)?;
        let held = Held { language, examples: &examples, encoded: &encoded, options: &options };
        let scored = match &probe.adapt {
            None => plainly(running, probe, &held),
            Some(adapt) => few_shot::score(running, probe, adapt, &held),
        };
        let scored = scored.with_context(|| format!("scoring `{key}`"))?;
        collect(&mut measured, running.progress.moment, probe, language, scored)?;
    }
    Ok(measured)
}

/// What a probe scores in one language.
pub struct Held<'a> {
    pub language: Language,
    pub examples: &'a Examples,
    pub encoded: &'a Encoded,
    pub options: &'a EncodeOptions,
}

/// A probe's scores in one language.
pub struct Scored {
    pub ids: Vec<String>,
    /// By metric, one contribution an example.
    pub contributions: BTreeMap<String, Vec<Contribution>>,
    /// Values of metrics that are not over examples.
    pub values: Vec<(String, f64)>,
}

/// Scores of the model as it is, with what the language uses; also under other languages' masks where the method asks.
fn plainly(running: &mut Running, probe: &Probe, held: &Held) -> Result<Scored> {
    running.use_language(held.language, None)?;
    let Held { language, examples, encoded, .. } = *held;
    let (ids, scores) = score(&running.learner, &running.tokenization, probe.task, language, examples, encoded)?;
    let mut contributions: BTreeMap<String, _> =
        scores.into_iter().map(|(metric, contributions)| (metric.to_owned(), contributions)).collect();
    for (source, mask) in language::cross_masks(running, probe, language) {
        running.learner.set_head_mask(mask.of_learner()?)?;
        let (_, scores) = score(&running.learner, &running.tokenization, probe.task, language, examples, encoded)?;
        let main = probe.task.main_metric();
        contributions.extend(scores.get(main).map(|found| (format!("{main}.mask-{source}"), found.clone())));
    }
    running.use_all_heads()?;
    Ok(Scored { ids, contributions, values: Vec::new() })
}

/// Per-example scores of a model on one language's examples, with the examples' ids.
pub fn score(
    learner: &Learner,
    tokenization: &Tokenization,
    task: Task,
    language: Language,
    examples: &Examples,
    encoded: &Encoded,
) -> Result<(Vec<String>, Scores)> {
    let ids = examples.ids().into_iter().map(str::to_owned).collect();
    let scores = match examples {
        Examples::Ner(gold) => {
            let predicted = predict_tags(learner, encoded)?;
            let names = |tags: &[u8]| tags.iter().map(|&tag| task.labels()[usize::from(tag)]).collect::<Vec<_>>();
            let gold: Vec<Vec<&str>> = gold.iter().map(|example| names(&example.tags)).collect();
            let predicted: Vec<Vec<&str>> = predicted.iter().map(|tags| names(tags)).collect();
            evaluation::score_ner(&gold, &predicted)?
        }
        Examples::Nli(gold) => {
            let predicted: Vec<usize> = predict_labels(learner, encoded)?.into_iter().map(usize::from).collect();
            let gold: Vec<usize> = gold.iter().map(|example| usize::from(example.label)).collect();
            evaluation::score_labels(&gold, &predicted, task.labels())?
        }
        Examples::Qa(gold) => {
            let predicted = predict_answers(learner, gold, encoded)?;
            let answers: Vec<Vec<&str>> = gold
                .iter()
                .map(|example| example.answers.iter().map(|answer| answer.text.as_str()).collect())
                .collect();
            evaluation::score_qa(language.code(), &answers, &predicted)?
        }
        Examples::Text(texts) => {
            evaluation::score_masked_tokens(&masked_texts(learner, tokenization, encoded, texts.len())?)?
        }
        Examples::Pairs(_) => {
            let vectors = sentence_vectors(learner, encoded)?;
            let width = learner.config().hidden_size;
            let (foreign, english) = vectors.split_at(vectors.len() / 2);
            evaluation::score_retrieval(foreign, english, width)?
        }
    };
    Ok((ids, scores))
}

/// What the model restores of each text's hidden tokens. Which are hidden depends on the tokenizer and the texts alone, so
/// that every model and method is asked the same.
fn masked_texts(
    learner: &Learner,
    tokenization: &Tokenization,
    encoded: &Encoded,
    texts: usize,
) -> Result<Vec<MaskedText>> {
    let mut scored = vec![MaskedText { hidden: 0, restored: 0, loss: 0.0 }; texts];
    for (index, items) in evaluation_batches(&encoded.lengths(), BATCH_TOKENS).into_iter().enumerate() {
        let batch = encoded.batch(&items, pad_multiple(learner.backend()));
        let batch = mask_tokens(batch, tokenization, HIDDEN_SHARE, derived_seed(MASK_SEED, "mask", &[index as u64]))?;
        let Targets::MaskedTokens(targets) = &batch.targets else { anyhow::bail!("masking gave no masked tokens") };
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

/// Tags of every word of every sentence, as indices into the task's labels.
pub fn predict_tags(learner: &Learner, encoded: &Encoded) -> Result<Vec<Vec<u8>>> {
    let mut decoder = NerDecoder::new(encoded);
    each_batch(learner, encoded, |items, seq, logits| match logits {
        Logits::Tokens { values, .. } => Ok(decoder.add(items, seq, &values)?),
        other => Err(wrong_head(&other)),
    })?;
    Ok(decoder.finish())
}

/// The label of every pair.
pub fn predict_labels(learner: &Learner, encoded: &Encoded) -> Result<Vec<u8>> {
    let mut decoder = NliDecoder::new(encoded);
    each_batch(learner, encoded, |items, _, logits| match logits {
        Logits::Classes { values, .. } => Ok(decoder.add(items, &values)?),
        other => Err(wrong_head(&other)),
    })?;
    Ok(decoder.finish())
}

/// The answer to every question, cut from its context.
pub fn predict_answers(learner: &Learner, questions: &[QaExample], encoded: &Encoded) -> Result<Vec<String>> {
    let mut decoder = QaDecoder::new(encoded);
    each_batch(learner, encoded, |items, seq, logits| match logits {
        Logits::Spans { starts, ends } => {
            let pairs: Vec<f32> = starts.into_iter().zip(ends).flat_map(|(start, end)| [start, end]).collect();
            Ok(decoder.add(items, seq, &pairs)?)
        }
        other => Err(wrong_head(&other)),
    })?;
    Ok(decoder.finish(questions))
}

fn wrong_head(logits: &Logits) -> anyhow::Error {
    let what = match logits {
        Logits::Tokens { .. } => "labels of tokens",
        Logits::Classes { .. } => "labels of pairs",
        Logits::Spans { .. } => "answer spans",
    };
    anyhow::anyhow!("the model's head gives {what}, which this task does not use")
}

/// Logits of all items, batch by batch: (items, padded length, logits).
pub fn each_batch(
    learner: &Learner,
    encoded: &Encoded,
    mut take: impl FnMut(&[usize], usize, Logits) -> Result<()>,
) -> Result<()> {
    for items in evaluation_batches(&encoded.lengths(), BATCH_TOKENS) {
        let batch = encoded.batch(&items, pad_multiple(learner.backend()));
        take(&items, batch.seq, learner.logits(&batch)?)?;
    }
    Ok(())
}

/// One vector an item `[items, hidden]`, in the items' order.
pub fn sentence_vectors(learner: &Learner, encoded: &Encoded) -> Result<Vec<f32>> {
    let width = learner.config().hidden_size;
    let mut vectors = vec![0.0; encoded.len() * width];
    for items in evaluation_batches(&encoded.lengths(), BATCH_TOKENS) {
        let batch = encoded.batch(&items, pad_multiple(learner.backend()));
        for (&item, vector) in items.iter().zip(learner.sentence_vectors(&batch)?.chunks_exact(width)) {
            vectors[item * width..(item + 1) * width].copy_from_slice(vector);
        }
    }
    Ok(vectors)
}

/// Books one language's scores with their intervals.
fn collect(measured: &mut Measured, moment: usize, probe: &Probe, language: Language, scored: Scored) -> Result<()> {
    let moment = u32::try_from(moment)?;
    let Scored { ids, contributions, values } = scored;
    let whole = |metric: String, value: f64| Score {
        moment,
        probe: probe.name.clone(),
        task: probe.task,
        language,
        metric,
        value,
        low: None,
        high: None,
        examples: ids.len() as u64,
    };
    for (metric, contributions) in &contributions {
        let interval = evaluation::interval(contributions, INTERVAL_SEED, RESAMPLES)?;
        let value = evaluation::ratio(contributions);
        let (low, high) = (Some(interval.low), Some(interval.high));
        measured.scores.push(Score { low, high, ..whole(metric.clone(), value) });
    }
    measured.scores.extend(values.into_iter().map(|(metric, value)| whole(metric, value)));
    measured.examples.push(ProbeExamples { moment, probe: probe.name.clone(), language, ids, contributions });
    Ok(())
}

/// A cache that does not work costs time, never numbers.
pub fn warn(used: &CacheUse) {
    match used {
        CacheUse::Hit | CacheUse::Built => {}
        CacheUse::Rebuilt(why) => eprintln!("warning: a cached encoding was unusable and is rebuilt: {why}"),
        CacheUse::Unwritten(why) => eprintln!("warning: the cache cannot be written: {why}"),
    }
}
