use super::*;

#[test]
fn fields_are_written_in_order_and_read_back() {
    let text = br#"{"time":5,"id":"a\"b","description":"d","tags":["x"],"callback":{"type":"handler","name":"log"},"retry":{"factor":2},"payload":{"n": 1},"paused":true,"pausedAt":8,"pausedBy":"ops","pauseNote":"a \"b\"","createdAt":3,"updatedAt":4,"createdBy":"ci","attempt":2,"failedAt":7,"error":"no","firstAttemptAt":6,"replayedAt":9}"#;
    let record = Record::parse(text).unwrap();
    assert_eq!(record.occurrence_key().to_string(), "a\"b@5");
    let mut out = Vec::new();
    record.write(&mut out);
    assert_eq!(String::from_utf8(out).unwrap(), String::from_utf8(text.to_vec()).unwrap());
}

/// The fields of a record are listed where they are declared, read into [`ScheduleFields`] and
/// written. Each that is declared must be written under its name.
#[test]
fn every_declared_field_is_written() {
    const VALUES: [&str; 6] =
        ["5", "true", r#""skip""#, r#"["x"]"#, "{}", r#"{"time":"2026-12-01T09:00:00"}"#];
    let schema = serde_json::to_value(schemars::schema_for!(Record<'static>)).unwrap();
    let declared = schema["properties"].as_object().unwrap();
    assert!(declared.len() > 40, "{declared:?}");
    for name in declared.keys() {
        let is_written = |value: &str| {
            let mut members = serde_json::Map::new();
            members.insert("id".to_owned(), "a".into());
            members.insert("callback".to_owned(), serde_json::json!({}));
            members.insert(name.clone(), serde_json::from_str(value).unwrap());
            let text = serde_json::to_vec(&members).unwrap();
            let Ok(record) = Record::parse(&text) else { return false };
            let mut out = Vec::new();
            record.write(&mut out);
            let written = serde_json::from_slice::<serde_json::Value>(&out).unwrap();
            written[name] == members[name]
        };
        assert!(VALUES.iter().any(|value| is_written(value)), "{name} is read and not written");
    }
}

#[test]
fn a_follow_up_has_a_key_and_a_time_of_its_own() {
    let text = br#"{"time":5,"id":"a","callback":{},"onSuccess":{"type":"handler","name":"log"},"onFailure":{},"stage":"onSuccess","outcome":{"reportedAt":70},"attempt":2}"#;
    let record = Record::parse(text).unwrap();
    assert_eq!(record.occurrence_key().to_string(), "a@5/onSuccess");
    assert_eq!(record.start(), UnixMillis::new(70));
    assert_eq!(
        Record { replayed_at: Some(UnixMillis::new(90)), ..record.clone() }.start(),
        UnixMillis::new(90)
    );
    assert_eq!(Record { outcome: None, ..record.clone() }.start(), UnixMillis::new(5));
    let mut out = Vec::new();
    record.write(&mut out);
    assert_eq!(String::from_utf8(out).unwrap(), String::from_utf8(text.to_vec()).unwrap());
}

#[test]
fn an_occurrence_gets_its_time_in_front() {
    let mut out = Vec::new();
    write_occurrence(
        br#"{"id":"a","cron":"* * * * *","callback":{}}"#,
        UnixMillis::new(60_000),
        &mut out,
    );
    assert_eq!(Record::parse(&out).unwrap().time, Some(UnixMillis::new(60_000)));
    assert_eq!(out, br#"{"time":60000,"id":"a","cron":"* * * * *","callback":{}}"#);
}

#[test]
fn the_mark_of_a_pause_does_not_change_the_version() {
    let with = |members: &str| {
        format!(
            r#"{{"time":5,"id":"a","callback":{{}},"payload":{{",\"pausedAt\":":1}}{members}}}"#
        )
    };
    let version = |members: &str| version_of(with(members).as_bytes());
    let plain = version("");
    assert_eq!(plain, digest_of(with("").as_bytes()));
    assert_eq!(version(r#","pausedAt":8"#), plain);
    assert_eq!(version(r#","pausedAt":8,"pausedBy":"ops","pauseNote":"n""#), plain);
    assert_ne!(version(r#","paused":true,"pausedAt":8"#), plain);
    assert_eq!(version(r#","paused":true,"pausedAt":8"#), version(r#","paused":true"#));
    assert_ne!(version(r#","pausedAt":8,"updatedAt":9"#), plain);
}
