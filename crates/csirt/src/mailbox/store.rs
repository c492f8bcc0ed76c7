//! Mails in the records.

use std::collections::BTreeMap;

use model::Id;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::entity::mail::{Column, Entity, Model};
use super::{Kind, Mail, entity};
use crate::Error;
use crate::intake::Report;
use crate::records::{Records, column};
use crate::requests::Request;

/// One mail.
pub async fn get(records: &Records, id: Id<Mail>) -> Result<Mail, Error> {
    let row = Entity::find_by_id(id.to_string()).one(records.db()).await?;
    mail(row.ok_or_else(|| Error::not_found("mail", id))?)
}

/// A mail as it came, or its headers where it is too large to be kept. `NotFound` where the mail server did not hand it out.
pub async fn octets(records: &Records, id: Id<Mail>) -> Result<Vec<u8>, Error> {
    let row = entity::octets::Entity::find_by_id(id.to_string())
        .one(records.db())
        .await?;
    Ok(row.ok_or_else(|| Error::not_found("mail", id))?.octets)
}

/// The mails about a request, oldest first, each once.
pub(crate) async fn of_request(db: &impl ConnectionTrait, request: Id<Request>) -> Result<Vec<Mail>, Error> {
    let rows = Entity::find()
        .filter(Column::RequestId.eq(request.to_string()))
        .filter(Column::Kind.ne(Kind::Duplicate.as_str()))
        .order_by_asc(Column::TakenAtUs)
        .order_by_asc(Column::Id)
        .all(db)
        .await?;
    rows.into_iter().map(mail).collect()
}

/// The mail of which a report was made; `None` for one that came by the form.
pub async fn of_report(records: &Records, report: Id<Report>) -> Result<Option<Mail>, Error> {
    let row = Entity::find()
        .filter(Column::ReportId.eq(report.to_string()))
        .order_by_asc(Column::Id)
        .one(records.db())
        .await?;
    row.map(mail).transpose()
}

/// How many mails turned out to be what.
pub async fn counts(records: &Records) -> Result<BTreeMap<Kind, i64>, Error> {
    let rows: Vec<(String, i64)> = Entity::find()
        .select_only()
        .column(Column::Kind)
        .column_as(Column::Id.count(), "mails")
        .group_by(Column::Kind)
        .into_tuple()
        .all(records.db())
        .await?;
    let mut counts: BTreeMap<Kind, i64> = Kind::ALL.iter().map(|kind| (*kind, 0)).collect();
    for (kind, number) in rows {
        counts.insert(column::parse("mail", "kind", &kind)?, number);
    }
    Ok(counts)
}

pub(super) fn mail(row: Model) -> Result<Mail, Error> {
    let id = &row.id;
    Ok(Mail {
        id: column::parse("mail", id, id)?,
        kind: column::parse("mail", id, &row.kind)?,
        from_party: row.from_party,
        attachments: column::json("mail", id, &row.attachments)?,
        size: row.size,
        taken_at: column::time("mail", id, row.taken_at_us)?,
        request: column::parse_opt("mail", id, row.request_id.as_deref())?,
        notice: column::parse_opt("mail", id, row.notice_id.as_deref())?,
        report: column::parse_opt("mail", id, row.report_id.as_deref())?,
        from: row.sender,
        subject: row.subject,
        text: row.text,
        reason: row.reason,
    })
}
