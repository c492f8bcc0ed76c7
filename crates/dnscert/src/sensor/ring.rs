//! Packets of an interface, by AF_PACKET with a ring of blocks that the kernel fills and we empty (TPACKET_V3, the kernel's
//! Documentation/networking/packet_mmap.rst). Takes CAP_NET_RAW and nothing else.
//!
//! The only place with `unsafe`: no crate that is kept well gives the third version of the ring. What the kernel says of places in a
//! block is checked against the block all the same.
#![expect(unsafe_code, reason = "the ring is memory that the kernel shares with us")]

use std::ffi::c_int;
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context as _, bail};
use jiff::Timestamp;
use nix::libc;
use nix::net::if_::if_nametoindex;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};

use super::filter;

/// Octets of a block: a datagram of 64 KiB fits 16 times. Larger: fewer wake-ups, and more is lost with one block.
const BLOCK: usize = 1 << 20;

/// Milliseconds after which the kernel gives a block that is not full. Longer: windows close later.
const RETIRE_MS: u32 = 100;

/// Link types as capture files number them (LINKTYPE_ registry of tcpdump.org).
const LINK_ETHERNET: u16 = 1;
const LINK_RAW: u16 = 101;

/// Types of interfaces (ARPHRD_ of the kernel's `if_arp.h`).
const ARPHRD_ETHER: u16 = 1;
const ARPHRD_LOOPBACK: u16 = 772;
const ARPHRD_NONE: u16 = 65_534;

/// All protocols (`ETH_P_ALL` of the kernel's `if_ether.h`).
const ALL: u16 = 3;

/// A packet, as long as its block is ours.
pub struct Packet<'a> {
    /// When it passed.
    pub time: Timestamp,
    /// Its octets, from the link's header on.
    pub octets: &'a [u8],
}

/// An interface that is listened to.
pub struct Ring {
    socket: OwnedFd,
    memory: NonNull<u8>,
    blocks: usize,
    /// The block that is read, or comes next.
    block: usize,
    /// Where its next packet begins, and how many are left; `None` while the kernel has it.
    place: Option<(usize, u32)>,
    link: u16,
}

// SAFETY: the memory belongs to this ring alone and is not bound to a thread.
unsafe impl Send for Ring {}

impl Ring {
    /// Listens to an interface, in promiscuous mode, to what has one of the ports; `octets` is the size of the ring.
    pub fn open(interface: &str, ports: &[u16], octets: usize) -> anyhow::Result<Self> {
        let index = if_nametoindex(interface).with_context(|| format!("looking for the interface `{interface}`"))?;
        // without a protocol nothing comes yet
        let socket = socket(AddressFamily::Packet, SockType::Raw, SockFlag::SOCK_CLOEXEC, None)
            .context("opening a packet socket, which takes CAP_NET_RAW")?;
        bind(&socket, index, 0).with_context(|| format!("choosing `{interface}`"))?;
        let kind = kind_of(&socket).with_context(|| format!("asking of what type `{interface}` is"))?;
        let link = match kind {
            ARPHRD_ETHER | ARPHRD_LOOPBACK => LINK_ETHERNET,
            ARPHRD_NONE => LINK_RAW,
            kind => bail!("the interface `{interface}` is of type {kind}, which is neither Ethernet nor plain IP"),
        };
        filter::attach(&socket, link == LINK_ETHERNET, ports).context("setting the filter of ports")?;
        let set = |what: &str, option: c_int, value: &[u8]| {
            set_option(&socket, option, value).with_context(|| format!("setting {what} of `{interface}`"))
        };
        set("the version of the ring", libc::PACKET_VERSION, &2_u32.to_ne_bytes())?;
        if kind == ARPHRD_LOOPBACK {
            // each packet passes twice there
            set(
                "that what goes out is not seen",
                libc::PACKET_IGNORE_OUTGOING,
                &1_u32.to_ne_bytes(),
            )?;
        }
        let blocks = (octets / BLOCK).max(2);
        // tpacket_req3: block size, blocks, frame size, frames, time to retire, private octets, features
        let frame = 2_048;
        let request = [BLOCK, blocks, frame, BLOCK / frame * blocks, RETIRE_MS as usize, 0, 0];
        let request: Vec<u8> = request.iter().flat_map(|field| (*field as u32).to_ne_bytes()).collect();
        set("a ring", libc::PACKET_RX_RING, &request)?;
        let memory = map(&socket, blocks * BLOCK).context("mapping the ring")?;
        let ring = Self {
            socket,
            memory,
            blocks,
            block: 0,
            place: None,
            link,
        };
        bind(&ring.socket, index, ALL).with_context(|| format!("listening to `{interface}`"))?;
        // packet_mreq: interface, PACKET_MR_PROMISC, no address
        let mut membership = (index as c_int).to_ne_bytes().to_vec();
        membership.extend_from_slice(&1_u16.to_ne_bytes());
        membership.extend_from_slice(&[0; 10]);
        set_option(&ring.socket, libc::PACKET_ADD_MEMBERSHIP, &membership)
            .with_context(|| format!("setting promiscuous mode of `{interface}`"))?;
        Ok(ring)
    }

    /// Link type of its packets.
    pub fn link(&self) -> u16 {
        self.link
    }

