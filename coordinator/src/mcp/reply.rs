//! Answers, as JSON texts.

use super::read::{Revision, SUPPORTED};
use super::tool::{About, Outcome, Question, joined};
use scheduler_model::input::{cut, quoted};
use scheduler_model::mcp::NotAMessage;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// How long a client may use a list of tools before it reads the list again, in milliseconds. The
/// scopes of a key do not change, and a deployment gets other tools only with a new version.
const LIST_FRESH_MILLIS: u32 = 300_000;

/// The most bytes of the text of an error as JSON. It may repeat text of the caller.
const MAX_ERROR_BYTES: usize = 1_024;

/// The codes of errors.
mod codes {
    pub(super) const NOT_JSON: i32 = -32_700;
    pub(super) const INVALID_REQUEST: i32 = -32_600;
    pub(super) const NO_METHOD: i32 = -32_601;
    pub(super) const INVALID_PARAMS: i32 = -32_602;
    pub(super) const HEADER_MISMATCH: i32 = -32_020;
    pub(super) const UNSUPPORTED_VERSION: i32 = -32_022;
}

/// An error that answers a message.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    status: u16,
    code: i32,
    message: String,
    /// The JSON text of the request's id, if it is known.
    id: Option<String>,
    data: Option<Value>,
}

impl Refusal {
    fn new(status: u16, code: i32, message: String) -> Self {
        let message = cut(message, MAX_ERROR_BYTES).into_owned();
        Self { status, code, message, id: None, data: None }
    }

    /// Refuses a body that is not a message.
    pub(super) fn not_a_message(problem: NotAMessage) -> Self {
        match problem {
            NotAMessage::NotJson(problem) => Self::new(400, codes::NOT_JSON, problem.to_string()),
            NotAMessage::Invalid(problem) => {
                Self::new(400, codes::INVALID_REQUEST, problem.to_string())
            }
        }
    }

    /// Refuses parameters. `status` is 400 if the request as a whole is malformed, and 200 if a
    /// method finds its parameters invalid.
    pub(crate) fn invalid_params(status: u16, problem: &str) -> Self {
        Self::new(status, codes::INVALID_PARAMS, problem.to_owned())
    }

    /// Refuses a method.
    pub(super) fn no_method(status: u16, method: &str) -> Self {
        let message = format!("there is no method {}", quoted(method, 64));
        Self::new(status, codes::NO_METHOD, message)
    }

    /// Refuses the call of a tool that does not exist.
    pub(crate) fn no_tool(name: &str) -> Self {
        Self::invalid_params(200, &format!("there is no tool {}", quoted(name, 64)))
    }

    /// Refuses a request whose headers contradict its message.
    pub(super) fn header_mismatch(detail: String, id: Option<&str>) -> Self {
        let refusal = Self::new(400, codes::HEADER_MISMATCH, format!("header mismatch: {detail}"));
        Self { id: id.map(str::to_owned), ..refusal }
    }

    /// Refuses a revision.
    pub(super) fn unsupported_version(requested: &str) -> Self {
        let message = format!("unsupported protocol version {}", quoted(requested, 64));
        let data = json!({ "supported": SUPPORTED, "requested": cut(requested, 64) });
        Self { data: Some(data), ..Self::new(400, codes::UNSUPPORTED_VERSION, message) }
    }

    /// Returns the refusal of the request with this id.
    pub(crate) fn of(self, id: &str) -> Self {
        Self { id: Some(id.to_owned()), ..self }
    }

    /// Returns the HTTP status to answer with.
    pub(crate) fn status(&self) -> u16 {
        self.status
    }

    /// Returns the code of the error.
    #[cfg(test)]
    pub(super) fn code(&self) -> i32 {
        self.code
    }

    /// Returns the body of the answer.
    pub(crate) fn body(&self) -> Vec<u8> {
        #[derive(Serialize)]
        struct Answer<'a> {
            jsonrpc: &'static str,
            #[serde(skip_serializing_if = "Option::is_none")]
            id: Option<&'a RawValue>,
            error: Error<'a>,
        }
        #[derive(Serialize)]
        struct Error<'a> {
            code: i32,
            message: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            data: &'a Option<Value>,
        }
        let id = self.id.as_ref().and_then(|id| RawValue::from_string(id.clone()).ok());
        written(&Answer {
            jsonrpc: "2.0",
            id: id.as_deref(),
            error: Error { code: self.code, message: &self.message, data: &self.data },
        })
    }
}

