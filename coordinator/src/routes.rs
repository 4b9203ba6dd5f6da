//! Which request goes where.

use crate::auth::Caller;
use crate::bodies::Held;
use crate::clients::shards::Shards;
use crate::conditions::{self, Condition, IF_MATCH, IF_NONE_MATCH};
use crate::handlers::tasks::change::Verb;
use crate::handlers::tasks::{cancel, change, create, explain, get, list, patch, runs};
use crate::handlers::{events, keys, namespaces, preview, rate_limits, stats};
use crate::problem::Problem;
use crate::response::Answer;
use crate::{auth, openapi, settings};
use percent_encoding::percent_decode_str;
use scheduler_calendar::time::UnixMillis;
use scheduler_calendar::tz;
use scheduler_dispatcher::{Allowed, Handlers};
use scheduler_model::access::{Holder, Share};
use scheduler_model::bounds::{
    MAX_BULK_BODY_BYTES, MAX_PREVIEW_BODY_BYTES, MAX_REQUEST_BYTES, MAX_SMALL_BODY_BYTES, MAX_TASK_BODY_BYTES,
};
use scheduler_model::input::FieldError;
use scheduler_model::task::{Targets, version_of};
use scheduler_platform::{Unread, read_body, within};
use serde_json::value::RawValue;
use std::time::Duration;
use worker::{Env, Method, Request};

/// In this time a body must have come, for it has a place that others wait for: the largest at 2.3 Mbit/s.
const BODY_TIME: Duration = Duration::from_secs(60);

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
    ListLimits,
    PutLimit(String),
    GetLimit(String),
    DeleteLimit(String),
    Events,
}

