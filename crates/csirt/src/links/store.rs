//! Links and answers in the records.

use jiff::SignedDuration;
use model::Id;
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};

use super::{Answer, AnswerKind, Answered, Given, Token, View, entity};
use crate::cases::{self, CaseState};
use crate::jobs::Job;
use crate::notices::{self, Notice};
use crate::records::{Actor, Change, Records, column};
use crate::requests::{self, Request, RequestEvent};
use crate::{Error, Statement};

/// How long a link opens. Chosen by us: longer than cases last, short enough that an old mailbox that falls into other
/// hands shows nothing.
const LIFE: SignedDuration = SignedDuration::from_hours(60 * 24);

/// Answers kept of one request. Who holds a link must not be able to fill the disk; people need a handful.
const MOST_ANSWERS: usize = 200;

/// Makes a link of a request and gives its token. Only the hash is kept.
pub(crate) async fn mint(
    change: &mut Change,
    request: Id<Request>,
    notice: Option<Id<Notice>>,
) -> Result<Token, Error> {
    let token = Token::new(change.random());
    let row = entity::link::ActiveModel {
        id: Set(change.new_id::<Token>().to_string()),
        request_id: Set(request.to_string()),
        notice_id: Set(notice.map(|notice| notice.to_string())),
        hash: Set(token.hash()),
        made_at_us: Set(change.now().as_microsecond()),
        expires_at_us: Set((change.now() + LIFE).as_microsecond()),
        revoked_at_us: Set(None),
    };
    entity::link::Entity::insert(row)
        .exec_without_returning(change.db())
        .await?;
    Ok(token)
}

/// Makes a link to be handed over by another way than a notice: by telephone, by a messenger. It is shown this once.
pub async fn issue(records: &Records, actor: Actor, request: Id<Request>) -> Result<Token, Error> {
    let mut change = records.begin(actor).await?;
    requests::row(change.db(), request).await?;
    let token = mint(&mut change, request, None).await?;
    change.audit(
        "request",
        request,
        "link",
        None,
        Some(&Statement::LinkIssued.to_string()),
    );
    change.commit().await?;
    Ok(token)
}

/// Ends all links of a request. Returns how many opened until now.
pub async fn revoke(records: &Records, actor: Actor, request: Id<Request>) -> Result<u64, Error> {
    use entity::link::{Column, Entity};
    let mut change = records.begin(actor).await?;
    requests::row(change.db(), request).await?;
    let now = change.now().as_microsecond();
    let done = Entity::update_many()
        .set(entity::link::ActiveModel {
            revoked_at_us: Set(Some(now)),
            ..Default::default()
        })
        .filter(Column::RequestId.eq(request.to_string()))
        .filter(Column::RevokedAtUs.is_null())
        .filter(Column::ExpiresAtUs.gt(now))
        .exec(change.db())
        .await?;
    change.audit(
        "request",
        request,
        "link",
        None,
        Some(
            &Statement::LinksRevoked {
                count: done.rows_affected,
            }
            .to_string(),
        ),
    );
    change.commit().await?;
    Ok(done.rows_affected)
}

/// What the page of a link shows. Changes nothing.
///
/// `NotFound` alike for a token that is malformed, unknown, expired or revoked: a guesser learns nothing.
pub async fn view(records: &Records, token: &str) -> Result<View, Error> {
    let link = find(records.db(), records.now(), token).await?;
    let id: Id<Request> = column::parse("link", &link.id, &link.request_id)?;
    let request = requests::get(records, id).await?;
    let case = cases::get(records, request.case).await?;
    let mut evidence = cases::evidence(records, request.case).await?;
    evidence.retain(|item| item.request == Some(id));
    Ok(View {
        party: requests::party(records, request.party).await?,
        case_number: case.number,
        case_state: case.state,
        tlp: case.tlp,
        facts: notices::facts_of(records.db(), &request).await?,
        evidence,
        answers: answers(records, id).await?,
        verdicts: requests::verdicts(records, id).await?,
        expires_at: column::time("link", &link.id, link.expires_at_us)?,
        request,
    })
}

/// Notes that a person pressed a button of the page that is no answer. For a POST only, never for a GET.
pub async fn opened(records: &Records, token: &str) -> Result<Request, Error> {
    let link = find(records.db(), records.now(), token).await?;
    let id: Id<Request> = column::parse("link", &link.id, &link.request_id)?;
    let mut change = records.begin(Actor::Party(id)).await?;
    let row = requests::row(change.db(), id).await?;
    let (row, moved) = requests::apply(&mut change, row, RequestEvent::Open).await?;
    if moved {
        change.commit().await?;
    }
    requests::request(&row)
}

