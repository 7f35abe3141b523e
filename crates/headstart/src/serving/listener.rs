//! Sources of connections.

use std::io;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;

use super::paced_tcp::PacedTcp;
use crate::connection::Connection;

/// Yields connections: a TCP or Unix listener of tokio, or one of your own. HTTP/1.1, HTTP/2, limits, the PROXY protocol
/// and the TLS of [`Headstart::serve`](crate::Headstart::serve) work on all of them.
///
/// A listener of your own returns from [`accept`](Self::accept) what it reads and writes through, with a [`Connection`]
/// that says who the client is:
///
/// ```
/// use std::io;
/// use headstart::{Connection, Listener};
/// use tokio::net::{TcpListener, TcpStream};
///
/// /// Connections without Nagle's algorithm, which are logged.
/// struct Logged(TcpListener);
///
/// impl Listener for Logged {
///     type Io = TcpStream;
///
///     async fn accept(&mut self) -> io::Result<(TcpStream, Connection)> {
///         let (socket, remote) = self.0.accept().await?;
///         socket.set_nodelay(true)?;
///         println!("{remote}");
///         Ok((socket, Connection::new(remote)))
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a listener that Headstart can serve",
    label = "yields no connections",
    note = "pass a `tokio::net::TcpListener` or `tokio::net::UnixListener`, or implement `headstart::Listener`",
    note = "a listener of std becomes one of tokio by `set_nonblocking(true)` and `from_std`"
)]
pub trait Listener: Send + 'static {
    /// The byte stream of a connection.
    type Io: AsyncRead + AsyncWrite + Send + Unpin + 'static;

    /// Waits for the next connection. The future has to be cancel-safe: it is dropped when the server stops. Nothing
    /// else is accepted meanwhile, so a handshake belongs into a task of its own.
    ///
    /// # Errors
    ///
    /// An error is logged, and the next call comes 50 ms later: the system may be out of descriptors for the moment.
    fn accept(&mut self) -> impl Future<Output = io::Result<(Self::Io, Connection)>> + Send;
}

impl Listener for TcpListener {
    type Io = PacedTcp;

    async fn accept(&mut self) -> io::Result<(PacedTcp, Connection)> {
        let (socket, remote) = TcpListener::accept(self).await?;
        let connection = Connection::new(remote);
        let connection = match socket.local_addr() {
            Ok(local) => connection.with_local(local),
            Err(_) => connection,
        };
        Ok((PacedTcp::new(socket), connection))
    }
}

/// Clients of a Unix socket are on this machine: their address is 127.0.0.1, with port 0. Behind a proxy that connects
/// through it, name that address as a trusted proxy or as a balancer.
#[cfg(unix)]
impl Listener for tokio::net::UnixListener {
    type Io = tokio::net::UnixStream;

    async fn accept(&mut self) -> io::Result<(tokio::net::UnixStream, Connection)> {
        let (socket, _) = tokio::net::UnixListener::accept(self).await?;
        Ok((socket, Connection::new((std::net::Ipv4Addr::LOCALHOST, 0).into())))
    }
}
