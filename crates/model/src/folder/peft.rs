//! The folders of PEFT for low-rank adaptation: `adapter_config.json` and `adapter_model.safetensors`.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use super::added::{Options, Stored, without};
use super::write::write_added;
use crate::ModelError;
use crate::layout::Entry;
use crate::lora::{LoraConfig, Projection};

const CONFIG: &str = "adapter_config.json";
const WEIGHTS: &str = "adapter_model.safetensors";
const PREFIX: &str = "base_model.model.";

impl Stored<LoraConfig> {
    /// The values of a low-rank factor.
    pub fn take(&self, entry: &Entry) -> Result<Vec<f32>, ModelError> {
        self.take_as(entry, &entry.name)
    }
}

/// Reads low-rank factors. Which dense layers have them is read off the tensors, since the configuration's
/// `target_modules` may be a pattern.
pub(crate) fn read(folder: &Path) -> Result<Stored<LoraConfig>, ModelError> {
    let options = Options::read(folder.join(CONFIG))?;
    match options.text("peft_type")? {
        "LORA" => {}
        other => return Err(options.fault("peft_type", &format!("`{other}` is not supported; expected LORA"))),
    }
    let no = json!(false);
    for (key, known) in [
        ("alpha_pattern", &[json!({})][..]),
        ("bias", &[json!("none")]),
        ("fan_in_fan_out", std::slice::from_ref(&no)),
        ("layer_replication", &[]),
        ("lora_bias", std::slice::from_ref(&no)),
        ("lora_dropout", &[json!(0)]),
        ("modules_to_save", &[json!([])]),
        ("rank_pattern", &[json!({})]),
        ("use_dora", std::slice::from_ref(&no)),
        ("use_rslora", std::slice::from_ref(&no)),
    ] {
        options.only(key, known)?;
    }
    let rank = options.get("r").and_then(Value::as_u64).ok_or_else(|| options.fault("r", "missing, or no number"))?;
    let alpha = options.number("lora_alpha")?;
    let canonical = |name: &str| without(&without(name, &[PREFIX]), &["bert.", "roberta."]);
    let mut stored = Stored::read(
        LoraConfig { rank: rank as usize, alpha, projections: BTreeSet::new() },
        folder.join(WEIGHTS),
        canonical,
    )?;
    let names = stored.names();
    let found = |projection: &Projection| {
        names.iter().any(|name| {
            let part = name.strip_prefix("encoder.layer.").and_then(|rest| rest.split_once('.'));
            part.is_some_and(|(_, part)| part.strip_suffix(".lora_A.weight") == Some(projection.name()))
        })
    };
    stored.config.projections = Projection::ALL.into_iter().filter(found).collect();
    match stored.config.projections.is_empty() {
        true => Err(stored.fault("there are no low-rank factors of an encoder's dense layers".to_owned())),
        false => Ok(stored),
    }
}

/// Writes low-rank factors; `prefix` is the family's where the model has an output layer.
pub(crate) fn write(
    lora: &LoraConfig,
    prefix: &str,
    parameters: Vec<(&Entry, Vec<f32>)>,
    folder: &Path,
) -> Result<(), ModelError> {
    // A list names modules by the ends of their names, and one of these ends is a part of another.
    let ambiguous =
        lora.projections.contains(&Projection::Down) && !lora.projections.contains(&Projection::AttentionOutput);
    let names: Vec<&str> = lora.projections.iter().map(|projection| projection.name()).collect();
    let targets = match ambiguous {
        true => json!(format!(r".*encoder\.layer\.\d+\.({})", names.join("|").replace('.', r"\."))),
        false => json!(names),
    };
    let alpha = if lora.alpha.fract() == 0.0 { json!(lora.alpha as i64) } else { json!(lora.alpha) };
    let file = json!({
        "alpha_pattern": {}, "auto_mapping": null, "base_model_name_or_path": null, "bias": "none",
        "fan_in_fan_out": false, "inference_mode": true, "init_lora_weights": true, "lora_alpha": alpha,
        "lora_dropout": 0.0, "modules_to_save": null, "peft_type": "LORA", "r": lora.rank, "rank_pattern": {},
        "target_modules": targets, "task_type": null, "use_dora": false, "use_rslora": false,
    });
    write_added(folder, CONFIG, &file, WEIGHTS, &format!("{PREFIX}{prefix}"), parameters)
}
