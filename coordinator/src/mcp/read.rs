//! Reads a request from its body and its headers.

use super::headers::{Headers, decoded};
use super::reply::Refusal;
use scheduler_model::input::{FieldError, quoted};
use scheduler_model::mcp::{CallParams, Envelope, InitializeParams, InputAnswer, Message};

/// The revision without a handshake: each request is complete by itself.
const MODERN: &str = "2026-07-28";

/// The revisions that begin with `initialize`, the newest first.
const BEFORE: [&str; 3] = ["2025-11-25", "2025-06-18", "2025-03-26"];

/// Every supported revision, the newest first.
pub(super) const SUPPORTED: [&str; 4] = [MODERN, BEFORE[0], BEFORE[1], BEFORE[2]];

/// The methods whose requests repeat a name in the header `Mcp-Name`, each with the member of the
/// message that has the name.
const NAMED: [(&str, &str); 3] =
    [("tools/call", "name"), ("prompts/get", "name"), ("resources/read", "uri")];

/// The kinds of revisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Revision {
    /// 2026-07-28.
    Stateless,
    /// 2025-11-25, or one of the two before it.
    Handshake,
}

/// A posted message.
#[derive(Debug)]
pub(crate) enum Posted<'a> {
    /// A request, which is answered.
    Request(Request<'a>),
    /// A notification, which is ignored.
    Notification,
}

/// A request.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    /// The JSON text of its id.
    pub(crate) id: &'a str,
    pub(crate) revision: Revision,
    pub(crate) method: McpMethod<'a>,
}

/// The purpose of a request.
#[derive(Debug)]
pub(crate) enum McpMethod<'a> {
    /// Describes the server (2026-07-28).
    Discover,
    /// Begins a session (2025-11-25). Has the revision of the answer.
    Initialize(&'static str),
    /// Checks that the server answers (2025-11-25).
    Ping,
    /// Lists the tools.
    ListTools,
    /// Calls a tool.
    Call(ToolCall<'a>),
}

/// A call of a tool.
#[derive(Debug)]
pub(crate) struct ToolCall<'a> {
    params: CallParams<'a>,
    /// Whether the client can show its user the questions of a tool.
    pub(crate) can_ask: bool,
}

impl<'a> ToolCall<'a> {
    /// Returns the name of the tool.
    pub(crate) fn name(&self) -> &str {
        self.params.name()
    }

    /// Returns the JSON text of the arguments.
    pub(crate) fn arguments(&self) -> &'a str {
        self.params.arguments()
    }

    /// Returns the state that an earlier answer to the same call gave to the client.
    pub(crate) fn state(&self) -> Option<&str> {
        self.params.request_state()
    }

    /// Returns the user's answer to the question with this name.
    ///
    /// # Errors
    /// Returns an error if the answer cannot be read.
    pub(crate) fn answer(&self, question: &str) -> Result<Option<InputAnswer<'a>>, FieldError> {
        self.params.answer(question)
    }
}

/// Reads a posted message.
///
/// # Errors
/// Returns a refusal if the body is not a message, the headers contradict it, or its method is
/// unknown.
pub(crate) fn read<'a>(headers: &Headers, body: &'a str) -> Result<Posted<'a>, Refusal> {
    let message = Message::parse(body).map_err(Refusal::not_a_message)?;
    let Some(id) = message.id else {
        // The revision 2026-07-28 has no notifications over HTTP. Those of earlier revisions, such
        // as that a client has started, change nothing.
        return check_method(headers, &message.method)
            .map(|()| Posted::Notification)
            .map_err(|detail| Refusal::header_mismatch(detail, None));
    };
    let refused = |refusal: Refusal| refusal.of(id);
    let envelope = Envelope::parse(message.params)
        .map_err(|problem| refused(Refusal::invalid_params(400, &problem.to_string())))?;
    let of_header = headers.protocol_version.as_deref();
    let claims = envelope.protocol_version().is_some();
    let (revision, method) = if claims || of_header.is_some_and(|version| version >= MODERN) {
        check_envelope(&envelope, of_header).map_err(refused)?;
        check_headers(headers, &message).map_err(refused)?;
        let method = modern(&message, &envelope).map_err(refused)?;
        (Revision::Stateless, method)
    } else {
        if let Some(version) = of_header.filter(|version| !BEFORE.contains(version)) {
            return Err(refused(Refusal::unsupported_version(version)));
        }
        (Revision::Handshake, of_handshake(&message).map_err(refused)?)
    };
    Ok(Posted::Request(Request { id, revision, method }))
}

