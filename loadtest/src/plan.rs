//! Plans the tasks of a run: which are created, cancelled and overwritten, and when. It has no side
//! effects: the same seed, start and number give the same task. So the plan is not stored, and any
//! worker can compute any part of it.

use crate::ledger::{Kind, Via};
use crate::scenario::Settings;

/// An odd 64-bit constant (2^64 over the golden ratio). Its products with consecutive numbers are
/// spread evenly.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
/// How long before and after the due time a racing cancel or overwrite is sent, in milliseconds.
const RACE_BEFORE: i64 = 50;
const RACE_AFTER: i64 = 450;
/// How long before the due time any other cancel or overwrite is sent, in milliseconds.
const LEAD: std::ops::RangeInclusive<i64> = 500..=5_000;
/// The time from the overwrite to the due time of the new version, in milliseconds.
const NEW_DUE: std::ops::RangeInclusive<i64> = 300..=3_000;
/// The most versions of an id.
const MAX_VERSIONS: u32 = 4;

/// A task to create.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Planned {
    pub(crate) kind: Kind,
    pub(crate) via: Via,
    /// The due time in epoch milliseconds, or 0 for a recurring task.
    pub(crate) due: i64,
    pub(crate) change: Option<Change>,
}

/// A cancel or overwrite to send at `at` (epoch milliseconds), or as soon as the task has been
/// accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) at: i64,
    pub(crate) how: How,
}

/// The route by which a task is changed. All are used, because each has a path of its own through
/// the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum How {
    Delete,
    BulkCancel,
    Put,
    BatchOverwrite,
}

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    settings: Settings,
    first_due: i64,
    run: u64,
}

impl Plan {
    /// Returns the plan of a run that starts scheduling at `start`, in epoch milliseconds. `run`
    /// marks its tasks, so that they differ from those of other runs.
    pub(crate) fn new(settings: Settings, start: i64, run: u64) -> Self {
        Self { first_due: start + settings.first_due_after_millis(), settings, run }
    }

    /// Returns the first version of task `n`.
    pub(crate) fn task(&self, n: u32) -> Planned {
        let settings = &self.settings;
        let mut random = self.random(n);
        let via = self.via(&mut random);
        // A position on a line that consecutive numbers fill evenly. So the shares are exact, and
        // independent of `via`.
        let place = (u64::from(n).wrapping_mul(GOLDEN) >> 11) as f64 / (1_u64 << 53) as f64;
        let cancels_from = settings.cron_share;
        let overwrites_from = cancels_from + settings.cancel_share;
        let plain_from = overwrites_from + settings.overwrite_share;
        if place < cancels_from {
            let step = if random.bool() { 1_000 } else { 2_000 };
            return Planned { kind: Kind::Cron { step }, via, due: 0, change: None };
        }
        let due = self.first_due + random.i64(0..=settings.spread_millis);
        let how = match (place < overwrites_from, random.bool()) {
            _ if place >= plain_from => None,
            (true, true) => Some(How::Delete),
            (true, false) => Some(How::BulkCancel),
            (false, true) => Some(How::Put),
            (false, false) => Some(How::BatchOverwrite),
        };
        let change = how.map(|how| self.change(how, due, &mut random));
        Planned { kind: Kind::Once, via, due, change }
    }

    /// Returns the version that overwrites an older one at `now`. It is entry `n`, and the
    /// `version`-th of its id, from 2.
    pub(crate) fn overwriting(&self, n: u32, version: u32, now: i64) -> Planned {
        let mut random = self.random(n);
        let via = self.via(&mut random);
        let due = now + random.i64(NEW_DUE);
        let how = match random.u8(0..8) {
            0 => Some(How::Delete),
            1 => Some(How::BulkCancel),
            2 if version < MAX_VERSIONS => Some(How::Put),
            3 if version < MAX_VERSIONS => Some(How::BatchOverwrite),
            _ => None,
        };
        let change = how.map(|how| self.change(how, due, &mut random));
        Planned { kind: Kind::Once, via, due, change }
    }

    /// Returns the id of task `n` if it has one of its own: with `own_ids`, and always for a
    /// recurring task. Otherwise a repeated request could leave a second recurring task that nobody
    /// deletes.
    pub(crate) fn own_id(&self, n: u32, kind: Kind) -> Option<String> {
        let needed = self.settings.own_ids || kind != Kind::Once;
        // The number is scattered, so that the ids of a request have only the run's prefix in
        // common.
        needed.then(|| format!("lt-{:x}-{:08x}", self.run, n.wrapping_mul(GOLDEN as u32)))
    }

