//! resolver07: whether it can be asked over TLS (RFC 7858) and HTTPS (RFC 8484).
//!
//! Certificates are not judged: the name by which a user would reach the resolver is not known here. What is said is whether
//! somebody speaks the protocol there and answers, which is the opportunistic profile (RFC 8310 §5).

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::Gathered;
use crate::cases::Emission;
use crate::question::Question;
use crate::response::Response;

/// Port of DNS over TLS (RFC 7858 §3.1).
const TLS_PORT: u16 = 853;
/// Port of HTTPS.
const HTTPS_PORT: u16 = 443;
/// The path that everybody uses (RFC 8484 §4.1.1 takes it for its example).
const PATH: &str = "/dns-query";
/// The longest time that is spent on it: long answers of web servers are none.
const LONGEST_ANSWER: usize = 65_535;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What came of both.
#[derive(Debug, Default)]
pub(crate) struct Encrypted {
    /// Whether it was tried at all.
    is_tried: bool,
    tls: bool,
    https: bool,
}

/// Tries both at once, each within `timeout`.
pub(super) async fn try_both(address: IpAddr, question: Option<Question>, timeout: Duration) -> Encrypted {
    let Some(question) = question else {
        return Encrypted::default();
    };
    let over_tls = tokio::time::timeout(timeout, ask_over_tls(address, &question));
    let over_https = tokio::time::timeout(timeout, ask_over_https(address, &question));
    let (tls, https) = tokio::join!(over_tls, over_https);
    Encrypted {
        is_tried: true,
        tls: matches!(tls, Ok(Ok(()))),
        https: matches!(https, Ok(Ok(()))),
    }
}

/// resolver07: it can be asked without others listening.
pub(super) fn resolver07(gathered: &Gathered) -> Vec<Emission> {
    let encrypted = &gathered.encrypted;
    if !encrypted.is_tried {
        return Vec::new();
    }
    let tls = if encrypted.tls { "R07_TLS" } else { "R07_NO_TLS" };
    let https = if encrypted.https { "R07_HTTPS" } else { "R07_NO_HTTPS" };
    [tls, https]
        .map(|tag| Emission::new(tag).arg("resolver", gathered.resolver))
        .into()
}

async fn ask_over_tls(address: IpAddr, question: &Question) -> Result<(), Failure> {
    let mut stream = connect(SocketAddr::new(address, TLS_PORT), b"dot").await?;
    let wire = question.to_wire(rand::random(), question.name.as_wire().as_slice());
    let framed = [&u16::try_from(wire.len())?.to_be_bytes(), wire.as_slice()].concat();
    stream.write_all(&framed).await?;
    stream.flush().await?;
    let mut octets = vec![0; usize::from(stream.read_u16().await?)];
    stream.read_exact(&mut octets).await?;
    is_answer(&octets, &wire, question)
}

async fn ask_over_https(address: IpAddr, question: &Question) -> Result<(), Failure> {
    let target = SocketAddr::new(address, HTTPS_PORT);
    let stream = connect(target, b"h2").await?;
    if stream.get_ref().1.alpn_protocol() != Some(b"h2") {
        return Err("no HTTP/2".into());
    }
    let (mut sender, connection) = h2::client::handshake(stream).await?;
    let exchange = async {
        // id 0, so that answers can be kept by caches on the way (RFC 8484 §4.1)
        let wire = question.to_wire(0, question.name.as_wire().as_slice());
        let host = if address.is_ipv6() {
            format!("[{address}]")
        } else {
            address.to_string()
        };
        let request = http::Request::post(format!("https://{host}{PATH}"))
            .header("accept", "application/dns-message")
            .header("content-type", "application/dns-message")
            .header("content-length", wire.len())
            .body(())?;
        std::future::poll_fn(|context| sender.poll_ready(context)).await?;
        let (response, mut body) = sender.send_request(request, false)?;
        body.send_data(Bytes::from(wire.clone()), true)?;
        let response = response.await?;
        if !response.status().is_success() {
            return Err(format!("status {}", response.status()).into());
        }
        let mut body = response.into_body();
        let mut octets = Vec::new();
        while let Some(part) = body.data().await {
            let part = part?;
            body.flow_control().release_capacity(part.len())?;
            octets.extend_from_slice(&part);
            if octets.len() > LONGEST_ANSWER {
                return Err("an answer that is too long".into());
            }
        }
        is_answer(&octets, &wire, question)
    };
    tokio::select! {
        done = exchange => done,
        ended = connection => Err(ended.err().map_or("closed".into(), Into::into)),
    }
}

fn is_answer(octets: &[u8], asked: &[u8], question: &Question) -> Result<(), Failure> {
    let is_right = octets.get(..2) == asked.get(..2) && Response::read(octets, question.rtype).is_some();
    if is_right { Ok(()) } else { Err("no DNS answer".into()) }
}

async fn connect(target: SocketAddr, protocol: &[u8]) -> Result<TlsStream<TcpStream>, Failure> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    let stream = TcpStream::connect(target).await?;
    let name = ServerName::IpAddress(target.ip().into());
    Ok(TlsConnector::from(Arc::new(config)).connect(name, stream).await?)
}

/// Takes any certificate, and checks that the other side has its key.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
