//! Bytes of a client through the server and its proxy.

use std::io;
use std::time::Duration;

use headstart::{Connection, Headstart, Listener};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

use crate::answers::Answers;

struct Once(Option<DuplexStream>);

impl Listener for Once {
    type Io = DuplexStream;

    async fn accept(&mut self) -> io::Result<(DuplexStream, Connection)> {
        match self.0.take() {
            Some(io) => Ok((io, Connection::new(([192, 0, 2, 1], 7).into()))),
            None => std::future::pending().await,
        }
    }
}

/// The bytes that a client receives first, within a second after it has sent these bytes.
pub(crate) fn through(answers: &Answers, headstart: &Headstart, bytes: &[u8]) -> Vec<u8> {
    answers.runtime.block_on(async {
        let (mut client, server) = tokio::io::duplex(1 << 16);
        let serving = tokio::spawn(headstart.serve(Once(Some(server)), None, answers.proxy.clone()).into_future());
        let mut heard = Vec::new();
        // It may close before it has heard all.
        let _ = client.write_all(bytes).await;
        let _ = tokio::time::timeout(Duration::from_secs(1), client.read_buf(&mut heard)).await;
        serving.abort();
        heard
    })
}
