//! The table of routes, and the search for the route of a request.

mod calendars;
mod dead_letters;
mod hints;
mod others;
mod prelude;
mod route;
mod tasks;

pub(crate) use hints::hint;
pub(crate) use route::{Access, Route};

use percent_encoding::percent_decode_str;
use worker::Method;

/// Returns every route.
pub(crate) fn all() -> impl Iterator<Item = &'static Route> {
    tasks::ROUTES.iter().chain(dead_letters::ROUTES).chain(calendars::ROUTES).chain(others::ROUTES)
}

/// Returns the route for a method and a percent-encoded path, and the decoded name in the path,
/// which is empty if the route has none. A HEAD uses the route of the GET.
pub(crate) fn find(method: &Method, path: &str) -> Option<(&'static Route, String)> {
    let method = if *method == Method::Head { &Method::Get } else { method };
    let path = path.strip_suffix('/').filter(|rest| !rest.is_empty()).unwrap_or(path);
    if let Some(route) =
        all().find(|route| route.method == *method && route.path == path && !path.contains('{'))
    {
        return Some((route, String::new()));
    }
    // An id may contain an unencoded slash, but not before a last segment such as `runs`, where the
    // slash must be `%2F`.
    let is_part = all().any(|route| route.is_part() && route.name_in(path).is_some());
    all().filter(|route| route.method == *method && route.is_part() == is_part).find_map(|route| {
        let name = decoded(route.name_in(path)?)?;
        Some((route, name))
    })
}

/// Returns the methods that a path accepts, as `Allow` lists them, or `None` if the path is
/// unknown.
pub(crate) fn allowed(path: &str) -> Option<String> {
    let known =
        [Method::Get, Method::Head, Method::Post, Method::Put, Method::Patch, Method::Delete];
    let taken: Vec<String> = known
        .iter()
        .filter(|method| find(method, path).is_some())
        .map(|method| method.as_ref().to_owned())
        .collect();
    (!taken.is_empty()).then(|| taken.join(", "))
}

/// Checks that the percent escapes of a path can be decoded.
///
/// # Errors
/// Returns a description of the first invalid escape.
pub(crate) fn check_escapes(path: &str) -> Result<(), &'static str> {
    let is_escape = |rest: &str| {
        let digits = rest.as_bytes().first_chunk::<2>();
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if !path.split('%').skip(1).all(is_escape) {
        return Err("has a percent sign without two hexadecimal digits; write it as %25");
    }
    match percent_decode_str(path).decode_utf8() {
        Ok(_) => Ok(()),
        Err(_) => Err("does not decode to UTF-8; percent-encode the UTF-8 bytes of the id"),
    }
}

