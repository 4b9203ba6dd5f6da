//! The bounds of requests and answers: bodies, lists, errors, and the work that one request may
//! cause.

/// The most schedules in words of one request. Each takes some 50 microseconds in the wasm, and up
/// to a millisecond if it is long: a second of the 30 seconds of an invocation.
pub const MAX_SENTENCES: usize = 1_000;

/// The longest host of a filter: a name of the DNS has 253 bytes.
pub const MAX_HOST_BYTES: usize = 256;
/// The longest text of a filter that is compared with the error of an attempt.
pub const MAX_FILTERED_ERROR_BYTES: usize = 1_024;
/// The steps (months, days, places in time, tables of time zones) that the schedules of one request
/// may take together. A step takes up to 40 nanoseconds, so this is half a second of the 30 seconds
/// of an invocation. If the work takes more, it ends, and the request is refused. Only a single
/// search of a rule (`MAX_STEPS` of `rrule`) runs to its end. The shards take as many steps again
/// when the tasks arrive.
pub const MAX_SCHEDULE_STEPS: u64 = 12_500_000;
/// The most runs of one preview.
pub const MAX_PREVIEW_RUNS: usize = 100;
/// The runs of a preview if the request sets no number.
pub const DEFAULT_PREVIEW_RUNS: usize = 10;

/// The most buckets of a forecast: one for each pixel of a chart.
pub const MAX_FORECAST_BUCKETS: usize = 1_000;
/// The buckets of a forecast if the request does not say: the hours of a day.
pub const DEFAULT_FORECAST_BUCKETS: usize = 24;
/// The longest forecast, milliseconds: a leap year. A longer one shows no season that this does
/// not.
pub const MAX_FORECAST_MILLIS: i64 = 366 * 86_400_000;
/// The length of a forecast if the request does not say, milliseconds: a day.
pub const DEFAULT_FORECAST_MILLIS: i64 = 86_400_000;
/// The steps that a shard takes at most to count the runs of recurring tasks for one forecast, up
/// to 40 nanoseconds each: 40 milliseconds of its time. A run that is counted for itself takes
/// [`FORECAST_RUN_STEPS`] and those of its search. One-shot tasks take no steps: their number is
/// bounded ([`super::MAX_PENDING_PER_SHARD`]), and each takes a look at its entry at most.
pub const MAX_FORECAST_STEPS: u64 = 1_000_000;
/// The steps of [`MAX_FORECAST_STEPS`] that a run takes besides its search.
pub const FORECAST_RUN_STEPS: u64 = 4;

/// The most items of one batch request.
pub const MAX_BATCH_ITEMS: usize = 20_000;
/// The largest request body, which is that of a batch, unless the variable `MAX_BODY_MIB` sets
/// another one: 20,000 items of 400 bytes. The platform accepts 100 MB, but an isolate has 128 MB
/// for all requests and for several shards, and holds a batch up to [`BODY_COPIES`] times: 42 MB, a
/// third of the isolate.
pub const DEFAULT_REQUEST_BYTES: usize = 8 * 1024 * 1024;
/// The largest body that `MAX_BODY_MIB` can set. It takes two thirds of an isolate, so the shards
/// must be elsewhere or small.
pub const MAX_REQUEST_BYTES: usize = 16 * 1024 * 1024;
/// How many times an isolate holds a large body at once: as text, as pages, as the messages to the
/// shards, as their copies in a shard of the same isolate, and as what that shard stores.
pub const BODY_COPIES: usize = 5;
/// The largest body of a request about one task, and largest item of a batch, as JSON text: twice
/// [`super::MAX_RECORD_BYTES`], for white space and escapes that the record does not have.
pub const MAX_TASK_BODY_BYTES: usize = 256 * 1024;
/// The most bytes of bodies of up to [`MAX_TASK_BODY_BYTES`] that all requests of an instance hold
/// at a time: 64 of the largest, or 16,000 of 1 KB. They are usually small and short-lived, so they
/// are in addition to the memory of the larger ones.
pub const MAX_SMALL_BODIES_BYTES: usize = 16 * 1024 * 1024;
/// The largest batch that is parsed in one pass: 20,000 items of 200 bytes. A larger one is cut
/// into items first, because a single item could be the whole batch, and its error would repeat it.
pub const MAX_BATCH_AT_ONCE_BYTES: usize = 4 * 1024 * 1024;
/// The largest body of a bulk change or cancel, or of a request about many dead letters:
/// [`MAX_CANCEL_IDS`] ids of [`super::MAX_ID_BYTES`] are 5.2 MB.
pub const MAX_BULK_BODY_BYTES: usize = 8 * 1024 * 1024;
/// The largest body of a change of one task, a key, a namespace or a limit. A key with 32
/// namespaces has 3 KB.
pub const MAX_SMALL_BODY_BYTES: usize = 16 * 1024;
/// The most members of a merge patch. A task has some thirty.
pub const MAX_PATCH_MEMBERS: usize = 64;

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
/// the filter needs records. The shards divide them ([`crate::listing::share_of_search`]). It is a
/// thousand pages of their logs, about 200,000 tasks. Fetching and searching a page of 64 KB takes
/// a shard a tenth of a millisecond, so this takes 0.1 s if all shards share a thread, and less if
/// each has its own.
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

/// The longest `Idempotency-Key`. Only its hash is stored. The bound is the one that is usual for
/// clients and proxies.
pub const MAX_IDEMPOTENCY_KEY_BYTES: usize = 255;
/// The most runs, and the most attempts in flight, in one explanation. They fit a screen.
pub const MAX_EXPLAINED_RUNS: usize = 5;
/// Upper bound of one shard's explanation, bytes. [`MAX_EXPLAINED_RUNS`] of each kind with the
/// longest errors, fully escaped, take two thirds of it.
pub const MAX_EXPLANATION_BYTES: usize = 65_536;
/// The rows of the history that one request reads before it answers with the runs so far: 4 MB,
/// some ten milliseconds of a shard's time.
pub const MAX_HISTORY_ROWS_SCANNED: usize = 128;
/// The rows of history that each shard examines for one request about all tasks: 1 MB, some 20,000
/// attempts. All shards do so at once, and the answer says up to which time they have looked.
pub const MAX_HISTORY_ROWS_AT_ONCE: usize = 32;
