//! Is a link what it says? Measured with kernel TCP and held against theory.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use super::{Conditions, Link};

/// The measurement of a link.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    /// A byte there and one back; the least of five.
    pub round_trip: Duration,
    /// Of a long transfer after its start, headers counted in.
    pub bits_per_second: f64,
    /// Bytes that arrive in the first three round trips of a transfer: the initial window, then what it grows to.
    pub flights: [usize; 3],
}

/// The distance at which the windows are looked at: so long that flights are apart, with a rate at which they do not
/// fill it.
const FLIGHTS: (u64, u64) = (200, 100);
const TRANSFER_BYTES: usize = 3 << 20;

/// Measures a link, which is left under these conditions.
///
/// # Errors
///
/// When a connection cannot be made or breaks off.
pub fn measure(link: &Link, conditions: Conditions) -> io::Result<Measured> {
    let port = sender(link)?;
    let address = link.address(port)?;
    thread::scope(|scope| {
        let client = scope.spawn(|| {
            link.enter_client()?;
            link.set(Conditions::new(FLIGHTS.0, FLIGHTS.1));
            let flights = flights(address)?;
            link.set(conditions);
            Ok(Measured { round_trip: round_trip(address)?, bits_per_second: rate(address)?, flights })
        });
        client.join().map_err(|_| io::Error::other("the measuring thread panicked"))?
    })
}

/// Whether a link is what it says.
///
/// A round trip may be 10 ms long too long, for the machine has other things to do; a rate 10% off. The initial window
/// is ten segments of 1,448 bytes (RFC 6928), the second flight is twice that, and the third 1.3 to 3 times the second:
/// from there on the kernel may leave slow start when it likes (HyStart, RFC 9406).
///
/// # Errors
///
/// The deviations in words.
pub fn judge(measured: &Measured, conditions: Conditions) -> Result<(), String> {
    let late = measured.round_trip.checked_sub(conditions.round_trip);
    if late.is_none_or(|late| late > Duration::from_millis(10)) {
        return Err(format!("a round trip takes {:?} for {:?}", measured.round_trip, conditions.round_trip));
    }
    let share = measured.bits_per_second / conditions.bits_per_second as f64;
    if !(0.9..=1.1).contains(&share) {
        return Err(format!("{:.0} bits a second for {}", measured.bits_per_second, conditions.bits_per_second));
    }
    let [first, second, third] = measured.flights;
    if first != 14_480 {
        return Err(format!("an initial window of {first} bytes for 14480"));
    }
    if !(1.9..=2.1).contains(&(second as f64 / first as f64)) || !(1.3..=3.0).contains(&(third as f64 / second as f64))
    {
        return Err(format!("flights of {:?} bytes do not grow as they should", measured.flights));
    }
    Ok(())
}

/// A server at the far end: echoes one byte for `e`, sends a long transfer for anything else.
fn sender(link: &Link) -> io::Result<u16> {
    let listener = thread::scope(|scope| {
        let bind = scope.spawn(|| {
            link.enter_server()?;
            TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0))
        });
        bind.join().map_err(|_| io::Error::other("the server thread panicked"))?
    })?;
    let port = listener.local_addr()?.port();
    thread::spawn(move || {
        for mut socket in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || -> io::Result<()> {
                socket.set_nodelay(true)?;
                let mut asked = [0];
                while socket.read(&mut asked)? == 1 {
                    if asked == *b"e" {
                        socket.write_all(b"e")?;
                    } else {
                        socket.write_all(&vec![0; TRANSFER_BYTES])?;
                    }
                }
                Ok(())
            });
        }
    });
    Ok(port)
}

fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpStream::connect(address)?;
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(Duration::from_secs(20)))?;
    Ok(socket)
}

fn round_trip(address: SocketAddr) -> io::Result<Duration> {
    let mut socket = connect(address)?;
    let mut best = Duration::MAX;
    for _ in 0..5 {
        let began = Instant::now();
        socket.write_all(b"e")?;
        socket.read_exact(&mut [0])?;
        best = best.min(began.elapsed());
    }
    Ok(best)
}

/// Of the second half of the transfer.
fn rate(address: SocketAddr) -> io::Result<f64> {
    let mut socket = connect(address)?;
    socket.write_all(b"t")?;
    socket.read_exact(&mut vec![0; TRANSFER_BYTES / 2])?;
    let began = Instant::now();
    socket.read_exact(&mut vec![0; TRANSFER_BYTES / 2])?;
    // 1,448 of 1,500 bytes of a packet are payload.
    Ok((TRANSFER_BYTES / 2) as f64 * 8.0 * 1_500.0 / 1_448.0 / began.elapsed().as_secs_f64())
}

/// The bytes that arrive in each of the first three round trips, counted from shortly before the first byte.
fn flights(address: SocketAddr) -> io::Result<[usize; 3]> {
    let mut socket = connect(address)?;
    socket.write_all(b"t")?;
    let mut buffer = vec![0; 1 << 20];
    let mut flights = [0; 3];
    let mut length = socket.read(&mut buffer)?;
    let began = Instant::now();
    while length > 0 {
        let round_trips = began.elapsed().as_secs_f64() * 1_000.0 / FLIGHTS.0 as f64;
        let Some(flight) = flights.get_mut((round_trips + 0.2) as usize) else { break };
        *flight += length;
        length = socket.read(&mut buffer)?;
    }
    Ok(flights)
}
