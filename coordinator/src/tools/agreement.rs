//! Whether a user has agreed to a change of many.
//!
//! A tool changes more than one task only after somebody has seen how many tasks it will change.
//! The tool counts and asks: with a form if the client shows one, otherwise with an answer that has
//! a `confirmation` to send back. Both contain the shown number, sealed for the caller, the tool
//! and the selection. If more tasks match when the client sends it back, the tool asks again.

use super::failure::Failure;
use super::job::Job;
use crate::mcp::{Broken, Outcome, Question};
use scheduler_model::mcp::Action;
use scheduler_model::tools::Selected;
use serde_json::json;

/// The name of the question, and of the field of its form.
const CONFIRM: &str = "confirm";

/// The number of tasks or dead letters that a call would change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) number: u64,
    /// Whether there are more, which were not counted.
    pub(super) is_at_least: bool,
    /// Some of them, for people.
    pub(super) examples: Vec<String>,
}

impl Count {
    /// Returns whether the user must agree: for more than one, and if the count has stopped early,
    /// because there may be any number.
    pub(super) fn needs_agreement(&self) -> bool {
        self.is_at_least || self.number > 1
    }

    /// Returns the number to agree to: any number if it is not known how many there are.
    fn sealed(&self) -> u64 {
        if self.is_at_least { u64::MAX } else { self.number }
    }

    /// Returns the number in words.
    pub(super) fn in_words(&self, things: &str) -> String {
        match (self.is_at_least, self.number) {
            (true, 0 | 1) => format!("an unknown number of {things}"),
            (true, number) => format!("at least {number} {things}"),
            (false, number) => format!("{number} {things}"),
        }
    }
}

/// Puts a text that somebody else wrote in double quotes. Removes characters that could end the
/// quotes or change how the rest is shown: control characters, line breaks, and marks of the
/// writing direction.
pub(super) fn quoted(text: &str) -> String {
    let is_hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let straight = |c: char| if matches!(c, '"' | '“' | '”' | '„') { '\'' } else { c };
    let shown: String = text.chars().filter(|c| !is_hidden(*c)).map(straight).collect();
    format!("\"{shown}\"")
}

/// The user's answer about a change of many.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Agreement {
    /// The user agrees to a change of up to this many.
    Up(u64),
    /// The user refuses.
    Refused,
    /// There is no answer yet.
    None,
}

impl Agreement {
    /// Returns whether the user agrees to a change of this count.
    pub(super) fn allows(&self, count: &Count) -> bool {
        matches!(self, Self::Up(number) if count.sealed() <= *number)
    }
}

/// Returns the purpose of an agreement. It is the same for the same caller, namespace, tool and
/// selection.
fn purpose(job: &Job<'_>, selected: &Selected<'_>) -> String {
    let namespace = job.call.shards.namespace().as_str();
    format!("{}\n{namespace}\n{}", job.asked.name(), selected.meaning())
}

/// Returns the user's answer.
///
/// # Errors
/// Returns an error if the client sends back a state that was not given to it for this call.
pub(super) fn of(job: &Job<'_>, selected: &Selected<'_>) -> Result<Agreement, Failure> {
    let purpose = purpose(job, selected);
    if let Some(confirmation) = &selected.confirmation {
        let tool = job.asked.name();
        return job.seal.open(confirmation, &purpose, job.call.now).map(Agreement::Up).map_err(
            |broken| {
                let why = match broken {
                    Broken::Late => "is more than ten minutes old",
                    Broken::Forged => "was not issued for these arguments",
                };
                Failure::Said(format!(
                    "confirmation {why}, so nothing was changed.\nNext: call {tool} without confirmation, show the user the count, and send \
                     the confirmation of that answer with the same arguments."
                ))
            },
        );
    }
    let Some(state) = job.asked.state() else { return Ok(Agreement::None) };
    let number = job.seal.open(state, &purpose, job.call.now).map_err(|_| Failure::Forged)?;
    Ok(match job.asked.answer(CONFIRM)? {
        Some(answer) if answer.action == Action::Accept && answer.is_ticked(CONFIRM) => {
            Agreement::Up(number)
        }
        Some(_) => Agreement::Refused,
        None => Agreement::None,
    })
}

/// Returns the state that a client sends back when its user has agreed.
pub(super) fn confirmation(job: &Job<'_>, selected: &Selected<'_>, count: &Count) -> String {
    job.seal.seal(count.sealed(), &purpose(job, selected), job.call.now)
}

/// Returns the question whether to make the change. `what` describes the change and the number.
pub(super) fn question(what: &str, examples: &[String], confirmation: String) -> Outcome {
    let examples = match examples {
        [] => String::new(),
        some => format!(" Among them: {}.", some.join("; ")),
    };
    Outcome::Ask(Question {
        name: CONFIRM,
        message: format!("{what}?{examples}"),
        schema: json!({
            "type": "object",
            "properties": { CONFIRM: { "type": "boolean", "title": what, "default": false } },
            "required": [CONFIRM],
        }),
        state: Some(confirmation),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agreement_is_to_a_number() {
        let count = |number, is_at_least| Count { number, is_at_least, examples: Vec::new() };
        for (agreement, count, allows) in [
            (Agreement::Up(3), count(3, false), true),
            (Agreement::Up(3), count(2, false), true),
            (Agreement::Up(3), count(4, false), false),
            (Agreement::Up(3), count(3, true), false),
            (Agreement::Up(count(3, true).sealed()), count(9, true), true),
            (Agreement::Refused, count(1, false), false),
            (Agreement::None, count(1, false), false),
        ] {
            assert_eq!(agreement.allows(&count), allows, "{agreement:?} {count:?}");
        }
        assert_eq!(count(5_000, true).in_words("tasks"), "at least 5000 tasks");
        assert_eq!(count(0, true).in_words("tasks"), "an unknown number of tasks");
    }

    #[test]
    fn a_count_that_stopped_early_needs_an_agreement() {
        for (number, is_at_least, needs) in [
            (0, false, false),
            (1, false, false),
            (2, false, true),
            (0, true, true),
            (1, true, true),
            (2, true, true),
        ] {
            let count = Count { number, is_at_least, examples: Vec::new() };
            assert_eq!(count.needs_agreement(), needs, "{count:?}");
            assert!(!(needs && Agreement::None.allows(&count)), "{count:?}");
        }
    }
}