    fn change(&self, how: How, due: i64, random: &mut fastrand::Rng) -> Change {
        let races = random.f64() < self.settings.race_share;
        let at = if races {
            due + random.i64(-RACE_BEFORE..=RACE_AFTER)
        } else {
            due - random.i64(LEAD)
        };
        Change { at, how }
    }

    fn via(&self, random: &mut fastrand::Rng) -> Via {
        random.choice(&self.settings.via).copied().unwrap_or(Via::Consumer)
    }

    fn random(&self, n: u32) -> fastrand::Rng {
        fastrand::Rng::with_seed(
            self.settings.seed.wrapping_add(u64::from(n) + 1).wrapping_mul(GOLDEN),
        )
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::scenario::tests::parse;

    const START: i64 = 1_700_000_000_000;

    fn plan(line: &str) -> Plan {
        Plan::new(parse(line).unwrap(), START, 0xabc)
    }

    fn tasks(plan: &Plan) -> Vec<Planned> {
        (0..plan.settings.tasks).map(|n| plan.task(n)).collect()
    }

    fn share(tasks: &[Planned], is: impl Fn(&Planned) -> bool) -> f64 {
        tasks.iter().filter(|task| is(task)).count() as f64 / tasks.len() as f64
    }

    #[test]
    fn the_same_seed_gives_the_same_plan_and_another_seed_another() {
        let one = tasks(&plan("loadtest smoke"));
        assert_eq!(one, tasks(&plan("loadtest smoke --seed 1")));
        assert_ne!(one, tasks(&plan("loadtest smoke --seed 2")));
    }

    #[test]
    fn the_shares_are_the_requested_ones() {
        let tasks = tasks(&plan("loadtest churn --cron-share 0.01 --via consumer,webhook"));
        let near =
            |share: f64, wanted: f64| assert!((share - wanted).abs() < 0.001, "{share} {wanted}");
        near(share(&tasks, |task| task.kind != Kind::Once), 0.01);
        let how = |task: &Planned| task.change.map(|change| change.how);
        near(share(&tasks, |task| matches!(how(task), Some(How::Delete | How::BulkCancel))), 0.2);
        near(share(&tasks, |task| matches!(how(task), Some(How::Put | How::BatchOverwrite))), 0.3);
        let webhooks = share(&tasks, |task| task.via == Via::Webhook && task.change.is_some());
        assert!((0.2..0.3).contains(&webhooks), "half of those changed are webhooks: {webhooks}");
    }

    #[test]
    fn due_times_fill_the_spread_evenly() {
        let tasks = tasks(&plan("loadtest spread --due-in 10 --spread 60"));
        let first = START + 10_000;
        assert!(tasks.iter().all(|task| (first..=first + 60_000).contains(&task.due)));
        for second in 0..60 {
            let within = first + second * 1_000..first + (second + 1) * 1_000;
            let share = share(&tasks, |task| within.contains(&task.due));
            assert!((share * 60.0 - 1.0).abs() < 0.15, "{second}: {share}");
        }
    }

    #[test]
    fn the_herd_is_due_at_one_instant() {
        let tasks = tasks(&plan("loadtest herd --tasks 1000 --expected-rate 1000 --due-in 5"));
        assert!(tasks.iter().all(|task| task.due == START + 6_000));
    }

    #[test]
    fn changes_are_before_or_near_the_due_time() {
        let tasks = tasks(&plan("loadtest churn --race-share 0.5"));
        let changed: Vec<_> =
            tasks.iter().filter_map(|task| Some((task.due, task.change?.at))).collect();
        let race = changed
            .iter()
            .filter(|(due, at)| (-RACE_BEFORE..=RACE_AFTER).contains(&(at - due)))
            .count();
        assert!((0.45..0.55).contains(&(race as f64 / changed.len() as f64)));
        assert!(changed.iter().all(|(due, at)| (-5_000..=RACE_AFTER).contains(&(at - due))));
    }

    #[test]
    fn own_ids_are_distinct_and_optional() {
        let own = plan("loadtest churn");
        let ids: HashSet<_> = (0..20_000).filter_map(|n| own.own_id(n, Kind::Once)).collect();
        assert_eq!(ids.len(), 20_000);
        let generated = plan("loadtest smoke");
        assert_eq!(generated.own_id(1, Kind::Once), None);
        assert!(generated.own_id(1, Kind::Cron { step: 1_000 }).is_some());
    }

    #[test]
    fn the_number_of_versions_is_bounded() {
        let plan = plan("loadtest churn");
        for n in 0..1_000 {
            let last = plan.overwriting(n, MAX_VERSIONS, START);
            assert!((START + 300..=START + 3_000).contains(&last.due));
            assert!(!matches!(
                last.change.map(|change| change.how),
                Some(How::Put | How::BatchOverwrite)
            ));
        }
    }
}
