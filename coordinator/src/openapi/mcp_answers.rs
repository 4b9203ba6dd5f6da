//! The answers of `/mcp`, as types that only provide schemas.
#![expect(dead_code, reason = "only their schemas are used")]

use schemars::JsonSchema;
use serde_json::Value;

/// The answer to a request of the Model Context Protocol.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(crate) enum McpAnswer {
    /// The request was carried out. If a call has failed, its result has `isError`.
    Result {
        #[schemars(extend("const" = "2.0"))]
        jsonrpc: String,
        /// The id of the request.
        id: McpId,
        result: serde_json::Map<String, Value>,
    },
    /// The request was not carried out.
    Error(McpError),
}

/// The refusal of a message of the Model Context Protocol.
#[derive(JsonSchema)]
pub(crate) struct McpError {
    #[schemars(extend("const" = "2.0"))]
    jsonrpc: String,
    /// The id of the request. Absent if it could not be read.
    id: Option<McpId>,
    error: McpProblem,
}

/// The id of a request.
#[derive(JsonSchema)]
#[schemars(untagged, inline)]
pub(crate) enum McpId {
    Text(String),
    Number(i64),
}

/// Why a message was refused.
#[derive(JsonSchema)]
#[schemars(inline)]
struct McpProblem {
    /// The code, as JSON-RPC or the protocol defines it.
    code: i32,
    message: String,
    /// Details for programs, such as the supported revisions.
    data: Option<serde_json::Map<String, Value>>,
}
