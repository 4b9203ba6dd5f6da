//! Calls other Workers and Durable Objects through a binding, either by a request to their `fetch`
//! or by RPC.
//!
//! A binding is a JavaScript object with a `fetch` and, for RPC, a property for any name, so this
//! module uses reflection. The value of an RPC property can be called, but it is not a `Function`
//! and has no `call` of its own. Only `Reflect.apply` can call it.

use crate::exchange::{Abort, Judged, attempt, limit_seconds, request, with_head};
use crate::outcome::{Attempt, Outcome, TaskError, of_broken_call, of_timeout};
use crate::plan::Job;
use crate::rules::{Sent, Verdict, judge};
use crate::text::{cut, excerpt};
use scheduler_model::task::{Body, Call, DurableObject, Message, Service, for_consumer};
use scheduler_platform::settings::Allowed;
use scheduler_platform::within;
use std::time::Duration;
use worker::js_sys::{Array, Function, JSON, Object, Promise, Reflect};
use worker::wasm_bindgen::{JsCast, JsValue};
use worker::wasm_bindgen_futures::JsFuture;
use worker::{Env, Response, web_sys};

/// The host of requests through a binding. Nothing resolves it; only the callee sees it.
const ORIGIN: &str = "https://scheduler.internal";
/// The longest name of an object that an error shows, in bytes.
const SHOWN_NAME_BYTES: usize = 64;

/// Calls another Worker, and returns the attempt.
pub(crate) async fn call_service(
    job: &Job<'_>,
    service: &Service<'_>,
    env: &Env,
    allowed: &Allowed,
) -> Attempt {
    let target = format!("service {}", service.binding);
    let object = find(env, &service.binding, &allowed.services);
    call(job, &target, object, &service.call, service.timeout_seconds).await
}

/// Calls a Durable Object, and returns the attempt.
pub(crate) async fn call_object(
    job: &Job<'_>,
    object: &DurableObject<'_>,
    env: &Env,
    allowed: &Allowed,
) -> Attempt {
    let target =
        format!("Durable Object {}:{}", object.binding, cut(&object.name, SHOWN_NAME_BYTES));
    let stub = find(env, &object.binding, &allowed.durable_objects).and_then(|namespace| {
        invoke(&namespace, "getByName", &Array::of1(&JsValue::from_str(&object.name))).map_err(
            |problem| TaskError::retry(format!("{target} cannot be reached: {}", shown(&problem))),
        )
    });
    call(job, &target, stub, &object.call, object.timeout_seconds).await
}

/// Returns the object behind `binding`. If the binding is missing, or tasks may not use it, the
/// failure is retried, because the next deployment may have the binding.
fn find(env: &Env, binding: &str, allowed: &[String]) -> Result<JsValue, TaskError> {
    let found = || {
        Reflect::get(env, &JsValue::from_str(binding)).ok().filter(|found| !found.is_undefined())
    };
    let is_allowed = allowed.iter().any(|known| known == binding);
    is_allowed.then(found).flatten().ok_or_else(|| {
        let known = allowed.join(", ");
        TaskError::retry(format!(
            "this deployment has no binding {binding:?} for tasks; it has: {known}"
        ))
    })
}

async fn call(
    job: &Job<'_>,
    target: &str,
    object: Result<JsValue, TaskError>,
    call: &Call<'_>,
    seconds: u32,
) -> Attempt {
    let object = match object {
        Ok(object) => object,
        Err(problem) => return Err(problem).into(),
    };
    match call {
        Call::Request { path, message } => {
            let target = format!("{target}{path}");
            attempt(seconds, &target, fetch(job, &target, &object, path, message)).await
        }
        Call::Function { name, argument } => {
            let target = format!("{target}.{name}()");
            call_function(job, &target, &object, name, argument.as_ref(), seconds).await.into()
        }
    }
}

async fn fetch(
    job: &Job<'_>,
    target: &str,
    object: &JsValue,
    path: &str,
    message: &Message<'_>,
) -> Result<Judged, TaskError> {
    let url = format!("{ORIGIN}{path}");
    let request =
        request(job, message, &url, &job.content(message), true, None).map_err(|problem| {
            TaskError::permanent(format!("the request cannot be built: {problem}"))
        })?;
    let abort = Abort::new();
    let failed = |problem: JsValue| of_broken_call(&shown(&problem), target);
    let init = Object::new();
    let signal: &web_sys::AbortSignal = &abort.signal();
    Reflect::set(&init, &JsValue::from_str("signal"), signal).map_err(failed)?;
    let request = request.inner();
    let promise = invoke(object, "fetch", &Array::of2(request, &init)).map_err(failed)?;
    let response = JsFuture::from(Promise::resolve(&promise)).await.map_err(failed)?;
    let response = Response::from(response.unchecked_into::<web_sys::Response>());
    let policy = job.policy();
    let sent = Sent { target, method: message.method, policy: &policy, hop: None };
    let failure = match with_head(&response, |answer| judge(answer, &sent)) {
        Verdict::Success => None,
        Verdict::Failure(problem) => Some(problem),
        // `Verdict::Follow` needs a `hop`, and a request through a binding has none.
        Verdict::Follow(_) => Some(TaskError::retry(format!("{target} answered with a redirect"))),
    };
    Ok(Judged { status: response.status_code(), failure, response, abort })
}

/// Calls a function. The attempt succeeds if the function returns, whatever its result, and fails
/// if the function throws.
async fn call_function(
    job: &Job<'_>,
    target: &str,
    object: &JsValue,
    name: &str,
    argument: Option<&Body<'_>>,
    seconds: u32,
) -> Outcome {
    let failed = |problem: JsValue| {
        TaskError::retry(format!("{target} failed")).saying(&excerpt(shown(&problem).as_bytes()))
    };
    let argument = match argument {
        None => JSON::parse(&for_consumer(job.text)),
        Some(Body::Json(json)) => JSON::parse(json),
        Some(Body::Text(text)) => Ok(JsValue::from_str(text)),
    };
    let argument = argument.map_err(|problem| {
        TaskError::permanent(format!("the argument cannot be read: {}", shown(&problem)))
    })?;
    let promise = invoke(object, name, &Array::of1(&argument)).map_err(failed)?;
    let seconds = limit_seconds(seconds);
    match within(Duration::from_secs(seconds.into()), JsFuture::from(Promise::resolve(&promise)))
        .await
    {
        Some(Ok(_)) => Ok(()),
        Some(Err(problem)) => Err(failed(problem)),
        None => Err(of_timeout(seconds, target)),
    }
}

fn invoke(object: &JsValue, name: &str, arguments: &Array) -> Result<JsValue, JsValue> {
    let function: Function = Reflect::get(object, &JsValue::from_str(name))?.unchecked_into();
    Reflect::apply(&function, object, arguments)
}

/// Returns what the callee threw, as text: the message of an error, or a string.
fn shown(problem: &JsValue) -> String {
    let message = Reflect::get(problem, &JsValue::from_str("message"))
        .ok()
        .and_then(|message| message.as_string());
    message.or_else(|| problem.as_string()).unwrap_or_else(|| format!("{problem:?}"))
}
