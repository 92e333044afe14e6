use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use burn::tensor::{Device, Tensor};
use kernels::rows::RowSparse;
use safetensors::SafeTensors;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::device::{is_host, to_device, to_host};
use crate::folder::{self, HostView};
use crate::gradients::Gradient;
use crate::layout::{Entry, Layout};
use crate::network::Parts;
use crate::optimizer::{AdamW, Moments};
use crate::owner::Owner;
use crate::setup::Setup;
use crate::state::State;
use crate::{Gradients, Group, Learner, ModelError, OptimizerConfig};

/// Raised when the file's form changes.
const VERSION: u32 = 4;
/// The one key of the file's metadata; with several, their order would differ from run to run.
const KEY: &str = "checkpoint";
/// The same two of a gradient's file.
const GRADIENT_VERSION: u32 = 3;
const GRADIENT_KEY: &str = "gradient";

/// What is not a tensor.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    version: u32,
    parts: Parts,
    frozen: Vec<String>,
    /// Parameters that are new in their stage.
    new: Vec<String>,
    setup: Setup,
    /// Weight decay, clip, beta1, beta2, epsilon as bits: decimals need not survive a round trip.
    optimizer: [u64; 5],
    /// Optimiser steps by parameter.
    steps: BTreeMap<String, u64>,
}

/// What is not a tensor of a gradient.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct GradientHeader {
    version: u32,
    /// Parameters that were trained.
    open: Vec<String>,
    /// Of tables that were only looked up: the rows that the file holds.
    rows: BTreeMap<String, Vec<u32>>,
}

/// Writes every parameter that may differ from the model folder's or is about to, and the optimiser's state.
pub(crate) fn save(state: &State, path: &Path) -> Result<(), ModelError> {
    let mut views: Vec<(String, HostView)> = Vec::new();
    let mut steps = BTreeMap::new();
    let open = state.open();
    for (index, entry) in state.layout.entries.iter().enumerate() {
        let mut push = |kind: &str, values: Vec<f32>| {
            views.push((format!("{kind}/{}", entry.name), HostView::flat(values)));
        };
        if state.changed[index] || open[index] {
            push("parameter", to_host(state.values[index].clone())?);
        }
        if let Some(moments) = &state.optimizer.moments[index] {
            let (first, second) = moments.to_host()?;
            push("first", first);
            push("second", second);
            steps.insert(entry.name.clone(), moments.steps);
        }
    }
    let config = state.optimizer.config;
    let header = Header {
        version: VERSION,
        parts: state.parts.clone(),
        frozen: state.frozen.iter().map(Group::to_string).collect(),
        new: state
            .layout
            .entries
            .iter()
            .zip(&state.new)
            .filter(|(_, new)| **new)
            .map(|(entry, _)| entry.name.clone())
            .collect(),
        setup: state.setup.clone(),
        optimizer: [config.weight_decay, config.clip, config.beta1, config.beta2, config.epsilon].map(f64::to_bits),
        steps,
    };
    write(path, KEY, &header, views)
}

/// Puts a checkpoint's state into the learner; on an error the learner may be left half changed.
pub(crate) fn load(learner: &mut Learner, path: &Path) -> Result<(), ModelError> {
    let fail = |message: String| fault(path, message);
    let bytes = folder::mapped(path)?;
    let file = folder::parse(&bytes).map_err(fail)?;
    let header: Header = header(&bytes, KEY, VERSION).map_err(fail)?;
    let frozen = header.frozen.iter().map(|group| group.parse()).collect::<Result<_, _>>()?;
    let [weight_decay, clip, beta1, beta2, epsilon] = header.optimizer.map(f64::from_bits);

    let (state, config, device) = learner.state_mut();
    let read = |kind: &str, entry: &Entry| tensor(&file, kind, entry, device).map_err(fail);
    let equal: Vec<Owner> = {
        let equal = header.parts.heads.iter().filter(|owned| state.parts.heads.contains(owned));
        equal.map(|owned| owned.owner).collect()
    };
    state.rebuild(
        config,
        header.parts,
        |entry| entry.owner.is_none_or(|owner| equal.contains(&owner)),
        |entry| read("parameter", entry)?.ok_or_else(|| fail(format!("parameter/{} is missing", entry.name))),
    )?;
    let optimizer = OptimizerConfig { weight_decay, clip, beta1, beta2, epsilon };
    state.optimizer = AdamW::new(optimizer, state.layout.entries.len());
    (state.frozen, state.setup) = (frozen, header.setup);
    let new: BTreeSet<String> = header.new.into_iter().collect();
    state.new = state.layout.entries.iter().map(|entry| new.contains(&entry.name)).collect();
    let mut used = 0;
    for (index, entry) in state.layout.entries.iter().enumerate() {
        let name = &entry.name;
        match read("parameter", entry)? {
            Some(value) => {
                used += 1;
                state.values[index] = value;
                state.changed[index] = true;
            }
            None if state.changed[index] => {
                return Err(ModelError::state(format!(
                    "`{name}` has been trained, but {} does not hold it: load the model folder again first",
                    path.display()
                )));
            }
            None => {}
        }
        state.optimizer.moments[index] = match (read("first", entry)?, read("second", entry)?) {
            (Some(first), Some(second)) => {
                used += 2;
                let steps = header.steps.get(name).ok_or_else(|| fail(format!("steps of {name} are missing")))?;
                Some(Moments::restored(first, second, *steps, entry))
            }
            (None, None) => None,
            _ => return Err(fail(format!("one of the two moments of {name} is missing"))),
        };
    }
    match used == file.len() {
        true => Ok(()),
        false => Err(fail(format!("{} tensors are of no parameter of this model", file.len() - used))),
    }
}

