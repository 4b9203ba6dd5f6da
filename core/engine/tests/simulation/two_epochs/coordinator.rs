//! The coordinator of the cases of two epochs. It sends what [`scheduler_model::epochs`] decides,
//! and loses some of it.

use super::place::load;
use super::{Asked, Case, Reply, append_of};
use crate::invariants::violated;
use crate::storage::Storage;
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::{Effects, Engine, EngineError};
use scheduler_model::batch::ShardAppend;
use scheduler_model::epochs::{
    Best, CancelledId, ChangedId, GoingOn, Means, Search, is_sent_once, others,
};
use scheduler_model::protocol::{
    Among, Append, CancelRequest, Change, ChangeRequest, Expected, ListItem, Status,
};
use scheduler_model::routing::ShardId;
use scheduler_model::task::{Record, version_of};
use std::borrow::Cow;
use std::collections::VecDeque;

/// The wait before a second try, in milliseconds. It doubles before each further try.
const FIRST_WAIT: i64 = 50;
/// The most lost tries before one succeeds.
const MOST_LOST: u64 = 3;

impl Case {
    /// Sends a request to a shard as the coordinator does: another try follows a try without an
    /// answer. Returns whether there was one.
    pub(super) fn send<T>(
        &mut self,
        shard: ShardId,
        most: u64,
        mut call: impl FnMut(
            &mut Engine,
            UnixMillis,
            &Storage,
            bool,
        ) -> Result<(T, Effects), EngineError>,
    ) -> Result<(T, bool), Reply> {
        let lost = if most > 0 && self.lost.is_none() && self.random.chance(300) {
            1 + self.random.below(most)
        } else {
            0
        };
        let (mut is_first, mut is_done, mut wait) = (true, false, FIRST_WAIT);
        for at in 0..=lost.max(self.lost.as_ref().map_or(0, |lost| lost.len() as u64)) {
            let drawn = if at < lost { Some(self.random.chance(600)) } else { None };
            let loses = self.lost.as_mut().map_or(drawn, |lost| lost.pop_front().flatten());
            self.trace(|| format!("{shard}: first {is_first}, loses {loses:?}"));
            self.counts.second_tries += u64::from(!is_first);
            self.counts.repeated += u64::from(!is_first && is_done);
            if loses != Some(false) {
                let place = self.shards.get_mut(&shard).expect("a shard of the map");
                let answer = call(&mut place.engine, self.now, &place.storage, is_first);
                let answer = answer.map(|(answer, effects)| (answer, place.commit(effects)));
                if answer.as_ref().is_ok_and(|(_, writes)| *writes) {
                    is_done = true;
                    self.act(!is_first);
                }
                if loses.is_none() {
                    return match answer {
                        Ok((answer, _)) => Ok((answer, !is_first)),
                        Err(EngineError::Conflict(_)) => {
                            Err(if is_first { Reply::Refused } else { Reply::Unknown })
                        }
                        Err(problem) => violated("no-unexpected-errors", problem.to_string()),
                    };
                }
            }
            if most == 0 {
                return Err(Reply::Unknown);
            }
            is_first = false;
            self.now = self.now.plus(wait);
            wait *= 2;
            if self.random.chance(200) {
                let place = self.shards.get_mut(&shard).expect("a shard of the map");
                place.engine = load(&place.storage);
            }
            if self.fires_between {
                self.fire();
            }
        }
        Err(Reply::Unknown)
    }

    pub(super) fn cancel(&mut self, ids: &[String]) -> Reply {
        self.trace(|| format!("cancel {ids:?}"));
        let mut search: Search<CancelledId> = Search::new(&self.map, ids, Means::Everything);
        while let Some((among, by_shard)) = search.next_round() {
            for (shard, places) in by_shard {
                let request = CancelRequest {
                    ids: places.iter().map(|at| ids[*at].clone()).collect(),
                    if_match: None,
                };
                let sent = self.send(shard, MOST_LOST, |engine, now, storage, first| {
                    engine.cancel_among(
                        &request,
                        if first { among } else { among.again() },
                        now,
                        storage,
                    )
                });
                let (reply, is_repeat) = match sent {
                    Ok(answer) => answer,
                    Err(reply) => return reply,
                };
                let outcomes = reply
                    .outcomes
                    .iter()
                    .map(|outcome| CancelledId { outcome: *outcome, is_running: false })
                    .collect();
                search.answered(places, outcomes, is_repeat);
            }
        }
        let (outcomes, is_repeat) = search.finish();
        if is_repeat {
            Reply::Unknown
        } else {
            Reply::Cancelled(outcomes.into_iter().map(|of| of.outcome).collect())
        }
    }

