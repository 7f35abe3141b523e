//! What a single value may be, and how it is written.

use std::path::PathBuf;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use ipnet::IpNet;

use super::tree::{Node, Value};

/// A type that settings have.
pub(crate) trait Wanted: Sized {
    /// Ends the sentence "it has to be ...".
    const WHAT: &'static str;

    /// Understands a value.
    ///
    /// # Errors
    ///
    /// What is wrong with it; `None` if it is something else altogether.
    fn read(node: &Node) -> Result<Self, Option<String>>;

    /// For messages about its bounds.
    fn show(&self) -> String {
        String::new()
    }
}

/// Text, quoted or from the command line.
fn text(node: &Node) -> Result<&str, Option<String>> {
    match &node.value {
        Value::Text(text) | Value::Loose(text) => Ok(text),
        _ => Err(None),
    }
}

impl Wanted for String {
    const WHAT: &'static str = "text in quotes";

    fn read(node: &Node) -> Result<Self, Option<String>> {
        text(node).map(str::to_owned)
    }

    fn show(&self) -> String {
        self.clone()
    }
}

impl Wanted for bool {
    const WHAT: &'static str = "true or false";

    fn read(node: &Node) -> Result<Self, Option<String>> {
        match &node.value {
            Value::Flag(flag) => Ok(*flag),
            Value::Loose(text) if matches!(&**text, "true" | "yes" | "on" | "1") => Ok(true),
            Value::Loose(text) if matches!(&**text, "false" | "no" | "off" | "0") => Ok(false),
            _ => Err(None),
        }
    }
}

impl Wanted for u64 {
    const WHAT: &'static str = "a whole number";

