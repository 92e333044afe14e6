use kernels::gelu::{backward, forward};

use crate::TOLERANCE;
use crate::data::{assert_close, numbers};
use crate::reference::{self, differences, evaluate};

#[test]
fn values_and_slopes_at_every_length() {
    for count in [0, 1, 7, 16, 33, 9000] {
        let (x, dy) = (numbers(1, count, 2.0), numbers(2, count, 1.0));
        let definition = |v: &[Vec<crate::tape::Var>]| v[0].iter().map(|&x| reference::gelu(x)).collect::<Vec<_>>();
        let (y, dx) = (forward(&x), backward(&dy, &x).unwrap());
        if count == 0 {
            assert!(y.is_empty() && dx.is_empty());
            continue;
        }
        let expected = evaluate(&[&x], &dy, definition);
        assert_close("y", &y, &expected.y, TOLERANCE);
        assert_close("dx", &dx, &expected.gradients[0], TOLERANCE);
        if count < 20 {
            assert_close("dx", &dx, &differences(&[&x], &dy, definition)[0], TOLERANCE);
        }
    }
}

#[test]
fn far_tails_are_exact_and_lengths_are_checked() {
    assert_eq!(forward(&[-60.0, 60.0, 0.0]), [0.0, 60.0, 0.0]);
    assert_eq!(backward(&[2.0, 2.0], &[-60.0, 60.0]).unwrap(), [0.0, 2.0]);
    assert!(forward(&[f32::NAN])[0].is_nan());
    assert_eq!(backward(&[1.0], &[1.0, 2.0]).unwrap_err().to_string(), "dy has 1 elements, but its shape [2] needs 2");
}
