//! The words that belong to no part of a phrase. A phrase is refused if one of them may say
//! something about time. Otherwise they are the description of the task ([`crate::description`]).

mod changes;
mod nouns;
mod numbers;
mod place;
mod task;
mod vague;
mod waking;

pub(crate) use task::adjectives;
pub(crate) use vague::check_assumed;
pub(crate) use waking::is_waking;

use crate::clause::{Clause, ClockKind, Day, Found};
use crate::grammar::Parts;
use crate::lexicon::own_word;
use crate::names::Name;
use crate::token::{Kind, Token};
use crate::words::{self, Suspicion};
use crate::{Language, Reason, Refusal, Span};
use std::cell::OnceCell;

/// Words that come before a day or a time.
const BEFORE_TIME: &[&str] =
    &["at", "around", "about", "by", "in", "on", "@", "of", "approximately", "towards"];

/// Words after a schedule that may exclude some of its runs, in ways that the grammar does not
/// support.
#[rustfmt::skip]
const EXCLUDING: &[&str] = &[
    "apart", "bar", "barring", "save", "outside", "aside", "excl", "excluded", "exempt", "exempting", "less", "sans", "plus", "off", "free", "versus", "rather", "avoiding", "omitting", "omit", "ignoring", "leaving", "minus",
    "closed", "unavailable", "cancelled", "paused", "otherwise", "else", "excepted", "omitted", "skipped", "ignored", "exempted", "again", "thereafter", "afterwards", "beforehand", "meanwhile", "somewhere", "instead", "nor", "neither",
];

/// Words before a time that make it a name: "the 9am meeting".
const ARTICLES: &[&str] =
    &["the", "a", "an", "my", "our", "your", "his", "her", "their", "this", "that"];

/// Words that have no meaning without the words after them.
const STRUCTURAL: &[&str] = &[
    "every", "each", "until", "till", "from", "starting", "between", "next", "last", "in", "at",
    "on", "by", "to", "about", "of", "around", "within", "the", "a", "this",
];

/// How to leave out holidays.
pub(crate) const NO_HOLIDAYS: &str = "A sentence knows no holidays: list their dates, or store them as a calendar and leave it out, as in \
                                      except calendar \"holidays\".";

/// Words that announce a change.
const CHANGED: &[&str] =
    &["moved", "rescheduled", "postponed", "shifted", "delayed", "changed", "replaced"];

/// Returns why a word about time is not understood.
fn unknown(word: &str) -> &'static str {
    match word {
        "moon" => "The scheduler does not know the phases of the moon: give the date.",
        "sunrise" | "sunset" | "dawn" | "dusk" => {
            "The scheduler does not know when the sun rises and sets: give a time of day."
        }
        "holiday" | "holidays" | "easter" | "thanksgiving" => NO_HOLIDAYS,
        "eightdays" => "Is this 8 days or a week? Write the number in figures, or \"einer Woche\".",
        _ => {
            "This may say when, but is not understood. Put text that says nothing about time in double quotes."
        }
    }
}

/// The words that belong to no part, with their neighbors.
struct Rest<'a> {
    phrase: &'a str,
    tokens: &'a [Token],
    left: &'a [usize],
    found: &'a [Found],
    names: &'a [Name],
    language: Language,
    /// The suspicion of each token, once it has been determined.
    suspicions: Vec<OnceCell<Option<Suspicion>>>,
}

/// Returns whether the phrase speaks to a person who wants to be reminded.
pub(crate) fn is_reminder(tokens: &[Token]) -> bool {
    tokens
        .iter()
        .any(|token| matches!(token.text.as_str(), "remind" | "reminder" | "forget" | "alarm"))
}

