//! `POST /v1/tasks/stream` creates the tasks of a body of any length.
//!
//! The body has a task on each line. It is cut into parts, and each part is created in the same way
//! as a batch, one after the other. The answer has a line for each part, which is written when the
//! part was created. The next part is read only then, so neither the body nor the answer is in
//! memory as a whole. The last line says how the stream has ended. If it has ended early, the line
//! names the line of the body with which another request has to continue.

use crate::context::{Call, Detached};
use crate::handlers::tasks::batch::{Given, create_many};
use crate::handlers::tasks::idempotency;
use crate::handlers::tasks::stream_answer::{Shown, Totals, end_line, part_line, unreadable};
use crate::problem::Problem;
use crate::response::Answer;
use futures::channel::mpsc;
use futures::stream::{self, LocalBoxStream};
use futures::{SinkExt, StreamExt};
use scheduler_model::bounds::{BODY_COPIES, MAX_BATCH_ITEMS, MAX_SENTENCES, MAX_TASK_BODY_BYTES};
use scheduler_model::input::{FieldError, quoted};
use scheduler_model::list_query::{Parameter, unknown_parameter};
use scheduler_model::task::parse_batch;
use scheduler_platform::{Part, PartBounds, Parts, now};
use worker::{Env, Headers};

/// The media type of the body, and of the answer.
const LINES: &str = "application/x-ndjson";

/// The most bytes of a part: an eighth of the default batch, so a stream takes an eighth of its
/// memory. With tasks of 160 bytes, a part has 6,500 of them. Smaller parts are slower, because
/// each takes a request to every shard: a part of 1,000 tasks takes twice the time per task.
const PART_BYTES: usize = 1024 * 1024;

/// The most tasks of a part: half of a batch. Only tasks of less than 105 bytes reach it. It bounds
/// the errors of a part, which take up to 848 bytes each while they are collected.
const PART_LINES: usize = MAX_BATCH_ITEMS / 2;

/// The most tasks of a part that have a schedule in words, or calendars. The schedules in words of
/// a part must not exceed the budget of a batch ([`MAX_SENTENCES`]), or the tasks beyond it would
/// be refused. The largest calendars of these tasks are 4 MB, half of what a batch may have.
const PART_COSTLY_LINES: usize = MAX_SENTENCES / 4;

/// The most such tasks of a stream. A schedule in words takes 75 microseconds of CPU time, and up
/// to a millisecond if it is long: 20 of the 30 seconds of an invocation.
const MAX_COSTLY_LINES: usize = 20 * MAX_SENTENCES;

/// A stream ends after a part with which it has refused this many tasks, as many as a batch can. So
/// its errors are few, and a body that is no list of tasks costs little.
const MAX_REJECTED: u64 = MAX_BATCH_ITEMS as u64;

const BOUNDS: PartBounds = PartBounds {
    lines: PART_LINES,
    bytes: PART_BYTES,
    line_bytes: MAX_TASK_BODY_BYTES,
    costly_lines: PART_COSTLY_LINES,
    // The last two begin the escapes of letters, with which a name may be written.
    costly: &["\"schedule\"", "\"calendars\"", "\\u006", "\\u007"],
};

/// The memory of a stream: the copies of a part, and what has arrived of the next one.
const STREAM_BYTES: usize = PART_BYTES * BODY_COPIES + PART_BYTES + 2 * MAX_TASK_BODY_BYTES;

/// The most bytes of a parameter that an error repeats.
const MAX_SHOWN_VALUE: usize = 100;

/// The query parameters.
pub(crate) const QUERY: &[&str] = &["results"];

/// A line of the answer. An error is the answer to a stream that has created nothing.
type Line = Result<String, Problem>;

/// `POST /v1/tasks/stream`.
pub(crate) async fn stream(mut call: Call<'_>) -> Result<Answer, Problem> {
    check_form(call.request.headers())?;
    let shown = call.query(parse_query)?;
    let parts = call.parts(BOUNDS, STREAM_BYTES)?;
    let (detached, env) = call.detach();
    let mut lines = lines(env, detached, parts, shown);
    // If nothing is created, the answer is that of a batch, with the status of the problem.
    let Some(first) = lines.next().await else {
        return Err(Problem::unavailable("the stream has ended without a result"));
    };
    let first = first?;
    let rest = lines.filter_map(|line| std::future::ready(line.ok()));
    Ok(Answer::stream(LINES, stream::once(std::future::ready(first)).chain(rest)))
}

