//! edns10: answers that cannot be read, or that lead on and on.

use std::collections::BTreeSet;

use domain::base::iana::Rtype;
use futures_util::future::join_all;
use model::{Name, Outcome};

use super::size::FLAG_DAY;
use super::{of_each, on_each};
use crate::cases::Emission;
use crate::exchange::Exchange;
use crate::methods::NAME_SERVERS;
use crate::question::{NSID, Question};
use crate::record::Record;
use crate::run::Run;

/// edns10: every answer is a proper DNS message, and not built to wear out who reads it. It looks at answers for which other
/// cases ask.
pub async fn edns10(run: &Run) -> Vec<Emission> {
    let questions = [
        Question::plain(run.zone(), Rtype::SOA),
        Question::plain(run.zone(), Rtype::NS),
        Question::edns(run.zone(), Rtype::SOA)
            .payload(FLAG_DAY)
            .option(NSID, Vec::new()),
        Question::dnssec(run.zone(), Rtype::DNSKEY),
    ];
    on_each(run, async |address, servers| {
        let exchanges = join_all(questions.iter().map(|question| run.ask(address, question))).await;
        let malformed: BTreeSet<String> = exchanges
            .iter()
            .filter(|exchange| is_malformed(exchange))
            .map(|exchange| exchange.question.short())
            .collect();
        let count = exchanges
            .iter()
            .map(|exchange| name_servers(run, exchange))
            .max()
            .unwrap_or_default();
        let mut emitted = Vec::new();
        if !malformed.is_empty() {
            emitted.push(Emission::new("E10_MALFORMED_ANSWER").list("questions", malformed));
        }
        if count > NAME_SERVERS {
            let crowd = Emission::new("E10_TOO_MANY_NAME_SERVERS").arg("count", count);
            emitted.push(crowd.arg("limit", NAME_SERVERS));
        }
        emitted
            .into_iter()
            .flat_map(|emission| of_each(&servers, emission))
            .collect()
    })
    .await
}

fn is_malformed(exchange: &Exchange) -> bool {
    exchange.outcome == Outcome::Garbage || exchange.response().is_some_and(|response| response.malformed)
}

fn name_servers(run: &Run, exchange: &Exchange) -> usize {
    let Some(response) = exchange.response() else { return 0 };
    let names: BTreeSet<Name> = response.answers(run.zone(), Rtype::NS).filter_map(Record::ns).collect();
    names.len()
}
