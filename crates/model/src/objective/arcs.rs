//! A deep biaffine parser (Dozat and Manning 2017, section 3).
//!
//! Of a row, `w_0` is a learnt root and `w_1 … w_n` are its words: the hidden state of a word's first token or the mean over
//! its tokens, of the last layer or of a learnt mix of all (Peters et al. 2018, equation 1). With MLPs of one dense layer and
//! ELU, `d, e` of the words as dependents and `h, g` of the root and the words as heads,
//!
//! ```text
//! score of head j for word i           s_ij = d_i' U h_j + u' h_j
//! score of relation l between them     r_ijl = [e_i; 1]' V_l [g_j; 1]
//! loss    mean over words of the cross-entropy of their heads, over the root and the row's other words,
//!         and mean over words of the cross-entropy of their relations, at their right heads
//! ```
//!
//! | tensor | shape |
//! | --- | --- |
//! | `parser.mix.weights`, `parser.mix.scale` | `[layers + 1]`, `[1]` |
//! | `parser.root` | `[hidden]` |
//! | `parser.{arc,label}_{dependent,head}` | dense, hidden to arc or label |
//! | `parser.arc.weight`, `parser.arc.bias` | U `[arc, arc]`, a row a feature of the dependent; u `[arc]` |
//! | `parser.label.weight` | V `[label + 1, labels · (label + 1)]`, a row a feature of the dependent, the constant last; columns by label, then by feature of the head, the constant last |
//!
//! Dropout of the classifier's probability applies to words and to what MLPs give. Fresh MLPs are uniform as Glorot and
//! Bengio 2010 (equation 16) draw them, biases, U, u and V 0 as in Dozat and Manning's code, the root standard normal like
//! a normed hidden state, mixes even.

use burn::tensor::{Bool, Tensor, TensorData, activation};
use serde_json::{Map, Value, json};
use spec::{Batch, Head, IGNORED_LABEL, Labels, Objective as Kind, ParserSizes, Pooling, Targets, Words};

use super::logits::finite;
use super::{Choose, Format, Logits, Objective, OutputLayer, Pass, States, targets};
use crate::layout::{Entry, Layout, Linear, Role, Slot};
use crate::random::{self, Uniform};
use crate::{Group, ModelConfig, ModelError, ops};

/// A head for each word among the words and the root, and a relation to it.
#[derive(Debug, Clone)]
pub(super) struct Arcs {
    labels: usize,
    pooling: Pooling,
    mix: Option<Mix>,
    root: Slot<1>,
    arc_dependent: Linear,
    arc_head: Linear,
    label_dependent: Linear,
    label_head: Linear,
    /// U and u: `d_i' U + u'` is a dense layer of the dependent.
    arc: Linear,
    /// V
    label: Slot<2>,
}

/// `scale · Σ_l softmax(weights)_l h_l`
#[derive(Debug, Clone)]
struct Mix {
    weights: Slot<1>,
    scale: Slot<1>,
}

/// Key of `config.json` with the parser's sizes.
const SIZES: &str = "parser";

pub(super) const FORMAT: Format = Format {
    class: "ForDependencyParsing",
    tensor: |_| "parser.label.weight",
    named: true,
    labels: |shape| match shape {
        &[rows, columns] if rows > 0 && columns.is_multiple_of(rows) => Some(columns / rows),
        _ => None,
    },
    head: |labels, config| {
        let sizes = config.get(SIZES).ok_or_else(|| format!("{SIZES}: missing"))?;
        let fault = |error: &dyn std::fmt::Display| format!("{SIZES}: {error}");
        let sizes: ParserSizes = serde_json::from_value(sizes.clone()).map_err(|error| fault(&error))?;
        sizes.check().map_err(|error| fault(&error))?;
        Ok(Head::Arcs { labels, sizes })
    },
};

