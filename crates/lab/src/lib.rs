//! A scripted DNS world on loopback: authoritative servers that can misbehave, events in time.
//!
//! [`world`] reads a folder (servers, zone files, organisations, story) and refuses any address outside loopback.
//! [`lab`] runs it: each socket hands its octets to `respond`, which looks at the `stage` (the world as it stands after
//! the events so far), finds the answer with `lookup` and spoils it as the server's [`fault`]s say. Zones are really
//! signed, by `sign`. [`control`] takes events from other processes.
//!
//! Nothing here is reachable from outside, resolves real names or judges what it serves.

pub mod control;
pub mod event;
pub mod fault;
pub mod forge;
pub mod lab;
mod live_zone;
mod lookup;
pub mod odd;
pub mod organisation;
mod respond;
pub mod sign;
pub mod signing;
pub mod span;
pub mod stage;
pub mod story;
pub mod tamper;
pub mod world;
mod zone_data;
pub mod zone_file;

pub use control::{ControlError, send_event, serve_control};
pub use event::{Change, DsChange, Event};
pub use fault::{EdnsManner, Fault, FaultRule, LameReferral};
pub use forge::{Forger, Manner};
pub use lab::{Lab, Questions, StartError};
pub use odd::{Feature, Hostility, OddManner};
pub use organisation::{
    Channel, ChannelKind, Organisation, OrganisationKind, Person, Region, Responsibility, ResponsibilityKind,
};
pub use sign::SignError;
pub use signing::{Algorithm, Denial, Key, ParentDs, PublicOnly, Signing, Wish};
pub use span::Span;
pub use stage::EventError;
pub use story::{Act, Responsible, Story};
pub use tamper::Answer;
pub use world::{Server, World, WorldError, Zone};
pub use zone_file::{Record, RecordData, ZoneFileError};
