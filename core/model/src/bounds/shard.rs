//! The bounds of what a shard holds and does: tasks, wake-ups, events, limits and circuits.

use super::task::MAX_CATCH_UP_RUNS;

/// The most bytes that one wake-up of a shard reads, and the most that it writes. It sends up to 64
/// envelopes again (7.7 MB). It ends other envelopes whose runs were all stopped (2 MB, and one
/// with [`super::MAX_PATCHED_BYTES`]). It reads 4 MB of due tasks, and the end of a page, and
/// releases 4 MB of held runs. It writes the due tasks up to three times (a dead letter, a
/// follow-up and an outcome, 13 MB), the held runs, the stopped runs, and a few states. It holds
/// about as much in memory, so the other half of an isolate's 128 MB is left to the shard's tasks.
/// The next wake-up, which follows at once, does the rest.
pub const MAX_WAKE_BYTES: usize = 24_000_000;
/// The most bytes that one request to a shard reads, and the most that it writes. A create writes
/// [`super::MAX_REQUEST_BYTES`] and its changes of other tasks: 4 MB of attempts and of runs that a
/// pause has held back, which may become dead letters with follow-ups (13 MB). It reads the tasks
/// that it changes, and 512 bytes of each of 20,000 tasks that it replaces. A change examines 16
/// MB, and writes as much as a create changes. A report is about one envelope and
/// [`super::MAX_PATCHED_BYTES`]. If a request needs more, the shard does a part and reports that,
/// and the sender repeats the request.
pub const MAX_SHARD_REQUEST_BYTES: usize = 48_000_000;

/// The furthest ahead that a shard sets its alarm, in milliseconds: 30 days. The platform counts
/// nanoseconds in 64 bits and refuses a time after 2262 (its message says 2189), but tasks may be
/// due until 9999. A shard whose next task is later than that wakes once in 30 days without work,
/// which costs a row and a request.
pub const MAX_ALARM_AHEAD_MILLIS: i64 = 30 * 86_400_000;

/// The most pending tasks, further attempts and dead letters of one shard. At 64 bytes each in
/// memory (see `engine::memory`), they take 64 MB, half of an isolate's 128 MB. The further
/// attempts and dead letters of one-shot tasks may exceed this, by at most the number of runs in
/// flight.
pub const MAX_PENDING_PER_SHARD: usize = 1_000_000;
/// The most dead letters of one id. A further one replaces the oldest. A one-shot task has one or
/// two. If a recurring task has failed permanently more than a hundred times, the history has the
/// rest. The number equals that of the missed runs that fire ([`super::MAX_CATCH_UP_RUNS`]). When a
/// task is created, changed or fired, everything with its id is searched. The dead letters of one
/// id take at most 12 MB, so a request may read all of them.
pub const MAX_DEAD_LETTERS_OF_A_TASK: usize = 100;
/// The most runs of one id that wait for a further attempt, as follow-ups or otherwise. A further
/// one is not retried but becomes a dead letter. A task that fires every second and fails is
/// retried for a quarter of an hour. A search takes about 50 nanoseconds for each, as for dead
/// letters.
pub const MAX_RUNS_OF_A_TASK: usize = 1_000;
/// The most recurring tasks of one shard. Each is a row of its own and is evaluated at start-up,
/// which takes some microseconds.
pub const MAX_SCHEDULES_PER_SHARD: usize = 20_000;
/// How long a shard remembers an `Idempotency-Key`, milliseconds: a day, which outlasts automatic
/// retries of a request.
pub const REMEMBER_MILLIS: i64 = 86_400_000;
/// The most `Idempotency-Key`s that a shard remembers at a time. A row has some 150 bytes: 75 MB of
/// the 10 GB of storage. It allows 5 new keys per second on each shard, all day. A shard counts
/// many keys by an estimate when it starts, which is up to an eighth too high, so 444,000 always
/// fit.
pub const MAX_REMEMBERED_PER_SHARD: u64 = 500_000;

/// The bytes that the loaded shards of an isolate may hold together before they refuse appends: the
/// 128 MB of an isolate, minus 80 MB for large bodies ([`LARGE_BODIES`]), minus 8 MB for the code
/// and for messages. The shards of one namespace may hold four fifths of it, which is 820,000
/// tasks: see [`crate::access::FairMemory`].
pub const MAX_ISOLATE_BYTES: usize = 40_000_000;
/// The memory for bodies of more than [`super::MAX_TASK_BODY_BYTES`], as a multiple of that for
/// shards. Each counts [`super::BODY_COPIES`] times. So there is room for 16 MB of them: one of the
/// largest, and others.
pub const LARGE_BODIES: usize = 2;

