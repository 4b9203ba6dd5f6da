//! The messages between the Workers, as the version of November 2026 writes them.
//!
//! While a deploy is rolled out, a Worker of one version meets objects of another. So each version
//! must read what the version before it writes, and write what that one reads. These vectors never
//! change: a later version adds its own messages below, and passes all of them. If it writes a
//! message differently, the test of what is written fails, and the author decides whether the
//! earlier version can read it.

#![allow(clippy::expect_used, reason = "a failed assumption ends the test")]

use scheduler_model::access::{MapAnswer, MapQuestion};
use scheduler_model::dead_letter::DeadLetterId;
use scheduler_model::explain::Explanation;
use scheduler_model::forecast::Buckets;
use scheduler_model::protocol::{
    AmongRequest, CancelMatchingReply, CancelMatchingRequest, CancelReply, CancelRequest,
    ChangeMatchingReply, ChangeMatchingRequest, ChangeReply, ChangeRequest, CountReply,
    CountRequest, DeadLettersReply, DeadLettersRequest, EventsReply, EventsRequest, ForecastReply,
    GetRequest, GroupsReply, ListItem, ListReply, ListRequest, OutboxRequest, PurgeReply,
    PurgeRequest, Report, RunRequest, RunsReply, RunsRequest, SeriesReply, SeriesRequest,
    ShardError, ShardStats, WatchReply, WatchRequest,
};
use scheduler_model::protocol::{limiter, paths};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A message: where it is sent, its text, and the members that a version before may leave out.
struct Vector {
    name: String,
    text: &'static str,
    optional: &'static [&'static str],
    again: fn(&str) -> Result<String, String>,
}

fn vector<T: Serialize + DeserializeOwned>(
    name: impl Into<String>,
    text: &'static str,
    optional: &'static [&'static str],
) -> Vector {
    let again = |text: &str| {
        let message: T = serde_json::from_str(text).map_err(|problem| problem.to_string())?;
        serde_json::to_string(&message).map_err(|problem| problem.to_string())
    };
    Vector { name: name.into(), text, optional, again }
}

