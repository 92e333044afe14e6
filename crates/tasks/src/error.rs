use data::{DataError, Examples};
use evaluation::{ScoreError, Side};
use model::ModelError;
use spec::Task;
use thiserror::Error;

/// Why examples could not be predicted or scored.
#[derive(Debug, Error)]
pub enum TaskError {
    #[error(transparent)]
    Data(#[from] DataError),
    #[error(transparent)]
    Model(#[from] ModelError),
    #[error(transparent)]
    Score(#[from] ScoreError),
    /// A prediction that is none of this task's.
    #[error("the prediction for example `{id}` {message}")]
    Prediction { id: String, message: String },
    /// The model's head computes something else.
    #[error("the model has no head for {task}; it has {has}")]
    Head { task: Task, has: String },
    #[error("{task} has no predictions; {advice}")]
    NoPredictions { task: Task, advice: &'static str },
}

impl TaskError {
    /// What scoring found wrong with one prediction, told by the name of its example; other errors as they are.
    pub(crate) fn of(self, gold: &Examples) -> Self {
        let (example, message) = match &self {
            Self::Score(ScoreError::Tag { side: Side::Predicted, example, token, tag }) => {
                (*example, format!("has the tag `{tag}` at word {}, not `O`, `B-TYPE` or `I-TYPE`", token + 1))
            }
            Self::Score(ScoreError::TagCount { example, gold, predicted }) => {
                (*example, format!("has {predicted} tags for {gold} words"))
            }
            _ => return self,
        };
        match gold.ids().nth(example) {
            Some(id) => Self::Prediction { id: id.to_owned(), message },
            None => self,
        }
    }
}
