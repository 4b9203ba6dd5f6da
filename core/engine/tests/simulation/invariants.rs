//! The checks. Each has a name with which a failure begins.

mod firings;

pub(crate) use firings::firing;

use crate::dead_letters::are_in_order;
use crate::follow_ups::Stage;
use crate::forecast::forecast_agrees;
use crate::model::{Firing, Model, Schedule, Version, What, firing_of, status_of};
use crate::storage::{Storage, Waiting};
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::{Config, Engine};
use scheduler_model::format::page::Flags;
use scheduler_model::protocol::{ListItem, ListRequest, Status};
use scheduler_model::task::Record;
use std::collections::{BTreeMap, BTreeSet};

/// Ends the run because an invariant is broken.
pub(crate) fn violated(check: &str, detail: impl AsRef<str>) -> ! {
    panic!("invariant {check} does not hold: {}", detail.as_ref());
}

pub(crate) fn hold(check: &str, holds: bool, detail: impl FnOnce() -> String) {
    if !holds {
        violated(check, detail());
    }
}

/// Returns how a stored entry waits.
pub(crate) fn what_of(waiting: &Waiting) -> What {
    match waiting.entry {
        None if waiting.record.facts().is_paused => What::PausedRecurring,
        None => What::Recurring,
        Some(entry) if entry.flags.has(Flags::DEAD_LETTER) => What::Dead,
        Some(entry) if entry.due == UnixMillis::HELD => What::Held,
        Some(entry) if entry.due == UnixMillis::PAUSED && entry.flags.has(Flags::RETRY) => {
            What::PausedAgain
        }
        Some(entry) if entry.due == UnixMillis::PAUSED => What::Paused,
        Some(entry) if entry.flags.has(Flags::RETRY) => What::Again,
        Some(entry) if entry.due == UnixMillis::NEVER => What::Unscheduled,
        Some(_) => What::First,
    }
}

pub(crate) fn key_of(waiting: &Waiting) -> (Firing, What) {
    (waiting.record.firing(), what_of(waiting))
}

/// `one-task-of-an-id`: at most one task waits under an id, in addition to attempts and dead
/// letters.
fn one_task_of_an_id(waiting: &[Waiting]) {
    let mut tasks = BTreeSet::new();
    for waiting in waiting {
        let is_task = matches!(
            what_of(waiting),
            What::First
                | What::Recurring
                | What::Unscheduled
                | What::Paused
                | What::PausedRecurring
        );
        let id = &waiting.record.facts().id;
        hold("one-task-of-an-id", !is_task || tasks.insert(id), || {
            format!("two tasks of {id}: {waiting:?}")
        });
    }
}

/// `what-waits-is-stored`: storage contains exactly what the users' requests leave waiting.
pub(crate) fn storage_agrees(model: &Model, shard: usize, waiting: &[Waiting]) {
    one_task_of_an_id(waiting);
    are_in_order(waiting);
    model.dead_letters_are_bounded(waiting);
    let mut stored: BTreeMap<(Firing, What), u32> = BTreeMap::new();
    for waiting in waiting {
        *stored.entry(key_of(waiting)).or_default() += 1;
    }
    let expected = model
        .waiting
        .iter()
        .filter(|((firing, _), _)| model.version(firing.version).shard == shard);
    let expected: BTreeMap<(Firing, What), u32> =
        expected.map(|(key, count)| (*key, *count)).collect();
    if stored != expected {
        let lost: Vec<_> =
            expected.iter().filter(|(key, count)| stored.get(key) != Some(count)).collect();
        let extra: Vec<_> =
            stored.iter().filter(|(key, count)| expected.get(key) != Some(count)).collect();
        violated("what-waits-is-stored", format!("lost: {lost:?}; too many: {extra:?}"));
    }
    next_runs_agree(model, waiting);
}

/// `next-run-is-next`: a recurring task that is not paused waits for the run after the last settled
/// one.
fn next_runs_agree(model: &Model, waiting: &[Waiting]) {
    for waiting in waiting.iter().filter(|waiting| what_of(waiting) == What::Recurring) {
        let version = waiting.record.firing().version;
        let next = model.next_run.get(&version).map(|(time, due, _)| (*time, *due));
        hold(
            "next-run-is-next",
            next.is_some_and(|(_, due)| due == waiting.position.due.get()),
            || format!("{waiting:?}; next was {next:?} of {:?}", model.version(version).schedule),
        );
    }
}

