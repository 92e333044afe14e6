//! Gradient rules: how the gradients of several losses become one direction.

mod episodic;
mod imtl_g;
mod knobs;
mod lf_mlf;
mod memories;
mod pareto;
mod registry;
mod surgery;

pub use episodic::{AGem, AGemReference, Gem, Multitask};
pub use imtl_g::ImtlG;
pub use knobs::{Rows, RuleKnobs};
pub use lf_mlf::{AnchorRescale, Forgetting, LfMlf, LfMlfForm, Mu, MuRule};
pub use memories::Memories;
pub use pareto::{CaGrad, CaGradRescale, Mgda, NashMtl, Normaliser};
pub use registry::GradientRule;
pub use surgery::{GradVac, PcGrad, Reduction, Sgs, TargetOrder, VisitOrder};
