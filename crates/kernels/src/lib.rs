//! Fused CPU operations of a Transformer encoder, forward and backward, on plain `f32` slices.
//!
//! A tensor library composes attention, normalisation and the like from many small operations; on a CPU most of the time
//! then goes into memory traffic. Here each is one pass per piece of data that stays in cache, around the matrix products
//! of the `gemm` crate. The crate knows no tensor library.
//!
//! Conventions: row-major slices, `[inputs, outputs]` weights, results in fresh `Vec`s, saved activations in recycled
//! [`Buffer`]s. Wrong shapes are errors; NaN and infinity propagate. Work is cut into pieces of fixed size and sums have a
//! fixed order, so **the bits of a result do not depend on the number of threads**. They may differ between processors
//! with different instruction sets.
//!
//! The operations compute on all threads of the current `rayon` pool.

pub mod adamw;
pub mod attention;
mod buffer;
pub mod combine;
pub mod cross_entropy;
pub mod dropout;
pub mod embedding;
mod error;
pub mod feed_forward;
pub mod gelu;
mod lanes;
pub mod layer_norm;
pub mod linear;
mod math;
mod matmul;
pub mod reduce;
pub mod rows;
mod simd;
pub mod tied;

pub use buffer::Buffer;
pub use dropout::Dropout;
pub use error::KernelError;
pub use simd::Simd;
