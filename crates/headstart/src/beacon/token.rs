//! The token of a page view: what the server has to know of it when its beacon comes, signed, so that nothing is kept.

use std::hash::Hasher as _;

use data_encoding::BASE64URL_NOPAD;
use headstart_learn::{ClientClass, Draw, NetworkId};
use http::HeaderValue;
use siphasher::sip::SipHasher24;

use crate::view::Outlet;

/// Bytes of the payload, and of the signature behind it.
const PAYLOAD: usize = 16;
const SIGNATURE: usize = 8;
/// Hinted assets that are named to the script.
pub(super) const MAX_HINTED: usize = 32;

/// The view that a token stands for. Nothing in it identifies the client.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct View {
    pub(crate) outlet: Outlet,
    pub(crate) draw: Draw,
    /// Hold-outs get help like others.
    pub(crate) aa: bool,
    /// The client held some of what was planned.
    pub(crate) returning: bool,
    pub(crate) class: ClientClass,
    /// A keyed hash of the page, shortened.
    pub(crate) page: u32,
    /// Assets that were named in a 103 or in `Link`.
    pub(crate) hinted: u8,
    /// Seconds since 1970.
    pub(crate) time: u32,
    /// Tells apart views that are otherwise alike.
    pub(crate) number: u32,
}

/// The key of signatures, and whom a signature is for: a token is good for one authority and one network.
#[derive(Clone, Copy)]
pub(super) struct Signer<'a> {
    pub(super) key: &'a [u8; 16],
    pub(super) authority: &'a str,
    pub(super) network: NetworkId,
}

impl Signer<'_> {
    /// The token of a view, 32 characters.
    pub(super) fn sign(&self, view: &View) -> String {
        let payload = view.to_bytes();
        let mut bytes = [0; PAYLOAD + SIGNATURE];
        let (front, back) = bytes.split_at_mut(PAYLOAD);
        front.copy_from_slice(&payload);
        back.copy_from_slice(&self.signature(&payload));
        BASE64URL_NOPAD.encode(&bytes)
    }

    /// The view of a token, and the signature as a number by which it is told from others; `None` if it was not signed for
    /// this authority and network.
    pub(super) fn verify(&self, token: &str) -> Option<(View, u64)> {
        let mut bytes = [0; PAYLOAD + SIGNATURE];
        if token.len() != BASE64URL_NOPAD.encode_len(bytes.len()) {
            return None;
        }
        BASE64URL_NOPAD.decode_mut(token.as_bytes(), &mut bytes).ok()?;
        let (payload, signature) = bytes.split_first_chunk::<PAYLOAD>()?;
        let expected = self.signature(payload);
        // In constant time: no byte of a guess is told apart from another.
        let differs = expected.iter().zip(signature).fold(0, |sum, (a, b)| sum | (a ^ b));
        (differs == 0).then(|| View::of_bytes(payload).map(|view| (view, u64::from_le_bytes(expected))))?
    }

    fn signature(&self, payload: &[u8; PAYLOAD]) -> [u8; SIGNATURE] {
        let mut hasher = SipHasher24::new_with_key(self.key);
        hasher.write(b"beacon");
        hasher.write(payload);
        hasher.write_u64(self.network.get());
        hasher.write(self.authority.as_bytes());
        hasher.finish().to_le_bytes()
    }
}

impl View {
    fn to_bytes(self) -> [u8; PAYLOAD] {
        let outlet = match self.outlet {
            Outlet::EarlyHints => 0_u8,
            Outlet::Link => 1,
            Outlet::Push => 2,
        };
        let flags = u8::from(self.draw.held_out)
            | u8::from(self.aa) << 1
            | outlet << 2
            | u8::from(self.returning) << 4
            | u8::from(self.class == ClientClass::Phone) << 5;
        let chance = (self.draw.chance.clamp(0.0, 1.0) * f32::from(u16::MAX)).round() as u16;
        let mut bytes = [0; PAYLOAD];
        let parts = [
            &[flags, self.hinted][..],
            &chance.to_le_bytes(),
            &self.time.to_le_bytes(),
            &self.page.to_le_bytes(),
            &self.number.to_le_bytes(),
        ];
        bytes.iter_mut().zip(parts.concat()).for_each(|(to, from)| *to = from);
        bytes
    }

