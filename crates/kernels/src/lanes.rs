//! Reductions over one row, in a fixed number of lanes so that they vectorise and their order is fixed.

use crate::math::mul_add;

pub(crate) const LANES: usize = 16;

/// The largest element; NaN only if every element is (the exponentials then carry it on).
#[inline(always)]
pub(crate) fn max(row: &[f32]) -> f32 {
    let (blocks, rest) = row.as_chunks::<LANES>();
    let mut lanes = [f32::NEG_INFINITY; LANES];
    for block in blocks {
        for i in 0..LANES {
            lanes[i] = if block[i] > lanes[i] { block[i] } else { lanes[i] };
        }
    }
    let larger = |a: f32, b: f32| if b > a { b } else { a };
    let all = lanes.into_iter().fold(f32::NEG_INFINITY, larger);
    rest.iter().copied().fold(all, larger)
}

#[inline(always)]
pub(crate) fn dot<const FMA: bool>(a: &[f32], b: &[f32]) -> f32 {
    let (a_blocks, a_rest) = a.as_chunks::<LANES>();
    let (b_blocks, b_rest) = b.as_chunks::<LANES>();
    let mut lanes = [0.0f32; LANES];
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        for i in 0..LANES {
            lanes[i] = mul_add::<FMA>(a[i], b[i], lanes[i]);
        }
    }
    for (lane, (a, b)) in lanes.iter_mut().zip(a_rest.iter().zip(b_rest)) {
        *lane = mul_add::<FMA>(*a, *b, *lane);
    }
    sum_lanes(lanes)
}

/// Adds lanes pairwise.
#[inline(always)]
pub(crate) fn sum_lanes(lanes: [f32; LANES]) -> f32 {
    let mut lanes = lanes;
    let mut width = LANES / 2;
    while width > 0 {
        for i in 0..width {
            lanes[i] += lanes[i + width];
        }
        width /= 2;
    }
    lanes[0]
}

/// Sum of a row.
#[inline(always)]
pub(crate) fn sum(row: &[f32]) -> f32 {
    let (blocks, rest) = row.as_chunks::<LANES>();
    let mut lanes = [0.0f32; LANES];
    for block in blocks {
        for i in 0..LANES {
            lanes[i] += block[i];
        }
    }
    for (lane, x) in lanes.iter_mut().zip(rest) {
        *lane += x;
    }
    sum_lanes(lanes)
}

/// Sum of squared distances from `center`.
#[inline(always)]
pub(crate) fn squared_deviation<const FMA: bool>(row: &[f32], center: f32) -> f32 {
    let (blocks, rest) = row.as_chunks::<LANES>();
    let mut lanes = [0.0f32; LANES];
    for block in blocks {
        for i in 0..LANES {
            let d = block[i] - center;
            lanes[i] = mul_add::<FMA>(d, d, lanes[i]);
        }
    }
    for (lane, x) in lanes.iter_mut().zip(rest) {
        let d = x - center;
        *lane = mul_add::<FMA>(d, d, *lane);
    }
    sum_lanes(lanes)
}
