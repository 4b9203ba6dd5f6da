use super::*;
use crate::Config;
use crate::engine::lanes::pair::Pair;
use scheduler_model::numbers::EnvelopeSeq;
use scheduler_model::protocol::{
    Among, Change, ChangeRequest, Changed, Filter, LetterOutcome, RunRequest,
};
use serde_json::Value;

const EVERY: &str = r#""everySeconds":1,"anchor":1764000000000,"#;

fn pair() -> Pair {
    Pair::with(Config { max_dispatched: usize::MAX, ..Config::default() })
}

/// Fires what is due a second later, and lets each of its envelopes fail.
fn fail_next(pair: &mut Pair) {
    pair.now = pair.now.plus(1_000);
    for (seq, ..) in pair.wake() {
        pair.fail(seq, true, "no");
    }
}

/// Lists dead letters in requests of `limit` each. Returns the records.
fn listed(pair: &mut Pair, filter: &Filter, limit: usize) -> Vec<Value> {
    let (mut records, mut after) = (Vec::new(), None);
    loop {
        let request =
            ListRequest { filter: filter.clone(), after, limit, ..ListRequest::default() };
        let reply = pair.input(|engine, _, reader| {
            Ok((engine.dead_letters(&request, reader)?, Effects::default()))
        });
        assert!(reply.items.len() <= limit);
        assert!(reply.items.iter().all(|item| item.status == Status::Dead));
        let places = reply.items.iter().map(|item| item.position);
        assert!(places.is_sorted(), "{reply:?}");
        records.extend(
            reply
                .items
                .iter()
                .map(|item| serde_json::from_str::<Value>(item.record.get()).unwrap()),
        );
        if reply.next.is_none() {
            return records;
        }
        assert!(reply.next > after, "the cursor does not advance");
        after = reply.next;
    }
}

fn times(records: &[Value], name: &str) -> Vec<i64> {
    records.iter().map(|record| record[name].as_i64().unwrap() % 1_000_000).collect()
}

fn id_of(record: &Value) -> DeadLetterId {
    DeadLetterId::of(&Record::parse(record.to_string().as_bytes()).unwrap())
}

fn about(letters: &[&DeadLetterId]) -> DeadLettersRequest {
    DeadLettersRequest {
        letters: letters.iter().map(|letter| (*letter).clone()).collect(),
        changed: None,
    }
}

fn replay(pair: &mut Pair, request: &DeadLettersRequest) -> DeadLettersReply {
    pair.input(|engine, now, reader| engine.replay(request, now, reader))
}

fn discard(pair: &mut Pair, letters: &[&DeadLetterId]) -> Vec<LetterOutcome> {
    let request = about(letters);
    pair.input(|engine, now, reader| engine.discard(&request, now, reader)).outcomes
}

fn read(pair: &mut Pair, letter: &DeadLetterId) -> Option<ListItem> {
    pair.input(|engine, _, reader| Ok((engine.dead_letter(letter, reader)?, Effects::default())))
}

