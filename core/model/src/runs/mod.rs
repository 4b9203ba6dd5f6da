//! A history over shards: what a request asks for, the cursor, and joining the shards' answers in
//! order.

mod cursor;
mod filter;
mod groups;
mod page;
mod pattern;
mod query;

pub use cursor::{RunsCursor, RunsCursorError};
pub use filter::RunMatcher;
pub use groups::{Group, GroupsPage, Order, merge_groups};
pub use page::{RunsPage, merge};
pub use pattern::{ErrorText, pattern_of};
pub use query::{RUNS_QUERY, RunsQuery, parse_runs_query};
