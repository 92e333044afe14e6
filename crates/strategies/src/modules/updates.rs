//! LAFT-style updates at work: the modules of [`crate::laft`] as adapters of a learner.

use std::collections::BTreeMap;

use model::{AdapterStack, Group, Learner, StackResidual, Tuned};
use spec::{Adapter, Laft, Language, LanguageDistances, Protocol, Stage};

use crate::StrategyError;
use crate::laft::{LaftError, Module, Strengths, strengths, trained, trained_by};
use crate::outputs::output;
use crate::structures::bottleneck;

#[derive(Debug)]
pub(super) struct Updates<'a> {
    laft: &'a Laft,
    shape: &'a Adapter,
    stages: &'a [Stage],
    seed: u64,
    /// Of each stage after the first.
    strengths: Vec<Strengths>,
}

impl<'a> Updates<'a> {
    pub fn new(
        laft: &'a Laft,
        shape: &'a Adapter,
        protocol: &'a Protocol,
        distances: &LanguageDistances,
        seed: u64,
    ) -> Result<Self, LaftError> {
        let languages: Vec<Language> = protocol.languages().into_iter().collect();
        let between = |a: Language, b: Language| distances.between(a, b);
        let updates = protocol.stages.iter().enumerate().skip(1);
        let found = updates.map(|(index, stage)| strengths(laft, index, &languages, &stage.languages, &between, seed));
        Ok(Self { laft, shape, stages: &protocol.stages, seed, strengths: found.collect::<Result<_, _>>()? })
    }

    /// The modules of a stage.
    fn modules(&self, stage: usize) -> Vec<Module> {
        self.stages.get(stage).map(|of| trained(self.laft, stage, &of.languages).modules).unwrap_or_default()
    }

    /// Modules of the stages up to this one.
    fn all(&self, stage: usize) -> Vec<Module> {
        (0..=stage).flat_map(|stage| self.modules(stage)).collect()
    }

    pub fn begin(&self, learner: &mut Learner, stage: usize) -> Result<Vec<Group>, StrategyError> {
        for module in self.all(stage) {
            let name = module.adapter();
            if !learner.adapters().contains(&name.as_str()) {
                learner.add_adapter(&name, bottleneck(self.shape), self.seed)?;
            }
        }
        let names = |modules: Vec<Module>| modules.into_iter().map(|module| module.adapter());
        learner.set_tuned(Tuned::All);
        learner.activate(AdapterStack {
            adapters: names(self.all(stage)).collect(),
            trained: names(self.modules(stage)).collect(),
            residual: StackResidual::Parallel,
            ..AdapterStack::default()
        })?;
        let Some(Stage { task, languages, .. }) = self.stages.get(stage) else { return Ok(Vec::new()) };
        let trained = trained(self.laft, stage, languages);
        let trains = |group: &Group| match group {
            Group::Embeddings | Group::Layer(_) => trained.encoder,
            Group::Adapter(_) | Group::Invertible => !trained.modules.is_empty(),
            Group::Head | Group::LanguageModel => trained.head && *group == output(*task),
        };
        Ok(learner.groups().into_iter().filter(trains).collect())
    }

    /// Strengths of all modules up to a stage (from 0), in a language after it.
    pub fn after(&self, stage: usize, language: Language) -> BTreeMap<String, f64> {
        let mut found: BTreeMap<String, f64> = self.all(stage).iter().map(|module| (module.adapter(), 0.0)).collect();
        // A module of the first stage belongs to all.
        found.extend(self.modules(0).iter().map(|module| (module.adapter(), 1.0)));
        let used = self.strengths.iter().take(stage).filter_map(|strengths| strengths.languages.get(&language));
        found.extend(used.flatten().map(|(module, strength)| (module.adapter(), *strength)));
        found
    }

    /// The same while the stage is trained: earlier modules as after their stage, its own one fully.
    pub fn in_training(&self, stage: usize, language: Language) -> BTreeMap<String, f64> {
        let mut found = stage.checked_sub(1).map(|earlier| self.after(earlier, language)).unwrap_or_default();
        found.extend(self.modules(stage).iter().map(|module| (module.adapter(), 0.0)));
        found.extend(trained_by(self.laft, stage, language).map(|module| (module.adapter(), 1.0)));
        found
    }

    /// The kernel's width, and the strength of each of the stage's modules in every language.
    pub fn events(&self, stage: usize) -> Vec<(String, f64)> {
        let Some(strengths) = stage.checked_sub(1).and_then(|index| self.strengths.get(index)) else {
            return Vec::new();
        };
        let modules = self.modules(stage);
        let of_language = |(language, used): (&Language, &Vec<(Module, f64)>)| {
            let strength = |module: &Module| used.iter().find(|(known, _)| known == module).map_or(0.0, |(_, s)| *s);
            let name = |module: &Module| match module.language {
                None => format!("strength.{language}"),
                Some(updated) => format!("strength.{language}.{updated}"),
            };
            modules.iter().map(|module| (name(module), strength(module))).collect::<Vec<_>>()
        };
        let tau = strengths.tau.map(|tau| ("tau".to_owned(), tau));
        tau.into_iter().chain(strengths.languages.iter().flat_map(of_language)).collect()
    }
}
