use data::DataError;
use evaluation::ScoreError;
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