/// What `config.json` says about a parser beside its labels; nothing of other heads.
pub(super) fn describe(sizes: Option<&ParserSizes>, config: &mut Map<String, Value>) {
    match sizes {
        Some(sizes) => config.insert(SIZES.to_owned(), json!(sizes)),
        None => config.remove(SIZES),
    };
}

/// A parameter before training.
pub(super) fn fresh(entry: &Entry, seed: u64) -> Vec<f32> {
    let name = entry.bare_name();
    match (name, entry.role, entry.file_shape.as_slice()) {
        ("parser.root", ..) => random::normal(seed, "head", name, 1.0, entry.len()),
        ("parser.mix.scale", ..) => vec![1.0],
        ("parser.mix.weights" | "parser.arc.weight" | "parser.label.weight", ..) => vec![0.0; entry.len()],
        (_, Role::Weight, &[outputs, inputs]) => {
            let (mut uniform, bound) = (Uniform::new(seed, "head", name), (6.0 / (inputs + outputs) as f64).sqrt());
            (0..entry.len()).map(|_| ((2.0 * uniform.draw() - 1.0) * bound) as f32).collect()
        }
        _ => vec![0.0; entry.len()],
    }
}

/// Where a batch's words are.
struct Places<'a> {
    words: &'a Words,
    /// Row and place in the row of each word that is there.
    real: Vec<(usize, usize)>,
    /// `[batch, width]`: the number of the word among those that are there, from 1; 0 for the others.
    numbers: Vec<u32>,
}

fn words(batch: &Batch) -> Result<&Words, ModelError> {
    batch
        .words
        .as_ref()
        .ok_or_else(|| ModelError::batch("it does not say where its words are, and the head gives arcs between words"))
}

impl<'a> Places<'a> {
    fn of(batch: &'a Batch) -> Result<Self, ModelError> {
        let words = words(batch)?;
        let mut real = Vec::new();
        let number = |(index, &first): (usize, &i32)| {
            if first == IGNORED_LABEL {
                return 0;
            }
            real.push((index / words.width, index % words.width));
            real.len() as u32
        };
        let numbers = words.first.iter().enumerate().map(number).collect();
        Ok(Self { words, real, numbers })
    }

    /// `[batch, words]`
    fn dims(&self) -> [usize; 2] {
        [self.words.first.len().checked_div(self.words.width).unwrap_or(0), self.words.width]
    }

    /// For each place `[batch, width]` the row of its word in a table of the words that are there; any where there is none.
    fn dependents(&self) -> Vec<u32> {
        self.numbers.iter().map(|number| number.saturating_sub(1)).collect()
    }

    /// For each place `[batch, 1 + width]` the row of root or word in a table of the root and the words that are there; the
    /// root's where there is none.
    fn heads(&self) -> Vec<u32> {
        self.numbers.chunks(self.words.width).flat_map(|row| std::iter::once(0).chain(row.iter().copied())).collect()
    }

    /// Whether `head` (0 for the root) can be the head of a row's word.
    fn is_candidate(&self, row: usize, word: usize, head: usize) -> bool {
        head == 0 || head != word + 1 && self.numbers[row * self.words.width + head - 1] > 0
    }
}

impl Arcs {
    pub fn new(labels: &Labels, sizes: &ParserSizes, config: &ModelConfig, layout: &mut Layout) -> Self {
        let (hidden, group) = (config.hidden_size, Group::Head);
        let mix = sizes.mix.then(|| Mix {
            weights: layout.vector("parser.mix.weights", group, config.num_hidden_layers + 1),
            scale: layout.vector("parser.mix.scale", group, 1),
        });
        let root = layout.vector("parser.root", group, hidden);
        let mut dense = |name: &str, outputs: usize| layout.linear(&format!("parser.{name}"), group, hidden, outputs);
        let [arc_dependent, arc_head] = ["arc_dependent", "arc_head"].map(|name| dense(name, sizes.arc));
        let [label_dependent, label_head] = ["label_dependent", "label_head"].map(|name| dense(name, sizes.label));
        let arc = Linear {
            weight: layout.table("parser.arc.weight".to_owned(), group, [sizes.arc; 2]),
            bias: layout.bias("parser.arc.bias".to_owned(), group, sizes.arc),
            low_rank: None,
        };
        let width = sizes.label + 1;
        let label = layout.table("parser.label.weight".to_owned(), group, [width, labels.len() * width]);
        Self {
            labels: labels.len(),
            pooling: sizes.pooling,
            mix,
            root,
            arc_dependent,
            arc_head,
            label_dependent,
            label_head,
            arc,
            label,
        }
    }

