//! Answers as a table for people.

use std::fmt::Write as _;

use jiff::Timestamp;
use lake::passive::{SeenRecord, SeenRrset, Summary};
use model::{Name, SeenIn, rdata_text};

/// One answer: its times, how often, name, type, and data, one line for each record.
pub struct Row {
    times: [String; 2],
    count: String,
    name: String,
    rtype: String,
    data: Vec<String>,
}

/// An RRset.
pub fn of_rrset(seen: &SeenRrset) -> Row {
    let rrset = &seen.rrset;
    let mut data: Vec<String> = rrset.rdata.iter().map(|rdata| rdata_text(rrset.rtype, rdata)).collect();
    if let Some(first) = data.first_mut() {
        let _ = write!(first, "{}", in_zone_file(rrset.seen_in));
    }
    row(rrset.first, rrset.last, rrset.count, &rrset.name, &rrset.rtype, data)
}

/// A record.
pub fn of_record(seen: &SeenRecord) -> Row {
    let data = format!("{}{}", rdata_text(seen.rtype, &seen.rdata), in_zone_file(seen.seen_in));
    row(seen.first, seen.last, seen.count, &seen.name, &seen.rtype, vec![data])
}

fn in_zone_file(seen_in: SeenIn) -> &'static str {
    match seen_in {
        SeenIn::Wire => "",
        SeenIn::ZoneFile => "  (zone file)",
    }
}

fn row(first: Timestamp, last: Timestamp, count: u64, name: &Name, rtype: &measure::Rtype, data: Vec<String>) -> Row {
    Row {
        times: [minute(first), minute(last)],
        count: count.to_string(),
        name: name.to_string(),
        rtype: rtype.to_string(),
        data,
    }
}

fn minute(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M").to_string()
}

/// Widest name that all others are lined up with: one long name must not push all data off the screen.
const NAME_WIDTH: usize = 40;

/// All rows, under the names of the columns; nothing without rows.
pub fn text(rows: &[Row]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let widest = |width: &dyn Fn(&Row) -> usize, most: usize, least: usize| {
        rows.iter()
            .map(width)
            .filter(|width| *width <= most)
            .max()
            .unwrap_or(most)
            .max(least)
    };
    let name = widest(&|row| row.name.len(), NAME_WIDTH, 4);
    let rtype = widest(&|row| row.rtype.len(), 12, 4);
    let count = widest(&|row| row.count.len(), 20, 5);
    let mut text = format!(
        "{:<16}  {:<16}  {:>count$}  {:<name$}  {:<rtype$}  Data\n",
        "First seen, UTC", "Last seen, UTC", "Count", "Name", "Type"
    );
    for row in rows {
        let [first, last] = &row.times;
        let head = format!(
            "{first}  {last}  {:>count$}  {:<name$}  {:<rtype$}  ",
            row.count, row.name, row.rtype
        );
        // further records stand below the first
        let blank = " ".repeat(16 + 2 + 16 + 2 + count + 2 + name + 2 + rtype + 2);
        for (at, data) in row.data.iter().enumerate() {
            let _ = writeln!(text, "{}{data}", if at == 0 { &head } else { &blank });
        }
    }
    text
}

/// A summary in a few lines.
pub fn of_summary(summary: &Summary) -> String {
    let mut text = format!("{} answers, seen {} times\n", summary.answers, summary.count);
    for (place, times) in [("on the wire", summary.wire), ("in zone files", summary.zone_file)] {
        if let Some((first, last)) = times {
            let _ = writeln!(text, "{place}: {} to {} UTC", minute(first), minute(last));
        }
    }
    text
}
