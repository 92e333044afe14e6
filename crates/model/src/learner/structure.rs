use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use burn::tensor::{Tensor, TensorData};
use spec::Batch;

use super::Learner;
use crate::adapter::{self, Named};
use crate::device::{compute, guard, to_device, to_host};
use crate::encoder::Dropout;
use crate::folder;
use crate::layout::Entry;
use crate::network::Parts;
use crate::objective::{Pass, States};
use crate::weights::Weights;
use crate::{AdapterConfig, AdapterStack, HeadMask, LoraConfig, ModelError, Tuned, batch, lora};

impl Learner {
    /// Adds an adapter, drawn from (seed, parameter); it takes part once [`Learner::activate`] says so.
    ///
    /// # Errors
    /// [`ModelError::State`] if the name is taken or none, or the configuration does not fit the encoder.
    pub fn add_adapter(&mut self, name: &str, config: AdapterConfig, seed: u64) -> Result<(), ModelError> {
        let init = config.init;
        self.insert_adapter(name, config, |entry| Ok(adapter::fresh(entry, init, seed)))
    }

    fn insert_adapter(
        &mut self,
        name: &str,
        config: AdapterConfig,
        value: impl Fn(&Entry) -> Result<Vec<f32>, ModelError>,
    ) -> Result<(), ModelError> {
        adapter::check_name(name)?;
        config.check(&self.config)?;
        if self.adapters().contains(&name) {
            return Err(ModelError::state(format!("the model has an adapter `{name}` already")));
        }
        let mut parts = self.state.parts.clone();
        parts.adapters.push(Named { name: name.to_owned(), config });
        self.rebuild(parts, value)
    }

    fn rebuild(
        &mut self,
        parts: Parts,
        value: impl Fn(&Entry) -> Result<Vec<f32>, ModelError>,
    ) -> Result<(), ModelError> {
        let device = &self.device;
        guard(|| {
            let fresh = |entry: &Entry| Ok(to_device(value(entry)?, device));
            self.state.rebuild(&self.config, parts, |_| true, fresh)
        })
    }

    /// Names of the model's adapters.
    pub fn adapters(&self) -> Vec<&str> {
        self.state.parts.adapters.iter().map(|named| named.name.as_str()).collect()
    }

    /// Lets exactly these adapters take part, and of them train those that the stack names.
    ///
    /// # Errors
    /// [`ModelError::State`] if the model does not have one of them, one is named twice, one trains that is not in the
    /// stack, or a strength is not finite or of an adapter that is not in it.
    pub fn activate(&mut self, stack: AdapterStack) -> Result<(), ModelError> {
        let known = self.adapters();
        if let Some(name) = stack.adapters.iter().find(|name| !known.contains(&name.as_str())) {
            return Err(ModelError::state(format!("the model has no adapter `{name}`; it has {known:?}")));
        }
        let active: BTreeSet<&String> = stack.adapters.iter().collect();
        if active.len() < stack.adapters.len() {
            return Err(ModelError::state("an adapter cannot be in a stack twice"));
        }
        if let Some(name) = stack.trained.iter().find(|name| !active.contains(name)) {
            return Err(ModelError::state(format!("adapter `{name}` cannot train: it is not in the stack")));
        }
        check_strengths(&stack)?;
        self.state.setup.stack = stack;
        Ok(())
    }

    /// Replaces the strengths of the stack's adapters. What trains stays the same, so that gradients at different strengths
    /// can be combined.
    ///
    /// # Errors
    /// As [`Learner::activate`]; the strengths are as before then.
    pub fn set_strengths(&mut self, strengths: BTreeMap<String, f64>) -> Result<(), ModelError> {
        let stack = AdapterStack { strengths, ..self.state.setup.stack.clone() };
        check_strengths(&stack)?;
        self.state.setup.stack = stack;
        Ok(())
    }

    pub(super) fn check_strengths(&self, strengths: &BTreeMap<String, f64>) -> Result<(), ModelError> {
        check_strengths(&AdapterStack { strengths: strengths.clone(), ..self.state.setup.stack.clone() })
    }

    /// Adds low-rank factors to dense layers; as fresh they change nothing. They train unless their groups are frozen.
    ///
    /// # Errors
    /// [`ModelError::State`] if there are some already, or the configuration does not fit the encoder.
    pub fn add_lora(&mut self, config: LoraConfig, seed: u64) -> Result<(), ModelError> {
        self.insert_lora(config, |entry| Ok(lora::fresh(entry, seed)))
    }

