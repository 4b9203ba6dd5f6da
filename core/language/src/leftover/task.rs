//! Parts that may belong to the task and not to the schedule: "the conference in may", "3 times
//! around the block", "a break between 12 and 13", "the christmas party".

use super::{ARTICLES, BEFORE_TIME, Rest};
use crate::clause::{Clause, Cycle, Found, Period};
use crate::grammar::is_event;
use crate::lexicon::own_word;
use crate::token::{Kind, Token};
use crate::{Language, Refusal, words};

/// Words before a part that request the task, and do not describe it.
#[rustfmt::skip]
const REQUESTS: &[&str] = &[
    "me", "us", "remind", "reminder", "please", "only", "just", "then",
    "immer", "noch", "nur",
];

/// Words for a time at which a schedule pauses.
#[rustfmt::skip]
const PAUSES: &[&str] = &[
    "break", "breaks", "closed", "hold", "maintenance", "mute", "muted", "none", "nothing", "offline", "pause", "paused", "pauses", "quiet",
    "shut", "silence", "silent", "sleep", "sleeping", "stop", "stops", "suspended", "vacation",
    "geschlossen", "keine", "nichts", "ruhe", "schlafen", "schlaf", "stille", "stumm", "urlaub", "wartung",
];

/// Endings of German words for such a time.
const ENDINGS_OF_PAUSES: &[&str] = &["pause", "ruhe"];

/// Words that make a day of the week another day: "good friday".
#[rustfmt::skip]
const NAMES_OF_DAYS: &[&str] = &[
    "any", "ash", "big", "black", "bowl", "clean", "cyber", "easter", "fat", "giving", "good", "green", "holy", "low", "maundy", "mothering", "palm",
    "patch", "ruby", "shrove", "small", "spy", "super", "whit", "white",
];

/// Names of days with a fixed date.
const HOLIDAYS: &[&str] =
    &["boxing", "christmas", "halloween", "new", "valentine's", "valentines", "xmas"];

/// Words before such a name that make it a day.
const BEFORE_HOLIDAYS: &[&str] =
    &["on", "at", "by", "every", "each", "next", "this", "am", "an", "zu"];

/// Words before such a name that make it a thing.
const BEFORE_THINGS: &[&str] = &["for", "the", "a", "an", "my", "our", "about", "of"];

/// Zones that are also abbreviations of other words.
const SHORT_ZONES: &[&str] = &["ct", "et", "mt", "pt"];

const TIMERS: &[&str] = &["countdown", "timer"];

/// Words for the runs of a task.
#[rustfmt::skip]
const SESSIONS: &[&str] = &[
    "appointments", "classes", "lessons", "meetings", "sessions", "visits",
    "kurstage", "lektionen", "sitzungen", "termine",
];

/// Nouns behind a part of the day that describes them: "at 18:30 evening walk".
#[rustfmt::skip]
const BEHIND_PARTS: &[&str] = &[
    "briefing", "class", "coffee", "jog", "meditation", "meds", "meeting", "news", "prayer", "report", "ride", "routine", "run", "shift", "snack", "standup", "stretch", "swim", "sync", "tea", "team", "walk", "workout", "yoga",
];

const TASK_OR_SCHEDULE: &str = "Does this belong to the task or to the schedule? Write it directly behind the days or the time, or put it in double quotes.";

/// Returns the parts of the day that also describe a thing: "put on the night cream at 22:00". The
/// description keeps them.
pub(crate) fn adjectives<'a>(
    tokens: &'a [Token],
    left: &'a [usize],
    found: &'a [Found],
) -> impl Iterator<Item = usize> + 'a {
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
    let has_time = found.iter().any(|found| matches!(found.clause, Clause::At(_)));
    let parts = found.iter().filter(move |part| {
        let (start, end) = part.tokens;
        let Some(before) = start.checked_sub(1) else { return false };
        let is_part = matches!(part.clause, Clause::Part(_)) && end == start + 1;
        let is_event = left.contains(&before) && is_event(text(before));
        let is_before_noun = left.contains(&end)
            && tokens.get(end).is_some_and(|next| next.kind == Kind::Word)
            && !BEFORE_TIME.contains(&text(end));
        let is_behind_time = || {
            found.iter().any(|time| time.tokens.1 == start && matches!(time.clause, Clause::At(_)))
        };
        let describes = ARTICLES.contains(&text(before))
            || BEHIND_PARTS.contains(&text(end)) && is_behind_time();
        is_part && (is_event || has_time && is_before_noun && describes)
    });
    parts.map(|found| found.tokens.0)
}

