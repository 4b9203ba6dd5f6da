use super::*;
use crate::engine::lanes::pair::Pair;
use crate::{Config, Snapshot};
use scheduler_calendar::time::UnixMillis;
use scheduler_model::format::page::{Directory, Entry, Flags};
use scheduler_model::protocol::ListRequest;

fn engine_with(pages: u32, entries: impl Fn(u32) -> Vec<Entry>) -> Engine {
    let mut engine = Engine::load("1-0", Config::default(), Snapshot::default()).unwrap();
    for number in 1..=pages {
        let directory = Directory::new(entries(number));
        engine.tasks.insert_page(PageNumber::new(number), directory, 100, 0, Vec::new());
    }
    engine
}

fn entry(hash: u32, due: i64) -> Entry {
    let due = UnixMillis::new(due);
    Entry { hash: u64::from(hash), due, offset: 0, len: 100, flags: Flags::default() }
}

/// A shard with one task in each page has the most places to merge.
#[test]
fn a_walk_through_many_small_pages_takes_a_part_of_what_the_shard_takes() {
    // One more than a power of two, because then a vector that doubles its capacity has the most
    // unused space.
    let pages = 4_097;
    let due = |number| 1_764_000_000_000 + i64::from(number);
    let engine = engine_with(pages, |number| vec![entry(number, due(number))]);
    for direction in [Direction::Forward, Direction::Backward] {
        let filter = Filter::default();
        let walk = engine.walk(&filter, direction, None).places;
        assert_eq!(walk.len(), pages as usize);
        let (walk, shard) = (walk.memory_bytes(), engine.memory_bytes());
        assert!(6 * walk <= shard, "{walk} bytes beside {shard}");
    }
}

/// Checks lists from each place and in both directions, with many tasks due at the same time.
#[test]
fn a_walk_continues_behind_any_place() {
    let due = |number: u32, index: u32| i64::from((number * 7 + index * 5) % 4);
    let entries = |number| (0..5).map(move |index| entry(number * 10 + index, due(number, index)));
    let mut engine = engine_with(4, |number| entries(number).collect());
    let killed = PageEntry { page: PageNumber::new(2), index: 2 };
    engine.tasks.kill(killed);
    let filter = Filter::default();
    let mut before = Vec::new();
    for direction in [Direction::Forward, Direction::Backward] {
        let all: Vec<Position> = engine.walk(&filter, direction, None).collect();
        assert_eq!(all.len(), 19);
        let place = |position: &Position| engine.place_of(*position, direction);
        assert!(all.is_sorted_by(|one, other| place(one) < place(other)));
        for (at, position) in all.iter().enumerate() {
            let rest: Vec<_> = engine.walk(&filter, direction, Some(place(position))).collect();
            assert_eq!(rest, all[at + 1..]);
        }
        assert!(before.is_empty() || all.iter().rev().eq(&before));
        before = all;
    }
    let some = Filter {
        from: Some(UnixMillis::new(1)),
        to: Some(UnixMillis::new(3)),
        ..Filter::default()
    };
    let dues = |direction| -> Vec<i64> {
        engine.walk(&some, direction, None).map(|position| position.due.get()).collect()
    };
    let rising = dues(Direction::Forward);
    assert!(rising.len() > 5 && rising.iter().all(|due| (1..3).contains(due)));
    assert!(dues(Direction::Backward).iter().rev().eq(&rising));
}

/// A change of many missed a run that got a lane between two steps, because the run was due before
/// the place where the next step began.
#[test]
fn a_change_of_many_begins_with_the_runs_that_wait_for_a_lane() {
    let no_lane = UnixMillis::NO_LANE.get();
    let dues = [3, 9, no_lane, no_lane, UnixMillis::PAUSED.get()];
    let engine = engine_with(3, |number| {
        (0..).zip(dues).map(|(index, due)| entry(number * 10 + index, due)).collect()
    });
    let filter = Filter::default();
    let steps = |after| -> Vec<(Position, Position)> {
        let mut walk = engine.walk(&filter, Direction::Changing, after);
        std::iter::from_fn(|| walk.next().map(|at| (at, walk.place_of(at)))).collect()
    };
    let all = steps(None);
    let waits = |(at, _): &&(Position, Position)| at.due == UnixMillis::NO_LANE;
    assert_eq!((all.len(), all.iter().take_while(waits).count()), (15, 6));
    assert!(all.is_sorted_by_key(|(_, place)| *place), "{all:?}");
    assert_eq!(steps(Some(Direction::Changing.first_place())), all);
    for (at, (_, place)) in all.iter().enumerate() {
        let rest = steps(Some(*place));
        // A step that begins behind them meets those that have begun to wait since.
        let (again, others): (Vec<&_>, Vec<&_>) = rest.iter().partition(|of| at >= 6 && waits(of));
        assert!(others.into_iter().eq(&all[at + 1..]), "{rest:?} after {place:?}");
        let are_ahead = at >= 6 && place.due < UnixMillis::NO_LANE;
        assert_eq!(again.len(), if are_ahead { 6 } else { 0 }, "{rest:?} after {place:?}");
    }
}

/// A list from the end left out a task if tasks that are due earlier had been added to its page.
#[test]
fn what_is_added_before_a_place_hides_nothing_behind_it() {
    for due in [50, UnixMillis::PAUSED.get()] {
        for direction in [Direction::Forward, Direction::Backward] {
            for added in 0..5 {
                let mut engine = engine_with(1, |_| (0..4).map(|hash| entry(hash, due)).collect());
                let filter = Filter::default();
                let hashes = |engine: &Engine, after| -> Vec<u64> {
                    let walk = engine.walk(&filter, direction, after);
                    walk.filter_map(|at| engine.tasks.hash_of(EntryRef::of(at))).collect()
                };
                let all = hashes(&engine, None);
                let second = engine.walk(&filter, direction, None).nth(1).unwrap();
                let place = engine.place_of(second, direction);
                for hash in 0..added {
                    engine.tasks.insert_entry(PageNumber::new(1), entry(100 + hash, 7));
                }
                let rest = hashes(&engine, Some(place));
                assert!(all[2..].iter().all(|hash| rest.contains(hash)), "{rest:?} after {all:?}");
                // A list from the end repeats nothing, and ends with the added tasks.
                assert!(direction == Direction::Forward || rest[..2] == all[2..], "{rest:?}");
            }
        }
    }
}

/// The numbers of pages went up to 2^32, and the second half of them was taken for the mark of an
/// attempt in flight.
#[test]
fn a_list_shows_tasks_of_pages_with_the_last_numbers() {
    let mut pair = Pair::new(usize::MAX);
    pair.engine.last_page = PageNumber::new((1 << 31) - 2);
    for n in 0..3 {
        let due = pair.now.plus(3_600_000);
        let record = format!(
            r#"{{"time":{due},"id":"task-{n}","callback":{{"type":"handler","name":"log"}},"payload":"{}"}}"#,
            "x".repeat(60_000)
        );
        let append =
            crate::testing::append([(format!("task-{n}").as_str(), due, record.as_bytes())]);
        pair.input(|engine, now, reader| engine.append(append, now, reader));
    }
    let pages: Vec<u32> = pair.engine.tasks.pages().map(|(number, _)| number.get()).collect();
    assert!(pages.contains(&((1 << 31) - 1)) && pages.contains(&1), "{pages:?}");
    let request = ListRequest { limit: 10, ..ListRequest::default() };
    let reply = pair.engine.list(&request, pair.reader()).unwrap();
    assert_eq!(reply.items.len(), 3);
}
