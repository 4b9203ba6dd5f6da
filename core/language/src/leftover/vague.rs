//! Words that say only about when: "at the latest", "close of business", "for 3 days at 9am".

use super::Rest;
use crate::clause::{Clause, Found};
use crate::lexicon::own_word;
use crate::meaning::Built;
use crate::token::{Kind, Token};
use crate::{Reason, Refusal, words};

/// Why a deadline is refused.
const DEADLINE: &str =
    "A deadline, or a time that is only about right, is not a schedule: give the exact time.";

/// Words directly before a time or a day that make it a deadline.
#[rustfmt::skip]
const BEFORE_DEADLINES: &[&str] = &[
    "about", "around", "beyond", "by", "ish", "than", "to", "towards", "upon", "upwards", "within",
    "bei", "nach", "ueber", "unter", "über",
];

/// Words directly behind a time or a day that make it a deadline.
#[rustfmt::skip]
const BEHIND_DEADLINES: &[&str] = &[
    "earliest", "latest", "max", "maximal", "maximum", "most", "tops", "upwards",
    "herum", "plus", "plusminus", "rum",
];

/// Beginnings and ends of a working day without a time.
const ENDS_OF_WORK: &[&str] = &["bod", "cob", "eob", "eod", "sob"];

/// The periods of German words such as "Dienstschluss".
#[rustfmt::skip]
const PERIODS_OF_WORK: &[&str] = &[
    "arbeits", "bank", "boersen", "buero", "börsen", "büro", "dienst", "geschaefts", "geschäfts", "kassen", "laden", "markt", "praxis", "schalter",
    "schicht", "schul", "sende", "spiel", "unterrichts",
];

/// Words for meals, and German ones for other times of the day.
#[rustfmt::skip]
const MEALS: &[&str] = &[
    "breakfast", "brunch", "dinner", "lunch", "supper",
    "abendbrot", "abendessen", "aufstehen", "aufwachen", "brunch", "einschlafen", "feierabend", "fruehstueck", "fruehstuecken", "frühstück", "frühstücken",
    "kaffee", "mittagessen", "mittagszeit", "schlafengehen", "schlafenszeit",
];

/// Words after "close of" and "end of" that make them a time of the day.
const OF_WORK: &[&str] = &["business", "play", "school", "shift", "shifts", "trading", "work"];

/// German prepositions before what may say when.
const GERMAN_PREPOSITIONS: &[&str] = &["bei", "beim", "zu", "zum", "zur"];

/// Prepositions behind the days of a schedule that has no time.
const PREPOSITIONS: &[&str] = &["on", "over", "upon"];

/// Refuses words that may give the time or the day that the schedule only assumes, and a length
/// that may be that of a recurring schedule.
pub(crate) fn check_assumed(
    tokens: &[Token],
    left: &[usize],
    found: &[Found],
    built: &Built,
) -> Result<(), Refusal> {
    if built.schedule.time.is_some() {
        found.iter().try_for_each(|part| check_length(tokens, left, found, part))?;
    }
    for at in left {
        let Some(token) = tokens.get(*at) else { continue };
        let (word, own) = (token.text.as_str(), own_word(&token.text));
        let follows_part = found.iter().any(|part| part.tokens.1 == *at);
        let is_before = |words: &[&str]| {
            follows_part && own.map_or(words.contains(&word), |own| words.contains(&own))
        };
        let says_time = built.assumes_time
            && (matches!(word, "at" | "around" | "by" | "@")
                || own == Some("um")
                || is_before(PREPOSITIONS)
                || own.is_some() && is_before(GERMAN_PREPOSITIONS));
        let says_day = built.assumes_day
            && (matches!(word, "on" | "in" | "during" | "end" | "middle" | "close" | "start")
                || own == Some("mitte"));
        if says_time || says_day {
            return Err(Refusal::new(
                Reason::NotUnderstood,
                token.span,
                "What follows this word is not understood as a time.",
            ));
        }
        if built.assumes_time && MEALS.contains(&own.unwrap_or(word)) {
            return Err(Refusal::new(Reason::Missing, token.span, WHEN));
        }
    }
    Ok(())
}

/// How to say when a working day ends.
const WHEN: &str = "At what time of day? Write, say, \"at 17:00\".";

