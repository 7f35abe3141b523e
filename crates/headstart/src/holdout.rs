//! Hold-outs: page views without early delivery, as evidence of what pages need by themselves.

use std::hash::Hasher as _;

use headstart_learn::{ClientId, Draw};
use siphasher::sip::SipHasher13;

/// The setting that leaves the learner's own rates as they are: one view in 32 over pages of all kinds.
pub(crate) const USUAL: u32 = 32;

/// Draws hold-outs by a number that a client has for a day, so that all of its views of a page are of one kind: a
/// client is not helped with one view and left alone with the next. Nobody without the key knows a client's number.
pub(crate) struct Holdout {
    every: u32,
    key: [u8; 16],
}

impl Holdout {
    /// `every` scales the rate of each page: 32 keeps it, 64 halves it, 1 holds out every view, 0 none.
    pub(crate) fn new(every: u32, key: [u8; 16]) -> Self {
        Holdout { every, key }
    }

    /// Draws for a view of a page with this rate (0 to 1), by a client on a day (days since 1970).
    pub(crate) fn draw(&self, client: ClientId, day: u16, rate: f32) -> Draw {
        let chance = match self.every {
            0 => 0.0,
            1 => 1.0,
            every => (rate * USUAL as f32 / every as f32).clamp(0.0, 1.0),
        };
        Draw { chance, held_out: self.number(client, day) < chance }
    }

    /// The number of a client on a day, for those who have to tell clients apart. It does not tell how the client was
    /// drawn.
    pub(crate) fn client_of_day(&self, client: ClientId, day: u16) -> u64 {
        self.hash(client, day, 1)
    }

    /// A client's number of a day, evenly spread over 0 (included) to 1 (excluded).
    fn number(&self, client: ClientId, day: u16) -> f32 {
        // The 24 bits of a float's fraction.
        (self.hash(client, day, 0) >> 40) as f32 / (1_u32 << 24) as f32
    }

    fn hash(&self, client: ClientId, day: u16, use_of: u8) -> u64 {
        let mut hasher = SipHasher13::new_with_key(&self.key);
        hasher.write_u64(client.get());
        hasher.write_u16(day);
        hasher.write_u8(use_of);
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(holdout: &Holdout, rate: f32) -> f64 {
        let held_out = (0..20_000).filter(|client| holdout.draw(ClientId::new(*client), 7, rate).held_out).count();
        held_out as f64 / 20_000.0
    }

    #[test]
    fn as_many_clients_are_drawn_as_the_rate_says() {
        let holdout = Holdout::new(USUAL, [9; 16]);
        for rate in [0.0, 1.0 / 64.0, 1.0 / 16.0, 0.25, 1.0] {
            // Four standard deviations of a share of 20,000.
            let tolerance = 4.0 * (f64::from(rate) * f64::from(1.0 - rate) / 20_000.0).sqrt();
            assert!((share(&holdout, rate) - f64::from(rate)).abs() <= tolerance, "{rate}: {}", share(&holdout, rate));
        }
    }

    #[test]
    fn a_client_is_of_one_kind_for_a_day() {
        let holdout = Holdout::new(USUAL, [9; 16]);
        let held_out = |client, day| holdout.draw(ClientId::new(client), day, 0.25).held_out;
        assert!((0..100).all(|client| held_out(client, 1) == held_out(client, 1)));
        let kept = (0..1_000).filter(|client| held_out(*client, 1) && held_out(*client, 2)).count();
        assert!((30..100).contains(&kept), "another day is another draw: {kept}");
        // Whoever is held out at a low rate is so at each higher one.
        assert!((0..1_000).all(|client| {
            let at = |rate| holdout.draw(ClientId::new(client), 1, rate).held_out;
            !at(0.1) || at(0.2)
        }));
    }

    #[test]
    fn the_setting_scales_none_to_all() {
        let held_out = |every, rate| {
            (0..1_000).filter(move |client| Holdout::new(every, [9; 16]).draw(ClientId::new(*client), 1, rate).held_out)
        };
        assert_eq!(held_out(0, 0.25).count(), 0);
        assert_eq!(held_out(1, 0.01).count(), 1_000);
        let half = Holdout::new(64, [9; 16]).draw(ClientId::new(1), 1, 0.25);
        assert!((half.chance - 0.125).abs() < 1e-6);
        assert!(Holdout::new(2, [9; 16]).draw(ClientId::new(1), 1, 0.25).chance <= 1.0);
    }
}
