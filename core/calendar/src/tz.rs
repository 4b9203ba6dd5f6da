//! Time zones: what a local clock shows, for every name in IANA's database.
//!
//! The tables are IANA's own, in a file with a tenth of the size that the crate `chrono-tz` adds to
//! a wasm. `scripts/tz.py` builds the file (`make tz`), and writes into `tests/data/tz_changes.txt`
//! what Python's reader finds in the same data; `tests/tz.rs` compares the two. The table of a zone
//! is unpacked when the zone is first used. It lists changes up to the year 2100; later ones follow
//! from the yearly rule of the zone.

mod file;
mod rule;
mod span;

use crate::steps::count_steps;
use file::{Database, Table};
use rule::AROUND;
use span::{LISTED_UNTIL, Span};
use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

static FILE: &[u8] = include_bytes!("tz.bin");

/// The most by which two offsets in the tables differ, in seconds. So a local time and its instants
/// differ by at most this.
const WIDEST: i64 = 2 * 86_400;

/// The steps of a schedule (see [`count_steps`]) for computing the changes of the years around a
/// time from a yearly rule.
const STEPS_OF_A_RULE: u32 = 4;

/// Returns the release of IANA's database that the tables come from, such as `2026f`.
pub fn release() -> &'static str {
    database().release
}

/// A time zone by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tz(u16);

/// A name that is not in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a time zone")]
pub struct UnknownZone;

/// A time in which a clock does not jump and shows nothing that it shows at another time. So each
/// local time in it has one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Steady {
    /// The first instant, in Unix seconds.
    begin: i64,
    /// The first instant after it.
    pub(crate) end: i64,
    /// The seconds by which the clock is ahead of UTC.
    pub(crate) offset: i64,
}

impl Steady {
    /// Returns whether the time contains an instant.
    pub(crate) fn contains(self, instant: i64) -> bool {
        self.begin <= instant && instant < self.end
    }
}

/// The instants at which a local clock shows a time, in Unix seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// The clock shows the time at one instant.
    Once(i64),
    /// The clock shows the time at two instants, because it goes back between them.
    Twice {
        /// The earlier one.
        first: i64,
        /// The later one.
        second: i64,
    },
    /// The clock never shows the time, because it jumps forward over it.
    Gap {
        /// The first instant after the jump.
        end: i64,
    },
}

impl Tz {
    /// Coordinated Universal Time, which is the first zone of the file.
    pub const UTC: Self = Self(0);

    /// Returns all zones: UTC, then the others in order of their names.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..).map_while(|number: u16| {
            database().zones.get(usize::from(number)).map(|_| Self(number))
        })
    }

    /// Returns the name of the zone in the database.
    pub fn name(self) -> &'static str {
        database().zones.get(usize::from(self.0)).map_or("UTC", |zone| zone.name)
    }

    /// Returns the zones that a name with another spelling may mean: with other upper and lower case
    /// letters, with blanks in place of `_`, or without the parts before a `/`. `berlin` may mean
    /// `Europe/Berlin`, and `new york` may mean `America/New_York`. If the whole name fits a zone,
    /// only this zone is returned.
    pub fn near(name: &str) -> Vec<Self> {
        let name = name.trim();
        let mut near = Vec::new();
        for zone in Self::all() {
            let full = zone.name();
            if is_same(full, name) {
                return vec![zone];
            }
            // The sign in `Etc/GMT+5` is the reverse of the usual one.
            let is_part = full
                .len()
                .checked_sub(name.len() + 1)
                .and_then(|before| full.split_at_checked(before))
                .and_then(|(_, end)| end.strip_prefix('/'))
                .is_some_and(|end| is_same(end, name));
            if is_part && !full.starts_with("Etc/") {
                near.push(zone);
            }
        }
        near
    }

    /// Returns whether the clock is that of `other`, perhaps under another name, such as `UTC` and
    /// `Etc/UTC`.
    pub(crate) fn has_clock_of(self, other: Self) -> bool {
        let table = |zone: Self| database().zones.get(usize::from(zone.0)).map(|zone| zone.table);
        table(self) == table(other)
    }

    /// Returns the seconds by which the clock is ahead of UTC at `instant`.
    pub fn offset_at(self, instant: i64) -> i64 {
        self.with_spans(instant, |spans| {
            spans.get(span_at(spans, instant)).map_or(0, |span| span.offset)
        })
    }

    /// Returns the instants at which the clock shows `local`, which is seconds since
    /// 1970-01-01T00:00:00 as the clock shows them.
    pub fn read(self, local: i64) -> Reading {
        self.with_spans(local, |spans| read(spans, local))
    }

    /// Returns the steady time that contains `instant`, or a part of it. Returns `None` if an
    /// overlap shows the local time of `instant` twice.
    pub(crate) fn steady_at(self, instant: i64) -> Option<Steady> {
        self.with_spans(instant, |spans| steady(spans, instant))
            .filter(|steady| steady.contains(instant))
    }

    /// Calls `use_spans` with spans so that for each time within two days of `at`, some begin
    /// before it and some end after it.
    fn with_spans<T>(self, at: i64, use_spans: impl FnOnce(&[Span]) -> T) -> T {
        let database = database();
        let table = database
            .zones
            .get(usize::from(self.0))
            .and_then(|zone| database.tables.get(usize::from(zone.table)));
        let Some(table) = table else { return use_spans(&[]) };
        let Table { spans, rule, .. } = table.unpacked();
        match rule {
            Some(rule) if at >= LISTED_UNTIL => {
                count_steps(STEPS_OF_A_RULE);
                let around: [Span; AROUND] = rule.spans_around(at);
                use_spans(&around)
            }
            _ => {
                count_steps(1);
                use_spans(spans)
            }
        }
    }
}