/// Returns the decoded name in a part of a path, or `None` if it is empty or not UTF-8.
fn decoded(name: &str) -> Option<String> {
    percent_decode_str(name)
        .decode_utf8()
        .ok()
        .filter(|name| !name.is_empty())
        .map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use scheduler_model::access::Scope;
    use scheduler_model::bounds::{
        DEFAULT_REQUEST_BYTES, MAX_BULK_BODY_BYTES, MAX_SMALL_BODY_BYTES, MAX_TASK_BODY_BYTES,
    };
    use std::collections::HashSet;

    /// Returns the operation for a request, and the name in its path.
    fn found(method: &Method, path: &str) -> Option<(&'static str, String)> {
        find(method, path).map(|(route, name)| (route.operation.id, name))
    }

    #[test]
    fn no_route_is_declared_twice() {
        let mut seen = HashSet::new();
        for route in all() {
            assert!(
                seen.insert((route.method.as_ref().to_owned(), route.path)),
                "{:?} {}",
                route.method,
                route.path
            );
        }
        assert_eq!(seen.len(), 54);
    }

    /// A request without a route needs the scope that a route of its kind would need. So an answer
    /// of 403 or 404 reveals nothing about the routes.
    #[test]
    fn routes_need_the_scope_of_their_kind() {
        for route in all() {
            if let Access::Scope(scope, _) = route.access {
                assert_eq!(
                    scope,
                    Scope::needed(route.method.as_ref(), route.path),
                    "{:?} {}",
                    route.method,
                    route.path
                );
            }
        }
    }

    #[test]
    fn a_known_path_lists_its_methods() {
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
            ("/v1/runs", Some("GET, HEAD")),
            ("/v1/forecast", Some("GET, HEAD")),
            ("/v1/stats/series", Some("GET, HEAD")),
            ("/v1/keys", Some("GET, HEAD, POST")),
            ("/v1/keys/a", Some("GET, HEAD, DELETE")),
            ("/v1/namespaces/a", Some("GET, HEAD, PUT, DELETE")),
            ("/problems", Some("GET, HEAD")),
            ("/problems/invalid", Some("GET, HEAD")),
            ("/problems/a/b", None),
            ("/v1/limits/a", Some("GET, HEAD, PUT, DELETE")),
            ("/v1/dead-letters", Some("GET, HEAD")),
            ("/v1/dead-letters/7-5r-a/b", Some("GET, HEAD, DELETE")),
            ("/v1/dead-letters/7-5r-a/replay", Some("POST")),
            ("/v1/dead-letters/replay", Some("GET, HEAD, POST, DELETE")),
            ("/v1/events/", Some("GET, HEAD")),
            ("/v1/preview", Some("POST")),
            ("/mcp", Some("POST")),
            ("/mcp/", Some("POST")),
            ("/v1/parse", Some("POST")),
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

    /// For every path, HEAD has the route of GET, and a method without a route is answered with the
    /// methods that have one.
    #[test]
    fn every_route_is_among_the_methods_of_its_path() {
        let parts = [
            "v1",
            "tasks",
            "keys",
            "namespaces",
            "limits",
            "events",
            "preview",
            "stats",
            "batch",
            "run",
            "runs",
            "a",
            "",
        ];
        let paths = parts
            .iter()
            .flat_map(|one| parts.iter().map(move |other| format!("/v1/{one}/{other}")));
        let paths = paths
            .chain(parts.iter().map(|part| format!("/v1/{part}")))
            .chain(parts.map(|part| format!("/v1/tasks/a/{part}")));
        for path in paths {
            let allowed = allowed(&path).unwrap_or_default();
            for method in [
                Method::Get,
                Method::Head,
                Method::Post,
                Method::Put,
                Method::Patch,
                Method::Delete,
                Method::Options,
            ] {
                let is_listed = allowed.split(", ").any(|listed| listed == method.as_ref());
                assert_eq!(find(&method, &path).is_some(), is_listed, "{method:?} {path}");
            }
            assert_eq!(found(&Method::Head, &path), found(&Method::Get, &path));
        }
    }

    #[test]
    fn invalid_escapes_are_refused() {
        for path in ["/v1/tasks", "/v1/tasks/a%2Fb", "/v1/tasks/sp%c3%A4t", "/v1/tasks/%25"] {
            assert_eq!(check_escapes(path), Ok(()), "{path}");
        }
        for (path, problem) in [
            ("/v1/tasks/%", "percent sign"),
            ("/v1/tasks/a%2", "percent sign"),
            ("/v1/tasks/%zz", "percent sign"),
            ("/v1/tasks/%25%", "percent sign"),
            ("/v1/tasks/%FF", "UTF-8"),
            ("/v1/tasks/%C3/runs", "UTF-8"),
            ("/%ED%A0%80", "UTF-8"),
        ] {
            assert!(check_escapes(path).unwrap_err().contains(problem), "{path}");
        }
    }

    #[test]
    fn bodies_have_the_limit_of_their_route() {
        for (method, path, limit) in [
            (Method::Post, "/v1/tasks/batch", DEFAULT_REQUEST_BYTES),
            (Method::Post, "/v1/tasks", MAX_TASK_BODY_BYTES),
            (Method::Patch, "/v1/tasks/a", MAX_TASK_BODY_BYTES),
            (Method::Post, "/v1/tasks/run", MAX_BULK_BODY_BYTES),
            (Method::Post, "/v1/tasks/a/run", MAX_TASK_BODY_BYTES),
            (Method::Post, "/v1/tasks/a/pause", MAX_SMALL_BODY_BYTES),
            (Method::Post, "/v1/dead-letters/a/replay", MAX_TASK_BODY_BYTES),
            (Method::Post, "/v1/dead-letters/replay", MAX_BULK_BODY_BYTES),
            (Method::Post, "/v1/preview", MAX_TASK_BODY_BYTES),
            (Method::Post, "/mcp", MAX_TASK_BODY_BYTES),
            (Method::Post, "/v1/parse", MAX_SMALL_BODY_BYTES),
            (Method::Post, "/v1/keys", MAX_SMALL_BODY_BYTES),
        ] {
            assert_eq!(
                find(&method, path).map(|(route, _)| route.body_limit),
                Some(limit),
                "{path}"
            );
        }
    }

    #[test]
    fn paths_find_their_routes() {
        for (method, path, route) in [
            (Method::Get, "/healthz", Some(("health", ""))),
            (Method::Post, "/v1/tasks", Some(("createTask", ""))),
            (Method::Post, "/v1/tasks/", Some(("createTask", ""))),
            (Method::Get, "/v1/tasks/a%2Fb", Some(("getTask", "a/b"))),
            (Method::Get, "/v1/tasks/a%2Fb/runs", Some(("listRuns", "a/b"))),
            (Method::Get, "/v1/tasks/a%2Fb/explain", Some(("explainTask", "a/b"))),
            (Method::Get, "/v1/tasks/runs", Some(("getTask", "runs"))),
            (Method::Get, "/v1/tasks/a/pause", None),
            (Method::Put, "/v1/tasks/a/runs", None),
            (Method::Put, "/v1/tasks/a%2Fruns", Some(("putTask", "a/runs"))),
            (Method::Get, "/v1/tasks/a/b", Some(("getTask", "a/b"))),
            (Method::Put, "/v1/tasks/sp%C3%A4t", Some(("putTask", "spät"))),
            (Method::Post, "/v1/preview", Some(("preview", ""))),
            (Method::Post, "/v1/parse", Some(("parse", ""))),
            (Method::Get, "/v1/tasks/batch", Some(("getTask", "batch"))),
            (Method::Delete, "/v1/tasks/%FF", None),
            (Method::Delete, "/v1/keys/a", Some(("revokeKey", "a"))),
            (Method::Get, "/v1/keys/a", Some(("getKey", "a"))),
            (Method::Get, "/v1/namespaces/a", Some(("getNamespace", "a"))),
            (Method::Get, "/problems/", Some(("listProblemTypes", ""))),
            (Method::Get, "/problems/invalid", Some(("getProblemType", "invalid"))),
            (Method::Delete, "/v1/keys/b/a", None),
            (Method::Put, "/v1/namespaces/b/a", None),
            (Method::Delete, "/v1/namespaces/b/a", None),
            (Method::Put, "/v1/namespaces/a/", Some(("putNamespace", "a"))),
            (Method::Delete, "/v1/namespaces/a%2Fb", Some(("deleteNamespace", "a/b"))),
            (Method::Get, "/v1/runs", Some(("listAllRuns", ""))),
            (Method::Get, "/v1/forecast", Some(("forecast", ""))),
            (Method::Get, "/v1/stats/series", Some(("statsSeries", ""))),
            (Method::Get, "/v1/stats/other", None),
            (Method::Get, "/v1/limits", Some(("listLimits", ""))),
            (Method::Put, "/v1/limits/a%2Fb", Some(("putLimit", "a/b"))),
            (Method::Get, "/v1/limits/a", Some(("getLimit", "a"))),
            (Method::Delete, "/v1/limits/a/b", Some(("deleteLimit", "a/b"))),
            (Method::Post, "/v1/limits/a", None),
            (Method::Patch, "/v1/tasks/a", Some(("patchTask", "a"))),
            (Method::Post, "/v1/tasks/pause", Some(("pauseTasks", ""))),
            (Method::Post, "/v1/tasks/a%20b/pause", Some(("pauseTask", "a b"))),
            (Method::Post, "/v1/tasks/a/b/run", Some(("runTask", "a/b"))),
            (Method::Post, "/v1/tasks/a/jump", None),
            (Method::Post, "/v1/tasks/a", None),
            (Method::Get, "/v1/dead-letters/7-5r-a%2Fb", Some(("getDeadLetter", "7-5r-a/b"))),
            (
                Method::Post,
                "/v1/dead-letters/7-5r-a/b/replay",
                Some(("replayDeadLetter", "7-5r-a/b")),
            ),
            (Method::Post, "/v1/dead-letters/replay", Some(("replayDeadLetters", ""))),
            (Method::Post, "/v1/dead-letters/a", None),
            (Method::Get, "/", None),
            (Method::Get, "/v2/tasks", None),
        ] {
            assert_eq!(
                found(&method, path),
                route.map(|(id, name): (&str, &str)| (id, name.to_owned())),
                "{method:?} {path}"
            );
        }
    }
}
