//! Where models, data, results and caches are.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use data::DataFolder;

use crate::built_in::BuiltIn;
use crate::cli::Folders;

/// Folder of real public data and models for building and testing against, if the environment names one.
pub fn real() -> Option<PathBuf> {
    std::env::var_os("LETHE_REAL").filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// Data sets that were imported, and behind them the built-in one.
pub fn data(data: &Path, cache: &Path) -> Result<DataFolder> {
    Ok(DataFolder::open(data).with_built_in(&BuiltIn::unpacked(cache)?.data, BuiltIn::restore))
}

/// Folders in which models are looked for by name, in order.
pub fn model_roots(folders: &Folders) -> Result<Vec<PathBuf>> {
    let real = real().map(|real| real.join("models"));
    Ok([folders.models.clone()].into_iter().chain(real).chain([BuiltIn::unpacked(&folders.cache)?.models]).collect())
}

/// A model folder from a path or a name.
pub fn find_model(folders: &Folders, model: &str) -> Result<PathBuf> {
    let as_path = Path::new(model);
    if as_path.join("config.json").is_file() {
        return Ok(as_path.to_owned());
    }
    let name = spec::Name::new(model).context("the model is neither a folder with a config.json nor a model's name")?;
    let roots = model_roots(folders)?;
    if let Some(found) =
        roots.iter().map(|root| root.join(name.as_str())).find(|path| path.join("config.json").is_file())
    {
        return Ok(found);
    }
    let searched: Vec<String> = roots.iter().map(|root| format!("`{}`", root.display())).collect();
    let known: Vec<String> = models(folders)?.into_iter().map(|(name, _)| name).collect();
    let near = spec::nearest(model, known.iter().map(String::as_str))
        .map(|near| format!("; did you mean `{near}`?"))
        .unwrap_or_default();
    bail!(
        "no model `{model}` in {}{near}\nhint: put its folder (config.json, model.safetensors, tokenizer.json) there, or name a folder with --models",
        searched.join(" or ")
    )
}

/// Refuses paths of which a cell's process cannot be told: its job is text.
pub fn check_text(folders: &Folders, others: &[&Path]) -> Result<()> {
    let own = [&folders.data, &folders.results, &folders.cache].map(PathBuf::as_path);
    match own.iter().chain(others).find(|path| path.to_str().is_none()) {
        Some(path) => bail!("the path `{}` is not UTF-8, which cells' processes need: rename it", path.display()),
        None => Ok(()),
    }
}

/// Every model folder that can be named, by name.
pub fn models(folders: &Folders) -> Result<Vec<(String, PathBuf)>> {
    let mut found: Vec<(String, PathBuf)> = model_roots(folders)?
        .iter()
        .filter_map(|root| std::fs::read_dir(root).ok())
        .flat_map(|entries| entries.flatten())
        .map(|entry| entry.path())
        .filter(|path| path.join("config.json").is_file())
        .filter_map(|path| Some((path.file_name()?.to_str()?.to_owned(), path)))
        .collect();
    found.sort();
    found.dedup_by(|later, earlier| later.0 == earlier.0);
    Ok(found)
}
