//! EDNS and odd questions: what each server does with what not every server expects (RFC 6891, RFC 8906).
//!
//! On a server that behaves, edns03, edns07, edns09 and edns10 put no question that other cases do not put as well, and edns08 one.
//! The others are deep: edns01 asks 10 questions of each server, edns02 21, edns04 5, edns05 2 and edns06 8.

mod amplification;
mod cause;
mod compliance;
mod cookie;
mod nsid;
mod sanity;
mod size;
mod weakness;

use std::net::IpAddr;

pub(crate) use compliance::{UNKNOWN_FLAG, UNKNOWN_OPTION};
use futures_util::future::join_all;

use super::{Case, Emission, case};
use crate::run::Run;
use crate::server::Server;

/// The cases of this folder.
pub const CASES: &[Case] = &[
    case!("edns01", compliance::edns01, deep: true),
    case!("edns02", compliance::edns02, deep: true),
    case!("edns03", size::edns03),
    case!("edns04", cookie::edns04, deep: true),
    case!("edns05", size::edns05, deep: true),
    case!("edns06", amplification::edns06, deep: true),
    case!("edns07", nsid::edns07),
    case!("edns08", weakness::edns08),
    case!("edns09", cause::edns09),
    case!("edns10", sanity::edns10),
];

/// Runs `judge` on all addresses of the zone at once, each with the servers that it stands for.
async fn on_each<F>(run: &Run, judge: impl Fn(IpAddr, Vec<Server>) -> F) -> Vec<Emission>
where
    F: Future<Output = Vec<Emission>>,
{
    let addresses = run.child_addresses().await.keys();
    join_all(addresses.map(|address| judge(*address, run.servers_at(*address))))
        .await
        .concat()
}

/// One message for each of an address's servers.
fn of_each(servers: &[Server], emission: Emission) -> Vec<Emission> {
    let named = servers.iter().map(|server| emission.clone().arg("ns", server));
    named.collect()
}
