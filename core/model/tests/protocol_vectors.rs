//! The messages between the Workers, as the version of November 2026 writes them.
//!
//! While a deploy is rolled out, a Worker of one version meets objects of another. So each version
//! must read what the version before it writes, and write what that one reads. These vectors never
//! change: a later version adds its own messages below, and passes all of them. If it writes a
//! message differently, the test of what is written fails, and the author decides whether the
//! earlier version can read it.

#![allow(clippy::expect_used, reason = "a failed assumption ends the test")]

#[path = "protocol_vectors/others.rs"]
mod others;
#[path = "protocol_vectors/sources.rs"]
mod sources;

use others::of_others;
use scheduler_model::dead_letter::DeadLetterId;
use scheduler_model::explain::Explanation;
use scheduler_model::forecast::Buckets;
use scheduler_model::protocol::{
    AmongRequest, Append, AppendReply, CancelMatchingReply, CancelMatchingRequest, CancelReply,
    CancelRequest, ChangeMatchingReply, ChangeMatchingRequest, ChangeReply, ChangeRequest,
    CountReply, CountRequest, DeadLettersReply, DeadLettersRequest, EventsReply, EventsRequest,
    ForecastReply, GetRequest, GoOnReply, GroupsReply, ListItem, ListReply, ListRequest,
    OutboxRequest, PurgeReply, PurgeRequest, Report, RunRequest, RunsReply, RunsRequest,
    SeriesReply, SeriesRequest, ShardError, ShardStats, Terms, WatchReply, WatchRequest, paths,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A message: where it is sent, its text, and the members that a version before may leave out.
struct Vector {
    name: String,
    /// The full name of the type of the message, with its parameters.
    of: &'static str,
    text: &'static str,
    optional: &'static [&'static str],
    /// Whether the message is a structure that ignores unknown members.
    is_open: bool,
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
    let of = std::any::type_name::<T>();
    Vector { name: name.into(), of, text, optional, is_open: text.starts_with('{'), again }
}

