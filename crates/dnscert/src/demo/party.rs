//! A party of the story: opens the link of its notice and answers, as a person with a browser would.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use anyhow::{Context as _, bail};

/// Answers through the portal at `portal`.
pub struct Party {
    portal: SocketAddr,
    client: reqwest::Client,
}

impl Party {
    /// Somebody with a browser.
    pub fn new(portal: SocketAddr) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .context("making an HTTP client")?;
        Ok(Self { portal, client })
    }

    /// Opens the page behind `link` (path and query).
    pub async fn open(&self, link: &str) -> anyhow::Result<String> {
        let url = format!("http://{}{link}", self.portal);
        let response = self
            .client
            .get(&url)
            .send()
            .await
            .with_context(|| format!("opening `{link}`"))?;
        if !response.status().is_success() {
            bail!("the page behind the link answered {}", response.status());
        }
        response.text().await.with_context(|| format!("reading `{link}`"))
    }

    /// Sends the form of the page with the answer `kind` and a note, and confirms it where the page asks. Whether the answer
    /// was given: the page takes none any more when what was asked is verified, be it while the party writes.
    pub async fn answer(&self, link: &str, kind: &str, note: &str) -> anyhow::Result<bool> {
        let page = self.open(link).await?;
        if !takes_answers(&page) {
            return Ok(false);
        }
        match self.fill(link, &page, kind, note).await {
            Ok(()) => Ok(true),
            Err(_) if !takes_answers(&self.open(link).await?) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn fill(&self, link: &str, page: &str, kind: &str, note: &str) -> anyhow::Result<()> {
        let mut fields = hidden_fields(page);
        fields.insert("kind".to_owned(), kind.to_owned());
        fields.insert("note".to_owned(), note.to_owned());
        let reply = self.send(link, &fields).await?;
        if reply.contains("name=\"confirm\"") {
            let mut fields = hidden_fields(&reply);
            fields.insert("confirm".to_owned(), "yes".to_owned());
            self.send(link, &fields).await?;
        }
        Ok(())
    }

    async fn send(&self, link: &str, fields: &BTreeMap<String, String>) -> anyhow::Result<String> {
        let path = link.split('?').next().unwrap_or(link);
        let response = self
            .client
            .post(format!("http://{}{path}", self.portal))
            .header("origin", format!("http://{}", self.portal))
            .form(fields)
            .send()
            .await
            .with_context(|| format!("answering at `{path}`"))?;
        let status = response.status();
        if !status.is_success() && !status.is_redirection() {
            bail!("the answer was refused: {status}");
        }
        response.text().await.context("reading the reply to an answer")
    }
}

/// Whether the page behind a link has the form of an answer.
fn takes_answers(page: &str) -> bool {
    page.contains("name=\"kind\"")
}

/// Names and values of the hidden inputs of a page.
fn hidden_fields(page: &str) -> BTreeMap<String, String> {
    let attribute = |tag: &str, name: &str| {
        let from = tag.find(&format!("{name}=\""))? + name.len() + 2;
        tag[from..].find('"').map(|end| tag[from..from + end].to_owned())
    };
    page.split("<input")
        .skip(1)
        .filter_map(|rest| rest.split('>').next())
        .filter(|tag| tag.contains("type=\"hidden\""))
        .filter_map(|tag| Some((attribute(tag, "name")?, attribute(tag, "value").unwrap_or_default())))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use axum::Router;
    use axum::http::StatusCode;
    use axum::response::Html;
    use axum::routing::get;

    use super::*;

    const FORM: &str = r#"<form method="post"><input type="radio" name="kind" value="done"></form>"#;

    /// A page of a link that shows `before`; to an answer it says `status`, and shows `after` from then on.
    async fn portal(before: &'static str, status: StatusCode, after: &'static str) -> SocketAddr {
        let is_answered = Arc::new(AtomicBool::new(false));
        let asked = is_answered.clone();
        let show = move || async move { Html(if asked.load(Ordering::SeqCst) { after } else { before }) };
        let take = move || async move {
            is_answered.store(true, Ordering::SeqCst);
            status
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/a/token", get(show).post(take));
        tokio::spawn(async move { axum::serve(listener, router).await });
        address
    }

    #[tokio::test]
    async fn a_party_answers_only_while_its_page_takes_answers() {
        let (ok, refused) = (StatusCode::OK, StatusCode::UNPROCESSABLE_ENTITY);
        for (before, status, after, given) in [
            (FORM, ok, FORM, Some(true)),
            // verified before the page was opened
            ("verified", refused, "verified", Some(false)),
            // verified while the party wrote
            (FORM, refused, "verified", Some(false)),
            // refused for another reason
            (FORM, refused, FORM, None),
        ] {
            let party = Party::new(portal(before, status, after).await).unwrap();
            assert_eq!(
                party.answer("/a/token", "done", "").await.ok(),
                given,
                "{before} {after}"
            );
        }
    }

    #[test]
    fn hidden_fields_are_read_whatever_their_order() {
        let fields = hidden_fields(
            r#"<form><input type="hidden" name="csrf" value="a1"><input value="b2" name="once" type="hidden"/>
               <input type="text" name="note" value="x"></form>"#,
        );
        assert_eq!(
            fields,
            BTreeMap::from([("csrf".into(), "a1".into()), ("once".into(), "b2".into())])
        );
    }
}
