//! Plans a request: from its text to an append for each shard.

use crate::bounds::MAX_LANES;
use crate::format::page::{Flags, PageBuilder};
use crate::id_key::IdKey;
use crate::idempotency::IdempotencyKey;
use crate::ids::TaskId;
use crate::input::FieldError;
use crate::numbers::LaneNumber;
use crate::protocol::{Append, Terms};
use crate::routing::{ShardId, ShardMap, id_hash};
use crate::task::{NewTask, Origin, ValidTask, Validator, write_text};
use hashbrown::HashTable;
use scheduler_calendar::ordered::collected;
use scheduler_calendar::time::UnixMillis;
use std::collections::BTreeSet;

/// The plan of a request.
#[derive(Debug)]
pub struct Plan<'a> {
    /// For each item, in order: the id of the accepted task, or the error.
    pub items: Vec<Result<TaskId<'a>, FieldError>>,
    /// The append for each shard.
    pub appends: Vec<ShardAppend>,
    /// The items whose id an earlier item has, in order, each with that earlier item, which it
    /// replaces.
    pub duplicates: Vec<(u32, u32)>,
}

/// One shard's part of a request.
#[derive(Debug)]
pub struct ShardAppend {
    /// The shard.
    pub shard: ShardId,
    /// The append.
    pub append: Append,
    /// The items of the request that the append contains.
    pub items: Vec<u32>,
    /// When the first of these tasks is due.
    pub first_due: UnixMillis,
}

impl IdempotencyKey {
    /// Takes the part for the home shard of the key out of a plan, and returns it with the other
    /// parts. The part is empty if no task belongs there.
    pub fn split(
        &self,
        mut appends: Vec<ShardAppend>,
        map: &ShardMap,
    ) -> (ShardAppend, Vec<ShardAppend>) {
        let home = self.home(map);
        let part = match appends.iter().position(|part| part.shard == home) {
            Some(at) => appends.swap_remove(at),
            None => ShardAppend {
                shard: home,
                append: Append::default(),
                items: Vec::new(),
                first_due: UnixMillis::NEVER,
            },
        };
        (part, appends)
    }
}

/// Checks the items of a request and sorts them by shard. An invalid item does not affect the
/// others. If several have the same id, the last one is accepted, as if they had arrived one after
/// another.
pub fn plan<'a>(
    tasks: Vec<Result<NewTask<'a>, FieldError>>,
    validator: &mut Validator<'a>,
    map: &ShardMap,
) -> Plan<'a> {
    let mut parts = Parts { id_key: validator.id_key(), tasks: tasks.len(), ..Parts::default() };
    let mut items: Vec<Result<TaskId<'a>, FieldError>> = Vec::with_capacity(tasks.len());
    for task in tasks {
        let checked = match task {
            Ok(task) => validator.check(task),
            Err(problem) => Err(problem),
        };
        // The task stays where it is, because each move of it copies 200 bytes.
        let item = match checked {
            Ok(ref task) => {
                parts.add(task, validator.origin(), &items, map).map(|()| task.id.clone())
            }
            Err(problem) => Err(problem),
        };
        items.push(item);
    }
    let duplicates = std::mem::take(&mut parts.duplicates);
    Plan { items, appends: parts.finish(), duplicates }
}

/// Writes the answer for an accepted item. `duplicate_of` is the earlier item that it replaces, if
/// any.
// It is not inlined, because the coordinator, which calls it for each item, is built for the
// smallest size.
#[inline(never)]
pub fn write_taken(id: &TaskId<'_>, duplicate_of: Option<u32>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"id\":");
    write_text(id.as_str(), out);
    if let Some(item) = duplicate_of {
        out.extend_from_slice(format!(",\"duplicateOf\":{item}").as_bytes());
    }
    out.push(b'}');
}

/// Writes the answers for the items of a request whose items were all accepted. `duplicates` are
/// those of the [`Plan`].
#[inline(never)]
pub fn write_all_taken(
    items: &[Result<TaskId<'_>, FieldError>],
    duplicates: &[(u32, u32)],
    out: &mut Vec<u8>,
) {
    let mut duplicates = duplicates.iter().peekable();
    for (at, id) in items.iter().flatten().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        let duplicate = duplicates.next_if(|(later, _)| *later as usize == at);
        write_taken(id, duplicate.map(|(_, earlier)| *earlier), out);
    }
}

/// The parts of the shards while the plan is being computed.
#[derive(Default)]
struct Parts {
    parts: Vec<Part>,
    /// The number of the part of each shard, by the index of the shard. All shards that accept new
    /// tasks are in the newest epoch.
    by_index: Vec<Option<usize>>,
    /// The part of the generated ids. All generated ids of a request have the same routing part.
    of_generated: Option<usize>,
    id_key: IdKey,
    /// The number of tasks of the request.
    tasks: usize,
    /// The given ids by their keyed hash, each with its item and the place of its record.
    given: HashTable<(u64, usize, Place)>,
    duplicates: Vec<(u32, u32)>,
}

