//! Times as logs write them, in milliseconds since 1970.

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Whatever form it has; `None` if it has none of them, or is before 1970.
pub(super) fn any(text: &str) -> Option<u64> {
    clf(text).or_else(|| rfc3339(text)).or_else(|| since_epoch(text.parse().ok()?))
}

/// `17/May/2015:10:05:03 +0000`, with or without a fraction of the second.
pub(super) fn clf(text: &str) -> Option<u64> {
    let (date_time, zone) = text.split_once(' ').unwrap_or((text, "+0000"));
    let (date, clock) = date_time.split_once(':')?;
    let mut parts = date.split('/');
    let day = parts.next()?.parse().ok()?;
    let month = month(parts.next()?)?;
    let year = parts.next()?.parse().ok()?;
    moment([year, month, day], clock, zone)
}

/// `2015-05-17T10:05:03Z` (RFC 3339), with a space in place of the T, without a zone (UTC), or with a comma before the
/// fraction.
pub(super) fn rfc3339(text: &str) -> Option<u64> {
    let (date, rest) = text.split_at_checked(10)?;
    let mut parts = date.split('-').map(str::parse);
    let [Some(Ok(year)), Some(Ok(month)), Some(Ok(day))] = [parts.next(), parts.next(), parts.next()] else {
        return None;
    };
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let zone = rest.find(['Z', 'z', '+', '-', ' ']).unwrap_or(rest.len());
    let (clock, zone) = rest.split_at(zone);
    moment([year, month, day], clock, zone.trim())
}

/// A number of seconds, or of milli-, micro- or nanoseconds: whichever is between 1970 and 2100.
pub(super) fn since_epoch(number: f64) -> Option<u64> {
    const UNTIL: f64 = 4_102_444_800.0;
    let seconds = [1.0, 1e3, 1e6, 1e9].map(|per_second| number / per_second);
    let seconds = seconds.into_iter().find(|seconds| *seconds >= 0.0 && *seconds < UNTIL)?;
    Some((seconds * 1000.0).round() as u64)
}

/// The number of a month by its English name of three letters.
fn month(name: &str) -> Option<i64> {
    MONTHS.iter().zip(1..).find(|(known, _)| **known == name).map(|(_, number)| number)
}

/// Whether the text begins as `Oct 11 22:14:15` does.
pub(super) fn starts_as_syslog(text: &str) -> bool {
    let mut words = text.split_ascii_whitespace();
    let is_month = words.next().is_some_and(|word| month(word).is_some());
    let is_day = words.next().is_some_and(|word| word.parse::<u8>().is_ok());
    is_month && is_day && words.next().is_some_and(|word| clock(word).is_some())
}

/// `10:05:03.5` as seconds of the day and milliseconds.
fn clock(text: &str) -> Option<(i64, i64)> {
    let mut parts = text.split(':');
    let (hour, minute): (i64, i64) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let second = parts.next().filter(|_| parts.next().is_none())?;
    let (second, fraction) = second.split_once(['.', ',']).unwrap_or((second, ""));
    let second: i64 = second.parse().ok()?;
    let in_range = (0..24).contains(&hour) && (0..60).contains(&minute) && (0..=60).contains(&second);
    let mut millis = 0;
    for place in 0..3 {
        let digit = fraction.as_bytes().get(place).filter(|byte| byte.is_ascii_digit()).map_or(0, |byte| byte - b'0');
        millis = millis * 10 + i64::from(digit);
    }
    in_range.then(|| (hour * 3600 + minute * 60 + second, millis))
}

fn moment([year, month, day]: [i64; 3], time: &str, zone: &str) -> Option<u64> {
    let (seconds, millis) = clock(time)?;
    let in_range = (1..=31).contains(&day) && (1..=12).contains(&month) && (1970..=9999).contains(&year);
    let offset: i64 = match zone {
        "" | "Z" | "z" => 0,
        zone => zone.replace(':', "").parse().ok().filter(|offset: &i64| (-1500..=1500).contains(offset))?,
    };
    let offset_minutes = offset / 100 * 60 + offset % 100;
    if !in_range {
        return None;
    }
    let seconds = days_since_epoch(year, month, day) * 86_400 + seconds - offset_minutes * 60;
    u64::try_from(seconds * 1000 + millis).ok()
}

/// The day with this number since 1 January 1970, as `2015-05-17`.
pub(crate) fn date(day: u64) -> String {
    let mut left = i64::try_from(day.min(3_000_000)).unwrap_or(0);
    let mut year = 1970 + left / 366;
    while days_since_epoch(year + 1, 1, 1) <= left {
        year += 1;
    }
    let month = (1..=12).rev().find(|month| days_since_epoch(year, *month, 1) <= left).unwrap_or(1);
    left -= days_since_epoch(year, month, 1);
    format!("{year:04}-{month:02}-{:02}", left + 1)
}

/// Days from 1 January 1970 in the Gregorian calendar: years begin in March, so that the
/// leap day comes last.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_zones() {
        for (text, expected) in [
            ("01/Jan/1970:00:00:00 +0000", Some(0)),
            ("29/Feb/2000:12:00:00 +0000", Some(951_825_600_000)),
            ("01/Mar/2000:00:30:00 +0130", Some(951_865_200_000)),
            ("31/Dec/2026:23:59:59 -0500", Some(1_798_779_599_000)),
            ("06/Feb/2009:12:14:14.655", Some(1_233_922_454_655)),
            ("2000-02-29T12:00:00Z", Some(951_825_600_000)),
            ("2000-03-01T00:30:00.25+01:30", Some(951_865_200_250)),
            ("2000-02-29 12:00:00", Some(951_825_600_000)),
            ("951825600", Some(951_825_600_000)),
            ("951825600.5", Some(951_825_600_500)),
            ("951825600000", Some(951_825_600_000)),
            ("951825600000000000", Some(951_825_600_000)),
            ("01/Jan/1970:00:00:00 +0100", None),
            ("17/Mai/2015:10:05:03 +0000", None),
            ("99/May/2015:10:05:03 +0000", None),
            ("2015-13-01T00:00:00Z", None),
            ("1/2", None),
            ("", None),
            ("17/May/2015:100000000000000000:05:03 +0000", None),
            ("17/May/2015:10:05:03 -9223372036854775808", None),
            ("NaN", None),
            ("-5", None),
        ] {
            assert_eq!(any(text), expected, "{text}");
        }
    }

    #[test]
    fn dates_are_days_read_back() {
        for (year, month, day) in [(1970, 1, 1), (2000, 2, 29), (2015, 5, 17), (2024, 12, 31), (2100, 3, 1)] {
            let number = u64::try_from(days_since_epoch(year, month, day)).expect("after 1970");
            assert_eq!(date(number), format!("{year:04}-{month:02}-{day:02}"));
        }
    }
}
