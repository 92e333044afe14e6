use std::collections::BTreeMap;

use spec::{Language, TargetMask};
use thiserror::Error;

use super::{Mask, MaskError, Scores};

#[derive(Debug, Clone, PartialEq, Error)]
pub enum TargetError {
    #[error(transparent)]
    Mask(#[from] MaskError),
    #[error("no trained language has a distance to `{target}`: use another `target-distance`, or `target = \"none\"`")]
    NoNeighbour { target: Language },
    #[error("the mask of `{target}` comes from its support examples, and there are none")]
    NoSupport { target: Language },
}

/// The mask of a language that was not trained; `support` are the importances on its support examples. A trained language
/// has a mask of its own.
///
/// From the support as many heads are kept as
/// the trained languages' masks have on average, rounded to the nearest.
///
/// # Errors
/// [`TargetError`].
pub fn target_mask(
    rule: TargetMask,
    target: Language,
    sources: &BTreeMap<Language, Mask>,
    distance: &dyn Fn(Language, Language) -> Option<f64>,
    support: Option<&Scores>,
) -> Result<Mask, TargetError> {
    if let Some(own) = sources.get(&target) {
        return Ok(own.clone());
    }
    let first = sources.values().next().ok_or(MaskError::Nothing)?;
    match rule {
        TargetMask::None => Ok(Mask::full(first.layers(), first.heads())?),
        TargetMask::NearestSource => Ok(sources[&nearest(target, sources.keys().copied(), distance)?].clone()),
        TargetMask::FromSupport => {
            let scores = support.ok_or(TargetError::NoSupport { target })?;
            first.check_like(scores.layers(), scores.heads())?;
            let mean = sources.values().map(Mask::size).sum::<usize>() as f64 / sources.len() as f64;
            Ok(Mask::most_important(scores, mean.round() as usize))
        }
    }
}

/// The source language that is nearest to a target; of equally near ones the first in alphabetical order of codes.
///
/// # Errors
/// [`TargetError::NoNeighbour`] if the target has a distance to none.
pub fn nearest(
    target: Language,
    sources: impl IntoIterator<Item = Language>,
    distance: &dyn Fn(Language, Language) -> Option<f64>,
) -> Result<Language, TargetError> {
    let known = sources.into_iter().filter_map(|source| Some((distance(target, source)?, source)));
    let nearest = known.min_by(|(a, first), (b, second)| a.total_cmp(b).then(first.cmp(second)));
    nearest.map(|(_, source)| source).ok_or(TargetError::NoNeighbour { target })
}
