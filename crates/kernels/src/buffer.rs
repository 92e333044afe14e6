//! Recycled memory for saved activations and scratch.
//!
//! A training step asks for the same large blocks again and again. A fresh block of that size is mapped and faulted in
//! page by page; a recycled one is warm.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, PoisonError};

/// Bytes kept for reuse at most; what comes back beyond that is freed.
const KEPT_BYTES: usize = 512 << 20;

struct Pool {
    bytes: usize,
    free: BTreeMap<usize, Vec<Vec<f32>>>,
}

static POOL: Mutex<Pool> = Mutex::new(Pool { bytes: 0, free: BTreeMap::new() });

/// `f32` memory that returns to a process-wide pool when dropped.
#[derive(Debug)]
pub struct Buffer {
    data: Vec<f32>,
}

impl Buffer {
    /// `len` floats with unspecified (but initialised) values.
    pub fn scratch(len: usize) -> Self {
        let class = size_class(len);
        let recycled = {
            let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
            let found = pool.free.get_mut(&class).and_then(Vec::pop);
            if found.is_some() {
                pool.bytes -= class * size_of::<f32>();
            }
            found
        };
        let mut data = recycled.unwrap_or_else(|| vec![0.0; class]);
        data.truncate(len);
        Self { data }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let class = self.data.capacity();
        let bytes = class * size_of::<f32>();
        if class == 0 || class != size_class(class) {
            return;
        }
        let mut data = std::mem::take(&mut self.data);
        // `scratch` cut the tail off (at most an eighth); a block in the pool has its full length.
        data.resize(class, 0.0);
        let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
        if pool.bytes + bytes <= KEPT_BYTES {
            pool.bytes += bytes;
            pool.free.entry(class).or_default().push(data);
        }
    }
}

impl Clone for Buffer {
    fn clone(&self) -> Self {
        let mut copy = Self::scratch(self.len());
        copy.copy_from_slice(self);
        copy
    }
}

impl Deref for Buffer {
    type Target = [f32];
    fn deref(&self) -> &[f32] {
        &self.data
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.data
    }
}

/// Rounds up to a multiple of an eighth of the power of two below, so that nearby lengths share blocks.
fn size_class(len: usize) -> usize {
    let step = (len.max(128).next_power_of_two() / 16).max(64);
    len.div_ceil(step) * step
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_fixed_points_and_waste_little() {
        for len in (1..5000).chain([1 << 20, (1 << 20) + 1, 3 << 20]) {
            let class = size_class(len);
            assert!(class >= len && class == size_class(class), "{len} -> {class}");
            assert!(class - len <= (len / 8).max(64), "{len} -> {class}");
        }
    }

    #[test]
    fn a_dropped_block_is_used_again() {
        // A length of its own: other tests share the pool.
        let len = (1 << 20) + 77;
        let mut first = Buffer::scratch(len);
        first.fill(3.0);
        let place = first.as_ptr();
        drop(first);
        let second = Buffer::scratch(len - 1);
        assert_eq!((second.as_ptr(), second.len()), (place, len - 1));
    }
}
