//! Every limit, with its derivation. Sizes are in bytes.

/// The longest task id: long enough for a path or a composite key, short enough to stay a small
/// part of a record.
pub const MAX_ID_BYTES: usize = 256;

/// The lowest number that is read as a time in milliseconds, 1973-03-03. A lower number probably
/// means seconds (until the year 5138), a date without separators, or zero.
pub const MIN_TIME_MILLIS: i64 = 100_000_000_000;

/// The longest description.
pub const MAX_DESCRIPTION_BYTES: usize = 1024;
/// Longest schedule in words: 500 characters of up to four bytes, which the grammar accepts outside
/// of quotes.
pub const MAX_SENTENCE_BYTES: usize = 2_000;
/// Most schedules in words of one request. Each takes some 50 microseconds in the wasm, and up to a
/// millisecond if it is long: a second of the 30 seconds of an invocation.
pub const MAX_SENTENCES: usize = 1_000;

/// The most tags of a task.
pub const MAX_TAGS: usize = 16;
/// The longest tag of a task.
pub const MAX_TAG_BYTES: usize = 64;

/// The longest note of a pause, bytes: a few sentences.
pub const MAX_PAUSE_NOTE_BYTES: usize = 500;
/// The most bytes that a pause adds to a record: three member names and a number of up to 15
/// digits, the name of a key, and the note, where each byte may need an escape of two. No message
/// contains a paused record.
pub const MAX_PAUSE_BYTES: usize = 100 + 2 * (MAX_KEY_NAME_BYTES + MAX_PAUSE_NOTE_BYTES);
/// The most bytes of the marks of pauses in one envelope in flight: fifty of the longest. Further
/// pauses are stored without a mark.
pub const MAX_PAUSES_BYTES: usize = 32_768;

/// The longest host of a filter: a name of the DNS has 253 bytes.
pub const MAX_HOST_BYTES: usize = 256;
/// The longest text of a filter that is compared with the error of an attempt.
pub const MAX_FILTERED_ERROR_BYTES: usize = 1_024;
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
/// which leaves it time for every task of an envelope (see [`MAX_DISPATCH_TASKS`]).
pub const MAX_TIMEOUT_SECONDS: u32 = 60;
/// Timeout of a webhook if the task names none, seconds.
pub const DEFAULT_TIMEOUT_SECONDS: u32 = 30;

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
/// 15,000 bytes; the series; and [`MAX_LANES`] keys, which escapes may lengthen six times, each
/// with some 250 bytes of numbers.
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

/// The most bytes that one wake-up of a shard reads, and the most that it writes. It sends up to 64
/// envelopes again (7.7 MB). It ends other envelopes whose runs were all stopped (2 MB, and one
/// with [`MAX_PATCHED_BYTES`]). It reads 4 MB of due tasks, and the end of a page, and releases 4
/// MB of held runs. It writes the due tasks up to three times (a dead letter, a follow-up and an
/// outcome, 13 MB), the held runs, the stopped runs, and a few states. It holds about as much in
/// memory, so the other half of an isolate's 128 MB is left to the shard's tasks. The rest is done
/// at the next wake-up, which follows at once.
pub const MAX_WAKE_BYTES: usize = 24_000_000;
/// The most bytes that one request to a shard reads, and the most that it writes. A create writes
/// [`MAX_REQUEST_BYTES`] and its changes of other tasks: 4 MB of attempts and of runs that a pause
/// has held back, which may become dead letters with follow-ups (13 MB). It reads the tasks that it
/// changes, and 512 bytes of each of 20,000 tasks that it replaces. A change examines 16 MB, and
/// writes as much as a create changes. A report is about one envelope and [`MAX_PATCHED_BYTES`]. If
/// a request needs more, the shard does a part and reports that, and the sender repeats the
/// request.
pub const MAX_SHARD_REQUEST_BYTES: usize = 48_000_000;

