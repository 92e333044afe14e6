use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use safetensors::SafeTensors;
use safetensors::tensor::TensorView;
use spec::{Head, Labels};

use super::description::{Description, fault, labels};
use super::{CONFIG, WEIGHTS, tensors};
use crate::layout::{Entry, Layout};
use crate::network::{Network, Parts};
use crate::objective::{self, Format, Names};
use crate::owner::{HeadUse, OwnedHead, Owner};
use crate::{Family, ModelConfig, ModelError};

/// A model folder's content on the host.
pub(crate) struct Loaded {
    pub config: ModelConfig,
    pub parts: Parts,
    pub network: Network,
    pub layout: Layout,
    /// Values of every entry of the layout, as the model wants them.
    pub values: Vec<Vec<f32>>,
    pub heads: HeadUse,
    pub description: Description,
    pub pooler: Option<Pooler>,
    /// Tensors of the file that this model has no use for.
    pub notes: Vec<String>,
}

/// BERT's pre-trained pooler: weight `[hidden, hidden]` (input first) and bias `[hidden]`.
#[derive(Debug, Clone)]
pub(crate) struct Pooler {
    pub weight: Vec<f32>,
    pub bias: Vec<f32>,
}

/// Tensors that other classes of the same family keep beside the encoder, and buffers of old versions.
const KNOWN_EXTRAS: [&str; 8] = [
    "embeddings.position_ids",
    "embeddings.token_type_ids",
    "pooler.",
    "cls.",
    "parser.",
    "lm_head.",
    "classifier.",
    "qa_outputs.",
];

/// Reads configuration and weights.
pub(crate) fn read(folder: &Path) -> Result<Loaded, ModelError> {
    let config_path = folder.join(CONFIG);
    let config = ModelConfig::read(&config_path)?;
    let path = folder.join(WEIGHTS);
    if !path.exists() {
        let others = ["model.safetensors.index.json", "pytorch_model.bin", "tf_model.h5"];
        let hint = others.iter().find(|name| folder.join(name).exists()).map_or(String::new(), |name| {
            format!("; the folder has {name}: save the model again with transformers, as one safetensors file")
        });
        return Err(ModelError::Weights { path, message: format!("no such file{hint}") });
    }
    let bytes = tensors::mapped(&path)?;
    let fail = |message: String| ModelError::Weights { path: path.clone(), message };
    let file = tensors::parse(&bytes).map_err(fail)?;
    let mut stock = Stock::new(&file, config.family).map_err(fail)?;

    let pooler = stock.pooler(&config);
    let description = Description::read(&config.raw, &config_path)?;
    let main = stock.head(&config, &config_path, &path)?.map(|head| (Owner::of(description.task), head));
    let mut parts = Parts::default();
    let (language_model, untied) = stock.language_model();
    parts.language_model = language_model;
    for (owner, head) in description.heads(&config_path)?.into_iter().chain(main.clone()) {
        objective::check_head(&head).map_err(|error| error.of_file(&config_path))?;
        if parts.heads.iter().any(|owned| owned.owner == owner) {
            return Err(fault(&config_path, format!("lethe.heads: `{owner}` stands twice")));
        }
        parts = parts.with_head(OwnedHead { owner, head });
    }
    let (network, layout) = Network::declare(&config, &parts);
    let heads = main.map(|(owner, _)| owner).or_else(|| parts.heads.first().map(|owned| owned.owner));
    let heads = heads.map(HeadUse::only).unwrap_or_default();

    let mut faults = Faults::default();
    let values =
        layout.entries.iter().map(|entry| stock.take(entry, entry.file_name(heads.main), &mut faults)).collect();
    let mut notes = stock.rest(&mut faults);
    notes.extend(untied);
    faults.check().map_err(fail)?;
    Ok(Loaded { config, parts, network, layout, values, heads, description, pooler, notes })
}

/// Whether a model folder holds a language-model head, told from the names of its tensors.
///
/// # Errors
/// [`ModelError::Config`] or [`ModelError::Weights`].
pub fn holds_language_model(folder: &Path) -> Result<bool, ModelError> {
    let config = ModelConfig::read(&folder.join(CONFIG))?;
    let path = folder.join(WEIGHTS);
    let bytes = tensors::mapped(&path)?;
    let fail = |message: String| ModelError::Weights { path: path.clone(), message };
    let file = tensors::parse(&bytes).map_err(fail)?;
    Ok(Stock::new(&file, config.family).map_err(fail)?.language_model().0)
}

