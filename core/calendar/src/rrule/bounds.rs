//! The bounds of recurrence rules.

/// Longest rule, bytes: that of a cron expression.
pub const MAX_RULE_BYTES: usize = crate::cron::MAX_EXPRESSION_BYTES;

/// Most runs that are counted off because they cannot be calculated: COUNT of a rule, and `maxRuns`
/// of cron and rrule. One takes 0.1 to 1 microsecond: the most that is allowed takes a tenth of a
/// second.
pub const MAX_COUNTED_RUNS: u32 = 100_000;

/// Most that `INTERVAL` may be: eleven days of seconds.
pub const MAX_INTERVAL: u32 = 1_000_000;