const _: () = assert!(
    MAX_PAGE_ROW_BYTES < MAX_ROW_BYTES
        && MAX_SCHEDULE_ROW_BYTES < MAX_ROW_BYTES
        && MAX_OUTBOX_ROW_BYTES < MAX_ROW_BYTES
        && HISTORY_ROW_BYTES < MAX_ROW_BYTES
);

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
/// rest. The number equals that of the missed runs that fire ([`MAX_CATCH_UP_RUNS`]). When a task
/// is created, changed or fired, everything with its id is searched. The dead letters of one id
/// take at most 12 MB, so a request may read all of them.
pub const MAX_DEAD_LETTERS_OF_A_TASK: usize = 100;
/// The most runs of one id that wait for a further attempt, as follow-ups or otherwise. A further
/// one is not retried but becomes a dead letter. A task that fires every second and fails is
/// retried for a quarter of an hour. A search takes about 50 nanoseconds for each, as for dead
/// letters.
pub const MAX_RUNS_OF_A_TASK: usize = 1_000;
/// The most recurring tasks of one shard. Each is a row of its own and is evaluated at start-up,
/// which takes some microseconds.
pub const MAX_SCHEDULES_PER_SHARD: usize = 20_000;

/// The most cron expressions of one schedule. Each takes 56 bytes and is evaluated for every run.
pub const MAX_CRON_EXPRESSIONS: usize = 16;
/// The shortest interval of a schedule, seconds: the resolution of cron.
pub const MIN_INTERVAL_SECONDS: f64 = 1.0;
/// The longest interval of a schedule, seconds: a hundred years of 365.25 days.
pub const MAX_INTERVAL_SECONDS: f64 = 3_155_760_000.0;
/// The longest jitter and longest window, seconds: a day. It bounds how far back a start-up looks
/// for an occurrence that was delayed.
pub const MAX_DELAY_SECONDS: f64 = 86_400.0;
/// The steps (months, days, places in time, tables of time zones) that the schedules of one request
/// may take together. A step takes up to 40 nanoseconds, so this is half a second of the 30 seconds
/// of an invocation. One schedule may exceed it by the bound of a single search or count
/// (`MAX_STEPS` and `MAX_COUNTING_STEPS` of `rrule`). The shards take as many steps again when the
/// tasks arrive.
pub const MAX_SCHEDULE_STEPS: u64 = 12_500_000;
/// How late a run may be, in seconds, before it counts as missed, if the task sets no grace. A
/// failover or a deployment takes less.
pub const DEFAULT_GRACE_SECONDS: f64 = 60.0;
/// The longest grace and longest expiry, seconds: a year. A longer one would limit nothing.
pub const MAX_LATENESS_SECONDS: f64 = 31_536_000.0;
/// The most missed runs of one recurring task that fire: the last ones. With as many recurring
/// tasks as a shard may hold ([`MAX_SCHEDULES_PER_SHARD`]), these are two million runs, which take
/// a second to find.
pub const MAX_CATCH_UP_RUNS: usize = 100;
/// The most runs of one preview.
pub const MAX_PREVIEW_RUNS: usize = 100;
/// The runs of a preview if the request sets no number.
pub const DEFAULT_PREVIEW_RUNS: usize = 10;

/// The most buckets of a forecast: one for each pixel of a chart.
pub const MAX_FORECAST_BUCKETS: usize = 1_000;
/// The buckets of a forecast if the request does not say: the hours of a day.
pub const DEFAULT_FORECAST_BUCKETS: usize = 24;
/// The longest forecast, milliseconds: a leap year. A longer one shows no season that this does not.
pub const MAX_FORECAST_MILLIS: i64 = 366 * 86_400_000;
/// The length of a forecast if the request does not say, milliseconds: a day.
pub const DEFAULT_FORECAST_MILLIS: i64 = 86_400_000;
/// The steps that a shard takes at most to count the runs of recurring tasks for one forecast, up to 40
/// nanoseconds each: 40 milliseconds of its time. A run that is counted for itself takes
/// [`FORECAST_RUN_STEPS`] and those of its search. One-shot tasks take no steps: their number is
/// bounded ([`MAX_PENDING_PER_SHARD`]), and each takes a look at its entry at most.
pub const MAX_FORECAST_STEPS: u64 = 1_000_000;
/// The steps of [`MAX_FORECAST_STEPS`] that a run takes besides its search.
pub const FORECAST_RUN_STEPS: u64 = 4;

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

