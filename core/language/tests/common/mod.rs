//! The files of sentences.

use chrono::NaiveDateTime;
use scheduler_language::{Schedule, Zone, runs, zone};

/// The files by their names.
pub(crate) const LINES: &[(&str, &str)] = &[
    ("recurring", include_str!("../sentences/recurring.txt")),
    ("bounds", include_str!("../sentences/bounds.txt")),
    ("once", include_str!("../sentences/once.txt")),
    ("zones", include_str!("../sentences/zones.txt")),
    ("refused", include_str!("../sentences/refused.txt")),
    ("unseen", include_str!("../sentences/unseen.txt")),
    ("second", include_str!("../sentences/second.txt")),
    ("third", include_str!("../sentences/third.txt")),
    ("fourth", include_str!("../sentences/fourth.txt")),
    ("fifth", include_str!("../sentences/fifth.txt")),
    ("sixth", include_str!("../sentences/sixth.txt")),
    ("seventh", include_str!("../sentences/seventh.txt")),
    ("eighth", include_str!("../sentences/eighth.txt")),
    ("ninth", include_str!("../sentences/ninth.txt")),
    ("tenth", include_str!("../sentences/tenth.txt")),
    ("eleventh", include_str!("../sentences/eleventh.txt")),
    ("twelfth", include_str!("../sentences/twelfth.txt")),
    ("thirteenth", include_str!("../sentences/thirteenth.txt")),
    ("fourteenth", include_str!("../sentences/fourteenth.txt")),
    ("german", include_str!("../sentences/german.txt")),
    ("german2", include_str!("../sentences/german2.txt")),
    ("german3", include_str!("../sentences/german3.txt")),
    ("german4", include_str!("../sentences/german4.txt")),
    ("german5", include_str!("../sentences/german5.txt")),
    ("german6", include_str!("../sentences/german6.txt")),
    ("german7", include_str!("../sentences/german7.txt")),
    ("german8", include_str!("../sentences/german8.txt")),
    ("german9", include_str!("../sentences/german9.txt")),
];

/// The runs by which schedules are compared.
const RUNS: usize = 20;

/// The expected result of a sentence.
#[derive(Debug, Clone)]
pub(crate) enum Expected {
    Schedule(Box<Schedule>),
    Ask,
    Refused,
}

/// A sentence of the files.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) file: &'static str,
    pub(crate) phrase: &'static str,
    pub(crate) now: i64,
    pub(crate) zone: &'static str,
    pub(crate) expected: Expected,
    pub(crate) description: Option<&'static str>,
}

impl Line {
    pub(crate) fn zone(&self) -> Zone {
        zone(self.zone).expect("a zone of the files")
    }
}

/// Returns all sentences, in order.
pub(crate) fn lines() -> Vec<Line> {
    let mut lines = Vec::new();
    for (file, text) in LINES.iter().copied() {
        let (mut now, mut zone_name) = (0, "UTC");
        for line in text.lines() {
            if let Some(setting) = line.strip_prefix("# now ") {
                let (time, name) = setting.split_once(' ').expect("a time and a zone");
                let local: NaiveDateTime = time.parse().expect("a local time");
                let millis = local.and_utc().timestamp_millis();
                let offset = zone(name).expect("a zone").offset_at(millis / 1_000);
                (now, zone_name) = (millis - offset * 1_000, name);
            }
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let mut columns = line.split(" | ");
            let (phrase, expected) = (
                columns.next().expect("a phrase"),
                columns.next().unwrap_or_else(|| panic!("no expectation: {line}")),
            );
            let expected = match expected.trim() {
                "ask" => Expected::Ask,
                "refused" => Expected::Refused,
                json => Expected::Schedule(Box::new(schedule(json, zone_name))),
            };
            lines.push(Line {
                file,
                phrase,
                now,
                zone: zone_name,
                expected,
                description: columns.next().map(str::trim),
            });
        }
    }
    lines
}

/// Reads an expected schedule. Its zone is that of the file unless it says another or has only
/// instants.
fn schedule(json: &str, zone: &str) -> Schedule {
    let mut schedule: Schedule =
        serde_json::from_str(json).unwrap_or_else(|problem| panic!("{json}: {problem}"));
    let is_instant = |time: &scheduler_language::Time| matches!(time, scheduler_language::Time::Text(text) if text.len() > 19);
    if schedule.timezone.is_none() && !schedule.time.as_ref().is_some_and(is_instant) {
        schedule.timezone = Some(zone.to_owned());
    }
    schedule
}

/// Compares two schedules by their next runs, and says how they differ.
pub(crate) fn same_runs(expected: &Schedule, found: &Schedule, now: i64) -> Result<(), String> {
    let of = |schedule: &Schedule| {
        // The API accepts a zone only beside something that uses it.
        let is_interval = schedule.every_seconds.is_some()
            && schedule.exclude.is_none()
            && !serde_json::to_string(schedule).is_ok_and(|text| has_local(&text));
        let schedule = if is_interval {
            Schedule { timezone: None, ..schedule.clone() }
        } else {
            schedule.clone()
        };
        runs(&schedule, now, RUNS + 1)
    };
    let (one, other) = (of(expected), of(found));
    // What is left out may be after these runs.
    if one.is_ok() && one == other && expected.exclude == found.exclude {
        return Ok(());
    }
    Err(format!(
        "expected {} ({one:?}), found {} ({other:?})",
        serde_json::to_string(expected).unwrap_or_default(),
        serde_json::to_string(found).unwrap_or_default()
    ))
}

fn has_local(json: &str) -> bool {
    ["anchor\":\"", "At\":\""].iter().any(|field| {
        json.split(field)
            .skip(1)
            .any(|rest| !rest.split('"').next().unwrap_or_default().ends_with('Z'))
    })
}
