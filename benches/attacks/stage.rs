//! The stage of an attack: the server's address, the time there is, and the traffic of both sides.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::ClientConfig;
use testkit::tls;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::client::TlsStream;

/// Attackers come from here, so that a limit by address concerns them alone.
const ATTACKER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
/// Connections that an attack opens at most.
const MAX_CONNECTIONS: u64 = 4000;
/// Bytes that an attack sends at most.
pub(crate) const MAX_SENT: u64 = 256 << 20;

pub(crate) struct Stage {
    pub(crate) address: SocketAddr,
    pub(crate) until: Instant,
    tls: Arc<ClientConfig>,
    pub(crate) traffic: Traffic,
}

/// The traffic of an attack.
#[derive(Default)]
pub(crate) struct Traffic {
    pub(crate) connections: AtomicU64,
    /// Bytes above TLS.
    pub(crate) sent: AtomicU64,
    pub(crate) received: AtomicU64,
    /// Of these, what came unasked: promises and pushed responses.
    pub(crate) pushed: AtomicU64,
    /// Bytes up to the end of the first page of each connection; see `Wire::settled`.
    pub(crate) first_sent: AtomicU64,
    pub(crate) first_pushed: AtomicU64,
    pub(crate) lives: Mutex<Vec<Life>>,
}

/// How one connection ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Life {
    /// How long it lived once the attack on it had begun; `None` if it was open in the end.
    pub(crate) closed_after: Option<Duration>,
    /// The code of the server's GOAWAY, if it was read.
    pub(crate) goaway: Option<u32>,
    /// How long it had lived when the trial ended, if it was open.
    pub(crate) age: Duration,
}

impl Life {
    /// Whether the trial ended before the connection had to be closed.
    pub(crate) fn is_young(&self, time: Duration) -> bool {
        self.closed_after.is_none() && self.age <= time
    }
}

impl Stage {
    pub(crate) fn new(address: SocketAddr, tls: Arc<ClientConfig>, lasting: Duration) -> Arc<Self> {
        Arc::new(Stage { address, until: Instant::now() + lasting, tls, traffic: Traffic::default() })
    }

    pub(crate) fn is_over(&self) -> bool {
        let sent = self.traffic.sent.load(Ordering::Relaxed);
        let connections = self.traffic.connections.load(Ordering::Relaxed);
        Instant::now() >= self.until || sent >= MAX_SENT || connections >= MAX_CONNECTIONS
    }

    /// A TCP connection from the attackers' address, or one beside it.
    pub(crate) async fn tcp(&self, neighbour: u8) -> Option<TcpStream> {
        let socket = TcpSocket::new_v4().ok()?;
        let [a, b, c, d] = ATTACKER.octets();
        socket.bind((Ipv4Addr::new(a, b, c + neighbour, d), 0).into()).ok()?;
        let stream = timeout_at(self.until, socket.connect(self.address)).await.ok()?.ok()?;
        stream.set_nodelay(true).ok()?;
        self.traffic.connections.fetch_add(1, Ordering::Relaxed);
        Some(stream)
    }

    pub(crate) async fn tls(&self, neighbour: u8, alpn: &str) -> Option<TlsStream<TcpStream>> {
        let tcp = self.tcp(neighbour).await?;
        let tls = tls::with_protocols(&self.tls, &[alpn]);
        timeout_at(self.until, tls::connect(&tls, "localhost", tcp)).await.ok()?.ok()
    }

    pub(crate) fn record(&self, life: Life) {
        self.traffic.lives.lock().expect("no panic under the lock").push(life);
    }
}
