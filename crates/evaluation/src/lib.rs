//! Scores, continual-learning measures and significance. Pure: no files, no tensors, no clock.
//!
//! Every metric is first a list of per-example [`Contribution`]s; its value is [`ratio`]. Intervals, paired tests and
//! macro averages work on those lists alone, so a new metric needs nothing but contributions.
//!
//! | metric | function | contribution of an example |
//! | --- | --- | --- |
//! | `ner.{f1,precision,recall}.{strict,lenient}` | [`score_ner`] | entity counts of a sentence |
//! | `qa.{em,f1}.{squad,mlqa}` | [`score_qa`] | score of a question, weight 1 |
//! | `nli.accuracy` | [`score_labels`] | 0 or 1, weight 1 |
//! | `retrieval.p1.{to-english,from-english}` | [`score_retrieval`] | 0 or 1, weight 1 |
//! | `mlm.accuracy`, `mlm.loss` | [`score_masked_tokens`] | hidden tokens of a text |
//!
//! All scores are fractions in 0..=1 and higher is better, but for `mlm.loss` in nats.

mod accuracy;
mod answer;
mod average;
mod bootstrap;
mod character;
mod continual;
mod contribution;
mod entity;
mod error;
mod masked_tokens;
mod overlap;
mod paired;
mod retrieval;
mod significance;
mod update;

pub use accuracy::{NLI_ACCURACY, PLACEHOLDER_MINIMUM, score_labels};
pub use answer::{
    MLQA_LANGUAGES, QA_EM_MLQA, QA_EM_SQUAD, QA_F1_MLQA, QA_F1_SQUAD, mlqa_tokens, score_qa, squad_tokens,
};
pub use average::macro_average;
pub use bootstrap::{Interval, RESAMPLES, Repeated, interval, joint_intervals, macro_interval};
pub use continual::{Column, Measure, Measured, ScoreMatrix};
pub use contribution::{Contribution, LanguageContributions, Scores, macro_ratio, ratio};
pub use entity::{
    EntityCounts, NER_F1_LENIENT, NER_F1_STRICT, NER_PRECISION_LENIENT, NER_PRECISION_STRICT, NER_RECALL_LENIENT,
    NER_RECALL_STRICT, Scheme, entity_counts_by_type, score_ner,
};
pub use error::{MeasureError, ScoreError, Side, StatisticsError};
pub use masked_tokens::{MLM_ACCURACY, MLM_LOSS, MaskedText, score_masked_tokens};
pub use overlap::{Conflicts, Overlap, OverlapError, conflicts, overlap};
pub use paired::{Difference, macro_paired_difference, macro_permutation_test, paired_difference, permutation_test};
pub use retrieval::{RETRIEVAL_FROM_ENGLISH, RETRIEVAL_TO_ENGLISH, score_retrieval};
pub use significance::{holm, mcnemar, mcnemar_exact};
pub use update::{Update, loss_reduction};
