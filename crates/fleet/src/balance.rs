//! Whether a balancer sends assets to other servers than their pages.

use std::time::Duration;

use tokio::time::Instant;

/// The share of assets without their page above which it is said so.
const TOO_MANY: f64 = 0.05;
/// The share below which it is over.
const FEW: f64 = 0.025;
/// A verdict is of so many assets at least, and of so long.
const ASSETS: u64 = 100;
const SPAN: Duration = Duration::from_secs(30);

/// Watches how many assets come without their page.
#[derive(Debug)]
pub(crate) struct Balance {
    since: Instant,
    /// Assets and orphans at that time.
    mark: (u64, u64),
    scattered: Option<f64>,
}

impl Default for Balance {
    fn default() -> Self {
        Balance { since: Instant::now(), mark: (0, 0), scattered: None }
    }
}

impl Balance {
    /// Takes in counts since the start. The share of orphans among the latest while it is too large; one line says so,
    /// and one that it is over.
    pub(crate) fn look(&mut self, assets: u64, orphans: u64) -> Option<f64> {
        let (of, without) = (assets.saturating_sub(self.mark.0), orphans.saturating_sub(self.mark.1));
        if of < ASSETS || self.since.elapsed() < SPAN {
            return self.scattered;
        }
        (self.since, self.mark) = (Instant::now(), (assets, orphans));
        let share = without as f64 / of as f64;
        let percent = (100.0 * share).round();
        match self.scattered {
            None if share > TOO_MANY => {
                tracing::warn!(
                    percent,
                    "assets come without their page, which was asked for at another server: only what views fetch is \
                     learned. Have the balancer keep a client's requests together: by connection, or by the client's \
                     address (nginx: hash $binary_remote_addr consistent; HAProxy: balance source; Kubernetes: \
                     sessionAffinity: ClientIP)"
                );
                self.scattered = Some(share);
            }
            Some(_) if share < FEW => {
                tracing::warn!(percent, "assets come to the server of their page again");
                self.scattered = None;
            }
            Some(_) => self.scattered = Some(share),
            None => {}
        }
        self.scattered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_share_above_five_percent_is_said_once_and_once_that_it_is_over() {
        let mut balance = Balance::default();
        assert_eq!(balance.look(1000, 900), None, "it is too early to say");
        let mut at = (0, 0);
        for (more, expected) in [
            ((1000, 50), None),
            ((100, 40), Some(0.4)),
            ((10, 10), Some(0.4)),
            ((990, 40), Some(0.05)),
            ((1000, 10), None),
        ] {
            tokio::time::advance(SPAN).await;
            at = (at.0 + more.0, at.1 + more.1);
            let found = balance.look(at.0, at.1);
            assert_eq!(found, expected, "{more:?}");
        }
    }
}
