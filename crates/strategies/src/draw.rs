//! Random draws that depend on (seed, purpose, step) only, so that a resumed run needs no saved generator.

use random::Generator;

/// A generator whose key spells out seed, step and up to 16 bytes of purpose.
pub(crate) fn generator(seed: u64, purpose: &str, step: u64) -> Generator {
    debug_assert!(purpose.len() <= 16, "a longer purpose would be cut");
    let mut key = [0u8; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&step.to_le_bytes());
    for (byte, letter) in key[16..].iter_mut().zip(purpose.bytes()) {
        *byte = letter;
    }
    random::keyed(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_depend_on_seed_purpose_and_step() {
        let first = |seed, purpose, step| random::bits(&mut generator(seed, purpose, step));
        assert_eq!(first(1, "a", 2), first(1, "a", 2));
        assert!(first(1, "a", 2) != first(2, "a", 1) && first(1, "a", 2) != first(1, "b", 2));
    }
}
