//! Typological distances between languages, from the feature vectors of URIEL (Littell et al., EACL 2017) in the files
//! that come with the Python package lang2vec 1.1.2 (licence CC BY-SA 4.0).
//!
//! They are computed from the vectors. The distances that lang2vec once shipped are not reproduced: there a language
//! without features counted as one that has all, which put some macrolanguages at distance 0 from each other. Here such a
//! distance is missing.

mod distance;
mod npz;
mod vectors;

pub use distance::Distances;

use spec::Language;

/// URIEL's code of a language. Where URIEL has a macrolanguage and its largest member, it is the member: in parts of
/// URIEL the macrolanguage has no features.
pub fn code(language: Language) -> &'static str {
    match language.code3() {
        "ara" => "arb",
        "fas" => "pes",
        "swa" => "swh",
        "zho" => "cmn",
        code => code,
    }
}
