//! `cancel_tasks` and `replay_failures`.

use super::agreement::{self, Agreement, Count, quoted};
use super::answers::{self, Page, Task, read};
use super::failure::Failure;
use super::job::{Job, done};
use super::shapes::{Many, ManyStatus};
use crate::mcp::Outcome;
use scheduler_model::input::cut;
use scheduler_model::tools::{CancelTasks, Chosen, Query, ReplayFailures, Selected};
use serde_json::value::RawValue;
use worker::Method;

/// The most pages that are read to count the matches of a filter. Beyond that, the exact number
/// does not matter.
const MAX_PAGES: usize = 5;
/// The items of each such page.
const PAGE_LIMIT: u64 = 1_000;

/// The most requests to shards that the pages may cause together. Each page asks every shard. An
/// invocation may make 1,000 requests, and the change that follows needs some of them.
const MAX_SHARDS_ASKED: usize = 320;

/// The number of examples.
const MAX_EXAMPLES: usize = 3;

/// The most bytes of an id and of another text in an example.
const MAX_EXAMPLE_BYTES: usize = 120;

/// A change of many, and its routes.
struct Deed {
    /// The verb for the change.
    verb: &'static str,
    things: &'static str,
    list: &'static str,
    path: &'static str,
}

const CANCEL: Deed =
    Deed { verb: "Cancel", things: "tasks", list: "/v1/tasks", path: "/v1/tasks/cancel" };

const REPLAY: Deed = Deed {
    verb: "Start over",
    things: "failed runs",
    list: "/v1/dead-letters",
    path: "/v1/dead-letters/replay",
};

/// Cancels tasks.
pub(super) async fn cancel(job: &Job<'_>) -> Result<Outcome, Failure> {
    act(job, &CancelTasks::parse(job.arguments())?, &CANCEL).await
}

/// Starts failed runs again.
pub(super) async fn replay(job: &Job<'_>) -> Result<Outcome, Failure> {
    act(job, &ReplayFailures::parse(job.arguments())?, &REPLAY).await
}

async fn act(job: &Job<'_>, selected: &Selected<'_>, deed: &Deed) -> Result<Outcome, Failure> {
    let agreed = agreement::of(job, selected)?;
    if agreed == Agreement::Refused {
        let text = "The user did not agree, so nothing was changed.\nNext: ask what the user wants instead.";
        return Err(Failure::Said(text.to_owned()));
    }
    let count = match (&selected.chosen, selected.query()) {
        (Chosen::Ids(ids), _) => Count {
            number: ids.len() as u64,
            is_at_least: false,
            examples: ids.iter().take(MAX_EXAMPLES).map(|id| short(id)).collect(),
        },
        (Chosen::Matching(_), query) => matching(job, deed, query.unwrap_or_default()).await?,
    };
    if count.needs_agreement() && !agreed.allows(&count) {
        return ask(job, selected, deed, count);
    }
    let text = job.send(Method::Post, deed.path, &[], Some(selected.body())).await?;
    done(&made(&read(&text)?))
}

/// Counts the matches of a filter.
async fn matching(job: &Job<'_>, deed: &Deed, filter: Query) -> Result<Count, Failure> {
    let mut count = Count { number: 0, is_at_least: false, examples: Vec::new() };
    let mut cursor: Option<String> = None;
    let shards = job.call.shards.map.all().count().max(1);
    for _ in 0..(MAX_SHARDS_ASKED / shards).clamp(1, MAX_PAGES) {
        let mut query = filter.clone();
        query.add("limit", &PAGE_LIMIT.to_string());
        if let Some(cursor) = &cursor {
            query.add("cursor", cursor);
        }
        let text = job.get(&format!("{}{}", deed.list, query.as_str())).await?;
        let page: Page<'_> = read(&text)?;
        let items: Vec<&RawValue> = page.tasks.into_iter().chain(page.dead_letters).collect();
        count.number += items.len() as u64;
        let left = MAX_EXAMPLES - count.examples.len();
        for item in items.into_iter().take(left) {
            count.examples.push(example(&read(item.get())?));
        }
        cursor = page.cursor;
        if cursor.is_none() {
            return Ok(count);
        }
    }
    Ok(Count { is_at_least: true, ..count })
}