/// Checks the parameters that every request of the newest revision has.
fn check_envelope(envelope: &Envelope<'_>, of_header: Option<&str>) -> Result<(), Refusal> {
    let missing = |name: &str| Refusal::invalid_params(400, &format!("params.{name} is missing"));
    if !envelope.has_meta() {
        return Err(missing("_meta"));
    }
    let Some(version) = envelope.protocol_version() else {
        return Err(missing("_meta[\"io.modelcontextprotocol/protocolVersion\"]"));
    };
    if !envelope.has_capabilities() {
        return Err(missing("_meta[\"io.modelcontextprotocol/clientCapabilities\"]"));
    }
    match of_header {
        None => Err(Refusal::header_mismatch("MCP-Protocol-Version is missing".to_owned(), None)),
        Some(of_header) if of_header != version => {
            let detail = format!(
                "MCP-Protocol-Version is {}, but the message says {}",
                quoted(of_header, 64),
                quoted(version, 64)
            );
            Err(Refusal::header_mismatch(detail, None))
        }
        Some(_) if version != MODERN => Err(Refusal::unsupported_version(version)),
        Some(_) => Ok(()),
    }
}

/// Checks that the headers of a request of the newest revision agree with its message.
fn check_headers(headers: &Headers, message: &Message<'_>) -> Result<(), Refusal> {
    let mismatch = |detail: String| Err(Refusal::header_mismatch(detail, None));
    if headers.method.is_none() {
        return mismatch("Mcp-Method is missing".to_owned());
    }
    if let Err(detail) = check_method(headers, &message.method) {
        return mismatch(detail);
    }
    let Some((_, member)) = NAMED.into_iter().find(|(method, _)| *method == message.method) else {
        return Ok(());
    };
    let Some(header) = headers.name.as_deref() else {
        return mismatch("Mcp-Name is missing".to_owned());
    };
    let Some(header) = decoded(header) else {
        return mismatch("Mcp-Name cannot be decoded".to_owned());
    };
    // An unknown method is refused as unknown.
    if message.method != "tools/call" {
        return Ok(());
    }
    let call = CallParams::parse(message.params)
        .map_err(|problem| Refusal::invalid_params(400, &problem.to_string()))?;
    if call.name() == header {
        return Ok(());
    }
    mismatch(format!(
        "Mcp-Name is {}, but the message says {member} {}",
        quoted(&header, 64),
        quoted(call.name(), 64)
    ))
}

/// Checks the header that repeats the method, if there is one.
fn check_method(headers: &Headers, method: &str) -> Result<(), String> {
    match headers.method.as_deref() {
        Some(header) if header != method => Err(format!(
            "Mcp-Method is {}, but the message says {}",
            quoted(header, 64),
            quoted(method, 64)
        )),
        _ => Ok(()),
    }
}

/// Returns the purpose of a request of the newest revision.
fn modern<'a>(message: &Message<'a>, envelope: &Envelope<'a>) -> Result<McpMethod<'a>, Refusal> {
    match message.method.as_ref() {
        "server/discover" => Ok(McpMethod::Discover),
        "tools/list" => Ok(McpMethod::ListTools),
        "tools/call" => call(message, envelope.asks_with_forms()),
        method => Err(Refusal::no_method(404, method)),
    }
}

