//! Which features of which file make a language's vector.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use spec::TypologicalDistance;

use super::npz::Archive;
use crate::DataError;

/// A set of features as lang2vec names them.
pub(super) struct FeatureSet {
    pub file: &'static str,
    /// Their greatest value is taken.
    sources: &'static [&'static str],
    /// Of the features' names.
    prefix: &'static str,
    /// Whether values are missing, which the files write as -1; they count as 0.
    incomplete: bool,
}

/// The features of a distance.
pub(super) fn features(distance: TypologicalDistance) -> FeatureSet {
    let set = |file, sources, prefix| FeatureSet { file, sources, prefix, incomplete: false };
    match distance {
        TypologicalDistance::SyntaxKnnCosine => set("feature_predictions.npz", &["predicted"], "S_"),
        TypologicalDistance::PhonologyKnnCosine => set("feature_predictions.npz", &["predicted"], "P_"),
        TypologicalDistance::InventoryKnnCosine => set("feature_predictions.npz", &["predicted"], "INV_"),
        TypologicalDistance::FamCosine => set("family_features.npz", &["FAM"], ""),
        TypologicalDistance::GeoCosine | TypologicalDistance::GeoMaxabs => {
            set("geocoord_features.npz", &["GEOCOORDS"], "")
        }
        TypologicalDistance::SyntaxUnionAngular => {
            FeatureSet { file: "features.npz", sources: &["WALS", "SSWL", "ETHNO"], prefix: "S_", incomplete: true }
        }
    }
}

/// The vectors of some languages, in the order of `codes`.
///
/// # Errors
/// [`DataError::Io`]; [`DataError::File`] for a damaged file or another one; [`DataError::Missing`] for a language that
/// it does not have.
pub(super) fn read(folder: &Path, set: &FeatureSet, codes: &[String]) -> Result<Vec<Vec<f64>>, DataError> {
    let path = folder.join(set.file);
    let mut archive = Archive::open(&path)?;
    let languages = archive.texts("langs")?;
    let names = archive.texts("feats")?;
    let sources = archive.texts("sources")?;

    let mut rows = BTreeMap::new();
    for (row, language) in languages.iter().enumerate() {
        if rows.insert(language.as_str(), row).is_some() {
            return Err(DataError::file(&path, format!("lists the language `{language}` twice")));
        }
    }
    let mut wanted: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for code in codes {
        let row = rows.get(code.as_str()).ok_or_else(|| DataError::Missing {
            key: format!("the language `{code}`"),
            message: format!("{} has no features of it; leave the language out", path.display()),
        })?;
        wanted.insert(*row, Vec::new());
    }
    let taken: BTreeSet<usize> = set
        .sources
        .iter()
        .map(|source| sources.iter().position(|name| name == source).ok_or(source))
        .collect::<Result<_, _>>()
        .map_err(|source| DataError::file(&path, format!("has no features from the source `{source}`")))?;
    let columns: Vec<usize> = (0..names.len()).filter(|&column| names[column].starts_with(set.prefix)).collect();
    if columns.is_empty() {
        return Err(DataError::file(&path, format!("has no features called `{}...`", set.prefix)));
    }

    let shape = [languages.len(), names.len(), sources.len()];
    archive.numbers("data", shape, |row, values| {
        let Some(vector) = wanted.get_mut(&row) else { return Ok(()) };
        for &column in &columns {
            let mut value = 0.0f64;
            for &source in &taken {
                let found = values[column * sources.len() + source];
                let missing = set.incomplete && found == -1.0;
                if !missing && !(0.0..=1.0).contains(&found) {
                    return Err(format!("gives {found} as `{}` of `{}`, not in [0, 1]", names[column], languages[row]));
                }
                value = value.max(found);
            }
            vector.push(value);
        }
        Ok(())
    })?;
    Ok(codes.iter().map(|code| wanted[&rows[code.as_str()]].clone()).collect())
}
