//! Events from another process.

use std::net::SocketAddr;

use domain::base::iana::Rtype;
use lab::{Change, ControlError, Event, send_event, serve_control};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::asker::{ask, at, pocket};

async fn control(lab: &lab::Lab) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve_control(lab.clone(), listener));
    address
}

#[tokio::test]
async fn an_event_that_is_sent_has_happened_when_the_reply_is_there() {
    let lab = pocket().await;
    let control = control(&lab).await;
    let cut = Event::new(Change::Cut {
        server: "ns1.good.test".to_owned(),
    })
    .named("cut");
    send_event(control, &cut).await.unwrap();
    assert!(
        ask("plain.test", Rtype::SOA)
            .is_left_without_answer(at(&lab, "127.10.3.1"))
            .await
    );
    send_event(control, &Event::repair("cut")).await.unwrap();
    ask("plain.test", Rtype::SOA).udp(at(&lab, "127.10.3.1")).await;
    let error = send_event(control, &Event::repair("cut")).await.unwrap_err();
    assert_eq!(error.to_string(), "no event `cut` has happened that could be repaired");
}

#[tokio::test]
async fn a_line_that_is_no_event_gets_an_error_and_the_next_one_is_heard() {
    let lab = pocket().await;
    let mut stream = TcpStream::connect(control(&lab).await).await.unwrap();
    stream
        .write_all(b"{\"change\":{}}\nhello\n{\"change\":{\"cut\":{\"server\":\"ns1.good.test\"}}}\n")
        .await
        .unwrap();
    let mut lines = BufReader::new(stream).lines();
    for expected in [
        "{\"error\":\"this is not an event: ",
        "{\"error\":\"this is not an event: ",
        "{\"ok\":true}",
    ] {
        let line = lines.next_line().await.unwrap().unwrap();
        assert!(line.starts_with(expected), "{line}");
    }
}

#[tokio::test]
async fn control_stays_on_loopback() {
    let lab = pocket().await;
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    assert!(matches!(
        serve_control(lab, listener).await,
        Err(ControlError::NotLoopback(_))
    ));
    let outside = SocketAddr::from(([192, 0, 2, 1], 53));
    assert!(matches!(
        send_event(outside, &Event::repair("x")).await,
        Err(ControlError::NotLoopback(_))
    ));
}
