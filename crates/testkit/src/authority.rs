//! A certificate authority of a test's own, made by OpenSSL and good for two days.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::program::run;

/// The program that makes keys and certificates.
pub const PROGRAM: &str = "/usr/bin/openssl";

/// An authority whose files lie in a folder.
pub struct Authority {
    folder: PathBuf,
}

/// A certificate with its key, as PEM files.
pub struct Issued {
    /// The certificate.
    pub certificate: PathBuf,
    /// Its private key, which only its owner reads.
    pub key: PathBuf,
}

impl Authority {
    /// Makes an authority whose files begin with `ca` in `folder`.
    pub fn make(folder: &Path) -> anyhow::Result<Self> {
        let authority = Self {
            folder: folder.to_owned(),
        };
        let key = authority.key();
        request(&authority.certificate(), &key, &["-subj", "/CN=A throw-away authority"])
            .context("making a certificate authority")?;
        Ok(authority)
    }

    /// Its own certificate: what those who trust it are given.
    pub fn certificate(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// Issues a certificate for the host `name`.
    pub fn issue(&self, name: &str) -> anyhow::Result<Issued> {
        let issued = Issued {
            certificate: self.folder.join(format!("{name}.pem")),
            key: self.folder.join(format!("{name}.key")),
        };
        let (certificate, key) = (self.certificate(), self.key());
        let arguments = [
            "-CA",
            &certificate.display().to_string(),
            "-CAkey",
            &key.display().to_string(),
            "-subj",
            &format!("/CN={name}"),
            "-addext",
            &format!("subjectAltName=DNS:{name}"),
            "-addext",
            "basicConstraints=critical,CA:FALSE",
        ];
        request(&issued.certificate, &issued.key, &arguments)
            .with_context(|| format!("issuing a certificate for `{name}`"))?;
        Ok(issued)
    }

    fn key(&self) -> PathBuf {
        self.folder.join("ca.key")
    }
}

fn request(certificate: &Path, key: &Path, more: &[&str]) -> anyhow::Result<()> {
    let (certificate, key) = (certificate.display().to_string(), key.display().to_string());
    let common = [
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "2",
        "-keyout",
        &key,
        "-out",
        &certificate,
    ];
    run(PROGRAM, &[&common, more].concat())
}
