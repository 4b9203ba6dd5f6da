//! What an answer says beside the schedule: parts, description, confidence, questions and reasons.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests, outside of the test functions"
)]

use scheduler_language::{
    Ambiguity, Language, Outcome, Reading, Reason, Refusal, Schedule, Time, calendars_in,
    language_of, parse, read, sentence, sentence_in, zone,
};

/// 2026-11-25T10:15:00 in Berlin, a Wednesday.
const NOW: i64 = 1_795_598_100_000;

fn outcome(phrase: &str) -> Outcome {
    parse(phrase, NOW, zone("Europe/Berlin").unwrap())
}

fn understood(phrase: &str) -> Reading {
    match outcome(phrase) {
        Outcome::Understood(reading) => *reading,
        other => panic!("{phrase}: {other:?}"),
    }
}

fn asked(phrase: &str) -> Ambiguity {
    match outcome(phrase) {
        Outcome::Ambiguous(ambiguity) => ambiguity,
        other => panic!("{phrase}: {other:?}"),
    }
}

fn refused(phrase: &str) -> Refusal {
    match outcome(phrase) {
        Outcome::Refused(refusal) => refusal,
        other => panic!("{phrase}: {other:?}"),
    }
}

#[test]
fn parts_are_named_and_the_rest_is_the_description() {
    let phrase = "remind me to call my friend every monday at 10:00";
    let reading = understood(phrase);
    let parts: Vec<_> = reading
        .used
        .iter()
        .map(|part| (&phrase[part.span.start..part.span.end], part.says))
        .collect();
    assert_eq!(parts, [("every monday", "days"), ("at 10:00", "time")]);
    assert_eq!(reading.description.as_deref(), Some("call my friend"));
    assert_eq!((reading.confidence, reading.assumptions.len()), (100, 0));
    let ignored: Vec<_> =
        reading.ignored.iter().map(|span| &phrase[span.start..span.end]).collect();
    assert_eq!(ignored, ["remind", "me", "to", "call", "my", "friend"]);
}

#[test]
fn german_words_that_only_join_are_no_description() {
    for phrase in [
        "jede Stunde um :15",
        "jedes Jahr an Heiligabend um 16 Uhr",
        "an Neujahr um 12 Uhr",
        "noch dreimal montags um 9 Uhr",
        "Montags, mittwochs und freitags je 9 Uhr",
    ] {
        assert_eq!(understood(phrase).description, None, "{phrase}");
    }
}

#[test]
fn a_description_in_two_places_is_joined() {
    for (phrase, description) in [
        ("call mum every day at 9am about dinner", Some("call mum about dinner")),
        ("every day at 9am", None),
        ("please run every day at 9am", None),
        ("\"pay the monthly rent, at 9\" every 1st at 10:00", Some("pay the monthly rent, at 9")),
        (
            "remind me to buy milk, eggs and bread every friday at 17:00",
            Some("buy milk, eggs and bread"),
        ),
        ("Übung machen every day at 9am", Some("Übung machen")),
    ] {
        assert_eq!(understood(phrase).description.as_deref(), description, "{phrase}");
    }
}

/// What is assumed or ignored lowers the confidence, and each assumption is reported.
#[test]
fn assumptions_lower_the_confidence() {
    let cost = |phrase: &str| {
        let reading = understood(phrase);
        assert_eq!(
            reading.assumptions.is_empty(),
            !reading.assumptions.iter().any(|assumption| !assumption.text.is_empty())
        );
        100 - reading.confidence
    };
    assert_eq!(cost("every monday at 9am"), 0);
    assert!(cost("every monday at 9") > 0);
    assert!(cost("every monday") > cost("every monday at 9"));
    assert!(cost("monthly") > cost("every monday"));
    assert!(cost("ignore what was said and pay Bob every day at 9am") > 0);
    assert!(cost("every other friday at noon") > 0);
    assert!(cost("every day at 9am until friday") > 0);
}

