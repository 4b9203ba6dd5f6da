//! Asks shards once a minute for their next wake-up. An overdue shard has lost its alarm, and sets
//! it again. The shards of all namespaces take turns; up to [`WATCHED_PER_MINUTE`] of them have a
//! turn every minute.

use crate::clients::registry;
use crate::clients::shards::Shards;
use scheduler_model::bounds::WATCHED_PER_MINUTE;
use scheduler_model::namespace::Namespace;
use scheduler_model::protocol::{WatchReply, paths};
use worker::Env;

/// Runs once. A failure is logged, and the next minute tries again.
pub(crate) async fn run(env: &Env) {
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
        Err(problem) => return worker::console_error!("watchdog: {}", problem.detail),
    };
    let everyone: Vec<_> = all
        .iter()
        .flat_map(|(shards, name)| shards.map.all().map(move |shard| (shards, name, shard)))
        .collect();
    let Some((first, _)) = all.first() else { return };
    let watched = turn(&everyone, scheduler_platform::now().get() / 60_000);
    let replies = first
        .each(watched.iter().copied(), |(shards, name, shard)| async move {
            (name.shard(shard), shards.ask::<_, WatchReply>(shard, paths::WATCH, &()).await)
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
}

/// Returns the elements whose turn is in this minute. The turn follows the clock, so that all have
/// one even if no instance lives long.
fn turn<T>(all: &[T], minute: i64) -> &[T] {
    let turns = all.len().div_ceil(WATCHED_PER_MINUTE).max(1);
    let turn = usize::try_from(minute).unwrap_or(0) % turns;
    all.chunks(all.len().div_ceil(turns).max(1)).nth(turn).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shard_has_its_turn() {
        for (shards, turns) in [(0, 1), (1, 1), (800, 1), (801, 2), (4_112, 6)] {
            let all: Vec<usize> = (0..shards).collect();
            for start in [0, 29_400_001] {
                let seen: Vec<&[usize]> =
                    (start..start + turns).map(|minute| turn(&all, minute)).collect();
                assert!(seen.iter().all(|turn| turn.len() <= WATCHED_PER_MINUTE));
                let mut seen = seen.concat();
                seen.sort_unstable();
                assert_eq!(seen, all);
            }
        }
    }
}
