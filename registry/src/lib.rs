//! The Durable Object around [`scheduler_engine::registry::Registry`], which holds the API keys and
//! namespaces of a deployment, and around the table of calendars.
//!
//! In scope: loading the registry from SQL, applying its writes, the requests of
//! [`scheduler_model::access::paths`] and [`scheduler_model::calendars::paths`], and the alarm for
//! the updates of tasks whose calendar has changed. Not in scope: the permission to change
//! something, which the coordinator checks before it sends a request, and the work of an update.

mod calendars;
mod rows;

pub use rows::Work;

use calendars::{PATHS, Shelf, text};
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::registry::{Registry, Write};
use scheduler_model::access::{
    DeleteNamespace, Entry, KeyId, KeyUse, MapAnswer, MapQuestion, paths,
};
use scheduler_model::bounds::CALENDAR_RETRY_MILLIS;
use scheduler_model::calendars::Step;
use scheduler_model::routing::ShardMap;
use scheduler_platform::entries::{self, Entries, read, written};
use scheduler_platform::{Guard, Reset, now};
use std::cell::{Cell, RefCell};
use std::time::Duration;
use worker::{Error, Request, Response, Result, SqlStorage, State, Storage};

/// The jurisdiction of the deployment, once it is decided.
const JURISDICTION_SCHEMA: &str = "CREATE TABLE IF NOT EXISTS jurisdiction (only INTEGER PRIMARY KEY CHECK (only = 1), name TEXT NOT NULL) STRICT;";

/// The newest shard map, with the numbers of dropped epochs.
const SHARD_MAP_SCHEMA: &str = "CREATE TABLE IF NOT EXISTS shard_map (only INTEGER PRIMARY KEY CHECK (only = 1), map TEXT NOT NULL) STRICT;";

/// How long one list of an update may take, with the changes of its tasks, before the object is
/// reset.
const GUARD: Duration = Duration::from_secs(120);

/// The storage of the registry, and the registry while it is loaded.
pub struct Shell {
    sql: SqlStorage,
    storage: Storage,
    entries: Entries,
    registry: RefCell<Option<Registry>>,
    calendars: Shelf,
    /// The time for which the alarm is set, if it is known.
    armed: Cell<Option<UnixMillis>>,
    /// Whether the alarm handler is running. It sets the alarm when it ends.
    in_alarm: Cell<bool>,
    /// Resets the object, if the runtime can.
    reset: Option<Reset>,
}

/// The work of an alarm, until it is dropped.
pub struct AlarmWork<'a> {
    shell: &'a Shell,
    guard: Option<Guard<'a>>,
}

impl AlarmWork<'_> {
    /// Lets the guard of the object wait from now on.
    pub fn extend(&self) {
        if let Some(guard) = &self.guard {
            guard.extend();
        }
    }
}

impl Drop for AlarmWork<'_> {
    fn drop(&mut self) {
        self.shell.in_alarm.set(false);
    }
}

type Failure = entries::Failure<scheduler_model::access::Refused>;

impl Shell {
    /// Creates the object without reading anything. The first request loads the registry.
    pub fn new(state: &State) -> Self {
        let storage = state.storage();
        let sql = storage.sql();
        Self {
            calendars: Shelf::new(storage.sql()),
            sql,
            storage,
            entries: Entries::of(state),
            registry: RefCell::new(None),
            armed: Cell::new(None),
            in_alarm: Cell::new(false),
            reset: Reset::of(state.as_raw().as_ref()).ok(),
        }
    }

    /// Answers a request.
    ///
    /// # Errors
    /// Returns an error if the platform cannot read the request or create a response.
    pub async fn fetch(&self, mut request: Request) -> Result<Response> {
        let body = request.bytes().await?;
        let path = request.path();
        let mut outcome = self.answer(&path, &body);
        if path.starts_with(PATHS)
            && outcome.is_ok()
            && let Err(problem) = self.arm().await
        {
            outcome = Err(problem.into());
        }
        // The watchdog reads the registry in each of its rounds.
        if path == paths::READ
            && let Err(problem) = self.repair_alarm().await
        {
            worker::console_error!("registry: the alarm was not checked: {problem}");
        }
        entries::respond("registry", outcome, || drop(self.registry.take()))
    }

