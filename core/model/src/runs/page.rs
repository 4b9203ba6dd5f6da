//! A page of a history of several shards.

use super::cursor::RunsCursor;
use crate::protocol::{Looked, RunItem, RunPosition, RunsReply};
use scheduler_calendar::time::UnixMillis;
use std::iter::Peekable;
use std::vec::IntoIter;

/// A page of a history of several shards.
#[derive(Debug)]
pub struct RunsPage {
    /// The runs, newest first by the time of the report, then in the order of the shards.
    pub items: Vec<RunItem>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<RunsCursor>,
    /// If there is a next page, no run on it or on a later one was reported after this time, unless
    /// clocks of shards have gone back.
    pub back_to: Option<UnixMillis>,
    /// How many attempts the shards have examined.
    pub attempts: u64,
}

/// The rest of a shard's answer.
struct Home {
    at: RunPosition,
    items: Peekable<IntoIter<RunItem>>,
    looked: Looked,
}

impl Home {
    fn new(at: RunPosition, reply: RunsReply) -> Self {
        let RunsReply { items, looked } = reply;
        // A run that was reported after the first page was requested is newer than this page, and
        // is on no page.
        let at = looked.start.filter(|_| at == RunPosition::END).unwrap_or(at);
        Self { at, items: items.into_iter().peekable(), looked }
    }

    /// Returns when the next run of the shard was reported, or the latest time at which it can have
    /// been reported. Returns `None` if the shard has no more.
    fn newest_left(&mut self) -> Option<UnixMillis> {
        if let Some(item) = self.items.peek() {
            return Some(item.reported_at);
        }
        self.looked.next?;
        Some(self.looked.back_to.unwrap_or(UnixMillis::new(i64::MAX)))
    }

    /// Returns where the shard continues.
    fn next(mut self) -> Option<RunPosition> {
        if self.items.peek().is_some() { Some(self.at) } else { self.looked.next }
    }
}

