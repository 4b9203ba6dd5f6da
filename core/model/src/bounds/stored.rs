//! The bounds of what is stored: records, envelopes, pages, and the rows of each table.

use super::access::MAX_KEY_NAME_BYTES;
use super::shard::MAX_LANES;
use super::task::{MAX_LIMIT_KEY_BYTES, MAX_PAUSE_NOTE_BYTES};

/// The most bytes that a pause adds to a record: three member names and a number of up to 15
/// digits, the name of a key, and the note, where each byte may need an escape of two. No message
/// contains a paused record.
pub const MAX_PAUSE_BYTES: usize = 100 + 2 * (MAX_KEY_NAME_BYTES + MAX_PAUSE_NOTE_BYTES);
/// The most bytes of the marks of pauses in one envelope in flight: fifty of the longest. Further
/// pauses are stored without a mark.
pub const MAX_PAUSES_BYTES: usize = 32_768;

/// The largest record, which is a task in its stored and fired form: [`MAX_ENVELOPE_BYTES`] minus
/// the envelope's frame, and minus the growth of a record over its life (an attempt number, the
/// error of a dead letter).
pub const MAX_RECORD_BYTES: usize = 116_000;

/// The bytes that an outcome adds to the record of a follow-up (see `engine::follow_up`): an error
/// of 500 characters and an excerpt of 256 bytes, which escapes may lengthen six times, and some
/// 300 bytes of names and numbers. The record of a task with follow-ups must be smaller by this
/// much, so that the follow-ups fit a message too.
pub const MAX_OUTCOME_BYTES: usize = 5_000;

/// The bytes that `createdAt`, `updatedAt` and `createdBy` add to a record: three names, two
/// numbers of up to 15 digits, and the name of a key, which escapes may double. Each record must be
/// smaller by this much, so that it fits with any key.
pub const MAX_ORIGIN_BYTES: usize = 100 + 2 * MAX_KEY_NAME_BYTES;

/// The largest envelope. A queue message has at most 128,000 bytes, about 100 of them metadata; the
/// rest is margin.
pub const MAX_ENVELOPE_BYTES: usize = 120_000;
/// An envelope is closed before it exceeds this size. Queues bill per 64 KB of a message, so just
/// under 64,000 bytes is the cheapest size per task.
pub const ENVELOPE_TARGET_BYTES: usize = 63_000;
/// The most tasks of one envelope for the dispatchers. A dispatcher may run for 15 minutes with 6
/// webhooks in flight, and 100 tasks that all take the longest timeout need 100 / 6 x 60 s = 17
/// minutes. It returns the tasks that it did not start by its deadline, so this bounds the time
/// between two reports rather than correctness.
pub const MAX_DISPATCH_TASKS: usize = 100;

/// The most tasks of one page, or of one envelope for a user's consumer: the index of a record in
/// its page has 11 bits.
pub const MAX_PAGE_TASKS: usize = 2_048;
/// A page is closed before its body exceeds this size, 64 KB. When one of its records fires, half
/// of the body is read on average, and a page of 200 to 500 tasks costs only two rows in its whole
/// life.
pub const PAGE_TARGET_BYTES: usize = 65_536;
/// The largest body of a page: one record may exceed the target by itself, and the format's offsets
/// have 20 bits.
pub const MAX_PAGE_BODY_BYTES: usize = PAGE_TARGET_BYTES + MAX_RECORD_BYTES;
/// An append with a body of up to this size extends the shard's open page; a larger one gets a page
/// of its own. It is some 16 tasks. Each is inserted among those of the open page, which costs as
/// many steps as there are entries behind it.
pub const OPEN_PAGE_APPEND_BYTES: usize = 2_048;
/// The open page is closed when its body reaches this size. Each append rewrites the row, so this
/// bounds the bytes that a single add costs. The rows, which are billed, do not depend on it.
pub const OPEN_PAGE_BYTES: usize = 32_768;

