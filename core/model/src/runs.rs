//! A task's history over the shards of all epochs that may have run it: the cursor, and joining
//! their answers in order.

use crate::format::hex;
use crate::protocol::{RunItem, RunPosition, RunsReply};
use std::fmt;
use std::str::FromStr;

/// Before every run that there is.
const START: RunPosition = RunPosition { row: u64::MAX, place: u32::MAX };

/// A place in the history over a task's homes: for each home, before which run to go on, or that it
/// has no more. Written as 24 hexadecimal digits for each, joined by dashes; a home without more as
/// nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunsCursor {
    homes: Vec<Option<RunPosition>>,
}

/// A text is not a cursor of this list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "is not a cursor of this task's runs; use the one from the last answer unchanged, or leave it out to begin anew"
)]
pub struct RunsCursorError;

impl RunsCursor {
    /// Returns the beginning, of a task with so many homes.
    pub fn start(homes: usize) -> Self {
        Self { homes: vec![Some(START); homes] }
    }

    /// Reads a cursor of a task with so many homes.
    ///
    /// # Errors
    /// When it is none, or of another number of homes: the shard map has changed meanwhile.
    pub fn parse(text: &str, homes: usize) -> Result<Self, RunsCursorError> {
        let cursor: Self = text.parse()?;
        if cursor.homes.len() == homes { Ok(cursor) } else { Err(RunsCursorError) }
    }

    /// Returns what each home is asked for; `None` for one that need not be asked.
    pub fn homes(&self) -> &[Option<RunPosition>] {
        &self.homes
    }
}

impl fmt::Display for RunsCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, home) in self.homes.iter().enumerate() {
            if at > 0 {
                f.write_str("-")?;
            }
            if let Some(RunPosition { row, place }) = home {
                write!(f, "{row:016x}{place:08x}")?;
            }
        }
        Ok(())
    }
}

impl FromStr for RunsCursor {
    type Err = RunsCursorError;

    fn from_str(text: &str) -> Result<Self, RunsCursorError> {
        let home = |part: &str| {
            if part.is_empty() {
                return Ok(None);
            }
            if part.len() != 24 {
                return Err(RunsCursorError);
            }
            let row = part.get(..16).and_then(hex::number).ok_or(RunsCursorError)?;
            let place = part.get(16..).and_then(hex::number).ok_or(RunsCursorError)?;
            Ok(Some(RunPosition { row, place: place as u32 }))
        };
        Ok(Self { homes: text.split('-').map(home).collect::<Result<_, _>>()? })
    }
}

