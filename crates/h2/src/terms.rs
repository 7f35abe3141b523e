//! On what terms a body is sent.

use headstart_policy::{Priority, PriorityParameters};

/// What the scheduler has to know of a body besides the body.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Terms {
    /// What the client asked for, or the policy or the promise says.
    pub(crate) asked: Priority,
    /// What the response itself says of its priority.
    pub(crate) own: PriorityParameters,
    /// Of a push: what it may cost.
    pub(crate) allowance: Option<Allowance>,
    /// A conversation and no download: the client may leave its window closed for as long as it likes.
    pub(crate) tunnel: bool,
}

/// The bytes of a push that its connection's budget was charged with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowance {
    charged: u64,
    left: u64,
}

impl Allowance {
    pub(crate) fn new(charged: u64) -> Self {
        Allowance { charged, left: charged }
    }

    /// Whether `bytes` may be sent; if that is more than was charged, `charge` is asked for the difference and
    /// told what it comes to in all.
    pub(crate) fn covers(&mut self, bytes: u64, charge: &mut dyn FnMut(u64, u64) -> bool) -> bool {
        let more = bytes.saturating_sub(self.left);
        let all = self.charged.saturating_add(more);
        if more > 0 {
            if !charge(more, all) {
                return false;
            }
            self.charged = all;
            self.left = self.left.saturating_add(more);
        }
        true
    }

    pub(crate) fn sent(&mut self, bytes: u64) {
        self.left = self.left.saturating_sub(bytes);
    }
}
