//! The checks, each with a name that a failure begins with.

use crate::follow_ups::Stage;
use crate::in_flight::Decided;
use crate::late::{Due, Fate, firing_due};
use crate::model::{Firing, Flight, Model, Schedule, Send, What, firing_of, status_of};
use crate::requeued::is_told_as_skipped;
use crate::storage::{ID_KEY, Storage, Waiting};
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::{Config, Destination, Effects, Engine, Keep, Write};
use scheduler_model::bounds::MAX_CATCH_UP_RUNS;
use scheduler_model::format::envelope::Envelope;
use scheduler_model::format::page::Flags;
use scheduler_model::protocol::{ListItem, ListRequest};
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
    let (mut items, mut after) = (Vec::new(), None);
    loop {
        let all = ListRequest { limit: usize::MAX, after, ..ListRequest::default() };
        let reply = engine.list(&all, storage).expect("the list can be read");
        let goes_on = reply.next.is_some_and(|next| after.is_none_or(|after| next > after));
        items.extend(reply.items);
        hold("memory-is-storage", reply.next.is_none() || goes_on, || {
            format!("the list goes on at {:?} after {after:?}", reply.next)
        });
        after = reply.next;
        if after.is_none() {
            break;
        }
    }
    let shown: Vec<_> = items.iter().map(|item| item.position).collect();
    let stored: Vec<_> = waiting.iter().map(|waiting| waiting.position).collect();
    hold("memory-is-storage", shown == stored, || format!("listed {shown:?}, stored {stored:?}"));
    for (item, waiting) in items.iter().zip(waiting) {
        item_agrees(item, waiting);
    }

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

/// A wake-up that leaves something for the next one has settled at least as many things as this, or
/// at least so many bytes.
const LEAST_OF_A_FULL_FIRING: usize = 100;
const LEAST_BYTES_OF_A_FULL_FIRING: usize = 4_000_000;

/// Returns the most bytes that something due may count for: its record is read, and of a run with
/// others that are left out it is read once more; such a run counts for 20,000 beside, any other
/// occurrence for 1,000 at least.
fn most_bytes(due: &Due) -> usize {
    let record = due.waiting.record.len() + 100;
    if due.passed_over.is_empty() { record.max(1_000) + 500 } else { 2 * record + 20_500 }
}

