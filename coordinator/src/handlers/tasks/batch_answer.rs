//! The answer to a batch.

use crate::problem::Problem;
use crate::response::Answer;
use scheduler_model::batch::{write_all_taken, write_taken};
use scheduler_model::bounds::{MAX_BATCH_ITEMS, MAX_ERRORS_BYTES};
use scheduler_model::ids::TaskId;
use scheduler_model::input::FieldError;
use serde::Serialize;

/// The error of a refused item if there is no room to explain it.
const UNEXPLAINED: &str = "the task is refused; send it again alone to see why";

/// The bytes that the answer reserves for the error of each refused item: those of an
/// [`UNEXPLAINED`] one.
const UNEXPLAINED_BYTES: usize =
    UNEXPLAINED.len() + r#"{"field":"body","detail":"","retryable":false}"#.len();

const _: () = assert!(
    MAX_BATCH_ITEMS * UNEXPLAINED_BYTES <= MAX_ERRORS_BYTES,
    "no item goes without an error"
);

/// The error of one item.
#[derive(Serialize)]
struct ItemError<'a> {
    field: &'a str,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    retryable: Option<bool>,
}

impl ItemError<'_> {
    /// Writes the error to `out`. Writes it in full if `left` has the bytes that it needs in
    /// addition to [`UNEXPLAINED_BYTES`], and subtracts them.
    fn write(&self, left: &mut usize, out: &mut Vec<u8>) {
        let start = out.len();
        // Writing to a Vec does not fail, here and below.
        let _ = serde_json::to_writer(&mut *out, self);
        match left.checked_sub((out.len() - start).saturating_sub(UNEXPLAINED_BYTES)) {
            Some(rest) => *left = rest,
            None => {
                out.truncate(start);
                let field = if self.retryable.is_some() { self.field } else { "body" };
                let _ = serde_json::to_writer(
                    out,
                    &ItemError { field, detail: UNEXPLAINED, retryable: self.retryable },
                );
            }
        }
    }
}

/// A batch that was carried out.
pub(crate) struct Batch<'a> {
    /// The items in order, each with its id or its error.
    pub(crate) items: &'a [Result<TaskId<'a>, FieldError>],
    /// See [`Plan::duplicates`].
    ///
    /// [`Plan::duplicates`]: scheduler_model::batch::Plan::duplicates
    pub(crate) duplicates: &'a [(u32, u32)],
    /// The body, if it has one item on each line.
    pub(crate) lines: Option<&'a str>,
}

impl Batch<'_> {
    /// Returns the answer: a result for each item, in order. It is 422 if no item was accepted.
    /// `outcomes` has the items of each shard's part, and the problem if the part failed. All
    /// errors together take at most [`MAX_ERRORS_BYTES`].
    ///
    /// # Errors
    /// Returns a problem if no shard accepted any item. Then the whole request has failed, and the
    /// caller may repeat it unchanged.
    pub(crate) fn answer(
        &self,
        outcomes: Vec<(Vec<u32>, Option<Problem>)>,
    ) -> Result<Answer, Problem> {
        if !outcomes.is_empty()
            && outcomes.iter().all(|(_, problem)| problem.is_some())
            && let Some(problem) = outcomes.iter().find_map(|(_, problem)| problem.clone())
        {
            return Err(problem);
        }
        let parts = outcomes.iter().map(|(part, problem)| (part.as_slice(), problem.as_ref()));
        let failed = failed_items(self.items.len(), parts);
        let is_accepted =
            |(item, failed): (&Result<_, _>, &Option<_>)| item.is_ok() && failed.is_none();
        let accepted = self.items.iter().zip(&failed).filter(|item| is_accepted(*item)).count();
        let rejected = self.items.len() - accepted;
        let mut body =
            format!("{{\"accepted\":{accepted},\"rejected\":{rejected},\"results\":[").into_bytes();
        body.reserve(self.items.len() * 48);
        if rejected == 0 {
            write_all_taken(self.items, self.duplicates, &mut body);
        } else {
            self.write_results(&failed, rejected, &mut body);
        }
        body.push(b']');
        let first = (accepted == 0).then(|| self.first_refused()).flatten();
        match first {
            Some((at, line, error)) => Ok(Answer::refusal_with(
                Problem::batch_rejected(rejected, at, line, error),
                body.get(1..).unwrap_or_default(),
            )),
            None => {
                body.push(b'}');
                Ok(Answer::json(200, body))
            }
        }
    }

    /// Returns the first refused item: its number, the number of its line, and its error.
    fn first_refused(&self) -> Option<(usize, Option<u64>, &FieldError)> {
        let (at, error) = self
            .items
            .iter()
            .enumerate()
            .find_map(|(at, item)| Some((at, item.as_ref().err()?)))?;
        Some((at, self.lines_of_items().nth(at).flatten(), error))
    }

    /// Returns the number of each item's line, from 1; `None` for each if the body has no lines.
    fn lines_of_items(&self) -> impl Iterator<Item = Option<u64>> {
        let numbered = (1..).zip(self.lines.unwrap_or_default().lines());
        let numbers = numbered.filter(|(_, line)| !line.trim_ascii().is_empty());
        numbers.map(|(number, _)| Some(number)).chain(std::iter::repeat(None))
    }

    /// Writes the results of items if some items were refused. Only the results of refused items
    /// name their lines.
    fn write_results(&self, failed: &[Option<&Problem>], rejected: usize, out: &mut Vec<u8>) {
        let mut left = left_to_explain(rejected);
        let mut duplicates = self.duplicates.iter().peekable();
        let mut lines = self.lines_of_items();
        for (at, (item, failed)) in self.items.iter().zip(failed).enumerate() {
            if at > 0 {
                out.push(b',');
            }
            let line = lines.next().flatten();
            let duplicate = duplicates.next_if(|(later, _)| *later as usize == at);
            match (item, failed) {
                (Ok(id), None) => write_taken(id, duplicate.map(|(_, earlier)| *earlier), out),
                _ => write_refused(item, *failed, line, &mut left, out),
            }
        }
    }
}

