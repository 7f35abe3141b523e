//! One connection of an attacker.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Duration, Instant, sleep, timeout_at};
use tokio_rustls::client::TlsStream;

use super::frames::{self, Frame, GOAWAY, PUSH_PROMISE};
use super::stage::{Life, Stage};

/// Between two connections of one attacker.
const PAUSE: Duration = Duration::from_millis(20);

type Io = TlsStream<TcpStream>;

/// Why an attack on one connection is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    /// The server has closed it.
    Closed,
    /// The time is up, or all is sent that an attack may send.
    TimeUp,
}

/// A frame that the server sent: its head, and the first word of its payload.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heard {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) word: u32,
}

pub(crate) struct Wire {
    stage: Arc<Stage>,
    out: WriteHalf<Io>,
    /// Held and not read from by those who do not read.
    unread: Option<ReadHalf<Io>>,
    heard: mpsc::UnboundedReceiver<Heard>,
    reader: Option<JoinHandle<Option<u32>>>,
    began: Instant,
    sent: u64,
    /// Bytes of promises and pushed responses.
    pushed: Arc<AtomicU64>,
}

impl Wire {
    pub(crate) async fn open(stage: &Arc<Stage>, reads: bool) -> Option<Self> {
        let (read, out) = split(stage.tls(0, "h2").await?);
        let (tell, heard) = mpsc::unbounded_channel();
        let pushed = Arc::new(AtomicU64::new(0));
        let (reader, unread) = if reads {
            (Some(tokio::spawn(listen(Arc::clone(stage), read, tell, Arc::clone(&pushed)))), None)
        } else {
            (None, Some(read))
        };
        Some(Wire { stage: Arc::clone(stage), out, unread, heard, reader, began: Instant::now(), sent: 0, pushed })
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) -> Result<(), Over> {
        if self.stage.is_over() {
            return Err(Over::TimeUp);
        }
        if self.reader.as_ref().is_some_and(JoinHandle::is_finished) {
            return Err(Over::Closed);
        }
        let write = async {
            self.out.write_all(bytes).await?;
            self.out.flush().await
        };
        match timeout_at(self.stage.until, write).await {
            Ok(Ok(())) => {
                self.sent += bytes.len() as u64;
                self.stage.traffic.sent.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                // Others run on this thread, too.
                tokio::task::yield_now().await;
                Ok(())
            }
            Ok(Err(_)) => Err(Over::Closed),
            Err(_) => Err(Over::TimeUp),
        }
    }

    /// The next frame of the server.
    pub(crate) async fn next(&mut self) -> Result<Heard, Over> {
        match timeout_at(self.stage.until, self.heard.recv()).await {
            Ok(Some(heard)) => Ok(heard),
            Ok(None) => Err(Over::Closed),
            Err(_) => Err(Over::TimeUp),
        }
    }

    /// Until a frame of this kind has come on this stream, or its end if the kind is DATA.
    pub(crate) async fn until(&mut self, kind: u8, stream: u32) -> Result<Heard, Over> {
        loop {
            let heard = self.next().await?;
            let ends = kind != frames::DATA || heard.flags & frames::END != 0;
            if heard.kind == kind && heard.stream == stream && ends {
                return Ok(heard);
            }
        }
    }

    /// All until here was a first page, which is pushed to any client: it does not count as amplification.
    pub(crate) fn settled(&self) {
        let traffic = &self.stage.traffic;
        traffic.first_sent.fetch_add(self.sent, Ordering::Relaxed);
        traffic.first_pushed.fetch_add(self.pushed.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    /// Says nothing more and waits for the server to close.
    pub(crate) async fn stay(&mut self) -> Result<(), Over> {
        loop {
            if let Some(reader) = &mut self.reader {
                let closed = timeout_at(self.stage.until, &mut *reader).await.is_ok();
                return Err(if closed { Over::Closed } else { Over::TimeUp });
            }
            // One who does not read learns of the end by the kernel's answer to what it writes: one PING a second.
            sleep(Duration::from_secs(1)).await;
            self.send(&frames::frame(frames::PING, 0, 0, b"still on")).await?;
        }
    }

    pub(crate) async fn finish(mut self, ended: Result<(), Over>) {
        let closed = ended == Err(Over::Closed);
        let lived = self.began.elapsed();
        if let Some(reader) = self.reader.take()
            && !reader.is_finished()
        {
            if closed {
                // What was said before the close is still to be read.
                sleep(Duration::from_millis(100)).await;
            }
            self.record(closed, lived, reader).await;
        } else {
            self.stage.record(Life { closed_after: closed.then_some(lived), goaway: None, age: lived });
        }
        drop(self.unread.take());
    }

    async fn record(&self, closed: bool, lived: Duration, reader: JoinHandle<Option<u32>>) {
        let goaway = if reader.is_finished() {
            reader.await.ok().flatten()
        } else {
            reader.abort();
            None
        };
        self.stage.record(Life { closed_after: closed.then_some(lived), goaway, age: lived });
    }
}

/// So many attackers at once, each with one connection after another, until the time is up.
pub(crate) async fn attack<F>(stage: &Arc<Stage>, attackers: usize, reads: bool, greeting: Vec<u8>, act: F)
where
    F: AsyncFn(&mut Wire) -> Result<(), Over>,
{
    let one = || async {
        while !stage.is_over() {
            if let Some(mut wire) = Wire::open(stage, reads).await {
                let ended = match wire.send(&greeting).await {
                    Ok(()) => act(&mut wire).await,
                    over => over,
                };
                let ended = match ended {
                    Ok(()) => wire.stay().await,
                    over => over,
                };
                wire.finish(ended).await;
            }
            sleep(PAUSE).await;
        }
    };
    futures_util::future::join_all((0..attackers).map(|_| one())).await;
}

/// Reads to the end; the code of the GOAWAY.
async fn listen(
    stage: Arc<Stage>,
    mut read: ReadHalf<Io>,
    tell: mpsc::UnboundedSender<Heard>,
    pushed: Arc<AtomicU64>,
) -> Option<u32> {
    let mut buffer = Vec::new();
    let mut goaway = None;
    loop {
        match read.read_buf(&mut buffer).await {
            Ok(0) | Err(_) => return goaway,
            Ok(bytes) => stage.traffic.received.fetch_add(bytes as u64, Ordering::Relaxed),
        };
        while let Some(frame) = Frame::take(&mut buffer) {
            if frame.kind == GOAWAY {
                goaway = Some(frame.word(4));
            }
            if frame.kind == PUSH_PROMISE || frame.stream > 0 && frame.stream.is_multiple_of(2) {
                let length = frame.bytes() as u64;
                pushed.fetch_add(length, Ordering::Relaxed);
                stage.traffic.pushed.fetch_add(length, Ordering::Relaxed);
            }
            let heard = Heard { kind: frame.kind, flags: frame.flags, stream: frame.stream, word: frame.word(0) };
            // Nobody listens any more when the attack is over.
            let _ = tell.send(heard);
        }
    }
}