/// `fires-in-order`: a wake-up fires exactly what is due, the most urgent first, else in the one
/// total order, in envelopes that say so. Tells the model. `dispatch-is-bounded`: the dispatchers
/// have no more than they may have; what they have no room for waits until they report.
/// `firings-are-bounded`: one that has much to do may leave the rest of its order to the next one,
/// which follows at once. Says whether it does.
pub(crate) fn firing(
    model: &mut Model,
    shard: usize,
    name: &str,
    storage: &Storage,
    effects: &Effects,
    now: UnixMillis,
    config: Config,
) -> bool {
    let (mut due, mut behind) = storage.due(model, now, storage.watermark_after(&effects.writes));
    let (before, dispatched) = (storage.dispatched(), storage.dispatched_with(&effects.writes));
    hold("dispatch-is-bounded", dispatched <= config.max_dispatched.max(before), || {
        format!("{dispatched} after {before}")
    });
    // What turns out not to fire takes room until then, so a wake-up may stop before there is none:
    // then the next follows at once.
    let for_dispatchers =
        || due.iter().filter(|due| !due.waiting.record.parse().goes_to_queue()).count();
    let is_used_up = !behind.is_empty() && before + for_dispatchers() >= config.max_dispatched;
    let bytes: usize = due.iter().map(most_bytes).sum();
    let is_full = due.len() >= LEAST_OF_A_FULL_FIRING || bytes >= LEAST_BYTES_OF_A_FULL_FIRING;
    hold("firings-are-bounded", behind.is_empty() || is_used_up || is_full, || {
        format!(
            "{} are left for the next wake-up, after {} of {bytes} bytes",
            behind.len(),
            due.len()
        )
    });
    model.held_up += u64::from(is_used_up);
    let keep = config.history;
    leave_out(model, shard, &mut due, &mut behind, (effects, keep));
    // What has lapsed in lanes is dropped first, each in the order of its lane.
    let in_lane = |due: &&Due| storage.is_in_lane(due.waiting.position.page);
    let lapsed: Vec<Due> =
        due.iter().filter(in_lane).filter(|due| due.fate != Fate::Fires).cloned().collect();
    for due in due.iter().filter(|due| due.waiting.entry.is_none()) {
        model.pass(due);
    }
    let mut expected: BTreeMap<Destination, Vec<Vec<u8>>> = BTreeMap::new();
    due.sort_by_key(|due| std::cmp::Reverse(due.priority));
    model.settle_circuits(shard, &mut due, (effects, storage), now.get());
    let (fires, late): (Vec<&Due>, Vec<&Due>) = due.iter().partition(|due| due.fate == Fate::Fires);
    let (keyed, fires): (Vec<&Due>, Vec<&Due>) = fires.into_iter().partition(|due| due.is_keyed);
    for waiting in fires.iter().map(|due| &due.waiting) {
        let queue = model.queue_of(waiting.record.firing());
        let destination =
            queue.map_or(Destination::Dispatch, |queue| Destination::Queue(queue.to_owned()));
        expected.entry(destination).or_default().push(waiting.record.to_vec());
    }
    let mut fired: BTreeMap<Destination, Vec<Vec<u8>>> = BTreeMap::new();
    let mut last = storage.outbox.last_key_value().map_or(0, |(seq, _)| *seq);
    for write in &effects.writes {
        let Write::InsertEnvelope { seq, destination, text, hashes, sent_at, .. } = write else {
            continue;
        };
        let envelope =
            Envelope::parse(std::str::from_utf8(text).unwrap()).expect("an envelope can be read");
        let heads = (envelope.shard, envelope.seq, envelope.fired_at, *sent_at);
        hold("fires-in-order", heads == (name, *seq, now, now) && *seq > last, || {
            format!("{heads:?} after envelope {last}")
        });
        last = *seq;
        let mut tasks = Vec::with_capacity(envelope.tasks.len());
        let mut replayed = Vec::with_capacity(envelope.tasks.len());
        let mut late_since = Vec::with_capacity(envelope.tasks.len());
        let mut first_at = Vec::with_capacity(envelope.tasks.len());
        for (at, task) in envelope.tasks.iter().enumerate() {
            let record = Record::parse(task.get().as_bytes()).expect("a fired record can be read");
            let hash = ID_KEY.hash(&record.id).to_le_bytes();
            hold("fires-in-order", hashes.get(at * 8..at * 8 + 8) == Some(&hash), || {
                format!("hash {at} of envelope {seq}")
            });
            let firing = firing_of(&record);
            record_agrees(model, firing, &record, task.get());
            first_attempt_agrees(model, firing, record.first_attempt_at.map(UnixMillis::get));
            first_at.push(record.first_attempt_at.map(UnixMillis::get));
            replayed.push(record.replayed_at.map(UnixMillis::get));
            late_since
                .push(Model::followed_at(&record).max(record.late_since.map(UnixMillis::get)));
            model.fire(firing, now.get());
            model.let_through(shard, firing, *seq);
            tasks.push(firing);
            fired.entry(destination.clone()).or_default().push(task.get().as_bytes().to_vec());
        }
        let queue = !destination.is_reported();
        model.in_flight.insert(
            (shard, *seq),
            Flight {
                queue,
                fired_at: now.get(),
                sent_again: false,
                last_send: Send::Unanswered { after: 0 },
                since: now.get(),
                tasks,
                replayed,
                late_since,
                first_at,
                decided: Decided::new(),
                patched: BTreeMap::new(),
            },
        );
    }
    lanes_in_order(model, storage, keyed, &mut fired);
    hold("fires-in-order", fired == expected, || {
        let text = |of: &BTreeMap<Destination, Vec<Vec<u8>>>| -> String {
            of.values()
                .flatten()
                .map(|record| {
                    String::from_utf8_lossy(record).chars().take(80).collect::<String>() + "\n"
                })
                .collect()
        };
        let (writes, circuits) = (&effects.writes, &model.circuits);
        format!(
            "fired\n{}of what was due\n{}with {writes:?}\nand {circuits:?}",
            text(&fired),
            text(&expected)
        )
    });
    let is_left = |due: &&Due| !in_lane(due) || matches!(due.fate, Fate::Waits(_));
    for due in lapsed.iter().chain(late.iter().copied().filter(is_left)) {
        model.drop_late(shard, due, now.get(), keep);
    }
    model.follow_ended(shard, now.get(), keep);
    let is_over = |due: &&&Due| {
        !matches!(due.fate, Fate::Waits(_))
            && due.waiting.entry.is_some_and(|entry| entry.flags.has(Flags::RETRY))
    };
    for due in late.iter().filter(is_over) {
        model.release(&model.version(firing_due(due).version).id.clone(), now.get());
    }
    !behind.is_empty() && dispatched < config.max_dispatched
}

