//! The checks of a wake-up: what it fires, in which order, and how much.

use super::{first_attempt_agrees, hold, record_agrees};
use crate::in_flight::Decided;
use crate::late::{Due, Fate, firing_due};
use crate::model::{Firing, Flight, Model, Send, firing_of};
use crate::requeued::is_recorded_as_skipped;
use crate::storage::{ID_KEY, Storage};
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::{Config, Destination, Effects, Keep, Write};
use scheduler_model::bounds::MAX_CATCH_UP_RUNS;
use scheduler_model::format::envelope::Envelope;
use scheduler_model::format::page::Flags;
use scheduler_model::numbers::{EnvelopeSeq, LaneNumber};
use scheduler_model::position::Position;
use scheduler_model::task::Record;
use std::collections::{BTreeMap, BTreeSet};

/// The least number of entries, or the least bytes, that a wake-up settles if it leaves something
/// for the next one.
const LEAST_OF_A_FULL_FIRING: usize = 100;
const LEAST_BYTES_OF_A_FULL_FIRING: usize = 4_000_000;
/// With at least as many tasks of a lane that may fire, a wake-up may leave lapsed ones in the lane.
const ENOUGH_OF_A_LANE: usize = 1_000;

/// Returns the most bytes that a due entry may count for. Its record is read once, or twice if
/// other runs are skipped together with it. Such a run counts for 20,000 more, and any other
/// occurrence for at least 1,000.
fn most_bytes(due: &Due) -> usize {
    let record = due.waiting.record.len() + 100;
    if due.passed_over.is_empty() { record.max(1_000) + 500 } else { 2 * record + 20_500 }
}