/// The largest row, string or blob that the platform's SQL stores. The local runtime stores larger
/// ones, so the engine's tests check this.
pub const MAX_ROW_BYTES: usize = 2_000_000;
/// The largest row of a shard's pages: body and directory. A record that has grown past
/// [`MAX_RECORD_BYTES`] has a page of its own, and still fits an envelope.
pub const MAX_PAGE_ROW_BYTES: usize = MAX_PAGE_BODY_BYTES + 64 + MAX_PAGE_TASKS * 20;
/// The largest bit set of the cancelled entries of a page.
pub const MAX_DEAD_ROW_BYTES: usize = MAX_PAGE_TASKS / 8;
/// The largest row of a recurring task: its record, with the first and the last run that the shard
/// counts, and with the mark of a pause.
pub const MAX_SCHEDULE_ROW_BYTES: usize = MAX_RECORD_BYTES + 100 + MAX_PAUSE_BYTES;
/// The largest state of a shard: counters and a histogram of 496 numbers of up to 20 digits, some
/// 15,000 bytes; the series; and [`super::MAX_LANES`] keys, which escapes may lengthen six times,
/// each with some 250 bytes of numbers.
pub const MAX_STATE_BYTES: usize =
    15_000 + MAX_SERIES_TEXT_BYTES + MAX_LANES * (6 * MAX_LIMIT_KEY_BYTES + 250);
/// The largest row of the outbox: an envelope, 8 bytes for each of its tasks, the name of its
/// queue, and the state.
pub const MAX_OUTBOX_ROW_BYTES: usize =
    MAX_ENVELOPE_BYTES + MAX_PAGE_TASKS * 8 + 256 + MAX_STATE_BYTES;
/// The largest row of the decisions about the tasks of an envelope in flight: 3 bytes for each
/// task, and the marks of pauses.
pub const MAX_DECISIONS_ROW_BYTES: usize = 3 + MAX_PAGE_TASKS * 3 + MAX_PAUSES_BYTES;
/// The largest row of a patched record of a task in flight, which must fit an envelope.
pub const MAX_PATCH_ROW_BYTES: usize = MAX_ENVELOPE_BYTES;
/// The most bytes of all patched records of one envelope in flight: 34 of the largest. An envelope
/// for a user's queue may hold [`MAX_PAGE_TASKS`] small tasks, and a patch may make each as large
/// as possible. When the envelope ends, its patched records are read in one step, and written up to
/// three times.
pub const MAX_PATCHED_BYTES: usize = 4_000_000;
/// The largest row of the remembered `Idempotency-Key`s.
pub const MAX_REMEMBERED_ROW_BYTES: usize = 512;

const _: () = assert!(
    MAX_PAGE_ROW_BYTES < MAX_ROW_BYTES
        && MAX_SCHEDULE_ROW_BYTES < MAX_ROW_BYTES
        && MAX_OUTBOX_ROW_BYTES < MAX_ROW_BYTES
        && HISTORY_ROW_BYTES < MAX_ROW_BYTES
);

/// The points by minute that a shard keeps, the present one included: two hours.
pub const SERIES_MINUTES: usize = 120;
/// The points by hour that a shard keeps, the present one included: seven days.
pub const SERIES_HOURS: usize = 168;
/// The most bytes of the closed points by minute. A shard that fires 30,000 runs per second has
/// eight counts of 3 bytes and eleven buckets of lateness of 3 bytes in each, 61 bytes with the
/// rest. If they are longer, the shard drops the oldest points.
pub const MAX_MINUTES_BYTES: usize = 64 * SERIES_MINUTES;
/// The most bytes of the closed points by hour: as by minute, with 4 bytes for each number.
pub const MAX_HOURS_BYTES: usize = 80 * SERIES_HOURS;
/// The longest text of the series in the state of a shard: the closed points and two open ones of
/// up to 1,500 bytes, in base64, and their names. The state is written with each firing. A usual
/// shard's series have 1,000 to 10,000 bytes.
pub const MAX_SERIES_TEXT_BYTES: usize =
    (MAX_MINUTES_BYTES + MAX_HOURS_BYTES + 2 * 1_500 + 64) * 4 / 3 + 64;

/// A row of a shard's history takes no more outcomes once its body would exceed this, which is some
/// 600 outcomes. Each report of an envelope rewrites the row, so this bounds the bytes that a
/// report costs, as for an open page. The rows, which are billed, do not depend on it.
pub const HISTORY_ROW_BYTES: usize = 32_768;
/// The most rows of a shard's history: 32 MB, some 600,000 outcomes. On 16 shards, that is half a
/// gigabyte, $0.10 a month. A request for an id that is in none of them reads them in eight rounds.
pub const MAX_HISTORY_ROWS: usize = 1_024;
/// The longest time for which outcomes are kept, in milliseconds: 30 days, which is also the
/// longest time for which a task may be retried.
pub const MAX_HISTORY_AGE_MILLIS: i64 = 30 * 86_400_000;
