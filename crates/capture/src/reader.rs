//! The whole way of an input: from its octets to what the sink takes, and the receipt.

use std::io;
use std::path::Path;

use crate::bailiwick::Servers;
use crate::cdns::CDns;
use crate::dnstap;
use crate::frames::FrameStream;
use crate::input::{Compression, Input, Octets};
use crate::lines::{self, Lines, LinesReceipt};
use crate::live::Listening;
use crate::pass::Pass;
use crate::pcap::{Fault, PacketFile};
use crate::receipt::{Form, Receipt};
use crate::settings::Settings;
use crate::sink::{Sink, SinkError};

/// Packets between two calls of [`Sink::progress`].
const PROGRESS: u64 = 16_384;

/// Why an input could not be taken at all. An input that breaks off is no error: its receipt says where.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// It cannot be opened or read.
    #[error("cannot read `{input}`")]
    Unreadable {
        /// Name of the input.
        input: String,
        /// What the system says.
        source: io::Error,
    },
    /// It is of no form that is read.
    #[error(
        "`{input}` is no capture: it begins neither like pcap or pcapng nor like dnstap or C-DNS, nor is it a log that is read"
    )]
    NotACapture {
        /// Name of the input.
        input: String,
    },
    /// The sink refused something.
    #[error("what `{input}` holds cannot be passed on")]
    Sink {
        /// Name of the input.
        input: String,
        /// What the sink says.
        source: SinkError,
    },
}

/// What an input is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// A capture: pcap, pcapng, dnstap or C-DNS, told apart by how it begins.
    Capture,
    /// Zeek's dns.log.
    Zeek,
    /// Suricata's EVE.
    Eve,
    /// The Passive DNS Common Output Format.
    Cof,
}

/// What became of an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// Of a capture.
    Capture(Box<Receipt>),
    /// Of lines.
    Lines(Box<LinesReceipt>),
}

/// Reads inputs, one after another.
pub struct Reader {
    settings: Settings,
    servers: Servers,
}

impl Reader {
    /// A reader with these settings.
    pub fn new(settings: Settings) -> Self {
        let servers = Servers::new(&settings.served);
        Self { settings, servers }
    }

    /// Reads a capture, a file, to its end.
    pub fn read_path(&mut self, path: &Path, sink: &mut dyn Sink) -> Result<Receipt, CaptureError> {
        let input = Input::open(path).map_err(|source| CaptureError::Unreadable {
            input: path.display().to_string(),
            source,
        })?;
        self.read(input, sink)
    }

    /// Reads a capture to its end. Queries that it leaves without an answer are not carried over to the next one: each receipt stands
    /// for itself, and files can be read in any order and again. Only which server serves which zone is remembered.
    pub fn read(&mut self, input: Input, sink: &mut dyn Sink) -> Result<Receipt, CaptureError> {
        let name = input.name().to_owned();
        match self.take(input, Some(Family::Capture), sink)? {
            Taken::Capture(receipt) => Ok(*receipt),
            Taken::Lines(_) => Err(CaptureError::NotACapture { input: name }),
        }
    }

    /// Reads an input of any form to its end, the form told by how it begins where none is given.
    pub fn take(&mut self, input: Input, family: Option<Family>, sink: &mut dyn Sink) -> Result<Taken, CaptureError> {
        let name = input.name().to_owned();
        let unreadable = |source| CaptureError::Unreadable {
            input: name.clone(),
            source,
        };
        let mut octets = Octets::new(input).map_err(unreadable)?;
        let recognised = recognise(&mut octets, family).map_err(unreadable)?;
        let mut taken = match recognised {
            None => return Err(CaptureError::NotACapture { input: name }),
            Some(Recognised::Capture(source)) => self
                .capture(&name, source, &mut octets, sink)
                .map(|receipt| Taken::Capture(Box::new(receipt))),
            Some(Recognised::Lines(lines)) => {
                lines::read(&name, lines, &mut octets, &self.settings, &mut self.servers, sink)
                    .map(|receipt| Taken::Lines(Box::new(receipt)))
            }
        }
        .map_err(|source| CaptureError::Sink {
            input: name.clone(),
            source,
        })?;
        let total = octets.finish().map_err(unreadable)?;
        sink.progress(total.octets);
        match &mut taken {
            Taken::Capture(receipt) => (receipt.octets, receipt.sha256) = (total.octets, total.sha256),
            Taken::Lines(receipt) => (receipt.octets, receipt.sha256) = (total.octets, total.sha256),
        }
        Ok(taken)
    }

