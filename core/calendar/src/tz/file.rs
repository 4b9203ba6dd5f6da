//! The file of tables, and its unpacking.
//!
//! Numbers are encoded by [`varint`]. The lowest bit of a duration is its unit: 0 for hours, 1 for
//! seconds. The file contains:
//! - the length and the bytes of the release's name;
//! - the number of zones, and for each zone the length and the bytes of its name, and the number of
//!   its table. UTC is first, and the others are sorted by name;
//! - the number of tables, and for each table its length in bytes; then 0, or 1 and a yearly rule;
//!   the first offset of the clock; and each change, as the time since the one before (for the
//!   first one: since [`BEGIN`]) and the new offset;
//! - a rule is: the time from which it applies, since [`BEGIN`]; the standard offset; the other
//!   offset; and the dates on which the other offset begins and ends. Each date is a month, a week
//!   (5: the last), a weekday (0: Sunday), and the time on the clock since midnight.

use super::rule::{Date, Rule};
use super::span::{LISTED_UNTIL, Span};
use crate::varint;
use std::sync::OnceLock;

/// 1800-01-01T00:00:00Z. No clock in the tables changes before it.
const BEGIN: i64 = -5_364_662_400;

const HOUR: i64 = 3_600;

/// The file, with packed tables.
pub(super) struct Database {
    pub(super) release: &'static str,
    pub(super) zones: Vec<Named>,
    pub(super) tables: Vec<Packed>,
}

pub(super) struct Named {
    pub(super) name: &'static str,
    pub(super) table: u16,
}

/// The packed table of a zone, as in the file.
pub(super) struct Packed {
    bytes: &'static [u8],
    table: OnceLock<Table>,
}

/// The table of a zone.
pub(super) struct Table {
    /// The first span begins before all instants. If there is a rule, the spans include its changes
    /// up to a year after [`LISTED_UNTIL`].
    pub(super) spans: Box<[Span]>,
    pub(super) rule: Option<Rule>,
}

impl Database {
    pub(super) fn read(file: &'static [u8]) -> Self {
        let mut file = Reader(file);
        let release = file.text();
        let zones = (0..file.number()).map(|_| Named {
            name: file.text(),
            table: u16::try_from(file.number()).unwrap_or_default(),
        });
        let zones = zones.collect();
        let tables = (0..file.number()).map(|_| {
            let length = file.number();
            Packed { bytes: file.bytes(length), table: OnceLock::new() }
        });
        Self { release, zones, tables: tables.collect() }
    }
}

impl Packed {
    pub(super) fn unpacked(&self) -> &Table {
        self.table.get_or_init(|| unpack(self.bytes))
    }
}

fn unpack(packed: &'static [u8]) -> Table {
    let mut packed = Reader(packed);
    let rule = (packed.number() == 1).then(|| (BEGIN + packed.duration(), packed.rule()));
    let mut spans = vec![Span { begin: i64::MIN, offset: packed.duration() }];
    let mut begin = BEGIN;
    while !packed.0.is_empty() {
        begin += packed.duration();
        spans.push(Span { begin, offset: packed.duration() });
    }
    if let Some((holds_from, rule)) = &rule {
        rule.extend(&mut spans, *holds_from, LISTED_UNTIL);
    }
    Table { spans: spans.into_boxed_slice(), rule: rule.map(|(_, rule)| rule) }
}

/// The unread rest of the file. The file is part of the program and complete, so a premature end,
/// which would be read as zeros, does not occur.
struct Reader(&'static [u8]);

impl Reader {
    fn bytes(&mut self, length: u64) -> &'static [u8] {
        let length = usize::try_from(length).unwrap_or(usize::MAX).min(self.0.len());
        let (bytes, rest) = self.0.split_at(length);
        self.0 = rest;
        bytes
    }

    fn text(&mut self) -> &'static str {
        let length = self.number();
        std::str::from_utf8(self.bytes(length)).unwrap_or_default()
    }

    fn number(&mut self) -> u64 {
        varint::take(&mut self.0).unwrap_or_default()
    }

    /// Reads a duration, in seconds.
    fn duration(&mut self) -> i64 {
        let number = self.number();
        let unit = if number & 1 == 0 { HOUR } else { 1 };
        varint::signed(number >> 1) * unit
    }

    fn rule(&mut self) -> Rule {
        Rule {
            standard: self.duration(),
            other: self.duration(),
            begin: self.date(),
            end: self.date(),
        }
    }

    fn date(&mut self) -> Date {
        let mut small = || u8::try_from(self.number()).unwrap_or_default();
        let (month, week, weekday) = (small(), small(), small());
        Date { month, week, weekday, time: self.duration() }
    }
}
