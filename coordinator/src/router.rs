//! From a request to its answer: finds the route, lets the caller in, and calls the handler.

use crate::auth::{self, Caller};
use crate::clients::shards::Shards;
use crate::context::Call;
use crate::handlers::tasks::change::Verb;
use crate::handlers::tasks::{cancel, change, create, explain, get, list, patch, runs};
use crate::handlers::{events, keys, namespaces, preview, rate_limits, stats};
use crate::openapi;
use crate::problem::Problem;
use crate::response::Answer;
use crate::routes::{Route, allowed};
use scheduler_calendar::tz;
use scheduler_dispatcher::Handlers;
use scheduler_platform::settings::{self, Allowed};
use worker::{Env, Method, Request};

/// Answers a request.
pub(crate) async fn handle(request: Request, env: &Env, handlers: &Handlers) -> Answer {
    let is_head = request.method() == Method::Head;
    let answer = answer(request, env, handlers).await.unwrap_or_else(Answer::from);
    if is_head { answer.without_body() } else { answer }
}

async fn answer(request: Request, env: &Env, handlers: &Handlers) -> Result<Answer, Problem> {
    let (method, path) = (request.method(), request.path());
    // The SDK takes a method that it does not know for GET.
    let name = request.inner().method();
    let route = if method.as_ref().eq_ignore_ascii_case(&name) { Route::of(&method, &path) } else { None };
    match route {
        Some(Route::Health) => return Ok(Answer::of(200, &serde_json::json!({ "status": "ok", "timeZones": tz::release() }))),
        Some(Route::OpenApi) => return Ok(Answer::json(200, openapi::TEXT.as_bytes().to_vec())),
        // What is open to everybody says so to everybody.
        None if Route::of(&Method::Get, &path).is_some_and(|route| matches!(route, Route::Health | Route::OpenApi)) => {
            return Err(no_route(&name, &path));
        }
        _ => {}
    }
    let now = scheduler_platform::now();
    let Caller { holder, namespace, quota } = auth::admit(&request, env, now).await?;
    let route = route.ok_or_else(|| no_route(&name, &path))?;
    route.check_conditions(request.headers())?;
    let shards = Shards::of(env, namespace)?;
    let call = Call {
        request,
        env,
        body_limit: route.body_limit(),
        held: None,
        holder,
        share: quota.share(shards.map.shards()),
        shards,
        handlers: handlers.names(),
        handler_retries: handlers.retries(),
        default_callback: settings::default_callback(env).map_err(Problem::misconfigured)?,
        queues: settings::queue_bindings(env),
        allowed: Allowed::read(env),
        now,
    };
    match route {
        // Answered above, before the key is asked for.
        Route::Health | Route::OpenApi => Err(Problem::no_route(&name, &path)),
        Route::CreateTask => create::one(call, None).await,
        Route::ReplaceTask(id) => create::one(call, Some(id)).await,
        Route::CreateBatch => create::batch(call).await,
        Route::GetTask(id) => get::get(call, id).await,
        Route::TaskRuns(id) => runs::runs(call, id).await,
        Route::ExplainTask(id) => explain::explain(call, id).await,
        Route::DeleteTask(id) => cancel::one(call, id).await,
        Route::CancelMany => cancel::many(call).await,
        Route::PatchTask(id) => patch::patch(call, id).await,
        Route::PauseTask(id) => change::one(call, id, Verb::Pause).await,
        Route::ResumeTask(id) => change::one(call, id, Verb::Resume).await,
        Route::RunTask(id) => change::one(call, id, Verb::Run).await,
        Route::RescheduleTask(id) => change::one(call, id, Verb::Reschedule).await,
        Route::PauseMany => change::many(call, Verb::Pause).await,
        Route::ResumeMany => change::many(call, Verb::Resume).await,
        Route::RunMany => change::many(call, Verb::Run).await,
        Route::RescheduleMany => change::many(call, Verb::Reschedule).await,
        Route::ListTasks => list::list(call).await,
        Route::Preview => preview::preview_runs(call).await,
        Route::Stats => stats::stats(call).await,
        Route::CreateKey => keys::create(call).await,
        Route::ListKeys => keys::list(call).await,
        Route::RevokeKey(id) => keys::revoke(call, id).await,
        Route::ListNamespaces => namespaces::list(call).await,
        Route::PutNamespace(name) => namespaces::put(call, name).await,
        Route::DeleteNamespace(name) => namespaces::delete(call, name).await,
        Route::ListLimits => rate_limits::list(call).await,
        Route::PutLimit(key) => rate_limits::put(call, key).await,
        Route::GetLimit(key) => rate_limits::get(call, key).await,
        Route::DeleteLimit(key) => rate_limits::delete(call, key).await,
        Route::Events => events::events(call).await,
    }
}

/// Returns the refusal of a method that the path does not take, or of a path that takes none.
fn no_route(method: &str, path: &str) -> Problem {
    match allowed(path) {
        Some(allowed) => Problem::no_method(method, path, allowed),
        None => Problem::no_route(method, path),
    }
}