#[derive(Default)]
struct Part {
    shard: Option<ShardId>,
    /// The tasks without a limit key.
    pages: PageBuilder,
    /// The tasks with a limit key, by key.
    keyed: Vec<(String, PageBuilder)>,
    schedules: Vec<Vec<u8>>,
    items: Vec<u32>,
    given_ids: bool,
    /// What a task that continues keeps of itself: see [`Terms`].
    open_anchors: BTreeSet<u64>,
    said_paused: BTreeSet<u64>,
    first_due: Option<UnixMillis>,
}

/// The place of a record in a part.
#[derive(Clone, Copy)]
enum Place {
    /// Pages, by number (0, or the number of the key), and the place in them.
    Page(usize, usize),
    Schedule(usize),
}

impl Parts {
    /// Adds the next task after `items`.
    fn add(
        &mut self,
        task: &ValidTask<'_>,
        origin: &Origin,
        items: &[Result<TaskId<'_>, FieldError>],
        map: &ShardMap,
    ) -> Result<(), FieldError> {
        let id = task.id.as_str();
        let hash = id_hash(id);
        let number = match self.of_generated {
            Some(number) if task.id.is_generated() => number,
            _ => self.number_of(map.home_of(id, hash)),
        };
        let Some(part) = self.parts.get_mut(number) else {
            debug_assert!(false, "there is no part {number}");
            return Err(FieldError::new("id", "has no shard"));
        };
        let place = part.push(task, origin, hash)?;
        if task.id.is_generated() && self.of_generated.is_none() {
            part.pages.reserve_like_the_last(self.tasks - 1);
            part.items.reserve(self.tasks - 1);
        }
        part.items.push(items.len() as u32);
        part.first_due = Some(part.first_due.map_or(task.place(), |first| first.min(task.place())));
        if task.id.is_generated() {
            self.of_generated = Some(number);
            return Ok(());
        }
        part.given_ids = true;
        let same = |&(_, item, _): &(u64, usize, Place)| {
            #[cfg(test)]
            tests::count_comparison();
            matches!(items.get(item), Some(Ok(other)) if other.as_str() == id)
        };
        let keyed = self.id_key.hash(id);
        if self.given.is_empty() {
            self.given.reserve(self.tasks, |(keyed, ..)| *keyed);
        }
        match self.given.find_mut(keyed, same) {
            Some((_, item, former)) => {
                part.remove(*former);
                part.open_anchors.remove(&hash);
                part.said_paused.remove(&hash);
                self.duplicates.push((items.len() as u32, *item as u32));
                (*item, *former) = (items.len(), place);
            }
            None => {
                self.given.insert_unique(keyed, (keyed, items.len(), place), |(keyed, ..)| *keyed);
            }
        }
        part.note_open(task, hash);
        Ok(())
    }

    fn number_of(&mut self, shard: ShardId) -> usize {
        let index = usize::from(shard.index);
        if self.by_index.len() <= index {
            self.by_index.resize(index + 1, None);
        }
        let number = self.by_index.get_mut(index).map(|number| {
            *number.get_or_insert_with(|| {
                self.parts.push(Part { shard: Some(shard), ..Part::default() });
                self.parts.len() - 1
            })
        });
        number.unwrap_or_default()
    }

    fn finish(self) -> Vec<ShardAppend> {
        let finish = |part: Part| {
            let mut pages = part.pages.finish();
            let mut keys = Vec::with_capacity(part.keyed.len());
            for (lane, (key, builder)) in (1..=u8::MAX).map(LaneNumber::new).zip(part.keyed) {
                keys.push(key);
                let keyed = builder.finish().into_iter().map(|mut page| {
                    page.directory.set_lane(lane);
                    page
                });
                pages.extend(keyed);
            }
            Some(ShardAppend {
                shard: part.shard?,
                append: Append {
                    fresh: !part.given_ids,
                    expected: None,
                    pages,
                    schedules: part
                        .schedules
                        .into_iter()
                        .filter(|record| !record.is_empty())
                        .collect(),
                    terms: Terms {
                        keys,
                        open_anchors: collected(part.open_anchors),
                        said_paused: collected(part.said_paused),
                        ..Terms::default()
                    },
                },
                items: part.items,
                first_due: part.first_due.unwrap_or(UnixMillis::NEVER),
            })
        };
        self.parts.into_iter().filter_map(finish).collect()
    }
}

impl Part {
    fn push(
        &mut self,
        task: &ValidTask<'_>,
        origin: &Origin,
        hash: u64,
    ) -> Result<Place, FieldError> {
        if task.recurring {
            let mut record = Vec::new();
            task.write_record(origin, &mut record);
            self.schedules.push(record);
            Ok(Place::Schedule(self.schedules.len() - 1))
        } else {
            let flags = if task.to_queue { Flags::TO_QUEUE } else { Flags::TASK };
            let flags = if task.is_conditional { flags.and(Flags::CONDITIONAL) } else { flags };
            let flags = flags.with_local(task.is_at_local_time);
            // The check of the task has ensured that the record fits.
            let number = self.number_of_key(task)?;
            let pages = self.pages_of(number);
            let flags = flags.with_priority(task.priority());
            if !pages.push(hash, task.place(), flags, |out| task.write_record(origin, out)) {
                debug_assert!(false, "the check of a task refuses records that are too long");
                return Err(FieldError::new("", "is too large"));
            }
            Ok(Place::Page(number, pages.len().saturating_sub(1)))
        }
    }