/// Refuses "for 3 days at 9am", which recurs. "Book a hotel for 3 days" says what to do.
fn check_length(
    tokens: &[Token],
    left: &[usize],
    found: &[Found],
    part: &Found,
) -> Result<(), Refusal> {
    let Clause::For(amount) = &part.clause else { return Ok(()) };
    let (start, end) = part.tokens;
    // In "take the pill for 5 days at 9am", the time is that of each day.
    let is_before_time = found
        .iter()
        .any(|part| part.tokens.0 == end && matches!(part.clause, Clause::At(_) | Clause::Part(_)));
    let names_day = found.iter().any(|part| matches!(part.clause, Clause::Day(_) | Clause::In(_)));
    let belongs_to_task = (names_day || !is_before_time)
        && start.checked_sub(1).is_some_and(|before| {
            left.contains(&before)
                && tokens.get(before).is_some_and(|token| {
                    token.kind == Kind::Word
                        && !matches!(token.text.as_str(), "me" | "us" | "remind" | "reminder")
                })
        });
    let is_next =
        tokens.get(start..end).unwrap_or_default().iter().any(|token| token.text == "next");
    let has_days = amount.months > 0 || amount.days > 0;
    if is_next || has_days && !belongs_to_task {
        return Err(Refusal::new(
            Reason::Missing,
            part.span,
            "This belongs to a recurring schedule: say how often, too.",
        ));
    }
    Ok(())
}

impl Rest<'_> {
    /// Refuses a word that makes a time only about right, or that says when without a time.
    pub(super) fn check_vague(&self, at: usize, word: &str) -> Result<(), Refusal> {
        let own = own_word(word).unwrap_or(word);
        if BEFORE_DEADLINES.contains(&own) && self.begins_part(at + 1) {
            return Err(self.refuse(at, DEADLINE));
        }
        // "so um 18 Uhr" is only about right, and "So 18 Uhr" is a Sunday.
        let is_dotted = matches!(self.text(at + 1), "." | "," | "/" | "+" | "&" | "-")
            && self.begins_part(at + 2);
        let is_so = own_word(word) == Some("so") || word == "so" && self.text(at + 1) == "/";
        if is_so && (self.begins_part(at + 1) || is_dotted) {
            return Err(self.refuse(at, "Is this a Sunday? Write \"Sonntag\"."));
        }
        self.check_limit(at, own)?;
        self.check_end_of_work(at, own)?;
        self.check_hours(at, own)
    }

    /// Refuses "friday at 5pm at the latest". "look at the latest news" says something else.
    fn check_limit(&self, at: usize, word: &str) -> Result<(), Refusal> {
        let mut behind = at;
        while behind > 0 && matches!(self.text(behind - 1), "at" | "the" | "a" | "very" | ",") {
            behind -= 1;
        }
        let is_limit = matches!(word, "earliest" | "latest")
            || BEHIND_DEADLINES.contains(&word) && self.ends_part(behind);
        let is_plus = word == "plus" && own_word(self.text(at + 1)) == Some("minus");
        if is_plus || is_limit && (self.begins_part(at + 1) || !self.is_ordinary(at + 1)) {
            return Err(self.refuse(at, DEADLINE));
        }
        Ok(())
    }

    /// Refuses "every friday at close of business" and "jeden Tag zum Frühstück", if no time of day
    /// says when that is.
    fn check_end_of_work(&self, at: usize, word: &str) -> Result<(), Refusal> {
        let is_end = ENDS_OF_WORK.contains(&word)
            || words::is_part_of_period(word, PERIODS_OF_WORK)
            || matches!(word, "close" | "end" | "start" | "beginning")
                && self.text(at + 1) == "of"
                && OF_WORK.contains(&self.text(at + 2));
        let before = at.checked_sub(1).map_or("", |before| self.text(before));
        let has_preposition = matches!(before, "around" | "at" | "over")
            || own_word(before).is_some_and(|before| GERMAN_PREPOSITIONS.contains(&before));
        let is_meal = has_preposition && MEALS.contains(&word);
        let is_time = |found: &Found| matches!(found.clause, Clause::At(_));
        let has_time = self.found.iter().any(is_time);
        // "zu Schulbeginn um 9 Uhr" is a day without a name.
        let lacks_day = has_preposition && self.found.iter().all(is_time);
        if (is_end || is_meal) && (!has_time || lacks_day) {
            return Err(self.refuse(at, WHEN));
        }
        Ok(())
    }

    /// Refuses "alle 20 Minuten in der Arbeitszeit" and "zu Bürozeiten". "um 9 Uhr Arbeitszeit
    /// erfassen" says what to do.
    fn check_hours(&self, at: usize, word: &str) -> Result<(), Refusal> {
        let is_time = ["zeit", "zeiten", "stunde", "stunden", "dunkelheit", "tageslicht"]
            .iter()
            .any(|ending| word.ends_with(ending));
        if own_word(self.text(at)).is_none() || !is_time || word == "hochzeit" {
            return Ok(());
        }
        let before = |back: usize| at.checked_sub(back).map_or("", |at| self.text(at));
        let back = if matches!(before(1), "the" | "a") { 2 } else { 1 };
        let preposition = before(back);
        let preposition = own_word(preposition).unwrap_or(preposition);
        if matches!(
            preposition,
            "bei" | "in" | "on" | "zu" | "zur" | "während" | "außerhalb" | "innerhalb"
        ) {
            let message = "At which hours? Write, say, \"zwischen 9 und 17 Uhr\".";
            return Err(self.refuse(at, message));
        }
        Ok(())
    }
}