    /// Vectors of the words that are there `[n, hidden]`, and the same behind the root `[1 + n, hidden]`.
    fn words(&self, states: States, places: &Places, pass: &Pass) -> (Tensor<2>, Tensor<2>) {
        let words = match &self.mix {
            None => self.pooled(states.last, places, pass.batch),
            Some(mix) => {
                let shares = activation::softmax(pass.weights.get(mix.weights), 0);
                let shares = shares * pass.weights.get(mix.scale);
                let share = |layer: usize| shares.clone().narrow(0, layer, 1).reshape([1, 1]);
                let layers = states.all.into_iter().enumerate();
                let mixed = layers.map(|(layer, state)| self.pooled(state, places, pass.batch) * share(layer));
                mixed.reduce(|sum, next| sum + next).unwrap_or_else(|| self.pooled(states.last, places, pass.batch))
            }
        };
        let words = ops::dropout(words, pass.dropout(self.arc), pass.weights);
        let root = pass.weights.get(self.root).unsqueeze_dim(0);
        (words.clone(), ops::cat([root, words]))
    }

    /// One vector a word that is there, `[n, hidden]`, from `[batch, seq, hidden]`.
    fn pooled(&self, hidden: Tensor<3>, places: &Places, batch: &Batch) -> Tensor<2> {
        let (words, seq) = (places.words, batch.seq);
        let token = |&(row, word): &(usize, usize)| row * seq + words.first[row * words.width + word] as usize;
        match self.pooling {
            Pooling::First => {
                let positions: Vec<u32> = places.real.iter().map(|place| token(place) as u32).collect();
                ops::positions(hidden, &positions)
            }
            Pooling::Mean => {
                let [rows, _, size] = hidden.dims();
                let mut shares = vec![0.0; rows * words.width * seq];
                for &(row, word) in &places.real {
                    let index = row * words.width + word;
                    let (first, last) = (words.first[index] as usize, words.last[index] as usize);
                    shares[index * seq..][first..=last].fill(1.0 / (last - first + 1) as f32);
                }
                let data = TensorData::new(shares, [rows, words.width, seq]);
                let means = Tensor::<3>::from_data(data, &hidden.device().inner()).matmul(hidden);
                let real: Vec<u32> = places.real.iter().map(|(row, word)| (row * words.width + word) as u32).collect();
                ops::rows(means.reshape([rows * words.width, size]), &real)
            }
        }
    }

    /// One MLP.
    fn mlp(&self, words: Tensor<2>, dense: Linear, pass: &Pass) -> Tensor<2> {
        ops::dropout(ops::elu(ops::linear(words, dense, pass.weights)), pass.dropout(dense), pass.weights)
    }

    /// Scores of heads `[batch, words, words + 1]`; of words that are not there, any.
    fn arcs(&self, words: &Tensor<2>, rooted: &Tensor<2>, places: &Places, pass: &Pass) -> Tensor<3> {
        let dependents = self.mlp(words.clone(), self.arc_dependent, pass);
        let heads = self.mlp(rooted.clone(), self.arc_head, pass);
        let asked = ops::linear(dependents, self.arc, pass.weights);
        let ([batch, width], [_, size]) = (places.dims(), asked.dims());
        let asked = ops::rows(asked, &places.dependents()).reshape([batch, width, size]);
        let heads = ops::rows(heads, &places.heads()).reshape([batch, width + 1, size]);
        asked.matmul(heads.swap_dims(1, 2))
    }

