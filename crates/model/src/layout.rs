use crate::owner::Owner;
use crate::{Group, random};

/// A parameter of rank `D`: where it lies in the list and what shape it has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slot<const D: usize> {
    pub index: usize,
    pub shape: [usize; D],
}

/// How a fresh parameter is filled, and whether weight decay applies to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Decays; fresh values are normal with the configuration's standard deviation.
    Weight,
    /// Does not decay; fresh values are 0.
    Bias,
    /// The scale of a LayerNorm. Does not decay; fresh values are 1.
    NormScale,
    /// The shift of a LayerNorm. Does not decay; fresh values are 0.
    NormShift,
}

/// One parameter as the model wants it.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// Hugging Face's name without the family's prefix; of a head, with its owner's.
    pub name: String,
    /// Shape in the file, row-major.
    pub file_shape: Vec<usize>,
    /// Linear weights are `[out, in]` in files and `[in, out]` here, the order in which products want them.
    pub transposed: bool,
    pub group: Group,
    pub role: Role,
    /// The adapter whose part it is.
    pub adapter: Option<String>,
    /// The head whose part it is.
    pub owner: Option<Owner>,
}

impl Entry {
    /// Hugging Face's name.
    pub fn bare_name(&self) -> &str {
        let prefix = self.owner.map(Owner::prefix).unwrap_or_default();
        self.name.strip_prefix(&prefix).unwrap_or(&self.name)
    }

    /// The name in files that show the head of `main` as Hugging Face's classes do, without the family's prefix.
    pub fn file_name(&self, main: Option<Owner>) -> String {
        match self.owner {
            Some(owner) if Some(owner) != main => owner.file_prefix() + self.bare_name(),
            Some(_) => self.bare_name().to_owned(),
            None => self.name.clone(),
        }
    }

    /// Values before training by role, drawn from (seed, purpose, Hugging Face's name).
    pub fn fresh(&self, purpose: &str, deviation: f64, seed: u64) -> Vec<f32> {
        match self.role {
            Role::Weight => random::normal(seed, purpose, self.bare_name(), deviation, self.len()),
            Role::Bias | Role::NormShift => vec![0.0; self.len()],
            Role::NormScale => vec![1.0; self.len()],
        }
    }

    pub fn len(&self) -> usize {
        self.file_shape.iter().product()
    }

    /// The shape of a parameter of rank 2.
    pub fn matrix(&self) -> Option<[usize; 2]> {
        match (self.file_shape.as_slice(), self.transposed) {
            (&[rows, columns], false) => Some([rows, columns]),
            (&[output, input], true) => Some([input, output]),
            _ => None,
        }
    }

    /// Rows and columns of a table looked up by row, which lies in memory as in files.
    pub fn table(&self) -> Option<[usize; 2]> {
        self.matrix().filter(|_| !self.transposed)
    }

    /// Whether it has been added to the model that folders hold.
    pub fn is_added(&self) -> bool {
        matches!(self.group, Group::Adapter(_) | Group::Invertible)
    }

    /// Whether files that show the head of `main` put this tensor under the family's prefix.
    pub fn in_base(&self, main: Option<Owner>) -> bool {
        match self.owner {
            Some(owner) => Some(owner) == main && self.bare_name().starts_with("pooler."),
            None => self.group != Group::LanguageModel,
        }
    }
}

/// Names, shapes and order of all parameters: built once from the configuration while the encoder and the head
/// declare what they need, then followed by loading, saving and training alike.
#[derive(Debug, Clone, Default)]
pub(crate) struct Layout {
    pub entries: Vec<Entry>,
}

impl Layout {
    /// A table looked up by row, `[rows, columns]` in files and here.
    pub fn table(&mut self, name: String, group: Group, shape: [usize; 2]) -> Slot<2> {
        self.push(name, group, Role::Weight, shape.to_vec(), false, shape)
    }

    /// Weight and bias of a dense layer from `input` to `output` features.
    pub fn linear(&mut self, name: &str, group: Group, input: usize, output: usize) -> Linear {
        let weight =
            self.push(format!("{name}.weight"), group, Role::Weight, vec![output, input], true, [input, output]);
        let bias = self.push(format!("{name}.bias"), group, Role::Bias, vec![output], false, [output]);
        Linear { weight, bias, low_rank: None }
    }

    /// The dense layer with low-rank factors under PEFT's names.
    pub fn low_rank(&mut self, name: &str, group: Group, linear: Linear, rank: usize, scale: f64) -> Linear {
        let [input, output] = linear.weight.shape;
        let down =
            self.push(format!("{name}.lora_A.weight"), group, Role::Weight, vec![rank, input], true, [input, rank]);
        let up =
            self.push(format!("{name}.lora_B.weight"), group, Role::Weight, vec![output, rank], true, [rank, output]);
        Linear { low_rank: Some(LowRank { down, up, scale }), ..linear }
    }

    /// A vector that decays.
    pub fn vector(&mut self, name: &str, group: Group, size: usize) -> Slot<1> {
        self.push(name.to_owned(), group, Role::Weight, vec![size], false, [size])
    }

    /// A bias without a weight of its own.
    pub fn bias(&mut self, name: String, group: Group, size: usize) -> Slot<1> {
        self.push(name, group, Role::Bias, vec![size], false, [size])
    }

    /// Scale and shift of a LayerNorm over `size` features.
    pub fn norm(&mut self, name: &str, group: Group, size: usize) -> Norm {
        let scale = self.push(format!("{name}.weight"), group, Role::NormScale, vec![size], false, [size]);
        let shift = self.push(format!("{name}.bias"), group, Role::NormShift, vec![size], false, [size]);
        Norm { scale, shift }
    }

    fn push<const D: usize>(
        &mut self,
        name: String,
        group: Group,
        role: Role,
        file_shape: Vec<usize>,
        transposed: bool,
        shape: [usize; D],
    ) -> Slot<D> {
        self.entries.push(Entry { name, file_shape, transposed, group, role, adapter: None, owner: None });
        Slot { index: self.entries.len() - 1, shape }
    }
}

/// A dense layer's parameters: weight `[in, out]`, bias `[out]`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Linear {
    pub weight: Slot<2>,
    pub bias: Slot<1>,
    pub low_rank: Option<LowRank>,
}

/// What is added to a dense layer's weight: `scale` times the product of `[in, rank]` and `[rank, out]`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LowRank {
    pub down: Slot<2>,
    pub up: Slot<2>,
    pub scale: f64,
}

/// A LayerNorm's parameters, `[size]` each.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Norm {
    pub scale: Slot<1>,
    pub shift: Slot<1>,
}
