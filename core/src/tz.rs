//! Time zones: what a local clock shows, for every name in IANA's database.
//!
//! The tables are those of the crate `chrono-tz`, in a file of one tenth of what that crate adds to a wasm; `tests/tz.rs` makes
//! the file and holds it against the crate. A zone's table is unpacked when the zone is first used.
//!
//! The file, in which numbers are LEB128 and signed ones zigzag:
//! - the number of zones, and for each, in order of the names: length and bytes of the name, and the number of its table;
//! - the number of tables, and for each its length in bytes and then: the clock's first offset, and each change as the time
//!   since the one before (the first: since [`BEGIN`]) and the new offset. Both are counted in the unit that the lowest bit
//!   tells: 0 hours, 1 seconds.

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

static FILE: &[u8] = include_bytes!("tz.bin");

/// 1800-01-01T00:00:00Z: no clock in the tables is changed before.
const BEGIN: i64 = -5_364_662_400;

/// The most that two offsets in the tables may differ by, and so that a local time and its instants may, seconds.
const WIDEST: i64 = 2 * 86_400;

const HOUR: i64 = 3_600;

/// A time zone by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tz(u16);

/// A name that is not in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a time zone")]
pub struct UnknownZone;

/// A time in which a clock keeps one offset.
#[derive(Debug, Clone, Copy)]
struct Span {
    /// Its first instant, Unix seconds.
    begin: i64,
    /// Seconds ahead of UTC.
    offset: i64,
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
    /// Coordinated Universal Time. `tests/tz.rs` holds the number against the name.
    pub const UTC: Self = Self(592);

    /// All zones, in order of their names.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..).map_while(|number: u16| database().zones.get(usize::from(number)).map(|_| Self(number)))
    }

    /// Its name in the database.
    pub fn name(self) -> &'static str {
        database().zones.get(usize::from(self.0)).map_or("UTC", |zone| zone.name)
    }

    /// Seconds by which the clock is ahead of UTC at `instant`.
    pub fn offset_at(self, instant: i64) -> i64 {
        let spans = self.spans();
        spans.get(span_at(spans, instant)).map_or(0, |span| span.offset)
    }

    /// The instants at which the clock shows `local`, which is seconds since 1970-01-01T00:00:00 as the clock shows them.
    pub fn read(self, local: i64) -> Reading {
        let spans = self.spans();
        let mut found = None;
        for at in span_at(spans, local.saturating_sub(WIDEST))..spans.len() {
            let (Some(span), end) = (spans.get(at), spans.get(at + 1).map_or(i64::MAX, |next| next.begin)) else { break };
            let instant = local.saturating_sub(span.offset);
            match found {
                // All spans up to here end before the clock would show it, and this one begins after it has.
                None if instant < span.begin => return Reading::Gap { end: span.begin },
                None if instant < end => found = Some(instant),
                Some(first) if instant >= span.begin && instant < end => return Reading::Twice { first, second: instant },
                _ => {}
            }
            if span.begin > local.saturating_add(WIDEST) {
                break;
            }
        }
        Reading::Once(found.unwrap_or(local))
    }

    fn spans(self) -> &'static [Span] {
        let database = database();
        let table = database.zones.get(usize::from(self.0)).and_then(|zone| database.tables.get(usize::from(zone.table)));
        table.map_or(&[], |table| table.spans.get_or_init(|| unpack(table.packed)))
    }
}

impl FromStr for Tz {
    type Err = UnknownZone;

    /// Exact spelling.
    fn from_str(name: &str) -> Result<Self, UnknownZone> {
        let found = database().zones.binary_search_by(|zone| zone.name.cmp(name));
        found.ok().and_then(|number| u16::try_from(number).ok()).map(Self).ok_or(UnknownZone)
    }
}

impl fmt::Display for Tz {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The span that `instant` lies in: the first one begins before all instants.
fn span_at(spans: &[Span], instant: i64) -> usize {
    spans.partition_point(|span| span.begin <= instant).saturating_sub(1)
}

struct Database {
    zones: Vec<Named>,
    tables: Vec<Table>,
}

struct Named {
    name: &'static str,
    table: u16,
}

struct Table {
    packed: &'static [u8],
    spans: OnceLock<Box<[Span]>>,
}

fn database() -> &'static Database {
    static DATABASE: OnceLock<Database> = OnceLock::new();
    DATABASE.get_or_init(|| {
        let mut file = Packed(FILE);
        let zones = (0..file.number()).map(|_| {
            let length = file.number();
            let name = std::str::from_utf8(file.bytes(length)).unwrap_or_default();
            Named { name, table: u16::try_from(file.number()).unwrap_or_default() }
        });
        let zones = zones.collect();
        let tables = (0..file.number()).map(|_| {
            let length = file.number();
            Table { packed: file.bytes(length), spans: OnceLock::new() }
        });
        Database { zones, tables: tables.collect() }
    })
}

fn unpack(packed: &'static [u8]) -> Box<[Span]> {
    let mut packed = Packed(packed);
    let mut spans = vec![Span { begin: i64::MIN, offset: packed.duration() }];
    let mut begin = BEGIN;
    while !packed.0.is_empty() {
        begin += packed.duration();
        spans.push(Span { begin, offset: packed.duration() });
    }
    spans.into_boxed_slice()
}

/// What is left of the file. It is part of the program and whole, so that an end in the middle, read as zeros, does not occur.
struct Packed(&'static [u8]);

impl Packed {
    fn bytes(&mut self, length: u64) -> &'static [u8] {
        let length = usize::try_from(length).unwrap_or(usize::MAX).min(self.0.len());
        let (bytes, rest) = self.0.split_at(length);
        self.0 = rest;
        bytes
    }

    fn number(&mut self) -> u64 {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let Some((byte, rest)) = self.0.split_first() else { break };
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        number
    }

    /// Seconds.
    fn duration(&mut self) -> i64 {
        let number = self.number();
        let unit = if number & 1 == 0 { HOUR } else { 1 };
        let zigzag = number >> 1;
        ((zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed()) * unit
    }
}