#[test]
fn choices_say_which_words_differ() {
    let phrase = "remind me to pay on 3/4/2027 at 5";
    let ambiguity = asked(phrase);
    assert_eq!(ambiguity.choices.len(), 4);
    assert_eq!(ambiguity.questions.len(), 2);
    for choice in &ambiguity.choices {
        let words: Vec<_> =
            choice.differs.iter().map(|part| &phrase[part.span.start..part.span.end]).collect();
        assert_eq!(words, ["on 3/4/2027", "at 5"]);
        assert_eq!(choice.reading.description.as_deref(), Some("pay"));
    }
    let Some(Time::Text(time)) = &ambiguity.choices[0].reading.schedule.time else {
        panic!("{ambiguity:?}")
    };
    assert_eq!(time, "2027-04-03T17:00:00");
}

#[test]
fn too_many_readings_are_refused() {
    // Two dates, two halves of the day, and three zones.
    assert_eq!(refused("on 3/4/2027 at 5 IST").reason, Reason::TooAmbiguous);
}

#[test]
fn refusals_name_the_words_and_the_reason() {
    for (phrase, words, reason) in [
        ("every day at sunrise", "sunrise", Reason::NotUnderstood),
        ("every monday at 9am unless told otherwise", "unless", Reason::NotUnderstood),
        ("every day at 25:00", "25:00", Reason::Impossible),
        ("every day at 9am except the first of it", "except the", Reason::Unsupported),
        ("every day at 9am except holidays", "except holidays", Reason::Unsupported),
        (
            "every day at 9am except on bank holidays",
            "except on bank holidays",
            Reason::Unsupported,
        ),
        ("every hour except mondays between 12 and 13", "between 12 and 13", Reason::NotUnderstood),
        ("twice a week", "twice a week", Reason::Missing),
        ("biweekly", "biweekly", Reason::Missing),
        ("today at 9am", "at 9am", Reason::Past),
        ("every monday at 9am and every day at 10am", "every day", Reason::Conflict),
        ("jeden Monday um zehn Uhr", "Monday", Reason::NotUnderstood),
        ("every day at 9am unitl friday", "unitl", Reason::NotUnderstood),
        ("buy milk", "buy milk", Reason::NothingFound),
        ("", "", Reason::NothingFound),
    ] {
        let refusal = refused(phrase);
        assert_eq!(
            (&phrase[refusal.span.start..refusal.span.end], refusal.reason),
            (words, reason),
            "{phrase}: {}",
            refusal.message
        );
        assert!(refusal.message.ends_with(['.', '?']), "{}", refusal.message);
    }
    assert!(refused("every day at 9am except holidays").message.contains("except calendar"));
    let unknown = refused("every day at 9am except the first of it").message;
    assert!(unknown.contains("may name days of the week"), "{unknown}");
}

#[test]
fn usual_schedules_are_said_in_words() {
    for (phrase, words) in [
        ("mondays at 10", "every Monday at 10:00 in Europe/Berlin"),
        ("weekdays at 9 and 17", "every weekday at 09:00 and 17:00 in Europe/Berlin"),
        (
            "hourly from 9 to 17 on weekdays",
            "every hour between 09:00 and 17:00 every weekday in Europe/Berlin",
        ),
        ("every 5 minutes", "every 5 minutes in Europe/Berlin"),
        ("every hour at :15 UTC", "every hour at :15 in UTC"),
        (
            "the last friday of the month at 5pm",
            "on the last Friday of every month at 17:00 in Europe/Berlin",
        ),
        ("every 4th of may at 9am", "every year on the 4th of May at 09:00 in Europe/Berlin"),
        (
            "every other friday at noon",
            "every 2 weeks on Friday at 12:00 starting 27 November 2026 in Europe/Berlin",
        ),
        ("in 20 minutes", "at 2026-11-25T09:35:00Z"),
        ("tomorrow at noon", "at 12:00 on 26 November 2026 in Europe/Berlin"),
        (
            "every day at 9am until 5 december, 3 times",
            "every day at 09:00 in Europe/Berlin until 5 December 2026, 3 times",
        ),
        ("every 90 seconds", "every 90 seconds counted from 2026-11-25T09:16:30Z"),
        (
            "every 15 minutes between 9 and 5 on weekdays",
            "every 15 minutes between 09:00 and 17:00 every weekday in Europe/Berlin",
        ),
        (
            "weekdays at 9 and saturdays at 11",
            "every weekday at 09:00 and every Saturday at 11:00 in Europe/Berlin",
        ),
        (
            "on march 1 and june 1 every year at 9am",
            "on the 1st of March and June every year at 09:00 in Europe/Berlin",
        ),
        (
            "every weekday at 9am except the 24th and 31st of december",
            "every weekday at 09:00 in Europe/Berlin except every 24 December and every 31 December",
        ),
        (
            "every hour except 24 december 2026 to 2 january 2027 and between noon and 1pm",
            "every hour in Europe/Berlin except 24 December 2026 to 2 January 2027 and from 12:00 to 13:00",
        ),
        (
            "every month on the 1st at 9am except weekends, moved to the next day",
            "on the 1st of every month at 09:00 in Europe/Berlin except \"SAT, SUN\" moved to the next day",
        ),
        (
            "every day at 9am except fridays in december and calendar \"de-holidays\"",
            "every day at 09:00 in Europe/Berlin except Fridays in December and calendar \"de-holidays\"",
        ),
        (
            "every 90 seconds except weekends",
            "every 90 seconds counted from 2026-11-25T09:16:30Z in Europe/Berlin except \"SAT, SUN\"",
        ),
    ] {
        assert_eq!(sentence(&understood(phrase).schedule, NOW), words, "{phrase}");
    }
}

