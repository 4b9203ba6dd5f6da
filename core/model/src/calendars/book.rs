//! The calendars that the tasks of one request name.

use super::calendar::CalendarName;
use super::messages::Resolved;
use super::snapshot::{MEMBER, names_of, resolved, snapshots_of};
use crate::bounds::{
    MAX_CALENDAR_EXCLUDES, MAX_EXCLUDE_TEXT_BYTES, MAX_EXCLUDED_CALENDARS, MAX_NAMED_CALENDARS,
};
use crate::input::{Bounded, FieldError, parse_naming_the_field};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use twox_hash::XxHash64;

/// The calendars of a request, and the texts of `exclude` in which they replace their names. The
/// texts live as long as the request, because the tasks borrow them.
#[derive(Default)]
pub struct Calendars {
    known: RefCell<Option<Known>>,
    first: OnceCell<Box<Kept>>,
}

#[derive(Default)]
struct Known {
    snapshots: BTreeMap<String, Box<RawValue>>,
    /// Some of the names that exist, and how many there are.
    exist: Vec<CalendarName>,
    count: usize,
    /// The names of those whose stored form cannot be read.
    unreadable: Vec<String>,
}

struct Kept {
    /// The hash of the text of the request.
    hash: u64,
    given: Box<str>,
    text: Box<RawValue>,
    next: OnceCell<Box<Kept>>,
}

/// The member of a request that names calendars.
#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow, default)]
    calendars: Option<Bounded<&'a RawValue, MAX_EXCLUDED_CALENDARS>>,
}

impl Calendars {
    /// Returns the calendars that a task has stored, for a change that does not concern them.
    pub fn of_record(exclude: &str) -> Self {
        let snapshots = snapshots_of(exclude).into_iter().collect();
        let known = Known { snapshots, ..Known::default() };
        Self { known: RefCell::new(Some(known)), first: OnceCell::new() }
    }

    /// Sets the registry's answer about the calendars that the request names.
    pub fn set(&self, of: Resolved) {
        let snapshots = of.calendars.iter().filter_map(|calendar| {
            let snapshot = RawValue::from_string(calendar.snapshot()).ok()?;
            Some((calendar.name.as_str().to_owned(), snapshot))
        });
        let Resolved { exist, count, unreadable, .. } = &of;
        let (exist, count, unreadable) = (exist.clone(), *count, unreadable.clone());
        let known = Known { snapshots: snapshots.collect(), exist, count, unreadable };
        self.known.replace(Some(known));
    }

    /// Returns the text of an `exclude` with the snapshots of the calendars that it names; `None`
    /// if it names none.
    ///
    /// # Errors
    /// Returns an error if it names a calendar that does not exist, or one twice, if the text is
    /// too long, or if the request has too many different ones.
    pub(crate) fn resolve<'a>(
        calendars: Option<&'a Self>,
        exclude: &RawValue,
        field: &'static str,
    ) -> Result<Option<&'a RawValue>, FieldError> {
        let given = exclude.get();
        // Most tasks name no calendar.
        if !given.contains(MEMBER) && !given.contains('\\') {
            return Ok(None);
        }
        // Another member may be invalid. The reader of the whole text says so.
        let Ok(Named { calendars: Some(_) }) = serde_json::from_str(given) else {
            return Ok(None);
        };
        match calendars {
            Some(calendars) => calendars.resolve_here(given, field).map(Some),
            // Nobody has looked them up, which is an error.
            None => Self::default().resolve_here(given, field).map(|_| None),
        }
    }

    fn resolve_here(&self, given: &str, field: &'static str) -> Result<&RawValue, FieldError> {
        let hash = XxHash64::oneshot(0, given.as_bytes());
        let (mut place, mut count) = (&self.first, 0);
        while let Some(kept) = place.get() {
            if kept.hash == hash && *kept.given == *given {
                return Ok(&kept.text);
            }
            (place, count) = (&kept.next, count + 1);
        }
        if count == MAX_CALENDAR_EXCLUDES {
            let detail = format!(
                "comes after {MAX_CALENDAR_EXCLUDES} others with calendars, which is the limit of a request: send several requests"
            );
            return Err(FieldError::new(field, detail));
        }
        let text = self.text_of(given, field)?;
        let kept = Kept { hash, given: given.into(), text, next: OnceCell::new() };
        Ok(&place.get_or_init(|| Box::new(kept)).text)
    }

    fn text_of(&self, given: &str, field: &'static str) -> Result<Box<RawValue>, FieldError> {
        let named: Named<'_> = parse_naming_the_field(given, field)?;
        let items = named.calendars.map_or_else(Vec::new, |calendars| calendars.0);
        let at = |place: usize| format!("{field}.{MEMBER}[{place}]");
        // An object would be what a record stores, which no request gives.
        if let Some(place) = items.iter().position(|item| !item.get().starts_with('"')) {
            return Err(FieldError::new(at(place), "is not the name of a calendar, a string"));
        }
        if items.is_empty() {
            let detail = "is empty; name at least one calendar, or leave it out";
            return Err(FieldError::new(format!("{field}.{MEMBER}"), detail));
        }
        let names = names_of(given);
        let known = self.known.borrow();
        let Some(known) = known.as_ref() else {
            let detail = "cannot be looked up here; list what it leaves out";
            return Err(FieldError::new(at(0), detail));
        };
        let mut snapshots = Vec::with_capacity(names.len());
        for (place, name) in names.iter().enumerate() {
            if names.iter().take(place).any(|other| other == name) {
                return Err(FieldError::new(
                    at(place),
                    format!("is {name:?}, which is given twice"),
                ));
            }
            match known.snapshots.get(name) {
                Some(snapshot) => snapshots.push(snapshot.get()),
                None => return Err(FieldError::new(at(place), known.unknown(name))),
            }
        }
        let unread = || FieldError::new(field, "cannot be read");
        let text = resolved(given, snapshots.into_iter()).ok_or_else(unread)?;
        if text.len() > MAX_EXCLUDE_TEXT_BYTES {
            let detail = format!(
                "is {} bytes long together with its calendars; the limit is {MAX_EXCLUDE_TEXT_BYTES} for all of them together",
                text.len()
            );
            return Err(FieldError::new(field, detail));
        }
        RawValue::from_string(text).map_err(|_| unread())
    }
}

impl Known {
    /// Returns the problem of a name that does not exist, with names that do.
    fn unknown(&self, name: &str) -> String {
        if self.unreadable.iter().any(|of| of == name) {
            return format!(
                "is {name:?}, a calendar whose stored form cannot be read; write it again with PUT /v1/calendars/{name}"
            );
        }
        let Err(problem) = name.parse::<CalendarName>() else {
            let names: Vec<String> =
                self.exist.iter().take(MAX_NAMED_CALENDARS).map(|of| format!("\"{of}\"")).collect();
            let more = match self.count.saturating_sub(names.len()) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let exist = match names.len() {
                0 => "it has none yet; create it with PUT /v1/calendars/{id}".to_owned(),
                _ => format!("it has {}{more}", names.join(", ")),
            };
            return format!("is {name:?}, which is not a calendar of this namespace; {exist}");
        };
        problem.to_string()
    }
}
