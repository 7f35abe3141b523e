//! Redis and Valkey as exchanges.
//!
//! All keys have one hash tag, so that they lie on one node of a cluster:
//!
//! ```text
//! {headstart:GROUP}:log        stream, about 1,000 entries, each with the one field `e`
//! {headstart:GROUP}:epoch      a random number; another one means that the engine was wiped
//! {headstart:GROUP}:base       generation and number of parts of the base
//! {headstart:GROUP}:base:G:N   its parts, of 1 MiB at most
//! {headstart:GROUP}:writer     who writes the base; expires
//! {headstart:GROUP}:nodes      hash: what each node says of itself
//! ```
//!
//! Only commands that every engine since Redis 5 has are used: no script, no module.

mod connect;
mod reply;

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use redis::{Cmd, Value, cmd};

use self::connect::Engine;
use self::reply::{entries, pairs, stream_id, text};
use crate::exchange::{Batch, Cursor, ErrorKind, Exchange, ExchangeError, Pending};
use crate::fleet::FleetError;
use crate::url::EngineUrl;

/// Most entries of the log, about.
const MAX_ENTRIES: usize = 1000;
/// Bytes of a part of the base.
const PART: usize = 1 << 20;
/// Most parts that are read.
const MAX_PARTS: usize = 256;
/// A base is kept for so long while nobody writes another.
const BASE_DAYS: u64 = 7;
/// Every so many reads the last entry's number is compared with the place in the log.
const CHECK: u32 = 30;

/// An engine: Redis or Valkey, alone, in a cluster, or behind sentinels.
#[derive(Debug)]
pub(crate) struct Redis {
    engine: Engine,
    keys: Names,
    state: Mutex<State>,
}

/// The names of keys.
#[derive(Debug)]
struct Names {
    log: String,
    epoch: String,
    base: String,
    writer: String,
    nodes: String,
}

#[derive(Debug)]
struct State {
    /// The place in the log up to which was read, as far as is known here.
    read: Option<(u64, u64)>,
    /// The log's numbers lie behind that: it is a replica's that lagged behind.
    behind: bool,
    /// Average bytes of an entry.
    average: usize,
    reads: u32,
}

impl Redis {
    /// # Errors
    ///
    /// If the program was built without what the URL needs, or TLS has no crypto provider.
    pub(crate) fn new(url: EngineUrl, group: &str) -> Result<Self, FleetError> {
        let key = |name: &str| format!("{{headstart:{group}}}:{name}");
        let keys = Names {
            log: key("log"),
            epoch: key("epoch"),
            base: key("base"),
            writer: key("writer"),
            nodes: key("nodes"),
        };
        let state = State { read: None, behind: false, average: 16 << 10, reads: 0 };
        Ok(Redis { engine: Engine::new(url)?, keys, state: Mutex::new(state) })
    }

    async fn run(&self, cmd: &Cmd) -> Result<Value, ExchangeError> {
        self.engine.run(cmd).await
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of this log, drawn when there is none.
    async fn epoch(&self) -> Result<String, ExchangeError> {
        let get = || cmd("GET").arg(&self.keys.epoch).to_owned();
        if let Some(epoch) = text(&self.run(&get()).await?) {
            return Ok(epoch);
        }
        let new = format!("{:016x}", random());
        self.run(cmd("SET").arg(&self.keys.epoch).arg(&new).arg("NX")).await?;
        text(&self.run(&get()).await?).ok_or_else(|| strange("the epoch"))
    }

    /// Whether the last entry of the log comes before this place: the log is not the one that was read.
    async fn ends_before(&self, place: (u64, u64)) -> Result<bool, ExchangeError> {
        let last = cmd("XREVRANGE").arg(&self.keys.log).arg("+").arg("-").arg("COUNT").arg(1).to_owned();
        let last = entries(&self.run(&last).await?);
        Ok(last.first().and_then(|(id, _)| stream_id(id)).is_none_or(|last| last < place))
    }
}

impl Exchange for Redis {
    fn publish<'a>(&'a self, entry: &'a [u8]) -> Pending<'a, ()> {
        Box::pin(async move {
            let add = cmd("XADD")
                .arg(&self.keys.log)
                .arg("MAXLEN")
                .arg("~")
                .arg(MAX_ENTRIES)
                .arg("*")
                .arg("e")
                .arg(entry)
                .to_owned();
            let id = text(&self.run(&add).await?).and_then(|id| stream_id(&id));
            let mut state = self.state();
            // What was just added comes after all that could be read.
            state.behind |= id.zip(state.read).is_some_and(|(new, read)| new <= read);
            Ok(())
        })
    }

