//! Times at the limits of what a task may request. The shell must request nothing that the platform
//! refuses.

use crate::regressions::{NOW, Pair, ids, record};
use crate::world::platform_takes;
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::{Effects, Write, alarm_time};
use scheduler_model::numbers::EnvelopeSeq;
use scheduler_model::protocol::{Append, Failure, Report, Status};

/// The longest interval, milliseconds.
const CENTURY: i64 = 3_155_760_000_000;

impl Pair {
    /// Wakes the engine by the alarm, `times` times, with a restart before each. This is what the
    /// shell does while nothing is due. Nothing happens, and the alarm is set again, later, at a
    /// time that the platform accepts.
    fn wakes_for_nothing(&mut self, times: usize) {
        let mut now = NOW;
        for _ in 0..times {
            self.restart();
            let wanted = self.engine.next_wakeup().expect("a task waits");
            let alarm = alarm_time(wanted, now);
            platform_takes(alarm, now);
            assert!(alarm > now && alarm < wanted, "{alarm} for {wanted}");
            now = alarm;
            assert_eq!(self.wake(now), Effects::default(), "at {now}");
            assert_eq!(self.engine.next_wakeup(), Some(wanted));
        }
    }
}

/// A task of the year 5000 set its alarm to a time that the platform refuses. The create and every
/// later request failed, although the task was stored.
#[test]
fn a_far_task_sets_acceptable_alarms_and_fires_on_time() {
    for due in [
        UnixMillis::LAST,
        UnixMillis::new(95_617_584_000_000),
        UnixMillis::new(9_223_372_036_855),
        NOW.plus(CENTURY),
    ] {
        let mut pair = Pair::new();
        pair.append([("far".to_owned(), due, record("far", due, 0))]);
        pair.wakes_for_nothing(5);
        assert_eq!(ids(&pair.wake(due)), ["far"]);
        assert!(
            pair.engine.is_idle() || pair.engine.next_wakeup() > Some(due),
            "the envelope waits for its report"
        );
    }
}

