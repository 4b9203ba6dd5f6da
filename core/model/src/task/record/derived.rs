//! What follows from the fields of a record.

use super::{Record, when};
use crate::ids::OccurrenceKey;
use crate::input::Text;
use crate::routing::id_hash;
use crate::schedule::{Policies, ScheduleFields};
use crate::task::{Callback, DEFAULT_PRIORITY, MAX_PRIORITY};
use scheduler_calendar::local_time::Law;
use scheduler_calendar::time::UnixMillis;
use serde::Deserialize;
use std::borrow::Cow;

impl<'a> Record<'a> {
    /// Returns the fields that say when it recurs, and how it is put off.
    pub fn schedule(&self) -> ScheduleFields<'_> {
        ScheduleFields {
            cron: self.cron,
            timezone: self.timezone.as_deref().map(Cow::Borrowed),
            local: self.local,
            every_seconds: self.every_seconds,
            anchor: self.anchor,
            rrule: self.rrule.as_deref().map(Cow::Borrowed),
            start_at: self.start_at,
            end_at: self.end_at,
            max_runs: self.max_runs,
            first_run: self.first_run,
            final_run: self.final_run,
            jitter_seconds: self.jitter_seconds,
            window_seconds: self.window_seconds,
            misfire: self.misfire,
            overlap: self.overlap,
            expire_after_seconds: self.expire_after_seconds,
            words: self.words.as_deref().map(Cow::Borrowed),
        }
    }

    /// Returns the fields that say when, and its words, as the text of a record without more.
    pub fn when(&self) -> String {
        when(self.time, &self.schedule())
    }

    /// Returns when this firing was due at first: its time, but for jitter and window. 0 where the
    /// record has no time.
    pub fn due(&self) -> UnixMillis {
        let time = self.time.unwrap_or(UnixMillis::ZERO);
        if self.jitter_seconds.is_none() && self.window_seconds.is_none() {
            return time;
        }
        let (fields, hash) = (self.schedule(), id_hash(&self.id));
        // What is stored was checked; should it not hold, it was not put off.
        if fields.is_recurring() {
            fields.schedule(hash).map_or(time, |schedule| schedule.occurrence(time).due)
        } else {
            fields.delay(hash).map_or(time, |delay| delay.due(time, None))
        }
    }

    /// Returns its tags.
    pub fn tag_list(&self) -> Vec<Cow<'a, str>> {
        let tags =
            self.tags.and_then(|tags| serde_json::from_str::<Vec<Text<'a>>>(tags.get()).ok());
        tags.unwrap_or_default().into_iter().map(|Text(tag)| tag).collect()
    }

    /// Returns whether it fires once, at a time that was given as a local one.
    pub fn is_at_local_time(&self) -> bool {
        self.local.is_some_and(|local| local.time.is_some())
            && self.stage.is_none()
            && !self.is_recurring()
    }

    /// Returns the time of a one-shot task at a local time by this law; `None` if it is another
    /// task, or has this time already.
    pub fn moved_by(&self, law: &Law) -> Option<UnixMillis> {
        if !self.is_at_local_time() {
            return None;
        }
        let moved = (law.instant)(self.local?.time?, self.timezone.as_deref()?)?;
        (self.time != Some(moved)).then_some(moved)
    }

    /// Returns whether it was asked for at the time that `other` was: at the same instant, or at
    /// the same local time in the same zone, of which a law may have made another instant since.
    pub fn has_time_of(&self, other: &Self) -> bool {
        let local = |of: &Self| of.local.and_then(|local| local.time);
        self.time == other.time
            || local(self).is_some()
                && local(self) == local(other)
                && self.timezone == other.timezone
    }

    /// Returns what it says of late and overlapping runs.
    pub fn policies(&self) -> Policies {
        // What is stored was checked; should it not hold, it says nothing.
        self.schedule().policies().unwrap_or_default()
    }

    /// Returns whether the shard must look into it, once it is due, to tell if it still fires.
    pub fn is_conditional(&self) -> bool {
        (self.misfire.is_some() || self.expire_after_seconds.is_some())
            && self.policies().is_conditional()
    }

    /// Returns when the run of an attempt in flight was due: when it was requested, else at its time.
    pub fn due_in_flight(&self) -> UnixMillis {
        self.replayed_at.unwrap_or_else(|| self.due())
    }

    /// Returns from when its lateness counts: when its run was requested, else when it was due; of
    /// a follow-up, when its run had ended.
    pub fn start(&self) -> UnixMillis {
        let start = self.due_in_flight();
        self.late_since.into_iter().chain(self.followed_at()).fold(start, Ord::max)
    }

    /// Returns until when it may start.
    pub fn expires_at(&self) -> Option<UnixMillis> {
        self.expire_after_seconds?;
        self.policies().expire_after_millis.map(|millis| self.start().plus(millis))
    }

    /// Of a follow-up, when the run that it follows was known to have ended.
    fn followed_at(&self) -> Option<UnixMillis> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Ended {
            reported_at: UnixMillis,
        }
        serde_json::from_str::<Ended>(self.outcome?.get()).ok().map(|ended| ended.reported_at)
    }

    /// Returns whether something is to follow when a run of it ends.
    pub fn has_follow_ups(&self) -> bool {
        self.on_success.is_some() || self.on_failure.is_some()
    }

    /// Returns the attempt that this record is: 1 on the first.
    pub fn attempt_number(&self) -> u32 {
        self.attempt.unwrap_or(1)
    }

    /// Returns whether it waits to be resumed, as far as the record says.
    pub fn is_paused(&self) -> bool {
        self.paused == Some(true)
    }

    /// Returns the record without the mark of a pause.
    #[must_use]
    pub fn unpaused(self) -> Self {
        Self { paused: None, paused_at: None, paused_by: None, pause_note: None, ..self }
    }

    /// Returns how urgent it is.
    pub fn priority(&self) -> u8 {
        self.priority.filter(|priority| *priority <= MAX_PRIORITY).unwrap_or(DEFAULT_PRIORITY)
    }

    /// Returns whether it fires again and again.
    pub fn is_recurring(&self) -> bool {
        self.schedule().is_recurring()
    }

    /// Returns whether it goes to the user's own consumer.
    pub fn goes_to_queue(&self) -> bool {
        Callback::parse(self.callback.get()).is_ok_and(|callback| callback.is_queue())
    }

    /// Returns the name of this firing; the time is 0 where the record has none.
    pub fn occurrence_key(&self) -> OccurrenceKey {
        OccurrenceKey {
            id: self.id.clone().into_owned(),
            time: self.time.unwrap_or(UnixMillis::ZERO),
            stage: self.stage.clone().map(Cow::into_owned),
        }
    }
}
