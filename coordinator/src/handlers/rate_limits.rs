//! Sets, shows and removes the limits on the concurrency and the rate of the tasks that name a key.

use crate::clients::limiters::ask;
use crate::context::Call;
use crate::problem::Problem;
use crate::response::Answer;
use scheduler_calendar::ordered::sort_by_key;
use scheduler_model::limit::{Limit, check_limit_key};
use scheduler_model::protocol::limiter::{LimitShown, Named, limiter_of, limiters, paths};

/// `PUT /v1/limits/{id}` sets a limit.
pub(crate) async fn put(mut call: Call<'_>, key: String) -> Result<Answer, Problem> {
    check_limit_key("id", &key).map_err(Problem::invalid)?;
    let limit = Limit::parse(&call.text().await?).map_err(Problem::invalid)?;
    let name = limiter_of(call.shards.namespace(), &key);
    let is_new: bool = ask(call.env, &name, paths::PUT, &Named { key: key.clone(), limit }).await?;
    let shown: Option<LimitShown> = ask(call.env, &name, paths::GET, &key).await?;
    let shown = shown.ok_or_else(|| Problem::no_limit(&key))?;
    Ok(Answer::of(if is_new { 201 } else { 200 }, &shown))
}

/// `GET /v1/limits/{id}` shows a limit.
pub(crate) async fn get(call: Call<'_>, key: String) -> Result<Answer, Problem> {
    let name = limiter_of(call.shards.namespace(), &key);
    let shown: Option<LimitShown> = ask(call.env, &name, paths::GET, &key).await?;
    shown.map(|shown| Answer::of(200, &shown)).ok_or_else(|| Problem::no_limit(&key))
}

/// `GET /v1/limits` lists the limits.
pub(crate) async fn list(call: Call<'_>) -> Result<Answer, Problem> {
    let asked = limiters(call.shards.namespace());
    let lists = futures::future::join_all(
        asked.map(|name| async move { ask(call.env, &name, paths::LIST, &()).await }),
    )
    .await;
    let mut limits: Vec<LimitShown> =
        lists.into_iter().collect::<Result<Vec<Vec<_>>, _>>()?.into_iter().flatten().collect();
    sort_by_key(&mut limits, |limit| limit.key.clone());
    Ok(Answer::of(200, &serde_json::json!({ "limits": limits })))
}

/// `DELETE /v1/limits/{id}` removes a limit.
pub(crate) async fn delete(call: Call<'_>, key: String) -> Result<Answer, Problem> {
    let name = limiter_of(call.shards.namespace(), &key);
    let was_there: bool = ask(call.env, &name, paths::DELETE, &key).await?;
    if was_there { Ok(Answer::deleted(&key)) } else { Err(Problem::no_limit(&key)) }
}
