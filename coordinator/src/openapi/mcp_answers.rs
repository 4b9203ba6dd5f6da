//! What `/mcp` answers, as types of which only the schemas are used.
#![expect(dead_code, reason = "only their schemas are used")]

use schemars::JsonSchema;
use serde_json::Value;

/// The answer to a request of the Model Context Protocol.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(crate) enum McpAnswer {
    /// The request was carried out. The result of a call says by `isError` that it failed.
    Result {
        #[schemars(extend("const" = "2.0"))]
        jsonrpc: String,
        /// That of the request.
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
    /// That of the request. Absent if it could not be read.
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

/// Why a message is refused.
#[derive(JsonSchema)]
#[schemars(inline)]
struct McpProblem {
    /// The code, as JSON-RPC or the protocol defines it.
    code: i32,
    message: String,
    /// What a program may need, such as the revisions that are spoken.
    data: Option<serde_json::Map<String, Value>>,
}