    fn insert_lora(
        &mut self,
        config: LoraConfig,
        value: impl Fn(&Entry) -> Result<Vec<f32>, ModelError>,
    ) -> Result<(), ModelError> {
        config.check(&self.config)?;
        if self.state.parts.lora.is_some() {
            return Err(ModelError::state("the model has low-rank factors already"));
        }
        self.rebuild(Parts { lora: Some(config), ..self.state.parts.clone() }, value)
    }

    /// The low-rank factors' configuration, if the model has some.
    pub fn lora(&self) -> Option<&LoraConfig> {
        self.state.parts.lora.as_ref()
    }

    fn need_lora(&self) -> Result<&LoraConfig, ModelError> {
        self.lora().ok_or_else(|| ModelError::state("the model has no low-rank factors"))
    }

    /// Which parameters of embeddings and layers train where these are not frozen.
    pub fn set_tuned(&mut self, tuned: Tuned) {
        self.state.setup.tuned = tuned;
    }

    /// Multiplies each head's attention probabilities in every pass from now on; `None` stands for ones.
    ///
    /// # Errors
    /// [`ModelError::State`] if the mask has other layers or heads.
    pub fn set_head_mask(&mut self, mask: Option<HeadMask>) -> Result<(), ModelError> {
        mask.as_ref().map_or(Ok(()), |mask| mask.check(&self.config))?;
        self.state.setup.head_mask = mask;
        Ok(())
    }

    /// Keeps steps from moving the own parameters of heads with a factor of 0 (query, key, value and their slice of the
    /// output projection) and their optimiser state: momentum and weight decay move them otherwise.
    ///
    /// # Errors
    /// As [`Learner::set_head_mask`].
    pub fn set_update_mask(&mut self, mask: Option<HeadMask>) -> Result<(), ModelError> {
        mask.as_ref().map_or(Ok(()), |mask| mask.check(&self.config))?;
        self.state.setup.update_mask = mask;
        Ok(())
    }

    /// `∂ loss / ∂ mask` of each head at the present head mask, `[layers, heads]` row-major, without dropout. Its absolute
    /// value is the head's importance (Michel et al. 2019, equation 2, here for a batch).
    ///
    /// # Errors
    /// As [`Learner::loss_and_gradients`], but nothing needs to be open.
    pub fn head_gradients(&self, batch: &Batch) -> Result<Vec<f64>, ModelError> {
        batch::check(batch, &self.config)?;
        let state = &self.state;
        let objective = state.objective(batch)?;
        objective.check(batch)?;
        let heads = self.config.num_attention_heads;
        compute(&self.device, || {
            let masks = self.head_masks().unwrap_or_else(|| {
                (0..self.config.num_hidden_layers).map(|_| Tensor::ones([heads], &self.device)).collect()
            });
            let masks: Vec<Tensor<1>> = masks.into_iter().map(|mask| mask.autodiff().require_grad()).collect();
            let weights = Weights::inference(&state.layout, &state.values).with_head_masks(Some(masks.clone()));
            let (input, active) = (state.network.encoder.input(batch, &self.device), state.active());
            let dropout = Dropout::NONE;
            // The masks are leaves below every layer: nothing of the encoder is frozen here.
            let all = state.network.encoder.states(&input, &active, dropout, &weights);
            let states = States { last: all[all.len() - 1].clone(), all };
            let pass = Pass { batch, input: &input, active: &active, dropout, weights: &weights };
            let loss = objective.loss(states, &pass)?;
            let mut found = loss.backward();
            let mut gradients = Vec::with_capacity(masks.len() * heads);
            for mask in masks {
                let gradient = mask.grad_remove(&mut found).unwrap_or_else(|| Tensor::zeros([heads], &self.device));
                gradients.extend(to_host(gradient)?.into_iter().map(f64::from));
            }
            match gradients.iter().all(|gradient| gradient.is_finite()) {
                true => Ok(gradients),
                false => Err(ModelError::NonFinite { what: "gradient of a head mask".to_owned() }),
            }
        })
    }

    /// The present head mask on the device, by layer.
    pub(super) fn head_masks(&self) -> Option<Vec<Tensor<1>>> {
        let mask = self.state.setup.head_mask.as_ref()?;
        let layer = |layer: usize| {
            let values = mask.layer(layer);
            Tensor::from_data(TensorData::new(values.to_vec(), [values.len()]), &self.device)
        };
        Some((0..mask.layers()).map(layer).collect())
    }