    fn read<'a>(&'a self, after: Option<&'a Cursor>, bytes: usize) -> Pending<'a, Batch> {
        Box::pin(async move {
            let epoch = self.epoch().await?;
            let before = after.and_then(|cursor| cursor.0.split_once('|'));
            let place = before.filter(|(other, _)| *other == epoch).and_then(|(_, id)| stream_id(id));
            let (behind, check, average) = {
                let mut state = self.state();
                state.reads = state.reads.wrapping_add(1);
                (std::mem::take(&mut state.behind), state.reads.is_multiple_of(CHECK), state.average)
            };
            let behind = behind || (check && matches!(place, Some(place) if self.ends_before(place).await?));
            let restarted = before.is_some() && (place.is_none() || behind);
            let from = if behind { (0, 0) } else { place.unwrap_or((0, 0)) };
            let count = (bytes / average.max(1)).clamp(1, 64);
            let read = cmd("XREAD")
                .arg("COUNT")
                .arg(count)
                .arg("STREAMS")
                .arg(&self.keys.log)
                .arg(format!("{}-{}", from.0, from.1))
                .to_owned();
            let found = reply::streams(&self.run(&read).await?);
            let last = found.last().and_then(|(id, _)| stream_id(id)).unwrap_or(from);
            let more = found.len() >= count;
            let entries: Vec<Vec<u8>> = found.into_iter().filter_map(|(_, entry)| entry).collect();
            {
                let mut state = self.state();
                state.read = Some(last);
                if !entries.is_empty() {
                    let mean = entries.iter().map(Vec::len).sum::<usize>() / entries.len();
                    state.average = usize::midpoint(state.average, mean);
                }
            }
            let cursor = Some(Cursor(format!("{epoch}|{}-{}", last.0, last.1)));
            Ok(Batch { entries, cursor, restarted, more })
        })
    }

    fn base(&self) -> Pending<'_, Option<Vec<u8>>> {
        Box::pin(async move {
            let Some(head) = text(&self.run(cmd("GET").arg(&self.keys.base)).await?) else { return Ok(None) };
            let (generation, parts) = head.split_once(' ').ok_or_else(|| strange("the head of the base"))?;
            let parts: usize = parts.parse().map_err(|_| strange("the head of the base"))?;
            let mut base = Vec::new();
            for part in 0..parts.min(MAX_PARTS) {
                match self.run(cmd("GET").arg(format!("{}:{generation}:{part}", self.keys.base))).await? {
                    Value::BulkString(bytes) => base.extend(bytes),
                    // It was replaced meanwhile; the new one is read with the next try.
                    _ => return Err(ExchangeError::new(ErrorKind::Other, "the base was replaced while it was read")),
                }
            }
            Ok(Some(base))
        })
    }

    fn write_base<'a>(&'a self, base: &'a [u8]) -> Pending<'a, ()> {
        Box::pin(async move {
            let generation = format!("{:016x}", random());
            let parts = base.chunks(PART);
            let count = parts.len();
            if count > MAX_PARTS {
                return Err(ExchangeError::new(ErrorKind::Full, "the base is larger than 256 MiB"));
            }
            let seconds = BASE_DAYS * 86_400;
            for (part, bytes) in parts.enumerate() {
                let key = format!("{}:{generation}:{part}", self.keys.base);
                self.run(cmd("SET").arg(key).arg(bytes).arg("EX").arg(seconds)).await?;
            }
            let old = text(&self.run(cmd("GET").arg(&self.keys.base)).await?);
            let head = format!("{generation} {count}");
            self.run(cmd("SET").arg(&self.keys.base).arg(head).arg("EX").arg(seconds)).await?;
            // Whoever reads the old one has some time left.
            if let Some((generation, parts)) = old.as_deref().and_then(|old| old.split_once(' ')) {
                for part in 0..parts.parse().unwrap_or(0).min(MAX_PARTS) {
                    let key = format!("{}:{generation}:{part}", self.keys.base);
                    self.run(cmd("EXPIRE").arg(key).arg(60)).await?;
                }
            }
            Ok(())
        })
    }

    fn lease<'a>(&'a self, holder: &'a str, time: Duration) -> Pending<'a, bool> {
        Box::pin(async move {
            let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1);
            let set = cmd("SET").arg(&self.keys.writer).arg(holder).arg("NX").arg("PX").arg(millis).to_owned();
            if self.run(&set).await? == Value::Okay {
                return Ok(true);
            }
            let mine = text(&self.run(cmd("GET").arg(&self.keys.writer)).await?).as_deref() == Some(holder);
            if mine {
                self.run(cmd("PEXPIRE").arg(&self.keys.writer).arg(millis)).await?;
            }
            Ok(mine)
        })
    }

    fn announce<'a>(&'a self, node: &'a str, status: &'a [u8]) -> Pending<'a, ()> {
        Box::pin(async move {
            self.run(cmd("HSET").arg(&self.keys.nodes).arg(node).arg(status)).await?;
            Ok(())
        })
    }

    fn nodes(&self) -> Pending<'_, Vec<Vec<u8>>> {
        Box::pin(async move {
            let all = self.run(cmd("HGETALL").arg(&self.keys.nodes)).await?;
            Ok(pairs(&all))
        })
    }

    fn leave<'a>(&'a self, node: &'a str) -> Pending<'a, ()> {
        Box::pin(async move {
            self.run(cmd("HDEL").arg(&self.keys.nodes).arg(node)).await?;
            Ok(())
        })
    }

    fn place(&self) -> String {
        self.engine.place()
    }
}

fn strange(what: &str) -> ExchangeError {
    ExchangeError::new(ErrorKind::Other, format!("{what} is not what this program writes"))
}

fn random() -> u64 {
    getrandom::u64().unwrap_or_default()
}
