//! Scores, continual-learning measures and significance. Pure: no files, no tensors, no clock.
//!
//! Every metric is first a list of per-example [`Contribution`]s; its value is [`ratio`]. Intervals, paired tests and
//! macro averages work on those lists alone, so a new metric needs nothing but contributions.
//!
//! | metric | function | contribution of an example |
//! | --- | --- | --- |
//! | `<task>.{f1,precision,recall}.{strict,lenient}` | [`score_entities`] | entity counts of a sentence |
//! | `<task>.f1.strict.<type>` | [`score_entities_by_type`] | entity counts of a sentence |
//! | `qa.{em,f1}.{squad,mlqa}` | [`score_qa`] | score of a question, weight 1 |
//! | `nli.accuracy` | [`score_labels`] | 0 or 1, weight 1 |
//! | `<task>.accuracy` of any labels | [`score_classes`] | 0 or 1, weight 1 |
//! | `<task>.accuracy` of labels of words | [`score_tags`] | words of a sentence |
//! | `parse.{uas,las,clas}` | [`score_trees`] | words of a sentence; `clas`: its content words |
//! | `retrieval.p1.{to-english,from-english}` | [`score_retrieval`] | 0 or 1, weight 1 |
//! | `mlm.accuracy`, `mlm.loss` | [`score_masked_tokens`] | hidden tokens of a text |
//!
//! One metric is no such ratio: `<task>.f1.macro`, an average over labels ([`MacroF1`]), which brings its own interval and
//! paired tests.
//!
//! Intervals and tests of one run are about other examples. What methods do with other seeds too is for [`compare`] and
//! [`score`], which take the runs of all seeds.
//!
//! All scores are fractions in 0..=1 and higher is better, but for `mlm.loss` in nats.

mod accuracy;
mod answer;
mod bootstrap;
mod character;
mod comparison;
mod continual;
mod contribution;
mod crossed;
mod dunnett;
mod entity;
mod error;
mod label;
mod macro_f1;
mod masked_tokens;
mod moderation;
mod overlap;
mod paired;
mod retrieval;
mod significance;
mod spanning_tree;
mod student;
pub mod tags;
mod tree;
mod update;

pub use accuracy::{NLI_ACCURACY, PLACEHOLDER_MINIMUM, score_labels};
pub use answer::{QA_EM_MLQA, QA_EM_SQUAD, QA_F1_MLQA, QA_F1_SQUAD, mlqa_tokens, score_qa, squad_tokens};
pub use bootstrap::{Interval, RESAMPLES, Repeated, interval, joint_intervals, macro_interval};
pub use comparison::{
    Compared, LEAST_SEEDS, LEVEL, MOST_SEEDS, POWER, Pairs, Runs, Spread, Tested, Verdict, compare, control_scatters,
    over_seeds, score,
};
pub use continual::{Column, Measure, Measured, ScoreMatrix};
pub use contribution::{Contribution, LanguageContributions, NamedScores, Scores, macro_ratio, ratio};
pub use crossed::Drawn;
pub use entity::{EntityCounts, Scheme, entity_counts_by_type, score_entities, score_entities_by_type};
pub use error::{MeasureError, ScoreError, Side, StatisticsError};
pub use label::{LabelScores, score_classes, score_tags};
pub use macro_f1::MacroF1;
pub use masked_tokens::{MLM_ACCURACY, MLM_LOSS, MaskedText, score_masked_tokens};
pub use overlap::{Conflicts, Overlap, OverlapError, conflicts, overlap};
pub use paired::{Difference, macro_paired_difference, paired_difference, permutation_test};
pub use retrieval::{RETRIEVAL_FROM_ENGLISH, RETRIEVAL_TO_ENGLISH, score_retrieval};
pub use significance::holm;
pub use spanning_tree::{SpanningTreeError, greedy_heads, maximum_spanning_tree};
pub use tree::{
    CONTENT_RELATIONS, Dependency, PARSE_CLAS, PARSE_LAS, PARSE_UAS, Tree, TreeError, check_tree, score_trees,
};
pub use update::{Update, loss_reduction};
