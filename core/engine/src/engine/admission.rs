//! The terms of an append: that it is done once, and that it keeps within the shard's share of a quota.

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
use scheduler_model::idempotency::{Once, period, periods};
use scheduler_model::protocol::{AppendReply, Terms};

/// The wait that is advised where nothing on the shard will make room by itself, seconds; and the longest that is advised at
/// all.
const ADVISED_SECONDS: std::ops::RangeInclusive<i64> = 1..=3_600;

impl Engine {
    /// The answer to a request that was carried out before; `None` for one that was not.
    ///
    /// # Errors
    /// When the key stands for another request; or when storage fails.
    pub(super) fn recall(
        &self,
        once: Option<&Once>,
        now: UnixMillis,
        reader: &dyn Reader,
    ) -> Result<Option<AppendReply>, EngineError> {
        let Some(once) = once else { return Ok(None) };
        let Some(bytes) = reader.remembered(&once.key, &periods(now))? else { return Ok(None) };
        let done: Done =
            serde_json::from_slice(&bytes).map_err(|problem| EngineError::Corrupt(format!("a remembered key: {problem}")))?;
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

    /// That a request may be carried out on its terms, when `asked` more tasks were taken in before it in the same commit.
    pub(super) fn allows(&mut self, terms: &Terms, asked: usize, request: &Checked, now: UnixMillis) -> Result<(), EngineError> {
        if terms.once.is_some() {
            let held: u64 = self.remembered.values().sum();
            if held >= MAX_REMEMBERED_PER_SHARD {
                return Err(EngineError::TooManyKeys);
            }
        }
        self.admits(terms.share, asked, request.tasks(), request.replaced(), now)
    }

    /// That the isolate's memory and a share of a quota admit `new` tasks, of which some replace others, when `asked` more were taken in before
    /// them in the same commit.
    fn admits(
        &mut self,
        share: Option<Share>,
        asked: usize,
        new: usize,
        replaced: usize,
        now: UnixMillis,
    ) -> Result<(), EngineError> {
        if let Some((held, limit)) = self.isolate.filter(|(held, limit)| held >= limit && new > replaced) {
            return Err(EngineError::IsolateFull { held, limit });
        }
        let Some(Share { pending_tasks, create_micros }) = share else { return Ok(()) };
        if let Some(share) = pending_tasks {
            let (waiting, dead) = (self.tasks.held() + asked, self.tasks.counts().dead_letters);
            // What is replaced makes room; one may always replace, also when the quota was lowered.
            if new > replaced && (waiting + new - replaced) as u64 > share {
                let retry_after_seconds = self.advised_wait(now);
                return Err(EngineError::PendingQuota { share, waiting, dead, asked: new, retry_after_seconds });
            }
        }
        if create_micros.is_some() && new > 0 {
            self.state.used.admits(now).map_err(|wait_millis| EngineError::RateQuota { wait_millis })?;
        }
        Ok(())
    }

    /// Charges runs that are asked for, beside the tasks that they are of, to a share of a quota.
    ///
    /// # Errors
    /// When the share is used up; then nothing has changed.
    pub(super) fn charge(&mut self, share: Option<Share>, runs: usize, now: UnixMillis) -> Result<(), EngineError> {
        if runs == 0 {
            return Ok(());
        }
        self.admits(share, 0, runs, 0, now)?;
        if let Some(micros) = share.and_then(|share| share.create_micros) {
            self.state.used = self.state.used.after(runs as u64, micros, now);
        }
        Ok(())
    }

    /// Seconds until the next task is due, which makes room.
    fn advised_wait(&mut self, now: UnixMillis) -> u32 {
        let due = self.tasks.head().map_or(UnixMillis::NEVER, |position| position.due);
        let seconds = (due.since(now).saturating_add(999) / 1_000).clamp(*ADVISED_SECONDS.start(), *ADVISED_SECONDS.end());
        u32::try_from(seconds).unwrap_or(1)
    }

    /// After a request was taken in: what it has used up, and that it is done.
    pub(super) fn settle(&mut self, terms: &Terms, reply: &AppendReply, now: UnixMillis, effects: &mut Effects) {
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
        // This type serialises without fail.
        let value = serde_json::to_vec(&done).unwrap_or_default();
        effects.writes.push(Write::Remember { period, key: once.key, value });
        *self.remembered.entry(period).or_default() += 1;
        self.forget_some(now, effects);
    }

    /// Forgets keys of the oldest period, once none of them can be asked for.
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