/// `memory-is-storage`: what the engine lists, counts and waits for agrees with storage.
pub(crate) fn engine_agrees(
    engine: &mut Engine,
    storage: &Storage,
    waiting: &[Waiting],
    now: UnixMillis,
) {
    // The bytes of a page of the list are bounded.
    let (mut items, mut after, mut total) = (Vec::new(), None, None);
    loop {
        let all = ListRequest { limit: usize::MAX, after, ..ListRequest::default() };
        let reply = engine.list(&all, storage).expect("the list can be loaded");
        let goes_on = reply.next.is_some_and(|next| after.is_none_or(|after| next > after));
        items.extend(reply.items);
        total = total.or(reply.total);
        hold("memory-is-storage", reply.next.is_none() || goes_on, || {
            format!("the list continues at {:?} after {after:?}", reply.next)
        });
        after = reply.next;
        if after.is_none() {
            break;
        }
    }
    hold("memory-is-storage", total == Some(items.len() as u64), || {
        format!("a total of {total:?} for {} items", items.len())
    });
    // Runs in flight are compared with the reference: see `lists`.
    items.retain(|item| item.status != Status::Running);
    let shown: Vec<_> = items.iter().map(|item| item.position).collect();
    let stored: Vec<_> = waiting.iter().map(|waiting| waiting.position).collect();
    hold("memory-is-storage", shown == stored, || format!("listed {shown:?}, stored {stored:?}"));
    for (item, waiting) in items.iter().zip(waiting) {
        item_agrees(item, waiting);
    }

    forecast_agrees(engine, storage, waiting, now);

    let stats = engine.stats(now);
    let count = |what: &[What]| {
        waiting.iter().filter(|waiting| what.contains(&what_of(waiting))).count() as u64
    };
    let in_flight: usize = storage.outbox.values().map(|row| row.hashes.len() / 8).sum();
    let shown = [
        stats.pending,
        stats.unscheduled,
        stats.dead_letters,
        stats.schedules,
        stats.paused,
        stats.in_flight,
    ];
    let stored = [
        count(&[What::First, What::Again, What::Recurring, What::Held]),
        count(&[What::Unscheduled]),
        count(&[What::Dead]),
        count(&[What::Recurring, What::PausedRecurring]),
        count(&[What::Paused, What::PausedAgain, What::PausedRecurring]),
        in_flight as u64,
    ];
    hold("memory-is-storage", shown == stored, || {
        format!(
            "pending, unscheduled, dead, schedules, paused, in flight: stats say {shown:?}, storage {stored:?}"
        )
    });
    hold("memory-is-storage", engine.watermark() == storage.watermark, || {
        "the watermarks differ".to_owned()
    });
}

fn item_agrees(item: &ListItem, waiting: &Waiting) {
    let same = item.status == status_of(what_of(waiting))
        && item.record.get().as_bytes() == &**waiting.record;
    hold("memory-is-storage", same, || format!("listed {item:?}, stored {waiting:?}"));
}

/// `always-armed`: the engine wakes up by the time for which anything waits (invariant 4 of the
/// design), and a restarted engine wakes up no later.
pub(crate) fn wakes_in_time(
    engine: &mut Engine,
    storage: &Storage,
    config: Config,
    now: UnixMillis,
    is_new: bool,
) {
    let (wanted, stored) = (engine.next_wakeup(), storage.next_wakeup(config));
    if is_new {
        // With lanes, the engine may also need to send a request to a limiter, or wait for one.
        let agrees = if storage.has_lanes() {
            stored.is_none_or(|stored| wanted <= Some(stored))
        } else {
            wanted == stored
        };
        hold("always-armed", agrees, || format!("wants {wanted:?}; storage says {stored:?}"));
    }
    let waiting = storage.waiting();
    for (of, entry) in waiting.iter().filter_map(|waiting| Some((waiting, waiting.entry?))) {
        let requested = of
            .record
            .facts()
            .replayed_at
            .filter(|_| !entry.flags.has(Flags::RETRY) && !entry.due.is_never());
        // If the clock has gone back since, the run may be due a little later, but not at its own
        // time again.
        let is_due = requested.is_none_or(|requested| of.position.due <= requested.max(now))
            || of.position.due != of.record.parse().due();
        hold("requested-runs-are-due", is_due, || {
            format!("requested at {requested:?}, but due later: {of:?}")
        });
    }
    let (of_lanes, of_main): (Vec<_>, Vec<_>) =
        waiting.into_iter().partition(|waiting| storage.is_in_lane(waiting.position.page));
    if let Some(head) = of_lanes.first().map(|waiting| waiting.position.due) {
        // A task that waits for a slot causes requests, however often they were not answered.
        let latest = head.max(now.plus(20_000));
        let is_in_time = wanted.is_some_and(|wanted| wanted <= latest);
        hold("always-armed", is_in_time, || {
            format!("due in a lane at {head}, but wants to be woken at {wanted:?}")
        });
    }
    let head = of_main
        .first()
        .filter(|head| !head.position.due.is_never() && storage.may_go_out(head, config));
    let head = head.map(|head| head.position.due);
    if let Some(head) = head {
        let latest = head.max(now.plus(config.fire_gap_millis));
        let is_in_time = wanted.is_some_and(|wanted| wanted <= latest);
        hold("always-armed", is_in_time, || {
            format!("due at {head}, but wants to be woken at {wanted:?}")
        });
    }
    let waits_for_report = storage.outbox.values().any(|row| row.destination.is_some());
    hold("always-armed", wanted.is_some() || !waits_for_report, || {
        "an envelope is in flight, but no wake-up is set".to_owned()
    });
}

