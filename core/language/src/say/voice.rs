//! The phrases of sentences in each language. Each `{}` is replaced by a value, in order.

use crate::Language;
use crate::clock_text::{DAYS, MONTHS};
use crate::words::Unit;
use chrono::{Datelike, NaiveDate};

/// The phrases of a language. [`crate::parse`] reads every sentence that consists of them.
#[derive(Debug)]
pub(super) struct Voice {
    days: [&'static str; 7],
    months: [&'static str; 12],
    /// The ordinals from first to fifth.
    ordinals: [&'static str; 5],
    pub(super) last: &'static str,
    pub(super) last_day: &'static str,
    pub(super) working_day: &'static str,
    and: &'static str,
    /// The singular and the plural of seconds, minutes, hours, days, weeks, months and years.
    every: [(&'static str, &'static str); 7],
    pub(super) every_of_days: &'static str,
    pub(super) every_weekday: &'static str,
    pub(super) on: &'static str,
    pub(super) on_the: &'static str,
    in_months: &'static str,
    pub(super) at: &'static str,
    pub(super) at_minute: &'static str,
    /// An interval, and its first and last time.
    pub(super) between: &'static str,
    /// What is counted in every month.
    pub(super) of_every_month: &'static str,
    /// What is counted, and the months of every year.
    pub(super) of_months: &'static str,
    /// Days of the month, and the months of every year.
    pub(super) days_of_months: &'static str,
    /// Day and month of every year.
    pub(super) every_year_on: &'static str,
    /// A time and a date.
    pub(super) once: &'static str,
    date: &'static str,
    pub(super) day_number: &'static str,
    pub(super) starting: &'static str,
    pub(super) until: &'static str,
    pub(super) times: &'static str,
    pub(super) zone: &'static str,
    pub(super) quoted_zone: &'static str,
    pub(super) instant: &'static str,
    pub(super) expression: &'static str,
    pub(super) expressions: &'static str,
    pub(super) rule: &'static str,
    pub(super) counted_from: &'static str,
    /// What is left out.
    pub(super) except: &'static str,
    /// A date of every year, or a range of them.
    pub(super) yearly_date: &'static str,
    /// The first and the last of several dates.
    pub(super) date_range: &'static str,
    /// A calendar by its name.
    pub(super) calendar: &'static str,
    /// Days of the week, and the months in which they are left out.
    pub(super) days_in_months: &'static str,
    /// A day of the week that recurs: "Fridays", "freitags".
    recurring_day: &'static str,
    /// Whether such a day is written in lower case.
    has_adverbs: bool,
    /// The begin and the end of a time of day.
    pub(super) excepted_times: &'static str,
    pub(super) moved_to_next: &'static str,
    pub(super) moved_to_previous: &'static str,
}

const ENGLISH: Voice = Voice {
    days: DAYS,
    months: MONTHS,
    ordinals: ["first", "second", "third", "fourth", "fifth"],
    last: "last",
    last_day: "last day",
    working_day: "working day",
    and: "and",
    every: [
        ("every second", "every {} seconds"),
        ("every minute", "every {} minutes"),
        ("every hour", "every {} hours"),
        ("every day", "every {} days"),
        ("every week", "every {} weeks"),
        ("every month", "every {} months"),
        ("every year", "every {} years"),
    ],
    every_of_days: "every {}",
    every_weekday: "every weekday",
    on: " on {}",
    on_the: " on the {}",
    in_months: " in {}",
    at: " at {}",
    at_minute: " at :{}",
    between: "{} between {} and {}",
    of_every_month: "on the {} of every month",
    of_months: "on the {} of {} every year",
    days_of_months: "on the {} of {} every year",
    every_year_on: "every year on the {} of {}",
    once: "at {} on {}",
    date: "{} {} {}",
    day_number: "{}",
    starting: " starting {}",
    until: " until {}",
    times: ", {} times",
    zone: "in {}",
    quoted_zone: "in the time zone \"{}\"",
    instant: "at {}",
    expression: "by the cron expression {}",
    expressions: "by the cron expressions {}",
    rule: "by the rule {}",
    counted_from: " counted from {}",
    except: " except {}",
    yearly_date: "every {}",
    date_range: "{} to {}",
    calendar: "calendar \"{}\"",
    days_in_months: "{} in {}",
    recurring_day: "{}s",
    has_adverbs: false,
    excepted_times: "from {} to {}",
    moved_to_next: " moved to the next day",
    moved_to_previous: " moved to the previous day",
};

const GERMAN: Voice = Voice {
    days: ["Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"],
    months: [
        "Januar",
        "Februar",
        "März",
        "April",
        "Mai",
        "Juni",
        "Juli",
        "August",
        "September",
        "Oktober",
        "November",
        "Dezember",
    ],
    ordinals: ["ersten", "zweiten", "dritten", "vierten", "fünften"],
    last: "letzten",
    last_day: "letzten Tag",
    working_day: "Werktag",
    and: "und",
    every: [
        ("jede Sekunde", "alle {} Sekunden"),
        ("jede Minute", "alle {} Minuten"),
        ("jede Stunde", "alle {} Stunden"),
        ("jeden Tag", "alle {} Tage"),
        ("jede Woche", "alle {} Wochen"),
        ("jeden Monat", "alle {} Monate"),
        ("jedes Jahr", "alle {} Jahre"),
    ],
    every_of_days: "jeden {}",
    every_weekday: "jeden Wochentag",
    on: " am {}",
    on_the: " am {}",
    in_months: " im {}",
    at: " um {} Uhr",
    at_minute: " um :{}",
    between: "{} zwischen {} und {} Uhr",
    of_every_month: "am {} jedes Monats",
    of_months: "jedes Jahr am {} im {}",
    days_of_months: "jedes Jahr am {} im {}",
    every_year_on: "jedes Jahr am {} {}",
    once: "um {} Uhr am {}",
    date: "{}. {} {}",
    day_number: "{}.",
    starting: " ab {}",
    until: " bis {}",
    times: ", {} Mal",
    zone: "in {}",
    quoted_zone: "in der Zeitzone \"{}\"",
    instant: "um {}",
    expression: "nach dem Cron-Ausdruck {}",
    expressions: "nach den Cron-Ausdrücken {}",
    rule: "nach der Regel {}",
    counted_from: " gezählt ab {}",
    except: " außer {}",
    yearly_date: "jedem {}",
    date_range: "{} bis {}",
    calendar: "Kalender \"{}\"",
    days_in_months: "{} im {}",
    recurring_day: "{}s",
    has_adverbs: true,
    excepted_times: "von {} bis {} Uhr",
    moved_to_next: " verschoben auf den nächsten Tag",
    moved_to_previous: " verschoben auf den vorigen Tag",
};

impl Language {
    pub(super) fn voice(self) -> &'static Voice {
        match self {
            Self::English => &ENGLISH,
            Self::German => &GERMAN,
        }
    }
}

/// Replaces each `{}` of a template by a value.
pub(super) fn fill(template: &str, values: &[&str]) -> String {
    let mut text = String::with_capacity(template.len() + 32);
    let mut values = values.iter();
    let mut pieces = template.split("{}");
    text.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        text.push_str(values.next().copied().unwrap_or_default());
        text.push_str(piece);
    }
    text
}

impl Voice {
    /// Returns the name of a day of the week, from Monday, 0.
    pub(super) fn day(&self, day: usize) -> Option<&'static str> {
        self.days.get(day).copied()
    }

