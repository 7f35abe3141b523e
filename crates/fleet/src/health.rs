//! Says once what is wrong, and once that it is over.

use std::collections::HashMap;
use std::time::Duration;

use headstart_learn::Time;

use crate::exchange::ExchangeError;
use crate::refusal::Refusal;

/// The operation on an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Read,
    Write,
}

/// Whether the exchange works, as far as can be told by what was done last.
#[derive(Debug, Default)]
pub(crate) struct Health {
    trouble: Option<(String, Time)>,
    read_failed: bool,
    write_failed: bool,
    /// Of whom entries are refused, why, and when the last was.
    refused: HashMap<(Box<str>, Refusal), Time>,
    doubled_name: bool,
}

/// Most servers and reasons that are told apart.
const MAX_REFUSED: usize = 64;
/// When nothing was refused for so long, it is over.
const QUIET: Duration = Duration::from_secs(120);

impl Health {
    /// The trouble and since when it lasts, if there is any.
    pub(crate) fn trouble(&self) -> Option<(&str, Time)> {
        self.trouble.as_ref().map(|(trouble, since)| (&**trouble, *since))
    }

    /// Notes how an action went. The first that fails is logged, and the first moment in which all go well again.
    pub(crate) fn note<T>(
        &mut self,
        now: Time,
        place: &str,
        action: Action,
        result: Result<T, ExchangeError>,
    ) -> Option<T> {
        let failed = match action {
            Action::Read => &mut self.read_failed,
            Action::Write => &mut self.write_failed,
        };
        *failed = result.is_err();
        match result {
            Err(error) => {
                let text = error.to_string();
                if self.trouble.is_none() {
                    tracing::warn!(place, error = %text, "the fleet cannot be reached; this server goes on alone");
                    self.trouble = Some((text, now));
                }
                None
            }
            Ok(value) => {
                if !self.read_failed
                    && !self.write_failed
                    && let Some((_, since)) = self.trouble.take()
                {
                    let seconds = now.saturating_since(since).as_secs();
                    tracing::warn!(place, seconds, "the fleet can be reached again");
                }
                Some(value)
            }
        }
    }

    /// An entry was refused. The first of a server and a reason is logged.
    pub(crate) fn refused(&mut self, now: Time, node: &str, refusal: Refusal) {
        let key = (Box::from(node), refusal);
        let new = !self.refused.contains_key(&key);
        if new && self.refused.len() >= MAX_REFUSED {
            return;
        }
        self.refused.insert(key, now);
        if new {
            tracing::warn!(node, reason = %refusal, "what a server of the fleet tells is refused");
        }
    }

    /// Whether another server has the name of this one. The first time is logged, and that it is over.
    pub(crate) fn doubled_name(&mut self, node: &str, doubled: bool) {
        if doubled == self.doubled_name {
            return;
        }
        self.doubled_name = doubled;
        if doubled {
            tracing::warn!(node, "another server of the fleet has the name of this one; nothing is lost by it");
        } else {
            tracing::warn!(node, "no other server has the name of this one any more");
        }
    }

    /// Forgets what has not happened for some minutes: it is over.
    pub(crate) fn forget(&mut self, now: Time) {
        self.refused.retain(|(node, refusal), last| {
            let over = now.saturating_since(*last) > QUIET;
            if over {
                tracing::warn!(node = &**node, reason = refusal.as_str(), "nothing of this server is refused any more");
            }
            !over
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::ErrorKind;

    #[test]
    fn trouble_begins_once_and_ends_when_all_goes_well() {
        let mut health = Health::default();
        let error = || Err::<(), _>(ExchangeError::new(ErrorKind::Full, "no room"));
        let at = Time::from_millis;
        health.note(at(1), "x", Action::Write, error());
        health.note(at(2), "x", Action::Write, error());
        assert_eq!(health.trouble(), Some(("it has no room: no room", at(1))));
        health.note(at(3), "x", Action::Read, Ok(()));
        assert!(health.trouble().is_some(), "reading works, writing does not");
        health.note(at(4), "x", Action::Write, Ok(()));
        assert!(health.trouble().is_none());
    }

    #[test]
    fn refusals_are_bounded_and_end() {
        let mut health = Health::default();
        for n in 0..1000 {
            health.refused(Time::from_millis(n), &format!("node{n}"), Refusal::OtherKey);
        }
        assert_eq!(health.refused.len(), MAX_REFUSED);
        health.forget(Time::from_millis(1_000_000));
        assert!(health.refused.is_empty());
    }
}
