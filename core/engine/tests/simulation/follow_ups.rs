//! Follow-ups: each ended run has the follow-up that its task names, once, and no follow-up is
//! without a cause.

use crate::clients::QUEUES;
use crate::invariants::violated;
use crate::model::{Firing, Kept, Model, What};
use crate::random::Random;
use scheduler_model::format::history::Outcome;
use scheduler_model::task::Record;
use serde_json::Value;

/// What a firing of an occurrence is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Stage {
    Run,
    OnSuccess,
    OnFailure,
}

impl Stage {
    /// Returns the stage that a record names.
    pub(crate) fn of(record: &Record<'_>) -> Self {
        match record.stage.as_deref() {
            None => Self::Run,
            Some("onSuccess") => Self::OnSuccess,
            Some("onFailure") => Self::OnFailure,
            Some(other) => panic!("unknown stage: {other}"),
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Run => "",
            Self::OnSuccess => "onSuccess",
            Self::OnFailure => "onFailure",
        }
    }
}

/// The target of a follow-up: a queue, or otherwise the dispatchers.
pub(crate) type Target = Option<&'static str>;

/// The follow-ups of a version.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct FollowUps {
    pub(crate) on_success: Option<Target>,
    pub(crate) on_failure: Option<Target>,
}

impl FollowUps {
    pub(crate) fn drawn(random: &mut Random) -> Self {
        let mut target =
            || random.chance(600).then(|| random.chance(300).then(|| *random.pick(&QUEUES)));
        Self { on_success: target(), on_failure: target() }
    }

    fn of(&self, stage: Stage) -> Option<Target> {
        match stage {
            Stage::Run => None,
            Stage::OnSuccess => self.on_success,
            Stage::OnFailure => self.on_failure,
        }
    }
}

/// Returns a target in the form of a record.
pub(crate) fn callback(target: Target) -> String {
    target.map_or(r#"{"type":"handler", "name":"log"}"#.to_owned(), |queue| {
        format!(r#"{{"type":"queue","queue":"{queue}"}}"#)
    })
}

impl Model {
    /// Returns the tags of a firing's version.
    pub(crate) fn tags_of(&self, firing: Firing) -> Vec<String> {
        let record: Value = serde_json::from_slice(&self.version(firing.version).record).unwrap();
        let tags = record["tags"].as_array().into_iter().flatten();
        tags.map(|tag| tag.as_str().unwrap().to_owned()).collect()
    }

    /// Returns what a firing calls: type and name.
    pub(crate) fn target_of(&self, firing: Firing) -> String {
        let record: Value = serde_json::from_slice(&self.version(firing.version).record).unwrap();
        let callback = match firing.stage {
            Stage::Run => &record["callback"],
            stage => &record[stage.name()],
        };
        let name = match callback["type"].as_str().unwrap() {
            "webhook" => {
                let rest = callback["url"].as_str().unwrap().split_once("://").unwrap().1;
                rest.split(['/', ':']).next().unwrap().to_lowercase()
            }
            "service" | "durable-object" => callback["binding"].as_str().unwrap().to_owned(),
            "queue" => callback["queue"].as_str().unwrap().to_owned(),
            _ => callback["name"].as_str().unwrap().to_owned(),
        };
        format!("{}:{name}", callback["type"].as_str().unwrap())
    }

    /// Returns the queue that a firing goes to, if it goes to one.
    pub(crate) fn queue_of(&self, firing: Firing) -> Target {
        let version = self.version(firing.version);
        if firing.stage == Stage::Run {
            return version.queue;
        }
        version.follow_ups.of(firing.stage).unwrap_or_else(|| {
            violated(
                "follow-ups-have-a-cause",
                format!("{firing:?} fired, but {} names no such follow-up", version.id),
            )
        })
    }

    /// Expects the follow-up of a firing that has ended like this. The follow-up may wait for its
    /// task to be resumed. Returns the follow-up if it has no room to wait.
    pub(crate) fn follow(
        &mut self,
        firing: Firing,
        kept: &Kept,
        is_paused: bool,
        now: i64,
    ) -> Option<Firing> {
        let stage = match kept.outcome {
            Outcome::Succeeded => Stage::OnSuccess,
            Outcome::DeadLettered | Outcome::Expired => Stage::OnFailure,
            _ => return None,
        };
        if firing.stage != Stage::Run || self.version(firing.version).follow_ups.of(stage).is_none()
        {
            return None;
        }
        let follow_up = Firing { stage, attempt: 1, ..firing };
        self.causes.entry(follow_up).or_default().push(kept.clone());
        if !self.has_room_to_wait(follow_up) {
            self.put(follow_up, What::Dead);
            return Some(follow_up);
        }
        self.put(follow_up, if is_paused { What::PausedAgain } else { What::Again });
        if !is_paused {
            self.put_off(follow_up, now);
        }
        None
    }

    /// `follow-ups-tell-their-cause`: a fired follow-up is its task with the target of the
    /// follow-up and an outcome that occurred. `given` is the record of the task.
    pub(crate) fn follow_up_agrees(&self, firing: Firing, given: &str, text: &str) {
        let read = |text: &str| -> Value { serde_json::from_str(text).unwrap() };
        let (mut fired, mut expected) = (read(text), read(given));
        let outcome = fired["outcome"].take();
        let past = ["outcome", "attempt", "failedAt", "error", "firstAttemptAt", "replayedAt"];
        let of_runs =
            ["onSuccess", "onFailure", "misfire", "overlap", "expireAfterSeconds", "limitKey"];
        for name in past.iter().chain(&["firstRun", "finalRun"]).chain(&of_runs) {
            expected.as_object_mut().unwrap().remove(*name);
        }
        for name in past.iter().chain(&["firstRun", "finalRun"]) {
            fired.as_object_mut().unwrap().remove(*name);
        }
        expected["time"] = firing.time.into();
        expected["stage"] = firing.stage.name().into();
        expected["callback"] = read(&callback(self.queue_of(firing)));
        let causes =
            self.causes.get(&Firing { attempt: 1, ..firing }).map_or(&[][..], Vec::as_slice);
        if fired != expected || !causes.iter().any(|cause| tells(&outcome, cause)) {
            let detail =
                format!("{fired} with {outcome}; expected {expected} after one of {causes:?}");
            violated("follow-ups-tell-their-cause", detail);
        }
    }

    /// Returns when the run of a follow-up was reported, by the follow-up's record.
    pub(crate) fn followed_at(record: &Record<'_>) -> Option<i64> {
        let outcome: Value = serde_json::from_str(record.outcome?.get()).unwrap();
        Some(outcome["reportedAt"].as_i64().unwrap())
    }
}

fn tells(outcome: &Value, cause: &Kept) -> bool {
    let number = |name: &str| outcome[name].as_i64();
    let took =
        number("finishedAt").zip(number("startedAt")).map(|(finished, started)| finished - started);
    let is_failure = cause.outcome != Outcome::Succeeded;
    outcome["outcome"] == *cause.outcome.name()
        && number("time") == Some(cause.due)
        && number("attempt") == Some(i64::from(cause.attempt))
        && number("firedAt") == cause.was_dispatched.then_some(cause.fired_at)
        && number("reportedAt") == Some(cause.reported_at)
        && number("status") == cause.status.map(i64::from)
        && took == cause.millis.map(i64::from)
        && outcome["error"].is_string() == is_failure
}
