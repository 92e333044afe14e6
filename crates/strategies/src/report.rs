/// What one step did.
#[derive(Debug, Clone, PartialEq)]
pub struct StepReport {
    /// Mean over the languages of their mean losses.
    pub loss: f64,
    /// Mean loss of each language's sub-batch, in the stage's order.
    pub losses: Vec<f64>,
    /// Of the optimiser; with Reptile the meta-step.
    pub learning_rate: f64,
    /// Global L2 norm before clipping; 0 for a step that was left out.
    pub gradient_norm: f64,
    /// What a method has at every step, by name: `weight.de`, `cosine.de.en`, `conflicts`, `solver.residual`, `h`, and
    /// `skipped`, the number of steps left out so far where there are any.
    pub series: Vec<(String, f64)>,
    /// What happens now and then, by name: `fisher.layer.3`, `open.layer.3` (1 where a group opens, 0 where it closes),
    /// `losses risen`.
    pub events: Vec<(String, f64)>,
    /// Something for the record, in words.
    pub note: Option<String>,
}

/// What was found before the first step.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Began {
    /// By name: `heads.de` of a subnetwork, `prune.de.12` for the score that 12 heads left on the way to it.
    pub events: Vec<(String, f64)>,
    /// For the record, in words.
    pub notes: Vec<String>,
}
