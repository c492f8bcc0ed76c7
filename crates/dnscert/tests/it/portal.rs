//! Somebody with a browser, without the browser: pages, forms, cookies.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use reqwest::StatusCode;
use reqwest::header::LOCATION;

/// A session with a portal.
pub struct Portal {
    address: SocketAddr,
    client: reqwest::Client,
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    /// Status code.
    pub status: StatusCode,
    /// Where it redirects to, without the part that tells what was said.
    pub to: String,
    /// The body.
    pub body: String,
}

impl Portal {
    /// A new browser.
    pub fn new(address: SocketAddr) -> Self {
        let client = reqwest::Client::builder()
            .cookie_store(true)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self { address, client }
    }

    /// Where the portal is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Signs in; panics when that is refused.
    pub async fn sign_in(&self, name: &str, password: &str) {
        let reply = self
            .submit("/signin", "/signin", &[("name", name), ("password", password)])
            .await
            .unwrap();
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
    }

    /// Opens a page.
    pub async fn get(&self, path: &str) -> Result<Reply, reqwest::Error> {
        let response = self.client.get(format!("http://{}{path}", self.address)).send().await?;
        read(response).await
    }

    /// Opens `page`, takes the hidden fields of its forms, and posts them with `fields` to `action`.
    pub async fn submit(&self, page: &str, action: &str, fields: &[(&str, &str)]) -> Result<Reply, reqwest::Error> {
        let mut form = hidden_fields(&self.get(page).await?.body);
        form.extend(
            fields
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        self.post(action, &form).await
    }

    /// Posts a form.
    pub async fn post(&self, action: &str, form: &BTreeMap<String, String>) -> Result<Reply, reqwest::Error> {
        let response = self
            .client
            .post(format!("http://{}{action}", self.address))
            .header("origin", format!("http://{}", self.address))
            .form(form)
            .send()
            .await?;
        read(response).await
    }

    /// Answers through the link of a notice (path and query) and confirms.
    pub async fn answer(&self, link: &str, kind: &str) -> Result<Reply, reqwest::Error> {
        let reply = self
            .submit(link, link, &[("kind", kind), ("note", "from the test")])
            .await?;
        if !reply.body.contains("name=\"confirm\"") {
            return Ok(reply);
        }
        let mut form = hidden_fields(&reply.body);
        form.insert("confirm".to_owned(), "yes".to_owned());
        self.post(link, &form).await
    }
}

async fn read(response: reqwest::Response) -> Result<Reply, reqwest::Error> {
    let status = response.status();
    let to = response
        .headers()
        .get(LOCATION)
        .map(|to| to.to_str().unwrap().to_owned())
        .unwrap_or_default();
    let to = to.split(['?', '&']).next().unwrap_or_default().to_owned();
    Ok(Reply {
        status,
        to,
        body: response.text().await?,
    })
}

/// Names and values of the hidden inputs of a page; of those with one name the last.
pub fn hidden_fields(page: &str) -> BTreeMap<String, String> {
    inputs(page)
        .into_iter()
        .filter(|(tag, _)| tag.contains("type=\"hidden\""))
        .map(|(tag, name)| (name, attribute(tag, "value").unwrap_or_default()))
        .collect()
}

/// All inputs of a page: tag and name.
pub fn inputs(page: &str) -> Vec<(&str, String)> {
    page.split("<input")
        .skip(1)
        .filter_map(|rest| rest.split('>').next())
        .filter_map(|tag| Some((tag, attribute(tag, "name")?)))
        .collect()
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let from = tag.find(&format!("{name}=\""))? + name.len() + 2;
    tag[from..]
        .find('"')
        .map(|end| tag[from..from + end].replace("&amp;", "&"))
}
