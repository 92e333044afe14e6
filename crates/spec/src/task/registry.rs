//! The table of tasks.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::description::{Column, ExampleRows, Ids, Kind, Metric, TaskDescription};
use super::{Head, Labels, Objective, ParserSizes};
use crate::SpecError;

/// Hands the table to the macro `$make`: for each task its member, the name of its folder in `tasks`, and its description.
///
/// [`Task`] is made of it here; in `tasks`, the way from each member to its folder. A name must never change: records are
/// filed under it. Tasks are sorted as they stand here, so that new ones go to the end.
#[macro_export]
macro_rules! tasks {
    ($make:ident) => {
        $make! {
            Ner = ner: TaskDescription {
                summary: "named entities, a tag for each word",
                objective: Objective::TokenLabels,
                trained: true,
                rows: ExampleRows::Single,
                tokens: 20,
                ids: Ids::Row,
                columns: &[Column::new("tokens", Kind::Texts), Column::new("ner_tags", Kind::Labels)],
                // WikiANN's order.
                labels: &["O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC"],
                one_order: true,
                metrics: &[
                    Metric::share("ner.f1.strict"),
                    Metric::share("ner.f1.lenient"),
                    Metric::share("ner.precision.strict"),
                    Metric::share("ner.precision.lenient"),
                    Metric::share("ner.recall.strict"),
                    Metric::share("ner.recall.lenient"),
                ],
            },
            Qa = qa: TaskDescription {
                summary: "questions answered by a span of a paragraph",
                objective: Objective::Span,
                trained: true,
                rows: ExampleRows::Windows,
                tokens: 220,
                ids: Ids::Column,
                columns: &[
                    Column::new("question", Kind::Text),
                    Column::new("context", Kind::Text),
                    Column::new("answers", Kind::Answers),
                ],
                labels: &[],
                one_order: false,
                metrics: &[
                    Metric::share("qa.f1.mlqa"),
                    Metric::share("qa.f1.squad"),
                    Metric::share("qa.em.mlqa"),
                    Metric::share("qa.em.squad"),
                ],
            },
            Nli = nli: TaskDescription {
                summary: "whether a premise entails a hypothesis",
                objective: Objective::RowLabels,
                trained: true,
                rows: ExampleRows::Pair,
                tokens: 45,
                ids: Ids::Row,
                columns: &[
                    Column::new("premise", Kind::Text),
                    Column::new("hypothesis", Kind::Text),
                    Column::new("label", Kind::Label),
                ],
                // XNLI's order.
                labels: &["entailment", "neutral", "contradiction"],
                one_order: true,
                metrics: &[Metric::share("nli.accuracy")],
            },
            Retrieval = retrieval: TaskDescription {
                summary: "each sentence's translation found among all",
                objective: Objective::Ranking,
                trained: false,
                rows: ExampleRows::Sides,
                tokens: 15,
                ids: Ids::Column,
                columns: &[Column::new("source", Kind::Text), Column::new("target", Kind::Text)],
                labels: &[],
                one_order: false,
                metrics: &[Metric::share("retrieval.p1.to-english"), Metric::share("retrieval.p1.from-english")],
            },
            Mlm = mlm: TaskDescription {
                summary: "hidden tokens of text, by the model's own language model",
                objective: Objective::MaskedTokens,
                trained: true,
                rows: ExampleRows::Single,
                tokens: 15,
                ids: Ids::Column,
                columns: &[Column::new("text", Kind::Text)],
                labels: &[],
                one_order: false,
                metrics: &[Metric::share("mlm.accuracy"), Metric::loss("mlm.loss")],
            },
            Pos = pos: TaskDescription {
                summary: "parts of speech, a tag for each word",
                objective: Objective::TokenLabels,
                trained: true,
                rows: ExampleRows::Single,
                tokens: 25,
                ids: Ids::Column,
                columns: &[Column::new("tokens", Kind::Texts), Column::new("upos", Kind::Labels)],
                // The universal parts of speech.
                labels: &["ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN", "PUNCT", "SCONJ", "SYM", "VERB", "X"],
                one_order: false,
                metrics: &[Metric::share("pos.accuracy"), Metric::share("pos.f1.macro")],
            },
            Parse = parse: TaskDescription {
                summary: "dependency trees, a head and a relation for each word",
                objective: Objective::Arcs,
                trained: true,
                rows: ExampleRows::Single,
                tokens: 25,
                ids: Ids::Column,
                columns: &[
                    Column::new("tokens", Kind::Texts),
                    Column::new("head", Kind::Numbers),
                    Column::new("deprel", Kind::Labels),
                ],
                // The universal relations of version 2.
                labels: &["acl", "advcl", "advmod", "amod", "appos", "aux", "case", "cc", "ccomp", "clf", "compound", "conj", "cop", "csubj", "dep", "det", "discourse", "dislocated", "expl", "fixed", "flat", "goeswith", "iobj", "list", "mark", "nmod", "nsubj", "nummod", "obj", "obl", "orphan", "parataxis", "punct", "reparandum", "root", "vocative", "xcomp"],
                one_order: false,
                metrics: &[
                    Metric::share("parse.las"),
                    Metric::share("parse.uas"),
                    Metric::share("parse.clas"),
                ],
            },
            Choice = choice: TaskDescription {
                summary: "which of several sentences is the cause or effect of a premise",
                objective: Objective::Choices,
                trained: true,
                rows: ExampleRows::Choices,
                tokens: 30,
                ids: Ids::Column,
                columns: &[
                    Column::new("premise", Kind::Text),
                    Column::new("question", Kind::Text),
                    Column::new("choices", Kind::Texts),
                    Column::new("label", Kind::Number),
                ],
                labels: &[],
                one_order: false,
                metrics: &[Metric::share("choice.accuracy")],
            },
            Paraphrase = paraphrase: TaskDescription {
                summary: "classes of sentences or of pairs of sentences, such as whether one paraphrases the other",
                objective: Objective::RowLabels,
                trained: true,
                rows: ExampleRows::Pair,
                tokens: 45,
                ids: Ids::Column,
                columns: &[
                    Column::new("sentence1", Kind::Text),
                    Column::new("sentence2", Kind::Text),
                    Column::new("label", Kind::Label),
                ],
                labels: &[],
                one_order: false,
                metrics: &[Metric::share("paraphrase.accuracy"), Metric::share("paraphrase.f1.macro")],
            },
        }
    };
}

