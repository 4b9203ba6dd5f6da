//! The bounds of one input: how much the engine reads, writes and changes before it answers, so
//! that other requests get their turn.
//!
//! Each part of the work counts what it does against its bound. What does not fit is done by the
//! next wake-up or the next request.

/// Most tasks of one firing. One commit and some 60 messages take some tens of milliseconds; then
/// the shard accepts other requests.
pub(super) const MAX_FIRING_TASKS: usize = 20_000;
/// Most bytes that a firing reads for its tasks, which also bounds what it writes and holds: see
/// [`MAX_WAKE_BYTES`](scheduler_model::bounds::MAX_WAKE_BYTES).
pub(super) const MAX_FIRING_BYTES: usize = 4_000_000;

/// Bytes of [`MAX_FIRING_BYTES`] that a run costs in addition to its record if a policy may stop
/// it. Then it is written as an outcome, as a dead letter and as a follow-up, each of which may add
/// some 300 bytes to the record.
pub(super) const CONDITIONAL_BYTES: usize = 500;

/// Bytes of [`MAX_FIRING_BYTES`] that an occurrence of a recurring task costs at least, because the
/// search for the next one takes time.
pub(super) const OCCURRENCE_BYTES: usize = 1_000;

/// Bytes by which the record of an occurrence is longer than that of its task: the time.
pub(super) const TIME_BYTES: usize = 24;

/// Bytes of [`MAX_FIRING_BYTES`] that it costs to find which runs of a recurring task are skipped.
/// Each search may take milliseconds, so a firing makes some hundred of them.
pub(super) const LEFT_OUT_BYTES: usize = 20_000;

/// Most tasks in flight, after which a shard fires no more until some are reported: the dispatchers
/// are behind, and each task in flight takes memory. A queue accepts as many in 16 seconds at most.
pub(super) const MAX_IN_FLIGHT_TASKS: usize = 250_000;

/// Most bytes of records that one request examines. Many of them may need no change.
pub(super) const MAX_LOOKED_AT_BYTES: usize = 4 * MAX_FIRING_BYTES;

/// Most records that one list request examines. Then it answers with what it has found and with a
/// cursor. That takes a shard some 10 to 50 milliseconds.
pub(super) const MAX_SCANNED: usize = 20_000;
/// Most records that one request examines that counts what another one would change: it keeps none
/// of them. In memory, that takes a shard some 10 milliseconds.
pub(super) const MAX_COUNTED: usize = 100_000;
/// Most bytes of records that one list request finds, and most bytes of messages of attempts in
/// flight that it examines.
pub(super) const MAX_SCANNED_BYTES: usize = 4_000_000;
/// Most bytes of pages and of recurring tasks that one request by filter reads to find tasks, unless
/// the request allows less: some 250 pages, 30 to 100 milliseconds.
pub(super) const MAX_READ_BYTES: usize = 16_000_000;
/// Bytes of [`MAX_READ_BYTES`] that a record costs in addition if a page is looked through and
/// the whole record has to be read, because that takes time.
pub(super) const READ_RECORD_BYTES: usize = 1_000;
/// A search looks through whole pages once it has read this many records one by one that do not
/// match.
pub(super) const MISSES_BEFORE_PAGES: usize = 16;
/// Bytes of [`MAX_SCANNED_BYTES`] that a task costs if its record is not read.
pub(super) const LOOK_BYTES: usize = 200;

/// Most bytes of held runs that one event releases. An envelope may end with 2,048 small runs,
/// after each of which a large one waits.
pub(super) const MAX_RELEASED_BYTES: usize = 4_000_000;

/// Most envelopes that one wake-up sends again.
pub(super) const MAX_RESENDS: usize = 64;
/// A wake-up ends no further stopped envelope once those that it ends have this many bytes, patched
/// records included.
pub(super) const MAX_ENDED_BYTES: usize = 2_000_000;

/// Bytes of pages that one wake-up reads to find lapsed tasks, and that it writes as their
/// outcomes: sixteen pages, some milliseconds.
pub(super) const MAX_LAPSE_BYTES: usize = 1_000_000;
/// Runnable tasks of a lane after which one search for lapsed tasks ends: more than a wake-up
/// dispatches of a lane.
pub(super) const ENOUGH_TASKS: usize = 1_000;

/// Most records of lanes that one wake-up reads for their destinations: some milliseconds.
pub(super) const MAX_LOOKS: usize = 2_000;
/// Most bytes of these records.
pub(super) const MAX_LOOK_BYTES: usize = 1_000_000;

/// Bytes of pages that one wake-up reads and writes to plan tasks by another law, but for the last
/// page: some sixty pages. Nothing fires in such a wake-up.
pub(super) const MAX_REPLANNED_BYTES: usize = 4_000_000;

/// Most recurring tasks without a further run that one wake-up removes.
pub(super) const MAX_REMOVED: usize = 1_000;

/// Most dead letters that one commit removes in addition to those that new ones replace: earlier
/// versions kept any number of one id.
pub(super) const MAX_SURPLUS: usize = 1_000;

/// Most rows of the history that one commit drops, so that a shard that was idle for a month does
/// not drop all of them at once.
pub(super) const MAX_DROPPED_AT_ONCE: usize = 64;

/// Keys that one commit of a purge forgets: enough to purge a full shard in some rounds, few enough
/// that none of them takes a second.
pub(super) const PURGED_KEYS: u64 = 20_000;

/// Keys of a past day that the shard forgets for each key that it remembers. More go than come, so
/// none accumulate, and it needs no timer.
pub(super) const FORGOTTEN_WITH_EACH_KEY: u64 = 4;

/// Bytes of ids that one request writes into the history for the tasks that it cancels: 20,000 ids
/// of 50 bytes. A request for longer ids is carried out in parts.
pub(super) const MAX_CANCELLED_BYTES: usize = 1_000_000;
