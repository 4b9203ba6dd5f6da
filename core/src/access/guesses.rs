//! How many wrong keys an address may send: each costs a look-up, and keys in the deployment's secret may be short.

use crate::time::UnixMillis;
use twox_hash::XxHash64;

/// Wrong keys that an address may send at once.
const MOST: u32 = 30;
/// Then one in so many milliseconds.
const EVERY_MILLIS: i64 = 1_000;
/// Addresses share these by their hash: 4 KB for all that there are.
const SLOTS: usize = 256;

/// What an instance knows of wrong keys.
#[derive(Debug, Clone)]
pub struct Guesses {
    slots: [Slot; SLOTS],
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    wrong: u32,
    since: UnixMillis,
}

impl Guesses {
    /// Nobody has guessed yet.
    pub const NONE: Self = Self { slots: [Slot { wrong: 0, since: UnixMillis::ZERO }; SLOTS] };

    /// Returns whether an address has sent as many wrong keys as it may: then no key of its is looked at, right ones neither, so that guessing goes
    /// no faster.
    pub fn are_spent(&self, address: &str, now: UnixMillis) -> bool {
        self.slots.get(slot_of(address)).is_some_and(|slot| slot.left_at(now) >= MOST)
    }

    /// Notes a wrong key.
    pub fn note(&mut self, address: &str, now: UnixMillis) {
        if let Some(slot) = self.slots.get_mut(slot_of(address)) {
            *slot = Slot { wrong: slot.left_at(now).saturating_add(1), since: now };
        }
    }
}

impl Slot {
    /// How many of the wrong keys count at a time: one less for each second. A clock that goes back forgives nothing.
    fn left_at(self, now: UnixMillis) -> u32 {
        let forgiven = now.since(self.since).max(0) / EVERY_MILLIS;
        self.wrong.saturating_sub(u32::try_from(forgiven).unwrap_or(u32::MAX))
    }
}

/// An IPv6 address stands for its network of 64 bits: a host has all addresses in it.
fn slot_of(address: &str) -> usize {
    let network = match address.match_indices(':').nth(3) {
        Some((end, _)) => address.get(..end).unwrap_or(address),
        None => address,
    };
    (XxHash64::oneshot(0, network.as_bytes()) % SLOTS as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis::new(1_764_000_000_000);

    #[test]
    fn an_address_has_a_burst_of_guesses_and_then_one_a_second() {
        let mut guesses = Guesses::NONE;
        for _ in 0..MOST {
            assert!(!guesses.are_spent("192.0.2.1", NOW));
            guesses.note("192.0.2.1", NOW);
        }
        assert!(guesses.are_spent("192.0.2.1", NOW) && !guesses.are_spent("192.0.2.2", NOW));
        let later = NOW.plus(1_000);
        assert!(!guesses.are_spent("192.0.2.1", later));
        guesses.note("192.0.2.1", later);
        assert!(guesses.are_spent("192.0.2.1", later));
        assert!(!guesses.are_spent("192.0.2.1", later.plus(60_000)));
    }

    #[test]
    fn the_addresses_of_one_network_count_together() {
        let mut guesses = Guesses::NONE;
        for n in 0..MOST {
            guesses.note(&format!("2001:db8:1:2::{n:x}"), NOW);
        }
        assert!(guesses.are_spent("2001:db8:1:2:ffff::1", NOW) && !guesses.are_spent("2001:db8:1:3::1", NOW));
    }
}
