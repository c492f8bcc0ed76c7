//! Reads captures of DNS traffic, pairs query with response, and reduces them to RRsets and figures of traffic; reads logs of
//! what others saw.
//!
//! Synchronous and streaming: an input of any size takes the same memory. Knows no storage: what comes out goes to a [`Sink`], with a
//! [`Receipt`] for each input. Clients' addresses never come out.
//!
//! | step | module |
//! |---|---|
//! | file or reader, gzip, xz, Zstandard, hash | `input` |
//! | pcap and pcapng | `pcap` |
//! | dnstap in Frame Streams, over a connection too | `frames`, `connection`, `dnstap` |
//! | C-DNS | `cdns`, `cbor` |
//! | Zeek, EVE, COF | `lines` |
//! | link, IP, UDP, TCP | `layers`, `fragments`, `streams` |
//! | message, query and response | `message`, `pairing`, `transfers` |
//! | RRsets and evidence, by the bailiwick rule | `reduce`, `bailiwick`, `merge` |
//! | figures of traffic | `traffic` |
//! | how many clients and names | `distinct` |
//! | who asks most, as networks or under pseudonyms | `clients` |
//! | the whole way, of a file and of what happens | `reader`, `live`, `pass` |
#![forbid(unsafe_code)]

mod bailiwick;
mod cbor;
mod cdns;
mod clients;
mod connection;
mod distinct;
mod dnstap;
mod fragments;
mod frames;
mod input;
mod layers;
mod lines;
mod live;
mod merge;
mod message;
mod pairing;
mod pass;
mod pcap;
mod reader;
mod receipt;
mod reduce;
mod settings;
mod sink;
mod streams;
mod traffic;
mod transfers;
mod wire;

pub use clients::{ClientForm, Clients};
pub use connection::{Came, ConnectionError, FrameConnection};
pub use distinct::Distincts;
pub use input::{Compression, Input};
pub use lines::{LeftOut, LinesReceipt, MalformedLines};
pub use live::Listening;
pub use message::MalformedReason;
pub use reader::{CaptureError, Family, Reader, Taken};
pub use receipt::{DropReason, Form, Receipt};
pub use settings::Settings;
pub use sink::{
    ClientCell, Discard, DistinctCell, Malformed, OutOfBailiwick, OutReason, Sink, SinkError, TrafficCell,
    TrafficCounts, TrafficKey,
};
