//! The bounds of the fields of a task.

/// The longest task id: long enough for a path or a composite key, short enough to stay a small
/// part of a record.
pub const MAX_ID_BYTES: usize = 256;

/// The lowest number that is read as a time in milliseconds, 1973-03-03. A lower number probably
/// means seconds (until the year 5138), a date without separators, or zero.
pub const MIN_TIME_MILLIS: i64 = 100_000_000_000;

/// The longest description.
pub const MAX_DESCRIPTION_BYTES: usize = 1024;
/// The longest schedule in words: 500 characters of up to four bytes, which the grammar accepts
/// outside of quotes.
pub const MAX_SENTENCE_BYTES: usize = 2_000;

/// The most tags of a task.
pub const MAX_TAGS: usize = 16;
/// The longest tag of a task.
pub const MAX_TAG_BYTES: usize = 64;

/// The longest note of a pause, bytes: a few sentences.
pub const MAX_PAUSE_NOTE_BYTES: usize = 500;
/// The longest list of tags as JSON text: each byte may be an escape of six bytes, and there may be
/// some white space.
pub const MAX_TAGS_TEXT_BYTES: usize = 8_192;
/// The longest retry policy as JSON text: a hundred statuses and six numbers are 1,000 bytes.
pub const MAX_RETRY_TEXT_BYTES: usize = 4_096;
/// The longest misfire policy as JSON text.
pub const MAX_MISFIRE_TEXT_BYTES: usize = 1_024;
/// The most dates and ranges that a task leaves out: the holidays of ten years, or the single days
/// of most of a year. A range counts as one.
pub const MAX_EXCLUDED_DATES: usize = 300;
/// The most weekdays that a task leaves out, with repetitions.
pub const MAX_EXCLUDED_WEEKDAYS: usize = 7;
/// The most times of day that a task leaves out: one each hour.
pub const MAX_EXCLUDED_TIMES: usize = 24;
/// The most rules whose days a task leaves out. A search examines each rule for each day.
pub const MAX_EXCLUDED_RULES: usize = 8;
/// The longest `exclude` as JSON text: 300 ranges of 24 bytes are 7,200, eight rules of 1,024 bytes
/// are 8,192, and the rest is below 600.
pub const MAX_EXCLUDE_TEXT_BYTES: usize = 16_384;
/// The longest list of cron expressions as JSON text: [`MAX_CRON_EXPRESSIONS`] of 1,024 bytes, and
/// as much again for escapes.
pub const MAX_CRON_TEXT_BYTES: usize = 32_768;

/// The largest payload, as JSON text. A queue message holds 128,000 bytes, including about 100 of
/// metadata. The record's other fields must fit beside the payload ([`MAX_CALLBACK_BYTES`],
/// description, tags and id; in practice, JSON escapes at most double each), and so must the
/// envelope around the record.
pub const MAX_PAYLOAD_BYTES: usize = 65_536;

/// The most nested levels of objects and lists in a payload or in a callback's body. Common JSON
/// parsers stop at 128 levels, and the record and its envelope add some.
pub const MAX_NESTING: usize = 100;

/// The largest callback, as JSON text: a URL of 2,048 bytes, headers, and a body of its own. Larger
/// data belongs in the payload.
pub const MAX_CALLBACK_BYTES: usize = 8_192;
/// The longest webhook URL, which every server and proxy accepts in practice.
pub const MAX_URL_BYTES: usize = 2_048;
/// The most headers of a webhook.
pub const MAX_HEADERS: usize = 32;
/// The longest name of a function that is called by RPC: far longer than anyone types.
pub const MAX_FUNCTION_BYTES: usize = 128;
/// The longest name of a Durable Object that is called. As long as a task id, because both often
/// name the same thing. The platform passes names of up to 1,024 bytes to an object.
pub const MAX_OBJECT_NAME_BYTES: usize = MAX_ID_BYTES;
/// The longest webhook timeout, seconds. A dispatcher works on a batch for at most 15 minutes,
/// which leaves it time for every task of an envelope (see [`super::MAX_DISPATCH_TASKS`]).
pub const MAX_TIMEOUT_SECONDS: u32 = 60;
/// The timeout of a webhook if the task names none, in seconds.
pub const DEFAULT_TIMEOUT_SECONDS: u32 = 30;

/// The most cron expressions of one schedule. Each takes 56 bytes and is evaluated for every run.
pub const MAX_CRON_EXPRESSIONS: usize = 16;
/// The shortest interval of a schedule, seconds: the resolution of cron.
pub const MIN_INTERVAL_SECONDS: f64 = 1.0;
/// The longest interval of a schedule, seconds: a hundred years of 365.25 days.
pub const MAX_INTERVAL_SECONDS: f64 = 3_155_760_000.0;
/// The longest jitter and longest window, seconds: a day. It bounds how far back a start-up looks
/// for an occurrence that was delayed.
pub const MAX_DELAY_SECONDS: f64 = 86_400.0;
/// How late a run may be, in seconds, before it counts as missed, if the task sets no grace. A
/// failover or a deployment takes less.
pub const DEFAULT_GRACE_SECONDS: f64 = 60.0;
/// The longest grace and longest expiry, seconds: a year. A longer one would limit nothing.
pub const MAX_LATENESS_SECONDS: f64 = 31_536_000.0;
/// The most missed runs of one recurring task that fire: the last ones. With as many recurring
/// tasks as a shard may hold ([`super::MAX_SCHEDULES_PER_SHARD`]), these are two million runs,
/// which take a second to find.
pub const MAX_CATCH_UP_RUNS: usize = 100;

/// The longest limit key. Each shard with tasks of the key stores it with every firing.
pub const MAX_LIMIT_KEY_BYTES: usize = 128;
