//! Checks that hold for any text given as one task or several. The fuzz target and the ordinary
//! tests share them.

use scheduler_calendar::local_time::Law;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::bounds::MAX_RECORD_BYTES;
use scheduler_model::format::envelope::{Envelope, EnvelopeBuilder};
use scheduler_model::format::page::{Flags, PageBuilder};
use scheduler_model::hosts::Hosts;
use scheduler_model::input::FieldError;
use scheduler_model::numbers::EnvelopeSeq;
use scheduler_model::protocol::NewTime;
use scheduler_model::routing::id_hash;
use scheduler_model::task::{
    Callback, ChangeInput, NewTask, Origin, Record, Targets, Validator, parse_batch, parse_one,
    parse_url,
};
use serde_json::Value;

/// 2025-11-24T16:00:00Z.
const NOW: UnixMillis = UnixMillis::new(1_764_000_000_000);

/// Input: the body of a request, which may be a reschedule.
pub(crate) fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let (queues, services, durable_objects) =
        (["FIRED_TASKS".to_owned()], ["MAIL".to_owned()], ["ROOMS".to_owned()]);
    let targets = Targets {
        handlers: &["log", "noop"],
        queues: &queues,
        services: &services,
        durable_objects: &durable_objects,
        hosts: Hosts::default(),
    };
    let given: Option<Value> = serde_json::from_str(text).ok();
    check_change(text);
    let mut validator = Validator::new(NOW, [7; 16], targets);
    check_one(parse_one(text), &mut validator, given.as_ref());
    for lines in [false, true] {
        let mut validator = Validator::new(NOW, [7; 16], targets);
        match parse_batch(text, lines) {
            Ok(tasks) => tasks.into_iter().for_each(|task| check_one(task, &mut validator, None)),
            Err(error) => check_error(&error),
        }
    }
}

fn check_one<'a>(
    task: Result<NewTask<'a>, FieldError>,
    validator: &mut Validator<'a>,
    given: Option<&Value>,
) {
    let valid = match task.and_then(|task| validator.check(task)) {
        Ok(valid) => valid,
        Err(error) => return check_error(&error),
    };
    let mut text = Vec::new();
    valid.write_record(&Origin::default(), &mut text);
    assert!(text.len() <= MAX_RECORD_BYTES);
    // Some callers join records to lines.
    assert!(!text.contains(&b'\n') && !text.contains(&b'\r'));
    let record = Record::parse(&text).expect("the record of an accepted task can be parsed");
    assert_eq!(record.id, valid.id.as_str());
    assert_eq!(record.schedule().is_recurring(), valid.recurring);
    assert_eq!(record.time.is_some(), !valid.recurring && valid.due != UnixMillis::NEVER);
    if let Some(time) = record.time {
        assert_eq!(record.due(), valid.due);
        assert!(time <= valid.due);
        assert!((UnixMillis::ZERO..=UnixMillis::LAST).contains(&time));
        // The engine reads the time without parsing the rest.
        assert!(text.starts_with(format!("{{\"time\":{time},").as_bytes()));
    }
    if valid.recurring {
        // The shard computes the same schedule that was checked.
        let schedule = record
            .schedule()
            .schedule(id_hash(&record.id))
            .expect("a stored schedule can be parsed");
        assert_eq!(schedule.next_after(NOW).map(|first| first.due), Some(valid.due));
        assert!(schedule.memory_bytes() < 2_048);
    }
    let callback = Callback::parse(record.callback.get()).expect("a stored callback can be parsed");
    assert_eq!(callback.is_queue(), valid.to_queue);
    if let Callback::Webhook(webhook) = &callback {
        // The dispatcher calls what was checked: parsing the URL again yields the same host, and
        // that host passes.
        let url = parse_url(&webhook.url, Hosts::default()).expect("an accepted URL");
        assert_eq!(parse_url(url.as_str(), Hosts::default()).as_ref(), Ok(&url));
    }
    if let Some(given) =
        given.and_then(|given| given.get("payload")).filter(|payload| !payload.is_null())
    {
        let stored = record
            .payload
            .map(|payload| serde_json::from_str::<Value>(payload.get()).expect("JSON"));
        assert_eq!(stored.as_ref(), Some(given));
    }

    // A local time is planned by the current law, and only such a task is marked.
    assert_eq!(record.is_at_local_time(), valid.is_at_local_time);
    assert_eq!(record.moved_by(&Law::default()), None);

    // The record is the same in a page and in an envelope.
    let mut builder = PageBuilder::default();
    let flags = Flags::TASK.with_local(valid.is_at_local_time);
    assert!(
        builder
            .push(id_hash(valid.id.as_str()), valid.due, flags, |out| out.extend_from_slice(&text))
    );
    let pages = builder.finish();
    assert!(pages.iter().all(|page| page.directory.has_local() == valid.is_at_local_time));
    assert_eq!(pages.iter().map(|page| page.body.clone()).collect::<Vec<_>>(), [text.clone()]);
    let mut builder = EnvelopeBuilder::new("1-0", EnvelopeSeq::new(1), NOW, 1);
    builder.push(|out| out.extend_from_slice(&text));
    let envelope = String::from_utf8(builder.finish()).expect("UTF-8");
    let read = Envelope::parse(&envelope).expect("an envelope with an accepted task can be parsed");
    assert_eq!(
        read.tasks.iter().map(|task| task.get().as_bytes()).collect::<Vec<_>>(),
        [text.as_slice()]
    );
}

/// Checks that a new time is sent to shards without a change.
fn check_change(text: &str) {
    let input = match ChangeInput::parse(text, ChangeInput::RESCHEDULE_MANY) {
        Ok(input) => input,
        Err(error) => return check_error(&error),
    };
    match input.new_time(NOW) {
        Ok(to) => {
            assert!((UnixMillis::ZERO..=UnixMillis::LAST).contains(&to.at));
            assert!(to.local.is_none_or(|(local, zone)| local.instant(zone) == Some(to.at)));
            let sent = serde_json::to_string(&to).expect("a time can be encoded");
            assert_eq!(
                serde_json::from_str::<NewTime>(&sent).expect("an encoded time can be parsed"),
                to
            );
        }
        Err(error) => check_error(&error),
    }
}

fn check_error(error: &FieldError) {
    // The field may be empty, because an unknown member may have an empty name.
    assert!(!error.detail.is_empty());
    // An error repeats the caller's text at most in part, except for names of fields.
    assert!(error.detail.len() < 20_000, "{} bytes of detail", error.detail.len());
}
