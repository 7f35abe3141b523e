//! Numbers as people read them.

/// Milliseconds with two or three digits that count, or seconds.
pub(super) fn millis(value: f64) -> String {
    let size = value.abs();
    match size {
        size if size >= 10_000.0 => format!("{:.1} s", value / 1000.0),
        size if size >= 1000.0 => format!("{:.2} s", value / 1000.0),
        size if size >= 100.0 || value == 0.0 => format!("{value:.0} ms"),
        size if size >= 10.0 => trimmed(&format!("{value:.1}")) + " ms",
        _ => trimmed(&format!("{value:.2}")) + " ms",
    }
}

/// The same with its sign.
pub(super) fn signed_millis(value: f64) -> String {
    let text = millis(value.abs());
    match value {
        value if value < 0.0 => format!("\u{2212}{text}"),
        value if value > 0.0 => format!("+{text}"),
        _ => text,
    }
}

/// With spaces between thousands.
pub(super) fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// In B, KiB, MiB and so on, with three digits at most.
pub(super) fn bytes(value: u64) -> String {
    let (mut size, mut unit) = (value as f64, 0);
    while size >= 999.5 && unit < 5 {
        size /= 1024.0;
        unit += 1;
    }
    let unit = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"].get(unit).copied().unwrap_or_default();
    let digits = match size {
        size if size >= 99.95 => 0,
        size if size >= 9.995 => 1,
        _ => 2,
    };
    format!("{} {unit}", trimmed(&format!("{size:.digits$}")))
}

/// A share in percent.
pub(super) fn share(value: f64) -> String {
    let value = 100.0 * value;
    if value != 0.0 && value.abs() < 9.95 { format!("{value:.1} %") } else { format!("{value:.0} %") }
}

/// How long something has lasted, in its two largest units.
pub(super) fn age(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, _, 0) => format!("{hours} h"),
        (0, _, _) => format!("{hours} h {minutes} min"),
        (_, 0, _) => format!("{days} d"),
        _ => format!("{days} d {hours} h"),
    }
}

/// A coordinate.
pub(super) fn fixed(value: f64) -> String {
    format!("{value:.1}")
}

fn trimmed(text: &str) -> String {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        for (value, text) in
            [(0.0, "0 ms"), (0.25, "0.25 ms"), (3.5, "3.5 ms"), (42.04, "42 ms"), (512.7, "513 ms"), (1234.0, "1.23 s")]
        {
            assert_eq!(millis(value), text);
        }
        for (value, text) in
            [(0, "0 B"), (999, "999 B"), (1000, "0.98 KiB"), (1024, "1 KiB"), (1536, "1.5 KiB"), (1 << 30, "1 GiB")]
        {
            assert_eq!(bytes(value), text);
        }
        assert_eq!(signed_millis(-20.0), "\u{2212}20 ms");
        assert_eq!(count(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!((count(0), count(999), count(1000)), ("0".into(), "999".into(), "1\u{202f}000".into()));
        assert_eq!((share(0.034), share(0.4), share(0.0)), ("3.4 %".into(), "40 %".into(), "0 %".into()));
        for (seconds, text) in
            [(59, "59 s"), (61, "1 min"), (3600, "1 h"), (3700, "1 h 1 min"), (86_400, "1 d"), (90_000, "1 d 1 h")]
        {
            assert_eq!(age(seconds), text);
        }
    }
}