/// The most items of one batch request.
pub const MAX_BATCH_ITEMS: usize = 20_000;
/// The largest request body, which is that of a batch, unless the variable `MAX_BODY_MIB` sets
/// another one: 20,000 items of 400 bytes. The platform accepts 100 MB, but an isolate has 128 MB
/// for all requests and for several shards, and holds a batch up to [`BODY_COPIES`] times: 42 MB, a
/// third of the isolate.
pub const DEFAULT_REQUEST_BYTES: usize = 8 * 1024 * 1024;
/// The largest body that `MAX_BODY_MIB` can set. It takes two thirds of an isolate, so the shards must
/// be elsewhere or small.
pub const MAX_REQUEST_BYTES: usize = 16 * 1024 * 1024;
/// How many times an isolate holds a large body at once: as text, as pages, as the messages to the
/// shards, as their copies in a shard of the same isolate, and as what that shard stores.
pub const BODY_COPIES: usize = 5;
/// The largest body of a request about one task, and largest item of a batch, as JSON text: twice
/// [`MAX_RECORD_BYTES`], for white space and escapes that the record does not have.
pub const MAX_TASK_BODY_BYTES: usize = 256 * 1024;
/// The most bytes of bodies of up to [`MAX_TASK_BODY_BYTES`] that all requests of an instance hold
/// at a time: 64 of the largest, or 16,000 of 1 KB. They are usually small and short-lived, so they
/// are in addition to the memory of the larger ones.
pub const MAX_SMALL_BODIES_BYTES: usize = 16 * 1024 * 1024;
/// The largest batch that is parsed in one pass: 20,000 items of 200 bytes. A larger one is cut
/// into items first, because a single item could be the whole batch, and its error would repeat it.
pub const MAX_BATCH_AT_ONCE_BYTES: usize = 4 * 1024 * 1024;
/// The largest body of a bulk change or cancel, or of a request about many dead letters:
/// [`MAX_CANCEL_IDS`] ids of [`MAX_ID_BYTES`] are 5.2 MB.
pub const MAX_BULK_BODY_BYTES: usize = 8 * 1024 * 1024;
/// The largest body of a change of one task, a key, a namespace or a limit. A key with 32
/// namespaces has 3 KB.
pub const MAX_SMALL_BODY_BYTES: usize = 16 * 1024;
/// The most members of a merge patch. A task has some thirty.
pub const MAX_PATCH_MEMBERS: usize = 64;
/// The most scopes that a request may list for a key: each one twice.
pub const MAX_KEY_SCOPES: usize = 6;

/// The longest name of a field in an error, in bytes as JSON writes them. The middle of a longer
/// name is removed (see [`crate::input::cut`]). A batch has at most [`MAX_BATCH_ITEMS`] names and
/// details at once, 17 MB.
pub const MAX_ERROR_FIELD_BYTES: usize = 128;
/// The longest detail of an error, bytes as JSON writes them; see [`MAX_ERROR_FIELD_BYTES`].
pub const MAX_ERROR_DETAIL_BYTES: usize = 720;
/// The longest text of a problem, in bytes as JSON writes them: a few sentences with an id, which
/// escapes may lengthen three times.
pub const MAX_PROBLEM_BYTES: usize = 1_536;
/// The most bytes of errors in the answer to a batch. Each refused item is at least marked as
/// refused, 1.8 MB for [`MAX_BATCH_ITEMS`]. The rest explains the first ones, up to 2,000 of the
/// longest.
pub const MAX_ERRORS_BYTES: usize = 2_000_000;
/// The most tasks of one page of a list.
pub const MAX_LIST_LIMIT: usize = 1_000;
/// The most bytes of rows that the shards read together to find the tasks of one page of a list, if
/// the filter needs records. The shards divide them ([`crate::listing::share_of_search`]). It
/// is a thousand pages of their logs, about 200,000 tasks. To fetch a page of 64 KB and to look
/// through it takes a tenth of a millisecond of a shard, so this takes 0.1 s if all shards share a
/// thread, and less if each has its own.
pub const MAX_SEARCHED_BYTES: usize = 64_000_000;
/// The least share of a shard of [`MAX_SEARCHED_BYTES`], bytes: sixteen pages of its log.
pub const LEAST_SEARCHED_BYTES: usize = 1_000_000;
/// The least that a row counts towards [`MAX_SEARCHED_BYTES`], bytes. Fetching a short row takes 40
/// microseconds, a third of the time for a page of 64 KB.
pub const SEARCHED_ROW_BYTES: usize = 20_000;
/// The most bytes of records, or runs, in one page of a list, unless its first task alone is
/// larger. The shards divide them ([`crate::listing::share_of_page`]), and each may exceed its
/// share by one record. The coordinator asks 32 shards at once, and holds at most a page and their
/// answers ([`crate::listing::Page`]): 12 MB at most for any number of shards, and 8 MB for up to
/// 32. A page of a few large tasks is held up to six times at once: in a shard as records and as
/// its answer; in the coordinator as that answer, as text, as items and as the page. Four such
/// pages at once take 96 MB of an isolate's 128. A page of larger tasks has fewer of them.
pub const MAX_LIST_BYTES: usize = 4_000_000;
/// More bytes than any run takes in an answer: an error of 500 characters, an excerpt of 256 bytes,
/// an id, tags and the name of a target, all of them escaped.
pub const MAX_RUN_BYTES: usize = 16_000;
/// The tasks of one page of a list if the request sets no number.
pub const DEFAULT_LIST_LIMIT: usize = 100;
/// The most tasks that the answer to a dry run shows: they fit on a screen.
pub const DRY_RUN_SHOWN: usize = 10;
/// The most ids of one bulk cancel.
pub const MAX_CANCEL_IDS: usize = 20_000;

