use super::*;
use crate::protocol::Terms;
use scheduler_calendar::time::UnixMillis;

const IDS: [&str; 1] = ["a"];

fn changed(outcome: Changed) -> Vec<ChangedId> {
    vec![ChangedId { outcome, is_running: false }]
}

fn search(means: Means) -> Search<ChangedId> {
    Search::new(&"2,3".parse().unwrap(), &IDS.map(str::to_owned), means)
}

/// Returns the epochs that get requests in the next round, and what the requests refer to.
fn asks(search: &mut Search<ChangedId>) -> Option<(Among, Vec<u16>)> {
    let (among, by_shard) = search.next_round()?;
    Some((among, by_shard.into_keys().map(|shard| shard.epoch).collect()))
}

/// If the dead letters of two epochs were both moved, an id would have two tasks.
#[test]
fn a_reschedule_moves_one_dead_letter_of_all_epochs() {
    let mut search = search(Means::of(Change::Reschedule(UnixMillis::ZERO.into())));
    for (among, epoch) in [(Among::Live, 2), (Among::Live, 1)] {
        assert_eq!(asks(&mut search), Some((among, vec![epoch])));
        search.answered(vec![0], changed(Changed::NotFound), false);
    }
    assert_eq!(asks(&mut search), Some((Among::Dead, vec![2])));
    search.answered(vec![0], changed(Changed::Changed), false);
    assert_eq!(asks(&mut search), None);
    assert!(is_sent_once(Change::Reschedule(UnixMillis::ZERO.into()), Among::Dead));
}

/// If the newest dead letter cannot be moved, an older one is moved.
#[test]
fn a_reschedule_searches_a_dead_letter_that_can_be_moved() {
    let mut search = search(Means::OneThing);
    for (among, epoch, outcome) in [
        (Among::Live, 2, Changed::NotFound),
        (Among::Live, 1, Changed::NotFound),
        (Among::Dead, 2, Changed::NotApplicable),
        (Among::Dead, 1, Changed::Changed),
    ] {
        assert_eq!(asks(&mut search), Some((among, vec![epoch])));
        search.answered(vec![0], changed(outcome), false);
    }
    assert_eq!(asks(&mut search), None);
    assert_eq!(search.finish(), (changed(Changed::Changed), false));
}

/// The task was cancelled, the answer was lost, and the second try found nothing. Then dead letters
/// were cancelled, too.
#[test]
fn a_dead_letter_is_left_alone_if_a_lost_answer_may_have_changed_the_task() {
    for means in [Means::Everything, Means::OneTask, Means::OneThing] {
        let mut search = search(means);
        let (among, by_shard) = search.next_round().unwrap();
        assert_eq!(among, Among::Live);
        for (n, (_, places)) in by_shard.into_iter().rev().enumerate() {
            search.answered(places, changed(Changed::NotFound), n == 0);
        }
        assert_eq!(asks(&mut search), None, "{means:?}");
        assert_eq!(search.finish(), (changed(Changed::NotFound), true));
    }
}

/// A counted task in an older epoch had its last run, and the answer was lost. The task was created
/// again, with a new count.
#[test]
fn a_task_that_may_have_continued_and_ended_keeps_its_count() {
    let map: ShardMap = "2,3".parse().unwrap();
    for is_repeat in [false, true] {
        let record =
            br#"{"id":"a","everySeconds":1,"callback":{"type":"handler","name":"log"}}"#.to_vec();
        let append = Append { schedules: vec![record], ..Append::default() };
        let mut parts = [ShardAppend {
            shard: map.home("a"),
            append,
            items: vec![0],
            first_due: UnixMillis::ZERO,
        }];
        let mut going_on = GoingOn::new(&map, &parts);
        let (shard, asked) = going_on.next_ask().unwrap();
        assert_eq!((shard.epoch, asked.schedules.len(), asked.terms), (1, 1, Terms::default()));
        going_on.answered(vec![false], is_repeat);
        assert!(going_on.next_ask().is_none());
        assert!(going_on.finish(&mut parts).is_empty());
        let [part] = &mut parts;
        part.append.begin_try(true);
        assert_eq!((part.append.schedules.len(), part.append.terms.again), (1, is_repeat));
    }
}

/// A request says for each task what it leaves open, even if an older epoch has the tasks of two
/// shards on one.
#[test]
fn a_request_to_an_older_shard_has_the_open_fields_of_several_parts() {
    let map: ShardMap = "1,4".parse().unwrap();
    let ids: Vec<String> = (0..40).map(|n| format!("task-{n}")).collect();
    let mut parts: BTreeMap<ShardId, (Append, Vec<u64>)> = BTreeMap::new();
    for (n, id) in ids.iter().enumerate() {
        let (append, hashes) = parts.entry(map.home(id)).or_default();
        append.schedules.push(
            format!(
                r#"{{"id":"{id}","everySeconds":1,"callback":{{"type":"handler","name":"log"}}}}"#
            )
            .into_bytes(),
        );
        hashes.extend((n % 2 == 0).then(|| id_hash(id)));
    }
    let parts = parts.into_iter().map(|(shard, (append, mut hashes))| {
        hashes.sort_unstable();
        let terms = Terms { open_anchors: hashes.clone(), said_paused: hashes, ..Terms::default() };
        ShardAppend {
            shard,
            append: Append { terms, ..append },
            items: vec![],
            first_due: UnixMillis::ZERO,
        }
    });
    let parts: Vec<_> = parts.collect();
    assert_eq!(parts.len(), 4);
    let (_, asked) = GoingOn::new(&map, &parts).next_ask().unwrap();
    let mut expected: Vec<u64> = ids.iter().step_by(2).map(|id| id_hash(id)).collect();
    expected.sort_unstable();
    for mut hashes in [asked.terms.open_anchors, asked.terms.said_paused] {
        hashes.sort_unstable();
        assert_eq!((asked.schedules.len(), hashes), (40, expected.clone()));
    }
}
