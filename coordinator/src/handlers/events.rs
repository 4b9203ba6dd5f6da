//! `GET /v1/events` streams events as server-sent events.
//!
//! The coordinator polls each shard, and a shard without news holds the request for a while. The
//! reader pulls the stream, so nothing is polled while the reader does not read. If it missed
//! events, it gets a `gap`. One answer is bounded in time and in requests. After that, the reader
//! reconnects with the last cursor.

use crate::auth::token_of;
use crate::bodies::Held;
use crate::clients::shards::Shards;
use crate::context::Call;
use crate::problem::Problem;
use crate::request_id;
use crate::response::Answer;
use futures::StreamExt;
use futures::stream::{self, LocalBoxStream};
use scheduler_calendar::time::UnixMillis;
use scheduler_model::bounds::{
    LEAST_EVENTS_BYTES, MAX_EVENTS_AT_ONCE, MAX_EVENTS_BYTES, MAX_EVENTS_WAIT_MILLIS, MAX_ID_BYTES,
    MAX_TAG_BYTES,
};
use scheduler_model::events::{EventsCursor, write_cursor, write_events, write_gap};
use scheduler_model::input::FieldError;
use scheduler_model::list_query::{Parameter, one_of, unknown_parameter};
use scheduler_model::protocol::{EventKind, EventsReply, EventsRequest, paths};
use scheduler_model::routing::{ShardId, id_hash};
use scheduler_platform::{now, random_bytes, sleep};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

/// The longest answer: ten minutes, in milliseconds.
const MAX_MILLIS: i64 = 600_000;

/// The wait before a shard without further news is polled again, so that events arrive in groups.
const PAUSE: Duration = Duration::from_millis(1_000);

/// The wait after which a disconnected reader reconnects, in milliseconds.
const COME_BACK_MILLIS: u32 = 1_000;

/// The events that a reader wants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Wanted {
    id: Option<String>,
    tag: Option<String>,
    kind: Option<EventKind>,
}

/// The state that the requests for one answer share.
struct Watch {
    shards: Shards,
    ids: Vec<ShardId>,
    wanted: Wanted,
    key: u64,
    /// The number that identifies this reader to the shards.
    reader: u64,
    cursor: RefCell<EventsCursor>,
    questions: Cell<u32>,
    /// The memory of this answer: the shards' replies to it, as long as it lasts.
    _held: Held,
    end: UnixMillis,
}

/// The news of a shard.
#[derive(Default)]
struct News {
    /// The events as server-sent events.
    text: String,
    /// Whether the shard already has more.
    has_more: bool,
}

/// `GET /v1/events` begins a stream.
pub(crate) async fn events(call: Call<'_>) -> Result<Answer, Problem> {
    let wanted = call.query(parse_query)?;
    let last =
        call.request.headers().get("last-event-id").ok().flatten().filter(|last| !last.is_empty());
    let authorization = call.request.headers().get("authorization").ok().flatten();
    let ids: Vec<ShardId> = match &wanted.id {
        Some(id) => call.shards.map.homes(id).collect(),
        None => call.shards.map.all().collect(),
    };
    let mut first = format!("retry: {COME_BACK_MILLIS}\n\n");
    let known = last.as_deref().map(|last| EventsCursor::parse(last, &ids));
    if known == Some(None) {
        write_gap("cursor", call.now, &mut first);
    }
    let cursor = known.flatten().unwrap_or_else(|| EventsCursor::start(ids.len()));
    let random = random_bytes().map_err(|problem| Problem::unavailable(problem.to_string()))?;
    // If the reader does not read, one reply of each shard waits in memory.
    let held = Held::answer(
        call.shards.namespace(),
        MAX_EVENTS_BYTES.max(ids.len() * LEAST_EVENTS_BYTES),
        call.env,
    )?;
    // The other fifth is for retries.
    let questions = call.shards.left() / 5 * 4;
    let watch = Watch {
        shards: call.shards,
        ids,
        wanted,
        key: id_hash(authorization.as_deref().and_then(token_of).unwrap_or_default()),
        reader: u128::from_le_bytes(random) as u64,
        cursor: RefCell::new(cursor),
        questions: Cell::new(questions),
        _held: held,
        end: call.now.plus(MAX_MILLIS),
    };
    // Every shard replies before the answer begins, so that no event after its beginning is missed.
    let asked: Vec<_> = (0..watch.ids.len()).collect();
    for reply in watch.shards.each(asked, |at| watch.ask(at, 0)).await {
        first.push_str(&reply?.text);
    }
    write_cursor(&watch.cursor.borrow(), &watch.ids, &mut first);
    let (count, watch) = (watch.ids.len(), Rc::new(watch));
    let each = (0..count).map(|at| watch.clone().follow(at));
    let stream = stream::once(async { first }).chain(stream::select_all(each));
    Ok(Answer::stream("text/event-stream", stream))
}