    /// Returns the name of a day of the week that recurs, from Monday, 0. In German, it is an
    /// adverb.
    pub(super) fn recurring_day(&self, day: usize) -> Option<String> {
        let name = fill(self.recurring_day, &[self.day(day)?]);
        Some(if self.has_adverbs { name.to_lowercase() } else { name })
    }

    /// Returns the name of a month, from 1.
    pub(super) fn month(&self, month: u32) -> Option<&'static str> {
        self.months.get(usize::try_from(month).ok()?.checked_sub(1)?).copied()
    }

    /// Returns `first` to `fifth`.
    pub(super) fn ordinal(&self, number: &str) -> Option<&'static str> {
        self.ordinals.get(number.parse::<usize>().ok()?.checked_sub(1)?).copied()
    }

    /// Joins words: "a, b and c".
    pub(super) fn join(&self, words: &[String]) -> String {
        match words.split_last() {
            None => String::new(),
            Some((last, [])) => last.clone(),
            Some((last, others)) => format!("{} {} {last}", others.join(", "), self.and),
        }
    }

    /// Writes "every 3 days".
    pub(super) fn every(&self, number: u32, unit: Unit) -> String {
        let unit = match unit {
            Unit::Second => 0,
            Unit::Minute => 1,
            Unit::Hour => 2,
            Unit::Day => 3,
            Unit::Week => 4,
            Unit::Month | Unit::Quarter => 5,
            Unit::Year => 6,
        };
        let (one, several) = self.every.get(unit).copied().unwrap_or_default();
        if number == 1 { one.to_owned() } else { fill(several, &[&number.to_string()]) }
    }

    /// Writes " in May and June"; nothing for all months.
    pub(super) fn in_months(&self, months: &[String]) -> String {
        if months.is_empty() { String::new() } else { fill(self.in_months, &[&self.join(months)]) }
    }

    /// Writes a date with its year.
    pub(super) fn date(&self, date: NaiveDate) -> String {
        let month = self.month(date.month()).unwrap_or_default();
        fill(self.date, &[&date.day().to_string(), month, &date.year().to_string()])
    }

    /// Writes a date without its year: `24 December`, `24. Dezember`.
    pub(super) fn day_and_month(&self, date: NaiveDate) -> String {
        let month = self.month(date.month()).unwrap_or_default();
        fill(self.date, &[&date.day().to_string(), month, ""]).trim_end().to_owned()
    }

    /// Writes the number of a day with its ending: `1st`, `1.`.
    pub(super) fn day_of_month(&self, day: u32) -> String {
        if self.day_number == "{}" {
            let ending = match (day % 10, day / 10) {
                (_, 1) => "th",
                (1, _) => "st",
                (2, _) => "nd",
                (3, _) => "rd",
                _ => "th",
            };
            format!("{day}{ending}")
        } else {
            fill(self.day_number, &[&day.to_string()])
        }
    }
}
