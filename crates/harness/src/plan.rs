//! From a suite and filters to the cells that are to be run, before any device is opened.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use spec::{Backend, Cell, DataKey, Method, NUMERIC_VERSION, Objective, Protocol, Suite};

use crate::cli::{Filters, Folders};
use crate::{places, typology};

/// A suite made concrete: its cells with the hashes of the model and of every file they read.
#[derive(Debug)]
pub struct Plan {
    pub suite: Suite,
    pub model: PathBuf,
    pub cells: Vec<Cell>,
}

/// Narrows a suite to what the filters leave.
///
/// # Errors
/// A filter names a method that the suite does not have.
pub fn narrow(mut suite: Suite, filters: &Filters) -> Result<Suite> {
    for wanted in &filters.method {
        if !suite.methods.iter().any(|method| method.name == *wanted) {
            // A preset may be asked for although the suite does not list it.
            let preset = spec::preset(wanted.as_str()).map_err(|error| {
                let listed: Vec<&str> = suite.methods.iter().map(|method| method.name.as_str()).collect();
                anyhow::Error::new(error).context(format!("suite `{}` has {}", suite.name, listed.join(", ")))
            })?;
            suite.methods.push(preset.method(wanted.clone()));
        }
    }
    if !filters.method.is_empty() {
        suite.methods.retain(|method| filters.method.contains(&method.name));
    }
    if !filters.task.is_empty() {
        suite.protocols.retain(|protocol| protocol.task().is_some_and(|task| filters.task.contains(&task)));
    }
    if !filters.seed.is_empty() {
        suite.seeds = filters.seed.iter().flat_map(|seeds| seeds.0.clone()).collect();
        suite.seeds.sort_unstable();
        suite.seeds.dedup();
    }
    if !filters.language.is_empty() {
        suite.protocols = suite.protocols.into_iter().map(|protocol| protocol.narrowed(&filters.language)).collect();
        suite.protocols.retain(|protocol| protocol.probes().next().is_some());
    }
    Ok(suite)
}

/// Every file that a method reads on a protocol.
fn data_of(protocol: &Protocol, method: &Method) -> BTreeSet<DataKey> {
    protocol.data().into_iter().chain(method.data(protocol)).collect()
}

impl Plan {
    /// Resolves model and data, importing from `$LETHE_REAL` what is missing and can be had there.
    ///
    /// # Errors
    /// Model or data is missing, damaged, or of an unknown language; nothing has been computed then.
    pub fn new(suite: Suite, folders: &Folders, backend: Backend) -> Result<Self> {
        let (model, cells) = cells(&suite, &suite.work().collect::<Vec<_>>(), folders, backend)?;
        Ok(Self { suite, model, cells })
    }
}

/// Protocol, method and seed of a cell.
pub type Work<'a> = (&'a Protocol, &'a Method, u64);

/// The model's folder and the cells of some work on a suite's model.
///
/// # Errors
/// As [`Plan::new`].
pub fn cells(suite: &Suite, work: &[Work], folders: &Folders, backend: Backend) -> Result<(PathBuf, Vec<Cell>)> {
    model::built_in(backend)?;
    let model = places::find_model(folders, suite.model.as_str())?;
    let parts = model::added_parts(&model)?.of_update;
    if !parts.is_empty() {
        bail!(
            "model `{}` holds {} of an update, which a further one would not know what to do with: `harness predict` and \
                 `harness embed` use them; to update a model start from one without them",
            suite.model,
            parts.join(", ")
        );
    }
    let model_hash = model::content_hash(&model)?;
    let keys: BTreeSet<DataKey> = work.iter().flat_map(|(protocol, method, _)| data_of(protocol, method)).collect();
    let keys: Vec<DataKey> = keys.into_iter().collect();
    crate::prepare::import_missing(folders, &keys)?;
    let folder = places::data(&folders.data, &folders.cache)?;
    let mut hashes = BTreeMap::new();
    for key in &keys {
        let reads = || {
            let scores = work
                .iter()
                .find(|(protocol, method, _)| !protocol.data().contains(key) && method.data(protocol).contains(key));
            match scores {
                Some((_, method, _)) => {
                    format!("method `{}` scores subnetworks on `{key}` (its `discovery.split`)", method.name)
                }
                None => format!("suite `{}` reads `{key}`", suite.name),
            }
        };
        let entry = folder.entry(key).with_context(reads)?;
        if entry.rows == 0 {
            bail!("`{key}` is empty");
        }
        hashes.insert(key.to_string(), entry.hash.clone());
    }
    let mut protocols: Vec<&Protocol> = work.iter().map(|(protocol, ..)| *protocol).collect();
    protocols.dedup_by(|later, earlier| std::ptr::eq(*later, *earlier) || later == earlier);
    for probe in protocols.iter().flat_map(|protocol| protocol.probes()) {
        let (Some(adapt), Some(support)) = (&probe.adapt, probe.support()) else { continue };
        for key in support.keys() {
            let rows = folder.entry(&key)?.rows;
            if adapt.support > rows {
                bail!("[probe.{}]: `adapt` wants {} examples of `{key}`, which has {rows}", probe.name, adapt.support);
            }
        }
    }
    for protocol in protocols {
        runner::labels::check(&folder, protocol, protocol.data())?;
    }
    let language_modelling = keys.iter().any(|key| key.task.objective() == Objective::MaskedTokens);
    if language_modelling && !model::holds_language_model(&model)? {
        bail!(
            "suite `{}` reads text for masked language modelling (task mlm), but model `{}` has no language-model head \
                 (tensors `lm_head.…` or `cls.predictions.…`): leave its mlm stages, probes and memories out, or choose another model",
            suite.name,
            suite.model
        );
    }
    let layers = model::ModelConfig::read(&model.join("config.json"))?.num_hidden_layers;
    for probe in work.iter().flat_map(|(protocol, ..)| protocol.probes()) {
        if let Some(layer) = probe.layer.filter(|&layer| layer > layers) {
            bail!("[probe.{}]: `layer` is {layer}, and model `{}` has {layers}", probe.name, suite.model);
        }
    }
    let cells = work
        .iter()
        .map(|&(protocol, method, seed)| {
            let of_suite = || format!("suite `{}`", suite.name);
            method.check(protocol).with_context(of_suite)?;
            method.check_with_layers(protocol, layers).with_context(of_suite)?;
            for stage in &method.goes_through(protocol).stages {
                strategies::check_schedule(method, stage, layers).with_context(of_suite)?;
            }
            Ok(Cell {
                numeric_version: NUMERIC_VERSION,
                model: suite.model.clone(),
                model_hash: model_hash.clone(),
                method: method.clone(),
                data: data_of(protocol, method)
                    .into_iter()
                    .filter_map(|key| hashes.get_key_value(&key.to_string()))
                    .map(|(key, hash)| (key.clone(), hash.clone()))
                    .collect(),
                distances: typology::distances(folders, method, protocol, seed)?,
                protocol: protocol.clone(),
                seed,
                backend,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    Ok((model, cells))
}