#[test]
fn a_far_recurring_task_sets_acceptable_alarms_too() {
    let last = UnixMillis::LAST;
    for (when, first) in [
        (format!(r#""everySeconds":3155760000,"anchor":{}"#, NOW.plus(CENTURY)), NOW.plus(CENTURY)),
        (format!(r#""everySeconds":3155760000,"anchor":{last}"#), last),
        (format!(r#""everySeconds":1,"anchor":{last},"startAt":{last},"endAt":{last}"#), last),
        (
            r#""cron":"0 0 1 1 *","startAt":253370764800000"#.to_owned(),
            UnixMillis::new(253_370_764_800_000),
        ),
    ] {
        let mut pair = Pair::new();
        let record =
            format!(r#"{{"id":"far",{when},"callback":{{"type":"handler","name":"log"}}}}"#);
        let append = Append { schedules: vec![record.into_bytes()], ..Append::default() };
        let (_, effects) = pair.engine.append(append, NOW, &pair.storage).unwrap();
        pair.commit(effects);
        assert_eq!(pair.engine.next_wakeup(), Some(first), "{when}");
        pair.wakes_for_nothing(5);
        assert_eq!(ids(&pair.wake(first)), ["far"], "{when}");
        pair.restart();
    }
}

/// Changes the number of the only page or recurring task, and restarts the engine with it.
impl Pair {
    fn renumber_page(&mut self, number: u32) {
        let (_, row) = self.storage.pages.pop_first().expect("a page");
        self.storage.pages.insert(number, row);
        self.storage.read_again();
        self.restart();
    }

    fn renumber_schedule(&mut self, number: u32) {
        let (_, row) = self.storage.schedules.pop_first().expect("a recurring task");
        self.storage.schedules.insert(number, row);
        self.storage.read_again();
        self.restart();
    }

    /// Sets fields of the stored state to values that they have after a very long time.
    fn age(&mut self, set: impl FnOnce(&mut serde_json::Value)) {
        let effects = self.engine.save();
        self.commit(effects);
        let (seq, mut row) = self.storage.outbox.pop_last().expect("a row with the state");
        let mut state: serde_json::Value =
            serde_json::from_slice(row.state.as_ref().expect("a state")).unwrap();
        set(&mut state);
        row.state = Some(serde_json::to_vec(&state).unwrap());
        self.storage.outbox.insert(state["lastSeq"].as_u64().map_or(seq, EnvelopeSeq::new), row);
        self.restart();
    }
}

/// An overwrite uses a new page each time. After the last number came 0, which means the recurring
/// tasks.
#[test]
fn page_numbers_wrap_around_and_each_task_fires_once() {
    for bytes in [0, 5_000] {
        let mut pair = Pair::new();
        let later = NOW.plus(10_000);
        pair.append([("kept".to_owned(), later, record("kept", later, 3_000))]);
        pair.renumber_page(u32::MAX - 3);
        // The pages of overwritten tasks are deleted. Every second task fires before it is
        // overwritten.
        for round in 0..12 {
            let due = NOW.plus(round);
            pair.append([("hot".to_owned(), due, record("hot", due, bytes))]);
            pair.append([(
                format!("other-{round}"),
                due,
                record("other", due, 5_000).replace("other", &format!("other-{round}")),
            )]);
            if round % 2 == 1 {
                let fired = ids(&pair.wake(due));
                assert_eq!(
                    fired.iter().filter(|id| *id == "hot").count(),
                    1,
                    "round {round}: {fired:?}"
                );
                assert_eq!(fired.len(), 3, "round {round}: {fired:?}");
            }
            if round % 3 == 2 {
                pair.restart();
            }
        }
        assert!(pair.storage.pages.keys().all(|page| *page > 0));
        assert_eq!(ids(&pair.wake(later)), ["kept"]);
        assert!(pair.storage.pages.is_empty());
    }
}

#[test]
fn numbers_of_recurring_tasks_wrap_around() {
    let mut pair = Pair::new();
    // Another anchor means another schedule. The task replaces the former one and has a number of
    // its own.
    let append = |pair: &mut Pair, id: &str, round: i64| {
        let log = r#"{"type":"handler","name":"log"}"#;
        let anchor = NOW.plus(-1_000 * round);
        let record =
            format!(r#"{{"id":"{id}","everySeconds":1,"anchor":{anchor},"callback":{log}}}"#);
        let append = Append { schedules: vec![record.into_bytes()], ..Append::default() };
        let (_, effects) = pair.engine.append(append, NOW.plus(-1), &pair.storage).unwrap();
        pair.commit(effects);
    };
    append(&mut pair, "kept", 0);
    pair.renumber_schedule(u32::MAX - 1);
    for round in 0..3 {
        append(&mut pair, "hot", round);
    }
    assert_eq!(pair.storage.schedules.keys().copied().collect::<Vec<_>>(), [2, u32::MAX - 1]);
    for second in 0..3 {
        let mut fired = ids(&pair.wake(NOW.plus(second * 1_000)));
        fired.sort();
        assert_eq!(fired, ["hot", "kept"]);
        pair.restart();
    }
}

/// Envelopes and rows of the history at 2^53, an incarnation at the end of 32 bits, attempts beyond
/// all policies: everything continues.
#[test]
fn counters_near_their_ends_are_no_error() {
    const EXACT: u64 = 1 << 53;
    let mut pair = Pair::new();
    pair.age(|state| {
        state["lastSeq"] = (EXACT - 2).into();
        state["life"] = u32::MAX.into();
        state["counters"]["fired"] = (EXACT - 2).into();
        state["watermark"] =
            serde_json::json!({"due": NOW.get() - 1, "page": u32::MAX, "index": u32::MAX});
    });
    let body = Vec::new();
    pair.storage.apply(&[Write::InsertHistory { row: EXACT - 2, newest: NOW, body }]);
    pair.restart();
    for (at, id) in ["a", "b", "c"].into_iter().enumerate() {
        let now = NOW.plus(at as i64 * 1_000);
        let attempts = record(id, now, 0)
            .replace("\"payload\"", &format!("\"attempt\":{},\"payload\"", u32::MAX));
        pair.append([(id.to_owned(), now, attempts)]);
        let sent = pair.wake(now).sends;
        assert_eq!(sent[0].seq.get(), EXACT - 1 + at as u64);
        // The envelope was sent again many times, by the stored count.
        pair.storage.apply(&[Write::Resent {
            seq: sent[0].seq,
            sent_at: now,
            attempts: u32::MAX,
            sends: scheduler_engine::Sends::Sent,
        }]);
        pair.restart();
        let again = pair.engine.next_wakeup().unwrap();
        assert_eq!(pair.wake(again).sends.len(), 1);
        let failed = vec![Failure { index: 0, error: "no".to_owned(), ..Failure::default() }];
        pair.report(&Report { seq: sent[0].seq, failed, ..Report::default() }, now);
        pair.restart();
        assert_eq!(pair.status(id), Some(Status::Dead));
    }
    assert_eq!(pair.engine.stats(NOW).dead_letters, 3);
}
