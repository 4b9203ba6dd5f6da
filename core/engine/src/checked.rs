//! An append request that has passed the checks.

use crate::decisions::FlightRef;
use crate::entry_ref::EntryRef;
use crate::error::EngineError;
use crate::flight_patch::FlightPatch;
use crate::new_schedule::NewSchedule;
use crate::redefinition::GoingOn;
use scheduler_model::format::page::{Entry, Page};
use scheduler_model::protocol::Change;
use scheduler_model::task::Record;

/// A valid request, with what the checks have read.
pub(super) struct Checked {
    pub(super) pages: Vec<Page>,
    pub(super) schedules: Vec<NewSchedule>,
    /// Recurring tasks that keep their place and get a new record.
    pub(super) going_on: Vec<GoingOn>,
    pub(super) replaced: Vec<EntryRef>,
    /// Further attempts that are paused or resumed with their task.
    pub(super) attempts: Vec<(EntryRef, Change)>,
    /// Runs in flight that are paused or resumed with their task.
    pub(super) flight_changes: Vec<(FlightRef, Change)>,
    /// Attempts in flight that are the last of their runs.
    pub(super) flights: Vec<FlightRef>,
    /// The patch of the request's only task, if the run in flight continues with it.
    pub(super) patch: Option<FlightPatch>,
    pub(super) went_on: u64,
}

impl Checked {
    /// Returns the number of tasks of the request.
    pub(super) fn tasks(&self) -> usize {
        self.pages.iter().map(|page| page.directory.len()).sum::<usize>()
            + self.schedules.len()
            + self.going_on.len()
    }

    /// Returns the number of tasks and attempts that the request replaces.
    pub(super) fn replaced(&self) -> usize {
        self.replaced.len() + self.going_on.len()
    }

    /// Returns how many of the entries that the request replaces are entries of pages.
    pub(super) fn replaced_entries(&self) -> usize {
        self.replaced.len() - self.replaced_schedules()
    }

    /// Returns how many recurring tasks the request replaces that do not go on.
    pub(super) fn replaced_schedules(&self) -> usize {
        self.replaced.iter().filter(|at| at.schedule().is_some()).count()
    }

    /// Returns the record of the first task.
    pub(super) fn first_record(&self) -> Option<&[u8]> {
        let of_page = || {
            let page = self.pages.first()?;
            let entry = page.directory.get(0)?;
            let start = entry.offset as usize;
            page.body.get(start..start + entry.len as usize)
        };
        let of_schedule = self.schedules.first().map(|schedule| schedule.record.as_slice());
        let going_on = || self.going_on.first().map(|going| going.record.as_slice());
        of_schedule.or_else(going_on).or_else(of_page)
    }

    /// Returns the limit keys of the tasks.
    pub(super) fn keys<'a>(&'a self, keys: &'a [String]) -> impl Iterator<Item = &'a str> {
        let of_new = self.schedules.iter().map(|schedule| &schedule.read);
        let of_schedules = of_new.chain(self.going_on.iter().map(|going| &going.read));
        let of_schedules = of_schedules.filter_map(|read| read.limit_key.as_deref());
        self.pages.iter().filter_map(|page| key_of(page, keys)).chain(of_schedules)
    }
}

/// Parses the record of an entry of a page of a request.
pub(super) fn given(page: &Page, entry: Entry) -> Result<Record<'_>, EngineError> {
    let start = entry.offset as usize;
    let text = page.body.get(start..start + entry.len as usize).unwrap_or_default();
    Record::parse(text).map_err(|problem| EngineError::BadRequest(format!("a record: {problem}")))
}

/// Returns the limit key of a page of a request. The lane of the page is the place of the key in
/// `keys`, counted from 1.
pub(super) fn key_of<'a>(page: &Page, keys: &'a [String]) -> Option<&'a str> {
    keys.get(usize::from(page.directory.lane().get()).checked_sub(1)?).map(String::as_str)
}
