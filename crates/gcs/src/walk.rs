//! The decoder: one pass over the codewords, many at a time where the bytes allow it.
//!
//! The fast path loads eight bytes at once and takes `U` codewords out of them without asking after each whether it was
//! whole; it asks once, at the end, whether all of them fitted. What limits it is the chain "find the end of the run,
//! shift it and the remainder out", about six cycles a value. Everything else (the last bytes, long runs, ends and faults)
//! goes one codeword at a time through [`Walk::next`], which alone knows the rules.

use core::ops::ControlFlow;

use crate::{BitReader, Error, ErrorKind, Layout, MAX_REMAINDER_BITS, PastRange, Tail, Unary};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Walk<'a> {
    bits: BitReader<'a>,
    layout: Layout,
    /// The last value; before the first one, what makes the first gap come out right.
    last: u64,
    /// How many codewords the header still promises.
    left: u64,
    max_unary: u64,
    done: bool,
}

/// Stands for remainder bits that are known at run time only.
const ANY: u32 = u32::MAX;

/// A codeword, or what there is of it.
enum Codeword {
    /// The gap, and where the codeword ends.
    Whole { gap: u64, end: u64 },
    /// The bytes end within the run, or right after its closing bit if `closed`.
    Run { length: u64, closed: bool },
    /// The bytes end within the remainder; the gap is as if zeros followed.
    Remainder { gap: u64, remainder: u64 },
}

impl<'a> Walk<'a> {
    /// Starts at the first codeword.
    pub(crate) fn new(bits: BitReader<'a>, layout: Layout, max_unary: u64) -> Self {
        let left = match layout.tail {
            Tail::Counted(count) | Tail::Exact(count) => count,
            Tail::GoCasper | Tail::Unfinished => u64::MAX,
        };
        Self { bits, layout, last: start(&layout), left, max_unary, done: false }
    }

    /// Continues in the middle: at `bit`, after the value `last` (none: the start). Counts no longer, so whoever resumes must
    /// break at or before the last value.
    #[cfg(feature = "alloc")]
    pub(crate) fn resume(self, bit: u64, last: Option<u64>) -> Self {
        Self { bits: self.bits.at(bit), left: u64::MAX, last: last.unwrap_or_else(|| start(&self.layout)), ..self }
    }

    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    pub(crate) fn bit(&self) -> u64 {
        self.bits.position()
    }

    /// No more values than this can follow: each takes its closing bit and its remainder.
    #[cfg(feature = "alloc")]
    pub(crate) fn at_most(&self) -> u64 {
        // One more, because go-casper's reader takes a last remainder that is cut short.
        self.left.min(self.bits.remaining() / u64::from(self.layout.code.remainder_bits + 1) + 1)
    }

    /// Hands all values to `visit`, ascending, in slices of one to eight, until it breaks.
    #[inline]
    pub(crate) fn each(&mut self, visit: impl FnMut(&[u64]) -> ControlFlow<()>) -> Result<(), Error> {
        // As many codewords as fill 57 bits now and then, but not often more: the mean codeword of a well chosen code is
        // 1.6 bits longer than its remainder. The codes of cookies (6, or 5 in a full set of our own) and of block filters (19) have a
        // loop of their own with constant shifts: a third fewer instructions.
        match self.layout.code.remainder_bits {
            0..=3 => self.run::<8, ANY>(visit),
            4 => self.run::<6, ANY>(visit),
            5 => self.run::<6, 5>(visit),
            6 => self.run::<6, 6>(visit),
            7..=8 => self.run::<5, ANY>(visit),
            9..=10 => self.run::<4, ANY>(visit),
            11..=15 => self.run::<3, ANY>(visit),
            19 => self.run::<2, 19>(visit),
            16..=24 => self.run::<2, ANY>(visit),
            _ => self.run::<1, ANY>(visit),
        }
    }

