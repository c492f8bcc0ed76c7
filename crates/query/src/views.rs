//! The views: what people see of the lake's tables, and what each column means. docs/sql.md says the same, held by a test.
//!
//! A view adds up what the files of a table hold of one row, as the lake's own look-ups do, and shows names, types and data as they
//! are read. Its SQL is over the table `kept`, and is put in the place of the view's name when a statement is planned.

/// A view.
#[derive(Debug, Clone, Copy)]
pub struct View {
    /// Its name; that of its table in the lake.
    pub name: &'static str,
    /// What a row is.
    pub about: &'static str,
    /// Its columns, in their order.
    pub columns: &'static [Column],
    pub(crate) sql: &'static str,
}

/// A column of a view.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it means, with its unit, and when it is null.
    pub about: &'static str,
}

const fn column(name: &'static str, about: &'static str) -> Column {
    Column { name, about }
}

const OWNER: Column = column("owner", "Owner name");
const OWNER_ORDER: Column = column(
    "owner_order",
    "Owner name from the root down (`com.example.www.`): sort by it, and what is below a name stands together",
);
const RTYPE: Column = column("rtype", "Type (`A`, `NS`, …)");
const SEEN_IN: Column = column("seen_in", "`wire` or `zone_file`");
const SOURCE: Column = column("source", "Who gave it: a word of the view `source`");
const SOURCE_OWNER: Column = column(
    "source_owner",
    "Whose data it is; null for a source that is not registered",
);
const SOURCE_LICENCE: Column = column("source_licence", "Under which licence it is used; null as above");
const SOURCE_TLP: Column = column("source_tlp", "How far it may travel (`TLP:GREEN`); null as above");
const SPAN: Column = column(
    "span",
    "Seconds from the beginning of `minute` on that the row is of: 60, 3600, 86400, or those of a calendar month",
);
const FIRST_SEEN: Column = column("first_seen", "When it was first seen, UTC, to the second");
const LAST_SEEN: Column = column("last_seen", "When it was last seen, UTC, to the second");