/// The file's tensors by the names that the layout uses, less those already taken.
struct Stock<'a> {
    tensors: BTreeMap<String, (String, TensorView<'a>)>,
    family: Family,
}

impl<'a> Stock<'a> {
    fn new(file: &SafeTensors<'a>, family: Family) -> Result<Self, String> {
        let mut tensors = BTreeMap::new();
        for (name, view) in file.tensors() {
            let canonical = canonical(&name);
            if let Some((other, _)) = tensors.insert(canonical, (name.clone(), view)) {
                return Err(format!("tensors `{other}` and `{name}` stand for the same parameter"));
            }
        }
        Ok(Self { tensors, family })
    }

    /// The head that `architectures` names, with as many labels as its tensor shows.
    fn head(&self, config: &ModelConfig, config_path: &Path, path: &Path) -> Result<Option<Head>, ModelError> {
        let class = config.raw.get("architectures").and_then(|list| list.get(0)).and_then(|name| name.as_str());
        let Some((class, format)) = class.and_then(|class| Some((class, Format::named(class)?))) else {
            return Ok(None);
        };
        let fail = |message: String| ModelError::Weights { path: path.to_owned(), message };
        let tensor = format.tensor(self.family);
        let shape = self.tensors.get(tensor).map(|(_, view)| view.shape());
        let shape =
            shape.ok_or_else(|| fail(format!("config.json says {class}, but there is no tensor `{tensor}`")))?;
        let count = format.labels(shape);
        let count =
            count.ok_or_else(|| fail(format!("tensor `{tensor}`: {shape:?} is the shape of no head's labels")))?;
        let labels = match format.is_named() {
            true => labels(&config.raw, count, config_path)?,
            false => Labels::default(),
        };
        format.head(labels, &config.raw).map(Some).map_err(|message| fault(config_path, message))
    }

    /// Whether the file has an output layer of masked language modelling that this crate can apply. The decoder's names
    /// for what is shared are taken out.
    fn language_model(&mut self) -> (bool, Option<String>) {
        let names = Names::of(self.family);
        if !self.tensors.contains_key(&format!("{}.weight", names.dense)) {
            return (false, None);
        }
        if let Some(bias) = self.tensors.remove(names.decoder_bias) {
            self.tensors.entry(names.bias.to_owned()).or_insert(bias);
        }
        match self.tensors.get(names.decoder_weight).zip(self.tensors.get("embeddings.word_embeddings.weight")) {
            Some(((name, decoder), (_, words))) if decoder.data() != words.data() => {
                let note = format!(
                    "the language-model head is not used: its `{name}` is not the table of word embeddings, and only \
                     heads that share it are implemented"
                );
                (false, Some(note))
            }
            _ => {
                self.tensors.remove(names.decoder_weight);
                (true, None)
            }
        }
    }

    fn pooler(&self, config: &ModelConfig) -> Option<Pooler> {
        let size = config.hidden_size;
        let values = |name: &str, shape: &[usize]| {
            let (_, view) = self.tensors.get(name).filter(|(_, view)| view.shape() == shape)?;
            tensors::values(view).filter(|values| values.iter().all(|value| value.is_finite()))
        };
        let weight = values("pooler.dense.weight", &[size, size])?;
        let bias = values("pooler.dense.bias", &[size])?;
        Some(Pooler { weight: tensors::transposed(&weight, size, size), bias })
    }

