//! The oracle: what the users have requested, and what must therefore wait, be in flight, or be
//! done.
//!
//! It gets every committed input, and knows nothing of pages, watermarks or timers.

mod requests;
mod runs;

use crate::circuits::Circuits;
use crate::dead_letters::Letters;
use crate::definitions::SaysPaused;
use crate::follow_ups::{FollowUps, Stage};
use crate::in_flight::{Decided, Decisions};
use crate::invariants::violated;
use crate::late::Late;
use crate::room::Room;
use crate::schedules::{PutOff, Recurring};
use scheduler_calendar::time::UnixMillis;
use scheduler_model::format::history::Outcome;
use scheduler_model::numbers::EnvelopeSeq;
use scheduler_model::protocol::{AppendReply, FeedPosition, Filter, Kind, Status};
use scheduler_model::task::Record;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A task as a request defined it. Its payload contains its number, so every record names its
/// version.
#[derive(Debug, Clone)]
pub(crate) struct Version {
    pub(crate) shard: usize,
    pub(crate) id: String,
    pub(crate) schedule: Schedule,
    pub(crate) late: Late,
    pub(crate) queue: Option<&'static str>,
    pub(crate) key: Option<&'static str>,
    /// The index in [`crate::circuits::DESTINATIONS`] of the destination that answers it.
    pub(crate) destination: Option<usize>,
    pub(crate) follow_ups: FollowUps,
    pub(crate) description: String,
    pub(crate) retry: &'static str,
    /// How often an attempt fails, permille.
    pub(crate) fails: u64,
    /// Whether the request names no anchor.
    pub(crate) open_anchor: bool,
    /// What the request says about a pause.
    pub(crate) says_paused: SaysPaused,
    pub(crate) record: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Schedule {
    Once(i64, PutOff),
    Recurring(Recurring),
    None,
}

impl Version {
    /// Returns when the run at `time` fires.
    pub(crate) fn due(&self, time: i64) -> i64 {
        match self.schedule {
            Schedule::Once(_, put_off) => put_off.due(&self.id, time, None),
            Schedule::Recurring(recurring) => recurring.due(&self.id, time),
            Schedule::None => time,
        }
    }
}

/// One attempt at one occurrence of one version, or at a follow-up of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Firing {
    pub(crate) version: u64,
    pub(crate) time: i64,
    pub(crate) attempt: u32,
    pub(crate) stage: Stage,
}

/// How a version waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum What {
    First,
    Again,
    Recurring,
    Unscheduled,
    Dead,
    Paused,
    PausedAgain,
    PausedRecurring,
    Held,
}

#[derive(Debug, Default)]
pub(crate) struct Model {
    /// By shard and key, the requests with an idempotency key that were carried out: when, and with
    /// what answer.
    pub(crate) taken: HashMap<(usize, [u8; 16]), (UnixMillis, AppendReply)>,
    pub(crate) versions: Vec<Version>,
    pub(crate) by_id: HashMap<String, Vec<u64>>,
    /// What waits, and how often. A count above one occurs only after repeated requests.
    pub(crate) waiting: BTreeMap<(Firing, What), u32>,
    /// The earliest time of further attempts.
    not_before: HashMap<Firing, i64>,
    /// Firings that were requested before their time.
    pub(crate) early: BTreeSet<Firing>,
    /// How often a change has made each firing wait. It may run that often in addition to the first
    /// time.
    pub(crate) asked: HashMap<Firing, u32>,
    /// The next run of each recurring version: its time, its due time, and its number. A paused
    /// version whose last run was missed has none.
    pub(crate) next_run: HashMap<u64, (i64, i64, u32)>,
    /// Runs of recurring versions that the current wake-up must dispatch.
    passed: BTreeSet<Firing>,
    /// For each follow-up's first attempt, the ends of runs that it follows.
    pub(crate) causes: HashMap<Firing, Vec<Kept>>,
    /// By shard and number of the envelope.
    pub(crate) in_flight: BTreeMap<(usize, EnvelopeSeq), Flight>,
    /// How often each firing was dispatched.
    pub(crate) dispatched: HashMap<Firing, u32>,
    /// How often a dispatcher ran each firing or a consumer accepted it.
    pub(crate) ran: HashMap<Firing, u32>,
    /// Firings with a known outcome. They must have run.
    pub(crate) done: BTreeSet<Firing>,
    /// Versions that arrived or were changed while the clock of their shard was ahead, and the
    /// versions that have replaced them since.
    pub(crate) brought_ahead: BTreeSet<u64>,
    /// Whether clocks step in this run.
    pub(crate) clocks_step: bool,
    /// By first attempt, the times from which the time for its retries may count: starts of first
    /// attempts, and ends of pauses.
    pub(crate) first_attempts: HashMap<Firing, BTreeSet<i64>>,
    /// When each firing was last replayed as a dead letter.
    pub(crate) replayed: HashMap<Firing, i64>,
    /// What the history must contain, by shard, in the order of reports.
    pub(crate) history: HashMap<usize, Vec<Kept>>,
    pub(crate) circuits: Circuits,
    /// Why a version does not wait any more. Used in messages.
    pub(crate) gone: HashMap<u64, &'static str>,
    /// The position up to which the events of each shard were read.
    pub(crate) watched: HashMap<usize, FeedPosition>,
    /// Where the pauses of the recurring tasks began that the current definition finds, by id.
    pub(crate) pauses: Vec<(String, i64)>,
    /// Where the counted runs end of recurring versions that continue a task.
    pub(crate) final_runs: HashMap<u64, UnixMillis>,
    /// How many definitions would have ended a pause with nothing left.
    pub(crate) ends: u64,
    /// How many tasks have continued with other items of their calendar.
    pub(crate) renewals: u64,
    /// Recurring versions that the current definition has resumed.
    pub(crate) resumed: Vec<Firing>,
    /// How often a wake-up left due tasks because the dispatchers had their maximum.
    pub(crate) held_up: u64,
    /// How many decisions there were about runs in flight.
    pub(crate) decisions: Decisions,
    pub(crate) room: Room,
    pub(crate) letters: Letters,
}