/// The most events that a shard keeps in memory for readers: a few seconds of a busy shard. A
/// reader that is further behind gets a gap.
pub const MAX_BUFFERED_EVENTS: usize = 8_192;
/// The most bytes of these events. Sixteen shards that share an isolate's 128 MB hold a quarter of
/// it.
pub const MAX_BUFFERED_EVENT_BYTES: usize = 2_000_000;
/// How long a shard records events after the last request for them, in milliseconds. A disconnected
/// reader can reconnect within this time without a gap.
pub const EVENT_LEASE_MILLIS: i64 = 60_000;
/// The most events of one answer of a shard.
pub const MAX_EVENTS_AT_ONCE: usize = 1_000;
/// The most bytes of events in one answer to a reader. The shards divide them, and each may exceed
/// its share by one event. If a reader does not read, the events wait for it, and count while it is
/// connected. The memory for large bodies has room for 625 readers.
pub const MAX_EVENTS_BYTES: usize = 128_000;
/// The least share of a shard of [`MAX_EVENTS_BYTES`], bytes: some ten events.
pub const LEAST_EVENTS_BYTES: usize = 2_000;
/// The longest time that a shard without events holds a request for them, in milliseconds. A
/// request whose reader has disconnected keeps its place until then.
pub const MAX_EVENTS_WAIT_MILLIS: u32 = 10_000;
/// The most requests that wait for the events of a shard. Each looks for new events at most five
/// times per second.
pub const MAX_READERS: usize = 128;
/// The most such requests with one API key, so that the holder of one key leaves places to others.
pub const MAX_READERS_OF_A_KEY: usize = 64;
/// The `Retry-After` of a refused reader, in seconds. After this time, the places of disconnected
/// readers are free.
pub const READERS_RETRY_SECONDS: u32 = 10;
/// The most limit keys that have tasks in one shard, and the most limit keys of one request. A page
/// names its key in one byte, in which 0 means tasks without a key.
pub const MAX_LANES: usize = 255;
/// The most limits of one limiter. A namespace has [`crate::protocol::limiter::LIMITERS`] limiters.
/// A list asks all of them, and each limit takes some 100 bytes with its holders.
pub const MAX_LIMITS_PER_LIMITER: usize = 500;
/// The most shards that a limiter names in a list of its limits, some 75 bytes each. With
/// [`MAX_LIMITS_PER_LIMITER`] limits of the longest keys, they fit its eighth of
/// [`super::MAX_LIST_BYTES`].
pub const MAX_LISTED_HOLDERS: usize = 3_000;
/// The most runs in flight of one key, which 50 shards can have dispatched.
pub const MAX_CONCURRENCY: u32 = 100_000;
/// The highest rate of a key in runs per second: a fifth of the rate of a queue with envelopes of a
/// hundred.
pub const MAX_PER_SECOND: f64 = 100_000.0;
/// The lowest rate of a key: one run in a thousand seconds.
pub const MIN_PER_SECOND: f64 = 0.001;

/// The most tasks that a shard may have dispatched without a report, unless the variable
/// `MAX_DISPATCHED_TASKS` sets another number. All namespaces share the dispatchers' queue, so a
/// task waits there behind at most this many of each shard of each other namespace. It is forty
/// full envelopes ([`super::MAX_DISPATCH_TASKS`]), so sixteen shards keep 64 consumers busy with
/// batches of ten. If an envelope takes a second from its firing to its report, it allows 4,000
/// tasks per second and shard.
pub const MAX_DISPATCHED_TASKS: usize = 4_000;

/// A shard sends an envelope again if no dispatcher has reported it after this time, in
/// milliseconds, unless the variable `VISIBILITY_TIMEOUT_SECONDS` sets another time. By then, a
/// dispatcher has finished its batch or is gone.
pub const DEFAULT_VISIBILITY_MILLIS: i64 = 300_000;

/// The longest name of a destination (see [`crate::task::Callback::destination`]): a scheme, a host
/// name of 253 characters and a port.
pub const MAX_DESTINATION_BYTES: usize = 270;
/// The most circuits of one shard (see `engine::circuit`). Open ones are stored with every firing,
/// some 400 bytes each. A destination beyond them has no circuit, and holds at most two places of
/// an invocation of the dispatchers.
pub const MAX_CIRCUITS: usize = 32;
/// The most runs of one recurring task that wait for its destination. Further ones are skipped. The
/// number equals that of the missed runs that fire ([`super::MAX_CATCH_UP_RUNS`]).
pub const MAX_DEFERRED_RUNS: usize = MAX_CATCH_UP_RUNS;
