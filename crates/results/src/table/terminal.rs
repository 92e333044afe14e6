use comfy_table::{Attribute, Cell, CellAlignment, ContentArrangement, LineStyle, TableStyle};

use super::{Table, plain};

impl Table {
    /// Aligned text at most `width` columns wide, cut into blocks of columns where it is wider. Colours (escape
    /// sequences) only if asked for.
    pub fn terminal(&self, width: usize, color: bool) -> String {
        let widths: Vec<usize> = self
            .drawn(&(0..self.header.len()).collect::<Vec<_>>(), false)
            .column_max_content_widths()
            .into_iter()
            .map(usize::from)
            .collect();
        let mut text = format!("{}\n", plain(&self.title));
        for columns in blocks(&widths, self.labels, width) {
            text.push_str(&self.drawn(&columns, color).trim_fmt());
            text.push('\n');
        }
        for note in &self.notes {
            text.push_str(&wrap(note, width));
        }
        text
    }

    fn drawn(&self, columns: &[usize], color: bool) -> comfy_table::Table {
        let cell = |column: usize, text: &str| {
            let side = if column < self.labels { CellAlignment::Left } else { CellAlignment::Right };
            Cell::new(plain(text)).set_alignment(side)
        };
        let mut table = comfy_table::Table::new();
        let rule = LineStyle::none().fill('─').junction('─');
        table.load_style(TableStyle::new().top_border(rule).header_separator(rule).bottom_border(rule));
        table.set_content_arrangement(ContentArrangement::Disabled);
        if color {
            table.enforce_styling();
        } else {
            table.force_no_tty();
        }
        table.set_header(columns.iter().map(|&at| {
            let head = cell(at, self.header.get(at).map_or("", String::as_str));
            if color { head.add_attribute(Attribute::Bold) } else { head }
        }));
        for row in &self.rows {
            table.add_row(columns.iter().map(|&at| cell(at, row.get(at).map_or("", String::as_str))));
        }
        table.column_iter_mut().for_each(|column| {
            column.set_padding((0, 1));
        });
        table
    }
}

/// Column numbers of each block: the label columns, then an even share of the others, in as few blocks as fit.
fn blocks(widths: &[usize], labels: usize, width: usize) -> Vec<Vec<usize>> {
    // A space on the right of every cell, and one between columns.
    let taken = |columns: &[usize]| columns.iter().map(|&at| widths[at] + 2).sum::<usize>();
    let (names, values): (Vec<usize>, Vec<usize>) = (0..widths.len()).partition(|&at| at < labels);
    let room = width.saturating_sub(taken(&names));
    for count in 1..=values.len() {
        let share = values.len().div_ceil(count);
        let parts: Vec<&[usize]> = values.chunks(share).collect();
        if share == 1 || parts.iter().all(|part| taken(part) <= room) {
            return parts.into_iter().map(|part| names.iter().chain(part).copied().collect()).collect();
        }
    }
    vec![names]
}

/// A note as a list item, broken between words, with a hanging indent.
pub(crate) fn wrap(note: &str, width: usize) -> String {
    let mut lines = vec!["- ".to_owned()];
    for word in plain(note).split(' ').filter(|word| !word.is_empty()) {
        let Some(line) = lines.last_mut() else { break };
        let started = line.len() > 2;
        if started && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(format!("  {word}"));
        } else {
            line.push_str(if started { " " } else { "" });
            line.push_str(word);
        }
    }
    lines.join("\n") + "\n"
}
