//! The visits of one client or connection, by their numbers.

/// A few numbers of visits, in the order in which they came; mostly there is one, which takes no memory of its own.
#[derive(Debug)]
pub(crate) enum Slots {
    One(u32),
    Several(Vec<u32>),
}

impl Slots {
    pub(crate) fn as_slice(&self) -> &[u32] {
        match self {
            Self::One(slot) => std::slice::from_ref(slot),
            Self::Several(slots) => slots,
        }
    }

    pub(crate) fn push(&mut self, slot: u32) {
        match self {
            Self::One(first) => *self = Self::Several(vec![*first, slot]),
            Self::Several(slots) => slots.push(slot),
        }
    }

    /// Takes a number out. Whether none is left.
    pub(crate) fn remove(&mut self, slot: u32) -> bool {
        match self {
            Self::One(only) => *only == slot,
            Self::Several(slots) => {
                slots.retain(|other| *other != slot);
                slots.is_empty()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_in_order_until_the_last_is_taken_out() {
        let mut slots = Slots::One(7);
        assert!(!slots.remove(8));
        slots.push(3);
        slots.push(9);
        assert_eq!(slots.as_slice(), [7, 3, 9]);
        assert!(!slots.remove(3) && !slots.remove(7));
        assert_eq!(slots.as_slice(), [9]);
        assert!(slots.remove(9));
        assert!(Slots::One(1).remove(1));
    }
}
