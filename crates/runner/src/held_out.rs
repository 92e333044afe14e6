use anyhow::{Context, Result};
use data::{CacheUse, EncodeOptions, Encoded, Examples};
use spec::{DataSource, Language};
use tasks::Scored;

use crate::message::say;
use crate::running::Running;

/// What is scored in one language.
pub(crate) struct HeldOut {
    pub language: Language,
    pub examples: Examples,
    pub encoded: Encoded,
    pub options: EncodeOptions,
}

impl HeldOut {
    /// # Errors
    /// The data cannot be read or encoded.
    pub fn load(running: &Running, source: DataSource, language: Language) -> Result<Self> {
        let encoded = encoded(running, source, language)?;
        let examples = running.data.load(&source.key(language), source.examples)?;
        Ok(Self { language, examples, encoded, options: EncodeOptions::of(source) })
    }

    /// Scores of the model as it is.
    pub fn score(&self, running: &Running) -> Result<Scored> {
        let Self { language, examples, encoded, .. } = self;
        Ok(tasks::evaluate(&running.learner, &running.tokenization, *language, examples, encoded)?)
    }
}

/// A probe's scores in one language, by the examples that were scored.
pub(crate) struct Probed {
    pub ids: Vec<String>,
    pub scored: Scored,
}

/// The data of one language as token sequences, from the cache where they are there.
pub(crate) fn encoded(running: &Running, source: DataSource, language: Language) -> Result<Encoded> {
    let Running { job, data, tokenization, .. } = running;
    let (key, options) = (source.key(language), EncodeOptions::of(source));
    let (encoded, used) = tasks::encoded(&job.cache, data, &key, source.examples, tokenization, &options)
        .with_context(|| format!("data `{key}`"))?;
    match used {
        CacheUse::Hit | CacheUse::Built => {}
        CacheUse::Rebuilt(why) => {
            say(format_args!("warning: a cached encoding was unusable and is rebuilt: {why}"));
        }
        CacheUse::Unwritten(why) => say(format_args!("warning: the cache cannot be written: {why}")),
    }
    Ok(encoded)
}
