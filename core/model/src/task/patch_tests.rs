use super::*;
use serde_json::Value;

fn patched(record: &str, paused: bool, patch: &str) -> Value {
    serde_json::from_str(&merge_patch(record, paused, patch).unwrap()).unwrap()
}

const RECORD: &str = r#"{"time":1764000000005,"id":"a","description":"d","callback":{"type":"webhook","url":"https://a","headers":{"x":"1","y":"2"}},"retry":{"factor":2,"jitter":0},"payload":{"n":12345678901234567890123,"k":{"a":1}},"attempt":3,"failedAt":9,"error":"no"}"#;

#[test]
fn named_fields_change_and_others_stay() {
    let task = patched(
        RECORD,
        false,
        r#"{"description":null,"tags":["t"],"retry":{"factor":null,"maxAttempts":3},"callback":{"headers":{"x":null,"z":"3"}}}"#,
    );
    let expected = r#"{"time":1764000000005,"id":"a","tags":["t"],"callback":{"type":"webhook","url":"https://a","headers":{"y":"2","z":"3"}},"retry":{"jitter":0,"maxAttempts":3},"payload":{"n":12345678901234567890123,"k":{"a":1}}}"#;
    assert_eq!(task, serde_json::from_str::<Value>(expected).unwrap());
}

