//! Every limit, with its derivation. Sizes are bytes.

/// Longest task id. Long enough for any path or composite key, short enough that ids stay a small
/// part of a record.
pub const MAX_ID_BYTES: usize = 256;

/// The lowest number that is taken as a time in milliseconds, 1973-03-03. What is lower is seconds
/// (until the year 5138), a date without separators, or zero: none of them is meant as
/// milliseconds.
pub const MIN_TIME_MILLIS: i64 = 100_000_000_000;

/// Longest description.
pub const MAX_DESCRIPTION_BYTES: usize = 1024;

/// Most tags of a task, and the longest of them.
pub const MAX_TAGS: usize = 16;
/// Longest tag.
pub const MAX_TAG_BYTES: usize = 64;
/// Longest list of tags as JSON text: each byte may be an escape of six, and there may be some
/// white space.
pub const MAX_TAGS_TEXT_BYTES: usize = 8_192;
/// Longest retry policy as JSON text: a hundred statuses and six numbers are 1,000 bytes.
pub const MAX_RETRY_TEXT_BYTES: usize = 4_096;
/// Longest misfire policy as JSON text.
pub const MAX_MISFIRE_TEXT_BYTES: usize = 1_024;
/// Longest list of cron expressions as JSON text: [`MAX_CRON_EXPRESSIONS`] of 1,024 bytes with
/// escapes as long again.
pub const MAX_CRON_TEXT_BYTES: usize = 32_768;

/// Largest payload, as JSON text. A queue message holds 128,000 bytes, of which some 100 are
/// metadata; what the other fields of a record can take ([`MAX_CALLBACK_BYTES`], description, tags
/// and id, each doubled at most by JSON escapes in practice) and the envelope around it must fit
/// beside it.
pub const MAX_PAYLOAD_BYTES: usize = 65_536;

/// Most levels of objects and lists within each other, of a payload and of a callback's body.
/// Common readers of JSON stop at 128, and what they read has the record and its envelope around
/// it.
pub const MAX_NESTING: usize = 100;

/// Largest callback, as JSON text: a URL of 2,048 bytes, headers, and a body of its own. What is
/// larger belongs into the payload.
pub const MAX_CALLBACK_BYTES: usize = 8_192;
/// Longest webhook URL: what every server and proxy in practice accepts.
pub const MAX_URL_BYTES: usize = 2_048;
/// Most headers of a webhook.
pub const MAX_HEADERS: usize = 32;
/// Longest name of a function that is called by RPC: far more than anyone types.
pub const MAX_FUNCTION_BYTES: usize = 128;
/// Longest name of a Durable Object that is called. As long as a task id, for it is often the same
/// thing's key; the platform tells an object names of up to 1,024 bytes.
pub const MAX_OBJECT_NAME_BYTES: usize = MAX_ID_BYTES;
/// Longest webhook timeout, seconds. A dispatcher works 15 minutes at most on a batch; this leaves
/// it time for every task of an envelope (see [`MAX_DISPATCH_TASKS`]).
pub const MAX_TIMEOUT_SECONDS: u32 = 60;
/// A webhook's timeout where the task does not say, seconds.
pub const DEFAULT_TIMEOUT_SECONDS: u32 = 30;

/// Largest record (a task as stored and fired). [`MAX_ENVELOPE_BYTES`] less the envelope's own
/// frame, and less the growth of a record over its life (an attempt number, a dead letter's error).
pub const MAX_RECORD_BYTES: usize = 116_000;

/// What an outcome adds to the record of a follow-up (see `engine::follow_up`): an error of 500
/// characters and an excerpt of 256 bytes, each of which may be escaped into six bytes, and some
/// 300 bytes of names and numbers. The record of a task that names follow-ups may be so much
/// smaller than another's, so that these fit a message too.
pub const MAX_OUTCOME_BYTES: usize = 5_000;

