use random::shuffle;
use spec::Language;

use crate::DataError;

/// Batches that are sorted by length together: enough to hold similar lengths in a batch, few enough to mix well.
const WINDOW: usize = 50;

/// The order of training items, a function of the seed, the purpose, and the step alone.
///
/// Every source language gives an equal share of every batch. Where the batch does not divide evenly, the languages take
/// turns at the larger shares. In an epoch of a language each of its items occurs at most once; what does not fill whole
/// batches is left out, another part of the items every time.
#[derive(Debug)]
pub struct TrainingOrder {
    key: blake3::Hash,
    sources: Vec<Source>,
}

#[derive(Debug)]
struct Source {
    language: Language,
    lengths: Vec<usize>,
    /// Items of each step of a cycle: the turns at the larger share come round in `sources` steps.
    shares: Vec<usize>,
    /// The epoch that was arranged last: consecutive steps ask for the same one.
    arranged: Option<(u64, Vec<Vec<usize>>)>,
}

impl TrainingOrder {
    /// `sources` are the languages and the lengths of their items. `purpose` parts the orders of one seed, for example by
    /// training stage.
    ///
    /// # Errors
    /// [`DataError::Options`] if there is no source, a source without items, or a batch smaller than one item a source.
    pub fn new(
        seed: u64,
        purpose: &str,
        batch: usize,
        sources: Vec<(Language, Vec<usize>)>,
    ) -> Result<Self, DataError> {
        let count = sources.len();
        if count == 0 || batch < count {
            let message = format!("a batch of {batch} cannot hold an item of each of {count} source languages");
            return Err(DataError::options(message));
        }
        if let Some((language, _)) = sources.iter().find(|(_, lengths)| lengths.is_empty()) {
            return Err(DataError::options(format!("source language `{language}` has no training items")));
        }
        let (share, rest) = (batch / count, batch % count);
        let shares = |source: usize| {
            let cycle = if rest == 0 { 1 } else { count };
            // Step `s` gives its larger shares to the `rest` languages from `s * rest` on, round and round.
            (0..cycle).map(|step| share + usize::from((source + step * (count - rest)) % count < rest)).collect()
        };
        let source = |(index, (language, lengths))| Source { language, lengths, shares: shares(index), arranged: None };
        let mut key = blake3::Hasher::new();
        key.update(b"lethe training order 1\n").update(&seed.to_le_bytes()).update(purpose.as_bytes());
        let sources = sources.into_iter().enumerate().map(source).collect();
        Ok(Self { key: key.finalize(), sources })
    }

    /// Items of one step (from 0), language by language in the order given to [`Self::new`].
    pub fn sub_batches(&mut self, step: u64) -> Vec<(Language, Vec<usize>)> {
        let key = self.key;
        self.sources.iter_mut().map(|source| (source.language, source.items(&key, step))).collect()
    }

    /// Steps after which every language has gone through at least one epoch.
    pub fn steps_per_epoch(&self) -> u64 {
        self.sources.iter().map(Source::steps).max().unwrap_or(0)
    }

    /// Share of padding among the tokens of the first epoch's sub-batches, `0.0..1.0`.
    pub fn padding_share(&mut self) -> f64 {
        let mut tokens = (0, 0);
        for step in 0..self.steps_per_epoch() {
            let batches = self.sub_batches(step);
            for ((_, items), source) in batches.iter().zip(&self.sources) {
                let (real, padded) = count(items, &source.lengths);
                tokens = (tokens.0 + real, tokens.1 + padded);
            }
        }
        1.0 - tokens.0 as f64 / tokens.1.max(1) as f64
    }
}

impl Source {
    fn cycles(&self) -> usize {
        (self.lengths.len() / self.shares.iter().sum::<usize>()).max(1)
    }

    fn steps(&self) -> u64 {
        (self.cycles() * self.shares.len()) as u64
    }

