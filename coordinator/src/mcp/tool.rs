//! What a tool is to a client: how it is listed, and how a call of it may end.

use serde_json::{Value, json};

/// What a call of a tool does, as hints for clients.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effect {
    /// It changes nothing.
    pub(crate) reads: bool,
    /// What it changes may be lost.
    pub(crate) destroys: bool,
    /// A second call with the same arguments changes nothing more.
    pub(crate) repeats: bool,
    /// It reaches beyond this server.
    pub(crate) reaches_out: bool,
}

impl Effect {
    /// Of a tool that only reads.
    pub(crate) const READ: Self =
        Self { reads: true, destroys: false, repeats: true, reaches_out: false };
}

/// What a client learns of a tool.
#[derive(Debug)]
pub(crate) struct About {
    pub(crate) name: &'static str,
    /// For people.
    pub(crate) title: &'static str,
    /// For models.
    pub(crate) description: &'static str,
    pub(crate) effect: Effect,
    /// The JSON text of an object with the schemas of its arguments and of its answer.
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
    /// With an answer: the JSON text of an object.
    Done(String),
    /// With an error that says to a model what to do.
    Failed(String),
    /// With a question. The client calls again with the answer.
    Ask(Question),
}

/// A question to the user.
#[derive(Debug)]
pub(crate) struct Question {
    /// By which the answer names it.
    pub(crate) name: &'static str,
    pub(crate) message: String,
    /// The schema of the form.
    pub(crate) schema: Value,
    /// What the client sends back with the answer.
    pub(crate) state: Option<String>,
}
