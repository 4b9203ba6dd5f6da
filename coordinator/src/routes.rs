//! Which request goes where.

use crate::answer::{Answer, Problem};
use crate::auth::Caller;
use crate::change::Verb;
use crate::shards::Shards;
use crate::{
    auth, cancel, change, create, events, explain, keys, list, namespaces, openapi, patch, preview, runs, settings, stats, tasks,
};
use percent_encoding::percent_decode_str;
use scheduler_core::access::{Holder, Share};
use scheduler_core::limits::MAX_REQUEST_BYTES;
use scheduler_core::task::{FieldError, Targets};
use scheduler_core::time::UnixMillis;
use scheduler_core::wire::Expected;
use scheduler_dispatcher::{Allowed, Handlers};
use serde_json::value::RawValue;
use worker::{Env, Method, Request};

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    Health,
    OpenApi,
    CreateTask,
    CreateBatch,
    CancelMany,
    ListTasks,
    GetTask(String),
    TaskRuns(String),
    ExplainTask(String),
    ReplaceTask(String),
    DeleteTask(String),
    PatchTask(String),
    PauseTask(String),
    ResumeTask(String),
    RunTask(String),
    RescheduleTask(String),
    PauseMany,
    ResumeMany,
    RunMany,
    RescheduleMany,
    Preview,
    Stats,
    CreateKey,
    ListKeys,
    RevokeKey(String),
    ListNamespaces,
    PutNamespace(String),
    DeleteNamespace(String),
    Events,
}

impl Route {
    /// The route of a method and a path as it stands in the URL.
    pub(crate) fn of(method: &Method, path: &str) -> Option<Self> {
        let path = path.strip_suffix('/').filter(|rest| !rest.is_empty()).unwrap_or(path);
        Some(match (method, path) {
            (Method::Get, "/healthz") => Self::Health,
            (Method::Get, "/openapi.json") => Self::OpenApi,
            (Method::Post, "/v1/tasks") => Self::CreateTask,
            (Method::Post, "/v1/tasks/batch") => Self::CreateBatch,
            (Method::Post, "/v1/tasks/cancel") => Self::CancelMany,
            (Method::Get, "/v1/tasks") => Self::ListTasks,
            (Method::Post, "/v1/preview") => Self::Preview,
            (Method::Get, "/v1/stats") => Self::Stats,
            (Method::Post, "/v1/keys") => Self::CreateKey,
            (Method::Get, "/v1/keys") => Self::ListKeys,
            (Method::Get, "/v1/namespaces") => Self::ListNamespaces,
            (Method::Delete, path) if path.starts_with("/v1/keys/") => Self::RevokeKey(decoded(path.rsplit_once('/')?.1)?),
            (Method::Put, path) if path.starts_with("/v1/namespaces/") => Self::PutNamespace(decoded(path.rsplit_once('/')?.1)?),
            (Method::Delete, path) if path.starts_with("/v1/namespaces/") => {
                Self::DeleteNamespace(decoded(path.rsplit_once('/')?.1)?)
            }
            (Method::Get, "/v1/events") => Self::Events,
            (Method::Post, "/v1/tasks/pause") => Self::PauseMany,
            (Method::Post, "/v1/tasks/resume") => Self::ResumeMany,
            (Method::Post, "/v1/tasks/run") => Self::RunMany,
            (Method::Post, "/v1/tasks/reschedule") => Self::RescheduleMany,
            (Method::Post, path) => {
                let (id, verb) = path.strip_prefix("/v1/tasks/")?.rsplit_once('/')?;
                let of: fn(String) -> Self = match verb {
                    "pause" => Self::PauseTask,
                    "resume" => Self::ResumeTask,
                    "run" => Self::RunTask,
                    "reschedule" => Self::RescheduleTask,
                    _ => return None,
                };
                of(decoded(id)?)
            }
            (method, path) => {
                let id = path.strip_prefix("/v1/tasks/")?;
                if let Some(id) = id.strip_suffix("/runs").filter(|_| *method == Method::Get) {
                    return decoded(id).map(Self::TaskRuns);
                }
                if let Some(id) = id.strip_suffix("/explain").filter(|_| *method == Method::Get) {
                    return decoded(id).map(Self::ExplainTask);
                }
                let id = decoded(id)?;
                match method {
                    Method::Patch => Self::PatchTask(id),
                    Method::Get => Self::GetTask(id),
                    Method::Put => Self::ReplaceTask(id),
                    Method::Delete => Self::DeleteTask(id),
                    _ => return None,
                }
            }
        })
    }
}

