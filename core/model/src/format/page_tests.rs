use super::*;
use crate::numbers::LaneNumber;

/// These bytes never change, because every later version must read stored pages.
#[test]
fn golden_bytes() {
    let mut builder = PageBuilder::default();
    for (hash, due, flags, text) in [
        (
            0x0807_0605_0403_0201,
            UnixMillis::new(0x0000_0190_0000_0002),
            Flags::RETRY.and(Flags::TO_QUEUE),
            "later",
        ),
        (u64::MAX, UnixMillis::new(1), Flags::TASK, "first"),
        (9, UnixMillis::NEVER, Flags::DEAD_LETTER, "never"),
    ] {
        assert!(builder.push(hash, due, flags, |out| out.extend_from_slice(text.as_bytes())));
    }
    let pages = builder.finish();
    assert_eq!(pages.len(), 1);
    assert_eq!(pages[0].body, b"firstlaternever");
    #[rustfmt::skip]
        let expected = [
            1, 0, 3, 0,
            255, 255, 255, 255, 255, 255, 255, 255, 1, 0, 0, 0, 0, 0, 0, 0, 0x50, 0, 0, 0,
            1, 2, 3, 4, 5, 6, 7, 8, 2, 0, 0, 0, 0x90, 1, 5, 0, 0x50, 0, 0, 3,
            9, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 10, 0, 0x50, 0, 0, 4,
        ];
    assert_eq!(pages[0].directory.bytes(), expected);
    assert_eq!(Directory::decode(expected.to_vec(), 15).unwrap(), pages[0].directory);
    assert_eq!(Directory::decode(expected.to_vec(), 14), Err(PageError::Entry(2)));
}

/// These bytes never change, either.
#[test]
fn the_lane_follows_the_version() {
    let entry = Entry { hash: 1, due: UnixMillis::new(2), offset: 0, len: 3, flags: Flags::TASK };
    let mut directory = Directory::new(vec![entry]);
    assert_eq!(directory.lane(), LaneNumber::MAIN);
    directory.set_lane(LaneNumber::new(200));
    assert_eq!(directory.bytes()[..4], [1, 200, 1, 0]);
    let read = Directory::decode(directory.bytes().to_vec(), 3).unwrap();
    assert_eq!((read.lane().get(), read.get(0)), (200, Some(entry)));
}

/// These bytes never change, either.
#[test]
fn an_entry_at_a_local_time_makes_a_directory_of_version_2() {
    let entry = |hash, due, flags| Entry {
        hash,
        due: UnixMillis::new(due),
        offset: 0,
        len: 0x7_fff0,
        flags,
    };
    let plain = entry(1, 2, Flags::TASK);
    let local = entry(2, 3, Flags::TO_QUEUE.and(Flags::LOCAL).with_priority(9));
    let mut directory = Directory::new(vec![plain, local]);
    #[rustfmt::skip]
        let expected = [
            2, 0, 2, 0,
            1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0x7f, 0,
            2, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0x41,
        ];
    assert_eq!(directory.bytes(), expected);
    assert_eq!((directory.get(0), directory.get(1)), (Some(plain), Some(local)));
    assert_eq!(Directory::decode(expected.to_vec(), 0x7_fff0), Ok(directory.clone()));
    assert!(directory.has_local() && local.flags.priority() == 9);
    directory.set_lane(LaneNumber::new(7));
    assert!(directory.has_local());
    // Adding such an entry to a page without one changes the version. A version that does not match
    // the entries is refused.
    let mut grown = Directory::new(vec![plain]);
    assert!(!grown.has_local());
    grown.insert(local);
    assert_eq!(grown.bytes(), expected);
    for (version, entries) in [(1, vec![plain, local]), (2, vec![plain])] {
        let mut bytes = Directory::new(entries).bytes().to_vec();
        bytes[0] = version;
        assert_eq!(Directory::decode(bytes, 0x7_fff0), Err(PageError::Version(version)));
    }
}

