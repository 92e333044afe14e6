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

/// Text and a new line on standard output. `println!` would panic where a pipe was closed, as `| head` does.
///
/// # Errors
/// What standard output reports; a closed pipe ends the program quietly.
pub fn print(text: impl std::fmt::Display) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}
