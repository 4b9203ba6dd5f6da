//! A server of the Model Context Protocol over Streamable HTTP, as far as tools need it.
//!
//! In scope: messages, the two revisions that clients speak, the headers that must agree with a
//! message, questions back to the user, and how tools are listed and answer. Not in scope: which
//! tools there are and what they do. Nothing here knows of tasks, and nothing here does I/O: a
//! handler passes headers and body in, calls the tool and sends the answer.
//!
//! - **2026-07-28** is stateless. Each request names its revision and what its client can do. A
//!   tool that needs something from the user answers with a question, and the client calls it again
//!   with the answer and with the state that the server gave it (`requestState`).
//! - **2025-11-25** and two revisions before it begin with `initialize`. This server opens neither
//!   a session nor a stream, so a tool cannot ask. It answers with the text of its question.

mod headers;
mod read;
mod reply;
mod seal;
mod tool;

pub(crate) use headers::{Headers, is_foreign};
pub(crate) use read::{McpMethod, Posted, Request, ToolCall, read};
pub(crate) use reply::{Refusal, Server};
pub(crate) use seal::{Broken, Seal};
pub(crate) use tool::{About, Effect, Outcome, Question};