/// Describes a task for people. The texts come from others, so they are in quotes.
fn example(task: &Task<'_>) -> String {
    match task.description.as_deref().or(task.error.as_deref()) {
        Some(more) => format!("{} ({})", short(&task.id), short(more)),
        None => short(&task.id),
    }
}

fn short(text: &str) -> String {
    quoted(&cut(text, MAX_EXAMPLE_BYTES))
}

fn ask(
    job: &Job<'_>,
    selected: &Selected<'_>,
    deed: &Deed,
    count: Count,
) -> Result<Outcome, Failure> {
    let confirmation = agreement::confirmation(job, selected, &count);
    let what = format!("{} {}", deed.verb, count.in_words(deed.things));
    if job.asked.can_ask {
        return Ok(agreement::question(&what, &count.examples, confirmation));
    }
    let tool = job.asked.name();
    done(&Many {
        status: ManyStatus::ConfirmationRequired,
        count: Some(count.number),
        is_at_least: Some(count.is_at_least),
        examples: count.examples,
        confirmation: Some(confirmation),
        next: Some(format!(
            "Nothing was changed yet. Ask the user: {what}? If the user agrees, call {tool} again with the same arguments and with \
             confirmation."
        )),
        ..Many::default()
    })
}

/// Describes the result of a change.
fn made(many: &answers::Many) -> Many {
    let not_found = many.not_found.count();
    let next = match (many.done, not_found) {
        (false, _) => Some("There are more: call again with the same arguments.".to_owned()),
        (true, 0) => None,
        (true, _) => Some(
            "Some ids were not there. They may have fired, been cancelled or been replayed. Call find_tasks to see what there is."
                .to_owned(),
        ),
    };
    Many {
        status: if many.done { ManyStatus::Done } else { ManyStatus::Unfinished },
        cancelled: many.cancelled,
        replayed: many.replayed,
        not_found: Some(not_found).filter(|count| *count > 0),
        running: Some(many.running).filter(|count| *count > 0),
        next,
        ..Many::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_became_of_many_says_what_to_do_next() {
        let said = |text: &str| {
            let Many { status, cancelled, replayed, not_found, next, .. } =
                made(&read(text).unwrap());
            (status, cancelled.or(replayed), not_found, next.is_some())
        };
        let cancelled = said(r#"{"cancelled":3,"notFound":0,"done":true}"#);
        assert_eq!(cancelled, (ManyStatus::Done, Some(3), None, false));
        let replayed = said(r#"{"replayed":1,"notFound":["a","b"],"done":true}"#);
        assert_eq!(replayed, (ManyStatus::Done, Some(1), Some(2), true));
        let unfinished = said(r#"{"cancelled":3,"notFound":0,"done":false}"#);
        assert_eq!(unfinished, (ManyStatus::Unfinished, Some(3), None, true));
    }

    #[test]
    fn examples_are_short() {
        let text = format!(r#"{{"id":"a","description":"{}"}}"#, "x".repeat(1_000));
        let example = example(&read(&text).unwrap());
        assert!(example.starts_with("\"a\" (\"xxx"), "{example}");
        let around = "\"a\" (\"\")".len();
        assert!(example.len() <= MAX_EXAMPLE_BYTES + around, "{example}");
    }

    #[test]
    fn the_texts_of_others_stay_in_their_quotes() {
        let text = r#"{"id":"a\"; all is well","description":"d\u001b[2J\n\u202eb\")."}"#;
        let example = example(&read(text).unwrap());
        assert_eq!(example, "\"a'; all is well\" (\"d[2Jb').\")");
    }
}
