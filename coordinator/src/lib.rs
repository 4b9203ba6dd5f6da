//! The Worker: the HTTP API, authentication, and the routing of tasks to shards.
//!
//! In scope: routes, API keys, the document of the API, requests to the Durable Objects, the
//! watchdog, and all entry points of the platform. The build silently omits an entry point of a
//! library that this crate does not name. Not in scope: the form of requests (see the model), the
//! state of tasks (see the shard), and running tasks (see the dispatcher).
#![expect(
    missing_docs,
    reason = "the macro of the Durable Object writes public methods without any"
)]

mod auth;
mod bodies;
mod clients;
mod conditions;
mod context;
mod cursors;
mod example_handlers;
mod handlers;
mod jobs;
mod mcp;
mod openapi;
mod problem;
mod request_id;
mod response;
mod router;
mod routes;
mod sentences;
mod tools;

use clients::{deployment, registry};
use jobs::{calendars, handler_tasks, watchdog};
use scheduler_calendar::time::UnixMillis;
use scheduler_dispatcher::Handlers;
use scheduler_platform::settings;
use scheduler_shard::Shell;
use worker::{
    Context, DurableObject, Env, MessageBatch, Request, Response, Result, ScheduleContext,
    ScheduledEvent, State,
};
use worker::{durable_object, event, wasm_bindgen};

/// Returns the Rust functions that tasks may name as their callback. Register your own here, one
/// per line: `.with_task::<yours>()`.
fn handlers(env: &Env) -> Handlers {
    let handlers = Handlers::shipped();
    example_handlers::add_to(handlers, &settings::example_handlers(env))
}

#[event(fetch, respond_with_errors)]
async fn fetch(request: Request, env: Env, context: Context) -> Result<Response> {
    handler_tasks::on_request(&env, handlers, &context);
    let answer = router::handle(request, &env, &handlers(&env)).await;
    let uses = registry::take_uses();
    if !uses.is_empty() {
        context.wait_until(async move { registry::send_uses(&env, uses).await });
    }
    answer.into_response()
}

/// The entry point of the dispatcher. The SDK's attribute for it hides how often the queue has
/// delivered a message, and returns a promise that stays open if a panic ends the program.
mod dispatch_queue {
    use super::{Env, MessageBatch, deployment, handlers};
    use scheduler_platform::until_end;
    use worker::js_sys::Promise;
    use worker::wasm_bindgen::prelude::wasm_bindgen;
    use worker::worker_sys;

    #[expect(unreachable_pub, reason = "the attribute exports it from the wasm")]
    #[wasm_bindgen(wasm_bindgen = ::worker::wasm_bindgen)]
    pub fn queue(
        event: worker_sys::MessageBatch,
        env: Env,
        _context: worker_sys::Context,
    ) -> Promise {
        until_end(async move |end| {
            let deliveries = scheduler_dispatcher::deliveries(&event);
            let batch = MessageBatch::<String>::from(event);
            // A report would go to a shard that has not sent the envelope.
            if let Err(problem) = deployment::settle(&env).await {
                worker::console_error!("dispatcher: {}", problem.detail);
                batch.retry_all();
            } else {
                let handlers = handlers(&env);
                scheduler_dispatcher::consume(batch, &deliveries, &env, &handlers, end).await;
            }
        })
    }
}

#[event(scheduled)]
async fn scheduled(event: ScheduledEvent, env: Env, _context: ScheduleContext) {
    if let Err(problem) = deployment::settle(&env).await {
        return worker::console_error!("watchdog: {}", problem.detail);
    }
    // The scheduled time has no delay, so no round is left out or repeated.
    let round = watchdog::run(&env, UnixMillis::new(event.schedule() as i64)).await;
    handler_tasks::watch(&env, &handlers(&env), &round).await;
}

/// The Durable Object of a shard; see [`scheduler_shard`].
#[durable_object(alarm)]
pub struct Shard {
    shell: Shell,
}

impl DurableObject for Shard {
    fn new(state: State, env: Env) -> Self {
        Self { shell: Shell::new(state, env) }
    }

    async fn fetch(&self, request: Request) -> Result<Response> {
        self.shell.fetch(request).await
    }

    async fn alarm(&self) -> Result<Response> {
        self.shell.alarm().await;
        Response::empty()
    }
}

/// The Durable Object of the registry, with keys, namespaces and calendars; see
/// [`scheduler_registry`].
#[durable_object(alarm)]
pub struct Registry {
    shell: scheduler_registry::Shell,
    env: Env,
}

impl DurableObject for Registry {
    fn new(state: State, env: Env) -> Self {
        Self { shell: scheduler_registry::Shell::new(&state), env }
    }

    async fn fetch(&self, request: Request) -> Result<Response> {
        self.shell.fetch(request).await
    }

    async fn alarm(&self) -> Result<Response> {
        calendars::run(&self.env, &self.shell).await?;
        Response::empty()
    }
}

/// The Durable Object of a limiter, for concurrency and rate; see [`scheduler_limiter`].
#[durable_object(fetch)]
pub struct Limiter {
    shell: scheduler_limiter::Shell,
}

impl DurableObject for Limiter {
    fn new(state: State, _env: Env) -> Self {
        Self { shell: scheduler_limiter::Shell::new(&state) }
    }

    async fn fetch(&self, request: Request) -> Result<Response> {
        self.shell.fetch(request).await
    }
}