/// The most shards of an epoch. A request for all of them takes 512 of the 10,000 subrequests of an
/// invocation, and 1,024 if there are two such epochs.
pub const MAX_SHARDS: u32 = 512;
/// The most epochs of a shard map. A lookup that finds nothing asks one shard of each epoch.
pub const MAX_EPOCHS: usize = 8;

/// The longest name of a namespace. It is part of the name of each of its shards, and so of each of
/// its envelopes.
pub const MAX_NAMESPACE_BYTES: usize = 64;
/// The most namespaces besides `default`. With 16 shards each, they make 4,096 shards for the
/// watchdog, which asks up to [`WATCHED_PER_ROUND`] of them in a round.
pub const MAX_NAMESPACES: usize = 256;
/// The most shards that the watchdog asks in one round: as many as 32 requests at a time complete
/// within some seconds.
pub const WATCHED_PER_ROUND: usize = 800;
/// The minutes between two rounds of the watchdog, as the cron trigger in `wrangler.toml` has them.
/// A round is needed only after the platform has lost an alarm.
pub const WATCH_EVERY_MINUTES: i64 = 5;
/// The most API keys. Every instance of the coordinator holds all of them, some 300 bytes each: 1.4
/// MB.
pub const MAX_KEYS: usize = 4_500;
/// The number of keys that are reserved for keys of every namespace (`*`), which only the operator
/// can create. So a tenant cannot use up the last ones.
pub const OPERATOR_KEYS: usize = 200;
/// The most keys that name a namespace. A tenant with a key of the scope `admin` can create this
/// many.
pub const MAX_KEYS_PER_NAMESPACE: usize = 100;
/// The number of keys that any namespace can have, however many the others have.
pub const GUARANTEED_KEYS_PER_NAMESPACE: usize = 8;
/// While there are fewer keys than this, a namespace may have more than the guaranteed ones.
pub const FREE_KEYS: usize = 2_000;

// Beyond FREE_KEYS, each namespace, including `default`, adds no more than its guaranteed keys.
const _: () = assert!(
    FREE_KEYS + (MAX_NAMESPACES + 1) * GUARANTEED_KEYS_PER_NAMESPACE + OPERATOR_KEYS <= MAX_KEYS
);

// A list of all keys fits MAX_LIST_BYTES: each key takes 150 bytes, its name, which escapes may
// double, and the names of its namespaces.
const _: () = assert!(
    MAX_KEYS * (150 + 2 * MAX_KEY_NAME_BYTES)
        + (MAX_NAMESPACES + 1) * MAX_KEYS_PER_NAMESPACE * (MAX_NAMESPACE_BYTES + 3)
        <= MAX_LIST_BYTES
);

/// The longest name of an API key.
pub const MAX_KEY_NAME_BYTES: usize = 128;
/// The most namespaces that a key may name. For more, there is `*`.
pub const MAX_KEY_NAMESPACES: usize = 32;

/// The longest `Idempotency-Key`. Only its hash is stored. The bound is the one that is usual for
/// clients and proxies.
pub const MAX_IDEMPOTENCY_KEY_BYTES: usize = 255;
/// How long a shard remembers an `Idempotency-Key`, milliseconds: a day, which outlasts automatic
/// retries of a request.
pub const REMEMBER_MILLIS: i64 = 86_400_000;
/// The most `Idempotency-Key`s that a shard remembers at a time. A row has some 150 bytes: 75 MB of
/// the 10 GB of storage. It allows 5 new keys per second on each shard, all day. A shard counts many
/// keys by an estimate when it starts, which is up to an eighth too high, so 444,000 always fit.
pub const MAX_REMEMBERED_PER_SHARD: u64 = 500_000;

