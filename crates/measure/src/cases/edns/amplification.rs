//! edns06: how much more comes back than was sent, which is what attacks with forged senders look for.

use std::collections::BTreeSet;

use domain::base::iana::Rtype;
use futures_util::future::join_all;
use model::Name;

use super::{of_each, on_each};
use crate::cases::Emission;
use crate::exchange::Exchange;
use crate::question::Question;
use crate::run::Run;

/// Rooms that attackers and resolvers announce.
const ROOMS: [u16; 2] = [4096, 1232];

/// A factor from which a server is worth an attacker's while: the lower end of what US-CERT's alert TA14-017A gives for DNS
/// (28 to 54). Lower blames every signed zone, higher overlooks those that are used.
const WORTHWHILE: f64 = 28.0;

/// edns06: no question brings back a multiple of itself that is worth forging a sender for.
pub async fn edns06(run: &Run) -> Vec<Emission> {
    let asked = [
        (run.zone().clone(), Rtype::ANY),
        (run.zone().clone(), Rtype::DNSKEY),
        (run.zone().clone(), Rtype::TXT),
        (Name::root(), Rtype::NS),
    ];
    let questions: Vec<Question> = asked
        .iter()
        .flat_map(|(name, rtype)| ROOMS.map(|room| Question::dnssec(name, *rtype).payload(room).ignoring_truncation()))
        .collect();
    on_each(run, async |address, servers| {
        let asked = questions.iter().map(|question| run.ask(address, question));
        let exchanges = join_all(asked).await;
        let mut factors = Vec::new();
        let mut emitted = Vec::new();
        for exchange in &exchanges {
            let Some(factor) = factor_of(exchange) else { continue };
            let question = &exchange.question;
            let room = question.edns.as_ref().map_or(0, |edns| edns.payload);
            factors.push(format!("{}@{room}={factor:.1}", question.short().replace(' ', "/")));
            if factor >= WORTHWHILE {
                let high = Emission::new("E06_HIGH_AMPLIFICATION")
                    .arg("question", question.short())
                    .arg("room", room)
                    .arg("size", exchange.wire.len())
                    .arg("factor", format!("{factor:.1}"));
                emitted.push(high);
            }
        }
        if factors.is_empty() {
            return of_each(&servers, Emission::new("NO_RESPONSE"));
        }
        emitted.push(Emission::new("E06_FACTORS").arg("factors", factors.join(";")));
        emitted.extend(exchanges.iter().find_map(|exchange| about_any(exchange)));
        if !run.zone().is_root() {
            emitted.extend(exchanges.iter().find_map(|exchange| about_root(exchange)));
        }
        emitted
            .into_iter()
            .flat_map(|emission| of_each(&servers, emission))
            .collect()
    })
    .await
}

/// Octets of the answer by octets of the question, both as UDP carries them (bandwidth amplification factor).
fn factor_of(exchange: &Exchange) -> Option<f64> {
    exchange.response()?;
    let asked = exchange.question.size();
    Some(exchange.wire.len() as f64 / asked as f64)
}

/// Whether ANY brings all there is (RFC 8482).
fn about_any(exchange: &Exchange) -> Option<Emission> {
    let response = exchange.response().filter(|response| response.is_noerror())?;
    if exchange.question.rtype != Rtype::ANY || response.answer.is_empty() {
        return None;
    }
    let types: BTreeSet<Rtype> = response.answer.iter().map(|record| record.rtype()).collect();
    let others = types.iter().filter(|rtype| **rtype != Rtype::RRSIG).count();
    Some(match others {
        0 | 1 => Emission::new("E06_ANY_IS_MINIMAL"),
        _ => Emission::new("E06_ANY_IN_FULL")
            .list("types", types)
            .arg("size", exchange.wire.len()),
    })
}

/// Whether a server that does not serve the root gives its name servers away.
fn about_root(exchange: &Exchange) -> Option<Emission> {
    let response = exchange.response()?;
    let is_root = exchange.question.name.is_root();
    let has_servers = response
        .answer
        .iter()
        .chain(&response.authority)
        .any(|record| record.rtype() == Rtype::NS && record.owner.is_root());
    (is_root && has_servers).then(|| Emission::new("E06_GIVES_ROOT_AWAY").arg("size", exchange.wire.len()))
}
