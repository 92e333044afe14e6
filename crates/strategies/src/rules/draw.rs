//! Random draws that depend on (seed, purpose, step) only, so that a resumed run needs no saved generator.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A generator whose key spells out seed, step and up to 16 bytes of purpose.
pub(crate) fn generator(seed: u64, purpose: &str, step: u64) -> ChaCha8Rng {
    debug_assert!(purpose.len() <= 16, "a longer purpose would be cut");
    let mut key = [0u8; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&step.to_le_bytes());
    for (byte, letter) in key[16..].iter_mut().zip(purpose.bytes()) {
        *byte = letter;
    }
    ChaCha8Rng::from_seed(key)
}

/// A uniform index below `n` (at least 1), free of modulo bias.
pub(crate) fn index(rng: &mut ChaCha8Rng, n: usize) -> usize {
    let n = n as u64;
    let largest_multiple = u64::MAX - u64::MAX % n;
    loop {
        let value = rng.next_u64();
        if value < largest_multiple {
            return (value % n) as usize;
        }
    }
}

/// Puts `items` in a uniformly random order.
pub(crate) fn shuffle(rng: &mut ChaCha8Rng, items: &mut [usize]) {
    for last in (1..items.len()).rev() {
        items.swap(last, index(rng, last + 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_depend_on_seed_purpose_and_step() {
        let first = |seed, purpose, step| generator(seed, purpose, step).next_u64();
        assert_eq!(first(1, "a", 2), first(1, "a", 2));
        assert!(first(1, "a", 2) != first(2, "a", 1) && first(1, "a", 2) != first(1, "b", 2));
    }

    #[test]
    fn all_orders_are_equally_likely() {
        let mut counts = [0usize; 6];
        for step in 0..6000 {
            let mut items = [0, 1, 2];
            shuffle(&mut generator(7, "test", step), &mut items);
            counts[items[0] * 2 + usize::from(items[1] > items[2])] += 1;
        }
        assert!(counts.iter().all(|count| (850..1150).contains(count)), "{counts:?}");
    }
}
