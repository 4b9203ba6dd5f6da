//! Searches the local times of a rule.

use super::{DAY, Frequency, RRule, Search};
use crate::cron::fields::next_time;

impl RRule {
    /// Returns the first local time at or after `from` that the rule allows.
    pub(super) fn next_local(&self, from: i64, search: &mut Search) -> Option<i64> {
        // In the second pass of an overlap, the clock shows times before the start again.
        let from = from.max(if self.repeats { self.start - 2 * DAY } else { self.start });
        if self.frequency < Frequency::Daily {
            self.next_of_fine(from, search)
        } else if self.set_positions.is_empty() {
            self.next_of_coarse(from, search)
        } else {
            self.next_by_position(from, search)
        }
    }

    /// Returns the next local time of a daily or coarser rule.
    fn next_of_coarse(&self, from: i64, search: &mut Search) -> Option<i64> {
        let today = from.div_euclid(DAY);
        let first = || next_time(self.hours, self.minutes, self.seconds, 0);
        if let Some(time) = next_time(self.hours, self.minutes, self.seconds, from.rem_euclid(DAY))
        {
            let day = self.day_at_or_after(today, search)?;
            return Some(day * DAY + if day == today { time } else { first()? });
        }
        Some(self.day_at_or_after(today + 1, search)? * DAY + first()?)
    }

    /// Returns the next local time of an hourly or finer rule. Its points are a fixed step apart on
    /// the local clock, and each stands for its hour, minute or second.
    fn next_of_fine(&self, mut from: i64, search: &mut Search) -> Option<i64> {
        let unit = self.frequency.unit();
        let step = unit * i64::from(self.interval);
        let origin = self.start - self.start.rem_euclid(unit);
        loop {
            search.step(from)?;
            let aligned = from - from.rem_euclid(unit);
            let point = origin + (aligned - origin + step - 1).div_euclid(step) * step;
            let day = point.div_euclid(DAY);
            let allowed = self.day_at_or_after(day, search)?;
            if allowed > day {
                from = allowed * DAY;
                continue;
            }
            let time = point.rem_euclid(DAY);
            // The first allowed time in each unit that the rule counts by.
            let minutes = if unit == 3_600 { 1 } else { self.minutes };
            let seconds = if unit == 1 { self.seconds } else { 1 };
            match next_time(self.hours, minutes, seconds, time) {
                Some(next) if next == time => {}
                Some(next) => {
                    from = day * DAY + next;
                    continue;
                }
                None => {
                    from = (day + 1) * DAY;
                    continue;
                }
            }
            match self.time_within(unit, (from - point).max(0)) {
                Some(offset) => return Some(point + offset),
                None => from = point + unit,
            }
        }
    }

    /// Returns the first allowed offset at or after `from` within an allowed hour, minute or
    /// second.
    fn time_within(&self, unit: i64, from: i64) -> Option<i64> {
        let minutes = if unit == 3_600 { self.minutes } else { 1 };
        let seconds = if unit == 1 { 1 } else { self.seconds };
        if self.set_positions.is_empty() {
            return next_time(1, minutes, seconds, from);
        }
        let times = Times { hours: 1, minutes, seconds };
        let count = times.count();
        let chosen =
            self.set_positions.iter().filter_map(|position| times.nth(place(*position, count)?));
        chosen.filter(|time| *time >= from).min()
    }

    /// Returns the next local time of a daily or coarser rule with positions: the chosen runs of
    /// one period after another.
    fn next_by_position(&self, from: i64, search: &mut Search) -> Option<i64> {
        let times = Times { hours: self.hours, minutes: self.minutes, seconds: self.seconds };
        let of_day = times.count();
        let mut day = from.div_euclid(DAY);
        loop {
            // The allowed days are in the periods that the interval allows.
            let (begin, end) = self.period_of(self.day_at_or_after(day, search)?)?;
            let days = self.days_between(begin, end, search)?;
            let count = days.len() as i64 * of_day;
            let chosen = self.set_positions.iter().filter_map(|position| {
                let at = place(*position, count)?;
                Some(days.get(usize::try_from(at / of_day).ok()?)? * DAY + times.nth(at % of_day)?)
            });
            if let Some(local) = chosen.filter(|local| *local >= from).min() {
                return Some(local);
            }
            day = end;
        }
    }
}

/// Returns the index of a position among `count` items: 1 is the first, -1 the last.
pub(super) fn place(position: i16, count: i64) -> Option<i64> {
    let position = i64::from(position);
    let index = if position > 0 { position - 1 } else { count + position };
    (0..count).contains(&index).then_some(index)
}

/// The times of a day: every combination of the hours, minutes and seconds in the sets, in order.
struct Times {
    hours: u32,
    minutes: u64,
    seconds: u64,
}

impl Times {
    fn count(&self) -> i64 {
        i64::from(self.hours.count_ones() * self.minutes.count_ones() * self.seconds.count_ones())
    }

    /// Returns the time at this index, as seconds of the day.
    fn nth(&self, index: i64) -> Option<i64> {
        let (of_minute, of_hour) =
            (i64::from(self.seconds.count_ones()), i64::from(self.minutes.count_ones()));
        let hour = nth_bit(self.hours.into(), index / of_minute / of_hour)?;
        let minute = nth_bit(self.minutes, index / of_minute % of_hour)?;
        let second = nth_bit(self.seconds, index % of_minute)?;
        Some(hour * 3_600 + minute * 60 + second)
    }
}

/// Returns the number of the set bit with this index, counted from the lowest.
fn nth_bit(mut set: u64, index: i64) -> Option<i64> {
    for _ in 0..index {
        set &= set.wrapping_sub(1);
    }
    (set != 0).then(|| i64::from(set.trailing_zeros()))
}
