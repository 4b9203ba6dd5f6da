//! Calendars in the text of an `exclude`: names in a request, snapshots in a record.

use super::calendar::Calendar;
use super::items::Items;
use crate::bounds::MAX_EXCLUDED_CALENDARS;
use crate::input::{Bounded, BoundedMap, FieldError, Text};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The member of `exclude`.
pub(crate) const MEMBER: &str = "calendars";

/// Bounds the members of an `exclude`, with room for those of later versions.
const MAX_MEMBERS: usize = 32;

type Members<'a> = BoundedMap<Text<'a>, &'a RawValue, MAX_MEMBERS>;

/// A calendar in a record: its items when the record was written, besides its name and its version.
#[derive(Debug, Deserialize)]
pub(crate) struct Snapshot<'a> {
    #[serde(borrow)]
    pub(crate) items: Items<'a>,
}

/// A calendar of either form.
#[derive(Deserialize)]
#[serde(untagged)]
enum Form<'a> {
    Name(#[serde(borrow)] Cow<'a, str>),
    Snapshot { name: Cow<'a, str>, version: Cow<'a, str> },
}

impl<'a> Snapshot<'a> {
    /// Reads the calendars of a record.
    ///
    /// # Errors
    /// Returns an error if one of them is a name, which nobody has looked up.
    pub(crate) fn read(calendars: &[&'a RawValue], field: &str) -> Result<Vec<Self>, FieldError> {
        let read = |(place, calendar): (usize, &&'a RawValue)| {
            serde_json::from_str(calendar.get()).map_err(|_| {
                let detail = "is not the name of a calendar that can be looked up here; list what it leaves out";
                FieldError::new(format!("{field}.{MEMBER}[{place}]"), detail)
            })
        };
        calendars.iter().enumerate().map(read).collect()
    }
}

/// Returns whether an `exclude` may have calendars. A name with escapes may be theirs.
fn may_have(exclude: &str) -> bool {
    exclude.contains(MEMBER) || exclude.contains('\\')
}

fn members_of(exclude: &str) -> Option<Members<'_>> {
    may_have(exclude).then(|| serde_json::from_str(exclude).ok()).flatten()
}

fn calendars_in<'a>(members: &Members<'a>) -> Option<Vec<&'a RawValue>> {
    let member = members.0.iter().find(|(Text(name), _)| name == MEMBER)?;
    let list: Bounded<&RawValue, MAX_EXCLUDED_CALENDARS> =
        serde_json::from_str(member.1.get()).ok()?;
    Some(list.0)
}

fn form_of(calendar: &RawValue) -> Option<Form<'_>> {
    serde_json::from_str(calendar.get()).ok()
}

/// Returns the names of the calendars in the text of an `exclude`, which need not be valid.
pub fn names_of(exclude: &str) -> Vec<String> {
    let calendars = members_of(exclude).and_then(|members| calendars_in(&members));
    let names =
        calendars.unwrap_or_default().into_iter().filter_map(|calendar| match form_of(calendar)? {
            Form::Name(name) | Form::Snapshot { name, .. } => Some(name.into_owned()),
        });
    names.collect()
}

/// Returns the snapshots in the `exclude` of a record, each with the name of its calendar.
pub(crate) fn snapshots_of(exclude: &str) -> Vec<(String, Box<RawValue>)> {
    let calendars = members_of(exclude).and_then(|members| calendars_in(&members));
    let named =
        calendars.unwrap_or_default().into_iter().filter_map(|calendar| match form_of(calendar)? {
            Form::Snapshot { name, .. } => Some((name.into_owned(), calendar.to_owned())),
            Form::Name(_) => None,
        });
    named.collect()
}

/// Returns the items of each calendar in the `exclude` of a record, with the name of the calendar.
pub(crate) fn items_of(exclude: &str) -> Vec<(String, String)> {
    #[derive(Deserialize)]
    struct Stored<'a> {
        #[serde(borrow)]
        items: &'a RawValue,
    }
    let snapshots = snapshots_of(exclude).into_iter();
    let items = snapshots.filter_map(|(name, snapshot)| {
        let stored: Stored<'_> = serde_json::from_str(snapshot.get()).ok()?;
        Some((name, stored.items.get().to_owned()))
    });
    items.collect()
}

/// Returns the `exclude` of a record as a request gives it: with names in place of snapshots.
pub fn with_names(exclude: &str) -> Cow<'_, str> {
    let Some(members) = members_of(exclude) else { return Cow::Borrowed(exclude) };
    let Some(calendars) = calendars_in(&members) else { return Cow::Borrowed(exclude) };
    let named = |calendar: &&RawValue| match form_of(calendar) {
        Some(Form::Snapshot { name, .. }) => quoted(&name),
        Some(Form::Name(_)) | None => calendar.get().to_owned(),
    };
    Cow::Owned(rewritten(&members, calendars.iter().map(named)))
}

/// Returns an `exclude` in which `snapshots` replace the calendars. The other members stay.
pub(crate) fn resolved<'s>(
    exclude: &str,
    snapshots: impl Iterator<Item = &'s str>,
) -> Option<String> {
    let members: Members<'_> = serde_json::from_str(exclude).ok()?;
    Some(rewritten(&members, snapshots.map(str::to_owned)))
}

