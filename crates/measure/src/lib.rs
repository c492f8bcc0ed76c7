//! Asks the DNS: transports, inquiry, delegation walk, test catalogue, DNSSEC; never sees a database.
//!
//! Asking and judging are apart: an [`Inquiry`] asks each question once and keeps every [`Exchange`]; test cases are
//! plain functions over a [`Run`]. What the DNS says is data, never an error.

pub mod authority;
pub mod cases;
mod check;
mod cuts;
pub mod dnssec;
mod exchange;
mod generations;
mod hints;
mod inquiry;
mod internet;
mod lookup;
pub mod mailbox;
mod methods;
mod origin;
mod plan;
mod prefix_table;
pub mod profile;
mod question;
mod record;
mod resolver;
mod response;
mod reverse;
mod root_servers;
mod routes;
mod run;
mod saved;
mod server;
mod settings;
mod special_purpose;
pub mod spf;
pub mod sweep;
pub mod transfer;
mod verify;
mod walk;

pub use domain::base::iana::{OptRcode, Rtype};

pub use cases::{Case, Emission};
pub use check::{CheckPlan, Report, ServerState, check};
pub use dnssec::{Anchor, AnchorError, parse_anchors, root_anchors};
pub use exchange::Exchange;
pub use hints::{HintsError, parse_hints};
pub use inquiry::{Evidence, Inquiry};
pub use internet::{Internet, OpenError};
pub use lookup::Lookup;
pub use plan::carry_out;
pub use prefix_table::TableError;
pub use profile::{Limits, Profile, ProfileError};
pub use question::{CLIENT_SUBNET, COOKIE, EXPIRE, Edns, Letters, NSID, Question, header};
pub use record::{Data, OwnedName, Record};
pub use resolver::{Measuring, Randomness, ResolverPlan, ResolverReport, check_resolver, deviation};
pub use response::{Response, ResponseEdns};
pub use root_servers::root_servers;
pub use routes::RouteTable;
pub use run::{Run, Undelegated};
pub use saved::{RestoreError, SavedCheck};
pub use server::{NsSet, Server, servers_of};
pub use settings::Settings;
pub use special_purpose::{Purpose, SpecialPurpose};
pub use verify::verify;
