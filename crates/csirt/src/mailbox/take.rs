//! Takes a mail: decides what it is, does what follows from it, and keeps it, all in one change.

use std::collections::BTreeSet;

use model::{Id, Severity, Signal};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use sha2::{Digest, Sha256};

use super::delivery::{Action, DeliveryReport};
use super::entity::mail::{Column, Entity, Model};
use super::mime::{self, Reading, Unreadable};
use super::{Kind, Mail, entity};
use crate::Error;
use crate::alerts;
use crate::cases::{self, Case, CaseState, number::find_subject_token};
use crate::intake::{self, Draft, Report};
use crate::notices::{self, Notice, NoticeEvent};
use crate::records::{Actor, Change, Records, column};
use crate::requests::{self, Request};

/// Where a mail lies. The three together name it for ever (RFC 9051 §2.3.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// Name of the mailbox: `user@host/folder`.
    pub mailbox: &'a str,
    /// Its UIDVALIDITY.
    pub uid_validity: u32,
    /// The mail's UID.
    pub uid: u32,
}

/// What was fetched of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// All of it.
    Whole(Vec<u8>),
    /// Of one that is larger than [`super::LARGEST`], the headers.
    Head {
        /// The headers.
        octets: Vec<u8>,
        /// Size of the whole in octets.
        size: u64,
    },
    /// Nothing: why the mail server does not hand it out.
    Withheld(String),
}

/// Takes a mail and says what it is. A mail that was taken before is left as it is, so this may be called any number of
/// times; when it fails nothing was taken.
pub async fn take(records: &Records, place: Place<'_>, content: Content) -> Result<Kind, Error> {
    let seen = Seen::of(content).await;
    let digest = seen.digest(place);
    let mut change = records.begin(Actor::System).await?;
    if let Some(row) = at(change.db(), place).await? {
        return column::parse("mail", &row.id, &row.kind);
    }
    let judged = match first_with(change.db(), &digest).await? {
        Some(first) => Judged::again(&first)?,
        None => judge(&mut change, &seen).await?,
    };
    let kind = judged.kind;
    keep(&mut change, place, digest, seen, judged).await?;
    change.commit().await?;
    tracing::info!(place.mailbox, place.uid, %kind, "mail taken");
    Ok(kind)
}

/// What could be seen of a mail.
struct Seen {
    octets: Vec<u8>,
    size: u64,
    reading: Reading,
    unreadable: Option<Unreadable>,
}

impl Seen {
    /// Off the asynchronous threads, and with a mail that breaks the reader told apart from the rest.
    async fn of(content: Content) -> Self {
        let look = tokio::task::spawn_blocking(move || match content {
            Content::Whole(octets) => {
                let read = std::panic::catch_unwind(|| mime::read(&octets)).unwrap_or(Err(Unreadable::BrokeOff));
                let size = octets.len() as u64;
                Self::new(octets, size, read)
            }
            Content::Head { octets, size } => Self::new(octets, size, Err(Unreadable::TooLarge { size })),
            Content::Withheld(reason) => {
                let reason = mime::clean_line(&reason, 500);
                Self::new(Vec::new(), 0, Err(Unreadable::Withheld(reason)))
            }
        });
        look.await
            .unwrap_or_else(|_| Self::new(Vec::new(), 0, Err(Unreadable::BrokeOff)))
    }

    fn new(octets: Vec<u8>, size: u64, read: Result<Reading, Unreadable>) -> Self {
        let (reading, unreadable) = match read {
            Ok(reading) => (reading, None),
            Err(Unreadable::BrokeOff) => (Reading::default(), Some(Unreadable::BrokeOff)),
            Err(reason) => (mime::read_head(&octets).unwrap_or_default(), Some(reason)),
        };
        Self {
            octets,
            size,
            reading,
            unreadable,
        }
    }

    /// What makes it the same mail when it comes by another way or lies in another place: its Message-ID with what it says,
    /// and without one every octet.
    fn digest(&self, place: Place<'_>) -> String {
        let mut hash = Sha256::new();
        match &self.reading.message_id {
            _ if self.octets.is_empty() => hash.update(format!("{place:?}")),
            Some(message_id) => {
                for part in [message_id, &self.reading.from, &self.reading.subject] {
                    hash.update(part);
                    hash.update([0]);
                }
                // Of one that is too large there is no body; the whole's size stands for it.
                match self.unreadable {
                    Some(Unreadable::TooLarge { size }) => hash.update(size.to_be_bytes()),
                    _ => hash.update(mime::body_of(&self.octets)),
                }
            }
            None => hash.update(&self.octets),
        }
        hex::encode(hash.finalize())
    }
}