    fn items(&mut self, key: &blake3::Hash, step: u64) -> Vec<usize> {
        let (epoch, index) = (step / self.steps(), (step % self.steps()) as usize);
        match &self.arranged {
            Some((arranged, batches)) if *arranged == epoch => batches[index].clone(),
            _ => {
                let batches = self.arrange(key, epoch);
                let items = batches[index].clone();
                self.arranged = Some((epoch, batches));
                items
            }
        }
    }

    /// The batches of an epoch: items in random order, sorted by length within windows, cut, and the batches of each size
    /// shuffled among themselves.
    fn arrange(&self, key: &blake3::Hash, epoch: u64) -> Vec<Vec<usize>> {
        let mut seed = blake3::Hasher::new_keyed(key.as_bytes());
        seed.update(self.language.code().as_bytes()).update(&epoch.to_le_bytes());
        let mut random = random::keyed(*seed.finalize().as_bytes());

        let (cycles, cycle) = (self.cycles(), self.shares.iter().sum::<usize>());
        let mut items: Vec<usize> = Vec::with_capacity(cycles * cycle);
        // More than one round only where the language has fewer items than one cycle takes.
        while items.len() < cycles * cycle {
            let mut round: Vec<usize> = (0..self.lengths.len()).collect();
            shuffle(&mut random, &mut round);
            items.extend(round);
        }
        items.truncate(cycles * cycle);
        let window = cycle * WINDOW.div_ceil(self.shares.len());
        // Not where items repeat: sorting would put the copies of one item into one batch.
        if self.lengths.len() >= cycle {
            for window in items.chunks_mut(window) {
                window.sort_by_key(|&item| self.lengths[item]);
            }
        }
        let mut left = items.as_slice();
        let mut batches: Vec<Vec<usize>> = Vec::with_capacity(cycles * self.shares.len());
        for &share in self.shares.iter().cycle().take(cycles * self.shares.len()) {
            let (batch, rest) = left.split_at(share);
            batches.push(batch.to_vec());
            left = rest;
        }
        let mut sizes: Vec<usize> = self.shares.clone();
        sizes.sort_unstable();
        sizes.dedup();
        for size in sizes {
            let places: Vec<usize> = (0..batches.len()).filter(|&index| batches[index].len() == size).collect();
            let mut order = places.clone();
            shuffle(&mut random, &mut order);
            let moved: Vec<Vec<usize>> = order.iter().map(|&from| batches[from].clone()).collect();
            for (place, batch) in places.into_iter().zip(moved) {
                batches[place] = batch;
            }
        }
        batches
    }
}

/// Batches for measuring: items of similar length together, shortest first, at most `token_budget` tokens a batch with
/// padding (a longer item has a batch to itself). Every item occurs once; who asks restores the order.
pub fn evaluation_batches(lengths: &[usize], token_budget: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|&item| lengths[item]);
    let mut batches: Vec<Vec<usize>> = Vec::new();
    for item in order {
        match batches.last_mut() {
            // The new item is the longest so far.
            Some(batch) if (batch.len() + 1) * lengths[item] <= token_budget => batch.push(item),
            _ => batches.push(vec![item]),
        }
    }
    batches
}

/// Share of padding among the tokens of padded batches, `0.0..1.0`.
pub fn padding_share(batches: &[Vec<usize>], lengths: &[usize]) -> f64 {
    let add = |sum: (usize, usize), (real, padded): (usize, usize)| (sum.0 + real, sum.1 + padded);
    let (real, padded) = batches.iter().map(|items| count(items, lengths)).fold((0, 0), add);
    1.0 - real as f64 / padded.max(1) as f64
}

/// Tokens of a batch without and with padding.
fn count(items: &[usize], lengths: &[usize]) -> (usize, usize) {
    let longest = items.iter().map(|&item| lengths[item]).max().unwrap_or(0);
    (items.iter().map(|&item| lengths[item]).sum(), items.len() * longest)
}
