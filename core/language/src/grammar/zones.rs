//! Time zones.

use super::{Parsed, Parser};
use crate::calendar::zone_like;
use crate::clause::{Clause, Clock};
use crate::limits::MAX_LIST;
use crate::token::Kind;
use crate::{Reason, words};

/// The most words in the name of a city: `Port of Spain`.
const MAX_CITY_WORDS: usize = 3;

impl Parser<'_> {
    /// Parses `Berlin time`, `in Europe/Berlin`, `EST`, `UTC+2`, `local time`.
    pub(super) fn zone(&mut self) -> Parsed<Vec<Clause>> {
        let follows_part = self.found.last().is_some_and(|found| found.tokens.1 == self.at);
        self.zone_behind(follows_part)
    }

    /// Parses the other times of `at 9am UTC and 5pm UTC`, after the first, with their one zone.
    pub(super) fn zoned_times(&mut self, has_at: bool) -> Parsed<(Vec<Clock>, Vec<Clause>)> {
        let is_zone = words::abbreviation(self.word(0)).is_some()
            || (1..=MAX_CITY_WORDS).any(|ahead| self.word(ahead) == "time");
        let zone = if is_zone { self.attempt(|parser| parser.zone_behind(true))? } else { None };
        let Some(zone) = zone else { return Ok(None) };
        let mut times = Vec::new();
        while times.len() < MAX_LIST {
            let next = self.attempt(|parser| {
                if !parser.take_separator() {
                    return Ok(None);
                }
                let again = parser.take_at();
                let Some(clock) = parser.clock(has_at || again)? else { return Ok(None) };
                let its = parser.attempt(|parser| parser.zone_behind(true))?;
                Ok((its.as_ref() == Some(&zone)).then_some(clock))
            })?;
            let Some(next) = next else { break };
            times.push(next);
        }
        Ok((!times.is_empty()).then_some((times, zone)))
    }

    /// Does the same as [`Self::zone`]. `follows_part` is set behind a part that says when.
    fn zone_behind(&mut self, follows_part: bool) -> Parsed<Vec<Clause>> {
        let start = self.at;
        self.take_symbol(",");
        self.take_symbol("(");
        let in_words =
            self.take_any(&["in the time zone", "in the timezone", "time zone", "timezone", "in"]);
        let quoted = self
            .token(0)
            .filter(|token| token.kind == Kind::Quoted)
            .and_then(|token| crate::calendar::zone(&token.text));
        if let Some(zone) = quoted.filter(|_| in_words) {
            self.at += 1;
            return Ok(Some(vec![Clause::Zone(vec![zone.name().to_owned()])]));
        }
        if self.take_any(&["local time", "my time", "my local time", "my timezone", "my time zone"])
        {
            return Ok(Some(vec![Clause::LocalZone]));
        }
        // "in the Europe/Paris time zone"
        if self.is_symbol(2, "/") {
            self.take("the");
        }
        if let Some(name) = self.attempt(Self::iana_name)? {
            self.take_any(&["time zone", "timezone", "time"]);
            return Ok(Some(vec![Clause::Zone(vec![name])]));
        }
        if let Some(zones) = self.attempt(|parser| parser.abbreviation(in_words || follows_part))? {
            self.take("time");
            return Ok(Some(vec![Clause::Zone(zones)]));
        }
        // "9am eastern", if nothing follows that it may describe
        let is_alone = self
            .token(1)
            .is_none_or(|next| next.kind == Kind::Symbol || words::is_about_time(&next.text));
        if follows_part && is_alone && matches!(self.word(0), "eastern" | "pacific") {
            let zone = words::region(self.word(0)).map(str::to_owned);
            self.at += 1;
            return Ok(zone.map(|zone| vec![Clause::Zone(vec![zone])]));
        }
        self.take("the");
        for words in 1..=MAX_CITY_WORDS {
            let has_time = self.word(words) == "time"
                || self.word(words) == "local" && self.word(words + 1) == "time";
            if !has_time
                || !(0..words)
                    .all(|ahead| self.token(ahead).is_some_and(|token| token.kind == Kind::Word))
            {
                continue;
            }
            let name: Vec<&str> = (0..words).map(|ahead| self.word(ahead)).collect();
            let Some(zone) = place(&name.join(" ")) else { continue };
            self.at += words;
            self.take("local");
            self.take("time");
            // "log london time every friday", "london time with the baby"
            let begins = start == 0 && self.is_before_part();
            if !follows_part && !in_words && !begins {
                return Ok(None);
            }
            return Ok(Some(vec![Clause::Zone(vec![zone])]));
        }
        Ok(None)
    }

    /// Returns whether what follows may say when, or nothing follows.
    fn is_before_part(&self) -> bool {
        self.token(0).is_none_or(|next| match next.kind {
            Kind::Word => {
                words::is_about_time(&next.text) || matches!(next.text.as_str(), "at" | "on" | "in")
            }
            Kind::Number | Kind::Symbol => true,
            Kind::Quoted => false,
        })
    }

    /// Parses `Europe/Berlin`, `America/Argentina/Buenos_Aires`, `Etc/GMT+5`.
    fn iana_name(&mut self) -> Parsed<String> {
        let start = self.at;
        if self.word(0).is_empty()
            || !(self.is_symbol(1, "/") && self.is_glued(1) && self.is_glued(2))
        {
            return Ok(None);
        }
        let mut name = self.word(0).to_owned();
        let mut ahead = 1;
        while let Some(token) = self.token(ahead).filter(|token| {
            token.is_glued
                && (token.kind != Kind::Symbol || matches!(token.text.as_str(), "/" | "-" | "+"))
        }) {
            name.push_str(&token.text);
            ahead += 1;
        }
        self.at += ahead;
        match zone_like(&name) {
            Some(zone) => Ok(Some(zone.name().to_owned())),
            None if name.starts_with("europe/")
                || name.starts_with("america/")
                || name.starts_with("asia/") =>
            {
                Err(self.refusal(Reason::NotUnderstood, start, "This is not a known time zone."))
            }
            None => Ok(None),
        }
    }

    fn abbreviation(&mut self, is_expected: bool) -> Parsed<Vec<String>> {
        let start = self.at;
        let is_z = self.word(0) == "z" && self.is_glued(0) && is_expected;
        let Some(zones) =
            (if is_z { Some(&["UTC"] as &[&str]) } else { words::abbreviation(self.word(0)) })
        else {
            return Ok(None);
        };
        let is_utc = zones == ["UTC"];
        if !is_expected && !is_utc && self.word(1) != "time" {
            return Ok(None);
        }
        self.at += 1;
        let sign = if self.is_symbol(0, "+") {
            "-"
        } else if self.is_symbol(0, "-") && self.is_glued(0) {
            "+"
        } else {
            ""
        };
        if is_utc && !sign.is_empty() {
            let hours =
                self.token(1).filter(|token| token.is_glued).and_then(|token| token.value());
            self.at += 2;
            let is_whole = !self.is_symbol(0, ":");
            // Etc/GMT-2 is two hours ahead of UTC.
            let name = hours
                .filter(|hours| is_whole && *hours > 0)
                .map(|hours| format!("Etc/GMT{sign}{hours}"));
            let zone = name.and_then(|name| zone_like(&name));
            return match zone {
                Some(zone) => Ok(Some(vec![zone.name().to_owned()])),
                None => Err(self.refusal(
                    Reason::NotUnderstood,
                    start,
                    "Name a time zone such as Asia/Kolkata instead of this offset.",
                )),
            };
        }
        Ok(Some(zones.iter().map(|&zone| zone.to_owned()).collect()))
    }
}

/// Returns the zone of a city or a region.
fn place(name: &str) -> Option<String> {
    if let Some(zone) = words::region(name) {
        return Some(zone.to_owned());
    }
    if name == "central" {
        return Some("America/Chicago".to_owned());
    }
    let zone = zone_like(name).filter(|_| !words::is_ordinary_city(name))?;
    Some(zone.name().to_owned())
}
