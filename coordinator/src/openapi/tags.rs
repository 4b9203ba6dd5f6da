//! The tags of operations, which follow from the paths.

use serde_json::{Value, json};

/// A tag: the prefix of its paths, its name, and its description. The first match counts.
const TAGS: &[(&str, &str, &str)] = &[
    ("/v1/tasks/{id}/runs", "Runs", "How the attempts at tasks went. One entry is one attempt."),
    ("/v1/runs", "Runs", ""),
    (
        "/v1/dead-letters",
        "Dead letters",
        "Runs that failed for good, and are kept until you replay or discard them.",
    ),
    ("/v1/tasks", "Tasks", "What fires, when, and what happens then."),
    ("/v1/preview", "Schedules", "What a schedule will do, and what a sentence says."),
    ("/v1/parse", "Schedules", ""),
    ("/v1/calendars", "Calendars", "Days and times of day that tasks leave out by name."),
    ("/v1/forecast", "Statistics", "The scheduler in numbers: what has been, and what is to come."),
    ("/v1/stats", "Statistics", ""),
    ("/v1/events", "Events", "What happens to tasks, as it happens."),
    ("/v1/limits", "Limits", "Limits on the concurrency and rate of tasks that name a key."),
    ("/v1/key", "API keys", "Keys of the API, with scopes and namespaces."),
    (
        "/v1/namespaces",
        "Namespaces",
        "Ids, lists, counts and quotas that are apart from those of others.",
    ),
    ("/mcp", "Models", "Tools for language models."),
    ("", "Deployment", "The state of the deployment, and its documents."),
];

/// The tag of the deliveries.
pub(super) const DELIVERIES: (&str, &str) =
    ("Deliveries", "What the scheduler sends when a task fires.");

/// Returns the tag for the operations of a path.
pub(super) fn tag_of(path: &str) -> &'static str {
    TAGS.iter().find(|(prefix, ..)| path.starts_with(prefix)).map_or("", |(_, name, _)| name)
}

/// Returns the tags that some path has, in order, with their descriptions.
pub(super) fn tags(paths: &[&str]) -> Value {
    let is_used = |name: &str| paths.iter().any(|path| tag_of(path) == name);
    TAGS.iter()
        .filter(|(_, name, description)| !description.is_empty() && is_used(name))
        .map(|(_, name, description)| (*name, *description))
        .chain([DELIVERIES])
        .map(|(name, description)| json!({ "name": name, "description": description }))
        .collect()
}
