//! `POST /mcp`: tools for language models, by the Model Context Protocol.

use crate::auth::token_of;
use crate::context::Call;
use crate::mcp::{
    Headers, McpMethod, Posted, Refusal, Request, Seal, Server, ToolCall, is_foreign, read,
};
use crate::problem::Problem;
use crate::response::Answer;
use crate::tools::{self, INSTRUCTIONS, Job};
use scheduler_platform::settings;

/// The description of this server.
const SERVER: Server = Server {
    name: "durable-scheduler",
    title: "Durable Scheduler",
    version: env!("CARGO_PKG_VERSION"),
    instructions: INSTRUCTIONS,
};

/// Answers a message of a client.
pub(crate) async fn post(mut call: Call<'_>) -> Result<Answer, Problem> {
    let header = |name: &str| call.request.headers().get(name).ok().flatten();
    if is_foreign(header("origin").as_deref(), &call.origin()?) {
        let detail = "the header Origin names another site than this one; only pages of this site and programs may send such requests";
        return Err(Problem::forbidden(detail));
    }
    let headers = Headers::read(header);
    let text = call.text().await?;
    let Request { id, revision, method } = match read(&headers, &text) {
        Ok(Posted::Request(request)) => request,
        Ok(Posted::Notification) => return Ok(Answer::accepted()),
        Err(refusal) => return Ok(refused(&refusal)),
    };
    let body = match method {
        McpMethod::Discover => SERVER.discovered(id),
        McpMethod::Initialize(version) => SERVER.initialized(id, version),
        McpMethod::Ping => SERVER.pong(id),
        McpMethod::ListTools => {
            let seen = tools::all().filter(|tool| tool.lacking(&call.holder).is_none());
            SERVER.tools(id, revision, seen.map(|tool| &tool.about))
        }
        McpMethod::Call(asked) => match run(&call, &asked).await {
            Ok(outcome) => SERVER.called(id, revision, &outcome),
            Err(refusal) => return Ok(refused(&refusal.of(id))),
        },
    };
    Ok(Answer::json(200, body))
}

fn refused(refusal: &Refusal) -> Answer {
    Answer::json(refusal.status(), refusal.body())
}

/// Calls a tool.
async fn run(call: &Call<'_>, asked: &ToolCall<'_>) -> Result<crate::mcp::Outcome, Refusal> {
    let name = asked.name();
    let Some(tool) = tools::find(name) else { return Err(Refusal::no_tool(name)) };
    let job = Job { call, asked, seal: seal_of(call) };
    tool.run(&job).await.or_else(|failure| failure.outcome(tool.about.name))
}

/// Returns the key that seals states for this caller. It depends on the secrets of the deployment,
/// so no caller can compute it.
fn seal_of(call: &Call<'_>) -> Seal {
    let authorization = call.request.headers().get("authorization").ok().flatten();
    let caller = authorization.as_deref().and_then(token_of).unwrap_or_default();
    let (keys, signing) = (settings::api_keys(call.env), settings::webhook_signing_keys(call.env));
    let secrets = keys.iter().map(String::as_str).chain([signing.as_str(), caller]);
    Seal::of(secrets)
}
