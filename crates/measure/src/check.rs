//! A check of a zone: all test cases at once over one run, and the state of its servers.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use domain::base::iana::Rtype;
use futures_util::future::join_all;
use jiff::Timestamp;
use model::{Chain, Delegation, Ds, Finding, Name, Outcome};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::cases::{self, Case, Emission};
use crate::exchange::Exchange;
use crate::inquiry::Inquiry;
use crate::profile::Profile;
use crate::question::{NSID, Question};
use crate::record::Record;
use crate::run::{Run, Undelegated};
use crate::server::Server;

/// What to check, and by which measure.
#[derive(Debug, Clone)]
pub struct CheckPlan {
    /// The zone.
    pub zone: Name,
    /// A delegation to be taken instead of the parent's.
    pub undelegated: Option<Undelegated>,
    /// Ids of the cases to run; `None`: those of the profile, or all but the deep ones. Ids that no case has are passed over.
    pub cases: Option<Vec<String>>,
    /// Levels and limits.
    pub profile: Profile,
}

impl CheckPlan {
    /// The zone as it is delegated, by the cases, levels and limits of the default profile.
    pub fn of(zone: Name) -> Self {
        Self {
            zone,
            undelegated: None,
            cases: None,
            profile: Profile::default(),
        }
    }
}

/// What a check came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The zone.
    pub zone: Name,
    /// The moment as of which it was judged.
    pub started: Timestamp,
    /// Name of the vantage point that it was measured from; `None` where nobody said.
    #[serde(default)]
    pub vantage_point: Option<String>,
    /// How long the check took, in seconds.
    pub seconds: f64,
    /// Ids of the test cases that were judged, in the order of the catalogue.
    pub cases: Vec<String>,
    /// The findings in the order of the catalogue, each with the seconds from the start until its case was through.
    pub findings: Vec<(f64, Finding)>,
    /// What the parent says (in an undelegated test: what was given); `None` when that could not be learnt.
    pub delegation: Option<Delegation>,
    /// The chain of trust to the zone; `None` when none of its test cases was chosen.
    #[serde(default)]
    pub chain: Option<Chain>,
    /// The zone's servers, sorted by name and address.
    pub servers: Vec<ServerState>,
    /// Why nothing can be said of the zone: the trouble is on our side. Findings are empty then.
    pub untestable: Option<String>,
}

/// One server of the zone as it answered on SOA over UDP.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ServerState {
    /// The name server's name.
    pub name: Name,
    /// One of its addresses.
    pub address: IpAddr,
    /// What came of the question.
    pub outcome: Outcome,
    /// Whether a DNS response came.
    pub reachable: bool,
    /// Whether the answer was authoritative and had the zone's SOA record.
    pub serves_zone: bool,
    /// From sending to the answer, in microseconds.
    pub rtt_us: Option<u64>,
    /// RCODE of the answer (IANA RCODEs).
    pub rcode: Option<u16>,
    /// SOA serial.
    pub serial: Option<u32>,
    /// NSID (RFC 5001), as text where printable, else hexadecimal.
    pub nsid: Option<String>,
}

