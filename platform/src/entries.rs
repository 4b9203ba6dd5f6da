//! What the shells of small objects have in common: all that they hold stands in one table of
//! records by name, and is in memory too.

use scheduler_model::bounds::MAX_ROW_BYTES;
use serde::Serialize;
use serde::de::DeserializeOwned;
use worker::{Error, Response, Result, SqlStorage, SqlStorageValue as Value, State};

/// Without rowid, so that an entry is one row written.
const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS entries (name TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT, WITHOUT ROWID;";

/// The table of an object's records.
pub struct Entries {
    sql: SqlStorage,
}

impl Entries {
    /// Of this object. Nothing is read or made yet.
    pub fn of(state: &State) -> Self {
        Self { sql: state.storage().sql() }
    }

    /// Every record; the table is made if it is not there.
    ///
    /// # Errors
    /// When the platform's storage fails.
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

    /// Stores a record, in the place of the one of this name.
    ///
    /// # Errors
    /// When the platform's storage fails, or the record is larger than its rows.
    pub fn put(&self, name: String, record: String) -> Result<()> {
        // The local runtime stores what the platform refuses: found here, it is found in both.
        if record.len() > MAX_ROW_BYTES {
            return Err(Error::RustError(format!(
                "the record of {name} has {} bytes; a row has up to {MAX_ROW_BYTES}",
                record.len()
            )));
        }
        self.sql.exec(
            "INSERT INTO entries (name, record) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET record = excluded.record",
            vec![name.into(), record.into()],
        )?;
        Ok(())
    }

    /// Takes the record of this name out.
    ///
    /// # Errors
    /// When the platform's storage fails.
    pub fn delete(&self, name: String) -> Result<()> {
        self.sql.exec("DELETE FROM entries WHERE name = ?", vec![name.into()])?;
        Ok(())
    }

    /// Takes every record out.
    ///
    /// # Errors
    /// When the platform's storage fails.
    pub fn clear(&self) -> Result<()> {
        self.sql.exec("DELETE FROM entries", None)?;
        Ok(())
    }
}

/// Why a request to an object is not answered with 200.
pub enum Failure<R> {
    /// What is asked for cannot be: the object's own refusal, told with status 409.
    Refused(R),
    /// The sender's mistake.
    Request(String),
    /// The platform failed, or storage holds what was never written there.
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

/// Reads a request's body.
///
/// # Errors
/// When it is not what was asked for.
pub fn read<T: DeserializeOwned, R>(body: &[u8]) -> Result<T, Failure<R>> {
    Ok(serde_json::from_slice(body)?)
}

/// Writes an answer's body.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn written<T: Serialize, R>(answer: &T) -> Result<Vec<u8>, Failure<R>> {
    Ok(serde_json::to_vec(answer)?)
}

/// The response to a request to `who`, for the log. After a failure of storage `forget` is called:
/// what is in memory may be ahead of what is stored.
///
/// # Errors
/// When the platform cannot make a response.
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
