//! A calendar: as a request gives it, and as the registry stores it.

use super::items::{Items, Lists, bad_item, texts};
use super::update::Update;
use crate::bounds::{
    MAX_CALENDAR_ITEMS_BYTES, MAX_CALENDAR_NAME_BYTES, MAX_DESCRIPTION_BYTES, MAX_EXCLUDED_DATES,
    MAX_EXCLUDED_RULES, MAX_EXCLUDED_TIMES, MAX_EXCLUDED_WEEKDAYS,
};
use crate::input::{Bounded, FieldError, Text, at_most, parse_object_taking};
use scheduler_calendar::excerpt::Excerpt;
use scheduler_calendar::exclude::{BadItem, ExcludeError, Exclusions, Instead, List, names_times};
use scheduler_calendar::time::UnixMillis;
use scheduler_calendar::tz::Tz;
use schemars::JsonSchema;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use std::fmt;
use std::str::FromStr;
use twox_hash::XxHash64;

/// The name of a calendar: 1 to [`MAX_CALENDAR_NAME_BYTES`] letters, digits, `.`, `_` and `-`. The
/// first character is a letter or a digit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct CalendarName(String);

impl CalendarName {
    /// The pattern of a name in the API's document.
    pub const PATTERN: &'static str = "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$";

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CalendarName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text cannot name a calendar. The message follows the name of the field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "is {0}; the name of a calendar has 1 to {MAX_CALENDAR_NAME_BYTES} letters a-z and A-Z, digits, \".\", \"_\" and \"-\", and begins \
     with a letter or a digit"
)]
pub struct CalendarNameError(Excerpt);

impl FromStr for CalendarName {
    type Err = CalendarNameError;

    fn from_str(text: &str) -> Result<Self, CalendarNameError> {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        let is_name = text.len() <= MAX_CALENDAR_NAME_BYTES
            && text.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric())
            && text.bytes().all(is_part);
        if is_name {
            Ok(Self(text.to_owned()))
        } else {
            Err(CalendarNameError(Excerpt::up_to(text, MAX_CALENDAR_NAME_BYTES)))
        }
    }
}

impl<'de> Deserialize<'de> for CalendarName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A calendar as a request gives it. The API's document shows the comments of the fields to
/// callers.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(
    rename = "NewCalendar",
    description = "Days and times of day that tasks leave out by the name of the calendar, each read on the clock of the task's \
                   `timezone`. At least one of `dates`, `weekdays`, `times` and `rules`. What only answers show is ignored."
)]
pub struct CalendarInput<'a> {
    /// What the calendar is for, in the caller's words. The limit is in bytes of UTF-8.
    #[serde(borrow)]
    #[schemars(with = "Option<String>", length(max = MAX_DESCRIPTION_BYTES))]
    description: Option<Text<'a>>,
    /// As `dates` of `exclude`.
    #[serde(borrow)]
    #[schemars(with = "Option<Vec<String>>", length(max = MAX_EXCLUDED_DATES))]
    dates: Option<Bounded<Text<'a>, MAX_EXCLUDED_DATES>>,
    /// As `weekdays` of `exclude`.
    #[serde(borrow)]
    #[schemars(with = "Option<Vec<String>>", length(max = MAX_EXCLUDED_WEEKDAYS))]
    weekdays: Option<Bounded<Text<'a>, MAX_EXCLUDED_WEEKDAYS>>,
    /// As `times` of `exclude`.
    #[serde(borrow)]
    #[schemars(with = "Option<Vec<String>>", length(max = MAX_EXCLUDED_TIMES))]
    times: Option<Bounded<Text<'a>, MAX_EXCLUDED_TIMES>>,
    /// As `rules` of `exclude`. A rule names its days itself, and has no `INTERVAL`, because a
    /// calendar has no `startAt`.
    #[serde(borrow)]
    #[schemars(with = "Option<Vec<String>>", length(max = MAX_EXCLUDED_RULES))]
    rules: Option<Bounded<Text<'a>, MAX_EXCLUDED_RULES>>,
    #[schemars(skip)]
    name: Option<IgnoredAny>,
    #[schemars(skip)]
    version: Option<IgnoredAny>,
    #[schemars(skip)]
    created_at: Option<IgnoredAny>,
    #[schemars(skip)]
    updated_at: Option<IgnoredAny>,
    #[schemars(skip)]
    tasks_updated: Option<IgnoredAny>,
    #[schemars(skip)]
    tasks_failed: Option<IgnoredAny>,
    #[schemars(skip)]
    failures: Option<IgnoredAny>,
    #[schemars(skip)]
    pending: Option<IgnoredAny>,
}

