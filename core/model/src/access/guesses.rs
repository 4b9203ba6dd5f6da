//! Limits how many wrong keys an address may send, because keys in the deployment's secret may be
//! short enough to be guessed.

use scheduler_calendar::time::UnixMillis;
use std::net::Ipv6Addr;
use twox_hash::XxHash64;

/// The wrong keys that an address may send at once.
const MAX_GUESSES: u32 = 30;
/// The wait between two guesses after that, in milliseconds.
const EVERY_MILLIS: i64 = 1_000;
/// The most remembered addresses, 6 KB. The other addresses of a crowd have guessed less, or longer
/// ago.
const SLOTS: usize = 256;

/// The wrong keys that an instance has seen.
#[derive(Debug, Clone)]
pub struct Guesses {
    slots: [Slot; SLOTS],
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    /// The hash of the network. No two networks share a slot, because one that guesses would lock
    /// the other out.
    hash: u64,
    wrong: u32,
    since: UnixMillis,
}

impl Guesses {
    /// Nobody has guessed yet.
    pub const NONE: Self =
        Self { slots: [Slot { hash: 0, wrong: 0, since: UnixMillis::ZERO }; SLOTS] };

    /// Returns whether an address has sent as many wrong keys as it may. Then even a correct key is
    /// refused if it could be guessed, so that guessing is no faster.
    pub fn are_spent(&self, address: &str, now: UnixMillis) -> bool {
        let hash = hash_of(address);
        self.slots.iter().any(|slot| slot.hash == hash && slot.left_at(now) >= MAX_GUESSES)
    }

    /// Counts a wrong key.
    pub fn note(&mut self, address: &str, now: UnixMillis) {
        let hash = hash_of(address);
        let place = self.slots.iter().position(|slot| slot.hash == hash);
        let slot = match place {
            Some(place) => self.slots.get_mut(place),
            None => self.slots.iter_mut().min_by_key(|slot| slot.left_at(now)),
        };
        if let Some(slot) = slot {
            let before = if slot.hash == hash { slot.left_at(now) } else { 0 };
            *slot = Slot { hash, wrong: before.saturating_add(1), since: now };
        }
    }
}

impl Slot {
    /// Returns how many wrong keys count at a time. Each second removes one. A clock that goes back
    /// removes none.
    fn left_at(self, now: UnixMillis) -> u32 {
        let forgiven = now.since(self.since).max(0) / EVERY_MILLIS;
        self.wrong.saturating_sub(u32::try_from(forgiven).unwrap_or(u32::MAX))
    }
}

/// An IPv6 address represents its network of 64 bits, because a host has all addresses in it.
fn hash_of(address: &str) -> u64 {
    match address.parse::<Ipv6Addr>() {
        Ok(address) => XxHash64::oneshot(1, &(u128::from(address) >> 64).to_le_bytes()),
        Err(_) => XxHash64::oneshot(0, address.as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis::new(1_764_000_000_000);

    #[test]
    fn an_address_has_a_burst_of_guesses_and_then_one_a_second() {
        let mut guesses = Guesses::NONE;
        for _ in 0..MAX_GUESSES {
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

    /// If addresses shared slots, guessers in a few hundred networks would lock everybody out.
    #[test]
    fn a_crowd_of_guessers_locks_nobody_else_out() {
        let mut guesses = Guesses::NONE;
        for network in 0..4 * SLOTS {
            for _ in 0..MAX_GUESSES {
                guesses.note(&format!("2001:db8:{network:x}:2::1"), NOW);
            }
        }
        for host in 0..=255 {
            assert!(!guesses.are_spent(&format!("192.0.2.{host}"), NOW));
        }
        assert!(guesses.are_spent(&format!("2001:db8:{:x}:2::1", 4 * SLOTS - 1), NOW));
    }

    #[test]
    fn the_addresses_of_one_network_count_together() {
        let mut guesses = Guesses::NONE;
        for n in 0..MAX_GUESSES {
            guesses.note(&format!("2001:db8:1:2::{n:x}"), NOW);
        }
        assert!(
            guesses.are_spent("2001:db8:1:2:ffff::1", NOW)
                && !guesses.are_spent("2001:db8:1:3::1", NOW)
        );
        // The same holds if the text leaves out zeros of the network.
        for n in 0..MAX_GUESSES {
            guesses.note(&format!("2001:db8::{n:x}:2:3:4"), NOW);
        }
        assert!(
            guesses.are_spent("2001:db8::1", NOW) && guesses.are_spent("2001:db8:0:0:1::", NOW)
        );
    }
}
