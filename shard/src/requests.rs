//! Answers the requests to a shard: [`scheduler_model::protocol`] over HTTP.

use crate::shell::Shell;
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::{Effects, EngineError, Gathering};
use scheduler_model::dead_letter::DeadLetterId;
use scheduler_model::forecast::Buckets;
use scheduler_model::protocol::{
    AmongRequest, Append, CancelMatchingRequest, CancelReply, CancelRequest, Change,
    ChangeMatchingRequest, ChangeReply, ChangeRequest, CountRequest, DeadLettersRequest,
    EventsRequest, GetRequest, ListItem, ListRequest, OutboxRequest, PurgeRequest, Report,
    RunRequest, RunsRequest, SeriesRequest, ShardError, ShardErrorKind, WatchReply, WatchRequest,
    paths,
};
use scheduler_platform::now;
use serde::Serialize;
use serde::de::DeserializeOwned;
use worker::{Request, Response, Result};

/// The watchdog counts a shard as overdue if its wake-up has been due for this long, in
/// milliseconds. After a failover, an alarm may be a minute late.
const OVERDUE_MILLIS: i64 = 65_000;

impl Shell {
    /// Answers a request. An error of the engine is an answer too, whose body is a [`ShardError`].
    ///
    /// # Errors
    /// Returns an error if the platform cannot read the request or create a response.
    pub async fn fetch(&self, mut request: Request) -> Result<Response> {
        let body = request.bytes().await?;
        let path = request.path();
        if path == paths::WATCH
            && let Some(reply) = self.watch_asleep(&body).await
        {
            return Response::from_json(&reply);
        }
        let outcome = match path.as_str() {
            paths::APPEND => self.answer_append(&body).await,
            paths::EVENTS => self.answer_events(&body).await,
            path => self.answer(path, &body),
        };
        // The alarm is also set after an error, which may have dropped the engine, because stored
        // tasks still need a wake-up. A failure to set it does not change the answer.
        self.arm().await;
        match outcome {
            Ok(answer) => Response::from_bytes(answer),
            Err(problem) => refuse(&problem),
        }
    }

    async fn answer_append(&self, body: &[u8]) -> Result<Vec<u8>, EngineError> {
        let append =
            Append::decode(body).map_err(|problem| EngineError::BadRequest(problem.to_string()))?;
        let commit = |gathering: Gathering, requests: usize| {
            let (replies, _) = self.input(|engine, now, sql| {
                engine.meter_mut().shard_requests += requests as u64;
                engine.append_all(gathering.into_requests(), now, sql)
            })?;
            Ok(replies)
        };
        written(&self.appends.append(append, commit).await?)
    }

    async fn answer_events(&self, body: &[u8]) -> Result<Vec<u8>, EngineError> {
        let request: EventsRequest = read(body)?;
        let mut requests = 1;
        let look = |request: &EventsRequest| {
            let (reply, _) = self.input(|engine, now, _| {
                // A request that waits and searches again counts once.
                engine.meter_mut().shard_requests += std::mem::take(&mut requests);
                Ok((engine.events(request, now), Effects::default()))
            })?;
            Ok(reply)
        };
        written(&self.readers.answer(&request, look).await?)
    }

