//! Failures with similar errors, of several shards.

use super::cursor::RunsCursor;
use crate::protocol::{ErrorGroup, GroupsReply};
use scheduler_calendar::ordered::sort_by_key;
use scheduler_calendar::time::UnixMillis;
use std::cmp::Reverse;
use std::collections::HashMap;

/// The order of groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// The group with the newest attempt first.
    #[default]
    Newest,
    /// The largest group first.
    Count,
}

/// Failures with similar errors.
pub type Group = ErrorGroup;

/// The groups of the attempts that the shards have examined.
#[derive(Debug)]
pub struct GroupsPage {
    /// The groups, in the requested order.
    pub groups: Vec<Group>,
    /// Where to continue further back; `None` at the end.
    pub next: Option<RunsCursor>,
    /// If there is more to search, everything that was reported after this time is counted, unless
    /// clocks of shards have gone back.
    pub back_to: Option<UnixMillis>,
    /// How many attempts the shards have examined.
    pub attempts: u64,
}

/// Joins the groups of shards. Each shard was searched from its place in `cursor`. A shard that got
/// no request has no answer.
pub fn merge_groups(
    cursor: &RunsCursor,
    replies: Vec<Option<GroupsReply>>,
    order: Order,
) -> GroupsPage {
    let (mut positions, mut attempts, mut back_to) = (Vec::new(), 0, None);
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut groups: Vec<Group> = Vec::new();
    for (at, reply) in cursor.positions().iter().zip(replies) {
        let Some(reply) = reply.filter(|_| at.is_some()) else {
            positions.push(None);
            continue;
        };
        positions.push(reply.looked.next);
        attempts += reply.looked.attempts;
        if reply.looked.next.is_some() {
            back_to = back_to.max(reply.looked.back_to);
        }
        for group in reply.groups {
            match places.get(&group.pattern).and_then(|place| groups.get_mut(*place)) {
                Some(of) => add(of, group),
                None => {
                    places.insert(group.pattern.clone(), groups.len());
                    groups.push(group);
                }
            }
        }
    }
    // The pattern makes the order total.
    match order {
        Order::Newest => {
            sort_by_key(&mut groups, |group| (Reverse(group.last), group.pattern.clone()));
        }
        Order::Count => {
            sort_by_key(&mut groups, |group| {
                (Reverse(group.count), Reverse(group.last), group.pattern.clone())
            });
        }
    }
    let next = positions.iter().any(Option::is_some).then(|| RunsCursor::new(positions));
    GroupsPage { groups, next, back_to, attempts }
}

fn add(of: &mut Group, group: Group) {
    of.count += group.count;
    of.first = of.first.min(group.first);
    if group.last > of.last {
        (of.last, of.example) = (group.last, group.example);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Looked, RunPosition};
    use serde_json::value::RawValue;

    fn group(pattern: &str, count: u64, first: i64, last: i64) -> Group {
        let example = RawValue::from_string(format!("{last}")).unwrap();
        let (first, last) = (UnixMillis::new(first), UnixMillis::new(last));
        Group { pattern: pattern.to_owned(), count, first, last, example }
    }

    fn reply(groups: Vec<Group>, next: Option<i64>) -> Option<GroupsReply> {
        let looked = Looked {
            next: next.map(|_| RunPosition { row: 3, place: 0 }),
            back_to: next.map(UnixMillis::new),
            attempts: 10,
            start: None,
        };
        Some(GroupsReply { groups, looked })
    }

    #[test]
    fn groups_of_several_shards_are_joined_by_their_pattern() {
        let replies = || {
            vec![
                reply(vec![group("a", 2, 50, 90), group("b", 1, 80, 80)], Some(40)),
                reply(vec![group("c", 5, 60, 70), group("a", 1, 30, 95)], Some(45)),
                reply(vec![group("d", 1, 70, 70)], None),
                None,
            ]
        };
        let shown = |order| {
            let page = merge_groups(&RunsCursor::start(4), replies(), order);
            let groups = page.groups.iter().map(|group| {
                let example = group.example.get().parse().unwrap();
                (group.pattern.clone(), group.count, group.first.get(), group.last.get(), example)
            });
            assert_eq!((page.back_to, page.attempts), (Some(UnixMillis::new(45)), 30));
            let open: Vec<_> = page.next.unwrap().positions().iter().map(Option::is_some).collect();
            assert_eq!(open, [true, true, false, false]);
            groups.collect::<Vec<_>>()
        };
        let of = |pattern: &str, count, first, last| (pattern.to_owned(), count, first, last, last);
        let (a, b) = (of("a", 3, 30, 95), of("b", 1, 80, 80));
        let (c, d) = (of("c", 5, 60, 70), of("d", 1, 70, 70));
        assert_eq!(shown(Order::Newest), [a.clone(), b.clone(), c.clone(), d.clone()]);
        assert_eq!(shown(Order::Count), [c, a, b, d]);
        let end = merge_groups(&RunsCursor::start(1), vec![reply(vec![], None)], Order::Newest);
        assert_eq!((end.next, end.back_to), (None, None));
    }
}
