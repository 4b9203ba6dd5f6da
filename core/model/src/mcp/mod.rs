//! Messages of clients of the Model Context Protocol: messages of JSON-RPC 2.0, and the parameters
//! of requests.
//!
//! Two kinds of revisions of the protocol are supported, because most clients still use an older
//! one. Nothing here knows tasks: the arguments of a tool are JSON text, which [`crate::tools`]
//! reads.

mod message;
mod params;

pub use message::{MAX_MESSAGE_ID_BYTES, Message, NotAMessage};
pub use params::{Action, CallParams, Envelope, InitializeParams, InputAnswer};
