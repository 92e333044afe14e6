//! Overlaps of masks and conflicts of gradients, by hand.

use evaluation::{OverlapError, conflicts, overlap};

fn mask(text: &str) -> Vec<Vec<bool>> {
    text.split('/').map(|row| row.chars().map(|letter| letter == '1').collect()).collect()
}

#[test]
fn overlaps_in_numbers() {
    let found = overlap(&mask("1110/0000/1000"), &mask("0111/0000/0001")).unwrap();
    assert_eq!(found.jaccard, Some(2.0 / 6.0));
    assert_eq!(found.layers, [Some(0.5), None, Some(0.0)]);
    assert_eq!(found.shared, 2.0 / 12.0);
}

#[test]
fn overlap_is_symmetric_and_one_with_itself() {
    let masks = ["101/010", "111/111", "000/001", "000/000"].map(mask);
    for a in &masks {
        for b in &masks {
            assert_eq!(overlap(a, b).unwrap(), overlap(b, a).unwrap());
        }
        let itself = overlap(a, a).unwrap();
        assert_eq!(itself.jaccard, a.iter().flatten().any(|kept| *kept).then_some(1.0));
    }
    for (a, b) in [("10/01", "10"), ("10/01", "10/011"), ("", "")] {
        assert!(matches!(overlap(&mask(a), &mask(b)), Err(OverlapError::Shape { .. })), "{a} {b}");
    }
}

#[test]
fn conflicts_in_numbers() {
    // (3, 4), (-3, -4), (4, -3), (0, 0)
    let gradients: [[f64; 2]; 4] = [[3.0, 4.0], [-3.0, -4.0], [4.0, -3.0], [0.0, 0.0]];
    let product = |a: [f64; 2], b: [f64; 2]| a[0] * b[0] + a[1] * b[1];
    let products: Vec<f64> = gradients.iter().flat_map(|&a| gradients.map(|b| product(a, b))).collect();
    let found = conflicts(4, &products).unwrap();
    assert_eq!(found.cosines, [(0, 1, -1.0), (0, 2, 0.0), (1, 2, 0.0)]);
    assert_eq!((found.share, found.mean), (Some(1.0 / 3.0), Some(-1.0 / 3.0)));
    // A gradient agrees with itself, and one task has nobody to disagree with.
    assert_eq!(conflicts(2, &[2.0; 4]).unwrap().cosines[0].2, 1.0);
    let one = conflicts(1, &[3.0]).unwrap();
    assert_eq!((one.cosines, one.share, one.mean), (vec![], None, None));
}

#[test]
fn products_that_are_none_are_refused() {
    assert_eq!(conflicts(2, &[1.0; 3]), Err(OverlapError::Products { tasks: 2, expected: 4, found: 3 }));
    let error = conflicts(2, &[1.0, f64::NAN, 0.0, 1.0]).unwrap_err();
    assert_eq!(error.to_string(), "the product of gradients 0 and 1 is NaN");
}
