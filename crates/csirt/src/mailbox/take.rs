//! Mail that comes in: delivery reports, and replies to notices.
//!
//! A mail moves no request: it may be forged. A delivery report moves a notice when it names our Message-ID; a reply
//! becomes a note in the case, for a person to read, and says whether its sender is one of the party's addresses.

use mail_parser::{Message, MessageParser};
use model::Id;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use super::bounce::{self, Action};
use super::deliver::come_back;
use super::store::{move_notice, with_message_id};
use super::{Notice, NoticeEvent, NoticeKind};
use crate::Error;
use crate::cases::{self, number::find_subject_token};
use crate::records::{Actor, Change, Records, column};
use crate::requests::{self, Request, RequestEvent};

/// Largest mail that is read, in octets. What is larger is left in the mailbox for a person.
const LARGEST: usize = 8 << 20;

/// Longest text of a reply that is kept, in letters.
const LONGEST: usize = 18_000;

/// What a mail turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// This notice came back.
    Bounced(Id<Notice>),
    /// This notice arrived.
    Delivered(Id<Notice>),
    /// It answers a notice of this request, and is now a note in its case.
    Reply(Id<Request>),
    /// Nothing that we know: leave it to a person.
    Unknown,
}

/// Reads a raw mail and does what follows from it. The same mail a second time does nothing new where it is a report;
/// a reply is noted once per Message-ID.
pub async fn receive(records: &Records, raw: &[u8]) -> Result<Received, Error> {
    if raw.len() > LARGEST {
        return Ok(Received::Unknown);
    }
    if let Some(report) = bounce::read(raw) {
        let mut change = records.begin(Actor::System).await?;
        for message_id in &report.message_ids {
            let Some(notice) = with_message_id(change.db(), message_id).await? else {
                continue;
            };
            let received = match report.action() {
                Action::Delayed => Received::Unknown,
                Action::Failed => {
                    come_back(&mut change, &notice, NoticeEvent::Return, &report.words()).await?;
                    Received::Bounced(notice.id)
                }
                Action::Delivered => {
                    arrive(&mut change, &notice).await?;
                    Received::Delivered(notice.id)
                }
            };
            change.commit().await?;
            return Ok(received);
        }
        return Ok(Received::Unknown);
    }
    let Some(message) = MessageParser::default().parse(raw) else {
        return Ok(Received::Unknown);
    };
    let mut change = records.begin(Actor::System).await?;
    let Some(request) = answered(change.db(), &message).await? else {
        return Ok(Received::Unknown);
    };
    if note_reply(&mut change, &request, &message).await? {
        change.commit().await?;
    }
    Ok(Received::Reply(request.id))
}

async fn arrive(change: &mut Change, notice: &Notice) -> Result<(), Error> {
    let moved = move_notice(change, notice.id, NoticeEvent::Report, None).await?;
    if moved && notice.kind != NoticeKind::Thanks {
        let row = requests::row(change.db(), notice.request).await?;
        requests::apply(change, row, RequestEvent::Deliver).await?;
    }
    Ok(())
}

/// The request that a mail is about: by its threading, else by the token in its subject.
async fn answered(db: &impl ConnectionTrait, message: &Message<'_>) -> Result<Option<Request>, Error> {
    for message_id in bounce::thread_of(message) {
        if let Some(notice) = with_message_id(db, &message_id).await? {
            return Ok(Some(requests::request(&requests::row(db, notice.request).await?)?));
        }
    }
    let Some((number, request)) = message.subject().and_then(find_subject_token) else {
        return Ok(None);
    };
    let case = cases::entity::case::Entity::find()
        .filter(cases::entity::case::Column::Year.eq(i64::from(number.year)))
        .filter(cases::entity::case::Column::Serial.eq(number.serial))
        .one(db)
        .await?;
    let Some(case) = case else { return Ok(None) };
    let id = column::parse("case_file", &case.id, &case.id)?;
    Ok(requests::in_case(db, id)
        .await?
        .into_iter()
        .find(|candidate| candidate.number == request))
}

/// Writes a reply into the case; whether it is new.
async fn note_reply(change: &mut Change, request: &Request, message: &Message<'_>) -> Result<bool, Error> {
    let party = requests::party_in(change.db(), request.party).await?;
    let clean = |text: &str, longest: usize| -> String {
        text.chars()
            .filter(|letter| !letter.is_control() || *letter == '\n')
            .take(longest)
            .collect()
    };
    let from = message
        .from()
        .and_then(|from| from.first())
        .and_then(|from| from.address())
        .unwrap_or_default();
    let from = clean(from, 254);
    let known = party
        .addresses
        .iter()
        .any(|address| address.eq_ignore_ascii_case(&from));
    let id = clean(message.message_id().unwrap_or_default(), 300);
    let text = message
        .body_text(0)
        .map(|text| clean(&text, LONGEST))
        .unwrap_or_default();
    let sender = if known {
        "an address of the party"
    } else {
        "not an address of the party: make sure who it is"
    };
    let note = format!(
        "Mail of {from} ({sender}) to request /{}, Message-ID {id}:\n\n{}",
        request.number,
        text.trim()
    );
    let same = cases::entity::note::Entity::find()
        .filter(cases::entity::note::Column::CaseId.eq(request.case.to_string()))
        .filter(cases::entity::note::Column::Text.eq(&note))
        .one(change.db())
        .await?;
    if same.is_some() {
        return Ok(false);
    }
    cases::note_in(change, request.case, &note).await?;
    Ok(true)
}
