//! Requests that create no schedule: questions, and changes of tasks that exist.

use super::Rest;
use crate::Refusal;
use crate::clause::Clause;
use crate::lexicon::own_word;

/// Verbs that change existing tasks.
const CHANGES: &[&str] = &["unschedule", "reschedule", "postpone", "snooze", "undo"];

/// Verbs that change existing tasks if one of [`TASKS`] follows: "cancel the gym membership" is
/// something to do.
const CHANGES_OF_TASKS: &[&str] = &["cancel", "delete", "move", "pause", "remove", "stop"];

/// Verbs that change an existing reminder if one of [`REMINDERS`] follows. "Restart the job" is
/// something to do.
#[rustfmt::skip]
const CHANGES_OF_REMINDERS: &[&str] = &[
    "adjust", "cancel", "change", "deactivate", "delete", "disable", "drop", "edit", "enable", "end", "keep", "modify", "reactivate", "rename", "reset", "restart", "resume",
    "ändere", "beende", "lösch", "lösche", "löschen", "stopp", "stoppe",
];

/// Words for reminders that exist.
const REMINDERS: &[&str] =
    &["alarm", "alarms", "reminder", "reminders", "timer", "timers", "notifications"];

/// German verbs that move an appointment.
const MOVES: &[&str] = &["verleg", "verlege", "verlegen", "verschieb", "verschiebe", "verschieben"];

/// Words for tasks that exist.
#[rustfmt::skip]
const TASKS: &[&str] = &[
    "alarm", "alarms", "all", "anything", "appointment", "appointments", "call", "cron", "event", "events", "everything", "it", "job", "jobs", "meeting", "meetings", "reminder", "reminders", "reminding", "schedule",
    "schedules", "standup", "sync", "task", "tasks", "that", "them", "this", "timer", "timers",
];

const QUESTIONS: &[&str] = &[
    "what", "when's", "why", "how", "did", "does", "is", "are", "was", "who", "which", "where",
    "what's",
];

impl Rest<'_> {
    /// Refuses questions, and requests to change a task.
    pub(super) fn check_request(&self) -> Result<(), Refusal> {
        let Some(&first) = self.left.first() else { return Ok(()) };
        let first = if self.text(first) == "please" { first + 1 } else { first };
        let word = self.text(first);
        let is_change = CHANGES.contains(&word)
            || CHANGES_OF_TASKS.contains(&word) && self.changes_task(first)
            || self.changes_reminder(first);
        if first <= 1 && is_change {
            return Err(self.refuse(
                first,
                "A sentence creates a schedule. It cannot change one that exists.",
            ));
        }
        if first == 0 && QUESTIONS.contains(&word) {
            return Err(self.refuse(first, "This is a question, not a schedule."));
        }
        Ok(())
    }

    /// Returns whether the words behind a verb name a task that exists, or nothing else.
    fn changes_task(&self, verb: usize) -> bool {
        let mut others = self.left.iter().filter(|at| **at > verb).peekable();
        let is_bare = others.peek().is_none_or(|at| **at > verb + 1 && self.begins_part(verb + 1));
        // "stop the daily backup"
        let is_of_cycle = self.found.iter().any(|found| {
            matches!(found.clause, Clause::Cycle { is_adjective: true, .. })
                && (verb + 1..=verb + 2).contains(&found.tokens.0)
        });
        is_bare || is_of_cycle || others.any(|at| TASKS.contains(&self.text(*at)))
    }

    /// Returns whether the first or the last word changes a reminder that exists: "turn off my alarm
    /// at 7am", "Erinnerung um 9 Uhr löschen".
    fn changes_reminder(&self, first: usize) -> bool {
        let own = |at: &usize| own_word(self.text(*at)).unwrap_or(self.text(*at));
        let names = |words: &[&str]| self.left.iter().any(|at| words.contains(&own(at)));
        let edges = [Some(&first), self.left.last()];
        let is_edge = |words: &[&str]| edges.iter().flatten().any(|at| words.contains(&own(at)));
        let is_move = is_edge(MOVES)
            && self.left.iter().any(|at| own(at) == "auf" && self.begins_part(at + 1));
        let is_off = self.text(first) == "turn" && self.text(first + 1) == "off";
        let is_verb = is_edge(CHANGES_OF_REMINDERS) || is_off || names(&["rid"]);
        is_move || is_verb && names(REMINDERS)
    }
}
