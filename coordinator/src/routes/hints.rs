//! Suggests routes to callers who guess a path.

/// The words that a guessed path may have after the id of a task or a dead letter, with the route
/// to use instead.
const GUESSES: &[(&str, &[&str], &str)] = &[
    ("/v1/tasks/", &["cancel", "delete", "remove", "stop"], "DELETE /v1/tasks/{id} cancels a task"),
    ("/v1/tasks/", &["update", "edit", "change", "patch"], "PATCH /v1/tasks/{id} changes a task"),
    (
        "/v1/tasks/",
        &["retry", "replay", "trigger", "fire", "execute", "start"],
        "POST /v1/tasks/{id}/run fires a task now",
    ),
    ("/v1/tasks/", &["unpause", "continue"], "POST /v1/tasks/{id}/resume resumes a task"),
    (
        "/v1/tasks/",
        &["move", "delay", "postpone", "snooze"],
        "POST /v1/tasks/{id}/reschedule moves a task",
    ),
    (
        "/v1/tasks/",
        &["history", "attempts", "status", "run"],
        "GET /v1/tasks/{id}/runs lists the attempts of a task",
    ),
    (
        "/v1/dead-letters/",
        &["discard", "delete", "cancel", "remove"],
        "DELETE /v1/dead-letters/{id} discards a dead letter",
    ),
    (
        "/v1/dead-letters/",
        &["retry", "run", "requeue"],
        "POST /v1/dead-letters/{id}/replay starts a dead letter over",
    ),
];

/// Whole paths, with a hint for the methods that they do not accept.
const PATHS: &[(&str, &str)] = &[
    (
        "/v1/tasks",
        "POST /v1/tasks/cancel cancels many tasks, and PUT /v1/tasks/{id} overwrites one",
    ),
    ("/v1/dead-letters", "POST /v1/dead-letters/discard discards many"),
    (
        "/mcp",
        "POST /mcp takes messages of the Model Context Protocol, and no stream comes from there",
    ),
];

/// Returns a hint for a method that this path does not accept, if the path is a likely guess.
pub(crate) fn hint(path: &str) -> Option<&'static str> {
    let path = path.strip_suffix('/').unwrap_or(path);
    if let Some((_, hint)) = PATHS.iter().find(|(known, _)| *known == path) {
        return Some(hint);
    }
    let (before, word) = path.rsplit_once('/')?;
    let guess = GUESSES.iter().find(|(start, words, _)| {
        // The id is between the two parts.
        before.strip_prefix(start).is_some_and(|id| !id.is_empty()) && words.contains(&word)
    });
    guess.map(|(_, _, hint)| *hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn likely_guesses_have_a_hint() {
        for (path, start) in [
            ("/v1/tasks/a/cancel", Some("DELETE /v1/tasks/{id} cancels")),
            ("/v1/tasks/a/b/cancel/", Some("DELETE /v1/tasks/{id} cancels")),
            ("/v1/tasks/a/retry", Some("POST /v1/tasks/{id}/run")),
            ("/v1/tasks", Some("POST /v1/tasks/cancel")),
            ("/v1/dead-letters/a/discard", Some("DELETE /v1/dead-letters/{id}")),
            // In these paths, the word is an id.
            ("/v1/tasks/cancel", None),
            ("/v1/tasks/a", None),
            ("/v1/keys", None),
        ] {
            let hint = hint(path);
            assert_eq!(hint.is_some(), start.is_some(), "{path}: {hint:?}");
            assert!(hint.unwrap_or_default().starts_with(start.unwrap_or_default()), "{hint:?}");
        }
    }

    /// Each hint must name an existing route.
    #[test]
    fn every_hint_names_a_route() {
        let hints =
            GUESSES.iter().map(|(_, _, hint)| *hint).chain(PATHS.iter().map(|(_, hint)| *hint));
        for hint in hints {
            let mut words = hint.split_whitespace();
            let (method, path) = (words.next().unwrap(), words.next().unwrap());
            let is_there = crate::routes::all()
                .any(|route| route.method.as_ref() == method && route.path == path);
            assert!(is_there, "{hint}");
        }
    }
}
