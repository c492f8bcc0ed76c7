//! Frame Streams over a connection: the handshake in both directions (READY, ACCEPT, START, frames, STOP, FINISH), or in one, where the
//! writer begins with START. As fstrm of Farsight Security speaks it (`fstrm/control.h`).

use std::io::{self, Read, Write};

use crate::frames::{
    ACCEPT, CONTENT_TYPE, FINISH, LONGEST_CONTROL, LONGEST_FRAME, READY, START, STOP, names_content_type, read_u32,
};

/// Octets read at once.
const CHUNK: usize = 1 << 16;

/// Frames that a writer sends over a connection.
pub struct FrameConnection<S> {
    stream: S,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// The writer has said nothing yet.
    New,
    /// It asked whether its frames are wanted, and they are.
    Accepted,
    /// Frames come; `answers`: the writer waits for a word at the end.
    Open { answers: bool },
    /// The writer came to its end.
    Ended,
}

/// What came over a connection.
#[derive(Debug, PartialEq, Eq)]
pub enum Came<'a> {
    /// A frame.
    Frame(&'a [u8]),
    /// Nothing for as long as the connection waits for octets.
    Nothing,
    /// The end, as the writer announced it.
    End,
}

/// Why a connection cannot be read on.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    /// The writer does not keep to Frame Streams, or sends something else than dnstap.
    #[error("{0}")]
    Form(&'static str),
    /// It broke off without announcing an end.
    #[error("the writer broke off without announcing its end")]
    BrokenOff,
    /// The system says so.
    #[error("the connection failed")]
    Io(#[from] io::Error),
}

impl<S: Read + Write> FrameConnection<S> {
    /// A connection on which nothing was read yet. Give the stream a timeout, or [`FrameConnection::receive`] waits for ever.
    pub fn new(stream: S) -> Self {
        Self {
            stream,
            buffer: vec![0; CHUNK],
            start: 0,
            end: 0,
            state: State::New,
        }
    }

    /// Whether the writer has opened its stream of frames.
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Open { .. })
    }

    /// The next frame. After an end or an error there are no more.
    pub fn receive(&mut self) -> Result<Came<'_>, ConnectionError> {
        loop {
            if self.state == State::Ended {
                return Ok(Came::End);
            }
            if !self.fill(4)? {
                return Ok(Came::Nothing);
            }
            let length = read_u32(&self.buffer[self.start..], 0);
            if length == 0 {
                if !self.fill(8)? {
                    return Ok(Came::Nothing);
                }
                let length = read_u32(&self.buffer[self.start..], 4);
                if !(4..=LONGEST_CONTROL).contains(&length) {
                    return Err(ConnectionError::Form("the length of a control frame is not possible"));
                }
                let whole = 8 + length as usize;
                if !self.fill(whole)? {
                    return Ok(Came::Nothing);
                }
                let frame = self.buffer[self.start + 8..self.start + whole].to_vec();
                self.start += whole;
                self.control(&frame)?;
                continue;
            }
            if !self.is_open() {
                return Err(ConnectionError::Form("a frame comes before the opening one"));
            }
            if length > LONGEST_FRAME {
                return Err(ConnectionError::Form("a frame says that it is longer than any message"));
            }
            let whole = 4 + length as usize;
            if !self.fill(whole)? {
                return Ok(Came::Nothing);
            }
            let from = self.start + 4;
            self.start += whole;
            return Ok(Came::Frame(&self.buffer[from..self.start]));
        }
    }

    /// Reads until so many octets are there; `false` where the stream's timeout came before. What came stays.
    fn fill(&mut self, wanted: usize) -> Result<bool, ConnectionError> {
        while self.end - self.start < wanted {
            if self.start + wanted > self.buffer.len() || self.end == self.buffer.len() {
                self.buffer.copy_within(self.start..self.end, 0);
                self.end -= self.start;
                self.start = 0;
                if self.buffer.len() < wanted {
                    self.buffer.resize(wanted.next_multiple_of(CHUNK), 0);
                }
            }
            match self.stream.read(&mut self.buffer[self.end..]) {
                Ok(0) => return Err(ConnectionError::BrokenOff),
                Ok(read) => self.end += read,
                Err(error) => match error.kind() {
                    io::ErrorKind::Interrupted => {}
                    io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => return Ok(false),
                    _ => return Err(error.into()),
                },
            }
        }
        Ok(true)
    }

    fn control(&mut self, frame: &[u8]) -> Result<(), ConnectionError> {
        let says_other = || match names_content_type(frame) {
            Some(false) => Err(ConnectionError::Form("the frames hold something else than dnstap")),
            _ => Ok(()),
        };
        self.state = match (read_u32(frame, 0), self.state) {
            (READY, State::New) => {
                says_other()?;
                self.say(ACCEPT, Some(CONTENT_TYPE))?;
                State::Accepted
            }
            (START, State::New | State::Accepted) => {
                says_other()?;
                State::Open {
                    answers: self.state == State::Accepted,
                }
            }
            (STOP, State::Open { answers }) => {
                if answers {
                    // the writer may have gone without waiting for it
                    let _ = self.say(FINISH, None);
                }
                State::Ended
            }
            _ => {
                return Err(ConnectionError::Form(
                    "a control frame comes where none of its kind may",
                ));
            }
        };
        Ok(())
    }

    fn say(&mut self, kind: u32, content_type: Option<&[u8]>) -> io::Result<()> {
        let mut body = kind.to_be_bytes().to_vec();
        if let Some(content_type) = content_type {
            // FSTRM_CONTROL_FIELD_CONTENT_TYPE
            body.extend_from_slice(&1_u32.to_be_bytes());
            body.extend_from_slice(&(content_type.len() as u32).to_be_bytes());
            body.extend_from_slice(content_type);
        }
        let mut frame = vec![0; 4];
        frame.extend_from_slice(&(body.len() as u32).to_be_bytes());
        frame.extend_from_slice(&body);
        self.stream.write_all(&frame)?;
        self.stream.flush()
    }
}