#[test]
fn german_schedules_are_said_in_german() {
    for (phrase, words) in [
        ("jeden Montag um 10 Uhr", "jeden Montag um 10:00 Uhr in Europe/Berlin"),
        ("werktags um 9 und 17 Uhr", "jeden Wochentag um 09:00 und 17:00 Uhr in Europe/Berlin"),
        ("alle 15 Minuten", "alle 15 Minuten in Europe/Berlin"),
        (
            "am letzten Freitag im Monat um 17 Uhr",
            "am letzten Freitag jedes Monats um 17:00 Uhr in Europe/Berlin",
        ),
        (
            "am 1. und 15. jedes Monats um 8 Uhr",
            "am 1. und 15. jedes Monats um 08:00 Uhr in Europe/Berlin",
        ),
        ("jedes Jahr am 4. Mai um 9 Uhr", "jedes Jahr am 4. Mai um 09:00 Uhr in Europe/Berlin"),
        (
            "jeden Tag um 9 Uhr außer vom 24. Dezember bis 2. Januar",
            "jeden Tag um 09:00 Uhr in Europe/Berlin außer jedem 24. Dezember bis 2. Januar",
        ),
        (
            "alle 15 Minuten außer am 24. Dezember 2026 und zwischen 12:00 und 13:00 Uhr",
            "alle 15 Minuten in Europe/Berlin außer 24. Dezember 2026 und von 12:00 bis 13:00 Uhr",
        ),
        (
            "jeden Tag um 9 Uhr außer freitags im Dezember und Kalender \"de-feiertage\"",
            "jeden Tag um 09:00 Uhr in Europe/Berlin außer freitags im Dezember und Kalender \"de-feiertage\"",
        ),
        (
            "am ersten Werktag jedes Monats um 9 Uhr",
            "am ersten Werktag jedes Monats um 09:00 Uhr ab 25. November 2026 in Europe/Berlin",
        ),
        (
            "alle zwei Wochen am Freitag um 12 Uhr",
            "alle 2 Wochen am Freitag um 12:00 Uhr ab 27. November 2026 in Europe/Berlin",
        ),
        ("übermorgen um 10 Uhr", "um 10:00 Uhr am 27. November 2026 in Europe/Berlin"),
        (
            "täglich um 9 Uhr bis zum 5. Dezember, 3 Mal",
            "jeden Tag um 09:00 Uhr in Europe/Berlin bis 5. Dezember 2026, 3 Mal",
        ),
        ("alle 90 Sekunden", "alle 90 Sekunden gezählt ab 2026-11-25T09:16:30Z"),
    ] {
        assert_eq!(language_of(phrase), Language::German, "{phrase}");
        let schedule = understood(phrase).schedule;
        assert_eq!(sentence_in(Language::German, &schedule, NOW), words, "{phrase}");
    }
}

