//! Joins the parts of a page that the shards return.

use super::place::Cursor;
use crate::bounds::{LEAST_SEARCHED_BYTES, MAX_LIST_BYTES, MAX_SEARCHED_BYTES};
use crate::protocol::{ListItem, ListReply};
use crate::routing::ShardId;
use scheduler_calendar::ordered::sort_by_key;

/// Returns the bytes that each of `sources` shards may read for a search: its share of
/// [`MAX_SEARCHED_BYTES`].
pub fn share_of_search(sources: usize) -> usize {
    (MAX_SEARCHED_BYTES / sources.max(1)).max(LEAST_SEARCHED_BYTES)
}

/// Returns the most bytes of items that each of `sources` shards returns: its share of
/// [`MAX_LIST_BYTES`]. A shard returns at least one item, so the list always advances.
pub fn share_of_page(sources: usize) -> usize {
    MAX_LIST_BYTES / sources.max(1)
}

/// Collects a page of a list from the parts of the shards: at most `limit` tasks in order, with at
/// most [`MAX_LIST_BYTES`] unless the first task alone is larger. However many shards there are, it
/// holds no more than that and the last added part.
///
/// A shard that stopped early may have more items after the place where it stopped. So the page
/// ends at the first such place.
#[derive(Debug)]
pub struct Page {
    limit: usize,
    items: Vec<(Cursor, ListItem)>,
    /// The bytes of the items' records.
    bytes: usize,
    /// The place at which the page ends, if a shard stopped early.
    end: Option<Cursor>,
    /// The sum of the shards' totals; `None` if a shard gave none.
    total: Option<u64>,
    searched: u64,
}

/// A page of a list.
#[derive(Debug)]
pub struct Finished {
    /// The tasks, in order.
    pub items: Vec<ListItem>,
    /// Where the next page begins; `None` after the last page.
    pub next: Option<Cursor>,
    /// The number of items of the whole list, if every shard gave its own.
    pub total: Option<u64>,
    /// The number of tasks that the shards have examined.
    pub searched: u64,
}

impl Page {
    /// Returns an empty page.
    pub fn new(limit: usize) -> Self {
        Self { limit, items: Vec::new(), bytes: 0, end: None, total: Some(0), searched: 0 }
    }

    /// Adds the part of a shard.
    pub fn add(&mut self, shard: ShardId, reply: ListReply) {
        self.total = self.total.zip(reply.total).map(|(sum, more)| sum + more);
        self.searched += reply.searched;
        if let Some(next) = reply.next {
            self.ends_at(Cursor::new(shard, next));
        }
        self.bytes += reply.items.iter().map(bytes_of).sum::<usize>();
        self.items
            .extend(reply.items.into_iter().map(|item| (Cursor::new(shard, item.position), item)));
        // Not for every part, because it sorts.
        if self.bytes > MAX_LIST_BYTES || self.items.len() > 2 * self.limit {
            self.cut();
        }
    }

    /// Returns the page.
    pub fn finish(mut self) -> Finished {
        self.cut();
        let Self { items, end: next, total, searched, .. } = self;
        Finished { items: items.into_iter().map(|(_, item)| item).collect(), next, total, searched }
    }

    fn ends_at(&mut self, place: Cursor) {
        self.end = Some(self.end.map_or(place, |end| end.min(place)));
    }

    /// Drops the items that are not on the page.
    fn cut(&mut self) {
        self.items.retain(|(place, _)| self.end.is_none_or(|end| *place <= end));
        sort_by_key(&mut self.items, |(place, _)| *place);
        let mut kept = 0;
        self.bytes = 0;
        for (_, item) in self.items.iter().take(self.limit) {
            let bytes = bytes_of(item);
            if kept > 0 && self.bytes + bytes > MAX_LIST_BYTES {
                break;
            }
            self.bytes += bytes;
            kept += 1;
        }
        if kept < self.items.len() {
            self.items.truncate(kept);
            if let Some((last, _)) = self.items.last() {
                self.ends_at(*last);
            }
        }
    }
}