/// Joins the answers of shards to a page of at most `limit` runs. Each shard was searched from its
/// place in `cursor`. A shard that got no request has no answer.
///
/// A shard that stopped early may have a run where it stopped. So the page contains nothing that
/// was reported at that time or before.
pub fn merge(cursor: &RunsCursor, replies: Vec<Option<RunsReply>>, limit: usize) -> RunsPage {
    let asked = cursor.positions().iter().zip(replies);
    let mut homes: Vec<Option<Home>> =
        asked.map(|(at, reply)| Some(Home::new((*at)?, reply?))).collect();
    let attempts = homes.iter().flatten().map(|home| home.looked.attempts).sum();
    let mut items = Vec::new();
    while items.len() < limit {
        let stopped = |home: &mut Home| {
            if home.items.peek().is_none() { home.newest_left() } else { None }
        };
        let floor = homes.iter_mut().flatten().filter_map(stopped).max();
        // If runs were reported at the same time, that of the first shard comes first.
        let newest = homes
            .iter_mut()
            .flatten()
            .filter_map(|home| home.items.peek().map(|item| item.reported_at).map(|at| (at, home)))
            .reduce(|best, other| if other.0 > best.0 { other } else { best });
        let Some((reported_at, home)) = newest else { break };
        if floor.is_some_and(|floor| reported_at <= floor) {
            break;
        }
        if let Some(item) = home.items.next() {
            home.at = item.position;
            items.push(item);
        }
    }
    let back_to = homes.iter_mut().flatten().filter_map(Home::newest_left).max();
    let positions: Vec<_> = homes.into_iter().map(|home| home.and_then(Home::next)).collect();
    let next = positions.iter().any(Option::is_some).then(|| RunsCursor::new(positions));
    RunsPage { items, back_to: back_to.filter(|_| next.is_some()), next, attempts }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routing::ShardId;
    use serde_json::value::RawValue;

    const SHARDS: [ShardId; 3] = [
        ShardId { epoch: 2, index: 0 },
        ShardId { epoch: 2, index: 1 },
        ShardId { epoch: 1, index: 0 },
    ];

    /// The runs of a shard, newest first: their rows, and the times of their reports. A time below
    /// 0 belongs to a run that the filter does not match.
    type Rows = Vec<(u64, i64)>;

    fn item(row: u64, at: i64) -> RunItem {
        let run = RawValue::from_string(format!("{at}")).unwrap();
        RunItem { position: RunPosition { row, place: 0 }, reported_at: UnixMillis::new(at), run }
    }

    /// Returns the answer of a shard that reads at most `rows` rows.
    fn ask(shard: &Rows, before: RunPosition, limit: usize, rows: usize) -> RunsReply {
        let all: Vec<_> = shard.iter().filter(|(row, _)| *row < before.row).collect();
        let (mut items, mut looked) = (Vec::new(), Looked::default());
        looked.start = all.first().map(|(row, _)| RunPosition { row: row + 1, place: 0 });
        for (seen, (row, at)) in all.iter().enumerate() {
            if seen >= rows || items.len() >= limit {
                looked.next = Some(RunPosition { row: row + 1, place: 0 });
                looked.back_to = Some(UnixMillis::new(at.abs()));
                break;
            }
            looked.attempts += 1;
            if *at > 0 {
                items.push(item(*row, *at));
            }
        }
        RunsReply { items, looked }
    }

    /// Reads all pages. `before_page` may add runs.
    fn read(
        mut shards: Vec<Rows>,
        (limit, rows): (usize, usize),
        mut before_page: impl FnMut(usize, &mut Vec<Rows>),
    ) -> Vec<(u64, i64)> {
        let names = &SHARDS[..shards.len()];
        let (mut cursor, mut seen) = (Some(RunsCursor::start(shards.len())), Vec::new());
        for page in 0.. {
            let Some(from) = cursor else { return seen };
            before_page(page, &mut shards);
            let from = RunsCursor::parse(&from.text(names), names).unwrap();
            let given = |(shard, before): (&Rows, &Option<RunPosition>)| {
                Some(ask(shard, (*before)?, limit, rows))
            };
            let replies = shards.iter().zip(from.positions()).map(given).collect();
            let page = merge(&from, replies, limit);
            assert!(page.items.len() <= limit);
            let last = page.items.last().map(|item| item.reported_at);
            assert!(page.back_to.is_none_or(|back_to| last.is_none_or(|last| last >= back_to)));
            assert_eq!(page.back_to.is_some(), page.next.is_some());
            seen.extend(page.items.iter().map(|item| (item.position.row, item.reported_at.get())));
            assert!(page.attempts > 0 || page.next.is_none());
            cursor = page.next;
        }
        seen
    }

    #[test]
    fn runs_of_several_shards_are_in_order_with_any_limit() {
        let shards = || -> Vec<Rows> {
            vec![
                vec![(9, 100), (8, 90), (7, -60), (6, 50)],
                vec![(5, 95), (4, 90), (3, 90), (2, -20), (1, 10)],
                vec![],
            ]
        };
        let all = [(9, 100), (5, 95), (8, 90), (4, 90), (3, 90), (6, 50), (1, 10)];
        for limit in 1..9 {
            for rows in 1..6 {
                let seen = read(shards(), (limit, rows), |_, _| {});
                let times: Vec<_> = seen.iter().map(|(_, at)| *at).collect();
                assert!(times.is_sorted_by(|a, b| a >= b), "{limit} {rows}: {seen:?}");
                let (mut seen, mut all) = (seen, all.to_vec());
                if rows >= 5 {
                    assert_eq!(seen, all, "limit {limit}");
                }
                seen.sort_unstable();
                all.sort_unstable();
                assert_eq!(seen, all, "{limit} {rows}");
            }
        }
    }

    /// The second shard has nothing for the first page, and gets a newer run after it.
    #[test]
    fn a_run_reported_between_two_pages_is_on_neither() {
        let shards = vec![vec![(9, 100), (8, 90), (7, 80)], vec![(5, 70)]];
        let seen = read(shards, (2, 10), |page, shards| {
            if page == 1 {
                shards[1].insert(0, (6, 110));
            }
        });
        assert_eq!(seen, [(9, 100), (8, 90), (7, 80), (5, 70)]);
    }

    /// A shard that has found nothing yet does not delay runs that are newer than where it stopped.
    #[test]
    fn a_shard_that_stopped_early_delays_runs_that_may_be_older_than_its_next() {
        let shards = [vec![(9, 100), (8, 40)], vec![(5, -95), (4, -60), (3, -50), (2, 10)]];
        let from = RunsCursor::start(2);
        let replies = shards.iter().map(|shard| Some(ask(shard, RunPosition::END, 10, 2)));
        let page = merge(&from, replies.collect(), 10);
        assert_eq!(page.items.iter().map(|item| item.reported_at.get()).collect::<Vec<_>>(), [100]);
        assert_eq!((page.back_to, page.attempts), (Some(UnixMillis::new(50)), 4));
    }
}
