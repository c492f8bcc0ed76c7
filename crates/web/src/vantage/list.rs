//! `GET /vantage`: all vantage points with how they do.

use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use csirt::accounts::Capability;
use csirt::directory::Region;
use csirt::vantage::{self, Standing};
use model::Tlp;
use serde::Deserialize;

use super::act::RegisterForm;
use super::region_text;
use super::row::Row;
use crate::paging::Pages;
use crate::{App, Errors, Page, WebError, shell};

/// Which part of the list is shown.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    page: String,
}

#[derive(Template)]
#[template(path = "vantage/list.html")]
struct List {
    page: Page,
    errors: Errors,
    form: RegisterForm,
    rows: Vec<Row>,
    pages: Pages,
    regions: Vec<(String, String)>,
    families: Vec<(String, String)>,
    does: Vec<(String, String)>,
    labels: Vec<(String, String)>,
    interval_secs: u32,
    jitter_secs: u32,
    may_edit: bool,
}

/// The list, those that are silent first.
pub async fn list(State(app): State<App>, page: Page, Query(wanted): Query<Wanted>) -> Result<Response, WebError> {
    page.right(Capability::SeeWatchList)?;
    let form = RegisterForm {
        // as far as most agreements go; whoever knows better says so
        tlp: Tlp::Amber.to_string(),
        ..RegisterForm::default()
    };
    shown(&app, page, &wanted.page, form, Errors::default()).await
}

/// A part of the list with the form for a further one, and what is wrong with that form.
pub(super) async fn shown(
    app: &App,
    page: Page,
    wanted: &str,
    form: RegisterForm,
    errors: Errors,
) -> Result<Response, WebError> {
    let plan = &app.settings.plan;
    let mut all: Vec<_> = vantage::states(&app.records)
        .await?
        .into_iter()
        .map(|(point, state)| {
            (
                vantage::standing(&point, &state, plan.silent_after_secs, page.now),
                point,
                state,
            )
        })
        .collect();
    // Stable: within one standing the order of names stays.
    all.sort_by_key(|(standing, ..)| match standing {
        Standing::Silent => 0,
        Standing::Working => 1,
        Standing::New => 2,
        Standing::Revoked => 3,
    });
    let (shown, pages) = Pages::cut(all, wanted, "/vantage", &[]);
    let mut rows = Vec::with_capacity(shown.len());
    for (standing, point, state) in shown {
        rows.push(Row::load(&app.records, standing, point, state).await?);
    }
    let mut regions = vec![(String::new(), "–".to_owned())];
    regions.extend(
        Region::ALL
            .iter()
            .map(|region| (region.to_string(), page.t(region_text(*region)))),
    );
    let families = [
        ("both", "vantage-families-both"),
        ("4", "vantage-families-4"),
        ("6", "vantage-families-6"),
    ];
    let families = families
        .map(|(value, text_id)| (value.to_owned(), page.t(text_id)))
        .to_vec();
    let does = [("probe", "vantage-probe"), ("sensor", "vantage-sensor")];
    let does = does
        .map(|(value, text_id)| (value.to_owned(), page.t(text_id)))
        .to_vec();
    let labels = Tlp::ALL.map(|label| (label.to_string(), label.to_string())).to_vec();
    let status = if errors.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let list = List {
        may_edit: page.has(Capability::EditWatchList),
        interval_secs: plan.interval_secs,
        jitter_secs: plan.jitter_secs,
        page,
        errors,
        form,
        rows,
        pages,
        regions,
        families,
        does,
        labels,
    };
    shell::show_with(status, list)
}
