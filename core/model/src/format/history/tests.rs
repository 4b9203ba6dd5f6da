use super::*;
use scheduler_calendar::time::UnixMillis;

const FIRED: UnixMillis = UnixMillis::new(1_764_000_000_000);

fn run(id: &str, outcome: Outcome) -> Run<'_> {
    Run {
        id: id.into(),
        time: Some(FIRED.plus(-5)),
        attempt: 1,
        outcome,
        was_dispatched: outcome.has_run(),
        ran: None,
        status: None,
        error: "".into(),
        excerpt: "".into(),
        stage: "".into(),
        target: None,
        tags: Vec::new(),
        by: "".into(),
    }
}

fn failed() -> Run<'static> {
    Run {
        attempt: 300,
        ran: Some(Ran { started_at: FIRED.plus(70), millis: 1_000 }),
        status: Some(503),
        error: "no".into(),
        excerpt: "é".into(),
        ..run("b", Outcome::Failed)
    }
}

fn to_host<'a>(run: Run<'a>, tags: &[&'a str]) -> Run<'a> {
    let target = Some(Target { kind: TargetKind::Webhook, name: "a.example".into() });
    Run { target, tags: tags.iter().map(|tag| (*tag).into()).collect(), ..run }
}

fn chunk(runs: &[Run<'_>], reported_at: UnixMillis) -> Vec<u8> {
    let mut builder = ChunkBuilder::new(FIRED, reported_at);
    runs.iter().for_each(|run| builder.push(run));
    builder.finish().unwrap()
}

fn bytes_of(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

fn hex_of(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn all(row: &[u8]) -> Vec<(u32, Past<'_>)> {
    newest_first(row, None, u32::MAX, UnixMillis::ZERO, 10).unwrap()
}

fn past(run: Run<'_>) -> Past<'_> {
    Past { run, fired_at: FIRED, reported_at: FIRED.plus(2_000) }
}

/// These bytes never change, because rows contain them: an entry with a target, one with all
/// fields, and one of a cancelled task without a time.
#[test]
fn golden_bytes() {
    let cancelled =
        Run { time: None, attempt: 0, by: "ops".into(), ..run("a", Outcome::Cancelled) };
    let runs = [
        to_host(run("a", Outcome::Succeeded), &["mail"]),
        to_host(failed(), &["mail", "eu"]),
        cancelled,
    ];
    let golden = concat!(
        "025f0000000300",
        "00e897b69a010000d0ef97b69a010000",
        "5b6e8ca99b9ff31a5b6e8ca9",
        "0409612e6578616d706c65046d61696c026575036f7073",
        "09006001610901000101",
        "17016f016209ac028c01e807f703026e6f02c3a900020102",
        "0706800161000004"
    );
    assert_eq!(hex_of(&chunk(&runs, FIRED.plus(2_000))), golden);
    let [first, second, third] = runs;
    let expected = [(2, past(third)), (1, past(second)), (0, past(first))];
    assert_eq!(all(&bytes_of(golden)), expected);
}

/// These bytes never change: what versions before targets and tags have stored can be read.
#[test]
fn golden_bytes_of_the_first_version() {
    // The head, the two hashes, and the two entries.
    let stored = bytes_of(concat!(
        "0135000000020000e897b69a010000d0ef97b69a010000",
        "5b6e8ca99b9ff31a",
        "06000001610901",
        "13010f016209ac028c01e807f703026e6f02c3a9"
    ));
    assert_eq!(all(&stored), [(1, past(failed())), (0, past(run("a", Outcome::Succeeded)))]);
    // An attempt of a follow-up.
    let mut stored = bytes_of("0100000000010000e897b69a010000d0ef97b69a0100005b6e8ca9");
    stored.extend(bytes_of("10001001610901096f6e53756363657373"));
    stored[1] = (stored.len() - 5) as u8;
    let follow_up = Run { stage: "onSuccess".into(), ..run("a", Outcome::Succeeded) };
    assert_eq!(all(&stored), [(0, past(follow_up))]);
}

/// The bytes of an attempt at a webhook. The envelope has a hundred tasks, each with an id of its
/// own and two tags that all of them share.
#[test]
fn a_target_and_shared_tags_take_few_bytes() {
    let of = |is_told: bool| {
        let runs: Vec<_> = (0..100)
            .map(|n| {
                let run = Run {
                    id: format!("0198c0de-1234-7abc-8def-{n:012}").into(),
                    ran: Some(Ran { started_at: FIRED.plus(70), millis: 120 }),
                    status: Some(204),
                    ..run("", Outcome::Succeeded)
                };
                if is_told { to_host(run, &["reminders", "eu"]) } else { run }
            })
            .collect();
        chunk(&runs, FIRED).len()
    };
    let (without, with) = (of(false), of(true));
    assert_eq!((without.div_ceil(100), with - without), (52, 400 + 23));
}

#[test]
fn a_text_beyond_the_searched_ones_is_stored_again() {
    let tags: Vec<String> = (0..100).map(|n| format!("tag-{n}")).collect();
    let runs: Vec<_> = (0..200)
        .map(|n| Run {
            tags: vec![tags[n % 100].as_str().into()],
            ..to_host(run("a", Outcome::Succeeded), &[])
        })
        .collect();
    let row = chunk(&runs, FIRED);
    let read = newest_first(&row, None, u32::MAX, UnixMillis::ZERO, 1_000).unwrap();
    assert_eq!(read.into_iter().rev().map(|(_, past)| past.run).collect::<Vec<_>>(), runs);
}

#[test]
fn a_chunk_computes_its_size_and_a_run_its_most_bytes() {
    let longest = Run {
        time: Some(UnixMillis::new(i64::MIN + 1)),
        attempt: u32::MAX,
        ran: Some(Ran { started_at: UnixMillis::new(i64::MAX), millis: u32::MAX }),
        status: Some(u16::MAX),
        stage: "onSuccess".into(),
        ..to_host(failed(), &["one", "another"])
    };
    let cancelled =
        Run { time: None, attempt: 0, by: "somebody".into(), ..run("a", Outcome::Cancelled) };
    let mut builder = ChunkBuilder::new(FIRED, FIRED);
    assert!(builder.is_empty());
    for run in [run("a", Outcome::Succeeded), failed(), longest, cancelled] {
        let before = builder.bytes();
        builder.push(&run);
        let added = builder.bytes() - before;
        assert!(added > 0 && added <= run.most_bytes(), "{run:?}");
    }
    // The number of texts needs a second byte.
    let tags: Vec<String> = (0..200).map(|n| n.to_string()).collect();
    for tag in &tags {
        let before = builder.bytes();
        let run = to_host(run("a", Outcome::Succeeded), &[tag]);
        builder.push(&run);
        assert!(builder.bytes() - before <= run.most_bytes());
    }
    let bytes = builder.bytes();
    assert_eq!(builder.finish().map(|chunk| chunk.len()), Some(bytes));
}

#[test]
fn a_search_walks_backwards_from_any_place_by_id_and_by_age() {
    let ids = |n: usize| (0..n).map(|n| if n.is_multiple_of(3) { "a" } else { "b" });
    let mut row = Vec::new();
    for n in 0..4 {
        let runs: Vec<_> = ids(5).map(|id| run(id, Outcome::Succeeded)).collect();
        row.extend(chunk(&runs, FIRED.plus(n)));
    }
    let places = |id, before, since, limit| -> Vec<u32> {
        newest_first(&row, id, before, since, limit)
            .unwrap()
            .into_iter()
            .map(|(place, _)| place)
            .collect()
    };
    assert_eq!(places(Some("a"), u32::MAX, FIRED, 100), [18, 15, 13, 10, 8, 5, 3, 0]);
    assert_eq!(places(Some("a"), 13, FIRED, 100), [10, 8, 5, 3, 0]);
    assert_eq!(places(Some("a"), 13, FIRED, 2), [10, 8]);
    assert_eq!(places(Some("a"), u32::MAX, FIRED.plus(2), 100), [18, 15, 13, 10]);
    assert_eq!(places(None, 3, FIRED, 100), [2, 1, 0]);
    assert_eq!(places(Some("c"), u32::MAX, FIRED, 100), [0; 0]);
}

#[test]
fn a_search_returns_the_accepted_runs_and_counts_the_row() {
    let mut row = Vec::new();
    for n in 0..3 {
        let runs =
            [run("a", Outcome::Succeeded), failed(), to_host(run("c", Outcome::Failed), &[])];
        row.extend(chunk(&runs, FIRED.plus(n)));
    }
    let has_target = |run: &Run<'_>| run.target.is_some();
    let before = |reported_at: UnixMillis| reported_at < FIRED.plus(2);
    let searched = search(&row, None, u32::MAX, before, has_target, 100).unwrap();
    let places: Vec<_> = searched.found.iter().map(|(place, _)| *place).collect();
    assert_eq!((places, searched.count), (vec![5, 2], 9));
    let searched = search(&row, None, 5, |_| true, has_target, 100).unwrap();
    assert_eq!((searched.found.len(), searched.count), (1, 5));
}

#[test]
fn unknown_data_of_a_later_version_is_skipped() {
    let mut row = chunk(&[run("a", Outcome::Other(77))], FIRED);
    // An entry has further bytes after the known fields. Its length includes them.
    let grown = row.len();
    row[1] += 1;
    row[grown - 7] += 1;
    row.push(b'?');
    let mut later = chunk(&[run("a", Outcome::Succeeded), run("a", Outcome::Succeeded)], FIRED);
    later[0] = 3;
    row.extend(later);
    row.extend(chunk(&[run("a", Outcome::Skipped)], FIRED));
    let found = newest_first(&row, Some("a"), u32::MAX, UnixMillis::ZERO, 10).unwrap();
    let outcomes: Vec<_> = found.iter().map(|(place, past)| (*place, past.run.outcome)).collect();
    assert_eq!(outcomes, [(3, Outcome::Skipped), (0, Outcome::Other(77))]);
}

#[test]
fn outcomes_keep_their_codes_and_names() {
    for code in 0..=u8::MAX {
        assert_eq!(Outcome::of_code(code).code(), code);
    }
    let names =
        ["succeeded", "failed", "dead-lettered", "handed-over", "expired", "skipped", "cancelled"];
    assert_eq!(Outcome::KNOWN.map(Outcome::name), names);
    assert_eq!(Outcome::KNOWN.map(Outcome::code), [0, 1, 2, 3, 4, 5, 6]);
    assert_eq!(Outcome::Other(7).name(), "other-7");
}

#[test]
fn kinds_of_targets_keep_their_codes() {
    for code in 0..8 {
        assert_eq!(TargetKind::of_code(code).code(), code);
    }
    let codes = TargetKind::NAMES.map(|(kind, _)| kind.code());
    assert_eq!((codes, TargetKind::of_code(7).name()), ([0, 1, 2, 3, 4], "other"));
}

#[test]
fn a_truncated_or_changed_row_is_an_error_and_no_panic() {
    let row = chunk(&[to_host(run("a", Outcome::Succeeded), &["x"]), failed()], FIRED);
    for cut in 1..row.len() {
        assert!(
            newest_first(&row[..cut], None, u32::MAX, UnixMillis::ZERO, 10).is_err(),
            "cut at {cut}"
        );
    }
    for at in 0..row.len() {
        for bit in 0..8 {
            let mut changed = row.clone();
            changed[at] ^= 1 << bit;
            let _ = newest_first(&changed, None, u32::MAX, UnixMillis::ZERO, 10);
            let _ = newest_first(&changed, Some("b"), u32::MAX, UnixMillis::ZERO, 10);
        }
    }
}
