//! How the subrequests of an invocation limit the tasks that it starts.

use super::fake::Fake;
use scheduler_model::protocol::Report;

/// Returns an envelope with a webhook for each number of redirects.
fn webhooks(seq: u64, redirects: impl IntoIterator<Item = u32>) -> String {
    let tasks: Vec<String> = (0..)
        .zip(redirects)
        .map(|(n, redirects): (u32, _)| {
            format!(r#"{{"time":5,"id":"{seq}.{n}-10","callback":{{"type":"webhook","url":"https://h{n}.example/{redirects}"}}}}"#)
        })
        .collect();
    format!(r#"{{"v":1,"shard":"1-0","seq":{seq},"firedAt":5,"tasks":[{}]}}"#, tasks.join(","))
}

/// Without the count of subrequests, such an envelope could never be reported, and would run for
/// ever.
#[test]
fn sixty_webhooks_are_reported_within_fifty_subrequests() {
    for (redirects, started) in [(0, 38), (3, 10)] {
        let fake = Fake::default();
        fake.execute_within(&[webhooks(1, [redirects; 60])], 1_000_000, 50);
        assert_eq!(fake.started.borrow().len(), started, "{redirects} redirects");
        // The report, all its tries, and what the invocation asks by itself.
        assert!(fake.subrequests.get() + 5 + 1 + 3 <= 50, "{redirects} redirects");
        let report = fake.report(0);
        assert_eq!((report.done.len(), report.not_started.len()), (started, 60 - started));
        assert!(report.failed.is_empty());
    }
}

#[test]
fn the_last_subrequests_go_to_the_reports_of_all_envelopes() {
    let fake = Fake::default();
    let texts: Vec<String> = (1..=10).map(|seq| webhooks(seq, [1; 10])).collect();
    fake.execute_within(&texts, 1_000_000, 50);
    let started = fake.started.borrow().len();
    assert!(started >= 10, "{started}");
    assert!(fake.subrequests.get() + 10 + 4 + 10 + 3 <= 50, "{}", fake.subrequests.get());
    let reported = |of: fn(&Report) -> usize| (0..10).map(|at| of(&fake.report(at))).sum::<usize>();
    assert_eq!(reported(|report| report.done.len()), started);
    assert_eq!(reported(|report| report.not_started.len()), 100 - started);
}

/// Without this, an envelope would come back for ever without a run.
#[test]
fn every_invocation_starts_a_task_however_low_the_limit_is() {
    let fake = Fake::default();
    fake.execute_within(&[webhooks(1, [3; 5])], 1_000_000, 1);
    assert_eq!(fake.started.borrow().len(), 1);
    assert_eq!(fake.report(0).not_started.len(), 4);
}
