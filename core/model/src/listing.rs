//! Lists over all shards: the cursor, and joining the shards' answers in order.

use crate::bounds::MAX_LIST_BYTES;
use crate::dead_letter::DeadLetterId;
use crate::format::hex;
use crate::position::Position;
use crate::protocol::{Kind, ListItem, ListReply, Status};
use crate::routing::ShardId;
use crate::schedule::with_names_of_today;
use crate::task::{Record, write_text};
use scheduler_calendar::clock_change::ClockChange;
use scheduler_calendar::ordered::sort_by_key;
use scheduler_calendar::time::UnixMillis;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// A place in the list over all shards: in order of time, then shard, then place on the shard. The
/// time is the due time, and of an attempt in flight the time at which it was sent.
/// Written as a cursor it is 36 hexadecimal digits, however many shards there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    due: UnixMillis,
    shard: ShardId,
    page: u32,
    index: u32,
}

impl Cursor {
    fn new(shard: ShardId, position: Position) -> Self {
        Self { due: position.due, shard, page: position.page, index: position.index }
    }

    /// Returns what `shard` is asked for: its tasks after the position that this gives.
    pub fn after(self, shard: ShardId) -> Position {
        let end_of = |due| Position { due, page: u32::MAX, index: u32::MAX };
        match shard.cmp(&self.shard) {
            std::cmp::Ordering::Less => end_of(self.due),
            std::cmp::Ordering::Equal => {
                Position { due: self.due, page: self.page, index: self.index }
            }
            std::cmp::Ordering::Greater => end_of(self.due.plus(-1)),
        }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { due, shard, page, index } = self;
        write!(f, "{:012x}{:04x}{:04x}{page:08x}{index:08x}", due.get(), shard.epoch, shard.index)
    }
}

/// A text is not a cursor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "cannot be read; send the one from the last answer unchanged, or leave it out to begin with the first page"
)]
pub struct CursorError;

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        if text.len() != 36 {
            return Err(CursorError);
        }
        let part =
            |from: usize, to: usize| text.get(from..to).and_then(hex::number).ok_or(CursorError);
        Ok(Self {
            due: UnixMillis::new(part(0, 12)? as i64),
            shard: ShardId { epoch: part(12, 16)? as u16, index: part(16, 20)? as u16 },
            page: part(20, 28)? as u32,
            index: part(28, 36)? as u32,
        })
    }
}

/// Returns what each of `sources` gives at most of [`MAX_LIST_BYTES`], and one item in any case, so
/// that the list goes on.
pub fn share_of_page(sources: usize) -> usize {
    MAX_LIST_BYTES / sources.max(1)
}

/// A page of a list, joined from the shards' parts as they come: at most `limit` tasks in order, of
/// [`MAX_LIST_BYTES`] together unless the first alone is larger. It never holds more than that and
/// the part that was added last, however many shards there are.
///
/// A shard that stopped early may have more behind the place where it did, so nothing behind the
/// first such place is given.
#[derive(Debug)]
pub struct Page {
    limit: usize,
    items: Vec<(Cursor, ListItem)>,
    /// Of the items' records.
    bytes: usize,
    /// Nothing behind it is given.
    end: Option<Cursor>,
    /// The sum of the shards' totals; `None` if one of them gave none.
    total: Option<u64>,
}

impl Page {
    /// Without any part.
    pub fn new(limit: usize) -> Self {
        Self { limit, items: Vec::new(), bytes: 0, end: None, total: Some(0) }
    }

    /// Returns the number of items of the whole list, if every shard has given its own.
    pub fn total(&self) -> Option<u64> {
        self.total
    }

    /// Adds the part of a shard.
    pub fn add(&mut self, shard: ShardId, reply: ListReply) {
        self.total = self.total.zip(reply.total).map(|(sum, more)| sum + more);
        if let Some(next) = reply.next {
            self.ends_at(Cursor::new(shard, next));
        }
        self.bytes += reply.items.iter().map(bytes_of).sum::<usize>();
        self.items
            .extend(reply.items.into_iter().map(|item| (Cursor::new(shard, item.position), item)));
        // Not for each part: it sorts.
        if self.bytes > MAX_LIST_BYTES || self.items.len() > 2 * self.limit {
            self.cut();
        }
    }

