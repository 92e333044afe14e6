//! Typological distances against lang2vec's features and SciPy's distances, and archives that are not what they say.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;

use common::{real, reference};
use data::DataError;
use data::uriel::{self, Distances};
use spec::{Language, LanguageDistance, TypologicalDistance};
use tempfile::TempDir;
use zip::write::{SimpleFileOptions, ZipWriter};

/// The rows of a table whose first two columns are languages; `nan` is a missing distance.
fn table(text: &str, separator: char) -> Vec<(String, String, Vec<Option<f64>>)> {
    let rows = text.lines().filter(|line| !line.starts_with('#')).skip(1);
    let number = |text: &str| (text != "nan").then(|| text.parse().unwrap());
    rows.map(|row| {
        let cells: Vec<&str> = row.split(separator).collect();
        (cells[0].to_owned(), cells[1].to_owned(), cells[2..].iter().map(|cell| number(cell)).collect())
    })
    .collect()
}

fn codes(rows: &[(String, String, Vec<Option<f64>>)]) -> Vec<String> {
    let mut codes: Vec<String> = rows.iter().flat_map(|(a, b, _)| [a.clone(), b.clone()]).collect();
    codes.sort();
    codes.dedup();
    codes
}

fn languages(codes: &[&str]) -> Vec<Language> {
    codes.iter().map(|code| Language::parse(code).unwrap()).collect()
}

#[test]
fn distances_are_scipys_on_lang2vecs_features() {
    let folder = reference("uriel");
    let rows = table(&fs::read_to_string(folder.join("distances.tsv")).unwrap(), '\t');
    assert_eq!(rows.len(), 66);
    let codes = codes(&rows);
    for (column, kind) in TypologicalDistance::ALL.into_iter().enumerate() {
        let distances = Distances::of_codes(&folder, kind, &codes).unwrap();
        for (a, b, expected) in &rows {
            let found = distances.between_codes(a, b);
            assert_eq!(found, distances.between_codes(b, a), "{kind} is symmetric");
            match (found, expected[column]) {
                (Some(found), Some(expected)) => {
                    assert!((found - expected).abs() < 1e-12, "{kind} {a}-{b}: {found} instead of {expected}");
                    assert!((0.0..=1.0).contains(&found));
                }
                (found, expected) => assert_eq!(found, expected, "{kind} {a}-{b}"),
            }
        }
        for code in &codes {
            let itself = distances.between_codes(code, code);
            let empty = matches!(
                (kind, code.as_str()),
                (TypologicalDistance::SyntaxUnionAngular, "hsb" | "nno")
                    | (TypologicalDistance::FamCosine, "eus" | "nno")
            );
            assert_eq!(itself, (!empty).then_some(0.0), "{kind} {code}");
        }
    }
}

#[test]
fn members_stand_for_their_macrolanguages() {
    let used = languages(&["ar", "fa", "sw", "zh", "no", "de"]).into_iter().map(uriel::code).collect::<Vec<_>>();
    assert_eq!(used, ["arb", "pes", "swh", "cmn", "nor", "deu"]);
    let known = languages(&["ar", "zh"]);
    let distances = Distances::read(&reference("uriel"), &LanguageDistance::default(), &known).unwrap();
    assert_eq!(distances.codes(), ["arb", "cmn"]);
    assert_eq!(distances.between(known[0], known[1]), distances.between_codes("arb", "cmn"));
    assert_eq!(distances.between(known[0], Language::ENGLISH), None);
}