/// Takes an answer. `idempotency` is a text of at most 100 letters that the form carries: sent twice, it is one answer.
///
/// "done" has the request measured at once. An answer that moves nothing (an older one that comes late, one after the
/// verification or after the case) is kept for the team. `Invalid` names the field; `NotFound` as [`view`]; `TooMany`
/// beyond 200 answers.
pub async fn answer(records: &Records, token: &str, answer: &Answer, idempotency: &str) -> Result<Answered, Error> {
    let answer = answer
        .checked()
        .map_err(|error| Error::invalid(error.field, error.reason))?;
    if idempotency.is_empty() || idempotency.chars().count() > 100 {
        return Err(Error::invalid("idempotency", "1 to 100 letters are needed"));
    }
    let link = find(records.db(), records.now(), token).await?;
    let id: Id<Request> = column::parse("link", &link.id, &link.request_id)?;
    let mut change = records.begin(Actor::Party(id)).await?;
    // Once more within the change: it may have been revoked meanwhile.
    find(change.db(), change.now(), token).await?;
    let row = requests::row(change.db(), id).await?;
    let request = requests::request(&row)?;
    let given = rows(change.db(), id).await?;
    let said = column::to_json(&answer);
    // The same words again are a double click, unless they move the request anew: "done" after a measurement that failed.
    let moves = request.state.after(answer.kind.event()).is_some();
    let repeated = given.iter().any(|earlier| earlier.idempotency == idempotency)
        || (!moves && given.last().is_some_and(|last| last.answer == said));
    if repeated {
        return Ok(Answered::Repeated(request.state));
    }
    if given.len() >= MOST_ANSWERS {
        return Err(Error::TooMany { wait_secs: 86_400 });
    }
    let case = cases::case(&cases::row(change.db(), request.case).await?)?;
    let (row, moved) = if case.state == CaseState::Open {
        requests::apply(&mut change, row, answer.kind.event()).await?
    } else {
        (row, false)
    };
    let state = requests::request(&row)?.state;
    if answer.kind == AnswerKind::CallMe {
        let mut active = row.into_active_model();
        active.call_me = Set(Some(answer.phone.clone()));
        requests::save(&change, active).await?;
        change.audit(
            "request",
            id,
            "call_me",
            request.call_me.as_deref(),
            Some(&answer.phone),
        );
    }
    let new = entity::answer::ActiveModel {
        id: Set(change.new_id::<Given>().to_string()),
        request_id: Set(id.to_string()),
        at_us: Set(change.now().as_microsecond()),
        kind: Set(answer.kind.as_str().to_owned()),
        answer: Set(said),
        idempotency: Set(idempotency.to_owned()),
        moved_to: Set(moved.then(|| state.as_str().to_owned())),
    };
    entity::answer::Entity::insert(new)
        .exec_without_returning(change.db())
        .await?;
    change.audit("request", id, "answer", None, Some(answer.kind.as_str()));
    if answer.kind == AnswerKind::Done && case.state == CaseState::Open {
        change.enqueue(Job::VerifyRequest { request: id });
    }
    change.commit().await?;
    Ok(if moved {
        Answered::Taken(state)
    } else {
        Answered::Kept(state)
    })
}

/// The answers to a request, oldest first.
pub async fn answers(records: &Records, request: Id<Request>) -> Result<Vec<Given>, Error> {
    rows(records.db(), request)
        .await?
        .into_iter()
        .map(|row| {
            Ok(Given {
                id: column::parse("answer", &row.id, &row.id)?,
                time: column::time("answer", &row.id, row.at_us)?,
                answer: column::json("answer", &row.id, &row.answer)?,
                moved_to: column::parse_opt("answer", &row.id, row.moved_to.as_deref())?,
            })
        })
        .collect()
}

async fn rows(db: &impl ConnectionTrait, request: Id<Request>) -> Result<Vec<entity::answer::Model>, Error> {
    let rows = entity::answer::Entity::find()
        .filter(entity::answer::Column::RequestId.eq(request.to_string()))
        .order_by_asc(entity::answer::Column::AtUs)
        .order_by_asc(entity::answer::Column::Id)
        .all(db)
        .await?;
    Ok(rows)
}

async fn find(db: &impl ConnectionTrait, now: model::Timestamp, token: &str) -> Result<entity::link::Model, Error> {
    let unknown = || Error::NotFound {
        what: "page behind this link".to_owned(),
    };
    let token: Token = token.parse().map_err(|_| unknown())?;
    let link = entity::link::Entity::find()
        .filter(entity::link::Column::Hash.eq(token.hash()))
        .one(db)
        .await?;
    let link = link.ok_or_else(unknown)?;
    let open = link.revoked_at_us.is_none() && link.expires_at_us > now.as_microsecond();
    if open { Ok(link) } else { Err(unknown()) }
}
