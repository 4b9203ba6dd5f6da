use super::*;
use crate::{Config, Snapshot};
use scheduler_model::format::page::{Flags, Page};
use scheduler_model::protocol::{Detail, Done};
use serde_json::{Value, json};

const FIRED: UnixMillis = UnixMillis::new(1_764_000_000_000);
const NOW: UnixMillis = UnixMillis::new(1_764_000_005_000);

fn text(id: &str, more: &str) -> String {
    format!(
        r#"{{"time":5,"id":"{id}","callback":{{"type":"webhook","url":"https://a.example"}},{more}"payload":7,"priority":9}}"#
    )
}

/// Returns the entries and records of the follow-ups of these runs.
fn follow(report: &Report, tasks: &[(Record<'_>, Ended<'_>)]) -> Vec<(Flags, UnixMillis, Value)> {
    let mut engine = Engine::load("1-0", Config::default(), Snapshot::default()).unwrap();
    let mut remains = Remains::default();
    engine.follow_up(FIRED, Some(report), tasks, NOW, &mut remains);
    let of_page = |page: Page| -> Vec<(Flags, UnixMillis, Value)> {
        let record = |offset: u32, len: u32| &page.body[offset as usize..(offset + len) as usize];
        page.directory
            .iter()
            .map(|entry| {
                (
                    entry.flags,
                    entry.due,
                    serde_json::from_slice(record(entry.offset, entry.len)).unwrap(),
                )
            })
            .collect()
    };
    remains.back.into_pages().flat_map(|(_, page)| of_page(page)).collect()
}

#[test]
fn the_end_of_a_run_adds_the_follow_up_that_its_task_names() {
    let targets =
        r#""onSuccess":{"type":"queue","queue":"Q"},"onFailure":{"type":"handler","name":"log"},"#;
    let (both, none, again) = (
        text("a", targets),
        text("b", ""),
        text("c", &format!(r#"{targets}"attempt":2,"error":"no","#)),
    );
    let record = |text: &'static str| Record::parse(text.as_bytes()).unwrap();
    let (both, none, again): (&'static str, &'static str, &'static str) =
        (both.leak(), none.leak(), again.leak());
    let failed = |dead| Ended::Failed { dead, error: "HTTP 500".into() };
    let tasks = [
        (record(both), Ended::Well),
        (record(none), Ended::Well),
        (record(both), failed(false)),
        (record(again), failed(true)),
        (record(both), Ended::NotStarted),
    ];
    let report = Report {
        done: vec![Done { index: 0, status: Some(204), started_at: FIRED.plus(30), millis: 12 }],
        details: vec![Detail {
            index: 3,
            status: Some(500),
            started_at: FIRED.plus(40),
            millis: 5,
            excerpt: "down".to_owned(),
        }],
        ..Report::default()
    };
    let (ended, fired) = (NOW.get(), FIRED.get());
    let follow_up = |id: &str, callback: Value, stage: &str, outcome: Value| {
        json!({
            "time": 5, "id": id, "callback": callback, "payload": 7, "priority": 9, "stage": stage, "outcome": outcome
        })
    };
    let succeeded = json!({
        "time": 5, "attempt": 1, "firedAt": fired, "startedAt": fired + 30, "finishedAt": fired + 42, "reportedAt": ended,
        "outcome": "succeeded", "status": 204
    });
    let dead = json!({
        "time": 5, "attempt": 2, "firedAt": fired, "startedAt": fired + 40, "finishedAt": fired + 45, "reportedAt": ended,
        "outcome": "dead-lettered", "status": 500, "error": "HTTP 500", "excerpt": "down"
    });
    let retry = Flags::RETRY.with_priority(9);
    assert_eq!(
        follow(&report, &tasks),
        [
            (
                retry.and(Flags::TO_QUEUE),
                NOW,
                follow_up("a", json!({"type":"queue","queue":"Q"}), "onSuccess", succeeded)
            ),
            (retry, NOW, follow_up("c", json!({"type":"handler","name":"log"}), "onFailure", dead)),
        ]
    );
}

#[test]
fn a_follow_up_has_no_follow_up() {
    let tasks =
        [(Ended::Well, "onSuccess"), (Ended::Failed { dead: true, error: "".into() }, "onFailure")]
            .map(|(ended, stage)| {
                let text =
                    text("a", &format!(r#""stage":"{stage}","outcome":{{"reportedAt":5}},"#));
                (Record::parse(text.leak().as_bytes()).unwrap(), ended)
            });
    assert_eq!(follow(&Report::default(), &tasks), []);
}
