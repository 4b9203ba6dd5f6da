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
    /// Returns the fields that say when it recurs and how its runs are delayed.
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
            exclude: self.exclude,
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

    /// Returns the fields that say when, with the words, as the text of a record that has nothing
    /// else.
    pub fn when(&self) -> String {
        when(self.time, &self.schedule())
    }

    /// Returns the first due time of this firing: its requested time plus jitter and window. 0 if
    /// the record has no time.
    pub fn due(&self) -> UnixMillis {
        let time = self.time.unwrap_or(UnixMillis::ZERO);
        if self.jitter_seconds.is_none() && self.window_seconds.is_none() {
            return time;
        }
        let (fields, hash) = (self.schedule(), id_hash(&self.id));
        // A stored schedule was checked, so it is valid. If it is not, assume no delay.
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

    /// Returns whether it fires once, at a time that was given as a local time.
    pub fn is_at_local_time(&self) -> bool {
        self.local.is_some_and(|local| local.time.is_some())
            && self.stage.is_none()
            && !self.is_recurring()
    }

    /// Returns the instant that this law gives a one-shot task at a local time. Returns `None` for
    /// any other task, and if the task has that time already.
    pub fn moved_by(&self, law: &Law) -> Option<UnixMillis> {
        if !self.is_at_local_time() {
            return None;
        }
        let moved = (law.instant)(self.local?.time?, self.timezone.as_deref()?)?;
        (self.time != Some(moved)).then_some(moved)
    }

    /// Returns whether both were requested for the same time: for the same instant, or for the same
    /// local time in the same zone, even if a law has changed its instant since.
    pub fn has_time_of(&self, other: &Self) -> bool {
        let local = |of: &Self| of.local.and_then(|local| local.time);
        self.time == other.time
            || local(self).is_some()
                && local(self) == local(other)
                && self.timezone == other.timezone
    }

    /// Returns its policies for late and overlapping runs.
    pub fn policies(&self) -> Policies {
        // A stored policy was checked, so it is valid. If it is not, assume none.
        self.schedule().policies().unwrap_or_default()
    }

    /// Returns whether the shard must read the record when it is due, to decide whether it still
    /// fires.
    pub fn is_conditional(&self) -> bool {
        (self.misfire.is_some() || self.expire_after_seconds.is_some())
            && self.policies().is_conditional()
    }

    /// Returns when the run of an attempt in flight was due: the time of the request for it, or
    /// else its own due time.
    pub fn due_in_flight(&self) -> UnixMillis {
        self.replayed_at.unwrap_or_else(|| self.due())
    }

    /// Returns the time from which its lateness counts: when its run was requested, or else when it
    /// was due. For a follow-up, this is no earlier than the end of its run.
    pub fn start(&self) -> UnixMillis {
        let start = self.due_in_flight();
        self.late_since.into_iter().chain(self.followed_at()).fold(start, Ord::max)
    }

    /// Returns the latest time at which it may start; `None` if it does not expire.
    pub fn expires_at(&self) -> Option<UnixMillis> {
        self.expire_after_seconds?;
        self.policies().expire_after_millis.map(|millis| self.start().plus(millis))
    }

    /// Returns when the run that this follow-up follows was reported to have ended; `None` if this
    /// is not a follow-up.
    fn followed_at(&self) -> Option<UnixMillis> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Ended {
            reported_at: UnixMillis,
        }
        serde_json::from_str::<Ended>(self.outcome?.get()).ok().map(|ended| ended.reported_at)
    }

    /// Returns whether it has follow-ups.
    pub fn has_follow_ups(&self) -> bool {
        self.on_success.is_some() || self.on_failure.is_some()
    }

    /// Returns the number of the attempt: 1 for the first.
    pub fn attempt_number(&self) -> u32 {
        self.attempt.unwrap_or(1)
    }

    /// Returns whether the record says that the task is paused.
    pub fn is_paused(&self) -> bool {
        self.paused == Some(true)
    }

    /// Returns the record without the mark of a pause.
    #[must_use]
    pub fn unpaused(self) -> Self {
        Self {
            paused: None,
            paused_at: None,
            paused_by: None,
            pause_note: None,
            unfinished_version: None,
            ..self
        }
    }

    /// Returns its priority.
    pub fn priority(&self) -> u8 {
        self.priority.filter(|priority| *priority <= MAX_PRIORITY).unwrap_or(DEFAULT_PRIORITY)
    }

    /// Returns whether it recurs.
    pub fn is_recurring(&self) -> bool {
        self.schedule().is_recurring()
    }

    /// Returns whether it goes to the user's own consumer.
    pub fn goes_to_queue(&self) -> bool {
        Callback::parse(self.callback.get()).is_ok_and(|callback| callback.is_queue())
    }

    /// Returns the key of this firing. Its time is 0 if the record has none.
    pub fn occurrence_key(&self) -> OccurrenceKey {
        OccurrenceKey {
            id: self.id.clone().into_owned(),
            time: self.time.unwrap_or(UnixMillis::ZERO),
            stage: self.stage.clone().map(Cow::into_owned),
        }
    }
}
