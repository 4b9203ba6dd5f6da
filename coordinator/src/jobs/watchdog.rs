//! Asks shards in rounds for their next wake-up. An overdue shard has lost its alarm, and sets it
//! again. The shards of all namespaces take turns, if there are more than a round may ask.
//!
//! A shard whose alarm lies ahead answers without loading its tasks. Once in
//! [`ROUNDS_OF_FULL_TURN`] turns, each shard compares its alarm with its tasks.

use crate::clients::registry;
use crate::clients::shards::Shards;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::bounds::{WATCH_EVERY_MINUTES, WATCHED_PER_ROUND};
use scheduler_model::namespace::Namespace;
use scheduler_model::protocol::{WatchReply, WatchRequest, paths};
use scheduler_model::routing::ShardId;
use scheduler_platform::settings;
use worker::Env;

/// One of this many turns of a shard is a full turn: once in a quarter of an hour, if every round
/// asks all shards. In a full turn, a shard that has not been loaded since a change of the time
/// zones, or since its clock was corrected, plans its tasks again.
const ROUNDS_OF_FULL_TURN: usize = 3;

/// The result of a round. Further checks use only the shards that it has loaded anyway.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// The shards of the default namespace that were asked in full.
    pub(crate) in_full: Vec<ShardId>,
    /// The number of the full turn, which increases by one from each to the next.
    pub(crate) full_turn: usize,
    /// The number of requests to shards.
    pub(crate) requests: u32,
}

/// Runs the round that the platform has scheduled for `at`. A failure is logged, and the next round
/// tries again.
pub(crate) async fn run(env: &Env, at: UnixMillis) -> Done {
    let namespaces = match registry::directory(env, |_| true).await {
        Ok(directory) => {
            directory.namespaces.iter().map(|settings| settings.name.clone()).collect()
        }
        Err(problem) => {
            worker::console_error!(
                "watchdog: the namespaces are unknown, so only default is watched: {}",
                problem.detail
            );
            Vec::new()
        }
    };
    let all = std::iter::once(Namespace::DEFAULT)
        .chain(namespaces)
        .map(|name| Ok((Shards::of(env, name.clone())?, name)));
    let all = match all.collect::<Result<Vec<_>, crate::problem::Problem>>() {
        Ok(all) => all,
        Err(problem) => {
            worker::console_error!("watchdog: {}", problem.detail);
            return Done::default();
        }
    };
    let everyone: Vec<_> = all
        .iter()
        .flat_map(|(shards, name)| shards.map.all().map(move |shard| (shards, name, shard)))
        .collect();
    let Some((first, _)) = all.first() else { return Done::default() };
    let most = most_of_round(settings::subrequests(env));
    let (watched, turn) = turn(&everyone, most, round(at));
    let in_full = turn.is_multiple_of(ROUNDS_OF_FULL_TURN);
    let request = WatchRequest { in_full };
    // Each shard has one try, because the next round asks it again.
    let replies = first
        .each(watched.iter().copied(), |(shards, name, shard)| async move {
            let reply = shards.ask_once::<_, WatchReply>(shard, paths::WATCH, &request).await;
            (name.shard(shard), reply)
        })
        .await;
    for (shard, reply) in replies {
        match reply {
            Ok(WatchReply { repaired: true, next_wakeup }) => {
                worker::console_error!(
                    "watchdog: shard {shard} was overdue since {next_wakeup:?}; its alarm is set again"
                );
            }
            Ok(_) => {}
            Err(problem) => worker::console_error!("watchdog: shard {shard}: {}", problem.detail),
        }
    }
    let of_default = watched.iter().filter(|(_, name, _)| **name == Namespace::DEFAULT);
    Done {
        in_full: of_default.filter(|_| in_full).map(|(_, _, shard)| *shard).collect(),
        full_turn: turn / ROUNDS_OF_FULL_TURN,
        requests: u32::try_from(watched.len()).unwrap_or(u32::MAX),
    }
}

/// Returns the number of the round at a time. It follows the clock, so that all shards have their
/// turn even if no instance lives long.
fn round(at: UnixMillis) -> usize {
    usize::try_from(at.get() / (WATCH_EVERY_MINUTES * 60_000)).unwrap_or(0)
}

/// Returns the most shards of a round: half of the subrequests of an invocation, less one for the
/// registry. The tasks of handlers need the other half. On the platform's free plan, a round has 24
/// shards.
fn most_of_round(subrequests: u32) -> usize {
    (subrequests as usize / 2).saturating_sub(1).clamp(1, WATCHED_PER_ROUND)
}

/// Returns the elements that a round asks, at most `most`, and the number of their turn. One of
/// [`ROUNDS_OF_FULL_TURN`] turns is a full turn.
fn turn<T>(all: &[T], most: usize, round: usize) -> (&[T], usize) {
    let rounds = all.len().div_ceil(most).max(1);
    let of_round = all.chunks(all.len().div_ceil(rounds).max(1)).nth(round % rounds);
    (of_round.unwrap_or_default(), round / rounds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shard_has_its_turn_and_sometimes_in_full() {
        for (shards, subrequests, turns) in [
            (0, 10_000, 1),
            (1, 10_000, 1),
            (800, 10_000, 1),
            (801, 10_000, 2),
            (4_112, 10_000, 6),
            // The free plan.
            (24, 50, 1),
            (25, 50, 2),
            (64, 50, 3),
        ] {
            let all: Vec<usize> = (0..shards).collect();
            let most = most_of_round(subrequests);
            for start in [0, 5_880_000] {
                let rounds: Vec<_> = (start..start + turns * ROUNDS_OF_FULL_TURN)
                    .map(|round| turn(&all, most, round))
                    .collect();
                assert!(rounds.iter().all(|(of_turn, _)| of_turn.len() <= most));
                let asked = |rounds: &[(&[usize], usize)]| {
                    let mut asked = rounds.iter().map(|(of_turn, _)| *of_turn).collect::<Vec<_>>();
                    asked.sort_unstable();
                    asked.concat()
                };
                for of_all in rounds.chunks(turns) {
                    assert_eq!(asked(of_all), all);
                }
                let is_full = |turn: usize| turn.is_multiple_of(ROUNDS_OF_FULL_TURN);
                let in_full: Vec<_> =
                    rounds.iter().copied().filter(|(_, turn)| is_full(*turn)).collect();
                assert_eq!(asked(&in_full), all, "{shards} shards from {start}");
            }
        }
    }

    /// The platform counts a request for each shard, and for the registry.
    #[test]
    fn a_round_of_the_free_plan_fits_its_subrequests() {
        assert_eq!(most_of_round(50), 24);
        assert_eq!(most_of_round(10_000), WATCHED_PER_ROUND);
        assert_eq!(most_of_round(1), 1);
    }

    #[test]
    fn the_trigger_has_the_minutes_of_a_round() {
        let file = include_str!("../../../wrangler.toml");
        let crons = format!("crons = [\"*/{WATCH_EVERY_MINUTES} * * * *\"]");
        assert!(file.contains(&crons), "wrangler.toml lacks {crons}");
    }
}
