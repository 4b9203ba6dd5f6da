//! Prints the report of a run.

use std::fmt::Write;

use crate::latency::Summary;
use crate::ledger::Class;
use crate::report::Report;

/// The number of defects that are printed for each class. The JSON has all of them.
const PRINTED: usize = 20;

impl Report {
    /// Returns the printed report.
    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        // Writing to a String cannot fail.
        let _ = self.write_text(&mut out);
        out
    }

    fn write_text(&self, out: &mut String) -> std::fmt::Result {
        let (schedule, fire, counts) = (&self.schedule, &self.fire, &self.counts);
        writeln!(
            out,
            "{} against {} (seed {})",
            self.scenario.name(),
            self.target,
            self.settings.seed
        )?;
        writeln!(
            out,
            "  scheduled  {} tasks in {:.2} s: {:.0} tasks/s; {} requests, p50 {} ms, p99 {} ms, {} retries",
            schedule.tasks_accepted,
            schedule.seconds,
            schedule.tasks_per_second,
            schedule.requests,
            schedule.request_millis.p50,
            schedule.request_millis.p99,
            schedule.retries
        )?;
        writeln!(
            out,
            "  fired      {} ({} one-shot, {} of {} recurring tasks), in {:.2} s from the first due time: {:.0}/s, peak {}/s",
            fire.received,
            fire.one_shot,
            counts.cron_occurrences,
            counts.cron_tasks,
            fire.seconds,
            fire.tasks_per_second,
            fire.peak_in_one_second
        )?;
        if counts.handler_expected > 0 {
            let missing = self.handlers_missing;
            writeln!(
                out,
                "  handlers   {} expected, {missing} not counted by the server",
                counts.handler_expected
            )?;
        }
        let lateness = &self.lateness_millis;
        for (name, summary) in [
            ("shard", lateness.at_shard),
            ("consumer", lateness.at_consumer),
            ("webhook", lateness.at_webhook),
        ] {
            if summary.count > 0 {
                let Summary { count, p50, p90, p99, max, .. } = summary;
                writeln!(
                    out,
                    "  late at {name:<9} p50 {p50} ms, p90 {p90} ms, p99 {p99} ms, max {max} ms  ({count} firings)"
                )?;
            }
        }
        if counts.cancelled + counts.already_fired + counts.overwritten + counts.cancelled_in_groups
            > 0
        {
            writeln!(
                out,
                "  changed    {} cancelled, {} overwritten, {} too late, {} in bulk cancels with mixed answers",
                counts.cancelled,
                counts.overwritten,
                counts.already_fired,
                counts.cancelled_in_groups
            )?;
        }
        let duplicates = &self.duplicates;
        writeln!(
            out,
            "  duplicates {} ({} same envelope, {} other envelope, {} later attempt, {} webhook, {} after a repeated request)",
            duplicates.total,
            duplicates.same_envelope,
            duplicates.other_envelope,
            duplicates.later_attempt,
            duplicates.webhook,
            duplicates.after_repeated_request
        )?;
        self.write_cost(out)?;
        self.write_defects(out)
    }

    fn write_cost(&self, out: &mut String) -> std::fmt::Result {
        let Some(cost) = &self.cost else {
            let why = self.cost_unknown.as_deref().unwrap_or_default();
            return writeln!(out, "  cost       unknown: {why}");
        };
        writeln!(out, "  cost       dollars per million tasks, over {} tasks:", cost.tasks)?;
        for line in &cost.lines {
            writeln!(
                out,
                "    {:<24} {:>10.0} used {:>10.5} a task  x ${:<5} = ${:.4}",
                line.name,
                line.used,
                line.per_task,
                line.unit_dollars_per_million,
                line.dollars_per_million_tasks
            )?;
        }
        writeln!(
            out,
            "    {:<24} {:>52} ${:.4}  (without duration and stored bytes)",
            "in all", "=", cost.dollars_per_million_tasks
        )
    }

    fn write_defects(&self, out: &mut String) -> std::fmt::Result {
        for warning in &self.warnings {
            writeln!(out, "  warning: {warning}")?;
        }
        if self.failed_requests > 0 {
            writeln!(out, "  {} requests failed after all retries, first:", self.failed_requests)?;
            self.problems.iter().try_for_each(|problem| writeln!(out, "    {problem}"))?;
        }
        if self.sink.unreadable > 0 {
            let first = self.sink.first_unreadable.as_deref().unwrap_or_default();
            writeln!(
                out,
                "  {} invalid bodies arrived at the sink, first: {first}",
                self.sink.unreadable
            )?;
        }
        for (class, count) in &self.defect_counts {
            writeln!(out, "  {count} {}", describe(*class))?;
            for defect in self.defects.iter().filter(|defect| defect.class == *class).take(PRINTED)
            {
                let id = if defect.id.is_empty() { "(no id)" } else { &defect.id };
                writeln!(
                    out,
                    "    {id} (task {}, due {}): {}",
                    defect.n, defect.due, defect.detail
                )?;
            }
            if *count > PRINTED {
                writeln!(out, "    … {} more in the JSON report", count - PRINTED)?;
            }
        }
        let counts = &self.counts;
        if counts.unanswered + counts.undecided + counts.still_pending > 0 {
            writeln!(
                out,
                "  nothing required of: {} unanswered, {} with an undecided change, {} not due or within the grace",
                counts.unanswered, counts.undecided, counts.still_pending
            )?;
        }
        let verdict = match self.exit_status {
            0 => "PASSED: nothing lost, early or wrongly cancelled",
            1 => "FAILED",
            2 => "INCOMPLETE: requests failed",
            _ => "INTERRUPTED: nothing wrong so far",
        };
        writeln!(out, "  {verdict}")
    }
}

fn describe(class: Class) -> &'static str {
    match class {
        Class::Lost => "lost: accepted and due, and not received within the grace",
        Class::Early => "early: fired or received before their time",
        Class::WrongTime => "fired for another time than requested",
        Class::FiredThoughCancelled => "fired though cancelled",
        Class::FiredThoughReplaced => "old versions fired though overwritten",
        Class::NeverFiredThoughAnswered => {
            "wrongly cancelled: a change was answered with already fired, but they never fired"
        }
        Class::DeniedWhilePending => {
            "denied: a change was answered with already fired or not found, but they were pending"
        }
        Class::Rejected => "rejected: the server refused a valid request",
        Class::FiredThoughRejected => "fired though rejected",
        Class::WrongIdentity => "fired under a wrong id or idempotency key",
        Class::CronGap => "recurring tasks with missing occurrences",
    }
}
