//! The bytes of sketches: numbers of seven bits a byte (LEB128), bins as gaps.

use std::fmt;

use crate::arms::Arms;
use crate::sketch::Sketch;

/// The bytes are not those of what was to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeError(());

impl DecodeError {
    pub(crate) fn new() -> Self {
        DecodeError(())
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the bytes are not those of measured times")
    }
}

impl std::error::Error for DecodeError {}

/// Appends to a vector.
pub(crate) struct Writer<'a> {
    into: &'a mut Vec<u8>,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(into: &'a mut Vec<u8>) -> Self {
        Self { into }
    }

    pub(crate) fn byte(&mut self, byte: u8) {
        self.into.push(byte);
    }

    pub(crate) fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.into.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.into.push(number as u8);
    }

    pub(crate) fn arms(&mut self, arms: &Arms) {
        self.sketch(&arms.helped);
        self.sketch(&arms.held_out);
    }

    fn sketch(&mut self, sketch: &Sketch) {
        self.number(sketch.rows().count() as u64);
        if sketch.is_empty() {
            return;
        }
        self.number(sketch.views());
        self.number(sketch.clients());
        self.number(sketch.squares());
        let mut next = 0;
        for (bin, units) in sketch.rows() {
            self.number((bin - next) as u64);
            self.number(units);
            next = bin + 1;
        }
    }
}

/// Reads from the front of a slice.
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    pub(crate) fn rest(self) -> &'a [u8] {
        self.bytes
    }

    pub(crate) fn byte(&mut self) -> Result<u8, DecodeError> {
        let (byte, rest) = self.bytes.split_first().ok_or(DecodeError(()))?;
        self.bytes = rest;
        Ok(*byte)
    }

    pub(crate) fn number(&mut self) -> Result<u64, DecodeError> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let part = u64::from(byte & 0x7f);
            if part.leading_zeros() < shift {
                return Err(DecodeError(()));
            }
            number |= part << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(DecodeError(()))
    }

    pub(crate) fn arms(&mut self) -> Result<Arms, DecodeError> {
        Ok(Arms { helped: self.sketch()?, held_out: self.sketch()? })
    }

    fn sketch(&mut self) -> Result<Sketch, DecodeError> {
        let count = self.number()?;
        if count == 0 {
            return Ok(Sketch::default());
        }
        let (views, clients, squares) = (self.number()?, self.number()?, self.number()?);
        let mut bins = Vec::new();
        let mut next = 0_u64;
        for _ in 0..count {
            let bin =
                self.number()?.checked_add(next).and_then(|bin| u16::try_from(bin).ok()).ok_or(DecodeError(()))?;
            bins.push((bin, self.number()?));
            next = u64::from(bin) + 1;
        }
        Sketch::from_sums(bins, squares, views, clients).ok_or(DecodeError(()))
    }
}