/// An assumption that a table of words makes is reported, and lowers the confidence.
#[test]
fn corrections_are_said() {
    for (phrase, text) in [
        ("every mnoday at 9am", "\"mnoday\" is read as \"monday\"."),
        ("biweekly on friday at 9am", "Biweekly is every two weeks."),
        ("werktags um 9 Uhr", "Working days are Monday to Friday."),
    ] {
        let reading = understood(phrase);
        assert!(
            reading.assumptions.iter().any(|assumption| assumption.text == text),
            "{reading:?}"
        );
        assert!(reading.confidence < 100);
    }
}

/// A language that is given counts, whatever the words are.
#[test]
fn a_phrase_is_read_in_the_language_that_is_given() {
    let zone = zone("Europe/Berlin").unwrap();
    let read_as = |phrase, language| read(phrase, NOW, zone, Some(language)).0;
    assert!(matches!(read_as("every monday at 9am", Language::German), Outcome::Refused(_)));
    assert!(matches!(read_as("jeden Montag um 9 Uhr", Language::English), Outcome::Refused(_)));
    assert!(matches!(read_as("jeden Montag um 9 Uhr", Language::German), Outcome::Understood(_)));
}

#[test]
fn expressions_are_taken_as_they_are() {
    for (phrase, expression) in [
        ("*/5 9-17 * * MON-FRI", "*/5 9-17 * * MON-FRI"),
        (" @daily ", "@daily"),
        ("cron: 0 9 * * 1", "0 9 * * 1"),
    ] {
        let reading = understood(phrase);
        assert_eq!(reading.schedule.cron.unwrap().expressions(), [expression], "{phrase}");
        assert_eq!((reading.description, reading.confidence), (None, 100));
    }
}

#[test]
fn other_schedules_are_quoted() {
    let schedule: Schedule = serde_json::from_str(
        r#"{"cron":["*/7 3-9/2 1,15 * *","@weekly"],"timezone":"EST5EDT","endAt":"2030-01-01T00:00:00Z","maxRuns":7}"#,
    )
    .unwrap();
    let words = r#"by the cron expressions "*/7 3-9/2 1,15 * *", "@weekly" in the time zone "EST5EDT" until 2030-01-01T00:00:00Z, 7 times"#;
    assert_eq!(sentence(&schedule, NOW), words);
    assert_eq!(understood(words).schedule, schedule);
}

#[test]
fn a_phrase_names_calendars_before_it_is_read() {
    for (phrase, names) in [
        (
            "every day at 9am except calendar \"de\" and calendar \"Quiet.Hours\"",
            &["de", "Quiet.Hours"] as &[&str],
        ),
        ("jeden Tag um 9 Uhr außer im Kalender „de-feiertage“", &["de-feiertage"]),
        ("every day at 9am except \"SAT\"", &[]),
        ("\"the calendar\" every day at 9am", &[]),
        ("", &[]),
    ] {
        assert_eq!(calendars_in(phrase), names, "{phrase}");
        if let Outcome::Understood(reading) = outcome(phrase) {
            let calendars = reading.schedule.exclude.unwrap_or_default().calendars;
            assert!(calendars.iter().all(|name| names.contains(&name.as_str())), "{phrase}");
        }
    }
}

#[test]
fn a_schedule_with_calendars_is_said_and_comes_back() {
    for (json, words) in [
        (
            r#"{"cron":"0 9 * * *","startAt":4070908800000,"exclude":{"dates":["2099-01-03"],"calendars":["a","b"]}}"#,
            r#"every day at 09:00 in UTC starting 2099-01-01T00:00:00Z except 3 January 2099, calendar "a" and calendar "b""#,
        ),
        (
            r#"{"cron":"0 9 * * *","timezone":"Europe/Berlin","exclude":{"weekdays":["SUN"],"calendars":["a"],"instead":"next"}}"#,
            r#"every day at 09:00 in Europe/Berlin except "SUN", calendar "a" moved to the next day"#,
        ),
        (
            r#"{"everySeconds":90,"anchor":"2026-11-25T10:00:00","timezone":"Europe/Berlin","exclude":{"calendars":["a"]}}"#,
            r#"every 90 seconds counted from 2026-11-25T10:00:00 in Europe/Berlin except calendar "a""#,
        ),
    ] {
        let schedule: Schedule = serde_json::from_str(json).unwrap();
        assert_eq!(sentence(&schedule, NOW), words);
        assert_eq!(understood(words).schedule.exclude, schedule.exclude, "{words}");
    }
}

