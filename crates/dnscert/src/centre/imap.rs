//! Speaks IMAP (RFC 9051) with a mailbox: what fetching needs, and no more.
//!
//! async-imap connects the dialogue and signs in. Its own searches and fetches end alike when the server says OK and when
//! it says NO; here a command that is refused is told apart, because "no mail" and "no answer" must not look the same.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use async_imap::imap_proto::{AttributeValue, MailboxDatum, Response, Status};
use csirt::notices::is_loopback;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};

use crate::config::{MailboxConfig, MailboxSecurity};

/// Longest wait for a connection and for each answer. RFC 9051 §5.4 lets servers idle half an hour; one that is silent for
/// a minute after a command is not going to answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a dialogue runs over: TCP, or TLS over it.
trait Line: AsyncRead + AsyncWrite + Unpin + Debug + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Debug + Send> Line for T {}

/// A dialogue in which a mailbox is selected.
pub struct Session {
    session: async_imap::Session<Box<dyn Line>>,
    /// The mailbox's UIDVALIDITY: UIDs of another one mean other mails.
    pub uid_validity: u32,
    /// The UID that the next mail will have, where the server says it.
    pub uid_next: Option<u32>,
    /// Mails in the mailbox.
    pub exists: u32,
}

/// Why a command gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The server refused it, in its own words; the dialogue goes on.
    #[error("the mail server says: {0}")]
    Refused(String),
    /// The dialogue is over.
    #[error("{0:#}")]
    Broken(#[from] anyhow::Error),
}

impl Session {
    /// Connects as securely as is set, signs in and selects the folder.
    pub async fn open(config: &MailboxConfig) -> anyhow::Result<Self> {
        let (host, port) = (config.host.as_str(), config.port());
        let password = config.read_password()?;
        if config.security == MailboxSecurity::None && !is_loopback(host) {
            bail!(
                "`mailbox.security` is `none`, which only a mail server on this machine may have; use `tls` or `required`"
            );
        }
        let tcp = within(TcpStream::connect((host, port)))
            .await
            .with_context(|| format!("connecting to the mail server {host}:{port}"))?;
        let line: Box<dyn Line> = match config.security {
            MailboxSecurity::None => Box::new(tcp),
            MailboxSecurity::Tls => Box::new(encrypt(config, tcp).await?),
            MailboxSecurity::Required => Box::new(encrypt(config, start_tls(tcp).await?).await?),
        };
        let mut client = async_imap::Client::new(line);
        if config.security != MailboxSecurity::Required {
            greeting(&mut client).await?;
        }
        let signed_in = tokio::time::timeout(PATIENCE, client.login(&config.user, &password))
            .await
            .context("the mail server did not answer to the password in time")?;
        let mut session = match signed_in {
            Ok(session) => session,
            Err((async_imap::error::Error::No(words), _)) => {
                bail!(
                    "the mail server does not take the user `{}` with this password: {words}",
                    config.user
                )
            }
            Err((error, _)) => return Err(error).context("signing in to the mail server"),
        };
        let mailbox = within(session.select(&config.folder))
            .await
            .with_context(|| format!("opening the folder `{}`", config.folder))?;
        Ok(Self {
            session,
            uid_validity: mailbox.uid_validity.context("the mail server gives no UIDVALIDITY")?,
            uid_next: mailbox.uid_next,
            exists: mailbox.exists,
        })
    }

    /// UIDs of the mails that a search (RFC 9051 §6.4.4) finds.
    pub async fn search(&mut self, what: &str) -> Result<BTreeSet<u32>, Trouble> {
        let mut found = BTreeSet::new();
        self.command(&format!("UID SEARCH {what}"), |response| {
            if let Response::MailboxData(MailboxDatum::Search(uids)) = response {
                found.extend(uids);
            }
        })
        .await?;
        Ok(found)
    }

    /// Size of a mail in octets; `None` where there is no such mail any more.
    pub async fn size(&mut self, uid: u32) -> Result<Option<u64>, Trouble> {
        let mut size = None;
        self.fetch(uid, "RFC822.SIZE", |attribute| {
            if let AttributeValue::Rfc822Size(octets) = attribute {
                size = Some(u64::from(*octets));
            }
        })
        .await?;
        Ok(size)
    }

