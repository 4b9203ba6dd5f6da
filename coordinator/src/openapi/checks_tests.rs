//! Compares the document with the checks of the code.

use super::document::document;
use super::examples;
use super::tests::{DOCUMENTED, check, forms, keys, members, required, schema};
use crate::sentences::Grammar;
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::limiter::Limiter;
use scheduler_model::access::{Key, NewKey, Quota, ShownKey, Token};
use scheduler_model::limit::Limit;
use scheduler_model::protocol::limiter::Named;
use scheduler_model::protocol::{Counters, Filter};
use scheduler_model::schedule::{ParseInput, Sentences, preview, preview_with};
use scheduler_model::task::{
    DeadLettersInput, FilterInput, Record, ReplayInput, RunInput, Targets, parse_batch,
};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Returns whether the type of a schema is `kind`, or `kind` or null.
fn is_of(schema: &Value, kind: &str) -> bool {
    schema["type"] == kind || schema["type"] == json!([kind, "null"])
}

#[test]
fn the_examples_are_valid() {
    for (name, example) in tasks_examples() {
        assert_eq!(check(&example["value"]), Ok(()), "{name}");
    }
    for (text, lines) in [(examples::batch().to_string(), false), (examples::lines(), true)] {
        let tasks = parse_batch(&text, lines).unwrap();
        assert_eq!(tasks.iter().filter(|task| task.is_ok()).count(), 2);
    }
    let record = examples::tasks()["webhook"]["value"].clone();
    for (name, example) in examples::replays().as_object().unwrap() {
        let letter =
            json!({ "id": "a", "callback": record["callback"], "payload": record["payload"] })
                .to_string();
        let letter = Record::parse(letter.as_bytes()).unwrap();
        let text = example["value"].to_string();
        let input = ReplayInput::parse(&text).unwrap();
        assert!(input.is_change(), "{name}");
        let now = UnixMillis::new(1_800_000_000_000);
        let targets = Targets { handlers: &["noop"], ..Targets::default() };
        input.changed(&letter, now, targets).unwrap();
    }
    for (name, example) in examples::runs().as_object().unwrap() {
        assert!(RunInput::payload_of(&example["value"].to_string()).unwrap().is_some(), "{name}");
    }
    for (name, example) in examples::dead_letters().as_object().unwrap() {
        assert!(DeadLettersInput::parse(&example["value"].to_string()).is_ok(), "{name}");
    }
    for (name, example) in examples::previews().as_object().unwrap() {
        let (text, sentences) = (example["value"].to_string(), Sentences::new(&Grammar));
        let now = UnixMillis::new(1_800_000_000_000);
        let (preview, _) = preview_with(&text, now, Some(&sentences)).expect(name);
        assert!(preview.more && !preview.runs.is_empty(), "{name}");
    }
    for (name, example) in examples::sentences().as_object().unwrap() {
        let text = example["value"].to_string();
        assert!(ParseInput::parse(&text, UnixMillis::new(1_800_000_000_000)).is_ok(), "{name}");
    }
    let (now, token) = (UnixMillis::new(1_800_000_000_000), Token::new([1; 8], [2; 16]));
    assert!(
        NewKey::parse(&example(&examples::keys()).to_string()).unwrap().check(&token, now).is_ok()
    );
    let quota: Quota =
        serde_json::from_value(example(&examples::namespaces())["quota"].clone()).unwrap();
    assert_eq!(quota.check(), Ok(()));
    let filter = examples::selections()["filter"]["value"]["filter"].take();
    assert_ne!(
        serde_json::from_str::<FilterInput<'_>>(&filter.to_string()).unwrap().check().unwrap(),
        Filter::default()
    );
}

/// Returns the value of the only example.
fn example(examples: &Value) -> &Value {
    &examples.as_object().and_then(|examples| examples.values().next()).expect(DOCUMENTED)["value"]
}

fn tasks_examples() -> Map<String, Value> {
    examples::tasks().as_object().cloned().unwrap()
}

