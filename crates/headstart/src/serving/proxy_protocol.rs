//! The PROXY protocol (HAProxy's specification, versions 1 and 2): a balancer in front says for whom it connects.

use std::io;
use std::net::SocketAddr;

use ppp::{v1, v2};
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// The first bytes of version 2; version 1 is longer than this even at its shortest.
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// Bytes before the addresses of version 2.
const FIXED: usize = 16;
/// Addresses and extensions of version 2, bytes; more is refused.
const MAX_REST: usize = 2 << 10;
/// A line of version 1 with its end, bytes.
const MAX_LINE: usize = 107;

/// Reads the header and nothing after it. `None` if the balancer speaks for itself, as in its health checks.
///
/// # Errors
///
/// `InvalidData` for what is no such header; else what the socket says.
pub(crate) async fn read<T: AsyncRead + Unpin>(io: &mut T) -> io::Result<Option<SocketAddr>> {
    let mut header = vec![0; SIGNATURE.len()];
    io.read_exact(&mut header).await?;
    if header == SIGNATURE { read_v2(io, header).await } else { read_v1(io, header).await }
}

async fn read_v2<T: AsyncRead + Unpin>(io: &mut T, mut header: Vec<u8>) -> io::Result<Option<SocketAddr>> {
    header.resize(FIXED, 0);
    let rest = header.get_mut(SIGNATURE.len()..).unwrap_or_default();
    io.read_exact(rest).await?;
    let Some(&[_, _, high, low]) = header.last_chunk() else { return Err(invalid()) };
    let length = usize::from(u16::from_be_bytes([high, low]));
    if length > MAX_REST {
        return Err(invalid());
    }
    header.resize(FIXED + length, 0);
    io.read_exact(header.get_mut(FIXED..).unwrap_or_default()).await?;
    let header = v2::Header::try_from(&header[..]).map_err(|_| invalid())?;
    Ok(match (header.command, header.addresses) {
        (v2::Command::Proxy, v2::Addresses::IPv4(found)) => Some((found.source_address, found.source_port).into()),
        (v2::Command::Proxy, v2::Addresses::IPv6(found)) => Some((found.source_address, found.source_port).into()),
        _ => None,
    })
}

async fn read_v1<T: AsyncRead + Unpin>(io: &mut T, mut line: Vec<u8>) -> io::Result<Option<SocketAddr>> {
    if !line.starts_with(b"PROXY ") {
        return Err(invalid());
    }
    // One byte at a time, for what follows the line belongs to the client.
    while !line.ends_with(b"\r\n") {
        if line.len() >= MAX_LINE {
            return Err(invalid());
        }
        line.push(io.read_u8().await?);
    }
    let header = v1::Header::try_from(&line[..]).map_err(|_| invalid())?;
    Ok(match header.addresses {
        v1::Addresses::Tcp4(found) => Some((found.source_address, found.source_port).into()),
        v1::Addresses::Tcp6(found) => Some((found.source_address, found.source_port).into()),
        v1::Addresses::Unknown => None,
    })
}

fn invalid() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "no PROXY header")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Parses some bytes, and returns the result with the rest.
    fn check(mut bytes: &[u8]) -> (Result<Option<String>, io::ErrorKind>, &[u8]) {
        let read = futures_util::FutureExt::now_or_never(read(&mut bytes)).unwrap();
        (read.map(|address| address.map(|address| address.to_string())).map_err(|error| error.kind()), bytes)
    }

    fn v2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
        [&SIGNATURE[..], &[0x20 | command, family], &length, rest, b"GET"].concat()
    }

    #[test]
    fn a_line() {
        assert_eq!(
            check(b"PROXY TCP4 192.0.2.9 198.51.100.1 56324 443\r\nGET"),
            (Ok(Some("192.0.2.9:56324".into())), &b"GET"[..])
        );
        assert_eq!(
            check(b"PROXY TCP6 2001:db8::1 2001:db8::2 1 443\r\n"),
            (Ok(Some("[2001:db8::1]:1".into())), &b""[..])
        );
        assert_eq!(check(b"PROXY UNKNOWN\r\nrest"), (Ok(None), &b"rest"[..]));
        assert_eq!(check(b"PROXY UNKNOWN ffff:: ffff:: 1 2\r\nrest"), (Ok(None), &b"rest"[..]));
    }

    #[test]
    fn binary() {
        let v4 = [192, 0, 2, 9, 198, 51, 100, 1, 0xdc, 4, 1, 187];
        assert_eq!(check(&v2(1, 0x11, &v4)), (Ok(Some("192.0.2.9:56324".into())), &b"GET"[..]));
        let with_extension = [&v4[..], &[4, 0, 1, 0]].concat();
        assert_eq!(check(&v2(1, 0x11, &with_extension)), (Ok(Some("192.0.2.9:56324".into())), &b"GET"[..]));
        let mut v6 = [0; 36];
        (v6[15], v6[33]) = (1, 7);
        assert_eq!(check(&v2(1, 0x21, &v6)), (Ok(Some("[::1]:7".into())), &b"GET"[..]));
        assert_eq!(check(&v2(0, 0x00, &[])), (Ok(None), &b"GET"[..]), "a health check");
    }

    #[test]
    fn anything_else_is_refused() {
        use io::ErrorKind::{InvalidData, UnexpectedEof};
        assert_eq!(check(b"GET / HTTP/1.1\r\n").0, Err(InvalidData));
        assert_eq!(check(b"PROXY TCP4 192.0.2.999 1 2 3\r\n").0, Err(InvalidData));
        assert_eq!(check(&[&b"PROXY TCP4 "[..], &[b'1'; 200]].concat()).0, Err(InvalidData));
        assert_eq!(check(&v2(1, 0x11, &[1, 2, 3])).0, Err(InvalidData));
        assert_eq!(check(&v2(1, 0x11, &[0; 3000])).0, Err(InvalidData));
        assert_eq!(check(b"PROXY TCP4 192.0.2.9").0, Err(UnexpectedEof));
        assert_eq!(check(&SIGNATURE[..]).0, Err(UnexpectedEof));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..200), v2 in any::<bool>()) {
            let start = if v2 { &SIGNATURE[..] } else { b"PROXY TCP4 " };
            let _ = check(&[start, &bytes].concat());
        }
    }
}
