//! A name server on loopback that answers over UDP as a test says, and counts what it is asked.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use measure::{Internet, Settings};
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

/// The address it listens on.
pub const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// What is sent back, and from where.
pub enum Reply {
    /// From the port that was asked.
    FromHere(Vec<u8>),
    /// From another port.
    FromElsewhere(Vec<u8>),
}

/// The server; it stops when dropped.
pub struct Scripted {
    pub port: u16,
    asked: Arc<Mutex<Vec<Vec<u8>>>>,
    task: JoinHandle<()>,
}

impl Scripted {
    pub async fn start(react: impl Fn(&[u8]) -> Vec<Reply> + Send + 'static) -> Self {
        let socket = UdpSocket::bind((HERE, 0)).await.unwrap();
        let elsewhere = UdpSocket::bind((HERE, 0)).await.unwrap();
        let port = socket.local_addr().unwrap().port();
        let asked: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
        let seen = asked.clone();
        let task = tokio::spawn(async move {
            let mut room = [0; 4096];
            loop {
                let (size, from) = socket.recv_from(&mut room).await.unwrap();
                seen.lock().unwrap().push(room[..size].to_vec());
                for reply in react(&room[..size]) {
                    match reply {
                        Reply::FromHere(octets) => socket.send_to(&octets, from).await.unwrap(),
                        Reply::FromElsewhere(octets) => elsewhere.send_to(&octets, from).await.unwrap(),
                    };
                }
            }
        });
        Self { port, asked, task }
    }

    /// How many datagrams came.
    pub fn count(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    /// A way out to it, with short waits.
    pub fn settings(&self) -> Settings {
        Settings {
            hints: vec![("a.test".parse().unwrap(), vec![HERE])],
            port: self.port,
            timeout: Duration::from_millis(240),
            ..Settings::default()
        }
    }

    pub fn internet(&self) -> Internet {
        Internet::open(self.settings()).unwrap()
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// QTYPE of a question without a second question.
pub fn qtype(question: &[u8]) -> u16 {
    let end = name_end(question);
    u16::from_be_bytes([question[end], question[end + 1]])
}

/// Whether the question has an OPT record.
pub fn has_edns(question: &[u8]) -> bool {
    question[11] == 1
}

/// Where the question's name ends.
pub fn name_end(question: &[u8]) -> usize {
    let mut at = 12;
    while question[at] != 0 {
        at += 1 + usize::from(question[at]);
    }
    at + 1
}

/// An authoritative answer with one A record.
pub fn answer(question: &[u8], address: [u8; 4]) -> Vec<u8> {
    let mut octets = question[..name_end(question) + 4].to_vec();
    octets[2] = 0x84;
    octets[7] = 1;
    octets[11] = 0;
    octets.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
    octets.extend(address);
    octets
}