/// Refuses words that may say something about time.
///
/// # Errors
/// Returns an error that names the first such word.
pub(crate) fn check(
    phrase: &str,
    tokens: &[Token],
    parts: &Parts,
    language: Language,
) -> Result<(), Refusal> {
    let suspicions = vec![OnceCell::new(); tokens.len()];
    let Parts { found, left_over: left, names } = parts;
    let rest = Rest { phrase, tokens, left, found, names, language, suspicions };
    rest.check_request()?;
    // A typing error explains the words around it.
    let is_error = |at: &&usize| {
        matches!(rest.suspicion(**at), Some(Suspicion::Misspelt(_) | Suspicion::Foreign))
    };
    left.iter().find(is_error).map_or(Ok(()), |at| rest.check(*at))?;
    // "every full moon" is refused because of its moon.
    let says_what = |at: &&usize| !STRUCTURAL.contains(&rest.text(**at));
    left.iter().filter(says_what).try_for_each(|at| rest.check(*at))?;
    left.iter().try_for_each(|at| rest.check(*at))?;
    rest.check_parts()
}

impl Rest<'_> {
    fn text(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| &token.text)
    }

    fn is_left(&self, at: usize) -> bool {
        self.left.contains(&at)
    }

    /// Returns whether this token is a word of the description that says nothing about time and
    /// joins nothing.
    fn is_ordinary(&self, at: usize) -> bool {
        let Some(token) = self.tokens.get(at).filter(|token| token.kind == Kind::Word) else {
            return false;
        };
        let word = token.text.as_str();
        self.is_left(at)
            && self.suspicion(at).is_none()
            && words::number(word).is_none()
            && !BEFORE_TIME.contains(&word)
            && !matches!(word, "and" | "to" | "for" | "with")
    }

    /// Returns why a token is suspicious if it belongs to no part.
    fn suspicion(&self, at: usize) -> Option<Suspicion> {
        let known = self.suspicions.get(at)?;
        *known.get_or_init(|| self.suspicion_of(self.text(at)))
    }

    fn suspicion_of(&self, word: &str) -> Option<Suspicion> {
        let lexicon = self.language.lexicon();
        let known = match own_word(word) {
            None => words::suspicion(word),
            // In the language of the phrase, the word is not about time.
            Some(own) if lexicon.is_ordinary(own) => return None,
            Some(own) if words::is_german_time(own) => Some(Suspicion::AboutTime),
            Some(own) => {
                (words::is_about_time(own) || words::is_foreign(own)).then_some(Suspicion::Foreign)
            }
        };
        let own = own_word(word).unwrap_or(word);
        known.or_else(|| lexicon.misspelt(own).map(Suspicion::Misspelt))
    }

    /// Returns whether a part that says when begins at this token.
    fn begins_part(&self, at: usize) -> bool {
        self.found.iter().any(|found| found.tokens.0 == at)
    }

    fn ends_part(&self, at: usize) -> bool {
        self.found.iter().any(|found| found.tokens.1 == at)
    }

    fn refuse(&self, at: usize, message: impl Into<String>) -> Refusal {
        let span = self.tokens.get(at).map_or(Span { start: 0, end: 0 }, |token| token.span);
        Refusal::new(Reason::NotUnderstood, span, message)
    }

    fn check(&self, at: usize) -> Result<(), Refusal> {
        let Some(token) = self.tokens.get(at) else { return Ok(()) };
        if self.check_name(at)? {
            return Ok(());
        }
        match token.kind {
            Kind::Quoted => Ok(()),
            Kind::Number => self.check_number(at),
            Kind::Symbol => self.check_symbol(at),
            Kind::Word if words::number(&token.text).is_some() && token.text != "one" => {
                self.check_number(at)
            }
            Kind::Word => self.check_word(at, &token.text),
        }
    }

    fn check_symbol(&self, at: usize) -> Result<(), Refusal> {
        self.check_condition(at)?;
        let before_exception = self
            .found
            .iter()
            .any(|found| found.tokens.0 == at + 1 && matches!(found.clause, Clause::Except(_)));
        let is_between_parts = self.ends_part(at) && self.begins_part(at + 1) && !before_exception;
        let touches_number =
            self.tokens.get(at + 1).is_some_and(|next| next.is_glued && next.kind == Kind::Number)
                && matches!(self.text(at), "-" | "/" | "+" | "*")
                && !self.is_in_word(at);
        if self.text(at) == "*"
            || touches_number
            || is_between_parts && matches!(self.text(at), "-" | "/" | "|" | "<" | ">" | "=")
        {
            let message = "This sign is not understood. Write a cron expression in double quotes: cron \"0 9 * * *\".";
            return Err(self.refuse(at, message));
        }
        Ok(())
    }

    /// Returns whether a hyphen is within a word of the task: "the under-12s".
    pub(super) fn is_in_word(&self, at: usize) -> bool {
        let is_glued = |at: usize| self.tokens.get(at).is_some_and(|token| token.is_glued);
        self.text(at) == "-"
            && at > 0
            && self.is_ordinary(at - 1)
            && is_glued(at)
            && is_glued(at + 2)
            && self.is_left(at + 1)
    }

    fn check_word(&self, at: usize, word: &str) -> Result<(), Refusal> {
        let before = at.checked_sub(1).map_or("", |before| self.text(before));
        let next = self.text(at + 1);
        let before_zone = self.found.iter().any(|found| {
            found.tokens.0 == at + 1 && matches!(found.clause, Clause::Zone(_) | Clause::LocalZone)
        });
        if word == "end" && self.begins_part(at + 1) {
            return Err(
                self.refuse(at, "The end of what? Write, say, \"at the end of the month\".")
            );
        }
        if word == "very" && self.begins_part(at + 1) {
            return Err(self.refuse(at, "Do you mean \"every\"?"));
        }
        // "daily at neon and midnight"
        let is_list = self.begins_part(at + 3)
            && matches!(self.text(at + 2), "and" | ",")
            && self
                .found
                .iter()
                .any(|found| found.tokens.0 == at + 3 && matches!(found.clause, Clause::At(_)));
        if word == "at" && is_list {
            return Err(self.refuse(at + 1, "This is not understood as a time."));
        }
        if word == "and" && before_zone {
            return Err(self.refuse(at, "A schedule has one time zone."));
        }
        self.check_vague(at, word)?;
        self.check_condition(at)?;
        if CHANGED.contains(&word) {
            return Err(
                self.refuse(at, "A sentence creates a schedule. It cannot change one that exists.")
            );
        }
        // "turn off the lights"
        let is_particle = word == "off" && at > 0 && self.is_ordinary(at - 1);
        if self.has_part_before(at) && EXCLUDING.contains(&word) && !is_particle {
            return Err(self.refuse(
                at,
                "This may leave something out, but is not understood: write \"except\".",
            ));
        }
        self.check_place(at, word)?;
        self.check_determiner(at, word)?;
        // "log london time every friday"
        if word == "time" && at > 0 && self.is_city(at - 1) {
            return Err(self.refuse(
                at - 1,
                "Is this a time zone? Write, say, \"in London time\", or put it in double quotes.",
            ));
        }
        if word == "time"
            && (0..4).any(|back| at.checked_sub(back).is_some_and(|at| self.ends_part(at)))
        {
            return Err(self
                .refuse(at, "This is not a known time zone: write a name such as Europe/Berlin."));
        }
        if word == "ish" {
            return Err(self.refuse(
                at,
                "A time that is only about right is not a schedule: give the exact time.",
            ));
        }
        let message = match self.suspicion(at) {
            None => return Ok(()),
            Some(_) if self.is_harmless(at, word, before, next) => return Ok(()),
            Some(Suspicion::Foreign) => {
                "This is in another language than the rest. English and German are understood."
                    .to_owned()
            }
            Some(Suspicion::Misspelt(known)) => {
                format!("Do you mean \"{known}\"? If not, put the word in double quotes.")
            }
            Some(Suspicion::AboutTime) => unknown(own_word(word).unwrap_or(word)).to_owned(),
        };
        Err(self.refuse(at, message))
    }

    /// Refuses "the 9am meeting", "some mondays" and "the mondays".
    fn check_determiner(&self, at: usize, word: &str) -> Result<(), Refusal> {
        let before_days = self.found.iter().any(|found| {
            found.tokens.0 == at + 1 && matches!(found.clause, Clause::Weekdays { .. })
        });
        let before_time = self
            .found
            .iter()
            .any(|found| found.tokens.0 == at + 1 && matches!(found.clause, Clause::At(_)));
        if before_time && ARTICLES.contains(&word) {
            return Err(
                self.refuse(at, "Is this the time of the task, or of something else? Write \"at\" before the time of the task.")
            );
        }
        let is_some =
            matches!(word, "some" | "most" | "many" | "certain" | "various" | "all" | "both")
                && self.begins_part(at + 1);
        if is_some || word == "the" && before_days {
            return Err(self.refuse(at, "Which of them? Write, say, \"every monday\"."));
        }
        Ok(())
    }

    fn has_part_before(&self, at: usize) -> bool {
        self.found.iter().any(|found| found.tokens.1 <= at)
    }

    /// Returns whether a word about time does not say anything about it here.
    fn is_harmless(&self, at: usize, word: &str, before: &str, next: &str) -> bool {
        let before_that = at.checked_sub(2).map_or("", |before| self.text(before));
        let is_unit = words::unit(word).is_some()
            || matches!(word, "weekend" | "birthday" | "anniversary" | "holiday" | "holidays");
        let is_own = matches!(
            before,
            "my" | "your" | "our" | "their" | "his" | "her" | "the" | "mom's" | "happy"
        );
        let follows_preposition = BEFORE_TIME.contains(&before_that)
            || matches!(before_that, "for" | "until" | "over" | "every" | "each" | "from")
            || matches!(before_that, "beginning" | "end" | "half" | "middle" | "start")
            || at.checked_sub(2).is_some_and(|before| self.suspicion(before).is_some());
        let is_noun = is_unit && is_own && !follows_preposition && next != "of" && at >= 2;
        let is_verb = matches!(word, "start" | "begin" | "starts" | "begins")
            && (self.is_ordinary(at + 1)
                || matches!(next, "a" | "my")
                || self.is_thing(at + 1, next))
            && self.is_left(at + 1);
        let is_not_forgetting = matches!(word, "don't" | "dont" | "not")
            && (next == "forget" || next == "let")
            && before != "to";
        let is_modal = word == "may" && matches!(before, "i" | "you" | "we" | "it" | "they");
        let is_being = word == "am" && before == "i";
        // "read-only"
        let is_limited = word == "only" && before == "-" && at > 1 && self.is_ordinary(at - 2);
        // "the under-12s"
        let is_of_number = word == "s" && at > 1 && self.is_in_word(at - 2);
        let is_protocol = word == "minutes" && matches!(before, "meeting" | "board" | "session");
        let is_cron_job = word == "cron" && matches!(next, "job" | "jobs" | "task" | "tasks");
        // "the overnight batch"
        let is_adjective = word == "overnight" && self.is_ordinary(at + 1) && !self.ends_part(at);
        let is_date = |found: &Found| matches!(found.clause, Clause::Day(Day::Date { .. }));
        let is_persons = matches!(word, "birthday" | "anniversary")
            && before.ends_with("'s")
            && !follows_preposition
            && self.found.iter().any(is_date);
        // "payday is every other friday"
        let is_subject = matches!(word, "birthday" | "deadline" | "payday")
            && next == "is"
            && self.begins_part(at + 2);
        // "birthday of Aunt Claire every 9 june"
        let is_of_person = matches!(word, "birthday" | "anniversary")
            && next == "of"
            && self.is_ordinary(at + 2)
            && self.found.iter().any(is_date);
        let is_whether = word == "if"
            && matches!(before, "check" | "checks" | "checking" | "see" | "test" | "verify");
        let is_sure = |found: &Found| matches!(&found.clause, Clause::At(times) if times.iter().all(|time| time.kind == ClockKind::Sure));
        // "go for a morning run at 7am"
        let is_kind = words::day_part(word).is_some()
            && ARTICLES.contains(&before)
            && (before_that == "for" || !follows_preposition)
            && self.is_ordinary(at + 1)
            && self.found.iter().any(is_sure);
        is_adjective
            || self.is_thing(at, word)
            || word == "from" && self.is_from_place(at)
            || words::unit(word).is_some() && at > 0 && self.is_compared(at - 1)
            || is_kind
            || is_persons
            || is_subject
            || is_of_person
            || is_whether
            || is_noun
            || is_verb
            || is_not_forgetting
            || is_modal
            || is_being
            || is_cron_job
            || is_limited
            || is_of_number
            || is_protocol
    }
}
