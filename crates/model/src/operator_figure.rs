//! What operators of name servers measure themselves and publish for each day.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::Name;

/// One figure of RSSAC002, as it was published. `service`, `day`, `metric` and `part` say which one it is; it may be published again,
/// corrected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorFigure {
    /// The day in UTC.
    pub day: Date,
    /// The service: `a.root-servers.net`.
    pub service: Name,
    /// The metric, as the advisory names it: `traffic-volume`.
    pub metric: String,
    /// Which of its figures: a key of the advisory (`dns-udp-queries-received-ipv4`), with a range of sizes where it has such
    /// (`udp-request-sizes 16-31`), an RCODE in digits, or the serial of a root zone.
    pub part: String,
    /// The figure: queries, messages, sources, seconds or octets, by the metric; `None` where the operator could not tell.
    pub value: Option<u64>,
    /// Version of the advisory; `None` in files from before versions.
    pub version: Option<u8>,
    /// When it was taken in: of several the last one holds.
    pub taken: Timestamp,
}
