//! A shard and its storage, which accept definitions.

use crate::regressions::Pair;
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::{Effects, EngineError};
use scheduler_model::format::envelope::Envelope;
use scheduler_model::format::page::{Flags, PageBuilder};
use scheduler_model::numbers::LaneNumber;
use scheduler_model::protocol::{
    Append, AppendReply, Change, ChangeRequest, Changed, Expected, Filter, ListItem, ListRequest,
    Report, Status, Terms,
};
use scheduler_model::routing::id_hash;
use scheduler_model::task::{Record, version_of};

const NOW: UnixMillis = UnixMillis::new(1_764_000_000_000);

pub(crate) const NONE: [i64; 0] = [];

/// How a request defines a task.
#[derive(Clone, Copy, Default)]
pub(crate) struct How {
    /// Whether the request names the version that it has read, as a patch does.
    pub(super) is_patch: bool,
    pub(super) open_anchor: bool,
    pub(super) says_paused: bool,
}

pub(crate) const PUT: How = How { is_patch: false, open_anchor: true, says_paused: false };
pub(crate) const PATCH: How = How { is_patch: true, open_anchor: false, says_paused: false };

pub(crate) fn at(millis: i64) -> UnixMillis {
    NOW.plus(millis)
}

pub(crate) fn every(seconds: i64, anchor: i64, more: &str) -> String {
    format!(
        r#"{{"id":"a","everySeconds":{seconds},"anchor":{}{more},"callback":{{"type":"handler","name":"log"}}}}"#,
        at(anchor)
    )
}

pub(crate) fn once(time: i64, more: &str) -> String {
    format!(
        r#"{{"time":{},"id":"a"{more},"callback":{{"type":"handler","name":"log"}}}}"#,
        at(time)
    )
}

pub(super) fn times(effects: &Effects) -> Vec<i64> {
    let of = |text: &[u8]| -> Vec<i64> {
        let envelope = Envelope::parse(std::str::from_utf8(text).unwrap()).unwrap();
        let time = |task: &&serde_json::value::RawValue| {
            Record::parse(task.get().as_bytes()).unwrap().time.unwrap().since(NOW)
        };
        envelope.tasks.iter().map(time).collect()
    };
    effects.sends.iter().flat_map(|outgoing| of(&outgoing.text)).collect()
}

impl How {
    pub(crate) fn saying(self) -> Self {
        Self { says_paused: true, ..self }
    }
}

impl Pair {
    pub(crate) fn found(&self) -> Option<ListItem> {
        self.engine.get("a", &self.storage).unwrap()
    }

    pub(super) fn shown(&self) -> String {
        self.found().unwrap().record.get().to_owned()
    }

    pub(super) fn try_define(
        &mut self,
        record: &str,
        how: How,
        now: i64,
    ) -> Result<AppendReply, EngineError> {
        let read = Record::parse(record.as_bytes()).unwrap();
        let hash = id_hash(&read.id);
        let mut append = Append::default();
        if read.is_recurring() {
            append.schedules.push(record.as_bytes().to_vec());
        } else {
            let mut builder = PageBuilder::default();
            let due = match (read.time, how.says_paused && read.is_paused()) {
                (None, _) => UnixMillis::NEVER,
                (_, true) => UnixMillis::PAUSED,
                _ => read.due(),
            };
            let flags = if read.is_conditional() {
                Flags::TASK.and(Flags::CONDITIONAL)
            } else {
                Flags::TASK
            };
            assert!(builder.push(hash, due, flags, |out| out.extend_from_slice(record.as_bytes())));
            append.pages = builder.finish();
            if let Some(key) = read.limit_key.filter(|_| !due.is_never()) {
                append.terms.keys.push(key.into_owned());
                append
                    .pages
                    .iter_mut()
                    .for_each(|page| page.directory.set_lane(LaneNumber::new(1)));
            }
        }
        append.expected =
            how.is_patch.then(|| Expected::Version(version_of(self.shown().as_bytes())));
        append.terms = Terms {
            open_anchors: how.open_anchor.then_some(hash).into_iter().collect(),
            said_paused: how.says_paused.then_some(hash).into_iter().collect(),
            tasks_only: how.is_patch,
            ..append.terms
        };
        let append = Append::decode(&append.encode()).unwrap();
        let (reply, effects) = self.engine.append(append, at(now), &self.storage)?;
        self.commit(effects);
        Ok(reply)
    }

    pub(crate) fn define(&mut self, record: &str, how: How, now: i64) -> AppendReply {
        self.try_define(record, how, now).unwrap()
    }

    pub(crate) fn change(&mut self, change: Change, now: i64) -> Changed {
        let request =
            ChangeRequest { ids: vec!["a".to_owned()], change, if_match: None, pause: None };
        let (reply, effects) = self.engine.change(&request, at(now), &self.storage).unwrap();
        self.commit(effects);
        reply.outcomes[0]
    }

    /// Wakes the shard at a time, and reports that all runs succeed. Returns the times of the runs.
    pub(crate) fn runs(&mut self, now: i64) -> Vec<i64> {
        let effects = self.wake(at(now));
        let times = times(&effects);
        for outgoing in &effects.sends {
            self.report(&Report { seq: outgoing.seq, ..Report::default() }, at(now));
        }
        times
    }

    pub(crate) fn statuses(&self) -> Vec<Status> {
        let request = ListRequest {
            filter: Filter::default(),
            after: None,
            limit: 100,
            ..ListRequest::default()
        };
        self.engine
            .list(&request, &self.storage)
            .unwrap()
            .items
            .into_iter()
            .map(|item| item.status)
            .collect()
    }
}
