//! Admission of appends: checks idempotency keys, the memory of the isolate, and the shard's share
//! of a quota.

use super::Engine;
use crate::budget::FORGOTTEN_WITH_EACH_KEY;
use crate::checked::Checked;
use crate::effects::{Effects, Write};
use crate::error::EngineError;
use crate::idempotency::Done;
use crate::reader::Reader;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::access::Share;
use scheduler_model::bounds::{MAX_REMEMBERED_PER_SHARD, REMEMBER_MILLIS};
use scheduler_model::idempotency::{IdempotencyKey, period, periods};
use scheduler_model::protocol::{AppendReply, Terms};

/// The range of the waits that the shard advises, in seconds.
const ADVISED_SECONDS: std::ops::RangeInclusive<i64> = 1..=3_600;

impl Engine {
    /// Returns the stored answer if a request with this idempotency key was carried out before.
    ///
    /// # Errors
    /// Returns an error if the key belongs to another request, or if storage fails.
    pub(super) fn recall(
        &self,
        once: Option<&IdempotencyKey>,
        now: UnixMillis,
        reader: &dyn Reader,
    ) -> Result<Option<AppendReply>, EngineError> {
        let Some(once) = once else { return Ok(None) };
        let Some(bytes) = reader.remembered(&once.key, &periods(now))? else { return Ok(None) };
        let done: Done = serde_json::from_slice(&bytes)
            .map_err(|problem| EngineError::Corrupt(format!("a remembered key: {problem}")))?;
        if now.since(done.done) >= REMEMBER_MILLIS {
            return Ok(None);
        }
        if done.request != once.request {
            return Err(EngineError::KeyReused);
        }
        Ok(Some(AppendReply {
            created: done.created,
            replaced: done.replaced,
            went_on: done.went_on,
            done_before: Some(done.made),
            ..AppendReply::default()
        }))
    }

    /// Checks that the terms of a request admit it. `asked` is the number of tasks that the same
    /// commit has accepted so far.
    pub(super) fn allows(
        &mut self,
        terms: &Terms,
        asked: usize,
        request: &Checked,
        now: UnixMillis,
    ) -> Result<(), EngineError> {
        if terms.once.is_some() {
            let held: u64 = self.remembered.values().sum();
            if held >= MAX_REMEMBERED_PER_SHARD {
                return Err(EngineError::TooManyKeys);
            }
        }
        self.admits(terms.share, asked, request.tasks(), request.replaced(), now)
    }

    /// Checks that the memory of the isolate and the shard's share of a quota admit `new` tasks,
    /// `replaced` of which replace other tasks. `asked` is the number of tasks that the same commit
    /// has accepted so far.
    fn admits(
        &mut self,
        share: Option<Share>,
        asked: usize,
        new: usize,
        replaced: usize,
        now: UnixMillis,
    ) -> Result<(), EngineError> {
        if let Some(isolate) = self.isolate.filter(|isolate| isolate.is_full() && new > replaced) {
            return Err(EngineError::IsolateFull(isolate));
        }
        let Some(Share { pending_tasks, create_micros, of }) = share else { return Ok(()) };
        if let Some(share) = pending_tasks {
            let (waiting, dead) = (self.tasks.held() + asked, self.tasks.counts().dead_letters);
            let quota = of.pending_tasks.unwrap_or(share);
            // A replacement adds no task, so it is admitted even if the quota was lowered.
            let added = new.saturating_sub(replaced);
            if added as u64 > share {
                return Err(EngineError::LargerThanShare { quota, share, asked: added });
            }
            if added > 0 && (waiting + added) as u64 > share {
                let retry_after_seconds = self.advised_wait(now);
                return Err(EngineError::PendingQuota {
                    quota,
                    share,
                    waiting,
                    dead,
                    asked: added,
                    retry_after_seconds,
                });
            }
        }
        if create_micros.is_some() && new > 0 {
            let quota = of.creates_per_second.unwrap_or_default();
            self.state
                .used
                .admits(now)
                .map_err(|wait_millis| EngineError::RateQuota { quota, wait_millis })?;
        }
        Ok(())
    }

    /// Charges `runs` requested runs to a share of a quota, in addition to the tasks themselves.
    ///
    /// # Errors
    /// Returns an error if the share is used up. Then nothing has changed.
    pub(super) fn charge(
        &mut self,
        share: Option<Share>,
        runs: usize,
        now: UnixMillis,
    ) -> Result<(), EngineError> {
        if runs == 0 {
            return Ok(());
        }
        self.admits(share, 0, runs, 0, now)?;
        if let Some(micros) = share.and_then(|share| share.create_micros) {
            self.state.used = self.state.used.after(runs as u64, micros, now);
        }
        Ok(())
    }

    /// Returns the seconds until the next task is due, because its run makes room.
    fn advised_wait(&mut self, now: UnixMillis) -> u32 {
        let due = self.tasks.head().map_or(UnixMillis::NEVER, |position| position.due);
        let seconds = (due.since(now).saturating_add(999) / 1_000)
            .clamp(*ADVISED_SECONDS.start(), *ADVISED_SECONDS.end());
        u32::try_from(seconds).unwrap_or(1)
    }

    /// Records, after a request was accepted, what it has used of its quota, and stores the answer
    /// under its idempotency key.
    pub(super) fn settle(
        &mut self,
        terms: &Terms,
        reply: &AppendReply,
        now: UnixMillis,
        effects: &mut Effects,
    ) {
        if let Some(micros) = terms.share.and_then(|share| share.create_micros) {
            self.state.used = self.state.used.after(reply.created, micros, now);
        }
        let Some(once) = &terms.once else { return };
        let done = Done {
            done: now,
            request: once.request,
            made: once.made,
            created: reply.created,
            replaced: reply.replaced,
            went_on: reply.went_on,
        };
        let period = period(now);
        let Ok(value) = serde_json::to_vec(&done) else {
            return self.contradicts("an idempotency key cannot be encoded");
        };
        effects.writes.push(Write::Remember { period, key: once.key, value });
        *self.remembered.entry(period).or_default() += 1;
        self.forget_some(now, effects);
    }

    /// Deletes some keys of the oldest period if that period is over, so that no request can use
    /// them any more.
    fn forget_some(&mut self, now: UnixMillis, effects: &mut Effects) {
        let Some(mut oldest) = self.remembered.first_entry() else { return };
        if periods(now).contains(oldest.key()) || *oldest.key() > period(now) {
            return;
        }
        let count = FORGOTTEN_WITH_EACH_KEY.min(*oldest.get());
        effects.writes.push(Write::Forget { period: *oldest.key(), count });
        *oldest.get_mut() -= count;
        if *oldest.get() == 0 {
            oldest.remove();
        }
    }
}

#[cfg(test)]
#[path = "admission_tests.rs"]
mod tests;
