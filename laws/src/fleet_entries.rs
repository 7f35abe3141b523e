//! Any bytes as an entry or a base of a fleet, as an entry of a server that has the key and lies, and as the file that says
//! what was read: an error, or each entry is taken in once.

use std::sync::{Arc, Mutex};

use headstart_fleet::{Figures, Heard, Keys, Node};
use headstart_learn::{Config, Learner, Time};

const NOW: Time = Time::from_millis(1_700_000_000_000);

#[derive(Debug)]
struct Server(Learner);

impl AsRef<Learner> for Server {
    fn as_ref(&self) -> &Learner {
        &self.0
    }
}

/// Tells these bytes once, and keeps what it is told.
#[derive(Debug, Default)]
struct Kept {
    told: Mutex<Option<Vec<u8>>>,
    heard: Mutex<Vec<Vec<u8>>>,
}

impl Figures for Kept {
    fn take(&self, most: usize) -> Option<Vec<u8>> {
        self.told.lock().expect("no panic under the lock").take().filter(|told| told.len() <= most)
    }

    fn add(&self, told: &[u8]) -> bool {
        self.heard.lock().expect("no panic under the lock").push(told.to_vec());
        true
    }

    fn known(&self) -> Vec<u8> {
        Vec::new()
    }

    fn replace(&self, _: &[u8]) -> bool {
        true
    }
}

fn node(name: &str, boot: u64, told: Option<&[u8]>) -> (Node<Server>, Arc<Kept>) {
    let keys = Keys::parse("evidence = AAAAAAAAAAAAAAAAAAAAAA\ncookie = AAAAAAAAAAAAAAAAAAAAAQ").expect("two keys");
    let config = Config::builder().memory_bytes(1 << 20).key(keys.evidence()).build().expect("in range");
    let kept = Arc::new(Kept { told: Mutex::new(told.map(<[u8]>::to_vec)), heard: Mutex::default() });
    let server = Arc::new(Server(Learner::new(config)));
    (Node::new(name, boot, &keys, server, 64 << 10, 256).with_figures(Arc::clone(&kept) as Arc<dyn Figures>), kept)
}

/// One input.
///
/// # Panics
///
/// If bytes that nobody has sealed are taken in, or an entry is taken in twice or changed.
pub fn run(bytes: &[u8]) {
    let (mut honest, kept) = node("web-1", 1, None);
    // Whoever has no key tells nothing.
    assert!(honest.hear(NOW, bytes).is_err() && honest.take_base(NOW, bytes).is_err());
    // Who has it may put anything inside.
    let most = bytes.get(..32 << 10).unwrap_or(bytes);
    let (mut liar, _) = node("web-2", 2, Some(most));
    let entry = liar.tell(NOW, 1 << 20).expect("an entry with these figures");
    // Any part of an entry may be replaced on the way.
    if let Some((at, with)) = bytes.split_first().filter(|(_, with)| !with.is_empty()) {
        let at = usize::from(*at) * entry.len() / 256;
        let mut changed = entry.clone();
        for (place, byte) in changed.iter_mut().skip(at).zip(with) {
            *place = *byte;
        }
        if changed != entry {
            let heard = honest.hear(NOW, &changed);
            // A header that says that it is this server's own is not opened.
            assert!(heard.is_err() || heard == Ok(Heard::Own), "{heard:?}");
        }
    }
    assert!(kept.heard.lock().expect("no panic under the lock").is_empty());
    assert!(matches!(honest.hear(NOW, &entry), Ok(Heard::New { figures: Some(true), .. })));
    assert_eq!(honest.hear(NOW, &entry), Ok(Heard::Known));
    assert_eq!(*kept.heard.lock().expect("no panic under the lock"), [most]);
    // The file of what was read, as it is and as the part of it that lists entries.
    let (mut again, _) = node("web-1", 3, None);
    let _ = again.resume(bytes);
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes();
    let listed = [&[2], &length[..], bytes, &[4, 0, 0, 0, 0]].concat();
    if again.resume(&listed).is_some() {
        let remembered = again.remember(NOW, None);
        let (mut copy, _) = node("web-1", 4, None);
        assert!(copy.resume(&remembered).is_some(), "its own file");
        assert!(!matches!(copy.hear(NOW, bytes), Ok(Heard::New { .. })));
    }
}
