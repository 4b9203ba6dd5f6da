//! From a request's text to what each shard is asked to take in.

use crate::page::{Flags, PageBuilder};
use crate::routing::{ShardId, ShardMap, id_hash};
use crate::task::{FieldError, NewTask, Validator};
use crate::time::UnixMillis;
use crate::wire::Append;
use std::collections::{BTreeMap, HashMap};

/// What becomes of a request's items.
#[derive(Debug)]
pub struct Plan {
    /// For each item, in order: the id of a task that is taken in, or what is wrong with it.
    pub items: Vec<Result<String, FieldError>>,
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

#[derive(Default)]
struct Part {
    pages: PageBuilder,
    schedules: Vec<Vec<u8>>,
    items: Vec<u32>,
    given_ids: bool,
    first_due: Option<UnixMillis>,
}

/// Checks a request's items and sorts them by shard. Bad items leave the others good. Of several with one id, the last is taken
/// in, as if they had come one after the other.
pub fn plan<'a>(tasks: Vec<Result<NewTask<'a>, FieldError>>, validator: &mut Validator<'a>, map: &ShardMap) -> Plan {
    let valid: Vec<_> = tasks.into_iter().map(|task| task.and_then(|task| validator.check(task))).collect();
    let mut last_with_id: HashMap<&str, usize> = HashMap::new();
    for (at, task) in valid.iter().enumerate() {
        if let Ok(task) = task
            && !task.generated
        {
            last_with_id.insert(&task.id, at);
        }
    }
    let mut parts: BTreeMap<ShardId, Part> = BTreeMap::new();
    for (at, task) in valid.iter().enumerate() {
        let Ok(task) = task else { continue };
        let part = parts.entry(map.home(&task.id)).or_default();
        part.items.push(at as u32);
        part.given_ids |= !task.generated;
        part.first_due = Some(part.first_due.map_or(task.due, |first| first.min(task.due)));
        if !task.generated && last_with_id.get(task.id.as_ref()) != Some(&at) {
            continue;
        }
        if task.recurring {
            let mut record = Vec::new();
            task.write_record(&mut record);
            part.schedules.push(record);
        } else {
            let flags = if task.to_queue { Flags::TO_QUEUE } else { Flags::TASK };
            part.pages.push(id_hash(&task.id), task.due, flags, |out| task.write_record(out));
        }
    }
    let appends = parts
        .into_iter()
        .map(|(shard, part)| ShardAppend {
            shard,
            append: Append { fresh: !part.given_ids, pages: part.pages.finish(), schedules: part.schedules },
            items: part.items,
            first_due: part.first_due.unwrap_or(UnixMillis::NEVER),
        })
        .collect();
    drop(last_with_id);
    Plan { items: valid.into_iter().map(|task| task.map(|task| task.id.into_owned())).collect(), appends }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::{Record, Targets, parse_batch};

    fn planned(text: &str) -> Plan {
        let mut validator = Validator::new(UnixMillis::new(1_000), [3; 16], Targets { handlers: &["log"], queues: &[] });
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
        let plan = planned(&format!(
            "[{},{},{}]",
            item(r#""id":"a","time":5"#),
            item(r#""id":"a","cron":"* * * * *""#),
            item(r#""id":"a","time":7"#)
        ));
        assert_eq!(plan.items.len(), 3);
        assert_eq!(plan.appends.len(), 1);
        assert_eq!((plan.appends[0].append.schedules.len(), plan.appends[0].append.pages[0].directory.len()), (0, 1));
        assert_eq!(plan.appends[0].append.pages[0].directory.get(0).unwrap().due, UnixMillis::new(7));
        assert_eq!(plan.appends[0].items, [0, 1, 2]);
    }

    #[test]
    fn bad_items_leave_the_others_good() {
        let plan = planned(&format!("[{},{},8]", item(r#""id":"","time":5"#), item(r#""id":"b","time":5"#)));
        assert_eq!(plan.items.iter().map(Result::is_ok).collect::<Vec<_>>(), [false, true, false]);
        assert_eq!(plan.appends[0].items, [1]);
    }
}
