use super::{Table, plain};

impl Table {
    /// A GitHub-style table under its title in bold, with the notes as a list.
    pub fn markdown(&self) -> String {
        let line = |cells: &[String]| {
            let cells: Vec<String> = cells.iter().map(|cell| escape(cell)).collect();
            format!("| {} |\n", cells.join(" | "))
        };
        let rule: Vec<&str> =
            (0..self.header.len()).map(|column| if column < self.labels { "---" } else { "---:" }).collect();
        let mut text = format!("**{}**\n\n{}| {} |\n", escape(&self.title), line(&self.header), rule.join(" | "));
        text.extend(self.rows.iter().map(|row| line(row)));
        if !self.notes.is_empty() {
            text.push('\n');
        }
        text.extend(self.notes.iter().map(|note| list_item(note)));
        text
    }
}

/// Text that Markdown shows as it is, inside a line.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in plain(text).chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' | '!' => escaped.extend(['\\', c]),
            c => escaped.push(c),
        }
    }
    escaped
}

/// As [`escape`], and nothing at the start makes a heading or a list.
pub(crate) fn list_item(text: &str) -> String {
    let text = escape(text);
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (start, rest) = text.split_at(digits);
    let marks = if digits == 0 { ['#', '+', '-', '='].as_slice() } else { ['.', ')'].as_slice() };
    if rest.starts_with(marks) { format!("- {start}\\{rest}\n") } else { format!("- {text}\n") }
}
