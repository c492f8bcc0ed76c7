//! The words that all rooms share: names, addresses and their prefixes, delegations, findings, health, samples, signals, clock.
//!
//! Plain data with its rules: no IO, no async, no SQL. Terms follow RFC 9499 (DNS), the Zonemaster
//! specifications (test case, tag, level), FIRST TLP 2.0 and RFC 2350.

pub mod addresses;
pub mod chain;
pub mod check;
pub mod client;
pub mod clock;
pub mod delegation;
pub mod distinct;
pub mod evidence;
pub mod finding;
pub mod health;
pub mod id;
pub mod language;
pub mod malformed;
pub mod name;
pub mod operator_figure;
pub mod plan;
pub mod prefix;
pub mod rrset;
pub mod sample;
pub mod signal;
pub mod tlp;
pub mod traffic;
pub mod zone_change;
pub mod zonemd;

pub use addresses::{Addresses, AddressesError};
pub use chain::{AbsenceKind, AbsenceState, Chain, KeyState, Link, RrsetState, Security, SignatureState, Trust};
pub use check::{Check, Verdict, VerdictState};
pub use client::{Client, ClientCell, ClientError};
pub use clock::{Clock, ManualClock, SystemClock};
pub use delegation::{Delegation, Ds};
pub use distinct::{DistinctCell, Sketch, SketchError};
pub use evidence::{OutOfBailiwick, OutReason};
pub use finding::{Finding, Level};
pub use health::Health;
pub use id::Id;
pub use jiff::Timestamp;
pub use language::Language;
pub use malformed::MalformedMessage;
pub use name::{Name, NameError};
pub use operator_figure::OperatorFigure;
pub use plan::{Plan, PlanError, PlannedQuestion, PlannedZone};
pub use prefix::{Prefix, PrefixError};
pub use rrset::{PassiveRrset, SeenIn, rdata_text};
pub use sample::{AnswerRecord, AnsweredSample, Family, Outcome, Sample, Transport};
pub use signal::{Detector, Severity, Signal};
pub use tlp::Tlp;
pub use traffic::{Span, TrafficCell, TrafficCounts, TrafficKey};
pub use zone_change::{ChangedPart, ZoneChange};
