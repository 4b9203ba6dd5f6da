//! The arguments of the tools that language models call, and the requests to the HTTP API that
//! follow from them.
//!
//! A tool changes nothing by itself. Its arguments become the query or the body of a request, which
//! the same handler checks and answers as if a program had sent it. So only what a tool adds is
//! checked here: that no argument is unknown, which of them go together, and whether a time that is
//! meant on somebody's clock has a time zone.

mod change;
mod definition;
mod lists;
mod of_one;
mod query;
mod selection;
mod sentence;

pub use change::{ChangeTask, Step};
pub use definition::{ScheduleTask, TIMEZONE};
pub use lists::{FindTasks, ListRuns, MAX_TOOL_PAGE};
pub use of_one::{NoArguments, OfTask};
pub use query::Query;
pub use selection::{CancelTasks, Chosen, MAX_TOOL_IDS, ReplayFailures, Selected};
pub use sentence::ParseSchedule;
