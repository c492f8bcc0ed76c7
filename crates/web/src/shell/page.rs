//! A page's surroundings: who reads, in which language and time zone, with the texts at hand.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;

use askama::filters::Safe;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use csirt::Actor;
use csirt::accounts::{Account, Capability, Role};
use jiff::tz::TimeZone;
use language::{Explanation, Text, texts};
use model::{Finding, Health, Language, Name, Timestamp};

use super::field::Input;
use super::markup::{self, Put};
use super::{WebError, assets};
use crate::{App, Settings};

/// What every page knows. Made once for each request; a handler takes it as an argument and gives it to its template
/// in the field `page`.
#[derive(Clone)]
pub struct Page {
    /// The language that the page speaks.
    pub language: Language,
    /// Whether the reader chose it (address or cookie), or only the browser or nobody did.
    pub language_chosen: bool,
    /// The moment of the request.
    pub now: Timestamp,
    /// The reader's time zone; UTC for those without an account.
    pub zone: TimeZone,
    /// Who is signed in.
    pub account: Option<Account>,
    /// Path and query of the page without the language: base of the language switch.
    pub path: String,
    /// Id of the text about what was just done, shown once.
    pub flash: Option<String>,
    /// Name and addresses of the centre.
    pub settings: Arc<Settings>,
    /// Where the request came from.
    pub peer: IpAddr,
    pub(super) session: Option<String>,
}

/// One language as the switch offers it.
pub struct Choice {
    /// Subtag: `ar`.
    pub code: &'static str,
    /// Its name in itself.
    pub name: &'static str,
    /// Address of this page in it.
    pub href: String,
    /// Whether the page speaks it now.
    pub current: bool,
}

/// One entry of the navigation.
pub struct Entry {
    /// Address.
    pub href: &'static str,
    /// Shown text.
    pub text: String,
    /// Whether this page is it or lies below it.
    pub current: bool,
}

impl Page {
    /// Why a party was chosen, in the reader's language.
    pub fn because(&self, because: &str) -> String {
        csirt::requests::because_text(because, self.language)
    }

    /// A kept text: the system's own sentences in the reader's language, people's words as they are.
    pub fn told(&self, text: &str) -> String {
        csirt::told(text, self.language)
    }

    /// A finding told in the reader's language.
    pub fn explain(&self, finding: &Finding) -> Explanation {
        language::explain(finding, self.language)
    }