impl Watch {
    /// Asks one shard, which may let the request wait, and returns its news.
    async fn ask(&self, at: usize, wait_millis: u32) -> Result<News, Problem> {
        let Some(shard) = self.ids.get(at).copied() else { return Ok(News::default()) };
        self.questions.set(self.questions.get().saturating_sub(1));
        let Wanted { id, tag, kind } = self.wanted.clone();
        let from = self.cursor.borrow().position(at);
        let max_bytes = (MAX_EVENTS_BYTES / self.ids.len().max(1)).max(LEAST_EVENTS_BYTES);
        let (limit, key, reader) = (MAX_EVENTS_AT_ONCE, self.key, self.reader);
        let request =
            EventsRequest { from, id, tag, kind, limit, max_bytes, wait_millis, key, reader };
        let reply: EventsReply = self.shards.ask(shard, paths::EVENTS, &request).await?;
        self.cursor.borrow_mut().advance(at, reply.next);
        let mut text = String::new();
        write_events(shard, &reply, now(), &mut text);
        Ok(News { text, has_more: reply.has_more })
    }

    /// Follows one shard until the end of the answer.
    fn follow(self: Rc<Self>, at: usize) -> LocalBoxStream<'static, String> {
        stream::unfold((self, false), move |(watch, pauses)| async move {
            if pauses {
                sleep(PAUSE).await;
            }
            if watch.questions.get() == 0 || now() >= watch.end {
                return None;
            }
            let News { mut text, has_more } = match watch.ask(at, MAX_EVENTS_WAIT_MILLIS).await {
                Ok(news) => news,
                Err(problem) => {
                    // The next request continues from the same place. If the shard has lost events,
                    // it reports a gap.
                    request_id::log(format_args!("events: {}", problem.detail));
                    let wait = problem.retry_after().unwrap_or(PAUSE);
                    sleep(wait).await;
                    News::default()
                }
            };
            let had_news = !text.is_empty();
            if had_news {
                write_cursor(&watch.cursor.borrow(), &watch.ids, &mut text);
            } else {
                // This is a comment. It keeps the connection open, and shows whether the reader has
                // disconnected.
                text.push_str(":\n\n");
            }
            Some((text, (watch, had_news && !has_more)))
        })
        .boxed_local()
    }
}

/// The query parameters.
pub(crate) const QUERY: &[&str] = &["id", "tag", "type"];

fn parse_query(parameters: &mut dyn Iterator<Item = Parameter<'_>>) -> Result<Wanted, FieldError> {
    let mut wanted = Wanted::default();
    for parameter in parameters {
        let (name, value) = parameter?;
        let value = value.as_ref();
        match name.as_ref() {
            "id" => wanted.id = Some(text_of("id", value, MAX_ID_BYTES)?),
            "tag" => wanted.tag = Some(text_of("tag", value, MAX_TAG_BYTES)?),
            "type" => {
                wanted.kind = Some(one_of("type", value)?);
            }
            other => return Err(unknown_parameter(other, QUERY)),
        }
    }
    Ok(wanted)
}

/// Returns `value` if it is not empty and at most `most` bytes long. The texts that it is compared
/// with have the same bounds.
fn text_of(field: &'static str, value: &str, most: usize) -> Result<String, FieldError> {
    if value.len() > most {
        return Err(FieldError::new(
            field,
            format!("is {} bytes long; the limit is {most}", value.len()),
        ));
    }
    if value.is_empty() {
        return Err(FieldError::new(field, "is empty; omit it to mean all"));
    }
    Ok(value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use scheduler_model::list_query::each_once;

    #[test]
    fn parameters_are_parsed_and_invalid_ones_are_named() {
        let parsed = |query: &[(&str, &str)]| {
            parse_query(&mut each_once(
                query.iter().map(|(name, value)| ((*name).into(), (*value).into())),
            ))
        };
        let wanted = Wanted {
            id: Some("a".into()),
            tag: Some("b".into()),
            kind: Some(EventKind::DeadLettered),
        };
        assert_eq!(parsed(&[("id", "a"), ("tag", "b"), ("type", "dead-lettered")]), Ok(wanted));
        let long = "a".repeat(MAX_ID_BYTES + 1);
        for (name, value, field) in [
            ("type", "gone", "type"),
            ("ids", "a", "ids"),
            ("id", "", "id"),
            ("tag", "", "tag"),
            ("id", &long, "id"),
            ("tag", &long[..MAX_TAG_BYTES + 1], "tag"),
        ] {
            assert_eq!(parsed(&[(name, value)]).unwrap_err().field, field);
        }
        for (name, value) in [("id", &long[1..]), ("tag", &long[..MAX_TAG_BYTES])] {
            assert!(parsed(&[(name, value)]).is_ok());
            assert_eq!(parsed(&[(name, "a"), (name, value)]).unwrap_err().field, name);
        }
        let problem = parsed(&[("type", "gone")]).unwrap_err();
        assert!(
            problem.detail.contains("unknown value `gone`, expected one of `created`"),
            "{problem}"
        );
    }
}
