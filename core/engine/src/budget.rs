//! The bounds of one input: how much the engine reads, writes and changes before it replies. So
//! other requests get their turn.
//!
//! Each part of the work counts against its bound. The next wake-up or the next request does the
//! rest.

/// The most tasks of one firing. One commit and about 60 messages take some tens of milliseconds.
/// After that, the shard accepts other requests.
pub(super) const MAX_FIRING_TASKS: usize = 20_000;
/// The most bytes that a firing reads for its tasks. This also bounds what it writes and holds: see
/// [`MAX_WAKE_BYTES`](scheduler_model::bounds::MAX_WAKE_BYTES).
pub(super) const MAX_FIRING_BYTES: usize = 4_000_000;

/// Bytes of [`MAX_FIRING_BYTES`] that a run costs in addition to its record if a policy may stop
/// it. Such a run is written as an outcome, as a dead letter and as a follow-up, each of which may
/// add about 300 bytes to the record.
pub(super) const CONDITIONAL_BYTES: usize = 500;

/// The least bytes of [`MAX_FIRING_BYTES`] that an occurrence of a recurring task costs, because
/// the search for the next occurrence takes time.
pub(super) const OCCURRENCE_BYTES: usize = 1_000;

/// Bytes by which the record of an occurrence is longer than that of its task, because it contains
/// the time.
pub(super) const TIME_BYTES: usize = 24;

/// Bytes of [`MAX_FIRING_BYTES`] that it costs to find which runs of a recurring task are skipped.
/// Each search may take milliseconds, so a firing makes a few hundred of them.
pub(super) const SKIP_SEARCH_BYTES: usize = 20_000;

/// The most tasks in flight. At this bound, a shard fires no more until some are reported: the
/// dispatchers are behind, and each task in flight takes memory. A queue accepts as many in 16
/// seconds at most.
pub(super) const MAX_IN_FLIGHT_TASKS: usize = 250_000;

/// The most bytes of records that one request examines. Many of these records may need no change.
pub(super) const MAX_LOOKED_AT_BYTES: usize = 4 * MAX_FIRING_BYTES;

/// The most records that one list request examines. Then it replies with what it has found and with
/// a cursor. That takes a shard 10 to 50 milliseconds.
pub(super) const MAX_SCANNED: usize = 20_000;
/// The most records that one step of a dry run examines. It keeps none of them. In memory, that takes a shard
/// about 10 milliseconds.
pub(super) const MAX_COUNTED: usize = 100_000;
/// The most bytes of records that one list request finds, and the most bytes of messages of
/// attempts in flight that it examines.
pub(super) const MAX_SCANNED_BYTES: usize = 4_000_000;
/// The most bytes of pages and recurring tasks that one request by filter reads to find tasks,
/// unless the request allows fewer: about 250 pages, which take 30 to 100 milliseconds.
pub(super) const MAX_READ_BYTES: usize = 16_000_000;
/// Bytes of [`MAX_READ_BYTES`] that a record costs in addition if a page is looked through and
/// the whole record has to be read, because that takes time.
pub(super) const READ_RECORD_BYTES: usize = 1_000;
/// A search looks through every page whole once it has read this many records one by one that do
/// not match.
pub(super) const MISSES_BEFORE_PAGES: usize = 16;
/// Bytes of [`MAX_SCANNED_BYTES`] that a task costs if its record is not read.
pub(super) const LOOK_BYTES: usize = 200;

/// The most bytes of held runs that one event releases. An envelope may end with 2,048 small runs,
/// and a large held run may wait for each of them.
pub(super) const MAX_RELEASED_BYTES: usize = 4_000_000;

/// Once one wake-up has moved the runs of this many ids into lanes, it takes no further key.
pub(super) const MAX_PLACED: usize = 1_000;

/// The most envelopes that one wake-up sends again.
pub(super) const MAX_RESENDS: usize = 64;
/// Once a wake-up has ended stopped envelopes of this many bytes, patched records included, it ends
/// no further one.
pub(super) const MAX_ENDED_BYTES: usize = 2_000_000;

/// The bytes of pages that one wake-up reads to find lapsed tasks, and the bytes that it writes as
/// their outcomes: sixteen pages, a few milliseconds.
pub(super) const MAX_LAPSE_BYTES: usize = 1_000_000;
/// Bytes of [`MAX_LAPSE_BYTES`] that it costs to look at an entry of a page whose record is not
/// read: 100,000 entries take about 10 milliseconds.
pub(super) const LAPSE_ENTRY_BYTES: usize = 10;
/// The runnable tasks of a lane that one search for lapsed tasks judges before it looks at other
/// lanes. If a wake-up has room for more, it stops at the first task that is not judged, and the
/// next one searches on.
pub(super) const ENOUGH_TASKS: usize = 1_000;

/// The most records of lanes that one wake-up reads for their destinations. That takes a few
/// milliseconds.
pub(super) const MAX_LOOKS: usize = 2_000;
/// The most bytes of these records.
pub(super) const MAX_LOOK_BYTES: usize = 1_000_000;

/// Once a wake-up has planned pages of this many bytes by another law, it plans no further page:
/// about sixty pages. Nothing fires in such a wake-up.
pub(super) const MAX_REPLANNED_BYTES: usize = 4_000_000;

/// The most recurring tasks without a further run that one wake-up removes.
pub(super) const MAX_REMOVED: usize = 1_000;

/// The most dead letters that one commit removes in addition to those that new ones replace.
/// Earlier versions kept any number of one id.
pub(super) const MAX_SURPLUS: usize = 1_000;

/// The most rows of the history that one commit drops. So a shard that was idle for a month does
/// not drop all of them at once.
pub(super) const MAX_DROPPED_AT_ONCE: usize = 64;

/// Keys that one commit of a purge deletes. A few commits purge a full shard, and each takes less
/// than a second.
pub(super) const PURGED_KEYS: u64 = 20_000;

/// Keys of past periods that the shard deletes for each key that it stores. It deletes more than it
/// stores, so none accumulate, and it needs no timer.
pub(super) const FORGOTTEN_WITH_EACH_KEY: u64 = 4;

/// Bytes of ids that one request writes into the history for the tasks that it cancels: 20,000 ids
/// of 50 bytes. A request for longer ids is carried out in parts.
pub(super) const MAX_CANCELLED_BYTES: usize = 1_000_000;
