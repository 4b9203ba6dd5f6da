//! Compares whether two lists of expressions name the same times.

use super::CronSchedule;
use super::fields::{Fields, LENGTHS};
use crate::ordered::sort;

/// The most combinations of days and times of day that a comparison examines for each length of a
/// month. This takes some tenths of a millisecond. Only combinations that differ between
/// expressions count, so lists that people write have a few hundred.
const MAX_COMBINATIONS: usize = 50_000;

/// Returns whether two lists of at most 16 expressions name the same set of times in the same time
/// zone, in whatever notation. Lists that are not literally equal, and need more than
/// [`MAX_COMBINATIONS`], count as different.
///
/// The effect of a clock change follows from that set, so such lists have the same runs.
pub(crate) fn have_same_times(one: &[CronSchedule], other: &[CronSchedule]) -> bool {
    if one == other {
        return true;
    }
    if !one
        .iter()
        .chain(other)
        .all(|cron| one.first().is_some_and(|first| cron.timezone.has_clock_of(first.timezone)))
    {
        return false;
    }
    // Bit `n` of a mask stands for the expression `n` of both lists together.
    let all: Vec<&Fields> = one.iter().chain(other).map(|cron| &cron.fields).collect();
    let of_one = 1_u32.checked_shl(one.len() as u32).unwrap_or(0).wrapping_sub(1);
    let is_of_both = |mask: u32| (mask & of_one != 0) == (mask & !of_one != 0);
    let masks = |values: &mut dyn Iterator<Item = u32>, set: &dyn Fn(&Fields) -> u64| -> Vec<u32> {
        let mask = |value: u32| {
            (0..)
                .zip(&all)
                .fold(0, |mask, (at, fields)| mask | ((set(fields) >> value & 1) as u32) << at)
        };
        distinct(values.map(mask).collect())
    };
    let hours = masks(&mut (0..24), &|fields| fields.hours.into());
    let minutes = masks(&mut (0..60), &|fields| fields.minutes);
    let seconds = masks(&mut (0..60), &|fields| fields.seconds);
    // Every expression names some time, so each value in a field of one list must be in the other
    // list, too.
    if !hours.iter().chain(&minutes).chain(&seconds).all(|mask| is_of_both(*mask)) {
        return false;
    }
    let times = and(&hours, &minutes);
    if times.len() * seconds.len() > MAX_COMBINATIONS {
        return false;
    }
    let times = and(&times, &seconds);
    LENGTHS.iter().all(|(length, months)| {
        let months = masks(&mut (1..13).filter(|month| months >> month & 1 == 1), &|fields| {
            fields.months.into()
        });
        let days = (0..7).flat_map(|first| {
            let days: Vec<u32> =
                all.iter().map(|fields| fields.days_of_month(first, *length)).collect();
            (1..32).map(move |day| {
                (0..).zip(&days).fold(0, |mask, (at, days)| mask | (days >> day & 1) << at)
            })
        });
        let days = and(&months, &distinct(days.collect()));
        days.len() * times.len() <= MAX_COMBINATIONS
            && days.iter().all(|days| times.iter().all(|times| is_of_both(days & times)))
    })
}

/// Returns the intersections of every mask of one list with every mask of the other.
fn and(one: &[u32], other: &[u32]) -> Vec<u32> {
    distinct(one.iter().flat_map(|one| other.iter().map(move |other| one & other)).collect())
}

