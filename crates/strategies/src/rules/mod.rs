//! Gradient rules: how the gradients of several tasks become one.
//!
//! A rule never sees a long vector. From the `[m, m]` Gram matrix `Q = G G^T` of the m task gradients (rows of G) and,
//! where an anchor direction h takes part, from `G h` and `|h|^2`, it finds weights w and a coefficient c:
//!
//! ```text
//! new gradient = sum_i w_i g_i + c h          (a gradient: the optimiser walks against it)
//! ```
//!
//! Each rule is a file that says its source, its equations and what the rows of G are. Its knobs are a struct of `spec`,
//! where [`spec::gradient_rules!`] lists them all; what must survive from one step to the next is in [`RuleState`]. A solver
//! that fails is an error ([`SolveError`]); no rule falls back on another.

mod agem;
mod cagrad;
mod gem;
mod gradvac;
mod gram;
mod imtl_g;
mod input;
mod lf_mlf;
mod mean;
mod mgda;
mod nash_mtl;
mod pcgrad;
mod rule;
mod sgs;
mod solver;

pub use gram::Gram;
pub use input::{AnchorDirection, RuleInput};
pub use mean::Mean;
pub use rule::{Combination, Event, Rule, RuleError, RuleState, rule};
pub use solver::{KKT_TOLERANCE, SolveError};
pub use spec::{
    AGem, AnchorRescale, CaGrad, CaGradRescale, Gem, GradVac, ImtlG, LfMlf, LfMlfForm, Mgda, Multitask, NashMtl,
    Normaliser, PcGrad, Reduction, Sgs, TargetOrder, VisitOrder,
};
