//! Changes of the calendars of a namespace, without I/O.

use super::calendar::{Calendar, version_of};
use super::messages::{DeleteCalendar, Deleted, Expects, Put, PutCalendar};
use super::update::Update;
use crate::access::Refused;
use crate::bounds::MAX_CALENDARS_PER_NAMESPACE;
use scheduler_calendar::time::UnixMillis;

fn is_as_expected(former: Option<&Calendar>, expects: Option<Expects>) -> bool {
    match (expects, former) {
        (None, _) | (Some(Expects::Absent), None) => true,
        (Some(Expects::Tag(tag)), Some(former)) => former.tag() == tag,
        (Some(_), _) => false,
    }
}

/// Creates a calendar, or changes the calendar `former`. `count` is the number of calendars of the
/// namespace. Callers may repeat this: what is already there counts as done.
///
/// # Errors
/// Returns an error if the namespace has as many calendars as it may.
pub fn put(
    former: Option<Calendar>,
    count: usize,
    given: PutCalendar,
    now: UnixMillis,
) -> Result<Put, Refused> {
    let PutCalendar { of, description, items, expects } = given;
    if let Some(former) = former.as_ref().filter(|of| of.is(description.as_deref(), &items)) {
        // A repeated request cannot expect what it has replaced itself.
        let is_new = false;
        return Ok(match expects {
            Some(Expects::Absent) => Put::Other,
            _ => Put::Done { is_new, calendar: Box::new(former.clone()) },
        });
    }
    if !is_as_expected(former.as_ref(), expects) {
        return Ok(Put::Other);
    }
    let Some(former) = former else {
        if count >= MAX_CALENDARS_PER_NAMESPACE {
            let detail = format!(
                "the namespace {} has {count} calendars, which is the limit; delete some first",
                of.namespace
            );
            return Err(Refused { detail });
        }
        let (created_at, updated_at, name) = (now, now, of.name);
        let calendar = Calendar { name, description, items, created_at, updated_at, update: None };
        return Ok(Put::Done { is_new: true, calendar: Box::new(calendar) });
    };
    // A description is not part of a snapshot.
    let is_same = version_of(&items) == former.version();
    let update = if is_same { former.update } else { Some(Update::begin(now)) };
    let calendar = Calendar { description, items, updated_at: now, update, ..former };
    Ok(Put::Done { is_new: false, calendar: Box::new(calendar) })
}

/// Replaces a calendar whose stored form cannot be read, so that it can be used again. Its tasks
/// may have former items, so they are updated. No condition holds, because nobody knows what is
/// there.
pub fn replace_unreadable(given: PutCalendar, now: UnixMillis) -> Put {
    let PutCalendar { of, description, items, expects } = given;
    if expects.is_some() {
        return Put::Other;
    }
    let (created_at, updated_at, name) = (now, now, of.name);
    let update = Some(Update::begin(now));
    let calendar = Calendar { name, description, items, created_at, updated_at, update };
    Put::Done { is_new: false, calendar: Box::new(calendar) }
}

