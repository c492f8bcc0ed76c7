//! The sockets of a sweep: on random ports that change, read and written many datagrams at a time.

use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::task::{Context, Poll};

use tokio::net::UdpSocket;

use super::SweepError;
use super::message::QUESTION;
use crate::internet::udp::open;

/// Datagrams for one system call. Chosen by us: what one call costs is small beside 64 datagrams, and a server's receive
/// buffer is not flooded.
pub(crate) const BATCH: usize = 64;
/// Sockets for each family. Chosen by us: as many ports that a forger has to guess among at any moment.
const SOCKETS: usize = 32;
/// Sockets for each family where all servers are on loopback, so that nobody can forge: fewer, with longer batches.
const SOCKETS_ON_LOOPBACK: usize = 4;
/// Questions that one socket carries before it is closed and another port opened. Chosen by us: opening costs as much as
/// some ten questions, so it is done every thousandth.
const USES: u32 = 1_000;
/// Room for one datagram. More than is ever announced by EDNS; what is longer is cut and so unreadable.
const ROOM: usize = 4096;
/// Room that the system keeps for answers to one socket, in octets. Chosen by us: the answers to all that can be under
/// way over a share of the sockets. Less loses answers when the machine is busy.
#[cfg(target_os = "linux")]
const RECEIVE_BUFFER: usize = 2 << 20;

/// A question on its way out.
pub(crate) struct Outgoing {
    pub octets: [u8; QUESTION],
    pub length: usize,
    pub to: SocketAddr,
}

struct Socket {
    udp: UdpSocket,
    is_ipv4: bool,
    uses: u32,
}

/// All sockets; those of a family stand together.
pub(crate) struct Sockets {
    all: Vec<Socket>,
    ipv4: Range<u16>,
    ipv6: Range<u16>,
    inbox: many::Inbox,
}

impl Sockets {
    /// Opens sockets for the families of `servers`.
    pub fn open(servers: &[SocketAddr]) -> Result<Self, SweepError> {
        let count = match servers.iter().all(|server| server.ip().is_loopback()) {
            true => SOCKETS_ON_LOOPBACK,
            false => SOCKETS,
        };
        let mut all = Vec::with_capacity(2 * count);
        let mut open_family = |is_ipv4: bool| {
            let start = all.len() as u16;
            if servers.iter().any(|server| server.is_ipv4() == is_ipv4) {
                for _ in 0..count {
                    let family = if is_ipv4 { "IPv4" } else { "IPv6" };
                    let udp = open_wide(is_ipv4).map_err(|source| SweepError::Socket { family, source })?;
                    all.push(Socket { udp, is_ipv4, uses: 0 });
                }
            }
            Ok(start..all.len() as u16)
        };
        let (ipv4, ipv6) = (open_family(true)?, open_family(false)?);
        Ok(Self {
            all,
            ipv4,
            ipv6,
            inbox: many::Inbox::default(),
        })
    }

    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// A socket of the family for the next batch, from a random one on: the first whose port is not used up. One that
    /// is used up and awaits no answer gets a new port.
    pub fn choose(&mut self, is_ipv4: bool, random: u16, is_idle: impl Fn(u16) -> bool) -> u16 {
        let family = if is_ipv4 { self.ipv4.clone() } else { self.ipv6.clone() };
        let first = random % family.len() as u16;
        let from_first = family
            .clone()
            .skip(first.into())
            .chain(family.clone().take(first.into()));
        for number in from_first {
            let socket = &mut self.all[usize::from(number)];
            if socket.uses < USES {
                return number;
            }
            if is_idle(number) {
                // where no other can be opened, for want of files, the old one goes on
                if let Ok(udp) = open_wide(is_ipv4) {
                    socket.udp = udp;
                }
                socket.uses = 0;
                return number;
            }
        }
        family.start + first
    }