    /// Returns the tasks, and where the list goes on; `None` at its end.
    pub fn finish(mut self) -> (Vec<ListItem>, Option<Cursor>) {
        self.cut();
        (self.items.into_iter().map(|(_, item)| item).collect(), self.end)
    }

    fn ends_at(&mut self, place: Cursor) {
        self.end = Some(self.end.map_or(place, |end| end.min(place)));
    }

    /// Leaves out what the page does not give.
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

/// Appends a task of a list as the API shows it, with what the caller may see of its record.
pub fn write_item(item: &ListItem, record: &str, out: &mut Vec<u8>) {
    let write = if item.is_running { write_running } else { write_task };
    write(item.status, item.due(), record, out);
}

/// Appends a task beside which an attempt of it, or of the task that it has replaced, is in flight:
/// [`write_task`] with `"running":true`.
pub fn write_running(status: Status, due: UnixMillis, record: &str, out: &mut Vec<u8>) {
    let start = out.len();
    write_task(status, due, record, out);
    out.splice(start..=start, *b"{\"running\":true,");
}

/// Appends a task as the API shows it to `out`: its status, when it is next due, its kind, then its
/// record.
pub fn write_task(status: impl Serialize, due: UnixMillis, record: &str, out: &mut Vec<u8>) {
    let record = by_todays_law(record);
    let record = by_todays_names(&record);
    out.extend_from_slice(b"{\"status\":");
    // A status is written as a string; writing to a Vec does not fail.
    let start = out.len();
    let _ = serde_json::to_writer(&mut *out, &status);
    let status = serde_json::from_slice(out.get(start..).unwrap_or_default()).ok();
    if !due.is_never() {
        out.extend_from_slice(format!(",\"due\":{due}").as_bytes());
    }
    if let Some(kind) = kind_of_text(&record) {
        out.extend_from_slice(b",\"kind\":");
        let _ = serde_json::to_writer(&mut *out, &kind);
    }
    if status == Some(Status::Dead)
        && let Ok(letter) = Record::parse(record.as_bytes())
    {
        out.extend_from_slice(b",\"deadLetterId\":");
        write_text(&DeadLetterId::of(&letter).to_string(), out);
    }
    // A paused task that does not recur is stored without: a pause moves it in the order of all.
    if status == Some(Status::Paused)
        && Record::parse(record.as_bytes()).is_ok_and(|record| !record.is_paused())
    {
        out.extend_from_slice(b",\"paused\":true");
    }
    if let Some((name, explanation)) = clock_change(&record, due) {
        out.extend_from_slice(format!(",\"clockChange\":\"{name}\",\"explanation\":").as_bytes());
        write_text(&explanation, out);
    }
    out.push(b',');
    out.extend_from_slice(record.as_bytes().get(1..).unwrap_or_default());
}

/// Returns the kind of schedule of a task. A run of a recurring task has the kind of its task; any
/// other run is due once.
pub fn kind_of(record: &Record<'_>) -> Kind {
    let has = [record.cron.is_some(), record.every_seconds.is_some(), record.rrule.is_some()];
    kind_with(has, record.time.is_some())
}

/// Returns the same of a record's text, without reading its other members; `None` if it is no
/// record.
fn kind_of_text(record: &str) -> Option<Kind> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Schedule {
        time: Option<IgnoredAny>,
        cron: Option<IgnoredAny>,
        every_seconds: Option<IgnoredAny>,
        rrule: Option<IgnoredAny>,
    }
    let of: Schedule = serde_json::from_str(record).ok()?;
    let has = [of.cron.is_some(), of.every_seconds.is_some(), of.rrule.is_some()];
    Some(kind_with(has, of.time.is_some()))
}