/// Returns the purpose of a request of an earlier revision.
fn of_handshake<'a>(message: &Message<'a>) -> Result<McpMethod<'a>, Refusal> {
    match message.method.as_ref() {
        "initialize" => {
            let params = InitializeParams::parse(message.params)
                .map_err(|problem| Refusal::invalid_params(200, &problem.to_string()))?;
            let wanted = params.protocol_version();
            let spoken = BEFORE.into_iter().find(|version| Some(*version) == wanted);
            Ok(McpMethod::Initialize(spoken.unwrap_or(BEFORE[0])))
        }
        "ping" => Ok(McpMethod::Ping),
        "tools/list" => Ok(McpMethod::ListTools),
        "tools/call" => call(message, false),
        method => Err(Refusal::no_method(200, method)),
    }
}

fn call<'a>(message: &Message<'a>, can_ask: bool) -> Result<McpMethod<'a>, Refusal> {
    let params = CallParams::parse(message.params)
        .map_err(|problem| Refusal::invalid_params(200, &problem.to_string()))?;
    Ok(McpMethod::Call(ToolCall { params, can_ask }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;

    fn headers(version: &str, method: &str, name: &str) -> Headers {
        let given = |text: &str| (text != "-").then(|| text.to_owned());
        Headers { protocol_version: given(version), method: given(method), name: given(name) }
    }

    fn message(method: &str, params: &str) -> String {
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#)
    }

    /// Returns the status and the code of the refusal of a request; zeros if it is accepted.
    fn refused(headers: &Headers, body: &str) -> (u16, i32) {
        match read(headers, body) {
            Ok(_) => (0, 0),
            Err(refusal) => (refusal.status(), refusal.code()),
        }
    }

    #[test]
    fn requests_of_the_newest_revision_are_read() {
        for (method, name, params) in [
            ("server/discover", "-", format!("{{{META}}}")),
            ("tools/list", "-", format!("{{{META},\"cursor\":\"c\"}}")),
            ("tools/call", "find", format!("{{{META},\"name\":\"find\"}}")),
            ("tools/call", "=?base64?ZmluZA==?=", format!("{{{META},\"name\":\"find\"}}")),
        ] {
            let body = message(method, &params);
            let posted = read(&headers("2026-07-28", method, name), &body).unwrap();
            let Posted::Request(request) = posted else { panic!("{method} is a request") };
            assert_eq!((request.id, request.revision), ("1", Revision::Stateless));
            match (method, &request.method) {
                ("server/discover", McpMethod::Discover) | ("tools/list", McpMethod::ListTools) => {
                }
                ("tools/call", McpMethod::Call(call)) => assert_eq!(call.name(), "find"),
                (_, asked) => panic!("{method}: {asked:?}"),
            }
        }
    }

    #[test]
    fn requests_of_earlier_revisions_are_read() {
        let handshake = |version: &str, method: &str, params: &str| {
            let body = message(method, params);
            match read(&headers(version, "-", "-"), &body).unwrap() {
                Posted::Request(Request {
                    revision: Revision::Handshake, method: asked, ..
                }) => format!("{asked:?}").split(['(', ' ']).take(2).collect::<Vec<_>>().join(" "),
                other => panic!("{other:?}"),
            }
        };
        let begin = |wanted: &str| {
            handshake("-", "initialize", &format!(r#"{{"protocolVersion":"{wanted}"}}"#))
        };
        assert_eq!(begin("2025-06-18"), "Initialize \"2025-06-18\")");
        // A client of an unknown revision is answered with the supported ones.
        for wanted in ["2024-11-05", "2026-07-28", "x"] {
            assert_eq!(begin(wanted), "Initialize \"2025-11-25\")", "{wanted}");
        }
        assert_eq!(handshake("2025-11-25", "ping", "{}"), "Ping");
        assert_eq!(handshake("-", "tools/list", "{}"), "ListTools");
        assert!(handshake("2025-03-26", "tools/call", r#"{"name":"a"}"#).starts_with("Call"));
        let body = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
        let posted = read(&headers("2025-11-25", "-", "-"), body).unwrap();
        assert!(matches!(posted, Posted::Notification));
    }

    #[test]
    fn headers_agree_with_the_message() {
        let list = message("tools/list", &format!("{{{META}}}"));
        let call = message("tools/call", &format!("{{{META},\"name\":\"find\"}}"));
        let (new, mismatch) = ("2026-07-28", (400, -32_020));
        for (headers, body, expected) in [
            (headers(new, "tools/list", "-"), &list, (0, 0)),
            (headers("-", "tools/list", "-"), &list, mismatch),
            (headers("2025-11-25", "tools/list", "-"), &list, mismatch),
            (headers(new, "-", "-"), &list, mismatch),
            (headers(new, "TOOLS/LIST", "-"), &list, mismatch),
            (headers(new, "prompts/list", "-"), &list, mismatch),
            (headers(new, "tools/call", "-"), &call, mismatch),
            (headers(new, "tools/call", "other"), &call, mismatch),
            (headers(new, "tools/call", "=?base64?!?="), &call, mismatch),
            (headers(new, "tools/call", "find"), &call, (0, 0)),
        ] {
            assert_eq!(refused(&headers, body), expected, "{headers:?} {body}");
        }
        let note = r#"{"jsonrpc":"2.0","method":"notifications/x"}"#;
        assert_eq!(refused(&headers(new, "notifications/y", "-"), note), mismatch);
    }

    #[test]
    fn what_is_not_spoken_is_refused_with_what_is() {
        let with = |version: &str| {
            let params = format!("{{{}}}", META.replace("2026-07-28", version));
            let body = message("server/discover", &params);
            refused(&headers(version, "server/discover", "-"), &body)
        };
        assert_eq!(with("2026-07-28"), (0, 0));
        for version in ["v999.0.0", "2027-01-01", "2025-11-25", ""] {
            assert_eq!(with(version), (400, -32_022), "{version}");
        }
        let list = message("tools/list", "{}");
        assert_eq!(refused(&headers("1900-01-01", "-", "-"), &list), (400, -32_022));
        // A header of the newest revision is not enough.
        for params in [
            "{}",
            r#"{"_meta":{}}"#,
            r#"{"_meta":{"io.modelcontextprotocol/clientCapabilities":{}}}"#,
        ] {
            let body = message("tools/list", params);
            assert_eq!(refused(&headers("2026-07-28", "tools/list", "-"), &body), (400, -32_602));
        }
        let no_capabilities =
            r#"{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}"#;
        let body = message("tools/list", no_capabilities);
        assert_eq!(refused(&headers("2026-07-28", "tools/list", "-"), &body), (400, -32_602));
    }

    #[test]
    fn unknown_methods_and_bad_messages_are_refused() {
        for method in ["initialize", "ping", "logging/setLevel", "prompts/list", "x"] {
            let body = message(method, &format!("{{{META}}}"));
            assert_eq!(
                refused(&headers("2026-07-28", method, "-"), &body),
                (404, -32_601),
                "{method}"
            );
        }
        for method in ["server/discover", "prompts/list", "tasks/get"] {
            let refusal = refused(&Headers::default(), &message(method, "{}"));
            assert_eq!(refusal, (200, -32_601), "{method}");
        }
        for (body, expected) in [
            ("", (400, -32_700)),
            ("{", (400, -32_700)),
            ("[]", (400, -32_600)),
            (r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, (400, -32_600)),
            (r#"{"jsonrpc":"2.0","id":1,"result":{}}"#, (400, -32_600)),
            (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, (400, -32_600)),
            (r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}"#, (400, -32_602)),
            (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}}"#, (200, -32_602)),
        ] {
            assert_eq!(refused(&Headers::default(), body), expected, "{body}");
        }
    }

    #[test]
    fn only_a_client_that_says_so_is_asked() {
        let can_ask = |capabilities: &str| {
            let meta =
                META.replace(r#"Capabilities":{}"#, &format!(r#"Capabilities":{capabilities}"#));
            let body = message("tools/call", &format!("{{{meta},\"name\":\"a\"}}"));
            match read(&headers("2026-07-28", "tools/call", "a"), &body).unwrap() {
                Posted::Request(Request { method: McpMethod::Call(call), .. }) => call.can_ask,
                other => panic!("{other:?}"),
            }
        };
        assert!(!can_ask("{}") && can_ask(r#"{"elicitation":{}}"#));
        assert!(!can_ask(r#"{"elicitation":{"url":{}}}"#));
    }
}
