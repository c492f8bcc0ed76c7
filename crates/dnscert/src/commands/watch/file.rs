//! The file of `dnscert watch import`: a zone a line, or CSV with the columns zone, interval and region.

use std::io::Read;

use csirt::directory::Region;
use csirt::watch::{MAX_INTERVAL_SECS, MIN_INTERVAL_SECS};
use model::Name;

/// Largest file, in octets: a million zones with all columns. More would be held in memory for nothing.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// Mistakes that are named at most.
const MOST_MISTAKES: usize = 20;

/// A zone as it is to be watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The zone.
    pub zone: Name,
    /// Seconds between two rounds.
    pub interval_secs: u32,
    /// Where it belongs on the map.
    pub region: Option<Region>,
}

/// Reads all lines; `interval_secs` counts where a line has none. Empty lines and what stands after `#` say nothing, nor does
/// a first line with the names of the columns. Fails with all mistakes, each with its line.
pub fn read(from: impl Read, interval_secs: u32) -> anyhow::Result<Vec<Wanted>> {
    let mut text = Vec::new();
    let read = from.take(MOST_BYTES + 1).read_to_end(&mut text)?;
    anyhow::ensure!(read as u64 <= MOST_BYTES, "it is larger than {MOST_BYTES} octets");
    let text = String::from_utf8_lossy(&text);
    let (mut wanted, mut mistakes, mut more) = (Vec::new(), Vec::new(), 0);
    for (at, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() || at == 0 && is_heading(line) {
            continue;
        }
        match zone(line, interval_secs) {
            Ok(zone) => wanted.push(zone),
            Err(mistake) if mistakes.len() < MOST_MISTAKES => mistakes.push(format!("line {}: {mistake}", at + 1)),
            Err(_) => more += 1,
        }
    }
    if more > 0 {
        mistakes.push(format!("and {more} more"));
    }
    anyhow::ensure!(mistakes.is_empty(), "{}", mistakes.join("\n"));
    anyhow::ensure!(!wanted.is_empty(), "it names no zone");
    Ok(wanted)
}

/// A line alone is a zone, whatever its name: `zone` is a TLD.
fn is_heading(line: &str) -> bool {
    let mut columns = line.split(',').map(str::trim);
    columns.next().is_some_and(|first| first.eq_ignore_ascii_case("zone"))
        && columns
            .next()
            .is_some_and(|second| second.to_ascii_lowercase().starts_with("interval"))
}

fn zone(line: &str, interval_secs: u32) -> Result<Wanted, String> {
    let columns: Vec<&str> = line.split(',').map(str::trim).collect();
    let (zone, interval, region) = match columns[..] {
        [zone] => (zone, "", ""),
        [zone, interval] => (zone, interval, ""),
        [zone, interval, region] => (zone, interval, region),
        _ => return Err(format!("`{line}` has more than the columns zone, interval and region")),
    };
    let interval_secs = match interval {
        "" => interval_secs,
        text => text
            .parse()
            .ok()
            .filter(|secs| (MIN_INTERVAL_SECS..=MAX_INTERVAL_SECS).contains(secs))
            .ok_or_else(|| format!("`{text}` is no interval of {MIN_INTERVAL_SECS} to {MAX_INTERVAL_SECS} seconds"))?,
    };
    Ok(Wanted {
        zone: zone.parse::<Name>().map_err(|error| error.to_string())?,
        interval_secs,
        region: match region {
            "" => None,
            text => Some(
                text.to_ascii_uppercase()
                    .parse::<Region>()
                    .map_err(|error| error.to_string())?,
            ),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_zone_or_a_row_of_csv() {
        let text = "\u{feff}zone,interval,region\nexample\nmünchen.example , 300 , EU\n\n# ours\nb.example,,af # late\nc.example,60\n";
        let read = read(text.as_bytes(), 90).unwrap();
        let told: Vec<String> = read
            .iter()
            .map(|wanted| {
                let region = wanted.region.map_or("-".to_owned(), |region| region.to_string());
                format!("{} {} {region}", wanted.zone, wanted.interval_secs)
            })
            .collect();
        assert_eq!(
            told,
            [
                "example 90 -",
                "xn--mnchen-3ya.example 300 EU",
                "b.example 90 AF",
                "c.example 60 -"
            ]
        );
        assert_eq!(
            super::read("zone\n".as_bytes(), 60).unwrap()[0].zone.to_string(),
            "zone"
        );
    }

    #[test]
    fn every_mistake_is_named_with_its_line() {
        let text = "good.example\na..b\nc.example,1\nd.example,60,MOON\ne.example,60,EU,x\n";
        let error = read(text.as_bytes(), 60).unwrap_err().to_string();
        for part in ["line 2", "a..b", "line 3: `1`", "line 4", "MOON", "line 5"] {
            assert!(error.contains(part), "{part} is missing in {error}");
        }
        assert_eq!(error.lines().count(), 4, "{error}");
        let many = "a..b\n".repeat(1_000);
        let error = read(many.as_bytes(), 60).unwrap_err().to_string();
        assert!(error.ends_with("and 980 more"), "{error}");
        assert!(read("# nothing\n".as_bytes(), 60).is_err());
    }
}