    /// The same where a word cannot have a head, so low that a softmax gives 0.
    fn masked(&self, arcs: Tensor<3>, places: &Places) -> Tensor<3> {
        let [batch, width] = places.dims();
        let mut closed = Vec::with_capacity(batch * width * (width + 1));
        for row in 0..batch {
            for word in 0..width {
                closed.extend((0..=width).map(|head| !places.is_candidate(row, word, head)));
            }
        }
        let device = arcs.device().inner();
        let closed = Tensor::<3, Bool>::from_data(TensorData::new(closed, [batch, width, width + 1]), &device);
        arcs.mask_fill(closed, ops::MASKED_SCORE)
    }

    /// `[e_i; 1]' V` of the words that are there, `[n, labels, label + 1]`.
    fn asked_relations(&self, words: Tensor<2>, pass: &Pass) -> Tensor<3> {
        let dependents = with_one(self.mlp(words, self.label_dependent, pass));
        let [count, width] = dependents.dims();
        ops::product(dependents, pass.weights.get(self.label)).reshape([count, self.labels, width])
    }

    /// All scores on the host: of heads `[batch, words, words + 1]`, of relations `[batch, words, words + 1, labels]`.
    fn on_host(&self, states: States, places: &Places, pass: &Pass) -> Result<(Vec<f32>, Vec<f32>), ModelError> {
        let ([batch, width], labels) = (places.dims(), self.labels);
        if places.real.is_empty() {
            let arcs = batch * width * (width + 1);
            return Ok((vec![0.0; arcs], vec![0.0; arcs * labels]));
        }
        let (words, rooted) = self.words(states, places, pass);
        let arcs = finite("logits", self.arcs(&words, &rooted, places, pass))?;
        let heads = with_one(self.mlp(rooted, self.label_head, pass));
        let asked = self.asked_relations(words, pass);
        let [count, _, size] = asked.dims();
        let asked = ops::rows(asked.reshape([count, labels * size]), &places.dependents());
        let asked = asked.reshape([batch, width * labels, size]);
        let heads = ops::rows(heads, &places.heads()).reshape([batch, width + 1, size]);
        let relations = asked.matmul(heads.swap_dims(1, 2)).reshape([batch, width, labels, width + 1]);
        Ok((arcs, finite("logits", relations.swap_dims(2, 3))?))
    }
}

impl Objective for Arcs {
    fn reads_all_layers(&self) -> bool {
        self.mix.is_some()
    }

    fn check_input(&self, batch: &Batch) -> Result<(), ModelError> {
        let words = words(batch)?;
        if words.width == 0 {
            return Err(ModelError::batch("its rows have no words, and the head gives arcs between words"));
        }
        let places = batch.len().saturating_mul(words.width);
        targets::shaped("first tokens of words", &words.first, places)?;
        targets::shaped("last tokens of words", &words.last, places)?;
        for (index, (&first, &last)) in words.first.iter().zip(&words.last).enumerate() {
            let (row, word) = (index / words.width, index % words.width);
            let there = targets::below(last, batch.lengths[row]) && targets::below(first, last as usize + 1);
            if !there && (first, last) != (IGNORED_LABEL, IGNORED_LABEL) {
                return Err(ModelError::batch(format!(
                    "row {row}: word {word} has tokens {first} to {last}, the row {}",
                    batch.lengths[row]
                )));
            }
        }
        Ok(())
    }

