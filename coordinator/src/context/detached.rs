//! A call whose answer is written after its handler has returned.

use super::{Call, Within};
use crate::bodies::Held;
use crate::clients::shards::Shards;
use crate::sentences::Grammar;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::access::{Holder, Share};
use scheduler_model::calendars::Calendars;
use scheduler_model::schedule::Sentences;
use scheduler_platform::settings::Allowed;
use serde_json::value::RawValue;
use worker::{Env, Request};

/// A [`Call`] without its environment, which the handler only borrows.
pub(crate) struct Detached {
    request: Request,
    body_limit: usize,
    held: Option<Held>,
    holder: Holder,
    shards: Shards,
    share: Option<Share>,
    handlers: Vec<&'static str>,
    handler_retries: Vec<(&'static str, &'static RawValue)>,
    queues: Vec<String>,
    default_callback: Option<Box<RawValue>>,
    allowed: Allowed,
    now: UnixMillis,
    within: Within,
}

impl Call<'_> {
    /// Separates the call from its environment, and returns both.
    pub(crate) fn detach(self) -> (Detached, Env) {
        let detached = Detached {
            request: self.request,
            body_limit: self.body_limit,
            held: self.held,
            holder: self.holder,
            shards: self.shards,
            share: self.share,
            handlers: self.handlers,
            handler_retries: self.handler_retries,
            queues: self.queues,
            default_callback: self.default_callback,
            allowed: self.allowed,
            now: self.now,
            within: self.within,
        };
        (detached, self.env.clone())
    }

    /// Prepares the call for other tasks, which arrive at `now`. The meanings and calendars of the
    /// former ones are dropped.
    pub(crate) fn renew(&mut self, now: UnixMillis) {
        self.now = now;
        self.sentences = Sentences::new(&Grammar);
        self.calendars = Calendars::default();
    }
}

impl Detached {
    /// Returns the call again.
    pub(crate) fn attach(self, env: &Env) -> Call<'_> {
        Call {
            request: self.request,
            env,
            body_limit: self.body_limit,
            held: self.held,
            holder: self.holder,
            shards: self.shards,
            share: self.share,
            handlers: self.handlers,
            handler_retries: self.handler_retries,
            queues: self.queues,
            default_callback: self.default_callback,
            allowed: self.allowed,
            now: self.now,
            within: self.within,
            sentences: Sentences::new(&Grammar),
            calendars: Calendars::default(),
        }
    }
}