/// Returns the lines of the answer. The body is read while they are.
fn lines(env: Env, call: Detached, parts: Parts, shown: Shown) -> LocalBoxStream<'static, Line> {
    let (sender, lines) = mpsc::channel(0);
    let work = async move {
        let import = Import { call: call.attach(&env), parts, shown, totals: Totals::default() };
        import.run(sender).await;
    };
    let work = stream::once(work).filter_map(|()| std::future::ready(None));
    stream::select(lines, work).boxed_local()
}

/// The state of a stream.
struct Import<'a> {
    call: Call<'a>,
    parts: Parts,
    shown: Shown,
    totals: Totals,
}

impl Import<'_> {
    /// Creates one part after the other, and sends a line for each, and a last one. Ends early if
    /// nobody reads the answer.
    async fn run(mut self, mut lines: mpsc::Sender<Line>) {
        loop {
            match self.next(&mut lines).await {
                Ok(Some(())) => continue,
                // Without a reader, nobody misses the line.
                Ok(None) => drop(lines.send(Ok(end_line(&self.totals, None))).await),
                Err(problem) if self.totals.parts == 0 => {
                    self.parts.drop_rest().await;
                    let _ = lines.send(Err(problem)).await;
                }
                Err(problem) => {
                    let _ = lines.send(Ok(end_line(&self.totals, Some(&problem)))).await;
                    self.parts.drop_rest().await;
                }
            }
            return;
        }
    }

    /// Creates the next part. Returns `None` after the last one.
    async fn next(&mut self, lines: &mut mpsc::Sender<Line>) -> Result<Option<()>, Problem> {
        let Some(part) = self.parts.next().await? else {
            self.totals.lines = self.parts.lines_read();
            return Ok(None);
        };
        self.check_budget(&part)?;
        if self.totals.parts == 0 && part.text.trim_ascii_start().starts_with('[') {
            let detail = "is a JSON array; send one task per line, or send the array to POST /v1/tasks/batch";
            return Err(Problem::invalid(FieldError::new("body", detail)));
        }
        self.call.renew(now());
        let given = || given_in(&part);
        let tasks = given()?;
        let once = idempotency::key_of_part(&self.call, self.totals.parts, &part.text)?;
        if part.costly_lines > 0 {
            // The registry is asked for the calendars.
            self.call.shards.spend(1);
        }
        let mut outcome = create_many(&self.call, once.as_ref(), tasks, given).await?;
        let not_moved = outcome.not_moved.take();
        let failed = outcome.parts.iter().filter_map(|(_, reply)| reply.as_ref().err());
        let failed: Vec<&Problem> = failed.collect();
        let problem = failed.first().map(|problem| (*problem).clone());
        match problem {
            // Nothing of the part was created, so the stream may continue with its first line.
            Some(problem) if failed.len() == outcome.parts.len() => Err(problem),
            problem => {
                let line = part_line(&part.lines, &outcome, self.shown, &mut self.totals);
                self.totals.costly_lines += part.costly_lines;
                drop(outcome);
                drop(part);
                if lines.send(Ok(line)).await.is_err() {
                    return Ok(None);
                }
                problem.or(not_moved).map_or(Ok(Some(())), Err)
            }
        }
    }

    /// Checks that this invocation may create a further part.
    fn check_budget(&self, part: &Part) -> Result<(), Problem> {
        let Totals { parts, rejected, costly_lines, .. } = self.totals;
        let why = if parts == 0 {
            return Ok(());
        } else if !self.call.shards.may_create(part.lines.len()) {
            "this request has made as many requests to shards as SUBREQUESTS allows".to_owned()
        } else if costly_lines + part.costly_lines > MAX_COSTLY_LINES {
            format!(
                "one request may create {MAX_COSTLY_LINES} tasks with a schedule in words or calendars, and more follow"
            )
        } else if rejected >= MAX_REJECTED {
            format!("{rejected} tasks were refused, and a request ends after {MAX_REJECTED}")
        } else {
            return Ok(());
        };
        Err(Problem::too_long_stream(&why))
    }
}

/// Reads the tasks of a part.
fn given_in(part: &Part) -> Result<Given<'_>, Problem> {
    let mut read = if part.text.is_empty() {
        Vec::new()
    } else {
        parse_batch(&part.text, true).map_err(Problem::invalid)?
    }
    .into_iter();
    let mut given = Vec::with_capacity(part.lines.len());
    for line in &part.lines {
        given.push(match line.unreadable {
            Some(why) => Err(unreadable(why)),
            None => read.next().unwrap_or_else(|| Err(FieldError::new("body", "is not read"))),
        });
    }
    Ok(given)
}