/// A row of a shard's history takes no more outcomes once its body would exceed this, which is some
/// 600 outcomes. Each report of an envelope rewrites the row, so this bounds the bytes that a
/// report costs, as for an open page. The rows, which are billed, do not depend on it.
pub const HISTORY_ROW_BYTES: usize = 32_768;
/// The most rows of a shard's history: 32 MB, some 600,000 outcomes. On 16 shards, that is half a
/// gigabyte, $0.10 a month. A request for an id that is in none of them reads them in eight rounds.
pub const MAX_HISTORY_ROWS: usize = 1_024;
/// The most runs, and the most attempts in flight, in one explanation. They fit a screen.
pub const MAX_EXPLAINED_RUNS: usize = 5;
/// Upper bound of one shard's explanation, bytes. [`MAX_EXPLAINED_RUNS`] of each kind with the
/// longest errors, fully escaped, take two thirds of it.
pub const MAX_EXPLANATION_BYTES: usize = 65_536;
/// The longest time for which outcomes are kept, in milliseconds: 30 days, which is also the
/// longest time for which a task may be retried.
pub const MAX_HISTORY_AGE_MILLIS: i64 = 30 * 86_400_000;
/// The rows of the history that one request reads before it answers with the runs so far: 4 MB,
/// some ten milliseconds of a shard's time.
pub const MAX_HISTORY_ROWS_SCANNED: usize = 128;
/// The rows of history that each shard examines for one request about all tasks: 1 MB, some 20,000
/// attempts. All shards do so at once, and the answer says up to which time they have looked.
pub const MAX_HISTORY_ROWS_AT_ONCE: usize = 32;

/// The bytes that the loaded shards of an isolate may hold together before they refuse appends: the
/// 128 MB of an isolate, minus 80 MB for large bodies ([`LARGE_BODIES`]), minus 8 MB for the code
/// and for messages. The shards of one namespace may hold four fifths of it, which is 820,000 tasks:
/// see [`crate::access::FairMemory`].
pub const MAX_ISOLATE_BYTES: usize = 40_000_000;
/// The memory for bodies of more than [`MAX_TASK_BODY_BYTES`], as a multiple of that for shards. Each
/// counts [`BODY_COPIES`] times. So there is room for 16 MB of them: one of the largest, and others.
pub const LARGE_BODIES: usize = 2;

/// The most events that a shard keeps in memory for readers: some seconds of a busy shard. A reader
/// that is further behind gets a gap.
pub const MAX_FEED_EVENTS: usize = 8_192;
/// The most bytes of these events. Sixteen shards that share an isolate's 128 MB hold a quarter of
/// it.
pub const MAX_FEED_BYTES: usize = 2_000_000;
/// How long a shard records events after the last request for them, in milliseconds. A disconnected
/// reader can reconnect within this time without a gap.
pub const FEED_LEASE_MILLIS: i64 = 60_000;
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

/// The longest limit key. Each shard with tasks of the key stores it with every firing.
pub const MAX_LIMIT_KEY_BYTES: usize = 128;
/// The most limit keys that have tasks in one shard, and the most limit keys of one request. A page
/// names its key in one byte, in which 0 means tasks without a key.
pub const MAX_LANES: usize = 255;
/// The most limits of one limiter. A namespace has [`crate::protocol::limiter::LIMITERS`] limiters.
/// A list asks all of them, and each limit takes some 100 bytes with its holders.
pub const MAX_LIMITS_PER_LIMITER: usize = 500;
/// The most shards that a limiter names in a list of its limits, some 75 bytes each. With
/// [`MAX_LIMITS_PER_LIMITER`] limits of the longest keys, they fit its eighth of
/// [`MAX_LIST_BYTES`].
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
/// full envelopes ([`MAX_DISPATCH_TASKS`]), so sixteen shards keep 64 consumers busy with batches
/// of ten. If an envelope takes a second from its firing to its report, it allows 4,000 tasks per
/// second and shard.
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
/// number equals that of the missed runs that fire ([`MAX_CATCH_UP_RUNS`]).
pub const MAX_DEFERRED_RUNS: usize = MAX_CATCH_UP_RUNS;
