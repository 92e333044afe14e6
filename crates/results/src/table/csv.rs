use super::{Table, plain};

impl Table {
    /// Header and rows after RFC 4180; title and notes are left out. No cell starts a formula in a spreadsheet.
    pub fn csv(&self) -> String {
        let line = |row: &Vec<String>| row.iter().map(|cell| field(cell)).collect::<Vec<_>>().join(",") + "\r\n";
        std::iter::once(&self.header).chain(&self.rows).map(line).collect()
    }
}

/// A cell cleaned, made harmless and quoted where needed. Spreadsheets run text that starts with one of `= + - @`;
/// an apostrophe before it makes it text. Numbers keep their sign.
fn field(cell: &str) -> String {
    let mut text = plain(cell);
    if text.starts_with(['=', '+', '-', '@']) && text.parse::<f64>().is_err() {
        text.insert(0, '\'');
    }
    if text.contains([',', '"']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}
