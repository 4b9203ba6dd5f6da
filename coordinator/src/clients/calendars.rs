//! Sends requests about calendars to the registry, and finds the tasks that use a calendar.

use super::registry;
use super::shards::Shards;
use crate::problem::Problem;
use scheduler_model::bounds::{MAX_CALENDARS_PER_NAMESPACE, MAX_LIST_LIMIT};
use scheduler_model::calendars::{
    Calendar, CalendarName, CalendarOf, Calendars, DeleteCalendar, Deleted, Put, PutCalendar,
    Resolve, Resolved, names_of, paths,
};
use scheduler_model::namespace::Namespace;
use scheduler_model::protocol::{Filter, Kind, ListItem, ListReply, ListRequest, Status};
use scheduler_model::routing::ShardId;
use scheduler_model::task::Record;
use std::collections::BTreeSet;
use worker::Env;

/// The search for the tasks that use a calendar stops on a shard after it has found this many.
const FEW: usize = 10;

/// Looks up calendars of a namespace by their names, for `calendars`. Does nothing without names.
pub(crate) async fn load(
    env: &Env,
    namespace: &Namespace,
    names: BTreeSet<String>,
    calendars: &Calendars,
) -> Result<(), Problem> {
    if names.is_empty() {
        return Ok(());
    }
    // A text that cannot be a name is refused with the task that has it.
    let names: Vec<CalendarName> = names.iter().filter_map(|name| name.parse().ok()).collect();
    let names = Some(names).filter(|names| names.len() <= MAX_CALENDARS_PER_NAMESPACE);
    let request = Resolve { namespace: namespace.clone(), names };
    let resolved: Resolved = registry::ask(env, paths::RESOLVE, &request).await?;
    calendars.set(resolved);
    Ok(())
}

pub(crate) async fn get(env: &Env, of: &CalendarOf) -> Result<Option<Calendar>, Problem> {
    registry::ask(env, paths::GET, of).await
}

/// Returns all calendars of a namespace, and the names of those that cannot be read.
pub(crate) async fn list(env: &Env, namespace: &Namespace) -> Result<Resolved, Problem> {
    let request = Resolve { namespace: namespace.clone(), names: None };
    registry::ask(env, paths::RESOLVE, &request).await
}

pub(crate) async fn put(env: &Env, request: &PutCalendar) -> Result<Put, Problem> {
    registry::ask(env, paths::PUT, request).await
}

pub(crate) async fn delete(env: &Env, request: &DeleteCalendar) -> Result<Deleted, Problem> {
    registry::ask(env, paths::DELETE, request).await
}

/// Deletes all calendars of a namespace that is about to be deleted itself.
pub(crate) async fn clear(env: &Env, namespace: &Namespace) -> Result<(), Problem> {
    registry::ask::<_, usize>(env, paths::CLEAR, namespace).await.map(drop)
}

/// The tasks that use a calendar.
pub(crate) struct Users {
    /// Some of their ids.
    pub(crate) ids: Vec<String>,
    /// Whether there may be more.
    pub(crate) may_be_more: bool,
}

/// Returns the part of a shard's list of recurring tasks that follows a position.
pub(crate) async fn recurring_tasks(
    shards: &Shards,
    shard: ShardId,
    after: Option<scheduler_model::position::Position>,
    limit: usize,
) -> Result<ListReply, Problem> {
    let filter = Filter { kind: Some(Kind::Recurring), ..Filter::default() };
    let request = ListRequest { filter, after, limit, ..ListRequest::default() };
    shards.ask(shard, scheduler_model::protocol::paths::LIST, &request).await
}

/// Returns whether an item is a recurring task itself, and not an attempt at one of its runs.
pub(crate) fn is_task(item: &ListItem) -> bool {
    matches!(item.status, Status::Scheduled | Status::Paused)
        && !item.is_attempt
        && !item.is_cancelled
}

/// Finds tasks that use a calendar: the first ones of each shard. It reads the recurring tasks of
/// all shards, unless a shard has [`FEW`] that use it.
pub(crate) async fn users_of(shards: &Shards, name: &CalendarName) -> Result<Users, Problem> {
    let of_shard = |shard| async move {
        let (mut ids, mut after) = (Vec::new(), None);
        loop {
            let reply = recurring_tasks(shards, shard, after, MAX_LIST_LIMIT).await?;
            for item in reply.items.iter().filter(|item| is_task(item)) {
                let Ok(record) = Record::parse(item.record.get().as_bytes()) else { continue };
                let names = record.exclude.map_or_else(Vec::new, |of| names_of(of.get()));
                if names.iter().any(|of| of == name.as_str()) {
                    ids.push(record.id.into_owned());
                }
            }
            after = reply.next;
            if after.is_none() || ids.len() >= FEW {
                return Ok((ids, after.is_some()));
            }
            if !shards.may_go_on() {
                // Without a user so far, it is unknown whether there is one.
                return match ids.len() {
                    0 => Err(Problem::too_many_subrequests()),
                    _ => Ok((ids, true)),
                };
            }
        }
    };
    let mut users = Users { ids: Vec::new(), may_be_more: false };
    for found in shards.each(shards.map.all(), of_shard).await {
        let (mut ids, may_be_more): (Vec<String>, bool) = match found {
            Ok(found) => found,
            // Users on another shard are enough to refuse a request.
            Err(problem) if users.ids.is_empty() => return Err(problem),
            Err(_) => (Vec::new(), true),
        };
        users.ids.append(&mut ids);
        users.may_be_more |= may_be_more;
    }
    Ok(users)
}