/// `retries-have-their-time`: a further attempt contains when the first attempt of its run began,
/// or when a pause of it ended. A first attempt contains no such time.
fn first_attempt_agrees(model: &Model, firing: Firing, first: Option<i64>) {
    let known = model.first_attempts.get(&Firing { attempt: 1, ..firing });
    let agrees = match first {
        None => firing.attempt == 1,
        Some(first) => firing.attempt > 1 && known.is_some_and(|known| known.contains(&first)),
    };
    hold("retries-have-their-time", agrees, || {
        format!("{firing:?} says {first:?}; known {known:?}")
    });
}

/// `records-stay-what-they-were`: a fired record is the record that was given.
fn record_agrees(model: &Model, firing: Firing, record: &Record<'_>, text: &str) {
    let text = &*model.with_own_payload(firing, record, text);
    let replayed = record.replayed_at;
    let member = |name: &str, at: Option<UnixMillis>| {
        at.map_or_else(String::new, |at| format!(",\"{name}\":{at}"))
    };
    // A reschedule records when it was made.
    let text = &text.replacen(&member("updatedAt", record.updated_at), "", 1);
    let suffix = member("replayedAt", replayed) + &member("lateSince", record.late_since) + "}";
    let was_replayed = replayed.is_none_or(|at| {
        model.replayed.get(&Firing { attempt: 1, ..firing }).is_some_and(|last| at.get() <= *last)
    });
    hold("records-stay-what-they-were", was_replayed, || {
        format!("{firing:?} says it was replayed at {replayed:?}")
    });
    let version = model.version(firing.version);
    let given = &as_fired(version, firing, record);
    if firing.stage != Stage::Run {
        return model.follow_up_agrees(firing, given, text);
    }
    let text =
        &text.strip_suffix(&suffix).map_or_else(|| text.to_owned(), |text| format!("{text}}}"));
    // The time is that of the occurrence, or the due time of the task. The model checks it
    // separately.
    let rest = match version.schedule {
        Schedule::Once(time, _) => given
            .strip_prefix(&format!("{{\"time\":{time},"))
            .expect("a one-shot record begins with its time"),
        _ => &given[1..],
    };
    let common = without_counts(&format!("{{\"time\":{},{rest}", firing.time));
    let text = without_counts(text);
    let same = if firing.attempt == 1 {
        *text == common
    } else {
        text.strip_prefix(common.trim_end_matches('}'))
            .or_else(|| text.strip_prefix(&common[..common.len() - 1]))
            .is_some()
            && text.contains(&format!(",\"attempt\":{},\"failedAt\":", firing.attempt))
    };
    hold("records-stay-what-they-were", same, || format!("given {given}, fired {text}"));
}

/// Returns the record that was given for a version, as a run of it has it. A definition that was
/// read from a task also has the time of a reschedule. A reschedule drops the words, because they
/// say another time.
fn as_fired(version: &Version, firing: Firing, fired: &Record<'_>) -> String {
    let given = Record::parse(&version.record).unwrap();
    let lost_words = match version.schedule {
        Schedule::Once(time, _) => {
            fired.words.is_none() && (firing.time != time || fired.updated_at.is_some())
        }
        Schedule::Recurring(_) | Schedule::None => false,
    };
    let words = given.words.clone().filter(|_| !lost_words);
    let mut out = Vec::new();
    Record { words, updated_at: None, ..given }.write(&mut out);
    String::from_utf8(out).unwrap()
}

