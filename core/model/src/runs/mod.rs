//! The history of several shards: the query of a request, the cursor, and how the shards' answers
//! are joined in order.

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