#[test]
fn a_mean_of_distances_is_weighted_and_has_their_holes() {
    let folder = reference("uriel");
    let known = languages(&["de", "hi", "eu"]);
    let weights = [(TypologicalDistance::GeoMaxabs, 1.0), (TypologicalDistance::FamCosine, 3.0)];
    let mean = Distances::read(&folder, &LanguageDistance::Mean(BTreeMap::from(weights)), &known).unwrap();
    let one = |kind| Distances::read(&folder, &LanguageDistance::One(kind), &known).unwrap();
    let (geo, fam) = (one(TypologicalDistance::GeoMaxabs), one(TypologicalDistance::FamCosine));
    let (german, hindi, basque) = (known[0], known[1], known[2]);
    let expected = 0.25 * geo.between(german, hindi).unwrap() + 0.75 * fam.between(german, hindi).unwrap();
    assert!((mean.between(german, hindi).unwrap() - expected).abs() < 1e-15);
    assert_eq!(mean.between(german, basque), None);
    assert!(geo.between(german, basque).is_some());
    for weights in [vec![], vec![0.0], vec![f64::NAN], vec![-1.0, 2.0], vec![f64::INFINITY]] {
        let weights = TypologicalDistance::ALL.into_iter().zip(weights).collect();
        let refused = Distances::read(&folder, &LanguageDistance::Mean(weights), &known).unwrap_err();
        assert!(refused.to_string().contains("weights of distances"), "{refused}");
    }
}

#[test]
fn a_language_that_uriel_lacks_is_named() {
    let error =
        Distances::read(&reference("uriel"), &LanguageDistance::default(), &languages(&["de", "ber"])).unwrap_err();
    assert!(matches!(error, DataError::Missing { .. }));
    let text = error.to_string();
    assert!(text.starts_with("no data for the language `ber`") && text.contains("feature_predictions.npz"), "{text}");
    let error = Distances::read(Path::new("nowhere"), &LanguageDistance::default(), &languages(&["de"])).unwrap_err();
    assert!(matches!(error, DataError::Io { .. }) && error.to_string().contains("nowhere"), "{error}");
}

/// What is said about the file of predicted features in `folder`.
fn refusal(folder: &Path) -> String {
    let codes = ["deu".to_owned(), "eng".to_owned()];
    Distances::of_codes(folder, TypologicalDistance::SyntaxKnnCosine, &codes).unwrap_err().to_string()
}

#[test]
fn damaged_archives_are_refused() {
    let place = TempDir::new().unwrap();
    let file = place.path().join("feature_predictions.npz");
    let whole = fs::read(reference("uriel").join("feature_predictions.npz")).unwrap();
    for length in (0..whole.len()).step_by(97) {
        fs::write(&file, &whole[..length]).unwrap();
        assert!(refusal(place.path()).contains("not a whole npz file"), "cut to {length} bytes");
    }
    // A changed byte is noticed, wherever it is, or changes nothing that is read.
    let codes = ["deu".to_owned(), "eng".to_owned()];
    let read = || Distances::of_codes(place.path(), TypologicalDistance::SyntaxKnnCosine, &codes);
    fs::write(&file, &whole).unwrap();
    let sound = read().unwrap();
    for place in (0..whole.len()).step_by(41) {
        let mut bytes = whole.clone();
        bytes[place] ^= 0x20;
        fs::write(&file, &bytes).unwrap();
        match read() {
            Ok(found) => assert_eq!(found, sound, "byte {place}"),
            Err(error) => assert!(error.to_string().contains("feature_predictions.npz"), "{error}"),
        }
    }
}

/// An array file.
fn npy(kind: &str, shape: &str, body: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}\n");
    [b"\x93NUMPY\x01\x00", &(header.len() as u16).to_le_bytes()[..], header.as_bytes(), body].concat()
}

fn texts(texts: &[&str]) -> Vec<u8> {
    let body: Vec<u8> = texts
        .iter()
        .flat_map(|text| text.chars().chain(std::iter::repeat('\0')).take(9))
        .flat_map(|letter| u32::from(letter).to_le_bytes())
        .collect();
    npy("<U9", &format!("({},)", texts.len()), &body)
}

fn floats(shape: &str, values: &[f32]) -> Vec<u8> {
    npy("<f4", shape, &values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>())
}

type Arrays = BTreeMap<&'static str, Vec<u8>>;