/// Returns whether the calendar `former` is to be deleted.
pub fn delete(former: Option<&Calendar>, given: &DeleteCalendar) -> Deleted {
    match former {
        _ if !is_as_expected(former, given.expects) => Deleted::Other,
        None => Deleted::Absent,
        Some(_) => Deleted::Done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendars::{CalendarInput, CalendarOf, GivenCalendar};
    use crate::namespace::Namespace;

    const NOW: UnixMillis = UnixMillis::new(1_764_000_000_000);

    fn request(text: &str, expects: Option<Expects>) -> PutCalendar {
        let GivenCalendar { description, items } = CalendarInput::parse(text).unwrap();
        let of = CalendarOf { namespace: Namespace::DEFAULT, name: "de".parse().unwrap() };
        PutCalendar { of, description, items, expects }
    }

    fn done(put: Put) -> (bool, Calendar) {
        match put {
            Put::Done { is_new, calendar } => (is_new, *calendar),
            Put::Other => panic!("it is not as expected"),
        }
    }

    #[test]
    fn a_change_of_the_items_begins_an_update_and_one_of_the_description_does_not() {
        let first = request(r#"{"dates":["12-24"]}"#, None);
        let (is_new, made) = done(put(None, 0, first.clone(), NOW).unwrap());
        assert!(is_new && made.update.is_none());
        // The same request again.
        let (is_new, same) = done(put(Some(made.clone()), 1, first, NOW.plus(5)).unwrap());
        assert_eq!((is_new, same.updated_at), (false, NOW));

        let said = request(r#"{"dates":["12-24"],"description":"x"}"#, None);
        let (_, said) = done(put(Some(made.clone()), 1, said, NOW.plus(5)).unwrap());
        assert!(said.update.is_none());
        assert_eq!((said.created_at, said.updated_at), (NOW, NOW.plus(5)));
        assert_ne!(said.tag(), made.tag());

        let other = request(r#"{"dates":["12-25"]}"#, None);
        let (_, changed) = done(put(Some(said), 1, other, NOW.plus(9)).unwrap());
        assert!(changed.update.as_ref().is_some_and(Update::is_pending));
        assert_eq!(changed.description, None, "a PUT replaces the whole");
    }

    #[test]
    fn a_change_is_made_only_to_what_is_expected() {
        let text = r#"{"dates":["12-24"]}"#;
        let is_other = |former: Option<&Calendar>, text: &str, expects| {
            let put = put(former.cloned(), 1, request(text, Some(expects)), NOW).unwrap();
            matches!(put, Put::Other)
        };
        let (_, made) = done(put(None, 0, request(text, Some(Expects::Absent)), NOW).unwrap());
        let other = r#"{"dates":["12-25"]}"#;
        assert!(is_other(Some(&made), other, Expects::Absent));
        assert!(is_other(Some(&made), text, Expects::Absent));
        assert!(is_other(Some(&made), other, Expects::Tag(made.tag() + 1)));
        assert!(is_other(None, other, Expects::Tag(made.tag())));
        assert!(!is_other(Some(&made), other, Expects::Tag(made.tag())));
        // The answer to the first try was lost.
        assert!(!is_other(Some(&made), text, Expects::Tag(7)));

        let of = CalendarOf { namespace: Namespace::DEFAULT, name: "de".parse().unwrap() };
        for (former, expects, expected) in [
            (None, None, Deleted::Absent),
            (None, Some(Expects::Tag(1)), Deleted::Other),
            (Some(&made), None, Deleted::Done),
            (Some(&made), Some(Expects::Tag(made.tag())), Deleted::Done),
            (Some(&made), Some(Expects::Tag(1)), Deleted::Other),
        ] {
            let request = DeleteCalendar { of: of.clone(), expects };
            assert_eq!(delete(former, &request), expected);
        }
    }

    #[test]
    fn a_calendar_that_cannot_be_read_is_replaced_and_its_tasks_are_updated() {
        let text = r#"{"dates":["12-24"]}"#;
        let (is_new, made) = done(replace_unreadable(request(text, None), NOW));
        assert_eq!((is_new, made.name.as_str(), made.updated_at), (false, "de", NOW));
        assert!(made.update.is_some_and(|update| update.is_pending()));
        for expects in [Expects::Absent, Expects::Tag(7)] {
            let put = replace_unreadable(request(text, Some(expects)), NOW);
            assert!(matches!(put, Put::Other), "{expects:?}");
        }
    }

    #[test]
    fn a_namespace_has_a_limited_number_of_calendars() {
        let text = r#"{"dates":["12-24"]}"#;
        let full = MAX_CALENDARS_PER_NAMESPACE;
        let refused = put(None, full, request(text, None), NOW).unwrap_err();
        assert!(refused.detail.contains("100 calendars"), "{refused}");
        let (_, made) = done(put(None, full - 1, request(text, None), NOW).unwrap());
        assert!(put(Some(made), full, request(r#"{"dates":["12-25"]}"#, None), NOW).is_ok());
    }
}