    fn check_targets(&self, batch: &Batch) -> Result<(), ModelError> {
        let [heads, relations] = of(batch)?;
        let places = Places::of(batch)?;
        let width = places.words.width;
        targets::shaped("heads of words", heads, places.numbers.len())?;
        targets::shaped("relations of words", relations, places.numbers.len())?;
        let mut counted = 0;
        for (index, (&head, &relation)) in heads.iter().zip(relations).enumerate() {
            let (row, word) = (index / width, index % width);
            if (head, relation) == (IGNORED_LABEL, IGNORED_LABEL) {
                continue;
            }
            let fault = |what: String| Err(ModelError::batch(format!("row {row}, word {word}: {what}")));
            if places.numbers[index] == 0 {
                return fault("it has no tokens, but a head".to_owned());
            }
            if !targets::below(head, width + 1) || !places.is_candidate(row, word, head as usize) {
                return fault(format!("its head {head} is neither the root (0) nor another word of the row"));
            }
            if !targets::below(relation, self.labels) {
                return fault(format!("relation {relation} is outside the head's {} labels", self.labels));
            }
            counted += 1;
        }
        match counted {
            0 => Err(ModelError::batch("no word has a head, so there is no loss")),
            _ => Ok(()),
        }
    }

    /// Relations are scored at the right heads only.
    fn loss(&self, states: States, pass: &Pass) -> Result<Tensor<1>, ModelError> {
        let [heads, relations] = of(pass.batch)?;
        let places = Places::of(pass.batch)?;
        let (words, rooted) = self.words(states, &places, pass);
        let [batch, width] = places.dims();
        let arcs = self.masked(self.arcs(&words, &rooted, &places, pass), &places);
        let of_heads = ops::cross_entropy(arcs.reshape([batch * width, width + 1]), heads);

        let asked = self.asked_relations(words, pass);
        let given = with_one(self.mlp(rooted, self.label_head, pass));
        let right = places.real.iter().map(|&(row, word)| match heads[row * width + word] {
            // Words that do not count: any head does.
            0 | IGNORED_LABEL => 0,
            head => places.numbers[row * width + head as usize - 1],
        });
        let given = ops::rows(given, &right.collect::<Vec<u32>>());
        let scores: Tensor<2> = (asked * given.unsqueeze_dim(1)).sum_dim(2).squeeze_dim(2);
        let of_real: Vec<i32> = places.real.iter().map(|&(row, word)| relations[row * width + word]).collect();
        Ok(of_heads + ops::cross_entropy(scores, &of_real))
    }

    /// First a word's head, then the relation to that head.
    fn retarget(&self, states: States, pass: &Pass, choose: &mut Choose) -> Result<Targets, ModelError> {
        let places = Places::of(pass.batch)?;
        let [mut heads, mut relations] = of(pass.batch)?.map(<[i32]>::to_vec);
        let (arcs, labels) = self.on_host(states, &places, pass)?;
        let width = places.words.width;
        for &(row, word) in &places.real {
            let index = row * width + word;
            if heads[index] == IGNORED_LABEL {
                continue;
            }
            let candidates: Vec<usize> = (0..=width).filter(|&head| places.is_candidate(row, word, head)).collect();
            let scores: Vec<f32> = candidates.iter().map(|head| arcs[index * (width + 1) + head]).collect();
            let head = candidates[choose(&scores)];
            let at = (index * (width + 1) + head) * self.labels;
            heads[index] = head as i32;
            relations[index] = choose(&labels[at..at + self.labels]) as i32;
        }
        Ok(Targets::Arcs { heads, relations })
    }
}

impl OutputLayer for Arcs {
    fn logits(&self, states: States, pass: &Pass) -> Result<Logits, ModelError> {
        let places = Places::of(pass.batch)?;
        let (arcs, relations) = self.on_host(states, &places, pass)?;
        Ok(Logits::Arcs { words: places.words.width, labels: self.labels, arcs, relations })
    }
}

fn of(batch: &Batch) -> Result<[&[i32]; 2], ModelError> {
    match &batch.targets {
        Targets::Arcs { heads, relations } => Ok([heads, relations]),
        other => Err(targets::mismatch(other, Kind::Arcs)),
    }
}

/// `[rows, size]` with a column of ones behind.
fn with_one(x: Tensor<2>) -> Tensor<2> {
    let [rows, _] = x.dims();
    let ones = Tensor::ones([rows, 1], &x.device().inner());
    ops::cat_columns([x, ones])
}