fn kind_with([cron, every, rrule]: [bool; 3], time: bool) -> Kind {
    if cron {
        Kind::Cron
    } else if every {
        Kind::Every
    } else if rrule {
        Kind::Rrule
    } else if time {
        Kind::Once
    } else {
        Kind::NoSchedule
    }
}

/// Returns what a change of the clock does to the local time that a task was given, or to the
/// anchor from which it recurs as long as that is to come: the name of it, and an explanation.
fn clock_change(record: &str, due: UnixMillis) -> Option<(&'static str, String)> {
    if !may_have_local_times(record) {
        return None;
    }
    let record = Record::parse(record.as_bytes()).ok()?;
    let (local, timezone) = (record.local?, record.timezone.as_deref()?.parse().ok()?);
    let anchor = local.anchor.filter(|anchor| anchor.instant_after_gap(timezone) >= Some(due));
    let of_anchor = || anchor.and_then(|local| ClockChange::of_anchor(local, timezone));
    let change =
        local.time.and_then(|local| ClockChange::of_one(local, timezone)).or_else(of_anchor)?;
    Some((change.name(), change.explain(timezone)))
}

/// Returns whether a record may have local times; the word may stand in its payload too.
fn may_have_local_times(record: &str) -> bool {
    memchr::memmem::find(record.as_bytes(), b"\"local\":").is_some()
}

/// Returns the record of a recurring task with its bounds and its anchor as the instants that they
/// are today, if they were given as local times. Those in the record are what they were when it was
/// written.
fn by_todays_law(record: &str) -> Cow<'_, str> {
    if !may_have_local_times(record) {
        return Cow::Borrowed(record);
    }
    let Ok(read) = Record::parse(record.as_bytes()) else { return Cow::Borrowed(record) };
    let [start_at, end_at, anchor] = read.schedule().instants();
    if !read.is_recurring()
        || (start_at, end_at, anchor) == (read.start_at, read.end_at, read.anchor)
    {
        return Cow::Borrowed(record);
    }
    let mut text = Vec::with_capacity(record.len());
    Record { start_at, end_at, anchor, ..read }.write(&mut text);
    String::from_utf8(text).map_or(Cow::Borrowed(record), Cow::Owned)
}

