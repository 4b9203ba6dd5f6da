//! Lists of tasks.

use crate::clients::shards::Shards;
use crate::context::Call;
use crate::problem::Problem;
use crate::response::Answer;
use scheduler_model::list_query::{ListQuery, parse_list_query};
use scheduler_model::listing::{Page, share_of_page, write_item};
use scheduler_model::protocol::{ListReply, ListRequest, paths};

/// `GET /v1/tasks`: one page of the tasks of all shards, in the order of the list.
pub(crate) async fn list(call: Call<'_>) -> Result<Answer, Problem> {
    let query = call.query_of_list(parse_list_query)?;
    let page = page_of(&call.shards, paths::LIST, query).await?;
    Ok(shown_list(&call, "tasks", page))
}

/// Returns a page of the list that all shards give at this path.
pub(crate) async fn page_of(
    shards: &Shards,
    path: &str,
    ListQuery { filter, limit, cursor }: ListQuery,
) -> Result<Page, Problem> {
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
    Ok(page)
}

/// Returns the answer with a page of tasks as the member `name`.
pub(crate) fn shown_list(call: &Call<'_>, name: &str, page: Page) -> Answer {
    let total = page.total();
    let (items, next) = page.finish();
    let mut out = format!("{{\"{name}\":[").into_bytes();
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write_item(item, &call.visible(item.record.get()), &mut out);
    }
    let next = next.map_or_else(|| "null".to_owned(), |next| format!("\"{next}\""));
    let total = total.map(|total| format!(",\"total\":{total}")).unwrap_or_default();
    out.extend_from_slice(format!("],\"cursor\":{next}{total}}}").as_bytes());
    Answer::json(200, out)
}