/// What `createdAt`, `updatedAt` and `createdBy` add to a record: three names, two numbers of up to
/// 15 digits, and the name of a key, each byte of which may be an escape of two. Each record may be
/// so much smaller, so that it fits whichever key created it.
pub const MAX_ORIGIN_BYTES: usize = 100 + 2 * MAX_KEY_NAME_BYTES;

/// Largest envelope. A queue message is at most 128,000 bytes including about 100 of metadata; the
/// rest is margin.
pub const MAX_ENVELOPE_BYTES: usize = 120_000;
/// An envelope is closed before it would grow past this. Queues bill per 64 KB of message, so just
/// under 64,000 bytes is the cheapest size per task.
pub const ENVELOPE_TARGET_BYTES: usize = 63_000;
/// Most tasks of one envelope for the dispatchers. A dispatcher may run 15 minutes and has 6
/// webhooks in flight: 100 tasks that all take the longest timeout are 100 / 6 x 60 s = 17 minutes;
/// those it did not start by its deadline it hands back, so this bounds the time between two
/// reports rather than correctness.
pub const MAX_DISPATCH_TASKS: usize = 100;

/// Most tasks in one envelope for a consumer or in one page: the index of a record in its page has
/// 11 bits.
pub const MAX_PAGE_TASKS: usize = 2_048;
/// A page is closed before its body would grow past this. 64 KB: half of it is read when one record
/// of it fires, on average, and a page of 200-500 tasks already costs 2 rows in its whole life.
pub const PAGE_TARGET_BYTES: usize = 65_536;
/// Largest page body: one record may pass the target alone, and the format's offsets have 20 bits.
pub const MAX_PAGE_BODY_BYTES: usize = PAGE_TARGET_BYTES + MAX_RECORD_BYTES;
/// Appends with a body up to this extend the shard's open page; larger ones get a page of their
/// own. Some 16 tasks: each is put in its place among those of the open page, which costs as many
/// steps as there are behind it.
pub const OPEN_PAGE_APPEND_BYTES: usize = 2_048;
/// The open page is closed when its body reaches this. Each append rewrites the row, so this bounds
/// the bytes that a single add costs; rows, which are billed, do not depend on it.
pub const OPEN_PAGE_BYTES: usize = 32_768;

/// Largest row, string or blob that the platform's SQL stores. The local runtime stores larger
/// ones, so the engine's tests check this.
pub const MAX_ROW_BYTES: usize = 2_000_000;
/// Largest row of a shard's pages: body and directory. A record that grew past [`MAX_RECORD_BYTES`]
/// has a page of its own, and still fits an envelope.
pub const MAX_PAGE_ROW_BYTES: usize = MAX_PAGE_BODY_BYTES + 64 + MAX_PAGE_TASKS * 20;
/// Largest bits of the cancelled entries of a page.
pub const MAX_DEAD_ROW_BYTES: usize = MAX_PAGE_TASKS / 8;
/// Largest row of a recurring task: its record, with the first and the last run that the shard
/// counts.
pub const MAX_SCHEDULE_ROW_BYTES: usize = MAX_RECORD_BYTES + 100;
/// Largest state of a shard: counters and a histogram of 496 numbers of up to 20 digits, some
/// 15,000 bytes, and [`MAX_LANES`] keys, each byte of which JSON may write as six, with some 250
/// bytes of numbers beside each.
pub const MAX_STATE_BYTES: usize = 15_000 + MAX_LANES * (6 * MAX_LIMIT_KEY_BYTES + 250);
/// Largest row of the outbox: an envelope, 8 bytes for each of its tasks, the name of its queue,
/// and the state.
pub const MAX_OUTBOX_ROW_BYTES: usize =
    MAX_ENVELOPE_BYTES + MAX_PAGE_TASKS * 8 + 256 + MAX_STATE_BYTES;
