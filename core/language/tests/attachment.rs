//! What comes after an exception belongs to where a careful reader puts it, or the sentence is not
//! read.
//!
//! Sentences are put together from a schedule, a list of exceptions, and a part that follows. What
//! each part means is said here once more, as a set of quarters of an hour, and what the sentence
//! means is computed from these sets. The test knows nothing of the grammar.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests, outside of the test functions"
)]

mod quarters;

use chrono::{Datelike, Days, NaiveDateTime, TimeDelta, Timelike};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use quarters::{NOW, Set, start};
use scheduler_language::{Language, Outcome, Schedule, Zone, read, runs};
use std::cell::Cell;

/// The days after today from which runs are compared, and how many of them.
const FROM_DAYS: [u64; 8] = [0, 3, 25, 28, 34, 186, 248, 276];
const COMPARED: usize = 40;

/// The sets of all parts.
struct Sets {
    bases: Vec<Set>,
    items: Vec<Set>,
    tails: Vec<Set>,
    december: Set,
    first_of_december: Set,
    fridays: Set,
    /// The last quarter of the hours that may follow.
    end_of_hours: Set,
}

impl Sets {
    fn new() -> Self {
        Self {
            bases: BASES.iter().map(|base| Set::of(base.1)).collect(),
            items: ITEMS.iter().map(|item| Set::of(item.1)).collect(),
            tails: TAILS.iter().map(|tail| Set::of(tail.1)).collect(),
            december: Set::of(|at| at.month() == 12),
            first_of_december: Set::of(|at| (at.month(), at.day()) == (12, 1)),
            fridays: Set::of(|at| weekday(at) == 4),
            end_of_hours: Set::of(|at| minute(at) == 840),
        }
    }
}

fn weekday(time: NaiveDateTime) -> u32 {
    time.weekday().num_days_from_monday()
}

fn minute(time: NaiveDateTime) -> u32 {
    time.hour() * 60 + time.minute()
}

fn is_last_of_month(time: NaiveDateTime) -> bool {
    (time.date() + Days::new(1)).month() != time.month()
}

type Has = fn(NaiveDateTime) -> bool;

