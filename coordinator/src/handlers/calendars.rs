//! Creates, changes, shows, lists and deletes the calendars of a namespace.

use crate::clients::calendars;
use crate::conditions::Condition;
use crate::context::Call;
use crate::problem::Problem;
use crate::response::Answer;
use scheduler_model::calendars::{
    Calendar, CalendarInput, CalendarOf, DeleteCalendar, Deleted, Expects, GivenCalendar,
    ListedCalendar, Put, PutCalendar, ShownCalendar,
};
use scheduler_model::input::FieldError;
use serde::Serialize;

/// `PUT /v1/calendars/{id}` creates a calendar, or replaces its items and its description. If the
/// items change, the tasks that use the calendar follow: see [`crate::jobs::calendars`].
pub(crate) async fn put(mut call: Call<'_>, name: String) -> Result<Answer, Problem> {
    let of = named(&call, &name)?;
    let text = call.text().await?;
    let GivenCalendar { description, items } =
        CalendarInput::parse(&text).map_err(Problem::invalid)?;
    let expects = expected(&call, &of).await?;
    let request = PutCalendar { of, description, items, expects };
    match calendars::put(call.env, &request).await? {
        Put::Done { is_new, calendar } => Ok(shown(if is_new { 201 } else { 200 }, &calendar)),
        Put::Other => Err(Problem::other_calendar()),
    }
}

/// `GET /v1/calendars/{id}` shows a calendar, and how far the update of its tasks has come.
pub(crate) async fn get(call: Call<'_>, name: String) -> Result<Answer, Problem> {
    let (if_match, seen) = (call.if_match()?, call.if_none_match()?);
    let calendar = calendars::get(call.env, &named(&call, &name)?).await?;
    let Some(calendar) = calendar else {
        // `If-Match` cannot hold for a calendar that does not exist.
        return Err(match if_match {
            Some(_) => Problem::other_calendar(),
            None => Problem::no_calendar(&name),
        });
    };
    if if_match.is_some_and(|condition| !condition.allows(calendar.tag())) {
        return Err(Problem::other_calendar());
    }
    Ok(shown(200, &calendar).unless_seen(seen.as_ref()))
}

/// The answer to a list.
#[derive(Serialize)]
struct List {
    calendars: Vec<ListedCalendar>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unreadable: Vec<String>,
}

/// `GET /v1/calendars` lists the calendars without their items.
pub(crate) async fn list(call: Call<'_>) -> Result<Answer, Problem> {
    let all = calendars::list(call.env, call.shards.namespace()).await?;
    let calendars = all.calendars.iter().map(ListedCalendar::from).collect();
    Ok(Answer::of(200, &List { calendars, unreadable: all.unreadable }))
}

/// `DELETE /v1/calendars/{id}` deletes a calendar that no task uses.
pub(crate) async fn delete(call: Call<'_>, name: String) -> Result<Answer, Problem> {
    let of = named(&call, &name)?;
    let expects = expected(&call, &of).await?;
    if calendars::get(call.env, &of).await?.is_none() {
        return Err(match expects {
            Some(_) => Problem::other_calendar(),
            None => Problem::no_calendar(&name),
        });
    }
    let users = calendars::users_of(&call.shards, &of.name).await?;
    if !users.ids.is_empty() {
        return Err(Problem::calendar_in_use(&name, &users.ids, users.may_be_more));
    }
    match calendars::delete(call.env, &DeleteCalendar { of, expects }).await? {
        // A repeated try finds nothing any more.
        Deleted::Done | Deleted::Absent => Ok(Answer::deleted(&name)),
        Deleted::Other => Err(Problem::other_calendar()),
    }
}

fn shown(status: u16, calendar: &Calendar) -> Answer {
    Answer::of(status, &ShownCalendar::from(calendar)).with_version(calendar.tag())
}

/// Returns the calendar that the path names.
fn named(call: &Call<'_>, name: &str) -> Result<CalendarOf, Problem> {
    let name = name
        .parse()
        .map_err(|problem| Problem::invalid(FieldError::new("id", format!("{problem}"))))?;
    Ok(CalendarOf { namespace: call.shards.namespace().clone(), name })
}

/// Returns what the registry must find so that `If-Match` and `If-None-Match` hold. Reads the
/// calendar, unless the headers are sufficient.
async fn expected(call: &Call<'_>, of: &CalendarOf) -> Result<Option<Expects>, Problem> {
    match (call.if_match()?, call.if_none_match()?) {
        (None, None) => Ok(None),
        (None, Some(Condition::Any)) => Ok(Some(Expects::Absent)),
        (condition, seen) => {
            if let (Some(tag), None) = (condition.as_ref().and_then(Condition::only_version), &seen)
            {
                return Ok(Some(Expects::Tag(tag)));
            }
            let tag = calendars::get(call.env, of).await?.map(|calendar| calendar.tag());
            let holds = match tag {
                Some(tag) => {
                    condition.is_none_or(|condition| condition.allows(tag))
                        && seen.is_none_or(|seen| !seen.names(tag))
                }
                None => condition.is_none(),
            };
            match (holds, tag) {
                (false, _) => Err(Problem::other_calendar()),
                (true, Some(tag)) => Ok(Some(Expects::Tag(tag))),
                (true, None) => Ok(Some(Expects::Absent)),
            }
        }
    }
}