/// Returns the problem of each item whose shard has refused it. `outcomes` has the items of each
/// shard's part, and the problem if the part failed.
pub(super) fn failed_items<'p>(
    items: usize,
    outcomes: impl Iterator<Item = (&'p [u32], Option<&'p Problem>)>,
) -> Vec<Option<&'p Problem>> {
    let mut failed = vec![None; items];
    for (part, problem) in outcomes {
        let Some(problem) = problem else { continue };
        for item in part {
            if let Some(slot) = failed.get_mut(*item as usize) {
                *slot = Some(problem);
            }
        }
    }
    failed
}

/// Returns the bytes that are left to explain the errors of `rejected` items.
pub(super) fn left_to_explain(rejected: usize) -> usize {
    MAX_ERRORS_BYTES.saturating_sub(rejected * UNEXPLAINED_BYTES)
}

/// Writes the result of a refused item: with its line, if it has one, and with its id, if it is
/// valid and its shard has `failed`. `left` is what [`left_to_explain`] has returned.
pub(super) fn write_refused(
    item: &Result<TaskId<'_>, FieldError>,
    failed: Option<&Problem>,
    line: Option<u64>,
    left: &mut usize,
    out: &mut Vec<u8>,
) {
    let detail;
    let error = match item {
        Ok(id) => {
            out.extend_from_slice(b"{\"id\":");
            // Writing to a Vec does not fail.
            let _ = serde_json::to_writer(&mut *out, id.as_str());
            out.push(b',');
            let detail = failed.map_or(UNEXPLAINED, |problem| &problem.detail);
            let retryable = failed.map(Problem::is_retryable);
            ItemError { field: "id", detail, retryable }
        }
        Err(error) => {
            out.push(b'{');
            detail = error.to_string();
            ItemError { field: &error.field, detail: &detail, retryable: None }
        }
    };
    if let Some(line) = line {
        out.extend_from_slice(format!("\"line\":{line},").as_bytes());
    }
    out.extend_from_slice(b"\"error\":");
    error.write(left, out);
    out.push(b'}');
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn answer_batch(
        items: &[Result<TaskId<'_>, FieldError>],
        outcomes: Vec<(Vec<u32>, Option<Problem>)>,
    ) -> Result<Answer, Problem> {
        Batch { items, duplicates: &[], lines: None }.answer(outcomes)
    }

    fn errors_of(answer: &Answer) -> Vec<Value> {
        let read: Value = serde_json::from_slice(answer.body()).unwrap();
        let results = read["results"].as_array().unwrap();
        results.iter().filter_map(|item| item.get("error").cloned()).collect()
    }

    #[test]
    fn errors_of_a_batch_are_explained_as_far_as_there_is_room() {
        let error = |detail: &str| Err::<TaskId<'_>, _>(FieldError::new("tags", detail));
        for detail in ["a", &"a".repeat(10_000), &"\u{1}".repeat(10_000), &"\"\\".repeat(10_000)] {
            let items = vec![error(detail); MAX_BATCH_ITEMS];
            let answer = answer_batch(&items, Vec::new()).unwrap();
            let errors = errors_of(&answer);
            assert_eq!(errors.len(), MAX_BATCH_ITEMS);
            let bytes: usize = errors.iter().map(|error| error.to_string().len()).sum();
            assert!(bytes <= MAX_ERRORS_BYTES, "{bytes}");
            // The bytes around the error: `{"error":},`.
            assert!(
                answer.body().len() <= MAX_ERRORS_BYTES + 11 * MAX_BATCH_ITEMS + 2_000,
                "{}",
                answer.body().len()
            );
            assert_eq!(errors[0]["field"], "tags");
            let last = errors.last().unwrap();
            assert_eq!(
                last["detail"] == UNEXPLAINED && last["field"] == "body",
                detail.len() > 1,
                "{last}"
            );
        }
        let few = vec![error(&"\u{1}".repeat(10_000)); 1_000];
        assert!(
            errors_of(&answer_batch(&few, Vec::new()).unwrap())
                .iter()
                .all(|error| error["field"] == "tags")
        );
    }

    #[test]
    fn an_item_that_no_wait_helps_is_not_retryable() {
        let items = [
            Ok(TaskId::Given("a".into())),
            Ok(TaskId::Given("b".into())),
            Ok(TaskId::Given("c".into())),
        ];
        let outcomes =
            [None, Some(Problem::quota("split it", None)), Some(Problem::quota("wait", Some(90)))];
        let outcomes =
            outcomes.into_iter().enumerate().map(|(at, problem)| (vec![at as u32], problem));
        let answer = answer_batch(&items, outcomes.collect()).unwrap();
        let errors = errors_of(&answer);
        assert_eq!(
            errors.iter().map(|error| &error["retryable"]).collect::<Vec<_>>(),
            [false, true]
        );
    }

    #[test]
    fn what_a_shard_says_is_repeated_as_far_as_there_is_room() {
        let items: Vec<Result<TaskId<'_>, FieldError>> =
            (0..MAX_BATCH_ITEMS).map(|n| Ok(TaskId::Given(format!("{n}").into()))).collect();
        let part = (1..MAX_BATCH_ITEMS as u32).collect();
        let full = Problem::unavailable("a".repeat(10_000));
        let answer = answer_batch(&items, vec![(vec![0], None), (part, Some(full))]).unwrap();
        let errors = errors_of(&answer);
        assert_eq!(errors.len(), MAX_BATCH_ITEMS - 1);
        assert!(
            errors.iter().map(|error| error.to_string().len()).sum::<usize>() <= MAX_ERRORS_BYTES
        );
        assert!(errors.iter().all(|error| error["field"] == "id" && error["retryable"] == true));
        assert_eq!(errors.last().unwrap()["detail"], UNEXPLAINED);
    }

    #[test]
    fn a_batch_of_which_nothing_is_accepted_is_refused_with_its_results() {
        let bad = || Err(FieldError::new("cron", "is bad"));
        let good = || Ok(TaskId::Given("a".into()));
        let read = |answer: &Answer| serde_json::from_slice::<Value>(answer.body()).unwrap();
        let lines = Some("\n{}\n\n{}\n");
        let answer = Batch { items: &[bad(), bad()], duplicates: &[], lines }.answer(Vec::new());
        let answer = answer.unwrap();
        let body = read(&answer);
        assert_eq!((answer.status(), &body["type"]), (422, &"/problems/batch-rejected".into()));
        assert_eq!((&body["rejected"], &body["field"]), (&2.into(), &"cron".into()));
        assert!(body["detail"].as_str().unwrap().ends_with("in line 2: cron is bad"), "{body}");
        assert_eq!(body["results"][1]["line"], 4);
        assert_eq!(
            body["results"][1]["error"],
            serde_json::json!({ "field": "cron", "detail": "cron is bad" })
        );

        let answer = Batch { items: &[bad(), good()], duplicates: &[], lines: None };
        let answer = answer.answer(vec![(vec![1], None)]).unwrap();
        let body = read(&answer);
        assert_eq!((answer.status(), &body["accepted"]), (200, &1.into()));
        assert_eq!(body["results"][0].get("line"), None);
        // Nothing was refused.
        assert_eq!(answer_batch(&[], Vec::new()).unwrap().status(), 200);
    }

    #[test]
    fn an_item_that_replaces_an_earlier_one_says_so() {
        let items = ["a", "b", "a"].map(|id| Ok(TaskId::Given(id.into())));
        let batch = Batch { items: &items, duplicates: &[(2, 0)], lines: None };
        let answer = batch.answer(vec![(vec![0, 1, 2], None)]).unwrap();
        assert_eq!(
            String::from_utf8_lossy(answer.body()),
            r#"{"accepted":3,"rejected":0,"results":[{"id":"a"},{"id":"b"},{"id":"a","duplicateOf":0}]}"#
        );
    }
}
