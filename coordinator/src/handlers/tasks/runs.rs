//! The history of a task.

use crate::context::Call;
use crate::cursors::{List, ListName, parse_with_name};
use crate::problem::Problem;
use crate::response::Answer;
use scheduler_model::bounds::{DEFAULT_LIST_LIMIT, MAX_HISTORY_ROWS, MAX_HISTORY_ROWS_SCANNED};
use scheduler_model::ids::{IdError, check_task_id};
use scheduler_model::input::FieldError;
use scheduler_model::list_query::{Parameter, parse_limit, unknown_parameter};
use scheduler_model::listing::share_of_page;
use scheduler_model::protocol::{Looked, RunPosition, RunsReply, RunsRequest, paths};
use scheduler_model::routing::ShardId;
use scheduler_model::runs::{RunsCursor, merge};

/// The most rounds of a request on one shard: enough for all of its rows, and for some that are
/// written meanwhile.
const MAX_ROUNDS: usize = MAX_HISTORY_ROWS / MAX_HISTORY_ROWS_SCANNED + 2;

/// `GET /v1/tasks/{id}/runs` answers with the attempts at the task, newest first, even if the task
/// is gone.
pub(crate) async fn runs(call: Call<'_>, id: String) -> Result<Answer, Problem> {
    let long = |problem: IdError| Problem::invalid(FieldError::new("id", problem.to_string()));
    check_task_id(&id).map_err(long)?;
    let homes: Vec<ShardId> = call.shards.map.homes(&id).collect();
    let ((limit, cursor), given) = call.query(|parameters| {
        parse_with_name(parameters, |parameters| parse_query(parameters, &homes))
    })?;
    let name = ListName::new(List::RunsOfTask, call.shards.namespace(), &id);
    name.check(given)?;
    let share = share_of_page(homes.len());
    let asked = homes.iter().copied().zip(cursor.positions().iter().copied());
    let (call, id) = (&call, &id);
    let replies = call
        .shards
        .each(asked, |(shard, before)| async move {
            match before {
                Some(before) => of_shard(call, shard, id, before, limit, share).await.map(Some),
                None => Ok(None),
            }
        })
        .await;
    let page = merge(&cursor, replies.into_iter().collect::<Result<_, _>>()?, limit);
    let mut out = b"{\"runs\":[".to_vec();
    for (at, item) in page.items.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        out.extend_from_slice(item.run.get().as_bytes());
    }
    let next = page.next.map_or_else(
        || "null".to_owned(),
        |next| format!("\"{}\"", name.cursor(next.text(&homes))),
    );
    out.extend_from_slice(format!("],\"cursor\":{next}}}").as_bytes());
    Ok(Answer::json(200, out))
}

/// Returns the requested number of attempts, or as many as fit `share` bytes, or all. A shard
/// searches a part of its rows at a time.
async fn of_shard(
    call: &Call<'_>,
    shard: ShardId,
    id: &str,
    before: RunPosition,
    limit: usize,
    share: usize,
) -> Result<RunsReply, Problem> {
    let mut request = RunsRequest::of_task(id, Some(before), limit);
    let mut all = RunsReply { items: Vec::new(), looked: Looked::default() };
    let mut bytes = 0;
    for _ in 0..MAX_ROUNDS {
        request.limit = limit.saturating_sub(all.items.len());
        request.max_bytes = share.saturating_sub(bytes);
        let mut reply: RunsReply = call.shards.ask(shard, paths::RUNS, &request).await?;
        bytes += reply.items.iter().map(|item| item.run.get().len()).sum::<usize>();
        all.items.append(&mut reply.items);
        let start = all.looked.start.or(reply.looked.start);
        all.looked = Looked { start, ..reply.looked };
        request.before = reply.looked.next;
        if request.before.is_none() || all.items.len() >= limit || bytes >= share {
            break;
        }
    }
    Ok(all)
}

/// The query parameters.
pub(crate) const QUERY: &[&str] = &["limit", "cursor"];

fn parse_query(
    parameters: &mut dyn Iterator<Item = Parameter<'_>>,
    homes: &[ShardId],
) -> Result<(usize, RunsCursor), FieldError> {
    let (mut limit, mut cursor) = (DEFAULT_LIST_LIMIT, RunsCursor::start(homes.len()));
    for parameter in parameters {
        let (name, value) = parameter?;
        let value = value.as_ref();
        match name.as_ref() {
            "cursor" => {
                cursor = RunsCursor::parse(value, homes)
                    .map_err(|problem| FieldError::new("cursor", problem.to_string()))?;
            }
            "limit" => limit = parse_limit(value)?,
            other => return Err(unknown_parameter(other, QUERY)),
        }
    }
    Ok((limit, cursor))
}

#[cfg(test)]
mod tests {
    use super::*;
    use scheduler_model::list_query::each_once;

    const HOMES: [ShardId; 1] = [ShardId { epoch: 1, index: 0 }];

    #[test]
    fn limit_and_cursor_are_read_and_what_is_bad_is_named() {
        let parsed = |query: &[(&str, &str)]| {
            parse_query(
                &mut each_once(query.iter().map(|(name, value)| ((*name).into(), (*value).into()))),
                &HOMES,
            )
        };
        assert_eq!(parsed(&[]), Ok((DEFAULT_LIST_LIMIT, RunsCursor::start(1))));
        let start = RunsCursor::start(1);
        let given = parsed(&[("limit", "7"), ("cursor", &start.text(&HOMES))]);
        assert_eq!(given, Ok((7, start)));
        for (name, value, field) in [
            ("limit", "0", "limit"),
            ("limit", "1001", "limit"),
            ("cursor", "x", "cursor"),
            ("cursor", &RunsCursor::start(2).text(&HOMES), "cursor"),
            ("tag", "x", "tag"),
        ] {
            assert_eq!(parsed(&[(name, value)]).unwrap_err().field, field);
        }
        assert_eq!(parsed(&[("limit", "7"), ("limit", "7")]).unwrap_err().field, "limit");
    }
}
