//! Table `sample`: one measured exchange per row.

use std::sync::Arc;

use arrow::array::{Array, BooleanArray, Int32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use jiff::Timestamp;
use model::{Name, Outcome, Sample, Transport};

use crate::row::{self, Column, Columns, Kind, Row};

pub(crate) const OUTCOMES: [(Outcome, &str); 5] = [
    (Outcome::Answer, "answer"),
    (Outcome::Timeout, "timeout"),
    (Outcome::Refused, "refused"),
    (Outcome::Garbage, "garbage"),
    (Outcome::Unreachable, "unreachable"),
];

const TRANSPORTS: [(Transport, &str); 2] = [(Transport::Udp, "udp"), (Transport::Tcp, "tcp")];

const fn column(name: &'static str, kind: Kind, nullable: bool, comment: &'static str) -> Column {
    Column {
        name,
        kind,
        nullable,
        comment,
        since: 1,
    }
}

/// A column that came with a later version.
const fn added(since: u32, name: &'static str, kind: Kind, comment: &'static str) -> Column {
    Column {
        name,
        kind,
        nullable: true,
        comment,
        since,
    }
}

impl Row for Sample {
    const TABLE: &'static str = "sample";
    const COMMENT: &'static str = "One question to one server and what came of it";
    const SCHEMA_VERSION: u32 = 3;
    const HAS_PARTS: bool = true;
    const COLUMNS: &'static [Column] = &[
        column("time", Kind::Time, false, "When the question was sent, UTC"),
        column("probe", Kind::Text, false, "Id of the vantage point that asked"),
        column(
            "zone",
            Kind::Text,
            false,
            "Zone on whose behalf it was asked, A-labels, no final dot",
        ),
        column("server", Kind::Text, true, "Name of the server where known"),
        column("address", Kind::Text, false, "Address of the server"),
        column("transport", Kind::Text, false, "`udp` or `tcp`"),
        column("qname", Kind::Text, false, "Name of the question"),
        column("qtype", Kind::Integer, false, "Type of the question (IANA RR types)"),
        column(
            "outcome",
            Kind::Text,
            false,
            "`answer`, `timeout`, `refused`, `garbage` or `unreachable`",
        ),
        column(
            "rtt_us",
            Kind::Long,
            true,
            "From sending to the answer, in microseconds",
        ),
        column(
            "rcode",
            Kind::Integer,
            true,
            "RCODE of the answer with its EDNS part (IANA RCODEs)",
        ),
        column("authoritative", Kind::Boolean, false, "AA bit of the answer"),
        column(
            "truncated",
            Kind::Boolean,
            false,
            "TC bit of the answer as it first came",
        ),
        column("serial", Kind::Long, true, "SOA serial where the answer has one"),
        column("nsid", Kind::Text, true, "NSID of the answer (RFC 5001)"),
        column("size_bytes", Kind::Long, true, "Size of the answer in octets"),
        added(2, "family", Kind::Text, "`ipv4` or `ipv6`: the family of `address`"),
        added(
            2,
            "flags",
            Kind::Integer,
            "Flag word of the answer's header: QR OPCODE AA TC RD RA Z AD CD RCODE",
        ),
        added(
            2,
            "attempts",
            Kind::Integer,
            "Datagrams and connections that the question took",
        ),
        added(
            2,
            "validated",
            Kind::Boolean,
            "Whether the answer's signatures hold from the DS at the parent on; null where nobody looked",
        ),
        added(
            3,
            "signature_expiration",
            Kind::Time,
            "When the first of the signatures in the answer section expires, UTC; null where it has none",
        ),
    ];

    fn zone(&self) -> &Name {
        &self.zone
    }

    fn time(&self) -> Timestamp {
        self.time
    }

    fn set_time(&mut self, time: Timestamp) {
        self.time = time;
    }

    fn to_batch(rows: &[Self]) -> RecordBatch {
        let text = |value: &dyn Fn(&Self) -> String| -> Arc<dyn Array> {
            Arc::new(StringArray::from_iter_values(rows.iter().map(value)))
        };
        let long = |value: &dyn Fn(&Self) -> Option<i64>| -> Arc<dyn Array> {
            Arc::new(rows.iter().map(value).collect::<Int64Array>())
        };
        let integer = |value: &dyn Fn(&Self) -> Option<i32>| -> Arc<dyn Array> {
            Arc::new(rows.iter().map(value).collect::<Int32Array>())
        };
        let times = TimestampMicrosecondArray::from_iter_values(rows.iter().map(|row| row.time.as_microsecond()));
        let expirations = rows
            .iter()
            .map(|row| row.signature_expiration.map(Timestamp::as_microsecond))
            .collect::<TimestampMicrosecondArray>();
        let columns: Vec<Arc<dyn Array>> = vec![
            Arc::new(times.with_timezone("UTC")),
            text(&|row| row.probe.clone()),
            text(&|row| row.zone.to_string()),
            Arc::new(
                rows.iter()
                    .map(|row| row.server.as_ref().map(Name::to_string))
                    .collect::<StringArray>(),
            ),
            text(&|row| row.address.to_string()),
            text(&|row| row.transport.as_str().to_owned()),
            text(&|row| row.qname.to_string()),
            integer(&|row| Some(i32::from(row.qtype))),
            text(&|row| row.outcome.as_str().to_owned()),
            // an answer after more than 292,000 years is as late as one after 292,000 years
            long(&|row| row.rtt_us.map(|rtt| i64::try_from(rtt).unwrap_or(i64::MAX))),
            integer(&|row| row.rcode.map(i32::from)),
            Arc::new(rows.iter().map(|row| Some(row.authoritative)).collect::<BooleanArray>()),
            Arc::new(rows.iter().map(|row| Some(row.truncated)).collect::<BooleanArray>()),
            long(&|row| row.serial.map(i64::from)),
            Arc::new(rows.iter().map(|row| row.nsid.as_deref()).collect::<StringArray>()),
            long(&|row| row.size_bytes.map(i64::from)),
            text(&|row| row.family().as_str().to_owned()),
            integer(&|row| row.flags.map(i32::from)),
            integer(&|row| row.attempts.map(i32::from)),
            Arc::new(rows.iter().map(|row| row.validated).collect::<BooleanArray>()),
            Arc::new(expirations.with_timezone("UTC")),
        ];
        RecordBatch::try_new(Self::arrow_schema(), columns).expect("the columns are those of the schema, all as long")
    }

    fn from_batch(batch: &RecordBatch) -> Result<Vec<Self>, String> {
        let columns = Columns(batch);
        let (times, probes) = (columns.times("time")?, columns.texts("probe")?);
        let (zones, servers) = (columns.texts("zone")?, columns.texts("server")?);
        let (addresses, transports) = (columns.texts("address")?, columns.texts("transport")?);
        let (qnames, qtypes) = (columns.texts("qname")?, columns.integers("qtype")?);
        let (outcomes, rtts) = (columns.texts("outcome")?, columns.longs("rtt_us")?);
        let (rcodes, serials) = (columns.integers("rcode")?, columns.longs("serial")?);
        let (authoritative, truncated) = (columns.booleans("authoritative")?, columns.booleans("truncated")?);
        let (nsids, sizes) = (columns.texts("nsid")?, columns.longs("size_bytes")?);
        let (flags, attempts) = (columns.integers("flags")?, columns.integers("attempts")?);
        let (validated, expirations) = (columns.booleans("validated")?, columns.times("signature_expiration")?);
        let sample = |at: usize| -> Result<Self, String> {
            let some = |array: &dyn Array| array.is_valid(at);
            let name = |column, text| row::parse::<Name>(column, text);
            Ok(Self {
                time: row::time(times.value(at))?,
                probe: probes.value(at).to_owned(),
                zone: name("zone", zones.value(at))?,
                server: some(servers).then(|| name("server", servers.value(at))).transpose()?,
                address: row::parse("address", addresses.value(at))?,
                transport: row::word("transport", transports.value(at), &TRANSPORTS)?,
                qname: name("qname", qnames.value(at))?,
                qtype: row::narrow("qtype", qtypes.value(at).into())?,
                outcome: row::word("outcome", outcomes.value(at), &OUTCOMES)?,
                rtt_us: some(rtts).then(|| row::narrow("rtt_us", rtts.value(at))).transpose()?,
                rcode: some(rcodes)
                    .then(|| row::narrow("rcode", rcodes.value(at).into()))
                    .transpose()?,
                authoritative: authoritative.value(at),
                truncated: truncated.value(at),
                serial: some(serials)
                    .then(|| row::narrow("serial", serials.value(at)))
                    .transpose()?,
                nsid: some(nsids).then(|| nsids.value(at).to_owned()),
                size_bytes: some(sizes)
                    .then(|| row::narrow("size_bytes", sizes.value(at)))
                    .transpose()?,
                flags: some(flags)
                    .then(|| row::narrow("flags", flags.value(at).into()))
                    .transpose()?,
                attempts: some(attempts)
                    .then(|| row::narrow("attempts", attempts.value(at).into()))
                    .transpose()?,
                validated: some(validated).then(|| validated.value(at)),
                signature_expiration: some(expirations)
                    .then(|| row::time(expirations.value(at)))
                    .transpose()?,
            })
        };
        (0..batch.num_rows()).map(sample).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::table::{Batch, Table, filter};

    /// A sample as version 1 kept it.
    #[derive(Clone, Serialize, Deserialize)]
    struct First(Sample);

    impl Row for First {
        const TABLE: &'static str = Sample::TABLE;
        const COMMENT: &'static str = Sample::COMMENT;
        const SCHEMA_VERSION: u32 = 1;
        const COLUMNS: &'static [Column] = Sample::COLUMNS.first_chunk::<16>().unwrap();

        fn zone(&self) -> &Name {
            &self.0.zone
        }

        fn time(&self) -> Timestamp {
            self.0.time
        }

        fn set_time(&mut self, time: Timestamp) {
            self.0.time = time;
        }

        fn to_batch(rows: &[Self]) -> RecordBatch {
            let rows: Vec<Sample> = rows.iter().map(|row| row.0.clone()).collect();
            let all = Sample::to_batch(&rows);
            all.project(&(0..Self::COLUMNS.len()).collect::<Vec<_>>()).unwrap()
        }

        fn from_batch(_: &RecordBatch) -> Result<Vec<Self>, String> {
            Err("nobody reads them so".to_owned())
        }
    }

    fn sample(second: i64) -> Sample {
        Sample {
            time: Timestamp::from_second(1_800_000_000 + second).unwrap(),
            probe: "fra1".to_owned(),
            zone: "shop.example".parse().unwrap(),
            server: None,
            address: "2001:db8::53".parse().unwrap(),
            transport: Transport::Udp,
            qname: "shop.example".parse().unwrap(),
            qtype: 6,
            outcome: Outcome::Answer,
            rtt_us: Some(21_000),
            rcode: Some(0),
            authoritative: true,
            truncated: false,
            serial: Some(7),
            nsid: None,
            size_bytes: Some(90),
            flags: None,
            attempts: None,
            validated: None,
            signature_expiration: None,
        }
    }

    #[tokio::test]
    async fn a_table_of_version_1_gets_the_new_columns_and_loses_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let old = Table::<First>::open(folder.path(), true).await.unwrap();
        old.append(Batch::Rows(vec![First(sample(0))])).await.unwrap();
        old.flush().await.unwrap();
        // written by the old version and not flushed: stays in the journal
        old.append(Batch::Rows(vec![First(sample(1))])).await.unwrap();
        drop(old);

        let everything = || filter(None, Timestamp::MIN, Timestamp::MAX);
        let reader = Table::<Sample>::open(folder.path(), false).await.unwrap();
        assert_eq!(reader.rows(everything()).await.unwrap(), [sample(0)]);

        let new = Table::<Sample>::open(folder.path(), true).await.unwrap();
        let full = Sample {
            flags: Some(0x8400),
            attempts: Some(1),
            validated: Some(true),
            signature_expiration: Some(Timestamp::from_second(1_801_000_000).unwrap()),
            ..sample(2)
        };
        new.append(Batch::Rows(vec![full.clone()])).await.unwrap();
        new.flush().await.unwrap();
        let kept = [sample(0), sample(1), full];
        assert_eq!(new.rows(everything()).await.unwrap(), kept);
        assert_eq!(reader.rows(everything()).await.unwrap(), kept);

        new.compact().await.unwrap();
        assert_eq!(new.statistics().await.unwrap().files, 1);
        assert_eq!(new.rows(everything()).await.unwrap(), kept);
        drop(new);
        let again = Table::<Sample>::open(folder.path(), true).await.unwrap();
        assert_eq!(again.rows(everything()).await.unwrap(), kept);
        assert!(
            Table::<First>::open(folder.path(), false).await.is_err(),
            "a version that does not know the columns leaves the table alone"
        );
    }
}
