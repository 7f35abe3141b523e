//! The memory that the encoders of an upstream may take together.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use headstart_coding::{Coding, Encoder, Levels};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Encoders without work that are kept for the next content, in bytes: as many as encode at the same moment, which are as
/// many as there are threads where contents come as a whole.
const MAX_IDLE: usize = 4 << 20;

/// Bounds the encoders in use and those that are kept together.
#[derive(Clone)]
pub(crate) struct Budget(Arc<Shared>);

struct Shared {
    /// In KiB.
    free: Arc<Semaphore>,
    levels: Levels,
    idle: Mutex<Idle>,
}

#[derive(Default)]
struct Idle {
    /// The last one that was used comes last, and is used first: the processor has it at hand.
    encoders: Vec<(Encoder, OwnedSemaphorePermit)>,
    /// The fewest there were since the last look.
    fewest: usize,
}

/// Room for one encoder, given back when it is dropped.
pub(crate) struct Room {
    budget: Budget,
    coding: Coding,
    permit: OwnedSemaphorePermit,
}

impl Budget {
    pub(crate) fn new(bytes: u64, levels: Levels) -> Self {
        let kib = usize::try_from(bytes >> 10).unwrap_or(Semaphore::MAX_PERMITS).min(Semaphore::MAX_PERMITS);
        Budget(Arc::new(Shared { free: Arc::new(Semaphore::new(kib)), levels, idle: Mutex::default() }))
    }

    /// Room for an encoder, if there is any.
    pub(super) fn take(&self, coding: Coding) -> Option<Room> {
        let permit = self.permit(coding).or_else(|| {
            self.idle().encoders.clear();
            self.permit(coding)
        })?;
        Some(Room { budget: self.clone(), coding, permit })
    }

    /// Gives the memory of encoders back that nobody has needed since the last call.
    pub(crate) fn sweep(&self) {
        let mut idle = self.idle();
        let unused = idle.fewest.min(idle.encoders.len());
        idle.encoders.drain(..unused);
        idle.fewest = idle.encoders.len();
    }

    fn permit(&self, coding: Coding) -> Option<OwnedSemaphorePermit> {
        let kib = u32::try_from(Encoder::memory(coding) >> 10).ok()?;
        Arc::clone(&self.0.free).try_acquire_many_owned(kib).ok()
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Room {
    /// An encoder in this room: a kept one, or another.
    pub(super) fn encoder(&self) -> io::Result<Encoder> {
        let mut idle = self.budget.idle();
        let at = idle.encoders.iter().rposition(|(encoder, _)| encoder.coding() == self.coding);
        if let Some(at) = at {
            let (encoder, _permit) = idle.encoders.remove(at);
            idle.fewest = idle.fewest.min(idle.encoders.len());
            return Ok(encoder);
        }
        drop(idle);
        Encoder::new(self.coding, self.budget.0.levels)
    }

    /// Keeps an encoder that has finished, with its room.
    pub(super) fn keep(self, encoder: Encoder) {
        if !encoder.is_reusable() {
            return;
        }
        let mut idle = self.budget.idle();
        let bytes: usize = idle.encoders.iter().map(|(encoder, _)| Encoder::memory(encoder.coding())).sum();
        if bytes + Encoder::memory(self.coding) <= MAX_IDLE {
            idle.encoders.push((encoder, self.permit));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(bytes: u64) -> Budget {
        Budget::new(bytes, Levels::LIVE)
    }

    fn free(budget: &Budget) -> usize {
        budget.0.free.available_permits() << 10
    }

    #[test]
    fn encoders_share_a_memory() {
        let budget = budget(4 << 20);
        let many = |coding| (0..100).map_while(|_| budget.take(coding)).collect::<Vec<_>>();
        let all = many(Coding::Gzip);
        assert_eq!(all.len(), (4 << 20) / Encoder::memory(Coding::Gzip));
        assert!(budget.take(Coding::Br).is_none());
        drop(all);
        assert_eq!(many(Coding::Br).len(), (4 << 20) / Encoder::memory(Coding::Br));
        assert!(self::budget(0).take(Coding::Gzip).is_none());
    }

    #[test]
    fn what_is_kept_is_used_next_and_makes_room_for_what_is_needed() {
        let budget = budget(8 << 20);
        let gzip = Encoder::memory(Coding::Gzip);
        let rooms: Vec<Room> = (0..20).map(|_| budget.take(Coding::Gzip).unwrap()).collect();
        for room in rooms {
            let encoder = Encoder::new(Coding::Gzip, Levels::LIVE).unwrap();
            room.keep(encoder);
        }
        let kept = MAX_IDLE / gzip;
        assert_eq!(budget.idle().encoders.len(), kept);
        assert_eq!(free(&budget), (8 << 20) - kept * gzip, "kept ones count");
        let room = budget.take(Coding::Gzip).unwrap();
        let encoder = room.encoder().unwrap();
        assert_eq!(free(&budget), (8 << 20) - kept * gzip, "one room for one encoder");
        assert_eq!(budget.idle().encoders.len(), kept - 1);
        let other = budget.take(Coding::Zstd).unwrap();
        assert_eq!(other.encoder().unwrap().coding(), Coding::Zstd);
        let third = [budget.take(Coding::Br), budget.take(Coding::Br)];
        assert!(third.iter().all(Option::is_some), "kept ones give way");
        room.keep(encoder);
        drop((other, third));
        assert_eq!(free(&budget), (8 << 20) - gzip);
    }

    #[test]
    fn what_nobody_needs_is_given_back() {
        let budget = budget(8 << 20);
        let rooms: Vec<Room> = (0..3).map(|_| budget.take(Coding::Gzip).unwrap()).collect();
        for room in rooms {
            let encoder = room.encoder().unwrap();
            room.keep(encoder);
        }
        let left = |budget: &Budget| budget.idle().encoders.len();
        assert_eq!(left(&budget), 1, "one after the other is the same one");
        let rooms: Vec<(Room, Encoder)> = (0..3)
            .map(|_| {
                let room = budget.take(Coding::Gzip).unwrap();
                let encoder = room.encoder().unwrap();
                (room, encoder)
            })
            .collect();
        for (room, encoder) in rooms {
            room.keep(encoder);
        }
        budget.sweep();
        assert_eq!(left(&budget), 3);
        let room = budget.take(Coding::Gzip).unwrap();
        let encoder = room.encoder().unwrap();
        room.keep(encoder);
        budget.sweep();
        assert_eq!(left(&budget), 1, "two were not needed");
        budget.sweep();
        assert_eq!((left(&budget), free(&budget)), (0, 8 << 20));
    }
}