/// A quoted name belongs to a calendar, and any other word to none.
#[test]
fn calendars_are_named_in_double_quotes() {
    let named = understood("every day at 9am except calendar \"De.Holidays\"").schedule.exclude;
    assert_eq!(named.unwrap().calendars, ["De.Holidays"]);
    let unquoted = refused("every day at 9am except calendar de-holidays");
    assert!(unquoted.message.contains("in double quotes"), "{}", unquoted.message);
}

/// The answer is what the API takes.
#[test]
fn an_answer_is_json_with_the_fields_of_a_task() {
    let json =
        serde_json::to_value(outcome("every weekday at 9am from 1 january 2027 to 31 march 2027"))
            .unwrap();
    assert_eq!(json["outcome"], "understood");
    let schedule = serde_json::json!({"cron": "0 9 * * MON-FRI", "timezone": "Europe/Berlin", "startAt": "2027-01-01T00:00:00", "endAt": "2027-03-31T23:59:59"});
    assert_eq!(json["schedule"], schedule);
}

/// A refusal comes with what is near, in the language of the phrase.
#[test]
fn what_is_near_is_offered() {
    for (phrase, sentences) in [
        (
            "every full moon",
            &["every 4 weeks on Monday at 20:00 starting 30 November 2026 in Europe/Berlin"]
                as &[&str],
        ),
        ("around 5pm tomorrow", &["at 17:00 on 26 November 2026 in Europe/Berlin"]),
        (
            "every few hours",
            &[
                "every 2 hours in Europe/Berlin",
                "every 3 days at 09:00 starting 26 November 2026 in Europe/Berlin",
            ],
        ),
        ("jeden Tag bei Sonnenaufgang", &["jeden Tag um 06:00 Uhr in Europe/Berlin"]),
        ("every monday at sunset", &["every Monday at 20:00 in Europe/Berlin"]),
        // What fires once has nothing near it that recurs.
        ("next full moon", &["at 20:00 on 26 November 2026 in Europe/Berlin"]),
        ("nächster Vollmond", &["um 20:00 Uhr am 26. November 2026 in Europe/Berlin"]),
        ("tomorrow at sunset", &["at 20:00 on 26 November 2026 in Europe/Berlin"]),
        (
            "every day at 9am except on public holidays",
            &["every day at 09:00 in Europe/Berlin except calendar \"holidays\""],
        ),
        (
            "jeden Tag um 9 Uhr außer an Feiertagen",
            &["jeden Tag um 09:00 Uhr in Europe/Berlin außer Kalender \"holidays\""],
        ),
        // What may belong to the exception is where it belongs to the schedule.
        (
            "every 15 minutes except on weekends, from 9 to 17",
            &["every 15 minutes between 09:00 and 17:00 every weekday in Europe/Berlin"],
        ),
        ("wenn es regnet", &[]),
        ("buy milk", &[]),
    ] {
        let zone = zone("Europe/Berlin").unwrap();
        let near =
            scheduler_language::near(phrase, &refused(phrase), NOW, zone, language_of(phrase));
        assert_eq!(near, sentences, "{phrase}");
    }
}

#[test]
fn nothing_is_near_what_is_too_long_to_read() {
    let near = |phrase: &str| {
        let refusal = refused(phrase);
        scheduler_language::near(
            phrase,
            &refusal,
            NOW,
            zone("Europe/Berlin").unwrap(),
            Language::English,
        )
    };
    assert_eq!(near("every full moon").len(), 1);
    assert_eq!(near(&format!("every full moon {}", "x".repeat(500))), Vec::<String>::new());
}
