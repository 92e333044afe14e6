//! The best dependency tree of a sentence, from a score of every possible arc.
//!
//! Chu & Liu, "On the Shortest Arborescence of a Directed Graph", Scientia Sinica 14, 1965; Edmonds, "Optimum Branchings",
//! Journal of Research of the National Bureau of Standards 71B, 1967; in the order of Gabow, Galil, Spencer & Tarjan,
//! Combinatorica 6, 1986, which grows one path and contracts each cycle that closes on it, in O(words²).
//!
//! Exactly one word hangs on the root, as the official script of the CoNLL 2018 shared task demands. A tree of the
//! largest score is looked for among those with the fewest arcs of the root, which is to compare arcs first by whether
//! they leave the root and then by score. Chu-Liu/Edmonds holds for any such order. In this one the root is the head of
//! last resort: it is chosen only where no other word is left, which is when all words have become one group. So words
//! are contracted into one group by the arcs between them alone, and then the best arc of the root enters it.

use thiserror::Error;

/// Scores of arcs that no tree can be built from. Words count from 1.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum SpanningTreeError {
    #[error("a sentence without words has no tree")]
    NoWords,
    #[error("the arcs of {words} words have {expected} scores, not {found}")]
    Shape { words: usize, expected: usize, found: usize },
    #[error("the score of head {head} for word {word} is {value}, not a finite number")]
    NotFinite { word: usize, head: usize, value: f32 },
}

/// The head of each word in the tree with the largest sum of scores among all trees with exactly one word on the root.
///
/// `scores` are `[words, words + 1]`, row-major: row i are the scores of the heads of word i + 1, where head 0 is the root
/// and head k is word k. A word's score as its own head is not looked at. Heads are numbered likewise.
///
/// Sums are in f64, exact where the scores are whole numbers. Of several such trees it is [`greedy_heads`] if that is one;
/// else the one that comes of following, among equal arcs, that of the lower-numbered head, and of arcs into the members
/// of a cycle that of the member met first. So it depends on the scores alone.
///
/// # Errors
/// [`SpanningTreeError`]: no words, a number of scores that does not belong to the number of words, a score that is not finite.
pub fn maximum_spanning_tree(scores: &[f32], words: usize) -> Result<Vec<usize>, SpanningTreeError> {
    let heads = greedy_heads(scores, words)?;
    Ok(if is_tree(&heads) { heads } else { contracted(scores, words) })
}

/// The best head of each word on its own, the first of equals: not always a tree. Shapes are those of
/// [`maximum_spanning_tree`].
///
/// # Errors
/// As [`maximum_spanning_tree`].
pub fn greedy_heads(scores: &[f32], words: usize) -> Result<Vec<usize>, SpanningTreeError> {
    check(scores, words)?;
    let rows = scores.chunks_exact(words + 1).enumerate();
    Ok(rows
        .map(|(row, scores)| first_largest((0..=words).filter(|&head| head != row + 1), |head| scores[head]))
        .collect())
}

fn check(scores: &[f32], words: usize) -> Result<(), SpanningTreeError> {
    if words == 0 {
        return Err(SpanningTreeError::NoWords);
    }
    let expected = words.saturating_add(1).saturating_mul(words);
    if scores.len() != expected {
        return Err(SpanningTreeError::Shape { words, expected, found: scores.len() });
    }
    let odd = |(place, value): (usize, &f32)| {
        let (word, head) = (place / (words + 1) + 1, place % (words + 1));
        (word != head && !value.is_finite()).then_some(SpanningTreeError::NotFinite { word, head, value: *value })
    };
    scores.iter().enumerate().find_map(odd).map_or(Ok(()), Err)
}

/// The first place with the largest value; there must be one.
fn first_largest<T: PartialOrd>(mut places: impl Iterator<Item = usize>, value: impl Fn(usize) -> T) -> usize {
    let mut best = places.next().expect("every word has a head to choose");
    for place in places {
        if value(place) > value(best) {
            best = place;
        }
    }
    best
}

/// Whether one word hangs on the root and all others on it.
fn is_tree(heads: &[usize]) -> bool {
    if heads.iter().filter(|&&head| head == 0).count() != 1 {
        return false;
    }
    // The word from which a word was first passed on the way up; the root counts as passed before all.
    let mut passed = vec![usize::MAX; heads.len() + 1];
    passed[0] = 0;
    (1..=heads.len()).all(|word| {
        let mut place = word;
        while passed[place] == usize::MAX {
            passed[place] = word;
            place = heads[place - 1];
        }
        passed[place] < word
    })
}

