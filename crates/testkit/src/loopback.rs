//! Free ports, and waiting for programs of others that give no other sign than listening.

use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::Context as _;

/// How long a program may take to listen; on a loaded machine it needs seconds.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A TCP port of 127.0.0.1 that nobody listens on at this moment.
pub fn free_port() -> anyhow::Result<u16> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).context("looking for a free port")?;
    Ok(listener.local_addr().context("reading the port")?.port())
}

/// Waits until something listens at `address`; gives up when `is_alive` says no or patience ends.
pub fn wait_until_listening(address: SocketAddr, mut is_alive: impl FnMut() -> bool) -> bool {
    wait_until(PATIENCE, || !is_alive() || TcpStream::connect(address).is_ok()) && is_alive()
}

/// Looks again and again until `done`, for at most `patience`. Returns whether it came true.
pub fn wait_until(patience: Duration, mut done: impl FnMut() -> bool) -> bool {
    let until = Instant::now() + patience;
    while !done() {
        if Instant::now() > until {
            return false;
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "what is waited for is another program, which cannot call us"
        )]
        std::thread::sleep(Duration::from_millis(20));
    }
    true
}
