//! How a body is to be sent.

use headstart_policy::{Priority, PriorityParameters};

use crate::promises::Surcharge;

/// The properties of a body that the scheduler goes by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BodyOptions {
    /// Priority by the request, the policy or the promise.
    pub(crate) requested: Priority,
    /// Priority parameters of the response head, which override it.
    pub(crate) own: PriorityParameters,
    /// It was pushed, or asked for because a 103 named it: it may have to wait for its page.
    pub(crate) early: bool,
    /// The bytes that a push may send; `None` for the response to a request.
    pub(crate) allowance: Option<Allowance>,
    /// The client may leave the window of a tunnel closed for as long as it likes.
    pub(crate) tunnel: bool,
}

/// The bytes with which the connection's budget was charged for a push.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowance {
    charged: u64,
    left: u64,
}

impl Allowance {
    pub(crate) fn new(charged: u64) -> Self {
        Allowance { charged, left: charged }
    }

    /// Whether `bytes` may be sent. If that is more than was charged, `charge` decides about the difference.
    pub(crate) fn covers(&mut self, bytes: u64, charge: &mut dyn FnMut(Surcharge) -> bool) -> bool {
        let more = bytes.saturating_sub(self.left);
        let total = self.charged.saturating_add(more);
        if more > 0 {
            if !charge(Surcharge { more, total }) {
                return false;
            }
            self.charged = total;
            self.left = self.left.saturating_add(more);
        }
        true
    }

    pub(crate) fn sent(&mut self, bytes: u64) {
        self.left = self.left.saturating_sub(bytes);
    }
}
