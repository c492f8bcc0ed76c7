//! Receipts as text, for people.

use capture::{LinesReceipt, Receipt};
use serde::Serialize;

use crate::commands::sweep::grouped;

/// A receipt for people.
pub(super) fn table(receipt: &Receipt) -> String {
    let mut lines = vec![format!(
        "{} ({}, {})",
        receipt.input,
        word(&receipt.form),
        size(receipt.octets, receipt.compression)
    )];
    let mut line = |label: &str, text: String| lines.push(format!("  {label:10} {text}"));
    if let (Some(first), Some(last)) = (receipt.first, receipt.last) {
        line("time", format!("{first} to {last}"));
    }
    line(
        "packets",
        format!(
            "{}: {} not DNS, {} ICMP unreachable, {} TCP segments, {} fragments, {} left out{}",
            grouped(receipt.packets),
            grouped(receipt.non_dns),
            grouped(receipt.icmp_unreachable),
            grouped(receipt.tcp_segments),
            grouped(receipt.fragments),
            grouped(receipt.dropped.values().sum()),
            reasons(receipt.dropped.iter().map(|(reason, count)| (word(reason), *count)))
        ),
    );
    line(
        "messages",
        format!(
            "{}: {} queries, {} responses; {}{} malformed{}{}",
            grouped(receipt.dns_messages),
            grouped(receipt.queries),
            grouped(receipt.responses),
            without_time(receipt.undated),
            grouped(receipt.malformed_total()),
            reasons(receipt.malformed.iter().map(|(reason, count)| (word(reason), *count))),
            beyond(receipt.malformed_total() - receipt.quarantined),
        ),
    );
    line(
        "pairs",
        format!(
            "{}{}; {} queries without a response, {} responses without a query ({} duplicate, {} wrong id, {} wrong port)",
            grouped(receipt.pairs + receipt.vouched),
            of_transfers(receipt.continued),
            grouped(receipt.unmatched_queries),
            grouped(receipt.unmatched_responses),
            grouped(receipt.duplicates),
            grouped(receipt.wrong_id),
            grouped(receipt.wrong_port)
        ),
    );
    line(
        "RRsets",
        format!(
            "{} that the servers may speak for, {} out of bailiwick or not proven, {} unreadable",
            grouped(receipt.rrsets),
            grouped(receipt.out_of_bailiwick),
            grouped(receipt.unreadable_rrsets)
        ),
    );
    line("sha256", receipt.sha256.clone());
    if let Some(fault) = &receipt.fault {
        line("broken", fault.clone());
    }
    lines.join("\n")
}

/// A receipt of lines for people.
pub(super) fn table_of_lines(receipt: &LinesReceipt) -> String {
    let mut lines = vec![format!(
        "{} ({}, {})",
        receipt.input,
        word(&receipt.form),
        size(receipt.octets, receipt.compression)
    )];
    let mut line = |label: &str, text: String| lines.push(format!("  {label:10} {text}"));
    if let (Some(first), Some(last)) = (receipt.first, receipt.last) {
        line("time", format!("{first} to {last}"));
    }
    let malformed = receipt.malformed.iter().map(|(reason, lines)| {
        let reason = format!("{} from line {} on", word(reason), grouped(lines.first_line));
        (reason, lines.count)
    });
    line(
        "lines",
        format!(
            "{}: {} records, {} without one; {} malformed{}{}",
            grouped(receipt.lines),
            grouped(receipt.records),
            grouped(receipt.other_lines),
            grouped(receipt.malformed_total()),
            reasons(malformed),
            beyond(receipt.malformed_total() - receipt.quarantined),
        ),
    );
    line(
        "RRsets",
        format!(
            "{} for passive DNS, {} out of bailiwick, {} left out{}",
            grouped(receipt.rrsets),
            grouped(receipt.out_of_bailiwick),
            grouped(receipt.left_out.values().sum()),
            reasons(receipt.left_out.iter().map(|(reason, count)| (word(reason), *count)))
        ),
    );
    line("sha256", receipt.sha256.clone());
    if let Some(fault) = &receipt.fault {
        line("broken", fault.clone());
    }
    lines.join("\n")
}

/// Of which nothing is kept.
fn without_time(undated: u64) -> String {
    match undated {
        0 => String::new(),
        undated => format!("{} without a time, of which nothing is kept; ", grouped(undated)),
    }
}

/// The messages with which zone transfers went on.
fn of_transfers(continued: u64) -> String {
    match continued {
        0 => String::new(),
        continued => format!(", {} further messages of transfers", grouped(continued)),
    }
}

fn size(octets: u64, compression: capture::Compression) -> String {
    match compression {
        capture::Compression::None => format!("{} octets", grouped(octets)),
        packed => format!("{} octets of {}", grouped(octets), word(&packed)),
    }
}

/// What quarantine had no room for.
fn beyond(malformed: u64) -> String {
    match malformed {
        0 => String::new(),
        beyond => format!(", {} of them beyond what quarantine takes", grouped(beyond)),
    }
}

/// ` (2 missing_fragment, 1 bad_header)`, or nothing.
fn reasons(counts: impl Iterator<Item = (String, u64)>) -> String {
    let counts: Vec<String> = counts
        .map(|(reason, count)| format!("{} {reason}", grouped(count)))
        .collect();
    if counts.is_empty() {
        String::new()
    } else {
        format!(" ({})", counts.join(", "))
    }
}

/// The word that JSON has for it.
pub(crate) fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word.replace('_', " "),
        _ => String::new(),
    }
}
