//! Sealing: nobody without the key of evidence reads what servers tell each other, or makes up some of it.

use std::fmt;

use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};

use crate::keys::Keys;

/// Bytes of the number that is used once, which stands before what is sealed.
const NONCE_BYTES: usize = 24;

/// Seals and opens under the key of a fleet (XChaCha20-Poly1305; the nonce is random).
#[derive(Clone)]
pub(crate) struct Seal {
    cipher: XChaCha20Poly1305,
}

impl Seal {
    pub(crate) fn new(keys: &Keys) -> Self {
        Seal { cipher: XChaCha20Poly1305::new(&keys.sealing().into()) }
    }

    /// Adds `body` to `head`, sealed and bound to it. `None` if the system gives no random bytes.
    pub(crate) fn seal(&self, head: Vec<u8>, body: &[u8]) -> Option<Vec<u8>> {
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).ok()?;
        let sealed = self.cipher.encrypt(&XNonce::from(nonce), Payload { msg: body, aad: &head }).ok()?;
        let mut out = head;
        out.extend(nonce);
        out.extend(sealed);
        Some(out)
    }

    /// The sealed text behind `head`; `None` if anybody has changed either, or has another key.
    pub(crate) fn open(&self, head: &[u8], rest: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_BYTES>()?;
        self.cipher.decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: head }).ok()
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seal").finish_non_exhaustive()
    }
}
