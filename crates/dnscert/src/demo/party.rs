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

    /// Sends the form of the page with the answer `kind` and a note, and confirms it where the page asks.
    pub async fn answer(&self, link: &str, kind: &str, note: &str) -> anyhow::Result<()> {
        let page = self.open(link).await?;
        let mut fields = hidden_fields(&page);
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
    use super::*;

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