/// `fires-in-order`: a wake-up fires exactly what is due, in envelopes that say so: the most urgent
/// first, and otherwise in the one total order. Updates the model. `dispatch-is-bounded`: the
/// dispatchers have no more tasks than they may; the others wait until some are reported.
/// `firings-are-bounded`: a firing with much work may leave the rest of its order to the next one,
/// which follows at once, or after the gap if nothing was fired. Returns by when it must follow.
pub(crate) fn firing(
    model: &mut Model,
    shard: usize,
    name: &str,
    storage: &Storage,
    effects: &Effects,
    now: UnixMillis,
    config: Config,
) -> Option<UnixMillis> {
    let (mut due, mut behind) = storage.due(model, now, storage.watermark_after(&effects.writes));
    let (before, dispatched) = (storage.dispatched(), storage.dispatched_with(&effects.writes));
    hold("dispatch-is-bounded", dispatched <= config.max_dispatched.max(before), || {
        format!("{dispatched} after {before}")
    });
    if only_releases(storage, effects) {
        let has_more = !behind.is_empty() && config.dispatch_room(dispatched) > 0;
        return has_more.then(|| now.plus(config.fire_gap_millis));
    }
    // A run that does not fire in the end takes room until that is known, so a wake-up may stop
    // before the room is used up. Then the next one follows at once.
    let for_dispatchers =
        || due.iter().filter(|due| !due.waiting.record.parse().goes_to_queue()).count();
    let is_used_up = !behind.is_empty() && config.dispatch_room(before + for_dispatchers()) == 0;
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
    leave_lapsed(storage, &mut due, effects);
    settle_skipped(model, shard, &mut due, &mut behind, (effects, keep), (storage, now));
    // Lapsed tasks of lanes are dropped first, in the order of each lane.
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
    let has_retry = |due: &&&Due| due.waiting.entry.is_some_and(|at| at.flags.has(Flags::RETRY));
    let again: BTreeSet<Firing> =
        fires.iter().filter(has_retry).map(|due| firing_due(due)).collect();
    let (keyed, fires): (Vec<&Due>, Vec<&Due>) = fires.into_iter().partition(|due| due.is_keyed);
    for waiting in fires.iter().map(|due| &due.waiting) {
        let queue = model.queue_of(waiting.record.firing());
        let destination =
            queue.map_or(Destination::Dispatch, |queue| Destination::Queue(queue.to_owned()));
        expected.entry(destination).or_default().push(waiting.record.to_vec());
    }
    let mut fired: BTreeMap<Destination, Vec<Vec<u8>>> = BTreeMap::new();
    let mut last = storage.outbox.last_key_value().map_or(EnvelopeSeq::default(), |(seq, _)| *seq);
    for write in &effects.writes {
        let Write::InsertEnvelope { seq, destination, text, hashes, sent_at, .. } = write else {
            continue;
        };
        let envelope =
            Envelope::parse(std::str::from_utf8(text).unwrap()).expect("an envelope can be parsed");
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
            let record =
                Record::parse(task.get().as_bytes()).expect("a fired record can be parsed");
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
            model.fire(firing, again.contains(&firing), now.get());
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
    (!behind.is_empty() && config.dispatch_room(dispatched) > 0).then_some(now)
}

/// `overload-is-used-up`: what has lapsed in a lane is dropped, unless the lane has more tasks that
/// may fire than a wake-up dispatches. Takes out of `due` what this wake-up leaves.
fn leave_lapsed(storage: &Storage, due: &mut Vec<Due>, effects: &Effects) {
    let mut may_fire = BTreeMap::<LaneNumber, usize>::new();
    for of in due.iter().filter(|of| of.fate == Fate::Fires) {
        *may_fire.entry(storage.lane_of(of.waiting.position.page)).or_default() += 1;
    }
    due.retain(|of| {
        let position = of.waiting.position;
        let lane = storage.lane_of(position.page);
        let has_lapsed = !matches!(of.fate, Fate::Fires | Fate::Waits(_));
        if lane == LaneNumber::MAIN || !has_lapsed || is_cancelled(effects, position) {
            return true;
        }
        let others = may_fire.get(&lane).copied().unwrap_or_default();
        hold("overload-is-used-up", others >= ENOUGH_OF_A_LANE, || {
            format!("{of:?} has lapsed, and is left with {others} others that may fire")
        });
        false
    });
}

/// Returns whether a wake-up only ends waits for another run or for a lane. What it releases fires
/// in the next one.
fn only_releases(storage: &Storage, effects: &Effects) -> bool {
    let adds = |write: &Write| matches!(write, Write::InsertPage { .. } | Write::ExtendPage { .. });
    let fires = |write: &Write| matches!(write, Write::InsertEnvelope { .. });
    if effects.writes.iter().any(fires)
        || !effects.writes.iter().any(adds)
        || storage.watermark_after(&effects.writes) != storage.watermark
    {
        return false;
    }
    let mut ended = storage.waiting();
    ended.retain(|waiting| waiting.entry.is_some() && is_cancelled(effects, waiting.position));
    let waits = |due| due == UnixMillis::HELD || due == UnixMillis::NO_LANE;
    !ended.is_empty() && ended.iter().all(|waiting| waits(waiting.position.due))
}

/// Returns whether a wake-up cancels the entry at this position.
fn is_cancelled(effects: &Effects, position: Position) -> bool {
    effects.writes.iter().any(|write| match write {
        Write::SetDead { page, bits } if page.get() == position.page => {
            let byte = bits.get(position.index as usize / 8).copied().unwrap_or_default();
            byte >> (position.index % 8) & 1 == 1
        }
        Write::DeletePage { page, .. } => page.get() == position.page,
        _ => false,
    })
}

/// `backlogs-are-bounded`: an occurrence with a key that neither fires nor waits is skipped,
/// together with the due ones after it, because the most runs of its task wait already. Those
/// `behind` what this wake-up settles are skipped with it, too. An occurrence that would have to
/// wait for its destination is skipped alone, whether it had a slot or not; then runs in flight and
/// further attempts before their time count as well.
fn settle_skipped(
    model: &Model,
    shard: usize,
    due: &mut Vec<Due>,
    behind: &mut Vec<Due>,
    (effects, keep): (&Effects, Keep),
    (storage, now): (&Storage, UnixMillis),
) {
    let (mut dispatched, mut stored) = (Vec::new(), Vec::new());
    for write in &effects.writes {
        match write {
            Write::InsertEnvelope { text, .. } => dispatched.push(text.as_slice()),
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
        if is_in(&dispatched, &of.waiting.record) {
            continue;
        }
        let id = record.id.to_string();
        let more = put_off.entry(id.clone()).or_default();
        let max_runs = model.room.max_runs;
        let going_on = model.going_on(&id) + *more;
        if is_in(&stored, &of.waiting.record) {
            // Runs that fire or lapse in this wake-up make room, or do not yet.
            let leave = due.iter().filter(|due| due.waiting.entry.is_some());
            let leave = leave.filter(|due| *due.waiting.record.facts().id == *id).count();
            let has_room = || *more < storage.backlog(&id, now).room(max_runs) + leave;
            hold("backlogs-are-bounded", going_on < MAX_CATCH_UP_RUNS || has_room(), || {
                format!("{:?} of {id} wait, and {more}, and one more", storage.backlog(&id, now))
            });
            *more += 1;
            continue;
        }
        let is_silent = model.is_silent(shard, firing_due(of));
        let backlog = storage.backlog(&id, storage.due_by(now));
        let is_full = is_silent && going_on >= MAX_CATCH_UP_RUNS || backlog.room(max_runs) <= *more;
        hold("backlogs-are-bounded", is_full, || {
            format!("{backlog:?} of {id} wait, and {more}, of {going_on}; {of:?} is skipped")
        });
        let time = record.time.unwrap();
        let is_alone =
            is_silent && (keep == Keep::Off || is_recorded_as_skipped(effects, &id, time));
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

/// `fires-in-order`: in each lane, the first due entries have fired, and occurrences that have not
/// fired wait in their lane. Removes the lanes from what has fired.
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
                    "a task with a key is outside of its lane".to_owned()
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
        format!("{} tasks of lanes fired although they were not due", of_lanes.len())
    });
}
