//! Namespaces: made, changed, shown, listed, deleted when empty.

use crate::clients::shards::Shards;
use crate::clients::{limiters, registry};
use crate::context::Call;
use crate::problem::Problem;
use crate::response::Answer;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::access::{Denied, Entry, NamespaceInput, Quota, Reach, Settings};
use scheduler_model::input::FieldError;
use scheduler_model::namespace::{Namespace, NamespaceError};
use scheduler_model::protocol::{PurgeReply, PurgeRequest, ShardStats, paths};
use scheduler_model::routing::ShardId;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    name: &'a Namespace,
    quota: Quota,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<UnixMillis>,
}

impl<'a> From<&'a Settings> for Shown<'a> {
    fn from(settings: &'a Settings) -> Self {
        Self { name: &settings.name, quota: settings.quota, created_at: Some(settings.created_at) }
    }
}

impl Shown<'static> {
    /// The namespace that is always there.
    const DEFAULT: Self = Self { name: &Namespace::DEFAULT, quota: Quota::NONE, created_at: None };
}

/// Rounds of forgetting on one shard: each takes 20,000 keys, and a shard has 500,000 at most.
const MAX_ROUNDS: usize = 60;

/// `PUT /v1/namespaces/{id}`.
pub(crate) async fn put(mut call: Call<'_>, name: String) -> Result<Answer, Problem> {
    let name = changeable(&call, &name)?;
    let text = call.text().await?;
    let given = NamespaceInput::parse(&text).map_err(Problem::invalid)?;
    let settings = Settings { name: name.clone(), quota: given.quota, created_at: call.now };
    let is_new = registry::put(call.env, &Entry::Namespace(settings)).await?;
    let directory = registry::newest(call.env).await?;
    let settings = directory
        .settings(&name)
        .ok_or_else(|| Problem::no_namespace("it was deleted in the same moment"))?;
    Ok(Answer::of(if is_new { 201 } else { 200 }, &Shown::from(settings)))
}

/// `GET /v1/namespaces`.
pub(crate) async fn list(call: Call<'_>) -> Result<Answer, Problem> {
    let directory = registry::newest(call.env).await?;
    let all = std::iter::once(Shown::DEFAULT).chain(directory.namespaces.iter().map(Shown::from));
    let namespaces: Vec<_> = all.filter(|shown| call.holder.reach.has(shown.name)).collect();
    Ok(Answer::of(200, &serde_json::json!({ "namespaces": namespaces })))
}

/// `GET /v1/namespaces/{id}`.
pub(crate) async fn get(call: Call<'_>, name: String) -> Result<Answer, Problem> {
    let name = named(&name)?;
    if !call.holder.reach.has(&name) {
        return Err(Problem::forbidden(format!("the API key is not for the namespace \"{name}\"")));
    }
    if name.is_default() {
        return Ok(Answer::of(200, &Shown::DEFAULT));
    }
    let directory = registry::newest(call.env).await?;
    let settings = directory.settings(&name);
    let settings =
        settings.ok_or_else(|| call.holder.without_namespace(Denied::NoNamespace(name.clone())))?;
    Ok(Answer::of(200, &Shown::from(settings)))
}

/// `DELETE /v1/namespaces/{id}`.
pub(crate) async fn delete(call: Call<'_>, name: String) -> Result<Answer, Problem> {
    let name = changeable(&call, &name)?;
    let directory = registry::newest(call.env).await?;
    directory.quota(&name)?;
    let created_at = directory.settings(&name).map(|settings| settings.created_at);
    let created_at =
        created_at.ok_or_else(|| Problem::no_namespace("it was deleted in the same moment"))?;
    let shards = Shards::of(call.env, name.clone())?;
    // First a look at all of them, so that nothing is forgotten of a namespace that stays.
    let (mut tasks, seen) = held(&shards).await?;
    if tasks == 0 {
        tasks = purge(&shards, seen).await?;
    }
    if tasks > 0 {
        return Err(Problem::not_empty(name.as_str(), tasks));
    }
    limiters::clear(call.env, &name).await?;
    registry::delete_namespace(call.env, name.clone(), created_at).await?;
    Ok(Answer::deleted(name.as_str()))
}

/// Reads the name in a path.
fn named(name: &str) -> Result<Namespace, Problem> {
    name.parse().map_err(|problem: NamespaceError| {
        Problem::invalid(FieldError::new("id", problem.to_string()))
    })
}

/// Returns a namespace that this caller may change. Who has a quota must not change it: that needs
/// a key for every namespace.
fn changeable(call: &Call<'_>, name: &str) -> Result<Namespace, Problem> {
    let name = named(name)?;
    call.holder.may_grant(&Reach::All)?;
    if name.is_default() {
        let detail =
            "is default, which is always there and has no quota; make a namespace of another name";
        return Err(Problem::invalid(FieldError::new("id", detail)));
    }
    Ok(name)
}

/// Returns how many tasks all shards hold, whatever they wait for, and what has been seen of each
/// shard.
async fn held(shards: &Shards) -> Result<(u64, Vec<(ShardId, PurgeRequest)>), Problem> {
    let stats =
        |shard| async move { (shard, shards.ask::<_, ShardStats>(shard, paths::STATS, &()).await) };
    let (mut tasks, mut seen) = (0, Vec::new());
    for (shard, stats) in shards.each(shards.map.all(), stats).await {
        let stats = stats?;
        tasks += stats.held();
        seen.push((shard, PurgeRequest { last_envelope: stats.last_envelope }));
    }
    Ok((tasks, seen))
}

/// Has all shards forget what they keep of tasks that are gone, before the namespace itself goes:
/// what is made again under its name is not to show it. Says how many tasks have come meanwhile;
/// their shards forget nothing.
async fn purge(shards: &Shards, seen: Vec<(ShardId, PurgeRequest)>) -> Result<u64, Problem> {
    let purge = |(shard, seen): (ShardId, PurgeRequest)| async move {
        for _ in 0..MAX_ROUNDS {
            let reply: PurgeReply = shards.ask(shard, paths::PURGE, &Some(seen)).await?;
            if reply.done || reply.tasks > 0 {
                return Ok(reply.tasks);
            }
        }
        Err(Problem::unavailable(format!(
            "shard {shard} still remembers keys; delete the namespace again"
        )))
    };
    let mut tasks = 0;
    for held in shards.each(seen, purge).await {
        tasks += held?;
    }
    Ok(tasks)
}
