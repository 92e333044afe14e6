use super::{Table, plain};

impl Table {
    /// A `table` with rules of the `booktabs` package, which the document has to load.
    pub fn latex(&self) -> String {
        let line = |cells: &[String]| {
            let cells: Vec<String> = cells.iter().map(|cell| escape(cell)).collect();
            format!("{} \\\\\n", cells.join(" & "))
        };
        let columns: String =
            (0..self.header.len()).map(|column| if column < self.labels { 'l' } else { 'r' }).collect();
        let mut text = format!(
            "\\begin{{table}}\n\\centering\n\\caption{{{}}}\n\\begin{{tabular}}{{{columns}}}\n\\toprule\n{}\\midrule\n",
            escape(&self.title),
            line(&self.header),
        );
        text.extend(self.rows.iter().map(|row| line(row)));
        text.push_str("\\bottomrule\n\\end{tabular}\n");
        text.extend(self.notes.iter().map(|note| format!("\\par\\footnotesize {}\n", escape(note))));
        text.push_str("\\end{table}\n");
        text
    }
}

/// Text that LaTeX sets as it is; no command of the text is run.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in plain(text).chars() {
        match c {
            '\\' => escaped.push_str("\\textbackslash{}"),
            '{' | '}' | '$' | '&' | '#' | '%' | '_' => escaped.extend(['\\', c]),
            '~' => escaped.push_str("\\textasciitilde{}"),
            '^' => escaped.push_str("\\textasciicircum{}"),
            '<' => escaped.push_str("\\textless{}"),
            '>' => escaped.push_str("\\textgreater{}"),
            '`' => escaped.push_str("\\textasciigrave{}"),
            '[' => escaped.push_str("{[}"),
            ']' => escaped.push_str("{]}"),
            '±' => escaped.push_str("$\\pm$"),
            '—' => escaped.push_str("---"),
            '†' => escaped.push_str("\\textdagger{}"),
            c => escaped.push(c),
        }
    }
    escaped
}
