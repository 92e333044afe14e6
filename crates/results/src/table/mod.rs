//! A table of text with a title and notes, in the formats that people paste.

mod csv;
mod latex;
mod markdown;
mod safe;
mod terminal;

pub(crate) use latex::escape as latex_escape;
pub(crate) use markdown::{escape as markdown_escape, list_item as markdown_item};
pub(crate) use safe::plain;
pub(crate) use terminal::wrap;

/// Rows of text under a header. Text may come from anywhere: every format cleans and escapes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    pub title: String,
    pub header: Vec<String>,
    pub rows: Vec<Vec<String>>,
    /// Leading columns that name a row: left-aligned, and repeated where a table is cut to fit a terminal. The others
    /// are right-aligned.
    pub labels: usize,
    /// Printed below, in order.
    pub notes: Vec<String>,
}

impl Table {
    pub fn new(title: impl Into<String>, labels: usize, header: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let header = header.into_iter().map(Into::into).collect();
        Self { title: title.into(), header, rows: Vec::new(), labels, notes: Vec::new() }
    }

    /// Adds a row; cells that are missing stay empty, cells beyond the header are dropped.
    pub fn push(&mut self, row: impl IntoIterator<Item = impl Into<String>>) {
        let mut row: Vec<String> = row.into_iter().map(Into::into).collect();
        row.resize(self.header.len(), String::new());
        self.rows.push(row);
    }
}
