//! The registry Durable Object: a thin shell around [`scheduler_core::access::Registry`], which holds a deployment's API keys
//! and namespaces.
//!
//! In scope: loading the registry from SQL, carrying out its writes, speaking [`scheduler_core::access::paths`]. Not in scope:
//! who may change what; that is the coordinator's, before it asks.

use scheduler_core::access::{Entry, KeyId, Registry, Write, paths};
use scheduler_core::namespace::Namespace;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::cell::RefCell;
use worker::{Error, Request, Response, Result, SqlStorage, SqlStorageValue as Value, State};

/// A row is an entry; without rowid, so that it is one row written.
const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS entries (name TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT, WITHOUT ROWID;";

/// The registry's storage, and the registry while it is loaded.
pub struct Shell {
    sql: SqlStorage,
    registry: RefCell<Option<Registry>>,
}

/// Why a request is not answered with 200.
enum Failure {
    /// The registry has too much in it.
    Refused(scheduler_core::access::Refused),
    /// The sender's mistake.
    Request(String),
    /// The platform failed, or storage holds what was never written there.
    Storage(String),
}

impl From<serde_json::Error> for Failure {
    fn from(problem: serde_json::Error) -> Self {
        Self::Request(problem.to_string())
    }
}

impl From<Error> for Failure {
    fn from(problem: Error) -> Self {
        Self::Storage(problem.to_string())
    }
}

impl Shell {
    /// Nothing is read yet: the first request loads the registry.
    pub fn new(state: &State) -> Self {
        Self { sql: state.storage().sql(), registry: RefCell::new(None) }
    }

    /// Answers a request.
    ///
    /// # Errors
    /// When the platform cannot read the request or make a response.
    pub async fn fetch(&self, mut request: Request) -> Result<Response> {
        let body = request.bytes().await?;
        match self.answer(&request.path(), &body) {
            Ok(answer) => Response::from_bytes(answer),
            Err(Failure::Refused(refused)) => Ok(Response::from_json(&refused)?.with_status(409)),
            Err(Failure::Request(problem)) => Response::error(problem, 400),
            Err(Failure::Storage(problem)) => {
                worker::console_error!("registry: {problem}");
                // What is in memory may be ahead of what is stored.
                self.registry.take();
                Response::error("storage", 500)
            }
        }
    }

    fn answer(&self, path: &str, body: &[u8]) -> Result<Vec<u8>, Failure> {
        let mut slot = self.registry.borrow_mut();
        let registry = match slot.as_mut() {
            Some(registry) => registry,
            None => slot.insert(self.load()?),
        };
        match path {
            paths::READ => written(&registry.read(read(body)?)),
            paths::PUT => {
                let entry: Entry = read(body)?;
                let (is_new, write) = registry.put(entry).map_err(Failure::Refused)?;
                self.apply(write)?;
                written(&is_new)
            }
            paths::REVOKE => {
                let id: KeyId = read(body)?;
                let write = registry.revoke(id);
                self.taken_out(write)
            }
            paths::DELETE_NAMESPACE => {
                let name: Namespace = read(body)?;
                let write = registry.delete_namespace(&name);
                self.taken_out(write)
            }
            other => Err(Failure::Request(format!("the registry has no {other}"))),
        }
    }

    fn load(&self) -> Result<Registry, Failure> {
        self.sql.exec(SCHEMA, None)?;
        let rows = self.sql.exec("SELECT record FROM entries", None)?.raw().collect::<Result<Vec<Vec<Value>>>>()?;
        let records = rows.into_iter().filter_map(|row| match row.into_iter().next() {
            Some(Value::String(record)) => Some(record),
            _ => None,
        });
        Registry::load(records).map_err(Failure::Storage)
    }

    fn apply(&self, write: Write) -> Result<(), Failure> {
        match write {
            Write::Put { name, record } => self.sql.exec(
                "INSERT INTO entries (name, record) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET record = excluded.record",
                vec![name.into(), record.into()],
            )?,
            Write::Delete { name } => self.sql.exec("DELETE FROM entries WHERE name = ?", vec![name.into()])?,
        };
        Ok(())
    }

    fn taken_out(&self, write: Option<Write>) -> Result<Vec<u8>, Failure> {
        let was_there = write.is_some();
        write.map_or(Ok(()), |write| self.apply(write))?;
        written(&was_there)
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    Ok(serde_json::from_slice(body)?)
}

fn written<T: Serialize>(answer: &T) -> Result<Vec<u8>, Failure> {
    Ok(serde_json::to_vec(answer)?)
}