impl Rest<'_> {
    /// Refuses parts that may belong to the task.
    pub(super) fn check_parts(&self) -> Result<(), Refusal> {
        for found in self.found {
            let is_unclear = match &found.clause {
                Clause::Months { .. } | Clause::Within(Period::Month { .. } | Period::Year(_)) => {
                    self.follows_task(found) && !self.counts_days(found)
                        || self.precedes_pause(found, false)
                        || self.follows_second_time(found)
                }
                Clause::Window(..) | Clause::Weekdays { .. } => {
                    self.follows_pause(found)
                        || self.precedes_pause(found, true)
                        || self.is_named_day(found)
                }
                Clause::Count(_) => self.follows_task(found) || self.counts_task(found),
                Clause::For(amount) if amount.days > 0 || amount.months > 0 => {
                    self.is_length_of_task(found) || self.follows_pause(found)
                }
                Clause::At(_) => {
                    self.check_timer(found)?;
                    self.ends_with_count(found)
                }
                Clause::In(_) | Clause::For(_) => {
                    self.check_second_length(found)?;
                    false
                }
                Clause::From(_) => self.is_origin(found) || self.follows_pause(found),
                Clause::Until(_) => self.follows_pause(found),
                Clause::Zone(_) => self.is_short_zone(found),
                Clause::Day(_) | Clause::Dates(_) => {
                    self.is_named_day(found) || self.is_adjective(found)
                }
                Clause::Cycle { cycle: Cycle::Seconds(600..), .. } => {
                    self.check_now()?;
                    false
                }
                _ => false,
            };
            if is_unclear {
                return Err(self.refuse_part(found));
            }
        }
        Ok(())
    }

    /// Refuses "timer for 1:30", which may be a length or a time of day.
    fn check_timer(&self, found: &Found) -> Result<(), Refusal> {
        let mut at = found.tokens.0;
        let mut has_for = false;
        while at > 0 && matches!(self.own(at - 1), "for" | "auf" | ":" | "set") {
            has_for |= matches!(self.own(at - 1), "for" | "auf");
            at -= 1;
        }
        let begins = has_for || matches!(self.own(found.tokens.0), "for");
        let is_timer = at > 0 && TIMERS.contains(&self.own(at - 1));
        let has_colon = (found.tokens.0..found.tokens.1).any(|at| self.text(at) == ":");
        if is_timer && (begins || has_colon) {
            let message = "Is this a length or a time of day? Write, say, \"timer for 90 minutes\" or \"at 13:30\".";
            return Err(self.refuse(found.tokens.0, message));
        }
        Ok(())
    }

    /// Refuses "a timer for 5 minutes and another for 10 minutes".
    fn check_second_length(&self, found: &Found) -> Result<(), Refusal> {
        let is_length = |part: &&Found| matches!(part.clause, Clause::In(_) | Clause::For(_));
        let has_timer = (0..self.tokens.len()).any(|at| TIMERS.contains(&self.own(at)));
        let is_second = self.found.iter().filter(is_length).count() > 1;
        if has_timer && is_second {
            let message = "A sentence creates one task: write one sentence for each timer.";
            return Err(self.refuse(found.tokens.0, message));
        }
        Ok(())
    }

    fn refuse_part(&self, found: &Found) -> Refusal {
        Refusal { span: found.span, ..self.refuse(found.tokens.0, TASK_OR_SCHEDULE) }
    }

    /// Returns the word without the mark of its language.
    pub(super) fn own(&self, at: usize) -> &str {
        own_word(self.text(at)).unwrap_or(self.text(at))
    }

    /// Returns whether a word of the task is directly before a part.
    fn follows_task(&self, found: &Found) -> bool {
        found.tokens.0.checked_sub(1).is_some_and(|before| {
            let is_word = self.is_ordinary(before)
                || self.is_left(before) && self.suspicion(before).is_some();
            is_word && !REQUESTS.contains(&self.own(before))
        })
    }

    /// Returns whether a part with months also says which of their days: "the second wednesday of
    /// each quarter".
    fn counts_days(&self, months: &Found) -> bool {
        let is_same = |found: &Found| {
            found.tokens == months.tokens
                && matches!(found.clause, Clause::Nth { .. } | Clause::MonthDays { .. })
        };
        self.found.iter().any(is_same)
    }

    /// Returns whether a number of times is followed by what is repeated: "3 times around the block".
    fn counts_task(&self, found: &Found) -> bool {
        let end = found.tokens.1;
        self.is_left(end)
            && self.tokens.get(end).is_some_and(|next| next.kind == Kind::Word)
            && !matches!(self.text(end), "and" | "to" | "then" | "please")
    }

    /// Returns whether a month may belong to the last of several times: "at 6pm, at 7pm in august".
    fn follows_second_time(&self, found: &Found) -> bool {
        let is_time =
            |time: &&Found| time.tokens.1 == found.tokens.0 && matches!(time.clause, Clause::At(_));
        self.found.iter().find(is_time).is_some_and(|time| {
            (time.tokens.0..time.tokens.1)
                .any(|at| self.text(at) == "," && self.text(at + 1) == "at")
        })
    }

    /// Returns whether a start says where something comes from: "the numbers from monday every
    /// tuesday".
    fn is_origin(&self, found: &Found) -> bool {
        let (start, end) = found.tokens;
        let days =
            |next: &Found| next.tokens.0 == end && matches!(next.clause, Clause::Weekdays { .. });
        // "the conference from 3 to 5 may, every monday"
        let is_apart =
            self.text(end) == "," && self.begins_part(end + 1) && !self.has_part_before(start);
        self.text(start) == "from"
            && self.follows_task(found)
            && (is_apart || self.found.iter().any(days))
    }

    fn is_pause(&self, at: usize) -> bool {
        let word = self.own(at);
        self.is_left(at)
            && (PAUSES.contains(&word) || ENDINGS_OF_PAUSES.iter().any(|end| word.ends_with(end)))
    }

    /// Returns whether the words between this part and the part before it say that nothing happens:
    /// "every hour, lunch break between 12 and 13".
    fn follows_pause(&self, found: &Found) -> bool {
        let mut at = found.tokens.0;
        let mut pauses = false;
        while let Some(before) = at.checked_sub(1) {
            if self.text(before) == "," || self.ends_part(at) {
                return pauses && self.has_part_before(at);
            }
            pauses |= self.is_pause(before);
            at = before;
        }
        false
    }

    /// Returns whether a part behind a comma is followed by such words: ", im August Pause".
    fn precedes_pause(&self, found: &Found, needs_pause: bool) -> bool {
        let (start, end) = found.tokens;
        let is_apart = start > 0 && self.text(start - 1) == "," && self.has_part_before(start);
        is_apart && self.is_ordinary(end) && (!needs_pause || self.is_pause(end))
    }

    /// Returns whether a length belongs to the task: "book a room for two weeks every monday".
    fn is_length_of_task(&self, found: &Found) -> bool {
        let days = |found: &Found| matches!(found.clause, Clause::Weekdays { .. });
        let recurs = self.found.iter().any(|next| next.tokens.0 == found.tokens.1 && days(next));
        recurs && self.follows_task(found) && !self.has_part_before(found.tokens.0)
    }

    /// Returns whether the last number of a time counts something: "um acht zehn Liegestütze".
    fn ends_with_count(&self, found: &Found) -> bool {
        let (start, end) = found.tokens;
        if end < start + 2 || !self.is_ordinary(end) {
            return false;
        }
        let is_word = |at: usize| words::number(self.text(at)).is_some();
        let is_number = |at: usize| {
            is_word(at) || self.tokens.get(at).is_some_and(|token| token.kind == Kind::Number)
        };
        // "at 9, 2 pills"
        let is_pair = matches!(&found.clause, Clause::At(times) if times.len() == 2)
            && end == start + 4
            && is_number(end - 1)
            && self.text(end - 2) == ",";
        is_pair
            || is_word(end - 1)
                && is_word(end - 2)
                && (self.language == Language::German || self.text(end - 1) == "ten")
    }

    fn is_short_zone(&self, found: &Found) -> bool {
        let end = found.tokens.1;
        let last = end.saturating_sub(1);
        let is_lower = self.written(last).chars().all(char::is_lowercase);
        SHORT_ZONES.contains(&self.text(last)) && is_lower && self.is_ordinary(end)
    }

    /// Returns whether the word before a day of the week makes it another day: "on good friday".
    fn is_named_day(&self, found: &Found) -> bool {
        let start = found.tokens.0;
        let Some(before) = start.checked_sub(1) else { return false };
        if words::weekday(self.text(start)).is_none() {
            return false;
        }
        let is_at_preposition = before.checked_sub(1).is_some_and(|on| {
            self.text(on) == "on"
                && (on == 0
                    || self.ends_part(on)
                    || matches!(self.text(on - 1), "me" | "us" | "," | "reminder" | "that"))
        });
        self.is_left(before) && NAMES_OF_DAYS.contains(&self.own(before))
            || is_at_preposition && self.is_ordinary(before)
    }

    /// Returns whether the name of a holiday describes a thing: "the christmas party".
    fn is_adjective(&self, found: &Found) -> bool {
        let (start, end) = found.tokens;
        if !HOLIDAYS.contains(&self.text(start)) {
            return false;
        }
        let before = start.checked_sub(1).map_or("", |before| self.own(before));
        BEFORE_THINGS.contains(&before) && own_word(self.text(start - 1)).is_none()
            || self.is_ordinary(end) && !BEFORE_HOLIDAYS.contains(&before)
    }

    /// Refuses "every 3 hours starting now", because the hours are counted from midnight.
    fn check_now(&self) -> Result<(), Refusal> {
        let is_start = |at: &usize| {
            matches!(self.text(*at), "starting" | "start" | "beginning" | "begin" | "from")
                && matches!(self.text(at + 1), "now" | "immediately")
        };
        (0..self.tokens.len()).find(is_start).map_or(Ok(()), |at| {
            Err(self.refuse(at, "When does it start? Write, say, \"starting at 10:15\"."))
        })
    }

    /// Refuses words that make the schedule depend on something, or that say which of its days.
    pub(super) fn check_condition(&self, at: usize) -> Result<(), Refusal> {
        let word = self.own(at);
        let before = at.checked_sub(1).map_or("", |before| self.own(before));
        let next = self.own(at + 1);
        let (is_behind, is_before) = (self.ends_part(at), self.begins_part(at + 1));
        let is_condition = match word {
            "provided" | "providing" | "onward" | "onwards" => is_behind,
            "as" => next == "long" && self.own(at + 2) == "as" && self.has_part_before(at),
            "eve" => is_behind || next == "of" || before == "the",
            "school" => is_before && matches!(next, "night" | "nights"),
            "end" => next == "of" && self.begins_part(at + 2),
            "karwoche" | "projektwoche" | "valentine's" | "valentines" => true,
            "mo" => next == "fr",
            "any" | "alt" | "~" => is_before,
            "denn" => before == "sei",
            "einmalig" | "letztmalig" | "kaum" | "meist" | "meistens" | "grob" => {
                is_behind || is_before || next == "ein" || at == 0
            }
            "alternierend" | "kalenderwoche" | "kalenderwochen" | "kw" | "wechsel" | "turnus" => {
                own_word(self.text(at)).is_some()
            }
            "versetzt" => is_before || is_behind,
            _ => {
                word.starts_with("ungerade")
                    || word.starts_with("gerade") && (is_before || next.starts_with("woche"))
                    || is_before && (word.starts_with("manch") || word.starts_with("irgendein"))
            }
        };
        if is_condition {
            let message = "When exactly? This may change the schedule, but is not understood.";
            return Err(self.refuse(at, message));
        }
        if at > 1 && SESSIONS.contains(&word) && self.counts_sessions(at - 1) {
            let message = "Is this how often the task runs? Write, say, \"10 times\".";
            return Err(self.refuse(at, message));
        }
        self.check_name_of_day(at, word)
    }

    /// Returns whether a number directly behind a part may be the number of runs: "every monday at
    /// 6pm, 10 sessions".
    fn counts_sessions(&self, number: usize) -> bool {
        let is_number = self.tokens.get(number).is_some_and(|token| token.kind == Kind::Number)
            || words::number(self.text(number)).is_some();
        is_number && (self.ends_part(number) || self.text(number - 1) == ",")
    }

    /// Refuses a German day without a known date, such as "Rosenmontag", if no part says on which
    /// day.
    fn check_name_of_day(&self, at: usize, word: &str) -> Result<(), Refusal> {
        let says_day = |found: &Found| {
            !matches!(
                found.clause,
                Clause::At(_) | Clause::Part(_) | Clause::Zone(_) | Clause::LocalZone
            )
        };
        if self.language == Language::German
            && words::is_named_day(word)
            && self.tokens.get(at).is_some_and(|token| token.kind == Kind::Word)
            && !self.found.iter().any(says_day)
        {
            return Err(self.refuse(at, "Which date is this? A sentence knows no such days."));
        }
        Ok(())
    }
}
