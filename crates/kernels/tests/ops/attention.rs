use kernels::attention::{Attention, Inputs, backward, forward};
use kernels::{Dropout, KernelError, dropout};
use proptest::prelude::*;

use crate::TOLERANCE;
use crate::data::{assert_close, numbers};
use crate::reference::{self, Heads, differences, evaluate};
use crate::tape::Var;

struct Case {
    sequence: usize,
    hidden: usize,
    heads: usize,
    lengths: Vec<usize>,
    dropout: Option<Dropout>,
    /// Query, key, value, head mask.
    operands: [Vec<f32>; 4],
    d_context: Vec<f32>,
}

impl Case {
    fn new(sequence: usize, width: usize, heads: usize, lengths: &[usize]) -> Self {
        let (hidden, len) = (width * heads, lengths.len() * sequence * width * heads);
        Self {
            sequence,
            hidden,
            heads,
            lengths: lengths.to_vec(),
            dropout: None,
            operands: [numbers(1, len, 1.0), numbers(2, len, 1.0), numbers(3, len, 1.0), vec![1.0; heads]],
            d_context: numbers(4, len, 1.0),
        }
    }

    fn masked(mut self) -> Self {
        self.operands[3] = (0..self.heads).map(|head| [0.0, 0.5, 1.5][head % 3]).collect();
        self
    }

    fn dropped(mut self) -> Self {
        self.dropout = Some(Dropout::new(0.3, 7).unwrap());
        self
    }

    fn inputs(&self) -> Inputs<'_> {
        Inputs { query: &self.operands[0], key: &self.operands[1], value: &self.operands[2] }
    }

    fn attention(&self) -> Attention<'_> {
        Attention {
            batch: self.lengths.len(),
            sequence: self.sequence,
            hidden: self.hidden,
            heads: self.heads,
            lengths: &self.lengths,
            head_mask: Some(&self.operands[3]),
            dropout: self.dropout,
        }
    }

    /// Row `(example * heads + head) * sequence + query`, column `key`.
    fn factors(&self) -> Option<Vec<f32>> {
        let rows = self.lengths.len() * self.heads * self.sequence;
        let ones = vec![1.0; rows * self.sequence];
        self.dropout.map(|d| dropout::apply(&ones, self.sequence, d).unwrap())
    }

    fn definition(&self) -> impl Fn(&[Vec<Var>]) -> Vec<Var> {
        let factors = self.factors();
        move |v| {
            let heads = Heads {
                sequence: self.sequence,
                hidden: self.hidden,
                heads: self.heads,
                lengths: &self.lengths,
                factors: factors.as_deref(),
            };
            reference::attention(&v[0], &v[1], &v[2], &v[3], &heads)
        }
    }

    /// By head, the sum of the magnitudes of what its factor's gradient adds up, which may cancel almost to nothing.
    fn terms_of_head_mask(&self) -> Vec<f64> {
        let [query, key, value, _] = &self.operands;
        let values: Vec<f32> = value.iter().map(|value| value.abs()).collect();
        let operands: [&[f32]; 4] = [query, key, &values, &vec![1.0; self.heads]];
        let contexts = evaluate(&operands, &self.d_context, self.definition()).y;
        let mut terms = vec![0.0; self.heads];
        for (place, (context, d)) in contexts.iter().zip(&self.d_context).enumerate() {
            terms[place % self.hidden / (self.hidden / self.heads)] += context * f64::from(d.abs());
        }
        terms
    }

    fn compare(&self) {
        let (context, saved) = forward(self.inputs(), &self.attention()).unwrap();
        let got = backward(&self.d_context, self.inputs(), &saved, &self.attention()).unwrap();
        let operands = self.operands.each_ref().map(|operand| &operand[..]);
        let expected = evaluate(&operands, &self.d_context, self.definition());
        let check = |gradients: &[Vec<f64>]| {
            assert_close("dq", &got.query, &gradients[0], TOLERANCE);
            assert_close("dk", &got.key, &gradients[1], TOLERANCE);
            assert_close("dv", &got.value, &gradients[2], TOLERANCE);
            let pairs = got.head_mask.as_ref().unwrap().iter().zip(&gradients[3]);
            for ((got, expected), terms) in pairs.zip(self.terms_of_head_mask()) {
                let difference = (f64::from(*got) - expected).abs();
                assert!(difference <= TOLERANCE / 40.0 * terms, "d mask: {got} instead of {expected}, of {terms}");
            }
        };
        assert_close("context", &context, &expected.y, TOLERANCE);
        check(&expected.gradients);
        if context.len() < 50 {
            check(&differences(&operands, &self.d_context, self.definition()));
        }
    }
}

