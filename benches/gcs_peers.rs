//! The codec's peers: the crates bitcoin and golomb-coded-set, and the plain loop.

use bitcoin::bip158 as bitcoin_gcs;
use golomb_coded_set as nervos;
use headstart_gcs::{Bip158, Profile, View};

use crate::KEY;

pub(crate) fn k0() -> u64 {
    u128::from_le_bytes(KEY) as u64
}

pub(crate) fn k1() -> u64 {
    (u128::from_le_bytes(KEY) >> 64) as u64
}

pub(crate) fn bitcoin_build(keys: &[String], m: u32, p: u32) -> Vec<u8> {
    let mut bytes = vec![];
    let mut writer = bitcoin_gcs::GcsFilterWriter::new(&mut bytes, k0(), k1(), u64::from(m), p as u8);
    for key in keys {
        writer.add_element(key.as_bytes());
    }
    writer.finish().expect("a Vec takes everything");
    bytes
}

pub(crate) fn nervos_build(keys: &[String], m: u32, p: u32) -> Vec<u8> {
    let mut bytes = vec![];
    let hasher = nervos::SipHasher24Builder::new(k0(), k1());
    let mut writer = nervos::GCSFilterWriter::new(&mut bytes, hasher, u64::from(m), p as u8);
    for key in keys {
        writer.add_element(key.as_bytes());
    }
    writer.finish().expect("a Vec takes everything");
    bytes
}

/// The peers' bit readers are public, their decoders are not: the loop that both have inside.
pub(crate) fn bitcoin_decode(bytes: &[u8], n: usize, p: u32) -> Vec<u64> {
    let mut bytes = &bytes[compact_size_bytes(n)..];
    let mut bits = bitcoin_gcs::BitStreamReader::new(&mut bytes);
    gaps(n, p, |count| bits.read(count).expect("valid"))
}

pub(crate) fn nervos_decode(bytes: &[u8], n: usize, p: u32) -> Vec<u64> {
    let mut bytes = &bytes[8..];
    let mut bits = nervos::BitStreamReader::new(&mut bytes);
    gaps(n, p, |count| bits.read(count).expect("valid"))
}

pub(crate) fn bitwise_decode(bytes: &[u8], n: usize, p: u32) -> Vec<u64> {
    let mut bits = Bitwise { bytes: &bytes[compact_size_bytes(n)..], bit: 0 };
    gaps(n, p, |count| bits.read(count))
}

pub(crate) fn bitwise_contains(bytes: &[u8], profile: Bip158, n: usize, p: u32, key: &[u8]) -> bool {
    let view = View::new(profile, bytes).expect("valid");
    let wanted = profile.value(profile.hash(key), view.layout());
    let mut bits = Bitwise { bytes: &bytes[compact_size_bytes(n)..], bit: 0 };
    let mut value = 0;
    for _ in 0..n {
        value += bits.gap(p);
        if value >= wanted {
            return value == wanted;
        }
    }
    false
}

fn gaps(n: usize, p: u32, mut read: impl FnMut(u8) -> u64) -> Vec<u64> {
    let mut value = 0;
    let mut values = Vec::with_capacity(n);
    for _ in 0..n {
        let mut quotient = 0;
        while read(1) == 1 {
            quotient += 1;
        }
        value += (quotient << p) + read(p as u8);
        values.push(value);
    }
    values
}

/// The plain loop.
struct Bitwise<'a> {
    bytes: &'a [u8],
    bit: usize,
}

impl Bitwise<'_> {
    fn bit(&mut self) -> u64 {
        let bit = self.bytes[self.bit / 8] >> (7 - self.bit % 8) & 1;
        self.bit += 1;
        u64::from(bit)
    }

    fn read(&mut self, count: u8) -> u64 {
        (0..count).fold(0, |value, _| value << 1 | self.bit())
    }

    fn gap(&mut self, p: u32) -> u64 {
        let mut quotient = 0;
        while self.bit() == 1 {
            quotient += 1;
        }
        (quotient << p) + self.read(p as u8)
    }
}

fn compact_size_bytes(n: usize) -> usize {
    match n {
        0..0xfd => 1,
        0xfd..=0xffff => 3,
        _ => 5,
    }
}