impl Route {
    /// The route of a method and a path as it stands in the URL. A HEAD goes where the GET does.
    pub(crate) fn of(method: &Method, path: &str) -> Option<Self> {
        let method = if *method == Method::Head { &Method::Get } else { method };
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
            (Method::Delete, path) if path.starts_with("/v1/keys/") => Self::RevokeKey(segment(path, "/v1/keys/")?),
            (Method::Put, path) if path.starts_with("/v1/namespaces/") => Self::PutNamespace(segment(path, "/v1/namespaces/")?),
            (Method::Delete, path) if path.starts_with("/v1/namespaces/") => {
                Self::DeleteNamespace(segment(path, "/v1/namespaces/")?)
            }
            (Method::Get, "/v1/limits") => Self::ListLimits,
            (method, path) if path.starts_with("/v1/limits/") => {
                let key = decoded(path.strip_prefix("/v1/limits/")?)?;
                match method {
                    Method::Put => Self::PutLimit(key),
                    Method::Get => Self::GetLimit(key),
                    Method::Delete => Self::DeleteLimit(key),
                    _ => return None,
                }
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
                // A slash of an id may stand in a path as it is, but not before one of these: there it is written `%2F`.
                if let Some((id, part)) = id.rsplit_once('/').filter(|(_, part)| PARTS_OF_TASKS.contains(part)) {
                    return match (method, part) {
                        (Method::Get, "runs") => decoded(id).map(Self::TaskRuns),
                        (Method::Get, "explain") => decoded(id).map(Self::ExplainTask),
                        _ => None,
                    };
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

    /// Returns the largest body that the route takes, bytes.
    pub(crate) fn body_limit(&self) -> usize {
        match self {
            Self::CreateBatch => MAX_REQUEST_BYTES,
            Self::CreateTask | Self::ReplaceTask(_) | Self::PatchTask(_) => MAX_TASK_BODY_BYTES,
            Self::CancelMany | Self::PauseMany | Self::ResumeMany | Self::RunMany | Self::RescheduleMany => MAX_BULK_BODY_BYTES,
            Self::Preview => MAX_PREVIEW_BODY_BYTES,
            _ => MAX_SMALL_BODY_BYTES,
        }
    }
}

/// What follows the id of a task in a path.
const PARTS_OF_TASKS: [&str; 6] = ["runs", "explain", "pause", "resume", "run", "reschedule"];

/// The methods that a path takes, as `Allow` lists them; `None` for a path that takes none.
fn allowed(path: &str) -> Option<String> {
    let known = [Method::Get, Method::Head, Method::Post, Method::Put, Method::Patch, Method::Delete];
    let taken: Vec<String> =
        known.iter().filter(|method| Route::of(method, path).is_some()).map(|method| method.as_ref().to_owned()).collect();
    (!taken.is_empty()).then(|| taken.join(", "))
}

/// A method that the path does not take, or a path that takes none.
fn no_route(method: &str, path: &str) -> Problem {
    match allowed(path) {
        Some(allowed) => Problem::no_method(method, path, allowed),
        None => Problem::no_route(method, path),
    }
}

/// Returns the one segment of a path behind a prefix: a name with a slash that was not escaped is none.
fn segment(path: &str, prefix: &str) -> Option<String> {
    path.strip_prefix(prefix).filter(|rest| !rest.contains('/')).and_then(decoded)
}

/// Returns the name that a part of a path stands for; none is empty.
fn decoded(name: &str) -> Option<String> {
    percent_decode_str(name).decode_utf8().ok().filter(|name| !name.is_empty()).map(std::borrow::Cow::into_owned)
}

/// What a request is answered with: everything that the answer may depend on.
pub(crate) struct Call<'a> {
    pub(crate) request: Request,
    pub(crate) env: &'a Env,
    /// The largest body that the route takes.
    pub(crate) body_limit: usize,
    /// What its body takes of the memory that all bodies share, once it is read.
    held: Option<Held>,
    /// Whoever sends it.
    pub(crate) holder: Holder,
    /// Those of its namespace.
    pub(crate) shards: Shards,
    /// What each of these enforces of the namespace's quota.
    pub(crate) share: Option<Share>,
    pub(crate) handlers: Vec<&'static str>,
    pub(crate) handler_retries: Vec<(&'static str, &'static RawValue)>,
    pub(crate) queues: Vec<String>,
    /// That of tasks without one.
    pub(crate) default_callback: Option<Box<RawValue>>,
    pub(crate) allowed: Allowed,
    pub(crate) now: UnixMillis,
}

impl Call<'_> {
    /// The condition in a header, if there is one.
    fn condition(&self, field: &'static str) -> Result<Option<Condition>, Problem> {
        let given = conditions::given(self.request.headers(), field);
        given.map(|text| Condition::parse(field, &text)).transpose().map_err(Problem::invalid)
    }

    /// The condition in `If-Match`.
    pub(crate) fn if_match(&self) -> Result<Option<Condition>, Problem> {
        self.condition(IF_MATCH)
    }

    /// The condition in `If-None-Match`.
    pub(crate) fn if_none_match(&self) -> Result<Option<Condition>, Problem> {
        self.condition(IF_NONE_MATCH)
    }

    /// Returns the version that the task must have for `If-Match` and `If-None-Match` to hold: for a shard to compare in the step of the
    /// change. Where that is not one version that `If-Match` names, the task is read: `*` asks only that it is there.
    pub(crate) async fn version_to_match(&self, id: &str) -> Result<Option<u64>, Problem> {
        let (condition, seen) = (self.if_match()?, self.if_none_match()?);
        let only = condition.as_ref().and_then(Condition::only_version);
        if only.is_some() && seen.is_none() || condition.is_none() && seen.is_none() {
            return Ok(only);
        }
        let version = get::find(&self.shards, id).await?.map(|(_, item)| version_of(item.record.get().as_bytes()));
        if let (Some(seen), Some(version)) = (&seen, version)
            && seen.names(version)
        {
            return Err(Problem::seen_already());
        }
        match (condition, version) {
            (Some(Condition::Any), Some(_)) if seen.is_none() => Ok(None),
            (Some(condition), Some(version)) if condition.allows(version) => Ok(Some(version)),
            (Some(_), _) => Err(Problem::not_matched()),
            (None, version) => Ok(version),
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

    /// Returns the request's body as text: no more of it is read than the route takes, and nothing of a large one while those of other requests
    /// take the memory that there is.
    pub(crate) async fn text(&mut self) -> Result<String, Problem> {
        let (limit, namespace, env) = (self.body_limit, self.shards.namespace(), self.env);
        let unreadable = |problem: String| Problem::invalid(FieldError::new("body", format!("cannot be read: {problem}")));
        let held = &mut self.held;
        let take = |bytes| {
            match held {
                None => *held = Held::take(namespace, bytes, env)?,
                Some(held) => held.grow(bytes, env)?,
            }
            Ok(())
        };
        let read = within(BODY_TIME, read_body(&mut self.request, limit, take)).await;
        let slow = || unreadable(format!("it has not come within {} s; send less, or several requests", BODY_TIME.as_secs()));
        let bytes = read.ok_or_else(slow)?.map_err(|unread| match unread {
            Unread::TooLong => Problem::too_large(limit),
            Unread::NoRoom(problem) => problem,
            Unread::Cut(problem) => unreadable(problem.to_string()),
        })?;
        String::from_utf8(bytes).map_err(|problem| unreadable(format!("it is not UTF-8: {problem}")))
    }
}

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
        default_callback: settings::default_callback(env)?,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_path_says_which_methods_it_takes() {
        for (path, methods) in [
            ("/healthz", Some("GET, HEAD")),
            ("/v1/tasks", Some("GET, HEAD, POST")),
            ("/v1/tasks/batch", Some("GET, HEAD, POST, PUT, PATCH, DELETE")),
            ("/v1/tasks/a", Some("GET, HEAD, PUT, PATCH, DELETE")),
            ("/v1/tasks/a/pause", Some("POST")),
            ("/v1/tasks/a/b/reschedule/", Some("POST")),
            ("/v1/tasks/a%2Fpause", Some("GET, HEAD, PUT, PATCH, DELETE")),
            ("/v1/tasks/a/runs", Some("GET, HEAD")),
            ("/v1/tasks/a/explain", Some("GET, HEAD")),
            ("/v1/keys", Some("GET, HEAD, POST")),
            ("/v1/keys/a", Some("DELETE")),
            ("/v1/namespaces/a", Some("PUT, DELETE")),
            ("/v1/limits/a", Some("GET, HEAD, PUT, DELETE")),
            ("/v1/events/", Some("GET, HEAD")),
            ("/v1/preview", Some("POST")),
            ("/v1/tasks/%FF", None),
            // No name is empty.
            ("/v1/tasks//", None),
            ("/v1/tasks///", Some("GET, HEAD, PUT, PATCH, DELETE")),
            ("/v1/tasks//pause", None),
            ("/v1/tasks//runs", None),
            ("/v1/limits//", None),
            ("/v1/keys//", None),
            ("/v1/namespaces//", None),
            ("/v2/tasks", None),
            ("/", None),
        ] {
            assert_eq!(allowed(path).as_deref(), methods, "{path}");
        }
    }

    /// Whatever a path is, HEAD goes where GET does, and a method that finds no route is answered with those that do.
    #[test]
    fn every_route_is_among_the_methods_of_its_path() {
        let parts =
            ["v1", "tasks", "keys", "namespaces", "limits", "events", "preview", "stats", "batch", "run", "runs", "a", ""];
        let paths = parts.iter().flat_map(|one| parts.iter().map(move |other| format!("/v1/{one}/{other}")));
        let paths =
            paths.chain(parts.iter().map(|part| format!("/v1/{part}"))).chain(parts.map(|part| format!("/v1/tasks/a/{part}")));
        for path in paths {
            let allowed = allowed(&path).unwrap_or_default();
            for method in [Method::Get, Method::Head, Method::Post, Method::Put, Method::Patch, Method::Delete, Method::Options] {
                let is_listed = allowed.split(", ").any(|listed| listed == method.as_ref());
                assert_eq!(Route::of(&method, &path).is_some(), is_listed, "{method:?} {path}");
            }
            assert_eq!(Route::of(&Method::Head, &path), Route::of(&Method::Get, &path));
        }
    }

    /// What a caller sends is read by types of the core, whose fields are attacked there, and by `Call::text`, which stops at the route's limit.
    #[test]
    fn nothing_else_reads_a_request() {
        // The answers of objects, the settings, and what an example handler is given.
        let readers = ["example_handlers.rs", "limits.rs", "registry.rs", "settings.rs", "shards.rs"];
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
        for file in std::fs::read_dir(folder).unwrap().map(|file| file.unwrap()).filter(|file| file.path().is_file()) {
            let name = file.file_name().into_string().unwrap();
            let source = std::fs::read_to_string(file.path()).unwrap();
            let source = source.split("#[cfg(test)]").next().unwrap();
            for reads in ["derive(Deserialize", ", Deserialize", "serde_json::from_", "IntoDeserializer"] {
                let is_reader = readers.contains(&name.as_str());
                assert!(is_reader || !source.contains(reads), "{name} has {reads}: read requests in the core");
            }
            for reads in ["request.bytes()", "request.text()", "request.json()", "request.stream()", "array_buffer()"] {
                assert!(!source.contains(reads), "{name} has {reads}: use Call::text");
            }
            assert!(name == "query.rs" || !source.contains("query_pairs"), "{name} reads the query: use Call::query");
        }
    }

    #[test]
    fn bodies_have_the_limit_of_their_route() {
        for (method, path, limit) in [
            (Method::Post, "/v1/tasks/batch", MAX_REQUEST_BYTES),
            (Method::Post, "/v1/tasks", MAX_TASK_BODY_BYTES),
            (Method::Patch, "/v1/tasks/a", MAX_TASK_BODY_BYTES),
            (Method::Post, "/v1/tasks/run", MAX_BULK_BODY_BYTES),
            (Method::Post, "/v1/tasks/a/run", MAX_SMALL_BODY_BYTES),
            (Method::Post, "/v1/preview", MAX_PREVIEW_BODY_BYTES),
            (Method::Post, "/v1/keys", MAX_SMALL_BODY_BYTES),
        ] {
            assert_eq!(Route::of(&method, path).map(|route| route.body_limit()), Some(limit), "{path}");
        }
    }

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
            (Method::Get, "/v1/tasks/a/pause", None),
            (Method::Put, "/v1/tasks/a/runs", None),
            (Method::Put, "/v1/tasks/a%2Fruns", Some(Route::ReplaceTask("a/runs".into()))),
            (Method::Get, "/v1/tasks/a/b", Some(Route::GetTask("a/b".into()))),
            (Method::Put, "/v1/tasks/sp%C3%A4t", Some(Route::ReplaceTask("spät".into()))),
            (Method::Post, "/v1/preview", Some(Route::Preview)),
            (Method::Get, "/v1/tasks/batch", Some(Route::GetTask("batch".into()))),
            (Method::Delete, "/v1/tasks/%FF", None),
            (Method::Delete, "/v1/keys/a", Some(Route::RevokeKey("a".into()))),
            (Method::Get, "/v1/keys/a", None),
            (Method::Delete, "/v1/keys/b/a", None),
            (Method::Put, "/v1/namespaces/b/a", None),
            (Method::Delete, "/v1/namespaces/b/a", None),
            (Method::Put, "/v1/namespaces/a/", Some(Route::PutNamespace("a".into()))),
            (Method::Delete, "/v1/namespaces/a%2Fb", Some(Route::DeleteNamespace("a/b".into()))),
            (Method::Get, "/v1/limits", Some(Route::ListLimits)),
            (Method::Put, "/v1/limits/a%2Fb", Some(Route::PutLimit("a/b".into()))),
            (Method::Get, "/v1/limits/a", Some(Route::GetLimit("a".into()))),
            (Method::Delete, "/v1/limits/a/b", Some(Route::DeleteLimit("a/b".into()))),
            (Method::Post, "/v1/limits/a", None),
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
