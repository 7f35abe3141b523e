//! Reading numbers and texts from bytes that may be anything.

/// A place in bytes. Every method returns `None` at the end and moves past what it read.
#[derive(Clone, Copy)]
pub(crate) struct Cursor<'a>(pub(crate) &'a [u8]);

impl<'a> Cursor<'a> {
    pub(crate) fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_le_bytes)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// A number in LEB128.
    pub(crate) fn varint(&mut self) -> Option<u64> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                return None;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    /// A place by its distance from another: twice that, and one more if it lies before it.
    pub(crate) fn distance(&mut self, from: usize) -> Option<usize> {
        let number = self.varint()?;
        let length = usize::try_from(number >> 1).ok()?;
        if number & 1 == 0 { from.checked_add(length) } else { from.checked_sub(length) }
    }

    /// A number of things of at least `least` bytes each: no more than there can be.
    pub(crate) fn count(&mut self, least: usize) -> Option<usize> {
        let count = usize::try_from(self.varint()?).ok()?;
        (count <= self.0.len() / least.max(1)).then_some(count)
    }

    /// One of these, by its place in LEB128.
    pub(crate) fn index<'t, T>(&mut self, table: &'t [T]) -> Option<&'t T> {
        table.get(usize::try_from(self.varint()?).ok()?)
    }

    /// A text with its length in LEB128 in front, of at most `max` bytes.
    pub(crate) fn short_text(&mut self, max: usize) -> Option<&'a str> {
        let length = usize::try_from(self.varint()?).ok().filter(|length| *length <= max)?;
        std::str::from_utf8(self.take(length)?).ok()
    }

    /// A text with its length in front, of at most `max` bytes.
    pub(crate) fn text(&mut self, max: usize) -> Option<&'a str> {
        let length = usize::from(self.u16()?);
        let bytes = self.take(length)?;
        std::str::from_utf8(bytes).ok().filter(|text| text.len() <= max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_any_length() {
        assert_eq!(Cursor(&[0x7f]).varint(), Some(127));
        assert_eq!(Cursor(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]).varint(), Some(u64::MAX));
        assert_eq!(Cursor(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2]).varint(), None, "too large");
        assert_eq!(Cursor(&[0x80]).varint(), None);
        assert_eq!((Cursor(&[3]).distance(5), Cursor(&[4]).distance(5)), (Some(4), Some(7)));
        assert_eq!(Cursor(&[13]).distance(5), None, "before the first");
        assert_eq!((Cursor(&[3, 0, 0, 0]).count(1), Cursor(&[4, 0, 0, 0]).count(1)), (Some(3), None));
        assert_eq!(Cursor(&[2, b'a', b'b']).short_text(2), Some("ab"));
        assert_eq!(Cursor(&[2, b'a', b'b']).short_text(1), None);
    }

    #[test]
    fn nothing_is_read_past_the_end() {
        let mut cursor = Cursor(&[1, 0, b'a', 9]);
        assert_eq!(cursor.text(1), Some("a"));
        assert_eq!(cursor.u16(), None);
        assert_eq!(cursor.u8(), Some(9));
        assert_eq!((cursor.u8(), cursor.is_empty()), (None, true));
        assert_eq!(Cursor(&[2, 0, b'a', b'b']).text(1), None);
    }
}