/// The members of a request.
const MEMBERS: [&str; 5] = ["description", "dates", "weekdays", "times", "rules"];

/// A checked calendar of a request.
#[derive(Debug, Clone)]
pub struct GivenCalendar {
    /// What it is for.
    pub description: Option<String>,
    /// Its items, as the text of an object.
    pub items: Box<RawValue>,
}

impl CalendarInput<'_> {
    /// Parses and checks the body of a request.
    ///
    /// # Errors
    /// Returns an error if a field cannot be read or is invalid. The error names it.
    pub fn parse(text: &str) -> Result<GivenCalendar, FieldError> {
        let given: CalendarInput<'_> = parse_object_taking(text, "", &|| Some(&MEMBERS))?;
        let description = given.description.as_ref().map(|Text(text)| text.as_ref());
        at_most("description", description.map_or(0, str::len), MAX_DESCRIPTION_BYTES)?;
        let lists = Lists {
            dates: texts(given.dates.as_ref()).collect(),
            weekdays: texts(given.weekdays.as_ref()).collect(),
            times: texts(given.times.as_ref()).collect(),
            rules: texts(given.rules.as_ref()).collect(),
        };
        if let Some(place) = lists.rules.iter().position(|rule| names_times(rule)) {
            let at = Some((List::Rules, Some(place)));
            return Err(bad_item(&BadItem { at, problem: ExcludeError::RuleOfTimes }, "", "body"));
        }
        // The time zone of a task affects when the days begin, but not which days there are.
        Exclusions::parse(lists.items(), Instead::Skip, Tz::UTC, None)
            .map_err(|bad| bad_item(&bad, "", "body"))?;
        let items = serde_json::value::to_raw_value(&lists)
            .map_err(|problem| FieldError::new("body", problem.to_string()))?;
        at_most("body", items.get().len(), MAX_CALENDAR_ITEMS_BYTES)?;
        Ok(GivenCalendar { description: description.map(str::to_owned), items })
    }
}

/// A calendar as the registry stores it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Calendar {
    /// Its name.
    pub name: CalendarName,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its items, as the text of an object.
    pub items: Box<RawValue>,
    /// When it was created.
    pub created_at: UnixMillis,
    /// When it was last changed.
    pub updated_at: UnixMillis,
    /// The update of the tasks that use it, since the last change of its items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update: Option<Update>,
}

impl Calendar {
    /// Returns the version of the items. Tasks with a snapshot of this version leave out the same.
    pub fn version(&self) -> String {
        version_of(&self.items)
    }

    /// Returns the version of everything that a request gives, which conditions compare.
    pub fn tag(&self) -> u64 {
        let description = self.description.as_deref().unwrap_or_default();
        XxHash64::oneshot(
            description.len() as u64,
            (description.to_owned() + self.items.get()).as_bytes(),
        )
    }

    /// Returns whether a request gives what the calendar has.
    pub(super) fn is(&self, description: Option<&str>, items: &RawValue) -> bool {
        self.description.as_deref() == description && self.items.get() == items.get()
    }

    /// Returns the snapshot of the calendar that a task stores.
    pub fn snapshot(&self) -> String {
        format!(
            r#"{{"name":"{}","version":"{}","items":{}}}"#,
            self.name,
            self.version(),
            self.items.get()
        )
    }

