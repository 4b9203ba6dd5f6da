//! Which faults may occur, and how often.

use crate::random::Random;
use scheduler_calendar::time::UnixMillis;

/// Chances in permille, times in milliseconds.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Faults {
    /// The object dies before the commit, so nothing of the input has happened.
    pub(crate) crash_before_commit: u64,
    /// The object dies after the commit, before it arms the alarm and sends anything.
    pub(crate) crash_after_commit: u64,
    /// The object dies before a send, or after it and before the engine knows the result.
    pub(crate) crash_around_send: u64,
    /// A storage read fails.
    pub(crate) read_fails: u64,
    /// The object is evicted after an event.
    pub(crate) evict: u64,
    /// The client does not see the answer and sends the request again.
    pub(crate) reply_lost: u64,
    /// The queue refuses a message.
    pub(crate) send_refused: u64,
    /// The queue accepts a message and answers that it did not.
    pub(crate) send_unknown: u64,
    /// A message to the dispatchers is lost.
    pub(crate) message_lost: u64,
    /// A message is delivered twice.
    pub(crate) message_repeated: u64,
    /// The longest delay of a message and of a report.
    pub(crate) message_delay: i64,
    /// A report is lost.
    pub(crate) report_lost: u64,
    /// A report arrives twice.
    pub(crate) report_repeated: u64,
    /// A report names tasks that do not exist, or a task twice.
    pub(crate) report_garbled: u64,
    /// The alarm does not go off.
    pub(crate) alarm_lost: u64,
    /// The alarm also goes off too early.
    pub(crate) alarm_early: u64,
    /// The alarm goes off twice.
    pub(crate) alarm_repeated: u64,
    /// How late alarms are at most.
    pub(crate) alarm_late: i64,
}

impl Faults {
    pub(crate) const NONE: Self = Self {
        crash_before_commit: 0,
        crash_after_commit: 0,
        crash_around_send: 0,
        read_fails: 0,
        evict: 0,
        reply_lost: 0,
        send_refused: 0,
        send_unknown: 0,
        message_lost: 0,
        message_repeated: 0,
        message_delay: 50,
        report_lost: 0,
        report_repeated: 0,
        report_garbled: 0,
        alarm_lost: 0,
        alarm_early: 0,
        alarm_repeated: 0,
        alarm_late: 0,
    };

    /// The faults of a bad day.
    pub(crate) const LIGHT: Self = Self {
        crash_before_commit: 5,
        crash_after_commit: 5,
        crash_around_send: 10,
        read_fails: 5,
        evict: 30,
        reply_lost: 20,
        send_refused: 20,
        send_unknown: 5,
        message_lost: 10,
        message_repeated: 20,
        message_delay: 500,
        report_lost: 20,
        report_repeated: 20,
        report_garbled: 10,
        alarm_lost: 5,
        alarm_early: 20,
        alarm_repeated: 20,
        alarm_late: 200,
    };

    /// More faults than on any real day.
    pub(crate) const HEAVY: Self = Self {
        crash_before_commit: 60,
        crash_after_commit: 60,
        crash_around_send: 100,
        read_fails: 60,
        evict: 150,
        reply_lost: 150,
        send_refused: 100,
        send_unknown: 50,
        message_lost: 150,
        message_repeated: 200,
        message_delay: 5_000,
        report_lost: 200,
        report_repeated: 150,
        report_garbled: 100,
        alarm_lost: 50,
        alarm_early: 100,
        alarm_repeated: 100,
        alarm_late: 3_000,
    };
}

/// A time in which a queue accepts nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outage {
    /// Whether it is the queue of the dispatchers. Otherwise it is those of users.
    pub(crate) of_dispatchers: bool,
    pub(crate) from: UnixMillis,
    pub(crate) to: UnixMillis,
    /// Whether the queue does not answer, instead of refusing.
    pub(crate) hangs: bool,
}

impl Outage {
    /// Returns the outages of a run that begins at `start`. Some runs have one or two, of up to
    /// minutes.
    pub(crate) fn drawn(random: &mut Random, start: UnixMillis) -> Vec<Self> {
        let outages = if random.chance(100) { 1 + random.below(2) } else { 0 };
        let one = |_| {
            let from = start.plus(random.range(0, 30_000));
            let to = from.plus(*random.pick(&[2_000, 20_000, 90_000, 400_000]));
            Self { of_dispatchers: random.chance(600), from, to, hangs: random.chance(300) }
        };
        (0..outages).map(one).collect()
    }
}

/// Returns the steps of the clocks in a run that begins at `start`: when, whose clock, and by how
/// much it is ahead from then on. Some runs have a few steps, seconds back or minutes ahead, for a
/// moment or for a while.
pub(crate) fn clock_steps(
    random: &mut Random,
    start: UnixMillis,
    clocks: usize,
) -> Vec<(UnixMillis, usize, i64)> {
    let mut steps = Vec::new();
    let times = if random.chance(200) { 1 + random.below(6) } else { 0 };
    for _ in 0..times {
        let (from, of) =
            (start.plus(random.range(0, 40_000)), random.below(clocks as u64) as usize);
        let offset = match random.below(4) {
            0 | 1 => -random.range(1, 5_000),
            2 => random.range(1, 5_000),
            _ => *random.pick(&[60_000, 600_000, 900_000]),
        };
        let lasts = *random.pick(&[1, 1_000, 10_000, 60_000]);
        steps.extend([(from, of, offset), (from.plus(lasts), of, 0)]);
    }
    steps
}