#[test]
fn archives_that_are_not_lang2vecs_are_refused() {
    let place = TempDir::new().unwrap();
    let says = |change: &dyn Fn(&mut Arrays), expected: &str| {
        let mut arrays = BTreeMap::from([
            ("langs", texts(&["deu", "eng"])),
            ("feats", texts(&["S_SVO", "S_SOV", "P_X"])),
            ("sources", texts(&["predicted"])),
            ("data", floats("(2, 3, 1)", &[1.0, 0.0, 1.0, 1.0, 1.0, 0.0])),
        ]);
        change(&mut arrays);
        let mut zip = ZipWriter::new(fs::File::create(place.path().join("feature_predictions.npz")).unwrap());
        for (name, bytes) in arrays {
            zip.start_file(format!("{name}.npy"), SimpleFileOptions::default()).unwrap();
            zip.write_all(&bytes).unwrap();
        }
        zip.finish().unwrap();
        let said = refusal(place.path());
        assert!(said.contains(expected) && said.contains("feature_predictions.npz"), "{said}");
    };
    says(&|arrays| drop(arrays.remove("langs")), "the array `langs` cannot be read");
    says(&|arrays| drop(arrays.insert("langs", npy("|O", "(2,)", b"\x80\x04."))), "`langs` holds Python objects");
    says(&|arrays| drop(arrays.insert("langs", floats("(2,)", &[0.0; 2]))), "not a list of texts");
    says(&|arrays| drop(arrays.insert("langs", npy("<U0", "(2,)", &[]))), "not a list of texts");
    says(&|arrays| drop(arrays.insert("langs", npy("<U1", "(1,)", &[0xff; 4]))), "holds what is no text");
    says(&|arrays| drop(arrays.insert("langs", npy("<U3", "(4611686018427387904,)", &[]))), "too many");
    says(&|arrays| drop(arrays.insert("langs", npy("<U4611686018427387904", "(1,)", &[]))), "too many");
    says(&|arrays| drop(arrays.insert("langs", texts(&["deu", "deu"]))), "lists the language `deu` twice");
    says(&|arrays| drop(arrays.insert("langs", texts(&["deu", "eng", "fra"]))), "`data` has shape [2, 3, 1]");
    says(&|arrays| drop(arrays.insert("feats", texts(&["P_A", "P_B", "P_C"]))), "no features called `S_...`");
    says(&|arrays| drop(arrays.insert("sources", texts(&["WALS"]))), "no features from the source `predicted`");
    says(
        &|arrays| drop(arrays.insert("data", floats("(2, 3, 1)", &[1.0; 5]))),
        "a length that does not match its shape",
    );
    says(&|arrays| drop(arrays.insert("data", npy("<i8", "(2, 3, 1)", &[0; 48]))), "holds `<i8`, not floating-point");
    says(&|arrays| drop(arrays.insert("data", b"no array".to_vec())), "the array `data` not a NumPy array");
    for (value, shown) in [(-1.0, "-1"), (f32::NAN, "NaN"), (f32::INFINITY, "inf"), (1.5, "1.5")] {
        let values = [1.0, 0.0, 1.0, 1.0, value, 0.0];
        let expected = format!("gives {shown} as `S_SOV` of `eng`");
        says(&|arrays| drop(arrays.insert("data", floats("(2, 3, 1)", &values))), &expected);
    }
}

/// All pairs of the published table, to its four decimals; the features of places are not among the real data.
#[test]
fn whole_uriel_gives_the_published_table() {
    let Some(root) = real() else { return };
    let folder = root.join("data").join("uriel");
    let rows = table(&fs::read_to_string(root.join("reference/methods/uriel_distances.csv")).unwrap(), ',');
    assert_eq!(rows.len(), 1_653);
    let codes = codes(&rows);
    use TypologicalDistance::*;
    let columns =
        [SyntaxKnnCosine, PhonologyKnnCosine, InventoryKnnCosine, FamCosine, GeoCosine, GeoMaxabs, SyntaxUnionAngular];
    for (column, kind) in columns.into_iter().enumerate() {
        if matches!(kind, GeoCosine | GeoMaxabs) && !folder.join("geocoord_features.npz").exists() {
            eprintln!("skipped: {kind}, for there is no geocoord_features.npz");
            continue;
        }
        let distances = Distances::of_codes(&folder, kind, &codes).unwrap();
        for (a, b, expected) in &rows {
            match (distances.between_codes(a, b), expected[column]) {
                (Some(found), Some(expected)) => {
                    assert!((found - expected).abs() < 0.5e-4 + 1e-9, "{kind} {a}-{b}: {found} instead of {expected}");
                }
                (found, expected) => assert_eq!(found, expected, "{kind} {a}-{b}"),
            }
        }
    }
}
