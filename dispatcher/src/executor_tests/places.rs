//! How the places are shared among envelopes, destinations and namespaces.

use super::super::MAX_IN_FLIGHT;
use super::fake::{Fake, envelope, mixed};
use crate::turns::MAX_UNPROVEN;

#[test]
fn a_hanging_destination_does_not_delay_the_others_of_its_envelope() {
    let fake = Fake::default();
    let tasks = [("hang", 10_000); 30].into_iter().chain([("good", 20); 5]);
    fake.execute(&[mixed("1-0", 1, tasks)], 1_000_000);
    let report = fake.report(0);
    assert!(report.done.iter().all(|done| done.started_at.get() <= 100), "{report:?}");
    assert_eq!(
        report.done.iter().map(|done| done.index).collect::<Vec<_>>(),
        (30..35).collect::<Vec<_>>()
    );
    // The hanging destination got the six places once the others were done, and no second round.
    assert_eq!(report.no_answer, (0..6).collect::<Vec<_>>());
    assert_eq!(report.failed.len(), 6);
    assert_eq!(report.not_started, (6..30).collect::<Vec<_>>());
    assert!(fake.reported_at(0) <= 10_100);
}

#[test]
fn a_hanging_destination_does_not_delay_another_envelope_or_namespace() {
    for shard in ["1-0", "1-1", "other:1-0"] {
        let fake = Fake::default();
        fake.execute(
            &[mixed("1-0", 1, [("hang", 10_000); 30]), mixed(shard, 2, [("good", 20); 5])],
            1_000_000,
        );
        assert!(fake.reported_at(1) <= 100, "{shard}: {:?}", fake.reported_at(1));
        assert_eq!(fake.report(0).no_answer.len(), 6);
        assert!(fake.reported_at(0) <= 10_100);
    }
}

#[test]
fn an_unproven_destination_gets_two_places_while_others_wait() {
    let fake = Fake::default();
    let tasks = [("hang", 10_000); 40].into_iter().chain([("good", 100); 50]);
    let others = mixed("1-1", 2, [("better", 100); 100]);
    let more = mixed("1-2", 3, [("best", 100); 100]);
    let last = mixed("1-3", 4, [("good", 100); 100]);
    let many = [mixed("1-0", 1, tasks), others, more, last, mixed("1-4", 5, [("good", 100); 100])];
    fake.execute(&many, 1_000_000);
    assert_eq!(fake.most_hanging.get(), MAX_UNPROVEN);
    assert_eq!(fake.most_in_flight.get(), MAX_IN_FLIGHT);
    // The others had the other four places for their 450 tasks of 100 ms.
    assert!(fake.now.get() <= 450 * 100 / 4 + 500, "{}", fake.now.get());
    let report = fake.report(0);
    assert_eq!((report.no_answer, report.not_started.len()), (vec![0, 1], 38));
}

#[test]
fn several_hanging_destinations_leave_a_place_for_the_good_one() {
    let fake = Fake::default();
    let hanging = (0..5)
        .flat_map(|n| [["hang a", "hang b", "hang c", "hang d", "hang e"][n]; 10])
        .map(|name| (name, 10_000));
    fake.execute(&[mixed("1-0", 1, hanging.chain([("good", 10); 40]))], 1_000_000);
    let report = fake.report(0);
    assert!(report.done.iter().all(|done| done.started_at.get() <= 400), "{report:?}");
    assert_eq!(report.done.len(), 40);
}

#[test]
fn a_destination_that_recovers_is_not_given_up() {
    let fake = Fake::default();
    fake.execute(
        &[envelope(
            1,
            [14, 20, 20, 20, 20, 20].into_iter().chain([20; 40]).chain([14]).chain([20; 40]),
        )],
        1_000_000,
    );
    let report = fake.report(0);
    assert_eq!((report.no_answer, report.done.len()), (vec![0, 46], 85));
    assert!(report.not_started.is_empty());
}

#[test]
fn a_failure_is_an_answer() {
    let fake = Fake::default();
    fake.execute(&[envelope(1, [13; 50])], 1_000_000);
    let report = fake.report(0);
    assert_eq!((report.failed.len(), report.no_answer.len(), report.not_started.len()), (50, 0, 0));
}

#[test]
fn only_slow_destinations_are_given_up_after_a_while() {
    let fake = Fake::default();
    fake.execute(&[mixed("1-0", 1, [("slow", 8_000); 100])], 1_000_000);
    let report = fake.report(0);
    // Four rounds of six tasks had started by then.
    assert_eq!(
        (report.done.len(), report.not_started.len(), fake.reported_at(0)),
        (24, 76, 32_000)
    );
    let fake = Fake::default();
    fake.execute(
        &[mixed("1-0", 1, [("slow", 8_000); 100]), mixed("1-1", 2, [("steady", 3_000); 100])],
        1_000_000,
    );
    assert!(fake.report(1).not_started.is_empty());
    assert_eq!(fake.report(1).done.len(), 100);
    assert!(fake.reported_at(0) <= 40_000, "{}", fake.reported_at(0));
}

#[test]
fn namespaces_share_the_places() {
    let fake = Fake::default();
    let mut texts: Vec<String> =
        (0..9).map(|n| mixed(&format!("1-{n}"), n, [("x", 100); 100])).collect();
    texts.push(mixed("small:1-0", 9, [("x", 100); 30]));
    fake.execute(&texts, 10_000_000);
    // The small namespace gets three of the six places.
    assert!(fake.reported_at(9) <= 1_100, "{}", fake.reported_at(9));
}
