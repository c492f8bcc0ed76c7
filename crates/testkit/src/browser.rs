//! Debian's Chromium, headless, steered by ChromeDriver (W3C WebDriver), stopped on drop.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use crate::loopback::{free_port, wait_until_listening};
use crate::program::stop;

/// What the driver needs.
pub const PROGRAMS: &[&str] = &["/usr/bin/chromium", "/usr/bin/chromedriver"];

/// A driver that can open browsers.
pub struct Driver {
    port: u16,
    child: Option<Child>,
    profiles: tempfile::TempDir,
    opened: AtomicU32,
}

impl Driver {
    /// Starts the driver on a free port.
    pub fn start() -> anyhow::Result<Self> {
        let port = free_port()?;
        let child = Command::new("/usr/bin/chromedriver")
            .arg(format!("--port={port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("starting chromedriver")?;
        let profiles = tempfile::Builder::new()
            .prefix("dnscert-browser-")
            .tempdir()
            .context("making a folder")?;
        let driver = Self {
            port,
            child: Some(child),
            profiles,
            opened: AtomicU32::new(0),
        };
        if !wait_until_listening(SocketAddr::from(([127, 0, 0, 1], port)), || true) {
            bail!("chromedriver does not listen on port {port}");
        }
        Ok(driver)
    }

    /// Where clients of the WebDriver protocol connect.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Capabilities of a browser of this width, height and preferred language, without traffic of its own.
    pub fn capabilities(&self, width: u32, height: u32, language: &str) -> serde_json::Map<String, Value> {
        // Two browsers never share a profile.
        let number = self.opened.fetch_add(1, Ordering::Relaxed);
        let profile = self.profiles.path().join(number.to_string());
        let mut options = json!({
            "binary": "/usr/bin/chromium",
            "args": [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
                format!("--window-size={width},{height}"), format!("--lang={language}"),
                format!("--user-data-dir={}", profile.display()),
            ],
            "prefs": { "intl.accept_languages": language },
        });
        if width < 500 {
            // A window is never narrower than 500 px; a telephone is.
            options["mobileEmulation"] =
                json!({ "deviceMetrics": { "width": width, "height": height, "pixelRatio": 1.0, "touch": false } });
        }
        let mut capabilities = serde_json::Map::new();
        capabilities.insert("browserName".to_owned(), json!("chrome"));
        capabilities.insert("goog:chromeOptions".to_owned(), options);
        capabilities
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        stop(&mut self.child);
    }
}
