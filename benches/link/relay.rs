//! The link where no packets can be had: bytes of loopback connections, relayed late and no faster than the rate.
//!
//! Each direction of a connection has a window that begins at ten segments and grows by what is acknowledged, one
//! round trip after it was sent: the slow start of TCP (RFC 5681, section 3.1; RFC 6928). Nothing is lost, so the
//! window never shrinks; the queue of the link is the window itself. A connection begins with one round trip in
//! which nothing is relayed, for the handshake that loopback does in no time.

use std::collections::VecDeque;
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use socket2::SockRef;

use super::packets::prefer_this_thread;
use super::shape::{DOWN, Shape, UP};

/// Payload of a full segment on a path of 1,500 bytes with timestamps, and what it takes on the link.
pub(crate) const SEGMENT_BYTES: usize = 1_448;
const PACKET_BYTES: usize = 1_500;
/// The initial window, segments. RFC 6928.
pub(crate) const INITIAL_SEGMENTS: usize = 10;
/// Bytes that the kernel holds between a server and the relay, before it doubles them: as few as it takes.
const BUFFER_BYTES: usize = 4 << 10;

/// Relays connections to `port` from a port of its own, which it returns, until the program ends.
pub(crate) fn listen(port: u16, shape: &Arc<Shape>) -> io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    SockRef::from(&listener).set_recv_buffer_size(BUFFER_BYTES)?;
    let here = listener.local_addr()?.port();
    let shape = Arc::clone(shape);
    // The rate is that of the link, not of a connection.
    let busy = [UP, DOWN].map(|_| Arc::new(Mutex::new(Instant::now())));
    thread::spawn(move || {
        for near in listener.incoming().map_while(Result::ok) {
            let (shape, busy) = (Arc::clone(&shape), busy.clone());
            // A connection that breaks off is the client's to notice.
            thread::spawn(move || relay(&near, port, &shape, &busy));
        }
    });
    Ok(here)
}

fn relay(near: &TcpStream, port: u16, shape: &Arc<Shape>, busy: &[Arc<Mutex<Instant>>; 2]) -> io::Result<()> {
    thread::sleep(2 * shape.one_way());
    let far = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)?;
    far.set_recv_buffer_size(BUFFER_BYTES)?;
    far.connect(&std::net::SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into())?;
    let far = TcpStream::from(far);
    for (direction, from, to) in [(UP, near, &far), (DOWN, &far, near)] {
        let (from, to) = (from.try_clone()?, to.try_clone()?);
        to.set_nodelay(true)?;
        let (sender, receiver) = channel();
        let (shape, busy) = (Arc::clone(shape), Arc::clone(&busy[direction]));
        thread::spawn(move || read(from, &shape, direction, &busy, &sender));
        thread::spawn(move || deliver(&receiver, to));
    }
    Ok(())
}

fn read(
    mut from: TcpStream,
    shape: &Shape,
    direction: usize,
    busy: &Mutex<Instant>,
    sender: &Sender<(Instant, Vec<u8>)>,
) {
    prefer_this_thread();
    let mut window = Window::new();
    let mut buffer = vec![0; SEGMENT_BYTES];
    loop {
        let room = window.wait().min(SEGMENT_BYTES);
        let Ok(length @ 1..) = from.read(&mut buffer[..room]) else { return };
        let now = Instant::now();
        let packet = length + PACKET_BYTES - SEGMENT_BYTES;
        let sent = {
            let mut busy = busy.lock().unwrap_or_else(PoisonError::into_inner);
            *busy = (*busy).max(now) + shape.transmission(packet, now);
            *busy
        };
        shape.count(direction, packet);
        window.sent(length, sent + 2 * shape.one_way());
        if sender.send((sent + shape.one_way(), buffer[..length].to_vec())).is_err() {
            return;
        }
    }
}

fn deliver(receiver: &Receiver<(Instant, Vec<u8>)>, mut to: TcpStream) {
    prefer_this_thread();
    for (due, bytes) in receiver {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        if to.write_all(&bytes).is_err() {
            return;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

/// A congestion window in slow start.
struct Window {
    bytes: usize,
    in_flight: usize,
    /// When each write is acknowledged, and its bytes.
    acknowledged: VecDeque<(Instant, usize)>,
}

impl Window {
    fn new() -> Self {
        Self { bytes: INITIAL_SEGMENTS * SEGMENT_BYTES, in_flight: 0, acknowledged: VecDeque::new() }
    }

    /// Waits until something may be sent, and returns how much, bytes.
    fn wait(&mut self) -> usize {
        loop {
            let now = Instant::now();
            while let Some((_, bytes)) = self.acknowledged.front().copied().filter(|(when, _)| *when <= now) {
                self.acknowledged.pop_front();
                self.in_flight -= bytes;
                self.bytes += bytes;
            }
            if self.in_flight < self.bytes {
                return self.bytes - self.in_flight;
            }
            let next =
                self.acknowledged.front().map_or(Duration::ZERO, |(when, _)| when.saturating_duration_since(now));
            thread::sleep(next);
        }
    }

    fn sent(&mut self, bytes: usize, acknowledged: Instant) {
        self.in_flight += bytes;
        self.acknowledged.push_back((acknowledged, bytes));
    }
}