/// All views, in the order in which they are shown.
pub const VIEWS: &[View] = &[
    View {
        name: "sample",
        about: "One question to one server, and what came of it",
        columns: &[
            column("time", "When the question was sent, UTC"),
            column("probe", "Vantage point that asked"),
            column("zone", "Zone on whose behalf it was asked"),
            column("server", "Name of the server; null where it was not known"),
            column("address", "Address of the server"),
            column("family", "`ipv4` or `ipv6`; null in old samples"),
            column("transport", "`udp` or `tcp`"),
            column("qname", "Name of the question"),
            column("qtype", "Type of the question"),
            column("outcome", "`answer`, `timeout`, `refused`, `garbage` or `unreachable`"),
            column("rtt_us", "Microseconds from sending to the answer; null without one"),
            column("rcode", "RCODE with its EDNS part (`NOERROR`); null without an answer"),
            column("authoritative", "AA bit of the answer"),
            column("truncated", "TC bit of the answer as it first came"),
            column("serial", "SOA serial; null where the answer has none"),
            column("nsid", "NSID (RFC 5001); null where the answer has none"),
            column("size_bytes", "Octets of the answer; null without one"),
            column("flags", "Flag word of the answer's header; null without one"),
            column("attempts", "Datagrams and connections that the question took; null in old samples"),
            column(
                "validated",
                "Whether the answer's signatures hold from the DS at the parent on; null where nobody looked",
            ),
            column(
                "signature_expiration",
                "When the first signature of the answer section expires, UTC; null where it has none",
            ),
        ],
        sql: "SELECT time, probe, zone, server, address, family, transport, qname, type_name(qtype) AS qtype, outcome, rtt_us,
                rcode_name(rcode) AS rcode, authoritative, truncated, serial, nsid, size_bytes, flags, attempts, validated,
                signature_expiration
            FROM kept",
    },
    View {
        name: "zone_change",
        about: "One changed part of what a parent says of a zone",
        columns: &[
            column("time", "When the change was first seen, UTC"),
            column("zone", "Zone whose delegation changed"),
            column("part", "`ns`, `ds` or `glue`"),
            column("before", "List of the values before, sorted"),
            column("after", "List of the values after, sorted"),
            column("announced", "Whether somebody responsible had announced it"),
        ],
        sql: "SELECT DISTINCT time, zone, part, before, after, announced FROM kept",
    },
    View {
        name: "rrset",
        about: "Passive DNS by owner name: one RRset as one source saw it",
        columns: &[
            OWNER,
            OWNER_ORDER,
            RTYPE,
            column("bailiwick", "Zone on whose behalf the server spoke"),
            column("rdata", "List of the records' data in presentation form"),
            SEEN_IN,
            SOURCE,
            SOURCE_OWNER,
            SOURCE_LICENCE,
            SOURCE_TLP,
            FIRST_SEEN,
            LAST_SEEN,
            column("count", "Answers, or snapshots of a zone file, that held it"),
        ],
        sql: "SELECT name_of_order(owner) AS owner, owner AS owner_order, type_name(rtype) AS rtype,
                name_of_order(bailiwick) AS bailiwick, records_text(rtype, rdata) AS rdata, seen_in, source,
                source_owner(source) AS source_owner, source_licence(source) AS source_licence,
                source_tlp(source) AS source_tlp, first_seen, last_seen, count
            FROM (SELECT owner, rtype, bailiwick, rdata, seen_in, source,
                    min(first) AS first_seen, max(last) AS last_seen, sum(count) AS count
                FROM kept GROUP BY owner, rtype, bailiwick, rdata, seen_in, source)",
    },
    View {
        name: "rdata",
        about: "Passive DNS by what records say: one record as one source saw it, once for each name or address in it, and once \
                more as a whole where it is more than that",
        columns: &[
            column(
                "target",
                "Name that the record points to; null in the row of an address, and of the record as a whole",
            ),
            column("address", "Address of an A or AAAA record; null as above"),
            RTYPE,
            OWNER,
            OWNER_ORDER,
            column("rdata", "The record's data in presentation form"),
            SEEN_IN,
            SOURCE,
            SOURCE_OWNER,
            SOURCE_LICENCE,
            SOURCE_TLP,
            FIRST_SEEN,
            LAST_SEEN,
            column("count", "Answers, or snapshots of a zone file, that held it"),
        ],
        sql: "SELECT value_target(value) AS target, value_address(value) AS address, type_name(rtype) AS rtype,
                name_of_order(owner) AS owner, owner AS owner_order, record_text(rtype, rdata) AS rdata, seen_in, source,
                source_owner(source) AS source_owner, source_licence(source) AS source_licence,
                source_tlp(source) AS source_tlp, first_seen, last_seen, count
            FROM (SELECT value, rtype, owner, rdata, seen_in, source,
                    min(first) AS first_seen, max(last) AS last_seen, sum(count) AS count
                FROM kept GROUP BY value, rtype, owner, rdata, seen_in, source)",
    },
    View {
        name: "name",
        about: "A name of passive DNS, by how it begins",
        columns: &[
            column("name", "The name"),
            column("place", "`owner`: it has records; `target`: records point to it"),
            column("last_seen", "When it was last seen there, UTC, to the second"),
        ],
        sql: "SELECT name_as_read(name) AS name, place, last_seen
            FROM (SELECT name, place, max(last) AS last_seen FROM kept GROUP BY name, place)",
    },
    View {
        name: "traffic",
        about: "Figures of the DNS traffic of one minute, or a longer span, by server, zone, transport, type, RCODE and flags, as one source saw it",
        columns: &[
            column(
                "minute",
                "Minute of the query, or of the response where there was no query, UTC; of a longer span the first",
            ),
            SPAN,
            column(
                "server",
                "Address of the server; null, with all down to `dnssec_ok`, for what found no row of its own",
            ),
            column("port", "Port of the server"),
            column(
                "zone",
                "Longest zone at or above the question that the server is known to serve; null where none is known, or there were too many",
            ),
            column("transport", "`udp` or `tcp`"),
            column("qtype", "Type of the question; null where there was none"),
            column("rcode", "RCODE with its EDNS part; null where no response came"),
            column("truncated", "TC bit of the response"),
            column("authoritative", "AA bit of the response"),
            column("dnssec_ok", "DO bit of the query"),
            SOURCE,
            SOURCE_OWNER,
            SOURCE_LICENCE,
            SOURCE_TLP,
            column("queries", "Queries"),
            column("matched", "Responses that belong to a query"),
            column("duplicates", "Further responses to an answered query"),
            column("wrong_id", "Responses with another id than outstanding queries"),
            column("wrong_port", "Responses to another port than outstanding queries"),
            column("no_query", "Responses that nobody asked for"),
            column("query_octets", "Octets of the queries' messages, summed"),
            column("response_octets", "Octets of the responses' messages, summed"),
            column("response_octets_max", "Octets of the largest response"),
            column("delay_us", "Microseconds between query and matched response, summed: divide by `matched`"),
        ],
        sql: "SELECT minute, span, server, port, name_of_order(zone) AS zone, transport, type_name(qtype) AS qtype,
                rcode_name(rcode) AS rcode, truncated, authoritative, dnssec_ok, source, source_owner(source) AS source_owner,
                source_licence(source) AS source_licence, source_tlp(source) AS source_tlp, queries, matched, duplicates,
                wrong_id, wrong_port, no_query, query_octets, response_octets, response_octets_max, delay_us
            FROM (SELECT minute, coalesce(span, 60) AS span, server, port, zone, transport, qtype, rcode, truncated, authoritative,
                    dnssec_ok, source, sum(queries) AS queries, sum(matched) AS matched, sum(duplicates) AS duplicates,
                    sum(wrong_id) AS wrong_id, sum(wrong_port) AS wrong_port, sum(no_query) AS no_query,
                    sum(query_octets) AS query_octets, sum(response_octets) AS response_octets,
                    max(response_octets_max) AS response_octets_max, sum(delay_us) AS delay_us
                FROM kept
                GROUP BY minute, coalesce(span, 60), server, port, zone, transport, qtype, rcode, truncated, authoritative,
                    dnssec_ok, source)",
    },
    View {
        name: "evidence",
        about: "What a server said of a name that it may not speak for, or of which that is not proven; never in passive DNS",
        columns: &[
            OWNER,
            OWNER_ORDER,
            RTYPE,
            column("server", "Address of the server that said it"),
            column(
                "zone",
                "Zone at or above the question that the server is known to serve; null where none is known",
            ),
            column(
                "reason",
                "`outside`: of every zone the server could speak for; `not_proven`: nothing shows that it serves the zone",
            ),
            column("rdata", "List of the records' data in presentation form"),
            column("question", "Question that it was first said to"),
            SOURCE,
            SOURCE_OWNER,
            SOURCE_LICENCE,
            SOURCE_TLP,
            FIRST_SEEN,
            LAST_SEEN,
            column("count", "Answers that held it"),
        ],
        sql: "SELECT name_of_order(owner) AS owner, owner AS owner_order, type_name(rtype) AS rtype, server,
                name_of_order(zone) AS zone, reason, records_text(rtype, rdata) AS rdata,
                name_of_order(question) AS question, source, source_owner(source) AS source_owner,
                source_licence(source) AS source_licence, source_tlp(source) AS source_tlp, first_seen, last_seen, count
            FROM (SELECT owner, rtype, server, zone, reason, rdata, source,
                    first_value(question ORDER BY first) AS question,
                    min(first) AS first_seen, max(last) AS last_seen, sum(count) AS count
                FROM kept GROUP BY owner, rtype, server, zone, reason, rdata, source)",
    },
    View {
        name: "distinct_count",
        about: "How many different clients asked a server in a minute, or a longer span, and for how many names; counted by sensors",
        columns: &[
            column("minute", "Minute of the queries, UTC; of a longer span the first"),
            SPAN,
            column("server", "Address of the server; null for the servers that found no row of their own"),
            SOURCE,
            SOURCE_OWNER,
            SOURCE_LICENCE,
            SOURCE_TLP,
            column("clients", "About how many clients, with a standard error of 1.6 %"),
            column("names", "About how many names, with a standard error of 1.6 %"),
            column(
                "clients_sketch",
                "Sketch of the clients. Those of several sources count a client once for each: every source hashes with a key of its own",
            ),
            column("names_sketch", "Sketch of the names"),
        ],
        sql: "SELECT minute, span, server, source, source_owner(source) AS source_owner,
                source_licence(source) AS source_licence, source_tlp(source) AS source_tlp,
                sketch_count(clients_sketch) AS clients, sketch_count(names_sketch) AS names, clients_sketch, names_sketch
            FROM (SELECT minute, coalesce(span, 60) AS span, server, source,
                    sketch_union(clients_sketch) AS clients_sketch, sketch_union(names_sketch) AS names_sketch
                FROM kept GROUP BY minute, coalesce(span, 60), server, source)",
    },
    View {
        name: "client",
        about: "Who asked a server most in a minute, or a longer span; told by sensors whose owners chose so, and never an address",
        columns: &[
            column("minute", "Minute of the queries, UTC; of a longer span the first"),
            SPAN,
            column("server", "Address of the server; null for the servers that found no row of their own"),
            column(
                "client",
                "A network of 24 bits (IPv4) or 48 (IPv6), or 32 hexadecimal digits: an address encrypted with a key of the source's; null for all queries that cannot be told of one client",
            ),
            SOURCE,
            SOURCE_OWNER,
            SOURCE_LICENCE,
            SOURCE_TLP,
            column("queries", "Queries: of a client at least so many; all rows of a server together are all"),
        ],
        sql: "SELECT minute, span, server, client, source, source_owner(source) AS source_owner,
                source_licence(source) AS source_licence, source_tlp(source) AS source_tlp, queries
            FROM (SELECT minute, span, server, client, source, sum(queries) AS queries
                FROM kept GROUP BY minute, span, server, client, source)",
    },
    View {
        name: "malformed",
        about: "A message or line of an input that could not be read",
        columns: &[
            column(
                "time",
                "When it was captured, UTC, to the second; for a line the time of the line before that could be read",
            ),
            SOURCE,
            SOURCE_OWNER,
            SOURCE_LICENCE,
            SOURCE_TLP,
            column("input", "Name of the input"),
            column("number", "Number of the packet or line in it, from 1"),
            column("reason", "What is wrong"),
            column("octets", "The octets, without the addresses they travelled between; shown in hexadecimal digits"),
            column("count", "How often it came"),
        ],
        sql: "SELECT time, source, source_owner(source) AS source_owner, source_licence(source) AS source_licence,
                source_tlp(source) AS source_tlp, input, number, reason, octets, count
            FROM (SELECT time, source, input, number, reason, octets, sum(count) AS count
                FROM kept GROUP BY time, source, input, number, reason, octets)",
    },
    View {
        name: "rssac002",
        about: "A figure that an operator of root servers publishes of a day (RSSAC002), as it was taken in last",
        columns: &[
            column("day", "The day, by its first moment, UTC"),
            column("service", "The service: `a.root-servers.net`"),
            column("metric", "The metric, as the advisory names it: `traffic-volume`"),
            column(
                "part",
                "Which of its figures: a key of the advisory, with a range of sizes where it has such, an RCODE, or the serial of a root zone",
            ),
            SOURCE,
            SOURCE_OWNER,
            SOURCE_LICENCE,
            SOURCE_TLP,
            column("value", "The figure; null where the operator could not tell"),
            column("version", "Version of the advisory; null in files from before versions"),
            column("taken", "When it was taken in, UTC, to the second"),
        ],
        sql: "SELECT day, service, metric, part, source, source_owner(source) AS source_owner,
                source_licence(source) AS source_licence, source_tlp(source) AS source_tlp, value, version, taken
            FROM (SELECT day, service, metric, part, source, last_value(value ORDER BY taken) AS value,
                    last_value(version ORDER BY taken) AS version, max(taken) AS taken
                FROM kept GROUP BY day, service, metric, part, source)",
    },
    View {
        name: "source",
        about: "Somebody who gives passive DNS, and what may be done with it",
        columns: &[
            column("source", "The word by which rows name it"),
            column("owner", "Whose data it is"),
            column("licence", "Under which licence or agreement it is used"),
            column("tlp", "How far what it says may travel"),
            column("legal_basis", "The law or contract that allows it to be processed"),
        ],
        sql: "SELECT source, owner, licence, tlp, legal_basis FROM kept",
    },
];
