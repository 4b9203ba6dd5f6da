//! From a request's text to what each shard is asked to take in.

use crate::ids::TaskId;
use crate::page::{Flags, PageBuilder};
use crate::routing::{ShardId, ShardMap, id_hash};
use crate::task::{FieldError, NewTask, ValidTask, Validator};
use crate::time::UnixMillis;
use crate::wire::{Append, Terms};
use hashbrown::HashTable;
use std::collections::BTreeMap;

/// What becomes of a request's items.
#[derive(Debug)]
pub struct Plan<'a> {
    /// For each item, in order: the id of a task that is taken in, or what is wrong with it.
    pub items: Vec<Result<TaskId<'a>, FieldError>>,
    /// What each shard is asked to take in.
    pub appends: Vec<ShardAppend>,
}

/// One shard's part of a request.
#[derive(Debug)]
pub struct ShardAppend {
    /// The shard.
    pub shard: ShardId,
    /// What it is asked to take in.
    pub append: Append,
    /// Which of the request's items these are.
    pub items: Vec<u32>,
    /// When the first of them is due.
    pub first_due: UnixMillis,
}

/// Checks a request's items and sorts them by shard. Bad items leave the others good. Of several with one id, the last is taken
/// in, as if they had come one after the other.
pub fn plan<'a>(tasks: Vec<Result<NewTask<'a>, FieldError>>, validator: &mut Validator<'a>, map: &ShardMap) -> Plan<'a> {
    let mut parts = Parts::default();
    let mut items: Vec<Result<TaskId<'a>, FieldError>> = Vec::with_capacity(tasks.len());
    for task in tasks {
        let item = task.and_then(|task| validator.check(task)).map(|task| {
            parts.add(&task, &items, map);
            task.id
        });
        items.push(item);
    }
    Plan { items, appends: parts.finish() }
}

/// The shards' parts, in the making.
#[derive(Default)]
struct Parts {
    by_shard: BTreeMap<ShardId, usize>,
    parts: Vec<Part>,
    /// The part of the generated ids: one request's share the part of them that routing reads.
    of_generated: Option<usize>,
    /// The given ids, by their hash: the item, and where its record is.
    given: HashTable<(u64, usize, Place)>,
}

#[derive(Default)]
struct Part {
    shard: Option<ShardId>,
    pages: PageBuilder,
    schedules: Vec<Vec<u8>>,
    items: Vec<u32>,
    given_ids: bool,
    first_due: Option<UnixMillis>,
}

/// Where in a part a record is.
#[derive(Clone, Copy)]
enum Place {
    Page(usize),
    Schedule(usize),
}

impl Parts {
    /// Adds the task that follows `items`.
    fn add(&mut self, task: &ValidTask<'_>, items: &[Result<TaskId<'_>, FieldError>], map: &ShardMap) {
        let id = task.id.as_str();
        let hash = id_hash(id);
        let number = match self.of_generated {
            Some(number) if task.id.is_generated() => number,
            _ => self.number_of(map.home(id)),
        };
        let Some(part) = self.parts.get_mut(number) else { return };
        part.items.push(items.len() as u32);
        part.first_due = Some(part.first_due.map_or(task.place(), |first| first.min(task.place())));
        let place = part.push(task, hash);
        if task.id.is_generated() {
            self.of_generated = Some(number);
            return;
        }
        part.given_ids = true;
        let same = |&(_, item, _): &(u64, usize, Place)| matches!(items.get(item), Some(Ok(other)) if other.as_str() == id);
        match self.given.find_mut(hash, same) {
            Some((_, item, former)) => {
                part.remove(*former);
                (*item, *former) = (items.len(), place);
            }
            None => {
                self.given.insert_unique(hash, (hash, items.len(), place), |(hash, ..)| *hash);
            }
        }
    }

    fn number_of(&mut self, shard: ShardId) -> usize {
        *self.by_shard.entry(shard).or_insert_with(|| {
            self.parts.push(Part { shard: Some(shard), ..Part::default() });
            self.parts.len() - 1
        })
    }

    fn finish(self) -> Vec<ShardAppend> {
        let finish = |part: Part| {
            Some(ShardAppend {
                shard: part.shard?,
                append: Append {
                    fresh: !part.given_ids,
                    expected: None,
                    pages: part.pages.finish(),
                    schedules: part.schedules.into_iter().filter(|record| !record.is_empty()).collect(),
                    terms: Terms::default(),
                },
                items: part.items,
                first_due: part.first_due.unwrap_or(UnixMillis::NEVER),
            })
        };
        self.parts.into_iter().filter_map(finish).collect()
    }
}

