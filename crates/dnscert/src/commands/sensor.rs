//! `dnscert sensor`: listens for a centre from here; `dnscert unmask`: takes its pseudonyms back.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use capture::{ClientForm, Clients, Distincts, Receipt};
use model::{Name, SystemClock};
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;

use crate::cli::{ClientsTold, SensorArgs, UnmaskArgs};
use crate::sensor::{self, Streams};

/// Servers of one minute whose clients and names are counted by themselves: 2 MB for each stream. A sensor at a resolver sees more, and
/// counts the others together.
const MOST_SERVERS: usize = 256;

/// RRsets of one stream that are merged in memory: a fourth of what a capture gets, since there may be many streams.
const MOST_RRSETS: usize = 65_536;

/// Malformed messages of one window and stream that are kept, and their octets. Enough to see what is wrong.
const MOST_MALFORMED: (u64, u64) = (1_000, 1 << 20);

/// Runs until told to stop.
pub async fn run(arguments: SensorArgs) -> anyhow::Result<ExitCode> {
    let told_to_stop = super::told_to_stop();
    #[cfg(target_os = "linux")]
    ensure!(
        arguments.interfaces.is_empty() || arguments.ports.len() <= sensor::MOST_PORTS,
        "an interface can be listened to on at most {} ports",
        sensor::MOST_PORTS
    );
    let way = super::probe::way(arguments.way)?;
    let client_key = match &arguments.client_key {
        Some(file) => read_key(file)?,
        None => own_key(&way.spool)?,
    };
    let streams = Streams {
        window_secs: arguments.window,
        taps: arguments.taps,
        interfaces: arguments.interfaces,
        ring_bytes: (arguments.ring as usize) << 20,
        print: if arguments.receipts { print } else { |_| {} },
        capture: capture::Settings {
            clients: form(arguments.clients, client_key).map(|form| Clients {
                form,
                most: arguments.most_clients as usize,
                least: arguments.least_queries,
                most_servers: MOST_SERVERS,
            }),
            ..settings(arguments.ports, arguments.served, client_key)
        },
    };
    let stop = CancellationToken::new();
    let running = sensor::run(&way, streams, Arc::new(SystemClock), stop.clone());
    tokio::pin!(running);
    tokio::select! {
        ended = &mut running => ended?,
        () = told_to_stop => {
            stop.cancel();
            running.await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints the address behind each pseudonym. A wrong key gives an address too, and nothing tells that it is a wrong one.
pub fn unmask(arguments: &UnmaskArgs) -> anyhow::Result<ExitCode> {
    let form = pseudonyms(read_key(&arguments.client_key)?);
    for client in &arguments.clients {
        let address = form.address(*client);
        let address = address.with_context(|| format!("`{client}` is a network, and no pseudonym"))?;
        println!("{client}  {address}");
    }
    Ok(ExitCode::SUCCESS)
}

/// As what clients are told; `None`: they are not.
fn form(told: ClientsTold, client_key: [u8; 16]) -> Option<ClientForm> {
    match told {
        ClientsTold::Drop => None,
        ClientsTold::Truncate => Some(ClientForm::Network),
        ClientsTold::Pseudonymise => Some(pseudonyms(client_key)),
    }
}

/// Pseudonyms under a key of their own, made of the sensor's: under that itself clients are counted, by another function.
fn pseudonyms(client_key: [u8; 16]) -> ClientForm {
    let digest = Sha256::new_with_prefix("dnscert: pseudonyms of clients\n").chain_update(client_key);
    let mut key = [0; 16];
    key.copy_from_slice(&digest.finalize()[..16]);
    ClientForm::Pseudonym { key }
}

/// How traffic is read while it happens.
pub(super) fn settings(ports: Vec<u16>, served: Vec<(Name, IpAddr)>, client_key: [u8; 16]) -> capture::Settings {
    let root = measure::root_servers()
        .into_iter()
        .flat_map(|(_, addresses)| addresses)
        .map(|address| (Name::root(), address));
    capture::Settings {
        ports,
        served: root.chain(served).collect(),
        most_rrsets: MOST_RRSETS,
        most_quarantined: MOST_MALFORMED.0,
        most_quarantined_octets: MOST_MALFORMED.1,
        distincts: Some(Distincts {
            client_key,
            most_servers: MOST_SERVERS,
        }),
        ..capture::Settings::default()
    }
}

/// Prints a receipt as a line of JSON.
pub(super) fn print(receipt: &Receipt) {
    match serde_json::to_string(receipt) {
        Ok(line) => println!("{line}"),
        Err(error) => tracing::error!("a receipt cannot be written as JSON: {error}"),
    }
}

fn read_key(file: &Path) -> anyhow::Result<[u8; 16]> {
    let shown = file.display();
    let text = fs::read_to_string(file).with_context(|| format!("reading the key `{shown}`"))?;
    let key = hex::decode(text.trim()).ok().and_then(|key| key.try_into().ok());
    key.with_context(|| format!("`{shown}` does not hold 32 hexadecimal digits"))
}

/// The key of this sensor alone, made where it is missing. It never leaves the spool's folder.
fn own_key(spool: &Path) -> anyhow::Result<[u8; 16]> {
    let file = spool.join("client.key");
    if !file.exists() {
        // written aside and renamed: a crash leaves it whole or not at all
        let aside = spool.join("client.key.tmp");
        let make = || -> std::io::Result<()> {
            fs::create_dir_all(spool)?;
            let mut options = OpenOptions::new();
            let mut made = options
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&aside)?;
            let key: [u8; 16] = rand::random();
            made.write_all(format!("{}\n", hex::encode(key)).as_bytes())?;
            made.sync_all()?;
            fs::rename(&aside, &file)
        };
        make().with_context(|| format!("making the key `{}`", file.display()))?;
    }
    read_key(&file)
}
