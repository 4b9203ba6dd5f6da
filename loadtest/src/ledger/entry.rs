//! One version of one task: what was promised about it, and what arrived.

use serde::Serialize;

use super::Fired;

/// How a fired task reaches this tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Via {
    /// Through a queue of the user's own and its example consumer, which posts the envelopes to the
    /// sink.
    Consumer,
    /// As a webhook, posted to the sink by the dispatcher.
    Webhook,
    /// The shipped handler that does nothing: only the server's counters tell that it ran.
    HandlerNoop,
}

/// Once or again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Once,
    /// At every whole multiple of `step` milliseconds since the epoch.
    Cron {
        step: i64,
    },
}

/// Where and when a firing arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arrival {
    /// The envelope's `firedAt`; a webhook does not carry it.
    pub(crate) at_shard: Option<i64>,
    /// When the consumer (or, for a webhook, the sink) had it.
    pub(crate) received: i64,
    /// Shard number (see `Ledger::shard_number`) and sequence number.
    pub(crate) envelope: Option<(u32, u64)>,
}

/// What a cancel was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CancelAnswer {
    Cancelled,
    /// 409, or 404: for a task that was accepted both promise that it fired.
    AlreadyFired,
    /// No answer, or an answer to a repeated request, the first try of which may have worked.
    Ambiguous,
}

/// What an overwrite was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OverwriteAnswer {
    /// 200: the old version was there and is gone.
    Replaced,
    /// 201: there was no old version any more.
    Created,
    /// The batch route does not say; nor does no answer.
    Unknown,
}

/// What the server has promised about an entry so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Unsent,
    Sent,
    Rejected(Box<str>),
    Unanswered,
    /// Must fire.
    Accepted,
    /// A cancel or overwrite is on its way: either is right.
    Changing,
    /// Either is right for good.
    Either,
    /// Must never fire.
    Cancelled,
    /// Must fire: a cancel or overwrite came too late.
    AlreadyFired {
        answered: i64,
    },
    /// Must not fire after `sent`.
    Replaced {
        sent: i64,
        answered: i64,
    },
    /// Must not fire after `answered`.
    Overwritten {
        answered: i64,
    },
    /// One of a bulk cancel that stopped some of its members; the index of the group.
    InGroup(usize),
}

/// Things seen which no later answer makes right.
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

/// See the module's documentation.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) id: Option<Box<str>>,
    pub(crate) kind: Kind,
    pub(crate) via: Via,
    /// Epoch ms; 0 for a recurring one.
    pub(crate) due: i64,
    /// When the request that creates it left and was answered; 0 before that.
    pub(crate) sent: i64,
    pub(crate) answered: i64,
    pub(crate) fate: Fate,
    /// The first arrival (of any occurrence).
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

    /// Returns whether the sink must see it fire and has not yet. Recurring ones are judged by
    /// their occurrences.
    pub(crate) fn owes(&self) -> bool {
        self.kind == Kind::Once
            && self.via != Via::HandlerNoop
            && self.first.is_none()
            && self.must_fire()
    }

    /// Returns whether what was answered promises a firing.
    pub(crate) fn must_fire(&self) -> bool {
        matches!(self.fate, Fate::Accepted | Fate::AlreadyFired { .. })
    }

    /// From when on a missing firing counts as late: its due time, or the answer if that came
    /// later.
    pub(crate) fn must_fire_from(&self) -> i64 {
        let promised = match self.fate {
            Fate::AlreadyFired { answered } => answered,
            _ => self.answered,
        };
        self.due.max(promised)
    }

    /// Returns whether the server knew the task before its time; otherwise its lateness says
    /// nothing about the server.
    pub(crate) fn was_in_time(&self) -> bool {
        self.answered != 0 && self.answered <= self.due
    }

    /// Notes the promise "it has fired" when it was given before the task was due, which cannot be
    /// true.
    pub(crate) fn denied_before_due(&mut self, answered: i64) {
        if answered < self.due {
            self.flags.set(Flags::DENIED_BEFORE_DUE);
        }
    }

    /// Takes note of a firing: keeps the first, and what is wrong with any.
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
