//! Every limit, with its derivation. Sizes are in bytes.

mod access;
mod calendars;
mod requests;
mod shard;
mod stored;
mod task;

pub use access::*;
pub use calendars::*;
pub use requests::*;
pub use shard::*;
pub use stored::*;
pub use task::*;