    /// All texts in the page's language.
    pub fn texts(&self) -> &'static Text {
        texts(self.language)
    }

    /// The text `id`.
    pub fn t(&self, id: impl AsRef<str>) -> String {
        self.texts().get(id.as_ref())
    }

    /// The text `id` with one argument.
    pub fn t1(&self, id: impl AsRef<str>, name: &str, value: impl Put) -> String {
        self.texts().format(id.as_ref(), [(name, value.put())])
    }

    /// The text `id` with two arguments.
    pub fn t2(&self, id: impl AsRef<str>, name1: &str, value1: impl Put, name2: &str, value2: impl Put) -> String {
        self.texts()
            .format(id.as_ref(), [(name1, value1.put()), (name2, value2.put())])
    }

    /// The text `id` with three arguments.
    #[expect(
        clippy::too_many_arguments,
        reason = "templates have no other way to write three pairs"
    )]
    pub fn t3(
        &self,
        id: impl AsRef<str>,
        name1: &str,
        value1: impl Put,
        name2: &str,
        value2: impl Put,
        name3: &str,
        value3: impl Put,
    ) -> String {
        self.texts().format(
            id.as_ref(),
            [(name1, value1.put()), (name2, value2.put()), (name3, value3.put())],
        )
    }

    /// `lang` of the page.
    pub fn lang(&self) -> &'static str {
        self.language.code()
    }

    /// `dir` of the page.
    pub fn dir(&self) -> &'static str {
        self.language.direction()
    }

    /// A moment in UTC, with the reader's own time beside it where that differs.
    pub fn time(&self, time: &Timestamp) -> Safe<String> {
        markup::time(*time, &self.zone)
    }

    /// The same without HTML.
    pub fn time_text(&self, time: &Timestamp) -> String {
        markup::time_text(*time, &self.zone)
    }

    /// How long ago (or how far ahead) a moment is, in the largest unit that fits; the moment itself on hover.
    pub fn ago(&self, time: &Timestamp) -> Safe<String> {
        Safe(format!(
            "<time datetime=\"{}\" title=\"{}\">{}</time>",
            time.strftime("%Y-%m-%dT%H:%M:%SZ"),
            markup::escape(&self.time_text(time)),
            markup::escape(&self.ago_text(time))
        ))
    }

    /// The same without HTML.
    pub fn ago_text(&self, time: &Timestamp) -> String {
        let seconds = self.now.duration_since(*time).as_secs();
        let (unit, count) = largest_unit(seconds.unsigned_abs());
        let side = if seconds < 0 { "in" } else { "ago" };
        self.t1(format!("portal-{side}-{unit}"), "count", count)
    }

    /// A length of time in the largest unit that fits.
    pub fn span(&self, seconds: f64) -> String {
        let seconds = seconds.max(0.0) as u64;
        let (unit, count) = largest_unit(seconds);
        self.t1(format!("portal-span-{unit}"), "count", count)
    }

    /// A domain name with both its forms, isolated.
    pub fn name(&self, name: &Name) -> Safe<String> {
        markup::name(name)
    }

    /// Something that is always written from left to right: address, hash, number.
    pub fn ltr(&self, text: impl AsRef<str>) -> Safe<String> {
        markup::ltr(text.as_ref())
    }

    /// The text `id` as a label of class `good`, `warn`, `bad`, `none` or `info`.
    pub fn tag(&self, class: &str, id: impl AsRef<str>) -> Safe<String> {
        markup::tag(class, &self.t(id))
    }

    /// How something does, as a label.
    pub fn health(&self, health: &Health) -> Safe<String> {
        self.tag(crate::health::tone(*health), crate::health::text_id(*health))
    }

    /// The hidden field that proves that a form is ours. Each form of method POST needs it.
    pub fn csrf(&self) -> Safe<String> {
        Safe(format!(
            "<input type=\"hidden\" name=\"csrf\" value=\"{}\">",
            self.mark()
        ))
    }

    /// What `csrf` holds.
    pub fn mark(&self) -> String {
        self.settings.secret.seal(&self.purpose(), self.now)
    }

    /// Whether `mark` is one that a form of ours held, of this session and at most a day old; for bodies that are no
    /// plain form (files).
    pub fn is_mark(&self, mark: &str) -> bool {
        let made = self.settings.secret.opened(mark, &self.purpose(), self.now);
        made.is_some_and(|made| self.now.duration_since(made).as_secs() <= 86_400)
    }

    pub(super) fn purpose(&self) -> String {
        match &self.session {
            Some(session) => format!("session {session}"),
            None => "anonymous".to_owned(),
        }
    }

    /// A field of a form: `page.input("reason", "alerts-reason").hint("…").value(form.reason).errors(errors)`.
    pub fn input(&self, id: &str, label: &str) -> Input {
        Input::new(self.texts(), id, label)
    }

    /// The token of the session, for ending it.
    pub fn session(&self) -> Option<&str> {
        self.session.as_deref()
    }

    /// Whoever is signed in; others go to the sign-in page and come back.
    pub fn account(&self) -> Result<&Account, WebError> {
        self.account.as_ref().ok_or_else(|| WebError::SignIn {
            next: self.path.clone(),
        })
    }

    fn one_of(&self, roles: &[Role]) -> Result<&Account, WebError> {
        let account = self.account()?;
        if roles.contains(&account.role) {
            Ok(account)
        } else {
            Err(WebError::NotFound)
        }
    }

    /// Whoever is signed in and has this right; others go to sign in, or find nothing here.
    pub fn require(&self, capability: Capability) -> Result<&Account, WebError> {
        let account = self.account()?;
        if account.may(capability) {
            Ok(account)
        } else {
            Err(WebError::NotFound)
        }
    }

    /// Whether the reader has this right (for templates and for the navigation).
    pub fn may(&self, capability: Capability) -> bool {
        self.account.as_ref().is_some_and(|account| account.may(capability))
    }

    /// Who may read the team's pages: admin, duty officer, augmenter, observer.
    pub fn reader(&self) -> Result<&Account, WebError> {
        self.one_of(&[Role::Admin, Role::DutyOfficer, Role::Augmenter, Role::Observer])
    }

    /// Who may act on cases: admin, duty officer, augmenter.
    pub fn team(&self) -> Result<&Account, WebError> {
        self.one_of(&[Role::Admin, Role::DutyOfficer, Role::Augmenter])
    }

    /// Admin and duty officer.
    pub fn duty(&self) -> Result<&Account, WebError> {
        self.one_of(&[Role::Admin, Role::DutyOfficer])
    }

    /// Admin only.
    pub fn admin(&self) -> Result<&Account, WebError> {
        self.one_of(&[Role::Admin])
    }

    /// Whoever is signed in and has this right. Others get 404: hidden things do not show.
    pub fn right(&self, capability: Capability) -> Result<&Account, WebError> {
        let account = self.account()?;
        if account.may(capability) {
            Ok(account)
        } else {
            Err(WebError::NotFound)
        }
    }

    /// Whether the reader has this right (for templates).
    pub fn has(&self, capability: Capability) -> bool {
        self.account.as_ref().is_some_and(|account| account.may(capability))
    }

    /// The signed-in account as the one who acts.
    pub fn actor(&self) -> Result<Actor, WebError> {
        Ok(Actor::Account(self.account()?.id))
    }

    /// Whether the reader belongs to the team (for templates).
    pub fn is_reader(&self) -> bool {
        self.reader().is_ok()
    }

    /// Whether the reader may act on cases (for templates).
    pub fn is_team(&self) -> bool {
        self.team().is_ok()
    }

    /// The six languages with the address of this page in each.
    pub fn choices(&self) -> Vec<Choice> {
        let joint = if self.path.contains('?') { '&' } else { '?' };
        Language::ALL
            .into_iter()
            .map(|language| Choice {
                code: language.code(),
                name: language.endonym(),
                href: format!("{}{joint}lang={language}", self.path),
                current: language == self.language,
            })
            .collect()
    }

    /// The navigation for this reader.
    pub fn entries(&self) -> Vec<Entry> {
        let mut entries = vec![("/", "portal-nav-status")];
        let rooms = [
            ("/alerts", "portal-nav-alerts", Capability::SeeAlerts),
            ("/cases", "portal-nav-cases", Capability::SeeCases),
            ("/zones", "portal-nav-zones", Capability::SeeWatchList),
            ("/passive", "portal-nav-passive", Capability::SeeWatchList),
            ("/directory", "portal-nav-directory", Capability::SeeDirectory),
            ("/route", "portal-nav-route", Capability::SeeDirectory),
            ("/centre", "portal-nav-centre", Capability::SeeCentre),
        ];
        entries.extend(
            rooms
                .into_iter()
                .filter(|room| self.may(room.2))
                .map(|(href, id, _)| (href, id)),
        );
        if self
            .account
            .as_ref()
            .is_some_and(|account| account.organisation.is_some())
        {
            entries.push(("/organisation", "portal-nav-organisation"));
        }
        entries.extend([("/report", "portal-nav-report"), ("/about", "portal-nav-about")]);
        let path = self.path.split('?').next().unwrap_or_default();
        entries
            .into_iter()
            .map(|(href, id)| Entry {
                href,
                text: self.t(id),
                current: path == href
                    || (href != "/" && path.strip_prefix(href).is_some_and(|rest| rest.starts_with('/'))),
            })
            .collect()
    }

    /// Address of the style sheet.
    pub fn style(&self) -> String {
        assets::style_path()
    }

    /// Address of the script.
    pub fn script(&self) -> String {
        assets::script_path()
    }
}

fn largest_unit(seconds: u64) -> (&'static str, u64) {
    match seconds {
        0..60 => ("seconds", seconds),
        60..3_600 => ("minutes", seconds / 60),
        3_600..172_800 => ("hours", seconds / 3_600),
        _ => ("days", seconds / 86_400),
    }
}

impl FromRequestParts<App> for Page {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _app: &App) -> Result<Self, Infallible> {
        Ok(parts
            .extensions
            .get::<Page>()
            .cloned()
            .expect("the shell puts a page into each request before it is routed"))
    }
}
