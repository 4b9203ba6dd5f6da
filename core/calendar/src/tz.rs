//! Time zones: what a local clock shows, for every name in IANA's database.
//!
//! The tables are IANA's own, in a file of one tenth of what the crate `chrono-tz` adds to a wasm.
//! `scripts/tz.py` makes the file (`make tz`), and notes in `tests/data/tz_changes.txt` what
//! Python's reader finds in the same data; `tests/tz.rs` holds the file against that. A zone's
//! table is unpacked when the zone is first used. Changes up to the year 2100 are listed then;
//! later ones follow from the zone's yearly rule.

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

/// The most that two offsets in the tables may differ by, and so that a local time and its instants
/// may, seconds.
const WIDEST: i64 = 2 * 86_400;

/// Steps of a schedule (see [`count_steps`]) that it takes to work out the changes of the years
/// around a time from a yearly rule.
const STEPS_OF_A_RULE: u32 = 4;

/// Returns the release of IANA's database that the tables are of, such as `2026f`.
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

/// A time in which a clock neither jumps nor shows what it shows at another time: what is read in
/// it is read once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Steady {
    /// Its first instant, Unix seconds.
    begin: i64,
    /// The first instant after it.
    end: i64,
    /// Seconds by which the clock is ahead of UTC.
    pub(crate) offset: i64,
}

impl Steady {
    /// Returns whether an instant lies in it.
    pub(crate) fn contains(self, instant: i64) -> bool {
        self.begin <= instant && instant < self.end
    }
}

/// When a local clock shows some time. Instants are Unix seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// At one instant.
    Once(i64),
    /// At two instants, because the clock goes back between them.
    Twice {
        /// The earlier one.
        first: i64,
        /// The later one.
        second: i64,
    },
    /// Never: the clock jumps forward over it.
    Gap {
        /// The first instant after the jump.
        end: i64,
    },
}

impl Tz {
    /// Coordinated Universal Time: the first zone of the file.
    pub const UTC: Self = Self(0);

    /// Returns all zones: UTC, then the others in order of their names.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..).map_while(|number: u16| {
            database().zones.get(usize::from(number)).map(|_| Self(number))
        })
    }

    /// Returns its name in the database.
    pub fn name(self) -> &'static str {
        database().zones.get(usize::from(self.0)).map_or("UTC", |zone| zone.name)
    }

    /// Returns whether its clock is that of `other`, perhaps under another name, such as `UTC` and
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

    /// Returns the steady time that `instant` lies in, or a part of it; `None` if it lies in none,
    /// because an overlap shows its local time twice.
    pub(crate) fn steady_at(self, instant: i64) -> Option<Steady> {
        self.with_spans(instant, |spans| steady(spans, instant))
            .filter(|steady| steady.contains(instant))
    }

    /// Calls `use_spans` with spans of which some begin before and some end after each time within
    /// two days of `at`.
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

/// Returns the time in the span of `instant` in which the clock shows nothing that the spans around
/// it show too.
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
            // All spans up to here end before the clock would show it, and this one begins after it
            // has.
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

    /// Exact spelling.
    fn from_str(name: &str) -> Result<Self, UnknownZone> {
        if name == "UTC" {
            return Ok(Self::UTC);
        }
        // The others are in order.
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

/// Returns the span that `instant` lies in: the first one begins before all instants.
fn span_at(spans: &[Span], instant: i64) -> usize {
    spans.partition_point(|span| span.begin <= instant).saturating_sub(1)
}

fn database() -> &'static Database {
    static DATABASE: OnceLock<Database> = OnceLock::new();
    DATABASE.get_or_init(|| Database::read(FILE))
}
