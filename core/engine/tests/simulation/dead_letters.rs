//! Clients that list, replay and discard dead letters by their own ids, and that request runs with
//! another payload.
//!
//! The subject of a request is drawn when it is carried out, from a number that was drawn when it
//! was planned.

use crate::invariants::{key_of, violated};
use crate::model::{Firing, Model, What};
use crate::operations::{Answer, is_more_than_a_scan};
use crate::random::Random;
use crate::storage::Waiting;
use crate::world::{Dropped, World};
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::Effects;
use scheduler_model::dead_letter::DeadLetterId;
use scheduler_model::protocol::{
    Among, Change, Changed, ChangedLetter, DeadLettersRequest, Filter, LetterOutcome, ListRequest,
    RunRequest, Status,
};
use scheduler_model::task::Record;
use std::collections::{BTreeMap, BTreeSet};

/// What clients have done to dead letters.
#[derive(Debug, Default)]
pub(crate) struct Letters {
    /// The payloads that runs of each version may have in addition to its own.
    payloads: BTreeMap<u64, BTreeSet<String>>,
    pub(crate) replayed: u64,
    pub(crate) discarded: u64,
    /// The number of runs with a payload of their own.
    pub(crate) with_payload: u64,
}

/// Does something to the dead letters of a shard, or runs one of its tasks with another payload.
pub(crate) fn look_after(world: &mut World, at: usize, draw: u64) -> Result<Answer, Dropped> {
    let mut random = Random::new(draw);
    match random.below(5) {
        0 => list(world, at, &mut random),
        1 | 2 => replay(world, at, &mut random),
        3 => discard(world, at, &mut random),
        _ => run_with_payload(world, at, &mut random),
    }
}

fn died(waiting: &Waiting) -> UnixMillis {
    waiting.record.parse().failed_at.expect("a dead letter has failed")
}

fn id_of(waiting: &Waiting) -> DeadLetterId {
    DeadLetterId::of(&waiting.record.parse())
}

/// Returns the dead letters of a shard by the reference.
fn stored(world: &World, at: usize) -> Vec<Waiting> {
    let mut letters = world.shards[at].storage.waiting();
    letters.retain(|waiting| key_of(waiting).1 == What::Dead);
    letters
}

/// `dead-letters-are-in-order`: dead letters are ordered by the time of death, and each has an id
/// of its own.
pub(crate) fn are_in_order(waiting: &[Waiting]) {
    let mut ids = BTreeSet::new();
    for waiting in waiting.iter().filter(|waiting| key_of(waiting).1 == What::Dead) {
        let (due, died) = (waiting.position.due, died(waiting));
        let is_new = ids.insert(id_of(waiting).to_string());
        if due != died.as_death() || due.death() != Some(died) || !is_new {
            violated("dead-letters-are-in-order", format!("died at {died}: {waiting:?}"));
        }
    }
}

/// Lists the dead letters that died between two times, newest first.
fn list(world: &mut World, at: usize, random: &mut Random) -> Result<Answer, Dropped> {
    let mut letters = stored(world, at);
    let some = |random: &mut Random, letters: &[Waiting]| {
        let is_given = !letters.is_empty() && random.chance(400);
        is_given.then(|| died(random.pick(letters)).plus(random.range(-1, 1)))
    };
    let (from, to) = (some(random, &letters), some(random, &letters));
    let prefix = random.chance(200).then(|| "na".to_owned());
    let limit = *random.pick(&[1, 2, 7, 1_000]);
    letters.retain(|letter| {
        from.is_none_or(|from| died(letter) >= from)
            && to.is_none_or(|to| died(letter) < to)
            && prefix
                .as_ref()
                .is_none_or(|prefix| letter.record.facts().id.starts_with(prefix.as_str()))
    });
    let filter = Filter { from, to, prefix, ..Filter::default() };
    let (mut shown, mut after) = (Vec::new(), None);
    loop {
        let request = ListRequest { filter: filter.clone(), after, limit, max_bytes: None };
        let reply = world.input(
            at,
            false,
            |engine, _, storage| Ok((engine.dead_letters(&request, storage)?, Effects::default())),
            |_, _, _| {},
        )?;
        let goes_on = reply.next.is_none() || reply.next > after;
        if reply.items.len() > limit
            || !goes_on
            || reply.items.iter().any(|item| item.status != Status::Dead)
        {
            violated("dead-letters-are-in-order", format!("{reply:?} after {after:?}"));
        }
        shown.extend(reply.items.into_iter().map(|item| item.record.get().to_owned()));
        after = reply.next;
        if after.is_none() {
            break;
        }
    }
    let failed_at = |text: &String| Record::parse(text.as_bytes()).unwrap().failed_at;
    let is_sorted = shown.iter().map(failed_at).is_sorted_by(|newer, older| newer >= older);
    let text = |waiting: &Waiting| String::from_utf8_lossy(&waiting.record).into_owned();
    let mut expected: Vec<String> = letters.iter().map(text).collect();
    let mut found = shown.clone();
    expected.sort_unstable();
    found.sort_unstable();
    if !is_sorted || found != expected {
        violated(
            "dead-letters-are-in-order",
            format!("{filter:?} by {limit} shows\n{shown:?}\ninstead of\n{expected:?}"),
        );
    }
    Ok(Answer::Shown)
}