/// Checks that the headers describe a body of lines.
fn check_form(headers: &Headers) -> Result<(), Problem> {
    let given = |name| headers.get(name).ok().flatten().unwrap_or_default();
    let (kind, coding) = (given("content-type"), given("content-encoding"));
    if !is_lines(&kind) {
        let wanted = format!("send one task per line as {LINES}");
        return Err(Problem::media_type("Content-Type", &kind, &wanted));
    }
    if !coding.is_empty() && !coding.eq_ignore_ascii_case("identity") {
        return Err(Problem::media_type("Content-Encoding", &coding, "send the body without it"));
    }
    Ok(())
}

/// Returns whether a `Content-Type` is that of lines, without or with parameters.
fn is_lines(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case(LINES) || kind.eq_ignore_ascii_case("application/ndjson")
}

fn parse_query(parameters: &mut dyn Iterator<Item = Parameter<'_>>) -> Result<Shown, FieldError> {
    let mut shown = Shown::Refused;
    for parameter in parameters {
        let (name, value) = parameter?;
        match name.as_ref() {
            "results" => {
                shown = match value.as_ref() {
                    "all" => Shown::All,
                    "refused" => Shown::Refused,
                    other => {
                        let other = quoted(other, MAX_SHOWN_VALUE);
                        let detail = format!("is {other}; must be all or refused");
                        return Err(FieldError::new("results", detail));
                    }
                }
            }
            other => return Err(unknown_parameter(other, QUERY)),
        }
    }
    Ok(shown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use scheduler_model::list_query::each_once;
    use scheduler_platform::{Line, Unreadable};

    #[test]
    fn only_bodies_of_lines_are_accepted() {
        for kind in [
            LINES,
            "application/x-ndjson; charset=utf-8",
            "Application/NDJSON",
            " application/x-ndjson ;a",
        ] {
            assert!(is_lines(kind), "{kind}");
        }
        for kind in [
            "",
            "application/json",
            "text/plain",
            "application/x-ndjson2",
            "application/json; application/x-ndjson",
        ] {
            assert!(!is_lines(kind), "{kind}");
        }
    }

    #[test]
    fn the_query_says_which_results_are_shown() {
        let parsed = |query: &[(&str, &str)]| {
            parse_query(&mut each_once(
                query.iter().map(|(name, value)| ((*name).into(), (*value).into())),
            ))
        };
        assert_eq!(parsed(&[]), Ok(Shown::Refused));
        assert_eq!(parsed(&[("results", "refused")]), Ok(Shown::Refused));
        assert_eq!(parsed(&[("results", "all")]), Ok(Shown::All));
        for (name, value) in [("results", "none"), ("results", ""), ("result", "all")] {
            assert_eq!(parsed(&[(name, value)]).unwrap_err().field, name);
        }
    }

    #[test]
    fn the_tasks_of_a_part_are_in_the_order_of_its_lines() {
        let lines = [None, Some(Unreadable::TooLong), None, Some(Unreadable::NotUtf8)];
        let lines = (3..).zip(lines).map(|(number, unreadable)| Line { number, unreadable });
        let text = "{\"id\":\"a\"}\n{\"ib\":1}\n".to_owned();
        let part = Part { text, lines: lines.collect(), costly_lines: 0 };
        let given = given_in(&part).unwrap();
        assert_eq!(given.len(), 4);
        assert_eq!(given[0].as_ref().unwrap().id(), Some("a"));
        let fields: Vec<_> = given.iter().filter_map(|task| task.as_ref().err()).collect();
        assert_eq!(
            fields.iter().map(|error| error.field.as_ref()).collect::<Vec<_>>(),
            ["body", "ib", "body"]
        );
        assert!(fields[0].detail.contains("262144 bytes"), "{}", fields[0]);
        // A part may have no line that can be read.
        let lines = vec![Line { number: 1, unreadable: Some(Unreadable::NotUtf8) }];
        assert_eq!(given_in(&Part { lines, ..Part::default() }).unwrap().len(), 1);
    }

    /// A part never exceeds what one batch may have.
    #[test]
    fn a_part_is_a_batch() {
        const { assert!(PART_LINES <= MAX_BATCH_ITEMS && PART_COSTLY_LINES <= MAX_SENTENCES) };
        const { assert!(PART_BYTES > MAX_TASK_BODY_BYTES) };
    }
}