/// The nominal times rise, but the runs die in another order.
#[test]
fn dead_letters_are_listed_by_when_they_died_the_newest_first() {
    let mut pair = pair();
    for n in 0..30_i64 {
        // Large records get pages of their own among pages of small records.
        let text = "x".repeat(if n % 3 == 0 { 50_000 } else { 10 });
        pair.create(
            "",
            &format!("task-{n}"),
            Some(pair.now.plus(1_000)),
            &format!(r#""description":"{text}","#),
        );
    }
    pair.now = pair.now.plus(1_000);
    let mut envelopes: Vec<EnvelopeSeq> = pair.wake().into_iter().map(|(seq, ..)| seq).collect();
    envelopes.reverse();
    for seq in envelopes {
        pair.now = pair.now.plus(10);
        pair.fail(seq, true, "no");
    }
    for restarts in [false, true] {
        for limit in [1, 7, 1_000] {
            let letters = listed(&mut pair, &Filter::default(), limit);
            assert_eq!(letters.len(), 30);
            let died = times(&letters, "failedAt");
            assert!(died.is_sorted_by(|newer, older| newer >= older), "{died:?}");
            assert!(died.first() > died.last());
        }
        if restarts {
            pair.restart();
        }
    }
}

/// A page of the list left out a dead letter if a task had been added to its page of the log.
#[test]
fn a_new_task_hides_no_dead_letter_from_a_reader() {
    for created in 1..4 {
        let mut pair = pair();
        for n in 0..4 {
            pair.create("", &format!("old-{n}"), Some(pair.now.plus(1_000)), "");
        }
        fail_next(&mut pair);
        let mut page = |after| {
            let request = ListRequest { after, limit: 1, ..ListRequest::default() };
            let reply = pair.input(|engine, _, reader| {
                Ok((engine.dead_letters(&request, reader)?, Effects::default()))
            });
            for n in 0..created {
                let id = format!("new-{n}-{}", reply.items.len());
                pair.create("", &id, Some(pair.now.plus(60_000)), "");
            }
            reply
        };
        let (mut ids, mut after) = (Vec::new(), None);
        loop {
            let reply = page(after);
            ids.extend(
                reply.items.iter().map(|item| {
                    Record::parse(item.record.get().as_bytes()).unwrap().id.into_owned()
                }),
            );
            after = reply.next;
            if after.is_none() {
                break;
            }
        }
        ids.sort();
        assert_eq!(ids, ["old-0", "old-1", "old-2", "old-3"], "{created} created");
    }
}

/// The times of a filter were compared with due times, and no dead letter was ever due. So a
/// request to discard those of the last hour discarded all.
#[test]
fn a_filter_compares_its_times_with_the_times_of_death() {
    for aged in [false, true] {
        let mut pair = pair();
        pair.create("", "every", None, EVERY);
        pair.create("", "later", Some(pair.now.plus(900_000)), "");
        pair.create("", "unscheduled", None, "");
        (0..6).for_each(|_| fail_next(&mut pair));
        if aged {
            pair.age_dead_letters();
        }
        let start = UnixMillis::new(1_764_000_000_000);
        let between = |from: i64, to: i64| Filter {
            from: Some(start.plus(from)),
            to: Some(start.plus(to)),
            status: Some(Status::Dead),
            ..Filter::default()
        };
        let filter = between(2_000, 5_000);
        let mut died = times(&listed(&mut pair, &filter, 2), "failedAt");
        died.sort_unstable();
        assert_eq!(died, [2_000, 3_000, 4_000]);
        // The list of tasks, with a status and without.
        for status in [filter.status, None] {
            let filter = Filter { status, ..filter.clone() };
            let request = ListRequest { filter, limit: 100, ..ListRequest::default() };
            let reply = pair.input(|engine, _, reader| {
                Ok((engine.list(&request, reader)?, Effects::default()))
            });
            let statuses: Vec<Status> = reply.items.iter().map(|item| item.status).collect();
            assert_eq!(statuses, [Status::Dead; 3], "aged: {aged}");
        }
        let only_from = Filter { to: None, status: None, ..between(5_000, 0) };
        let request = ListRequest { filter: only_from, limit: 100, ..ListRequest::default() };
        let reply = pair
            .input(|engine, _, reader| Ok((engine.list(&request, reader)?, Effects::default())));
        let count = |status| reply.items.iter().filter(|item| item.status == status).count();
        // A task without a schedule has no time.
        assert_eq!(
            (count(Status::Dead), count(Status::Scheduled), count(Status::Unscheduled)),
            (2, 2, 0)
        );
        let request = ListRequest { filter, limit: 100, ..ListRequest::default() };
        let reply = pair.input(|engine, now, reader| engine.cancel_matching(&request, now, reader));
        assert_eq!((reply.cancelled, reply.next), (3, None));
        let mut left = times(&listed(&mut pair, &Filter::default(), 100), "failedAt");
        left.sort_unstable();
        assert_eq!(left, [1_000, 5_000, 6_000]);
    }
}

/// Only the records of these dead letters have the time of death. Newer dead letters come before
/// them.
#[test]
fn dead_letters_of_earlier_versions_come_last_and_have_ids() {
    let mut pair = pair();
    pair.create("", "every", None, EVERY);
    pair.create("", "unscheduled", None, "");
    (0..3).for_each(|_| fail_next(&mut pair));
    pair.age_dead_letters();
    (0..2).for_each(|_| fail_next(&mut pair));
    for limit in [1, 2, 100] {
        let letters = listed(&mut pair, &Filter::default(), limit);
        let died = times(&letters, "failedAt");
        assert_eq!(died[..2], [5_000, 4_000]);
        assert_eq!(died.len(), 5);
    }
    let letters: Vec<DeadLetterId> =
        listed(&mut pair, &Filter::default(), 100).iter().map(id_of).collect();
    for letter in &letters {
        assert!(read(&mut pair, letter).is_some(), "{letter}");
    }
    assert_eq!(replay(&mut pair, &about(&[&letters[4]])).outcomes, [LetterOutcome::Done]);
    assert_eq!(discard(&mut pair, &[&letters[3], &letters[0]]), [LetterOutcome::Done; 2]);
    pair.restart();
    let left: Vec<DeadLetterId> =
        listed(&mut pair, &Filter::default(), 100).iter().map(id_of).collect();
    assert_eq!(left, letters[1..3]);
}

/// A request that named the task's id changed the schedule instead of the dead letter.
#[test]
fn dead_letters_of_a_recurring_task_are_replayed_and_discarded_without_its_schedule() {
    let mut pair = pair();
    pair.create("", "every", None, EVERY);
    (0..3).for_each(|_| fail_next(&mut pair));
    let schedule = |pair: &Pair| {
        let item = pair.engine.get("every", pair.reader()).unwrap().unwrap();
        (item.status, item.position.due, item.record.get().to_owned())
    };
    let before = schedule(&pair);
    let letters: Vec<DeadLetterId> =
        listed(&mut pair, &Filter::default(), 100).iter().map(id_of).collect();
    let reply = replay(&mut pair, &about(&[&letters[1]]));
    assert_eq!(reply.outcomes, [LetterOutcome::Done]);
    let run: Value = serde_json::from_str(reply.item.unwrap().record.get()).unwrap();
    assert_eq!(run["time"].as_i64(), Some(letters[1].time.get()));
    assert_eq!(run["replayedAt"].as_i64(), Some(pair.now.get()));
    assert!(run.get("failedAt").is_none() && run.get("error").is_none(), "{run}");
    assert_eq!(discard(&mut pair, &[&letters[0]]), [LetterOutcome::Done]);
    assert_eq!(schedule(&pair), before);
    // Neither of these two exists any more. The third one stays until it is discarded.
    assert_eq!(
        discard(&mut pair, &[&letters[1], &letters[2], &letters[0]]),
        [LetterOutcome::NotFound, LetterOutcome::Done, LetterOutcome::NotFound]
    );
    assert_eq!(replay(&mut pair, &about(&[&letters[1]])).outcomes, [LetterOutcome::NotFound]);
    // The replayed run fires once, and dies with another id.
    pair.now = pair.now.plus(1);
    let fired: usize = pair
        .wake()
        .into_iter()
        .map(|(seq, _, tasks)| {
            pair.fail(seq, true, "again");
            tasks
        })
        .sum();
    assert_eq!(fired, 1);
    let letters_now = listed(&mut pair, &Filter::default(), 100);
    assert_eq!(letters_now.len(), 1);
    let again = id_of(&letters_now[0]);
    assert_eq!((again.time, again.task), (letters[1].time, "every".to_owned()));
}

#[test]
fn a_replay_may_have_another_callback_and_another_payload() {
    let mut pair = pair();
    pair.create("", "a", Some(pair.now.plus(500)), r#""payload":{"n":1},"#);
    fail_next(&mut pair);
    let letter = id_of(&listed(&mut pair, &Filter::default(), 1)[0]);
    let changed = |bytes: usize| DeadLettersRequest {
        changed: Some(ChangedLetter {
            callback: r#"{"type":"queue","queue":"OTHER"}"#.to_owned(),
            payload: Some(format!("\"{}\"", "x".repeat(bytes))),
        }),
        ..about(&[&letter])
    };
    let too_large = replay(&mut pair, &changed(MAX_RECORD_BYTES));
    assert_eq!(too_large.outcomes, [LetterOutcome::TooLarge]);
    assert!(read(&mut pair, &letter).is_some());
    let reply = replay(&mut pair, &changed(10));
    let run: Value = serde_json::from_str(reply.item.unwrap().record.get()).unwrap();
    assert_eq!(
        (run["payload"].as_str(), run["callback"]["queue"].as_str()),
        (Some("xxxxxxxxxx"), Some("OTHER"))
    );
    assert_eq!(run["id"], "a");
    let effects = pair.input(|engine, now, reader| {
        let effects = engine.wake(now, reader)?;
        Ok((effects.clone(), effects))
    });
    assert_eq!(effects.sends[0].destination, crate::Destination::Queue("OTHER".to_owned()));
}

/// Both runs have the same time, because they were requested within a millisecond, and both fail in
/// one report. With the same id they would look the same.
#[test]
fn no_two_dead_letters_have_the_same_id() {
    let mut pair = pair();
    pair.create("", "a", None, "");
    let run = ChangeRequest {
        ids: vec!["a".to_owned()],
        change: Change::Run,
        if_match: None,
        pause: None,
    };
    let mut envelopes = Vec::new();
    for _ in 0..2 {
        for _ in 0..3 {
            pair.change_within(&run, None).unwrap();
        }
        envelopes.extend(pair.wake());
        // A run that is requested at the time of a firing is due after that time.
        let requested = pair.now;
        pair.now = pair.now.plus(1);
        envelopes.extend(pair.wake());
        pair.now = requested;
    }
    for (seq, ..) in envelopes {
        pair.fail(seq, true, "no");
    }
    let ids: HashSet<DeadLetterId> =
        listed(&mut pair, &Filter::default(), 100).iter().map(id_of).collect();
    assert_eq!(ids.len(), 6);
}

#[test]
fn the_newest_dead_letter_represents_its_task() {
    let mut pair = pair();
    for n in 0..3 {
        pair.create("", "a", Some(pair.now.plus(500)), &format!(r#""description":"{n}","#));
        fail_next(&mut pair);
    }
    let item = pair.engine.get("a", pair.reader()).unwrap().unwrap();
    assert!(item.record.get().contains(r#""description":"2""#), "{}", item.record.get());
}

fn run_with(pair: &mut Pair, id: &str, payload: &str) -> Changed {
    let request =
        RunRequest { ids: vec![id.to_owned()], if_match: None, payload: payload.to_owned() };
    pair.input(|engine, now, reader| engine.run_among(&request, Among::All, None, now, reader))
        .outcomes[0]
}

#[test]
fn a_requested_run_can_have_its_own_payload() {
    let mut pair = pair();
    let given = r#""payload":{"n":1},"#;
    pair.create("", "every", None, &format!(r#""everySeconds":60,"anchor":1764000000000,{given}"#));
    pair.create("", "unscheduled", None, given);
    pair.create("", "once", Some(pair.now.plus(60_000)), given);
    pair.create("", "dead", Some(pair.now), given);
    for (seq, ..) in pair.wake() {
        pair.fail(seq, true, "no");
    }
    pair.create("", "due", Some(pair.now), given);
    pair.now = pair.now.plus(5);
    let ids = ["every", "unscheduled", "once", "due", "dead"];
    for id in ids {
        assert_eq!(
            run_with(&mut pair, id, &format!("\"{}\"", "x".repeat(MAX_RECORD_BYTES))),
            Changed::TooLarge
        );
        assert_eq!(run_with(&mut pair, id, r#"{"n":2}"#), Changed::Changed, "{id}");
    }
    // Without a payload, the request leaves a task that is due as it is.
    let request = ChangeRequest {
        ids: vec!["once".to_owned()],
        change: Change::Run,
        if_match: None,
        pause: None,
    };
    assert_eq!(pair.change_within(&request, None).unwrap().outcomes, [Changed::Unchanged]);
    pair.restart();
    let effects = pair.input(|engine, now, reader| {
        let effects = engine.wake(now, reader)?;
        Ok((effects.clone(), effects))
    });
    let text = String::from_utf8(effects.sends[0].text.to_vec()).unwrap();
    assert_eq!(text.matches(r#""payload":{"n":2}"#).count(), ids.len(), "{text}");
    for id in ["every", "unscheduled"] {
        let item = pair.engine.get(id, pair.reader()).unwrap().unwrap();
        assert!(item.record.get().contains(given.trim_end_matches(',')), "{}", item.record.get());
    }
}
