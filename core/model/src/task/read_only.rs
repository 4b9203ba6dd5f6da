//! The members of a task that answers show and that no caller sets.

use schemars::Schema;
use serde_json::{Value, json};

/// The names of these members. A body that creates, replaces or patches a task may have them, and
/// they are ignored, so the body of an answer can be sent again. `docs/tasks.md` lists them.
pub const READ_ONLY: [&str; 29] = [
    "status",
    "kind",
    "due",
    "running",
    "changed",
    "cancelled",
    "clockChange",
    "explanation",
    "warnings",
    "sentence",
    "pausedAt",
    "pausedBy",
    "pauseNote",
    "createdAt",
    "updatedAt",
    "createdBy",
    "firstRun",
    "finalRun",
    // The name of `finalRun` in records and answers of earlier versions.
    "lastRun",
    "stage",
    "outcome",
    "attempt",
    "deadLetterId",
    "failedAt",
    "error",
    "firstAttemptAt",
    "replayedAt",
    "lateSince",
    "notBefore",
];

/// Returns whether a member is one of [`READ_ONLY`].
pub(crate) fn is_read_only(name: &str) -> bool {
    READ_ONLY.contains(&name)
}

/// Adds the members to the schema of a body.
pub(crate) fn describe_read_only(schema: &mut Schema) {
    let shown = READ_ONLY.map(|name| {
        let described = json!({
            "readOnly": true,
            "description": "Ignored: an answer shows it, and the scheduler sets it.",
        });
        (name, described)
    });
    add_properties(schema, shown);
}

/// Adds properties to a schema that has properties.
pub(crate) fn add_properties<'a>(
    schema: &mut Schema,
    properties: impl IntoIterator<Item = (&'a str, Value)>,
) {
    if let Some(all) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        all.extend(properties.into_iter().map(|(name, schema)| (name.to_owned(), schema)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_documented() {
        let document = include_str!("../../../../docs/tasks.md");
        let (_, section) = document.split_once("## Send an answer again").unwrap();
        let (section, _) = section.split_once("\n## ").unwrap();
        for name in READ_ONLY {
            assert!(section.contains(&format!("`{name}`")), "{name}");
        }
    }
}