    /// Listens to traffic while it happens. `name` stands in its receipts.
    pub fn listen<'a>(&'a mut self, name: &str, form: Form, sink: &'a mut dyn Sink) -> Listening<'a> {
        let receipt = Receipt::new(name.to_owned(), form, Compression::None);
        Listening::new(Pass::new(&self.settings, &mut self.servers, receipt, sink))
    }

    fn capture(
        &mut self,
        name: &str,
        mut source: Source,
        octets: &mut Octets,
        sink: &mut dyn Sink,
    ) -> Result<Receipt, SinkError> {
        let receipt = Receipt::new(name.to_owned(), source.form(), octets.compression);
        let mut pass = Pass::new(&self.settings, &mut self.servers, receipt, sink);
        let mut reported = 0;
        loop {
            match source.step(octets, &mut pass) {
                Ok(true) => {}
                Ok(false) => break,
                Err(Stop::Fault(fault)) => {
                    pass.receipt.fault = Some(fault.to_string());
                    break;
                }
                Err(Stop::Sink(source)) => return Err(source),
            }
            if pass.receipt.packets >= reported + PROGRESS {
                reported = pass.receipt.packets;
                pass.sink.progress(octets.octets_read());
            }
        }
        pass.finish()
    }
}

/// What an input is.
enum Recognised {
    Capture(Source),
    Lines(Lines),
}

fn recognise(octets: &mut Octets, family: Option<Family>) -> io::Result<Option<Recognised>> {
    let lines = match family {
        None | Some(Family::Capture) => {
            let capture = Source::recognise(octets)?.map(Recognised::Capture);
            if capture.is_some() || family.is_some() {
                return Ok(capture);
            }
            Lines::recognise(octets)?
        }
        Some(Family::Zeek) => Some(Lines::zeek(octets)?),
        Some(Family::Eve) => Some(Lines::eve()),
        Some(Family::Cof) => Some(Lines::Cof),
    };
    Ok(lines.map(Recognised::Lines))
}

/// The forms of input.
enum Source {
    Packets(PacketFile),
    Dnstap(FrameStream),
    CDns(CDns),
}

/// Why reading stops before the end.
enum Stop {
    Fault(Fault),
    Sink(SinkError),
}

impl Source {
    fn recognise(octets: &mut Octets) -> io::Result<Option<Self>> {
        if let Some(file) = PacketFile::recognise(octets)? {
            return Ok(Some(Source::Packets(file)));
        }
        if let Some(stream) = FrameStream::recognise(octets)? {
            return Ok(Some(Source::Dnstap(stream)));
        }
        Ok(CDns::recognise(octets)?.map(Source::CDns))
    }

    fn form(&self) -> Form {
        match self {
            Source::Packets(file) if file.is_pcapng() => Form::Pcapng,
            Source::Packets(_) => Form::Pcap,
            Source::Dnstap(_) => Form::Dnstap,
            Source::CDns(_) => Form::CDns,
        }
    }

    /// Hands the next packet or frame over; `false` at the end.
    fn step(&mut self, octets: &mut Octets, pass: &mut Pass<'_>) -> Result<bool, Stop> {
        match self {
            Source::Packets(file) => match file.next(octets).map_err(Stop::Fault)? {
                Some(frame) => pass.frame(frame.link, frame.time, frame.octets).map_err(Stop::Sink)?,
                None => return Ok(false),
            },
            Source::Dnstap(stream) => match stream.next(octets).map_err(Stop::Fault)? {
                Some(frame) => dnstap::take(frame, None, pass).map_err(Stop::Sink)?,
                None => return Ok(false),
            },
            Source::CDns(file) => match file.next(octets).map_err(Stop::Fault)? {
                Some(block) => block.take(pass).map_err(Stop::Sink)?,
                None => return Ok(false),
            },
        }
        Ok(true)
    }
}