/// The description of a server.
pub(crate) struct Server {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) version: &'static str,
    /// What a model should know before it calls a tool.
    pub(crate) instructions: &'static str,
}

impl Server {
    fn info(&self) -> Value {
        json!({ "name": self.name, "title": self.title, "version": self.version })
    }

    /// Returns the answer to `server/discover`.
    pub(crate) fn discovered(&self, id: &str) -> Vec<u8> {
        let members = json!({
            "supportedVersions": SUPPORTED,
            "capabilities": { "tools": {} },
            "instructions": self.instructions,
        });
        self.result(id, Revision::Stateless, with_freshness(members))
    }

    /// Returns the answer to `initialize`.
    pub(crate) fn initialized(&self, id: &str, version: &str) -> Vec<u8> {
        let members = json!({
            "protocolVersion": version,
            "capabilities": { "tools": {} },
            "serverInfo": self.info(),
            "instructions": self.instructions,
        });
        self.result(id, Revision::Handshake, members)
    }

    /// Returns the answer to `ping`.
    pub(crate) fn pong(&self, id: &str) -> Vec<u8> {
        self.result(id, Revision::Handshake, json!({}))
    }

    /// Returns the answer to `tools/list`.
    pub(crate) fn tools<'a>(
        &self,
        id: &str,
        revision: Revision,
        tools: impl Iterator<Item = &'a About>,
    ) -> Vec<u8> {
        let tools: Vec<String> = tools.map(About::listed).collect();
        let mut members = format!("{{\"tools\":[{}]}}", tools.join(","));
        if revision == Revision::Stateless {
            let more = json!({ "ttlMs": LIST_FRESH_MILLIS, "cacheScope": "private" }).to_string();
            members = joined(&members, &more);
        }
        self.written_result(id, revision, &members, "complete")
    }

    /// Returns the answer to `tools/call`.
    pub(crate) fn called(&self, id: &str, revision: Revision, outcome: &Outcome) -> Vec<u8> {
        match outcome {
            Outcome::Done(json) => {
                // Older clients show the text. Newer ones read the object.
                let text = json!({ "content": [{ "type": "text", "text": json }] }).to_string();
                let members = joined(&text, &format!("{{\"structuredContent\":{json}}}"));
                self.written_result(id, revision, &members, "complete")
            }
            Outcome::Failed(text) => {
                let members =
                    json!({ "content": [{ "type": "text", "text": text }], "isError": true });
                self.result(id, revision, members)
            }
            Outcome::Ask(question) => {
                let members = question.members().to_string();
                self.written_result(id, revision, &members, "input_required")
            }
        }
    }

    fn result(&self, id: &str, revision: Revision, members: Value) -> Vec<u8> {
        self.written_result(id, revision, &members.to_string(), "complete")
    }

    /// Writes a result. `members` is an object's JSON text.
    fn written_result(
        &self,
        id: &str,
        revision: Revision,
        members: &str,
        result_type: &str,
    ) -> Vec<u8> {
        let result = match revision {
            Revision::Handshake => members.to_owned(),
            Revision::Stateless => {
                let own = json!({
                    "resultType": result_type,
                    "_meta": { "io.modelcontextprotocol/serverInfo": self.info() },
                });
                joined(&own.to_string(), members)
            }
        };
        format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{result}}}").into_bytes()
    }
}

impl Question {
    /// Returns the members of a result that asks the user.
    fn members(&self) -> Value {
        let mut members = json!({
            "inputRequests": {
                self.name: {
                    "method": "elicitation/create",
                    "params": { "mode": "form", "message": self.message, "requestedSchema": self.schema },
                },
            },
        });
        if let Some(state) = &self.state {
            members["requestState"] = state.as_str().into();
        }
        members
    }
}

fn with_freshness(mut members: Value) -> Value {
    members["ttlMs"] = LIST_FRESH_MILLIS.into();
    members["cacheScope"] = "private".into();
    members
}

