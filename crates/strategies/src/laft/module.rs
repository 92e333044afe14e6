use std::fmt;

use serde::{Serialize, Serializer};
use spec::{FirstStage, Laft, Language, Sharing, UpdateStage};

/// A trained adapter or LoRA, by where it comes from: `stage-2`, or `stage-2.de` if each language has its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Module {
    /// From 0.
    pub stage: usize,
    pub language: Option<Language>,
}

impl Module {
    /// What the learner calls the adapter.
    pub fn adapter(&self) -> String {
        self.to_string().replace('.', "-")
    }
}

impl fmt::Display for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.language {
            None => f.pad(&format!("stage-{}", self.stage + 1)),
            Some(language) => f.pad(&format!("stage-{}.{language}", self.stage + 1)),
        }
    }
}

impl Serialize for Module {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What a stage trains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trained {
    pub encoder: bool,
    pub head: bool,
    /// Fresh at the start of the stage.
    pub modules: Vec<Module>,
}

/// What a stage (from 0) over these languages trains.
pub fn trained(laft: &Laft, stage: usize, languages: &[Language]) -> Trained {
    let shared = Module { stage, language: None };
    if stage == 0 {
        return match laft.stage1 {
            FirstStage::Full => Trained { encoder: true, head: true, modules: Vec::new() },
            FirstStage::Adapter => Trained { encoder: false, head: true, modules: vec![shared] },
        };
    }
    let modules = match laft.kind {
        Sharing::Mixture => languages.iter().map(|&language| Module { stage, language: Some(language) }).collect(),
        Sharing::All | Sharing::UpdatedOnly | Sharing::Scaled | Sharing::Shuffled => vec![shared],
    };
    Trained {
        encoder: laft.stage2 == UpdateStage::Full,
        head: matches!(laft.stage2, UpdateStage::ModuleAndHead | UpdateStage::Full),
        modules,
    }
}

/// The module that a language's batches of a stage train, at strength 1; what came of earlier stages is used as at
/// inference.
pub fn trained_by(laft: &Laft, stage: usize, language: Language) -> Option<Module> {
    trained(laft, stage, &[language]).modules.first().copied()
}
