//! The description of a tool for clients, and the outcomes of a call.

use serde_json::{Value, json};

/// The effect of a call of a tool, as hints for clients.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effect {
    /// It changes nothing.
    pub(crate) reads: bool,
    /// It may delete data.
    pub(crate) destroys: bool,
    /// A second call with the same arguments has no further effect.
    pub(crate) repeats: bool,
    /// It reaches beyond this server.
    pub(crate) reaches_out: bool,
}

impl Effect {
    /// The effect of a tool that only reads.
    pub(crate) const READ: Self =
        Self { reads: true, destroys: false, repeats: true, reaches_out: false };
}

/// The description of a tool for clients.
#[derive(Debug)]
pub(crate) struct About {
    pub(crate) name: &'static str,
    /// For people.
    pub(crate) title: &'static str,
    /// For models.
    pub(crate) description: &'static str,
    pub(crate) effect: Effect,
    /// The JSON text of an object with the schemas of the tool's arguments and answer.
    pub(crate) schemas: &'static str,
}

impl About {
    /// Returns the tool as a list shows it.
    pub(super) fn listed(&self) -> String {
        let Effect { reads, destroys, repeats, reaches_out } = self.effect;
        let own = json!({
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "annotations": {
                "title": self.title,
                "readOnlyHint": reads,
                "destructiveHint": destroys,
                "idempotentHint": repeats,
                "openWorldHint": reaches_out,
            },
        });
        joined(&own.to_string(), self.schemas)
    }
}

/// Joins the JSON texts of two objects.
pub(super) fn joined(one: &str, other: &str) -> String {
    let inner = |text: &str| {
        let inner = text.trim_ascii().strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        inner.unwrap_or_default().trim_ascii().to_owned()
    };
    let parts = [inner(one), inner(other)];
    format!(
        "{{{}}}",
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(",")
    )
}

/// How a call of a tool ends.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// An answer: the JSON text of an object.
    Done(String),
    /// An error whose text says what the model should do.
    Failed(String),
    /// A question. The client calls again with the answer.
    Ask(Question),
}

/// A question to the user.
#[derive(Debug)]
pub(crate) struct Question {
    /// The name by which the answer refers to it.
    pub(crate) name: &'static str,
    pub(crate) message: String,
    /// The schema of the form.
    pub(crate) schema: Value,
    /// The state that the client sends back with the answer.
    pub(crate) state: Option<String>,
}
