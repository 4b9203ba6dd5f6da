use super::*;

const START: UnixMillis = UnixMillis::new(1_764_000_000_000);

struct Asking {
    allocator: Allocator,
    now: UnixMillis,
    count: u32,
    conversations: Conversations,
    /// The conversation of each shard.
    begun: BTreeMap<String, Conversation>,
}

impl Asking {
    fn new(concurrency: Option<u32>, per_second: Option<f64>) -> Self {
        let mut allocator = Allocator::default();
        allocator.set(Limit { concurrency, per_second }, START);
        Self {
            allocator,
            now: START,
            count: 0,
            conversations: Conversations::default(),
            begun: BTreeMap::new(),
        }
    }

    fn ask(&mut self, shard: &str, slots: u32, in_flight: u32, waiting: u32) -> Answer {
        self.count += 1;
        let ask = LeaseRequest {
            number: RequestNumber(1, self.count),
            slots,
            in_flight,
            waiting,
            conversation: None,
        };
        self.ask_so(shard, ask).expect("the newest request gets an answer")
    }

    /// Sends a request in the conversation of the shard, and starts a conversation if necessary.
    fn ask_so(&mut self, shard: &str, mut ask: LeaseRequest) -> Option<Answer> {
        for _ in 0..2 {
            ask.conversation = self.begun.get(shard).copied();
            let answer = self.allocator.ask(shard, &ask, self.now, &mut self.conversations).0?;
            let Some(begun) = answer.conversation else { return Some(answer) };
            self.begun.insert(shard.to_owned(), begun);
        }
        panic!("the limiter starts conversation after conversation")
    }
}

#[test]
fn a_key_without_a_limit_is_not_limited() {
    let mut asking = Asking::new(None, None);
    asking.allocator.remove();
    let answer = asking.ask("a", 0, 0, 1);
    assert_eq!((answer.slots, answer.target, answer.tokens), (NO_LIMIT, NO_LIMIT, None));
}

#[test]
fn a_lone_shard_gets_all_that_it_can_use() {
    let mut asking = Asking::new(Some(10), None);
    assert_eq!(asking.ask("a", 0, 0, 4).slots, 4);
    let answer = asking.ask("a", 4, 4, 100);
    assert_eq!((answer.slots, answer.target), (10, 10));
}

#[test]
fn slots_are_divided_by_what_each_shard_can_use() {
    let mut asking = Asking::new(Some(10), None);
    assert_eq!(asking.ask("a", 0, 0, 100).slots, 10);
    let b = asking.ask("b", 0, 0, 2);
    assert_eq!((b.slots, b.target), (0, 2), "slots in use are not granted again");
    let a = asking.ask("a", 10, 10, 90);
    assert_eq!((a.slots, a.target), (10, 8));
    // Two runs have ended. The shard returns their slots, and they go to a shard without one.
    assert_eq!(asking.ask("a", 8, 8, 90).slots, 8);
    assert_eq!(asking.ask("b", 0, 0, 2).slots, 2);
    for shard in ["c", "a", "b"] {
        asking.ask(shard, 0, 0, 50);
    }
    assert_eq!(
        ["a", "b", "c"].map(|shard| asking.ask(shard, 0, 0, 50).target).iter().sum::<u32>(),
        10
    );
}

#[test]
fn with_fewer_slots_than_shards_each_shard_has_its_turn() {
    let mut asking = Asking::new(Some(1), None);
    assert_eq!(asking.ask("a", 0, 0, 9).slots, 1);
    for waiting in ["b", "c"] {
        let answer = asking.ask(waiting, 0, 0, 9);
        assert_eq!((answer.slots, answer.target), (0, u32::from(waiting == "b")), "{waiting}");
    }
    let mut turns = Vec::new();
    let mut holder = "a";
    for _ in 0..6 {
        assert_eq!(asking.ask(holder, 1, 1, 9).target, 0, "others wait");
        assert_eq!(
            asking.ask(holder, 0, 0, 9).slots,
            0,
            "it has returned the slot and waits behind the others"
        );
        let got: Vec<&str> = ["c", "b", "a"]
            .into_iter()
            .filter(|shard| asking.ask(shard, 0, 0, 9).slots == 1)
            .take(1)
            .collect();
        holder = got[0];
        turns.push(holder);
    }
    assert_eq!(turns, ["b", "c", "a", "b", "c", "a"]);
}

