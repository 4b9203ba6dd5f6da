//! The bounds of recurrence rules.

/// The longest rule in bytes, which is that of a cron expression.
pub const MAX_RULE_BYTES: usize = crate::cron::MAX_EXPRESSION_BYTES;

/// The most runs that are counted one by one because their number cannot be computed: `COUNT` of a
/// rule, and `maxRuns` of cron and rrule. One run takes 0.1 to 1 microsecond, so the most take a
/// tenth of a second.
pub const MAX_COUNTED_RUNS: u32 = 100_000;

/// The greatest `INTERVAL`: eleven days of seconds.
pub const MAX_INTERVAL: u32 = 1_000_000;