/// Checks a zone. All cases run at once and share what they ask; signatures are judged as of `now`.
///
/// When basic02 finds no working server, what the other groups say follows from that and is left out.
pub async fn check(inquiry: &Inquiry, plan: &CheckPlan, now: Timestamp) -> Report {
    let begin = Instant::now();
    let run = Run::new(inquiry, plan, now);
    let chosen = chosen_cases(plan);
    let is_chosen = |id: &str| chosen.iter().any(|case| case.id == id);
    let at_once = chosen
        .iter()
        .filter(|case| case.id != "basic03")
        .map(async |case| through(case, &run, begin).await);
    let (mut done, delegation, servers) = tokio::join!(join_all(at_once), delegation_of(&run), states_of(&run));

    let is_dead = |done: &[Done]| {
        done.iter()
            .any(|done| done.case.id == "basic02" && done.has_no_working_server())
    };
    // the rest of a dead zone is only worth a look for its web address
    if let Some(basic03) = chosen.iter().find(|case| case.id == "basic03")
        && (is_dead(&done) || !is_chosen("basic02"))
    {
        let place = done
            .iter()
            .position(|done| !done.case.id.starts_with("basic"))
            .unwrap_or(done.len());
        done.insert(place, through(basic03, &run, begin).await);
    }
    if is_dead(&done) {
        done.retain(|done| done.case.id.starts_with("basic"));
    }
    // in an unsigned zone all the other DNSSEC cases would only say so again
    if done.iter().any(Done::is_unsigned) {
        done.retain(|done| !done.case.id.starts_with("dnssec") || ["dnssec07", "dnssec11"].contains(&done.case.id));
    }
    // names of addresses are compared only where every address has one (address03, "Intercase dependencies")
    if done.iter().any(Done::misses_reverse_names) {
        done.retain(|done| done.case.id != "address03");
    }
    let is_heard = servers.iter().any(|server| server.reachable);
    let untestable = match delegation.is_some() && is_heard {
        _ if inquiry.is_spent() => Some("the inquiry used up its questions or its time".to_owned()),
        true => None,
        false => why_untestable(&run).await.map(str::to_owned),
    };
    if untestable.is_some() {
        done.clear();
    }
    let cases = done.iter().map(|done| done.case.id.to_owned()).collect();
    let chain = match chosen.iter().any(|case| case.id.starts_with("chain")) && untestable.is_none() {
        true => Some(run.chain().await.chain.clone()),
        false => None,
    };
    let vantage_point = inquiry.vantage_point();
    let findings = done
        .into_iter()
        .flat_map(|done| done.findings(&plan.profile, vantage_point))
        .collect();
    let seconds = seconds_since(begin);
    Report {
        zone: plan.zone.clone(),
        started: now,
        vantage_point: vantage_point.map(str::to_owned),
        seconds,
        cases,
        findings,
        delegation,
        chain,
        servers,
        untestable,
    }
}

fn chosen_cases(plan: &CheckPlan) -> Vec<&'static Case> {
    let ids = plan.cases.as_ref().or(plan.profile.cases.as_ref());
    let is_chosen = |case: &&Case| match ids {
        Some(ids) => ids.iter().any(|id| id.eq_ignore_ascii_case(case.id)),
        None => !case.deep,
    };
    cases::all().filter(is_chosen).collect()
}

/// A case that is through.
struct Done {
    case: &'static Case,
    seconds: f64,
    emitted: Vec<Emission>,
}

impl Done {
    fn has_no_working_server(&self) -> bool {
        self.emitted
            .iter()
            .any(|emission| matches!(emission.tag, "B02_NO_DELEGATION" | "B02_NO_WORKING_NS"))
    }

    fn is_unsigned(&self) -> bool {
        self.emitted.iter().any(|emission| emission.tag == "DS07_NOT_SIGNED")
    }

    fn misses_reverse_names(&self) -> bool {
        let has_failed = |emission: &Emission| emission.tag != "NAMESERVERS_IP_WITH_REVERSE";
        self.case.id == "address02" && self.emitted.iter().any(has_failed)
    }

    fn findings(self, profile: &Profile, vantage_point: Option<&str>) -> Vec<(f64, Finding)> {
        let finding = |emission: Emission| Finding {
            case: self.case.id.to_owned(),
            tag: emission.tag.to_owned(),
            level: profile.level(self.case.id, emission.tag),
            args: emission.args,
            vantage_point: vantage_point.map(str::to_owned),
        };
        self.emitted
            .into_iter()
            .map(|emission| (self.seconds, finding(emission)))
            .collect()
    }
}

async fn through(case: &'static Case, run: &Run, begin: Instant) -> Done {
    let emitted = (case.run)(run).await;
    Done {
        case,
        seconds: seconds_since(begin),
        emitted,
    }
}

/// Seconds to the microsecond: what JSON has of them reads back as the same number, which more digits may not.
fn seconds_since(begin: Instant) -> f64 {
    begin.elapsed().as_micros() as f64 / 1e6
}

