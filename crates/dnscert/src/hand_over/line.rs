//! The line to the centre: four calls over HTTP(S), with the vantage point's token.

use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Context as _, bail};
use jiff::Timestamp;
use lake::PartId;
use model::Plan;
use reqwest::{Certificate, Client, ClientBuilder, RequestBuilder, Response, StatusCode, Url, header};
use serde::{Deserialize, Serialize};

use super::{Form, Settings};

/// How long a connection may take, and a whole call: a part of 2 MB over a line of 300 kbit/s takes 55 s.
const PATIENCE: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(120));

/// Largest answer that is read, in octets: a plan of some 50,000 zones.
const MOST_BYTES: usize = 32 << 20;

/// The centre's side of the line.
pub struct Line {
    client: Client,
    base: String,
    token: String,
    /// The mark of the plan that we have.
    etag: Mutex<Option<String>>,
}

/// Why a call brought nothing.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The centre could not be reached, or broke off.
    #[error("the centre does not answer: {0}")]
    Unreachable(String),
    /// It does not know the token, or knows it no more.
    #[error("the centre does not know this vantage point's token: it may be revoked")]
    UnknownToken,
    /// It will not take this part, now or later.
    #[error("{0}")]
    Refused(String),
    /// It answers with something else: an overload, a proxy's error.
    #[error("the centre answers {0}")]
    Status(StatusCode),
    /// Its answer makes no sense.
    #[error("the centre's answer cannot be read: {0}")]
    Unreadable(String),
}

/// What a vantage point says of itself.
#[derive(Debug, Serialize)]
pub struct Said {
    pub version: String,
    pub clock_offset_us: Option<i64>,
    pub round_trip_us: Option<i64>,
    pub spool_parts: u64,
    pub spool_bytes: u64,
    pub oldest_part: Option<Timestamp>,
    pub dropped_samples: u64,
    pub lost_packets: u64,
}

/// The centre's clock when it read a call and when it answered.
#[derive(Debug, Deserialize)]
pub struct Clocks {
    pub received: Timestamp,
    pub answered: Timestamp,
}

#[derive(Deserialize)]
struct Problem {
    detail: Option<String>,
}

impl Line {
    /// Prepares the line; nothing is sent. Fails for an address that would carry the token in the open.
    pub fn open(settings: &Settings) -> anyhow::Result<Self> {
        let base = settings.centre.trim_end_matches('/').to_owned();
        let url = Url::parse(&base).with_context(|| format!("`{base}` is no address of a centre"))?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let is_here = host == "localhost"
            || host
                .trim_matches(['[', ']'])
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback());
        match url.scheme() {
            "https" => {}
            "http" if is_here || settings.plain_http => {}
            "http" => {
                bail!("`{base}` would carry the token in the open; use https://, or --plain-http on a line of your own")
            }
            _ => bail!("`{base}` begins neither with https:// nor with http://"),
        }
        if settings.token.is_empty() || !settings.token.bytes().all(|octet| octet.is_ascii_graphic()) {
            bail!("the token is empty or no token");
        }
        let mut client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(PATIENCE.0)
            .timeout(PATIENCE.1)
            .user_agent(concat!("dnscert/", env!("CARGO_PKG_VERSION")));
        if let Some(pem) = &settings.certificate {
            let certificates = Certificate::from_pem_bundle(pem).context("reading the certificate")?;
            if certificates.is_empty() {
                bail!("the file of the certificate has none in PEM");
            }
            client = certificates
                .into_iter()
                .fold(client, ClientBuilder::add_root_certificate);
        }
        if is_here {
            client = client.no_proxy();
        }
        Ok(Self {
            client: client.build().context("making an HTTP client")?,
            base,
            token: settings.token.clone(),
            etag: Mutex::new(None),
        })
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let sent = request.bearer_auth(&self.token).send().await;
        let response = sent.map_err(|error| Failure::Unreachable(chain(&error)))?;
        match response.status() {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(Failure::UnknownToken),
            _ => Ok(response),
        }
    }

    /// The plan; `None` while it is the one that we have.
    pub async fn plan(&self) -> Result<Option<Plan>, Failure> {
        let mut request = self.client.get(format!("{}/api/v1/probe/plan", self.base));
        let known = self.etag.lock().map(|etag| etag.clone()).unwrap_or_default();
        if let Some(etag) = known {
            request = request.header(header::IF_NONE_MATCH, etag);
        }
        let response = self.send(request).await?;
        let etag = response.headers().get(header::ETAG);
        let etag = etag.and_then(|value| value.to_str().ok()).map(str::to_owned);
        match response.status() {
            StatusCode::NOT_MODIFIED => Ok(None),
            StatusCode::OK => {
                let plan = read(response).await?;
                if let Ok(mut known) = self.etag.lock() {
                    *known = etag;
                }
                Ok(Some(plan))
            }
            status => Err(Failure::Status(status)),
        }
    }

    /// Hands a part over.
    pub async fn part(&self, id: &PartId, octets: Vec<u8>, form: Form) -> Result<(), Failure> {
        let request = self
            .client
            .put(format!("{}/api/v1/probe/parts/{id}", self.base))
            .header(header::CONTENT_TYPE, form.content_type())
            .body(octets);
        let response = self.send(request).await?;
        match response.status() {
            StatusCode::OK | StatusCode::CREATED => Ok(()),
            status @ (StatusCode::UNPROCESSABLE_ENTITY | StatusCode::PAYLOAD_TOO_LARGE) => {
                let problem: Problem = read(response).await.unwrap_or(Problem { detail: None });
                Err(Failure::Refused(problem.detail.unwrap_or_else(|| status.to_string())))
            }
            status => Err(Failure::Status(status)),
        }
    }

    /// Says how we are; the centre's clock.
    pub async fn state(&self, said: &Said) -> Result<Clocks, Failure> {
        let request = self.client.post(format!("{}/api/v1/probe/state", self.base)).json(said);
        let response = self.send(request).await?;
        match response.status() {
            StatusCode::OK => read(response).await,
            status => Err(Failure::Status(status)),
        }
    }
}

