//! The checks, each with a name that a failure begins with.

mod firings;

pub(crate) use firings::firing;

use crate::dead_letters::are_in_order;
use crate::follow_ups::Stage;
use crate::forecast::forecast_agrees;
use crate::model::{Firing, Model, Schedule, What, firing_of, status_of};
use crate::storage::{Storage, Waiting};
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::{Config, Engine};
use scheduler_model::format::page::Flags;
use scheduler_model::protocol::{ListItem, ListRequest, Status};
use scheduler_model::task::Record;
use std::collections::{BTreeMap, BTreeSet};

/// Ends the run: an invariant does not hold.
pub(crate) fn violated(check: &str, detail: impl AsRef<str>) -> ! {
    panic!("invariant {check} does not hold: {}", detail.as_ref());
}

fn hold(check: &str, holds: bool, detail: impl FnOnce() -> String) {
    if !holds {
        violated(check, detail());
    }
}

/// As what a stored entry waits.
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

/// `one-task-of-an-id`: what waits under an id is one task at most, beside attempts and dead
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

/// `what-waits-is-stored`: storage holds what the users' requests leave waiting, no more and no
/// less.
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

/// `next-run-is-next`: a recurring task that is not paused waits for the run after the last one
/// that was settled.
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

/// `memory-is-storage`: the engine lists, counts and waits as storage says.
pub(crate) fn engine_agrees(
    engine: &mut Engine,
    storage: &Storage,
    waiting: &[Waiting],
    now: UnixMillis,
) {
    // A page of the list has a bound in bytes.
    let (mut items, mut after, mut total) = (Vec::new(), None, None);
    loop {
        let all = ListRequest { limit: usize::MAX, after, ..ListRequest::default() };
        let reply = engine.list(&all, storage).expect("the list can be read");
        let goes_on = reply.next.is_some_and(|next| after.is_none_or(|after| next > after));
        items.extend(reply.items);
        total = total.or(reply.total);
        hold("memory-is-storage", reply.next.is_none() || goes_on, || {
            format!("the list goes on at {:?} after {after:?}", reply.next)
        });
        after = reply.next;
        if after.is_none() {
            break;
        }
    }
    hold("memory-is-storage", total == Some(items.len() as u64), || {
        format!("a total of {total:?} for {} items", items.len())
    });
    // Those in flight are compared with the reference: see `lists`.
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
        "the watermark is another".to_owned()
    });
}

fn item_agrees(item: &ListItem, waiting: &Waiting) {
    let same = item.status == status_of(what_of(waiting))
        && item.record.get().as_bytes() == &**waiting.record;
    hold("memory-is-storage", same, || format!("listed {item:?}, stored {waiting:?}"));
}

/// `always-armed`: whoever waits for a time is woken by then (invariant 4 of the design), and a
/// restart wakes no later.
pub(crate) fn wakes_in_time(
    engine: &mut Engine,
    storage: &Storage,
    config: Config,
    now: UnixMillis,
    is_new: bool,
) {
    let (wanted, stored) = (engine.next_wakeup(), storage.next_wakeup(config));
    if is_new {
        // With lanes it may also want to ask a limiter, or wait for one.
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
        // By a clock that has gone back since, it may be due a little later, but not at its own
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
        // What waits for a slot asks for one, however often it was not answered.
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
        "an envelope is on its way, but nobody watches".to_owned()
    });
}

/// `retries-have-their-time`: a further attempt says when the first one of its run began, or when a
/// pause of it ended; a first one says nothing.
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

/// `records-stay-what-they-were`: what is fired is what was given.
fn record_agrees(model: &Model, firing: Firing, record: &Record<'_>, text: &str) {
    let text = &*model.with_own_payload(firing, record, text);
    let replayed = record.replayed_at;
    let told = |name: &str, at: Option<UnixMillis>| {
        at.map_or_else(String::new, |at| format!(",\"{name}\":{at}"))
    };
    // A reschedule notes when it was made.
    let text = &text.replacen(&told("updatedAt", record.updated_at), "", 1);
    let suffix = told("replayedAt", replayed) + &told("lateSince", record.late_since) + "}";
    let was_replayed = replayed.is_none_or(|at| {
        model.replayed.get(&Firing { attempt: 1, ..firing }).is_some_and(|last| at.get() <= *last)
    });
    hold("records-stay-what-they-were", was_replayed, || {
        format!("{firing:?} says it was replayed at {replayed:?}")
    });
    if firing.stage != Stage::Run {
        return model.follow_up_agrees(firing, text);
    }
    let text =
        &text.strip_suffix(&suffix).map_or_else(|| text.to_owned(), |text| format!("{text}}}"));
    let version = model.version(firing.version);
    // A definition that was read from the task has the time of a reschedule, too.
    let updated = Record::parse(&version.record).unwrap().updated_at;
    let given = std::str::from_utf8(&version.record).unwrap();
    let given = &given.replacen(&told("updatedAt", updated), "", 1);
    // The time is the occurrence's, or what the task was put off to: the model checks it by itself.
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

/// Returns a record without the first and the last run, which the shard counts anew when time has
/// passed.
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
/// then. What waits for a limit, and what the shard has put off while its clock was ahead, is
/// another matter.
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

/// The checks of a run's end, when all faults are over and everything has come to rest.
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
            format!("on its way for ever: {in_flight:?}")
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

/// `exactly-once-without-faults`: where nothing goes wrong, each attempt runs once.
pub(crate) fn no_duplicates(model: &Model) {
    for (firing, times) in &model.ran {
        let explained = model.handed_on.get(firing).copied().unwrap_or_default();
        // A task that a dispatcher did not come to is handed on again; it has run once all the
        // same.
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