    #[inline]
    fn run<const U: usize, const K: u32>(
        &mut self,
        mut visit: impl FnMut(&[u64]) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        let k = if K == ANY { self.layout.code.remainder_bits.min(MAX_REMAINDER_BITS) } else { K };
        let flip = flip(self.layout.code.unary);
        // Takes the closing bit off the remainder, and turns the remainder back if the window was turned.
        let mask = (1 << k) | (flip & ((1 << k) - 1));
        let step = u64::from(self.layout.code.less_one);
        let limit = match self.layout.past_range {
            PastRange::Kept => 1 << 63,
            PastRange::Dropped | PastRange::Error => self.layout.range,
        };
        // A limit on runs below what the fast loop takes in its stride needs a look at each.
        let fast = self.max_unary >= 64 && !self.done;
        let mut block = [0; U];
        loop {
            // Local copies, so that the loop keeps them in registers.
            let (mut bits, mut last, mut left) = (self.bits, self.last, self.left);
            let mut enough = false;
            while fast && left >= U as u64 && !enough {
                let mut ahead = bits.window() ^ flip;
                let mut used = U as u32 * (k + 1);
                let mut value = last;
                for slot in &mut block {
                    // Never more than 63, which keeps the shift in bounds; a run that long does not fit anyway.
                    let quotient = (ahead | 1).leading_zeros();
                    ahead <<= quotient;
                    // The closing bit is on top now, the remainder below it.
                    let gap = (u64::from(quotient) << k) + ((ahead >> (63 - k)) ^ mask);
                    value = value.wrapping_add(gap + step);
                    *slot = value;
                    ahead <<= k + 1;
                    used += quotient;
                }
                if used > bits.real_bits() || value >= limit {
                    break;
                }
                bits.advance(used);
                last = value;
                left -= U as u64;
                enough = visit(&block).is_break();
            }
            (self.bits, self.last, self.left) = (bits, last, left);
            if enough {
                return Ok(());
            }
            let mut count = 0;
            let mut fault = None;
            for slot in &mut block {
                match self.next() {
                    Ok(Some(value)) => *slot = value,
                    Ok(None) => break,
                    Err(error) => {
                        fault = Some(error);
                        break;
                    }
                }
                count += 1;
            }
            let values = block.get(..count).unwrap_or_default();
            // Values before a fault are given out before it is reported: the caller may need no more.
            if !values.is_empty() && visit(values).is_break() {
                return Ok(());
            }
            if let Some(error) = fault {
                return Err(error);
            }
            if count < U {
                return Ok(());
            }
        }
    }

    /// The next value; `None` at the end of the set.
    pub(crate) fn next(&mut self) -> Result<Option<u64>, Error> {
        if self.done {
            return Ok(None);
        }
        if self.left == 0 {
            return self.close();
        }
        let start = self.bits.position();
        if self.layout.tail == Tail::GoCasper && self.bits.remaining() <= 1 {
            return Ok(self.end());
        }
        let codeword = match self.short_codeword() {
            Some(codeword) => codeword,
            None => self.codeword()?,
        };
        let gap = match codeword {
            Codeword::Whole { gap, end } => {
                self.bits = self.bits.at(end);
                gap
            }
            Codeword::Run { length, closed } => match self.layout.tail {
                Tail::Unfinished => return Ok(self.end()),
                Tail::GoCasper if length == 0 => return Ok(self.end()),
                _ => return self.fail(ErrorKind::Truncated, if closed { start } else { start + length }),
            },
            Codeword::Remainder { gap, remainder } => match self.layout.tail {
                Tail::Unfinished => return Ok(self.end()),
                Tail::GoCasper if remainder == 0 => return Ok(self.end()),
                // Missing bits are read as zeros, and the value counts.
                Tail::GoCasper => {
                    self.bits.skip(u64::MAX);
                    gap
                }
                Tail::Counted(_) | Tail::Exact(_) => return self.fail(ErrorKind::Truncated, start),
            },
        };
        let least = self.last.wrapping_add(u64::from(self.layout.code.less_one));
        // Values end at 2^63 whatever the profile keeps: the fast loop relies on it when it adds.
        let value = match (least.checked_add(gap).filter(|&value| value < 1 << 63), self.layout.past_range) {
            (Some(value), _) if value < self.layout.range => value,
            (Some(value), PastRange::Kept) => value,
            (_, PastRange::Dropped) => return Ok(self.end()),
            (_, PastRange::Error | PastRange::Kept) => return self.fail(ErrorKind::Overflow, start),
        };
        self.last = value;
        self.left -= 1;
        Ok(Some(value))
    }

