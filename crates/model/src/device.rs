use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use burn::backend::Flex;
use burn::tensor::{Device, Tensor, TensorData};
use spec::Backend;

use crate::ModelError;

/// Opens the device of a back end and runs one operation on it, so that a missing adapter or driver shows here.
pub(crate) fn open(backend: Backend) -> Result<Device, ModelError> {
    let device = construct(backend)?;
    guard(|| {
        let sum = Tensor::<1>::from_data(TensorData::new(vec![1.0f32, 2.0], [2]), &device).sum();
        to_host(sum)
    })
    .map(|_| device)
    .map_err(|error| ModelError::Device {
        message: format!("back end `{backend}` finds no usable device: {error}; use `cpu`, which needs none"),
    })
}

/// Whether this build has the back end; whether there is hardware for it shows when a model is loaded.
///
/// # Errors
/// [`ModelError::Device`] naming the feature to build with.
pub fn built_in(backend: Backend) -> Result<(), ModelError> {
    let missing = match backend {
        Backend::Cpu | Backend::Ndarray => false,
        Backend::Wgpu => !cfg!(feature = "wgpu"),
        Backend::Vulkan => !cfg!(feature = "vulkan"),
        Backend::Cuda => !cfg!(feature = "cuda"),
    };
    match missing {
        false => Ok(()),
        true => Err(ModelError::Device {
            message: format!(
                "back end `{backend}` is not in this build; build with `cargo build --features {backend} -p harness`"
            ),
        }),
    }
}

fn construct(backend: Backend) -> Result<Device, ModelError> {
    match backend {
        Backend::Cpu => Ok(Device::flex()),
        // Deprecated upstream, and wanted here as an implementation independent of flex.
        #[allow(deprecated)]
        Backend::Ndarray => Ok(Device::ndarray()),
        #[cfg(feature = "wgpu")]
        Backend::Wgpu => Ok(Device::wgpu(burn::tensor::DeviceKind::DefaultDevice)),
        #[cfg(feature = "vulkan")]
        Backend::Vulkan => Ok(Device::vulkan(burn::tensor::DeviceKind::DefaultDevice)),
        #[cfg(feature = "cuda")]
        Backend::Cuda => Ok(Device::cuda(0)),
        #[cfg(not(all(feature = "wgpu", feature = "vulkan", feature = "cuda")))]
        missing => built_in(missing).and_then(|()| Err(failure("this back end cannot be opened"))),
    }
}

/// Runs device work and turns Burn's panics into errors. What the work was changing must be thrown away on error.
pub(crate) fn guard<T>(work: impl FnOnce() -> Result<T, ModelError>) -> Result<T, ModelError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("a panic without a message");
        Err(failure(text))
    })
}

/// [`guard`] on a thread of the kernels' pool, if the CPU's kernels do the work: there they start their pieces without
/// waking another thread for every operation and waiting for it.
pub(crate) fn compute<T: Send>(
    device: &Device,
    work: impl FnOnce() -> Result<T, ModelError> + Send,
) -> Result<T, ModelError> {
    match is_host(device) && rayon::current_thread_index().is_none() {
        true => rayon::scope(|_| guard(work)),
        false => guard(work),
    }
}

/// A device's complaint as an error; exhaustion is told apart by the words that the runtimes use for it.
fn failure(text: &str) -> ModelError {
    let lower = text.to_lowercase();
    let exhausted = ["out of memory", "outofmemory", "out_of_memory", "bufferistoobig", "memory allocation"]
        .iter()
        .any(|word| lower.contains(word));
    let text = text.trim().to_owned();
    match exhausted {
        true => ModelError::OutOfMemory { detail: text },
        false => ModelError::Device { message: text },
    }
}

/// The values of a tensor, row-major.
pub(crate) fn to_host<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, ModelError> {
    let data = tensor.try_into_data().map_err(|error| failure(&error.to_string()))?;
    data.try_into_vec::<f32>().map_err(|error| failure(&format!("{error:?}")))
}

/// A flat tensor of these values.
pub(crate) fn to_device(values: Vec<f32>, device: &Device) -> Tensor<1> {
    let length = values.len();
    Tensor::from_data(TensorData::new(values, [length]), device)
}

/// The CPU back end's own tensor, whose memory is readable and writable in place.
pub(crate) type HostTensor = burn::backend::tensor::FloatTensor<Flex>;

static COMPOSED: AtomicBool = AtomicBool::new(false);

/// From now on the CPU's back end is treated like any other in this process: Burn's own operations, dense gradients and an
/// optimiser in several passes. For benchmarks that ask what the kernels are worth; call it before any learner is made.
pub fn compose_operations() {
    COMPOSED.store(true, Ordering::Relaxed);
}

/// Whether tensors of this device are [`HostTensor`]s, on which the kernels compute.
pub(crate) fn is_host(device: &Device) -> bool {
    *device == Device::flex() && !COMPOSED.load(Ordering::Relaxed)
}

/// The tensor's own memory: contiguous, from the start of its storage.
///
/// # Panics
/// If the tensor is not one of [`Device::flex`] without autodiff.
pub(crate) fn host(tensor: Tensor<1>) -> HostTensor {
    let host = tensor.try_into_primitive::<Flex>().unwrap_or_else(|error| panic!("not a host tensor: {error:?}"));
    if host.is_contiguous() && host.storage::<f32>().len() == host.layout().num_elements() {
        return host;
    }
    HostTensor::from_data(host.into_data())
}

/// The inverse of [`host`].
pub(crate) fn from_host(tensor: HostTensor) -> Tensor<1> {
    Tensor::from_primitive::<Flex>(tensor)
}