    /// Returns the number of each kind of items, and the items as texts.
    pub(super) fn with_items<T>(&self, read: impl FnOnce(&Lists<'_>) -> T) -> T {
        let items: Items<'_> = serde_json::from_str(self.items.get()).unwrap_or_default();
        let mut lists = Lists::default();
        items.add_to(&mut lists);
        read(&lists)
    }
}

/// Returns the version of items.
pub(super) fn version_of(items: &RawValue) -> String {
    format!("{:016x}", XxHash64::oneshot(0, items.get().as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_part_of_a_path_and_of_a_sentence() {
        for name in ["de-holidays", "A", "0", "x.y_z-1", &"a".repeat(64)] {
            assert_eq!(name.parse::<CalendarName>().unwrap().as_str(), name);
        }
        for name in ["", ".", "..", "-a", "_a", "a b", "a/b", "ä", "a\n", "a\"", &"a".repeat(65)] {
            let problem = name.parse::<CalendarName>().unwrap_err().to_string();
            assert!(problem.contains("1 to 64") && problem.len() < 400, "{problem}");
        }
    }

    #[test]
    fn a_calendar_has_the_items_of_exclude_and_its_errors() {
        let text = r#"{"description":"Days off","dates":["12-24/12-26","2027-01-01"],"weekdays":["SUN"],"times":["12:00-13:00"],"rules":["FREQ=MONTHLY;BYMONTHDAY=-1"]}"#;
        let given = CalendarInput::parse(text).unwrap();
        assert_eq!(given.description.as_deref(), Some("Days off"));
        assert_eq!(
            given.items.get(),
            r#"{"dates":["12-24/12-26","2027-01-01"],"weekdays":["SUN"],"times":["12:00-13:00"],"rules":["FREQ=MONTHLY;BYMONTHDAY=-1"]}"#
        );
        for (text, field, part) in [
            ("", "body", "is empty"),
            ("[]", "body", ""),
            ("{}", "body", "excludes nothing"),
            (r#"{"dates":null}"#, "body", "excludes nothing"),
            (r#"{"dates":["24.12."]}"#, "dates[0]", "write a date as"),
            (r#"{"dates":["12-24","2027-02-30"]}"#, "dates[1]", "does not exist"),
            (r#"{"dates":"12-24"}"#, "dates", ""),
            (r#"{"weekdays":["MON","FUNDAY"]}"#, "weekdays[1]", "write MON"),
            (
                r#"{"weekdays":["MON","TUE","WED","THU","FRI","SAT","SUN"]}"#,
                "weekdays",
                "all seven days",
            ),
            (r#"{"times":["24:00-01:00"]}"#, "times[0]", "write a range"),
            (r#"{"rules":["FREQ=WEEKLY;INTERVAL=2;BYDAY=MO"]}"#, "rules[0]", "give startAt"),
            (r#"{"rules":["FREQ=DAILY;COUNT=3"]}"#, "rules[0]", "COUNT"),
            (
                r#"{"dates":["12-24"],"instead":"next"}"#,
                "instead",
                "there are: description, dates, weekdays, times, rules",
            ),
            (r#"{"dates":["12-24"],"description":7}"#, "description", ""),
        ] {
            let problem = CalendarInput::parse(text).unwrap_err();
            assert_eq!(problem.field, field, "{text}: {problem}");
            assert!(problem.detail.contains(part), "{text}: {problem}");
        }
        let many = format!(r#"{{"dates":[{}"12-24"]}}"#, r#""12-25","#.repeat(300));
        assert!(CalendarInput::parse(&many).unwrap_err().detail.contains("300"));
        let long = format!(r#"{{"dates":["12-24"],"description":"{}"}}"#, "x".repeat(1_025));
        assert_eq!(CalendarInput::parse(&long).unwrap_err().field, "description");
    }

    #[test]
    fn the_version_follows_the_items_and_the_tag_everything() {
        let calendar = |description: Option<&str>, dates: &str| {
            let text = format!(r#"{{"dates":["{dates}"]}}"#);
            let items = CalendarInput::parse(&text).unwrap().items;
            Calendar {
                name: "de".parse().unwrap(),
                description: description.map(str::to_owned),
                items,
                created_at: UnixMillis::new(1),
                updated_at: UnixMillis::new(2),
                update: None,
            }
        };
        let (plain, said) = (calendar(None, "12-24"), calendar(Some("x"), "12-24"));
        assert_eq!(plain.version(), said.version());
        assert_ne!(plain.tag(), said.tag());
        assert_ne!(plain.version(), calendar(None, "12-25").version());
        // The version and the form of a snapshot are stored in records.
        assert_eq!(
            plain.snapshot(),
            r#"{"name":"de","version":"7b657fc9494b57c0","items":{"dates":["12-24"]}}"#
        );
        let stored = serde_json::to_string(&said).unwrap();
        assert_eq!(
            stored,
            r#"{"name":"de","description":"x","items":{"dates":["12-24"]},"createdAt":1,"updatedAt":2}"#
        );
        assert_eq!(serde_json::from_str::<Calendar>(&stored).unwrap().tag(), said.tag());
    }
}
