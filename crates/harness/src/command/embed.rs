//! `harness embed`: sentence vectors of a text file.

use std::path::Path;

use anyhow::{Context, Result, bail};
use data::{EncodeOptions, Tokenization};
use model::Learner;

use crate::cli::{Embed, Folders};
use crate::exit::Exit;
use crate::places;

pub fn run(folders: &Folders, options: &Embed) -> Result<Exit> {
    let format = options.output.extension().and_then(|extension| extension.to_str()).unwrap_or("");
    if !matches!(format, "npy" | "parquet") {
        bail!("`{}` must end in .npy or .parquet", options.output.display());
    }
    let model = places::find_model(folders, &options.model)?;
    let text = data::lines::read_text(&options.input)?;
    let sentences: Vec<String> = text.lines().map(str::to_owned).collect();
    if sentences.is_empty() {
        bail!("`{}` holds no sentence", options.input.display());
    }
    let tokenization = Tokenization::load(&model)?;
    let mut learner = Learner::load(&model, options.backend)?;
    let languages = learner.needs_language();
    match options.language {
        Some(language) => {
            learner.use_language(language, None).with_context(|| format!("model `{}`", model.display()))?
        }
        None if !languages.is_empty() => {
            let known = languages.iter().map(|language| language.code()).collect::<Vec<_>>().join(", ");
            bail!("in `{}` each language uses a part of its own: say which with --language ({known})", model.display())
        }
        None => {}
    }
    let longest = learner.config().max_tokens();
    let encode =
        EncodeOptions { max_length: options.max_length.min(longest), stride: 0, prefix: options.prefix.clone() };
    let encoded = tasks::encode_sentences(&sentences, &tokenization, &encode)
        .with_context(|| format!("`{}`", options.input.display()))?;
    let of_model = || format!("model `{}`", model.display());
    let mut vectors = tasks::sentence_vectors(&learner, &encoded).with_context(of_model)?;
    let width = learner.config().hidden_size;
    if options.normalise {
        vectors.chunks_exact_mut(width).for_each(normalise);
    }
    write(&options.output, format, &sentences, &vectors, width)?;
    runner::say(format_args!("{} vectors of {width} numbers in `{}`", sentences.len(), options.output.display()));
    Ok(Exit::Ok)
}

fn normalise(vector: &mut [f32]) {
    let norm = vector.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt();
    if norm > 0.0 {
        vector.iter_mut().for_each(|x| *x = (f64::from(*x) / norm) as f32);
    }
}

fn write(path: &Path, format: &str, sentences: &[String], vectors: &[f32], width: usize) -> Result<()> {
    match format {
        "npy" => data::vectors::write_npy(path, vectors, width)?,
        _ => data::vectors::write_parquet(path, sentences, vectors, width)?,
    }
    Ok(())
}
