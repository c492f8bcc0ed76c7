//! Where the octets come from: a file or any reader, decompressed by its first octets, counted and hashed as they pass.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::rc::Rc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Memory that one xz stream may ask for, in octets. `xz -9` needs 65 MiB; a stream that names a dictionary of 4 GiB is
/// refused. Lower: files made with `--extreme` presets of some tools no longer open. Higher: a hostile file takes that much.
const XZ_MEMORY: u64 = 256 << 20;

/// Decompressed octets read at once: few enough that they are still in the processor's cache when they are hashed and taken apart.
const CHUNK: usize = 256 << 10;

/// How the input was packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// Not compressed.
    None,
    /// gzip (RFC 1952), one member or several.
    Gzip,
    /// xz, one stream or several.
    Xz,
    /// Zstandard (RFC 8878), one frame or several.
    Zstd,
}

/// One input, not yet read.
pub struct Input {
    name: String,
    reader: Box<dyn Read>,
}

impl Input {
    /// Opens a file. The name of the input is the path as given.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self::new(path.display().to_string(), File::open(path)?))
    }

    /// Takes any reader; `name` stands in the receipt and in errors.
    pub fn new(name: impl Into<String>, reader: impl Read + 'static) -> Self {
        Self {
            name: name.into(),
            reader: Box::new(reader),
        }
    }

    /// The name that receipts and errors show.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// Hashes and counts what passes, before it is decompressed.
struct Tap {
    reader: Box<dyn Read>,
    hash: Sha256,
    octets: u64,
}

impl Read for Tap {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.reader.read(into) {
                Ok(read) => {
                    self.hash.update(&into[..read]);
                    self.octets += read as u64;
                    return Ok(read);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// A share of the tap: the decompressor reads through one, the other stays to drain what it left.
#[derive(Clone)]
struct SharedTap(Rc<RefCell<Tap>>);

impl Read for SharedTap {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.borrow_mut().read(into)
    }
}

/// The decompressed octets of an input, in one buffer that moves over them.
pub(crate) struct Octets {
    reader: Box<dyn Read>,
    tap: SharedTap,
    pub(crate) compression: Compression,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Octets consumed since the beginning of the decompressed input.
    pub(crate) position: u64,
    ended: bool,
}

/// What passed the tap in all.
pub(crate) struct Total {
    pub(crate) octets: u64,
    pub(crate) sha256: String,
}

impl Octets {
    pub(crate) fn new(input: Input) -> io::Result<Self> {
        let mut tap = SharedTap(Rc::new(RefCell::new(Tap {
            reader: input.reader,
            hash: Sha256::new(),
            octets: 0,
        })));
        let mut magic = [0; 6];
        let mut read = 0;
        while read < magic.len() {
            match tap.read(&mut magic[read..])? {
                0 => break,
                more => read += more,
            }
        }
        let source = io::Cursor::new(magic[..read].to_vec()).chain(tap.clone());
        let compression = compression_of(&magic[..read]);
        let reader: Box<dyn Read> = match compression {
            Compression::None => Box::new(source),
            Compression::Gzip => Box::new(flate2::read::MultiGzDecoder::new(source)),
            Compression::Xz => {
                let stream = liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY, liblzma::stream::CONCATENATED)
                    .map_err(io::Error::other)?;
                Box::new(liblzma::read::XzDecoder::new_stream(source, stream))
            }
            Compression::Zstd => Box::new(zstd::stream::read::Decoder::new(source)?),
        };
        Ok(Self {
            reader,
            tap,
            compression,
            buffer: vec![0; CHUNK],
            start: 0,
            end: 0,
            position: 0,
            ended: false,
        })
    }

    /// Makes at least `wanted` octets available where the input has that many; says whether it has.
    pub(crate) fn fill(&mut self, wanted: usize) -> io::Result<bool> {
        if self.end - self.start >= wanted {
            return Ok(true);
        }
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.buffer.len() < wanted {
            self.buffer.resize(wanted.next_multiple_of(CHUNK), 0);
        }
        while self.end < wanted && !self.ended {
            let read = self.reader.read(&mut self.buffer[self.end..])?;
            self.ended = read == 0;
            self.end += read;
        }
        Ok(self.end >= wanted)
    }

    /// What is available now.
    pub(crate) fn available(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Takes `count` octets, which [`Self::fill`] must have made available.
    pub(crate) fn take(&mut self, count: usize) -> &[u8] {
        let taken = &self.buffer[self.start..self.start + count];
        self.start += count;
        self.position += count as u64;
        taken
    }

    /// Passes over `count` octets without keeping them; `false` where the input ends before.
    pub(crate) fn skip(&mut self, mut count: u64) -> io::Result<bool> {
        while count > 0 {
            if !self.fill(1)? {
                return Ok(false);
            }
            let now = count.min((self.end - self.start) as u64);
            self.take(now as usize);
            count -= now;
        }
        Ok(true)
    }

    /// Octets of the input (not decompressed) that were read so far.
    pub(crate) fn octets_read(&self) -> u64 {
        self.tap.0.borrow().octets
    }

    /// Reads the input to its end, whatever became of its content, and gives its size and hash.
    pub(crate) fn finish(mut self) -> io::Result<Total> {
        drop(self.reader);
        while self.tap.read(&mut self.buffer)? > 0 {}
        let mut tap = self.tap.0.borrow_mut();
        Ok(Total {
            octets: tap.octets,
            sha256: hex::encode(tap.hash.finalize_reset()),
        })
    }
}

fn compression_of(magic: &[u8]) -> Compression {
    match magic {
        [0x1f, 0x8b, ..] => Compression::Gzip,
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Compression::Xz,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Compression::Zstd,
        _ => Compression::None,
    }
}