/// A message whose only member is the name of a variant, or that refuses unknown members.
fn closed<T: Serialize + DeserializeOwned>(name: impl Into<String>, text: &'static str) -> Vector {
    Vector { is_open: false, ..vector::<T>(name, text, &[]) }
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

/// More messages to shards and their answers, which were recorded later.
fn of_shards_later() -> Vec<Vector> {
    let to = |path: &str| format!("to {path}");
    let from = |path: &str| format!("from {path}");
    vec![
        vector::<AppendReply>(
            from(paths::APPEND),
            r#"{"created":3,"replaced":2,"running":1,"patched":7,"went_on":1,"unanswered":true,"done_before":{"at":5,"random":"000102030405060708090a0b0c0d0e0f"}}"#,
            &["running", "patched", "went_on", "unanswered", "done_before"],
        ),
        vector::<GoOnReply>(from(paths::GO_ON), r#"{"wentOn":[true,false]}"#, &[]),
        vector::<ListReply>(
            from(paths::LIST),
            r#"{"items":[{"position":{"due":5,"page":1,"index":0},"status":"scheduled","is_attempt":false,"is_cancelled":false,"record":{"id":"a"}}],"next":null,"searched":3}"#,
            &["searched"],
        ),
        vector::<ListRequest>(
            to(paths::LIST_FROM_THE_END),
            r#"{"filter":{"otherTag":"y","from":1,"to":2},"after":null,"limit":10}"#,
            &[],
        ),
        vector::<ListRequest>(
            to(paths::DEAD_LETTERS),
            r#"{"filter":{},"after":null,"limit":10}"#,
            &[],
        ),
        vector::<ListReply>(
            from(paths::DEAD_LETTERS),
            r#"{"items":[],"next":null,"searched":0}"#,
            &["searched"],
        ),
        vector::<Option<ListItem>>(from(paths::DEAD_LETTER), "null", &[]),
        vector::<CancelReply>(
            from(paths::CANCEL),
            r#"{"outcomes":["cancelled"],"task":{"position":{"due":5,"page":1,"index":0},"status":"paused","is_attempt":false,"is_cancelled":false,"record":{"id":"a"}}}"#,
            &["task"],
        ),
        vector::<ChangeReply>(
            from(paths::CHANGE),
            r#"{"outcomes":["changed"],"task":{"position":{"due":5,"page":1,"index":0},"status":"held","is_attempt":true,"is_cancelled":false,"record":{"id":"a"}}}"#,
            &["task"],
        ),
        vector::<ChangeReply>(from(paths::RUN), r#"{"outcomes":["changed"]}"#, &[]),
        vector::<ChangeMatchingReply>(
            from(paths::CHANGE_MATCHING),
            r#"{"changed":4,"running":1,"next":null,"left":true}"#,
            &["running", "left"],
        ),
        vector::<CountRequest>(
            to(paths::COUNT),
            r#"{"tasks":{"filter":{},"after":null,"limit":10},"change":"pause","pause":{"by":"ops"}}"#,
            &["change", "pause"],
        ),
        vector::<DeadLettersRequest>(
            to(paths::DISCARD),
            r#"{"letters":["1764000000123-1764000000000r-a"]}"#,
            &[],
        ),
        vector::<DeadLettersReply>(
            from(paths::REPLAY),
            r#"{"outcomes":["done"],"item":{"position":{"due":5,"page":1,"index":0},"status":"retrying","is_attempt":true,"is_cancelled":false,"record":{"id":"a"}}}"#,
            &["item"],
        ),
        vector::<RunsRequest>(
            to(paths::ERRORS),
            r#"{"before":null,"limit":10,"maxBytes":100,"maxRows":5}"#,
            &["maxBytes", "maxRows"],
        ),
        vector::<GetRequest>(to(paths::EXPLAIN), r#"{"id":"a"}"#, &[]),
        vector::<Explanation>(
            from(paths::EXPLAIN),
            r#"{"createdBy":"ops","pausedAt":5,"pausedBy":"ops","pauseNote":"why","sentence":"every day","when":{"cron":"0 9 * * *"},"reasons":[{"code":"scheduled","detail":"d"},{"code":"excluded","detail":"d"},{"code":"overdue","detail":"d"},{"code":"limited","detail":"d"},{"code":"circuit-open","detail":"d"},{"code":"paused","detail":"d"},{"code":"unscheduled","detail":"d"},{"code":"held","detail":"d"},{"code":"retrying","detail":"d"},{"code":"in-flight","detail":"d"},{"code":"dead-lettered","detail":"d"},{"code":"cancelled","detail":"d"},{"code":"done","detail":"d"},{"code":"skipped","detail":"d"},{"code":"expired","detail":"d"},{"code":"overlap","detail":"d"},{"code":"misfire","detail":"d"},{"code":"expiry","detail":"d"}],"nextRun":{"time":5,"due":6},"inFlight":[{"time":5,"attempt":1,"firedAt":6,"sentAgain":1,"sentAgainAt":7,"decided":"cancelled"},{"time":5,"attempt":1,"firedAt":6,"sentAgain":1,"sentAgainAt":7,"decided":"paused"}],"lastRun":{"outcome":"failed"},"recentRuns":[]}"#,
            &[
                "createdBy",
                "pausedAt",
                "pausedBy",
                "pauseNote",
                "sentence",
                "when",
                "nextRun",
                "lastRun",
            ],
        ),
        vector::<EventsReply>(
            from(paths::EVENTS),
            r#"{"events":[{"number":1,"kind":"created","at":5,"id":"a","tags":[],"time":null,"attempt":1,"error":""},{"number":2,"kind":"updated","at":5,"id":"a","tags":[],"time":null,"attempt":1,"error":""},{"number":3,"kind":"cancelled","at":5,"id":"a","tags":[],"time":null,"attempt":1,"error":""},{"number":4,"kind":"paused","at":5,"id":"a","tags":[],"time":null,"attempt":1,"error":""},{"number":5,"kind":"resumed","at":5,"id":"a","tags":[],"time":null,"attempt":1,"error":""},{"number":6,"kind":"rescheduled","at":5,"id":"a","tags":[],"time":null,"attempt":1,"error":""},{"number":7,"kind":"fired","at":5,"id":"a","tags":[],"time":null,"attempt":1,"error":""},{"number":8,"kind":"succeeded","at":5,"id":"a","tags":[],"time":null,"attempt":1,"error":""},{"number":9,"kind":"failed","at":5,"id":"a","tags":[],"time":null,"attempt":1,"error":""},{"number":10,"kind":"dead-lettered","at":5,"id":"a","tags":[],"time":null,"attempt":1,"error":""},{"number":11,"kind":"discarded","at":5,"id":"a","tags":[],"time":null,"attempt":1,"error":""},{"number":12,"kind":"skipped","at":5,"id":"a","tags":[],"time":null,"attempt":1,"error":""},{"number":13,"kind":"expired","at":5,"id":"a","tags":[],"time":null,"attempt":1,"error":""},{"number":14,"kind":"circuit-opened","at":5,"id":"a","tags":[],"time":null,"attempt":1,"error":""},{"number":15,"kind":"circuit-closed","at":5,"id":"a","tags":[],"time":null,"attempt":1,"error":""}],"next":{"life":4,"next":16},"isGap":false,"hasMore":false}"#,
            &["hasMore"],
        ),
        vector::<()>(from(paths::REPORT), "null", &[]),
        vector::<()>(to(paths::STATS), "null", &[]),
        vector::<ShardStats>(
            from(paths::STATS),
            r#"{"lastEnvelope":1,"pending":2,"inFlight":3,"schedules":4,"unscheduled":5,"paused":6,"deadLetters":7,"overdue":8,"waitingForLimits":9,"memoryBytes":10,"counters":{"created":1,"replaced":2,"cancelled":3,"fired":4,"succeeded":5,"handedOver":6,"failed":7,"followUpsSucceeded":8,"followUpsFailed":9,"deadLettered":10,"deadLettersDisplaced":11,"skipped":12,"expired":13,"redelivered":14,"repairs":15},"lateness":{"buckets":[1,2],"max":1},"meter":{"rowsRead":1,"rowsWritten":2,"alarmsSet":3,"shardRequests":4,"queueOperations":5,"firingsSaved":6},"circuits":[{"destination":"a.example","state":"open","since":1,"until":2,"failures":3,"waiting":4}]}"#,
            &[],
        ),
        vector::<SeriesRequest>(to(paths::SERIES), r#"{"by":"hour"}"#, &[]),
    ]
}

/// The values that a filter names and a refusal has, and the terms of an append.
fn of_shards_by_value() -> Vec<Vector> {
    let filters = [
        r#"{"filter":{"callbackType":"webhook","lastOutcome":"none","kind":"once","status":"scheduled"},"after":null,"limit":1}"#,
        r#"{"filter":{"callbackType":"service","lastOutcome":"failed","kind":"recurring","status":"retrying"},"after":null,"limit":1}"#,
        r#"{"filter":{"callbackType":"handler","lastOutcome":"succeeded","kind":"cron","status":"held"},"after":null,"limit":1}"#,
        r#"{"filter":{"callbackType":"queue","lastOutcome":"expired","kind":"every","status":"paused"},"after":null,"limit":1}"#,
        r#"{"filter":{"kind":"rrule","status":"unscheduled"},"after":null,"limit":1}"#,
    ];
    let refusals = [
        r#"{"kind":"full","detail":"d"}"#,
        r#"{"kind":"quota","detail":"d"}"#,
        r#"{"kind":"readers","detail":"d"}"#,
        r#"{"kind":"request","detail":"d"}"#,
        r#"{"kind":"conflict","detail":"d"}"#,
        r#"{"kind":"storage","detail":"d"}"#,
        r#"{"kind":"unfinished","detail":"d"}"#,
        r#"{"kind":"not-applicable","detail":"d"}"#,
    ];
    let terms = r#"{"once":{"key":"000102030405060708090a0b0c0d0e0f","request":"101112131415161718191a1b1c1d1e1f","made":{"at":5,"random":"000102030405060708090a0b0c0d0e0f"}},"share":{"pending_tasks":1,"create_micros":2,"of":{"pendingTasks":8,"createsPerSecond":9}},"keys":["k"],"open_anchors":[1],"said_paused":[2],"again":true,"tasks_only":true,"recall_only":true}"#;
    let filters =
        filters.map(|text| vector::<ListRequest>(format!("to {}", paths::LIST), text, &[]));
    let refusals = refusals.map(|text| vector::<ShardError>("a refusal", text, &[]));
    let terms = closed::<Terms>(format!("to {}: its terms", paths::APPEND), terms);
    filters.into_iter().chain(refusals).chain([terms]).collect()
}

fn all() -> impl Iterator<Item = Vector> {
    of_shards().into_iter().chain(of_shards_later()).chain(of_shards_by_value()).chain(of_others())
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
    for Vector { name, text, optional, again, .. } in all() {
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
    for Vector { name, text, again, .. } in all().filter(|vector| vector.is_open) {
        // Only structures get members.
        let Value::Object(mut later) = value(text) else { panic!("{name} is no structure") };
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

/// An append with a page, a recurring task, an expected version and terms.
const APPEND: &str = concat!(
    "445301070700000000000000010000001800000001000100010000000000000005000000000000003001000013000000",
    "7b2274696d65223a352c226964223a2261227d010000000a0000007b226964223a2262227d1b0000007b226b65797322",
    "3a5b226b225d2c22616761696e223a747275657d",
);

#[test]
fn an_append_is_read_and_written_as_before() {
    let bytes: Vec<u8> = (0..APPEND.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&APPEND[at..at + 2], 16).expect("hexadecimal"))
        .collect();
    let append = Append::decode(&bytes).expect("an append");
    assert_eq!(append.encode(), bytes);
    assert_eq!((append.pages.len(), append.schedules.len()), (1, 1));
    assert!(append.expected.is_some() && append.terms.again);
}

/// A message without a vector would be tested by nobody.
#[test]
fn every_path_has_a_vector_in_both_directions() {
    let known: Vec<String> = all().map(|vector| vector.name).collect();
    for (object, path) in sources::paths() {
        for way in ["to", "from"] {
            // An append is binary: see above.
            let is_binary =
                way == "to" && object.is_empty() && ["/append", "/go-on"].contains(&path);
            let name = format!("{way} {object}{path}");
            assert!(is_binary || known.contains(&name), "{name} has no vector");
        }
    }
}

/// So would a member without a vector, and a variant.
#[test]
fn every_member_and_every_variant_is_in_a_vector() {
    let known: Vec<Vector> = all().collect();
    let mut missing = Vec::new();
    for part in sources::parts() {
        let own: Vec<&Vector> = known.iter().filter(|vector| part.is_in(vector.of)).collect();
        let own = if own.is_empty() { known.iter().collect() } else { own };
        if !own.iter().any(|vector| vector.text.contains(&part.text)) {
            missing.push(format!("{}: {}", part.of, part.text));
        }
    }
    assert!(missing.is_empty(), "no vector has {missing:#?}");
}