/// Joins the answers of a task's homes, each asked from `cursor`: at most `limit` runs, the newest
/// first, and where to go on. A home that was not asked has no answer. Behind the last run of one
/// that has more, nothing is given: what it has there may be newer.
pub fn merge(
    cursor: &RunsCursor,
    replies: Vec<Option<RunsReply>>,
    limit: usize,
) -> (Vec<RunItem>, Option<RunsCursor>) {
    struct Home {
        at: RunPosition,
        items: std::iter::Peekable<std::vec::IntoIter<RunItem>>,
        next: Option<RunPosition>,
    }
    let mut homes: Vec<Option<Home>> = cursor
        .homes
        .iter()
        .zip(replies)
        .map(|(at, reply)| {
            let (at, RunsReply { items, next }) = ((*at)?, reply?);
            Some(Home { at, items: items.into_iter().peekable(), next })
        })
        .collect();
    let mut taken = Vec::new();
    let is_spent = |home: &mut Home| home.items.peek().is_none() && home.next.is_some();
    while taken.len() < limit && !homes.iter_mut().flatten().any(is_spent) {
        // Of runs reported at the same time, that of the newest epoch first: homes come in that
        // order.
        let newest = homes
            .iter_mut()
            .flatten()
            .filter_map(|home| home.items.peek().map(|item| item.reported_at).map(|at| (at, home)))
            .reduce(|best, other| if other.0 > best.0 { other } else { best });
        let Some((_, home)) = newest else { break };
        if let Some(item) = home.items.next() {
            home.at = item.position;
            taken.push(item);
        }
    }
    let left = |home: Option<Home>| {
        let mut home = home?;
        if home.items.peek().is_some() { Some(home.at) } else { home.next }
    };
    let homes: Vec<_> = homes.into_iter().map(left).collect();
    let next = homes.iter().any(Option::is_some).then_some(RunsCursor { homes });
    (taken, next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use scheduler_calendar::time::UnixMillis;
    use serde_json::value::RawValue;

    fn item(row: u64, at: i64) -> RunItem {
        let run = RawValue::from_string(format!("{at}")).unwrap();
        RunItem { position: RunPosition { row, place: 0 }, reported_at: UnixMillis::new(at), run }
    }

    /// A home may give fewer than it is asked for: it stops at its share of the bytes, or has
    /// looked at as many rows as it may.
    #[test]
    fn runs_come_in_order_though_a_home_gives_fewer() {
        let homes: [&[(u64, i64)]; 2] =
            [&[(9, 100), (8, 90), (7, 50)], &[(5, 95), (4, 93), (3, 91), (1, 10)]];
        let (mut cursor, mut seen) = (Some(RunsCursor::start(2)), Vec::new());
        while let Some(from) = cursor {
            let given = |(home, before): (&&[(u64, i64)], &Option<RunPosition>)| {
                Some(ask(home, (*before)?, 1))
            };
            let (items, next) =
                merge(&from, homes.iter().zip(from.homes()).map(given).collect(), 1_000);
            assert!(!items.is_empty());
            seen.extend(items.iter().map(|item| item.reported_at.get()));
            cursor = next;
        }
        assert_eq!(seen, [100, 95, 93, 91, 90, 50, 10]);
        // One that has found nothing yet is asked for again first.
        let nothing_yet =
            RunsReply { items: Vec::new(), next: Some(RunPosition { row: 6, place: 0 }) };
        let (items, next) =
            merge(&RunsCursor::start(2), vec![Some(nothing_yet), Some(ask(homes[1], START, 9))], 9);
        assert!(items.is_empty());
        assert_eq!(next.unwrap().homes(), [Some(RunPosition { row: 6, place: 0 }), Some(START)]);
    }

    /// Returns what a home with these runs, the newest first, answers.
    fn ask(home: &[(u64, i64)], before: RunPosition, limit: usize) -> RunsReply {
        let all: Vec<_> = home.iter().filter(|(row, _)| *row < before.row).collect();
        let items: Vec<_> = all.iter().take(limit).map(|(row, at)| item(*row, *at)).collect();
        let next = items.last().filter(|_| all.len() > limit).map(|last| last.position);
        RunsReply { items, next }
    }

    #[test]
    fn runs_of_several_homes_come_in_order_whatever_the_limit() {
        let homes: [&[(u64, i64)]; 3] =
            [&[(9, 100), (8, 90), (7, 50)], &[(5, 95), (4, 90), (3, 90), (1, 10)], &[]];
        for limit in 1..9 {
            let mut cursor = Some(RunsCursor::start(3));
            let mut seen = Vec::new();
            while let Some(from) = cursor {
                let from = RunsCursor::parse(&from.to_string(), 3).unwrap();
                let replies = homes
                    .iter()
                    .zip(from.homes())
                    .map(|(home, before)| Some(ask(home, (*before)?, limit)))
                    .collect();
                let (items, next) = merge(&from, replies, limit);
                assert!(items.len() <= limit);
                seen.extend(items.iter().map(|item| (item.position.row, item.reported_at.get())));
                cursor = next;
            }
            assert_eq!(
                seen,
                [(9, 100), (5, 95), (8, 90), (4, 90), (3, 90), (7, 50), (1, 10)],
                "limit {limit}"
            );
        }
    }

    #[test]
    fn cursors_are_read_back_and_others_refused() {
        let text = "00000000000000ff0000000a--ffffffffffffffffffffffff";
        let cursor = RunsCursor::parse(text, 3).unwrap();
        assert_eq!(cursor.homes(), [Some(RunPosition { row: 255, place: 10 }), None, Some(START)]);
        assert_eq!(cursor.to_string(), text);
        assert_eq!(RunsCursor::start(1).to_string(), "f".repeat(24));
        for bad in [
            "x",
            "00000000000000ff0000000",
            "+0000000000000ff0000000a",
            "00000000000000ff0000000a-",
            "é",
            "ää000000000000000000000",
        ] {
            assert_eq!(RunsCursor::parse(bad, 1), Err(RunsCursorError), "{bad}");
        }
        assert!(RunsCursor::parse(text, 2).is_err());
    }
}
