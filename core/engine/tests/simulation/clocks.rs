//! A shard's clock that steps, seconds back or minutes ahead and back again. These are single
//! cases; seeds draw others.

use crate::regressions::{NOW, Pair, ids};
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::Write;
use scheduler_engine::limiter::Limiter;
use scheduler_engine::testing;
use scheduler_model::limit::Limit;
use scheduler_model::numbers::{EnvelopeSeq, LaneNumber};
use scheduler_model::protocol::limiter::{LimiterRequest, Named};
use scheduler_model::protocol::{Append, Change, Report, Terms};

const AHEAD: i64 = 600_000;

fn once(id: &str, due: UnixMillis) -> (String, UnixMillis, String) {
    (
        id.to_owned(),
        due,
        format!(r#"{{"time":{due},"id":"{id}","callback":{{"type":"handler","name":"log"}}}}"#),
    )
}

fn every(id: &str, seconds: i64) -> String {
    let anchor = NOW.get();
    format!(
        r#"{{"id":"{id}","everySeconds":{seconds},"anchor":{anchor},"callback":{{"type":"handler","name":"log"}}}}"#
    )
}

impl Pair {
    /// Does what the shell does before each input. Returns the writes.
    fn clock_shows(&mut self, now: UnixMillis) -> Vec<Write> {
        let effects = self.engine.observe(now);
        self.commit(effects).writes
    }

    fn add(&mut self, append: Append, now: UnixMillis) {
        self.clock_shows(now);
        let (_, effects) = self.engine.append(append, now, &self.storage).unwrap();
        self.commit(effects);
    }

    fn recur(&mut self, record: String, now: UnixMillis) {
        self.add(Append { schedules: vec![record.into_bytes()], ..Append::default() }, now);
    }

    fn add_once(&mut self, id: &str, due: UnixMillis, key: Option<&str>, now: UnixMillis) {
        let (id, due, mut record) = once(id, due);
        if let Some(key) = key {
            record =
                record.replace("\"callback\"", &format!("\"limitKey\":\"{key}\",\"callback\""));
        }
        let mut append = testing::append([(id, due, record)]);
        append
            .pages
            .iter_mut()
            .for_each(|page| page.directory.set_lane(LaneNumber::new(u8::from(key.is_some()))));
        let terms =
            Terms { keys: key.into_iter().map(str::to_owned).collect(), ..Terms::default() };
        self.add(Append { terms, ..append }, now);
    }

    /// Returns everything that fires until then, each with the time in milliseconds from the start.
    fn fires_until(&mut self, mut now: UnixMillis, until: UnixMillis) -> Vec<(i64, String)> {
        let mut fired = Vec::new();
        loop {
            self.clock_shows(now);
            let effects = self.wake(now);
            fired.extend(ids(&effects).into_iter().map(|id| (now.since(NOW), id)));
            for sent in &effects.sends {
                self.report(&Report { seq: sent.seq, ..Report::default() }, now);
            }
            match self.engine.next_wakeup().filter(|next| *next <= until) {
                Some(next) => now = next.max(now.plus(1)),
                None => return fired,
            }
        }
    }
}

/// The clock was ten minutes ahead for one wake-up. Tasks that arrived later and were due within
/// these ten minutes waited until they were over.
#[test]
fn a_task_that_arrives_after_a_jump_fires_on_time() {
    for restart in [false, true] {
        let mut pair = Pair::new();
        for n in 1..=5 {
            pair.add_once(&format!("before-{n}"), NOW.plus(n * 60_000), None, NOW);
        }
        pair.add_once("later", NOW.plus(AHEAD + 5_000), None, NOW);
        let fired = pair.fires_until(NOW.plus(AHEAD), NOW.plus(AHEAD));
        assert_eq!(fired.len(), 5, "all are due by the clock of that moment");
        if restart {
            pair.restart();
        }
        pair.add_once("after", NOW.plus(3_000), None, NOW.plus(1_000));
        pair.recur(every("tick", 4), NOW.plus(1_000));
        assert_eq!(pair.storage.watermark.due, NOW.plus(999), "the watermark was moved back");
        if restart {
            pair.restart();
        }
        assert_eq!(pair.engine.next_wakeup(), Some(NOW.plus(3_000)));
        let fired = pair.fires_until(NOW.plus(1_001), NOW.plus(9_000));
        assert_eq!(
            fired,
            [(3_000, "after".to_owned()), (4_000, "tick".to_owned()), (8_000, "tick".to_owned())]
        );
        // The engine writes once for each step.
        assert!(pair.clock_shows(NOW.plus(9_001)).is_empty());
    }
}

/// What has fired in the jump does not fire again, even if its page still has other entries, after
/// any number of restarts.
#[test]
fn runs_that_fired_in_a_jump_do_not_fire_again() {
    let mut pair = Pair::new();
    pair.append((0..20).map(|n| once(&format!("{n:02}"), NOW.plus(n * 60_000))));
    pair.recur(every("minute", 60), NOW);
    let in_the_jump = pair.fires_until(NOW.plus(AHEAD), NOW.plus(AHEAD));
    assert_eq!(in_the_jump.len(), 11 + 10);
    pair.restart();
    let writes = pair.clock_shows(NOW.plus(1_000));
    let dead = writes.iter().filter(|write| matches!(write, Write::SetDead { .. })).count();
    let since = writes.iter().filter(|write| matches!(write, Write::SetSince { .. })).count();
    assert_eq!((writes.len(), dead, since), (3, 1, 1), "{writes:?}");
    for _ in 0..2 {
        pair.restart();
        assert_eq!(pair.engine.next_wakeup(), Some(NOW.plus(AHEAD + 60_000)));
    }
    let after = pair.fires_until(NOW.plus(1_000), NOW.plus(1_200_000));
    let mut all: Vec<String> = after.into_iter().map(|(_, id)| id).collect();
    assert_eq!(all.iter().filter(|id| *id == "minute").count(), 10);
    all.retain(|id| id != "minute");
    assert!(
        all.iter().map(String::as_str).eq((11..20)
            .map(|n| n.to_string())
            .collect::<Vec<_>>()
            .iter()
            .map(String::as_str))
    );
    assert!(pair.storage.pages.is_empty() && pair.storage.dead.is_empty());
}

/// The clock goes back by 2.3 s, and a recurring task is resumed. The runs that were due before the
/// clock reached its old time were lost.
#[test]
fn a_resume_after_a_step_back_loses_no_run() {
    for restart in [false, true] {
        let mut pair = Pair::new();
        pair.recur(every("tick", 1), NOW);
        pair.recur(every("other", 2), NOW);
        assert_eq!(pair.fires_until(NOW.plus(1), NOW.plus(3_999)).len(), 3 + 1);
        pair.change_one("tick", Change::Pause, NOW.plus(4_000));
        assert_eq!(
            pair.fires_until(NOW.plus(4_001), NOW.plus(10_000)).len(),
            4,
            "the runs of the other task"
        );
        pair.clock_shows(NOW.plus(7_700));
        pair.change_one("tick", Change::Resume, NOW.plus(7_700));
        if restart {
            pair.restart();
        }
        let fired = pair.fires_until(NOW.plus(7_701), NOW.plus(12_999));
        let ticks: Vec<i64> =
            fired.iter().filter(|(_, id)| id == "tick").map(|(at, _)| *at).collect();
        assert_eq!(ticks, [8_000, 9_000, 10_000, 11_000, 12_000]);
        let others: Vec<i64> =
            fired.iter().filter(|(_, id)| id == "other").map(|(at, _)| *at).collect();
        assert_eq!(others, [12_000], "runs that have fired do not fire again");
    }
}

/// The pause and the resume come by clocks that differ. Nothing that has fired in the jump fires
/// again.
#[test]
fn a_pause_over_a_step_repeats_no_run() {
    for (pause, resume) in [(AHEAD, 1_000), (1_000, 2_000)] {
        let mut pair = Pair::new();
        pair.recur(every("tick", 60), NOW);
        assert_eq!(pair.fires_until(NOW.plus(AHEAD), NOW.plus(AHEAD)).len(), 10);
        for (change, at) in [(Change::Pause, pause), (Change::Resume, resume)] {
            pair.clock_shows(NOW.plus(at));
            pair.change_one("tick", change, NOW.plus(at));
            pair.restart();
        }
        let fired = pair.fires_until(NOW.plus(resume), NOW.plus(AHEAD + 100_000));
        assert_eq!(fired, [(AHEAD + 60_000, "tick".to_owned())]);
    }
}

/// A lane with a limit stood still for ten minutes, because times that its lease had noted in the
/// jump were in the future.
#[test]
fn a_lane_continues_after_a_jump() {
    for limit in [
        Limit { concurrency: Some(1), per_second: None },
        Limit { concurrency: None, per_second: Some(2.0) },
        Limit { concurrency: Some(2), per_second: Some(5.0) },
    ] {
        let mut pair = Pair::new();
        let mut limiter = Limiter::default();
        limiter.put(Named { key: "k".to_owned(), limit }, NOW).unwrap();
        let mut fired = Vec::new();
        // The clocks of the shard and of the limiter are ahead for two wake-ups.
        let ahead = |at: i64| if (2_000..2_200).contains(&at) { AHEAD } else { 0 };
        for at in (0..12_000).step_by(100) {
            let now = NOW.plus(at + ahead(at));
            if at % 1_000 == 0 {
                pair.add_once(&at.to_string(), NOW.plus(at + 500), Some("k"), now);
            }
            pair.clock_shows(now);
            let effects = pair.wake(now);
            for ask in &effects.asks {
                let asked = LimiterRequest {
                    key: "k".to_owned(),
                    shard: "1-0".to_owned(),
                    ask: ask.request,
                };
                let (answer, _) = limiter.ask(&asked, now);
                pair.engine.limit_answered("k", ask.request.number, answer.as_ref(), now);
            }
            for sent in &effects.sends {
                fired.extend(ids(&effects).into_iter().map(|id| at - id.parse::<i64>().unwrap()));
                pair.report(&Report { seq: sent.seq, ..Report::default() }, now);
            }
        }
        assert!(fired.len() >= 11, "{limit:?}: {fired:?}");
        assert!(fired.iter().all(|late| *late <= 500 + 1_500), "{limit:?}: {fired:?}");
    }
}

/// An envelope that was sent while the clock was ahead is redelivered after the visibility timeout,
/// and firings go on.
#[test]
fn an_envelope_sent_in_a_jump_is_redelivered_in_time() {
    for restart in [false, true] {
        let mut pair = Pair::new();
        pair.append([once("a", NOW), once("b", NOW.plus(2_000))]);
        assert_eq!(pair.wake(NOW).sends.len(), 1);
        let mut refused = pair.engine.send_failed(EnvelopeSeq::new(1), NOW.plus(AHEAD));
        refused.sends.clear();
        pair.commit(refused);
        if restart {
            pair.restart();
        }
        pair.clock_shows(NOW.plus(1_000));
        assert_eq!(
            pair.engine.next_wakeup(),
            Some(NOW.plus(2_000)),
            "{restart}: the refused envelope and the next task"
        );
        pair.clock_shows(NOW.plus(2_000));
        assert_eq!(pair.wake(NOW.plus(2_000)).sends.len(), 2);
        pair.clock_shows(NOW.plus(1_500));
        assert!(pair.engine.next_wakeup().unwrap() <= NOW.plus(1_500 + 300_000));
    }
}

/// A shard was purged while its clock was ahead. The empty row of its history kept the time of that
/// clock, even for outcomes after the clock was right again.
#[test]
fn a_history_purged_in_a_jump_starts_at_the_right_time() {
    for (restarts, ahead) in [(false, AHEAD), (true, AHEAD), (true, 86_400_000)] {
        let mut pair = Pair::new();
        pair.add_once("a", NOW.plus(1_000), None, NOW);
        assert_eq!(pair.fires_until(NOW.plus(ahead), NOW.plus(ahead)).len(), 1);
        let forgotten = pair.engine.purge();
        pair.commit(forgotten.1);
        if restarts {
            pair.restart();
        }
        pair.add_once("b", NOW.plus(2_000), None, NOW.plus(1_500));
        assert_eq!(pair.fires_until(NOW.plus(2_000), NOW.plus(2_000)).len(), 1);
        let newest: Vec<_> = pair.storage.history.values().map(|row| row.newest).collect();
        assert_eq!(newest, [NOW.plus(2_000)], "{ahead}, restarts: {restarts}");
    }
}
