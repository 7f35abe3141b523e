//! Values under small numbers, in chunks: growth never copies what is there.

const CHUNK: usize = 1024;

/// A table of values by number. Numbers of removed values are given out again.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    chunks: Vec<Vec<Option<T>>>,
    free: Vec<u32>,
    len: usize,
}

impl<T> Slab<T> {
    pub(crate) fn new() -> Self {
        Self { chunks: Vec::new(), free: Vec::new(), len: 0 }
    }

    /// Number of values.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// One past the highest number ever given out.
    pub(crate) fn end(&self) -> u32 {
        let full = self.chunks.len().saturating_sub(1) * CHUNK;
        (full + self.chunks.last().map_or(0, Vec::len)) as u32
    }

    pub(crate) fn insert(&mut self, value: T) -> u32 {
        self.len += 1;
        if let Some(id) = self.free.pop() {
            if let Some(place) = self.place(id) {
                *place = Some(value);
            }
            return id;
        }
        let id = self.end();
        match self.chunks.last_mut() {
            Some(chunk) if chunk.len() < CHUNK => chunk.push(Some(value)),
            _ => {
                let mut chunk = Vec::with_capacity(CHUNK);
                chunk.push(Some(value));
                self.chunks.push(chunk);
            }
        }
        id
    }

    pub(crate) fn remove(&mut self, id: u32) -> Option<T> {
        let value = self.place(id)?.take()?;
        self.free.push(id);
        self.len -= 1;
        Some(value)
    }

    /// Moves a part of a value to the end of a list, and drops the rest. Whether there was one.
    pub(crate) fn move_to<U>(&mut self, id: u32, list: &mut Vec<U>, part: impl FnOnce(T) -> U) -> bool {
        let Some(value) = self.place(id).and_then(Option::take) else { return false };
        list.push(part(value));
        self.free.push(id);
        self.len -= 1;
        true
    }

    pub(crate) fn get(&self, id: u32) -> Option<&T> {
        let id = id as usize;
        self.chunks.get(id / CHUNK)?.get(id % CHUNK)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, id: u32) -> Option<&mut T> {
        self.place(id)?.as_mut()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        let places = self.chunks.iter().flatten();
        (0u32..).zip(places).filter_map(|(id, place)| Some((id, place.as_ref()?)))
    }

    /// Bytes of heap that the table itself has taken.
    pub(crate) fn bytes(&self) -> usize {
        self.chunks.len() * CHUNK * size_of::<Option<T>>()
            + self.chunks.capacity() * size_of::<Vec<Option<T>>>()
            + self.free.capacity() * size_of::<u32>()
    }

    fn place(&mut self, id: u32) -> Option<&mut Option<T>> {
        let id = id as usize;
        self.chunks.get_mut(id / CHUNK)?.get_mut(id % CHUNK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_reused_and_chunks_grow() {
        let mut slab = Slab::new();
        let ids: Vec<u32> = (0..2000).map(|n| slab.insert(n)).collect();
        assert_eq!((slab.len(), slab.end()), (2000, 2000));
        assert_eq!(ids.get(1500).and_then(|id| slab.get(*id)), Some(&1500));
        assert_eq!(slab.remove(7), Some(7));
        assert_eq!((slab.remove(7), slab.get(7), slab.len()), (None, None, 1999));
        assert_eq!(slab.insert(-1), 7);
        let mut moved = vec![0];
        assert!(slab.move_to(9, &mut moved, |value| value * 2) && !slab.move_to(9, &mut moved, |value| value));
        assert_eq!((moved, slab.len(), slab.insert(-9)), (vec![0, 18], 1999, 9));
        assert_eq!(slab.iter().count(), 2000);
        assert_eq!(slab.get(5000), None);
    }
}