/// Largest row of what was decided about the tasks of an envelope in flight: 3 bytes for each; and
/// of the record of a further attempt, which must fit an envelope.
pub const MAX_DECISIONS_ROW_BYTES: usize = 1 + MAX_PAGE_TASKS * 3;
/// See [`MAX_DECISIONS_ROW_BYTES`].
pub const MAX_PATCH_ROW_BYTES: usize = MAX_ENVELOPE_BYTES;
/// Most bytes of all patched records of one envelope in flight: 34 of the largest. An envelope for
/// a user's queue may hold [`MAX_PAGE_TASKS`] small tasks, each of which may be patched to the
/// largest; what it ends with is read in one step, and written up to three times.
pub const MAX_PATCHED_BYTES: usize = 4_000_000;
/// Largest row of the remembered keys.
pub const MAX_REMEMBERED_ROW_BYTES: usize = 512;

/// Most bytes that one wake-up of a shard reads, and most that it writes. It sends up to 64
/// envelopes again (7.7 MB), ends others of which every run was stopped (2 MB and one with
/// [`MAX_PATCHED_BYTES`]), reads 4 MB and the end of a page for what is due, and lets go 4 MB of
/// held runs. It writes what is due up to three times (a dead letter, a follow-up and an outcome,
/// 13 MB), the held runs, what was stopped, and a few states. What it holds is of the same order,
/// so that the other half of an isolate's 128 MB is left to the shard's tasks. What does not fit is
/// done at the next wake-up, which follows at once.
pub const MAX_WAKE_BYTES: usize = 24_000_000;
/// Most bytes that one request to a shard reads, and most that it writes. A create writes
/// [`MAX_REQUEST_BYTES`] and what it changes beside its own tasks: 4 MB of attempts and of runs
/// that a pause has held up, each of which may be kept as a dead letter and followed up (13 MB). It
/// reads what it changes, and 512 bytes of each of 20,000 tasks that it replaces. A change looks at
/// 16 MB and writes as much as a create changes. A report is of an envelope and of
/// [`MAX_PATCHED_BYTES`]. A request for more does a part and says so; its sender repeats it.
pub const MAX_SHARD_REQUEST_BYTES: usize = 48_000_000;

const _: () = assert!(
    MAX_PAGE_ROW_BYTES < MAX_ROW_BYTES
        && MAX_SCHEDULE_ROW_BYTES < MAX_ROW_BYTES
        && MAX_OUTBOX_ROW_BYTES < MAX_ROW_BYTES
        && HISTORY_ROW_BYTES < MAX_ROW_BYTES
);

/// The furthest ahead that a shard sets its alarm, milliseconds: 30 days. The platform counts
/// nanoseconds in 64 bits and refuses a time after 2262 (its message says 2189), but tasks may be
/// due until 9999. A shard whose next task is later wakes once in 30 days for nothing, which is a
/// row and a request.
pub const MAX_ALARM_AHEAD_MILLIS: i64 = 30 * 86_400_000;

/// Most pending tasks, further attempts and dead letters of one shard. At 64 bytes each in memory
/// (see `engine::memory`) this is 64 MB, half of an isolate's 128 MB. What remains of runs of
/// one-shot tasks that were in flight may pass it, by as many as may be in flight.
pub const MAX_PENDING_PER_SHARD: usize = 1_000_000;
/// Most dead letters that are kept of one id: a further one takes the place of the oldest. A
/// one-shot task has one or two, and of a recurring one that has failed for good a hundred times
/// the history tells the rest: as many as are made up for after an outage ([`MAX_CATCH_UP_RUNS`]).
/// All that is of one id is looked through when a task of it is created, changed or fired. Dead
/// letters of one id are 12 MB at most, so a request reads all of them.
pub const MAX_DEAD_LETTERS_OF_A_TASK: usize = 100;
/// Most runs of one id that wait for a further attempt, as follow-ups or otherwise, after which one
/// more is no longer tried again but kept as a dead letter: a task that fires every second and
/// fails is tried again for a quarter of an hour. They are looked through as dead letters are, some
/// 50 nanoseconds each.
pub const MAX_RUNS_OF_A_TASK: usize = 1_000;
/// Most recurring tasks of one shard. Each is a row of its own and is evaluated at start-up (some
/// microseconds each).
pub const MAX_SCHEDULES_PER_SHARD: usize = 20_000;

