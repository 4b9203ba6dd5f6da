use super::*;
use crate::testing::{self, Memory, record};
use crate::{Config, Effects, Keep, Write};
use scheduler_model::format::series::StoredSeries;
use scheduler_model::numbers::{EnvelopeSeq, LaneNumber};
use scheduler_model::protocol::{Failure, Report, Terms};
use scheduler_model::series::{Point, Resolution};

const NOW: UnixMillis = UnixMillis::new(1_764_000_000_000);
const MINUTE: i64 = 60_000;

/// A shard whose shell passes it the time before each input, and counts rows.
struct Shard {
    engine: Engine,
    memory: Memory,
    config: Config,
    now: UnixMillis,
}

impl Shard {
    fn new(config: Config) -> Self {
        let memory = Memory::default();
        Self { engine: memory.load("1-0", config), memory, config, now: NOW }
    }

    fn at(&mut self, now: UnixMillis) -> &mut Self {
        self.now = now;
        let observed = self.engine.observe(now);
        assert!(observed.writes.is_empty(), "the time alone writes nothing");
        self
    }

    fn commit(&mut self, effects: &Effects) {
        self.memory.apply(&effects.writes);
        self.engine.meter_mut().rows_written += effects.writes.len() as u64;
    }

    fn create(&mut self, ids: impl Iterator<Item = String>, due: UnixMillis, key: Option<&str>) {
        let more = key.map(|key| format!(r#","limitKey":"{key}""#)).unwrap_or_default();
        let tasks: Vec<_> = ids
            .map(|id| {
                let text = record(&id, due, &more);
                (id, due, text)
            })
            .collect();
        let mut append = testing::append(tasks);
        append
            .pages
            .iter_mut()
            .for_each(|page| page.directory.set_lane(LaneNumber::new(u8::from(key.is_some()))));
        append.terms =
            Terms { keys: key.into_iter().map(str::to_owned).collect(), ..Terms::default() };
        let (_, effects) = self.engine.append(append, self.now, &self.memory).unwrap();
        self.commit(&effects);
    }

    fn wake(&mut self) -> Effects {
        let effects = self.engine.wake(self.now, &self.memory).unwrap();
        self.commit(&effects);
        effects
    }

    fn report(&mut self, report: &Report) {
        let effects = self.engine.report(report, self.now, &self.memory).unwrap();
        self.commit(&effects);
    }

    fn restart(&mut self) {
        self.engine = self.memory.load("1-0", self.config);
    }

    fn points(&mut self, by: Resolution) -> Vec<Point> {
        let reply = self.engine.series(&SeriesRequest { by }, self.now);
        StoredSeries::from_text(&reply.series).unwrap().points(by).to_vec()
    }
}

#[test]
fn what_happens_is_counted_in_its_minute_and_its_hour() {
    let mut shard = Shard::new(Config { history: Keep::Off, ..Config::default() });
    shard.at(NOW).create((0..3).map(|n| format!("task-{n}")), NOW.plus(MINUTE), None);
    shard.at(NOW.plus(MINUTE + 20)).wake();
    shard.at(NOW.plus(3 * MINUTE));
    let failed =
        vec![Failure { index: 1, error: "no".to_owned(), permanent: true, ..Failure::default() }];
    shard.report(&Report { seq: EnvelopeSeq::new(1), failed, ..Report::default() });
    for restarts in [false, true] {
        let minutes = shard.points(Resolution::Minute);
        let first = Resolution::Minute.number(NOW);
        let numbers: Vec<_> = minutes.iter().map(|point| point.number - first).collect();
        assert_eq!(numbers, [0, 1, 3], "{restarts}");
        let [created, fired, reported] = minutes.try_into().unwrap();
        assert_eq!((created.counts.created, created.counts.fired), (3, 0));
        assert_eq!((fired.counts.fired, fired.counts.succeeded), (3, 0));
        assert_eq!(fired.counts.queue_operations, 3);
        assert_eq!(fired.counts.lateness.percentile(0.5), Some(20));
        assert_eq!((reported.counts.succeeded, reported.counts.failed), (2, 1));
        let hours = shard.points(Resolution::Hour);
        assert_eq!(hours.len(), 1);
        let counts = &hours[0].counts;
        assert_eq!((counts.created, counts.fired, counts.failed), (3, 3, 1));
        let rows = created.counts.rows_written + fired.counts.rows_written;
        assert!(rows > 0 && rows <= counts.rows_written);
        // Everything is stored by then, because the report has cleared the newest envelope.
        shard.restart();
        shard.at(NOW.plus(3 * MINUTE + 1));
    }
}

/// Checks a shard that fires once a minute for two hours: each firing writes as much as without
/// series, and the state stays small.
#[test]
fn series_cost_no_row_and_few_bytes() {
    let mut shard = Shard::new(Config { history: Keep::Off, ..Config::default() });
    let mut without = 0;
    for minute in 0..180 {
        let now = NOW.plus(minute * MINUTE);
        shard.at(now).create(std::iter::once(format!("task-{minute}")), now, None);
        let effects = shard.at(now.plus(10)).wake();
        let kinds: Vec<_> = effects.writes.iter().map(std::mem::discriminant).collect();
        let state = effects.writes.iter().find_map(|write| match write {
            Write::InsertEnvelope { state, .. } => state.clone(),
            _ => None,
        });
        let state = state.unwrap();
        shard
            .at(now.plus(500))
            .report(&Report { seq: EnvelopeSeq::new(minute as u64 + 1), ..Report::default() });
        assert!(!shard.engine.is_unsaved(), "nothing waits to be stored");
        // The firing deletes the row of the last envelope and the page, and inserts the row of the
        // new envelope.
        assert_eq!(kinds.len(), if minute == 0 { 2 } else { 3 }, "{:?}", effects.writes);
        if minute == 0 {
            without = state.len();
        }
        assert!(
            state.len() - without < 2_000,
            "{} bytes more in minute {minute}",
            state.len() - without
        );
    }
    assert_eq!(shard.points(Resolution::Minute).len(), 120);
    // A minute without counts takes no space.
    shard.at(NOW.plus(600 * MINUTE));
    assert_eq!(shard.points(Resolution::Minute), []);
    assert_eq!(shard.points(Resolution::Hour).len(), 3);
}

/// The state of an earlier version opens, and only later events are counted.
#[test]
fn a_state_of_an_earlier_version_opens() {
    let mut shard = Shard::new(Config::default());
    shard.at(NOW).create((0..5).map(|n| format!("task-{n}")), NOW, None);
    shard.wake();
    let row = shard.memory.outbox.get_mut(&EnvelopeSeq::new(1)).unwrap();
    let mut state: serde_json::Value =
        serde_json::from_slice(row.state.as_deref().unwrap()).unwrap();
    assert!(state["series"].is_object());
    state.as_object_mut().unwrap().remove("series");
    row.state = Some(serde_json::to_vec(&state).unwrap());
    shard.restart();
    shard.at(NOW.plus(5 * MINUTE)).create(std::iter::once("a".to_owned()), NOW, None);
    let created: Vec<_> =
        shard.points(Resolution::Minute).iter().map(|point| point.counts.created).collect();
    assert_eq!(created, [1]);
    assert_eq!(shard.engine.stats(shard.now).counters.created, 6);
    let reply = shard.engine.series(&SeriesRequest { by: Resolution::Hour }, shard.now);
    let since = StoredSeries::from_text(&reply.series).unwrap().since;
    assert_eq!(since, Some(Resolution::Minute.number(shard.now)));
}

/// Runs in the main order and runs that wait for a limit count as late. Runs that are due at this
/// moment do not.
#[test]
fn the_backlog_is_what_is_late() {
    let mut shard = Shard::new(Config { max_dispatched: 1, ..Config::default() });
    shard.at(NOW).create((0..10).map(|n| format!("task-{n}")), NOW.plus(10_000), None);
    shard.create((0..4).map(|n| format!("limited-{n}")), NOW.plus(10_000), Some("k"));
    shard.at(NOW.plus(10_000)).wake();
    let backlog = |shard: &mut Shard| {
        shard.points(Resolution::Minute).last().map(|point| point.counts.backlog)
    };
    assert_eq!(backlog(&mut shard), Some(0), "nothing is late yet");
    // One run is in flight. The limiter has not answered, so no run of the key is.
    shard.at(NOW.plus(30_000));
    assert_eq!(backlog(&mut shard), Some(9 + 4));
    // The backlog is counted again after some seconds, without a request.
    shard.at(NOW.plus(70_000));
    shard.at(NOW.plus(130_000));
    let second = Resolution::Minute.number(NOW) + 1;
    let points = shard.points(Resolution::Minute);
    let looked_at = points.iter().find(|point| point.number == second).unwrap();
    assert_eq!(looked_at.counts.backlog, 9 + 4);
}

#[test]
fn a_purge_forgets_the_series() {
    let mut shard = Shard::new(Config::default());
    shard.at(NOW).create(std::iter::once("a".to_owned()), NOW, None);
    shard.wake();
    shard.report(&Report { seq: EnvelopeSeq::new(1), ..Report::default() });
    shard.at(NOW.plus(MINUTE));
    assert!(!shard.points(Resolution::Hour).is_empty());
    let (reply, effects) = shard.engine.purge();
    assert!(reply.done);
    shard.memory.apply(&effects.writes);
    shard.at(NOW.plus(2 * MINUTE));
    assert_eq!(shard.points(Resolution::Hour), []);
    shard.restart();
    shard.at(NOW.plus(3 * MINUTE)).create(std::iter::once("b".to_owned()), NOW, None);
    let hours = shard.points(Resolution::Hour);
    assert_eq!((hours.len(), hours[0].counts.created), (1, 1));
}
