//! Sketches as bytes, so that they outlive a process and travel between servers.
//!
//! Numbers are LEB128, little end first. All that is stored are sums, so records of several servers are added up after
//! reading, in any order.

use std::fmt;

use crate::arms::Arms;
use crate::bins::BINS;
use crate::sketch::Sketch;
use crate::volume::Volume;

/// Bytes that are no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordError;

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("these bytes are no record of a sketch")
    }
}

impl std::error::Error for RecordError {}

/// Appends a number.
pub fn write_number(number: u64, out: &mut Vec<u8>) {
    write_wide(u128::from(number), out);
}

/// Takes a number from the front.
///
/// # Errors
///
/// If the bytes end within it, or it is too large.
pub fn read_number(input: &mut &[u8]) -> Result<u64, RecordError> {
    u64::try_from(read_wide(input)?).map_err(|_| RecordError)
}

fn write_wide(mut number: u128, out: &mut Vec<u8>) {
    loop {
        let low = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            return out.push(low);
        }
        out.push(low | 0x80);
    }
}

fn read_wide(input: &mut &[u8]) -> Result<u128, RecordError> {
    let mut number = 0_u128;
    for place in 0..19 {
        let (byte, rest) = input.split_first().ok_or(RecordError)?;
        *input = rest;
        let digits = u128::from(byte & 0x7f);
        // The last place has two bits left.
        if place == 18 && digits > 3 {
            return Err(RecordError);
        }
        number |= digits << (7 * place);
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(RecordError)
}

impl Sketch {
    /// Appends it as bytes. O(bins).
    pub fn write(&self, out: &mut Vec<u8>) {
        write_number(self.rows().count() as u64, out);
        let mut next = 0;
        for (bin, units) in self.rows() {
            write_number((bin - next) as u64, out);
            write_number(units, out);
            next = bin + 1;
        }
        let (squares, views, clients) = self.counts();
        for number in [squares, views, clients] {
            write_number(number, out);
        }
    }

    /// Takes one from the front of `input`. Never more than 2.7 KiB, whatever the bytes are.
    ///
    /// # Errors
    ///
    /// If the bytes are no sketch; `input` is then anywhere.
    pub fn read(input: &mut &[u8]) -> Result<Self, RecordError> {
        let count = read_number(input)?;
        let mut rows = Vec::new();
        let mut next = 0_u64;
        for _ in 0..count {
            let bin = next.checked_add(read_number(input)?).ok_or(RecordError)?;
            if bin >= BINS as u64 {
                return Err(RecordError);
            }
            rows.push((bin as u16, read_number(input)?));
            next = bin + 1;
        }
        let counts = (read_number(input)?, read_number(input)?, read_number(input)?);
        Ok(Sketch::from_parts(rows, counts))
    }
}

impl Volume {
    fn write(&self, out: &mut Vec<u8>) {
        for number in [self.weight, self.weight_squares, self.views, self.clients] {
            write_number(number, out);
        }
        write_wide(self.sum, out);
        write_wide(self.squares, out);
    }

    fn read(input: &mut &[u8]) -> Result<Self, RecordError> {
        Ok(Volume {
            weight: read_number(input)?,
            weight_squares: read_number(input)?,
            views: read_number(input)?,
            clients: read_number(input)?,
            sum: read_wide(input)?,
            squares: read_wide(input)?,
        })
    }
}

impl Arms {
    /// Appends them as bytes. O(bins).
    pub fn write(&self, out: &mut Vec<u8>) {
        self.helped.write(out);
        self.held_out.write(out);
        self.helped_bytes.write(out);
        self.held_out_bytes.write(out);
    }

    /// Takes them from the front of `input`.
    ///
    /// # Errors
    ///
    /// If the bytes are no arms; `input` is then anywhere.
    pub fn read(input: &mut &[u8]) -> Result<Self, RecordError> {
        Ok(Arms {
            helped: Sketch::read(input)?,
            held_out: Sketch::read(input)?,
            helped_bytes: Volume::read(input)?,
            held_out_bytes: Volume::read(input)?,
        })
    }
}

impl<K: Copy + Ord> crate::Strata<K> {
    /// Appends them as bytes; `code` gives each stratum a number. O(strata · bins).
    pub fn write(&self, code: impl Fn(K) -> u64, out: &mut Vec<u8>) {
        write_number(self.iter().count() as u64, out);
        for (stratum, arms) in self.iter() {
            write_number(code(stratum), out);
            arms.write(out);
        }
    }

    /// Takes them from the front of `input`; `stratum` gives the stratum of a number, and how many there are bounds what is
    /// read. A stratum that is there twice is added up.
    ///
    /// # Errors
    ///
    /// If the bytes are no strata; `input` is then anywhere.
    pub fn read(input: &mut &[u8], stratum: impl Fn(u64) -> Option<K>) -> Result<Self, RecordError> {
        let mut strata = Self::default();
        for _ in 0..read_number(input)? {
            let key = stratum(read_number(input)?).ok_or(RecordError)?;
            strata.merge_arms(key, &Arms::read(input)?);
        }
        Ok(strata)
    }
}
