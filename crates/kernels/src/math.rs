//! Elementary functions that the compiler can vectorise: no branches, no calls, no tables.
//!
//! Coefficients are our own minimax fits (Lawson's weighted least squares on Chebyshev nodes).

/// `a * b + c`, in one rounding where `FMA` says that the processor has the instruction.
#[inline(always)]
pub(crate) fn mul_add<const FMA: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}

/// `e^x` for `x <= 0`, relative error below 2e-7; exactly 0 below -69, that is below 1e-30. NaN stays NaN.
///
/// Smaller results would turn denormal when multiplied by a gradient, and denormals make a matrix product many times slower.
#[inline(always)]
pub(crate) fn exp_nonpositive<const FMA: bool>(x: f32) -> f32 {
    // 1.5 * 2^23: adding it rounds to an integer and leaves that integer in the low bits.
    const ROUND: f32 = 12_582_912.0;
    // ln 2 in two parts; the first has few bits, so that `n * LN2_HIGH` is exact.
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    let shifted = mul_add::<FMA>(x, std::f32::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = mul_add::<FMA>(n, -LN2_LOW, mul_add::<FMA>(n, -LN2_HIGH, x));
    let mut p = 1.381_446_6e-3;
    p = mul_add::<FMA>(p, r, 8.368_781e-3);
    p = mul_add::<FMA>(p, r, 4.166_839_4e-2);
    p = mul_add::<FMA>(p, r, 1.666_652_1e-1);
    p = mul_add::<FMA>(p, r, 4.999_999_3e-1);
    p = mul_add::<FMA>(p * r, r, r) + 1.0;
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(1.0f32.to_bits()));
    if x < -69.0 { 0.0 } else { p * power }
}

/// Distribution function and density of the standard normal at `x`.
///
/// Both tails come from `e^(-x^2/2)` times a polynomial in `1 / (1 + 0.3 |x|)` (the form of Abramowitz and Stegun 26.2.17),
/// so small values keep their relative accuracy.
#[inline(always)]
pub(crate) fn normal<const FMA: bool>(x: f32) -> (f32, f32) {
    const INV_SQRT_TAU: f32 = 0.398_942_3;
    let z = x.abs();
    let bell = exp_nonpositive::<FMA>(-0.5 * z * z);
    let t = 1.0 / mul_add::<FMA>(z, 0.3, 1.0);
    let mut p = 3.5931725e-2;
    p = mul_add::<FMA>(p, t, -1.5827596e-1);
    p = mul_add::<FMA>(p, t, 2.0820653e-1);
    p = mul_add::<FMA>(p, t, -5.539379e-2);
    p = mul_add::<FMA>(p, t, 1.2946917e-1);
    p = mul_add::<FMA>(p, t, 9.963_75e-2);
    p = mul_add::<FMA>(p, t, 1.2079836e-1);
    p = mul_add::<FMA>(p, t, 1.1962639e-1);
    let tail = p * t * bell;
    (if x < 0.0 { tail } else { 1.0 - tail }, bell * INV_SQRT_TAU)
}