    /// The first `most` octets of a mail, or of its headers alone. It is not marked as seen by that. `None` where there is
    /// no such mail any more.
    pub async fn octets(&mut self, uid: u32, headers_alone: bool, most: usize) -> Result<Option<Vec<u8>>, Trouble> {
        let section = if headers_alone { "HEADER" } else { "" };
        let mut octets = None;
        self.fetch(uid, &format!("BODY.PEEK[{section}]<0.{most}>"), |attribute| {
            if let AttributeValue::BodySection { data, .. } = attribute {
                octets = data.as_ref().map(|data| data.to_vec());
            }
        })
        .await?;
        Ok(octets)
    }

    /// Marks mails as seen.
    pub async fn mark_seen(&mut self, uids: &[u32]) -> Result<(), Trouble> {
        let list: Vec<String> = uids.iter().map(u32::to_string).collect();
        self.command(&format!("UID STORE {} +FLAGS.SILENT (\\Seen)", list.join(",")), |_| {})
            .await
    }

    /// Says goodbye; what becomes of that does not matter any more.
    pub async fn close(mut self) {
        let _ = tokio::time::timeout(Duration::from_secs(5), self.session.logout()).await;
    }

    /// Fetches one item of the mail `uid`. Servers may speak of other mails in between.
    async fn fetch(&mut self, uid: u32, item: &str, mut each: impl FnMut(&AttributeValue<'_>)) -> Result<(), Trouble> {
        self.command(&format!("UID FETCH {uid} (UID {item})"), |response| {
            if let Response::Fetch(_, attributes) = response
                && attributes.contains(&AttributeValue::Uid(uid))
            {
                attributes.iter().for_each(&mut each);
            }
        })
        .await
    }

    async fn command(&mut self, text: &str, mut each: impl FnMut(&Response<'_>)) -> Result<(), Trouble> {
        let sent = within(self.session.run_command(text))
            .await
            .context("asking the mail server")?;
        loop {
            let response = within(self.session.read_response())
                .await
                .context("reading from the mail server")?
                .ok_or_else(|| anyhow!("the mail server hung up"))?;
            match response.parsed() {
                Response::Done {
                    tag,
                    status,
                    information,
                    ..
                } if *tag == sent => {
                    return match status {
                        Status::Ok => Ok(()),
                        _ => Err(Trouble::Refused(words(status, information.as_deref()))),
                    };
                }
                other => each(other),
            }
        }
    }
}

fn words(status: &Status, information: Option<&str>) -> String {
    format!(
        "{} {}",
        format!("{status:?}").to_uppercase(),
        information.unwrap_or_default()
    )
}

async fn greeting<T: Line>(client: &mut async_imap::Client<T>) -> anyhow::Result<()> {
    let response = within(client.read_response())
        .await
        .context("reading the mail server's greeting")?
        .ok_or_else(|| anyhow!("the mail server hung up instead of greeting"))?;
    match response.parsed() {
        Response::Data {
            status: Status::Ok | Status::PreAuth,
            ..
        } => Ok(()),
        Response::Data {
            status, information, ..
        } => bail!(
            "the mail server does not want to talk: {}",
            words(status, information.as_deref())
        ),
        _ => bail!("what answers there does not speak IMAP"),
    }
}

/// Asks for TLS in the clear. What the server, or somebody in between, has sent ahead is dropped with the client.
async fn start_tls(tcp: TcpStream) -> anyhow::Result<TcpStream> {
    let mut client = async_imap::Client::new(tcp);
    greeting(&mut client).await?;
    within(client.run_command_and_check_ok("STARTTLS", None))
        .await
        .context("the mail server offers no STARTTLS")?;
    Ok(client.into_inner())
}

async fn encrypt(config: &MailboxConfig, tcp: TcpStream) -> anyhow::Result<tokio_rustls::client::TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    // Single certificates of the system that do not read must not keep the others out.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(file) = &config.ca_file {
        let reading = || format!("reading the certificate `{}`", file.display());
        for certificate in CertificateDer::pem_file_iter(file).with_context(reading)? {
            roots.add(certificate.with_context(reading)?).with_context(reading)?;
        }
    }
    let client = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .context("preparing TLS")?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(config.host.clone())
        .with_context(|| format!("`{}` is no name that a certificate can have", config.host))?;
    within(TlsConnector::from(Arc::new(client)).connect(name, tcp))
        .await
        .with_context(|| format!("agreeing on TLS with `{}`", config.host))
}

async fn within<T, E>(step: impl Future<Output = Result<T, E>>) -> anyhow::Result<T>
where
    E: std::error::Error + Send + Sync + 'static,
{
    match tokio::time::timeout(PATIENCE, step).await {
        Ok(result) => Ok(result?),
        Err(_) => bail!("no answer within {} s", PATIENCE.as_secs()),
    }
}
