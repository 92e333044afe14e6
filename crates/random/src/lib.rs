//! Bounded draws and shuffles, for every crate that draws. Who draws keys a generator with what the draws are for, so that a
//! resumed run needs no saved one. What these functions give for a generator must never change: orders, masks and intervals
//! of recorded runs rest on it.

use rand_chacha::rand_core::{Rng, SeedableRng};

pub use rand_chacha::ChaCha8Rng as Generator;

/// A generator for 32 bytes that say what it is for.
pub fn keyed(key: [u8; 32]) -> Generator {
    Generator::from_seed(key)
}

/// One of the streams of a seed, which have no number in common.
pub fn numbered(seed: u64, stream: u64) -> Generator {
    let mut generator = Generator::seed_from_u64(seed);
    generator.set_stream(stream);
    generator
}

/// 64 random bits.
pub fn bits(generator: &mut Generator) -> u64 {
    generator.next_u64()
}

/// A number below `bound`, every one equally likely: draws from the incomplete last round are thrown away.
///
/// # Panics
/// If `bound` is 0.
pub fn below(generator: &mut Generator, bound: usize) -> usize {
    let bound = bound as u64;
    let most = u64::MAX - u64::MAX % bound;
    loop {
        let draw = generator.next_u64();
        if draw < most {
            return (draw % bound) as usize;
        }
    }
}

/// A number below `bound` from exactly one draw, by multiplication: quicker than [`below`], with a bias of one part in
/// 2^64 / `bound`. 0 if `bound` is 0.
pub fn below_in_one_draw(generator: &mut Generator, bound: usize) -> usize {
    ((u128::from(generator.next_u64()) * bound as u128) >> 64) as usize
}

/// Puts the items in a uniformly random order (Fisher and Yates).
pub fn shuffle<T>(generator: &mut Generator, items: &mut [T]) {
    for last in (1..items.len()).rev() {
        items.swap(last, below(generator, last + 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_orders_are_equally_likely() {
        let mut generator = keyed([7; 32]);
        let mut counts = [0usize; 6];
        for _ in 0..6000 {
            let mut items = [0, 1, 2];
            shuffle(&mut generator, &mut items);
            counts[items[0] * 2 + usize::from(items[1] > items[2])] += 1;
        }
        assert!(counts.iter().all(|count| (850..1150).contains(count)), "{counts:?}");
    }

    #[test]
    fn draws_stay_below_their_bound_and_never_change() {
        let draws = |draw: fn(&mut Generator, usize) -> usize| {
            let mut generator = keyed([1; 32]);
            [1usize, 2, 10, 1000, 1 << 40].map(|bound| {
                let drawn = draw(&mut generator, bound);
                assert!(drawn < bound);
                drawn
            })
        };
        // From `scripts/reference/draws.py`.
        assert_eq!(draws(below), [0, 0, 8, 997, 972_995_985_131]);
        assert_eq!(draws(below_in_one_draw), [0, 1, 6, 878, 754_273_280_651]);
    }
}
