//! Sends requests to the limiters of keys, which are other Durable Objects.

use scheduler_engine::KeyedLeaseRequest;
use scheduler_model::namespace::ShardName;
use scheduler_model::protocol::limiter::{
    Answer, LIMITERS_BINDING, LeaseRequest, LimiterRequest, RequestNumber, limiter_of, paths,
};
use scheduler_platform::{Objects, within};
use std::time::Duration;
use worker::Env;

/// The time limit of one request: the second for which a limiter may hold it, and the round trip.
pub(crate) const TRY: Duration = Duration::from_secs(3);

/// The result of a request to a limiter.
pub(crate) struct LimiterReply {
    pub(crate) key: String,
    pub(crate) number: RequestNumber,
    /// The answer of the limiter, or `None` if the request failed. The limiter may answer with
    /// nothing.
    pub(crate) answer: Option<Option<Answer>>,
}

/// Sends a request of the shard named `shard`, to the limiter in its `jurisdiction`, or in that of
/// the settings if the shard does not know its own. A failure is logged, and the engine sends the
/// request again.
pub(crate) async fn ask(
    env: &Env,
    shard: &str,
    jurisdiction: Option<&str>,
    KeyedLeaseRequest { key, request: ask }: KeyedLeaseRequest,
) -> LimiterReply {
    let number = ask.number;
    let answer = match try_to_ask(env, shard, jurisdiction, &key, ask).await {
        Ok(answer) => Some(answer),
        Err(problem) => {
            worker::console_error!(
                "shard {shard}: the limiter of {key:?} was not reached: {problem}; it will be asked again"
            );
            None
        }
    };
    LimiterReply { key, number, answer }
}

async fn try_to_ask(
    env: &Env,
    shard: &str,
    jurisdiction: Option<&str>,
    key: &str,
    ask: LeaseRequest,
) -> Result<Option<Answer>, String> {
    let name: ShardName = shard.parse().map_err(|_| "the shard has no name".to_owned())?;
    let objects = match jurisdiction {
        Some(name) => Objects::in_jurisdiction(env, LIMITERS_BINDING, name),
        None => Objects::bound(env, LIMITERS_BINDING),
    };
    let objects = objects.map_err(|problem| problem.to_string())?;
    let asked = LimiterRequest { key: key.to_owned(), shard: shard.to_owned(), ask };
    let body = serde_json::to_vec(&asked).map_err(|problem| problem.to_string())?;
    match within(TRY, objects.post(&limiter_of(&name.namespace, key), paths::ASK, &body)).await {
        Some(Ok((200, answer))) => {
            serde_json::from_slice(&answer).map_err(|problem| problem.to_string())
        }
        Some(Ok((status, answer))) => {
            Err(format!("HTTP {status} {}", String::from_utf8_lossy(&answer)))
        }
        Some(Err(problem)) => Err(problem.to_string()),
        None => Err(format!("no answer within {} s", TRY.as_secs())),
    }
}
