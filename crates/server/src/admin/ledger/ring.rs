//! The latest of many.

/// Keeps the latest values, as many as it has room for; memory is taken as they come.
#[derive(Clone, Debug)]
pub(crate) struct Ring<T> {
    values: Vec<T>,
    max: usize,
    /// Index of the oldest value, once there is no more room.
    oldest: usize,
}

impl<T> Ring<T> {
    pub(crate) fn new(max: usize) -> Self {
        Self { values: Vec::new(), max, oldest: 0 }
    }

    /// Adds a value; the oldest gives way.
    pub(crate) fn push(&mut self, value: T) {
        if self.values.len() < self.max {
            if self.values.len() == self.values.capacity() {
                let more = self.values.len().max(4).min(self.max - self.values.len());
                self.values.reserve_exact(more);
            }
            self.values.push(value);
        } else if let Some(place) = self.values.get_mut(self.oldest) {
            *place = value;
            self.oldest = (self.oldest + 1) % self.max;
        }
    }

    /// The values in no order in particular.
    pub(crate) fn values(&self) -> &[T] {
        &self.values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_are_kept() {
        let mut ring = Ring::new(3);
        for value in 1..=7 {
            ring.push(value);
        }
        let mut values = ring.values().to_vec();
        values.sort_unstable();
        assert_eq!(values, [5, 6, 7]);
        assert_eq!(ring.values.capacity(), 3);
    }
}
