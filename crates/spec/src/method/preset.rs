use super::{
    AGem, Adapter, AdapterPlacement, Anchor, CaGrad, ChainThaw, Ewc, Fomaml, Fun, Gem, GradVac, GradientRule, ImtlG,
    L2Sp, Laft, LfMlf, Lora, MadX, MaskKind, Memories, Method, Mgda, Mixout, Multitask, NashMtl, OuterLoop, PcGrad,
    RecAdam, Reptile, Schedule, Sgs, Sharing, Structure, Subnetworks, Ulmfit, Unfreezing, UnfreezingVariant,
};
use crate::{Name, SpecError};

/// A named method: a row of a paper's method list, or a control.
#[derive(Debug, Clone, Copy)]
pub struct Preset {
    pub name: &'static str,
    pub summary: &'static str,
    /// Where the method comes from.
    pub source: &'static str,
    /// `exact` where the defaults are the source's equations; `style` where they differ, or where only an abstract is
    /// confirmed.
    pub fidelity: &'static str,
    /// What a suite may change, with the default.
    pub knobs: &'static str,
    /// The composition, changed from plain fine-tuning.
    build: fn(Method) -> Method,
}

const PRESETS: &[Preset] = &[
    Preset {
        name: "ft",
        summary: "plain fine-tuning: every parameter follows the mean gradient",
        source: "Devlin et al. 2019 (BERT), section 4",
        fidelity: "exact",
        knobs: "none",
        build: |method| method,
    },
    Preset {
        name: "frozen",
        summary: "embeddings and lower layers frozen, the rest fine-tuned",
        source: "control; for multilingual transfer Wu and Dredze 2019 (Beto, Bentz, Becas), section 5",
        fidelity: "exact",
        knobs: "structure.layers (two thirds of the encoder's layers)",
        build: |method| Method { structure: Structure::FrozenLower { layers: None }, ..method },
    },
    Preset {
        name: "multitask",
        summary: "joint training on the task and on the stage's memories",
        source: "control for GEM",
        fidelity: "exact",
        knobs: "rule.memory (all)",
        build: |method| Method { rule: GradientRule::Multitask(Multitask::default()), ..method },
    },
    Preset {
        name: "gem",
        summary: "the nearest gradient that raises the loss of no memory",
        source: "Lopez-Paz and Ranzato 2017 (GEM); for multilingual models Liu et al. 2021 by abstract",
        fidelity: "style",
        knobs: "rule.margin (0), rule.ridge (1e-3), rule.memory (all)",
        build: |method| Method { rule: GradientRule::Gem(Gem::default()), ..method },
    },
    Preset {
        name: "gem-mlm",
        summary: "GEM with the memory called `mlm` alone",
        source: "reconstruction of Liu et al. 2021, arXiv 2004.14218",
        fidelity: "style",
        knobs: "rule.margin (0), rule.ridge (1e-3)",
        build: |method| gem_with("mlm", method),
    },
    Preset {
        name: "gem-retrieval",
        summary: "GEM with the memory called `retrieval` alone",
        source: "reconstruction of Liu et al. 2021, arXiv 2004.14218",
        fidelity: "style",
        knobs: "rule.margin (0), rule.ridge (1e-3)",
        build: |method| gem_with("retrieval", method),
    },
    Preset {
        name: "a-gem",
        summary: "GEM with one constraint, on the loss of all memories together",
        source: "Chaudhry et al. 2019, arXiv 1812.00420",
        fidelity: "exact",
        knobs: "rule.reference (union), rule.memory (all)",
        build: |method| Method { rule: GradientRule::AGem(AGem::default()), ..method },
    },
    Preset {
        name: "pcgrad",
        summary: "each language's gradient loses what conflicts with the others",
        source: "Yu et al. 2020, arXiv 2001.06782; the mean in the place of its sum",
        fidelity: "style",
        knobs: "rule.visit (random), rule.reduction (mean; the paper sums), rule.memory (none)",
        build: |method| Method { rule: GradientRule::PcGrad(PcGrad::default()), ..method },
    },
    Preset {
        name: "gradvac",
        summary: "gradients are turned towards a running target of their cosines",
        source: "Wang et al. 2021, arXiv 2010.05874, from third-party code",
        fidelity: "style",
        knobs: "rule.beta (0.5), rule.initial-target (0), rule.fixed-target (none), rule.order, rule.visit, rule.reduction, rule.memory",
        build: |method| Method { rule: GradientRule::GradVac(GradVac::default()), ..method },
    },
    Preset {
        name: "mgda",
        summary: "the shortest convex combination of the languages' gradients",
        source: "Desideri 2012; Sener and Koltun 2018",
        fidelity: "exact",
        knobs: "rule.gradient-normalise (none), rule.memory (none)",
        build: |method| Method { rule: GradientRule::Mgda(Mgda::default()), ..method },
    },
    Preset {
        name: "cagrad",
        summary: "near the mean gradient, the direction that helps the worst-off language most",
        source: "Liu et al. 2021 (CAGrad)",
        fidelity: "exact",
        knobs: "rule.c (0.5), rule.rescale (one-plus-c2), rule.memory (none)",
        build: |method| Method { rule: GradientRule::CaGrad(CaGrad::default()), ..method },
    },
    Preset {
        name: "nash-mtl",
        summary: "the Nash bargaining solution between the languages",
        source: "Navon et al. 2022",
        fidelity: "exact",
        knobs: "rule.max-norm (1), rule.update-every (1), rule.memory (none)",
        build: |method| Method { rule: GradientRule::NashMtl(NashMtl::default()), ..method },
    },
    Preset {
        name: "imtl-g",
        summary: "the combination whose projections on all the languages' gradients are equal",
        source: "Liu et al. 2021 (IMTL), ICLR, the closed form of IMTL-G",
        fidelity: "exact",
        knobs: "rule.memory (none)",
        build: |method| Method { rule: GradientRule::ImtlG(ImtlG::default()), ..method },
    },
    Preset {
        name: "sgs",
        summary: "the mean gradient loses what conflicts with one random language",
        source: "arXiv 2204.13869 (Findings of NAACL 2022)",
        fidelity: "exact",
        knobs: "rule.memory (none)",
        build: |method| Method { rule: GradientRule::Sgs(Sgs::default()), ..method },
    },
    Preset {
        name: "lf-mlf",
        summary: "as little forgetting as possible while every language's loss falls",
        source: "reconstruction of Mao et al. 2022, by abstract",
        fidelity: "style",
        knobs: "rule.form (simplex), rule.forgetting (l2), rule.mu (1), rule.h-rescale, rule.kappa (0.5), rule.rho (1), rule.gradient-normalise (none), rule.memory (all)",
        build: |method| Method { rule: GradientRule::LfMlf(LfMlf::default()), ..method },
    },
    Preset {
        name: "gu",
        summary: "gradual unfreezing: the head and the top layer first, then one more layer from the top every interval",
        source: "Liu et al. 2024, arXiv 2301.05487, Algorithm 1 (there over adapters)",
        fidelity: "exact",
        knobs: "schedule.interval (all open at half of the steps), schedule.variant (paper)",
        build: |method| Method { schedule: Schedule::Gu(Unfreezing::default()), ..method },
    },
    Preset {
        name: "lpft",
        summary: "the head alone for one interval, then everything",
        source: "Kumar et al. 2022, arXiv 2202.10054, in the form of Liu et al. 2024",
        fidelity: "exact",
        knobs: "schedule.interval (half of the steps), schedule.variant (paper)",
        build: |method| Method { schedule: Schedule::Lpft(Unfreezing::default()), ..method },
    },
    Preset {
        name: "fun",
        summary: "every interval the closed layer with the largest Fisher trace of sampled labels opens",
        source: "Liu et al. 2024, arXiv 2301.05487, Algorithms 1 and 2, there over adapters; here per parameter, for embeddings and layers differ in size",
        fidelity: "style",
        knobs: "schedule.interval (all open at half of the steps), schedule.batches (41), schedule.scores (per-parameter), schedule.variant (paper)",
        build: |method| Method { schedule: Schedule::Fun(Fun::default()), ..method },
    },
    Preset {
        name: "fun-code",
        summary: "FUN as released: Fisher traces of the likeliest labels, events a step earlier",
        source: "UKPLab/naacl2024-fun, there over adapters, with dropout also in closed layers; here per parameter, for embeddings and layers differ in size",
        fidelity: "style",
        knobs: "schedule.interval (all open at half of the steps), schedule.batches (41), schedule.scores (per-parameter)",
        build: |method| Method {
            schedule: Schedule::Fun(Fun { variant: UnfreezingVariant::Code, ..Fun::default() }),
            ..method
        },
    },
    Preset {
        name: "random",
        summary: "control for `fun`: every interval a random closed layer opens",
        source: "Liu et al. 2024, arXiv 2301.05487, baseline Rand",
        fidelity: "exact",
        knobs: "schedule.interval (all open at half of the steps), schedule.variant (paper)",
        build: |method| Method { schedule: Schedule::Random(Unfreezing::default()), ..method },
    },
    Preset {
        name: "reverse",
        summary: "control for `gu`: the top layer first, then from the bottom up",
        source: "Liu et al. 2024, arXiv 2301.05487, baseline GU (rev)",
        fidelity: "exact",
        knobs: "schedule.interval (all open at half of the steps), schedule.variant (paper)",
        build: |method| Method { schedule: Schedule::Reverse(Unfreezing::default()), ..method },
    },
    Preset {
        name: "chain-thaw",
        summary: "the head alone, then each layer alone from the bottom, then everything; phases of fixed length",
        source: "Felbo et al. 2017 (DeepMoji) without its early stopping, from huggingface/torchMoji",
        fidelity: "style",
        knobs: "schedule.interval (all open at half of the steps), schedule.head-rate (10)",
        build: |method| Method { schedule: Schedule::ChainThaw(ChainThaw::default()), ..method },
    },
    Preset {
        name: "ulmfit",
        summary: "gradual unfreezing from the head, learning rates falling with depth, slanted triangular rate",
        source: "Howard and Ruder 2018, arXiv 1801.06146, standard formulas; an interval stands for its epoch",
        fidelity: "style",
        knobs: "schedule.interval (all open at half of the steps), schedule.decay (2.6), schedule.cut (0.1), schedule.ratio (32)",
        build: |method| Method { schedule: Schedule::Ulmfit(Ulmfit::default()), ..method },
    },
    Preset {
        name: "adapter",
        summary: "bottleneck adapters behind each feed-forward network learn, the encoder stays",
        source: "Pfeiffer et al. 2021 (AdapterFusion), arXiv 2005.00247, as AdapterHub's seq_bn",
        fidelity: "exact",
        knobs: "structure.placement (pfeiffer), structure.reduction (16)",
        build: |method| Method { structure: Structure::Adapter(Adapter::default()), ..method },
    },
    Preset {
        name: "houlsby",
        summary: "bottleneck adapters behind attention and behind each feed-forward network",
        source: "Houlsby et al. 2019, arXiv 1902.00751, as AdapterHub's double_seq_bn",
        fidelity: "exact",
        knobs: "structure.reduction (16)",
        build: |method| {
            let houlsby = Adapter { placement: AdapterPlacement::Houlsby, ..Adapter::default() };
            Method { structure: Structure::Adapter(houlsby), ..method }
        },
    },
    Preset {
        name: "lora",
        summary: "low-rank factors beside query and value projections learn, the encoder stays",
        source: "Hu et al. 2022 (LoRA), arXiv 2106.09685",
        fidelity: "exact",
        knobs: "structure.rank (8), structure.alpha (8)",
        build: |method| Method { structure: Structure::Lora(Lora::default()), ..method },
    },
    Preset {
        name: "bitfit",
        summary: "biases and the head learn, all weights stay",
        source: "Ben Zaken et al. 2022 (BitFit), arXiv 2106.10199",
        fidelity: "exact",
        knobs: "none",
        build: |method| Method { structure: Structure::BitFit, ..method },
    },
    Preset {
        name: "fun-adapter",
        summary: "FUN over adapters: every interval the closed layer's adapter with the largest Fisher trace opens",
        source: "Liu et al. 2024 (FUN), its own setting",
        fidelity: "exact",
        knobs: "those of `adapter` and of `fun`",
        build: |method| Method {
            structure: Structure::Adapter(Adapter::default()),
            schedule: Schedule::Fun(Fun::default()),
            ..method
        },
    },
    Preset {
        name: "madx",
        summary: "an adapter for each language, trained on its text, below one for the task; languages are swapped",
        source: "Pfeiffer et al. 2020 (MAD-X), arXiv 2005.00052, adapters and stack as AdapterHub's library has them",
        fidelity: "style",
        knobs: "structure.language-reduction (2), structure.task-reduction (16), structure.invertible (true), structure.residual (chained)",
        build: |method| Method { structure: Structure::MadX(MadX::default()), ..method },
    },
    Preset {
        name: "fun-madx",
        summary: "FUN over MAD-X's task adapters: the closed layer's with the largest Fisher trace opens; languages are swapped",
        source: "Liu et al. 2024 (FUN), its main experiment, as in the released code",
        fidelity: "style",
        knobs: "those of `madx` and of `fun-code`",
        build: |method| Method {
            structure: Structure::MadX(MadX::default()),
            schedule: Schedule::Fun(Fun { variant: UnfreezingVariant::Code, ..Fun::default() }),
            ..method
        },
    },
    Preset {
        name: "gu-madx",
        summary: "gradual unfreezing of MAD-X's task adapters from the top; languages are swapped",
        source: "Liu et al. 2024 (FUN), a baseline of its main experiment",
        fidelity: "style",
        knobs: "those of `madx` and of `gu`",
        build: |method| Method {
            structure: Structure::MadX(MadX::default()),
            schedule: Schedule::Gu(Unfreezing::default()),
            ..method
        },
    },
    Preset {
        name: "rand-madx",
        summary: "MAD-X's task adapters open in a random order; languages are swapped",
        source: "Liu et al. 2024 (FUN), a baseline of its main experiment",
        fidelity: "style",
        knobs: "those of `madx` and of `random`",
        build: |method| Method {
            structure: Structure::MadX(MadX::default()),
            schedule: Schedule::Random(Unfreezing::default()),
            ..method
        },
    },
    Preset {
        name: "lpft-madx",
        summary: "the head first, then all of MAD-X's task adapters; languages are swapped",
        source: "Liu et al. 2024 (FUN), a baseline of its main experiment",
        fidelity: "style",
        knobs: "those of `madx` and of `lpft`",
        build: |method| Method {
            structure: Structure::MadX(MadX::default()),
            schedule: Schedule::Lpft(Unfreezing::default()),
            ..method
        },
    },
    Preset {
        name: "laft",
        summary: "an update trains a small module behind every layer, which all languages use; the rest stays",
        source: "Badola et al. 2023, arXiv 2209.06767, by abstract: its parameter-efficient fine-tuning without languages",
        fidelity: "style",
        knobs: "sharing.stage1 (full), sharing.stage2 (module), structure.placement (pfeiffer), structure.reduction (16)",
        build: |method| shared(Sharing::All, method),
    },
    Preset {
        name: "laft-isolated",
        summary: "as `laft`, and only the updated languages use the module: the others lose nothing and gain nothing",
        source: "control for `laft-uriel`",
        fidelity: "style",
        knobs: "those of `laft`",
        build: |method| shared(Sharing::UpdatedOnly, method),
    },
    Preset {
        name: "laft-uriel",
        summary: "as `laft`, and a language uses the module the more, the nearer it is to the updated ones in URIEL",
        source: "reconstruction of Badola et al. 2023 (LAFT-URIEL), arXiv 2209.06767, by abstract",
        fidelity: "style",
        knobs: "those of `laft`, sharing.kind (scaled; or mixture), sharing.distance (syntax-knn-cosine), sharing.kernel (exp), sharing.tau (median distance), sharing.missing-vector (skip-cell)",
        build: |method| shared(Sharing::Scaled, method),
    },
    Preset {
        name: "laft-shuffled",
        summary: "as `laft-uriel`, with the distances of other languages: does typology matter at all?",
        source: "control for `laft-uriel`",
        fidelity: "style",
        knobs: "those of `laft-uriel`",
        build: |method| shared(Sharing::Shuffled, method),
    },
    Preset {
        name: "l2-sp",
        summary: "fine-tuning with an L2 penalty on the way from the starting point",
        source: "Li et al. 2018",
        fidelity: "exact",
        knobs: "anchor.alpha (0.01), anchor.beta (0.01)",
        build: |method| Method { anchor: Anchor::L2Sp(L2Sp::default()), ..method },
    },
    Preset {
        name: "ewc",
        summary: "fine-tuning with a penalty weighed by the Fisher information of the memories",
        source: "Kirkpatrick et al. 2017, textbook form, with the Fisher information of the data's own labels",
        fidelity: "style",
        knobs: "anchor.lambda (100), anchor.half-factor (true), anchor.fisher-square (per-example), anchor.fisher-batches (16), anchor.memory (all)",
        build: |method| Method { anchor: Anchor::Ewc(Ewc::default()), ..method },
    },
    Preset {
        name: "rec-adam",
        summary: "Adam annealed in, a pull to the starting point annealed out",
        source: "Chen et al. 2020 (RecAdam)",
        fidelity: "exact",
        knobs: "anchor.gamma (0.1 over the learning rate), anchor.w (1), anchor.t0 (0.1 of the steps), anchor.width (0.01 of the steps; the paper's 1/k)",
        build: |method| Method { anchor: Anchor::RecAdam(RecAdam::default()), ..method },
    },
    Preset {
        name: "mixout",
        summary: "in each forward pass, random columns of weights are the starting point's",
        source: "Lee et al. 2020, arXiv 1909.11299",
        fidelity: "exact",
        knobs: "anchor.p (0.7), anchor.backward (exact), anchor.dropout (off)",
        build: |method| Method { anchor: Anchor::Mixout(Mixout::default()), ..method },
    },
    Preset {
        name: "fomaml",
        summary: "first-order MAML over the source languages",
        source: "Finn et al. 2017; Langedijk et al. 2022 for languages",
        fidelity: "exact",
        knobs: "outer.inner-steps (5), outer.inner-learning-rate (1e-3), outer.head-inner-learning-rate (ten times that)",
        build: |method| Method { outer: OuterLoop::Fomaml(Fomaml::default()), ..method },
    },
    Preset {
        name: "reptile",
        summary: "towards where plain steps in each source language lead",
        source: "Nichol et al. 2018, arXiv 1803.02999, with plain inner steps",
        fidelity: "exact",
        knobs: "outer.inner-steps (5), outer.inner-learning-rate (0.05), outer.meta-step (1)",
        build: |method| Method { outer: OuterLoop::Reptile(Reptile::default()), ..method },
    },
    Preset {
        name: "subnet-static",
        summary: "each source language trains and uses the attention heads that it cannot be pruned of",
        source: "reconstruction of Choenni et al. 2023, doi 10.1162/coli_a_00482, by abstract; pruning after Michel et al. 2019",
        fidelity: "style",
        knobs: SUBNETWORK_KNOBS,
        build: |method| masked(MaskKind::Static, method),
    },
    Preset {
        name: "subnet-dynamic",
        summary: "as `subnet-static`, and the heads of a language are chosen anew while the model learns",
        source: "reconstruction of Choenni et al. 2023, doi 10.1162/coli_a_00482, by abstract",
        fidelity: "style",
        knobs: SUBNETWORK_KNOBS,
        build: |method| masked(MaskKind::Dynamic, method),
    },
    Preset {
        name: "subnet-random",
        summary: "control for `subnet-static`: as many heads in every layer, drawn at random",
        source: "control",
        fidelity: "style",
        knobs: SUBNETWORK_KNOBS,
        build: |method| masked(MaskKind::Random, method),
    },
    Preset {
        name: "subnet-dynamic-fomaml",
        summary: "`subnet-dynamic` inside `fomaml`: a language adapts and is judged under its own mask",
        source: "reconstruction of Choenni et al. 2023, doi 10.1162/coli_a_00482, by abstract; loop of Langedijk et al. 2022",
        fidelity: "style",
        knobs: "those of `subnet-dynamic` and of `fomaml`",
        build: |method| Method { outer: OuterLoop::Fomaml(Fomaml::default()), ..masked(MaskKind::Dynamic, method) },
    },
];