fn bytes_of(item: &ListItem) -> usize {
    item.record.get().len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bounds::MAX_RECORD_BYTES;
    use crate::position::Position;
    use crate::protocol::Status;
    use scheduler_calendar::time::UnixMillis;
    use serde_json::value::RawValue;

    fn item(due: i64, page: u32, index: u32) -> ListItem {
        let position = Position { due: UnixMillis::new(due), page, index };
        ListItem {
            position,
            due: None,
            status: Status::Scheduled,
            is_running: false,
            is_attempt: false,
            is_cancelled: false,
            record: RawValue::from_string("{}".to_owned()).unwrap(),
        }
    }

    fn dues(items: &[ListItem]) -> Vec<i64> {
        items.iter().map(|item| item.position.due.get()).collect()
    }

    const A: ShardId = ShardId { epoch: 1, index: 0 };
    const B: ShardId = ShardId { epoch: 1, index: 1 };

    fn part(items: Vec<ListItem>, next: Option<Position>) -> ListReply {
        ListReply { items, next, ..ListReply::default() }
    }

    fn merge(replies: Vec<(ShardId, ListReply)>, limit: usize) -> (Vec<ListItem>, Option<Cursor>) {
        let mut page = Page::new(limit);
        replies.into_iter().for_each(|(shard, reply)| page.add(shard, reply));
        let Finished { items, next, .. } = page.finish();
        (items, next)
    }

    #[test]
    fn parts_are_joined_in_order_up_to_the_limit() {
        let replies = |()| {
            vec![
                (A, part(vec![item(1, 1, 0), item(4, 1, 1)], None)),
                (B, part(vec![item(2, 1, 0), item(3, 1, 1)], None)),
            ]
        };
        let (items, next) = merge(replies(()), 10);
        assert_eq!((dues(&items), next), (vec![1, 2, 3, 4], None));
        let (items, next) = merge(replies(()), 3);
        assert_eq!((dues(&items), next.map(|next| next.due.get())), (vec![1, 2, 3], Some(3)));
    }

    #[test]
    fn a_page_says_how_many_tasks_were_looked_at() {
        let mut page = Page::new(1);
        for (shard, searched) in [(A, 7), (B, 5)] {
            page.add(shard, ListReply { searched, ..part(vec![item(1, 1, 0)], None) });
        }
        let Finished { items, searched, .. } = page.finish();
        assert_eq!((items.len(), searched), (1, 12));
        assert_eq!(share_of_search(16), MAX_SEARCHED_BYTES / 16);
        assert_eq!(share_of_search(512), LEAST_SEARCHED_BYTES);
    }

    #[test]
    fn nothing_behind_a_shard_that_stopped_early_is_given() {
        let stopped = Position { due: UnixMillis::new(2), page: 5, index: 5 };
        let replies = vec![
            (A, part(vec![item(1, 1, 0), item(4, 1, 1)], None)),
            (B, part(vec![], Some(stopped))),
        ];
        let (items, next) = merge(replies, 10);
        assert_eq!((dues(&items), next), (vec![1], Some(Cursor::new(B, stopped))));
    }

    /// Returns the answer of a shard with these tasks: items up to its share of the bytes, and at
    /// least one.
    fn ask(tasks: &[ListItem], after: Option<Position>, limit: usize, share: usize) -> ListReply {
        let (mut items, mut bytes) = (Vec::new(), 0);
        for item in tasks.iter().filter(|item| after.is_none_or(|after| item.position > after)) {
            if bytes >= share || items.len() >= limit {
                let next = items.last().map(|last: &ListItem| last.position);
                return part(items, next);
            }
            bytes += bytes_of(item);
            items.push(item.clone());
        }
        part(items, None)
    }

    /// Lists the largest number of shards: first with one shard of the largest tasks among shards
    /// of small ones, then with large tasks on all of them.
    #[test]
    fn a_page_of_many_shards_is_bounded_and_the_list_goes_on() {
        const SHARDS: u16 = 512;
        let sized = |due: u64, index: usize, bytes: usize| {
            let record = format!(r#"{{"a":"{}"}}"#, "x".repeat(bytes - 8));
            ListItem {
                record: RawValue::from_string(record).unwrap(),
                ..item(due as i64, 1, index as u32)
            }
        };
        for largest_of in [64, 1] {
            let shards: Vec<(ShardId, Vec<ListItem>)> = (0..SHARDS)
                .map(|index| {
                    let bytes = if index % largest_of == 0 { MAX_RECORD_BYTES } else { 300 };
                    let due = |n: u64| {
                        (u64::from(index) * 2_654_435_761 + n * 40_503) % 1_000 + n * 1_000
                    };
                    (
                        ShardId { epoch: 1, index },
                        (0..3).map(|n| sized(due(n as u64), n, bytes)).collect(),
                    )
                })
                .collect();
            let (mut seen, mut cursor): (Vec<(Cursor, usize)>, Option<Cursor>) = (Vec::new(), None);
            loop {
                let mut page = Page::new(1_000);
                for (shard, tasks) in &shards {
                    let reply = ask(
                        tasks,
                        cursor.map(|cursor| cursor.after(*shard)),
                        1_000,
                        share_of_page(shards.len()),
                    );
                    let given: usize = reply.items.iter().map(bytes_of).sum();
                    assert!(given <= share_of_page(shards.len()) + MAX_RECORD_BYTES);
                    page.add(*shard, reply);
                    let held: usize = page.items.iter().map(|(_, item)| bytes_of(item)).sum();
                    assert!(held == page.bytes && held <= MAX_LIST_BYTES, "{held} bytes are held");
                }
                page.cut();
                assert!(!page.items.is_empty() || page.end > cursor, "the list does not go on");
                seen.extend(page.items.iter().map(|(place, item)| (*place, bytes_of(item))));
                cursor = page.finish().next;
                if cursor.is_none() {
                    break;
                }
            }
            assert_eq!(seen.len(), usize::from(SHARDS) * 3);
            assert!(seen.is_sorted());
        }
    }

    #[test]
    fn a_task_larger_than_a_page_is_a_page() {
        let record = format!(r#""{}""#, "x".repeat(MAX_LIST_BYTES));
        let large = ListItem { record: RawValue::from_string(record).unwrap(), ..item(1, 1, 0) };
        let (items, next) = merge(vec![(A, part(vec![large, item(2, 1, 1)], None))], 10);
        assert_eq!((dues(&items), next.map(|next| next.due.get())), (vec![1], Some(1)));
    }
}
