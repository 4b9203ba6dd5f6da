//! Creates, changes, shows, lists and deletes namespaces.

use crate::clients::shards::Shards;
use crate::clients::{calendars, limiters, registry};
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
    /// The namespace `default`, which always exists.
    const DEFAULT: Self = Self { name: &Namespace::DEFAULT, quota: Quota::NONE, created_at: None };
}

/// The most requests to one shard to forget its idempotency keys. Each request forgets 20,000 keys,
/// and a shard has at most 500,000.
const MAX_ROUNDS: usize = 60;

/// `PUT /v1/namespaces/{id}` creates a namespace, or changes its quota.
pub(crate) async fn put(mut call: Call<'_>, name: String) -> Result<Answer, Problem> {
    let name = changeable(&call, &name)?;
    let text = call.text().await?;
    let given = NamespaceInput::parse(&text).map_err(Problem::invalid)?;
    let settings = Settings { name: name.clone(), quota: given.quota, created_at: call.now };
    let is_new = registry::put(call.env, &Entry::Namespace(settings)).await?;
    let directory = registry::newest(call.env).await?;
    let settings = directory
        .settings(&name)
        .ok_or_else(|| Problem::no_namespace("it was deleted at the same time"))?;
    Ok(Answer::of(if is_new { 201 } else { 200 }, &Shown::from(settings)))
}

/// `GET /v1/namespaces` lists the namespaces.
pub(crate) async fn list(call: Call<'_>) -> Result<Answer, Problem> {
    let directory = registry::newest(call.env).await?;
    let all = std::iter::once(Shown::DEFAULT).chain(directory.namespaces.iter().map(Shown::from));
    let namespaces: Vec<_> = all.filter(|shown| call.holder.reach.has(shown.name)).collect();
    Ok(Answer::of(200, &serde_json::json!({ "namespaces": namespaces })))
}

/// `GET /v1/namespaces/{id}` shows a namespace.
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

/// `DELETE /v1/namespaces/{id}` deletes a namespace that is empty.
pub(crate) async fn delete(call: Call<'_>, name: String) -> Result<Answer, Problem> {
    let name = changeable(&call, &name)?;
    let directory = registry::newest(call.env).await?;
    directory.quota(&name)?;
    let created_at = directory.settings(&name).map(|settings| settings.created_at);
    let created_at =
        created_at.ok_or_else(|| Problem::no_namespace("it was deleted at the same time"))?;
    let shards = Shards::of(call.env, name.clone())?;
    // All shards are checked first, so that a namespace that cannot be deleted loses nothing.
    let (mut tasks, seen) = held(&shards).await?;
    if tasks == 0 {
        tasks = purge(&shards, seen).await?;
    }
    if tasks > 0 {
        return Err(Problem::not_empty(name.as_str(), tasks));
    }
    limiters::clear(call.env, &name).await?;
    calendars::clear(call.env, &name).await?;
    registry::delete_namespace(call.env, name.clone(), created_at).await?;
    Ok(Answer::deleted(name.as_str()))
}

/// Parses the name in a path.
fn named(name: &str) -> Result<Namespace, Problem> {
    name.parse().map_err(|problem: NamespaceError| {
        Problem::invalid(FieldError::new("id", problem.to_string()))
    })
}

/// Returns a namespace that the caller may change. This needs a key for every namespace, so that
/// nobody can change a quota that limits them.
fn changeable(call: &Call<'_>, name: &str) -> Result<Namespace, Problem> {
    let name = named(name)?;
    call.holder.may_grant(&Reach::All)?;
    if name.is_default() {
        let detail = "is default, which always exists and has no quota; create a namespace with another name";
        return Err(Problem::invalid(FieldError::new("id", detail)));
    }
    Ok(name)
}

/// Returns the number of tasks on all shards, whatever they wait for, and the state of each shard.
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

/// Removes from all shards what they keep of tasks that are gone, before the namespace itself is
/// removed. So a new namespace with the same name does not show it. Returns the number of tasks
/// that have been created meanwhile; their shards remove nothing.
async fn purge(shards: &Shards, seen: Vec<(ShardId, PurgeRequest)>) -> Result<u64, Problem> {
    let purge = |(shard, seen): (ShardId, PurgeRequest)| async move {
        for _ in 0..MAX_ROUNDS {
            let reply: PurgeReply = shards.ask(shard, paths::PURGE, &Some(seen)).await?;
            if reply.done || reply.tasks > 0 {
                return Ok(reply.tasks);
            }
        }
        Err(Problem::unavailable(format!(
            "shard {shard} still holds keys of requests; delete the namespace again"
        )))
    };
    let mut tasks = 0;
    for held in shards.each(seen, purge).await {
        tasks += held?;
    }
    Ok(tasks)
}
