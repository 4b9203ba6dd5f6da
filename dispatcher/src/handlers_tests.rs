use super::*;
use crate::plan::Plan;
use crate::task;
use futures::FutureExt;
use serde::Deserialize;
use worker::wasm_bindgen::{JsCast, JsValue};

#[derive(Deserialize)]
struct Report {
    customer: String,
}

#[task]
async fn plain(_context: TaskContext) -> Result<(), HandlerError> {
    Ok(())
}

/// Returns its arguments as an error.
#[task(name = "report", retries = 5, jitter = 0.5, timeout_seconds = 7)]
async fn make_report(
    context: TaskContext,
    Report { customer }: Report,
) -> Result<(), HandlerError> {
    Err(HandlerError::retry(format!(
        "{} at {}, attempt {}: {customer}",
        context.id, context.time, context.attempt
    )))
}

#[task(cron = "0 9 * * MON", timezone = "Europe/London", retries = 0)]
async fn weekly(_context: TaskContext, payload: Option<Report>) -> Result<(), HandlerError> {
    payload.map_or(Ok(()), |report| Err(HandlerError::permanent(report.customer)))
}

#[task(cron = "@hourly")]
pub(crate) async fn r#move(_context: TaskContext) -> Result<(), HandlerError> {
    Ok(())
}

/// If a function is not compiled, the attribute must generate nothing for it.
#[task]
#[cfg(any())]
async fn not_compiled(_context: TaskContext) -> Result<(), HandlerError> {
    Ok(())
}

/// Runs a task that names a handler. None of these handlers waits, so the task is done at once.
fn run(handlers: &Handlers, fields: &str) -> Outcome {
    let text = format!(
        r#"{{"v":1,"shard":"1-0","seq":1,"firedAt":5,"tasks":[{{"time":5,"id":"a",{fields}}}]}}"#
    );
    let plan = Plan::read(&text).unwrap();
    let crate::plan::Work::Handler(name) = &plan.jobs[0].work else { panic!("not a handler") };
    let env = Rc::new(JsValue::UNDEFINED.unchecked_into::<Env>());
    handlers.run(name, &plan.jobs[0], &env).now_or_never().expect("the handler waits for nothing")
}

#[test]
fn declared_handlers_are_registered() {
    let handlers = Handlers::shipped()
        .with_task::<plain>()
        .with_task::<make_report>()
        .with_task::<weekly>()
        .with_task::<r#move>();
    assert_eq!(handlers.names(), ["log", "noop", "plain", "report", "weekly", "move"]);
    let retries: Vec<_> =
        handlers.retries().into_iter().map(|(name, retry)| (name, retry.get())).collect();
    assert_eq!(
        retries,
        [("report", r#"{"jitter":0.5,"maxAttempts":6}"#), ("weekly", r#"{"maxAttempts":1}"#)]
    );
    let tasks: Vec<_> =
        handlers.tasks().iter().map(|task| (task.id(), task.cron, task.timezone)).collect();
    assert_eq!(
        tasks,
        [
            ("handler:weekly".to_owned(), "0 9 * * MON", Some("Europe/London")),
            ("handler:move".to_owned(), "@hourly", None)
        ]
    );
    assert_eq!(handlers.tasks()[0].retry.map(RawValue::get), Some(r#"{"maxAttempts":1}"#));
    let timeouts: Vec<_> = handlers.entries.iter().map(|handler| handler.timeout_seconds).collect();
    assert_eq!(timeouts, [60, 60, 60, 7, 60, 60]);
}

#[test]
fn the_last_handler_with_a_name_counts() {
    let handlers = Handlers::new().with_task::<weekly>().with("weekly", noop).with("b", noop);
    assert_eq!(handlers.names(), ["weekly", "b"]);
    assert!(handlers.tasks().is_empty() && handlers.retries().is_empty());
    let handlers = Handlers::new().with("weekly", noop).with_task::<weekly>();
    assert_eq!((handlers.names(), handlers.tasks().len()), (vec!["weekly"], 1));
}

#[test]
fn a_payload_is_parsed_as_its_type() {
    let handlers = Handlers::new().with_task::<make_report>().with_task::<weekly>();
    let report = r#""attempt":2,"callback":{"type":"handler","name":"report"}"#;
    assert_eq!(
        run(&handlers, &format!(r#"{report},"payload":{{"customer":"ä"}}"#)),
        Err(HandlerError::retry("a at 5, attempt 2: ä"))
    );
    for bad in ["", r#","payload":{"customer":5}"#, r#","payload":{}"#, r#","payload":"ä""#] {
        let problem = run(&handlers, &format!("{report}{bad}")).unwrap_err();
        assert!(
            problem.is_permanent() && problem.to_string().starts_with("the payload cannot be read"),
            "{bad}: {problem}"
        );
    }
    let weekly = r#""callback":{"type":"handler","name":"weekly"}"#;
    assert_eq!(run(&handlers, weekly), Ok(()), "a task without a payload has null");
    assert_eq!(
        run(&handlers, &format!(r#"{weekly},"payload":{{"customer":"b"}}"#)),
        Err(HandlerError::permanent("b"))
    );
}

#[test]
fn an_unknown_handler_is_retried() {
    let problem =
        run(&Handlers::shipped(), r#""callback":{"type":"handler","name":"report"}"#).unwrap_err();
    assert!(!problem.is_permanent() && problem.to_string().contains("log, noop"), "{problem}");
}

/// The attribute leaves the function in place, so that tests can call it.
#[test]
fn the_function_can_be_called() {
    let context = TaskContext {
        id: "a".to_owned(),
        time: UnixMillis::new(5),
        attempt: 1,
        stage: None,
        outcome_text: "null".to_owned(),
        payload_text: "null".to_owned(),
        env: Rc::new(JsValue::UNDEFINED.unchecked_into::<Env>()),
    };
    let outcome = make_report(context, Report { customer: "b".to_owned() }).now_or_never();
    assert_eq!(outcome, Some(Err(HandlerError::retry("a at 5, attempt 1: b"))));
}