/// What a mail turned out to be, and what it belongs to.
struct Judged {
    kind: Kind,
    /// Whether it stays unseen in the mailbox, where a person looks at it.
    stays_unseen: bool,
    from_party: bool,
    text: String,
    request: Option<Id<Request>>,
    notice: Option<Id<Notice>>,
    report: Option<Id<Report>>,
    first: Option<Id<Mail>>,
}

impl Judged {
    fn new(kind: Kind, reading: &Reading) -> Self {
        Self {
            kind,
            stays_unseen: kind == Kind::Unreadable,
            from_party: false,
            text: reading.text.clone(),
            request: None,
            notice: None,
            report: None,
            first: None,
        }
    }

    /// A mail that came before as `first`.
    fn again(first: &Model) -> Result<Self, Error> {
        Ok(Self {
            request: column::parse_opt("mail", &first.id, first.request_id.as_deref())?,
            notice: column::parse_opt("mail", &first.id, first.notice_id.as_deref())?,
            first: Some(column::parse("mail", &first.id, &first.id)?),
            stays_unseen: first.kind == Kind::Unreadable.as_str(),
            ..Self::new(Kind::Duplicate, &Reading::default())
        })
    }
}

async fn judge(change: &mut Change, seen: &Seen) -> Result<Judged, Error> {
    let reading = &seen.reading;
    if let Some(message_id) = &reading.message_id
        && let Some(notice) = notices::with_message_id(change.db(), message_id).await?
    {
        return Ok(Judged {
            request: Some(notice.request),
            notice: Some(notice.id),
            ..Judged::new(Kind::Own, reading)
        });
    }
    if let Some(delivery) = &reading.delivery {
        for message_id in &delivery.message_ids {
            if let Some(notice) = notices::with_message_id(change.db(), message_id).await? {
                return report_on(change, &notice, delivery, reading).await;
            }
        }
    }
    let request = answered(change.db(), reading).await?;
    let mut judged = match (&seen.unreadable, &reading.delivery) {
        (Some(_), _) => Judged::new(Kind::Unreadable, reading),
        (None, None) if request.is_some() && reading.is_automatic => Judged::new(Kind::Automatic, reading),
        (None, None) if request.is_some() => Judged::new(Kind::Reply, reading),
        // A delivery report about none of our notices may be about a mail that somebody of the team wrote by hand.
        (None, _) => Judged::new(Kind::Report, reading),
    };
    if let Some(request) = &request {
        let party = requests::party_in(change.db(), request.party).await?;
        judged.request = Some(request.id);
        judged.from_party = party
            .addresses
            .iter()
            .any(|address| address.eq_ignore_ascii_case(&reading.from));
        if judged.kind == Kind::Reply {
            wake_case(change, request, reading).await?;
        }
    }
    if matches!(judged.kind, Kind::Report | Kind::Unreadable) {
        judged.report = Some(make_report(change, seen).await?);
    }
    Ok(judged)
}

/// The request that a mail is about: by its threading, else by the token in its subject.
async fn answered(db: &impl ConnectionTrait, reading: &Reading) -> Result<Option<Request>, Error> {
    for message_id in &reading.answers {
        if let Some(notice) = notices::with_message_id(db, message_id).await? {
            return Ok(Some(requests::request(&requests::row(db, notice.request).await?)?));
        }
    }
    let Some((number, request)) = find_subject_token(&reading.subject) else {
        return Ok(None);
    };
    let case = cases::entity::case::Entity::find()
        .filter(cases::entity::case::Column::Year.eq(i64::from(number.year)))
        .filter(cases::entity::case::Column::Serial.eq(number.serial))
        .one(db)
        .await?;
    let Some(case) = case else { return Ok(None) };
    let id: Id<Case> = column::parse("case_file", &case.id, &case.id)?;
    Ok(requests::in_case(db, id)
        .await?
        .into_iter()
        .find(|candidate| candidate.number == request))
}

/// Does what a delivery report about one of our notices says. A notice has come back when it came back from as many
/// addresses as it went to.
async fn report_on(
    change: &mut Change,
    notice: &Notice,
    delivery: &DeliveryReport,
    reading: &Reading,
) -> Result<Judged, Error> {
    let kind = match delivery.action() {
        Action::Delayed => Kind::Delayed,
        Action::Delivered => {
            notices::arrive(change, notice).await?;
            Kind::Delivered
        }
        Action::Failed => {
            let mut failed = failed_before(change.db(), notice.id).await?;
            failed.extend(delivery.failed());
            if failed.len() >= notice.to.len() {
                notices::come_back(change, notice, NoticeEvent::Return, &delivery.words()).await?;
            }
            Kind::Bounced
        }
    };
    Ok(Judged {
        text: mime::clean(&delivery.told(), mime::LONGEST_TEXT),
        request: Some(notice.request),
        notice: Some(notice.id),
        ..Judged::new(kind, reading)
    })
}

