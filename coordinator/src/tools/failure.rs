//! Why a call of a tool fails, in words that a model can act on.

use crate::mcp::{Outcome, Refusal};
use crate::problem::{Problem, ProblemType};
use crate::request_id;
use scheduler_model::input::FieldError;

/// The failure of a call of a tool.
#[derive(Debug)]
pub(crate) enum Failure {
    /// An argument is not valid.
    Argument(FieldError),
    /// The API has refused a request.
    Refused(Box<Problem>),
    /// An error of the tool itself, with what to do.
    Said(String),
    /// The client has sent back a state that this server did not give it for this call.
    Forged,
    /// An answer of the API cannot be read.
    Unreadable(String),
}

impl From<FieldError> for Failure {
    fn from(problem: FieldError) -> Self {
        Self::Argument(problem)
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Refused(Box::new(problem))
    }
}

impl From<serde_json::Error> for Failure {
    fn from(problem: serde_json::Error) -> Self {
        Self::Unreadable(problem.to_string())
    }
}

impl Failure {
    /// Returns the outcome for a model.
    ///
    /// # Errors
    /// Returns a refusal if the failure is for the client and not for a model.
    pub(crate) fn outcome(self, tool: &str) -> Result<Outcome, Refusal> {
        let text = match self {
            Self::Argument(problem) => {
                format!("{problem}\nNext: correct this argument and call {tool} again.")
            }
            Self::Refused(problem) => {
                if problem.kind.status() >= 500 {
                    request_id::log(format_args!("{tool}: {}", problem.detail));
                }
                refused(&problem)
            }
            Self::Said(text) => text,
            Self::Forged => {
                return Err(Refusal::invalid_params(
                    200,
                    "params.requestState was not issued for this call, or it is too old: call again without it",
                ));
            }
            Self::Unreadable(problem) => {
                request_id::log(format_args!("{tool}: {problem}"));
                "The scheduler's answer could not be read.\nNext: read the task before you repeat a change.".to_owned()
            }
        };
        Ok(Outcome::Failed(text))
    }
}

/// Describes why the API has refused a request, and what to do.
fn refused(problem: &Problem) -> String {
    let wait = problem.retry_after().map(|wait| format!(" Wait {} s.", wait.as_secs()));
    let wait = wait.unwrap_or_default();
    let (title, detail, next) = (problem.kind.title(), &problem.detail, next(problem.kind));
    format!("{title}: {detail}\nNext: {next}{wait}")
}

/// Returns what a model should do about a refusal.
fn next(kind: ProblemType) -> &'static str {
    match kind {
        ProblemType::Invalid | ProblemType::BatchRejected | ProblemType::TooLarge => {
            "correct the argument that the text names and call again."
        }
        ProblemType::NoTask => {
            "call find_tasks to look for the task by words of its description. list_runs with this id shows how its attempts went."
        }
        ProblemType::NoDeadLetter => {
            "call find_tasks with the status dead-lettered to see which failures there are now."
        }
        ProblemType::OtherVersion => {
            "a task with this id is there already. Call get_task to look at it. Then use change_task, or schedule_task with another id."
        }
        ProblemType::TaskCancelled => {
            "nothing is left to change. Call schedule_task if the task should fire again."
        }
        ProblemType::AlreadyRunning => "wait for the run in progress. explain_task shows it.",
        ProblemType::NotApplicable => {
            "call get_task to see what kind of task it is, and choose another action."
        }
        ProblemType::TooManyRuns => {
            "wait until some runs have fired. explain_task says what they wait for."
        }
        ProblemType::KeyReused => {
            "use another idempotencyKey, because this one named other arguments."
        }
        ProblemType::Forbidden | ProblemType::Unauthorized | ProblemType::NoNamespace => {
            "tell the user that the API key of this connection does not allow it. Do not try again."
        }
        ProblemType::Quota | ProblemType::Overloaded | ProblemType::TooManyReaders => {
            "call again later."
        }
        ProblemType::Unavailable => {
            "read the task before you repeat a change, because it may have been made."
        }
        ProblemType::Full => "tell the user that the scheduler is full.",
        _ => "tell the user what the text says.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_what_to_do_next() {
        let text = |failure: Failure| match failure.outcome("find_tasks") {
            Ok(Outcome::Failed(text)) => text,
            other => panic!("{other:?}"),
        };
        let said = text(FieldError::new("limit", "is 0; must be 1 to 50").into());
        assert_eq!(
            said,
            "limit is 0; must be 1 to 50\nNext: correct this argument and call find_tasks again."
        );
        let said = text(Problem::overloaded().into());
        assert!(said.starts_with("Scheduler overloaded: a shard has more"), "{said}");
        assert!(said.ends_with("\nNext: call again later. Wait 2 s."), "{said}");
        for kind in ProblemType::ALL {
            assert!(next(*kind).ends_with('.'), "{kind:?}");
        }
        assert!(Failure::Forged.outcome("a").is_err());
    }
}
