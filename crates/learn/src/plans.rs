//! The published plans: a bounded cache between readers and the model.

use std::collections::{HashMap, VecDeque};

use foldhash::fast::FixedState;

use crate::published::Published;
use crate::sync::{Arc, RwLock, read, write};

const SHARDS: usize = 16;

/// Published plans by the key of the node they were built for.
///
/// When a shard is full, plans go that nobody has taken since they were last looked
/// at (the clock algorithm); they are built again when asked for.
#[derive(Debug)]
pub(crate) struct Plans {
    shards: Vec<RwLock<Shard>>,
    /// Most bytes of a shard.
    budget: usize,
}

#[derive(Debug)]
struct Shard {
    plans: HashMap<u64, Arc<Published>, FixedState>,
    order: VecDeque<u64>,
    bytes: usize,
}

impl Plans {
    /// A cache of at most `budget` bytes.
    pub(crate) fn new(budget: usize, seed: u64) -> Self {
        let shard = || {
            RwLock::new(Shard {
                plans: HashMap::with_hasher(FixedState::with_seed(seed)),
                order: VecDeque::new(),
                bytes: 0,
            })
        };
        Self { shards: (0..SHARDS).map(|_| shard()).collect(), budget: budget / SHARDS }
    }

    /// The plan built for a node, if it is kept.
    pub(crate) fn get(&self, key: u64) -> Option<Arc<Published>> {
        let shard = read(self.shard(key)?);
        let plan = shard.plans.get(&key)?;
        plan.touch();
        Some(Arc::clone(plan))
    }

    pub(crate) fn insert(&self, key: u64, plan: &Arc<Published>) {
        let Some(shard) = self.shard(key) else { return };
        let mut shard = write(shard);
        shard.bytes += cost(plan);
        match shard.plans.insert(key, Arc::clone(plan)) {
            Some(old) => shard.bytes -= cost(&old),
            None => shard.order.push_back(key),
        }
        shard.shrink(self.budget);
    }

    /// Puts `new` in the place of `old`, if that is still what is kept.
    pub(crate) fn replace(&self, key: u64, old: &Arc<Published>, new: &Arc<Published>) {
        let Some(shard) = self.shard(key) else { return };
        let mut shard = write(shard);
        if let Some(kept) = shard.plans.get_mut(&key).filter(|kept| Arc::ptr_eq(kept, old)) {
            *kept = Arc::clone(new);
            shard.bytes = shard.bytes + cost(new) - cost(old);
        }
    }

    /// Marks the plan of a node to be rebuilt when it is next asked for.
    pub(crate) fn mark_stale(&self, key: u64) {
        let Some(shard) = self.shard(key) else { return };
        if let Some(plan) = read(shard).plans.get(&key) {
            plan.mark_stale();
        }
    }

    pub(crate) fn remove(&self, key: u64) {
        let Some(shard) = self.shard(key) else { return };
        let mut shard = write(shard);
        if let Some(old) = shard.plans.remove(&key) {
            shard.bytes -= cost(&old);
        }
    }

    /// Bytes of heap.
    pub(crate) fn bytes(&self) -> usize {
        self.shards.iter().map(|shard| read(shard).bytes).sum()
    }

    /// Number of plans.
    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|shard| read(shard).plans.len()).sum()
    }

    fn shard(&self, key: u64) -> Option<&RwLock<Shard>> {
        self.shards.get((key >> 8) as usize % SHARDS)
    }
}

impl Shard {
    fn shrink(&mut self, budget: usize) {
        if self.order.len() > 2 * self.plans.len() + 64 {
            let plans = &self.plans;
            self.order.retain(|key| plans.contains_key(key));
        }
        while self.bytes > budget && self.plans.len() > 1 {
            let Some(key) = self.order.pop_front() else { return };
            if self.plans.get(&key).is_some_and(|plan| plan.clear_touch()) {
                self.order.push_back(key);
            } else if let Some(old) = self.plans.remove(&key) {
                self.bytes -= cost(&old);
            }
        }
    }
}

/// A plan with its places in the table and the queue.
fn cost(plan: &Published) -> usize {
    plan.bytes() + 2 * size_of::<(u64, usize)>() + 2 * size_of::<u64>()
}
