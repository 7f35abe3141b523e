//! Types of single values, and how each is written.

use std::path::PathBuf;
use std::time::Duration;

use http::HeaderValue;
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
    /// The mistake in the value; `None` if it is of another type altogether.
    fn read(node: &Node) -> Result<Self, Option<String>>;

    /// For messages.
    fn show(&self) -> String;

    /// As it is written in the file.
    fn written(&self) -> String {
        format!("{:?}", self.show())
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

    fn show(&self) -> String {
        self.to_string()
    }

    fn written(&self) -> String {
        self.show()
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

    fn written(&self) -> String {
        self.show()
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

    fn written(&self) -> String {
        self.show()
    }
}

impl Wanted for usize {
    const WHAT: &'static str = "a whole number";

    fn read(node: &Node) -> Result<Self, Option<String>> {
        let number = u64::read(node)?;
        Self::try_from(number).map_err(|_| Some(format!("{number} is out of range: 0 to {}", Self::MAX)))
    }

    fn show(&self) -> String {
        self.to_string()
    }

    fn written(&self) -> String {
        self.show()
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

    fn written(&self) -> String {
        self.show()
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
            ms if ms % 60_000 == 0 && ms > 60_000 => format!("{}min", ms / 60_000),
            _ => format!("{seconds}s"),
        }
    }
}

/// `15min` as a number and what follows it.
pub(super) fn number_and_unit(text: &str) -> Option<(f64, &str)> {
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

    fn show(&self) -> String {
        self.display().to_string()
    }
}

impl Wanted for IpNet {
    const WHAT: &'static str = "an address or a network, such as \"10.0.0.0/8\"";

    fn read(node: &Node) -> Result<Self, Option<String>> {
        let text = text(node)?;
        text.parse().or_else(|_| text.parse::<std::net::IpAddr>().map(Self::from)).map_err(|_| None)
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Wanted for HeaderValue {
    const WHAT: &'static str = "the value of a header field: text without control characters";

    fn read(node: &Node) -> Result<Self, Option<String>> {
        text(node)?.parse().map_err(|_| None)
    }

    fn show(&self) -> String {
        String::from_utf8_lossy(self.as_bytes()).into_owned()
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
        assert_eq!(Duration::from_secs(600).show(), "10min");
        assert_eq!(Duration::from_secs(60).show(), "60s");
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
        assert!(typed::<HeaderValue>("a\nb").is_none());
    }
}
