//! The terminal that tables are printed on.

use std::io::{self, IsTerminal, Write};

/// Columns of a table where standard output is not a terminal.
const PAPER: usize = 120;

/// Columns to fill.
pub fn width() -> usize {
    let term = console::Term::stdout();
    if term.is_term() { usize::from(term.size().1).max(40) } else { PAPER }
}

/// Whether escape sequences are welcome on standard output.
pub fn color() -> bool {
    let off = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    std::io::stdout().is_terminal() && !off && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// `1 file`, `2 files`
pub fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// Standard output took no more: its disk is full, or a pipe was closed, which ends the program quietly.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to standard output: {0}")]
pub struct Unwritable(#[source] pub io::Error);

/// Text and a new line on standard output. `println!` would panic where a pipe was closed, as `| head` does.
///
/// # Errors
/// [`Unwritable`].
pub fn print(text: impl std::fmt::Display) -> Result<(), Unwritable> {
    write(|out| writeln!(out, "{text}"))
}

/// As [`print`], with a function that writes.
///
/// # Errors
/// [`Unwritable`].
pub fn write(fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Unwritable> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    fill(&mut out).and_then(|()| out.flush()).map_err(Unwritable)
}
