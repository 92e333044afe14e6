//! Vectors that are zero outside of some rows of a table: gradients of embeddings, which touch the rows of a batch's tokens.

use rayon::prelude::*;

use crate::error::{KernelError, check};

/// A table `[rows, hidden]` that is zero outside of some rows.
#[derive(Debug, Clone, PartialEq)]
pub struct RowSparse {
    /// Width of a row.
    pub hidden: usize,
    /// Rows of the table, ascending, each once.
    pub rows: Vec<u32>,
    /// `[rows.len(), hidden]`
    pub values: Vec<f32>,
}

/// A vector, in whichever form it is kept.
#[derive(Debug, Clone, Copy)]
pub enum Vector<'a> {
    Dense(&'a [f32]),
    Rows(&'a RowSparse),
}

/// A row that two tables have, and the values of each.
pub(crate) type Shared<'a> = (u32, &'a [f32], &'a [f32]);

impl RowSparse {
    /// Each row and its values.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &[f32])> {
        self.rows.iter().copied().zip(self.values.chunks_exact(self.hidden.max(1)))
    }

    /// The values as a whole table of `len` elements.
    ///
    /// # Errors
    /// When a row is outside of the table.
    pub fn to_dense(&self, len: usize) -> Result<Vec<f32>, KernelError> {
        let mut dense = vec![0.0; len];
        self.add_to(&mut dense, 1.0)?;
        Ok(dense)
    }

    /// `dense += weight · self`.
    ///
    /// # Errors
    /// When a row is outside of the table.
    pub fn add_to(&self, dense: &mut [f32], weight: f32) -> Result<(), KernelError> {
        self.check_inside(dense.len())?;
        for (row, values) in self.iter() {
            for (sum, x) in dense[row as usize * self.hidden..][..self.hidden].iter_mut().zip(values) {
                *sum += x * weight;
            }
        }
        Ok(())
    }

    /// The same rows with other values, from each value.
    pub fn map(&self, value: impl Fn(f32) -> f32) -> Self {
        Self { hidden: self.hidden, rows: self.rows.clone(), values: self.values.iter().map(|&x| value(x)).collect() }
    }

    /// The elementwise product.
    ///
    /// # Errors
    /// When the tables differ in width or a row is outside of the other table.
    pub fn multiply(&self, other: Vector) -> Result<Self, KernelError> {
        let mut product = Self { hidden: self.hidden, rows: Vec::new(), values: Vec::new() };
        for (row, a, b) in self.shared(other)? {
            product.rows.push(row);
            product.values.extend(a.iter().zip(b).map(|(a, b)| a * b));
        }
        Ok(product)
    }

    /// `Σ weight · term` over the union of their rows; each element is added up in the terms' order.
    ///
    /// # Errors
    /// When there is no term or they differ in width.
    pub fn combine(terms: &[(&Self, f32)]) -> Result<Self, KernelError> {
        let Some((first, _)) = terms.first() else { return Err(KernelError::Empty { size: "terms" }) };
        let hidden = first.hidden;
        for (term, _) in terms {
            check("row", term.hidden, &[hidden])?;
            check("values", term.values.len(), &[term.rows.len(), hidden])?;
        }
        // By row, then by term.
        let mut parts: Vec<(u32, usize, usize)> = Vec::new();
        for (which, (term, _)) in terms.iter().enumerate() {
            parts.extend(term.rows.iter().enumerate().map(|(place, &row)| (row, which, place)));
        }
        parts.sort_unstable();
        let groups: Vec<&[(u32, usize, usize)]> = parts.chunk_by(|a, b| a.0 == b.0).collect();
        let mut values = vec![0.0; groups.len() * hidden];
        let sums = values.par_chunks_mut(hidden.max(1)).zip(groups.par_iter()).with_min_len(64);
        sums.for_each(|(sum, group)| {
            for (index, &(_, which, place)) in group.iter().enumerate() {
                let (term, weight) = terms[which];
                let term = term.values[place * hidden..][..hidden].iter().map(|x| x * weight);
                match index {
                    0 => sum.iter_mut().zip(term).for_each(|(sum, x)| *sum = x),
                    _ => sum.iter_mut().zip(term).for_each(|(sum, x)| *sum += x),
                }
            }
        });
        Ok(Self { hidden, rows: groups.iter().map(|group| group[0].0).collect(), values })
    }

    /// The rows that both have, with the values of each.
    pub(crate) fn shared<'a>(&'a self, other: Vector<'a>) -> Result<Vec<Shared<'a>>, KernelError> {
        match other {
            Vector::Dense(dense) => {
                self.check_inside(dense.len())?;
                let row_of = |row: u32| &dense[row as usize * self.hidden..][..self.hidden];
                Ok(self.iter().map(|(row, values)| (row, values, row_of(row))).collect())
            }
            Vector::Rows(other) => {
                check("row", other.hidden, &[self.hidden])?;
                let mut others = other.iter().peekable();
                let mut shared = Vec::new();
                for (row, a) in self.iter() {
                    while others.next_if(|(other, _)| *other < row).is_some() {}
                    if let Some((_, b)) = others.next_if(|(other, _)| *other == row) {
                        shared.push((row, a, b));
                    }
                }
                Ok(shared)
            }
        }
    }

    /// Refuses rows outside of a table of `len` elements, and values that do not fill the rows.
    pub(crate) fn check_inside(&self, len: usize) -> Result<(), KernelError> {
        check("values", self.values.len(), &[self.rows.len(), self.hidden])?;
        let rows = len / self.hidden.max(1);
        match self.rows.iter().position(|&row| row as usize >= rows) {
            Some(position) => Err(KernelError::Id { position, id: self.rows[position], rows }),
            None => Ok(()),
        }
    }
}
