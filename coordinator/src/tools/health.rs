//! `scheduler_health`.

use super::answers::{Stats, read};
use super::failure::Failure;
use super::job::{Job, done};
use super::shapes::{Health, iso};
use crate::mcp::Outcome;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::tools::NoArguments;

/// Reports whether something needs attention.
pub(super) async fn health(job: &Job<'_>) -> Result<Outcome, Failure> {
    NoArguments::parse(job.arguments())?;
    let text = job.get("/v1/stats").await?;
    done(&of(&read(&text)?, job.call.now))
}

fn of(stats: &Stats, now: UnixMillis) -> Health {
    let mut findings = Vec::new();
    if stats.overdue > 0 {
        findings.push(format!(
            "{} overdue: their time has come and they have not fired. If the number does not fall within six minutes, the operator should look \
             at the log of the Worker. explain_task says what one of them waits for.",
            tasks(stats.overdue)
        ));
    }
    // Once the wait is over, the next run is tried, and nothing waits before.
    for circuit in stats.circuits.iter().filter(|circuit| circuit.until > now.get()) {
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
        let now = UnixMillis::new(10);
        assert!(of(&Stats { pending: 5, paused: 1, ..Stats::default() }, now).healthy);
        let circuit = |until, waiting| Circuit {
            destination: "https://a.example".to_owned(),
            since: 0,
            until,
            waiting,
        };
        assert!(of(&Stats { circuits: vec![circuit(10, 0)], ..Stats::default() }, now).healthy);
        let circuits = vec![circuit(11, 2)];
        let stats = Stats { overdue: 1, dead_letters: 2, circuits, ..Stats::default() };
        let health = of(&stats, now);
        assert!(!health.healthy);
        let starts =
            ["1 task overdue", "https://a.example does not answer since 1970", "2 dead letters"];
        assert_eq!(health.findings.len(), starts.len());
        for (finding, start) in health.findings.iter().zip(starts) {
            assert!(finding.starts_with(start), "{finding}");
        }
    }
}
