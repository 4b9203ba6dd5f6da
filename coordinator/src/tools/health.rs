//! `scheduler_health`.

use super::answers::{Stats, read};
use super::failure::Failure;
use super::job::{Job, done};
use super::shapes::{Health, iso};
use crate::mcp::Outcome;
use scheduler_model::tools::NoArguments;

/// Reports whether something needs attention.
pub(super) async fn health(job: &Job<'_>) -> Result<Outcome, Failure> {
    NoArguments::parse(job.arguments())?;
    let text = job.get("/v1/stats").await?;
    done(&of(&read(&text)?))
}

fn of(stats: &Stats) -> Health {
    let mut findings = Vec::new();
    if stats.overdue > 0 {
        findings.push(format!(
            "{} overdue: their time has come and they have not fired. If the number does not fall within six minutes, the operator should look \
             at the log of the Worker. explain_task says what one of them waits for.",
            tasks(stats.overdue)
        ));
    }
    for circuit in &stats.circuits {
        findings.push(format!(
            "{} does not answer since {}, and {} wait for it. They fire when it answers again.",
            circuit.destination,
            iso(circuit.since),
            tasks(circuit.waiting)
        ));
    }
    if stats.dead_letters > 0 {
        findings.push(format!(
            "{} of runs that failed for good. find_tasks with the status dead-lettered lists them, list_runs with groupByError says what went \
             wrong, and replay_failures starts them over.",
            if stats.dead_letters == 1 { "1 dead letter".to_owned() } else { format!("{} dead letters", stats.dead_letters) }
        ));
    }
    Health {
        healthy: findings.is_empty(),
        findings,
        pending: stats.pending,
        in_flight: stats.in_flight,
        schedules: stats.schedules,
        paused: stats.paused,
        dead_letters: stats.dead_letters,
        overdue: stats.overdue,
        waiting_for_limits: stats.waiting_for_limits,
        lateness_millis_p50: stats.lateness_millis.p50,
        lateness_millis_p99: stats.lateness_millis.p99,
        lateness_millis_max: stats.lateness_millis.max,
    }
}

fn tasks(count: u64) -> String {
    if count == 1 { "1 task".to_owned() } else { format!("{count} tasks") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::answers::Circuit;

    #[test]
    fn what_needs_attention_is_said_with_what_to_do() {
        assert!(of(&Stats { pending: 5, paused: 1, ..Stats::default() }).healthy);
        let circuit = Circuit { destination: "https://a.example".to_owned(), since: 0, waiting: 2 };
        let stats =
            Stats { overdue: 1, dead_letters: 2, circuits: vec![circuit], ..Stats::default() };
        let health = of(&stats);
        assert!(!health.healthy);
        let starts =
            ["1 task overdue", "https://a.example does not answer since 1970", "2 dead letters"];
        assert_eq!(health.findings.len(), starts.len());
        for (finding, start) in health.findings.iter().zip(starts) {
            assert!(finding.starts_with(start), "{finding}");
        }
    }
}
