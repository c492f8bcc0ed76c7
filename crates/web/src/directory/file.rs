//! The directory as a file: taking one in with the list of what could not be taken, and giving one out.

use askama::Template;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use csirt::accounts::Capability;
use csirt::directory::{self, Format, Imported};

use super::upload;
use crate::{App, Errors, Page, WebError, shell};

/// The largest file taken, in octets: some 10,000 organisations.
pub const MAX_FILE_BYTES: usize = 3 * 1024 * 1024;

/// Faults listed; the first ones tell how the file differs.
const MOST_FAULTS: usize = 100;

#[derive(Template)]
#[template(path = "directory/import.html")]
struct Import {
    page: Page,
    errors: Errors,
    done: Option<Imported>,
    shown: usize,
}

/// `GET /directory/import`.
pub async fn form(State(_): State<App>, page: Page) -> Result<Response, WebError> {
    page.right(Capability::EditDirectory)?;
    shell::show(Import {
        page,
        errors: Errors::default(),
        done: None,
        shown: MOST_FAULTS,
    })
}

/// `POST /directory/import`: a file of a form; says which rows could not be taken and why.
pub async fn import(State(app): State<App>, page: Page, headers: HeaderMap, body: Bytes) -> Result<Response, WebError> {
    page.right(Capability::EditDirectory)?;
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let parts =
        upload::parts(kind, &body).ok_or_else(|| WebError::Invalid("a form with a file is due here".to_owned()))?;
    let content = |name: &str| parts.iter().find(|part| part.name == name);
    let mark = content("csrf")
        .and_then(|part| std::str::from_utf8(part.content).ok())
        .unwrap_or_default();
    if !page.is_mark(mark) {
        return Err(WebError::Unproven);
    }
    let Some(file) = content("file").filter(|part| !part.content.is_empty()) else {
        return wrong(page, "directory-error-file");
    };
    if file.content.len() > MAX_FILE_BYTES {
        return Err(WebError::TooLarge);
    }
    let format = format_of(file.file.as_deref(), file.content);
    let done = directory::import(&app.records, page.actor()?, format, file.content).await?;
    shell::show(Import {
        page,
        errors: Errors::default(),
        done: Some(done),
        shown: MOST_FAULTS,
    })
}

/// By the ending of the file's name, else by its first letter.
fn format_of(name: Option<&str>, content: &[u8]) -> Format {
    let ends = |ending: &str| name.is_some_and(|name| name.to_ascii_lowercase().ends_with(ending));
    if ends(".json") || (!ends(".csv") && content.trim_ascii_start().starts_with(b"{")) {
        Format::Json
    } else {
        Format::Csv
    }
}

fn wrong(page: Page, text_id: &str) -> Result<Response, WebError> {
    let mut errors = Errors::default();
    errors.add("file", text_id);
    shell::show_with(
        StatusCode::UNPROCESSABLE_ENTITY,
        Import {
            page,
            errors,
            done: None,
            shown: MOST_FAULTS,
        },
    )
}

/// `GET /directory/export/{format}`: the whole directory, to be kept where it can be read when all else is down.
pub async fn export(State(app): State<App>, page: Page, Path(format): Path<String>) -> Result<Response, WebError> {
    page.right(Capability::ExportDirectory)?;
    let (format, kind, ending) = match format.as_str() {
        "csv" => (Format::Csv, "text/csv; charset=utf-8", "csv"),
        "json" => (Format::Json, "application/json", "json"),
        _ => return Err(WebError::NotFound),
    };
    let content = directory::export(&app.records, format).await?;
    let name = format!(
        "attachment; filename=\"directory-{}.{ending}\"",
        page.now.strftime("%Y-%m-%d")
    );
    Ok((
        [
            (header::CONTENT_TYPE, kind.to_owned()),
            (header::CONTENT_DISPOSITION, name),
        ],
        content,
    )
        .into_response())
}