fn distinct(mut masks: Vec<u32>) -> Vec<u32> {
    sort(&mut masks);
    masks.dedup();
    masks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::UnixMillis;
    use proptest::prelude::*;

    fn crons(expressions: &[&str]) -> Vec<CronSchedule> {
        expressions.iter().map(|text| CronSchedule::parse(text, None).expect(text)).collect()
    }

    fn same(one: &[&str], other: &[&str]) -> bool {
        let (one, other) = (crons(one), crons(other));
        let same = have_same_times(&one, &other);
        assert_eq!(have_same_times(&other, &one), same);
        same
    }

    #[test]
    fn the_same_times_in_another_notation_are_equal() {
        for (one, other) in [
            (&["0 9 * * MON", "30 17 * * *"][..], &["30 17 * * *", "0 9 * * 1"][..]),
            (&["0 9 * * *"], &["0 9 * * *", " 00  09 1-31 1-12 ? "]),
            (&["0 9 * * *", "30 9 * * *"], &["0,30 9 * * *"]),
            (&["0 9 * * *", "0 17 * * *"], &["0 9,17 * * *"]),
            (&["0 9 * * MON", "0 9 * * TUE"], &["0 9 * * MON,TUE"]),
            (&["0 9 1 * *", "0 9 * * MON"], &["0 9 1 * MON"]),
            (&["0 9 * 1-6 *", "0 9 * JUL-DEC *"], &["0 9 * * *"]),
            (&["*/1 * * * *"], &["* */1 * * *"]),
            (&["*/30 * * * * *"], &["* * * * *", "30 * * * * *"]),
            (&["0 9 * * *"], &["0 9 * * 0-6"]),
            (&["0 9 * * SUN#1,SUN#2,SUN#3,SUN#4,SUN#5"], &["0 9 * * 7"]),
            (&["0 9 28-31 2 *"], &["0 9 28,29 FEB *"]),
            (&["0 9 28 * *"], &["0 9 28 1,3-12 *", "0 9 28 2 *"]),
            // No expression of one list combines expressions of the other.
            (&["0 9 * * MON,TUE", "0 9,10 * * TUE"], &["0 9 * * MON", "0 9,10 * * TUE"]),
            (&["@daily"], &["0 0 0 * * *"]),
        ] {
            assert!(same(one, other), "{one:?} {other:?}");
        }
        let hours = |hours: &mut dyn Iterator<Item = u32>| {
            hours.map(|hour| format!("0 {hour} * * *")).collect::<Vec<_>>()
        };
        let (up, down) = (hours(&mut (0..16)), hours(&mut (0..16).rev()));
        let up: Vec<&str> = up.iter().map(String::as_str).collect();
        assert!(same(&up, &down.iter().map(String::as_str).collect::<Vec<_>>()));
        assert!(same(&up, &["0 0-15 * * *"]));
        assert!(!same(&up, &["0 0-16 * * *"]));
    }

    #[test]
    fn different_times_are_not_equal() {
        for (one, other) in [
            (&["0 9 * * MON"][..], &["0 9 * * TUE"][..]),
            (&["0 9 * * *", "30 10 * * *"], &["0,30 9,10 * * *"]),
            (&["0 9 1 * *"], &["0 9 1 * MON"]),
            (&["0 9 28-31 2 *"], &["0 9 28 2 *"]),
            (&["0 9 L * *"], &["0 9 31 * *"]),
            (&["0 9 L 1 *"], &["0 9 L,30 1 *"]),
            (&["0 9 15W * *"], &["0 9 15 * *"]),
            (&["0 9 * * FRI#5"], &["0 9 * * FRIL"]),
            (&["0 9 * * *"], &["0 9 * 1-11 *"]),
            (&["0 9 * * *"], &["30 0 9 * * *"]),
        ] {
            assert!(!same(one, other), "{one:?} {other:?}");
        }
    }

    #[test]
    fn a_clock_can_have_several_names() {
        let at = |zone| [CronSchedule::parse("0 9 * * *", zone).unwrap()];
        assert!(have_same_times(&at(None), &at(Some("Etc/UTC"))));
        assert!(have_same_times(&at(Some("GB")), &at(Some("Europe/London"))));
        assert!(!have_same_times(&at(None), &at(Some("Europe/London"))));
    }

    proptest! {
        #[test]
        fn lists_are_equal_exactly_if_they_have_the_same_runs(
            lists in proptest::array::uniform2(proptest::collection::vec((1_u32..4, 1_u32..4, 1_u32..4, 0_usize..6), 1..4)),
        ) {
            let days = ["* * *", "1 * *", "* * 1", "1 * 1", "1,8 2 *", "* 2 MON#1"];
            let field = |bits: u32| (0..2).filter(|at| bits >> at & 1 == 1).map(|at: u32| at.to_string()).collect::<Vec<_>>().join(",");
            let [one, other] = lists.map(|list| {
                let text = |(second, minute, hour, day): (u32, u32, u32, usize)| {
                    format!("{} {} {} {}", field(second), field(minute), field(hour), days[day])
                };
                list.into_iter().map(|parts| CronSchedule::parse(&text(parts), None).unwrap()).collect::<Vec<_>>()
            });
            // One year has everything that distinguishes these days: a February that begins on a
            // Sunday, and one that does not.
            let begin = UnixMillis::new(1_767_225_600_000);
            let runs = |list: &[CronSchedule]| {
                let of = |cron: &CronSchedule| {
                    let cron = cron.clone();
                    std::iter::successors(cron.next_after(begin), move |run| cron.next_after(*run))
                        .take_while(|run| run.since(begin) < 86_400_000 * 365)
                };
                list.iter().flat_map(of).collect::<std::collections::BTreeSet<_>>()
            };
            prop_assert_eq!(have_same_times(&one, &other), runs(&one) == runs(&other));
        }
    }
}
