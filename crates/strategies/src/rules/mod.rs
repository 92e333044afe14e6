//! Gradient rules: how the gradients of several tasks become one.
//!
//! A rule never sees a long vector. From the `[m, m]` Gram matrix `Q = G G^T` of the m task gradients (rows of G) and,
//! where an anchor direction h takes part, from `G h` and `|h|^2`, it finds weights w and a coefficient c:
//!
//! ```text
//! new gradient = sum_i w_i g_i + c h          (a gradient: the optimiser walks against it)
//! ```
//!
//! | rule | rows of G | source |
//! | --- | --- | --- |
//! | [`Mean`] | tasks | |
//! | [`PcGrad`] | tasks | Yu et al., NeurIPS 2020 |
//! | [`GradVac`] | tasks | Wang et al., ICLR 2021 |
//! | [`Mgda`] | tasks | Desideri 2012; Sener & Koltun, NeurIPS 2018 |
//! | [`CaGrad`] | tasks | Liu et al., NeurIPS 2021 |
//! | [`NashMtl`] | tasks | Navon et al., ICML 2022 |
//! | [`Sgs`] | tasks | Findings of NAACL 2022, arXiv 2204.13869 |
//! | [`AGem`] | the current task, then memories | Chaudhry et al., ICLR 2019 |
//! | [`Gem`] | the current task, then memories | Lopez-Paz & Ranzato, NIPS 2017 |
//! | [`LfMlf`] | tasks, and an anchor | reconstruction of Mao et al., NeurIPS 2022 |
//!
//! Every struct of that table but `Mean` is of `spec` and holds the rule's knobs; what must survive from one step to the
//! next is in [`RuleState`]. A solver that fails is an error ([`SolveError`]); no rule falls back on another.

mod agem;
mod cagrad;
pub(crate) mod draw;
mod gem;
mod gradvac;
mod gram;
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
    AGem, AnchorRescale, CaGrad, CaGradRescale, Gem, GradVac, LfMlf, LfMlfForm, Mgda, NashMtl, Normaliser, PcGrad,
    Reduction, Sgs, TargetOrder, VisitOrder,
};