    fn read(node: &Node) -> Result<Self, Option<String>> {
        match &node.value {
            Value::Integer(number) => Self::try_from(*number).map_err(|_| None),
            Value::Loose(text) => text.parse().map_err(|_| None),
            _ => Err(None),
        }
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Wanted for u32 {
    const WHAT: &'static str = "a whole number";

    fn read(node: &Node) -> Result<Self, Option<String>> {
        let number = u64::read(node)?;
        Self::try_from(number).map_err(|_| Some(format!("{number} is out of range: 0 to {}", Self::MAX)))
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Wanted for f32 {
    const WHAT: &'static str = "a number";

    fn read(node: &Node) -> Result<Self, Option<String>> {
        match &node.value {
            Value::Float(number) => Ok(*number as Self),
            Value::Integer(number) => Ok(*number as Self),
            Value::Loose(text) => text.parse().map_err(|_| None),
            _ => Err(None),
        }
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

/// Seconds as a number, or text with a unit.
impl Wanted for Duration {
    const WHAT: &'static str = "a time, such as 15, \"15s\", \"500ms\", \"10min\", \"12h\" or \"7d\"";

    fn read(node: &Node) -> Result<Self, Option<String>> {
        match &node.value {
            Value::Integer(number) => u64::try_from(*number).map(Self::from_secs).map_err(|_| None),
            Value::Float(number) => Self::try_from_secs_f64(*number).map_err(|_| None),
            Value::Text(text) | Value::Loose(text) => {
                let (number, unit) = number_and_unit(text).ok_or(None)?;
                let seconds = match unit {
                    "ms" => 0.001,
                    "" | "s" | "sec" => 1.0,
                    "m" | "min" => 60.0,
                    "h" => 3600.0,
                    "d" => 86_400.0,
                    _ => return Err(None),
                };
                Self::try_from_secs_f64(number * seconds).map_err(|_| None)
            }
            _ => Err(None),
        }
    }

    fn show(&self) -> String {
        let seconds = self.as_secs_f64();
        match self.as_millis() {
            0 => "0s".into(),
            1..1000 => format!("{}ms", self.as_millis()),
            ms if ms % 86_400_000 == 0 => format!("{}d", ms / 86_400_000),
            ms if ms % 3_600_000 == 0 => format!("{}h", ms / 3_600_000),
            _ => format!("{seconds}s"),
        }
    }
}

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
}

fn number_and_unit(text: &str) -> Option<(f64, &str)> {
    let text = text.trim();
    let unit = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit);
    Some((number.trim().parse().ok()?, unit))
}

/// A path in a file is relative to the directory of the file, one of the command line to the working directory.
impl Wanted for PathBuf {
    const WHAT: &'static str = "a path in quotes";

    fn read(node: &Node) -> Result<Self, Option<String>> {
        let text = text(node)?;
        if text.is_empty() {
            return Err(Some("is empty".into()));
        }
        Ok(node.place.directory().map_or_else(|| Self::from(text), |directory| directory.join(text)))
    }
}

impl Wanted for IpNet {
    const WHAT: &'static str = "an address or a network, such as \"10.0.0.0/8\"";

    fn read(node: &Node) -> Result<Self, Option<String>> {
        let text = text(node)?;
        text.parse().or_else(|_| text.parse::<std::net::IpAddr>().map(Self::from)).map_err(|_| None)
    }
}

impl Wanted for HeaderName {
    const WHAT: &'static str = "the name of a header field";

    fn read(node: &Node) -> Result<Self, Option<String>> {
        text(node)?.parse().map_err(|_| None)
    }
}

impl Wanted for HeaderValue {
    const WHAT: &'static str = "the value of a header field: text without control characters";

    fn read(node: &Node) -> Result<Self, Option<String>> {
        text(node)?.parse().map_err(|_| None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::place::Place;

    fn read<T: Wanted>(value: Value) -> Option<T> {
        T::read(&Node { value, place: Place::named("x") }).ok()
    }

    fn typed<T: Wanted>(text: &str) -> Option<T> {
        read(Value::Loose(text.into()))
    }

    #[test]
    fn durations() {
        let seconds = |text| typed::<Duration>(text).map(|time| time.as_secs_f64());
        assert_eq!(seconds("15"), Some(15.0));
        assert_eq!(seconds("0.5"), Some(0.5));
        assert_eq!(seconds("500ms"), Some(0.5));
        assert_eq!(seconds("2 min"), Some(120.0));
        assert_eq!(seconds("7d"), Some(604_800.0));
        assert_eq!(read::<Duration>(Value::Integer(3)), Some(Duration::from_secs(3)));
        for bad in ["", "soon", "-1", "NaN", "1y", "1e400", "inf", "s"] {
            assert_eq!(seconds(bad), None, "{bad}");
        }
        assert_eq!(read::<Duration>(Value::Integer(-1)), None);
        assert_eq!(Duration::from_millis(1500).show(), "1.5s");
        assert_eq!(Duration::from_secs(86_400).show(), "1d");
    }

    #[test]
    fn sizes() {
        let bytes = |text| typed::<Size>(text).map(|size| size.0);
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

    #[test]
    fn a_type_is_not_taken_for_another() {
        assert_eq!(read::<bool>(Value::Text("true".into())), None);
        assert_eq!(typed::<bool>("on"), Some(true));
        assert_eq!(read::<u64>(Value::Text("1".into())), None);
        assert_eq!(typed::<u64>("1"), Some(1));
        assert_eq!(read::<u64>(Value::Integer(-1)), None);
        assert_eq!(read::<u32>(Value::Integer(1 << 40)), None);
        assert_eq!(read::<String>(Value::Integer(1)), None);
        assert_eq!(read::<f32>(Value::Integer(1)), Some(1.0));
    }

    #[test]
    fn networks_and_fields() {
        assert!(typed::<IpNet>("10.0.0.0/8").is_some() && typed::<IpNet>("::1").is_some());
        assert!(typed::<IpNet>("10.0.0.0/33").is_none());
        assert!(typed::<HeaderName>("x-frame-options").is_some() && typed::<HeaderName>("a b").is_none());
        assert!(typed::<HeaderValue>("a\nb").is_none());
    }
}