    fn answer(&self, path: &str, body: &[u8]) -> Result<Vec<u8>, EngineError> {
        match path {
            paths::GET => {
                let request: GetRequest = read(body)?;
                self.reply(|engine, _, sql| Ok((engine.get(&request.id, sql)?, Effects::default())))
            }
            paths::EXPLAIN => {
                let request: GetRequest = read(body)?;
                self.reply(|engine, now, sql| {
                    Ok((engine.explain(&request.id, now, sql)?, Effects::default()))
                })
            }
            paths::CANCEL => {
                let AmongRequest::<CancelRequest> { among, by, request, .. } = read(body)?;
                let task = self.only_task(&request.ids);
                let (reply, _) = self.counted_input(|engine, now, sql| {
                    engine.cancel_by(&request, among, by.as_deref(), now, sql)
                })?;
                written(&CancelReply { task, ..reply })
            }
            paths::GO_ON => {
                let append = Append::decode(body)
                    .map_err(|problem| EngineError::BadRequest(problem.to_string()))?;
                let (reply, _) =
                    self.counted_input(|engine, now, sql| engine.go_on_here(append, now, sql))?;
                written(&reply?)
            }
            paths::LIST => {
                let request: ListRequest = read(body)?;
                self.reply(|engine, _, sql| Ok((engine.list(&request, sql)?, Effects::default())))
            }
            paths::LIST_FROM_THE_END => {
                let request: ListRequest = read(body)?;
                self.reply(|engine, _, sql| {
                    Ok((engine.list_from_the_end(&request, sql)?, Effects::default()))
                })
            }
            paths::CANCEL_MATCHING => {
                let CancelMatchingRequest { tasks, by } = read(body)?;
                self.reply(|engine, now, sql| {
                    engine.cancel_matching_by(&tasks, by.as_deref(), now, sql)
                })
            }
            paths::CHANGE => {
                let AmongRequest::<ChangeRequest> { among, share, request, .. } = read(body)?;
                let (reply, _) = self.counted_input(|engine, now, sql| {
                    engine.change_among(&request, among, share, now, sql)
                })?;
                // The task is read after the commit, which writes the rows that are read here.
                // Nothing else runs in between.
                written(&ChangeReply { task: self.only_task(&request.ids), ..reply })
            }
            paths::RUN => {
                let AmongRequest::<RunRequest> { among, share, request, .. } = read(body)?;
                let (reply, _) = self.counted_input(|engine, now, sql| {
                    engine.run_among(&request, among, share, now, sql)
                })?;
                written(&ChangeReply { task: self.only_task(&request.ids), ..reply })
            }
            paths::DEAD_LETTERS => {
                let request: ListRequest = read(body)?;
                self.reply(|engine, _, sql| {
                    Ok((engine.dead_letters(&request, sql)?, Effects::default()))
                })
            }
            paths::DEAD_LETTER => {
                let letter: DeadLetterId = read(body)?;
                self.reply(|engine, _, sql| {
                    Ok((engine.dead_letter(&letter, sql)?, Effects::default()))
                })
            }
            paths::REPLAY => {
                let request: DeadLettersRequest = read(body)?;
                self.reply(|engine, now, sql| engine.replay(&request, now, sql))
            }
            paths::DISCARD => {
                let request: DeadLettersRequest = read(body)?;
                self.reply(|engine, now, sql| engine.discard(&request, now, sql))
            }
            paths::CHANGE_MATCHING => {
                let ChangeMatchingRequest { tasks, change, share, pause } = read(body)?;
                self.reply(|engine, now, sql| match pause {
                    Some(pause) if change == Change::Pause => {
                        engine.pause_matching(&tasks, pause, now, sql)
                    }
                    _ => engine.change_matching(&tasks, change, share, now, sql),
                })
            }
            paths::COUNT => {
                let request: CountRequest = read(body)?;
                self.reply(|engine, now, sql| {
                    Ok((engine.count_matching(&request, now, sql)?, Effects::default()))
                })
            }
            paths::RUNS => {
                let request: RunsRequest = read(body)?;
                self.reply(|engine, now, sql| {
                    Ok((engine.runs(&request, now, sql)?, Effects::default()))
                })
            }
            paths::ERRORS => {
                let request: RunsRequest = read(body)?;
                self.reply(|engine, now, sql| {
                    Ok((engine.errors(&request, now, sql)?, Effects::default()))
                })
            }
            paths::REPORT => {
                let report: Report = read(body)?;
                self.reply(|engine, now, sql| Ok(((), engine.report(&report, now, sql)?)))
            }
            paths::OUTBOX => {
                let OutboxRequest { seq } = read(body)?;
                self.reply(|_, _, sql| Ok((sql.has_envelope(seq)?, Effects::default())))
            }
            paths::STATS => {
                self.reply(|engine, now, _| Ok((engine.stats(now), Effects::default())))
            }
            paths::SERIES => {
                let request: SeriesRequest = read(body)?;
                self.reply(|engine, now, _| Ok((engine.series(&request, now), Effects::default())))
            }
            paths::FORECAST => {
                let buckets: Buckets = read(body)?;
                self.reply(|engine, _, _| Ok((engine.forecast(&buckets)?, Effects::default())))
            }
            paths::PURGE => {
                let seen: Option<PurgeRequest> = read(body)?;
                self.reply(|engine, _, _| Ok(engine.purge_as_seen(seen)))
            }
            paths::WATCH => self.watch(),
            other => Err(EngineError::BadRequest(format!("a shard has no {other}"))),
        }
    }

    fn reply<T: Serialize>(
        &self,
        call: impl FnOnce(
            &mut scheduler_engine::Engine,
            UnixMillis,
            &crate::storage::Sql,
        ) -> Result<(T, Effects), EngineError>,
    ) -> Result<Vec<u8>, EngineError> {
        let (reply, _) = self.counted_input(call)?;
        written(&reply)
    }

    /// Returns the task of a request that names one id. A failure to read the task does not undo
    /// the change.
    fn only_task(&self, ids: &[String]) -> Option<ListItem> {
        let [id] = ids else { return None };
        let task = self.input(|engine, _, sql| Ok((engine.get(id, sql)?, Effects::default())));
        task.ok().and_then(|(task, _)| task)
    }

