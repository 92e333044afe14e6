use thiserror::Error;

/// A call that cannot be computed. Numbers are never judged: NaN and infinity propagate.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KernelError {
    #[error("{operand} has {got} elements, but its shape {shape:?} needs {expected}")]
    Length { operand: &'static str, shape: Vec<usize>, expected: usize, got: usize },
    #[error("the size `{size}` is 0, but the operation needs at least 1")]
    Empty { size: &'static str },
    #[error("the hidden size {hidden} cannot be split into {heads} heads of equal width")]
    Heads { hidden: usize, heads: usize },
    #[error("example {example} of the batch has length {length}, but the batch is {sequence} tokens long")]
    SequenceLength { example: usize, length: usize, sequence: usize },
    #[error("id {id} at position {position} is outside its table of {rows} rows")]
    Id { position: usize, id: u32, rows: usize },
    #[error("target {target} of row {row} is neither a class below {classes} nor {ignored} (ignored)", ignored = crate::cross_entropy::IGNORED)]
    Target { row: usize, target: i64, classes: usize },
    #[error("every target is ignored: the mean over no row is not defined")]
    NoTarget,
    #[error("the dropout probability {0} is not in [0, 1)")]
    Probability(String),
}

/// Refuses a slice that does not fill `shape`.
pub(crate) fn check(operand: &'static str, got: usize, shape: &[usize]) -> Result<(), KernelError> {
    let expected = shape.iter().product();
    if got == expected { Ok(()) } else { Err(KernelError::Length { operand, shape: shape.to_vec(), expected, got }) }
}

/// Refuses sizes of zero, which would leave nothing to compute or divide by zero.
pub(crate) fn check_sizes(sizes: &[(&'static str, usize)]) -> Result<(), KernelError> {
    match sizes.iter().find(|(_, size)| *size == 0) {
        Some((size, _)) => Err(KernelError::Empty { size }),
        None => Ok(()),
    }
}
