//! Tables of hostile text in every format.

use proptest::prelude::*;
use results::Table;

fn table(cell: &str) -> Table {
    let mut table = Table::new("title", 1, ["name", "value"]);
    table.push([cell, "1.0"]);
    table
}

/// The first cell of the only row of a CSV table, read back after RFC 4180.
fn csv_cell(text: &str) -> String {
    let line = text.strip_prefix("name,value\r\n").unwrap().strip_suffix(",1.0\r\n").unwrap();
    match line.strip_prefix('"').and_then(|line| line.strip_suffix('"')) {
        Some(quoted) => quoted.replace("\"\"", "\""),
        None => line.to_owned(),
    }
}

#[test]
fn csv_is_quoted_and_starts_no_formula() {
    for (cell, expected) in [
        ("plain", "plain"),
        ("a,b", "a,b"),
        ("say \"no\"", "say \"no\""),
        ("two\nlines", "two lines"),
        ("=1+1", "'=1+1"),
        ("@sum", "'@sum"),
        ("\t=1", "'=1"),
        ("-cmd", "'-cmd"),
        ("-1.5", "-1.5"),
        ("+2e-3", "+2e-3"),
    ] {
        assert_eq!(csv_cell(&table(cell).csv()), expected, "{cell:?}");
    }
}

#[test]
fn every_format_keeps_text_from_acting() {
    let hostile = "\u{1b}[31mred\u{1b}]0;title\u{7} a|b <script> `x` [l](u) \\input{f} $x$ 50% \u{202e}rtl \u{9b}2Jend";
    let text = "red a|b <script> `x` [l](u) \\input{f} $x$ 50% rtl end";
    assert_eq!(csv_cell(&table(hostile).csv()), text);
    assert!(table(hostile).terminal(200, false).contains(text));
    let markdown = table(hostile).markdown();
    assert!(
        markdown.contains("red a\\|b &lt;script&gt; \\`x\\` \\[l\\](u) \\\\input{f} \\$x\\$ 50% rtl end"),
        "{markdown}"
    );
    let latex = table(hostile).latex();
    let set = "red a|b \\textless{}script\\textgreater{} \\textasciigrave{}x\\textasciigrave{} {[}l{]}(u) \
               \\textbackslash{}input\\{f\\} \\$x\\$ 50\\% rtl end";
    assert!(latex.contains(set), "{latex}");
    let mut noted = table("x");
    noted.notes = ["# no heading", "1. no list", "- no list", "2.5 is fine"].map(str::to_owned).to_vec();
    assert!(noted.markdown().ends_with("- \\# no heading\n- 1\\. no list\n- \\- no list\n- 2\\.5 is fine\n"));
}

#[test]
fn a_wide_table_is_cut_into_blocks_that_fit_and_repeat_the_names() {
    let languages: Vec<String> = (0..40).map(|at| format!("l{at}")).collect();
    let mut table = Table::new("wide", 1, std::iter::once("method".to_owned()).chain(languages));
    table.push(std::iter::once("ft".to_owned()).chain((0..40).map(|at| format!("{at}.5 ±2.3"))));
    for width in [40, 80, 100, 120] {
        let text = table.terminal(width, false);
        assert!(text.lines().all(|line| line.chars().count() <= width), "{width}:\n{text}");
        let blocks = text.lines().filter(|line| line.starts_with("ft ")).count();
        assert_eq!(blocks, text.matches("method").count());
        assert!(blocks > 1);
        assert!((0..40).all(|at| text.contains(&format!(" {at}.5 ±2.3"))), "{width}:\n{text}");
    }
    // Too narrow for anything: a column a block rather than nothing.
    assert_eq!(table.terminal(5, false).matches("method").count(), 40);
}

#[test]
fn columns_are_aligned_by_the_width_of_characters() {
    let mut table = Table::new("t", 1, ["name", "value"]);
    table.push(["中文", "1.0"]);
    table.push(["abcd", "10.0"]);
    let text = table.terminal(80, false);
    let lines: Vec<&str> = text.lines().filter(|line| line.ends_with('0')).collect();
    assert_eq!(lines, ["中文    1.0", "abcd   10.0"]);
}

#[test]
fn colours_only_if_asked_for() {
    assert!(!table("x").terminal(80, false).contains('\u{1b}'));
    assert!(table("x").terminal(80, true).contains('\u{1b}'));
}

proptest! {
    #[test]
    fn any_text_stays_one_cell(cell in any::<String>()) {
        let table = table(&cell);
        let row = csv_cell(&table.csv());
        prop_assert!(!row.chars().any(char::is_control));
        prop_assert!(!row.starts_with(['=', '@']));
        prop_assert_eq!(table.markdown().lines().count(), 5);
        prop_assert_eq!(table.latex().lines().count(), 11);
        for text in [table.terminal(100, false), table.markdown(), table.latex()] {
            prop_assert!(!text.chars().any(|c| c.is_control() && c != '\n'));
        }
        let unescaped = table.markdown().replace("\\|", "").replace("\\\\", "");
        prop_assert_eq!(unescaped.lines().nth(4).unwrap().matches('|').count(), 3);
    }
}
