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
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let here = listener.local_addr().expect("its address").port();
    thread::spawn(move || {
        for near in listener.incoming().map_while(Result::ok) {
            let Ok(far) = TcpStream::connect(("127.0.0.1", port)) else { continue };
            for (from, to) in [(&near, &far), (&far, &near)] {
                let both = from.try_clone().and_then(|from| Ok((from, to.try_clone()?)));
                let Ok((from, to)) = both else { continue };
                let _ = to.set_nodelay(true);
                relay(from, to, one_way);
            }
        }
    });
    here
}

fn relay(mut from: TcpStream, to: TcpStream, one_way: Duration) {
    let (sender, receiver) = channel();
    thread::spawn(move || deliver(&receiver, to));
    thread::spawn(move || {
        let mut buffer = vec![0; 64 << 10];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            if sender.send((Instant::now() + one_way, buffer[..length].to_vec())).is_err() {
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