#[test]
fn a_silent_shard_keeps_its_slots_and_does_not_delay_others() {
    let mut asking = Asking::new(Some(2), None);
    assert_eq!(asking.ask("a", 0, 0, 9).slots, 2);
    assert_eq!(asking.ask("dead", 0, 0, 9).slots, 0);
    assert_eq!(asking.ask("a", 1, 1, 9).slots, 1, "the other slot is for b, which waits");
    asking.now = asking.now.plus(HEARD_MILLIS);
    assert_eq!(asking.ask("b", 0, 0, 9).slots, 1, "b has been silent for too long");
    assert_eq!(asking.ask("c", 0, 0, 9).slots, 0, "a keeps the other slot");
}

#[test]
fn late_and_repeated_requests_change_nothing() {
    let mut asking = Asking::new(Some(5), None);
    let ask = |count, slots, waiting| LeaseRequest {
        number: RequestNumber(1, count),
        slots,
        in_flight: slots,
        waiting,
        conversation: None,
    };
    assert_eq!(asking.ask_so("a", ask(2, 0, 3)).unwrap().slots, 3);
    assert_eq!(asking.ask_so("a", ask(1, 0, 5)), None);
    assert_eq!(asking.ask_so("a", ask(2, 0, 3)).unwrap().slots, 3);
    assert_eq!(asking.ask_so("b", ask(1, 0, 5)).unwrap().slots, 2);
    assert_eq!(asking.ask_so("a", ask(3, 1, 0)).unwrap().slots, 1);
    assert_eq!(asking.ask_so("a", ask(2, 0, 3)), None);
    let next_life = LeaseRequest { number: RequestNumber(2, 1), ..ask(1, 0, 0) };
    assert_eq!(asking.ask_so("a", next_life).unwrap().slots, 0);
}

#[test]
fn a_lowered_limit_waits_until_slots_are_returned() {
    let mut asking = Asking::new(None, Some(100.0));
    assert_eq!(asking.ask("a", 0, 0, 9).slots, NO_LIMIT);
    asking.allocator.set(Limit { concurrency: Some(3), per_second: None }, START);
    assert_eq!(asking.ask("b", 0, 0, 9).slots, 0, "a does not know of it yet");
    let a = asking.ask("a", NO_LIMIT, 5, 9);
    assert_eq!((a.slots, a.target), (NO_LIMIT, 2));
    assert_eq!(asking.ask("a", 5, 5, 9).slots, 5);
    assert_eq!(asking.ask("b", 0, 0, 9).slots, 0);
    assert_eq!(asking.ask("a", 2, 2, 9).slots, 2);
    assert_eq!(asking.ask("b", 0, 0, 9).slots, 1);
}

#[test]
fn shards_take_turns_in_getting_tokens() {
    let mut asking = Asking::new(None, Some(10.0));
    let mut got = std::collections::BTreeMap::new();
    for _ in 0..10_000 {
        asking.now = asking.now.plus(1);
        // The first shard sends requests more often than the others.
        for shard in ["a", "a", "b", "c"] {
            *got.entry(shard).or_insert(0) += asking.ask(shard, NO_LIMIT, 0, 9).tokens.unwrap();
        }
    }
    assert_eq!(got.values().sum::<u32>(), 100, "ten per second");
    assert!(got.values().all(|tokens| (30..=36).contains(tokens)), "{got:?}");
}

/// Rates were rounded to thousandths, so one run a minute was exceeded by one run in an hour, and
/// others were never reached.
#[test]
fn every_rate_keeps_its_bound_and_is_reached() {
    for rate in [0.001, 0.0014, 0.0015, 0.0105, 1.0 / 60.0, 0.016_666_7, 0.333_33, 2.5, 99_999.999]
    {
        let mut asking = Asking::new(None, Some(rate));
        let end = START.plus(((500_f64 / rate).clamp(10.0, 200_000.0) * 1_000.0) as i64);
        let mut got = 0;
        loop {
            let answer = asking.ask("a", NO_LIMIT, 0, 1_000_000);
            got += u64::from(answer.tokens.unwrap());
            asking.now = asking.now.plus(i64::from(answer.retry_after_millis.max(1)));
            if asking.now > end {
                break;
            }
        }
        let seconds = end.since(START) as f64 / 1_000.0;
        let (got, most) = (got as f64, rate * (seconds + 1.0) + 1.0);
        assert!(got <= most, "{got} runs in {seconds} s at {rate}; the bound is {most}");
        assert!(got >= 0.999 * rate * seconds - 1.0, "{got} runs in {seconds} s at {rate}");
    }
}
