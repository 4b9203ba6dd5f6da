//! The schedule of a task: in requests, checked, stored and previewed.
//! [`scheduler_calendar::schedule`] determines when it recurs.
//!
//! Everything follows from the stored record alone: a shard computes the next occurrence from its
//! watermark, and firing writes nothing for a schedule.
//!
//! A schedule ends with the last occurrence at or before `endAt`, or with the last counted one if
//! `maxRuns`, or COUNT in a rule, is given. This occurrence is computed when the task is accepted,
//! and stored as `finalRun`: see [`ScheduleFields::settle`]. `maxRuns` counts the runs that
//! `exclude` leaves. COUNT counts those of the rule.

mod budget;
mod calendars;
mod exclude;
mod fields;
mod input;
mod local_times;
mod members;
mod parsed;
mod policies;
mod preview;
mod recurrence;
mod sentences;

pub(crate) use budget::Budget;
pub use calendars::CalendarExclusions;
pub use exclude::ExcludeInput;
pub use fields::ScheduleFields;
pub(crate) use input::{
    CheckedSchedule, CronText, GivenKind, Recurrence, ScheduleInput, delayed, read_recurrence,
    read_whole_recurrence,
};
pub use local_times::LocalTimes;
pub(crate) use members::{MEMBERS, SENTENCE, TIMES, WAYS, WORDS};
pub use parsed::{
    PARSED_RUNS, ParseInput, ParsedAssumption, ParsedByModel, ParsedChoice, ParsedDifference,
    ParsedPart, ParsedReading, ParsedRefusal, ParsedRun, ParsedSentence, ToParse,
};
pub(crate) use policies::with_names_of_today;
pub use policies::{Misfire, MisfireInput, Overlap, Policies};
pub use preview::{
    Preview, PreviewRequest, PreviewRun, calendars_of_preview, preview, preview_with,
    preview_with_calendars,
};
pub use sentences::{ReadsSentences, Said, Sentences};