#[test]
fn small_shapes_against_differences_too() {
    for case in [
        Case::new(2, 2, 2, &[2, 1]),
        Case::new(3, 2, 3, &[2, 0]).masked(),
        Case::new(3, 2, 2, &[3, 2]).dropped().masked(),
    ] {
        case.compare();
    }
}

#[test]
fn awkward_shapes() {
    Case::new(1, 1, 1, &[1]).compare();
    Case::new(5, 3, 1, &[0, 5, 1]).compare();
    Case::new(17, 5, 3, &[16, 17, 15]).masked().compare();
    Case::new(33, 8, 2, &[31]).dropped().compare();
    // More than one tile of queries.
    Case::new(131, 3, 1, &[130]).dropped().masked().compare();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn random_shapes(
        sequence in 1usize..24, width in 1usize..9, heads in 1usize..4, batch in 1usize..4,
        raw in prop::array::uniform4(0usize..1000), masked: bool, dropped: bool,
    ) {
        let lengths: Vec<usize> = raw[..batch].iter().map(|raw| raw % (sequence + 1)).collect();
        let mut case = Case::new(sequence, width, heads, &lengths);
        if lengths.iter().all(|&length| length == 0) {
            return Ok(());
        }
        if masked { case = case.masked(); }
        if dropped { case = case.dropped(); }
        case.compare();
    }
}

#[test]
fn padding_is_never_read() {
    let mut case = Case::new(6, 4, 2, &[4, 6]);
    let (clean, saved) = forward(case.inputs(), &case.attention()).unwrap();
    let clean_gradients = backward(&case.d_context, case.inputs(), &saved, &case.attention()).unwrap();
    for operand in &mut case.operands[..3] {
        operand[4 * 8..6 * 8].fill(f32::NAN);
    }
    case.d_context[4 * 8..6 * 8].fill(f32::NAN);
    let (context, saved) = forward(case.inputs(), &case.attention()).unwrap();
    let gradients = backward(&case.d_context, case.inputs(), &saved, &case.attention()).unwrap();
    assert_eq!(context, clean);
    assert_eq!(gradients, clean_gradients);
    assert!(gradients.key[4 * 8..6 * 8].iter().chain(&context[4 * 8..6 * 8]).all(|&x| x == 0.0));
}

#[test]
fn dominated_keys_weigh_exactly_nothing_and_leave_no_denormals() {
    // The others score 200 and 75 below the first key.
    let mut case = Case::new(4, 1, 1, &[4]);
    case.operands[0] = vec![10.0; 4];
    case.operands[1] = vec![20.0, 0.0, 0.0, 12.5];
    case.d_context = vec![1e-6; 4];
    let (context, saved) = forward(case.inputs(), &case.attention()).unwrap();
    assert!(context.iter().all(|&c| c == case.operands[2][0]));
    let gradients = backward(&case.d_context, case.inputs(), &saved, &case.attention()).unwrap();
    assert_eq!(gradients.value[1..], [0.0; 3]);
    for x in gradients.query.iter().chain(&gradients.key) {
        assert!(*x == 0.0 || x.is_normal(), "{x:e}");
    }
}

#[test]
fn large_scores_do_not_overflow_and_nan_stays_in_its_example() {
    let mut case = Case::new(3, 4, 1, &[3, 3]);
    case.operands[0].iter_mut().for_each(|x| *x *= 1e4);
    let (context, _) = forward(case.inputs(), &case.attention()).unwrap();
    assert!(context.iter().all(|c| c.is_finite()));
    case.operands[1][0] = f32::NAN;
    let (context, _) = forward(case.inputs(), &case.attention()).unwrap();
    assert!(context[..12].iter().all(|c| c.is_nan()));
    assert!(context[12..].iter().all(|c| c.is_finite()));
}

#[test]
fn bad_calls_are_refused() {
    let case = Case::new(3, 2, 2, &[3, 1]);
    let mut attention = case.attention();
    attention.lengths = &[3, 4];
    assert_eq!(
        forward(case.inputs(), &attention).unwrap_err(),
        KernelError::SequenceLength { example: 1, length: 4, sequence: 3 }
    );
    attention.lengths = &[3];
    assert_eq!(
        forward(case.inputs(), &attention).unwrap_err().to_string(),
        "lengths has 1 elements, but its shape [2] needs 2"
    );
    attention = case.attention();
    attention.heads = 3;
    assert_eq!(forward(case.inputs(), &attention).unwrap_err(), KernelError::Heads { hidden: 4, heads: 3 });
    attention = case.attention();
    attention.head_mask = Some(&[1.0]);
    assert!(forward(case.inputs(), &attention).is_err());
    let (_, saved) = forward(case.inputs(), &case.attention()).unwrap();
    assert!(backward(&case.d_context[1..], case.inputs(), &saved, &case.attention()).is_err());
}
