//! The order of dead letters, newest first.
//!
//! A place in this order ([`Position::newest_first`]) rises from the newest dead letter to the
//! oldest. So lists over all shards join their parts as they join lists of tasks. The dead letters
//! that earlier versions stored are never due. They come last, in no order of time.

use crate::mem_page::MemPage;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::format::page::Flags;
use scheduler_model::numbers::PageNumber;
use scheduler_model::position::Position;
use scheduler_model::protocol::Filter;
use std::cmp::Ordering;

/// Returns the index of the newest dead letter of a page that comes after the place `after` and
/// whose time a filter may match. Without a place, returns the index of the newest one.
pub(super) fn newest_in(
    page: &MemPage,
    number: PageNumber,
    filter: &Filter,
    after: Option<Position>,
) -> Option<usize> {
    let directory = &page.directory;
    let is_letter = |index: &usize| {
        page.is_live(*index)
            && directory.get(*index).is_some_and(|entry| entry.flags.has(Flags::DEAD_LETTER))
    };
    let first = filter.from.unwrap_or(UnixMillis::ZERO).as_death();
    let end = filter.to.map_or(UnixMillis::NO_LANE, UnixMillis::as_death);
    // Indexes of a page rise with due times.
    let before = |after: Position| match number.get().cmp(&after.page) {
        Ordering::Less => directory.before(after.due.plus(1)),
        Ordering::Equal => after.index as usize,
        Ordering::Greater => directory.before(after.due),
    };
    let is_old = after.is_some_and(|after| after.due == UnixMillis::NEVER);
    let in_order = directory.before(first)..directory.before(end);
    let end_in_order = after.map_or(in_order.end, |after| before(after).min(in_order.end));
    if !is_old && let Some(index) = (in_order.start..end_in_order).rev().find(is_letter) {
        return Some(index);
    }
    let old = directory.before(UnixMillis::NEVER)..directory.len();
    let end_of_old = after.filter(|_| is_old).map_or(old.end, before).min(old.end);
    (old.start..end_of_old).rev().find(is_letter)
}
