//! Lists the runs of all tasks.

use crate::context::Call;
use crate::cursors::{List, ListName, parse_with_name};
use crate::problem::Problem;
use crate::response::Answer;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::bounds::MAX_HISTORY_ROWS_AT_ONCE;
use scheduler_model::listing::share_of_page;
use scheduler_model::protocol::{GroupsReply, RunItem, RunsReply, RunsRequest, paths};
use scheduler_model::routing::ShardId;
use scheduler_model::runs::{Group, RunsCursor, RunsQuery, merge, merge_groups, parse_runs_query};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// A page of runs, or of groups of runs.
#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct Page {
    #[serde(skip_serializing_if = "Option::is_none")]
    runs: Option<Vec<Box<RawValue>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    groups: Option<Vec<ShownGroup>>,
    attempts: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    looked_back_to: Option<i64>,
    cursor: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownGroup {
    error: String,
    count: u64,
    first_at: i64,
    last_at: i64,
    example: Box<RawValue>,
}

impl From<Group> for ShownGroup {
    fn from(group: Group) -> Self {
        Self {
            error: group.pattern,
            count: group.count,
            first_at: group.first.get(),
            last_at: group.last.get(),
            example: group.example,
        }
    }
}

/// `GET /v1/runs` answers with a page of the attempts of all tasks, newest first, or of groups of
/// attempts that failed with similar errors.
pub(crate) async fn runs(call: Call<'_>) -> Result<Answer, Problem> {
    let shards: Vec<ShardId> = call.shards.map.all().collect();
    let (RunsQuery { filter, groups, limit, cursor }, given) =
        call.query_of_list(|parameters| {
            parse_with_name(parameters, |parameters| parse_runs_query(parameters, &shards))
        })?;
    let list = if groups.is_some() { List::RunsByError } else { List::Runs };
    let name = ListName::new(list, call.shards.namespace(), &filter);
    name.check(given)?;
    let request = RunsRequest {
        max_bytes: share_of_page(shards.len()),
        max_rows: MAX_HISTORY_ROWS_AT_ONCE,
        ..RunsRequest::of_all(filter, limit)
    };
    let text = |next: Option<RunsCursor>| next.map(|next| name.cursor(next.text(&shards)));
    let page = if let Some(order) = groups {
        let replies = ask::<GroupsReply>(&call, &shards, &cursor, paths::ERRORS, &request).await?;
        let page = merge_groups(&cursor, replies, order);
        Page {
            groups: Some(page.groups.into_iter().map(ShownGroup::from).collect()),
            attempts: page.attempts,
            looked_back_to: page.back_to.map(UnixMillis::get),
            cursor: text(page.next),
            ..Page::default()
        }
    } else {
        let replies = ask::<RunsReply>(&call, &shards, &cursor, paths::RUNS, &request).await?;
        let page = merge(&cursor, replies, limit);
        Page {
            runs: Some(page.items.into_iter().map(|RunItem { run, .. }| run).collect()),
            attempts: page.attempts,
            looked_back_to: page.back_to.map(UnixMillis::get),
            cursor: text(page.next),
            ..Page::default()
        }
    };
    Ok(Answer::of(200, &page))
}

/// Asks each shard that the cursor continues with, and returns an answer for each of `shards`.
async fn ask<R: DeserializeOwned>(
    call: &Call<'_>,
    shards: &[ShardId],
    cursor: &RunsCursor,
    path: &str,
    request: &RunsRequest,
) -> Result<Vec<Option<R>>, Problem> {
    let asked = shards.iter().copied().zip(cursor.positions().iter().copied());
    let replies = call.shards.each(asked, |(shard, before)| async move {
        match before {
            Some(_) => {
                let request = RunsRequest { before, ..request.clone() };
                call.shards.ask::<_, R>(shard, path, &request).await.map(Some)
            }
            None => Ok(None),
        }
    });
    replies.await.into_iter().collect()
}
