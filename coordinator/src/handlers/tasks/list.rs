//! Lists of tasks.

use crate::clients::shards::Shards;
use crate::context::Call;
use crate::cursors::{ListName, parse_with_name};
use crate::problem::Problem;
use crate::response::Answer;
use scheduler_model::list_query::{ListQuery, parse_list_query};
use scheduler_model::listing::{Finished, Order, Page, share_of_page, share_of_search, write_item};
use scheduler_model::protocol::{ListReply, ListRequest};

/// `GET /v1/tasks` answers with one page of the tasks of all shards, in the order of the list.
pub(crate) async fn list(call: Call<'_>) -> Result<Answer, Problem> {
    let (query, given) =
        call.query_of_list(|parameters| parse_with_name(parameters, parse_list_query))?;
    let order = query.order;
    let name = ListName::new(order.into(), call.shards.namespace(), &query.filter);
    name.check(given)?;
    let page = page_of(&call.shards, query).await?;
    Ok(shown_list(&call, "tasks", order, name, page))
}

/// Returns a page of the list of all shards.
pub(crate) async fn page_of(
    shards: &Shards,
    ListQuery { filter, limit, cursor, order }: ListQuery,
) -> Result<Finished, Problem> {
    let (filter, path) = (&filter, order.path());
    let sources = shards.map.all().count();
    let (max_bytes, max_read) = (Some(share_of_page(sources)), Some(share_of_search(sources)));
    let mut page = Page::new(limit);
    let ask = |shard| async move {
        let after = cursor.map(|cursor| cursor.after(shard));
        let request = ListRequest { filter: filter.clone(), after, limit, max_bytes, max_read };
        let reply: ListReply = shards.ask(shard, path, &request).await?;
        Ok((shard, reply))
    };
    shards.each_into(shards.map.all(), ask, |(shard, reply)| page.add(shard, reply)).await?;
    Ok(page.finish())
}

/// Returns the answer with a page of tasks as the member `member`. The cursor has the name `list`.
pub(crate) fn shown_list(
    call: &Call<'_>,
    member: &str,
    order: Order,
    list: ListName,
    page: Finished,
) -> Answer {
    let Finished { items, next, total, searched } = page;
    let mut out = format!("{{\"{member}\":[").into_bytes();
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write_item(item, &call.visible(item.record.get()), &mut out);
    }
    let until = next.as_ref().and_then(|next| order.time_at(next));
    let until = until.map(|until| format!(",\"until\":{until}")).unwrap_or_default();
    let next = next.map_or_else(|| "null".to_owned(), |next| format!("\"{}\"", list.cursor(next)));
    let total = total.map(|total| format!(",\"total\":{total}")).unwrap_or_default();
    let rest =
        format!("],\"cursor\":{next},\"searched\":{{\"records\":{searched}{until}}}{total}}}");
    out.extend_from_slice(rest.as_bytes());
    Answer::json(200, out)
}