/// Most cron expressions of one schedule. Each is 56 bytes and is evaluated for every run.
pub const MAX_CRON_EXPRESSIONS: usize = 16;
/// Shortest interval of a schedule, seconds: that of cron.
pub const MIN_INTERVAL_SECONDS: f64 = 1.0;
/// Longest interval of a schedule, seconds: a hundred years of 365.25 days.
pub const MAX_INTERVAL_SECONDS: f64 = 3_155_760_000.0;
/// Longest jitter and window, seconds: a day. It bounds how far a start-up looks back for an
/// occurrence that was put off.
pub const MAX_DELAY_SECONDS: f64 = 86_400.0;
/// Steps (months, days, places in time and tables of time zones that are looked at) that the
/// schedules of one request take together, up to 40 nanoseconds each: half a second of the 30 that
/// an invocation has. One schedule may go beyond it, by what bounds a single search or count
/// (`MAX_STEPS` and `MAX_COUNTING_STEPS` of `rrule`). The shards take as many again when the tasks
/// come in.
pub const MAX_SCHEDULE_STEPS: u64 = 12_500_000;
/// A run may be late by so much and was not missed, where the task does not say, seconds: more than
/// a failover takes, or a deployment.
pub const DEFAULT_GRACE_SECONDS: f64 = 60.0;
/// Longest grace and expiry, seconds: a year. What is later than that was not worth a limit.
pub const MAX_LATENESS_SECONDS: f64 = 31_536_000.0;
/// Of the runs of one recurring task that were missed, so many are made up for, the last ones. With
/// as many recurring tasks as a shard may hold ([`MAX_SCHEDULES_PER_SHARD`]) that is two million
/// runs, and a second to find which they are.
pub const MAX_CATCH_UP_RUNS: usize = 100;
/// Most runs of one preview.
pub const MAX_PREVIEW_RUNS: usize = 100;
/// Runs of a preview where the request does not say.
pub const DEFAULT_PREVIEW_RUNS: usize = 10;

/// Most items of one batch request.
pub const MAX_BATCH_ITEMS: usize = 20_000;
/// Largest request body, of a batch: 20,000 items of 800 bytes. The platform takes 100 MB, but an
/// isolate has 128 MB for all requests and for several shards. A batch is held up to five times at
/// once: as the platform's buffer, as text, as pages, as the messages to the shards, and as their
/// copies in a shard of the same isolate. Five times 16 MB leave a third of the isolate to the
/// others.
pub const MAX_REQUEST_BYTES: usize = 16 * 1024 * 1024;
/// Largest body of a request about one task, and largest item of a batch, as JSON text: twice
/// [`MAX_RECORD_BYTES`], for white space and escapes that its record does not have.
pub const MAX_TASK_BODY_BYTES: usize = 256 * 1024;
/// Most bytes of bodies of up to [`MAX_TASK_BODY_BYTES`] that all requests of an instance hold at a
/// time: 64 of the largest, 16,000 of a KB. With the larger ones and the shards
/// ([`MAX_ISOLATE_BYTES`] each) they leave a fifth of an isolate.
pub const MAX_SMALL_BODIES_BYTES: usize = 16 * 1024 * 1024;
/// Largest batch that is read in one pass: 20,000 items of 200 bytes. A longer one is cut into
/// items first, since one item could be all of it, and its error would repeat it.
pub const MAX_BATCH_AT_ONCE_BYTES: usize = 4 * 1024 * 1024;
/// Largest body of a bulk change or cancel: [`MAX_CANCEL_IDS`] ids of [`MAX_ID_BYTES`] are 5.2 MB.
pub const MAX_BULK_BODY_BYTES: usize = 8 * 1024 * 1024;
/// Largest body of a change of one task, a key, a namespace or a limit: a key with 32 namespaces
/// has 3 KB.
pub const MAX_SMALL_BODY_BYTES: usize = 16 * 1024;
/// Most members of a merge patch, of which a task has some thirty.
pub const MAX_PATCH_MEMBERS: usize = 64;
/// Most scopes that a request lists for a key: each twice.
pub const MAX_KEY_SCOPES: usize = 6;

