//! A link with a delay and a rate, between clients and servers on this machine.
//!
//! [`Link::packets`] carries packets of real kernel TCP between two network namespaces: a TUN device in each, and
//! threads between them that hold every packet for as long as the rate and the distance ask. It needs root and
//! `/dev/net/tun`. [`Link::relay`] needs neither: it relays the bytes of loopback connections, with a window that
//! begins at ten segments and doubles in each round trip as TCP's does, but without loss.
//!
//! Both are held to theory by [`check`].

pub mod check;
mod faults;
mod namespace;
mod packets;
mod relay;
mod shape;

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

pub use faults::Faults;
use namespace::Namespace;
pub use shape::{Conditions, Shape};

/// The congestion control of servers on a link of packets, where nothing else is asked for: Linux' own default, whatever this
/// machine's is.
pub const CONGESTION_CONTROL: &str = "cubic";
/// The address of servers on a link of packets; the client has the next address.
const SERVER: Ipv4Addr = Ipv4Addr::new(10, 99, 0, 1);
const CLIENT: Ipv4Addr = Ipv4Addr::new(10, 99, 0, 2);

/// A link between a place for servers and a place for clients.
#[derive(Debug)]
pub struct Link {
    shape: Arc<Shape>,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Packets {
        client: Arc<Namespace>,
        server: Arc<Namespace>,
        carriers: Vec<JoinHandle<()>>,
    },
    /// The port of the relay for each server's.
    Relay {
        ports: Mutex<HashMap<u16, u16>>,
    },
}

impl Link {
    /// A link of packets, or if this machine does not let us have one, a relay; and why.
    pub fn best(lane: usize) -> (Self, Option<io::Error>) {
        match Self::packets(lane) {
            Ok(link) => (link, None),
            Err(error) => (Self::relay(), Some(error)),
        }
    }

    /// A link of packets between two new namespaces. `lane` tells the links of one process apart.
    ///
    /// # Errors
    ///
    /// Without root, without `/dev/net/tun`, without iproute2.
    pub fn packets(lane: usize) -> io::Result<Self> {
        namespace::sweep();
        let (client, server) = (Namespace::new(lane, "client")?, Namespace::new(lane, "server")?);
        let near = Arc::new(client.device(&CLIENT.to_string())?);
        let far = Arc::new(server.device(&SERVER.to_string())?);
        // A kernel without it keeps its own, and what is said of the link names that.
        let _ = server.set_congestion_control(CONGESTION_CONTROL);
        let shape = Arc::new(Shape::default());
        let mut carriers = Vec::new();
        carriers.extend(packets::carry(&near, &far, &shape, shape::UP));
        carriers.extend(packets::carry(&far, &near, &shape, shape::DOWN));
        let kind = Kind::Packets { client: Arc::new(client), server: Arc::new(server), carriers };
        Ok(Self { shape, kind })
    }

    /// A link of relayed connections on loopback.
    pub fn relay() -> Self {
        Self { shape: Arc::new(Shape::default()), kind: Kind::Relay { ports: Mutex::default() } }
    }

    /// The kind of link, for a report.
    pub fn describe(&self) -> String {
        match &self.kind {
            Kind::Packets { server, .. } => {
                let control = server.congestion_control().unwrap_or_else(|_| "some congestion control".into());
                format!("packets of kernel TCP with {control} between two network namespaces")
            }
            Kind::Relay { .. } => "relayed loopback connections with an emulated congestion window".into(),
        }
    }

    /// Sets delay, rate and queue, for what is sent from now on.
    pub fn set(&self, conditions: Conditions) {
        self.shape.set(conditions);
    }

    /// Has connections that servers accept from now on use this congestion control. A relay has its own.
    ///
    /// # Errors
    ///
    /// Where the kernel has none of this name.
    pub fn set_congestion_control(&self, name: &str) -> io::Result<()> {
        match &self.kind {
            Kind::Packets { server, .. } => server.set_congestion_control(name),
            Kind::Relay { .. } => Err(io::Error::other("a relay has a congestion control of its own")),
        }
    }

    /// Bytes that were carried to the client so far: IP packets, or what relayed bytes come to as packets.
    pub fn bytes_down(&self) -> u64 {
        self.shape.carried(shape::DOWN)
    }

    /// The same, to the server.
    pub fn bytes_up(&self) -> u64 {
        self.shape.carried(shape::UP)
    }

    /// Packets that did not fit into a queue.
    pub fn drops(&self) -> u64 {
        self.shape.drops()
    }

    /// The prefix of a command that runs it where the servers are, and ends it with the thread that starts it.
    pub fn server_prefix(&self) -> Vec<String> {
        match &self.kind {
            Kind::Packets { server, .. } => server.prefix(),
            Kind::Relay { .. } => mortal(),
        }
    }

    /// The same for where the clients are.
    pub fn client_prefix(&self) -> Vec<String> {
        match &self.kind {
            Kind::Packets { client, .. } => client.prefix(),
            Kind::Relay { .. } => mortal(),
        }
    }

    /// The address that servers listen on.
    pub fn server_address(&self) -> IpAddr {
        match self.kind {
            Kind::Packets { .. } => SERVER.into(),
            Kind::Relay { .. } => Ipv4Addr::LOCALHOST.into(),
        }
    }

    /// The address at which a client finds the server that listens on `port`.
    ///
    /// # Errors
    ///
    /// When no relay can listen.
    pub fn address(&self, port: u16) -> io::Result<SocketAddr> {
        match &self.kind {
            Kind::Packets { .. } => Ok((IpAddr::V4(SERVER), port).into()),
            Kind::Relay { ports } => {
                let mut ports = ports.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(near) = ports.get(&port) {
                    return Ok((Ipv4Addr::LOCALHOST, *near).into());
                }
                let near = relay::listen(port, &self.shape)?;
                ports.insert(port, near);
                Ok((Ipv4Addr::LOCALHOST, near).into())
            }
        }
    }

    /// Moves the calling thread to where the clients are, for good.
    ///
    /// # Errors
    ///
    /// Without the right to.
    pub fn enter_client(&self) -> io::Result<()> {
        match &self.kind {
            Kind::Packets { client, .. } => client.enter(),
            Kind::Relay { .. } => Ok(()),
        }
    }

    /// Moves the calling thread to where the servers are, for good.
    ///
    /// # Errors
    ///
    /// Without the right to.
    pub fn enter_server(&self) -> io::Result<()> {
        match &self.kind {
            Kind::Packets { server, .. } => server.enter(),
            Kind::Relay { .. } => Ok(()),
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if let Kind::Packets { client, server, carriers } = &mut self.kind {
            client.cut();
            server.cut();
            for carrier in carriers.drain(..) {
                // It has nothing to report.
                let _ = carrier.join();
            }
        }
    }
}

/// Has a command die with the thread that starts it.
fn mortal() -> Vec<String> {
    ["setpriv", "--pdeathsig", "KILL", "--"].map(String::from).into()
}
