//! Strengths of languages in an update: hand-computed values and laws.

use spec::{
    FirstStage, Kernel, KnobError, Laft, Language, LanguageDistance, Sharing, TypologicalDistance, UpdateStage,
};
use strategies::laft::{self, LaftError, Module, Strengths, kappa};

fn language(code: &str) -> Language {
    Language::parse(code).unwrap()
}

fn languages(codes: &str) -> Vec<Language> {
    codes.split(' ').map(language).collect()
}

/// Languages on a line.
fn place(language: Language) -> f64 {
    match language.code() {
        "de" => 0.0,
        "en" => 0.1,
        "fr" => 0.3,
        "hi" => 0.6,
        "sw" => 1.0,
        code => panic!("{code} has no place"),
    }
}

fn line(a: Language, b: Language) -> Option<f64> {
    Some((place(a) - place(b)).abs())
}

fn scaled() -> Laft {
    Laft::new(Sharing::Scaled)
}

fn strengths(laft: &Laft, updated: &str) -> Strengths {
    laft.check().unwrap();
    laft::strengths(laft, 1, &languages("de en fr hi sw"), &languages(updated), &line, 1).unwrap()
}

/// Sum over modules.
fn strength(strengths: &Strengths, code: &str) -> f64 {
    strengths.languages[&language(code)].iter().map(|(_, strength)| strength).sum()
}

#[track_caller]
fn close(value: f64, expected: f64) {
    assert!((value - expected).abs() < 1e-12, "{value} instead of {expected}");
}

const SHARINGS: [Sharing; 5] =
    [Sharing::All, Sharing::UpdatedOnly, Sharing::Scaled, Sharing::Mixture, Sharing::Shuffled];
const KERNELS: [Kernel; 3] = [Kernel::Exp, Kernel::Linear, Kernel::Threshold];

#[test]
fn scaled_strengths_in_numbers() {
    // Pairs: 0.1 0.3 0.6 1.0 0.2 0.5 0.9 0.3 0.7 0.4, whose median is the mean of 0.4 and 0.5.
    let found = strengths(&scaled(), "de hi");
    let tau = found.tau.unwrap();
    close(tau, 0.45);
    for (code, distance) in [("de", 0.0), ("en", 0.1), ("fr", 0.3), ("hi", 0.0), ("sw", 0.4)] {
        close(strength(&found, code), (-distance / 0.45f64).exp());
    }
    let found = strengths(&Laft { kernel: Kernel::Linear, tau: Some(0.4), ..scaled() }, "de");
    for (code, expected) in [("de", 1.0), ("en", 0.75), ("fr", 0.25), ("hi", 0.0), ("sw", 0.0)] {
        close(strength(&found, code), expected);
    }
    assert!(found.languages[&language("sw")].is_empty());
    let found = strengths(&Laft { kernel: Kernel::Threshold, tau: Some(0.3), ..scaled() }, "de");
    for (code, expected) in [("de", 1.0), ("en", 1.0), ("fr", 1.0), ("hi", 0.0), ("sw", 0.0)] {
        close(strength(&found, code), expected);
    }
}

#[test]
fn a_mixture_in_numbers() {
    let laft = Laft { kind: Sharing::Mixture, tau: Some(0.5), ..scaled() };
    let found = strengths(&laft, "de hi");
    // English: 0.1 and 0.5 away, exp(-0.2) and exp(-1).
    let (near, far) = ((-0.2f64).exp(), (-1.0f64).exp());
    let [(german, of_german), (hindi, of_hindi)] = found.languages[&language("en")][..] else { panic!("two modules") };
    assert_eq!(german, Module { stage: 1, language: Some(language("de")) });
    assert_eq!(hindi.to_string(), "stage-2.hi");
    close(of_german, near * near / (near + far));
    close(of_hindi, near * far / (near + far));
    // However far, the weights do not vanish together.
    let narrow = strengths(&Laft { tau: Some(1e-5), ..laft }, "de hi");
    close(strength(&narrow, "de"), 1.0);
    assert_eq!(strength(&narrow, "sw"), 0.0);
}

#[test]
fn updated_languages_have_strength_one_under_every_sharing() {
    for sharing in SHARINGS {
        for kernel in KERNELS {
            for updated in ["de", "sw fr", "de en fr hi sw"] {
                let found = strengths(&Laft { kind: sharing, kernel, tau: Some(0.2), ..scaled() }, updated);
                for code in updated.split(' ') {
                    close(strength(&found, code), 1.0);
                }
                assert_eq!(found.languages.len(), 5);
                assert!(found.languages.values().flatten().all(|(_, strength)| (0.0..=1.0).contains(strength)));
            }
        }
    }
}