/// Arcs between groups of words, groups being words or contracted cycles. A group is known by one of its words, from 0.
struct Groups {
    /// `[words, words + 1]`, as the scores: the best arc from a word of one group (0: the root) to a word of another,
    /// less what the arcs within that other group lose by it.
    weights: Vec<f64>,
    /// The same arc's place in the scores.
    arcs: Vec<usize>,
    columns: usize,
    /// The groups that are part of no other, in ascending order.
    outermost: Vec<usize>,
}

impl Groups {
    fn new(scores: &[f32], words: usize) -> Self {
        Self {
            weights: scores.iter().map(|&score| f64::from(score)).collect(),
            arcs: (0..scores.len()).collect(),
            columns: words + 1,
            outermost: (0..words).collect(),
        }
    }

    /// The place of the arc from a group to another.
    fn place(&self, dependent: usize, head: usize) -> usize {
        dependent * self.columns + head + 1
    }

    fn root_place(&self, dependent: usize) -> usize {
        dependent * self.columns
    }

    fn best_head(&self, group: usize) -> usize {
        let others = self.outermost.iter().copied().filter(|&head| head != group);
        first_largest(others, |head| self.weights[self.place(group, head)])
    }

    /// Makes one group of a cycle, known by its first member. `weights` are those of the arcs that close the cycle.
    fn contract(&mut self, cycle: &[(usize, f64)]) {
        let merged = cycle[0].0;
        // An arc into the cycle takes the place of the one that leads to the same word within it.
        for &(member, weight) in cycle {
            let row = &mut self.weights[member * self.columns..][..self.columns];
            row.iter_mut().for_each(|other| *other -= weight);
        }
        self.outermost.retain(|group| cycle.iter().all(|(member, _)| member != group));
        for &(member, _) in &cycle[1..] {
            self.offer(self.root_place(merged), self.root_place(member));
            for index in 0..self.outermost.len() {
                let group = self.outermost[index];
                self.offer(self.place(merged, group), self.place(member, group));
                self.offer(self.place(group, merged), self.place(group, member));
            }
        }
        let position = self.outermost.partition_point(|&group| group < merged);
        self.outermost.insert(position, merged);
    }

    /// Keeps the better of two arcs, the one already there if they are equal.
    fn offer(&mut self, kept: usize, other: usize) {
        if self.weights[other] > self.weights[kept] {
            self.weights[kept] = self.weights[other];
            self.arcs[kept] = self.arcs[other];
        }
    }
}

/// The tree by contraction and expansion.
fn contracted(scores: &[f32], words: usize) -> Vec<usize> {
    let mut groups = Groups::new(scores, words);
    // Every group gets a number: its word's, or from `words` on in the order of contraction.
    let mut numbers: Vec<usize> = (0..words).collect();
    let mut parents = vec![usize::MAX; words];
    // The arc into each numbered group, as its place in the scores.
    let mut chosen = vec![0; words];
    // A group and the weight of the arc into it, whose head is the next on the path.
    let mut path: Vec<(usize, f64)> = Vec::new();
    let mut last = 0;
    while groups.outermost.len() > 1 {
        let head = groups.best_head(last);
        let place = groups.place(last, head);
        chosen[numbers[last]] = groups.arcs[place];
        path.push((last, groups.weights[place]));
        if let Some(begin) = path.iter().position(|(group, _)| *group == head) {
            groups.contract(&path[begin..]);
            let number = parents.len();
            path[begin..].iter().for_each(|(member, _)| parents[numbers[*member]] = number);
            parents.push(usize::MAX);
            chosen.push(0);
            numbers[head] = number;
            path.truncate(begin);
        }
        last = head;
    }
    // What enters a group enters one of its members, instead of that member's arc of the cycle.
    let top = parents.len() - 1;
    chosen[top] = groups.arcs[groups.root_place(last)];
    for number in (words..=top).rev() {
        let mut member = chosen[number] / groups.columns;
        while parents[member] != number {
            member = parents[member];
        }
        chosen[member] = chosen[number];
    }
    chosen[..words].iter().map(|arc| arc % groups.columns).collect()
}
