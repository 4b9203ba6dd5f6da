//! Number ranges, and what happens at the end of each.
//!
//! | number | bits | at its end |
//! |---|---|---|
//! | of a page | 31 | continues at 1 and skips numbers in use; 0 denotes the recurring tasks and is never a page's. In a list, the 32nd bit marks an attempt in flight. |
//! | of a recurring task | 32 | continues at 1 and skips numbers in use |
//! | of a lane | 8 | free numbers are reused: [`crate::lanes`] |
//! | of an envelope, of a row of the history, of an event | 64 | is not reached: at 1,000 a second, 2^53, the last that JavaScript counts exactly, comes after 285,000 years |
//! | of an incarnation of the shard | 32 | is not reached: with a start every 10 seconds it comes after 1,300 years |
//! | of a request to a limiter | 32 in an incarnation | is not reached: with 20 requests a second it comes after 6 years without a deployment |
//! | of an attempt, of a redelivery | 32 | stays |
//! | of a period of remembered keys | 64 | is not reached: it counts half days |
//!
//! A new page with a reused number does not count as fired. All its entries are due after the
//! watermark, and so are the occurrences of a new recurring task. So their positions follow
//! everything that was dispatched, whatever the number is.

use super::Engine;
use crate::flights::IN_FLIGHT;
use scheduler_model::numbers::{PageNumber, ScheduleNumber};

impl Engine {
    /// Returns the number for a new page.
    pub(super) fn next_page(&mut self) -> PageNumber {
        let is_taken = |number| self.tasks.page(PageNumber::new(number)).is_some();
        self.last_page = PageNumber::new(next_free(self.last_page.get(), MAX_PAGE, is_taken));
        self.last_page
    }

    /// Returns the number for a new recurring task.
    pub(super) fn next_schedule(&mut self) -> ScheduleNumber {
        let is_taken = |number| self.tasks.schedule(ScheduleNumber::new(number)).is_some();
        let last = self.last_schedule.get();
        self.last_schedule = ScheduleNumber::new(next_free(last, u32::MAX, is_taken));
        self.last_schedule
    }
}

/// The last number of a page.
const MAX_PAGE: u32 = IN_FLIGHT - 1;

/// Returns the first free number after `last`. After the number `most` comes 1. Assumes that some
/// number is free, because a shard holds far fewer.
fn next_free(last: u32, most: u32, is_taken: impl Fn(u32) -> bool) -> u32 {
    let following = |number: u32| number.checked_add(1).filter(|next| *next <= most).unwrap_or(1);
    let mut number = following(last);
    while is_taken(number) {
        number = following(number);
    }
    number
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tasks::Tasks;
    use scheduler_calendar::time::UnixMillis;
    use scheduler_model::format::page::{Directory, Entry, Flags};
    use scheduler_model::numbers::LaneNumber;

    /// If the timer of a deleted page were still valid for its number, a lane would dispatch
    /// entries of another lane.
    #[test]
    fn an_old_timer_is_not_valid_for_a_new_page_with_its_number() {
        let entry =
            Entry { hash: 1, due: UnixMillis::new(7), offset: 0, len: 1, flags: Flags::TASK };
        let mut of_lane = Directory::new(vec![entry]);
        of_lane.set_lane(LaneNumber::new(3));
        let mut tasks = Tasks::default();
        tasks.insert_page(PageNumber::new(5), of_lane, 1, 0, Vec::new());
        assert!(tasks.head_of(LaneNumber::new(3)).is_some());
        tasks.remove_page(PageNumber::new(5));
        tasks.insert_page(PageNumber::new(5), Directory::new(vec![entry]), 1, 0, Vec::new());
        assert_eq!(tasks.head_of(LaneNumber::new(3)), None);
        assert!(tasks.head().is_some_and(|head| head.page == 5));
    }

    #[test]
    fn numbers_wrap_around_to_one_and_skip_those_in_use() {
        let taken = [1, 2, 4, u32::MAX];
        let next = |last| next_free(last, u32::MAX, |number| taken.contains(&number));
        assert_eq!([next(0), next(3), next(5), next(u32::MAX - 2)], [3, 5, 6, u32::MAX - 1]);
        assert_eq!([next(u32::MAX - 1), next(u32::MAX)], [3, 3]);
        let page = |last| next_free(last, MAX_PAGE, |number| taken.contains(&number));
        assert_eq!([page(MAX_PAGE - 1), page(MAX_PAGE), page(MAX_PAGE + 7)], [MAX_PAGE, 3, 3]);
    }
}