/// Most bytes of a field's name in an error, and of its problem, as JSON writes them: the rest is
/// cut out (see [`crate::input::cut`]). A batch has at most [`MAX_BATCH_ITEMS`] of each at once, 17
/// MB.
pub const MAX_ERROR_FIELD_BYTES: usize = 128;
/// See [`MAX_ERROR_FIELD_BYTES`].
pub const MAX_ERROR_DETAIL_BYTES: usize = 720;
/// Most bytes of a problem's text, as JSON writes it: a few sentences with an id, each byte of
/// which may be an escape of three.
pub const MAX_PROBLEM_BYTES: usize = 1_536;
/// Most bytes of errors in the answer to a batch. Each refused item says at least that it is
/// refused, 1.8 MB of [`MAX_BATCH_ITEMS`]; the rest explains the first ones: 2,000 of the longest
/// in a batch of as many.
pub const MAX_ERRORS_BYTES: usize = 2_000_000;
/// Most tasks of one page of a list.
pub const MAX_LIST_LIMIT: usize = 1_000;
/// Most bytes of records, or runs, in one page of a list, unless its first task alone is larger.
/// The shards divide them ([`crate::listing::share_of_page`]), and each may pass its share by one
/// record. The coordinator asks 32 shards at once, and never holds more than a page and their
/// answers ([`crate::listing::Page`]): 12 MB at most, whatever the number of shards, and 8 MB of up
/// to 32. A page of few large tasks is held up to six times at once: in a shard as records and as
/// its answer, in the coordinator as that answer, as text, as items and as the page. Four pages at
/// once then take 96 MB of an isolate's 128. A page of larger tasks has fewer of them.
pub const MAX_LIST_BYTES: usize = 4_000_000;
/// More bytes than a run has that the API shows: an error of 500 characters and an excerpt of 256
/// bytes, each of which may be an escape.
pub const MAX_RUN_BYTES: usize = 5_000;
/// Tasks of one page of a list where the request does not say.
pub const DEFAULT_LIST_LIMIT: usize = 100;
/// Most ids of one bulk cancel.
pub const MAX_CANCEL_IDS: usize = 20_000;

/// Most shards of an epoch. Each request may touch every shard, and an invocation may make 1,000
/// subrequests.
pub const MAX_SHARDS: u32 = 512;
/// Most epochs of a shard map: a lookup that finds nothing asks one shard of each.
pub const MAX_EPOCHS: usize = 8;

/// Longest name of a namespace. It stands in the name of each of its shards and so in each of its
/// envelopes.
pub const MAX_NAMESPACE_BYTES: usize = 64;
/// Most namespaces beside `default`. With 16 shards each that makes 4,096 shards for the watchdog,
/// which asks [`WATCHED_PER_MINUTE`] of them a minute.
pub const MAX_NAMESPACES: usize = 256;
/// Shards that the watchdog asks in one minute: an invocation may make 1,000 subrequests, and the
/// rest of the minute's work and repeated requests need some.
pub const WATCHED_PER_MINUTE: usize = 800;
/// Most API keys. Every instance of the coordinator holds all of them, some 300 bytes each: 1.4 MB.
pub const MAX_KEYS: usize = 4_500;
/// Of these, so many are left to keys for every namespace (`*`), which only the operator can make:
/// no tenant uses up the last ones.
pub const OPERATOR_KEYS: usize = 200;
/// Most keys that name a namespace. A tenant with a key of the scope `admin` can make as many.
pub const MAX_KEYS_PER_NAMESPACE: usize = 100;
/// Keys that any namespace can have, however many the others have.
pub const GUARANTEED_KEYS_PER_NAMESPACE: usize = 8;
/// While there are fewer keys than this, a namespace may have more than those guaranteed.
pub const FREE_KEYS: usize = 2_000;

// Past FREE_KEYS each namespace, `default` among them, adds no more than its guaranteed ones.
const _: () = assert!(
    FREE_KEYS + (MAX_NAMESPACES + 1) * GUARANTEED_KEYS_PER_NAMESPACE + OPERATOR_KEYS <= MAX_KEYS
);

