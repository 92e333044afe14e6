//! Every operation and its gradients against definitions in `f64`.

mod adamw;
mod attention;
mod cross_entropy;
mod data;
mod dropout;
mod embedding;
mod feed_forward;
mod gelu;
mod hostile;
mod layer_norm;
mod linear;
mod reduce;
mod reference;
mod rows;
mod tape;
mod tied;

/// Bound on max |difference| / max |expected|.
const TOLERANCE: f64 = 1e-5;
