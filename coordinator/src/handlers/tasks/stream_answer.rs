//! The answer to a stream of tasks: a line for each part, and a last one.

use crate::handlers::tasks::batch::Outcome;
use crate::handlers::tasks::batch_answer::{failed_items, left_to_explain, write_refused};
use crate::problem::Problem;
use scheduler_model::batch::write_taken;
use scheduler_model::bounds::MAX_TASK_BODY_BYTES;
use scheduler_model::input::FieldError;
use scheduler_platform::{Line, Unreadable};
use serde::Serialize;

/// The lines whose results an answer shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// Those of refused tasks.
    Refused,
    /// All lines, with the ids of the tasks.
    All,
}

/// What a stream has done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(super) struct Totals {
    /// The number of the last line that was processed.
    pub(super) lines: u64,
    accepted: u64,
    replaced: u64,
    pub(super) rejected: u64,
    #[serde(skip)]
    pub(super) parts: u64,
    #[serde(skip)]
    pub(super) costly_lines: usize,
}

/// Returns the error of a line that cannot be read.
pub(super) fn unreadable(why: Unreadable) -> FieldError {
    let detail = match why {
        Unreadable::TooLong => {
            format!("is longer than {MAX_TASK_BODY_BYTES} bytes, which is the limit of a line")
        }
        Unreadable::NotUtf8 => "is not UTF-8".to_owned(),
    };
    FieldError::new("body", detail)
}

/// Returns the line for a part, and adds the part to the totals. `lines` are the lines of its
/// items.
pub(super) fn part_line(
    lines: &[Line],
    outcome: &Outcome<'_>,
    shown: Shown,
    totals: &mut Totals,
) -> String {
    let Outcome { items, duplicates, parts, .. } = outcome;
    let refusals = parts.iter().map(|(part, reply)| (part.as_slice(), reply.as_ref().err()));
    let failed = failed_items(items.len(), refusals);
    let is_accepted = |at: usize| {
        items.get(at).is_some_and(Result::is_ok) && failed.get(at).is_some_and(Option::is_none)
    };
    let accepted = (0..items.len()).filter(|at| is_accepted(*at)).count();
    let rejected = items.len() - accepted;
    let stored = parts.iter().filter_map(|(_, reply)| reply.as_ref().ok());
    let replaced = stored.map(|reply| reply.replaced).sum::<u64>()
        + outcome.moved
        + duplicates.iter().filter(|(later, _)| is_accepted(*later as usize)).count() as u64;
    let [first, last] = [lines.first(), lines.last()].map(|of| of.map_or(0, |line| line.number));
    totals.lines = last;
    totals.parts += 1;
    totals.accepted += accepted as u64;
    totals.replaced += replaced;
    totals.rejected += rejected as u64;
    let replayed = if outcome.is_replay { ",\"replayed\":true" } else { "" };
    let mut out = format!(
        "{{\"firstLine\":{first},\"lastLine\":{last},\"accepted\":{accepted},\"replaced\":{replaced},\"rejected\":{rejected}{replayed},\"results\":["
    )
    .into_bytes();
    let mut left = left_to_explain(rejected);
    let mut duplicates = duplicates.iter().peekable();
    let mut is_first = true;
    for (at, ((item, failed), line)) in items.iter().zip(&failed).zip(lines).enumerate() {
        let duplicate = duplicates.next_if(|(later, _)| *later as usize == at);
        let taken = if failed.is_none() { item.as_ref().ok() } else { None };
        if taken.is_some() && shown == Shown::Refused {
            continue;
        }
        if !is_first {
            out.push(b',');
        }
        is_first = false;
        match taken {
            Some(id) => {
                let earlier = duplicate.and_then(|(_, earlier)| lines.get(*earlier as usize));
                let start = out.len() + 1;
                write_taken(id, earlier.and_then(|line| u32::try_from(line.number).ok()), &mut out);
                let number = format!("\"line\":{},", line.number);
                out.splice(start..start, number.into_bytes());
            }
            None => write_refused(item, *failed, Some(line.number), &mut left, &mut out),
        }
    }
    out.extend_from_slice(b"]}\n");
    // Everything that was written is UTF-8.
    String::from_utf8(out).unwrap_or_default()
}