    /// The values of one parameter, which the file calls `name`; what is wrong with them goes to `faults`.
    fn take(&mut self, entry: &Entry, name: String, faults: &mut Faults) -> Vec<f32> {
        let Some((name, view)) = self.tensors.remove(&name) else {
            faults.missing.push((name, entry.file_shape.clone()));
            return Vec::new();
        };
        if view.shape() != entry.file_shape {
            faults.misshapen.push(format!("`{name}`: expected {:?}, found {:?}", entry.file_shape, view.shape()));
            return Vec::new();
        }
        let Some(values) = tensors::values(&view) else {
            faults.foreign.push(format!("`{name}`: {:?}", view.dtype()));
            return Vec::new();
        };
        let bad = values.iter().filter(|value| !value.is_finite()).count();
        if bad > 0 {
            faults.not_finite.push(format!("`{name}`: {bad} of {} values", values.len()));
        }
        match (entry.transposed, entry.file_shape.as_slice()) {
            (true, &[rows, columns]) => tensors::transposed(&values, rows, columns),
            _ => values,
        }
    }

    /// What was not taken: known extras become notes, others faults.
    fn rest(self, faults: &mut Faults) -> Vec<String> {
        let mut notes = Vec::new();
        for (canonical, (name, view)) in self.tensors {
            if KNOWN_EXTRAS.iter().any(|known| canonical.starts_with(known)) {
                notes.push(format!("`{name}` {:?} is not used", view.shape()));
            } else {
                faults.unexpected.push((canonical, format!("`{name}` {:?}", view.shape())));
            }
        }
        notes
    }
}

/// The file's name without the family's prefix, in today's spelling of LayerNorm's parameters.
fn canonical(name: &str) -> String {
    let name = ["bert.", "roberta."].iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name);
    match name.rsplit_once('.') {
        Some((stem, "gamma")) if stem.ends_with("LayerNorm") => format!("{stem}.weight"),
        Some((stem, "beta")) if stem.ends_with("LayerNorm") => format!("{stem}.bias"),
        _ => name.to_owned(),
    }
}

/// Tensors of a kind that a message lists.
const MOST_LISTED: usize = 50;
/// Unexpected tensors among which those like a missing one are sought.
const MOST_LIKENED: usize = 1000;

/// Everything that is wrong with a file's tensors, so that one message can list it.
#[derive(Default)]
struct Faults {
    missing: Vec<(String, Vec<usize>)>,
    misshapen: Vec<String>,
    foreign: Vec<String>,
    not_finite: Vec<String>,
    /// With the bare name, so that a missing tensor can point at it.
    unexpected: Vec<(String, String)>,
}

impl Faults {
    fn check(self) -> Result<(), String> {
        let mut message = String::new();
        let hint = |missing: &str| {
            let likeness = |(bare, text): &(String, String)| {
                Some((strsim::normalized_levenshtein(bare, missing), text.clone())).filter(|(near, _)| *near > 0.8)
            };
            let nearest = self.unexpected.iter().filter_map(likeness).max_by(|a, b| a.0.total_cmp(&b.0));
            nearest.map_or(String::new(), |(_, text)| format!(" (nearest in the file: {text})"))
        };
        // Every hint looks at all that is unexpected, which is as much as the file likes.
        let hinted = |(index, (name, shape)): (usize, &(String, Vec<usize>))| {
            let near =
                if index < MOST_LISTED && self.unexpected.len() < MOST_LIKENED { hint(name) } else { String::new() };
            format!("`{name}` {shape:?}{near}")
        };
        let missing: Vec<String> = self.missing.iter().enumerate().map(hinted).collect();
        let unexpected = self.unexpected.iter().map(|(_, text)| text.clone()).collect();
        for (title, list) in [
            ("missing", missing),
            ("of another shape than config.json says", self.misshapen),
            ("of a type other than F32, F16 and BF16", self.foreign),
            ("with NaN or infinite values", self.not_finite),
            ("that no encoder of this kind has", unexpected),
        ] {
            if !list.is_empty() {
                let more = list.len().saturating_sub(MOST_LISTED);
                let listed = list[..list.len() - more].join("\n    ");
                let more = if more > 0 { format!("\n    and {more} more") } else { String::new() };
                let _ = write!(message, "\n  {} {title}:\n    {listed}{more}", count(list.len()));
            }
        }
        match message.is_empty() {
            true => Ok(()),
            false => Err(format!("the tensors are not those that config.json describes{message}")),
        }
    }
}

fn count(tensors: usize) -> String {
    match tensors {
        1 => "1 tensor".to_owned(),
        _ => format!("{tensors} tensors"),
    }
}