    /// Sends the beginning of `batch`, as much as can be sent now. Returns how many; an error concerns the first, but
    /// [`io::ErrorKind::WouldBlock`], which says that there is no room.
    pub fn send(&mut self, number: u16, batch: &[Outgoing]) -> io::Result<usize> {
        let socket = &mut self.all[usize::from(number)];
        let sent = many::send(&socket.udp, batch)?;
        socket.uses = socket.uses.saturating_add(sent as u32);
        Ok(sent)
    }

    /// Hands what has arrived to `take`, up to [`BATCH`] datagrams, with where each came from. Returns how many.
    pub fn receive(&mut self, number: u16, take: impl FnMut(&[u8], SocketAddr)) -> io::Result<usize> {
        let socket = &self.all[usize::from(number)];
        self.inbox.receive(&socket.udp, socket.is_ipv4, take)
    }

    /// Hands the questions that were refused on the way to `take`, with where they were to go.
    pub fn refusals(&mut self, number: u16, take: impl FnMut(&[u8], SocketAddr)) {
        self.inbox.refusals(&self.all[usize::from(number)].udp, take);
    }

    /// Ready when something may have arrived on any socket.
    pub fn poll_arrived(&self, cx: &mut Context<'_>) -> Poll<()> {
        let is_ready = |socket: &Socket| socket.udp.poll_recv_ready(cx).is_ready();
        if self.all.iter().any(is_ready) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

/// Whether an error says that the other side refused, now or on an earlier question over the same socket.
pub(crate) fn is_refusal(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionRefused, HostUnreachable};
    matches!(error.kind(), ConnectionRefused | HostUnreachable)
}

fn open_wide(is_ipv4: bool) -> io::Result<UdpSocket> {
    let udp = open(is_ipv4)?;
    #[cfg(target_os = "linux")]
    nix::sys::socket::setsockopt(&udp, nix::sys::socket::sockopt::RcvBuf, &RECEIVE_BUFFER)?;
    Ok(udp)
}

/// Many datagrams by one system call.
#[cfg(target_os = "linux")]
mod many {
    use std::io::{self, IoSlice, IoSliceMut};
    use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6};
    use std::os::fd::{AsRawFd as _, RawFd};

    use nix::sys::socket::{MsgFlags, MultiHeaders, SockaddrIn, SockaddrIn6, SockaddrLike, recvmmsg};
    use rustix::io::Errno;
    use rustix::net::addr::SocketAddrArg as _;
    use rustix::net::{MMsgHdr, RecvAncillaryBuffer, RecvFlags, SendAncillaryBuffer, SendFlags, recvmsg, sendmmsg};
    use tokio::io::Interest;
    use tokio::net::UdpSocket;

    use super::{BATCH, Outgoing, ROOM};

