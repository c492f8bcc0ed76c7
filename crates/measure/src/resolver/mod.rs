//! Tests of a resolver: what it does for those who ask it, and how it asks others, as the measuring zone's server sees it.
//!
//! Asking ([`asks`]) and judging are apart: all questions are put, what the server saw is fetched, and then each case is a
//! plain function over [`Gathered`].

mod asks;
mod denial;
mod encrypted;
mod privacy;
mod randomness;
mod reach;
mod transport;
mod validation;

use std::net::{IpAddr, SocketAddr};

use futures_util::StreamExt as _;
use jiff::Timestamp;
use model::{Finding, Name};
use serde::Serialize;
use tokio::time::Instant;

use crate::authority::seen::Seen;
use crate::cases::Emission;
use crate::internet::{Internet, OpenError};
use crate::profile::Profile;
use crate::settings::Settings;

pub use randomness::{Randomness, deviation};

use asks::{Ask, Names};
use encrypted::Encrypted;

/// What to test, and with what help.
#[derive(Debug, Clone)]
pub struct ResolverPlan {
    /// The resolver.
    pub resolver: SocketAddr,
    /// The zone whose server sees how the resolver asks; without one only the resolver's own answers are judged.
    pub measuring: Option<Measuring>,
    /// Whether this machine is none of those that the resolver is there for, so that it should turn us away.
    pub is_outside: bool,
    /// Levels.
    pub profile: Profile,
}

/// A measuring zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measuring {
    /// Its name.
    pub zone: Name,
    /// Where its server is reached directly, to fetch what it saw; `None`: where the resolver says that it is, at port 53.
    pub authority: Option<SocketAddr>,
}

/// What a test of a resolver came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ResolverReport {
    /// The resolver.
    pub resolver: SocketAddr,
    /// When the test began.
    pub started: Timestamp,
    /// Name of the vantage point that asked; `None` where nobody said.
    pub vantage_point: Option<String>,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// Questions that it was asked.
    pub questions: usize,
    /// The findings in the order of the cases.
    pub findings: Vec<Finding>,
    /// Questions that the measuring zone's server saw.
    pub seen: Vec<Seen>,
}

/// Everything that was asked and seen.
pub(crate) struct Gathered {
    pub resolver: IpAddr,
    pub is_outside: bool,
    pub names: Names,
    pub answers: asks::Answers,
    pub encrypted: Encrypted,
    /// What the server saw; `None` when there is no measuring zone, or its server did not tell.
    pub seen: Option<Vec<Seen>>,
}

type Case = (&'static str, fn(&Gathered) -> Vec<Emission>);

/// The cases, in the order in which they are told.
const CASES: [Case; 13] = [
    ("resolver01", reach::resolver01),
    ("resolver02", validation::resolver02),
    ("resolver03", randomness::resolver03),
    ("resolver04", privacy::resolver04),
    ("resolver05", transport::resolver05),
    ("resolver06", randomness::resolver06),
    ("resolver07", encrypted::resolver07),
    ("resolver08", privacy::resolver08),
    ("resolver09", reach::resolver09),
    ("resolver10", denial::resolver10),
    ("resolver11", transport::resolver11),
    ("resolver12", validation::resolver12),
    ("resolver13", denial::resolver13),
];

/// Questions of one run under way at a time: a resolver serves others meanwhile.
const AT_ONCE: usize = 4;

/// Tests a resolver. `settings` say how long one question may take; their hints and port are the resolver's.
pub async fn check_resolver(
    settings: &Settings,
    plan: &ResolverPlan,
    now: Timestamp,
) -> Result<ResolverReport, OpenError> {
    let begin = Instant::now();
    let address = plan.resolver.ip();
    let internet = Internet::open(Settings {
        hints: vec![(Name::root(), vec![address])],
        port: plan.resolver.port(),
        ..settings.clone()
    })?;
    let inquiry = internet.inquiry();
    let names = Names::of(plan.measuring.as_ref().map(|measuring| &measuring.zone));
    let mut answers = asks::Answers::default();
    let put = async |ask: Ask| {
        let exchange = match names.question(ask) {
            Some(question) => Some(inquiry.ask(address, &question).await),
            None => None,
        };
        (ask, exchange)
    };
    answers.extend(futures_util::future::join_all(Ask::FIRST.map(&put)).await);
    let serves = answers.serves();
    let encrypted = async {
        let question = names.question(Ask::Encrypted);
        encrypted::try_both(address, question, settings.timeout).await
    };
    let rest = async {
        let waves = if serves { Ask::waves() } else { Vec::new() };
        let mut found = Vec::new();
        for wave in waves {
            let asked = futures_util::stream::iter(wave).map(&put).buffer_unordered(AT_ONCE);
            found.extend(asked.collect::<Vec<_>>().await);
        }
        found
    };
    let (encrypted, rest) = tokio::join!(encrypted, rest);
    answers.extend(rest);
    let seen = match &plan.measuring {
        Some(measuring) => asks::fetch(settings, measuring, &names, &answers).await,
        None => None,
    };
    let gathered = Gathered {
        resolver: address,
        is_outside: plan.is_outside,
        names,
        answers,
        encrypted,
        seen,
    };
    let mut findings = Vec::new();
    for (id, case) in CASES {
        findings.extend(case(&gathered).into_iter().map(|emission| Finding {
            case: id.to_owned(),
            tag: emission.tag.to_owned(),
            level: plan.profile.level(id, emission.tag),
            args: emission.args,
            vantage_point: settings.vantage_point.clone(),
        }));
    }
    Ok(ResolverReport {
        resolver: plan.resolver,
        started: now,
        vantage_point: settings.vantage_point.clone(),
        seconds: begin.elapsed().as_secs_f64(),
        questions: inquiry.exchanges().len(),
        findings,
        seen: gathered.seen.unwrap_or_default(),
    })
}
