//! The format of a digest with its parameters, and its operations on keys and values.

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use headstart::gcs::{
    Bip158, CacheDigest, Encode, Error, GoCasper, H2oCasper, HeadstartV1, Kazuho00, Set, from_base64url,
    from_base64url_lenient, to_base64url,
};
use serde::Deserialize;

/// Parameters on which both ends must agree: flags here, names in JSON there.
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Parameters {
    /// Format: go-casper, h2o, cache-digest, kazuho-00, bip158 or v1
    #[arg(long, value_name = "FORMAT")]
    profile: Option<String>,

    /// go-casper: the number of keys it is meant for, as in casper.New(P, N)
    #[arg(long, value_name = "N")]
    n: Option<u32>,

    /// go-casper, cache-digest, kazuho-00: one false positive in P, a power of two; bip158: bits of a remainder [default there: 19]
    #[arg(long, value_name = "P")]
    p: Option<u32>,

    /// bip158: one false positive in M [default: 784931]
    #[arg(long, value_name = "M")]
    m: Option<u32>,

    /// h2o: as in http2-casper [default: 13]
    #[arg(long, value_name = "BITS")]
    #[serde(alias = "capacity_bits")]
    capacity_bits: Option<u32>,

    /// bip158, v1: the key of the hash, 32 hexadecimal digits
    #[arg(long, value_name = "HEX")]
    key: Option<String>,

    /// v1: one false positive in two to the power of this
    #[arg(long, value_name = "BITS")]
    #[serde(alias = "remainder_bits")]
    remainder_bits: Option<u32>,

    /// Keys are given as hexadecimal digits
    #[arg(long)]
    #[serde(default)]
    hex: bool,
}

impl Parameters {
    /// These, and where they say nothing, `others`.
    pub(super) fn or(self, others: &Self) -> Self {
        Self {
            profile: self.profile.or_else(|| others.profile.clone()),
            n: self.n.or(others.n),
            p: self.p.or(others.p),
            m: self.m.or(others.m),
            capacity_bits: self.capacity_bits.or(others.capacity_bits),
            key: self.key.or_else(|| others.key.clone()),
            remainder_bits: self.remainder_bits.or(others.remainder_bits),
            hex: self.hex || others.hex,
        }
    }

    fn hash_key(&self) -> anyhow::Result<[u8; 16]> {
        let digits = self.key.as_deref().context("--key is missing")?;
        let bytes = from_hex(digits.as_bytes()).with_context(|| format!("--key {digits:?}"))?;
        bytes.try_into().ok().with_context(|| format!("--key {digits:?} is not 32 hexadecimal digits"))
    }

    /// log2 of `--p`.
    fn log2_p(&self) -> anyhow::Result<u32> {
        let p = self.p.context("--p is missing")?;
        ensure!(p.is_power_of_two(), "--p {p} is not a power of two");
        Ok(p.ilog2())
    }
}

/// A format with its parameters, checked.
pub(super) struct Format {
    profile: Profile,
    hex: bool,
}

enum Profile {
    Bip158(Bip158),
    CacheDigest(CacheDigest),
    GoCasper(GoCasper),
    H2o(H2oCasper),
    Kazuho00(Kazuho00),
    /// How large the set is, the keys or the bytes say.
    V1 {
        key: [u8; 16],
        remainder_bits: u32,
    },
}

impl Format {
    pub(super) fn new(parameters: &Parameters) -> anyhow::Result<Self> {
        let name = parameters.profile.as_deref().context("--profile is missing")?;
        let profile = match name {
            "bip158" => {
                let (m, p) = (parameters.m.unwrap_or(784_931), parameters.p.unwrap_or(19));
                let profile = Bip158::checked(parameters.hash_key()?, m, p);
                Profile::Bip158(
                    profile.with_context(|| format!("--m {m} is not 1 to 2^(P + 8), or --p {p} is over 32"))?,
                )
            }
            "cache-digest" => Profile::CacheDigest(CacheDigest::new(parameters.log2_p()?)),
            "go-casper" => {
                let n = parameters.n.context("--n is missing")?;
                let p = parameters.p.context("--p is missing")?;
                let profile = GoCasper::checked(n, p);
                Profile::GoCasper(
                    profile.with_context(|| format!("--n {n} is 0, or --p {p} is not a power of two from 2"))?,
                )
            }
            "h2o" => {
                let bits = parameters.capacity_bits.unwrap_or(13);
                let profile = H2oCasper::checked(bits);
                Profile::H2o(profile.with_context(|| format!("--capacity-bits {bits} is not 1 to 15"))?)
            }
            "kazuho-00" => Profile::Kazuho00(Kazuho00::new(parameters.log2_p()?)),
            "v1" => {
                let remainder_bits = parameters.remainder_bits.context("--remainder-bits is missing")?;
                ensure!((1..=31).contains(&remainder_bits), "--remainder-bits {remainder_bits} is not 1 to 31");
                Profile::V1 { key: parameters.hash_key()?, remainder_bits }
            }
            _ => bail!("--profile {name:?} is not one of bip158, cache-digest, go-casper, h2o, kazuho-00, v1"),
        };
        Ok(Self { profile, hex: parameters.hex })
    }