// A list of all keys fits MAX_LIST_BYTES: 150 bytes of each, its name, each byte of which may be an
// escape, and the namespaces that it names.
const _: () = assert!(
    MAX_KEYS * (150 + 2 * MAX_KEY_NAME_BYTES)
        + (MAX_NAMESPACES + 1) * MAX_KEYS_PER_NAMESPACE * (MAX_NAMESPACE_BYTES + 3)
        <= MAX_LIST_BYTES
);

/// Longest name of an API key.
pub const MAX_KEY_NAME_BYTES: usize = 128;
/// Most namespaces that a key may name; more is what `*` is for.
pub const MAX_KEY_NAMESPACES: usize = 32;

/// Longest `Idempotency-Key`. Only its hash is stored; the bound is what clients and proxies agree
/// on.
pub const MAX_IDEMPOTENCY_KEY_BYTES: usize = 255;
/// How long a shard remembers an `Idempotency-Key`, milliseconds: a day, which outlasts what
/// retries a request by itself.
pub const REMEMBER_MILLIS: i64 = 86_400_000;
/// Most `Idempotency-Key`s that a shard remembers at a time. A row is some 150 bytes, and start-up
/// counts them: 75 MB of the 10 GB of storage, and some tens of milliseconds. It allows 5 new keys
/// a second on each shard, all day.
pub const MAX_REMEMBERED_PER_SHARD: u64 = 500_000;

/// A row of a shard's history takes no more outcomes when its body would grow past this: some 600
/// of them. Each report of an envelope rewrites the row, which bounds the bytes that it costs, as
/// of an open page; rows, which are billed, do not depend on it.
pub const HISTORY_ROW_BYTES: usize = 32_768;
/// Most rows of a shard's history: 32 MB, some 600,000 outcomes. On 16 shards that is half a
/// gigabyte, 0.10 a month; and a request for what stands in none of them reads it in eight rounds.
pub const MAX_HISTORY_ROWS: usize = 1_024;
/// Runs, and attempts on their way, of one explanation: what fits a screen.
pub const MAX_EXPLAINED_RUNS: usize = 5;
/// What an explanation of one shard stays below, bytes: [`MAX_EXPLAINED_RUNS`] of each kind with
/// the longest errors, all of which are escaped, are two thirds of it.
pub const MAX_EXPLANATION_BYTES: usize = 65_536;
/// How long outcomes are kept at most, milliseconds: 30 days, the longest that a task may be tried
/// again for.
pub const MAX_HISTORY_AGE_MILLIS: i64 = 30 * 86_400_000;
/// Rows of history that one request looks into, before it answers with what it has: 4 MB, some ten
/// milliseconds of a shard's time.
pub const MAX_HISTORY_ROWS_SCANNED: usize = 128;

/// Bytes that the loaded shards of an isolate may hold together before they refuse appends: the 128
/// MB of an isolate, less the largest body five times ([`MAX_REQUEST_BYTES`]), less 8 MB for the
/// code and what is on its way. Those of one namespace may hold four fifths of it, which is 820,000
/// tasks: see [`crate::access::FairMemory`].
pub const MAX_ISOLATE_BYTES: usize = 40_000_000;

