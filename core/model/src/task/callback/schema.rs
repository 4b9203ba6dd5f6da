//! The schemas of callbacks for the API's document. [`super::fields`] reads the same members.
#![expect(dead_code, reason = "only their schemas are used")]

use super::Method;
use crate::bounds::{
    DEFAULT_TIMEOUT_SECONDS, MAX_FUNCTION_BYTES, MAX_HEADERS, MAX_OBJECT_NAME_BYTES,
    MAX_TIMEOUT_SECONDS, MAX_URL_BYTES,
};
use schemars::JsonSchema;
use std::collections::BTreeMap;

/// A request to a URL.
#[derive(JsonSchema)]
#[schemars(inline, rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Webhook {
    /// http or https, and a public host. It may have a path, a query and a fragment, but no user
    /// name or password.
    #[schemars(length(max = MAX_URL_BYTES), extend("format" = "uri"))]
    url: String,
    /// `GET` and `DELETE` send no body.
    #[schemars(extend("default" = "POST"))]
    method: Option<Method>,
    /// Sent in addition to the headers that the dispatcher sets. Headers of the connection, of an
    /// edge or of a proxy are refused. `content-type` only with `body`.
    #[schemars(extend("maxProperties" = MAX_HEADERS))]
    headers: Option<BTreeMap<String, String>>,
    /// Sent in place of the task: a text unchanged, any other value as JSON.
    body: Option<serde_json::Value>,
    /// The most time an attempt may take, including redirects, in seconds.
    #[schemars(range(min = 1, max = MAX_TIMEOUT_SECONDS), extend("default" = DEFAULT_TIMEOUT_SECONDS))]
    timeout_seconds: Option<u32>,
}

/// A call of another Worker through a service binding.
#[derive(JsonSchema)]
#[schemars(inline, rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("oneOf" = [{ "required": ["path"] }, { "required": ["function"] }]))]
pub(super) struct Service {
    /// The name of the binding: one of the deployment's `SERVICE_BINDINGS`.
    binding: String,
    /// Path and query of a request to its `fetch`.
    #[schemars(length(max = MAX_URL_BYTES), extend("pattern" = "^/"))]
    path: Option<String>,
    /// The name of a function that is called by RPC, with the task.
    #[schemars(length(max = MAX_FUNCTION_BYTES))]
    function: Option<String>,
    /// For a request. `GET` and `DELETE` send no body.
    #[schemars(extend("default" = "POST"))]
    method: Option<Method>,
    /// For a request: sent in addition to the headers that the dispatcher sets. `content-type` only
    /// with `body`.
    #[schemars(extend("maxProperties" = MAX_HEADERS))]
    headers: Option<BTreeMap<String, String>>,
    /// Sent, or given to the function, in place of the task: a text unchanged, any other value as
    /// JSON.
    body: Option<serde_json::Value>,
    /// The most time an attempt may take, in seconds.
    #[schemars(range(min = 1, max = MAX_TIMEOUT_SECONDS), extend("default" = DEFAULT_TIMEOUT_SECONDS))]
    timeout_seconds: Option<u32>,
}

/// A call of a Durable Object through a namespace's binding.
#[derive(JsonSchema)]
#[schemars(inline, rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("oneOf" = [{ "required": ["path"] }, { "required": ["function"] }]))]
pub(super) struct DurableObject {
    /// The name of the binding: one of the deployment's `DURABLE_OBJECT_BINDINGS`.
    binding: String,
    /// The name of the object.
    #[schemars(length(min = 1, max = MAX_OBJECT_NAME_BYTES))]
    name: String,
    /// Path and query of a request to its `fetch`.
    #[schemars(length(max = MAX_URL_BYTES), extend("pattern" = "^/"))]
    path: Option<String>,
    /// The name of a function that is called by RPC, with the task.
    #[schemars(length(max = MAX_FUNCTION_BYTES))]
    function: Option<String>,
    /// For a request. `GET` and `DELETE` send no body.
    #[schemars(extend("default" = "POST"))]
    method: Option<Method>,
    /// For a request: sent in addition to the headers that the dispatcher sets. `content-type` only
    /// with `body`.
    #[schemars(extend("maxProperties" = MAX_HEADERS))]
    headers: Option<BTreeMap<String, String>>,
    /// Sent, or given to the function, in place of the task: a text unchanged, any other value as
    /// JSON.
    body: Option<serde_json::Value>,
    /// The most time an attempt may take, in seconds.
    #[schemars(range(min = 1, max = MAX_TIMEOUT_SECONDS), extend("default" = DEFAULT_TIMEOUT_SECONDS))]
    timeout_seconds: Option<u32>,
}
