//! Instruction sets: every elementwise body is written once, compiled three times and chosen at run time.

use std::sync::atomic::{AtomicU8, Ordering};

/// Instruction sets the elementwise kernels are compiled for, in rising order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Simd {
    /// What every processor of the target has; multiplications and additions are rounded separately.
    Portable = 1,
    /// x86-64 with AVX2 and FMA.
    Avx2 = 2,
    /// x86-64 with AVX-512 F, BW, DQ and VL.
    Avx512 = 3,
}

const UNKNOWN: u8 = 0;
static CHOSEN: AtomicU8 = AtomicU8::new(UNKNOWN);

impl Simd {
    /// The best set of this processor.
    pub fn detected() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            let avx512 = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl");
            if avx2 && avx512 {
                return Self::Avx512;
            }
            if avx2 {
                return Self::Avx2;
            }
        }
        Self::Portable
    }

    /// The set in use: the detected one unless [`Simd::limit`] lowered it.
    pub fn current() -> Self {
        match CHOSEN.load(Ordering::Relaxed) {
            1 => Self::Portable,
            2 => Self::Avx2,
            3 => Self::Avx512,
            _ => Self::limit(Self::Avx512),
        }
    }

    /// Uses at most `set` from now on, in the whole process, and returns what is used. For tests and benchmarks; matrix
    /// products choose their own kernels and are not affected.
    pub fn limit(set: Self) -> Self {
        let used = set.min(Self::detected());
        CHOSEN.store(used as u8, Ordering::Relaxed);
        used
    }
}

/// Defines a function whose body is compiled for each [`Simd`] set. Inside, the constant `$fma` says whether
/// `f32::mul_add` is one instruction; pass it on to the functions of [`crate::math`].
macro_rules! simd_fn {
    ($(#[$meta:meta])* $vis:vis fn $name:ident<const $fma:ident>($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block) => {
        $(#[$meta])*
        #[allow(clippy::too_many_arguments)]
        $vis fn $name($($arg: $ty),*) $(-> $ret)? {
            #[inline(always)]
            #[allow(clippy::too_many_arguments)]
            fn body<const $fma: bool>($($arg: $ty),*) $(-> $ret)? $body

            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")]
                #[allow(clippy::too_many_arguments)]
                fn avx512($($arg: $ty),*) $(-> $ret)? { body::<true>($($arg),*) }
                #[target_feature(enable = "avx2,fma")]
                #[allow(clippy::too_many_arguments)]
                fn avx2($($arg: $ty),*) $(-> $ret)? { body::<true>($($arg),*) }
                match $crate::simd::Simd::current() {
                    // SAFETY: `Simd::current` never exceeds what `Simd::detected` found on this processor.
                    $crate::simd::Simd::Avx512 => unsafe { avx512($($arg),*) },
                    // SAFETY: as above.
                    $crate::simd::Simd::Avx2 => unsafe { avx2($($arg),*) },
                    $crate::simd::Simd::Portable => body::<false>($($arg),*),
                }
            }
            #[cfg(not(target_arch = "x86_64"))]
            body::<{ cfg!(target_arch = "aarch64") }>($($arg),*)
        }
    };
}
pub(crate) use simd_fn;
