//! The document's description of a route.

use crate::problem::ProblemType;
use schemars::{JsonSchema, Schema, SchemaGenerator};

/// The body of a request.
pub(crate) enum Body {
    Task,
    /// A task whose id is in the path.
    TaskOfPath,
    Batch,
    /// Any number of tasks, one on each line.
    Lines,
    Patch,
    Run,
    Replay,
    DeadLetters,
    Reschedule,
    /// The reason for a pause.
    Pause,
    /// A selection of tasks to change.
    Selection,
    /// Which tasks to pause, and why.
    PauseMany,
    RescheduleMany,
    Preview,
    Parse,
    Key,
    Namespace,
    Limit,
    Calendar,
    /// A message of the Model Context Protocol.
    Mcp,
}

impl Body {
    /// Returns whether a request without the body is refused.
    pub(crate) fn is_required(&self) -> bool {
        !matches!(self, Self::Run | Self::Replay | Self::Namespace | Self::Pause)
    }
}

/// The status, description and schema of an answer.
type ShownAnswer = (u16, &'static str, fn(&mut SchemaGenerator) -> Schema);

/// The parts of a route's description that the route itself does not have.
pub(crate) struct Operation {
    pub(crate) id: &'static str,
    /// The title of the operation: a verb and its object.
    pub(crate) summary: &'static str,
    /// What the operation does, in whole sentences.
    pub(crate) description: &'static str,
    /// Whether it answers with server-sent events, whose data have the schema.
    pub(crate) stream: bool,
    /// The media type of the answers.
    pub(crate) content_type: &'static str,
    pub(crate) body: Option<Body>,
    pub(crate) answers: &'static [ShownAnswer],
    /// The refusals that do not follow from the route's scope, body and conditions.
    pub(crate) refusals: &'static [ProblemType],
}

impl Operation {
    /// The defaults of an operation.
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

/// Describes an answer that contains a `T`.
pub(crate) const fn shows<T: JsonSchema>(status: u16, description: &'static str) -> ShownAnswer {
    (status, description, SchemaGenerator::subschema_for::<T>)
}

/// Returns the schema of any object.
pub(crate) fn any_object(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({ "type": "object" })
}

/// Returns the schema of a string.
pub(crate) fn text(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({ "type": "string" })
}
