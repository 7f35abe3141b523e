//! Servers of another version: their entries have another format, which the servers of today do not know, nor they theirs.

use std::io::{Read, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;

/// The beginning of each entry; the next byte is its format.
const MAGIC: &[u8; 7] = b"HSFLEET";

/// Relays connections to an engine at this port, until the test program ends, and exchanges the formats 1 and 2 both ways:
/// a server behind it is one that writes and reads format 2. Returns the port to connect to.
pub(crate) fn of_another_version(engine: u16) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let here = listener.local_addr().expect("its address").port();
    thread::spawn(move || {
        for near in listener.incoming().map_while(Result::ok) {
            let Ok(far) = TcpStream::connect(("127.0.0.1", engine)) else { continue };
            for (from, to) in [(&near, &far), (&far, &near)] {
                let both = from.try_clone().and_then(|from| Ok((from, to.try_clone()?)));
                let Ok((from, to)) = both else { continue };
                let _ = to.set_nodelay(true);
                thread::spawn(move || carry(from, to));
            }
        }
    });
    here
}

fn carry(mut from: TcpStream, mut to: TcpStream) {
    let (mut buffer, mut matched) = (vec![0; 16 << 10], 0);
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        buffer[..length].iter_mut().for_each(|byte| exchange(byte, &mut matched));
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = (to.shutdown(Shutdown::Both), from.shutdown(Shutdown::Both));
}

/// `matched` is how much of the magic came right before this byte.
fn exchange(byte: &mut u8, matched: &mut usize) {
    if *matched == MAGIC.len() {
        *byte = match *byte {
            1 => 2,
            2 => 1,
            other => other,
        };
        *matched = 0;
    } else if *byte == MAGIC[*matched] {
        *matched += 1;
    } else {
        *matched = usize::from(*byte == MAGIC[0]);
    }
}
