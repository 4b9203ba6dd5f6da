//! The rows of the table of calendars. A row that cannot be read belongs to one calendar, and does
//! not affect the others.

use scheduler_model::calendars::{Calendar, Update};
use scheduler_model::namespace::Namespace;
use std::fmt;

/// An update that is to be continued.
pub struct Work {
    /// The namespace of the calendar.
    pub namespace: Namespace,
    /// The calendar, with its current items.
    pub calendar: Calendar,
    /// How far the update has come.
    pub update: Update,
}

/// A row as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) namespace: String,
    pub(crate) name: String,
    /// `None` if the column is not a text.
    pub(crate) record: Option<String>,
}

/// A row that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Unreadable {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) problem: String,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { namespace, name, problem } = self;
        write!(
            f,
            "the calendar {name:?} of {namespace:?} cannot be read: {problem}; write it again with PUT /v1/calendars/{name}"
        )
    }
}

impl Row {
    /// Returns the calendar of the row.
    ///
    /// # Errors
    /// Returns an error if its record is not a calendar with the name of the row.
    pub(crate) fn calendar(&self) -> Result<Calendar, Unreadable> {
        let record = self.record.as_deref().ok_or_else(|| self.unreadable("it is not a text"))?;
        let calendar: Calendar =
            serde_json::from_str(record).map_err(|problem| self.unreadable(problem))?;
        if calendar.name.as_str() != self.name {
            return Err(self.unreadable(format!("it is that of {}", calendar.name)));
        }
        Ok(calendar)
    }

    /// Returns the pending update of the calendar of the row.
    ///
    /// # Errors
    /// Returns an error if the row has no calendar with a pending update, although its column `due`
    /// says so.
    fn work(&self) -> Result<Work, Unreadable> {
        let calendar = self.calendar()?;
        let namespace: Namespace =
            self.namespace.parse().map_err(|problem| self.unreadable(problem))?;
        match calendar.update.clone().filter(|update| update.is_pending()) {
            Some(update) => Ok(Work { namespace, calendar, update }),
            None => Err(self.unreadable("it has no pending update, and its row says that it has")),
        }
    }

    fn unreadable(&self, problem: impl ToString) -> Unreadable {
        Unreadable {
            namespace: self.namespace.clone(),
            name: self.name.clone(),
            problem: problem.to_string(),
        }
    }
}

/// Returns the first update of these rows, which are ordered by when their updates are due. Calls
/// `report` for each row before it that cannot be read. Reads no row after it.
pub(crate) fn first_pending<E>(
    rows: impl IntoIterator<Item = Result<Row, E>>,
    mut report: impl FnMut(Unreadable),
) -> Result<Option<Work>, E> {
    for row in rows {
        match row?.work() {
            Ok(work) => return Ok(Some(work)),
            Err(unreadable) => report(unreadable),
        }
    }
    Ok(None)
}

/// Returns the calendars of these rows, and the names of those that cannot be read. Calls `report`
/// for each of these.
pub(crate) fn readable(
    rows: impl IntoIterator<Item = Row>,
    mut report: impl FnMut(Unreadable),
) -> (Vec<Calendar>, Vec<String>) {
    let (mut calendars, mut names) = (Vec::new(), Vec::new());
    for row in rows {
        match row.calendar() {
            Ok(calendar) => calendars.push(calendar),
            Err(unreadable) => {
                names.push(row.name);
                report(unreadable);
            }
        }
    }
    (calendars, names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    fn row(name: &str, due: i64) -> Row {
        let record = format!(
            r#"{{"name":"{name}","items":{{"dates":["12-24"]}},"createdAt":5,"updatedAt":6,"update":{{"changedAt":6,"due":{due},"search":1,"beganAt":6,"place":{{"shard":0,"after":null}},"found":0,"refused":0,"left":false,"tasksUpdated":0,"tasksFailed":0}}}}"#
        );
        Row { namespace: "default".to_owned(), name: name.to_owned(), record: Some(record) }
    }

    /// Returns rows that cannot be read, each for another reason.
    fn unreadable() -> Vec<Row> {
        let good = row("bad", 1);
        let text = good.record.clone().unwrap();
        let of = |record: Option<&str>| Row { record: record.map(str::to_owned), ..good.clone() };
        vec![
            of(None),
            of(Some("")),
            of(Some(&text[..60])),
            of(Some("{}")),
            of(Some(&text.replace("\"changedAt\"", "\"changed\""))),
            of(Some(&text.replace("\"bad\"", "\"other\""))),
            // Rows whose column `due` has a time without an update.
            of(Some(&text.replace("\"due\":1,", ""))),
            of(text.split_once(",\"update\"").map(|(text, _)| format!("{text}}}")).as_deref()),
            Row { namespace: "No Namespace".to_owned(), ..good.clone() },
        ]
    }

    #[test]
    fn a_row_that_cannot_be_read_does_not_stop_the_updates_of_other_calendars() {
        for bad in unreadable() {
            let mut reported = Vec::new();
            let rows = [bad.clone(), row("good", 7), row("later", 8)].map(Ok::<_, Infallible>);
            let Ok(work) = first_pending(rows, |of| reported.push(of));
            let work = work.unwrap_or_else(|| panic!("{bad:?} hides the update"));
            assert_eq!(work.calendar.name.as_str(), "good");
            assert_eq!(work.update.due().map(|due| due.get()), Some(7));
            let [Unreadable { namespace, name, problem }] = reported.as_slice() else {
                panic!("{reported:?}")
            };
            assert_eq!((namespace, name.as_str()), (&bad.namespace, "bad"));
            assert!(!problem.is_empty(), "{bad:?}");
        }
        // Without another one, nothing is pending.
        let Ok(none) = first_pending(unreadable().into_iter().map(Ok::<_, Infallible>), drop);
        assert!(none.is_none());
    }

    #[test]
    fn the_search_ends_with_the_first_update_and_with_a_failure_of_the_storage() {
        let rows = [Ok(row("good", 7)), Err("storage")];
        assert!(first_pending(rows, drop).unwrap().is_some());
        let rows = [Ok(unreadable().remove(0)), Err("storage"), Ok(row("good", 7))];
        assert_eq!(first_pending(rows, drop).err(), Some("storage"));
    }

    #[test]
    fn a_list_has_the_other_calendars_and_names_those_that_cannot_be_read() {
        let broken = Row { record: Some("{".to_owned()), ..row("b", 1) };
        let mut reported = Vec::new();
        let (calendars, names) =
            readable([row("a", 1), broken, row("c", 1)], |of| reported.push(of));
        let shown: Vec<&str> = calendars.iter().map(|calendar| calendar.name.as_str()).collect();
        assert_eq!((shown.as_slice(), names.as_slice()), (&["a", "c"][..], &["b".to_owned()][..]));
        assert_eq!(reported.len(), 1);
    }
}
