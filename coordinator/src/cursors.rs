//! The cursors of lists: each names the list that returned it.
//!
//! A cursor is a place, which the model writes, a hyphen, and the name of the list: one letter and
//! a digest of the namespace and the filter. A place has a meaning in its own list only. In a list
//! with another order or another filter, the next page would silently omit items.
//!
//! A cursor without a name is from a version before the names. It is accepted as it is, because a
//! caller may follow one while this version is rolled out.

use crate::problem::Problem;
use scheduler_model::input::FieldError;
use scheduler_model::list_query::Parameter;
use scheduler_model::listing::Order;
use scheduler_model::namespace::Namespace;
use scheduler_model::task::digest_of;
use serde::Serialize;
use std::borrow::Cow;
use std::fmt;

/// Separates the place from the name of the list. It is no digit of a place.
const SEPARATOR: char = '-';

/// A kind of list: its items and their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum List {
    Tasks,
    TasksFromTheEnd,
    DeadLetters,
    Runs,
    RunsByError,
    RunsOfTask,
}

impl List {
    const ALL: [Self; 6] = [
        Self::Tasks,
        Self::TasksFromTheEnd,
        Self::DeadLetters,
        Self::Runs,
        Self::RunsByError,
        Self::RunsOfTask,
    ];

    /// Returns the letter of the list in cursors. A letter never changes its meaning.
    fn letter(self) -> char {
        match self {
            Self::Tasks => 'a',
            Self::TasksFromTheEnd => 'd',
            Self::DeadLetters => 'l',
            Self::Runs => 'r',
            Self::RunsByError => 'g',
            Self::RunsOfTask => 't',
        }
    }

    /// Returns the items of the list in words.
    fn items(self) -> &'static str {
        match self {
            Self::Tasks => "tasks with order=asc",
            Self::TasksFromTheEnd => "tasks with order=desc",
            Self::DeadLetters => "dead letters",
            Self::Runs => "runs",
            Self::RunsByError => "runs with group=error",
            Self::RunsOfTask => "runs of one task",
        }
    }
}

impl From<Order> for List {
    fn from(order: Order) -> Self {
        match order {
            Order::Ascending => Self::Tasks,
            Order::Descending => Self::TasksFromTheEnd,
            Order::NewestFirst => Self::DeadLetters,
        }
    }
}

/// The name of a list in its cursors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ListName {
    list: List,
    /// 32 bits are enough: a mix-up of two filters goes unnoticed once in 4,000,000,000 times, and
    /// nobody gains anything by it.
    digest: u32,
}

impl ListName {
    /// Returns the name of the list of the items of a namespace that match `filter`.
    pub(crate) fn new(list: List, namespace: &Namespace, filter: &impl Serialize) -> Self {
        // Filters have texts and numbers only, so writing them as JSON does not fail.
        let text = serde_json::to_vec(&(namespace.as_str(), filter)).unwrap_or_default();
        Self { list, digest: digest_of(&text) as u32 }
    }

    /// Writes a place in this list as a cursor.
    pub(crate) fn cursor(self, place: impl fmt::Display) -> String {
        format!("{place}{SEPARATOR}{self}")
    }

    /// Checks that the cursor of a request belongs to this list. `given` is the name that the
    /// cursor has, if any.
    pub(crate) fn check(self, given: Option<Self>) -> Result<(), Problem> {
        let given = given.filter(|given| *given != self);
        given.map_or(Ok(()), |given| Err(Problem::invalid(self.refusal(given))))
    }

    fn refusal(self, given: Self) -> FieldError {
        let problem = if given.list != self.list {
            let (of, here) = (given.list.items(), self.list.items());
            format!("belongs to a list of {of}, and this request lists {here}")
        } else if self.list == List::RunsOfTask {
            "belongs to another task, or to another namespace".to_owned()
        } else {
            "belongs to a list with another filter, or of another namespace".to_owned()
        };
        let action = "send it with the parameters of the request that returned it, or leave it out to begin with the first page";
        FieldError::new("cursor", format!("{problem}; {action}"))
    }

    fn parse(text: &str) -> Option<Self> {
        let mut rest = text.chars();
        let letter = rest.next()?;
        let list = List::ALL.into_iter().find(|list| list.letter() == letter)?;
        let name = Self { list, digest: u32::from_str_radix(rest.as_str(), 16).ok()? };
        (name.to_string() == text).then_some(name)
    }
}

impl fmt::Display for ListName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{:08x}", self.list.letter(), self.digest)
    }
}