fn decoded(id: &str) -> Option<String> {
    percent_decode_str(id).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

/// What a request is answered with: everything that the answer may depend on.
pub(crate) struct Call<'a> {
    pub(crate) request: Request,
    pub(crate) env: &'a Env,
    /// Whoever sends it.
    pub(crate) holder: Holder,
    /// Those of its namespace.
    pub(crate) shards: Shards,
    /// What each of these enforces of the namespace's quota.
    pub(crate) share: Option<Share>,
    pub(crate) handlers: Vec<&'static str>,
    pub(crate) handler_retries: Vec<(&'static str, &'static RawValue)>,
    pub(crate) queues: Vec<String>,
    pub(crate) allowed: Allowed,
    pub(crate) now: UnixMillis,
}

impl Call<'_> {
    /// The version in `If-Match`.
    pub(crate) fn if_match(&self) -> Result<Option<u64>, Problem> {
        let Some(given) = self.request.headers().get("if-match").ok().flatten() else { return Ok(None) };
        let version = given.trim().strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        match version.filter(|digits| digits.len() == 16).and_then(|digits| u64::from_str_radix(digits, 16).ok()) {
            Some(version) => Ok(Some(version)),
            None => {
                let detail = "is not an ETag of this API; give the one from the answer that showed the task, in quotes";
                Err(Problem::invalid(FieldError::new("If-Match", detail)))
            }
        }
    }

    /// What `If-Match` or `If-None-Match` say must stand under the id.
    pub(crate) fn expected(&self) -> Result<Option<Expected>, Problem> {
        let none = self.request.headers().get("if-none-match").ok().flatten();
        match (self.if_match()?, none.as_deref().map(str::trim)) {
            (None, None) => Ok(None),
            (Some(version), None) => Ok(Some(Expected::Version(version))),
            (None, Some("*")) => Ok(Some(Expected::Absent)),
            _ => Err(Problem::invalid(FieldError::new(
                "If-None-Match",
                "must be * and stand alone: create only where no task waits",
            ))),
        }
    }

    /// What tasks may name.
    pub(crate) fn targets(&self) -> Targets<'_> {
        Targets {
            handlers: &self.handlers,
            queues: &self.queues,
            services: &self.allowed.services,
            durable_objects: &self.allowed.durable_objects,
            allowed_hosts: &self.allowed.hosts,
        }
    }

    /// The request's body as text.
    pub(crate) async fn text(&mut self) -> Result<String, Problem> {
        // Refused by its head where that says enough, before any of it is read.
        let announced = self.request.headers().get("content-length").ok().flatten().and_then(|length| length.parse().ok());
        if let Some(bytes) = announced.filter(|bytes| *bytes > MAX_REQUEST_BYTES) {
            return Err(Problem::too_large(bytes, MAX_REQUEST_BYTES));
        }
        let unreadable = |problem: String| Problem::invalid(FieldError::new("body", format!("cannot be read: {problem}")));
        let bytes = self.request.bytes().await.map_err(|problem| unreadable(problem.to_string()))?;
        if bytes.len() > MAX_REQUEST_BYTES {
            return Err(Problem::too_large(bytes.len(), MAX_REQUEST_BYTES));
        }
        String::from_utf8(bytes).map_err(|problem| unreadable(format!("it is not UTF-8: {problem}")))
    }
}