    fn of_bytes(bytes: &[u8; PAYLOAD]) -> Option<Self> {
        let [flags, hinted, c0, c1, t0, t1, t2, t3, p0, p1, p2, p3, n0, n1, n2, n3] = *bytes;
        let outlet = match flags >> 2 & 3 {
            0 => Outlet::EarlyHints,
            1 => Outlet::Link,
            2 => Outlet::Push,
            _ => return None,
        };
        let chance = f32::from(u16::from_le_bytes([c0, c1])) / f32::from(u16::MAX);
        Some(View {
            outlet,
            draw: Draw { chance, held_out: flags & 1 != 0 },
            aa: flags & 2 != 0,
            returning: flags & 16 != 0,
            class: if flags & 32 != 0 { ClientClass::Phone } else { ClientClass::Other },
            page: u32::from_le_bytes([p0, p1, p2, p3]),
            hinted,
            time: u32::from_le_bytes([t0, t1, t2, t3]),
            number: u32::from_le_bytes([n0, n1, n2, n3]),
        })
    }
}

/// The field that carries a token to the script, with the hashes of the hinted assets, so that it can say which were used.
pub(crate) fn server_timing<'a>(token: &str, hinted: impl Iterator<Item = &'a str>) -> Option<HeaderValue> {
    let mut text = format!("headstart;desc=\"{token}");
    for path in hinted.take(MAX_HINTED) {
        text.push('.');
        text.push_str(&base36(hash(path)));
    }
    text.push('"');
    HeaderValue::try_from(text).ok()
}

/// FNV-1a, folded to 24 bits, as the script computes it.
fn hash(path: &str) -> u32 {
    let hash = path.bytes().fold(2_166_136_261_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(16_777_619));
    (hash ^ hash >> 24) & 0xff_ffff
}

fn base36(mut number: u32) -> String {
    let mut digits = Vec::new();
    loop {
        digits.push(char::from_digit(number % 36, 36).unwrap_or('0'));
        number /= 36;
        if number == 0 {
            return digits.into_iter().rev().collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn view() -> View {
        View {
            outlet: Outlet::Link,
            draw: Draw { chance: 0.25, held_out: true },
            aa: false,
            returning: true,
            class: ClientClass::Phone,
            page: 0xdead_beef,
            hinted: 7,
            time: 1_700_000_000,
            number: 42,
        }
    }

    fn signer<'a>(key: &'a [u8; 16], authority: &'a str, network: u64) -> Signer<'a> {
        Signer { key, authority, network: NetworkId::new(network) }
    }

    #[test]
    fn a_token_says_what_it_was_signed_with() {
        let signer = signer(&[7; 16], "a.example", 1);
        let token = signer.sign(&view());
        assert_eq!(token.len(), 32);
        let (read, _) = signer.verify(&token).unwrap();
        assert!((read.draw.chance - 0.25).abs() < 1e-4);
        assert_eq!(View { draw: view().draw, ..read }, view());
    }

    #[test]
    fn a_token_is_good_for_one_key_one_authority_and_one_network() {
        let token = signer(&[7; 16], "a.example", 1).sign(&view());
        assert!(signer(&[8; 16], "a.example", 1).verify(&token).is_none());
        assert!(signer(&[7; 16], "b.example", 1).verify(&token).is_none());
        assert!(signer(&[7; 16], "a.example", 2).verify(&token).is_none());
        for odd in ["", "x", &token[1..], &format!("{token}A"), &"é".repeat(16)] {
            assert!(signer(&[7; 16], "a.example", 1).verify(odd).is_none(), "{odd}");
        }
    }

    #[test]
    fn no_bit_of_a_token_can_be_changed() {
        let signer = signer(&[7; 16], "a.example", 1);
        let bytes = BASE64URL_NOPAD.decode(signer.sign(&view()).as_bytes()).unwrap();
        for bit in 0..8 * bytes.len() {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(signer.verify(&BASE64URL_NOPAD.encode(&changed)).is_none(), "{bit}");
        }
    }

    /// The values are those of the script's function in a JavaScript engine.
    #[test]
    fn paths_are_hashed_as_the_script_does() {
        for (path, expected) in [("", "146ys"), ("/a.css", "5o8zd"), ("/b.js?v=1", "3c3om")] {
            assert_eq!(base36(hash(path)), expected);
        }
        let field = server_timing("T", ["/a.css", "/b.js?v=1"].into_iter()).unwrap();
        assert_eq!(field, "headstart;desc=\"T.5o8zd.3c3om\"");
        assert_eq!(
            (base36(0), base36(35), base36(36), base36(0xff_ffff)),
            ("0".into(), "z".into(), "10".into(), "9zldr".into())
        );
        let many = server_timing("T", std::iter::repeat_n("/x", 100)).unwrap();
        assert_eq!(many.to_str().unwrap().matches('.').count(), MAX_HINTED);
    }
}