/// The messages to shards and their answers.
fn of_shards() -> Vec<Vector> {
    let to = |path: &str| format!("to {path}");
    let from = |path: &str| format!("from {path}");
    vec![
        vector::<GetRequest>(to(paths::GET), r#"{"id":"a"}"#, &[]),
        vector::<Option<ListItem>>(from(paths::GET), "null", &[]),
        vector::<Option<ListItem>>(
            from(paths::GET),
            r#"{"position":{"due":5,"page":1,"index":0},"due":7,"status":"running","is_running":true,"is_attempt":true,"is_cancelled":false,"record":{"id":"a","time":5}}"#,
            &["due", "is_running", "is_attempt", "is_cancelled"],
        ),
        vector::<AmongRequest<CancelRequest>>(
            to(paths::CANCEL),
            r#"{"among":"live","share":{"pending_tasks":1,"create_micros":2,"of":{}},"by":"ops","ids":["a"],"ifMatch":3}"#,
            &["among", "share", "by", "ifMatch"],
        ),
        vector::<CancelReply>(
            from(paths::CANCEL),
            r#"{"outcomes":["cancelled","alreadyFired","notFound","otherVersion"],"running":[0],"in_part":true}"#,
            &["running", "in_part"],
        ),
        vector::<ListRequest>(
            to(paths::LIST),
            r#"{"filter":{"prefix":"p","text":"t","tag":"x","callbackHost":"a.example","callbackType":"durable-object","error":"e","lastOutcome":"dead-lettered","kind":"no-schedule","status":"dead-lettered","paused":true},"after":{"due":5,"page":1,"index":2},"limit":10,"max_bytes":100,"max_read":200}"#,
            &["max_bytes", "max_read"],
        ),
        vector::<ListReply>(
            from(paths::LIST_FROM_THE_END),
            r#"{"items":[],"next":{"due":5,"page":1,"index":2},"total":9,"searched":3}"#,
            &["total", "searched"],
        ),
        vector::<CancelMatchingRequest>(
            to(paths::CANCEL_MATCHING),
            r#"{"filter":{},"after":null,"limit":10,"by":"ops"}"#,
            &["by"],
        ),
        vector::<CancelMatchingReply>(
            from(paths::CANCEL_MATCHING),
            r#"{"cancelled":4,"running":1,"next":null}"#,
            &["running"],
        ),
        vector::<AmongRequest<ChangeRequest>>(
            to(paths::CHANGE),
            r#"{"among":"all","ids":["a"],"change":"pause","ifMatch":null,"pause":{"by":"ops","note":"why"}}"#,
            &["among", "pause"],
        ),
        vector::<AmongRequest<ChangeRequest>>(
            to(paths::CHANGE),
            r#"{"among":"dead","ids":["a"],"change":{"reschedule":5},"ifMatch":7}"#,
            &["among"],
        ),
        vector::<ChangeReply>(
            from(paths::CHANGE),
            r#"{"outcomes":["changed","unchanged","notApplicable","tooManyRuns","tooLarge","otherVersion","alreadyFired","notFound"],"running":[1],"inPart":true}"#,
            &["running", "inPart"],
        ),
        vector::<AmongRequest<RunRequest>>(
            to(paths::RUN),
            r#"{"among":"all","ids":["a"],"ifMatch":null,"payload":"{\"a\":1}"}"#,
            &["among"],
        ),
        vector::<ChangeMatchingRequest>(
            to(paths::CHANGE_MATCHING),
            r#"{"tasks":{"filter":{},"after":null,"limit":10},"change":"resume","share":{"pending_tasks":null,"create_micros":null,"of":{}},"pause":{}}"#,
            &["share", "pause"],
        ),
        vector::<ChangeMatchingReply>(
            from(paths::CHANGE_MATCHING),
            r#"{"changed":4,"running":1,"next":null}"#,
            &[],
        ),
        vector::<CountRequest>(
            to(paths::COUNT),
            r#"{"tasks":{"filter":{},"after":null,"limit":10},"change":"run"}"#,
            &["change"],
        ),
        vector::<CountReply>(
            from(paths::COUNT),
            r#"{"count":4,"running":1,"next":null,"first":[]}"#,
            &[],
        ),
        vector::<DeadLetterId>(to(paths::DEAD_LETTER), r#""1764000000123-1764000000000r-a""#, &[]),
        vector::<DeadLettersRequest>(
            to(paths::REPLAY),
            r#"{"letters":["1764000000123-1764000000000r-a"],"changed":{"callback":"{}","payload":"1"}}"#,
            &["changed"],
        ),
        vector::<DeadLettersReply>(
            from(paths::DISCARD),
            r#"{"outcomes":["done","notFound","tooLarge"]}"#,
            &[],
        ),
        vector::<RunsRequest>(
            to(paths::RUNS),
            r#"{"id":"a","before":{"row":3,"place":1},"limit":10,"filter":{"outcomes":6,"target":"a.example","tags":["x"],"prefix":"p","from":1,"to":2,"error":"e"},"maxBytes":100,"maxRows":5}"#,
            &["id", "filter", "maxBytes", "maxRows"],
        ),
        vector::<RunsReply>(
            from(paths::RUNS),
            r#"{"items":[{"position":{"row":3,"place":1},"reportedAt":9,"run":{"outcome":"succeeded"}}],"next":null,"start":{"row":1,"place":0},"backTo":5,"attempts":7}"#,
            &["next", "start", "backTo", "attempts"],
        ),
        vector::<GroupsReply>(
            from(paths::ERRORS),
            r#"{"groups":[{"pattern":"HTTP 500","count":2,"first":1,"last":2,"example":{"id":"a"}}],"next":null,"start":null,"backTo":null,"attempts":7}"#,
            &["next", "start", "backTo", "attempts"],
        ),
        vector::<Explanation>(
            from(paths::EXPLAIN),
            r#"{"status":"scheduled","createdAt":5,"updatedAt":6,"reasons":[{"code":"put-off","detail":"d"}],"inFlight":[],"recentRuns":[]}"#,
            &["createdAt", "updatedAt"],
        ),
        vector::<EventsRequest>(
            to(paths::EVENTS),
            r#"{"from":{"life":4,"next":2},"id":"a","tag":"x","kind":"circuit-half-open","limit":5,"maxBytes":100,"waitMillis":9,"key":1,"reader":2}"#,
            &["maxBytes", "key", "reader"],
        ),
        vector::<EventsReply>(
            from(paths::EVENTS),
            r#"{"events":[{"number":1,"kind":"handed-over","at":5,"id":"a","tags":["x"],"time":4,"stage":"onFailure","attempt":2,"error":"e","destination":"a.example"}],"next":{"life":4,"next":2},"isGap":true,"hasMore":true}"#,
            &["hasMore"],
        ),
        vector::<Report>(
            to(paths::REPORT),
            r#"{"seq":42,"firedAt":5,"failed":[{"index":1,"error":"no","permanent":true,"notBefore":9,"waitMillis":4}],"notStarted":[2],"expired":[4],"noAnswer":[1],"details":[{"index":1,"status":503,"startedAt":5,"millis":7,"excerpt":"busy"}],"done":[[0,204,5,12]],"quickAt":5}"#,
            &[
                "firedAt",
                "failed",
                "notStarted",
                "expired",
                "noAnswer",
                "details",
                "done",
                "quickAt",
            ],
        ),
        vector::<OutboxRequest>(to(paths::OUTBOX), r#"{"seq":42}"#, &[]),
        vector::<bool>(from(paths::OUTBOX), "true", &[]),
        vector::<ShardStats>(
            from(paths::STATS),
            r#"{"lastEnvelope":1,"pending":2,"inFlight":3,"schedules":4,"unscheduled":5,"paused":6,"deadLetters":7,"overdue":8,"waitingForLimits":9,"memoryBytes":10,"counters":{"created":1,"replaced":2,"cancelled":3,"fired":4,"succeeded":5,"handedOver":6,"failed":7,"followUpsSucceeded":8,"followUpsFailed":9,"deadLettered":10,"deadLettersDisplaced":11,"skipped":12,"expired":13,"redelivered":14,"repairs":15},"lateness":{"buckets":[1,2],"max":1},"meter":{"rowsRead":1,"rowsWritten":2,"alarmsSet":3,"shardRequests":4,"queueOperations":5,"firingsSaved":6},"circuits":[{"destination":"a.example","state":"half-open","since":1,"until":2,"failures":3,"waiting":4}]}"#,
            &["lastEnvelope", "waitingForLimits", "circuits"],
        ),
        vector::<SeriesRequest>(to(paths::SERIES), r#"{"by":"minute"}"#, &[]),
        vector::<SeriesReply>(from(paths::SERIES), r#"{"series":"x"}"#, &[]),
        vector::<Buckets>(
            to(paths::FORECAST),
            r#"{"from":0,"to":7200000,"bucketMillis":3600000}"#,
            &[],
        ),
        vector::<ForecastReply>(
            from(paths::FORECAST),
            r#"{"oneShot":[1,2],"recurring":[3,4],"countedUntil":7200000}"#,
            &[],
        ),
        vector::<Option<PurgeRequest>>(to(paths::PURGE), r#"{"lastEnvelope":3}"#, &[]),
        vector::<Option<PurgeRequest>>(to(paths::PURGE), "null", &[]),
        vector::<PurgeReply>(from(paths::PURGE), r#"{"tasks":0,"done":true}"#, &[]),
        vector::<Option<WatchRequest>>(to(paths::WATCH), r#"{"inFull":true}"#, &["inFull"]),
        vector::<Option<WatchRequest>>(to(paths::WATCH), "null", &[]),
        vector::<WatchReply>(from(paths::WATCH), r#"{"next_wakeup":5,"repaired":true}"#, &[]),
        vector::<ShardError>(
            "a refusal",
            r#"{"kind":"key-reused","detail":"d","retry_after_seconds":3}"#,
            &["retry_after_seconds"],
        ),
    ]
}

/// The messages to limiters and to the registry, and their answers.
fn of_others() -> Vec<Vector> {
    vec![
        vector::<limiter::LimiterRequest>(
            "to a limiter",
            r#"{"key":"k","shard":"1-0","ask":{"number":[1,2],"slots":3,"inFlight":4,"waiting":5,"conversation":[6,7]}}"#,
            &[],
        ),
        vector::<Option<limiter::Answer>>(
            "from a limiter",
            r#"{"number":[1,2],"slots":3,"target":4,"tokens":5,"retryAfterMillis":6,"conversation":[7,8]}"#,
            &["conversation"],
        ),
        vector::<MapQuestion>("to the registry", r#"{"map":"8,32","is_checked":true}"#, &[]),
        vector::<MapAnswer>("from the registry", r#""settled""#, &[]),
        vector::<MapAnswer>("from the registry", r#"{"changed":"16"}"#, &[]),
        vector::<MapAnswer>("from the registry", r#""unknown""#, &[]),
    ]
}

fn all() -> impl Iterator<Item = Vector> {
    of_shards().into_iter().chain(of_others())
}

fn value(text: &str) -> Value {
    serde_json::from_str(text).expect("a vector is JSON")
}

/// Today's reader reads the message, and today's writer writes it as it was.
#[test]
fn messages_are_read_and_written_as_before() {
    for Vector { name, text, again, .. } in all() {
        let written = again(text).unwrap_or_else(|problem| panic!("{name}: {text}: {problem}"));
        assert_eq!(value(&written), value(text), "{name}");
    }
}

/// A version before this one leaves these members out.
#[test]
fn messages_without_later_members_are_read() {
    for Vector { name, text, optional, again } in all() {
        for member in optional {
            let mut without = value(text);
            assert!(without.as_object_mut().unwrap().remove(*member).is_some(), "{name}: {member}");
            if let Err(problem) = again(&without.to_string()) {
                panic!("{name} without {member}: {problem}");
            }
        }
    }
}

/// A later version adds members, which must not stop this one.
#[test]
fn members_of_a_later_version_are_ignored() {
    for Vector { name, text, again, .. } in all() {
        // Only structures get members.
        let Value::Object(mut later) = value(text) else { continue };
        if name == "from the registry" {
            continue;
        }
        later.insert("ofALaterVersion".to_owned(), serde_json::json!([1]));
        let written = again(&Value::Object(later).to_string())
            .unwrap_or_else(|problem| panic!("{name}: {problem}"));
        assert_eq!(value(&written), value(text), "{name}");
    }
}

/// A filter with a part that nobody checks would select other tasks, so it is refused.
#[test]
fn a_filter_of_a_later_version_is_refused() {
    let text = r#"{"filter":{"ofALaterVersion":1},"after":null,"limit":10}"#;
    let problem = serde_json::from_str::<ListRequest>(text).unwrap_err().to_string();
    assert!(problem.contains("unknown field `ofALaterVersion`"), "{problem}");
}

/// A path without a vector would be tested by nobody. Appends are binary, and have vectors in
/// `protocol/append.rs`.
#[test]
fn every_path_has_a_vector() {
    let source = include_str!("../src/protocol/mod.rs");
    let paths: Vec<&str> = source
        .lines()
        .filter_map(|line| line.trim().strip_prefix("pub const ")?.split_once("&str = \"/"))
        .filter_map(|(_, path)| path.strip_suffix("\";"))
        .collect();
    assert!(paths.len() > 20, "{paths:?}");
    let known: Vec<String> = of_shards().into_iter().map(|vector| vector.name).collect();
    for path in paths.iter().filter(|path| !["append", "go-on"].contains(path)) {
        let has = known.iter().any(|name| name.ends_with(&format!(" /{path}")));
        // These have the messages of another path.
        let same = ["list-from-the-end", "dead-letters", "errors", "discard", "explain"];
        assert!(has || same.contains(path), "/{path} has no vector");
    }
}