/// A schedule: its words in English and German, when it runs, and whether it lacks a time of day.
type Base = ([&'static str; 2], Has, bool);

const BASES: &[Base] = &[
    (["every hour", "jede Stunde"], |at| at.minute() == 0, false),
    (["every 15 minutes", "alle 15 Minuten"], |_| true, false),
    (
        [
            "every 30 minutes between 08:00 and 18:00",
            "alle 30 Minuten zwischen 08:00 und 18:00 Uhr",
        ],
        |at| at.minute() % 30 == 0 && (480..=1080).contains(&minute(at)),
        false,
    ),
    (["every day at 09:00", "jeden Tag um 09:00 Uhr"], |at| minute(at) == 540, false),
    (
        ["every weekday at 12:30", "jeden Wochentag um 12:30 Uhr"],
        |at| weekday(at) < 5 && minute(at) == 750,
        false,
    ),
    (
        ["every monday and thursday at 18:00", "jeden Montag und Donnerstag um 18:00 Uhr"],
        |at| matches!(weekday(at), 0 | 3) && minute(at) == 1080,
        false,
    ),
    (
        ["on the 1st of every month at 09:00", "am 1. jedes Monats um 09:00 Uhr"],
        |at| at.day() == 1 && minute(at) == 540,
        false,
    ),
    (
        ["every hour on weekdays", "jede Stunde werktags"],
        |at| weekday(at) < 5 && at.minute() == 0,
        false,
    ),
    (["every day", "jeden Tag"], |at| minute(at) == 0, true),
    (
        ["every day at 09:00 and 17:00", "jeden Tag um 09:00 und 17:00 Uhr"],
        |at| matches!(minute(at), 540 | 1020),
        false,
    ),
];

/// The kind of an exception, as far as it decides what may belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Days of the week, which months may follow.
    Week,
    WeekInMonths,
    Hours,
    /// Dates, days and months, which an end may make a range.
    Dates,
}

type Item = ([&'static str; 2], Has, Kind);

const ITEMS: &[Item] = &[
    (["mondays", "montags"], |at| weekday(at) == 0, Kind::Week),
    (["on thursdays", "donnerstags"], |at| weekday(at) == 3, Kind::Week),
    (["weekends", "am Wochenende"], |at| weekday(at) > 4, Kind::Week),
    (
        ["fridays in december", "freitags im Dezember"],
        |at| weekday(at) == 4 && at.month() == 12,
        Kind::WeekInMonths,
    ),
    (["in august", "im August"], |at| at.month() == 8, Kind::Dates),
    (
        ["from june to august", "von Juni bis August"],
        |at| (6..=8).contains(&at.month()),
        Kind::Dates,
    ),
    (["24 december", "am 24. Dezember"], |at| (at.month(), at.day()) == (12, 24), Kind::Dates),
    (
        ["24, 25 and 26 december", "am 24., 25. und 26. Dezember"],
        |at| at.month() == 12 && (24..=26).contains(&at.day()),
        Kind::Dates,
    ),
    (["the 1st", "am 1."], |at| at.day() == 1, Kind::Dates),
    (["the last day of the month", "am letzten Tag des Monats"], is_last_of_month, Kind::Dates),
    (
        ["between 12:00 and 13:00", "zwischen 12:00 und 13:00 Uhr"],
        |at| at.hour() == 12,
        Kind::Hours,
    ),
    (["at noon", "um 12:00 Uhr"], |at| minute(at) == 720, Kind::Hours),
];

/// A part after an exception, and how it may be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trail {
    None,
    /// Its end belongs to the hours of a schedule, and not to the hours that are left out.
    Hours,
    Months,
    Days,
    Time,
    Start,
    End,
    Zone,
    Count,
}

const COUNT: usize = 12;
/// Tokyo is nine hours ahead of UTC.
const AHEAD: usize = 36;

type Tail = ([&'static str; 2], Has, Trail);

const TAILS: &[Tail] = &[
    (["", ""], |_| true, Trail::None),
    (
        ["between 10:00 and 14:00", "zwischen 10:00 und 14:00 Uhr"],
        |at| (600..=840).contains(&minute(at)),
        Trail::Hours,
    ),
    (
        ["from 10:00 to 14:00", "von 10:00 bis 14:00 Uhr"],
        |at| (600..=840).contains(&minute(at)),
        Trail::Hours,
    ),
    (["in december", "im Dezember"], |at| at.month() == 12, Trail::Months),
    (["in july and august", "im Juli und August"], |at| matches!(at.month(), 7 | 8), Trail::Months),
    (["on mondays", "montags"], |at| weekday(at) == 0, Trail::Days),
    (["on weekdays", "werktags"], |at| weekday(at) < 5, Trail::Days),
    (["at 17:00", "um 17:00 Uhr"], |at| minute(at) == 1020, Trail::Time),
    (
        ["starting 5 january 2027", "ab dem 5. Januar 2027"],
        |at| at.date() >= chrono::NaiveDate::from_ymd_opt(2027, 1, 5).unwrap(),
        Trail::Start,
    ),
    (
        ["until 20 december 2026", "bis zum 20. Dezember 2026"],
        |at| at.date() <= chrono::NaiveDate::from_ymd_opt(2026, 12, 20).unwrap(),
        Trail::End,
    ),
    (
        ["for three weeks", "drei Wochen lang"],
        |at| at <= start() + TimeDelta::minutes(555) + TimeDelta::weeks(3),
        Trail::End,
    ),
    (["in Asia/Tokyo", "in Asia/Tokyo"], |_| true, Trail::Zone),
    ([", 12 times", ", 12 Mal"], |_| true, Trail::Count),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// The part comes before the exception.
    Before,
    Space,
    Comma,
    And,
    /// The exception comes first, with a comma behind it.
    First,
}

/// A sentence in one of the languages.
#[derive(Debug, Clone)]
struct Sentence {
    base: usize,
    items: Vec<usize>,
    joint: usize,
    tail: usize,
    order: Order,
    language: Language,
}

impl Sentence {
    fn words(&self) -> String {
        let german = usize::from(self.language == Language::German);
        let (except, joints) =
            if german == 1 { ("außer", [" und ", ", "]) } else { ("except", [" and ", ", "]) };
        let items: Vec<&str> = self.items.iter().map(|item| ITEMS[*item].0[german]).collect();
        let except = format!("{except} {}", items.join(joints[self.joint]));
        let (base, tail) = (BASES[self.base].0[german], TAILS[self.tail].0[german]);
        let and = joints[0];
        let words = match self.order {
            _ if tail.is_empty() && self.order != Order::First => format!("{base} {except}"),
            Order::Before => format!("{base} {tail} {except}"),
            Order::Space => format!("{base} {except} {tail}"),
            Order::Comma => format!("{base} {except}, {tail}"),
            Order::And => format!("{base} {except}{and}{tail}"),
            Order::First => format!("{except}, {base} {tail}"),
        };
        words.replace(" ,", ",").replace(",,", ",").trim().to_owned()
    }

    fn trail(&self) -> Trail {
        TAILS[self.tail].2
    }

    fn last(&self) -> Kind {
        ITEMS[*self.items.last().unwrap()].2
    }

    /// Returns whether the part is of the kind of the last exception.
    fn is_alike(&self) -> bool {
        let (words, _, kind) = ITEMS[*self.items.last().unwrap()];
        match self.trail() {
            Trail::Days => matches!(kind, Kind::Week | Kind::WeekInMonths),
            Trail::Months => words[0].contains("august"),
            Trail::Hours => words[0].contains("between"),
            Trail::Time => words[0].contains("noon"),
            _ => false,
        }
    }

    /// Returns the runs of the schedule without `left_out`, with the part as a part of it.
    fn whole(&self, left_out: &Set, sets: &Sets) -> Set {
        let (base, tail) = (&sets.bases[self.base], &sets.tails[self.tail]);
        match self.trail() {
            // The time of a schedule that has none, instead of midnight.
            Trail::Time if BASES[self.base].2 => tail.without(left_out),
            Trail::Zone => base.without(left_out).ahead(AHEAD),
            Trail::Count => base.without(left_out).first(COUNT),
            _ => base.and(tail).without(left_out),
        }
    }

    /// Returns what is left out. If a month may be that of several days, it is several sets.
    fn left_out(&self, sets: &Sets) -> Vec<Set> {
        let union = |of: &dyn Fn(usize, usize) -> Set| {
            let items = self.items.iter().enumerate();
            items.fold(Set::none(), |all, (at, item)| all.or(&of(at, *item)))
        };
        let is_date =
            |item: &usize| ITEMS[*item].2 == Kind::Dates && ITEMS[*item].0[0].contains("december");
        let is_first = |item: usize| ITEMS[item].0[0] == "the 1st";
        // "am 1. und am 24. Dezember" is like "on the 1st and 24th of december".
        let of_item = |at: usize, item: usize| {
            let is_before = self.language == Language::German
                && is_first(item)
                && self.items.get(at + 1).is_some_and(is_date);
            if is_before { sets.first_of_december.clone() } else { sets.items[item].clone() }
        };
        let mut readings = vec![union(&of_item)];
        // "24 december and the 1st" may be the first of December.
        if self.items.iter().any(is_date) {
            readings.push(union(&|at, item| {
                if is_first(item) { sets.first_of_december.clone() } else { of_item(at, item) }
            }));
        }
        let kinds: Vec<Kind> = self.items.iter().map(|item| ITEMS[*item].2).collect();
        // "fridays in december and in august" may be fridays in August.
        let is_month = |item: &usize| ITEMS[*item].0[0].contains("august");
        for at in 1..self.items.len() {
            if kinds[at - 1] == Kind::WeekInMonths && is_month(&self.items[at]) {
                readings.push(union(&|place, item| {
                    let set = of_item(place, item);
                    if place == at { set.and(&sets.fridays) } else { set }
                }));
            }
        }
        let open = kinds.windows(2).position(|pair| pair == [Kind::Week, Kind::WeekInMonths]);
        if let Some(open) = open {
            let first = kinds[..open].iter().rposition(|kind| *kind != Kind::Week);
            let first = first.map_or(0, |at| at + 1);
            readings.push(union(&|at, item| {
                let set = of_item(at, item);
                if (first..=open).contains(&at) { set.and(&sets.december) } else { set }
            }));
        }
        readings
    }

    /// Returns every meaning that the sentence may have, and the only one that a reading without a
    /// question may have; `None` if it must be asked or refused.
    fn meanings(&self, sets: &Sets) -> (Vec<Set>, Option<Set>) {
        let base = &sets.bases[self.base];
        let mut left_out = self.left_out(sets);
        // Nobody means a schedule without runs.
        if left_out.iter().any(|left| base.without(left) != Set::none()) {
            left_out.retain(|left| base.without(left) != Set::none());
        }
        let of_schedule: Vec<Set> = left_out.iter().map(|left| self.whole(left, sets)).collect();
        let trail = self.trail();
        let only_of = |all: &[Set]| all.iter().all(|set| *set == all[0]).then(|| all[0].clone());
        if matches!(self.order, Order::Before | Order::First) || trail == Trail::None {
            let only = only_of(&of_schedule);
            return (of_schedule, only);
        }
        let tail = match trail {
            // The last quarter of an hour is not left out.
            Trail::Hours => sets.tails[self.tail].without(&sets.end_of_hours),
            _ => sets.tails[self.tail].clone(),
        };
        let (last, others) = self.items.split_last().unwrap();
        let others = others.iter().fold(Set::none(), |all, item| all.or(&sets.items[*item]));
        let last = &sets.items[*last];
        let of_last = base.without(&others.or(&last.and(&tail)));
        let of_all = base.without(&others.or(last).and(&tail));
        // Months may be those of all days of the week.
        let of_week = self.items.iter().fold(Set::none(), |all, item| {
            let set = &sets.items[*item];
            all.or(&if ITEMS[*item].2 == Kind::Week { set.and(&tail) } else { set.clone() })
        });
        let of_week = base.without(&of_week);
        let added: Vec<Set> = left_out.iter().map(|left| base.without(&left.or(&tail))).collect();
        let mut all = of_schedule.clone();
        let narrows =
            matches!(trail, Trail::Hours | Trail::Months | Trail::Days | Trail::Time | Trail::End);
        if narrows && self.order != Order::And {
            all.extend([of_last.clone(), of_all, of_week]);
        }
        if narrows && self.order != Order::Space {
            all.extend(added.iter().cloned().chain([of_last.clone()]));
        }
        let lacks_time = BASES[self.base].2;
        let only = match (trail, self.order) {
            (Trail::Start | Trail::Zone | Trail::Count, Order::Space | Order::Comma)
            | (Trail::End, Order::Comma) => only_of(&of_schedule),
            (Trail::End, Order::Space) if self.last() != Kind::Dates => only_of(&of_schedule),
            (Trail::Time, Order::Space | Order::Comma) if lacks_time => only_of(&of_schedule),
            // The months belong to the day next to them, if it is one.
            (Trail::Months, Order::Space) if self.last() == Kind::Week => {
                let before = self.items.iter().rev().nth(1).map(|item| ITEMS[*item].2);
                let is_one = before != Some(Kind::Week);
                (is_one && only_of(&left_out).is_some()).then(|| of_last.clone())
            }
            // "fridays in december and in july" may be fridays in July.
            (Trail::Months, Order::And | Order::Comma) if self.last() == Kind::WeekInMonths => None,
            (Trail::Hours | Trail::Months | Trail::Days, Order::And) => only_of(&added),
            (Trail::Time, Order::And) if !lacks_time => only_of(&added),
            // One more of the same kind.
            (_, Order::Comma) if self.is_alike() => only_of(&added),
            _ => None,
        };
        let only = only.or_else(|| only_of(&all));
        (all, only)
    }
}

/// Returns whether a schedule has these runs, seen from several days.
fn is_same(schedule: &Schedule, expected: &Set) -> bool {
    // Runs are counted from where one looks.
    let counts = schedule.max_runs.is_some();
    FROM_DAYS.iter().filter(|days| !counts || **days == 0).all(|days| {
        let from = NOW + i64::try_from(*days).unwrap() * 86_400_000;
        let found = runs(schedule, from, COMPARED);
        let expected = expected.runs(from, COMPARED);
        let end = NOW + 398 * 86_400_000;
        let known = |runs: Vec<i64>| runs.into_iter().filter(|run| *run < end).collect::<Vec<_>>();
        known(found.unwrap_or_default()) == known(expected)
    })
}

fn sentences() -> impl Strategy<Value = Sentence> {
    let orders = select(vec![
        Order::Before,
        Order::Space,
        Order::Space,
        Order::Comma,
        Order::And,
        Order::First,
    ]);
    let items = proptest::collection::vec(0..ITEMS.len(), 1..4);
    (0..BASES.len(), items, 0..2_usize, 0..TAILS.len(), orders, select(&Language::ALL)).prop_map(
        |(base, mut items, joint, tail, order, language)| {
            items.dedup();
            // After a comma, a time of day may be that of the schedule.
            let has_time = items.iter().skip(1).any(|item| ITEMS[*item].0[0] == "at noon");
            let joint = if has_time { 0 } else { joint };
            Sentence { base, items, joint, tail, order, language }
        },
    )
}

#[test]
fn parts_belong_where_a_careful_reader_puts_them() {
    let (understood, asked, refused) = (Cell::new(0_u32), Cell::new(0_u32), Cell::new(0_u32));
    let count = |cell: &Cell<u32>| cell.set(cell.get() + 1);
    let config = Config { cases: 1_500, failure_persistence: None, ..Config::default() };
    let sets = Sets::new();
    // The same sentences every time.
    let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let checked = TestRunner::new_with_rng(config, random).run(&sentences(), |sentence| {
        let words = sentence.words();
        match read(&words, NOW, Zone::UTC, Some(sentence.language)).0 {
            Outcome::Refused(_) => count(&refused),
            Outcome::Understood(reading) => {
                count(&understood);
                let (_, only) = sentence.meanings(&sets);
                let schedule = &reading.schedule;
                let Some(only) = only else {
                    let text = serde_json::to_string(schedule).unwrap();
                    return Err(TestCaseError::fail(format!("{words:?} has two meanings: {text}")));
                };
                prop_assert!(
                    is_same(schedule, &only),
                    "{words:?}: {}",
                    serde_json::to_string(schedule).unwrap()
                );
            }
            Outcome::Ambiguous(ambiguity) => {
                count(&asked);
                let (all, _) = sentence.meanings(&sets);
                for choice in &ambiguity.choices {
                    let schedule = &choice.reading.schedule;
                    prop_assert!(
                        all.iter().any(|set| is_same(schedule, set)),
                        "{words:?}: {}",
                        serde_json::to_string(schedule).unwrap()
                    );
                }
            }
        }
        Ok(())
    });
    println!(
        "{} understood, {} asked back, {} refused",
        understood.get(),
        asked.get(),
        refused.get()
    );
    if let Err(problem) = checked {
        panic!("{problem}");
    }
    // Who refuses everything is never wrong.
    assert!(understood.get() > 250, "only {} were understood", understood.get());
    assert!(asked.get() > 0, "only {} were asked back", asked.get());
}
