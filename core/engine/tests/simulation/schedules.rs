//! When a task fires, as users mean it: the oracle's own rule, which goes through times one after
//! another.

use crate::random::Random;
use scheduler_calendar::cron::CronSchedule;
use scheduler_calendar::delay::Delay;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::protocol::Kind;
use scheduler_model::routing::id_hash;
use scheduler_model::schedule::ScheduleFields;

const CRONS: [&str; 5] =
    ["*/5 * * * * *", "*/7 * * * * *", "10,11,50 * * * * *", "* * * * *", "0 0 1 1 *"];

/// The delay of a task, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct PutOff {
    pub(crate) jitter: u32,
    pub(crate) window: u32,
}

impl PutOff {
    pub(crate) fn drawn(random: &mut Random) -> Self {
        Self {
            jitter: *random.pick(&[0, 0, 400, 3_000, 100_000]),
            window: *random.pick(&[0, 0, 500, 4_000]),
        }
    }

    /// Returns when the run at `time` of the task with this id fires. `next` is the time of the
    /// next run.
    pub(crate) fn due(self, id: &str, time: i64, next: Option<i64>) -> i64 {
        Delay::new(id_hash(id), self.jitter, self.window)
            .due(UnixMillis::new(time), next.map(UnixMillis::new))
            .get()
    }

    fn note(self, fields: &mut ScheduleFields<'_>) {
        let seconds = |millis: u32| (millis > 0).then_some(f64::from(millis) / 1_000.0);
        (fields.jitter_seconds, fields.window_seconds) =
            (seconds(self.jitter), seconds(self.window));
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    Cron(&'static str),
    Every {
        anchor: i64,
        millis: i64,
    },
    /// A rule of RFC 5545 that starts at `start`.
    Rrule {
        start: i64,
        seconds: i64,
        count: Option<u32>,
    },
}

const DAY: i64 = 86_400_000;

/// What a schedule leaves out, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exclude {
    /// The minutes of every day from the first to the second, without the second.
    Minutes(i64, i64),
    /// A day, whose runs move to the day before.
    Back(i64),
    /// A day, whose runs move to the day after.
    Forward(i64),
}

impl Exclude {
    /// Returns something that matters for a client at `now`.
    fn drawn(random: &mut Random, now: i64) -> Self {
        let minutes = Self::drawn_minutes(random, now);
        let day = now.div_euclid(DAY);
        match random.below(3) {
            0 => minutes,
            1 => Self::Back(day + 1),
            _ => Self::Forward(day - 1),
        }
    }

    /// Returns some minutes of every day, near `now`.
    pub(crate) fn drawn_minutes(random: &mut Random, now: i64) -> Self {
        let minute = (now.rem_euclid(DAY) / 60_000 + random.range(-1, 2)).clamp(0, 1_439);
        let length = random.range(1, 3);
        Self::Minutes(minute, (minute + length).min(1_440))
    }

