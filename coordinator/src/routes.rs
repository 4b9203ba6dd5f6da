//! Which request goes where.

use percent_encoding::percent_decode_str;
use scheduler_model::bounds::{
    MAX_BULK_BODY_BYTES, MAX_PREVIEW_BODY_BYTES, MAX_REQUEST_BYTES, MAX_SMALL_BODY_BYTES, MAX_TASK_BODY_BYTES,
};
use worker::Method;

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
pub(crate) fn allowed(path: &str) -> Option<String> {
    let known = [Method::Get, Method::Head, Method::Post, Method::Put, Method::Patch, Method::Delete];
    let taken: Vec<String> =
        known.iter().filter(|method| Route::of(method, path).is_some()).map(|method| method.as_ref().to_owned()).collect();
    (!taken.is_empty()).then(|| taken.join(", "))
}

/// Returns the one segment of a path behind a prefix: a name with a slash that was not escaped is none.
fn segment(path: &str, prefix: &str) -> Option<String> {
    path.strip_prefix(prefix).filter(|rest| !rest.contains('/')).and_then(decoded)
}

/// Returns the name that a part of a path stands for; none is empty.
fn decoded(name: &str) -> Option<String> {
    percent_decode_str(name).decode_utf8().ok().filter(|name| !name.is_empty()).map(std::borrow::Cow::into_owned)
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