/// Returns some of the dead letters of a shard, and an id without a dead letter.
fn drawn(world: &World, at: usize, random: &mut Random) -> Vec<(DeadLetterId, Option<Waiting>)> {
    let letters = stored(world, at);
    let mut drawn: Vec<(DeadLetterId, Option<Waiting>)> = Vec::new();
    for _ in 0..random.below(5).min(letters.len() as u64) {
        let letter = random.pick(&letters).clone();
        let id = id_of(&letter);
        if drawn.iter().all(|(other, _)| *other != id) {
            drawn.push((id, Some(letter)));
        }
    }
    if let Some(letter) = letters.first().filter(|_| random.chance(200)) {
        let id = id_of(letter);
        let gone = DeadLetterId { failed_at: id.failed_at.plus(-100_000), ..id };
        let at = random.below(drawn.len() as u64 + 1) as usize;
        drawn.insert(at, (gone, None));
    }
    drawn
}

/// Checks the outcomes of a request for these dead letters.
fn check(outcomes: &[LetterOutcome], drawn: &[(DeadLetterId, Option<Waiting>)], is_large: bool) {
    let outcome_of = |letter: &Option<Waiting>| match letter {
        Some(_) => LetterOutcome::Done,
        None => LetterOutcome::NotFound,
    };
    let expected: Vec<LetterOutcome> = drawn.iter().map(|(_, of)| outcome_of(of)).collect();
    let is_part = is_large && !outcomes.is_empty() && expected.starts_with(outcomes);
    if outcomes != expected && !is_part {
        violated("letters-answer", format!("{outcomes:?} for {drawn:?}"));
    }
}

fn replay(world: &mut World, at: usize, random: &mut Random) -> Result<Answer, Dropped> {
    let drawn = drawn(world, at, random);
    // A payload begins with the number of its version, so only one dead letter gets another one.
    let changed = match drawn.as_slice() {
        [(_, Some(letter))] if random.chance(700) => {
            let record = letter.record.parse();
            Some(ChangedLetter {
                callback: record.callback.get().to_owned(),
                payload: Some(payload_of(letter, random)),
            })
        }
        _ => None,
    };
    let letters = drawn.iter().map(|(id, _)| id.clone()).collect();
    let request = DeadLettersRequest { letters, changed };
    let is_large = is_more_than_a_scan(world, at);
    world.input(
        at,
        false,
        |engine, now, storage| engine.replay(&request, now, storage),
        |world, reply, _| {
            check(&reply.outcomes, &drawn, is_large);
            for (_, letter) in drawn.iter().take(reply.outcomes.len()) {
                let Some(letter) = letter else { continue };
                let step = crate::changes::step(world, letter, Change::Run)
                    .expect("a dead letter can be replayed");
                world.model.step(&step);
                world.model.letters.replayed += 1;
                let firing = letter.record.firing();
                let payload = request.changed.as_ref().and_then(|changed| changed.payload.clone());
                if let Some(payload) = payload {
                    has_payload(world, at, firing, &payload);
                    world.model.letters.allow(firing.version, payload);
                }
            }
            let is_shown = reply.item.is_some();
            if is_shown != (reply.outcomes == [LetterOutcome::Done] && request.letters.len() == 1) {
                violated("letters-answer", format!("{reply:?} for {request:?}"));
            }
        },
    )?;
    Ok(Answer::Shown)
}