#[derive(Debug, Clone)]
pub(crate) struct Flight {
    pub(crate) queue: bool,
    pub(crate) fired_at: i64,
    /// Whether the envelope was sent again after a send that the queue may have accepted.
    pub(crate) sent_again: bool,
    pub(crate) last_send: Send,
    /// When the envelope was last sent, or was not accepted, by the shard's clock. After the clock
    /// has gone back, not later than the clock shows.
    pub(crate) since: i64,
    pub(crate) tasks: Vec<Firing>,
    /// When each task was replayed, as its record says.
    pub(crate) replayed: Vec<Option<i64>>,
    /// The earliest time from which the lateness of each task counts, as its record says. For a
    /// follow-up this is the report of its run.
    pub(crate) late_since: Vec<Option<i64>>,
    /// When the first attempt of each task began, as its record says.
    pub(crate) first_at: Vec<Option<i64>>,
    /// The decisions about its tasks since then.
    pub(crate) decided: Decided,
    /// For patched tasks, the runs as which they continue.
    pub(crate) patched: BTreeMap<usize, Firing>,
}

/// What the shard knows about the last send of an envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Send {
    /// The envelope was accepted, or nobody knows. `after` is the number of refused sends in a row
    /// before it.
    Unanswered { after: u32 },
    /// The envelope was refused, `times` in a row.
    Refused { times: u32, at: i64 },
    /// The queue of the dispatchers has not answered this send or any later one. `at` is when the
    /// shard gave it up or sent it again.
    Hung { at: i64 },
}

impl Send {
    pub(crate) fn refusals(self) -> u32 {
        match self {
            Self::Hung { .. } => 0,
            Self::Unanswered { after } => after,
            Self::Refused { times, .. } => times,
        }
    }
}

/// An attempt as the history must show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) id: String,
    pub(crate) due: i64,
    pub(crate) attempt: u32,
    pub(crate) fired_at: i64,
    pub(crate) reported_at: i64,
    pub(crate) outcome: Outcome,
    pub(crate) status: Option<u16>,
    pub(crate) millis: Option<u32>,
    pub(crate) stage: String,
    pub(crate) was_dispatched: bool,
    /// The type and name of what was called.
    pub(crate) target: String,
    pub(crate) tags: Vec<String>,
}

/// Returns the firing of a record, by its contents.
pub(crate) fn firing_of(record: &Record<'_>) -> Firing {
    let payload = record.payload.expect("every record has a payload").get();
    let digits = payload.strip_prefix("{\"n\":").expect("the payload begins with its number");
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap();
    Firing {
        version: digits[..end].parse().unwrap(),
        time: record.time.map_or(0, UnixMillis::get),
        attempt: record.attempt_number(),
        stage: Stage::of(record),
    }
}

impl Model {
    pub(crate) fn with(room: Room) -> Self {
        Self { room, ..Self::default() }
    }

