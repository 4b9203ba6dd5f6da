//! What the API's document says of a route.

use crate::problem::ProblemType;
use schemars::{Schema, SchemaGenerator};

/// What a request carries.
pub(crate) enum Body {
    Task,
    /// A task whose id the path gives.
    TaskOfPath,
    Batch,
    Patch,
    Run,
    Replay,
    DeadLetters,
    Reschedule,
    /// Which tasks to change.
    Selection,
    RescheduleMany,
    Preview,
    Key,
    Namespace,
    Limit,
    /// A message of the Model Context Protocol.
    Mcp,
}

impl Body {
    /// Returns whether a request without it is refused.
    pub(crate) fn is_required(&self) -> bool {
        !matches!(self, Self::Run | Self::Replay | Self::Namespace)
    }
}

type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// What the API's document says of a route beside what its table says already.
pub(crate) struct Operation {
    pub(crate) id: &'static str,
    /// The title of the operation: a verb, and what it acts on.
    pub(crate) summary: &'static str,
    /// What it does, in whole sentences.
    pub(crate) description: &'static str,
    /// Whether it answers with server-sent events, each with data of the schema.
    pub(crate) stream: bool,
    /// The media type of its answers.
    pub(crate) content_type: &'static str,
    pub(crate) body: Option<Body>,
    /// Status, description and schema of each answer.
    pub(crate) answers: &'static [(u16, &'static str, SchemaOf)],
    /// How it may be refused beside what follows from its scope, its body and its conditions.
    pub(crate) refusals: &'static [ProblemType],
}

impl Operation {
    /// What most operations have in common.
    pub(crate) const USUAL: Self = Self {
        id: "",
        summary: "",
        description: "",
        stream: false,
        content_type: "application/json",
        body: None,
        answers: &[],
        refusals: &[],
    };
}

/// Returns the schema of an object of which nothing else is said.
pub(crate) fn any_object(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({ "type": "object" })
}

/// Returns the schema of a text.
pub(crate) fn text(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({ "type": "string" })
}