/// Parses the parameters of a list with `parse`, which gets only the place from the cursor. Also
/// returns the name in the cursor.
pub(crate) fn parse_with_name<Q>(
    parameters: &mut dyn Iterator<Item = Parameter<'_>>,
    parse: impl FnOnce(&mut dyn Iterator<Item = Parameter<'_>>) -> Result<Q, FieldError>,
) -> Result<(Q, Option<ListName>), FieldError> {
    let mut found = None;
    let query = parse(&mut parameters.map(|parameter| {
        let (name, value) = parameter?;
        if name != "cursor" {
            return Ok((name, value));
        }
        // `parse` refuses a text that has no name and is no place.
        let Some((place, list)) = split(&value) else { return Ok((name, value)) };
        found = Some(list);
        Ok((name, Cow::Owned(place.to_owned())))
    }))?;
    Ok((query, found))
}

/// Splits a cursor into its place and the name of its list.
fn split(cursor: &str) -> Option<(&str, ListName)> {
    let (place, name) = cursor.rsplit_once(SEPARATOR)?;
    Some((place, ListName::parse(name)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use scheduler_model::list_query::{ListQuery, each_or_several, parse_list_query};
    use scheduler_model::protocol::Filter;

    const PLACE: &str = "000000000032000100010000000700000009";

    fn parsed(query: &[(&str, &str)]) -> Result<(ListQuery, Option<ListName>), FieldError> {
        let pairs = query.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        parse_with_name(&mut each_or_several(pairs), parse_list_query)
    }

    fn of(list: List, tag: &str) -> ListName {
        let filter = Filter { tag: Some(tag.to_owned()), ..Filter::default() };
        ListName::new(list, &Namespace::DEFAULT, &filter)
    }

    /// Clients keep cursors while a new version is rolled out, so the form is fixed.
    #[test]
    fn a_cursor_is_a_place_and_the_name_of_its_list() {
        let name = of(List::TasksFromTheEnd, "mail");
        let cursor = name.cursor(PLACE);
        assert_eq!(cursor, format!("{PLACE}-d{:08x}", name.digest));
        let (query, given) = parsed(&[("tag", "mail"), ("cursor", &cursor)]).unwrap();
        assert_eq!(query.cursor.unwrap().to_string(), PLACE);
        assert_eq!(given, Some(name));
        assert!(name.check(given).is_ok());
    }

    #[test]
    fn a_cursor_without_a_name_is_accepted() {
        let (query, given) = parsed(&[("cursor", PLACE)]).unwrap();
        assert_eq!((query.cursor.unwrap().to_string(), given), (PLACE.to_owned(), None));
        assert!(of(List::Tasks, "mail").check(given).is_ok());
    }

    #[test]
    fn a_cursor_of_another_list_is_refused_with_what_to_do() {
        let here = of(List::Tasks, "mail");
        let elsewhere = Filter { tag: Some("mail".to_owned()), ..Filter::default() };
        let space: Namespace = "shop".parse().unwrap();
        for (given, problem) in [
            (
                of(List::TasksFromTheEnd, "mail"),
                "of tasks with order=desc, and this request lists tasks with order=asc",
            ),
            (of(List::DeadLetters, "mail"), "of dead letters, and"),
            (of(List::Tasks, "post"), "another filter, or of another namespace"),
            (
                ListName::new(List::Tasks, &space, &elsewhere),
                "another filter, or of another namespace",
            ),
        ] {
            assert!(here.check(Some(given)).is_err());
            let refusal = here.refusal(given);
            assert_eq!(refusal.field, "cursor");
            assert!(refusal.detail.contains(problem), "{}", refusal.detail);
            assert!(refusal.detail.ends_with("leave it out to begin with the first page"));
        }
        let task = |id: &str| ListName::new(List::RunsOfTask, &Namespace::DEFAULT, &id);
        let refusal = task("a").refusal(task("b"));
        assert!(refusal.detail.contains("another task"), "{}", refusal.detail);
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let digest = "0123abcd";
        for name in
            ["", "a", "a0123abc", "a0123abcde", "x0123abcd", "a0123ABCD", "a+123abcd", "é0123abcd"]
        {
            let cursor = format!("{PLACE}-{name}");
            assert_eq!(parsed(&[("cursor", &cursor)]).unwrap_err().field, "cursor", "{name}");
        }
        for list in List::ALL {
            let name = format!("{}{digest}", list.letter());
            assert_eq!(ListName::parse(&name).map(|name| name.list), Some(list));
        }
    }
}
