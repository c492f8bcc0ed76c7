//! Frame Streams, the envelope of dnstap (fstrm of Farsight Security): each frame after its length in four octets; a length of 0
//! announces a control frame.

use std::io;

use crate::input::Octets;
use crate::pcap::{Fault, need};

/// Longest data frame that is taken, in octets: what fstrm's own reader takes by default. Two DNS messages of 64 KiB fit eight times
/// over; a broken length would make us hold 4 GiB.
pub(crate) const LONGEST_FRAME: u32 = 1 << 20;

/// Longest control frame (`FSTRM_CONTROL_FRAME_LENGTH_MAX`).
pub(crate) const LONGEST_CONTROL: u32 = 512;

/// What the frames hold.
pub(crate) const CONTENT_TYPE: &[u8] = b"protobuf:dnstap.Dnstap";

// control frames (FSTRM_CONTROL_ACCEPT and so on)
pub(crate) const ACCEPT: u32 = 1;
pub(crate) const START: u32 = 2;
pub(crate) const STOP: u32 = 3;
pub(crate) const READY: u32 = 4;
pub(crate) const FINISH: u32 = 5;

/// A stream of frames in a file.
pub(crate) struct FrameStream {
    is_started: bool,
}

impl FrameStream {
    /// Looks at the first octets; `None` where they are no opening control frame.
    pub(crate) fn recognise(octets: &mut Octets) -> io::Result<Option<Self>> {
        octets.fill(12)?;
        let start = octets.available();
        Ok((start.len() >= 12
            && read_u32(start, 0) == 0
            && (4..=LONGEST_CONTROL).contains(&read_u32(start, 4))
            && read_u32(start, 8) == START)
            .then_some(Self { is_started: false }))
    }

    /// The next data frame; `None` at the end of the file.
    pub(crate) fn next<'a>(&mut self, octets: &'a mut Octets) -> Result<Option<&'a [u8]>, Fault> {
        loop {
            let at = octets.position;
            if !need(octets, 4)? {
                return if self.is_started {
                    Err(Fault::Broken(
                        at,
                        "it ends without a closing frame: its writer did not come to an end",
                    ))
                } else {
                    Ok(None)
                };
            }
            match read_u32(octets.available(), 0) {
                0 => self.control(octets, at)?,
                _ if !self.is_started => return Err(Fault::Broken(at, "a frame comes before the opening one")),
                length if length > LONGEST_FRAME => {
                    return Err(Fault::Broken(at, "a frame says that it is longer than any message"));
                }
                length => {
                    let length = length as usize;
                    need(octets, 4 + length)?;
                    return Ok(Some(&octets.take(4 + length)[4..]));
                }
            }
        }
    }

    fn control(&mut self, octets: &mut Octets, at: u64) -> Result<(), Fault> {
        need(octets, 8)?;
        let length = read_u32(octets.available(), 4);
        if !(4..=LONGEST_CONTROL).contains(&length) {
            return Err(Fault::Broken(at, "the length of a control frame is not possible"));
        }
        need(octets, 8 + length as usize)?;
        let frame = &octets.take(8 + length as usize)[8..];
        match read_u32(frame, 0) {
            START => {
                if names_content_type(frame) == Some(false) {
                    return Err(Fault::Broken(at, "the frames hold something else than dnstap"));
                }
                self.is_started = true;
            }
            STOP => self.is_started = false,
            // READY, ACCEPT and FINISH belong to sockets; a recorded one says nothing
            _ => {}
        }
        Ok(())
    }
}

/// Whether a control frame names dnstap among its content types; `None` where it names none.
pub(crate) fn names_content_type(control: &[u8]) -> Option<bool> {
    (control.len() > 4).then(|| control.windows(CONTENT_TYPE.len()).any(|field| field == CONTENT_TYPE))
}

pub(crate) fn read_u32(octets: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([octets[at], octets[at + 1], octets[at + 2], octets[at + 3]])
}