/// Returns whether a name is `words`, apart from upper and lower case and blanks in place of `_`.
fn is_same(name: &str, words: &str) -> bool {
    let is_byte = |(a, b): (u8, u8)| a.eq_ignore_ascii_case(&b) || (a == b'_' && b == b' ');
    !words.is_empty() && name.len() == words.len() && name.bytes().zip(words.bytes()).all(is_byte)
}

/// Returns the part of the span of `instant` in which the clock shows nothing that it also shows in
/// the spans around it.
fn steady(spans: &[Span], instant: i64) -> Option<Steady> {
    let at = span_at(spans, instant);
    let Span { begin, offset } = *spans.get(at)?;
    let mut steady =
        Steady { begin, end: spans.get(at + 1).map_or(i64::MAX, |next| next.begin), offset };
    for [earlier, next] in
        spans.get(..=at)?.array_windows().rev().take_while(|[_, next]| begin - next.begin <= WIDEST)
    {
        steady.begin = steady.begin.max(next.begin + earlier.offset - offset);
    }
    let end = steady.end;
    for later in spans.get(at + 1..)?.iter().take_while(|later| later.begin - end <= WIDEST) {
        steady.end = steady.end.min(later.begin + later.offset - offset);
    }
    Some(steady)
}

/// Returns the instants at which a clock with these spans shows `local`.
fn read(spans: &[Span], local: i64) -> Reading {
    let mut found = None;
    for at in span_at(spans, local.saturating_sub(WIDEST))..spans.len() {
        let (Some(span), end) =
            (spans.get(at), spans.get(at + 1).map_or(i64::MAX, |next| next.begin))
        else {
            break;
        };
        let instant = local.saturating_sub(span.offset);
        match found {
            // The spans so far end before the clock shows the time, and this one begins after it.
            None if instant < span.begin => return Reading::Gap { end: span.begin },
            None if instant < end => found = Some(instant),
            Some(first) if instant >= span.begin && instant < end => {
                return Reading::Twice { first, second: instant };
            }
            _ => {}
        }
        if span.begin > local.saturating_add(WIDEST) {
            break;
        }
    }
    Reading::Once(found.unwrap_or(local))
}

impl FromStr for Tz {
    type Err = UnknownZone;

    /// Accepts only the exact spelling.
    fn from_str(name: &str) -> Result<Self, UnknownZone> {
        if name == "UTC" {
            return Ok(Self::UTC);
        }
        // The other zones are sorted by name.
        let others = database().zones.get(1..).unwrap_or_default();
        let found = others.binary_search_by(|zone| zone.name.cmp(name));
        found.ok().and_then(|at| u16::try_from(at + 1).ok()).map(Self).ok_or(UnknownZone)
    }
}

impl fmt::Display for Tz {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Returns the span that contains `instant`. The first span begins before all instants.
fn span_at(spans: &[Span], instant: i64) -> usize {
    spans.partition_point(|span| span.begin <= instant).saturating_sub(1)
}

fn database() -> &'static Database {
    static DATABASE: OnceLock<Database> = OnceLock::new();
    DATABASE.get_or_init(|| Database::read(FILE))
}
