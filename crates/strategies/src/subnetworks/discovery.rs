//! Where masks come from: for each source language a copy of the model is fine-tuned on the language alone and pruned.

use std::collections::BTreeMap;

use model::{Learner, OptimizerConfig};
use serde::{Deserialize, Serialize};
use spec::{ImportanceSource, Language, MaskKind, Stage, Subnetworks};

use super::{Ask, Importance, Mask, Pruning, Scores};
use crate::batch_source::BatchSource;
use crate::error::StrategyError;
use crate::report::Began;

/// What a search for one language's mask has found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Discovered {
    pub mask: Mask,
    /// Scores on the way, by name: `prune.de.12` with 12 heads left.
    pub scores: Vec<(String, f64)>,
}

/// The mask of every source language of a stage. The learner, whose open groups train, is as before.
pub(super) fn masks(
    knobs: &Subnetworks,
    stage: &Stage,
    seed: u64,
    learner: &mut Learner,
    data: &mut dyn BatchSource,
    began: &mut Began,
) -> Result<BTreeMap<Language, Mask>, StrategyError> {
    let mut masks = BTreeMap::new();
    for (source, &language) in stage.languages.iter().enumerate() {
        let config = learner.config();
        let shape = (config.num_hidden_layers, config.num_attention_heads);
        // Whatever lies in a cache of that name may be another model's.
        let fits = |found: &Discovered| (found.mask.layers(), found.mask.heads()) == shape;
        let found = match data.discovered(source).filter(fits) {
            Some(found) => found,
            None => {
                let found = search(knobs, stage, seed, source, learner, data)?;
                data.keep(source, &found);
                found
            }
        };
        let mask = match knobs.kind {
            MaskKind::Random => found.mask.random_like(seed, language, 0),
            MaskKind::Static | MaskKind::Dynamic => found.mask,
        };
        began.events.extend(found.scores);
        began.events.push((format!("heads.{language}"), mask.size() as f64));
        began
            .notes
            .push(format!("subnetwork of {language}: {mask} (1 for a head that it keeps, from the lowest layer)"));
        masks.insert(language, mask);
    }
    Ok(masks)
}

/// The mask of one language, merged from those of its copies.
fn search(
    knobs: &Subnetworks,
    stage: &Stage,
    seed: u64,
    source: usize,
    learner: &mut Learner,
    data: &mut dyn BatchSource,
) -> Result<Discovered, StrategyError> {
    let start = learner.save_point();
    let (mut masks, mut scores) = (Vec::new(), Vec::new());
    for copy in 0..knobs.discovery.copies {
        let place = Place { knobs, stage, seed, source, language: stage.languages[source], copy };
        let mask = place.fine_tuned(learner, data).and_then(|()| place.pruned(learner, data, &mut scores));
        learner.restore(&start);
        masks.push(mask?);
    }
    Ok(Discovered { mask: Mask::merged(&masks.iter().collect::<Vec<_>>(), knobs.merge)?, scores })
}

/// One copy of the model, for one language.
struct Place<'a> {
    knobs: &'a Subnetworks,
    stage: &'a Stage,
    seed: u64,
    source: usize,
    language: Language,
    copy: u64,
}

impl Place<'_> {
    /// Plain steps on the language's share of the stage's batches.
    fn fine_tuned(&self, learner: &mut Learner, data: &mut dyn BatchSource) -> Result<(), StrategyError> {
        let Stage { learning_rate, weight_decay, warmup, decay, clip, .. } = *self.stage;
        let steps = self.knobs.discovery.steps.unwrap_or(self.stage.steps);
        learner.begin_stage(OptimizerConfig { weight_decay, clip, ..OptimizerConfig::default() });
        for step in 0..steps {
            let sub = data.source(self.source, self.copy * steps + step)?;
            let (_, gradient) = learner.loss_and_gradients(&sub.batch, sub.dropout_seed)?;
            learner.step(gradient, decay.rate(learning_rate, warmup, step, steps))?;
        }
        Ok(())
    }

    fn pruned(
        &self,
        learner: &mut Learner,
        data: &mut dyn BatchSource,
        scores: &mut Vec<(String, f64)>,
    ) -> Result<Mask, StrategyError> {
        let (layers, heads) = (learner.config().num_hidden_layers, learner.config().num_attention_heads);
        let mut pruning = Pruning::new(layers, heads, &self.knobs.prune)?;
        while let Ask::Measure(mask) = pruning.ask() {
            learner.set_head_mask(mask.of_learner()?)?;
            let score = data.score(learner, self.source)?;
            let name = match self.knobs.discovery.copies {
                1 => format!("prune.{}.{}", self.language, mask.size()),
                _ => format!("prune.{}.{}.copy-{}", self.language, mask.size(), self.copy + 1),
            };
            scores.push((name, score));
            let importance = self.importance(learner, data, pruning.rounds().len() as u64, (layers, heads))?;
            let refused = |error| StrategyError::Pruning { language: self.language, error };
            pruning.answer(score, importance).map_err(refused)?;
        }
        Ok(match pruning.ask() {
            Ask::Done(mask) | Ask::Measure(mask) => mask.clone(),
        })
    }

    /// Of all heads under the learner's present mask.
    fn importance(
        &self,
        learner: &Learner,
        data: &mut dyn BatchSource,
        round: u64,
        (layers, heads): (usize, usize),
    ) -> Result<Scores, StrategyError> {
        if self.knobs.importance == ImportanceSource::Random {
            let seed = self.seed.wrapping_add(self.copy);
            return Ok(Scores::random(layers, heads, seed, self.language, round)?);
        }
        let mut importance = Importance::new(layers, heads)?;
        for draw in 0..self.knobs.discovery.batches as u64 {
            let batch = data.source(self.source, draw)?.batch;
            importance.add(&learner.head_gradients(&batch)?, batch.real_tokens() as u64)?;
        }
        Ok(importance.scores(self.knobs.normalise))
    }
}
