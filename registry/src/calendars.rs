//! The table of calendars. The decisions about them are in [`scheduler_model::calendars`].

use crate::Failure;
use crate::rows::{Row, Unreadable, Work, first_pending, readable};
use scheduler_model::bounds::MAX_NAMED_CALENDARS;
use scheduler_model::calendars::{
    self, Calendar, CalendarName, CalendarOf, DeleteCalendar, Deleted, Put, PutCalendar, Resolve,
    Resolved, Step, Update, paths,
};
use scheduler_model::namespace::Namespace;
use scheduler_platform::entries::{check_record, read, written};
use scheduler_platform::now;
use std::cell::RefCell;
use std::collections::BTreeSet;
use worker::{SqlStorage, SqlStorageValue as Value};

/// `due` is when the update of the calendar continues; null if none is pending. Because of the
/// index, the search for the next update reads a single row.
const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS calendars (namespace TEXT NOT NULL, name TEXT NOT NULL, due INTEGER, record TEXT NOT NULL, PRIMARY KEY (namespace, name)) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS pending_calendars ON calendars (due) WHERE due IS NOT NULL;";

/// The prefix of the paths of the requests about calendars.
pub(crate) const PATHS: &str = "/calendars/";

/// The table of calendars.
pub(crate) struct Shelf {
    sql: SqlStorage,
    /// The rows that cannot be read and have a log line already: one for each of them and each life
    /// of the object.
    reported: RefCell<BTreeSet<Unreadable>>,
}

impl Shelf {
    pub(crate) fn new(sql: SqlStorage) -> Self {
        Self { sql, reported: RefCell::default() }
    }

    /// Creates the table if it does not exist.
    pub(crate) fn open(&self) -> Result<(), Failure> {
        self.sql.exec(SCHEMA, None)?;
        Ok(())
    }

    /// Answers a request about calendars.
    pub(crate) fn answer(&self, path: &str, body: &[u8]) -> Result<Vec<u8>, Failure> {
        self.open()?;
        match path {
            paths::GET => written(&self.get(&read(body)?)?),
            paths::LIST => written(&self.list(&read::<Namespace, _>(body)?)?.0),
            paths::RESOLVE => written(&self.resolve(read(body)?)?),
            paths::PUT => written(&self.put(read(body)?)?),
            paths::DELETE => written(&self.delete(&read(body)?)?),
            paths::CLEAR => written(&self.clear(&read::<Namespace, _>(body)?)?),
            other => Err(Failure::Request(format!("the registry has no {other}"))),
        }
    }

    fn get(&self, of: &CalendarOf) -> Result<Option<Calendar>, Failure> {
        let calendar = self.row(of)?.map(|row| row.calendar()).transpose();
        calendar.map_err(|of| Failure::Storage(of.to_string()))
    }

    /// Returns the row of a calendar.
    fn row(&self, of: &CalendarOf) -> Result<Option<Row>, Failure> {
        let key = vec![of.namespace.as_str().into(), of.name.as_str().into()];
        let query =
            "SELECT namespace, name, record FROM calendars WHERE namespace = ? AND name = ?";
        self.rows(query, Some(key))?.next().transpose()
    }

    /// Returns the calendars of a namespace, and the names of those that cannot be read.
    fn list(&self, namespace: &Namespace) -> Result<(Vec<Calendar>, Vec<String>), Failure> {
        let query =
            "SELECT namespace, name, record FROM calendars WHERE namespace = ? ORDER BY name";
        let rows = self.rows(query, Some(vec![namespace.as_str().into()]))?;
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        Ok(readable(rows, |of| self.report(of)))
    }

    /// Logs that a row cannot be read, unless this has been logged.
    fn report(&self, of: Unreadable) {
        if self.reported.borrow().contains(&of) {
            return;
        }
        worker::console_error!("registry: {of}");
        self.reported.borrow_mut().insert(of);
    }

    fn resolve(&self, of: Resolve) -> Result<Resolved, Failure> {
        let Resolve { namespace, names } = of;
        let asked = names.as_ref().map(Vec::len);
        let (calendars, unreadable) = match names {
            None => self.list(&namespace)?,
            Some(names) => {
                let of = |name| self.row(&CalendarOf { namespace: namespace.clone(), name });
                let found = names.into_iter().map(of).collect::<Result<Vec<_>, _>>()?;
                readable(found.into_iter().flatten(), |of| self.report(of))
            }
        };
        if asked == Some(calendars.len()) {
            return Ok(Resolved { calendars, ..Resolved::default() });
        }
        let some = "SELECT name FROM calendars WHERE namespace = ? ORDER BY name LIMIT ?";
        let limit = Value::Integer(MAX_NAMED_CALENDARS as i64);
        let names = self.records(some, vec![namespace.as_str().into(), limit])?;
        let exist = names.iter().filter_map(|name| name.parse::<CalendarName>().ok()).collect();
        Ok(Resolved { calendars, exist, count: self.count(&namespace)?, unreadable })
    }

