//! Times at the ends of what a task may ask for: what the shell asks of the platform is what it takes.

use crate::regressions::{NOW, Pair, ids, record};
use crate::world::platform_takes;
use scheduler_core::engine::{Effects, alarm_time};
use scheduler_core::time::UnixMillis;
use scheduler_core::wire::Append;

/// The longest interval, milliseconds.
const CENTURY: i64 = 3_155_760_000_000;

impl Pair {
    /// Wakes the engine by the alarm, `times` times, with a restart before each: what the shell does while nothing is due. Nothing happens,
    /// and the alarm is set again, later, where the platform takes it.
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

/// A task of the year 5000 set its alarm where the platform refuses it; the create and every later request failed, though it was stored.
#[test]
fn a_far_task_sets_alarms_that_the_platform_takes_and_fires_in_its_time() {
    for due in [UnixMillis::LAST, UnixMillis::new(95_617_584_000_000), UnixMillis::new(9_223_372_036_855), NOW.plus(CENTURY)] {
        let mut pair = Pair::new();
        pair.append([("far".to_owned(), due, record("far", due, 0))]);
        pair.wakes_for_nothing(5);
        assert_eq!(ids(&pair.wake(due)), ["far"]);
        assert!(pair.engine.is_idle() || pair.engine.next_wakeup() > Some(due), "it waits for the report");
    }
}

#[test]
fn a_far_recurring_task_does_so_too() {
    let last = UnixMillis::LAST;
    for (when, first) in [
        (format!(r#""everySeconds":3155760000,"anchor":{}"#, NOW.plus(CENTURY)), NOW.plus(CENTURY)),
        (format!(r#""everySeconds":3155760000,"anchor":{last}"#), last),
        (format!(r#""everySeconds":1,"anchor":{last},"startAt":{last},"endAt":{last}"#), last),
        (r#""cron":"0 0 1 1 *","startAt":253370764800000"#.to_owned(), UnixMillis::new(253_370_764_800_000)),
    ] {
        let mut pair = Pair::new();
        let record = format!(r#"{{"id":"far",{when},"callback":{{"type":"handler","name":"log"}}}}"#);
        let append = Append { schedules: vec![record.into_bytes()], ..Append::default() };
        let (_, effects) = pair.engine.append(append, NOW, &pair.storage).unwrap();
        pair.commit(effects);
        assert_eq!(pair.engine.next_wakeup(), Some(first), "{when}");
        pair.wakes_for_nothing(5);
        assert_eq!(ids(&pair.wake(first)), ["far"], "{when}");
        pair.restart();
    }
}