    pub fn send(udp: &UdpSocket, batch: &[Outgoing]) -> io::Result<usize> {
        let batch = &batch[..batch.len().min(BATCH)];
        let to: [_; BATCH] = std::array::from_fn(|at| batch.get(at).map(|out| out.to.as_any()));
        let octets: [_; BATCH] =
            std::array::from_fn(|at| [IoSlice::new(batch.get(at).map_or(&[], |out| &out.octets[..out.length]))]);
        let mut control: [SendAncillaryBuffer<'_, '_, '_>; BATCH] = std::array::from_fn(|_| Default::default());
        let mut control = control.iter_mut();
        let mut headers: [_; BATCH] = std::array::from_fn(|at| {
            let control = control.next().expect("there are as many");
            match &to[at] {
                Some(to) => MMsgHdr::new_with_addr(to, &octets[at], control),
                None => MMsgHdr::new(&octets[at], control),
            }
        });
        match sendmmsg(udp, &mut headers[..batch.len()], SendFlags::DONTWAIT) {
            // a queue on the way out that is full (send(2))
            Err(Errno::NOBUFS) => Err(io::ErrorKind::WouldBlock.into()),
            sent => Ok(sent?),
        }
    }

    pub struct Inbox {
        rooms: Box<[[u8; ROOM]; BATCH]>,
        ipv4: MultiHeaders<SockaddrIn>,
        ipv6: MultiHeaders<SockaddrIn6>,
    }

    impl Default for Inbox {
        fn default() -> Self {
            let rooms = vec![[0; ROOM]; BATCH].into_boxed_slice();
            Self {
                rooms: rooms.try_into().expect("it was made of this length"),
                ipv4: MultiHeaders::preallocate(BATCH, None),
                ipv6: MultiHeaders::preallocate(BATCH, None),
            }
        }
    }

    impl Inbox {
        pub fn receive(
            &mut self,
            udp: &UdpSocket,
            is_ipv4: bool,
            take: impl FnMut(&[u8], SocketAddr),
        ) -> io::Result<usize> {
            let (fd, rooms) = (udp.as_raw_fd(), &mut self.rooms);
            udp.try_io(Interest::READABLE, || {
                let count = if is_ipv4 {
                    receive(fd, &mut self.ipv4, rooms, |from| SocketAddrV4::from(from).into(), take)?
                } else {
                    receive(fd, &mut self.ipv6, rooms, |from| SocketAddrV6::from(from).into(), take)?
                };
                Ok(count)
            })
        }

        /// Linux keeps what was refused in a queue of its own (ip(7), IP_RECVERR), with the address that it was for.
        pub fn refusals(&mut self, udp: &UdpSocket, mut take: impl FnMut(&[u8], SocketAddr)) {
            let room = &mut self.rooms[0];
            loop {
                let flags = RecvFlags::ERRQUEUE | RecvFlags::DONTWAIT;
                let mut control = RecvAncillaryBuffer::new(&mut []);
                let Ok(refused) = recvmsg(udp, &mut [IoSliceMut::new(room)], &mut control, flags) else {
                    return;
                };
                if let Some(to) = refused.address.and_then(|to| SocketAddr::try_from(to).ok()) {
                    take(&room[..refused.bytes.min(ROOM)], to);
                }
            }
        }
    }

    fn receive<S: SockaddrLike + Copy>(
        fd: RawFd,
        headers: &mut MultiHeaders<S>,
        rooms: &mut [[u8; ROOM]; BATCH],
        address: impl Fn(S) -> SocketAddr,
        mut take: impl FnMut(&[u8], SocketAddr),
    ) -> nix::Result<usize> {
        let mut slices = rooms.each_mut().map(|room| [IoSliceMut::new(room)]);
        let received = recvmmsg(fd, headers, slices.iter_mut(), MsgFlags::MSG_DONTWAIT, None)?;
        let mut count = 0;
        for message in received {
            count += 1;
            if let Some(from) = message.address {
                take(message.iovs().next().unwrap_or_default(), address(from));
            }
        }
        Ok(count)
    }
}

/// One datagram after the other, where the system cannot do more.
#[cfg(not(target_os = "linux"))]
mod many {
    use std::io;
    use std::net::SocketAddr;

    use tokio::net::UdpSocket;

    use super::{BATCH, Outgoing, ROOM};

    pub fn send(udp: &UdpSocket, batch: &[Outgoing]) -> io::Result<usize> {
        for (sent, out) in batch.iter().enumerate() {
            match udp.try_send_to(&out.octets[..out.length], out.to) {
                Ok(_) => {}
                Err(error) if sent == 0 => return Err(error),
                Err(_) => return Ok(sent),
            }
        }
        Ok(batch.len())
    }

    pub struct Inbox(Box<[u8; ROOM]>);

    impl Default for Inbox {
        fn default() -> Self {
            Self(Box::new([0; ROOM]))
        }
    }

    impl Inbox {
        pub fn receive(
            &mut self,
            udp: &UdpSocket,
            _is_ipv4: bool,
            mut take: impl FnMut(&[u8], SocketAddr),
        ) -> io::Result<usize> {
            for count in 0..BATCH {
                match udp.try_recv_from(&mut self.0[..]) {
                    Ok((size, from)) => take(&self.0[..size], from),
                    Err(error) if count == 0 => return Err(error),
                    Err(_) => return Ok(count),
                }
            }
            Ok(BATCH)
        }

        pub fn refusals(&mut self, _udp: &UdpSocket, _take: impl FnMut(&[u8], SocketAddr)) {}
    }
}
