//! Handles the queue event of the platform.

use crate::executor::{Host, LastReport, execute};
use crate::handlers::Handlers;
use crate::outcome::Attempt;
use crate::plan::{Job, Plan, PlanError, Work};
use crate::signature::Keys;
use crate::stale;
use crate::subrequests::{Subrequests, max_envelopes};
use crate::window::start_window_millis;
use crate::{binding, last_words, report, webhook};
use scheduler_calendar::time::UnixMillis;
use scheduler_model::namespace::ShardName;
use scheduler_model::protocol::{Report, SHARDS_BINDING};
use scheduler_platform::settings::{self, Allowed};
use scheduler_platform::{AtEnd, Objects, now};
use std::rc::Rc;
use worker::js_sys::Reflect;
use worker::wasm_bindgen::JsValue;
use worker::worker_sys;
use worker::{Env, MessageBatch, MessageExt, RawMessage, console_error};

/// Runs the tasks of a batch of envelopes, reports them to their shards, and acknowledges or
/// returns each message separately. It never fails, because an error would return all messages.
/// `deliveries` has the number of the current delivery of each message: see [`deliveries`]. `end`
/// rejects the promise of the invocation when the program ends. See the crate's description.
pub async fn consume(
    batch: MessageBatch<String>,
    deliveries: &[u32],
    env: &Env,
    handlers: &Handlers,
    end: Rc<AtEnd>,
) {
    last_words::listen();
    let begun = now();
    let shards = match Objects::bound(env, SHARDS_BINDING) {
        Ok(shards) => shards,
        Err(problem) => {
            console_error!("dispatcher: no report can be sent: {problem}");
            batch.retry_all();
            return;
        }
    };
    // This uses the raw bodies, because envelopes are sent as text, which the typed iterator cannot
    // read.
    let received: Vec<(RawMessage, Option<String>)> = batch
        .raw_iter()
        .map(|message| {
            let text = message.body().as_string();
            (message, text)
        })
        .collect();
    let visibility_millis = settings::visibility_millis(env);
    // Copies count too, because their shards are asked about them.
    let mut room = max_envelopes(settings::subrequests(env));
    let mut plans = Vec::with_capacity(received.len());
    let mut envelopes = Vec::with_capacity(received.len());
    for (at, (message, text)) in received.iter().enumerate() {
        let delivery = deliveries.get(at).copied().unwrap_or(1);
        if room == 0 {
            message.retry();
            continue;
        }
        match text.as_deref().ok_or(PlanError::NotText).and_then(Plan::read) {
            Ok(mut plan) => {
                room -= 1;
                let sent_at = UnixMillis::new(message.timestamp().as_millis() as i64);
                let is_copy = plans.iter().any(|other: &Plan<'_>| plan.is_copy_of(other));
                if is_copy
                    || (delivery > 1 || begun.since(sent_at) >= visibility_millis)
                        && stale::is_done(&shards, &plan.shard, plan.seq()).await
                {
                    message.ack();
                    continue;
                }
                plan.narrow(delivery);
                envelopes.push((message, plan.shard.clone()));
                plans.push(plan);
            }
            Err(problem) => {
                console_error!(
                    "dispatcher: message {} is returned to the queue: {problem}",
                    message.id()
                );
                message.retry();
            }
        }
    }
    let (allowed, keys) = (Allowed::read(env), signing_keys(env));
    let platform =
        Platform { env: Rc::new(env.clone()), shards, handlers, allowed, keys, envelopes, end };
    let subrequests = Subrequests::of(settings::subrequests(env), plans.len());
    execute(&platform, plans, begun.plus(start_window_millis(visibility_millis)), subrequests)
        .await;
}

/// Returns the number of the current delivery of each message of a batch, from 1. The SDK does not
/// read it.
pub fn deliveries(batch: &worker_sys::MessageBatch) -> Vec<u32> {
    let messages = batch.messages().unwrap_or_default();
    let attempts = |message| Reflect::get(&message, &JsValue::from_str("attempts")).ok()?.as_f64();
    // If the runtime does not give the number, this is taken to be the first delivery.
    messages.iter().map(|message| attempts(message).map_or(1, |number| number as u32)).collect()
}

struct Platform<'a> {
    env: Rc<Env>,
    shards: Objects,
    handlers: &'a Handlers,
    allowed: Allowed,
    keys: Keys,
    /// The messages, each with the shard that receives its report.
    envelopes: Vec<(&'a RawMessage, ShardName)>,
    end: Rc<AtEnd>,
}

impl Host for Platform<'_> {
    fn now(&self) -> UnixMillis {
        now()
    }

    async fn run(&self, job: Job<'_>) -> Attempt {
        match &job.work {
            Work::Webhook(webhook) => webhook::call(&job, webhook, &self.allowed, &self.keys).await,
            Work::Service(service) => {
                binding::call_service(&job, service, &self.env, &self.allowed).await
            }
            Work::DurableObject(object) => {
                binding::call_object(&job, object, &self.env, &self.allowed).await
            }
            Work::Handler(name) => self.handlers.run(name, &job, &self.env).await.into(),
        }
    }

    async fn report(&self, envelope: usize, report: Report) {
        let Some((message, shard)) = self.envelopes.get(envelope) else { return };
        if let Err(problem) = report::send(&self.shards, shard, &report).await {
            console_error!(
                "dispatcher: envelope {} of shard {shard} could not be reported; the shard will send it again: {problem}",
                report.seq
            );
        }
        // The message is acknowledged in either case: see "Acknowledgement" in the crate's
        // description.
        message.ack();
    }

    fn last_report(&self, envelope: usize) -> LastReport {
        let shard = self.envelopes.get(envelope).map(|(_, shard)| shard.clone());
        let (shards, end) = (self.shards.clone(), Rc::clone(&self.end));
        Rc::new(move |report| {
            let Some(shard) = &shard else { return };
            match report::send_last(&shards, shard, report) {
                // The runtime drops the requests of an invocation that has ended.
                Ok(sent) => end.call_after(&sent),
                Err(problem) => {
                    console_error!("dispatcher: the last report was not sent: {problem}");
                }
            }
        })
    }
}

/// Reads the keys that sign webhooks, and logs each key that is invalid.
fn signing_keys(env: &Env) -> Keys {
    let (keys, problems) = Keys::read(&settings::webhook_signing_keys(env));
    for problem in problems {
        console_error!(
            "{}: {problem}; a key is whsec_ and 24 to 64 bytes in base64",
            settings::WEBHOOK_SIGNING_KEYS
        );
    }
    keys.shared_by(settings::shared_key_namespaces(env))
}