#[test]
fn the_limits_of_scaled_are_all_and_updated_only() {
    let of = |laft: &Laft| strengths(laft, "en sw").languages;
    let all = of(&Laft { kind: Sharing::All, ..scaled() });
    let updated_only = of(&Laft { kind: Sharing::UpdatedOnly, ..scaled() });
    for kernel in KERNELS {
        let wide = of(&Laft { kernel, tau: Some(1e300), ..scaled() });
        assert_eq!(wide, all, "{kernel:?}");
        let narrow = of(&Laft { kernel, tau: Some(1e-300), ..scaled() });
        assert_eq!(narrow, updated_only, "{kernel:?}");
    }
    assert_eq!(of(&Laft { kernel: Kernel::Threshold, tau: Some(0.0), ..scaled() }), updated_only);
    assert!(updated_only[&language("de")].is_empty());
}

#[test]
fn kernels_fall_with_distance_from_one() {
    for kernel in KERNELS {
        for tau in [0.01, 0.3, 1.0, 7.0] {
            assert_eq!(kappa(kernel, 0.0, tau), 1.0);
            let values: Vec<f64> = (0..=100).map(|d| kappa(kernel, f64::from(d) / 100.0, tau)).collect();
            assert!(values.is_sorted_by(|a, b| a >= b) && values.iter().all(|value| (0.0..=1.0).contains(value)));
        }
    }
    assert_eq!(kappa(Kernel::Threshold, 0.0, 0.0), 1.0);
}

#[test]
fn shuffled_distances_belong_to_other_languages() {
    let all = languages("de en fr hi sw");
    let laft = Laft { kind: Sharing::Shuffled, tau: Some(0.5), ..scaled() };
    let scaled = strengths(&Laft { kind: Sharing::Scaled, ..laft.clone() }, "de");
    let mut different = 0;
    for seed in 0..20 {
        let of = || laft::strengths(&laft, 1, &all, &[language("de")], &line, seed).unwrap();
        assert_eq!(of(), of());
        // In any order of the languages.
        let reversed: Vec<Language> = all.iter().rev().copied().collect();
        assert_eq!(laft::strengths(&laft, 1, &reversed, &[language("de")], &line, seed).unwrap(), of());
        different += u32::from(of().languages != scaled.languages);
        // The others' strengths are those of some language's distances to all others.
        let mut found: Vec<f64> = "en fr hi sw".split(' ').map(|code| strength(&of(), code)).collect();
        found.sort_by(f64::total_cmp);
        let known = all.iter().skip(1).any(|&stand_in| {
            let others = all.iter().filter(|&&other| other != stand_in);
            let mut row: Vec<f64> = others.map(|&l| (-line(l, stand_in).unwrap() / 0.5).exp()).collect();
            row.sort_by(f64::total_cmp);
            row.iter().zip(&found).all(|(a, b)| (a - b).abs() < 1e-12)
        });
        assert!(known, "{found:?}");
    }
    assert!(different >= 19, "{different}");
}

#[test]
fn renaming_languages_renames_strengths() {
    let swap = |l: Language| match l.code() {
        "de" => language("sw"),
        "sw" => language("de"),
        _ => l,
    };
    for sharing in [Sharing::All, Sharing::UpdatedOnly, Sharing::Scaled, Sharing::Mixture] {
        let laft = Laft { kind: sharing, ..scaled() };
        let all = languages("de en fr hi sw");
        let found = laft::strengths(&laft, 1, &all, &languages("de fr"), &line, 1).unwrap();
        let renamed = laft::strengths(&laft, 1, &all, &languages("sw fr"), &|a, b| line(swap(a), swap(b)), 1).unwrap();
        for &l in &all {
            let named = |(module, strength): &(Module, f64)| (module.language.map(swap), *strength);
            let expected: Vec<_> = found.languages[&l].iter().map(named).collect();
            let got: Vec<_> = renamed.languages[&swap(l)].iter().map(|(m, s)| (m.language, *s)).collect();
            assert_eq!(got, expected, "{sharing:?} {l}");
        }
    }
}