impl Part {
    fn push(&mut self, task: &ValidTask<'_>, hash: u64) -> Place {
        if task.recurring {
            let mut record = Vec::new();
            task.write_record(&mut record);
            self.schedules.push(record);
            Place::Schedule(self.schedules.len() - 1)
        } else {
            let flags = if task.to_queue { Flags::TO_QUEUE } else { Flags::TASK };
            let flags = if task.is_conditional { flags.and(Flags::CONDITIONAL) } else { flags };
            // The check of the task saw to it that the record fits.
            let _ = self.pages.push(hash, task.place(), flags.with_priority(task.priority()), |out| task.write_record(out));
            Place::Page(self.pages.len().saturating_sub(1))
        }
    }

    /// Takes a record out that another of the same id follows.
    fn remove(&mut self, place: Place) {
        match place {
            Place::Page(index) => self.pages.remove(index),
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
    use crate::task::{Record, Targets, parse_batch};

    fn planned(text: &str) -> Plan<'_> {
        let mut validator = Validator::new(UnixMillis::new(1_000), [3; 16], Targets { handlers: &["log"], ..Targets::default() });
        plan(parse_batch(text, false).unwrap(), &mut validator, &"16".parse().unwrap())
    }

    fn item(fields: &str) -> String {
        format!(r#"{{{fields},"callback":{{"type":"handler","name":"log"}}}}"#)
    }

    fn ids(append: &Append) -> Vec<String> {
        let of_pages = append.pages.iter().flat_map(|page| {
            page.directory.iter().map(|entry| &page.body[entry.offset as usize..(entry.offset + entry.len) as usize])
        });
        of_pages
            .chain(append.schedules.iter().map(Vec::as_slice))
            .map(|record| Record::parse(record).unwrap().id.into_owned())
            .collect()
    }

    #[test]
    fn generated_ids_share_a_shard_and_need_no_look() {
        let text = format!("[{}]", vec![item(r#""time":5"#); 1_000].join(","));
        let plan = planned(&text);
        assert_eq!(plan.items.iter().filter(|item| item.is_ok()).count(), 1_000);
        assert_eq!(plan.appends.len(), 1);
        assert!(plan.appends[0].append.fresh);
    }

    #[test]
    fn given_ids_go_where_the_map_says() {
        let text =
            format!("[{}]", (0..200).map(|n| item(&format!(r#""id":"t{n}","time":{}"#, 300 - n))).collect::<Vec<_>>().join(","));
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
    fn the_last_of_one_id_is_taken() {
        let text = format!(
            "[{},{},{}]",
            item(r#""id":"a","time":5"#),
            item(r#""id":"a","cron":"* * * * *""#),
            item(r#""id":"a","time":7"#)
        );
        let plan = planned(&text);
        assert_eq!(plan.items.len(), 3);
        assert_eq!(plan.appends.len(), 1);
        assert_eq!((plan.appends[0].append.schedules.len(), plan.appends[0].append.pages[0].directory.len()), (0, 1));
        assert_eq!(plan.appends[0].append.pages[0].directory.get(0).unwrap().due, UnixMillis::new(7));
        assert_eq!(plan.appends[0].items, [0, 1, 2]);
    }

    #[test]
    fn bad_items_leave_the_others_good() {
        let text = format!("[{},{},8]", item(r#""id":"","time":5"#), item(r#""id":"b","time":5"#));
        let plan = planned(&text);
        assert_eq!(plan.items.iter().map(Result::is_ok).collect::<Vec<_>>(), [false, true, false]);
        assert_eq!(plan.appends[0].items, [1]);
    }
}