    pub(crate) fn version(&self, n: u64) -> &Version {
        &self.versions[n as usize]
    }

    pub(crate) fn put(&mut self, firing: Firing, what: What) {
        *self.waiting.entry((firing, what)).or_default() += 1;
    }

    fn take(&mut self, firing: Firing, what: What) -> bool {
        let Some(count) = self.waiting.get_mut(&(firing, what)) else { return false };
        *count -= 1;
        if *count == 0 {
            self.waiting.remove(&(firing, what));
        }
        true
    }

    /// Returns whether a task with this id was ever accepted.
    pub(crate) fn knows(&self, id: &str) -> bool {
        self.by_id.contains_key(id)
    }

    /// Returns whether an attempt of a task with this id was ever dispatched.
    pub(crate) fn has_fired(&self, id: &str) -> bool {
        self.dispatched.keys().any(|firing| self.version(firing.version).id == id)
    }

    /// Returns what waits under an id.
    pub(crate) fn waiting_of(&self, id: &str) -> Vec<((Firing, What), u32)> {
        let least =
            |version| (Firing { version, time: 0, attempt: 0, stage: Stage::Run }, What::First);
        self.by_id
            .get(id)
            .into_iter()
            .flatten()
            .flat_map(|n| {
                self.waiting.range(least(*n)..least(*n + 1)).map(|(key, count)| (*key, *count))
            })
            .collect()
    }

    pub(crate) fn in_flight_of(&self, id: &str) -> Vec<Firing> {
        let tasks = self.in_flight.values().flat_map(Flight::as_patched);
        tasks.filter(|firing| self.version(firing.version).id == id).collect()
    }

    fn why_not(&self, firing: Firing) -> ! {
        let id = &self.version(firing.version).id;
        if firing.stage != Stage::Run && !self.causes.contains_key(&Firing { attempt: 1, ..firing })
        {
            violated(
                "follow-ups-have-a-cause",
                format!("{firing:?} of {id} fired, but no run has ended in this way"),
            );
        }
        match self.gone.get(&firing.version).copied().unwrap_or("was never accepted") {
            "has fired" => {
                violated("duplicates-explained", format!("{firing:?} of {id} fired again"))
            }
            "was cancelled" => violated(
                "cancelled-never-fires",
                format!("{firing:?} of {id} fired after its cancel was committed"),
            ),
            "was overwritten" => violated(
                "overwritten-never-fires",
                format!("{firing:?} of {id} fired after it was overwritten"),
            ),
            other => violated("fires-what-waits", format!("{firing:?} of {id} fired, but {other}")),
        }
    }

    /// Returns whether a filter matches a waiting firing, by the description of the filter.
    pub(crate) fn matches(
        &self,
        filter: &Filter,
        firing: Firing,
        what: What,
        time: Option<UnixMillis>,
    ) -> bool {
        let version = self.version(firing.version);
        let kind = match version.schedule {
            Schedule::Once(..) => Kind::Once,
            Schedule::Recurring(recurring) => recurring.kind(),
            // A requested run is a run of its own.
            Schedule::None if firing.time > 0 => Kind::Once,
            Schedule::None => Kind::NoSchedule,
        };
        let recurs = matches!(version.schedule, Schedule::Recurring(_));
        filter.kind.is_none_or(|wanted| wanted == kind || wanted == Kind::Recurring && recurs)
            && filter.status.is_none_or(|wanted| wanted == status_of(what))
            && filter.prefix.as_ref().is_none_or(|prefix| version.id.starts_with(prefix.as_str()))
            && filter.paused.is_none_or(|wanted| wanted == (status_of(what) == Status::Paused))
            && filter.text.as_ref().is_none_or(|text| {
                [&version.id, &version.description]
                    .into_iter()
                    .any(|of| of.to_lowercase().contains(&text.to_lowercase()))
            })
            && filter.from.is_none_or(|from| time.is_some_and(|time| time >= from))
            && filter.to.is_none_or(|to| time.is_some_and(|time| time < to))
    }
}

/// Returns the firing as which a recurring version waits, whatever run is next.
fn recurring_of(firing: Firing) -> Firing {
    Firing { time: 0, ..firing }
}

pub(crate) fn status_of(what: What) -> Status {
    match what {
        What::First | What::Recurring => Status::Scheduled,
        What::Again => Status::Retrying,
        What::Held => Status::Held,
        What::Unscheduled => Status::Unscheduled,
        What::Paused | What::PausedAgain | What::PausedRecurring => Status::Paused,
        What::Dead => Status::Dead,
    }
}