fn written(value: &impl Serialize) -> Vec<u8> {
    // Answers can always be written as JSON.
    serde_json::to_vec(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcp::tool::Effect;

    const SERVER: Server =
        Server { name: "n", title: "t", version: "1", instructions: "Do \"this\"." };

    fn json_of(body: Vec<u8>) -> Value {
        serde_json::from_slice(&body).unwrap()
    }

    #[test]
    fn the_server_says_what_it_is() {
        let found = json_of(SERVER.discovered("\"a\""));
        assert_eq!(found["id"], "a");
        let result = &found["result"];
        assert_eq!(result["supportedVersions"], json!(SUPPORTED));
        assert_eq!(
            (&result["resultType"], &result["cacheScope"]),
            (&"complete".into(), &"private".into())
        );
        assert_eq!(result["_meta"]["io.modelcontextprotocol/serverInfo"]["version"], "1");
        let begun = json_of(SERVER.initialized("1", "2025-06-18"));
        let expected = json!({
            "protocolVersion": "2025-06-18", "capabilities": { "tools": {} },
            "serverInfo": { "name": "n", "title": "t", "version": "1" }, "instructions": "Do \"this\".",
        });
        assert_eq!(begun["result"], expected);
        assert_eq!(json_of(SERVER.pong("2")), json!({ "jsonrpc": "2.0", "id": 2, "result": {} }));
    }

    #[test]
    fn tools_are_listed_in_order_with_all_annotations() {
        let about = |name| About {
            name,
            title: "T",
            description: "D",
            effect: Effect { destroys: true, ..Effect::READ },
            schemas: "{\"inputSchema\":{},\n\"outputSchema\":{}}\n",
        };
        let tools = [about("b"), about("a")];
        let listed = json_of(SERVER.tools("1", Revision::Stateless, tools.iter()));
        let first = json!({
            "name": "b", "title": "T", "description": "D", "inputSchema": {}, "outputSchema": {},
            "annotations": { "title": "T", "readOnlyHint": true, "destructiveHint": true, "idempotentHint": true, "openWorldHint": false },
        });
        assert_eq!(listed["result"]["tools"][0], first);
        assert_eq!(listed["result"]["tools"][1]["name"], "a");
        assert_eq!(listed["result"]["ttlMs"], LIST_FRESH_MILLIS);
        let listed = json_of(SERVER.tools("1", Revision::Handshake, [].into_iter()));
        assert_eq!(listed["result"], json!({ "tools": [] }));
    }

    #[test]
    fn a_call_is_answered_as_text_and_as_an_object() {
        let done = Outcome::Done(r#"{"n":1.50,"s":"\""}"#.to_owned());
        let answer = String::from_utf8(SERVER.called("1", Revision::Handshake, &done)).unwrap();
        assert!(answer.contains(r#""structuredContent":{"n":1.50,"s":"\""}"#), "{answer}");
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(answer["result"]["content"][0]["text"], r#"{"n":1.50,"s":"\""}"#);
        assert_eq!(answer["result"].get("resultType"), None);
        let failed =
            json_of(SERVER.called("1", Revision::Stateless, &Outcome::Failed("no".into())));
        assert_eq!(failed["result"]["isError"], true);
        assert_eq!(failed["result"]["resultType"], "complete");
        let question = Question {
            name: "zone",
            message: "Which?".to_owned(),
            schema: json!({ "type": "object" }),
            state: Some("s".to_owned()),
        };
        let asks = json_of(SERVER.called("1", Revision::Stateless, &Outcome::Ask(question)));
        assert_eq!(asks["result"]["resultType"], "input_required");
        assert_eq!(asks["result"]["requestState"], "s");
        let request = &asks["result"]["inputRequests"]["zone"];
        assert_eq!(request["method"], "elicitation/create");
        assert_eq!(request["params"]["message"], "Which?");
    }

    #[test]
    fn a_refusal_names_its_request_and_is_short() {
        let refusal = Refusal::unsupported_version(&"x".repeat(10_000)).of("\"i\"");
        let body = refusal.body();
        assert!(body.len() < 600, "{}", body.len());
        let body = json_of(body);
        assert_eq!((&body["id"], &body["error"]["code"]), (&"i".into(), &(-32_022).into()));
        assert_eq!(body["error"]["data"]["supported"], json!(SUPPORTED));
        let long = "\u{1}".repeat(100_000);
        let body = json_of(Refusal::invalid_params(200, &long).body());
        assert_eq!(body.get("id"), None);
        assert!(body["error"]["message"].to_string().len() <= MAX_ERROR_BYTES + 2);
    }
}