/// Returns the schemas of the callbacks with the type `kind`: one, or one for each kind of call.
fn callbacks<'a>(document: &'a Value, kind: &str) -> Vec<&'a Value> {
    let mut forms = forms(document, "Callback");
    forms.retain(|form| form["properties"]["type"]["const"] == kind);
    assert!(!forms.is_empty(), "{kind}");
    forms
}

#[test]
fn requests_accept_exactly_the_documented_members() {
    let document = document();
    let used: BTreeSet<String> = tasks_examples()
        .values()
        .flat_map(|example| {
            keys(&example["value"]).into_iter().map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    // Members that the scheduler sets, and that only answers show, are not in the examples.
    let is_given =
        |(name, schema): &(&String, &Value)| schema.get("readOnly").is_none() && *name != "local";
    let named: BTreeSet<String> = members(&document, "NewTask")
        .iter()
        .filter(is_given)
        .map(|(name, _)| name.clone())
        .collect();
    assert_eq!(used, named, "every field is in an example");
    for form in forms(&document, "NewTask") {
        assert_eq!(form["additionalProperties"], false);
    }

    let request =
        json!({ "path": "/x", "method": "PUT", "headers": {}, "body": 1, "timeoutSeconds": 1 });
    let function = json!({ "function": "f", "body": 1, "timeoutSeconds": 1 });
    let with = |base: Value, more: &Value| {
        let mut all = base.as_object().cloned().unwrap();
        all.extend(more.as_object().cloned().unwrap());
        Value::Object(all)
    };
    let service = json!({ "type": "service", "binding": "MAIL" });
    let object = json!({ "type": "durable-object", "binding": "ROOMS", "name": "a" });
    let webhook = json!({ "type": "webhook", "url": "https://a.example", "method": "PUT", "headers": {}, "body": 1, "timeoutSeconds": 1 });
    for complete in [
        // There is one complete callback for each kind of call.
        vec![webhook],
        vec![with(service.clone(), &request), with(service, &function)],
        vec![with(object.clone(), &request), with(object, &function)],
        vec![json!({ "type": "handler", "name": "log" })],
        vec![json!({ "type": "queue", "queue": "FIRED_TASKS" })],
    ] {
        let described = callbacks(&document, complete[0]["type"].as_str().unwrap());
        assert_eq!(described.len(), complete.len());
        for (described, given) in described.into_iter().zip(complete) {
            assert_eq!(described["additionalProperties"], false);
            let taken = described["properties"].as_object().unwrap().iter();
            let taken = taken.filter(|(_, member)| member["type"] != "null");
            assert_eq!(taken.map(|(name, _)| name.as_str()).collect::<BTreeSet<_>>(), keys(&given));
            assert_eq!(check(&json!({ "delayInSeconds": 1, "callback": given })), Ok(()));
            for name in keys(&given) {
                let mut without = given.clone();
                without.as_object_mut().unwrap().remove(name);
                let is_required = required(described).contains(name);
                let problem = check(&json!({ "delayInSeconds": 1, "callback": without }));
                assert_eq!(problem.is_err(), is_required, "{given} without {name}");
            }
        }
    }
    let members = members(&document, "NewTask");
    for follow_up in ["onSuccess", "onFailure"] {
        assert_eq!(members[follow_up]["anyOf"][0]["$ref"], "#/components/schemas/Callback");
        assert_eq!(members[follow_up]["x-maxBytes"], members["callback"]["x-maxBytes"]);
    }
}

#[test]
fn the_documented_limits_are_checked() {
    let document = document();
    let task = json!({ "delayInSeconds": 1, "callback": { "type": "handler", "name": "log" } });
    let with = |pointer: &str, value: Value| {
        let mut task = task.clone();
        let mut at = &mut task;
        for part in pointer.split('/') {
            at = &mut at[part];
        }
        *at = value;
        check(&task).err().map(|problem| problem.field.into_owned())
    };
    let fields = members(&document, "NewTask");
    let limit = |value: &Value| usize::try_from(value.as_u64().expect(DOCUMENTED)).unwrap();
    for (field, longest) in [
        ("id", limit(&fields["id"]["maxLength"])),
        ("description", limit(&fields["description"]["maxLength"])),
    ] {
        assert_eq!(with(field, json!("x".repeat(longest))), None);
        assert_eq!(with(field, json!("x".repeat(longest + 1))).as_deref(), Some(field));
    }
    let (most, longest) =
        (limit(&fields["tags"]["maxItems"]), limit(&fields["tags"]["items"]["maxLength"]));
    assert_eq!(with("tags", json!(vec!["x".repeat(longest); most])), None);
    assert_eq!(with("tags", json!(vec!["x"; most + 1])).as_deref(), Some("tags"));
    assert_eq!(with("tags", json!(["x".repeat(longest + 1)])).as_deref(), Some("tags[0]"));
    let payload = limit(&fields["payload"]["x-maxBytes"]);
    assert_eq!(with("payload", json!("x".repeat(payload - 2))), None);
    assert_eq!(with("payload", json!("x".repeat(payload - 1))).as_deref(), Some("payload"));

    for (field, described) in schema(&document, "Retry")["properties"].as_object().unwrap() {
        if field == "permanentStatuses" {
            // The list has numbers and classes. All that are described are accepted, and the values
            // next to them are not.
            let (numbers, classes) =
                (&described["items"]["anyOf"][0], &described["items"]["anyOf"][1]["enum"]);
            let (least, most) = (limit(&numbers["minimum"]), limit(&numbers["maximum"]));
            assert_eq!(
                with("retry", json!({ field: [least, most, classes[0], classes[1], classes[2]] })),
                None
            );
            for beyond in [json!(least - 1), json!(most + 1), json!("2xx")] {
                assert_eq!(
                    with("retry", json!({ field: [beyond] })),
                    Some(format!("retry.{field}[0]"))
                );
            }
            let many = |n: usize| with("retry", json!({ field: vec![404; n] }));
            let most = limit(&described["maxItems"]);
            assert_eq!((many(most), many(most + 1).is_some()), (None, true));
            continue;
        }
        let is_whole = is_of(described, "integer");
        for (bound, beyond) in [("minimum", -1.0), ("maximum", 1.0)] {
            let value = described[bound].as_f64().expect(field);
            let number = |value: f64| if is_whole { json!(value as i64) } else { json!(value) };
            let retry = |value: f64| match field.as_str() {
                "maxBackoffSeconds" => {
                    json!({ "minBackoffSeconds": 0, "maxBackoffSeconds": number(value) })
                }
                _ => json!({ field: number(value) }),
            };
            assert_eq!(with("retry", retry(value)), None, "{field} {value}");
            assert_eq!(with("retry", retry(value + beyond)), Some(format!("retry.{field}")));
        }
    }
    for (kind, mut given) in [
        ("webhook", json!({ "type": "webhook", "url": "https://a.example" })),
        ("service", json!({ "type": "service", "binding": "MAIL", "path": "/" })),
        (
            "durable-object",
            json!({ "type": "durable-object", "binding": "ROOMS", "name": "a", "function": "f" }),
        ),
    ] {
        let described = callbacks(&document, kind);
        let most = limit(&described[0]["properties"]["timeoutSeconds"]["maximum"]);
        for (seconds, is_good) in [(1, true), (0, false), (most, true), (most + 1, false)] {
            given["timeoutSeconds"] = json!(seconds);
            assert_eq!(with("callback", given.clone()).is_none(), is_good, "{kind} {seconds}");
        }
    }
}

#[test]
fn a_preview_accepts_the_members_of_a_task() {
    let document = document();
    let of_preview = members(&document, "PreviewRequest");
    let mut of_task: BTreeSet<String> = members(&document, "NewTask").keys().cloned().collect();
    of_task.extend(["from".to_owned(), "count".to_owned()]);
    assert_eq!(of_preview.keys().cloned().collect::<BTreeSet<_>>(), of_task);
    for (name, described) in &of_preview {
        let (Some(least), Some(most)) =
            (described["minimum"].as_f64(), described["maximum"].as_f64())
        else {
            continue;
        };
        for (value, is_good) in
            [(least, true), (most, true), (least - 1.0, false), (most + 1.0, false)]
        {
            let number = if value.fract() == 0.0 { json!(value as i64) } else { json!(value) };
            let mut request = json!({ "everySeconds": 60 });
            request[name.as_str()] = number.clone();
            if name == "from" || name == "time" {
                continue;
            }
            assert_eq!(
                preview(&request.to_string(), UnixMillis::ZERO).is_ok(),
                is_good,
                "{name} {number}"
            );
        }
    }
}

#[test]
fn the_stats_are_documented_in_full() {
    let document = document();
    let numbers = keys(&schema(&document, "ShardStats")["properties"]);
    let mut real = serde_json::to_value(scheduler_model::protocol::ShardStats::default()).unwrap();
    assert_eq!(keys(&schema(&document, "Meter")["properties"]), keys(&real["meter"]));
    let counters = serde_json::to_value(Counters::default()).unwrap();
    let real = real.as_object_mut().unwrap();
    real.remove("counters");
    real.remove("lateness");
    // The coordinator uses this number itself.
    real.remove("lastEnvelope");
    let mut expected: BTreeSet<&str> =
        real.keys().map(String::as_str).chain(keys(&counters)).collect();
    expected.extend(["shard", "latenessMillis"]);
    assert_eq!(numbers, expected);
    assert_eq!(required(schema(&document, "ShardStats")), expected);
}

#[test]
fn keys_and_namespaces_match_their_schemas() {
    let document = document();
    let (now, token) = (UnixMillis::new(1_800_000_000_000), Token::new([1; 8], [2; 16]));
    assert_eq!(
        keys(&schema(&document, "NewKey")["properties"]),
        keys(example(&examples::keys())),
        "every field is in the example"
    );
    assert_eq!(
        keys(&schema(&document, "Quota")["properties"]),
        keys(&example(&examples::namespaces())["quota"])
    );
    let key =
        NewKey::parse(&example(&examples::keys()).to_string()).unwrap().check(&token, now).unwrap();
    let key = Key { last_used_at: Some(now), ..key };
    let shown = serde_json::to_value(ShownKey::from(&key)).unwrap();
    assert_eq!(keys(&schema(&document, "Key")["properties"]), keys(&shown));
    for (field, described) in schema(&document, "Quota")["properties"].as_object().unwrap() {
        for (bound, beyond) in [("minimum", -1), ("maximum", 1)] {
            let value = described[bound].as_i64().expect(field);
            let checked = |value: i64| {
                serde_json::from_value::<Quota>(json!({ field: value })).unwrap().check().is_ok()
            };
            assert!(checked(value) && !checked(value + beyond), "{field} {bound}");
        }
    }
}

#[test]
fn limits_match_their_schemas() {
    let document = document();
    let described: BTreeSet<String> = members(&document, "Limit").keys().cloned().collect();
    let examples = examples::limits();
    assert!(described.iter().map(String::as_str).eq(keys(example(&examples))));
    let mut limiter = Limiter::default();
    let limit = Limit::parse(&example(&examples::limits()).to_string()).unwrap();
    limiter.put(Named { key: "stripe".to_owned(), limit }, UnixMillis::ZERO).unwrap();
    let shown = serde_json::to_value(limiter.get("stripe")).unwrap();
    assert_eq!(keys(&schema(&document, "ShownLimit")["properties"]), keys(&shown));
    for (field, described) in &members(&document, "Limit") {
        for (bound, beyond) in [("minimum", 0.5), ("maximum", 2.0)] {
            let value = described[bound].as_f64().expect(field);
            let is_good = |value: f64| {
                let value = if field == "concurrency" { json!(value as u64) } else { json!(value) };
                Limit::parse(&json!({ field: value }).to_string()).is_ok()
            };
            assert!(is_good(value) && !is_good(value * beyond), "{field} {bound}");
        }
    }
}