    fn json(self) -> String {
        let date = |day: i64| UnixMillis::new(day * DAY).shown()[..10].to_owned();
        let time = |minute: i64| format!("{:02}:{:02}", minute / 60, minute % 60);
        match self {
            Self::Minutes(from, to) => format!(r#"{{"times":["{}-{}"]}}"#, time(from), time(to)),
            Self::Back(day) => format!(r#"{{"dates":["{}"],"instead":"previous"}}"#, date(day)),
            Self::Forward(day) => format!(r#"{{"dates":["{}"],"instead":"next"}}"#, date(day)),
        }
    }
}

/// A recurring schedule.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Recurring {
    pub(crate) rule: Rule,
    pub(crate) start: Option<i64>,
    pub(crate) end: Option<i64>,
    pub(crate) max_runs: Option<u32>,
    pub(crate) exclude: Option<Exclude>,
    /// Whether a calendar leaves it out, which the schedule names.
    pub(crate) is_in_calendar: bool,
    pub(crate) put_off: PutOff,
}

impl Recurring {
    pub(crate) fn cron(expression: &'static str) -> Self {
        Self {
            rule: Rule::Cron(expression),
            start: None,
            end: None,
            max_runs: None,
            exclude: None,
            is_in_calendar: false,
            put_off: PutOff::default(),
        }
    }

    /// Returns a schedule whose times are whole steps from an anchor.
    pub(crate) fn each_seconds(seconds: i64, anchor: i64, max_runs: Option<u32>) -> Self {
        Self { rule: Rule::Every { anchor, millis: 1_000 * seconds }, max_runs, ..Self::cron("") }
    }

    pub(crate) fn plain(random: &mut Random) -> Self {
        Self::cron(random.pick::<&str>(&CRONS))
    }

    /// Returns a schedule with an interval, bounds and the rest, of a client at `now`.
    pub(crate) fn varied(random: &mut Random, now: i64) -> Self {
        let millis = *random.pick(&[1_000, 1_500, 5_000, 7_777, 60_000]);
        let every = Rule::Every { anchor: now + random.range(-20_000, 20_000), millis };
        let rule = if random.chance(700) { every } else { Rule::Cron(random.pick::<&str>(&CRONS)) };
        // A rule starts at a whole second.
        let begins = (now + random.range(-20_000, 10_000)).div_euclid(1_000) * 1_000;
        let of_rfc = Rule::Rrule {
            start: begins,
            seconds: random.range(1, 20),
            count: random.chance(500).then(|| random.range(1, 40) as u32),
        };
        let rule = if random.chance(250) { of_rfc } else { rule };
        let start = random.chance(300).then(|| now + random.range(-10_000, 20_000));
        let is_counted = matches!(rule, Rule::Rrule { count: Some(_), .. });
        let exclude = random.chance(250).then(|| Exclude::drawn(random, now));
        // The runs of a rule with COUNT may not move.
        let exclude = exclude.filter(|of| !is_counted || matches!(of, Exclude::Minutes(..)));
        let rule = match (rule, exclude) {
            // This interval does not divide a day, so runs of another day move between the others.
            (Rule::Every { anchor, .. }, Some(Exclude::Back(_) | Exclude::Forward(_))) => {
                Rule::Every { anchor: anchor - 2 * DAY, millis: 7_777 }
            }
            (rule, _) => rule,
        };
        // Drawn from the time, so that the other draws stay as they were.
        let mut by_time = Random::new(now.unsigned_abs() ^ 0x6361_6c65_6e64_6172);
        let of_calendar = by_time.chance(200).then(|| Exclude::drawn_minutes(&mut by_time, now));
        let exclude = exclude.or(of_calendar);
        let is_in_calendar = matches!(exclude, Some(Exclude::Minutes(..))) && by_time.chance(750);
        Self {
            exclude,
            is_in_calendar,
            rule,
            start: if matches!(rule, Rule::Rrule { .. }) { Some(begins) } else { start },
            end: random.chance(300).then(|| now + random.range(0, 60_000)),
            max_runs: random.chance(400).then(|| random.range(1, 6) as u32),
            put_off: PutOff::drawn(random),
        }
    }

    pub(crate) fn bounds(&self) -> (Option<i64>, Option<i64>, Option<u32>, Option<Exclude>) {
        (self.start, self.end, self.max_runs, self.exclude)
    }

    pub(crate) fn kind(&self) -> Kind {
        match self.rule {
            Rule::Cron(_) => Kind::Cron,
            Rule::Every { .. } => Kind::Every,
            Rule::Rrule { .. } => Kind::Rrule,
        }
    }

    /// Returns the next time by the rule alone.
    fn next_of_rule(&self, after: i64) -> Option<i64> {
        match self.rule {
            Rule::Cron(expression) => CronSchedule::parse(expression, None)
                .unwrap()
                .next_after(UnixMillis::new(after))
                .map(UnixMillis::get),
            Rule::Rrule { start, seconds, .. } => Some(next_step(start, seconds * 1_000, after)),
            Rule::Every { anchor, millis } => Some(next_step(anchor, millis, after)),
        }
    }

    /// Returns the next time by the rule within start and end.
    fn next_within(&self, after: i64) -> Option<i64> {
        let next = self.next_of_rule(after.max(self.start.map_or(i64::MIN, |start| start - 1)))?;
        (self.end.is_none_or(|end| next <= end)).then_some(next)
    }

    /// Returns whether the rule has other times of day on each day. Then only the first run of a day
    /// moves.
    fn drifts(&self) -> bool {
        match self.rule {
            Rule::Cron(_) => false,
            Rule::Every { millis, .. } => DAY % millis != 0,
            Rule::Rrule { seconds, .. } => DAY % (seconds * 1_000) != 0,
        }
    }

    /// Returns the next time by the rule and by what it leaves out.
    fn next(&self, after: i64) -> Option<i64> {
        let (day, by) = match self.exclude {
            None => return self.next_of_rule(after),
            Some(Exclude::Minutes(from, to)) => {
                let mut next = self.next_within(after)?;
                while (from..to).contains(&(next.rem_euclid(DAY) / 60_000)) {
                    next = self.next_within(next)?;
                }
                return Some(next);
            }
            Some(Exclude::Back(day)) => (day, -DAY),
            Some(Exclude::Forward(day)) => (day, DAY),
        };
        let is_excluded = |time: &i64| time.div_euclid(DAY) == day;
        let own = match self.next_within(after) {
            Some(own) if is_excluded(&own) => self.next_within((day + 1) * DAY - 1),
            own => own,
        };
        let begin = day * DAY - 1;
        let from = if self.drifts() { begin } else { begin.max(after - by) };
        let moved = self.next_within(from).filter(is_excluded).map(|moved| moved + by);
        own.into_iter().chain(moved.filter(|moved| *moved > after)).min()
    }

    /// Returns the run after the one at `time`, within start and end: its time, and when it fires.
    pub(crate) fn following(&self, id: &str, time: i64) -> Option<(i64, i64)> {
        let next = self.next(time.max(self.start.map_or(i64::MIN, |start| start - 1)))?;
        let last = match self.rule {
            Rule::Rrule { start, seconds, count: Some(count) } => {
                Some(start + i64::from(count - 1) * seconds * 1_000)
            }
            _ => None,
        };
        if self.end.into_iter().chain(last).any(|end| next > end) {
            return None;
        }
        Some((next, self.due(id, next)))
    }

    /// Returns when the run at `time` fires.
    pub(crate) fn due(&self, id: &str, time: i64) -> i64 {
        self.put_off.due(id, time, self.next(time))
    }

    /// Returns the first run that fires after `since`.
    pub(crate) fn first(&self, id: &str, since: i64) -> Option<(i64, i64)> {
        // No run is delayed for longer.
        let mut time = since - 200_000;
        loop {
            let next = self.following(id, time)?;
            if next.1 > since {
                return Some(next);
            }
            time = next.0;
        }
    }

    /// Returns the JSON of what it leaves out.
    pub(crate) fn exclude_json(&self) -> Option<String> {
        let exclude = self.exclude.map(Exclude::json)?;
        let version = exclude.len();
        Some(if self.is_in_calendar {
            format!(r#"{{"calendars":[{{"name":"c","version":"{version}","items":{exclude}}}]}}"#)
        } else {
            exclude
        })
    }

    /// Writes the schedule into the fields of a record.
    pub(crate) fn note<'a>(
        &self,
        cron: &'a Option<Box<serde_json::value::RawValue>>,
        exclude: &'a Option<Box<serde_json::value::RawValue>>,
        fields: &mut ScheduleFields<'a>,
    ) {
        fields.cron = cron.as_deref();
        fields.exclude = exclude.as_deref();
        if let Rule::Every { anchor, millis } = self.rule {
            fields.every_seconds = Some(millis as f64 / 1_000.0);
            fields.anchor = Some(UnixMillis::new(anchor));
        }
        if let Rule::Rrule { seconds, count, .. } = self.rule {
            let count = count.map(|count| format!(";COUNT={count}")).unwrap_or_default();
            fields.rrule =
                Some(std::borrow::Cow::Owned(format!("FREQ=SECONDLY;INTERVAL={seconds}{count}")));
        }
        fields.start_at = self.start.map(UnixMillis::new);
        fields.end_at = self.end.map(UnixMillis::new);
        fields.max_runs = self.max_runs;
        self.put_off.note(fields);
    }
}

/// Returns the first time after `after` that is a whole number of steps after `origin`.
fn next_step(origin: i64, step: i64, after: i64) -> i64 {
    let mut time = origin + ((after - origin) / step - 1).max(0) * step;
    while time <= after {
        time += step;
    }
    time
}

/// Writes the delay of a one-shot task into the fields of a record.
pub(crate) fn note_put_off(put_off: PutOff, fields: &mut ScheduleFields<'_>) {
    put_off.note(fields);
}
