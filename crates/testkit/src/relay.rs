//! A distance between client and server: a relay on loopback that delivers late.

use std::io::{Read, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// Relays connections to a port, each byte late by `one_way`; returns the port to connect to.
///
/// Relays until the test program ends.
///
/// # Panics
///
/// If no port is free.
pub fn between(port: u16, one_way: Duration) -> u16 {
    link(port, one_way, u32::MAX)
}

/// The same over a link that carries so many bytes a second either way, for each connection.
///
/// # Panics
///
/// If no port is free.
pub fn link(port: u16, one_way: Duration, bytes_per_second: u32) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let here = listener.local_addr().expect("its address").port();
    thread::spawn(move || {
        for near in listener.incoming().map_while(Result::ok) {
            let Ok(far) = TcpStream::connect(("127.0.0.1", port)) else { continue };
            for (from, to) in [(&near, &far), (&far, &near)] {
                let both = from.try_clone().and_then(|from| Ok((from, to.try_clone()?)));
                let Ok((from, to)) = both else { continue };
                let _ = to.set_nodelay(true);
                relay(from, to, one_way, bytes_per_second);
            }
        }
    });
    here
}

fn relay(mut from: TcpStream, to: TcpStream, one_way: Duration, bytes_per_second: u32) {
    let (sender, receiver) = channel();
    thread::spawn(move || deliver(&receiver, to));
    thread::spawn(move || {
        // Small pieces on a slow link, so that the first bytes of many do not wait for the last.
        let mut buffer = vec![0; if bytes_per_second == u32::MAX { 64 << 10 } else { 4 << 10 }];
        let mut free_at = Instant::now();
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            free_at =
                free_at.max(Instant::now()) + Duration::from_secs_f64(length as f64 / f64::from(bytes_per_second));
            if sender.send((free_at + one_way, buffer[..length].to_vec())).is_err() {
                break;
            }
        }
    });
}

fn deliver(receiver: &Receiver<(Instant, Vec<u8>)>, mut to: TcpStream) {
    for (due, bytes) in receiver {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        if to.write_all(&bytes).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

/// What a [`Valve`] does with connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Carries everything.
    Open,
    /// Cuts each connection after so many bytes of what the server sent on it, now or later.
    CutAfter(usize),
    /// Keeps connections and carries nothing: each side believes that the other one is there.
    Hold,
}

/// A relay on loopback whose connections can be broken in ways in which networks break.
#[derive(Debug)]
pub struct Valve {
    /// Where it listens on 127.0.0.1.
    pub port: u16,
    flow: Arc<Mutex<Flow>>,
}

impl Valve {
    /// Relays connections to a port until the test program ends.
    ///
    /// # Panics
    ///
    /// If no port is free.
    pub fn to(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let here = listener.local_addr().expect("its address").port();
        let flow = Arc::new(Mutex::new(Flow::Open));
        let shared = Arc::clone(&flow);
        thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let Ok(far) = TcpStream::connect(("127.0.0.1", port)) else { continue };
                for (from, to, replies) in [(&near, &far, false), (&far, &near, true)] {
                    let both = from.try_clone().and_then(|from| Ok((from, to.try_clone()?)));
                    let Ok((from, to)) = both else { continue };
                    let _ = to.set_nodelay(true);
                    let flow = Arc::clone(&shared);
                    thread::spawn(move || carry(from, to, replies, &flow));
                }
            }
        });
        Valve { port: here, flow }
    }

    /// Changes what is done with the connections there are and those to come. What was held is lost for ever, as are the
    /// connections that were open meanwhile.
    ///
    /// # Panics
    ///
    /// If a relaying thread has panicked.
    pub fn set(&self, flow: Flow) {
        *self.flow.lock().expect("no panic under the lock") = flow;
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, replies: bool, flow: &Mutex<Flow>) {
    let (mut buffer, mut carried, mut dead) = (vec![0; 16 << 10], 0, false);
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        let now = *flow.lock().expect("no panic under the lock");
        dead |= now == Flow::Hold;
        if dead {
            continue;
        }
        let kept = match now {
            Flow::CutAfter(bytes) if replies => length.min(bytes.saturating_sub(carried)),
            _ => length,
        };
        carried += kept;
        if to.write_all(&buffer[..kept]).is_err() || kept < length {
            let _ = from.shutdown(Shutdown::Both);
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}
