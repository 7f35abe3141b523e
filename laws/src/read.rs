//! An input as values, for laws that ask for more than bytes.

/// Values that are read from the front of an input. An input that is too short reads as zeros: a fuzzer need not find the
/// length first.
pub(crate) trait Read: Sized {
    fn read(input: &mut &[u8]) -> Self;
}

/// The values of a whole input; `None` of an empty one.
pub(crate) fn read<T: Read>(mut bytes: &[u8]) -> Option<T> {
    (!bytes.is_empty()).then(|| T::read(&mut bytes))
}

impl Read for u8 {
    fn read(input: &mut &[u8]) -> Self {
        let (first, rest) = input.split_first().unwrap_or((&0, &[]));
        *input = rest;
        *first
    }
}

impl Read for u16 {
    fn read(input: &mut &[u8]) -> Self {
        u16::from_be_bytes([u8::read(input), u8::read(input)])
    }
}

impl Read for u32 {
    fn read(input: &mut &[u8]) -> Self {
        u32::from(u16::read(input)) << 16 | u32::from(u16::read(input))
    }
}

/// Their number, at most 65,535, and the bytes, as many as there are.
impl Read for Vec<u8> {
    fn read(input: &mut &[u8]) -> Self {
        let length = usize::from(u16::read(input)).min(input.len());
        let (bytes, rest) = input.split_at(length);
        *input = rest;
        bytes.to_vec()
    }
}

impl Read for Vec<Vec<u8>> {
    fn read(input: &mut &[u8]) -> Self {
        (0..u8::read(input)).map(|_| Vec::<u8>::read(input)).collect()
    }
}

impl Read for Vec<u32> {
    fn read(input: &mut &[u8]) -> Self {
        (0..u8::read(input)).map(|_| u32::read(input)).collect()
    }
}

macro_rules! tuples {
    ($(($($name:ident),+))+) => {$(
        impl<$($name: Read),+> Read for ($($name,)+) {
            fn read(input: &mut &[u8]) -> Self {
                ($($name::read(input),)+)
            }
        }
    )+};
}

tuples! { (A, B) (A, B, C) (A, B, C, D) (A, B, C, D, E) }