/// Answers a request.
pub(crate) async fn handle(request: Request, env: &Env, handlers: &Handlers) -> Answer {
    answer(request, env, handlers).await.unwrap_or_else(Answer::from)
}

async fn answer(request: Request, env: &Env, handlers: &Handlers) -> Result<Answer, Problem> {
    let (method, path) = (request.method(), request.path());
    let route = Route::of(&method, &path);
    match route {
        Some(Route::Health) => return Ok(Answer::json(200, br#"{"status":"ok"}"#.to_vec())),
        Some(Route::OpenApi) => return Ok(Answer::json(200, openapi::TEXT.as_bytes().to_vec())),
        _ => {}
    }
    let now = scheduler_platform::now();
    let Caller { holder, namespace, quota } = auth::admit(&request, env, now).await?;
    let route = route.ok_or_else(|| Problem::no_route(method.as_ref(), &path))?;
    let shards = Shards::of(env, namespace)?;
    let call = Call {
        request,
        env,
        holder,
        share: quota.share(shards.map.shards()),
        shards,
        handlers: handlers.names(),
        handler_retries: handlers.retries(),
        queues: settings::queue_bindings(env),
        allowed: Allowed::read(env),
        now,
    };
    match route {
        // Answered above, before the key is asked for.
        Route::Health | Route::OpenApi => Err(Problem::no_route(method.as_ref(), &path)),
        Route::CreateTask => create::one(call, None).await,
        Route::ReplaceTask(id) => create::one(call, Some(id)).await,
        Route::CreateBatch => create::batch(call).await,
        Route::GetTask(id) => tasks::get(call, id).await,
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
        Route::Events => events::events(call).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_find_their_routes() {
        for (method, path, route) in [
            (Method::Get, "/healthz", Some(Route::Health)),
            (Method::Post, "/v1/tasks", Some(Route::CreateTask)),
            (Method::Post, "/v1/tasks/", Some(Route::CreateTask)),
            (Method::Get, "/v1/tasks/a%2Fb", Some(Route::GetTask("a/b".into()))),
            (Method::Get, "/v1/tasks/a%2Fb/runs", Some(Route::TaskRuns("a/b".into()))),
            (Method::Get, "/v1/tasks/a%2Fb/explain", Some(Route::ExplainTask("a/b".into()))),
            (Method::Get, "/v1/tasks/runs", Some(Route::GetTask("runs".into()))),
            (Method::Get, "/v1/tasks/a/b", Some(Route::GetTask("a/b".into()))),
            (Method::Put, "/v1/tasks/sp%C3%A4t", Some(Route::ReplaceTask("spät".into()))),
            (Method::Post, "/v1/preview", Some(Route::Preview)),
            (Method::Get, "/v1/tasks/batch", Some(Route::GetTask("batch".into()))),
            (Method::Delete, "/v1/tasks/%FF", None),
            (Method::Delete, "/v1/keys/a", Some(Route::RevokeKey("a".into()))),
            (Method::Get, "/v1/keys/a", None),
            (Method::Put, "/v1/namespaces/a/", Some(Route::PutNamespace("a".into()))),
            (Method::Delete, "/v1/namespaces/a%2Fb", Some(Route::DeleteNamespace("a/b".into()))),
            (Method::Patch, "/v1/tasks/a", Some(Route::PatchTask("a".into()))),
            (Method::Post, "/v1/tasks/pause", Some(Route::PauseMany)),
            (Method::Post, "/v1/tasks/a%20b/pause", Some(Route::PauseTask("a b".into()))),
            (Method::Post, "/v1/tasks/a/b/run", Some(Route::RunTask("a/b".into()))),
            (Method::Post, "/v1/tasks/a/jump", None),
            (Method::Post, "/v1/tasks/a", None),
            (Method::Get, "/", None),
            (Method::Get, "/v2/tasks", None),
        ] {
            assert_eq!(Route::of(&method, path), route, "{method:?} {path}");
        }
    }
}
