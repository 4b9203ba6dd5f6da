//! Asks every shard, once a minute, when it next wants to be woken; one that is overdue has lost its alarm and sets it anew.

use crate::shards::Shards;
use scheduler_core::wire::{WatchReply, paths};
use worker::Env;

/// Runs once over all shards. What goes wrong is logged; the next minute brings the next try.
pub(crate) async fn run(env: &Env) {
    let shards = match Shards::new(env) {
        Ok(shards) => shards,
        Err(problem) => return worker::console_error!("watchdog: {}", problem.detail),
    };
    let shards = &shards;
    let replies = shards
        .each(shards.map.all(), |shard| async move { (shard, shards.ask::<_, WatchReply>(shard, paths::WATCH, &()).await) })
        .await;
    for (shard, reply) in replies {
        match reply {
            Ok(WatchReply { repaired: true, next_wakeup }) => {
                worker::console_error!("watchdog: shard {shard} was overdue since {next_wakeup:?}; its alarm is set anew");
            }
            Ok(_) => {}
            Err(problem) => worker::console_error!("watchdog: shard {shard}: {}", problem.detail),
        }
    }
}
