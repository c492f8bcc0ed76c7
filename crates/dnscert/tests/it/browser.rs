//! A real browser walks the duty officer's and the registrar's side: English and Arabic, wide and 360 px, with screenshots.

use std::path::PathBuf;
use std::time::Duration;

use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use jiff::Timestamp;
use lab::{Change, Event, Fault, FaultRule, Lab, World};
use mail_parser::MessageParser;
use serde_json::Value;
use testkit::browser::{Driver, PROGRAMS};
use testkit::program::are_installed;

use crate::centre::{Centre, mails, stderr};

/// Longest wait for something to show.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a telephone shows at once.
const TELEPHONE: (u32, u32) = (360, 780);

/// What a desk shows at once.
const DESK: (u32, u32) = (1280, 1000);

const DIRECTORY: &str = r#"{"format": "dnscert-directory-1", "organisations": [{
    "handle": "atlas-registrar", "name": "مسجل أطلس الصغير", "kind": "registrar", "region": "AF",
    "preferred_language": "ar", "time_zone": "Africa/Cairo",
    "people": [{"name": "ليلى منصور", "position": "NOC"}],
    "channels": [{"kind": "email", "value": "noc@registrar.example", "purpose": "security"}],
    "responsibilities": [{"kind": "zone", "value": "plain.test", "role": "operator"}]}]}"#;

/// A browser that looks at one centre.
struct Browser {
    client: Client,
    base: String,
    shots: PathBuf,
    size: (u32, u32),
}

impl Browser {
    async fn open(driver: &Driver, base: &str, size: (u32, u32), language: &str) -> Self {
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(driver.capabilities(size.0, size.1, language))
            .connect(&driver.url())
            .await
            .unwrap();
        let shots = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("screenshots");
        std::fs::create_dir_all(&shots).unwrap();
        Self {
            client,
            base: base.to_owned(),
            shots,
            size,
        }
    }

    async fn goto(&self, path: &str) {
        self.client.goto(&format!("{}{path}", self.base)).await.unwrap();
    }

    async fn script(&self, text: &str) -> Value {
        self.client.execute(text, Vec::new()).await.unwrap()
    }

    /// Checks what holds for every page, and keeps a picture of it.
    async fn look(&self, name: &str, direction: &str) {
        let page = format!("{name} at {} px", self.size.0);
        assert_eq!(
            self.script("return document.documentElement.dir").await,
            direction,
            "{page}"
        );
        let wide = self
            .script("return document.documentElement.scrollWidth - document.documentElement.clientWidth")
            .await;
        assert!(wide.as_i64().unwrap() <= 0, "{page} is {wide} px too wide");
        let headings = self.script("return document.querySelectorAll('main h1').length").await;
        assert_eq!(headings, 1, "{page} must have one heading");
        let unlabelled = self
            .script(
                "return [...document.querySelectorAll('input:not([type=hidden]),select,textarea')]\
                 .filter(e => !e.labels.length && !e.getAttribute('aria-label')).map(e => e.name).join(' ')",
            )
            .await;
        assert_eq!(unlabelled, "", "{page} has fields without a label");
        let missing = self
            .script("return (document.body.innerText.match(/\\[[a-z]+(-[a-z]+)+\\]/g) || []).join(' ')")
            .await;
        assert_eq!(missing, "", "{page} shows ids instead of texts");
        let picture = self.client.screenshot().await.unwrap();
        std::fs::write(self.shots.join(format!("{name}-{}.png", self.size.0)), picture).unwrap();
    }

    async fn click(&self, selector: &str) {
        let element = self
            .client
            .wait()
            .at_most(PATIENCE)
            .for_element(Locator::Css(selector))
            .await;
        element
            .unwrap_or_else(|error| panic!("`{selector}`: {error}"))
            .click()
            .await
            .unwrap();
    }

    async fn write(&self, selector: &str, text: &str) {
        self.client
            .find(Locator::Css(selector))
            .await
            .unwrap()
            .send_keys(text)
            .await
            .unwrap();
    }