#[test]
fn a_language_without_a_vector_is_named() {
    let hole = |a: Language, b: Language| if [a, b].contains(&language("hi")) { None } else { line(a, b) };
    let all = languages("de en hi");
    let laft = scaled();
    let error = laft::strengths(&laft, 1, &all, &languages("de"), &hole, 1).unwrap_err();
    assert_eq!(error, LaftError::NoVector { language: language("hi"), distance: "syntax-knn-cosine".to_owned() });
    assert!(error.to_string().starts_with("there is no `syntax-knn-cosine` distance of `hi`"));
    // Who needs no distances is not refused.
    for sharing in [Sharing::All, Sharing::UpdatedOnly] {
        assert!(laft::strengths(&Laft { kind: sharing, ..laft.clone() }, 1, &all, &languages("de"), &hole, 1).is_ok());
    }
    let error = laft::strengths(&laft, 1, &all, &languages("de"), &|a, b| Some(-f64::from(a != b)), 1).unwrap_err();
    assert!(matches!(error, LaftError::Distance { value: -1.0, .. }), "{error}");
    let error = laft::strengths(&laft, 1, &all, &languages("de"), &|_, _| Some(0.0), 1).unwrap_err();
    assert_eq!(error, LaftError::NoWidth { median: 0.0 });
    assert_eq!(laft::strengths(&laft, 1, &all, &[], &line, 1), Err(LaftError::NothingUpdated));
    // One language has no pairs, and needs none.
    let alone = laft::strengths(&laft, 1, &languages("de"), &languages("de"), &line, 1).unwrap();
    close(strength(&alone, "de"), 1.0);
}

#[test]
fn stages_train_what_the_knobs_say() {
    let both = languages("de fr");
    let shared = |stage| Module { stage, language: None };
    let laft = scaled();
    let first = laft::trained(&laft, 0, &both);
    assert!(first.encoder && first.head && first.modules.is_empty());
    let update = laft::trained(&laft, 1, &both);
    assert!(!update.encoder && !update.head);
    assert_eq!(update.modules, [shared(1)]);
    assert_eq!(laft::trained_by(&laft, 1, both[1]), Some(shared(1)));
    assert_eq!(laft::trained_by(&laft, 0, both[1]), None);
    assert_eq!(shared(1).to_string(), "stage-2");

    let laft =
        Laft { stage1: FirstStage::Adapter, stage2: UpdateStage::ModuleAndHead, kind: Sharing::Mixture, ..scaled() };
    let first = laft::trained(&laft, 0, &both);
    assert!(!first.encoder && first.head);
    assert_eq!(first.modules, [shared(0)]);
    let update = laft::trained(&laft, 2, &both);
    assert!(!update.encoder && update.head);
    assert_eq!(update.modules, both.iter().map(|&l| Module { stage: 2, language: Some(l) }).collect::<Vec<_>>());
    assert_eq!(laft::trained_by(&laft, 2, both[1]), Some(update.modules[1]));
    let full = laft::trained(&Laft { stage2: UpdateStage::Full, ..laft }, 1, &both);
    assert!(full.encoder && full.head);
}

#[test]
fn knobs_are_read_and_refused() {
    let read = |text: &str| serde_json::from_str::<Laft>(text);
    assert_eq!(read(r#"{ "kind": "scaled" }"#).unwrap(), scaled());
    let laft = read(
        r#"{ "kind": "mixture", "kernel": "linear", "tau": 0.3, "distance": { "geo-maxabs": 1, "fam-cosine": 2 } }"#,
    )
    .unwrap();
    assert_eq!((laft.kind, laft.kernel, laft.tau), (Sharing::Mixture, Kernel::Linear, Some(0.3)));
    let parts = [(TypologicalDistance::FamCosine, 2.0), (TypologicalDistance::GeoMaxabs, 1.0)];
    assert_eq!(laft.distance.parts(), parts);
    assert_eq!(read(&serde_json::to_string(&laft).unwrap()).unwrap(), laft);
    for distance in TypologicalDistance::ALL {
        assert_eq!(serde_json::to_string(&distance).unwrap(), format!("\"{distance}\""));
    }
    assert!(read(r#"{ "kind": "all", "shares": 1 }"#).is_err());
    assert!(
        read(r#"{ "kind": "scaled", "distance": "syntax" }"#).unwrap_err().to_string().contains("syntax-knn-cosine")
    );

    let refused = |laft: &Laft| laft.check().unwrap_err();
    for tau in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let error = refused(&Laft { tau: Some(tau), ..scaled() });
        assert_eq!(error.knob, "tau");
    }
    let threshold = Laft { kernel: Kernel::Threshold, tau: Some(0.0), ..scaled() };
    assert_eq!(threshold.check(), Ok(()));
    assert!(Laft { kind: Sharing::Mixture, ..threshold }.check().is_err());
    for weights in [vec![], vec![0.0], vec![-1.0, 2.0], vec![f64::NAN]] {
        let weights = TypologicalDistance::ALL.into_iter().zip(weights).collect();
        let KnobError { knob, .. } = refused(&Laft { distance: LanguageDistance::Mean(weights), ..scaled() });
        assert_eq!(knob, "distance");
    }
}
