//! Figures of DNS traffic, minute by minute, and of longer spans as they grow old. No address of a client is in them.

use std::net::IpAddr;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::{Name, Transport};

/// The time that a figure is of. Each span lies within one of the next longer kind, so that sums of some make those of the other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Span {
    /// A minute.
    #[default]
    Minute,
    /// An hour.
    Hour,
    /// A day, UTC.
    Day,
    /// A month of the calendar, UTC.
    Month,
}

impl Span {
    /// All, the shortest first.
    pub const ALL: [Self; 4] = [Self::Minute, Self::Hour, Self::Day, Self::Month];

    /// `minute`, `hour`, `day` or `month`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
        }
    }

    /// Its seconds; `None` for a month, of which there are four lengths.
    const fn fixed(self) -> Option<i64> {
        match self {
            Self::Minute => Some(60),
            Self::Hour => Some(3_600),
            Self::Day => Some(86_400),
            Self::Month => None,
        }
    }

    /// The first moment of the span that a time lies in. A time at the end of what a [`Timestamp`] can be is its own.
    pub fn start(self, time: Timestamp) -> Timestamp {
        let start = match self.fixed() {
            Some(seconds) => Timestamp::from_second(time.as_second().div_euclid(seconds) * seconds),
            None => {
                let day = time.to_zoned(TimeZone::UTC).date().first_of_month();
                day.to_zoned(TimeZone::UTC).map(|midnight| midnight.timestamp())
            }
        };
        start.unwrap_or(time)
    }

    /// Seconds of the span that begins then: 60, 3,600, 86,400, or those of 28 to 31 days.
    pub fn seconds(self, start: Timestamp) -> i64 {
        let of_month = || 86_400 * i64::from(start.to_zoned(TimeZone::UTC).date().days_in_month());
        self.fixed().unwrap_or_else(of_month)
    }

    /// The span of so many seconds; `None` where there is none.
    pub fn of_seconds(seconds: i64) -> Option<Self> {
        let fixed = Self::ALL.into_iter().find(|span| span.fixed() == Some(seconds));
        let is_month = seconds % 86_400 == 0 && (28..=31).contains(&(seconds / 86_400));
        fixed.or(is_month.then_some(Self::Month))
    }
}

/// What the traffic of a cell has in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TrafficKey {
    /// The server's address.
    pub server: IpAddr,
    /// The server's port.
    pub port: u16,
    /// The longest zone at or above the question of which it is known that the server serves it; `None` where none is known, and where
    /// there were too many.
    #[serde(default)]
    pub zone: Option<Name>,
    /// How it travelled.
    pub transport: Transport,
    /// Type of the question (IANA RR types); `None` where there was no question.
    pub qtype: Option<u16>,
    /// RCODE with its EDNS part; `None` where no response came.
    pub rcode: Option<u16>,
    /// TC bit of the response.
    pub truncated: bool,
    /// AA bit of the response.
    pub authoritative: bool,
    /// DO bit of the query, or of the response where there was no query.
    pub dnssec_ok: bool,
}

/// Sums over the traffic of a cell. Cells of one span and key add up, `response_octets_max` by the larger.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrafficCounts {
    /// Queries.
    pub queries: u64,
    /// Responses that belong to a query.
    pub matched: u64,
    /// Further responses to a query that was answered.
    pub duplicates: u64,
    /// Responses with another id than the outstanding queries of the same question between the same ports.
    pub wrong_id: u64,
    /// Responses to another port than the outstanding queries of the same question.
    pub wrong_port: u64,
    /// Responses that nobody asked for.
    pub no_query: u64,
    /// Octets of the queries' messages.
    pub query_octets: u64,
    /// Octets of all responses' messages.
    pub response_octets: u64,
    /// Octets of the largest response.
    pub response_octets_max: u32,
    /// Microseconds between query and matched response, summed.
    pub delay_us: u64,
}

impl TrafficCounts {
    /// Adds the sums of another part of the same cell.
    pub fn add(&mut self, other: &Self) {
        self.queries += other.queries;
        self.matched += other.matched;
        self.duplicates += other.duplicates;
        self.wrong_id += other.wrong_id;
        self.wrong_port += other.wrong_port;
        self.no_query += other.no_query;
        self.query_octets += other.query_octets;
        self.response_octets += other.response_octets;
        self.response_octets_max = self.response_octets_max.max(other.response_octets_max);
        self.delay_us += other.delay_us;
    }
}

/// The traffic of one minute, or a longer span, with one key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrafficCell {
    /// The minute in which the query came, or the response where there was no query; of a longer span the first.
    pub minute: Timestamp,
    /// The span that begins with it. What is observed is of minutes.
    #[serde(default)]
    pub span: Span,
    /// What it has in common; `None` for what found no cell, because there were too many.
    pub key: Option<TrafficKey>,
    /// How much.
    pub counts: TrafficCounts,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_span_lies_within_one_of_the_next_kind_and_is_known_by_its_seconds() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let cases = [
            ("2026-02-28T23:59:59.9Z", Span::Minute, "2026-02-28T23:59:00Z", 60),
            ("2026-02-28T23:59:59.9Z", Span::Hour, "2026-02-28T23:00:00Z", 3_600),
            ("2026-02-28T23:59:59.9Z", Span::Day, "2026-02-28T00:00:00Z", 86_400),
            (
                "2026-02-28T23:59:59.9Z",
                Span::Month,
                "2026-02-01T00:00:00Z",
                28 * 86_400,
            ),
            ("2028-02-29T00:00:00Z", Span::Month, "2028-02-01T00:00:00Z", 29 * 86_400),
            ("1969-12-31T23:59:59Z", Span::Month, "1969-12-01T00:00:00Z", 31 * 86_400),
        ];
        for (time, span, start, seconds) in cases {
            assert_eq!(span.start(at(time)), at(start), "{time} {span:?}");
            assert_eq!(span.seconds(at(start)), seconds, "{time} {span:?}");
            assert_eq!(Span::of_seconds(seconds), Some(span));
            assert!(
                Span::ALL
                    .iter()
                    .all(|longer| *longer <= span || longer.start(at(start)) == longer.start(at(time)))
            );
        }
        assert_eq!([0, 61, 27 * 86_400, 32 * 86_400].map(Span::of_seconds), [None; 4]);
        for time in [Timestamp::MIN, Timestamp::MAX] {
            assert!(Span::ALL.iter().all(|span| span.start(time) <= time));
        }
    }

    #[test]
    fn cells_of_sensors_that_know_neither_zones_nor_spans_are_read() {
        let text = r#"{"minute":"2026-11-23T00:00:00Z","key":{"server":"192.0.2.53","port":53,"transport":"udp","qtype":1,
            "rcode":0,"truncated":false,"authoritative":true,"dnssec_ok":false},"counts":{"queries":1,"matched":1,
            "duplicates":0,"wrong_id":0,"wrong_port":0,"no_query":0,"query_octets":40,"response_octets":90,
            "response_octets_max":90,"delay_us":7}}"#;
        let cell: TrafficCell = serde_json::from_str(text).unwrap();
        assert_eq!((cell.span, cell.key.unwrap().zone), (Span::Minute, None));
    }
}
