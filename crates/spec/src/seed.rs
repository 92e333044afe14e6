//! Seeds for everything that is drawn.

/// A seed for one purpose at one place, independent of all others.
pub fn derived_seed(seed: u64, purpose: &str, place: &[u64]) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes()).update(purpose.as_bytes());
    for number in place {
        hasher.update(&number.to_le_bytes());
    }
    let mut first = [0u8; 8];
    first.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    u64::from_le_bytes(first)
}
