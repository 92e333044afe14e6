use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use safetensors::SafeTensors;
use serde::{Deserialize, Serialize};
use spec::Head;

use crate::device::{to_device, to_host};
use crate::folder::{self, HostView};
use crate::optimizer::{AdamW, Moments};
use crate::state::State;
use crate::{Group, Learner, ModelError, OptimizerConfig};

/// Raised when the file's form changes.
const VERSION: u32 = 1;
/// The one key of the file's metadata; with several, their order would differ from run to run.
const KEY: &str = "checkpoint";

/// What is not a tensor.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    version: u32,
    head: Option<Head>,
    frozen: Vec<String>,
    /// Weight decay, clip, beta1, beta2, epsilon as bits: decimals need not survive a round trip.
    optimizer: [u64; 5],
    /// Optimiser steps by parameter.
    steps: BTreeMap<String, u64>,
}

/// Writes every parameter that may differ from the model folder's or is about to, and the optimiser's state.
pub(crate) fn save(state: &State, path: &Path) -> Result<(), ModelError> {
    let mut views: Vec<(String, HostView)> = Vec::new();
    let mut steps = BTreeMap::new();
    for (index, entry) in state.layout.entries.iter().enumerate() {
        let mut push = |kind: &str, values: Vec<f32>| {
            views.push((format!("{kind}/{}", entry.name), HostView { shape: vec![entry.len()], values }));
        };
        if state.changed[index] || !state.frozen.contains(&entry.group) {
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
        head: state.head.as_ref().map(|head| head.kind),
        frozen: state.frozen.iter().map(Group::to_string).collect(),
        optimizer: [config.weight_decay, config.clip, config.beta1, config.beta2, config.epsilon].map(f64::to_bits),
        steps,
    };
    let fail = |message: String| ModelError::Checkpoint { path: path.to_owned(), message };
    let header = serde_json::to_string(&header).map_err(|error| fail(error.to_string()))?;
    let metadata = HashMap::from([(KEY.to_owned(), header)]);
    safetensors::serialize_to_file(views, Some(metadata), path).map_err(|error| fail(error.to_string()))?;
    folder::fsync(path)
}

/// Puts a checkpoint's state into the learner; on an error the learner may be left half changed.
pub(crate) fn load(learner: &mut Learner, path: &Path) -> Result<(), ModelError> {
    let fail = |message: String| ModelError::Checkpoint { path: path.to_owned(), message };
    let bytes = folder::mapped(path)?;
    let file = folder::parse(&bytes).map_err(fail)?;
    let header = header(&bytes).map_err(fail)?;
    let frozen = header.frozen.iter().map(|group| group.parse()).collect::<Result<_, _>>()?;
    let [weight_decay, clip, beta1, beta2, epsilon] = header.optimizer.map(f64::from_bits);

    if learner.head() != header.head {
        match header.head {
            Some(head) => learner.declare_head(head),
            None => return Err(fail("it has no head, but the model has".to_owned())),
        }
    }
    let (state, device) = learner.state_mut();
    let config = OptimizerConfig { weight_decay, clip, beta1, beta2, epsilon };
    state.optimizer = AdamW::new(config, state.layout.entries.len());
    state.frozen = frozen;
    let mut used = 0;
    let mut read = |kind: &str, name: &str, length: usize| match file.tensor(&format!("{kind}/{name}")) {
        Err(_) => Ok(None),
        Ok(view) if view.shape() == [length] => {
            used += 1;
            let values = folder::values(&view).ok_or_else(|| fail(format!("{kind}/{name} is not of type F32")))?;
            Ok(Some(to_device(values, device)))
        }
        Ok(view) => {
            let message = format!("{kind}/{name} has shape {:?}, expected [{length}]: another model's?", view.shape());
            Err(fail(message))
        }
    };
    for (index, entry) in state.layout.entries.iter().enumerate() {
        let (name, length) = (&entry.name, entry.len());
        match read("parameter", name, length)? {
            Some(value) if index < state.values.len() => {
                state.values[index] = value;
                state.changed[index] = true;
            }
            // A new head's parameters come behind the encoder's, in order.
            Some(value) => state.values.push(value),
            None if index >= state.values.len() => return Err(fail(format!("parameter/{name} is missing"))),
            None if state.changed[index] => {
                return Err(ModelError::state(format!(
                    "`{name}` has been trained, but {} does not hold it: load the model folder again first",
                    path.display()
                )));
            }
            None => {}
        }
        state.optimizer.moments[index] = match (read("first", name, length)?, read("second", name, length)?) {
            (Some(first), Some(second)) => {
                let steps = header.steps.get(name).ok_or_else(|| fail(format!("steps of {name} are missing")))?;
                Some(Moments { first, second, steps: *steps })
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

fn header(bytes: &[u8]) -> Result<Header, String> {
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|error| error.to_string())?;
    let text = metadata.metadata().as_ref().and_then(|map| map.get(KEY)).ok_or("it is no checkpoint")?;
    let header: Header = serde_json::from_str(text).map_err(|error| format!("malformed header: {error}"))?;
    match header.version {
        VERSION => Ok(header),
        other => Err(format!("it has version {other}; this build reads version {VERSION}")),
    }
}