/// These bytes never change, either: the versions of keyed directories.
#[test]
fn a_keyed_directory_is_marked_and_otherwise_unchanged() {
    let entry = |flags| Entry { hash: 1, due: UnixMillis::new(2), offset: 0, len: 3, flags };
    for (flags, unkeyed, keyed) in [(Flags::TASK, 1, 3), (Flags::LOCAL, 2, 4)] {
        let mut directory = Directory::new(vec![entry(flags)]);
        assert_eq!((directory.is_keyed(), directory.bytes()[0]), (false, unkeyed));
        assert_eq!(directory.key(|_| Some(9)), Ok(()));
        directory.set_keyed();
        assert_eq!(
            (directory.is_keyed(), directory.bytes()[0], directory.has_local()),
            (true, keyed, flags.has(Flags::LOCAL))
        );
        assert_eq!(Directory::decode(directory.bytes().to_vec(), 3), Ok(directory.clone()));
        assert_eq!(directory.get(0), Some(Entry { hash: 9, ..entry(flags) }));
        directory.insert(entry(Flags::LOCAL));
        assert_eq!(directory.bytes()[0], 4);
    }
    let mut unknown = Directory::new(vec![entry(Flags::TASK)]).bytes().to_vec();
    unknown[0] = 5;
    assert_eq!(Directory::decode(unknown, 3), Err(PageError::Version(5)));
}

#[test]
fn priorities_and_flags_share_their_bits() {
    assert_eq!(Flags::TASK.priority(), DEFAULT_PRIORITY);
    for priority in 0..=MAX_PRIORITY {
        let flags = Flags::RETRY.and(Flags::TO_QUEUE).with_priority(priority);
        assert_eq!(flags.priority(), priority);
        assert!(
            flags.has(Flags::RETRY)
                && flags.has(Flags::TO_QUEUE)
                && !flags.has(Flags::DEAD_LETTER)
                && flags.is_known()
        );
    }
    assert_eq!(Flags::TASK.with_priority(DEFAULT_PRIORITY), Flags::TASK);
    assert!(Flags::CONDITIONAL.is_known() && !Flags(10 << 4).is_known());
    let local = Flags::LOCAL.with_priority(0);
    assert!(
        local.has(Flags::LOCAL)
            && local.is_known()
            && local.priority() == 0
            && local.with_local(true) == local
    );
    assert_eq!(local.with_local(false), Flags::TASK.with_priority(0));
}

#[test]
fn pages_are_cut_in_order_of_due_time() {
    let mut builder = PageBuilder::default();
    for n in 0..5_000_i64 {
        assert!(builder.push(n as u64, UnixMillis::new(n * 7919 % 5_000), Flags::TASK, |out| {
            out.extend_from_slice(&[b'x'; 100])
        }));
    }
    assert!(builder.push(1, UnixMillis::new(2_500), Flags::TASK, |out| {
        out.extend_from_slice(&[b'y'; 100_000])
    }));
    assert!(!builder.push(1, UnixMillis::new(2_500), Flags::TASK, |out| {
        out.extend_from_slice(&[b'y'; MAX_RECORD_BYTES + 1])
    }));
    let pages = builder.finish();
    let dues: Vec<i64> =
        pages.iter().flat_map(|page| page.directory.iter()).map(|entry| entry.due.get()).collect();
    assert_eq!(dues.len(), 5_001);
    assert!(dues.is_sorted());
    assert!(
        pages.iter().all(|page| page.body.len() <= PAGE_TARGET_BYTES || page.directory.len() == 1)
    );
    for page in &pages {
        assert!(Directory::decode(page.directory.bytes().to_vec(), page.body.len()).is_ok());
    }
}

#[test]
fn entries_are_inserted_after_equal_ones_and_raised_in_order() {
    let entry = |hash, due| Entry {
        hash,
        due: UnixMillis::new(due),
        offset: 0,
        len: 1,
        flags: Flags::TASK,
    };
    let mut directory = Directory::new(vec![entry(1, 10), entry(2, 20)]);
    assert_eq!(directory.insert(entry(3, 10)), 1);
    assert_eq!(directory.insert(entry(4, 5)), 0);
    assert_eq!(directory.insert(entry(5, 30)), 4);
    directory.raise_to(UnixMillis::new(12));
    let shown: Vec<(u64, i64)> =
        directory.iter().map(|entry| (entry.hash, entry.due.get())).collect();
    assert_eq!(shown, [(4, 12), (1, 12), (3, 12), (2, 20), (5, 30)]);
    assert_eq!(directory.before(UnixMillis::new(20)), 3);
}
