use std::fmt;

use serde::{Deserialize, Serialize};

use crate::SpecError;

/// Where tensors are computed, chosen at run time. Part of a cell's identity: back ends differ in the last bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Backend {
    /// Burn's flex: pure Rust on the CPU. The default.
    Cpu,
    /// Burn's ndarray: an independent CPU implementation, for comparison.
    Ndarray,
    /// Any GPU (or software renderer) that wgpu finds, through WGSL.
    Wgpu,
    /// A Vulkan GPU through SPIR-V; needs the `vulkan` feature.
    Vulkan,
    /// An NVIDIA GPU; needs the `cuda` feature.
    Cuda,
}

impl Backend {
    pub const ALL: [Backend; 5] = [Backend::Cpu, Backend::Ndarray, Backend::Wgpu, Backend::Vulkan, Backend::Cuda];

    pub fn as_str(self) -> &'static str {
        match self {
            Backend::Cpu => "cpu",
            Backend::Ndarray => "ndarray",
            Backend::Wgpu => "wgpu",
            Backend::Vulkan => "vulkan",
            Backend::Cuda => "cuda",
        }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl std::str::FromStr for Backend {
    type Err = SpecError;
    fn from_str(text: &str) -> Result<Self, SpecError> {
        Self::ALL
            .into_iter()
            .find(|backend| backend.as_str() == text)
            .ok_or_else(|| SpecError::unknown("back end", text, Self::ALL.map(Backend::as_str)))
    }
}
