//! What a client of the Model Context Protocol posts: messages of JSON-RPC 2.0, and the parameters
//! of requests.
//!
//! Two revisions of the protocol are read, because most clients still speak the older one. Nothing
//! here knows of tasks: the arguments of a tool are JSON text, and [`crate::tools`] reads them.

mod message;
mod params;

pub use message::{MAX_MESSAGE_ID_BYTES, Message, NotAMessage};
pub use params::{Action, CallParams, Envelope, InitializeParams, InputAnswer};