/// Returns an `exclude` of a record with the snapshots of another one. Returns `None` if the two do
/// not name the same calendars, or name none.
pub fn with_snapshots_of(exclude: &str, other: &str) -> Option<String> {
    let members = members_of(exclude)?;
    let own = calendars_in(&members)?;
    let others = snapshots_of(other);
    if own.is_empty() || own.len() != others.len() {
        return None;
    }
    let mut replaced = Vec::with_capacity(own.len());
    for calendar in own {
        let Form::Snapshot { name, .. } = form_of(calendar)? else { return None };
        let (_, snapshot) = others.iter().find(|(other, _)| *other == name)?;
        replaced.push(snapshot.get().to_owned());
    }
    Some(rewritten(&members, replaced.into_iter()))
}

fn rewritten(members: &Members<'_>, calendars: impl Iterator<Item = String>) -> String {
    let calendars = calendars.collect::<Vec<_>>().join(",");
    let member = |(Text(name), value): &(Text<'_>, &RawValue)| {
        let value = if name == MEMBER { format!("[{calendars}]") } else { value.get().to_owned() };
        format!("{}:{value}", quoted(name))
    };
    let members: Vec<String> = members.0.iter().map(member).collect();
    format!("{{{}}}", members.join(","))
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// What the `exclude` of a record has of a calendar.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Used {
    /// It does not name the calendar.
    No,
    /// It has the items that the calendar has.
    Current,
    /// It has former ones. This is the `exclude` with those of the calendar.
    Former(String),
}

impl Used {
    /// Compares the `exclude` of a record with a calendar.
    pub(crate) fn of(exclude: &str, calendar: &Calendar) -> Self {
        let Some(members) = members_of(exclude) else { return Self::No };
        let Some(calendars) = calendars_in(&members) else { return Self::No };
        let current = calendar.version();
        let version_in = |of: &RawValue| match form_of(of)? {
            Form::Snapshot { name, version } if name == calendar.name.as_str() => {
                Some(version == current)
            }
            Form::Snapshot { .. } | Form::Name(_) => None,
        };
        match calendars.iter().find_map(|of| version_in(of)) {
            None => Self::No,
            Some(true) => Self::Current,
            Some(false) => {
                let renewed = |of: &&RawValue| match version_in(of) {
                    Some(_) => calendar.snapshot(),
                    None => of.get().to_owned(),
                };
                Self::Former(rewritten(&members, calendars.iter().map(renewed)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORED: &str = r#"{"weekdays":["SAT"],"calendars":[{"name":"de","version":"1","items":{"dates":["12-24"]}},{"name":"shop","version":"2","items":{"times":["12:00-13:00"]}}],"instead":"next"}"#;
    const GIVEN: &str = r#"{"weekdays":["SAT"],"calendars":["de","shop"],"instead":"next"}"#;

    #[test]
    fn a_record_is_shown_with_the_names_of_its_calendars() {
        assert_eq!(with_names(STORED), GIVEN);
        assert_eq!(with_names(GIVEN), GIVEN);
        for other in [r#"{"dates":["12-24"]}"#, "17", r#"{"calendars":7}"#, r#"{"calendars""#] {
            assert!(matches!(with_names(other), Cow::Borrowed(same) if same == other), "{other}");
        }
        let names = ["de".to_owned(), "shop".to_owned()];
        assert_eq!((names_of(STORED), names_of(GIVEN)), (names.to_vec(), names.to_vec()));
        // A name with escapes is the same name.
        assert_eq!(names_of(r#"{"c\u0061lendars":["d\u0065"]}"#), ["de"]);
        assert_eq!(names_of(r#"{"dates":[]}"#), [""; 0]);
    }

    #[test]
    fn snapshots_are_replaced_by_those_of_the_same_calendars() {
        let other = r#"{"calendars":[{"name":"shop","version":"4","items":{"weekdays":["MON"]}},{"name":"de","version":"3","items":{"dates":["12-25"]}}]}"#;
        let replaced = r#"{"weekdays":["SAT"],"calendars":[{"name":"de","version":"3","items":{"dates":["12-25"]}},{"name":"shop","version":"4","items":{"weekdays":["MON"]}}],"instead":"next"}"#;
        assert_eq!(with_snapshots_of(STORED, other).as_deref(), Some(replaced));
        for not in [GIVEN, r#"{"dates":["12-24"]}"#, &other.replace("shop", "office")] {
            assert_eq!(with_snapshots_of(STORED, not), None, "{not}");
            assert_eq!(with_snapshots_of(not, STORED), None, "{not}");
        }
    }

    #[test]
    fn an_unresolved_name_is_no_snapshot() {
        let calendars: Vec<&RawValue> = serde_json::from_str(r#"["de"]"#).unwrap();
        let problem = Snapshot::read(&calendars, "exclude").unwrap_err();
        assert_eq!(problem.field, "exclude.calendars[0]");
    }
}