    fn put(&self, given: PutCalendar) -> Result<Put, Failure> {
        let of = given.of.clone();
        let former = self.row(&of)?.map(|row| row.calendar()).transpose();
        let put = match former {
            Ok(former) => {
                let count = self.count(&of.namespace)?;
                calendars::put(former, count, given, now()).map_err(Failure::Refused)?
            }
            Err(unreadable) => {
                self.report(unreadable);
                calendars::replace_unreadable(given, now())
            }
        };
        if let Put::Done { calendar, .. } = &put {
            self.store(&of.namespace, calendar)?;
        }
        Ok(put)
    }

    fn delete(&self, given: &DeleteCalendar) -> Result<Deleted, Failure> {
        let deleted = calendars::delete(self.get(&given.of)?.as_ref(), given);
        if deleted == Deleted::Done {
            let key = vec![given.of.namespace.as_str().into(), given.of.name.as_str().into()];
            let query = "DELETE FROM calendars WHERE namespace = ? AND name = ?";
            self.sql.exec(query, key)?;
        }
        Ok(deleted)
    }

    fn clear(&self, namespace: &Namespace) -> Result<usize, Failure> {
        let count = self.count(namespace)?;
        if count > 0 {
            let query = "DELETE FROM calendars WHERE namespace = ?";
            self.sql.exec(query, vec![namespace.as_str().into()])?;
        }
        Ok(count)
    }

    /// Returns the pending update that is due first; `None` if none is pending.
    pub(crate) fn first_pending(&self) -> Result<Option<Work>, Failure> {
        // The rows are read one by one, as far as they are needed.
        let query =
            "SELECT namespace, name, record FROM calendars WHERE due IS NOT NULL ORDER BY due";
        first_pending(self.rows(query, None)?, |of| self.report(of))
    }

    /// Stores how far an update has come: with the step of a list, or without a step after a
    /// failure. Does nothing if the calendar was changed or deleted meanwhile.
    pub(crate) fn note(&self, work: &Work, step: Option<Step>) -> Result<(), Failure> {
        let of = CalendarOf { namespace: work.namespace.clone(), name: work.calendar.name.clone() };
        let Some(mut calendar) = self.get(&of)? else { return Ok(()) };
        let Some(update) = calendar.update.as_mut().filter(|update| update.is_at(&work.update))
        else {
            return Ok(());
        };
        match step {
            Some(step) => update.note(step, now()),
            None => update.postpone(now()),
        }
        self.store(&of.namespace, &calendar)
    }

    fn store(&self, namespace: &Namespace, calendar: &Calendar) -> Result<(), Failure> {
        let record = serde_json::to_string(calendar)?;
        check_record(calendar.name.as_str(), &record)?;
        let due = calendar.update.as_ref().and_then(Update::due);
        let due = due.map_or(Value::Null, |due| Value::Integer(due.get()));
        let row =
            vec![namespace.as_str().into(), calendar.name.as_str().into(), due, record.into()];
        self.sql.exec(
            "INSERT INTO calendars (namespace, name, due, record) VALUES (?, ?, ?, ?) ON CONFLICT (namespace, name) DO UPDATE SET due = excluded.due, record = excluded.record",
            row,
        )?;
        Ok(())
    }

    fn count(&self, namespace: &Namespace) -> Result<usize, Failure> {
        let query = "SELECT name FROM calendars WHERE namespace = ?";
        Ok(self.records(query, vec![namespace.as_str().into()])?.len())
    }

    /// Returns the rows of a query for namespace, name and record.
    fn rows(
        &self,
        query: &str,
        key: Option<Vec<Value>>,
    ) -> Result<impl Iterator<Item = Result<Row, Failure>> + use<>, Failure> {
        let rows = self.sql.exec(query, key)?.raw();
        Ok(rows.map(|row| {
            let mut texts = row?.into_iter().map(text);
            let mut next = || texts.next().flatten();
            let (namespace, name) = (next().unwrap_or_default(), next().unwrap_or_default());
            Ok(Row { namespace, name, record: next() })
        }))
    }

    /// Returns the first column of each row.
    fn records(&self, query: &str, key: Vec<Value>) -> Result<Vec<String>, Failure> {
        let rows = self.sql.exec(query, key)?.raw().collect::<worker::Result<Vec<Vec<Value>>>>()?;
        Ok(rows.into_iter().filter_map(|row| text(row.into_iter().next()?)).collect())
    }
}

/// Returns the text of a column, or `None` if it has another type.
pub(crate) fn text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        _ => None,
    }
}
