//! A network of its own for a test: a Linux network namespace in which nothing is but loopback. Every port is free there, and
//! nothing that is sent gets out.

use std::process::Command;

use anyhow::{Context as _, bail};
use nix::sched::{CloneFlags, unshare};

use crate::program::leave_out;

/// Runs `work` on a thread of its own in a network of its own, with all of 127.0.0.0/8 and ::1. Programs that it starts, and
/// threads, are in that network too. Takes root; `None` when the test is left out for lack of it.
pub fn in_own_network<T: Send>(work: impl FnOnce() -> T + Send) -> anyhow::Result<Option<T>> {
    let done = std::thread::scope(|scope| {
        let inside = scope.spawn(|| {
            // a namespace belongs to the thread that makes it, and to those that it starts
            if let Err(error) = unshare(CloneFlags::CLONE_NEWNET) {
                return Ok(Err(error));
            }
            let up = Command::new("ip").args(["link", "set", "lo", "up"]).status();
            let up = up.context("switching loopback on with `ip`")?;
            if !up.success() {
                bail!("`ip link set lo up` ended with {up}");
            }
            anyhow::Ok(Ok(work()))
        });
        match inside.join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })?;
    match done {
        Ok(done) => Ok(Some(done)),
        Err(error) => {
            leave_out(&format!("no network namespace can be made ({error})"))?;
            Ok(None)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn two_networks_have_the_same_ports_and_do_not_meet() {
        let port = 5399;
        let alone = || {
            in_own_network(|| {
                let listener = TcpListener::bind(("127.77.0.1", port)).unwrap();
                let inner = in_own_network(|| TcpStream::connect(("127.77.0.1", port)).is_err()).unwrap();
                drop(listener);
                inner
            })
        };
        let Some(inner) = alone().unwrap() else { return };
        assert_eq!(inner, Some(true));
    }
}
