//! A distance between client and server: a relay on loopback that delivers late.

use std::io::{Read, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
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