    /// Begins the work of an alarm. The object is reset if its program ends in between, or if nobody
    /// extends the guard.
    pub fn alarm_begins(&self) -> AlarmWork<'_> {
        self.armed.set(None);
        self.in_alarm.set(true);
        let guard = self.reset.as_ref().map(|reset| reset.guard(GUARD));
        let work = AlarmWork { shell: self, guard };
        work.extend();
        work
    }

    /// Returns the update of a calendar's tasks that is due now; `None` if none is due.
    ///
    /// # Errors
    /// Returns an error if the platform's storage fails.
    pub fn next_update(&self) -> Result<Option<Work>> {
        self.calendars
            .open()
            .and_then(|()| self.calendars.first_pending())
            .map(|work| work.filter(|work| work.update.due().is_some_and(|due| due <= now())))
            .map_err(error_of)
    }

    /// Stores how far an update has come: with the step of a list, or without a step after a
    /// failure.
    ///
    /// # Errors
    /// Returns an error if the platform's storage fails.
    pub fn note_update(&self, work: &Work, step: Option<Step>) -> Result<()> {
        self.calendars.note(work, step).map_err(error_of)
    }

    /// Sets the alarm for the next update.
    ///
    /// # Errors
    /// Returns an error if the platform fails.
    pub async fn arm(&self) -> Result<()> {
        let first = self.calendars.first_pending().map_err(error_of)?;
        let Some(due) = first.and_then(|work| work.update.due()) else { return Ok(()) };
        if self.armed.get().is_some_and(|armed| armed <= due) {
            return Ok(());
        }
        let wait = due.since(now()).max(0);
        self.storage.set_alarm(wait).await?;
        self.armed.set(Some(due));
        Ok(())
    }

    /// Sets the alarm for a moment from now. This follows a failure that hides the next update.
    ///
    /// # Errors
    /// Returns an error if the platform fails.
    pub async fn arm_after_failure(&self) -> Result<()> {
        self.storage.set_alarm(CALENDAR_RETRY_MILLIS).await?;
        self.armed.set(Some(now().plus(CALENDAR_RETRY_MILLIS)));
        Ok(())
    }

    /// Sets the alarm again if an update is pending and no alarm is set: the platform drops an alarm
    /// after its handler has failed six times.
    async fn repair_alarm(&self) -> Result<()> {
        let pending = self.calendars.open().and_then(|()| self.calendars.first_pending());
        let Some(work) = pending.map_err(error_of)? else { return Ok(()) };
        if self.in_alarm.get() || self.storage.get_alarm().await?.is_some() {
            return Ok(());
        }
        // While the alarm handler runs, no alarm is set. It may have begun meanwhile.
        if self.in_alarm.get() {
            return Ok(());
        }
        worker::console_error!(
            "registry: the update of the calendar {} had lost its alarm, which is set again",
            work.calendar.name
        );
        self.armed.set(None);
        self.arm().await
    }

    fn answer(&self, path: &str, body: &[u8]) -> Result<Vec<u8>, Failure> {
        // In a jurisdiction, the registry is another object: this one stays empty.
        if path == paths::SETTLE {
            return written(&self.settle(read(body)?)?);
        }
        if path == paths::SETTLE_SHARDS {
            return written(&self.settle_shards(&read(body)?)?);
        }
        if path.starts_with(PATHS) {
            return self.calendars.answer(path, body);
        }
        let mut slot = self.registry.borrow_mut();
        let registry = match slot.as_mut() {
            Some(registry) => registry,
            None => slot.insert(self.load()?),
        };
        match path {
            paths::READ => written(&registry.read(read(body)?)),
            paths::PUT => {
                let entry: Entry = read(body)?;
                let (is_new, writes) = registry.put(entry, now()).map_err(Failure::Refused)?;
                writes.into_iter().try_for_each(|write| self.apply(write))?;
                written(&is_new)
            }
            paths::USED => {
                let uses: Vec<KeyUse> = read(body)?;
                let writes = registry.used(&uses, now());
                let count = writes.len();
                writes.into_iter().try_for_each(|write| self.apply(write))?;
                written(&count)
            }
            paths::REVOKE => {
                let id: KeyId = read(body)?;
                let write = registry.revoke(id);
                self.apply_removal(write)
            }
            paths::DELETE_NAMESPACE => {
                let of: DeleteNamespace = read(body)?;
                let (name, created_at) = of.parts();
                let write = registry.delete_namespace(&name, created_at);
                self.apply_removal(write)
            }
            other => Err(Failure::Request(format!("the registry has no {other}"))),
        }
    }

    /// Returns the jurisdiction of the deployment. If it is not decided yet, it becomes `wanted`,
    /// unless this object has been the registry of a deployment without a jurisdiction.
    fn settle(&self, wanted: String) -> Result<String, Failure> {
        self.sql.exec(JURISDICTION_SCHEMA, None)?;
        if let Some(name) = self.first_text("SELECT name FROM jurisdiction")? {
            return Ok(name);
        }
        let name = if self.entries.exist()? { String::new() } else { wanted };
        self.sql.exec(
            "INSERT INTO jurisdiction (only, name) VALUES (1, ?)",
            vec![name.clone().into()],
        )?;
        Ok(name)
    }

    /// Remembers the first shard map, or one that follows the remembered one. If the deployment is
    /// older than this table, its first map must have been checked.
    fn settle_shards(&self, question: &MapQuestion) -> Result<MapAnswer, Failure> {
        let next: ShardMap =
            question.map.parse().map_err(|problem| Failure::Request(format!("{problem}")))?;
        self.sql.exec(SHARD_MAP_SCHEMA, None)?;
        let known = match self.first_text("SELECT map FROM shard_map")? {
            Some(before) => {
                let before: ShardMap = before
                    .parse()
                    .map_err(|problem| Failure::Storage(format!("the shard map: {problem}")))?;
                let Some(known) = before.followed_by(&next) else {
                    return Ok(MapAnswer::Changed(before.to_string()));
                };
                if known == before {
                    return Ok(MapAnswer::Settled);
                }
                known
            }
            None if self.is_new()? || question.is_checked => next,
            None => return Ok(MapAnswer::Unknown),
        };
        self.sql.exec(
            "INSERT INTO shard_map (only, map) VALUES (1, ?) ON CONFLICT (only) DO UPDATE SET map = excluded.map",
            vec![known.to_string().into()],
        )?;
        Ok(MapAnswer::Settled)
    }

    /// Returns whether no deployment has used this object before.
    fn is_new(&self) -> Result<bool, Failure> {
        self.sql.exec(JURISDICTION_SCHEMA, None)?;
        Ok(self.first_text("SELECT name FROM jurisdiction")?.is_none() && !self.entries.exist()?)
    }

    fn first_text(&self, query: &str) -> Result<Option<String>, Failure> {
        let row = self.sql.exec(query, None)?.raw().next().transpose()?;
        Ok(row.and_then(|row| text(row.into_iter().next()?)))
    }

    fn load(&self) -> Result<Registry, Failure> {
        Registry::load(self.entries.load()?).map_err(Failure::Storage)
    }

    fn apply(&self, write: Write) -> Result<(), Failure> {
        match write {
            Write::Put { name, record } => self.entries.put(name, record)?,
            Write::Delete { name } => self.entries.delete(name)?,
        }
        Ok(())
    }

    fn apply_removal(&self, write: Option<Write>) -> Result<Vec<u8>, Failure> {
        let was_there = write.is_some();
        write.map_or(Ok(()), |write| self.apply(write))?;
        written(&was_there)
    }
}

/// Returns a failure as the platform's error, for the alarm.
fn error_of(failure: Failure) -> Error {
    Error::RustError(match failure {
        Failure::Refused(refused) => refused.detail,
        Failure::Request(problem) | Failure::Storage(problem) => problem,
    })
}