/// Addresses from which a notice came back by earlier reports, in lower case.
async fn failed_before(db: &impl ConnectionTrait, notice: Id<Notice>) -> Result<BTreeSet<String>, Error> {
    let rows = Entity::find()
        .filter(Column::NoticeId.eq(notice.to_string()))
        .filter(Column::Kind.eq(Kind::Bounced.as_str()))
        .all(db)
        .await?;
    Ok(rows
        .iter()
        .flat_map(|row| DeliveryReport::failed_in(&row.text))
        .collect())
}

/// Nobody looks into a closed case: an answer that comes late is an alert.
async fn wake_case(change: &mut Change, request: &Request, reading: &Reading) -> Result<(), Error> {
    let case = cases::case(&cases::row(change.db(), request.case).await?)?;
    if case.state != CaseState::Closed {
        return Ok(());
    }
    let signal = Signal {
        key: format!("mail:{}/{}", case.number, request.number),
        kind: "mail-closed-case".to_owned(),
        zones: vec![request.zone.clone()],
        args: [
            ("number".to_owned(), case.number.to_string()),
            ("sender".to_owned(), reading.from.clone()),
        ]
        .into(),
        ..intake::signal_of_now(change.now(), Severity::Review)
    };
    alerts::raise_in(change, &signal).await?;
    Ok(())
}

/// Makes a report with an alert of a mail that belongs to nothing, or that a person has to look at.
async fn make_report(change: &mut Change, seen: &Seen) -> Result<Id<Report>, Error> {
    let reading = &seen.reading;
    let reason = seen.unreadable.as_ref().map(ToString::to_string);
    let told = reason.as_ref().unwrap_or(&reading.text);
    let draft = Draft::of_mail(&reading.subject, told, &reading.from, reading.language);
    let severity = if reading.is_spam {
        Severity::Log
    } else {
        Severity::Review
    };
    let (id, _) = intake::keep_in(change, draft, severity, |signal| {
        if let Some(reason) = reason {
            signal.kind = "mail-unreadable".to_owned();
            signal.args.insert("sender".to_owned(), reading.from.clone());
            signal.args.insert("reason".to_owned(), reason);
        }
    })
    .await?;
    Ok(id)
}

async fn keep(change: &mut Change, place: Place<'_>, digest: String, seen: Seen, judged: Judged) -> Result<(), Error> {
    let id: Id<Mail> = change.new_id();
    let reading = seen.reading;
    let row = entity::mail::ActiveModel {
        id: Set(id.to_string()),
        mailbox: Set(place.mailbox.to_owned()),
        uid_validity: Set(i64::from(place.uid_validity)),
        uid: Set(i64::from(place.uid)),
        kind: Set(judged.kind.as_str().to_owned()),
        digest: Set(digest),
        message_id: Set(reading.message_id),
        sender: Set(reading.from),
        from_party: Set(judged.from_party),
        subject: Set(reading.subject),
        text: Set(judged.text),
        attachments: Set(column::to_json(&reading.attachments)),
        reason: Set(seen.unreadable.map(|reason| reason.to_string())),
        size: Set(i64::try_from(seen.size).unwrap_or(i64::MAX)),
        taken_at_us: Set(change.now().as_microsecond()),
        marked: Set(judged.stays_unseen),
        request_id: Set(judged.request.map(|id| id.to_string())),
        notice_id: Set(judged.notice.map(|id| id.to_string())),
        report_id: Set(judged.report.map(|id| id.to_string())),
        first_id: Set(judged.first.map(|id| id.to_string())),
    };
    Entity::insert(row).exec_without_returning(change.db()).await?;
    if !seen.octets.is_empty() && judged.first.is_none() {
        let octets = entity::octets::ActiveModel {
            mail_id: Set(id.to_string()),
            octets: Set(seen.octets),
        };
        entity::octets::Entity::insert(octets)
            .exec_without_returning(change.db())
            .await?;
    }
    change.audit("mail", id, "kind", None, Some(judged.kind.as_str()));
    Ok(())
}

async fn at(db: &impl ConnectionTrait, place: Place<'_>) -> Result<Option<Model>, Error> {
    Ok(Entity::find()
        .filter(Column::Mailbox.eq(place.mailbox))
        .filter(Column::UidValidity.eq(i64::from(place.uid_validity)))
        .filter(Column::Uid.eq(i64::from(place.uid)))
        .one(db)
        .await?)
}

async fn first_with(db: &impl ConnectionTrait, digest: &str) -> Result<Option<Model>, Error> {
    Ok(Entity::find()
        .filter(Column::Digest.eq(digest))
        .filter(Column::Kind.ne(Kind::Duplicate.as_str()))
        .order_by_asc(Column::Id)
        .one(db)
        .await?)
}