/// What on our side keeps us from saying anything of a zone that seems dead.
async fn why_untestable(run: &Run) -> Option<&'static str> {
    if !run.is_undelegated() && !is_root_heard(run).await {
        // our own line is down, and every zone would look dead
        return Some("no root name server answered");
    }
    let addresses = run.delegation_addresses().await.unwrap_or_default();
    let is_any_asked = addresses.iter().any(|address| run.inquiry().is_enabled(*address));
    (!addresses.is_empty() && !is_any_asked)
        .then_some("its servers have only addresses of a family that is switched off")
}

async fn is_root_heard(run: &Run) -> bool {
    let addresses: BTreeSet<_> = run.root_servers().into_values().flatten().collect();
    // with EDNS, so that it is not one of the walk's questions, whose answers other runs may have brought
    let question = Question::edns(&Name::root(), Rtype::SOA);
    let answers = run.ask_all(addresses, &question).await;
    answers.iter().any(|(_, exchange)| exchange.response().is_some())
}

/// The delegation with its DS set; `None` when no server of the parent could be heard on it.
pub(crate) async fn delegation_of(run: &Run) -> Option<Delegation> {
    if let Some(given) = run.undelegated().filter(|_| run.is_undelegated()) {
        return Some(Delegation {
            ns: run.undelegated_servers(),
            ds: given.ds.iter().cloned().collect(),
        });
    }
    if run.zone().is_root() {
        return Some(Delegation {
            ns: run.root_servers(),
            ds: BTreeSet::new(),
        });
    }
    let Some(parents) = run.parent_addresses().await else {
        // heard, but not as a delegation: there is none
        return (!run.walk().await.found.is_empty()).then(Delegation::default);
    };
    let (delegated, answers) = tokio::join!(run.delegated(), ds_answers(run, parents));
    let responses = answers.iter().filter_map(|exchange| exchange.response());
    let records = responses
        .flat_map(|response| response.answers(run.zone(), Rtype::DS))
        .filter_map(Record::ds);
    let ds = records.map(|ds| Ds {
        key_tag: ds.key_tag(),
        algorithm: ds.algorithm().to_int(),
        digest_type: ds.digest_type().to_int(),
        digest: ds.digest().clone(),
    });
    // without a single answer on DS nobody knows whether there are any
    if answers.is_empty() {
        return None;
    }
    let ns = delegated.filter(|delegated| !delegated.ns.is_empty())?.glue.clone();
    Some(Delegation { ns, ds: ds.collect() })
}

/// The parents' answers on the zone's DS, without EDNS where no parent answers with it.
async fn ds_answers(run: &Run, parents: BTreeSet<IpAddr>) -> Vec<Arc<Exchange>> {
    for question in [
        Question::dnssec(run.zone(), Rtype::DS),
        Question::plain(run.zone(), Rtype::DS),
    ] {
        let asked = run.ask_all(parents.iter().copied(), &question).await.into_iter();
        let is_answer = |exchange: &Arc<Exchange>| exchange.response().is_some_and(|response| response.is_noerror());
        let answers: Vec<_> = asked.map(|(_, exchange)| exchange).filter(is_answer).collect();
        if !answers.is_empty() {
            return answers;
        }
    }
    Vec::new()
}

async fn states_of(run: &Run) -> Vec<ServerState> {
    let soa = Question::plain(run.zone(), Rtype::SOA);
    let with_nsid = Question::edns(run.zone(), Rtype::SOA)
        .payload(1232)
        .option(NSID, Vec::new());
    let states = run.child_servers().await.iter().map(async |Server { name, address }| {
        let exchange = run.ask(*address, &soa).await;
        let response = exchange.response();
        let nsid = match response {
            Some(_) => run
                .ask(*address, &with_nsid)
                .await
                .response()
                .and_then(|response| response.nsid()),
            None => None,
        };
        let own = response.and_then(|response| response.answers(run.zone(), Rtype::SOA).find_map(Record::soa));
        ServerState {
            name: name.clone(),
            address: *address,
            outcome: exchange.outcome,
            reachable: response.is_some(),
            serves_zone: own.is_some() && response.is_some_and(|response| response.authoritative),
            rtt_us: exchange.rtt_us,
            rcode: response.map(|response| response.rcode.to_int()),
            serial: own.map(|soa| soa.serial().into_int()),
            nsid,
        }
    });
    join_all(states).await
}