    /// Records what the task leaves open.
    fn note_open(&mut self, task: &ValidTask<'_>, hash: u64) {
        if task.has_open_anchor() {
            self.open_anchors.insert(hash);
        }
        if task.says_paused() {
            self.said_paused.insert(hash);
        }
    }

    /// Returns the number of a task's key, from 1. Returns 0 for a task without a key, and for one
    /// that does not fire by itself, because it has no place in the order of its key until a run is
    /// requested.
    fn number_of_key(&mut self, task: &ValidTask<'_>) -> Result<usize, FieldError> {
        let Some(key) = task.limit_key().filter(|_| !task.place().is_never()) else { return Ok(0) };
        if let Some(at) = self.keyed.iter().position(|(known, _)| known == key) {
            return Ok(at + 1);
        }
        if self.keyed.len() == MAX_LANES {
            let detail = format!(
                "is the {}th key of this request on one shard; the limit is {MAX_LANES}: send several requests, or use fewer keys",
                MAX_LANES + 1
            );
            return Err(FieldError::new("limitKey", detail));
        }
        self.keyed.push((key.to_owned(), PageBuilder::default()));
        Ok(self.keyed.len())
    }

    fn pages_of(&mut self, number: usize) -> &mut PageBuilder {
        match number.checked_sub(1).and_then(|at| self.keyed.get_mut(at)) {
            Some((_, pages)) => pages,
            None => &mut self.pages,
        }
    }