fn discard(world: &mut World, at: usize, random: &mut Random) -> Result<Answer, Dropped> {
    let drawn = drawn(world, at, random);
    let letters = drawn.iter().map(|(id, _)| id.clone()).collect();
    let request = DeadLettersRequest { letters, changed: None };
    for (id, letter) in &drawn {
        let shown = world.input(
            at,
            false,
            |engine, _, storage| Ok((engine.dead_letter(id, storage)?, Effects::default())),
            |_, _, _| {},
        )?;
        let record = shown.map(|item| item.record.get().as_bytes().to_vec());
        if record != letter.as_ref().map(|letter| letter.record.to_vec()) {
            violated("letters-answer", format!("{record:?} for {id}, expected {letter:?}"));
        }
    }
    let is_large = is_more_than_a_scan(world, at);
    world.input(
        at,
        false,
        |engine, now, storage| engine.discard(&request, now, storage),
        |world, reply, _| {
            check(&reply.outcomes, &drawn, is_large);
            for (_, letter) in drawn.iter().take(reply.outcomes.len()) {
                let Some(letter) = letter else { continue };
                world.model.cancel_one(key_of(letter));
                world.model.letters.discarded += 1;
            }
        },
    )?;
    Ok(Answer::Shown)
}

/// Returns another payload of the same version.
fn payload_of(waiting: &Waiting, random: &mut Random) -> String {
    let version = waiting.record.firing().version;
    format!(r#"{{"n":{version},"other":{}}}"#, random.below(1_000))
}

/// Runs a waiting task, which is the only one with its id, with another payload.
fn run_with_payload(world: &mut World, at: usize, random: &mut Random) -> Result<Answer, Dropped> {
    let waiting = world.shards[at].storage.waiting();
    if waiting.is_empty() {
        return Ok(Answer::Shown);
    }
    let chosen = random.pick(&waiting).clone();
    let id = chosen.record.facts().id.to_string();
    let is_only = waiting.iter().filter(|other| *other.record.facts().id == *id).count() == 1;
    if !is_only || !world.model.in_flight_of(&id).is_empty() {
        return Ok(Answer::Shown);
    }
    let payload = payload_of(&chosen, random);
    let request = RunRequest { ids: vec![id], if_match: None, payload: payload.clone() };
    let schedules = world.shards[at].storage.schedules.clone();
    world.input(
        at,
        false,
        |engine, now, storage| engine.run_among(&request, Among::All, None, now, storage),
        |world, reply, _| {
            let step = crate::changes::step_with_payload(world, &chosen);
            let expected = step.err().unwrap_or(Changed::Changed);
            if reply.outcomes != [expected] {
                violated("change-answers", format!("{reply:?} for {chosen:?}, not {expected:?}"));
            }
            let Ok(step) = step else { return };
            world.model.step(&step);
            world.model.letters.with_payload += 1;
            let put = step.put.expect("a run waits").0;
            has_payload(world, at, put, &payload);
            let stored = &world.shards[at].storage.schedules;
            if schedules.len() != stored.len()
                || schedules.iter().any(|(number, row)| stored[number].record != row.record)
            {
                violated("payload-of-one-run", format!("{chosen:?} has changed"));
            }
            world.model.letters.allow(put.version, payload.clone());
        },
    )?;
    Ok(Answer::Shown)
}

/// `payload-of-one-run`: the requested run has the payload of the request.
fn has_payload(world: &World, at: usize, firing: Firing, payload: &str) {
    let waiting = world.shards[at].storage.waiting();
    let is_it = |waiting: &Waiting| {
        let (stored, record) = (waiting.record.firing(), waiting.record.parse());
        let is_of_run = (stored.version, stored.time, stored.stage)
            == (firing.version, firing.time, firing.stage);
        is_of_run
            && key_of(waiting).1 != What::Dead
            && record.payload.is_some_and(|of| of.get() == payload)
    };
    if !waiting.iter().any(is_it) {
        violated("payload-of-one-run", format!("{firing:?} does not wait with {payload}"));
    }
}

impl Letters {
    fn allow(&mut self, version: u64, payload: String) {
        self.payloads.entry(version).or_default().insert(payload);
    }
}

impl Model {
    /// Returns a record in which the payload of a single run is replaced by that of its version.
    pub(crate) fn with_own_payload(
        &self,
        firing: Firing,
        record: &Record<'_>,
        text: &str,
    ) -> String {
        let version = Record::parse(&self.version(firing.version).record).unwrap();
        let (own, has) = (version.payload.unwrap().get(), record.payload.unwrap().get());
        if own == has {
            return text.to_owned();
        }
        let is_allowed =
            self.letters.payloads.get(&firing.version).is_some_and(|given| given.contains(has));
        if !is_allowed {
            violated("payload-of-one-run", format!("{firing:?} has the payload {has}"));
        }
        text.replacen(&format!("\"payload\":{has}"), &format!("\"payload\":{own}"), 1)
    }
}
