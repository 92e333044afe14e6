//! Training on one stage: batches in an order that depends on seed and step alone.

use std::time::Instant;

use anyhow::{Context, Result};
use data::{EncodeOptions, Encoded, TrainingOrder};
use results::CurvePoint;
use spec::{DataKey, Language, Stage};
use strategies::{LanguageBatch, Strategy};

use super::runner::Running;
use crate::cost;

/// Runs the steps of the stage that are not done yet.
pub fn stage(running: &mut Running, index: usize, stage: &Stage) -> Result<()> {
    let job = running.job;
    let cell = &job.cell;
    let sources = encode_sources(running, stage)?;
    let lengths = sources.iter().map(|(language, encoded)| (*language, encoded.lengths())).collect();
    let mut order = TrainingOrder::new(cell.seed, &format!("stage {index}"), stage.batch, lengths)?;
    if running.progress.steps == 0 {
        let padding = 100.0 * order.padding_share();
        let cut: u64 = sources.iter().map(|(_, encoded)| encoded.cut()).sum();
        let items: usize = sources.iter().map(|(_, encoded)| encoded.len()).sum();
        running.note(format!(
            "stage {}: {items} sequences, {padding:.1} % of the tokens of a batch are padding, the length limit cut {cut}",
            index + 1
        ));
    }

    let mut strategy = Strategy::new(&cell.method, stage);
    let offset: u64 = cell.protocol.stages[..index].iter().map(|earlier| earlier.steps).sum();
    let weight = cost::stage_tokens(stage) * cost::backward(cell) / stage.steps as f64;
    for step in running.progress.steps..stage.steps {
        let batches: Vec<LanguageBatch> = order
            .sub_batches(step)
            .into_iter()
            .enumerate()
            .map(|(place, (language, items))| LanguageBatch {
                language,
                batch: sources[place].1.batch(&items, super::probe::pad_multiple(cell.backend)),
                dropout_seed: derived_seed(cell.seed, "dropout", &[index as u64, step, place as u64]),
            })
            .collect();
        let start = Instant::now();
        let report = strategy.step(&mut running.learner, &batches, step)?;
        let tokens: usize = batches.iter().map(|sub| sub.batch.real_tokens()).sum();
        running.watch.trained(start.elapsed(), tokens as u64);
        running.progress.curve.push(CurvePoint {
            step: offset + step + 1,
            stage: index as u32 + 1,
            loss: report.loss,
            learning_rate: report.learning_rate,
            gradient_norm: report.gradient_norm,
        });
        running.progress.steps = step + 1;
        running.advance(weight);
        running.tell(&format!("step {} of {}", step + 1, stage.steps), Some(report.loss));
        running.checkpoint_if_due()?;
    }
    Ok(())
}

/// The training examples of each source language, encoded or from the cache.
fn encode_sources(running: &mut Running, stage: &Stage) -> Result<Vec<(Language, Encoded)>> {
    let options = EncodeOptions { max_length: stage.max_length, stride: stage.stride, prefix: String::new() };
    let (data, tokenization, cache) = (&running.data, &running.tokenization, &running.job.cache);
    running.watch.time("encode", || {
        stage
            .languages
            .iter()
            .map(|&language| {
                let key = DataKey::new(stage.task, &stage.data, language, stage.split);
                let (encoded, used) = data::encoded(cache, data, &key, stage.examples, tokenization, &options)
                    .with_context(|| format!("training data `{key}`"))?;
                super::probe::warn(&used);
                Ok((language, encoded))
            })
            .collect()
    })
}

/// A seed for one purpose at one place, independent of all others.
fn derived_seed(seed: u64, purpose: &str, place: &[u64]) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes()).update(purpose.as_bytes());
    for number in place {
        hasher.update(&number.to_le_bytes());
    }
    let mut first = [0u8; 8];
    first.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    u64::from_le_bytes(first)
}