/// The JSON of an answer, bounded in size.
async fn read<T: for<'de> Deserialize<'de>>(mut response: Response) -> Result<T, Failure> {
    let mut octets = Vec::new();
    while let Some(piece) = response
        .chunk()
        .await
        .map_err(|error| Failure::Unreachable(chain(&error)))?
    {
        if octets.len() + piece.len() > MOST_BYTES {
            return Err(Failure::Unreadable(format!("it has more than {MOST_BYTES} octets")));
        }
        octets.extend_from_slice(&piece);
    }
    serde_json::from_slice(&octets).map_err(|error| Failure::Unreadable(error.to_string()))
}

/// An error with its causes, without the address, which is known.
fn chain(error: &reqwest::Error) -> String {
    let mut text = String::new();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    if text.is_empty() { error.to_string() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(centre: &str) -> Settings {
        Settings {
            centre: centre.to_owned(),
            token: "dnscert_probe_x".to_owned(),
            spool: "spool".into(),
            spool_bytes: 1 << 20,
            certificate: None,
            plain_http: false,
        }
    }

    #[test]
    fn a_token_does_not_travel_in_the_open_to_another_machine() {
        for (centre, is_taken) in [
            ("https://dnscert.example", true),
            ("https://dnscert.example/", true),
            ("http://127.0.0.1:8053", true),
            ("http://[::1]:8053", true),
            ("http://localhost:8053", true),
            ("http://dnscert.example", false),
            ("http://192.0.2.1", false),
            ("ftp://dnscert.example", false),
            ("dnscert.example", false),
        ] {
            assert_eq!(Line::open(&settings(centre)).is_ok(), is_taken, "{centre}");
        }
        let allowed = Settings {
            plain_http: true,
            ..settings("http://192.0.2.1")
        };
        assert!(Line::open(&allowed).is_ok());
        let empty = Settings {
            token: String::new(),
            ..settings("https://dnscert.example")
        };
        assert!(Line::open(&empty).is_err());
    }

    #[test]
    fn a_certificate_that_is_none_is_named() {
        let wrong = Settings {
            certificate: Some(b"hello".to_vec()),
            ..settings("https://dnscert.example")
        };
        let told = format!("{:#}", Line::open(&wrong).err().unwrap());
        assert!(told.contains("certificate"), "{told}");
    }
}