/// Returns a record without the first and the last run, because the shard counts them again when
/// time has passed.
fn without_counts(text: &str) -> String {
    let mut text = text.to_owned();
    for name in [",\"firstRun\":", ",\"finalRun\":"] {
        if let Some(start) = text.find(name) {
            let digits = start + name.len();
            let end = digits + text[digits..].find(|c: char| !c.is_ascii_digit()).unwrap();
            text.replace_range(start..end, "");
        }
    }
    text
}

/// `clocks-agree-again`: a minute after all clocks agree, at `agree`, nothing waits that was due by
/// then. Tasks that wait for a limit, and tasks that the shard deferred while its clock was ahead,
/// are excepted.
pub(crate) fn nothing_is_late(storage: &Storage, brought_ahead: &BTreeSet<u64>, agree: UnixMillis) {
    for waiting in storage.waiting() {
        let record = waiting.record.parse();
        let due = match waiting.entry {
            None => waiting.position.due,
            Some(entry) if entry.flags.has(Flags::RETRY) || entry.due.is_never() => {
                waiting.position.due
            }
            Some(_) if brought_ahead.contains(&firing_of(&record).version) => waiting.position.due,
            Some(_) => record.due(),
        };
        hold("clocks-agree-again", record.limit_key.is_some() || due > agree, || {
            format!("still waits, due at {due}: {waiting:?}")
        });
    }
}

/// The checks at the end of a run, when there are no more faults and no more work.
pub(crate) fn at_rest(model: &Model, shards: &[(&Storage, Option<UnixMillis>)]) {
    for (storage, next_wakeup) in shards {
        hold("drains-to-empty", next_wakeup.is_none(), || {
            format!("still wants to be woken at {next_wakeup:?}")
        });
        let never = |waiting: &Waiting| {
            matches!(
                what_of(waiting),
                What::Dead | What::Unscheduled | What::Paused | What::PausedAgain
            )
        };
        let waiting = storage.waiting();
        hold("drains-to-empty", waiting.iter().all(never), || format!("still waits: {waiting:?}"));
        hold("drains-to-empty", storage.schedules.is_empty(), || "a schedule is left".to_owned());
        for (page, row) in &storage.pages {
            let live = waiting.iter().filter(|waiting| waiting.position.page == *page).count();
            hold("drains-to-empty", live > 0, || {
                format!("page {page} of {} entries has none that lives", row.directory.len())
            });
        }
        let orphan = storage.dead.keys().find(|page| !storage.pages.contains_key(page));
        hold("drains-to-empty", orphan.is_none(), || {
            format!("dead bits are left of page {orphan:?}, which is gone")
        });
        let decided = storage.decisions.len() + storage.patches.len();
        hold("drains-to-empty", decided == 0, || {
            format!("{decided} decisions are left about envelopes that are gone")
        });
        let rows = storage.outbox.len();
        hold("drains-to-empty", rows <= 1, || format!("{rows} rows are left in the outbox"));
        let in_flight = storage.outbox.values().find(|row| row.destination.is_some());
        hold("drains-to-empty", in_flight.is_none(), || {
            format!("in flight forever: {in_flight:?}")
        });
    }
    hold("nothing-lost", model.in_flight.is_empty(), || {
        format!("never reported: {:?}", model.in_flight)
    });
    for firing in &model.done {
        hold("nothing-lost", model.ran.contains_key(firing), || {
            format!("{firing:?} is done, but has never run")
        });
    }
    for (firing, what) in model.waiting.keys() {
        let never =
            matches!(what, What::Dead | What::Unscheduled | What::Paused | What::PausedAgain);
        hold("nothing-lost", never, || format!("{firing:?} still waits as {what:?}"));
    }
}

/// `exactly-once-without-faults`: without faults, each attempt runs once.
pub(crate) fn no_duplicates(model: &Model) {
    for (firing, times) in &model.ran {
        let explained = model.dispatched.get(firing).copied().unwrap_or_default();
        // A task that a dispatcher did not reach is dispatched again, but it has run only once.
        let caused = if firing.stage == Stage::Run {
            1
        } else {
            model.causes[&Firing { attempt: 1, ..*firing }].len() as u32
        };
        let most = caused
            + model.asked.get(&Firing { attempt: 1, ..*firing }).copied().unwrap_or_default();
        hold("exactly-once-without-faults", *times <= most && explained >= 1, || {
            format!("{firing:?} ran {times} times")
        });
    }
}
