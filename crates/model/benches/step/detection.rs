//! A processor without AVX-512, as far as this process knows.
//!
//! Every crate here that chooses instructions at run time asks `is_x86_feature_detected`, which looks into a static of the
//! standard library. That static is private, but the linker knows where it is: `nm` shows its distance from
//! [`lethe_bench_anchor`]. What the words in it mean is found out by trying.

use std::sync::atomic::{AtomicUsize, Ordering};

/// A place in the program's data with a name that `nm` shows.
#[unsafe(no_mangle)]
pub static lethe_bench_anchor: AtomicUsize = AtomicUsize::new(1);

/// Words of the standard library's static.
const WORDS: usize = 3;

fn avx512() -> [bool; 6] {
    [
        is_x86_feature_detected!("avx512f"),
        is_x86_feature_detected!("avx512bw"),
        is_x86_feature_detected!("avx512dq"),
        is_x86_feature_detected!("avx512vl"),
        is_x86_feature_detected!("avx512vnni"),
        is_x86_feature_detected!("avx512bf16"),
    ]
}

/// Takes AVX-512 out of what the standard library detected. `offset` is the distance in bytes of the static
/// `std_detect::detect::cache::CACHE` from [`lethe_bench_anchor`] in this very program.
pub fn hide_avx512(offset: isize) {
    if !avx512().contains(&true) {
        eprintln!("this processor has no AVX-512 to hide");
        return;
    }
    let address = (&raw const lethe_bench_anchor).addr().wrapping_add_signed(offset);
    // SAFETY: with the right offset this is the library's own array of atomic words, which lives as long as the program.
    let words = unsafe { &*std::ptr::with_exposed_provenance::<[AtomicUsize; WORDS]>(address) };
    for word in words {
        for bit in 0..usize::BITS {
            let before = (word.load(Ordering::Relaxed), avx512());
            if before.0 >> bit & 1 == 0 {
                continue;
            }
            word.store(before.0 & !(1 << bit), Ordering::Relaxed);
            let after = avx512();
            let lost = before.1.iter().zip(after).any(|(before, after)| *before && !after);
            let kept = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            if !lost || !kept {
                word.store(before.0, Ordering::Relaxed);
            }
        }
    }
    assert!(!avx512().contains(&true), "AVX-512 is still there: the offset is wrong");
}