macro_rules! define {
    ($($member:ident = $name:ident: $description:expr,)*) => {
        /// What is learnt and scored.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Task {
            $($member,)*
        }

        impl Task {
            pub const ALL: &[Task] = &[$(Task::$member,)*];

            pub fn as_str(self) -> &'static str {
                match self {
                    $(Task::$member => stringify!($name),)*
                }
            }

            /// The task's line of the table.
            pub fn description(self) -> &'static TaskDescription {
                match self {
                    $(Task::$member => {
                        const DESCRIPTION: &TaskDescription = &$description;
                        DESCRIPTION
                    })*
                }
            }
        }
    };
}

tasks!(define);

impl Task {
    pub fn objective(self) -> Objective {
        self.description().objective
    }

    /// Whether a stage can be of this task.
    pub fn is_trained(self) -> bool {
        self.description().trained
    }

    /// Whether a head is added to the model to learn this task.
    pub fn has_head(self) -> bool {
        self.objective().has_head()
    }

    /// The head that is added to learn this task, or `None` where the model as it came has what it needs.
    pub fn head(self, labels: Labels, sizes: &ParserSizes) -> Option<Head> {
        Head::of(self.objective(), labels, sizes.clone())
    }

    /// The columns of a kind, in the table's order.
    pub fn columns_of(self, kind: Kind) -> impl Iterator<Item = &'static str> {
        self.description().columns.iter().filter(move |column| column.kind == kind).map(|column| column.name)
    }

    /// The column of labels, if examples bear any.
    pub fn label_column(self) -> Option<&'static str> {
        self.columns_of(Kind::Label).chain(self.columns_of(Kind::Labels)).next()
    }

    /// Whether examples bear labels.
    pub fn has_labels(self) -> bool {
        self.label_column().is_some()
    }

    /// Label names of data that do not bring their own; empty where there are none that all take for granted.
    pub fn usual_labels(self) -> Labels {
        // The table's names are different and few; a test looks.
        Labels::new(self.description().labels.iter().copied()).unwrap_or_default()
    }

    /// The metric that a table shows first; its name says the variant.
    pub fn main_metric(self) -> &'static str {
        self.description().metrics[0].name
    }

    /// Whether an example gives several rows that are drawn and scored together.
    pub fn is_grouped(self) -> bool {
        matches!(self.description().rows, ExampleRows::Choices | ExampleRows::Sides)
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl std::str::FromStr for Task {
    type Err = SpecError;
    fn from_str(text: &str) -> Result<Self, SpecError> {
        let known = Self::ALL.iter().copied();
        let found = known.clone().find(|task| task.as_str() == text);
        found.ok_or_else(|| SpecError::unknown("task", text, known.map(Task::as_str)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::description::{Direction, Unit};
    use super::*;

    #[test]
    fn the_table_is_whole() {
        for &task in Task::ALL {
            let TaskDescription { columns, labels, metrics, one_order, .. } = task.description();
            assert_eq!(task.as_str().parse(), Ok(task));
            assert_eq!(serde_json::to_string(&task).unwrap(), format!("{:?}", task.as_str()));
            assert_eq!(task.usual_labels().len(), labels.len(), "{task}");
            // What transfer and forgetting are told by.
            let main = Metric::of(task.main_metric()).unwrap();
            assert_eq!((main.unit, main.better), (Unit::Share, Direction::Higher), "{task}");
            let own = format!("{task}.");
            assert!(!metrics.is_empty() && metrics.iter().all(|metric| metric.name.starts_with(&own)), "{task}");
            assert!(!columns.is_empty() && columns.iter().all(|column| column.name != "id"), "{task}");
            assert!(task.has_labels() || labels.is_empty(), "{task}");
            assert!(!one_order || !labels.is_empty(), "{task}: an order of no labels");
        }
    }

    /// What tasks of these objectives share finds its columns by what they hold.
    #[test]
    fn columns_are_found_by_their_kind() {
        for &task in Task::ALL {
            let count = |kind| task.columns_of(kind).count();
            match task.objective() {
                Objective::TokenLabels => assert_eq!((count(Kind::Texts), count(Kind::Labels)), (1, 1), "{task}"),
                Objective::RowLabels => {
                    assert!(matches!(count(Kind::Text), 1 | 2) && count(Kind::Label) == 1, "{task}");
                }
                _ => {}
            }
        }
        assert_eq!((Task::Pos.label_column(), Task::Nli.label_column()), (Some("upos"), Some("label")));
        assert_eq!(Task::Nli.columns_of(Kind::Text).collect::<Vec<_>>(), ["premise", "hypothesis"]);
        assert_eq!(Task::Choice.label_column(), None);
    }
}