    /// Reads, without moving, a codeword that one window holds whole: nearly all do.
    #[inline]
    fn short_codeword(&self) -> Option<Codeword> {
        let k = self.layout.code.remainder_bits;
        let flip = flip(self.layout.code.unary);
        let ahead = self.bits.window() ^ flip;
        let quotient = ahead.leading_zeros();
        let used = quotient + 1 + k;
        if used > self.bits.real_bits() || u64::from(quotient) > self.max_unary {
            return None;
        }
        let remainder = (ahead << quotient << 1 ^ flip) >> 1 >> (63 - k);
        let gap = u64::from(quotient) << k | remainder;
        Some(Codeword::Whole { gap, end: self.bits.position() + u64::from(used) })
    }

    /// Reads any codeword, or what there is of it, without moving.
    #[inline]
    fn codeword(&mut self) -> Result<Codeword, Error> {
        let start = self.bits.position();
        let k = self.layout.code.remainder_bits;
        let (length, closed) = self.unary_run();
        if length > self.max_unary {
            return self.fail(ErrorKind::Unary, start);
        }
        if !closed {
            return Ok(Codeword::Run { length, closed });
        }
        let Some(quotient) = length.checked_mul(1 << k) else { return self.fail(ErrorKind::Overflow, start) };
        let mut rest = self.bits.at(start + length + 1);
        if let Some(remainder) = rest.read(k) {
            return Ok(Codeword::Whole { gap: quotient | remainder, end: rest.position() });
        }
        let there = rest.remaining() as u32;
        if there == 0 {
            return Ok(Codeword::Run { length, closed });
        }
        let remainder = rest.window() >> 1 >> (63 - k);
        Ok(Codeword::Remainder { gap: quotient | remainder, remainder })
    }

    /// The length of the unary run ahead, and whether its closing bit is there. O(bits / 57).
    fn unary_run(&self) -> (u64, bool) {
        let flip = flip(self.layout.code.unary);
        let mut bits = self.bits;
        let mut length = 0;
        loop {
            let real = u64::from(bits.real_bits()).min(bits.remaining());
            let run = u64::from((bits.window() ^ flip).leading_zeros()).min(real);
            length += run;
            if run < real {
                return (length, true);
            }
            if real == bits.remaining() || length > self.max_unary {
                return (length, false);
            }
            bits.skip(run);
        }
    }

    /// All values that the header promised are there: looks at what follows.
    fn close(&mut self) -> Result<Option<u64>, Error> {
        if let Tail::Exact(_) = self.layout.tail {
            let start = self.bits.position();
            let rest = self.bits.remaining();
            let ones = self.bits.read(rest.min(8) as u32).unwrap_or(0);
            let padding = if self.layout.code.padding { (1 << rest.min(8)) - 1 } else { 0 };
            if rest >= 8 || ones != padding {
                return self.fail(ErrorKind::Trailing, start);
            }
        }
        Ok(self.end())
    }

    fn end(&mut self) -> Option<u64> {
        self.done = true;
        None
    }

    /// Reports a fault, once.
    fn fail<T>(&mut self, kind: ErrorKind, bit: u64) -> Result<T, Error> {
        self.done = true;
        Err(Error::new(kind, bit))
    }
}

/// Turns unary runs of either sense into runs of zeros.
#[inline]
fn flip(unary: Unary) -> u64 {
    match unary {
        Unary::OnesThenZero => u64::MAX,
        Unary::ZerosThenOne => 0,
    }
}

fn start(layout: &Layout) -> u64 {
    0u64.wrapping_sub(u64::from(layout.code.less_one))
}