    /// Removes a record that a later one with the same id replaces.
    fn remove(&mut self, place: Place) {
        match place {
            Place::Page(number, index) => self.pages_of(number).remove(index),
            Place::Schedule(index) => {
                if let Some(record) = self.schedules.get_mut(index) {
                    record.clear();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routing::collisions::colliding_ids;
    use crate::task::{Record, Targets, parse_batch};

    fn planned(text: &str) -> Plan<'_> {
        let mut validator = Validator::new(
            UnixMillis::new(1_000),
            [3; 16],
            Targets { handlers: &["log"], ..Targets::default() },
        );
        plan(parse_batch(text, false).unwrap(), &mut validator, &"16".parse().unwrap())
    }

    fn item(fields: &str) -> String {
        format!(r#"{{{fields},"callback":{{"type":"handler","name":"log"}}}}"#)
    }

    fn ids(append: &Append) -> Vec<String> {
        let of_pages = append.pages.iter().flat_map(|page| {
            page.directory
                .iter()
                .map(|entry| &page.body[entry.offset as usize..(entry.offset + entry.len) as usize])
        });
        of_pages
            .chain(append.schedules.iter().map(Vec::as_slice))
            .map(|record| Record::parse(record).unwrap().id.into_owned())
            .collect()
    }

    thread_local! {
        /// Counts how often two ids were compared in full.
        static COMPARISONS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
    }

    pub(super) fn count_comparison() {
        COMPARISONS.set(COMPARISONS.get() + 1);
    }

    #[test]
    fn ids_with_equal_unkeyed_hashes_are_not_compared_with_each_other() {
        let items: Vec<String> = colliding_ids(2_000)
            .iter()
            .map(|id| item(&format!(r#""id":"{id}","time":1764000000005"#)))
            .collect();
        let text = format!("[{}]", items.join(","));
        COMPARISONS.set(0);
        assert!(planned(&text).items.iter().all(Result::is_ok));
        // Some ids agree in the few bits that the table compares first. A quadratic search would
        // make 2,000,000 comparisons.
        assert!(COMPARISONS.get() < 2_000, "{} comparisons", COMPARISONS.get());
        // A repeated id is compared with itself.
        let twice = item(r#""id":"a","time":1764000000005"#);
        planned(&format!("[{twice},{twice}]"));
        assert!(COMPARISONS.get() > 0);
    }

    #[test]
    fn generated_ids_share_a_shard_and_are_not_compared() {
        let text = format!("[{}]", vec![item(r#""time":1764000000005"#); 1_000].join(","));
        let plan = planned(&text);
        assert_eq!(plan.items.iter().filter(|item| item.is_ok()).count(), 1_000);
        assert_eq!(plan.appends.len(), 1);
        assert!(plan.appends[0].append.fresh);
    }

    #[test]
    fn only_one_shot_tasks_at_a_local_time_are_marked() {
        let zone = r#""timezone":"Asia/Tokyo""#;
        for (fields, is_marked) in [
            (format!(r#""time":"2026-12-01T09:00",{zone}"#), true),
            (format!(r#""time":"2026-12-01T09:00",{zone},"paused":true,"limitKey":"k""#), true),
            (r#""time":"2026-12-01T09:00:00+09:00""#.to_owned(), false),
            (r#""delayInSeconds":5"#.to_owned(), false),
        ] {
            let text = format!("[{}]", item(&fields));
            let plan = planned(&text);
            let directory = &plan.appends[0].append.pages[0].directory;
            let flags = directory.get(0).unwrap().flags;
            assert_eq!(
                (directory.has_local(), flags.has(Flags::LOCAL)),
                (is_marked, is_marked),
                "{fields}"
            );
        }
    }

    #[test]
    fn given_ids_go_where_the_map_says() {
        let text = format!(
            "[{}]",
            (0..200)
                .map(|n| item(&format!(r#""id":"t{n}","time":{}"#, 1_764_000_000_300_u64 - n)))
                .collect::<Vec<_>>()
                .join(",")
        );
        let plan = planned(&text);
        let map: ShardMap = "16".parse().unwrap();
        let mut seen = 0;
        for part in &plan.appends {
            assert!(!part.append.fresh);
            for id in ids(&part.append) {
                assert_eq!(map.home(&id), part.shard);
                seen += 1;
            }
        }
        assert_eq!((seen, plan.appends.len()), (200, 16));
    }

    #[test]
    fn the_last_item_with_an_id_is_accepted() {
        let text = format!(
            "[{},{},{}]",
            item(r#""id":"a","time":1764000000005"#),
            item(r#""id":"a","cron":"* * * * *""#),
            item(r#""id":"a","time":1764000000007"#)
        );
        let plan = planned(&text);
        assert_eq!(plan.items.len(), 3);
        assert_eq!(plan.appends.len(), 1);
        assert_eq!(
            (
                plan.appends[0].append.schedules.len(),
                plan.appends[0].append.pages[0].directory.len()
            ),
            (0, 1)
        );
        assert_eq!(
            plan.appends[0].append.pages[0].directory.get(0).unwrap().due,
            UnixMillis::new(1_764_000_000_007)
        );
        assert_eq!(plan.appends[0].items, [0, 1, 2]);
        assert_eq!(plan.duplicates, [(1, 0), (2, 1)]);
    }

    #[test]
    fn tasks_with_a_key_have_pages_of_their_own() {
        let text = format!(
            "[{},{},{},{},{}]",
            item(r#""id":"{x}1","time":1764000000005"#),
            item(r#""id":"{x}2","time":1764000000005,"limitKey":"a""#),
            item(r#""id":"{x}3","time":1764000000006,"limitKey":"b""#),
            item(r#""id":"{x}4","time":1764000000004,"limitKey":"a""#),
            item(r#""id":"{x}5","type":"no-schedule","limitKey":"a""#)
        );
        let plan = planned(&text);
        let append = &plan.appends[0].append;
        assert_eq!(append.terms.keys, ["a", "b"]);
        let pages: Vec<_> = append
            .pages
            .iter()
            .map(|page| (page.directory.lane().get(), page.directory.len()))
            .collect();
        assert_eq!(pages, [(0, 2), (1, 2), (2, 1)]);
        assert_eq!(Append::decode(&append.encode()).as_ref(), Ok(append));

        let many: Vec<String> = (0..=MAX_LANES)
            .map(|n| item(&format!(r#""id":"{{x}}{n}","time":1764000000005,"limitKey":"{n}""#)))
            .collect();
        let text = format!("[{}]", many.join(","));
        let plan = planned(&text);
        let refused: Vec<_> = plan.items.iter().filter_map(|item| item.as_ref().err()).collect();
        assert_eq!((refused.len(), refused[0].field.as_ref()), (1, "limitKey"));
        assert_eq!(plan.appends[0].items.len(), MAX_LANES);
    }

    #[test]
    fn an_invalid_item_does_not_affect_the_others() {
        let text = format!(
            "[{},{},8]",
            item(r#""id":"","time":1764000000005"#),
            item(r#""id":"b","time":1764000000005"#)
        );
        let plan = planned(&text);
        assert_eq!(plan.items.iter().map(Result::is_ok).collect::<Vec<_>>(), [false, true, false]);
        assert_eq!(plan.appends[0].items, [1]);
    }
}