    async fn sign_in(&self, name: &str, password: &str) {
        self.goto("/signin").await;
        self.write("input[name=name]", name).await;
        self.write("input[name=password]", password).await;
        self.click("main form button").await;
        let end = tokio::time::Instant::now() + PATIENCE;
        while self.client.current_url().await.unwrap().path() == "/signin" {
            assert!(tokio::time::Instant::now() < end, "the sign-in as {name} went nowhere");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until the browser is at an address with this part, and gives its path.
    async fn arrive(&self, part: &str) -> String {
        let end = tokio::time::Instant::now() + PATIENCE;
        loop {
            let path = self.client.current_url().await.unwrap().path().to_owned();
            if path.contains(part) {
                return path;
            }
            assert!(
                tokio::time::Instant::now() < end,
                "the browser is at {path}, not at {part}"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn close(self) {
        self.client.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn officer_and_registrar_get_through_in_english_and_arabic_wide_and_narrow() {
    if !are_installed(PROGRAMS).unwrap() {
        return;
    }
    let lab = Lab::start(World::shipped("pocket").unwrap(), 0, Timestamp::now())
        .await
        .unwrap();
    let mut centre = Centre::set_up(&lab.hints(), lab.port(), "");
    tokio::task::block_in_place(|| {
        let file = centre.home().join("contacts.json");
        std::fs::write(&file, DIRECTORY).unwrap();
        for arguments in [
            &["directory", "import", file.to_str().unwrap()][..],
            &[
                "watch",
                "add",
                "plain.test",
                "good.test",
                "shop.example",
                "test",
                "--interval",
                "5",
            ],
        ] {
            let output = centre.run(arguments);
            assert!(output.status.success(), "{}", stderr(&output));
        }
        centre.start();
    });
    let base = format!("http://{}", centre.address);
    let driver = tokio::task::block_in_place(Driver::start).unwrap();
    for server in ["ns1.good.test", "ns2.good.test"] {
        let rule = FaultRule {
            qname: Some("plain.test".parse().unwrap()),
            ..FaultRule::of(Fault::Silent)
        };
        lab.apply(
            &Event::new(Change::AddFault {
                server: server.to_owned(),
                rule,
            })
            .named("outage"),
        )
        .unwrap();
    }

    // The duty officer at a desk: queue, case, request, notice.
    let officer = Browser::open(&driver, &base, DESK, "en").await;
    officer.goto("/").await;
    officer.look("status-en", "ltr").await;
    officer.sign_in(&centre.admin.0, &centre.admin.1).await;
    let end = tokio::time::Instant::now() + PATIENCE;
    loop {
        officer.goto("/alerts").await;
        if officer.client.find(Locator::Css("input[name^=alert-]")).await.is_ok() {
            break;
        }
        assert!(
            tokio::time::Instant::now() < end,
            "no alert came into the queue:\n{}",
            centre.log()
        );
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    officer.look("alerts-en", "ltr").await;
    officer.click("input[name^=alert-]").await;
    officer
        .click("form[action='/alerts/selected/case'] button:not([formaction])")
        .await;
    let case = officer.arrive("/cases/DNSCERT-").await;
    officer.look("case-proposals-en", "ltr").await;
    officer.click("form:has(input[name=proposal]) button").await;
    let request = officer.arrive("/requests/").await;
    officer.look("request-preview-en", "ltr").await;
    officer.click("form[action$='/send'] button").await;

    // The registrar on a telephone, in Arabic, without an account.
    let link = wait_for_link(&centre).await;
    let registrar = Browser::open(&driver, &base, TELEPHONE, "ar").await;
    registrar.goto(&link).await;
    registrar.look("answer-ar", "rtl").await;
    answer(&registrar, "acknowledge").await;
    registrar.look("answer-acknowledged-ar", "rtl").await;
    lab.apply(&Event::repair("outage")).unwrap();
    registrar.goto(&link).await;
    answer(&registrar, "done").await;
    let wide = Browser::open(&driver, &base, DESK, "en").await;
    wide.goto(&format!("{link}?lang=en")).await;
    wide.look("answer-en", "ltr").await;
    wide.close().await;

    // The centre measures; the officer closes.
    let verified = language::texts(model::Language::English).get("case-request-state-verified");
    let end = tokio::time::Instant::now() + PATIENCE;
    loop {
        officer.goto(&request).await;
        let state = officer
            .client
            .find(Locator::Css("[data-part=state]"))
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        if state.contains(&verified) {
            break;
        }
        assert!(
            tokio::time::Instant::now() < end,
            "the repair was not verified: {state}"
        );
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    officer.goto(&case).await;
    officer.look("case-verified-en", "ltr").await;
    officer
        .client
        .find(Locator::Css("form[action$='/close']"))
        .await
        .unwrap();
    officer
        .script("document.querySelectorAll('details').forEach(d => d.open = true)")
        .await;
    officer.click("form[action$='/close'] button").await;
    officer.look("case-closed-en", "ltr").await;

    // Every page in the other direction, and on a telephone.
    let telephone = Browser::open(&driver, &base, TELEPHONE, "ar").await;
    telephone.sign_in(&centre.admin.0, &centre.admin.1).await;
    for (name, path) in [
        ("status", "/".to_owned()),
        ("report", "/report".to_owned()),
        ("about", "/about".to_owned()),
        ("alerts", "/alerts?state=all".to_owned()),
        ("cases", "/cases".to_owned()),
        ("case", case.clone()),
        ("request", request.clone()),
        ("zone", "/zones/plain.test".to_owned()),
        ("zones", "/zones".to_owned()),
        ("directory", "/directory".to_owned()),
        ("route", "/route?target=plain.test".to_owned()),
        ("centre", "/centre".to_owned()),
        ("account", "/account".to_owned()),
    ] {
        for (browser, size) in [(&officer, "desk"), (&telephone, "telephone")] {
            for (language, direction) in [("en", "ltr"), ("ar", "rtl")] {
                let joint = if path.contains('?') { '&' } else { '?' };
                browser.goto(&format!("{path}{joint}lang={language}")).await;
                browser.look(&format!("{name}-{language}-{size}"), direction).await;
            }
        }
    }
    // The picture of the key for an authenticator app is on the answer to a form.
    for (browser, size) in [(&officer, "desk"), (&telephone, "telephone")] {
        for (language, direction) in [("en", "ltr"), ("ar", "rtl")] {
            browser.goto(&format!("/account?lang={language}")).await;
            browser.click("form[action='/account/second-factor'] button").await;
            browser.arrive("/account/second-factor").await;
            browser
                .look(&format!("second-factor-{language}-{size}"), direction)
                .await;
            let shown = browser
                .script("const r = document.querySelector('svg.qr').getBoundingClientRect(); return r.width >= 160 && r.width == r.height")
                .await;
            assert_eq!(shown, true, "the picture is too small for a camera, or bent");
        }
    }
    officer.close().await;
    registrar.close().await;
    telephone.close().await;
}

async fn answer(browser: &Browser, kind: &str) {
    browser.click(&format!("label[for={kind}]")).await;
    browser.click("main form[action^='/a/'] button").await;
    browser.click("button[name=confirm]").await;
    let end = tokio::time::Instant::now() + PATIENCE;
    while browser.client.find(Locator::Css("button[name=confirm]")).await.is_ok() {
        assert!(tokio::time::Instant::now() < end, "the answer {kind} was not taken");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn wait_for_link(centre: &Centre) -> String {
    let end = tokio::time::Instant::now() + PATIENCE;
    loop {
        for raw in mails(&centre.outbox()) {
            let mail = MessageParser::default().parse(&raw).unwrap();
            let body = mail.body_text(0).unwrap_or_default().into_owned();
            if let Some(at) = body.find("/a/") {
                return body[at..]
                    .split(|c: char| c.is_whitespace() || c == '\u{2069}' || c == '>')
                    .next()
                    .unwrap()
                    .into();
            }
        }
        assert!(
            tokio::time::Instant::now() < end,
            "no notice was written:\n{}",
            centre.log()
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