/// The last line of an answer.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct End<'a> {
    done: bool,
    #[serde(flatten)]
    totals: &'a Totals,
    #[serde(flatten)]
    problem: Option<&'a Problem>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_seconds: Option<u32>,
    /// The first line whose task was not created.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_line: Option<u64>,
}

/// Returns the last line. `problem` is why the stream has ended before the end of the body.
pub(super) fn end_line(totals: &Totals, problem: Option<&Problem>) -> String {
    let end = End {
        done: problem.is_none(),
        totals,
        problem,
        retry_after_seconds: problem.and_then(|problem| problem.retry_after_seconds),
        next_line: problem.map(|_| totals.lines + 1),
    };
    // It has texts and numbers only, so writing it as JSON does not fail.
    let mut line = serde_json::to_string(&end).unwrap_or_default();
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use scheduler_model::ids::TaskId;
    use scheduler_model::protocol::AppendReply;
    use serde_json::{Value, json};

    fn lines(numbers: &[u64]) -> Vec<Line> {
        numbers.iter().map(|number| Line { number: *number, unreadable: None }).collect()
    }

    fn id(text: &str) -> Result<TaskId<'_>, FieldError> {
        Ok(TaskId::Given(text.into()))
    }

    #[test]
    fn the_line_of_a_part_counts_all_tasks_and_shows_those_that_are_wanted() {
        let full = Problem::quota("wait", Some(90));
        let replaced = AppendReply { replaced: 1, ..AppendReply::default() };
        let outcome = Outcome {
            items: vec![id("a"), Err(FieldError::new("cron", "is bad")), id("b"), id("a")],
            duplicates: vec![(3, 0)],
            parts: vec![(vec![0, 3], Ok(replaced)), (vec![2], Err(full))],
            moved: 0,
            is_replay: false,
            not_moved: None,
        };
        let numbers = lines(&[4, 6, 7, 9]);
        let mut totals = Totals::default();
        for (shown, results) in [(Shown::Refused, 2), (Shown::All, 4)] {
            let line = part_line(&numbers, &outcome, shown, &mut totals);
            assert!(line.ends_with('\n'));
            let line: Value = serde_json::from_str(&line).unwrap();
            for (name, value) in [
                ("firstLine", 4),
                ("lastLine", 9),
                ("accepted", 2),
                ("replaced", 2),
                ("rejected", 2),
            ] {
                assert_eq!(line[name], value, "{name}");
            }
            let shown = line["results"].as_array().unwrap();
            assert_eq!(shown.len(), results);
            let of = |number: u64| shown.iter().find(|result| result["line"] == number).cloned();
            assert_eq!(
                of(6).unwrap()["error"],
                json!({ "field": "cron", "detail": "cron is bad" })
            );
            assert_eq!(
                of(7).unwrap(),
                json!({ "line": 7, "id": "b", "error": { "field": "id", "detail": "wait", "retryable": true } })
            );
            let again = (results == 4).then(|| json!({ "line": 9, "id": "a", "duplicateOf": 4 }));
            assert_eq!(of(9), again);
        }
        assert_eq!((totals.parts, totals.lines, totals.accepted, totals.rejected), (2, 9, 4, 4));
    }

    #[test]
    fn the_last_line_tells_a_whole_stream_from_a_cut_one() {
        let totals =
            Totals { lines: 7, accepted: 5, replaced: 1, rejected: 2, parts: 1, costly_lines: 0 };
        let read = |problem: Option<Problem>| -> Value {
            serde_json::from_str(&end_line(&totals, problem.as_ref())).unwrap()
        };
        assert_eq!(
            read(None),
            json!({ "done": true, "lines": 7, "accepted": 5, "replaced": 1, "rejected": 2 })
        );
        let ended = read(Some(Problem::full("no room".to_owned())));
        for (name, value) in [
            ("done", json!(false)),
            ("type", json!("/problems/shard-full")),
            ("status", json!(507)),
            ("detail", json!("no room")),
            ("retryAfterSeconds", json!(60)),
            ("nextLine", json!(8)),
            ("accepted", json!(5)),
        ] {
            assert_eq!(ended[name], value, "{name}");
        }
        assert_eq!(read(Some(Problem::slow_body("slow")))["retryAfterSeconds"], Value::Null);
    }
}
