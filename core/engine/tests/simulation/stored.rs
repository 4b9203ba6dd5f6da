//! Stored records. Each is parsed once, however often the checks use its facts.

use crate::model::{Firing, firing_of};
use scheduler_calendar::time::UnixMillis;
use scheduler_model::schedule::Policies;
use scheduler_model::task::{Record, write_occurrence};
use std::cell::OnceCell;
use std::fmt;
use std::ops::Deref;
use std::rc::Rc;

/// What the checks need to know of a record.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    pub(crate) id: Rc<str>,
    pub(crate) time: Option<UnixMillis>,
    pub(crate) priority: u8,
    pub(crate) limit_key: Option<Rc<str>>,
    pub(crate) is_paused: bool,
    pub(crate) policies: Policies,
    pub(crate) replayed_at: Option<UnixMillis>,
    pub(crate) late_since: Option<UnixMillis>,
}

/// The text of a record, which is parsed when it is first needed.
#[derive(Clone, Default)]
pub(crate) struct Stored {
    text: Vec<u8>,
    facts: OnceCell<Facts>,
    firing: OnceCell<Firing>,
}

impl Stored {
    pub(crate) fn new(text: Vec<u8>) -> Rc<Self> {
        Rc::new(Self { text, ..Self::default() })
    }

    pub(crate) fn parse(&self) -> Record<'_> {
        Record::parse(&self.text).expect("a stored record can be parsed")
    }

    pub(crate) fn facts(&self) -> &Facts {
        self.facts.get_or_init(|| {
            let record = self.parse();
            Facts {
                id: record.id.as_ref().into(),
                time: record.time,
                priority: record.priority(),
                limit_key: record.limit_key.as_deref().map(Rc::from),
                is_paused: record.is_paused(),
                policies: record.policies(),
                replayed_at: record.replayed_at,
                late_since: record.late_since,
            }
        })
    }

    /// Returns the firing of the record.
    pub(crate) fn firing(&self) -> Firing {
        *self.firing.get_or_init(|| firing_of(&self.parse()))
    }

    /// Returns the record of a run of this recurring task, which differs only by its time.
    pub(crate) fn occurrence(&self, time: UnixMillis) -> Rc<Self> {
        let mut text = Vec::new();
        write_occurrence(&self.text, time, &mut text);
        let facts = Facts { time: Some(time), ..self.facts().clone() };
        let firing = Firing { time: time.get(), ..self.firing() };
        Rc::new(Self { text, facts: facts.into(), firing: firing.into() })
    }
}

impl Deref for Stored {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.text
    }
}

impl PartialEq for Stored {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.text))
    }
}
