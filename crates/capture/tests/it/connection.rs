//! Frame Streams over a connection, with a writer that keeps to the handshake and with others.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

use capture::{Came, ConnectionError, FrameConnection};
use proptest::prelude::*;

use crate::dnstap::{START, STOP, stream};

const READY: &[u8] = b"\0\0\0\0\0\0\0\x22\0\0\0\x04\0\0\0\x01\0\0\0\x16protobuf:dnstap.Dnstap";
const ACCEPT: &[u8] = b"\0\0\0\0\0\0\0\x22\0\0\0\x01\0\0\0\x01\0\0\0\x16protobuf:dnstap.Dnstap";
const FINISH: &[u8] = b"\0\0\0\0\0\0\0\x04\0\0\0\x05";

/// The frames that come, and why there are no more.
fn frames(stream: impl Read + Write) -> (Vec<Vec<u8>>, Result<(), ConnectionError>) {
    let mut connection = FrameConnection::new(stream);
    let mut frames = Vec::new();
    loop {
        match connection.receive() {
            Ok(Came::Frame(frame)) => frames.push(frame.to_vec()),
            Ok(Came::Nothing) => {}
            Ok(Came::End) => return (frames, Ok(())),
            Err(error) => return (frames, Err(error)),
        }
    }
}

/// Octets that a writer has sent before it fell silent; what is said to it is lost.
struct Sent(std::io::Cursor<Vec<u8>>);

impl Read for Sent {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(into)
    }
}

impl Write for Sent {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        Ok(octets.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn sent(octets: Vec<u8>) -> (Vec<Vec<u8>>, Result<(), ConnectionError>) {
    frames(Sent(std::io::Cursor::new(octets)))
}

fn refused(octets: Vec<u8>) -> String {
    sent(octets).1.unwrap_err().to_string()
}

#[test]
fn a_writer_is_answered_at_its_beginning_and_at_its_end() {
    let (ours, mut writer) = UnixStream::pair().unwrap();
    // shorter than the pauses of the writer: what came before stays
    ours.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
    let long = vec![7; 100_000];
    let expected = vec![b"one".to_vec(), long.clone(), b"three".to_vec()];
    let writing = thread::spawn(move || {
        let mut answer = vec![0; ACCEPT.len()];
        for octet in READY {
            writer.write_all(&[*octet]).unwrap();
        }
        writer.read_exact(&mut answer).unwrap();
        assert_eq!(answer, ACCEPT);
        writer
            .write_all(&stream(&[b"one".to_vec(), long, b"three".to_vec()]))
            .unwrap();
        let mut rest = Vec::new();
        writer.read_to_end(&mut rest).unwrap();
        assert_eq!(rest, FINISH);
    });
    let (came, end) = frames(ours);
    end.unwrap();
    assert_eq!(came, expected);
    writing.join().unwrap();
}

#[test]
fn a_writer_that_asks_nothing_is_not_answered() {
    let (ours, mut writer) = UnixStream::pair().unwrap();
    let writing = thread::spawn(move || {
        writer.write_all(&stream(&[b"one".to_vec()])).unwrap();
        let mut rest = Vec::new();
        writer.read_to_end(&mut rest).unwrap();
        assert!(rest.is_empty());
    });
    let (came, end) = frames(ours);
    end.unwrap();
    assert_eq!(came, [b"one"]);
    writing.join().unwrap();
}

#[test]
fn a_writer_that_does_not_keep_to_the_handshake_is_given_up() {
    let other = |kind: u8| [b"\0\0\0\0\0\0\0\x0f\0\0\0", &[kind][..], b"\0\0\0\x01\0\0\0\x03xyz"].concat();
    assert!(refused(other(4)).contains("something else than dnstap"));
    assert!(refused(other(2)).contains("something else than dnstap"));
    assert!(refused(b"\0\0\0\x03abc".to_vec()).contains("before the opening one"));
    assert!(refused(b"GET / HTTP/1.1\r\n\r\n".to_vec()).contains("before the opening one"));
    assert!(refused(STOP.to_vec()).contains("where none of its kind may"));
    assert!(refused([START, START].concat()).contains("where none of its kind may"));
    assert!(refused([READY, READY].concat()).contains("where none of its kind may"));
    // a length of 4 GiB takes no memory
    assert!(refused([START, &[0xff; 4]].concat()).contains("longer than any message"));
    assert!(refused(b"\0\0\0\0\xff\xff\xff\xff".to_vec()).contains("the length of a control frame"));
    assert!(refused(b"\0\0\0\0\0\0\0\x02\0\0".to_vec()).contains("the length of a control frame"));
}

#[test]
fn a_writer_that_breaks_off_gives_what_came_whole() {
    let whole = stream(&[b"one".to_vec(), b"two".to_vec()]);
    let (came, end) = sent(whole[..whole.len() - STOP.len() - 1].to_vec());
    assert_eq!(came, [b"one"]);
    assert!(matches!(end, Err(ConnectionError::BrokenOff)));
}

proptest! {
    #[test]
    fn no_octets_make_a_connection_panic(octets in prop::collection::vec(any::<u8>(), 0..300), is_open in any::<bool>()) {
        let before = if is_open { START } else { &[] };
        let (came, _) = sent([before, &octets].concat());
        prop_assert!(came.len() <= octets.len() / 4);
    }
}
