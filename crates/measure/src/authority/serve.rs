//! The sockets of the measuring zone's server.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use model::{Clock, Transport};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::Authority;

/// Largest question that is read from UDP, in octets.
const LARGEST_QUESTION: usize = 1500;
/// How long a TCP connection may take for a question, and be idle (RFC 7766 §6.2.3 asks for seconds).
const PATIENCE: Duration = Duration::from_secs(5);
/// TCP connections at a time; further ones wait. Each costs a file and a few kilobytes.
const CONNECTIONS: usize = 128;
/// Questions on one connection, after which it is closed, so that nobody keeps it for ever.
const QUESTIONS: usize = 100;
/// How often a port is picked anew that is not free for UDP and TCP alike.
const ATTEMPTS: usize = 50;
/// Pause after a connection that could not be accepted: out of files, most likely, and they come back.
const PAUSE: Duration = Duration::from_millis(50);

/// Sockets that are open.
pub struct Listening(Vec<(UdpSocket, TcpListener)>);

impl Listening {
    /// Opens UDP and TCP at these addresses. Give each address of the machine: a socket for all of them would answer
    /// from another than the one that was asked.
    pub async fn open(addresses: &[SocketAddr]) -> io::Result<Self> {
        let mut sockets = Vec::with_capacity(addresses.len());
        for address in addresses {
            sockets.push(open_both(*address).await?);
        }
        Ok(Self(sockets))
    }

    /// Where it listens.
    pub fn addresses(&self) -> io::Result<Vec<SocketAddr>> {
        self.0.iter().map(|(udp, _)| udp.local_addr()).collect()
    }
}

/// UDP and TCP at one port. With port 0 one is picked that is free for both.
async fn open_both(address: SocketAddr) -> io::Result<(UdpSocket, TcpListener)> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        let udp = UdpSocket::bind(address).await?;
        match TcpListener::bind(udp.local_addr()?).await {
            Err(error) if address.port() == 0 && error.kind() == io::ErrorKind::AddrInUse && attempts < ATTEMPTS => {}
            tcp => return Ok((udp, tcp?)),
        }
    }
}

/// Answers at these sockets until it is dropped.
pub async fn serve(authority: Arc<Authority>, listening: Listening, clock: Arc<dyn Clock>) {
    let mut tasks = JoinSet::new();
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    for (udp, tcp) in listening.0 {
        tasks.spawn(datagrams(authority.clone(), udp, clock.clone()));
        tasks.spawn(streams(authority.clone(), tcp, clock.clone(), places.clone()));
    }
    while tasks.join_next().await.is_some() {}
}

async fn datagrams(authority: Arc<Authority>, socket: UdpSocket, clock: Arc<dyn Clock>) {
    let mut room = vec![0; LARGEST_QUESTION];
    loop {
        // an error here is an ICMP message for an earlier answer; the next question is none the worse for it
        let Ok((size, from)) = socket.recv_from(&mut room).await else {
            continue;
        };
        if let Some(message) = authority.respond(&room[..size], Transport::Udp, from, clock.now()) {
            // a client that is gone does not get its answer
            let _ = socket.send_to(&message, from).await;
        }
    }
}

async fn streams(authority: Arc<Authority>, listener: TcpListener, clock: Arc<dyn Clock>, places: Arc<Semaphore>) {
    let mut connections = JoinSet::new();
    loop {
        let place = places
            .clone()
            .acquire_owned()
            .await
            .expect("this semaphore is never closed");
        while connections.try_join_next().is_some() {}
        let Ok((stream, from)) = listener.accept().await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let (authority, clock) = (authority.clone(), clock.clone());
        connections.spawn(async move {
            // a client that breaks off or sends nonsense has only its own connection to lose
            let _ = converse(&authority, stream, from, &*clock).await;
            drop(place);
        });
    }
}

async fn converse(authority: &Authority, mut stream: TcpStream, from: SocketAddr, clock: &dyn Clock) -> io::Result<()> {
    for _ in 0..QUESTIONS {
        let read = async {
            let size = stream.read_u16().await?;
            let mut octets = vec![0; usize::from(size)];
            stream.read_exact(&mut octets).await?;
            io::Result::Ok(octets)
        };
        let octets = tokio::time::timeout(PATIENCE, read).await??;
        let Some(message) = authority.respond(&octets, Transport::Tcp, from, clock.now()) else {
            return Ok(());
        };
        let size = u16::try_from(message.len()).map_err(|_| io::ErrorKind::InvalidData)?;
        let framed = [&size.to_be_bytes(), message.as_slice()].concat();
        tokio::time::timeout(PATIENCE, stream.write_all(&framed)).await??;
    }
    Ok(())
}
