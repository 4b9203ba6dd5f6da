//! One version of one task: the promises about it, and its arrivals.

use serde::Serialize;

use super::Fired;

/// The route by which a fired task reaches this tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Via {
    /// Through a queue of the user's own and its example consumer, which posts the envelopes to the
    /// sink.
    Consumer,
    /// As a webhook, which the dispatcher posts to the sink.
    Webhook,
    /// Through the handler `noop`, whose runs only the server's counters show.
    HandlerNoop,
}

/// Whether a task fires once or recurs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Once,
    /// Fires at every whole multiple of `step` milliseconds since the epoch.
    Cron {
        step: i64,
    },
}

/// The place and time of an arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arrival {
    /// The envelope's `firedAt`. A webhook does not have it.
    pub(crate) at_shard: Option<i64>,
    /// The time at which the consumer or, for a webhook, the sink received it.
    pub(crate) received: i64,
    /// The shard's number (see `Ledger::shard_number`) and the envelope's sequence number.
    pub(crate) envelope: Option<(u32, u64)>,
}

/// The answer to a cancel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CancelAnswer {
    Cancelled,
    /// 409 or 404. For an accepted task, both promise that it has fired.
    AlreadyFired,
    /// There was no answer, or the answer to a repeated request, whose first try may have been
    /// carried out.
    Ambiguous,
}

/// The answer to an overwrite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OverwriteAnswer {
    /// 200: the old version existed and is replaced.
    Replaced,
    /// 201: the old version no longer existed.
    Created,
    /// There was no answer, or the route does not tell, as for a batch.
    Unknown,
}

/// The promise of the server about an entry so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Unsent,
    Sent,
    Rejected(Box<str>),
    Unanswered,
    /// It must fire.
    Accepted,
    /// A cancel or overwrite is in flight, so firing and not firing are both right.
    Changing,
    /// Firing and not firing are both right, and no later answer changes that.
    Either,
    /// It must never fire.
    Cancelled,
    /// It must fire, because a cancel or overwrite was too late.
    AlreadyFired {
        answered: i64,
    },
    /// It must not fire after `sent`.
    Replaced {
        sent: i64,
        answered: i64,
    },
    /// It must not fire after `answered`.
    Overwritten {
        answered: i64,
    },
    /// It is part of a bulk cancel that stopped some of its members. The number is the index of the
    /// group.
    InGroup(usize),
}

/// Observations that no later answer can make right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flags(u8);

impl Flags {
    pub(crate) const EARLY: u8 = 1;
    pub(crate) const WRONG_TIME: u8 = 2;
    pub(crate) const OTHER_ID: u8 = 4;
    pub(crate) const WRONG_KEY: u8 = 8;
    pub(crate) const REPEATED: u8 = 16;
    pub(crate) const DENIED_BEFORE_DUE: u8 = 32;

    pub(crate) fn set(&mut self, flag: u8) {
        self.0 |= flag;
    }

    pub(crate) fn has(self, flag: u8) -> bool {
        self.0 & flag != 0
    }
}

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) id: Option<Box<str>>,
    pub(crate) kind: Kind,
    pub(crate) via: Via,
    /// The due time in epoch milliseconds, or 0 for a recurring task.
    pub(crate) due: i64,
    /// The times at which the request to create it was sent and answered, or 0 before that.
    pub(crate) sent: i64,
    pub(crate) answered: i64,
    pub(crate) fate: Fate,
    /// The first arrival of any occurrence.
    pub(crate) first: Option<Arrival>,
    pub(crate) flags: Flags,
}

impl Entry {
    pub(crate) fn new(kind: Kind, via: Via, due: i64) -> Self {
        Self {
            id: None,
            kind,
            via,
            due,
            sent: 0,
            answered: 0,
            fate: Fate::Unsent,
            first: None,
            flags: Flags::default(),
        }
    }

    /// Returns whether the sink must receive it and has not yet. Recurring tasks are judged by
    /// their occurrences.
    pub(crate) fn owes(&self) -> bool {
        self.kind == Kind::Once
            && self.via != Via::HandlerNoop
            && self.first.is_none()
            && self.must_fire()
    }

    /// Returns whether an answer promises a firing.
    pub(crate) fn must_fire(&self) -> bool {
        matches!(self.fate, Fate::Accepted | Fate::AlreadyFired { .. })
    }

    /// Returns the time from which a missing firing is late: the due time, or the time of the
    /// answer if that is later.
    pub(crate) fn must_fire_from(&self) -> i64 {
        let promised = match self.fate {
            Fate::AlreadyFired { answered } => answered,
            _ => self.answered,
        };
        self.due.max(promised)
    }

    /// Returns whether the server knew the task before its due time. If it did not, its lateness
    /// says nothing about the server.
    pub(crate) fn was_in_time(&self) -> bool {
        self.answered != 0 && self.answered <= self.due
    }

    /// Records the answer "already fired" if it arrived before the task was due, because it is
    /// wrong.
    pub(crate) fn denied_before_due(&mut self, answered: i64) {
        if answered < self.due {
            self.flags.set(Flags::DENIED_BEFORE_DUE);
        }
    }

    /// Records a firing: keeps the first arrival, and all defects.
    pub(crate) fn record(&mut self, fired: &Fired<'_>, recurring: bool) {
        let Arrival { at_shard, received, .. } = fired.arrival;
        if received < fired.time || at_shard.is_some_and(|at| at < fired.time) {
            self.flags.set(Flags::EARLY);
        }
        if !recurring && fired.time != self.due {
            self.flags.set(Flags::WRONG_TIME);
        }
        match &self.id {
            Some(id) if **id != *fired.id => self.flags.set(Flags::OTHER_ID),
            Some(_) => {}
            None => self.id = Some(fired.id.into()),
        }
        if !fired.key_matches {
            self.flags.set(Flags::WRONG_KEY);
        }
        if self.first.is_none() {
            self.first = Some(fired.arrival);
        }
    }
}