    /// Writes an adapter as AdapterHub's library does (`adapter_config.json`, `adapter.safetensors`).
    ///
    /// # Errors
    /// [`ModelError::State`] if there is no such adapter, [`ModelError::Io`], [`ModelError::Weights`], or the device's.
    pub fn save_adapter(&self, name: &str, folder: &Path) -> Result<(), ModelError> {
        let named = self.state.parts.adapters.iter().find(|named| named.name == name);
        let named = named.ok_or_else(|| ModelError::state(format!("the model has no adapter `{name}`")))?;
        let parameters = self.values_of(|entry| entry.adapter.as_deref() == Some(name))?;
        folder::adapter_hub::write(named, &self.config, parameters, folder)
    }

    /// Reads an adapter that AdapterHub's library or [`Learner::save_adapter`] wrote, and adds it under this name or its
    /// own, which is returned.
    ///
    /// # Errors
    /// As [`Learner::add_adapter`]; [`ModelError::Config`] with the option that is not supported, [`ModelError::Weights`]
    /// if the tensors are not those that the configuration describes, [`ModelError::Io`].
    pub fn load_adapter(&mut self, folder: &Path, name: Option<&str>) -> Result<String, ModelError> {
        let stored = folder::adapter_hub::read(folder, &self.config)?;
        let name = name.unwrap_or(&stored.name).to_owned();
        let before = self.save_point();
        let inserted = self.insert_adapter(&name, stored.config.clone(), |entry| stored.take(entry, &name));
        let loaded = inserted.and_then(|()| stored.check_all_taken());
        match loaded.is_err() {
            true => self.restore(&before),
            false => self.has_learnt(|entry| entry.adapter.as_ref() == Some(&name)),
        }
        loaded.map(|()| name).map_err(|error| error.of_file(folder))
    }

    /// Writes the low-rank factors as PEFT does (`adapter_config.json`, `adapter_model.safetensors`).
    ///
    /// # Errors
    /// [`ModelError::State`] if there are none, [`ModelError::Io`], [`ModelError::Weights`], or the device's.
    pub fn save_lora(&self, folder: &Path) -> Result<(), ModelError> {
        let lora = self.need_lora()?;
        let parameters = self.values_of(|entry| entry.name.contains(".lora_"))?;
        let prefix = if self.state.parts.has_output() { self.config.family.prefix() } else { "" };
        folder::peft::write(lora, prefix, parameters, folder)
    }

    /// Reads low-rank factors that PEFT or [`Learner::save_lora`] wrote.
    ///
    /// # Errors
    /// As [`Learner::add_lora`]; [`ModelError::Config`] with the option that is not supported, [`ModelError::Weights`] if
    /// the tensors are not low-rank factors of this encoder, [`ModelError::Io`].
    pub fn load_lora(&mut self, folder: &Path) -> Result<(), ModelError> {
        let stored = folder::peft::read(folder)?;
        let before = self.save_point();
        let inserted = self.insert_lora(stored.config.clone(), |entry| stored.take(entry));
        let loaded = inserted.and_then(|()| stored.check_all_taken());
        match loaded.is_err() {
            true => self.restore(&before),
            false => self.has_learnt(|entry| entry.name.contains(".lora_")),
        }
        loaded.map_err(|error| error.of_file(folder))
    }

    /// What has been read from files is not new.
    fn has_learnt(&mut self, these: impl Fn(&Entry) -> bool) {
        for (new, entry) in self.state.new.iter_mut().zip(&self.state.layout.entries) {
            *new &= !these(entry);
        }
    }

    pub(super) fn values_of(&self, wanted: impl Fn(&Entry) -> bool) -> Result<Vec<(&Entry, Vec<f32>)>, ModelError> {
        let parameters = self.state.layout.entries.iter().zip(&self.state.values).filter(|(entry, _)| wanted(entry));
        parameters.map(|(entry, value)| Ok((entry, to_host(value.clone())?))).collect()
    }
}

fn check_strengths(stack: &AdapterStack) -> Result<(), ModelError> {
    let wrong = |(name, strength): &(&String, &f64)| !stack.adapters.contains(name) || !strength.is_finite();
    match stack.strengths.iter().find(wrong) {
        Some((name, strength)) => Err(ModelError::state(format!(
            "adapter `{name}` cannot have strength {strength}: it must be in the stack, and the strength a finite number"
        ))),
        None => Ok(()),
    }
}
