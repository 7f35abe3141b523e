//! One server's entry for the others: a header that anybody can read, and a sealed body.
//!
//! Numbers are little-endian.
//!
//! ```text
//! "HSFLEET", format u8 1, kind u8 (1 evidence, 2 base, 3 status)
//! fingerprint of the key of evidence u64, half-life in ms u64
//! node: length u8, name | boot u64 | sequence u64 | sent, in ms since 1970, u64 | weight u32
//! nonce, 24 bytes | the body under XChaCha20-Poly1305, with all before the nonce as associated data
//! ```

use headstart_learn::Time;

use crate::refusal::{FORMAT, Refusal};
use crate::seal::Seal;

const MAGIC: &[u8; 7] = b"HSFLEET";

/// Longest name of a node, in bytes.
pub(crate) const MAX_NAME: usize = 64;

/// The kind of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Evidence = 1,
    Base = 2,
    Status = 3,
}

/// The part of an entry that anybody can read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) kind: Kind,
    pub(crate) fingerprint: u64,
    /// Milliseconds.
    pub(crate) half_life: u64,
    pub(crate) node: Box<str>,
    /// A random number of the process that sent it.
    pub(crate) boot: u64,
    /// Ascends by one with each entry of the process.
    pub(crate) sequence: u64,
    pub(crate) sent: Time,
    /// The most visits that one visit of it stands for.
    pub(crate) weight: u32,
}

impl Header {
    /// The entry with this header. `None` if the system gives no random bytes.
    pub(crate) fn seal(&self, seal: &Seal, body: &[u8]) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(96 + self.node.len() + body.len());
        out.extend(MAGIC);
        out.extend([FORMAT, self.kind as u8]);
        out.extend(self.fingerprint.to_le_bytes());
        out.extend(self.half_life.to_le_bytes());
        out.push(self.node.len().min(MAX_NAME) as u8);
        out.extend(self.node.as_bytes().iter().take(MAX_NAME));
        for number in [self.boot, self.sequence, self.sent.as_millis()] {
            out.extend(number.to_le_bytes());
        }
        out.extend(self.weight.to_le_bytes());
        seal.seal(out, body)
    }

    /// The header of an entry, its bytes, and what is sealed.
    ///
    /// # Errors
    ///
    /// If it is not an entry of this format.
    pub(crate) fn read(entry: &[u8]) -> Result<(Header, &[u8], &[u8]), Refusal> {
        let rest = entry.strip_prefix(MAGIC).ok_or(Refusal::Garbage)?;
        let (format, rest) = rest.split_first().ok_or(Refusal::Garbage)?;
        if *format != FORMAT {
            return Err(Refusal::OtherFormat(*format));
        }
        let (header, rest) = Self::parse(rest).ok_or(Refusal::Garbage)?;
        let (head, _) = entry.split_at_checked(entry.len() - rest.len()).ok_or(Refusal::Garbage)?;
        Ok((header, head, rest))
    }

    fn parse(bytes: &[u8]) -> Option<(Header, &[u8])> {
        let (kind, rest) = bytes.split_first()?;
        let kind = match kind {
            1 => Kind::Evidence,
            2 => Kind::Base,
            3 => Kind::Status,
            _ => return None,
        };
        let (fingerprint, rest) = number(rest)?;
        let (half_life, rest) = number(rest)?;
        let (length, rest) = rest.split_first()?;
        let (node, rest) = rest.split_at_checked(usize::from(*length)).filter(|(node, _)| is_name(node))?;
        let (boot, rest) = number(rest)?;
        let (sequence, rest) = number(rest)?;
        let (sent, rest) = number(rest)?;
        let (weight, rest) = rest.split_first_chunk()?;
        let node = std::str::from_utf8(node).ok()?.into();
        let (sent, weight) = (Time::from_millis(sent), u32::from_le_bytes(*weight));
        Some((Header { kind, fingerprint, half_life, node, boot, sequence, sent, weight }, rest))
    }
}

/// Whether these bytes may be the name of a node: 1 to 64 letters, digits, `-`, `_` and `.`, which is safe in a key, in a
/// log and, unless it begins with a dot, as a file's name.
pub(crate) fn is_name(name: &[u8]) -> bool {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    (1..=MAX_NAME).contains(&name.len()) && name.iter().all(allowed) && !name.starts_with(b".")
}

/// The next number of eight bytes.
pub(crate) fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u64::from_le_bytes(*number), rest))
}

/// Parts of a body: each a tag u8, a length u32, and bytes. A part of an unknown tag is for later versions.
pub(crate) fn put_part(out: &mut Vec<u8>, tag: u8, part: &[u8]) {
    out.push(tag);
    out.extend(u32::try_from(part.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend(part);
}

/// The first part of a body with this tag; `None` if there is none, `Some(None)` if the body is malformed.
pub(crate) fn part(body: &[u8], wanted: u8) -> Result<Option<&[u8]>, Refusal> {
    let mut rest = body;
    while let Some((tag, after)) = rest.split_first() {
        let (length, after) = after.split_first_chunk().ok_or(Refusal::Malformed)?;
        let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| Refusal::Malformed)?;
        let (part, after) = after.split_at_checked(length).ok_or(Refusal::Malformed)?;
        if *tag == wanted {
            return Ok(Some(part));
        }
        rest = after;
    }
    Ok(None)
}