    /// A key out of the text that names it.
    pub(super) fn key(&self, text: &[u8]) -> anyhow::Result<Vec<u8>> {
        if self.hex {
            return from_hex(text);
        }
        let mut key = text.to_vec();
        if let (Profile::CacheDigest(_), Some(tab)) = (&self.profile, text.iter().position(|&byte| byte == b'\t')) {
            // URL, tab, ETag: what is hashed is one after the other.
            key.remove(tab);
        }
        Ok(key)
    }

    pub(super) fn encode(&self, keys: &[Vec<u8>]) -> anyhow::Result<String> {
        Ok(match self.profile {
            Profile::Bip158(profile) => {
                // Empty items are none, says the BIP.
                to_hex(&Set::from_keys(profile, keys.iter().filter(|key| !key.is_empty())).encode())
            }
            Profile::CacheDigest(profile) => to_base64url(&Set::from_keys(profile, keys).encode()),
            Profile::GoCasper(profile) => to_base64url(&Set::from_keys(profile, keys).encode()),
            Profile::H2o(profile) => to_base64url(&Set::from_keys(profile, keys).encode()),
            Profile::Kazuho00(profile) => to_hex(&Set::from_keys(profile, keys).encode()),
            Profile::V1 { key, remainder_bits } => {
                let mut distinct: Vec<_> = keys.iter().collect();
                distinct.sort_unstable();
                distinct.dedup();
                ensure!(u32::try_from(distinct.len()).is_ok_and(|keys| keys <= 1 << 31), "too many keys");
                let profile = HeadstartV1::for_keys(key, remainder_bits, distinct.len());
                to_base64url(&Set::from_keys(profile, distinct).encode())
            }
        })
    }

    /// The values in a digest, ascending.
    pub(super) fn decode(&self, value: &str) -> anyhow::Result<Vec<u64>> {
        self.read(value, &[]).map(|(values, _)| values)
    }

    /// Tells for each key whether the digest holds it.
    pub(super) fn check(&self, value: &str, keys: &[Vec<u8>]) -> anyhow::Result<Vec<bool>> {
        self.read(value, keys).map(|(_, held)| held)
    }

    fn read(&self, value: &str, keys: &[Vec<u8>]) -> anyhow::Result<(Vec<u64>, Vec<bool>)> {
        let bytes = match self.profile {
            Profile::Bip158(_) | Profile::Kazuho00(_) => from_hex(value.as_bytes()),
            // Flags may follow in a header.
            Profile::CacheDigest(_) => {
                let text = value.split(';').next().unwrap_or_default();
                from_base64url_lenient(text.trim(), usize::MAX).map_err(Into::into)
            }
            Profile::GoCasper(_) | Profile::H2o(_) => from_base64url_lenient(value, usize::MAX).map_err(Into::into),
            Profile::V1 { .. } => from_base64url(value, usize::MAX).map_err(Into::into),
        };
        let answer = bytes.and_then(|bytes| Ok(self.read_bytes(&bytes, keys)?));
        answer.with_context(|| format!("cannot decode {value:?}"))
    }

    fn read_bytes(&self, bytes: &[u8], keys: &[Vec<u8>]) -> Result<(Vec<u64>, Vec<bool>), Error> {
        match self.profile {
            Profile::Bip158(profile) => look(profile, bytes, keys),
            Profile::CacheDigest(profile) => look(profile, bytes, keys),
            Profile::GoCasper(profile) => look(profile, bytes, keys),
            Profile::H2o(profile) => look(profile, bytes, keys),
            Profile::Kazuho00(profile) => look(profile, bytes, keys),
            Profile::V1 { key, remainder_bits } => {
                let found = HeadstartV1::of_bytes(key, bytes)?;
                // Other remainder bits than those asked for are an error that the decoder knows best how to name.
                look(HeadstartV1::new(key, remainder_bits, found.capacity_bits()), bytes, keys)
            }
        }
    }
}

fn look<P: Encode>(profile: P, bytes: &[u8], keys: &[Vec<u8>]) -> Result<(Vec<u64>, Vec<bool>), Error> {
    let set = Set::decode(profile, bytes, usize::MAX)?;
    let held = keys.iter().map(|key| set.contains(key)).collect();
    Ok((set.values().to_vec(), held))
}

fn to_hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn from_hex(text: &[u8]) -> anyhow::Result<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let bytes = text.chunks(2).map(|pair| match *pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    });
    bytes.collect::<Option<_>>().context("not hexadecimal digits in pairs")
}
