//! dnstap from name servers: a Unix or TCP socket that they connect to, each connection a stream of its own.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::FileTypeExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context as _, bail};
use socket2::SockRef;

/// How long is waited for octets, or for a writer, before it is looked whether a turn is over.
const PATIENCE: Duration = Duration::from_millis(200);

/// How long a word to the writer may take. A writer that does not read it does not keep to the handshake.
const WRITE_PATIENCE: Duration = Duration::from_secs(5);

/// Where writers connect to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TapAddress {
    /// A Unix socket.
    Path(PathBuf),
    /// A TCP socket.
    Tcp(SocketAddr),
}

impl FromStr for TapAddress {
    type Err = std::convert::Infallible;

    /// An address with a port is one of TCP, everything else a path.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(text.parse().map_or_else(|_| Self::Path(text.into()), Self::Tcp))
    }
}

impl fmt::Display for TapAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => path.display().fmt(f),
            Self::Tcp(address) => address.fmt(f),
        }
    }
}

/// A socket that waits for writers.
pub enum Tap {
    /// On a path, which goes with it.
    Unix(UnixListener, PathBuf),
    /// On an address.
    Tcp(TcpListener),
}

/// A connection.
pub enum Writer {
    /// Over a Unix socket.
    Unix(UnixStream),
    /// Over TCP.
    Tcp(TcpStream),
}

impl Tap {
    /// Opens the socket. A path at which an earlier one lies, which nobody listens to any more, is taken over.
    pub fn open(address: &TapAddress) -> anyhow::Result<Self> {
        let opened = || -> anyhow::Result<Self> {
            let tap = match address {
                TapAddress::Tcp(address) => Self::Tcp(TcpListener::bind(address)?),
                TapAddress::Path(path) => {
                    remove_deserted(path)?;
                    Self::Unix(UnixListener::bind(path)?, path.clone())
                }
            };
            // a timeout of reading is one of accepting too
            match &tap {
                Self::Unix(listener, _) => SockRef::from(listener).set_read_timeout(Some(PATIENCE))?,
                Self::Tcp(listener) => SockRef::from(listener).set_read_timeout(Some(PATIENCE))?,
            }
            Ok(tap)
        };
        opened().with_context(|| format!("waiting for dnstap at `{address}`"))
    }

    /// The next connection; `None` where none comes for a moment.
    pub fn accept(&self) -> io::Result<Option<Writer>> {
        let accepted = match self {
            Self::Unix(listener, _) => listener.accept().map(|(stream, _)| Writer::Unix(stream)),
            Self::Tcp(listener) => listener.accept().map(|(stream, _)| Writer::Tcp(stream)),
        };
        match accepted {
            Ok(writer) => {
                writer.be_patient()?;
                Ok(Some(writer))
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        if let Self::Unix(_, path) = self {
            let _ = std::fs::remove_file(path);
        }
    }
}

fn remove_deserted(path: &Path) -> anyhow::Result<()> {
    match std::fs::symlink_metadata(path) {
        Err(_) => Ok(()),
        Ok(metadata) if !metadata.file_type().is_socket() => bail!("something else than a socket is there"),
        Ok(_) if UnixStream::connect(path).is_ok() => bail!("another process listens there"),
        Ok(_) => Ok(std::fs::remove_file(path)?),
    }
}

impl Writer {
    fn be_patient(&self) -> io::Result<()> {
        match self {
            Self::Unix(stream) => {
                stream.set_read_timeout(Some(PATIENCE))?;
                stream.set_write_timeout(Some(WRITE_PATIENCE))
            }
            Self::Tcp(stream) => {
                stream.set_read_timeout(Some(PATIENCE))?;
                stream.set_write_timeout(Some(WRITE_PATIENCE))
            }
        }
    }
}

impl Read for Writer {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Unix(stream) => stream.read(into),
            Self::Tcp(stream) => stream.read(into),
        }
    }
}

impl Write for Writer {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        match self {
            Self::Unix(stream) => stream.write(octets),
            Self::Tcp(stream) => stream.write(octets),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Unix(stream) => stream.flush(),
            Self::Tcp(stream) => stream.flush(),
        }
    }
}