    pub(super) fn change(&mut self, ids: &[String], change: Change) -> Reply {
        self.trace(|| format!("{change:?} {ids:?}"));
        let means = Means::of(change);
        self.fires_between = means == Means::OneThing && ids.iter().all(|id| self.is_one_thing(id));
        let mut search: Search<ChangedId> = Search::new(&self.map, ids, means);
        while let Some((among, by_shard)) = search.next_round() {
            // If one of several requests that are sent once is lost, nobody knows what was done.
            let most = if is_sent_once(change, among) { 0 } else { MOST_LOST };
            let loses = most == 0 && by_shard.len() == 1 && self.random.chance(100);
            for (shard, places) in by_shard {
                let request = ChangeRequest {
                    ids: places.iter().map(|at| ids[*at].clone()).collect(),
                    change,
                    if_match: None,
                };
                if loses && self.lost.is_none() {
                    self.lost = Some(VecDeque::from([Some(self.random.chance(500))]));
                }
                let sent = self.send(shard, most, |engine, now, storage, first| {
                    engine.change_among(
                        &request,
                        if first { among } else { among.again() },
                        None,
                        now,
                        storage,
                    )
                });
                if loses {
                    self.lost = None;
                }
                let (reply, is_repeat) = match sent {
                    Ok(answer) => answer,
                    Err(reply) => return reply,
                };
                let outcomes = reply
                    .outcomes
                    .iter()
                    .map(|outcome| ChangedId { outcome: *outcome, is_running: false })
                    .collect();
                search.answered(places, outcomes, is_repeat);
            }
        }
        let (outcomes, is_repeat) = search.finish();
        if is_repeat {
            Reply::Unknown
        } else {
            Reply::Changed(outcomes.into_iter().map(|of| of.outcome).collect())
        }
    }

    /// Sends a `PUT`.
    pub(super) fn put(&mut self, id: &str, append: &Append) -> Reply {
        self.trace(|| format!("put {:?}", self.versions.last()));
        let part = Append::decode(&append.encode()).unwrap();
        let mut parts = [ShardAppend {
            shard: self.map.home(id),
            append: part,
            items: vec![0],
            first_due: self.now,
        }];
        let mut going_on = GoingOn::new(&self.map, &parts);
        self.fires_between = true;
        while let Some((shard, append)) = going_on.next_ask() {
            let sent = self.send(shard, MOST_LOST, |engine, now, storage, _| {
                let (reply, effects) =
                    engine.go_on_here(Append::decode(&append.encode()).unwrap(), now, storage)?;
                Ok((reply?, effects))
            });
            match sent {
                Ok((reply, is_repeat)) => going_on.answered(reply.went_on, is_repeat),
                Err(reply) => return reply,
            }
        }
        let lives_on = going_on.finish(&mut parts).get(id).copied();
        // A task that is about to be removed from another epoch may not fire in the meantime on the
        // twin.
        self.fires_between = false;
        self.counts.went_on += u64::from(lives_on.is_some());
        let [ShardAppend { shard, append: mut part, .. }] = parts;
        if let Some(Asked::Append(of_twin)) = &mut self.asked {
            of_twin.terms.again = part.terms.again;
        }
        if lives_on.is_none() {
            let sent = self.send(shard, MOST_LOST, |engine, now, storage, first| {
                part.begin_try(first);
                engine.append(Append::decode(&part.encode()).unwrap(), now, storage)
            });
            if let Err(reply) = sent {
                return reply;
            }
        }
        for (shard, ids) in others(&self.map, std::iter::once((id, lives_on))) {
            let request = CancelRequest { ids, if_match: None };
            let sent = self.send(shard, MOST_LOST, |engine, now, storage, _| {
                engine.cancel_among(&request, Among::Live, now, storage)
            });
            if let Err(reply) = sent {
                return reply;
            }
        }
        Reply::Done
    }

    pub(super) fn find(&mut self, id: &str) -> Option<(ShardId, ListItem)> {
        let mut best = Best::default();
        for shard in self.map.homes(id) {
            let place = &self.shards[&shard];
            if best.answered(shard, place.engine.get(id, &place.storage).unwrap()) {
                break;
            }
        }
        best.finish()
    }

    /// Sends a `PATCH` of the description.
    pub(super) fn patch(&mut self, id: &str) -> Option<Reply> {
        let (shard, item) = self.find(id)?;
        let is_task = item.status == Status::Scheduled && !item.is_attempt;
        if !is_task {
            return None;
        }
        let stored = Record::parse(item.record.get().as_bytes()).unwrap();
        let description = format!("patched at {}", self.now);
        let mut text = Vec::new();
        Record {
            description: Some(Cow::Borrowed(&description)),
            first_run: None,
            ..stored.clone()
        }
        .write(&mut text);
        let mut append = append_of(id, &text);
        append.expected = Some(Expected::Version(version_of(item.record.get().as_bytes())));
        append.terms.tasks_only = true;
        self.asked = Some(Asked::Append(Box::new(Append::decode(&append.encode()).unwrap())));
        self.fires_between = true;
        let sent = self.send(shard, MOST_LOST, |engine, now, storage, first| {
            append.begin_try(first);
            engine.append(Append::decode(&append.encode()).unwrap(), now, storage)
        });
        Some(match sent {
            Ok(_) => Reply::Done,
            Err(reply) => reply,
        })
    }
}