/// Writes a gradient.
pub(crate) fn save_gradients(gradients: &Gradients, layout: &Layout, path: &Path) -> Result<(), ModelError> {
    let mut views = Vec::new();
    let mut rows = BTreeMap::new();
    for (entry, gradient) in layout.entries.iter().zip(&gradients.of) {
        let values = match gradient {
            None => continue,
            Some(Gradient::Dense(tensor)) => to_host(tensor.clone())?,
            Some(Gradient::Rows(sparse)) => {
                rows.insert(entry.name.clone(), sparse.rows.clone());
                sparse.values.clone()
            }
        };
        views.push((format!("gradient/{}", entry.name), HostView::flat(values)));
    }
    let open = layout.entries.iter().zip(&gradients.open).filter(|(_, open)| **open);
    let open = open.map(|(entry, _)| entry.name.clone()).collect();
    write(path, GRADIENT_KEY, &GradientHeader { version: GRADIENT_VERSION, open, rows }, views)
}

/// Reads a gradient of the layout's parameters.
pub(crate) fn load_gradients(layout: &Layout, device: &Device, path: &Path) -> Result<Gradients, ModelError> {
    let fail = |message: String| fault(path, message);
    let bytes = folder::mapped(path)?;
    let file = folder::parse(&bytes).map_err(fail)?;
    let mut header: GradientHeader = header(&bytes, GRADIENT_KEY, GRADIENT_VERSION).map_err(fail)?;
    let of_one = |entry: &Entry| {
        let gradient = match header.rows.remove(&entry.name) {
            None => tensor(&file, "gradient", entry, device)?.map(Gradient::Dense),
            Some(rows) => Some(row_sparse(&file, entry, rows, device)?),
        };
        Ok(gradient)
    };
    let of = layout.entries.iter().map(of_one).collect::<Result<Vec<_>, _>>().map_err(fail)?;
    let open: Vec<bool> = layout.entries.iter().map(|entry| header.open.contains(&entry.name)).collect();
    let used = of.iter().flatten().count();
    let strange = used < file.len() || open.iter().filter(|open| **open).count() < header.open.len();
    match strange || !header.rows.is_empty() || of.iter().zip(&open).any(|(gradient, open)| gradient.is_some() && !open)
    {
        true => Err(fail("it is the gradient of another model".to_owned())),
        false => Ok(Gradients { of, open }),
    }
}

/// The gradient of a table, from those of its rows; a device that has no row-sparse gradients gets it in full.
fn row_sparse(file: &SafeTensors, entry: &Entry, rows: Vec<u32>, device: &Device) -> Result<Gradient, String> {
    let name = &entry.name;
    let [_, hidden] = entry.table().ok_or_else(|| format!("gradient/{name} has rows, but is no table's"))?;
    let view = file.tensor(&format!("gradient/{name}")).map_err(|_| format!("gradient/{name} is missing"))?;
    if view.shape() != [rows.len() * hidden] || !rows.is_sorted_by(|a, b| a < b) {
        return Err(format!("gradient/{name} is not of {} different rows, each {hidden} wide", rows.len()));
    }
    let values = folder::values(&view).ok_or_else(|| format!("gradient/{name} is not of type F32"))?;
    let gradient = Gradient::Rows(Arc::new(RowSparse { hidden, rows, values }));
    match (gradient.fits(entry), is_host(device)) {
        (false, _) => Err(format!("gradient/{name} has rows outside of its table: another model's?")),
        (true, true) => Ok(gradient),
        (true, false) => {
            let values = gradient.to_host(entry).map_err(|error| error.to_string())?;
            Ok(Gradient::Dense(to_device(values, device)))
        }
    }
}

fn fault(path: &Path, message: String) -> ModelError {
    ModelError::Checkpoint { path: path.to_owned(), message }
}

fn write(path: &Path, key: &str, header: &impl Serialize, views: Vec<(String, HostView)>) -> Result<(), ModelError> {
    let header = serde_json::to_string(header).map_err(|error| fault(path, error.to_string()))?;
    let metadata = HashMap::from([(key.to_owned(), header)]);
    let failed = |source| ModelError::io(path, source);
    files::write_with(path, failed, |partial| {
        safetensors::serialize_to_file(views, Some(metadata), partial)
            .map_err(|error| ModelError::unwritten(path, error))
    })
}

/// One flat tensor of a file, `None` if the file does not hold it.
fn tensor(file: &SafeTensors, kind: &str, entry: &Entry, device: &Device) -> Result<Option<Tensor<1>>, String> {
    let (name, length) = (&entry.name, entry.len());
    match file.tensor(&format!("{kind}/{name}")) {
        Err(_) => Ok(None),
        Ok(view) if view.shape() == [length] => {
            let values = folder::values(&view).ok_or_else(|| format!("{kind}/{name} is not of type F32"))?;
            Ok(Some(to_device(values, device)))
        }
        Ok(view) => Err(format!("{kind}/{name} has shape {:?}, expected [{length}]: another model's?", view.shape())),
    }
}

fn header<H: DeserializeOwned>(bytes: &[u8], key: &str, version: u32) -> Result<H, String> {
    /// The field that every version has.
    #[derive(Deserialize)]
    struct Versioned {
        version: u32,
    }
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|error| error.to_string())?;
    let text = metadata.metadata().as_ref().and_then(|map| map.get(key)).ok_or(format!("it is no {key}"))?;
    let malformed = |error: serde_json::Error| format!("malformed header: {error}");
    match serde_json::from_str(text).map_err(malformed)? {
        Versioned { version: found } if found == version => serde_json::from_str(text).map_err(malformed),
        Versioned { version: found } => Err(format!("it has version {found}; this build reads version {version}")),
    }
}
