//! Rows as columns of text for a terminal.

use std::fmt::Write as _;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use textwrap::core::display_width;

const NULL: &str = "NULL";

/// Characters of a rule at most: below the plans of EXPLAIN a longer one would fill lines of the terminal.
const LONGEST_RULE: usize = 100;

/// Octets of a cell that are shown: as many as a SHA-256. More would fill the terminal with one row; the other formats have all.
const MOST_OCTETS: usize = 32;

/// A header, a rule, and a line for each row; cells of several lines, as EXPLAIN has them, take as many.
pub(crate) fn text(schema: &SchemaRef, batches: &[RecordBatch]) -> Result<String, ArrowError> {
    let mut columns: Vec<Vec<Vec<String>>> = vec![Vec::new(); schema.fields().len()];
    for batch in batches {
        for (cells_of, column) in columns.iter_mut().zip(batch.columns()) {
            let cells = match column.as_binary_opt::<i32>() {
                Some(octets) => octets.iter().map(|octets| octets.map(octets_text)).collect(),
                None => cells(column)?,
            };
            cells_of.extend(cells.iter().map(|cell| lines(cell.as_deref().unwrap_or(NULL))));
        }
    }
    let names: Vec<String> = schema.fields().iter().map(|field| harmless(field.name())).collect();
    let widths = columns.iter().zip(&names).map(|(cells, name)| {
        let of_cells = cells.iter().flatten().map(|line| display_width(line));
        of_cells.chain([display_width(name)]).max().unwrap_or(0)
    });
    let widths: Vec<usize> = widths.collect();
    let is_right: Vec<bool> = schema
        .fields()
        .iter()
        .map(|field| field.data_type().is_numeric())
        .collect();

    let mut out = String::new();
    let line = |out: &mut String, cells: Vec<&str>| {
        let mut line = String::new();
        for (at, cell) in cells.into_iter().enumerate() {
            let gap = " ".repeat(widths[at] - display_width(cell));
            let (before, after) = if is_right[at] {
                (gap.as_str(), "")
            } else {
                ("", gap.as_str())
            };
            let _ = write!(line, "{}{before}{cell}{after}", if at > 0 { "  " } else { "" });
        }
        out.push_str(line.trim_end());
        out.push('\n');
    };
    line(&mut out, names.iter().map(String::as_str).collect());
    let rules: Vec<String> = widths
        .iter()
        .map(|width| "-".repeat((*width).min(LONGEST_RULE)))
        .collect();
    line(&mut out, rules.iter().map(String::as_str).collect());
    for row in 0..columns.first().map_or(0, Vec::len) {
        let height = columns.iter().map(|cells| cells[row].len()).max().unwrap_or(0);
        for at in 0..height {
            let cell = |cells: &'_ Vec<Vec<String>>| -> String { cells[row].get(at).cloned().unwrap_or_default() };
            let cells: Vec<String> = columns.iter().map(cell).collect();
            line(&mut out, cells.iter().map(String::as_str).collect());
        }
    }
    Ok(out)
}

/// The cells of a column as texts; `None` for null. The elements of a list are divided by commas.
pub(crate) fn cells(column: &ArrayRef) -> Result<Vec<Option<String>>, ArrowError> {
    if let DataType::List(_) = column.data_type() {
        let lists = column.as_list::<i32>();
        let list = |list: Option<ArrayRef>| -> Result<Option<String>, ArrowError> {
            let Some(list) = list else { return Ok(None) };
            let elements = cells(&list)?.into_iter();
            let elements: Vec<String> = elements
                .map(|element| element.unwrap_or_else(|| NULL.to_owned()))
                .collect();
            Ok(Some(elements.join(", ")))
        };
        return lists.iter().map(list).collect();
    }
    let options = FormatOptions::default();
    let formatter = ArrayFormatter::try_new(column, &options)?;
    let cell = |at: usize| {
        column
            .is_valid(at)
            .then(|| formatter.value(at).try_to_string())
            .transpose()
    };
    (0..column.len()).map(cell).collect()
}

/// Octets in hexadecimal digits, the first of many and how many there are.
fn octets_text(octets: &[u8]) -> String {
    let mut text: String = (octets.iter().take(MOST_OCTETS))
        .map(|octet| format!("{octet:02x}"))
        .collect();
    if octets.len() > MOST_OCTETS {
        let _ = write!(text, "… ({} octets)", octets.len());
    }
    text
}

fn lines(cell: &str) -> Vec<String> {
    cell.lines().map(harmless).collect()
}

/// The text without what would move the cursor or turn the direction of writing: what is shown came from anywhere.
fn harmless(text: &str) -> String {
    let is_harmful =
        |letter: char| letter.is_control() || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match is_harmful(letter) {
            true => out.extend(letter.escape_unicode()),
            false => out.push(letter),
        }
    }
    out
}