/// Returns a record with the names of today of its policies. A record of an earlier version may have
/// others.
fn by_todays_names(record: &str) -> Cow<'_, str> {
    let has = |text: &str| memchr::memmem::find(record.as_bytes(), text.as_bytes()).is_some();
    let has_misfire = has("\"misfire\":") && (has("\"fireOnce\"") || has("\"deadLetter\""));
    if !has_misfire && !has("\"overlap\":\"queueOne\"") {
        return Cow::Borrowed(record);
    }
    let Ok(read) = Record::parse(record.as_bytes()) else { return Cow::Borrowed(record) };
    let misfire = read.misfire.map(|misfire| with_names_of_today(misfire.get()).into_owned());
    let misfire = misfire.and_then(|misfire| RawValue::from_string(misfire).ok());
    let mut text = Vec::with_capacity(record.len());
    // It writes an overlap by its name of today.
    Record { misfire: misfire.as_deref(), ..read.clone() }.write(&mut text);
    String::from_utf8(text).map_or(Cow::Borrowed(record), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bounds::MAX_RECORD_BYTES;

    #[test]
    fn a_task_is_shown_with_what_runs_of_it() {
        let mut out = b"[".to_vec();
        write_running(Status::Running, UnixMillis::new(5), r#"{"time":5,"id":"a"}"#, &mut out);
        let expected =
            br#"[{"running":true,"status":"running","due":5,"kind":"once","time":5,"id":"a"}"#;
        assert_eq!(out, expected);
    }

    /// A worker of an earlier version names two statuses otherwise.
    #[test]
    fn statuses_of_earlier_versions_are_read() {
        for (status, name, before) in [
            (Status::Running, "\"running\"", "\"fired\""),
            (Status::Dead, "\"dead-lettered\"", "\"dead\""),
        ] {
            assert_eq!(serde_json::to_string(&status).unwrap(), name);
            assert_eq!(serde_json::from_str::<Status>(name).unwrap(), status);
            assert_eq!(serde_json::from_str::<Status>(before).unwrap(), status);
        }
    }

    #[test]
    fn policies_of_earlier_versions_are_shown_by_their_names_of_today() {
        let shown = |record: &str| {
            let mut out = Vec::new();
            write_task(Status::Scheduled, UnixMillis::NEVER, record, &mut out);
            String::from_utf8(out).unwrap()
        };
        let record = |misfire: &str, overlap: &str| {
            format!(
                r#"{{"id":"a","cron":"* * * * *","misfire":{{"policy": "{misfire}"}},"overlap":"{overlap}","callback":{{}},"payload":["queueOne","deadLetter"]}}"#
            )
        };
        for (former, today) in
            [("fireOnce", "fire-once"), ("deadLetter", "dead-letter"), ("skip", "skip")]
        {
            let expected = shown(&record(today, "queue-one"));
            assert!(expected.contains(&format!(r#""policy": "{today}"}},"overlap":"queue-one""#)));
            assert_eq!(shown(&record(former, "queueOne")), expected);
            assert_eq!(shown(&record(former, "queue-one")), expected);
        }
    }

    #[test]
    fn a_task_is_shown_with_its_kind() {
        for (record, kind) in [
            (r#"{"time":5,"id":"a","callback":{}}"#, "once"),
            (r#"{"id":"a","callback":{},"payload":{"cron":"@daily","time":5}}"#, "no-schedule"),
            (r#"{"time":5,"id":"a","cron":["@daily"],"callback":{}}"#, "cron"),
            (r#"{"id":"a","everySeconds":60,"anchor":5,"callback":{}}"#, "every"),
            (r#"{"id":"a","rrule":"FREQ=DAILY","startAt":5,"callback":{}}"#, "rrule"),
        ] {
            let mut out = Vec::new();
            write_task(Status::Scheduled, UnixMillis::NEVER, record, &mut out);
            let shown: serde_json::Value = serde_json::from_slice(&out).unwrap();
            assert_eq!(shown["kind"], kind, "{record}");
            let of_record = kind_of(&Record::parse(record.as_bytes()).unwrap());
            assert_eq!(serde_json::to_value(of_record).unwrap(), kind);
        }
    }

    /// As if a law had moved Vancouver's clock by an hour since the records were written.
    #[test]
    fn bounds_and_anchors_are_shown_by_todays_law() {
        let shown = |record: &str| {
            let mut out = Vec::new();
            write_task(Status::Scheduled, UnixMillis::NEVER, record, &mut out);
            String::from_utf8(out).unwrap()
        };
        let of = |hour: i64| {
            let at = |instant: i64| instant + hour * 3_600_000;
            let (start, end) = (at(1_796_140_800_000), at(1_796_745_600_000));
            format!(
                r#"{{"id":"a","timezone":"America/Vancouver","local":{{"startAt":"2026-12-01T09:00:00","endAt":"2026-12-08T09:00:00","anchor":"2026-12-01T09:00:00"}},"everySeconds":60,"anchor":{start},"startAt":{start},"endAt":{end},"callback":{{}},"payload":{{"local":1}}}}"#
            )
        };
        let today = shown(&of(0));
        assert!(today.contains(r#""startAt":1796140800000,"endAt":1796745600000"#));
        assert_eq!(shown(&of(1)), today);
        // Instants, one-shot tasks and what is no such field stay as they are.
        for record in [
            r#"{"id":"a","cron":"@daily","startAt":5,"callback":{},"payload":{"local":{"startAt":"2026-12-01T09:00:00"}}}"#,
            r#"{"time":5,"id":"a","timezone":"America/Vancouver","local":{"time":"2026-12-01T09:00:00"},"callback":{}}"#,
            r#"{"id":"a","local": nothing"#,
        ] {
            let kind = kind_of_text(record).map(|kind| serde_json::to_string(&kind).unwrap());
            let kind = kind.map(|kind| format!("\"kind\":{kind},")).unwrap_or_default();
            let expected = format!(r#"{{"status":"scheduled",{kind}"#);
            assert_eq!(shown(record), record.replacen('{', &expected, 1));
        }
    }

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

    #[test]
    fn cursors_read_back_and_ask_each_shard_for_what_is_behind() {
        let cursor = Cursor::new(B, Position { due: UnixMillis::new(50), page: 7, index: 9 });
        assert_eq!(cursor.to_string(), "000000000032000100010000000700000009");
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        assert!(cursor.after(A) > Position { due: UnixMillis::new(50), page: 99, index: 99 });
        assert_eq!(cursor.after(B), Position { due: UnixMillis::new(50), page: 7, index: 9 });
        let third = ShardId { epoch: 2, index: 0 };
        assert!(cursor.after(third) < Position { due: UnixMillis::new(50), page: 0, index: 0 });
        for bad in ["", "x", "00000000003200010001000000070000000g", &"é".repeat(18)] {
            assert_eq!(bad.parse::<Cursor>(), Err(CursorError));
        }
    }

    fn merge(replies: Vec<(ShardId, ListReply)>, limit: usize) -> (Vec<ListItem>, Option<Cursor>) {
        let mut page = Page::new(limit);
        replies.into_iter().for_each(|(shard, reply)| page.add(shard, reply));
        page.finish()
    }

    #[test]
    fn parts_are_joined_in_order_up_to_the_limit() {
        let replies = |()| {
            vec![
                (
                    A,
                    ListReply {
                        items: vec![item(1, 1, 0), item(4, 1, 1)],
                        next: None,
                        total: None,
                    },
                ),
                (
                    B,
                    ListReply {
                        items: vec![item(2, 1, 0), item(3, 1, 1)],
                        next: None,
                        total: None,
                    },
                ),
            ]
        };
        let (items, next) = merge(replies(()), 10);
        assert_eq!((dues(&items), next), (vec![1, 2, 3, 4], None));
        let (items, next) = merge(replies(()), 3);
        assert_eq!((dues(&items), next.map(|next| next.due.get())), (vec![1, 2, 3], Some(3)));
    }

    #[test]
    fn nothing_behind_a_shard_that_stopped_early_is_given() {
        let stopped = Position { due: UnixMillis::new(2), page: 5, index: 5 };
        let replies = vec![
            (A, ListReply { items: vec![item(1, 1, 0), item(4, 1, 1)], next: None, total: None }),
            (B, ListReply { items: vec![], next: Some(stopped), total: None }),
        ];
        let (items, next) = merge(replies, 10);
        assert_eq!((dues(&items), next), (vec![1], Some(Cursor::new(B, stopped))));
    }

    /// Returns what a shard with these tasks answers: up to its share of the bytes, and one in any
    /// case.
    fn ask(tasks: &[ListItem], after: Option<Position>, limit: usize, share: usize) -> ListReply {
        let (mut items, mut bytes) = (Vec::new(), 0);
        for item in tasks.iter().filter(|item| after.is_none_or(|after| item.position > after)) {
            if bytes >= share || items.len() >= limit {
                return ListReply {
                    next: items.last().map(|last: &ListItem| last.position),
                    items,
                    total: None,
                };
            }
            bytes += bytes_of(item);
            items.push(item.clone());
        }
        ListReply { items, next: None, total: None }
    }

    /// The largest shard map, with a shard of the largest tasks among those of small ones, and then
    /// with large ones everywhere.
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
                cursor = page.finish().1;
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
        let (items, next) = merge(
            vec![(A, ListReply { items: vec![large, item(2, 1, 1)], next: None, total: None })],
            10,
        );
        assert_eq!((dues(&items), next.map(|next| next.due.get())), (vec![1], Some(1)));
    }
}
