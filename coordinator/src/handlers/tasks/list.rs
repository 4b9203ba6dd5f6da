//! Lists of tasks.

use crate::clients::shards::Shards;
use crate::context::Call;
use crate::problem::Problem;
use crate::response::Answer;
use scheduler_model::list_query::{ListQuery, parse_list_query};
use scheduler_model::listing::{Cursor, Page, share_of_page, write_task};
use scheduler_model::protocol::{ListItem, ListReply, ListRequest, paths};

/// The parameters of its query, which the model reads.
#[cfg(test)]
pub(crate) const QUERY: &[&str] =
    &["prefix", "text", "tag", "kind", "status", "from", "to", "limit", "cursor"];

/// `GET /v1/tasks`: one page of the tasks of all shards, in order of due time.
pub(crate) async fn list(call: Call<'_>) -> Result<Answer, Problem> {
    let query = call.query(parse_list_query)?;
    let (items, next) = page_of(&call.shards, paths::LIST, query).await?;
    Ok(shown_list(&call, "tasks", &items, next))
}

/// Returns a page of the list that all shards give at this path, and the cursor of the next page.
pub(crate) async fn page_of(
    shards: &Shards,
    path: &str,
    ListQuery { filter, limit, cursor }: ListQuery,
) -> Result<(Vec<ListItem>, Option<Cursor>), Problem> {
    let filter = &filter;
    let max_bytes = Some(share_of_page(shards.map.all().count()));
    let mut page = Page::new(limit);
    let ask = |shard| async move {
        let after = cursor.map(|cursor| cursor.after(shard));
        let request = ListRequest { filter: filter.clone(), after, limit, max_bytes };
        let reply: ListReply = shards.ask(shard, path, &request).await?;
        Ok((shard, reply))
    };
    shards.each_into(shards.map.all(), ask, |(shard, reply)| page.add(shard, reply)).await?;
    Ok(page.finish())
}

/// Returns the answer with a page of tasks as the member `name`.
pub(crate) fn shown_list(
    call: &Call<'_>,
    name: &str,
    items: &[ListItem],
    next: Option<Cursor>,
) -> Answer {
    let mut out = format!("{{\"{name}\":[").into_bytes();
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        let record = call.visible(item.record.get());
        write_task(item.status, item.position.due, &record, &mut out);
    }
    let next = next.map_or_else(|| "null".to_owned(), |next| format!("\"{next}\""));
    out.extend_from_slice(format!("],\"cursor\":{next}}}").as_bytes());
    Answer::json(200, out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use scheduler_model::list_query::each_once;

    #[test]
    fn the_model_reads_the_parameters_that_the_route_has() {
        let pairs = [("unknown".into(), "".into())];
        let problem = parse_list_query(&mut each_once(pairs.into_iter())).unwrap_err();
        assert!(problem.detail.ends_with(&format!("there are: {}", QUERY.join(", "))), "{problem}");
    }
}
