//! The figures as bytes, so that they outlive the program.
//!
//! Eight bytes say what it is, then come numbers as in `headstart_gain`'s records, then a checksum. Pages are keyed hashes
//! here too; their key is in the file, which only its owner may read.

use std::fmt;
use std::hash::Hasher as _;
use std::time::Duration;

use headstart_gain::{RecordError, read_number, write_number};
use siphasher::sip::SipHasher13;

use super::MAX_PAGES;
use super::browser::BrowserFigures;
use super::figures::Figures;

/// The last byte is the version.
const MAGIC: [u8; 8] = *b"hsgain\0\x02";

/// The part of a ledger that is kept.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Saved {
    /// The key of the hashes of pages.
    pub(super) key: [u8; 16],
    /// How long the figures were gathered.
    pub(super) age: Duration,
    pub(super) all_pages: Figures,
    /// Of A/A comparisons.
    pub(super) aa: Figures,
    /// Of pages that gave way to others.
    pub(super) others: Figures,
    /// Reports of browsers.
    pub(super) browser: BrowserFigures,
    pub(super) pages: Vec<SavedPage>,
}

/// The part of a page's record that is kept.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct SavedPage {
    pub(super) key: u64,
    /// As of the end.
    pub(super) weight: f64,
    pub(super) figures: Figures,
}

/// Bytes that are no figures that this version can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SavedError(&'static str);

impl fmt::Display for SavedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for SavedError {}

impl From<RecordError> for SavedError {
    fn from(_: RecordError) -> Self {
        SavedError("it is damaged")
    }
}

impl Saved {
    /// The same figures give the same bytes.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend(self.key);
        write_number(self.age.as_secs(), &mut out);
        for figures in [&self.all_pages, &self.aa, &self.others] {
            figures.write(&mut out);
        }
        self.browser.write(&mut out);
        write_number(self.pages.len() as u64, &mut out);
        for page in &self.pages {
            out.extend(page.key.to_le_bytes());
            write_number(page.weight.to_bits(), &mut out);
            page.figures.write(&mut out);
        }
        out.extend(checksum(&out));
        out
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    ///
    /// If it is something else, of another version, or damaged.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, SavedError> {
        let damaged = SavedError("it is damaged");
        let (head, _) = bytes.split_first_chunk::<8>().ok_or(damaged)?;
        match (head.split_last(), MAGIC.split_last()) {
            (Some((version, magic)), Some((known, expected))) if magic == expected => {
                if version != known {
                    return Err(SavedError("it is of another version"));
                }
            }
            _ => return Err(SavedError("it holds no figures of what the help is worth")),
        }
        let (body, sum) = bytes.split_last_chunk::<8>().ok_or(damaged)?;
        if checksum(body) != *sum {
            return Err(damaged);
        }
        let mut input = body.get(MAGIC.len()..).ok_or(damaged)?;
        let mut saved = Saved { key: chunk(&mut input)?, ..Saved::default() };
        saved.age = Duration::from_secs(read_number(&mut input)?);
        for figures in [&mut saved.all_pages, &mut saved.aa, &mut saved.others] {
            *figures = Figures::read(&mut input)?;
        }
        saved.browser = BrowserFigures::read(&mut input)?;
        let count = read_number(&mut input)?;
        if count > MAX_PAGES as u64 {
            return Err(damaged);
        }
        for _ in 0..count {
            let key = u64::from_le_bytes(chunk(&mut input)?);
            let weight = f64::from_bits(read_number(&mut input)?);
            if !weight.is_finite() || weight < 0.0 {
                return Err(damaged);
            }
            saved.pages.push(SavedPage { key, weight, figures: Figures::read(&mut input)? });
        }
        if input.is_empty() { Ok(saved) } else { Err(damaged) }
    }
}

fn chunk<const N: usize>(input: &mut &[u8]) -> Result<[u8; N], SavedError> {
    let (chunk, rest) = input.split_first_chunk::<N>().ok_or(SavedError("it is damaged"))?;
    *input = rest;
    Ok(*chunk)
}

/// Against what a disk does, not against people: who can write the file can write anything.
fn checksum(bytes: &[u8]) -> [u8; 8] {
    let mut hasher = SipHasher13::new();
    hasher.write(bytes);
    hasher.finish().to_le_bytes()
}

#[cfg(test)]
mod tests {
    use headstart_gain::{Arm, Observation, Weight};

    use super::super::browser::BrowserStratum;
    use super::*;

    fn saved() -> Saved {
        let figures = |n: u64| {
            Figures::of((0..n).map(|view| {
                let arm = if view % 4 == 0 { Arm::HeldOut } else { Arm::Helped };
                (arm, Duration::from_millis(100 + view * 37 % 400))
            }))
        };
        let page = |key| SavedPage { key, weight: 2.5, figures: figures(key) };
        let mut browser = BrowserFigures { helped: 3, used: 1, first_look: Some(16.0), ..BrowserFigures::default() };
        for (metric, code) in browser.metrics.iter_mut().zip([0, 5, 63, 18]) {
            let observation =
                Observation { time: Duration::from_millis(700 + code), weight: Weight::ONE, first_of_client: true };
            metric.add(BrowserStratum::of_code(code).unwrap(), Arm::HeldOut, &observation);
        }
        Saved {
            key: [7; 16],
            age: Duration::from_secs(90_000),
            all_pages: figures(300),
            aa: figures(9),
            others: Figures::default(),
            browser,
            pages: vec![page(3), page(40)],
        }
    }

    #[test]
    fn what_was_written_is_read() {
        assert_eq!(Saved::from_bytes(&saved().to_bytes()), Ok(saved()));
        assert_eq!(Saved::from_bytes(&Saved::default().to_bytes()), Ok(Saved::default()));
    }

    #[test]
    fn any_damage_is_noticed() {
        let bytes = saved().to_bytes();
        for end in 0..bytes.len() {
            assert!(Saved::from_bytes(&bytes[..end]).is_err(), "cut off at {end}");
        }
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << (at % 8);
            assert!(Saved::from_bytes(&damaged).is_err(), "{at}");
        }
        assert!(Saved::from_bytes(b"hsgain\0\x01 and more").unwrap_err().to_string().contains("version"));
    }
}
