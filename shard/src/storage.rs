//! A shard's SQL: the schema, the reads at start-up, the engine's reads and writes, and the count
//! of rows.

mod remembered;
mod values;

pub(crate) use values::{blob, number};

use scheduler_calendar::time::UnixMillis;
use scheduler_engine::{
    EngineError, Reader, Sends, Snapshot, StorageError, StoredEnvelope, StoredHistory, StoredPage,
    StoredPatch, StoredSchedule, Write,
};
use scheduler_model::bounds::MAX_ROW_BYTES;
use scheduler_model::numbers::{EnvelopeSeq, PageNumber, ScheduleNumber};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use values::{
    bytes_of, destination, destination_text, failed, integer, js_of, optional, optional_blob,
    optional_number, seq_value,
};
use worker::js_sys::{Function, Reflect};
use worker::wasm_bindgen::{JsCast, JsValue, closure::Closure};
use worker::{SqlStorage, SqlStorageValue as Value, Storage};

/// Rows are billed. A page is one row to insert and one to delete, whatever its size. An `INTEGER
/// PRIMARY KEY` is the row id, so no index costs a second row.
const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS pages (seq INTEGER PRIMARY KEY, directory BLOB NOT NULL, body BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS dead (page INTEGER PRIMARY KEY, bits BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS schedules (seq INTEGER PRIMARY KEY, since INTEGER NOT NULL, record BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS outbox (
  seq INTEGER PRIMARY KEY, destination TEXT, hashes BLOB NOT NULL, sent_at INTEGER NOT NULL, attempts INTEGER NOT NULL,
  state BLOB, envelope BLOB, sends INTEGER
) STRICT;
CREATE TABLE IF NOT EXISTS remembered (
  period INTEGER NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL, PRIMARY KEY (period, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS decided (
  seq INTEGER NOT NULL, task INTEGER NOT NULL, value BLOB NOT NULL, PRIMARY KEY (seq, task)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS history (seq INTEGER PRIMARY KEY, newest INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
";

/// The columns of [`SCHEMA`] that the tables of the first version lack, each with the statement
/// that adds it.
const ADDED_COLUMNS: [(&str, &str, &str); 1] =
    [("outbox", "sends", "ALTER TABLE outbox ADD COLUMN sends INTEGER")];

/// The index in `decided` of a row that belongs to the whole envelope.
const OF_ENVELOPE: i64 = -1;

/// The storage of a shard.
#[derive(Clone)]
pub(crate) struct Sql {
    storage: Rc<Storage>,
    sql: SqlStorage,
    rows_read: Rc<Cell<u64>>,
    rows_written: Rc<Cell<u64>>,
}

type Row = Vec<Value>;

impl Sql {
    pub(crate) fn new(storage: Storage) -> Self {
        let sql = storage.sql();
        Self {
            storage: Rc::new(storage),
            sql,
            rows_read: Rc::default(),
            rows_written: Rc::default(),
        }
    }

    /// Returns the numbers of rows read and written since the last call.
    pub(crate) fn take_rows(&self) -> (u64, u64) {
        (self.rows_read.take(), self.rows_written.take())
    }

    pub(crate) fn exec(&self, query: &str, bindings: Vec<Value>) -> Result<Vec<Row>, StorageError> {
        // The local runtime stores rows that the platform refuses. This check refuses them in both.
        if let Some(bytes) = bindings.iter().map(bytes_of).find(|bytes| *bytes > MAX_ROW_BYTES) {
            return Err(StorageError(format!("{bytes} bytes are too many for a row: {query}")));
        }
        let bindings: Vec<JsValue> = bindings.into_iter().map(js_of).collect();
        let cursor = self.sql.exec_raw(query, bindings).map_err(failed)?;
        let rows = cursor.raw().collect::<Result<Vec<Row>, _>>().map_err(failed)?;
        self.rows_read.set(self.rows_read.get() + cursor.rows_read() as u64);
        self.rows_written.set(self.rows_written.get() + cursor.rows_written() as u64);
        Ok(rows)
    }

    /// Reads everything that a start-up needs besides [`Self::each_schedule`]: directories and
    /// numbers, but no bodies and no envelopes.
    pub(crate) fn snapshot(&self) -> Result<Snapshot, EngineError> {
        self.exec(SCHEMA, vec![])?;
        // The tables of earlier versions lack the columns that were added later.
        for (table, column, statement) in ADDED_COLUMNS {
            let found = self.exec(
                "SELECT 1 FROM pragma_table_info(?) WHERE name = ?",
                vec![table.into(), column.into()],
            )?;
            if found.is_empty() {
                self.exec(statement, vec![])?;
            }
        }
        Ok(Snapshot {
            id_key: self.id_key()?,
            pages: self.stored_pages()?,
            schedules: Vec::new(),
            envelopes: self.stored_envelopes()?,
            decisions: self.stored_decisions()?,
            patches: self.stored_patches()?,
            history: self.stored_history()?,
            state: self.stored_state()?,
            remembered: self.remembered_keys()?,
        })
    }

    fn stored_pages(&self) -> Result<Vec<StoredPage>, StorageError> {
        let query = "SELECT pages.seq, directory, length(body), bits FROM pages LEFT JOIN dead ON dead.page = pages.seq";
        self.each_row(query, vec![], |mut row| {
            Ok(StoredPage {
                page: PageNumber::new(number(row.next())? as u32),
                directory: blob(row.next())?,
                body_len: number(row.next())? as u32,
                dead: optional_blob(row.next())?,
            })
        })
    }

    fn stored_envelopes(&self) -> Result<Vec<StoredEnvelope>, StorageError> {
        let query = "SELECT seq, destination, hashes, sent_at, attempts, sends FROM outbox";
        self.each_row(query, vec![], |mut row| {
            Ok(StoredEnvelope {
                seq: EnvelopeSeq::new(number(row.next())? as u64),
                destination: destination(row.next())?,
                hashes: blob(row.next())?,
                sent_at: UnixMillis::new(number(row.next())?),
                attempts: number(row.next())? as u32,
                sends: Sends::from_stored(optional_number(row.next())?),
            })
        })
    }

    fn stored_decisions(&self) -> Result<Vec<(EnvelopeSeq, Vec<u8>)>, StorageError> {
        let query = "SELECT seq, value FROM decided WHERE task = ?";
        self.each_row(query, vec![OF_ENVELOPE.into()], |mut row| {
            Ok((EnvelopeSeq::new(number(row.next())? as u64), blob(row.next())?))
        })
    }

    fn stored_patches(&self) -> Result<Vec<StoredPatch>, StorageError> {
        let query = "SELECT seq, task, length(value) FROM decided WHERE task <> ?";
        self.each_row(query, vec![OF_ENVELOPE.into()], |mut row| {
            Ok(StoredPatch {
                seq: EnvelopeSeq::new(number(row.next())? as u64),
                index: number(row.next())? as u32,
                bytes: number(row.next())? as u32,
            })
        })
    }

    fn stored_history(&self) -> Result<Vec<StoredHistory>, StorageError> {
        self.each_row("SELECT seq, newest, length(body) FROM history", vec![], |mut row| {
            Ok(StoredHistory {
                row: number(row.next())? as u64,
                newest: UnixMillis::new(number(row.next())?),
                bytes: number(row.next())? as u32,
            })
        })
    }

    fn stored_state(&self) -> Result<Option<Vec<u8>>, StorageError> {
        let query = "SELECT state FROM outbox WHERE state IS NOT NULL ORDER BY seq DESC LIMIT 1";
        Ok(self.each_row(query, vec![], |mut row| blob(row.next()))?.pop())
    }

    /// Returns the result of `read` for each row.
    fn each_row<T>(
        &self,
        query: &str,
        bindings: Vec<Value>,
        read: impl Fn(std::vec::IntoIter<Value>) -> Result<T, StorageError>,
    ) -> Result<Vec<T>, StorageError> {
        self.exec(query, bindings)?.into_iter().map(|row| read(row.into_iter())).collect()
    }

    /// Returns whether an envelope is in the outbox.
    pub(crate) fn has_envelope(&self, seq: EnvelopeSeq) -> Result<bool, StorageError> {
        let query = "SELECT 1 FROM outbox WHERE seq = ? AND envelope IS NOT NULL";
        Ok(!self.exec(query, vec![seq_value(seq.get())])?.is_empty())
    }

    /// Calls `found` for each recurring task. It does not collect the tasks, because 20,000 records
    /// of 116,000 bytes do not fit into memory.
    pub(crate) fn each_schedule(
        &self,
        mut found: impl FnMut(&StoredSchedule) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let cursor =
            self.sql.exec("SELECT seq, since, record FROM schedules", vec![]).map_err(failed)?;
        for row in cursor.raw() {
            let mut row = row.map_err(failed)?.into_iter();
            found(&StoredSchedule {
                number: ScheduleNumber::new(number(row.next())? as u32),
                since: UnixMillis::new(number(row.next())?),
                record: blob(row.next())?,
            })?;
        }
        self.rows_read.set(self.rows_read.get() + cursor.rows_read() as u64);
        Ok(())
    }

    /// Applies all of `writes`, or none of them.
    pub(crate) fn apply(&self, writes: Vec<Write>) -> Result<(), StorageError> {
        if writes.is_empty() {
            return Ok(());
        }
        // A single statement is atomic already.
        if let [write] = writes.as_slice()
            && !matches!(write, Write::DeletePage { has_dead: true, .. })
        {
            return writes.into_iter().try_for_each(|write| self.write(write));
        }
        self.in_transaction(move |sql| writes.into_iter().try_for_each(|write| sql.write(write)))
    }

    /// Does all of `work`, or none of it.
    pub(crate) fn in_transaction(
        &self,
        work: impl FnOnce(&Self) -> Result<(), StorageError> + 'static,
    ) -> Result<(), StorageError> {
        // Writes without an await between them are one transaction already. But only
        // `transactionSync` undoes the first writes if a later one fails.
        let this = self.clone();
        let outcome: Rc<RefCell<Result<(), StorageError>>> = Rc::new(RefCell::new(Ok(())));
        let inner = outcome.clone();
        let closure = Closure::once(move || -> Result<JsValue, JsValue> {
            work(&this).map(|()| JsValue::UNDEFINED).map_err(|problem| {
                let message = JsValue::from_str(&problem.0);
                *inner.borrow_mut() = Err(problem);
                message
            })
        });
        let raw: &JsValue = self.storage.as_raw().as_ref();
        Reflect::get(raw, &JsValue::from_str("transactionSync"))
            .and_then(|method| method.dyn_into::<Function>())
            .and_then(|method| method.call1(raw, closure.as_ref()))
            .map_err(|problem| StorageError(format!("{problem:?}")))?;
        outcome.replace(Ok(()))
    }

    fn write(&self, write: Write) -> Result<(), StorageError> {
        match write {
            Write::InsertPage { page, directory, body } => self.exec(
                "INSERT INTO pages (seq, directory, body) VALUES (?, ?, ?)",
                vec![integer(page.get()), directory.into(), body.into()],
            ),
            Write::ExtendPage { page, directory, tail } => self.exec(
                "UPDATE pages SET directory = ?, body = CAST(body || ? AS BLOB) WHERE seq = ?",
                vec![directory.into(), tail.into(), integer(page.get())],
            ),
            Write::DeletePage { page, has_dead } => {
                if has_dead {
                    self.exec("DELETE FROM dead WHERE page = ?", vec![integer(page.get())])?;
                }
                self.exec("DELETE FROM pages WHERE seq = ?", vec![integer(page.get())])
            }
            Write::SetDead { page, bits } => self.exec(
                "INSERT INTO dead (page, bits) VALUES (?, ?) ON CONFLICT (page) DO UPDATE SET bits = excluded.bits",
                vec![integer(page.get()), bits.into()],
            ),
            Write::InsertSchedule { number, since, record } => self.exec(
                "INSERT INTO schedules (seq, since, record) VALUES (?, ?, ?)",
                vec![integer(number.get()), since.get().into(), record.into()],
            ),
            Write::SetSchedule { number, since, record } => self.exec(
                "UPDATE schedules SET since = coalesce(?, since), record = ? WHERE seq = ?",
                vec![optional(since.map(UnixMillis::get)), record.into(), integer(number.get())],
            ),
            Write::SetSince { number, since } => {
                self.exec("UPDATE schedules SET since = ? WHERE seq = ?", vec![since.get().into(), integer(number.get())])
            }
            Write::DeleteSchedule { number } => self.exec("DELETE FROM schedules WHERE seq = ?", vec![integer(number.get())]),
            Write::Remember { period, key, value } => self.exec(
                "INSERT OR REPLACE INTO remembered (period, key, value) VALUES (?, ?, ?)",
                vec![period.into(), key.to_vec().into(), value.into()],
            ),
            Write::Forget { period, count } => self.exec(
                "DELETE FROM remembered WHERE period = ?1
                 AND key IN (SELECT key FROM remembered WHERE period = ?1 LIMIT ?2)",
                vec![period.into(), seq_value(count)],
            ),
            Write::InsertEnvelope { seq, destination, text, hashes, sent_at, state } => self.exec(
                "INSERT INTO outbox (seq, destination, hashes, sent_at, attempts, state, envelope) VALUES (?, ?, ?, ?, 0, ?, ?)",
                vec![
                    seq_value(seq.get()),
                    destination_text(&destination).into(),
                    hashes.into(),
                    sent_at.get().into(),
                    state.into(),
                    text.to_vec().into(),
                ],
            ),
            Write::ClearEnvelope { seq, state } => self.exec(
                "UPDATE outbox SET destination = NULL, hashes = x'', envelope = NULL, state = ? WHERE seq = ?",
                vec![state.into(), seq_value(seq.get())],
            ),
            Write::SaveState { seq, state } => self.exec(
                "INSERT INTO outbox (seq, destination, hashes, sent_at, attempts, state, envelope)
                 VALUES (?, NULL, x'', 0, 0, ?, NULL) ON CONFLICT (seq) DO UPDATE SET state = excluded.state",
                vec![seq_value(seq.get()), state.into()],
            ),
            Write::DeleteEnvelope { seq } => self.exec("DELETE FROM outbox WHERE seq = ?", vec![seq_value(seq.get())]),
            Write::Decide { seq, decisions } => self.exec(
                "INSERT OR REPLACE INTO decided (seq, task, value) VALUES (?, ?, ?)",
                vec![seq_value(seq.get()), OF_ENVELOPE.into(), decisions.into()],
            ),
            Write::Patch { seq, index, record } => self.exec(
                "INSERT OR REPLACE INTO decided (seq, task, value) VALUES (?, ?, ?)",
                vec![seq_value(seq.get()), integer(index), record.into()],
            ),
            Write::ForgetDecisions { seq } => self.exec("DELETE FROM decided WHERE seq = ?", vec![seq_value(seq.get())]),
            Write::InsertHistory { row, newest, body } => self.exec(
                "INSERT INTO history (seq, newest, body) VALUES (?, ?, ?)",
                vec![seq_value(row), newest.get().into(), body.into()],
            ),
            Write::ExtendHistory { row, newest, tail } => self.exec(
                "UPDATE history SET newest = ?, body = CAST(body || ? AS BLOB) WHERE seq = ?",
                vec![newest.get().into(), tail.into(), seq_value(row)],
            ),
            Write::DropHistory { up_to } => self.exec("DELETE FROM history WHERE seq <= ?", vec![seq_value(up_to)]),
            Write::Resent { seq, sent_at, attempts, sends } => self.exec(
                "UPDATE outbox SET sent_at = ?, attempts = ?, sends = ? WHERE seq = ?",
                vec![sent_at.get().into(), integer(attempts), optional(sends.stored()), seq_value(seq.get())],
            ),
            Write::SendEnded { seq, at, sends } => self.exec(
                "UPDATE outbox SET sent_at = coalesce(?, sent_at), sends = ? WHERE seq = ?",
                vec![optional(at.map(UnixMillis::get)), optional(sends.stored()), seq_value(seq.get())],
            ),
        }
        .map(|_| ())
    }

    fn one_blob(
        &self,
        what: &str,
        query: &str,
        bindings: Vec<Value>,
    ) -> Result<Vec<u8>, StorageError> {
        let first =
            self.exec(query, bindings)?.into_iter().next().and_then(|row| row.into_iter().next());
        blob(first).map_err(|problem| StorageError(format!("{what}: {}", problem.0)))
    }
}

impl Reader for Sql {
    fn body(&self, page: PageNumber, offset: u32, len: u32) -> Result<Vec<u8>, StorageError> {
        // `substr` counts from 1.
        let bindings = vec![integer(offset + 1), integer(len), integer(page.get())];
        let bytes = self.one_blob(
            "a page's body",
            "SELECT substr(body, ?, ?) FROM pages WHERE seq = ?",
            bindings,
        )?;
        if bytes.len() == len as usize {
            Ok(bytes)
        } else {
            Err(StorageError(format!("page {page} is shorter than its directory says")))
        }
    }

    fn schedule(&self, number: ScheduleNumber) -> Result<Vec<u8>, StorageError> {
        self.one_blob(
            "a recurring task",
            "SELECT record FROM schedules WHERE seq = ?",
            vec![integer(number.get())],
        )
    }

    fn schedule_head(&self, number: ScheduleNumber, len: u32) -> Result<Vec<u8>, StorageError> {
        let bindings = vec![integer(len), integer(number.get())];
        self.one_blob(
            "a recurring task",
            "SELECT substr(record, 1, ?) FROM schedules WHERE seq = ?",
            bindings,
        )
    }

    fn envelope(&self, seq: EnvelopeSeq) -> Result<Vec<u8>, StorageError> {
        self.one_blob(
            "an envelope",
            "SELECT envelope FROM outbox WHERE seq = ?",
            vec![seq_value(seq.get())],
        )
    }

    fn remembered(&self, key: &[u8; 16], periods: &[i64]) -> Result<Option<Vec<u8>>, StorageError> {
        // One lookup per period is cheaper than a search through all keys of the periods.
        for period in periods {
            let bindings = vec![(*period).into(), key.to_vec().into()];
            let found =
                self.exec("SELECT value FROM remembered WHERE period = ? AND key = ?", bindings)?;
            if let Some(row) = found.into_iter().next() {
                return blob(row.into_iter().next()).map(Some);
            }
        }
        Ok(None)
    }

    fn patched(&self, seq: EnvelopeSeq, index: u32) -> Result<Vec<u8>, StorageError> {
        let bindings = vec![seq_value(seq.get()), integer(index)];
        self.one_blob(
            "a patch of a task in flight",
            "SELECT value FROM decided WHERE seq = ? AND task = ?",
            bindings,
        )
    }

    fn history(&self, row: u64) -> Result<Vec<u8>, StorageError> {
        self.one_blob(
            "a row of the history",
            "SELECT body FROM history WHERE seq = ?",
            vec![seq_value(row)],
        )
    }
}
