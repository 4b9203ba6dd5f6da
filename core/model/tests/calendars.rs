//! Schedules that name calendars: checked, stored, shown, patched, previewed and explained.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed assumption ends the test"
)]

use scheduler_calendar::time::UnixMillis;
use scheduler_model::bounds::{MAX_CALENDAR_EXCLUDES, MAX_EXCLUDED_CALENDARS};
use scheduler_model::calendars::{Calendar, CalendarInput, Calendars, Resolved};
use scheduler_model::explain::{Explanation, NextRun, ReasonCode};
use scheduler_model::input::FieldError;
use scheduler_model::listing::write_task;
use scheduler_model::protocol::Status;
use scheduler_model::schedule::{calendars_of_preview, preview, preview_with_calendars};
use scheduler_model::task::{
    Origin, Record, Targets, Validator, changes_exclude, merge_patch, parse_batch, parse_one,
};

/// 2026-12-20T00:00:00Z, a Sunday.
const NOW: UnixMillis = UnixMillis::new(1_797_724_800_000);
const DAY: i64 = 86_400_000;
const NINE: i64 = 9 * 3_600_000;

fn calendar(name: &str, items: &str) -> Calendar {
    Calendar {
        name: name.parse().unwrap(),
        description: None,
        items: CalendarInput::parse(items).unwrap().items,
        created_at: NOW,
        updated_at: NOW,
        update: None,
    }
}