/// `backlogs-are-bounded`: an occurrence with a key that neither fires nor is put off is left out,
/// with those after it that are due, because as many runs of its task wait as may. Those of them
/// that are `behind` what this wake-up settles are left out with it, too. Each that had a slot, and
/// would have had to wait for its destination, is left out alone; there runs in flight count as
/// well.
fn leave_out(
    model: &Model,
    shard: usize,
    due: &mut Vec<Due>,
    behind: &mut Vec<Due>,
    (effects, keep): (&Effects, Keep),
) {
    let (mut handed_on, mut stored) = (Vec::new(), Vec::new());
    for write in &effects.writes {
        match write {
            Write::InsertEnvelope { text, .. } => handed_on.push(text.as_slice()),
            Write::InsertPage { body, .. } => stored.push(body.as_slice()),
            Write::ExtendPage { tail, .. } => stored.push(tail.as_slice()),
            _ => {}
        }
    }
    let is_in = |texts: &[&[u8]], record: &[u8]| {
        texts.iter().any(|text| memchr::memmem::find(text, record).is_some())
    };
    let (mut put_off, mut first) =
        (BTreeMap::<String, usize>::new(), BTreeMap::<String, usize>::new());
    let mut with_others = BTreeSet::new();
    for at in 0..due.len() {
        let of = &due[at];
        let record = of.waiting.record.facts();
        if of.waiting.entry.is_some() || of.fate != Fate::Fires || record.limit_key.is_none() {
            continue;
        }
        if is_in(&handed_on, &of.waiting.record) {
            continue;
        }
        let id = record.id.to_string();
        let more = put_off.entry(id.clone()).or_default();
        let waits = |((_, what), count): ((Firing, What), u32)| {
            if what == What::Again { count as usize } else { 0 }
        };
        let waiting = model.waiting_of(&id).into_iter().map(waits).sum::<usize>() + *more;
        // Those that fire or lapse in this wake-up make room, or not yet.
        let leave = due.iter().filter(|due| due.waiting.entry.is_some());
        let leave = leave.filter(|due| *due.waiting.record.facts().id == *id).count();
        if is_in(&stored, &of.waiting.record) {
            hold("backlogs-are-bounded", waiting < MAX_CATCH_UP_RUNS + leave, || {
                format!("{waiting} runs of {id} wait, and one more")
            });
            *more += 1;
            continue;
        }
        let is_silent = model.is_silent(shard, firing_due(of));
        let going_on = waiting + if is_silent { model.in_flight_of(&id).len() } else { 0 };
        hold("backlogs-are-bounded", going_on >= MAX_CATCH_UP_RUNS, || {
            format!("{going_on} runs of {id} wait; {of:?} is left out")
        });
        let time = record.time.unwrap();
        let is_alone = is_silent && (keep == Keep::Off || is_told_as_skipped(effects, &id, time));
        match first.get(&id) {
            Some(first) if !is_alone => {
                due[*first].passed_over.push(time.get());
                with_others.insert(at);
            }
            _ => {
                first.insert(id, at);
                due[at].fate = Fate::Skipped;
            }
        }
    }
    behind.retain(|of| {
        let record = of.waiting.record.facts();
        let is_settled = !model.is_silent(shard, firing_due(of))
            || is_settled_ahead(effects, of.waiting.position.index);
        let with = first.get(&*record.id).filter(|_| of.waiting.entry.is_none() && is_settled);
        if let Some(with) = with {
            due[*with].passed_over.push(record.time.unwrap().get());
        }
        with.is_none()
    });
    let mut at = 0;
    due.retain(|_| {
        at += 1;
        !with_others.contains(&(at - 1))
    });
}

/// Returns whether a wake-up settles occurrences of a recurring task that its watermark does not
/// pass.
fn is_settled_ahead(effects: &Effects, schedule: u32) -> bool {
    effects.writes.iter().any(|write| match write {
        Write::SetSchedule { number, since: Some(_), .. } | Write::DeleteSchedule { number } => {
            number.get() == schedule
        }
        _ => false,
    })
}

/// `fires-in-order`: of each lane the first of those that are due have fired, as many as they were;
/// occurrences that have not wait in their lane. Takes the lanes out of what has fired.
fn lanes_in_order(
    model: &mut Model,
    storage: &Storage,
    mut keyed: Vec<&Due>,
    fired: &mut BTreeMap<Destination, Vec<Vec<u8>>>,
) {
    let mut of_lanes: Vec<Vec<u8>> = Vec::new();
    fired.retain(|destination, records| match destination {
        Destination::Lane(_) => {
            of_lanes.append(records);
            false
        }
        _ => true,
    });
    keyed.sort_by_key(|due| due.waiting.position);
    let mut left_behind: BTreeSet<String> = BTreeSet::new();
    for due in keyed {
        let key = due.waiting.record.facts().limit_key.as_deref().unwrap().to_owned();
        let found = of_lanes.iter().position(|record| **record == **due.waiting.record);
        match (found, due.waiting.entry) {
            (Some(at), Some(_)) => {
                hold("fires-in-order", storage.is_in_lane(due.waiting.position.page), || {
                    "a key outside of its lane".to_owned()
                });
                hold("fires-in-order", !left_behind.contains(&key), || {
                    format!("{due:?} fired before others of its lane")
                });
                of_lanes.swap_remove(at);
            }
            (Some(at), None) => drop(of_lanes.swap_remove(at)),
            (None, Some(_)) => drop(left_behind.insert(key)),
            (None, None) => model.wait_for_slot(firing_due(due)),
        }
    }
    hold("fires-in-order", of_lanes.is_empty(), || {
        format!("{} tasks of lanes fired that were not due", of_lanes.len())
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
    let replayed = record.replayed_at;
    let told = |name: &str, at: Option<UnixMillis>| {
        at.map_or_else(String::new, |at| format!(",\"{name}\":{at}"))
    };
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
    let given = std::str::from_utf8(&version.record).unwrap();
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
    for name in [",\"firstRun\":", ",\"lastRun\":"] {
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