/// Most events that a shard keeps in memory for those who watch, and most bytes of them: some
/// seconds of a busy shard. A reader that is further behind is told of the gap.
pub const MAX_FEED_EVENTS: usize = 8_192;
/// See [`MAX_FEED_EVENTS`]. Of an isolate's 128 MB, should sixteen shards share it.
pub const MAX_FEED_BYTES: usize = 2_000_000;
/// A shard notes events for so long after it was last asked for any, milliseconds: a reader that
/// was cut off has this long to come back without a gap.
pub const FEED_LEASE_MILLIS: i64 = 60_000;
/// Most events of one answer of a shard.
pub const MAX_EVENTS_AT_ONCE: usize = 1_000;
/// Most bytes of the texts of events that a reader is told at once. The shards divide them, and
/// each may pass its share by one event. A reader that does not read has these waiting, and they
/// count as long as it is connected: the memory for large bodies has room for 312 readers.
pub const MAX_EVENTS_BYTES: usize = 128_000;
/// The least of a shard's share of [`MAX_EVENTS_BYTES`], bytes: some ten events.
pub const LEAST_EVENTS_BYTES: usize = 2_000;
/// A shard that has no news lets the asking one wait for so long at most, milliseconds. One whose
/// reader has gone keeps its place until then.
pub const MAX_EVENTS_WAIT_MILLIS: u32 = 10_000;
/// Most requests that wait for the events of a shard. Each looks at what is new five times a second
/// at most.
pub const MAX_READERS: usize = 128;
/// Most of them with one API key, so that one holder of a key leaves places to others.
pub const MAX_READERS_OF_A_KEY: usize = 64;
/// A reader that was refused is told to come back after so many seconds: by then, the places of
/// those that have gone are free.
pub const READERS_RETRY_SECONDS: u32 = 10;

/// Longest key of a limit. Each shard that has tasks of it stores it with every firing.
pub const MAX_LIMIT_KEY_BYTES: usize = 128;
/// Most keys of one shard that have tasks in it, and most of one request: a page says in a byte
/// which of them it belongs to, and 0 stands for tasks without a key.
pub const MAX_LANES: usize = 255;
/// Most limits of one limiter, of which a namespace has [`crate::protocol::limiter::LIMITERS`]. A
/// list asks all of them, and each is some 100 bytes with those who hold something of it.
pub const MAX_LIMITS_PER_LIMITER: usize = 500;
/// Most shards that a limiter names in a list of its limits, some 75 bytes each: with
/// [`MAX_LIMITS_PER_LIMITER`] limits of the longest keys its eighth of [`MAX_LIST_BYTES`].
pub const MAX_LISTED_HOLDERS: usize = 3_000;
/// Most runs in flight of one key: what 50 shards have handed on at most.
pub const MAX_CONCURRENCY: u32 = 100_000;
/// Highest rate of a key, runs a second: what a queue takes, in envelopes of a hundred, divided by
/// five.
pub const MAX_PER_SECOND: f64 = 100_000.0;
/// Lowest rate of a key: a run in a thousand seconds.
pub const MIN_PER_SECOND: f64 = 0.001;

/// Most tasks that a shard has handed to the dispatchers and not had reported, unless the variable
/// `MAX_DISPATCHED_TASKS` says otherwise. All namespaces share the dispatchers' queue, so a task
/// waits there behind at most so many of each shard of each other namespace. Forty full envelopes
/// ([`MAX_DISPATCH_TASKS`]), so that sixteen shards keep 64 consumers busy with batches of ten; and
/// with the second that an envelope may take from its firing to its report, 4,000 tasks a second
/// and shard.
pub const MAX_DISPATCHED_TASKS: usize = 4_000;

/// A shard sends an envelope again if no dispatcher has reported it after this time, milliseconds,
/// unless the variable `VISIBILITY_TIMEOUT_SECONDS` says otherwise: a dispatcher has finished a
/// batch by then, or is gone.
pub const DEFAULT_VISIBILITY_MILLIS: i64 = 300_000;

/// Longest name of a destination (see [`crate::task::Callback::destination`]): a scheme, a host
/// name of 253 characters and a port.
pub const MAX_DESTINATION_BYTES: usize = 270;
/// Most circuits of one shard (see `engine::circuit`). Those that are open are stored with every
/// firing, some 400 bytes each; a destination beyond them has none, and holds two places of an
/// invocation of the dispatchers at most.
pub const MAX_CIRCUITS: usize = 32;
/// Most runs of one recurring task that wait for its destination; further ones are skipped. As many
/// as are made up for after an outage ([`MAX_CATCH_UP_RUNS`]).
pub const MAX_DEFERRED_RUNS: usize = MAX_CATCH_UP_RUNS;
