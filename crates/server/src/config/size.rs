//! Sizes in bytes, and the numbers that they are read into.

use super::tree::{Node, Value};
use super::values::{Wanted, number_and_unit};

/// Bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
pub(crate) struct Size(pub(crate) u64);

impl Size {
    pub(crate) const fn kib(count: u64) -> Self {
        Self(count << 10)
    }

    pub(crate) const fn mib(count: u64) -> Self {
        Self(count << 20)
    }

    pub(crate) fn bytes(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl Wanted for Size {
    const WHAT: &'static str = "bytes, such as 65536, \"64KiB\" or \"64MiB\"";

    fn read(node: &Node) -> Result<Self, Option<String>> {
        match &node.value {
            Value::Integer(number) => u64::try_from(*number).map(Self).map_err(|_| None),
            Value::Text(text) | Value::Loose(text) => {
                let (number, unit) = number_and_unit(text).ok_or(None)?;
                let bytes = match unit {
                    "" | "B" => 1.0,
                    "kB" | "KB" => 1e3,
                    "MB" => 1e6,
                    "GB" => 1e9,
                    "K" | "k" | "KiB" => 1024.0,
                    "M" | "MiB" => 1_048_576.0,
                    "G" | "GiB" => 1_073_741_824.0,
                    _ => return Err(None),
                };
                let bytes = number * bytes;
                if bytes >= 0.0 && bytes < u64::MAX as f64 { Ok(Self(bytes as u64)) } else { Err(None) }
            }
            _ => Err(None),
        }
    }

    fn show(&self) -> String {
        match self.0 {
            bytes if bytes >= 1 << 30 && bytes % (1 << 30) == 0 => format!("{}GiB", bytes >> 30),
            bytes if bytes >= 1 << 20 && bytes % (1 << 20) == 0 => format!("{}MiB", bytes >> 20),
            bytes if bytes >= 1 << 10 && bytes % (1 << 10) == 0 => format!("{}KiB", bytes >> 10),
            bytes => format!("{bytes} bytes"),
        }
    }

    fn written(&self) -> String {
        if self.0 >= 1 << 10 && self.0.is_multiple_of(1 << 10) {
            format!("{:?}", self.show())
        } else {
            self.0.to_string()
        }
    }
}

/// A whole number that a setting says in bytes.
pub(crate) trait ByteCount: 'static {
    fn put(&mut self, size: Size);
    /// `None` is no limit.
    fn get(&self) -> Option<Size>;
}

impl ByteCount for u64 {
    fn put(&mut self, size: Size) {
        *self = size.0;
    }

    fn get(&self) -> Option<Size> {
        Some(Size(*self))
    }
}

impl ByteCount for Option<u64> {
    fn put(&mut self, size: Size) {
        *self = Some(size.0);
    }

    fn get(&self) -> Option<Size> {
        self.map(Size)
    }
}

impl ByteCount for u32 {
    fn put(&mut self, size: Size) {
        *self = Self::try_from(size.0).unwrap_or(Self::MAX);
    }

    fn get(&self) -> Option<Size> {
        Some(Size(u64::from(*self)))
    }
}

impl ByteCount for usize {
    fn put(&mut self, size: Size) {
        *self = size.bytes();
    }

    fn get(&self) -> Option<Size> {
        Some(Size(*self as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::place::Place;

    #[test]
    fn sizes() {
        let bytes = |text: &str| {
            Size::read(&Node { value: Value::Loose(text.into()), place: Place::named("x") }).ok().map(|size| size.0)
        };
        assert_eq!(bytes("64MiB"), Some(64 << 20));
        assert_eq!(bytes("64 KiB"), Some(64 << 10));
        assert_eq!(bytes("1kB"), Some(1000));
        assert_eq!(bytes("12"), Some(12));
        for bad in ["", "-1", "12 apples", "1e300GiB", "NaN"] {
            assert_eq!(bytes(bad), None, "{bad}");
        }
        assert_eq!(Size::mib(64).show(), "64MiB");
        assert_eq!(Size(1023).show(), "1023 bytes");
    }
}