#[test]
fn members_keep_their_places() {
    let record = r#"{"time":1764000000005,"id":"a","callback":{"type":"webhook","url":"https://a","headers":{"y":"2","x":"1"}},"payload":{"b":1,"a":{"d":2,"c":3}}}"#;
    let again = r#"{"payload":{"a":{"c":3,"d":2},"b":1},"callback":{"headers":{"x":"1","y":"2"},"url":"https://a","type":"webhook"}}"#;
    let text = merge_patch(record, false, again).unwrap();
    for member in ["callback", "payload"] {
        let of = |text: &str| fields_of::<64>(text).unwrap()[member].clone().into_owned();
        assert_eq!(of(&text), of(record), "{member}");
    }
    let text = merge_patch(record, false, r#"{"payload":{"0":1,"b":2}}"#).unwrap();
    assert!(text.contains(r#""payload":{"b":2,"a":{"d":2,"c":3},"0":1}"#), "{text}");
}

#[test]
fn a_member_that_comes_twice_is_refused_where_a_new_task_may_have_it_once() {
    for (patch, field) in [
        (r#"{"time":1764000000007,"time":1764000000008}"#, "time"),
        (r#"{"time":null,"ti\u006de":1764000000008}"#, "time"),
        (r#"{"paused":true,"paused":false}"#, "paused"),
        (r#"{"payload":1,"payload":2}"#, "payload"),
        (r#"{"callback":{"url":"https://b","url":"https://c"}}"#, "callback.url"),
        (r#"{"callback":{"headers":{"x":"1","x":"2"}}}"#, "callback.headers.x"),
        (r#"{"onFailure":{"type":"handler","name":"a","name":"b"}}"#, "onFailure.name"),
        (r#"{"retry":{"factor":2,"factor":3}}"#, "retry.factor"),
        (r#"{"misfire":{"policy":"skip","policy":"fire"}}"#, "misfire.policy"),
    ] {
        let problem = merge_patch(RECORD, false, patch).expect_err(patch);
        assert_eq!(problem.field, field, "{patch}");
        assert!(problem.detail.contains("duplicate field"), "{problem}");
    }
    assert_eq!(only_pauses(r#"{"paused":true,"paused":false}"#), None);
    // Repeated members in the caller's own data, and members that are ignored.
    for patch in [
        r#"{"payload":{"k":1,"k":2}}"#,
        r#"{"callback":{"body":{"k":1,"k":2}}}"#,
        r#"{"status":"paused","status":"scheduled"}"#,
    ] {
        assert!(merge_patch(RECORD, false, patch).is_ok(), "{patch}");
    }
}

#[test]
fn a_local_time_that_is_shown_is_changed_by_its_own_member_only() {
    let at_nine = r#"{"time":1796144400000,"id":"a","timezone":"America/Vancouver","local":{"time":"2026-12-01T09:00:00"},"callback":{}}"#;
    for (record, patch) in [
        (at_nine, r#"{"local":{"time":"2026-12-01T10:00"}}"#),
        (RECORD, r#"{"local":{"time":"2026-12-01T10:00"}}"#),
    ] {
        let problem = merge_patch(record, false, patch).unwrap_err();
        assert_eq!(problem.field, "local.time", "{patch}");
    }
    for patch in [
        r#"{"local":{"time":"2026-12-01T09:00"}}"#,
        r#"{"time":1796144400000,"timezone":"America/Vancouver","local":{"time":"2026-12-01T09:00:00"}}"#,
        r#"{"time":1796144400001,"local":{"time":"2026-12-01T09:00:00"}}"#,
        r#"{"local":null}"#,
    ] {
        assert!(merge_patch(at_nine, false, patch).is_ok(), "{patch}");
    }
}

#[test]
fn policies_of_earlier_versions_get_their_names_of_today() {
    let record = r#"{"id":"a","cron":"* * * * *","misfire":{"policy": "fireOnce"},"overlap":"queueOne","callback":{},"payload":"queueOne"}"#;
    let task = patched(record, false, r#"{"misfire":{"graceSeconds":5}}"#);
    assert_eq!(task["misfire"], serde_json::json!({"policy":"fire-once","graceSeconds":5}));
    assert_eq!((&task["overlap"], &task["payload"]), (&"queue-one".into(), &"queueOne".into()));
}

#[test]
fn a_limit_key_is_set_and_taken_out() {
    assert_eq!(patched(RECORD, false, r#"{"limitKey":"stripe"}"#)["limitKey"], "stripe");
    let record = r#"{"id":"a","time":1764000000005,"callback":{},"limitKey":"stripe"}"#;
    assert_eq!(patched(record, false, r#"{"tags":[]}"#)["limitKey"], "stripe");
    assert_eq!(patched(record, false, r#"{"limitKey":null}"#).get("limitKey"), None);
    assert!(!changes_schedule(r#"{"limitKey":"stripe"}"#));
}

#[test]
fn digits_of_a_payload_stay() {
    assert!(merge_patch(RECORD, false, "{}").unwrap().contains("12345678901234567890123"));
}

#[test]
fn a_payload_is_merged_and_a_callback_of_another_type_is_replaced() {
    let task = patched(
        RECORD,
        false,
        r#"{"payload":{"k":{"b":2},"n":null,"type":"x"},"callback":{"type":"handler","name":"log"}}"#,
    );
    assert_eq!(task["payload"], serde_json::json!({"k":{"a":1,"b":2},"type":"x"}));
    assert_eq!(task["callback"], serde_json::json!({"type":"handler","name":"log"}));
    // A member `type` of a payload is like any other.
    let record = r#"{"id":"a","time":1764000000005,"callback":{},"payload":{"type":"a","k":1}}"#;
    let payload = &patched(record, false, r#"{"payload":{"type":"b"}}"#)["payload"];
    assert_eq!(*payload, serde_json::json!({"type":"b","k":1}));
}

#[test]
fn a_payload_is_replaced_in_two_steps_and_taken_out_by_null() {
    assert_eq!(patched(RECORD, false, r#"{"payload":null}"#).get("payload"), None);
    // RFC 7396: a value that is not an object is replaced, and nulls in a new object are dropped.
    for (patch, payload) in
        [(r#"[1,null]"#, serde_json::json!([1, null])), ("7", serde_json::json!(7))]
    {
        let task = patched(RECORD, false, &format!(r#"{{"payload":{patch}}}"#));
        assert_eq!(task["payload"], payload);
    }
    let record = r#"{"id":"a","time":1764000000005,"callback":{},"payload":[1]}"#;
    let task = patched(record, false, r#"{"payload":{"a":{"b":null,"c":12345678901234567890}}}"#);
    assert_eq!(task["payload"].to_string(), r#"{"a":{"c":12345678901234567890}}"#);
}

#[test]
fn what_only_answers_show_is_ignored() {
    let record = r#"{"id":"a","cron":"0 9 * * *","callback":{},"createdAt":5,"createdBy":"x"}"#;
    let shown = r#"{"status":"scheduled","due":9,"kind":"cron","createdAt":6,"createdBy":"y","updatedAt":7,"tags":["t"],"attempt":null}"#;
    assert_eq!(
        patched(record, false, shown),
        serde_json::json!({"id":"a","cron":"0 9 * * *","callback":{},"tags":["t"]})
    );
    assert_eq!(only_pauses(r#"{"paused":true,"status":"scheduled"}"#), Some(true));
}

#[test]
fn a_policy_that_an_earlier_release_took_beside_a_queue_goes() {
    let record = r#"{"id":"a","time":1764000000005,"callback":{"type":"queue","queue":"Q"},"retry":{"factor":2}}"#;
    assert_eq!(patched(record, false, r#"{"tags":[]}"#).get("retry"), None);
    assert_eq!(patched(record, false, r#"{"retry":{"jitter":0}}"#)["retry"]["factor"], 2);
}

#[test]
fn a_way_to_say_when_takes_the_place_of_the_former() {
    let record =
        r#"{"id":"a","cron":"* * * * *","timezone":"Europe/London","callback":{},"paused":true}"#;
    assert_eq!(
        patched(record, true, r#"{"time":1764000000007}"#),
        serde_json::json!({"id":"a","time":1764000000007_i64,"callback":{},"paused":true})
    );
    // The time zone stays if the new schedule can have one, also for a local time.
    for (patch, expected) in [
        (
            r#"{"cron":"0 9 * * *"}"#,
            serde_json::json!({"id":"a","cron":"0 9 * * *","timezone":"Europe/London","callback":{}}),
        ),
        (
            r#"{"time":"2026-12-01T09:00"}"#,
            serde_json::json!({"id":"a","time":"2026-12-01T09:00","timezone":"Europe/London","callback":{}}),
        ),
    ] {
        assert_eq!(patched(record, false, patch), expected);
    }
    assert_eq!(
        patched(record, false, r#"{"timezone":null}"#),
        serde_json::json!({"id":"a","cron":"* * * * *","callback":{}})
    );
    assert_eq!(patched(record, true, r#"{"paused":false}"#)["paused"], false);
    assert_eq!(patched(record, true, r#"{"paused":null}"#)["paused"], false);
    assert_eq!(
        patched(r#"{"id":"a","callback":{}}"#, false, r#"{"description":"x"}"#)["type"],
        "no-schedule"
    );
    assert_eq!(patched(RECORD, false, r#"{"type":"no-schedule"}"#).get("time"), None);
}

#[test]
fn bounds_stay_and_what_was_counted_goes_with_any_patch() {
    let record = r#"{"id":"a","everySeconds":5,"anchor":1764000000007,"startAt":1764000000007,"endAt":1764000099000,"maxRuns":3,"firstRun":1764000000007,"finalRun":1764000010007,"jitterSeconds":1,"callback":{}}"#;
    let kept = serde_json::json!({"id":"a","everySeconds":5,"anchor":1764000000007_i64,"startAt":1764000000007_i64,"endAt":1764000099000_i64,"maxRuns":3,"jitterSeconds":1,"callback":{},"tags":[]});
    assert_eq!(patched(record, false, r#"{"tags":[]}"#), kept);
    // An earlier version stored it so.
    let stored = record.replace("finalRun", "lastRun");
    assert_eq!(patched(&stored, false, r#"{"tags":[]}"#), kept);
    assert_eq!(
        patched(record, false, r#"{"cron":"@daily","maxRuns":4}"#),
        serde_json::json!({"id":"a","cron":"@daily","startAt":1764000000007_i64,"endAt":1764000099000_i64,"maxRuns":4,"jitterSeconds":1,"callback":{}})
    );
    assert_eq!(
        patched(record, false, r#"{"everySeconds":6}"#),
        serde_json::json!({"id":"a","everySeconds":6,"anchor":1764000000007_i64,"startAt":1764000000007_i64,"endAt":1764000099000_i64,"maxRuns":3,"jitterSeconds":1,"callback":{}})
    );
    let unscheduled = serde_json::json!({"id":"a","type":"no-schedule","callback":{}});
    assert_eq!(patched(record, false, r#"{"type":"no-schedule"}"#), unscheduled);
    assert!(!changes_schedule(r#"{"tags":[],"jitterSeconds":5}"#));
    for patch in [
        r#"{"cron":"@daily"}"#,
        r#"{"maxRuns":null}"#,
        r#"{"endAt":1764000000005}"#,
        r#"{"timezone":"UTC"}"#,
    ] {
        assert!(changes_schedule(patch), "{patch}");
    }
}

/// A patch of a record with another field would be refused for a field that its caller has not
/// named.
#[test]
fn what_a_record_says_and_no_caller_gives_is_left_out() {
    let fields =
        |schema: schemars::Schema| schema.get("properties").unwrap().as_object().unwrap().clone();
    let given = fields(schemars::schema_for!(crate::task::NewTask<'static>));
    for field in fields(schemars::schema_for!(crate::task::Record<'static>)).keys() {
        assert!(given.contains_key(field) || is_read_only(field), "{field}");
    }
    let unfinished = RECORD.replacen('{', r#"{"unfinishedVersion":18446744073709551615,"#, 1);
    assert_eq!(patched(&unfinished, true, "{}"), patched(RECORD, true, "{}"));
}

#[test]
fn null_takes_out_what_it_names_and_nothing_else() {
    assert_eq!(
        patched(RECORD, false, r#"{"cron":null,"rrule":null}"#)["time"],
        1_764_000_000_005_i64
    );
    let record = r#"{"id":"a","cron":"* * * * *","callback":{},"replayedAt":7}"#;
    assert_eq!(
        patched(record, false, r#"{"time":null,"delayInSeconds":null}"#),
        serde_json::json!({"id":"a","cron":"* * * * *","callback":{}})
    );
    // What belonged to the schedule goes with it.
    let record = r#"{"id":"a","cron":"* * * * *","timezone":"UTC","callback":{},"overlap":"skip","misfire":{"policy":"skip"},"endAt":1764000000009}"#;
    let unscheduled = patched(record, false, r#"{"cron":null,"type":"no-schedule"}"#);
    assert_eq!(unscheduled, serde_json::json!({"id":"a","type":"no-schedule","callback":{}}));
    assert_eq!(
        patched(record, false, r#"{"cron":null,"time":1764000000007}"#),
        serde_json::json!({"id":"a","time":1764000000007_i64,"callback":{},"misfire":{"policy":"skip"}})
    );
    assert_eq!(patched(record, false, r#"{"everySeconds":5}"#)["overlap"], "skip");
}

#[test]
fn a_patch_of_the_pause_alone_is_told_from_others() {
    for (patch, says) in [
        (r#"{"paused":true}"#, Some(true)),
        (r#"{ "paused" : false }"#, Some(false)),
        (r#"{"paused":null}"#, Some(false)),
        (r#"{"paused":"true"}"#, None),
        (r#"{"paused":true,"tags":[]}"#, None),
        (r#"{"tags":[]}"#, None),
        ("{}", None),
        ("[]", None),
    ] {
        assert_eq!(only_pauses(patch), says, "{patch}");
    }
}

#[test]
fn a_schedule_is_not_taken_away_by_null() {
    for (schedule, patch, field) in [
        (r#""time":1764000000005"#, r#"{"time":null}"#, "time"),
        (
            r#""time":1764000000005,"timezone":"UTC","local":{"time":"2026-12-01T09:00:00"}"#,
            r#"{"time":null,"timezone":null}"#,
            "time",
        ),
        (r#""cron":"* * * * *""#, r#"{"cron":null,"tags":["t"]}"#, "cron"),
        (r#""cron":"* * * * *""#, r#"{"cron":null,"time":null,"type":null}"#, "cron"),
        (r#""everySeconds":5,"anchor":7"#, r#"{"everySeconds":null}"#, "everySeconds"),
        (
            r#""rrule":"FREQ=DAILY","startAt":1764000000000"#,
            r#"{"rrule":null,"startAt":null}"#,
            "rrule",
        ),
    ] {
        let record = format!(r#"{{"id":"a",{schedule},"callback":{{}}}}"#);
        let problem = merge_patch(&record, false, patch).unwrap_err();
        assert_eq!(problem.field, field, "{patch}");
        assert!(problem.detail.contains("no-schedule"), "{problem}");
    }
    // Without one there is nothing to take away.
    assert_eq!(
        patched(r#"{"id":"a","callback":{}}"#, false, r#"{"time":null,"type":null}"#)["type"],
        "no-schedule"
    );
}

#[test]
fn follow_ups_change_as_callbacks_do() {
    let record = r#"{"id":"a","time":1764000000005,"callback":{},"onSuccess":{"type":"webhook","url":"https://a","method":"PUT"},"onFailure":{"type":"handler","name":"log"}}"#;
    let task = patched(record, false, r#"{"onSuccess":{"method":null},"onFailure":null}"#);
    let expected = serde_json::json!({"id":"a","time":1764000000005_i64,"callback":{},"onSuccess":{"type":"webhook","url":"https://a"}});
    assert_eq!(task, expected);
}

#[test]
fn local_times_stay_local() {
    let record = r#"{"time":1796144400000,"id":"a","timezone":"America/Vancouver","local":{"time":"2026-12-01T09:00:00"},"callback":{}}"#;
    assert_eq!(
        patched(record, false, r#"{"tags":[]}"#),
        serde_json::json!({"id":"a","time":"2026-12-01T09:00:00","timezone":"America/Vancouver","callback":{},"tags":[]})
    );
    assert_eq!(
        patched(record, false, r#"{"time":1764000000007}"#),
        serde_json::json!({"id":"a","time":1_764_000_000_007_i64,"callback":{}})
    );
    assert_eq!(
        patched(record, false, r#"{"time":"2026-12-02T10:00"}"#),
        serde_json::json!({"id":"a","time":"2026-12-02T10:00","timezone":"America/Vancouver","callback":{}})
    );
    assert_eq!(
        patched(record, false, r#"{"timezone":"Asia/Tokyo"}"#),
        serde_json::json!({"id":"a","time":"2026-12-01T09:00:00","timezone":"Asia/Tokyo","callback":{}})
    );
    let record = r#"{"id":"a","everySeconds":60,"timezone":"UTC","local":{"startAt":"2026-12-01T09:00:00","anchor":"2026-12-01T09:00:00"},"anchor":1,"startAt":1,"callback":{}}"#;
    let task = patched(record, false, r#"{"tags":[]}"#);
    assert_eq!(
        (&task["startAt"], &task["anchor"]),
        (&"2026-12-01T09:00:00".into(), &"2026-12-01T09:00:00".into())
    );
    assert_eq!(task.get("local"), None);
    // Without its local times, an interval has no time zone.
    let task = patched(record, false, r#"{"startAt":null,"anchor":1796144400000}"#);
    assert_eq!(task.get("timezone"), None);
}

#[test]
fn early_times_of_stored_records_stay_what_they_are() {
    let record =
        r#"{"id":"a","everySeconds":5,"anchor":7,"startAt":0,"endAt":1764000000000,"callback":{}}"#;
    let task = patched(record, false, r#"{"tags":[]}"#);
    assert_eq!(
        (&task["anchor"], &task["startAt"]),
        (&"1970-01-01T00:00:00.007Z".into(), &"1970-01-01T00:00:00Z".into())
    );
    assert_eq!(task["endAt"], 1_764_000_000_000_i64);
    assert_eq!(
        patched(r#"{"id":"a","time":99999999999,"callback":{}}"#, false, "{}")["time"],
        "1973-03-03T09:46:39.999Z"
    );
    // A new one is left for the check to refuse.
    assert_eq!(patched(record, false, r#"{"time":5}"#)["time"], 5);
}

#[test]
fn what_a_patch_does_not_name_stays_byte_for_byte() {
    let deep = format!("{}1{}", r#"{"a":"#.repeat(200), "}".repeat(200));
    let body = format!(r#"{{"n":12345678901234567890123,"e":1.0e-7,"deep":{deep}}}"#);
    let record = format!(
        r#"{{"id":"a","time":1764000000005,"callback":{{"type":"webhook","url":"https://a","body":{body}}}}}"#
    );
    for patch in [
        r#"{"callback":{"method":"PUT"}}"#,
        r#"{"callback":{"body":{"k":2}}}"#,
        r#"{"callback":{"headers":{"type":"x"}}}"#,
    ] {
        let task = merge_patch(&record, false, patch).unwrap();
        for kept in ["12345678901234567890123", "1.0e-7", deep.as_str(), r#""url":"https://a""#] {
            assert!(task.contains(kept), "{patch} loses {kept}: {task}");
        }
    }
    let record = r#"{"id":"a","callback":{"type":"webhook","headers":{"type":"a","x":"1"}}}"#;
    let headers =
        &patched(record, false, r#"{"callback":{"headers":{"type":"b"}}}"#)["callback"]["headers"];
    assert_eq!(*headers, serde_json::json!({ "type": "b", "x": "1" }));
}

#[test]
fn a_patch_has_few_members_and_few_levels() {
    let many: Vec<String> = (0..=MAX_PATCH_MEMBERS).map(|n| format!(r#""{n}":1"#)).collect();
    assert!(
        merge_patch(RECORD, false, &format!("{{{}}}", many.join(",")))
            .unwrap_err()
            .detail
            .contains("more than 64")
    );
    let deep =
        format!(r#"{{"callback":{{"body":{}1{}}}}}"#, r#"{"a":"#.repeat(200), "}".repeat(200));
    assert_eq!(merge_patch(RECORD, false, &deep).unwrap_err().field, "callback");
}

#[test]
fn what_is_not_an_object_is_refused() {
    assert_eq!(merge_patch(RECORD, false, "[]").unwrap_err().field, "body");
    assert_eq!(merge_patch(RECORD, false, "").unwrap_err().field, "body");
}