    fn counted_input<T>(
        &self,
        call: impl FnOnce(
            &mut scheduler_engine::Engine,
            UnixMillis,
            &crate::storage::Sql,
        ) -> Result<(T, Effects), EngineError>,
    ) -> Result<(T, Effects), EngineError> {
        self.input(|engine, now, sql| {
            engine.meter_mut().shard_requests += 1;
            call(engine, now, sql)
        })
    }

    /// Answers the watchdog without loading the shard, if its alarm lies ahead. The platform keeps
    /// such an alarm, and the shard sets it in the commit that needs it.
    async fn watch_asleep(&self, body: &[u8]) -> Option<WatchReply> {
        let request: Option<WatchRequest> = serde_json::from_slice(body).ok()?;
        if self.is_loaded() || request?.in_full {
            return None;
        }
        let at = self.stored_alarm().await.filter(|at| *at > now())?;
        Some(WatchReply { next_wakeup: Some(at), repaired: false })
    }

    /// Returns the time at which the shard must be woken. A shard that is overdue has lost its
    /// alarm, so this forgets the recorded time, and [`Shell::arm`] sets the alarm again.
    fn watch(&self) -> Result<Vec<u8>, EngineError> {
        let was_loaded = self.is_loaded();
        self.reply(|engine, now, _| {
            let next_wakeup = engine.next_wakeup();
            let repaired = next_wakeup.is_some_and(|at| is_overdue(at, now, was_loaded));
            if repaired {
                engine.count_repair();
                self.forget_alarm();
            }
            Ok((WatchReply { next_wakeup, repaired }, Effects::default()))
        })
    }
}

/// Returns whether a shard that wants to be woken at `at` has lost its alarm. An engine that was not
/// in memory before may want to be woken at once, at [`UnixMillis::ZERO`], for work that it found
/// while it loaded. No alarm was lost then.
fn is_overdue(at: UnixMillis, now: UnixMillis, was_loaded: bool) -> bool {
    now.since(at) > OVERDUE_MILLIS && (was_loaded || at != UnixMillis::ZERO)
}

fn written<T: Serialize>(reply: &T) -> Result<Vec<u8>, EngineError> {
    serde_json::to_vec(reply)
        .map_err(|problem| EngineError::BadRequest(format!("the answer: {problem}")))
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, EngineError> {
    serde_json::from_slice(body).map_err(|problem| EngineError::BadRequest(problem.to_string()))
}

fn refuse(problem: &EngineError) -> Result<Response> {
    let (status, kind) = match problem {
        EngineError::Full { .. }
        | EngineError::IsolateFull { .. }
        | EngineError::TooManySchedules { .. }
        | EngineError::TooManyLanes { .. }
        | EngineError::TooManyKeys => (507, ShardErrorKind::Full),
        EngineError::PendingQuota { .. }
        | EngineError::LargerThanShare { .. }
        | EngineError::RateQuota { .. } => (429, ShardErrorKind::Quota),
        EngineError::TooManyReaders => (429, ShardErrorKind::Readers),
        EngineError::KeyReused => (409, ShardErrorKind::KeyReused),
        EngineError::BadRequest(_) => (400, ShardErrorKind::Request),
        EngineError::Conflict(_) => (412, ShardErrorKind::Conflict),
        EngineError::WouldEnd => (409, ShardErrorKind::NotApplicable),
        EngineError::Unfinished => (503, ShardErrorKind::Unfinished),
        EngineError::Storage(_) | EngineError::Corrupt(_) | EngineError::Contradiction(_) => {
            worker::console_error!("{}: {problem}", now());
            (500, ShardErrorKind::Storage)
        }
    };
    let error = ShardError {
        kind,
        detail: problem.to_string(),
        retry_after_seconds: problem.retry_after_seconds(),
    };
    Ok(Response::from_json(&error)?.with_status(status))
}

#[cfg(test)]
mod tests {
    use super::{OVERDUE_MILLIS, is_overdue};
    use scheduler_calendar::time::UnixMillis;

    #[test]
    fn a_shard_that_the_watchdog_has_loaded_may_want_to_be_woken_at_once() {
        let now = UnixMillis::new(1_000_000);
        let late = now.plus(-OVERDUE_MILLIS);
        for (at, was_loaded, expected) in [
            (UnixMillis::ZERO, false, false),
            (UnixMillis::ZERO, true, true),
            (late, false, false),
            (late.plus(-1), false, true),
            (late.plus(-1), true, true),
        ] {
            assert_eq!(is_overdue(at, now, was_loaded), expected, "{at}, {was_loaded}");
        }
    }
}
