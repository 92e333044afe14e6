//! The folders of AdapterHub's library, `adapters` 1.x: `adapter_config.json` and, with `use_safetensors=True`,
//! `adapter.safetensors`. Heads in such folders are left alone.

use std::path::Path;

use serde_json::{Value, json};

use super::added::{Options, Stored, without};
use super::write::write_added;
use crate::adapter::{Named, check_name};
use crate::layout::Entry;
use crate::{Activation, AdapterConfig, AdapterInit, ModelConfig, ModelError};

const CONFIG: &str = "adapter_config.json";
const WEIGHTS: &str = "adapter.safetensors";

/// An adapter in a folder.
pub(crate) struct StoredAdapter {
    pub name: String,
    pub config: AdapterConfig,
    tensors: Stored<()>,
}

impl StoredAdapter {
    /// The values of a parameter of the adapter, which the model calls `name`.
    pub fn take(&self, entry: &Entry, name: &str) -> Result<Vec<f32>, ModelError> {
        let stored = entry.name.replacen(&format!("adapters.{name}."), &format!("adapters.{}.", self.name), 1);
        self.tensors.take_as(entry, &stored)
    }

    pub fn check_all_taken(&self) -> Result<(), ModelError> {
        self.tensors.check_all_taken()
    }
}

/// Reads an adapter of an encoder of this size.
pub(crate) fn read(folder: &Path, model: &ModelConfig) -> Result<StoredAdapter, ModelError> {
    let file = Options::read(folder.join(CONFIG))?;
    file.check_hidden_size(model)?;
    let name = file.text("name")?.to_owned();
    check_name(&name).map_err(|error| file.fault("name", &error.to_string()))?;
    let config = config(&file.inner("config")?)?;
    let canonical = |name: &str| without(name, &["bert.", "roberta."]);
    let tensors = Stored::read((), folder.join(WEIGHTS), canonical)?;
    Ok(StoredAdapter { name, config, tensors })
}

fn config(options: &Options) -> Result<AdapterConfig, ModelError> {
    let [no, yes, one, zero] = [json!(false), json!(true), json!(1), json!(0)];
    for (key, known) in [
        ("architecture", &[][..]),
        ("adapter_residual_before_ln", std::slice::from_ref(&no)),
        ("cross_adapter", std::slice::from_ref(&no)),
        ("dropout", std::slice::from_ref(&zero)),
        ("inv_adapter", &[json!("nice")]),
        ("is_parallel", std::slice::from_ref(&no)),
        ("leave_out", &[json!([])]),
        ("ln_after", std::slice::from_ref(&no)),
        ("ln_before", std::slice::from_ref(&no)),
        ("original_ln_after", std::slice::from_ref(&yes)),
        ("phm_layer", std::slice::from_ref(&no)),
        ("residual_before_ln", std::slice::from_ref(&yes)),
        ("scaling", std::slice::from_ref(&one)),
        ("stochastic_depth", std::slice::from_ref(&zero)),
        ("use_gating", std::slice::from_ref(&no)),
    ] {
        options.only(key, known)?;
    }
    let activation = match options.text("non_linearity")?.to_lowercase().as_str() {
        "relu" => Activation::Relu,
        "swish" | "silu" => Activation::Swish,
        "gelu" => Activation::Gelu,
        other => return Err(options.fault("non_linearity", &format!("`{other}` is not supported"))),
    };
    let init = match options.get("init_weights").map_or(Some("bert"), Value::as_str) {
        Some("bert") => AdapterInit::Bert,
        Some("houlsby") => AdapterInit::Houlsby,
        _ => return Err(options.fault("init_weights", "neither bert nor houlsby")),
    };
    let invertible = match options.get("inv_adapter") {
        None => None,
        Some(_) => Some(options.number("inv_adapter_reduction_factor")?),
    };
    Ok(AdapterConfig {
        attention: options.flag("mh_adapter", false)?,
        output: options.flag("output_adapter", true)?,
        reduction: options.number("reduction_factor")?,
        activation,
        norm_before: options.flag("original_ln_before", false)?,
        init,
        invertible,
    })
}

/// Writes an adapter.
pub(crate) fn write(
    Named { name, config }: &Named,
    model: &ModelConfig,
    parameters: Vec<(&Entry, Vec<f32>)>,
    folder: &Path,
) -> Result<(), ModelError> {
    let activation = match config.activation {
        Activation::Relu => "relu",
        Activation::Swish => "swish",
        Activation::Gelu => "gelu",
    };
    let init = match config.init {
        AdapterInit::Bert => "bert",
        AdapterInit::Houlsby => "houlsby",
    };
    // Every option that the library's own files hold; those that this crate does not have are off.
    let options = json!({
        "adapter_residual_before_ln": false, "cross_adapter": false, "dropout": 0.0, "factorized_phm_W": true,
        "factorized_phm_rule": false, "hypercomplex_nonlinearity": "glorot-uniform", "init_weights": init,
        "init_weights_seed": null, "inv_adapter": config.invertible.map(|_| "nice"),
        "inv_adapter_reduction_factor": config.invertible, "is_parallel": false, "learn_phm": true, "leave_out": [],
        "ln_after": false, "ln_before": false, "mh_adapter": config.attention, "non_linearity": activation,
        "original_ln_after": true, "original_ln_before": config.norm_before, "output_adapter": config.output,
        "phm_bias": true, "phm_c_init": "normal", "phm_dim": 4, "phm_init_range": 0.0001, "phm_layer": false,
        "phm_rank": 1, "reduction_factor": config.reduction, "residual_before_ln": true, "scaling": 1.0,
        "shared_W_phm": false, "shared_phm_rule": true, "stochastic_depth": 0.0, "use_gating": false,
    });
    let file = json!({
        "config": options, "hidden_size": model.hidden_size, "model_class": format!("{}Model", model.family.class()),
        "model_name": "", "model_type": model.family.model_type(), "name": name, "version": "adapters.1.3.0",
    });
    write_added(folder, CONFIG, &file, WEIGHTS, model.family.prefix(), parameters)
}
