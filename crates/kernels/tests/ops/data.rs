//! Test numbers and how they are compared.

/// Deterministic numbers, roughly normal with the given deviation.
pub fn numbers(seed: u64, len: usize, deviation: f32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0xd1b5_4a32_d192_ed03;
    let mut uniform = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1 << 24) as f32 - 0.5
    };
    // Six uniforms have variance 1/2.
    let scale = deviation * 2.0f32.sqrt();
    (0..len).map(|_| (0..6).map(|_| uniform()).sum::<f32>() * scale).collect()
}

/// Largest difference relative to the largest expected magnitude.
#[track_caller]
pub fn assert_close(what: &str, got: &[f32], expected: &[f64], tolerance: f64) {
    assert_eq!(got.len(), expected.len(), "{what}: length");
    let largest = expected.iter().fold(0.0f64, |largest, x| largest.max(x.abs()));
    for (i, (&got, &expected)) in got.iter().zip(expected).enumerate() {
        let difference = (f64::from(got) - expected).abs();
        assert!(
            difference <= tolerance * largest.max(1e-30),
            "{what}[{i}]: {got} instead of {expected}, largest {largest}"
        );
    }
}
