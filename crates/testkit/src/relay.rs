//! A relay that takes mail in the clear, answers as a test wants, and keeps what it took. For what no real one does on
//! demand; how real ones speak, [`crate::mail_server`] shows.

use std::sync::{Arc, Mutex};

use anyhow::Context as _;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A relay that runs until it is dropped.
pub struct Relay {
    /// Its port on 127.0.0.1.
    pub port: u16,
    taken: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Relay {
    /// Starts one at `port` (0 for a free one) that answers each RCPT line as `rcpt` says.
    pub async fn start(port: u16, rcpt: fn(&str) -> &'static str) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port))
            .await
            .context("starting a relay")?;
        let port = listener.local_addr().context("reading the relay's port")?.port();
        let taken = Arc::new(Mutex::new(Vec::new()));
        let mails = taken.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, rcpt, mails.clone()));
            }
        });
        Ok(Self { port, taken, task })
    }

    /// The mails that it took, oldest first.
    pub fn mails(&self) -> Vec<String> {
        self.taken.lock().expect("no holder of this lock panics").clone()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    stream: TcpStream,
    rcpt: fn(&str) -> &'static str,
    mails: Arc<Mutex<Vec<String>>>,
) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let mut say = async |text: &str| write.write_all(format!("{text}\r\n").as_bytes()).await;
    say("220 relay.example").await?;
    while let Some(line) = lines.next_line().await? {
        let answer = match line.get(..4).unwrap_or_default().to_ascii_uppercase().as_str() {
            "RCPT" => rcpt(&line),
            "DATA" => {
                say("354 go on").await?;
                let mut mail = String::new();
                while let Some(line) = lines.next_line().await?.filter(|line| line != ".") {
                    mail.push_str(&line);
                    mail.push_str("\r\n");
                }
                mails.lock().expect("no holder of this lock panics").push(mail);
                "250 taken"
            }
            "QUIT" => break,
            _ => "250 relay.example",
        };
        say(answer).await?;
    }
    say("221 bye").await
}
