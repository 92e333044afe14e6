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
/// Of equally near languages the first in alphabetical order of codes is taken. From the support as many heads are kept as
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
        TargetMask::NearestSource => sources
            .iter()
            .filter_map(|(&source, mask)| distance(target, source).map(|distance| (distance, mask)))
            .min_by(|(a, _), (b, _)| a.total_cmp(b))
            .map(|(_, mask)| mask.clone())
            .ok_or(TargetError::NoNeighbour { target }),
        TargetMask::FromSupport => {
            let scores = support.ok_or(TargetError::NoSupport { target })?;
            first.check_like(scores.layers(), scores.heads())?;
            let mean = sources.values().map(Mask::size).sum::<usize>() as f64 / sources.len() as f64;
            Ok(Mask::most_important(scores, mean.round() as usize))
        }
    }
}