const SUBNETWORK_KNOBS: &str = "subnetworks.kind, subnetworks.discovery.steps (the stage's), subnetworks.discovery.copies (1), subnetworks.discovery.batches (16), subnetworks.discovery.split (validation), subnetworks.discovery.examples (all), subnetworks.importance (abs-grad-mask), subnetworks.normalise (layer-l2-then-minmax), subnetworks.merge (majority), subnetworks.update (mask-update), subnetworks.prune.fraction (0.1), subnetworks.prune.threshold (0.9), subnetworks.dynamic.every (100), subnetworks.dynamic.ema (0.9), subnetworks.dynamic.init (static), subnetworks.dynamic.size (that of the static mask), subnetworks.target (none), subnetworks.conflict-batches (4), subnetworks.cross-evaluate (false)";

/// Plain fine-tuning under masks.
fn masked(kind: MaskKind, method: Method) -> Method {
    Method { subnetworks: Some(Subnetworks::new(kind)), ..method }
}

/// GEM with the memory of this name.
fn gem_with(memory: &str, method: Method) -> Method {
    let memory = Name::new(memory).map_or(Memories::All, Memories::Named);
    Method { rule: GradientRule::Gem(Gem { memory, ..Gem::default() }), ..method }
}

/// Updates by adapters that the languages share in this way.
fn shared(kind: Sharing, method: Method) -> Method {
    Method { structure: Structure::Adapter(Adapter::default()), sharing: Some(Laft::new(kind)), ..method }
}

/// Every preset, in the order in which tables show them.
pub fn presets() -> &'static [Preset] {
    PRESETS
}

/// The preset of that name.
///
/// # Errors
/// [`SpecError::UnknownWord`] with the nearest name.
pub fn preset(name: &str) -> Result<&'static Preset, SpecError> {
    PRESETS
        .iter()
        .find(|preset| preset.name == name)
        .ok_or_else(|| SpecError::unknown("method", name, PRESETS.iter().map(|preset| preset.name)))
}

impl Preset {
    /// The composition this preset stands for, under the given name.
    pub fn method(&self, name: Name) -> Method {
        (self.build)(Method::plain(name))
    }
}
