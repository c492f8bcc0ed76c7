//! Hostile answers: a check of a signed zone in which octets of what its servers said are changed. Every test case judges it.
#![no_main]

use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use lab::{Lab, World};
use libfuzzer_sys::fuzz_target;
use measure::{CheckPlan, Inquiry, Internet, Settings, check};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

/// Which exchange, which octet of its answer, and what it becomes.
type Change = (u8, u16, u8);

/// A sound check of the lab's signed zone, as it was saved, with the octets of each answer.
fn sound() -> &'static (Timestamp, Value, Vec<Vec<u8>>) {
    static SOUND: OnceLock<(Timestamp, Value, Vec<Vec<u8>>)> = OnceLock::new();
    SOUND.get_or_init(|| {
        Builder::new_multi_thread().enable_all().build().unwrap().block_on(async {
            let now = Timestamp::now();
            let lab = Lab::start(World::shipped("pocket").unwrap(), 0, now).await.unwrap();
            let settings = Settings {
                hints: lab.hints(),
                port: lab.port(),
                ..Settings::default()
            };
            let inquiry = Internet::open(settings).unwrap().inquiry();
            check(&inquiry, &plan(), now).await;
            let saved: Value = serde_json::from_str(&inquiry.save()).unwrap();
            let exchanges = saved["exchanges"].as_array().unwrap();
            let wires = exchanges.iter().map(|row| BASE64.decode(row["wire_base64"].as_str().unwrap()).unwrap());
            let wires = wires.collect();
            (now, saved, wires)
        })
    })
}

fn plan() -> CheckPlan {
    CheckPlan {
        cases: Some(measure::cases::ids().map(str::to_owned).collect()),
        ..CheckPlan::of("good.test".parse().unwrap())
    }
}

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    // pauses between odd questions cost no time
    RUNTIME.get_or_init(|| Builder::new_current_thread().enable_time().start_paused(true).build().unwrap())
}

fuzz_target!(|changes: Vec<Change>| {
    let (now, saved, wires) = sound();
    let mut saved = saved.clone();
    for (exchange, at, octet) in changes {
        let number = usize::from(exchange) % wires.len();
        let row = &mut saved["exchanges"][number]["wire_base64"];
        let mut wire = BASE64.decode(row.as_str().unwrap()).unwrap();
        if wire.is_empty() {
            continue;
        }
        let at = usize::from(at) % wire.len();
        wire[at] = octet;
        *row = Value::String(BASE64.encode(&wire));
    }
    let inquiry = Inquiry::restore(&saved.to_string()).unwrap();
    let report = runtime().block_on(check(&inquiry, &plan(), *now));
    let profile = measure::Profile::default();
    for (_, finding) in &report.findings {
        assert!(profile.messages().any(|(_, tag)| tag == finding.tag), "{finding:?}");
    }
});
