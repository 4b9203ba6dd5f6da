//! The common part of small Durable Objects, which hold all their data in memory and in one table
//! of records by name.

use scheduler_model::bounds::MAX_ROW_BYTES;
use serde::Serialize;
use serde::de::DeserializeOwned;
use worker::{Error, Response, Result, SqlStorage, SqlStorageValue as Value, State};

/// There is no rowid, so an entry is one row written.
const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS entries (name TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT, WITHOUT ROWID;";

/// The table with the records of an object.
pub struct Entries {
    sql: SqlStorage,
}

impl Entries {
    /// Returns the table of this object. Does not read or create it yet.
    pub fn of(state: &State) -> Self {
        Self { sql: state.storage().sql() }
    }

    /// Returns whether the table exists: somebody has loaded it before.
    ///
    /// # Errors
    /// Returns an error if the platform's storage fails.
    pub fn exist(&self) -> Result<bool> {
        let found = self
            .sql
            .exec("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'entries'", None)?;
        Ok(found.raw().next().transpose()?.is_some())
    }

    /// Returns every record. Creates the table if it does not exist.
    ///
    /// # Errors
    /// Returns an error if the platform's storage fails.
    pub fn load(&self) -> Result<impl Iterator<Item = String> + use<>> {
        self.sql.exec(SCHEMA, None)?;
        let rows = self
            .sql
            .exec("SELECT record FROM entries", None)?
            .raw()
            .collect::<Result<Vec<Vec<Value>>>>()?;
        Ok(rows.into_iter().filter_map(|row| match row.into_iter().next() {
            Some(Value::String(record)) => Some(record),
            _ => None,
        }))
    }

    /// Stores a record, and replaces the record with the same name.
    ///
    /// # Errors
    /// Returns an error if the platform's storage fails, or if the record is empty or too large for
    /// a row.
    pub fn put(&self, name: String, record: String) -> Result<()> {
        check_record(&name, &record)?;
        self.sql.exec(
            "INSERT INTO entries (name, record) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET record = excluded.record",
            vec![name.into(), record.into()],
        )?;
        Ok(())
    }

    /// Deletes the record of this name.
    ///
    /// # Errors
    /// Returns an error if the platform's storage fails.
    pub fn delete(&self, name: String) -> Result<()> {
        self.sql.exec("DELETE FROM entries WHERE name = ?", vec![name.into()])?;
        Ok(())
    }

    /// Deletes every record.
    ///
    /// # Errors
    /// Returns an error if the platform's storage fails.
    pub fn clear(&self) -> Result<()> {
        self.sql.exec("DELETE FROM entries", None)?;
        Ok(())
    }
}

/// Checks that the record of `name` fits a row. The local runtime stores rows that the platform
/// refuses. This check refuses them in both.
///
/// # Errors
/// Returns an error if the record is too large, or empty, which it is if it could not be encoded.
pub fn check_record(name: &str, record: &str) -> Result<()> {
    if record.is_empty() {
        return Err(Error::RustError(format!("the record of {name} is empty")));
    }
    if record.len() > MAX_ROW_BYTES {
        return Err(Error::RustError(format!(
            "the record of {name} has {} bytes; a row has at most {MAX_ROW_BYTES}",
            record.len()
        )));
    }
    Ok(())
}

/// The reason why an object does not answer a request with 200.
pub enum Failure<R> {
    /// The object refuses the request, with status 409.
    Refused(R),
    /// The request is invalid.
    Request(String),
    /// The platform failed, or the storage holds a record that this program never wrote.
    Storage(String),
}

impl<R> From<serde_json::Error> for Failure<R> {
    fn from(problem: serde_json::Error) -> Self {
        Self::Request(problem.to_string())
    }
}

impl<R> From<Error> for Failure<R> {
    fn from(problem: Error) -> Self {
        Self::Storage(problem.to_string())
    }
}

/// Parses the body of a request.
///
/// # Errors
/// Returns an error if the body is not the expected JSON.
pub fn read<T: DeserializeOwned, R>(body: &[u8]) -> Result<T, Failure<R>> {
    Ok(serde_json::from_slice(body)?)
}

/// Encodes an answer as JSON.
///
/// # Errors
/// Returns an error if the answer cannot be encoded.
pub fn written<T: Serialize, R>(answer: &T) -> Result<Vec<u8>, Failure<R>> {
    Ok(serde_json::to_vec(answer)?)
}

/// Returns the response to a request. Logs a failure under the name `who`. After a failure of the
/// storage it calls `forget`, because the memory may be ahead of the storage.
///
/// # Errors
/// Returns an error if the platform cannot create a response.
pub fn respond<R: Serialize>(
    who: &str,
    outcome: Result<Vec<u8>, Failure<R>>,
    forget: impl FnOnce(),
) -> Result<Response> {
    match outcome {
        Ok(answer) => Response::from_bytes(answer),
        Err(Failure::Refused(refused)) => Ok(Response::from_json(&refused)?.with_status(409)),
        Err(Failure::Request(problem)) => Response::error(problem, 400),
        Err(Failure::Storage(problem)) => {
            worker::console_error!("{who}: {problem}");
            forget();
            Response::error("storage", 500)
        }
    }
}