    /// The next packet; `None` where none came within `patience_ms`.
    pub fn next(&mut self, patience_ms: u16) -> io::Result<Option<Packet<'_>>> {
        loop {
            let (at, left) = match self.place {
                Some(place) => place,
                None => {
                    if !self.is_ours() {
                        self.wait(patience_ms)?;
                        if !self.is_ours() {
                            return Ok(None);
                        }
                    }
                    // tpacket_block_desc: version, private offset, status, packets, first packet
                    let block = self.block();
                    (read(block, 16) as usize, read(block, 12))
                }
            };
            if left == 0 {
                self.give_back();
                continue;
            }
            let block = self.block();
            // tpacket3_hdr: next packet, seconds, nanoseconds, captured length, length, status, place of the link's header
            let header = block.get(at..at + 28).ok_or_else(beyond)?;
            let (next, captured) = (read(header, 0) as usize, read(header, 12) as usize);
            let time = Timestamp::new(i64::from(read(header, 4)), read(header, 8) as i32).unwrap_or_default();
            let start = at + usize::from(u16::from_ne_bytes([header[24], header[25]]));
            if block.len() < start + captured {
                return Err(beyond());
            }
            self.place = Some((at + next, left - 1));
            let octets = &self.block()[start..start + captured];
            return Ok(Some(Packet { time, octets }));
        }
    }

    /// Packets that passed and found no room in the ring, since this was asked last.
    pub fn lost(&self) -> io::Result<u64> {
        // tpacket_stats_v3: packets, drops, freezes
        let mut statistics = [0_u32; 3];
        let mut length = size_of_val(&statistics) as libc::socklen_t;
        // SAFETY: the kernel writes no more than `length` octets.
        let got = unsafe {
            libc::getsockopt(
                self.socket.as_raw_fd(),
                libc::SOL_PACKET,
                libc::PACKET_STATISTICS,
                (&raw mut statistics).cast(),
                &raw mut length,
            )
        };
        done(got)?;
        Ok(u64::from(statistics[1]))
    }

    fn status(&self) -> &AtomicU32 {
        // SAFETY: the status is the third word of a block, aligned as the block is, and changed by the kernel and by us alone.
        unsafe { AtomicU32::from_ptr(self.memory.as_ptr().add(self.block * BLOCK + 8).cast()) }
    }

    fn is_ours(&self) -> bool {
        self.status().load(Ordering::Acquire) & libc::TP_STATUS_USER != 0
    }

    fn block(&self) -> &[u8] {
        // SAFETY: the block lies in the memory that is mapped, and is only read while the kernel has given it to us.
        unsafe { std::slice::from_raw_parts(self.memory.as_ptr().add(self.block * BLOCK), BLOCK) }
    }

    fn give_back(&mut self) {
        self.status().store(libc::TP_STATUS_KERNEL, Ordering::Release);
        self.block = (self.block + 1) % self.blocks;
        self.place = None;
    }

    fn wait(&self, patience_ms: u16) -> io::Result<()> {
        let mut waiting = libc::pollfd {
            fd: self.socket.as_raw_fd(),
            events: libc::POLLIN | libc::POLLERR,
            revents: 0,
        };
        // SAFETY: one descriptor, which lives as long as the call.
        let ready = unsafe { libc::poll(&raw mut waiting, 1, c_int::from(patience_ms)) };
        match done(ready) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            Ok(()) if waiting.revents & libc::POLLERR != 0 => self.error(),
            done => done,
        }
    }

    /// What went wrong with the interface: it went down, or away.
    fn error(&self) -> io::Result<()> {
        match nix::sys::socket::getsockopt(&self.socket, nix::sys::socket::sockopt::SocketError) {
            Ok(0) => Ok(()),
            Ok(code) => Err(io::Error::from_raw_os_error(code)),
            Err(error) => Err(error.into()),
        }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: mapped by us with this length, and used by nobody any more.
        unsafe { libc::munmap(self.memory.as_ptr().cast(), self.blocks * BLOCK) };
    }
}

fn address(index: u32, protocol: u16) -> libc::sockaddr_ll {
    libc::sockaddr_ll {
        sll_family: libc::AF_PACKET as u16,
        sll_protocol: protocol.to_be(),
        sll_ifindex: index as c_int,
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: 0,
        sll_addr: [0; 8],
    }
}

fn bind(socket: &OwnedFd, index: u32, protocol: u16) -> io::Result<()> {
    let address = address(index, protocol);
    // SAFETY: the address is one of a packet socket, and as long as is said.
    let bound = unsafe {
        libc::bind(
            socket.as_raw_fd(),
            (&raw const address).cast(),
            size_of_val(&address) as libc::socklen_t,
        )
    };
    done(bound)
}

/// The type of the interface that a socket is bound to.
fn kind_of(socket: &OwnedFd) -> io::Result<u16> {
    let mut address = address(0, 0);
    let mut length = size_of_val(&address) as libc::socklen_t;
    // SAFETY: the kernel writes no more than `length` octets.
    let told = unsafe { libc::getsockname(socket.as_raw_fd(), (&raw mut address).cast(), &raw mut length) };
    done(told)?;
    Ok(address.sll_hatype)
}

fn set_option(socket: &OwnedFd, option: c_int, value: &[u8]) -> io::Result<()> {
    // SAFETY: the kernel reads as many octets as is said.
    let set = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_PACKET,
            option,
            value.as_ptr().cast(),
            value.len() as libc::socklen_t,
        )
    };
    done(set)
}

fn map(socket: &OwnedFd, octets: usize) -> io::Result<NonNull<u8>> {
    // SAFETY: new memory, at a place of the kernel's choice.
    let memory = unsafe {
        libc::mmap(
            std::ptr::null_mut(),
            octets,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_SHARED,
            socket.as_raw_fd(),
            0,
        )
    };
    match NonNull::new(memory.cast()) {
        Some(place) if memory != libc::MAP_FAILED => Ok(place),
        _ => Err(io::Error::last_os_error()),
    }
}

fn done(code: c_int) -> io::Result<()> {
    match code {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

fn beyond() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a packet lies beyond its block")
}

fn read(octets: &[u8], at: usize) -> u32 {
    u32::from_ne_bytes([octets[at], octets[at + 1], octets[at + 2], octets[at + 3]])
}