/// The calendars of a namespace that has these two.
fn calendars() -> Calendars {
    let calendars = vec![
        calendar("de-holidays", r#"{"dates":["12-25/12-26"]}"#),
        calendar("lunch", r#"{"times":["12:00-13:00"],"weekdays":["SUN"]}"#),
    ];
    let exist = calendars.iter().map(|of| of.name.clone()).collect();
    let all = Calendars::default();
    all.set(Resolved { calendars, exist, count: 2, ..Resolved::default() });
    all
}

fn body(fields: &str) -> String {
    format!(
        r#"{{"id":"a","cron":"0 9 * * *",{fields},"callback":{{"type":"handler","name":"log"}}}}"#
    )
}

fn stored_with(body: &str, calendars: Option<&Calendars>) -> Result<String, FieldError> {
    let targets = Targets { handlers: &["log"], ..Targets::default() };
    let mut validator = Validator::new(NOW, [7; 16], targets);
    if let Some(calendars) = calendars {
        validator = validator.with_calendars(calendars);
    }
    let task = validator.check(parse_one(body)?)?;
    let mut out = Vec::new();
    task.write_record(&Origin::default(), &mut out);
    Ok(String::from_utf8(out).unwrap())
}

fn stored(fields: &str) -> Result<String, FieldError> {
    stored_with(&body(fields), Some(&calendars()))
}

fn refusal(fields: &str) -> FieldError {
    stored(fields).unwrap_err()
}

#[test]
fn a_record_has_the_union_of_its_calendars_and_shows_their_names() {
    let given = r#""exclude":{"dates":["12-24"],"calendars":["de-holidays","lunch"]}"#;
    let text = stored(given).unwrap();
    // The form of a record is stored, so it never changes.
    assert_eq!(
        text,
        body(
            r#""exclude":{"dates":["12-24"],"calendars":[{"name":"de-holidays","version":"654630f45e3b907d","items":{"dates":["12-25/12-26"]}},{"name":"lunch","version":"0c969ef7c373e426","items":{"weekdays":["SUN"],"times":["12:00-13:00"]}}]}"#
        )
    );
    let schedule = |text: &str| {
        let record = Record::parse(text.as_bytes()).unwrap();
        record.schedule().schedule(0).unwrap()
    };
    let listed = stored(
        r#""exclude":{"dates":["12-24","12-25/12-26"],"times":["12:00-13:00"],"weekdays":["SUN"]}"#,
    );
    assert!(schedule(&text).has_times_of(&schedule(&listed.unwrap())));

    let mut shown = Vec::new();
    write_task(Status::Scheduled, NOW, &text, &mut shown);
    let shown = String::from_utf8(shown).unwrap();
    assert!(shown.contains(given), "{shown}");
    // What an answer shows is a task to send again.
    assert_eq!(stored_with(&shown, Some(&calendars())).unwrap(), text);
}

#[test]
fn a_name_that_does_not_exist_is_refused_with_those_that_do() {
    let problem = refusal(r#""exclude":{"calendars":["de-holidays","fr"]}"#);
    assert_eq!(problem.field, "exclude.calendars[1]");
    for part in ["is \"fr\"", "not a calendar of this namespace", "\"de-holidays\", \"lunch\""] {
        assert!(problem.detail.contains(part), "{problem}");
    }
    let many = Calendars::default();
    let exist = (0..30).map(|n| format!("c{n:02}").parse().unwrap()).collect();
    many.set(Resolved { exist, count: 77, ..Resolved::default() });
    let problem = stored_with(&body(r#""exclude":{"calendars":["x"]}"#), Some(&many)).unwrap_err();
    assert!(problem.detail.contains("\"c09\" and 67 more"), "{problem}");

    let none = Calendars::default();
    none.set(Resolved::default());
    let problem = stored_with(&body(r#""exclude":{"calendars":["x"]}"#), Some(&none)).unwrap_err();
    assert!(problem.detail.contains("PUT /v1/calendars/"), "{problem}");

    // One that cannot be read does exist.
    let broken = Calendars::default();
    let exist = vec!["de".parse().unwrap()];
    broken.set(Resolved {
        exist,
        count: 1,
        unreadable: vec!["de".to_owned()],
        ..Resolved::default()
    });
    let problem =
        stored_with(&body(r#""exclude":{"calendars":["de"]}"#), Some(&broken)).unwrap_err();
    assert_eq!(problem.field, "exclude.calendars[0]");
    assert!(problem.detail.contains("cannot be read; write it again with PUT"), "{problem}");
}

#[test]
fn hostile_lists_of_calendars_are_refused() {
    let snapshot = r#"{"name":"de-holidays","version":"1","items":{"dates":["12-24"]}}"#;
    let too_many = ["\"lunch\""; MAX_EXCLUDED_CALENDARS + 1].join(",");
    for (calendars, field) in [
        (format!("[{snapshot}]"), "exclude.calendars[0]"),
        (format!("[\"lunch\",{snapshot}]"), "exclude.calendars[1]"),
        ("[7]".to_owned(), "exclude.calendars[0]"),
        ("[null]".to_owned(), "exclude.calendars[0]"),
        ("[[\"lunch\"]]".to_owned(), "exclude.calendars[0]"),
        ("[]".to_owned(), "exclude.calendars"),
        ("[\"lunch\",\"lunch\"]".to_owned(), "exclude.calendars[1]"),
        ("[\"\"]".to_owned(), "exclude.calendars[0]"),
        ("[\"../lunch\"]".to_owned(), "exclude.calendars[0]"),
        (format!("[\"{}\"]", "x".repeat(10_000)), "exclude.calendars[0]"),
        (format!("[{too_many}]"), "exclude.calendars"),
        ("\"lunch\"".to_owned(), "exclude.calendars"),
        ("{\"lunch\":1}".to_owned(), "exclude.calendars"),
    ] {
        let problem = refusal(&format!(r#""exclude":{{"calendars":{calendars}}}"#));
        assert_eq!(problem.field, field, "{calendars}: {problem}");
        assert!(problem.detail.len() < 1_000, "{problem}");
        for name in ["calendars", r"c\u0061lendars"] {
            let exclude = format!(r#""exclude":{{"{name}":{calendars}}}"#);
            assert!(stored(&exclude).is_err(), "{exclude}");
            // A request that cannot look calendars up refuses all of them.
            assert!(stored_with(&body(&exclude), None).is_err(), "{exclude}");
        }
    }
    let absent = stored(r#""exclude":{"dates":["12-24"],"calendars":null}"#).unwrap();
    assert!(!absent.contains("calendars"));
}

#[test]
fn the_limits_hold_for_a_task_and_its_calendars_together() {
    let dates = |from: usize, count: usize| {
        let dates: Vec<String> =
            (from..from + count).map(|n| format!("\"{}-12-24\"", 2027 + n)).collect();
        dates.join(",")
    };
    let all = Calendars::default();
    let calendars = vec![calendar("long", &format!(r#"{{"dates":[{}]}}"#, dates(0, 200)))];
    all.set(Resolved { calendars, count: 1, ..Resolved::default() });
    let of = |own: usize| {
        let exclude =
            format!(r#""exclude":{{"dates":[{}],"calendars":["long"]}}"#, dates(300, own));
        stored_with(&body(&exclude), Some(&all))
    };
    assert!(of(100).is_ok());
    let problem = of(101).unwrap_err();
    assert_eq!(problem.field, "exclude.dates");
    assert!(
        problem.detail.contains("has 101 items, and its calendars add 200; the limit is 300"),
        "{problem}"
    );
    // Weekdays of several calendars may be the same.
    let calendars: Vec<_> =
        (0..8).map(|n| calendar(&format!("w{n}"), r#"{"weekdays":["SAT","SUN"]}"#)).collect();
    let names: Vec<String> = calendars.iter().map(|of| format!("\"{}\"", of.name)).collect();
    let weekly = Calendars::default();
    weekly.set(Resolved { calendars, count: 8, ..Resolved::default() });
    let exclude = format!(r#""exclude":{{"calendars":[{}]}}"#, names.join(","));
    assert!(stored_with(&body(&exclude), Some(&weekly)).is_ok());
    // Together they leave no day.
    let workdays = Calendars::default();
    let days = calendar("days", r#"{"weekdays":["MON","TUE","WED","THU","FRI","SAT"]}"#);
    workdays.set(Resolved { calendars: vec![days], count: 1, ..Resolved::default() });
    let exclude = r#""exclude":{"weekdays":["SUN"],"calendars":["days"]}"#;
    let problem = stored_with(&body(exclude), Some(&workdays)).unwrap_err();
    assert_eq!(problem.field, "exclude.weekdays");
}

#[test]
fn a_request_has_a_limited_number_of_different_exclusions_with_calendars() {
    let all = calendars();
    let targets = Targets { handlers: &["log"], ..Targets::default() };
    let task = |date: usize| {
        format!(
            r#"{{"cron":"0 9 * * *","exclude":{{"dates":["{date}-12-24"],"calendars":["lunch"]}},"callback":{{"type":"handler","name":"log"}}}}"#
        )
    };
    let tasks: Vec<String> = (0..=MAX_CALENDAR_EXCLUDES).map(|n| task(2027 + n)).collect();
    let text = format!("[{},{}]", tasks.join(","), task(2027));
    let mut validator = Validator::new(NOW, [7; 16], targets).with_calendars(&all);
    let outcomes: Vec<_> = parse_batch(&text, false)
        .unwrap()
        .into_iter()
        .map(|task| task.and_then(|task| validator.check(task).map(drop)))
        .collect();
    let refused: Vec<usize> =
        (0..outcomes.len()).filter(|place| outcomes[*place].is_err()).collect();
    assert_eq!(refused, [MAX_CALENDAR_EXCLUDES], "the last one repeats the first");
}

#[test]
fn a_patch_keeps_the_snapshots_unless_it_names_exclude() {
    let text = stored(r#""exclude":{"calendars":["de-holidays"]}"#).unwrap();
    let merged = merge_patch(&text, false, r#"{"description":"x"}"#).unwrap();
    assert!(merged.contains(r#""calendars":["de-holidays"]"#), "{merged}");
    assert!(!changes_exclude(r#"{"description":"x"}"#));
    let exclude = Record::parse(text.as_bytes()).unwrap().exclude.unwrap().get();
    let kept = stored_with(&merged, Some(&Calendars::of_record(exclude))).unwrap();
    assert!(kept.contains(exclude), "{kept}");

    let patch = r#"{"exclude":{"dates":["12-24"]}}"#;
    assert!(changes_exclude(patch));
    let merged = merge_patch(&text, false, patch).unwrap();
    let after = stored_with(&merged, Some(&calendars())).unwrap();
    assert!(after.contains(r#""calendars":[{"name":"de-holidays""#), "{after}");
    assert!(after.contains(r#""dates":["12-24"]"#), "{after}");
    let removed = merge_patch(&text, false, r#"{"exclude":{"calendars":null,"dates":["12-24"]}}"#);
    assert!(!stored_with(&removed.unwrap(), None).unwrap().contains("calendars"));
}

#[test]
fn a_preview_and_an_explanation_name_the_calendar_that_leaves_out_a_run() {
    let request = r#"{"cron":"0 9 * * *","exclude":{"dates":["12-24","12-26"],"calendars":["de-holidays","lunch"]},"from":"2026-12-22T10:00:00Z","count":4}"#;
    let in_words = |sentence: &str| vec![sentence.to_owned()];
    assert_eq!(calendars_of_preview(request, in_words), ["de-holidays", "lunch"]);
    let words = r#"{"schedule":"every day","exclude":{"calendars":["lunch"]}}"#;
    assert_eq!(calendars_of_preview(words, in_words), ["lunch", "every day"]);
    let all = calendars();
    let (preview, when) = preview_with_calendars(request, NOW, None, Some(&all)).unwrap();
    let left_out: Vec<_> = preview
        .excluded
        .iter()
        .map(|run| (run.time.since(NOW) / DAY, run.calendars.join("+")))
        .collect();
    let expected = [(4, ""), (5, "de-holidays"), (6, "de-holidays"), (7, "lunch")];
    assert_eq!(left_out, expected.map(|(day, names)| (day, names.to_owned())));
    assert!(is_refused_without_calendars(request));

    let mut explanation = Explanation {
        next_run: Some(NextRun { time: NOW.plus(8 * DAY + NINE), due: NOW.plus(8 * DAY + NINE) }),
        ..Explanation::default()
    };
    explanation.add(ReasonCode::Excluded, "exclude leaves out the run.");
    explanation.name_calendars(&when, NOW.plus(4 * DAY + NINE));
    assert_eq!(
        explanation.reasons[0].detail,
        r#"exclude leaves out the run. It is left out by the calendar "de-holidays"."#
    );
    let before = explanation.reasons.clone();
    explanation.name_calendars(&when, NOW.plus(3 * DAY + NINE));
    assert_eq!(explanation.reasons, before, "the date of the task itself leaves out that run");
}

/// Whether a preview that cannot look calendars up refuses them.
fn is_refused_without_calendars(request: &str) -> bool {
    preview(request, NOW).is_err_and(|problem| problem.field == "exclude.calendars[0]")
}
