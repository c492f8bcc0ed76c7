//! The chain of trust from the anchors of the root down to the zone, judged at every server of every zone on the way.
//!
//! These cases are ours: what the specifications of the field leave out. `Run::chain` builds the chain once; each case
//! tells of its part: chain01 the states, chain02 signatures, chain03 keys, chain04 DS, chain05 proofs of absence, chain06
//! aliases, chain07 names and classes, chain08 glue, chain09 CDS, chain10 CSYNC, chain11 signals, chain12 ZONEMD.

mod absence;
mod alias;
mod apex;
mod ask;
mod automation;
mod csync;
mod digest;
mod faults;
mod glue;
mod names;
mod signals;
mod trust;
mod zone;

use model::{Chain, Security};

use super::{Case, Emission, case};
use crate::run::Run;
use ask::Asked;
use faults::{Fault, Faults};
use trust::Given;
use zone::Zone;

/// The cases of this group.
pub const CASES: &[Case] = &[
    case!("chain01", chain01),
    case!("chain02", chain02),
    case!("chain03", chain03),
    case!("chain04", chain04),
    case!("chain05", chain05),
    case!("chain06", chain06),
    case!("chain07", chain07),
    case!("chain08", glue::chain08),
    case!("chain09", automation::chain09),
    case!("chain10", csync::chain10),
    case!("chain11", signals::chain11),
    case!("chain12", digest::chain12),
];

/// The chain with all that is wrong on it.
pub(crate) struct Judged {
    pub chain: Chain,
    pub faults: Faults,
    /// What the servers of each zone said.
    asked: Vec<Asked>,
    /// The zone under test, with which its RRsets are judged.
    zone: Zone,
}

impl Run {
    /// The chain of trust to the zone.
    pub(crate) async fn chain(&self) -> &Judged {
        self.chain.get_or_init(|| build(self)).await
    }
}

async fn build(run: &Run) -> Judged {
    let asked = ask::ask(run).await;
    let mut faults = Faults::default();
    let mut links: Vec<model::Link> = Vec::new();
    let mut above: Option<Zone> = None;
    for one in &asked {
        let anchors = run.inquiry().anchors().iter();
        let is_last = one.zone == *run.zone();
        let given = Given {
            anchors: anchors
                .filter(|anchor| anchor.zone == one.zone)
                .map(|anchor| anchor.ds.clone())
                .collect(),
            instead: run
                .undelegated()
                .filter(|given| is_last && (run.is_undelegated() || !given.ds.is_empty()))
                .map(|given| given.ds.clone()),
        };
        let (mut link, zone) = trust::link(one, above.as_ref(), links.last_mut(), given, run.now(), &mut faults);
        apex::judge(one, &zone, &mut link, &mut faults);
        alias::judge(one, &mut faults);
        names::judge(one, above.as_ref().map(|above| &above.name), &mut faults);
        links.push(link);
        above = Some(zone);
    }
    names::judge_above(run, &asked, &mut faults).await;
    let state = links.last().map_or(Security::Indeterminate, |link| link.state);
    let chain = Chain { state, links };
    sum_up(run, &chain, &mut faults);
    let zone = above.expect("the zone under test is always on the path");
    Judged {
        chain,
        faults,
        asked,
        zone,
    }
}

/// Notes where the chain ends.
fn sum_up(run: &Run, chain: &Chain, faults: &mut Faults) {
    let tag = match chain.state {
        Security::Secure => "CH01_SECURE",
        Security::Insecure => "CH01_INSECURE",
        Security::Bogus => "CH01_BOGUS",
        Security::Indeterminate if run.inquiry().anchors().is_empty() && !run.is_undelegated() => "CH01_NO_ANCHOR",
        Security::Indeterminate => "CH01_INDETERMINATE",
    };
    // the first zone that is in the state: what is below it only inherits it
    let same = chain
        .links
        .iter()
        .rev()
        .take_while(|link| link.state == chain.state)
        .count();
    let first = chain.links.len() - same;
    let Some(link) = chain.links.get(first) else { return };
    // a DS RRset is signed by the zone above: where none verifies, the fault is there
    let is_handed_down_bogus = chain.state == Security::Bogus
        && !link.trust.is_empty()
        && link.trust.iter().all(|trust| trust.state == Security::Bogus);
    let zone = match chain.links.get(first.wrapping_sub(1)) {
        _ if chain.state == Security::Secure => run.zone(),
        Some(above) if is_handed_down_bogus => &above.zone,
        _ => &link.zone,
    };
    faults.note(Fault::new(tag, zone).arg("domain", run.zone()), []);
}

/// chain01: is the zone secure, insecure, bogus or indeterminate, and where is that decided?
async fn chain01(run: &Run) -> Vec<Emission> {
    run.chain().await.faults.emissions("chain01", run).await
}

/// chain02: is every signature right in every respect?
async fn chain02(run: &Run) -> Vec<Emission> {
    run.chain().await.faults.emissions("chain02", run).await
}

/// chain03: are the keys well formed, and the same everywhere?
async fn chain03(run: &Run) -> Vec<Emission> {
    run.chain().await.faults.emissions("chain03", run).await
}

/// chain04: does every DS mean a key that is there?
async fn chain04(run: &Run) -> Vec<Emission> {
    run.chain().await.faults.emissions("chain04", run).await
}

/// chain05: is what the servers say is not there proven?
async fn chain05(run: &Run) -> Vec<Emission> {
    run.chain().await.faults.emissions("chain05", run).await
}

/// chain06: are aliases what the standards allow?
async fn chain06(run: &Run) -> Vec<Emission> {
    run.chain().await.faults.emissions("chain06", run).await
}

/// chain07: does a name exist for every type and at every server or not at all, and are all answers of class IN?
async fn chain07(run: &Run) -> Vec<Emission> {
    run.chain().await.faults.emissions("chain07", run).await
}
