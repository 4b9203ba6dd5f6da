//! Compares each form of a new task with the check of a task.

use super::document::document;
use super::tests::{check, forms, keys};
use serde_json::{Map, Value, json};

const LOCAL: &str = "2030-06-01T09:00";

/// Returns a value for each member that some forms have and others do not.
fn samples() -> Value {
    json!({
        "time": "2030-06-01T09:00:00Z",
        "delayInSeconds": 60,
        "cron": "0 9 * * *",
        "everySeconds": 60,
        "rrule": "FREQ=DAILY",
        "schedule": "every day at 9:00",
        "words": "every day at nine",
        "type": "no-schedule",
        "timezone": "Europe/London",
        "anchor": "2030-06-01T09:00:00Z",
        "startAt": "2030-06-01T09:00:00Z",
        "endAt": "2031-06-01T09:00:00Z",
        "maxRuns": 3,
        "jitterSeconds": 1,
        "windowSeconds": 1,
        "misfire": { "policy": "skip" },
        "overlap": "skip",
        "expireAfterSeconds": 60
    })
}

/// Returns the smallest task of a form.
fn smallest(form: &Value, samples: &Value) -> Map<String, Value> {
    let required = form["required"].as_array().unwrap().iter().filter_map(Value::as_str);
    let members = required.map(|name| (name.to_owned(), samples[name].clone()));
    let callback = json!({ "type": "handler", "name": "log" });
    members.chain([("callback".to_owned(), callback)]).collect()
}

#[test]
fn a_form_has_the_members_that_the_check_accepts() {
    let (document, samples) = (document(), samples());
    let all = forms(&document, "NewTask");
    assert_eq!(all.len(), 7);
    for form in all {
        let description = form["description"].as_str().unwrap();
        let smallest = smallest(form, &samples);
        assert_eq!(check(&Value::Object(smallest.clone())), Ok(()), "{description}");
        for name in smallest.keys().filter(|name| *name != "callback") {
            let mut less = smallest.clone();
            less.remove(name);
            assert!(check(&Value::Object(less)).is_err(), "{description} without {name}");
        }
        for (name, sample) in samples.as_object().unwrap() {
            if smallest.contains_key(name) || name == "type" {
                continue;
            }
            let mut more = smallest.clone();
            more.insert(name.clone(), sample.clone());
            if name == "timezone" {
                // A time zone needs a local time.
                for time in ["time", "startAt"] {
                    more.entry(time).and_modify(|time| *time = json!(LOCAL));
                }
                if more.contains_key("everySeconds") {
                    more.insert("startAt".to_owned(), json!(LOCAL));
                }
            }
            let is_taken = form["properties"][name]["type"] != "null";
            let problem = check(&Value::Object(more));
            assert_eq!(problem.is_ok(), is_taken, "{description} {name}: {problem:?}");
        }
    }
}

#[test]
fn a_type_that_does_not_match_the_form_is_refused() {
    let (document, samples) = (document(), samples());
    let forms = forms(&document, "NewTask");
    for form in &forms {
        for other in &forms {
            let kind = other["properties"]["type"]["enum"][0].clone();
            assert!(kind.is_string());
            let mut task = smallest(form, &samples);
            task.insert("type".to_owned(), kind);
            assert_eq!(check(&Value::Object(task)).is_ok(), std::ptr::eq(*form, *other));
        }
    }
}

/// The document states this for every member that may be absent.
#[test]
fn null_means_absent() {
    let (document, samples) = (document(), samples());
    for form in forms(&document, "NewTask") {
        for name in keys(&form["properties"]) {
            let mut task = smallest(form, &samples);
            // A task without a callback has the default callback, which the check of this test does
            // not have.
            if form["required"].as_array().unwrap().iter().any(|required| required == name)
                || matches!(name, "callback" | "payload")
            {
                continue;
            }
            task.insert(name.to_owned(), Value::Null);
            assert_eq!(check(&Value::Object(task)), Ok(()), "{name}");
        }
    }
}
