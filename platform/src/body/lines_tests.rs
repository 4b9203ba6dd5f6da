use super::*;
use proptest::prelude::*;

const BOUNDS: PartBounds =
    PartBounds { lines: 4, bytes: 64, line_bytes: 20, costly_lines: 2, costly: &["\"in\"", "ab"] };

/// Cuts a body that arrives in pieces of these lengths, and in one piece after them.
fn cut(bounds: PartBounds, body: &[u8], lengths: &[usize]) -> (Vec<Part>, u64) {
    let (mut cutter, mut parts, mut rest) = (Cutter::new(bounds), Vec::new(), body);
    for length in lengths.iter().copied().chain([body.len()]) {
        let (mut piece, after) = rest.split_at(length.min(rest.len()));
        rest = after;
        while let Some(part) = cutter.take(&mut piece) {
            parts.push(part);
        }
        let line = bounds.line_bytes + BYTE_ORDER_MARK.len() + 2;
        let most = bounds.bytes.max(line) + line;
        assert!(cutter.text.len() <= most, "{} bytes are held", cutter.text.len());
    }
    parts.extend(std::iter::from_fn(|| cutter.finish()));
    assert_eq!(cutter.finish(), None);
    (parts, cutter.ended())
}

fn whole(body: &[u8]) -> Vec<Part> {
    cut(BOUNDS, body, &[]).0
}

/// Returns the texts of the parts, and the numbers of their lines.
fn shown(parts: &[Part]) -> Vec<(&str, Vec<u64>)> {
    let numbers = |part: &Part| part.lines.iter().map(|line| line.number).collect();
    parts.iter().map(|part| (part.text.as_str(), numbers(part))).collect()
}

#[test]
fn lines_end_with_either_end_and_the_last_one_may_have_none() {
    let one = [("{}\n[]\n1\n", vec![1, 2, 3])];
    for body in
        ["{}\n[]\n1", "{}\n[]\n1\n", "{}\r\n[]\r\n1\r\n", "{}\r\n[]\n1\r", "\u{feff}{}\n[]\n1"]
    {
        assert_eq!(shown(&whole(body.as_bytes())), one, "{body:?}");
    }
    // A mark is at the start of a body only.
    assert_eq!(shown(&whole("{}\n\u{feff}1".as_bytes())), [("{}\n\u{feff}1\n", vec![1, 2])]);
}

#[test]
fn blank_lines_are_counted_and_left_out() {
    assert_eq!(shown(&whole(b"\n1\n \t\n\r\n2\n\n")), [("1\n2\n", vec![2, 5])]);
    for body in ["", "\n", " ", "\r\n\r\n", "\u{feff}", "\u{feff}\r\n\n"] {
        assert_eq!(whole(body.as_bytes()), [], "{body:?}");
    }
    let (parts, ended) = cut(BOUNDS, &[b'\n'; 10_000], &[3; 100]);
    assert_eq!((parts, ended), (vec![], 10_000));
}

#[test]
fn a_part_ends_before_the_line_that_exceeds_a_bound() {
    assert_eq!(
        shown(&whole(b"1\n2\n3\n4\n5\n6")),
        [("1\n2\n3\n4\n", vec![1, 2, 3, 4]), ("5\n6\n", vec![5, 6])]
    );
    let line = "x".repeat(20);
    let parts = whole(format!("{line}\n{line}\n{line}\n{line}\n1").as_bytes());
    let numbers: Vec<_> = shown(&parts).into_iter().map(|(_, numbers)| numbers).collect();
    assert_eq!(numbers, [vec![1, 2, 3], vec![4, 5]]);
    // Two lines of a part may be costly.
    let parts = whole(b"{\"in\":1}\nab\n1\nxab\n2");
    assert_eq!(
        parts.iter().map(|part| (part.lines.len(), part.costly_lines)).collect::<Vec<_>>(),
        [(3, 2), (2, 1)]
    );
}

#[test]
fn a_line_beyond_the_bound_is_marked_and_not_kept() {
    let (good, bad) = ("x".repeat(20), "x".repeat(21));
    for end in ["\n", "\r\n"] {
        let parts = whole(format!("\u{feff}{good}{end}{bad}{end}1{end}{bad}").as_bytes());
        assert_eq!(shown(&parts), [(format!("{good}\n1\n").as_str(), vec![1, 2, 3, 4])]);
        let marks: Vec<_> = parts[0].lines.iter().map(|line| line.unreadable).collect();
        let long = Some(Unreadable::TooLong);
        assert_eq!(marks, [None, long, None, long], "{end:?}");
    }
    // A body without the end of a line takes no memory.
    let (parts, ended) = cut(BOUNDS, &[b'x'; 100_000], &[1_000; 100]);
    let line = Line { number: 1, unreadable: Some(Unreadable::TooLong) };
    assert_eq!((parts[0].lines.as_slice(), parts[0].text.as_str(), ended), (&[line][..], "", 1));
}

#[test]
fn a_line_that_is_not_utf8_is_marked_and_does_not_affect_others() {
    let long = "x".repeat(21);
    let parts = whole(&[b"1\n\xff\n", long.as_bytes(), b"\n\xc3\xa9\n"].concat());
    assert_eq!(shown(&parts), [("1\n\u{e9}\n", vec![1, 2, 3, 4])]);
    let marks: Vec<_> = parts[0].lines.iter().map(|line| line.unreadable).collect();
    assert_eq!(marks, [None, Some(Unreadable::NotUtf8), Some(Unreadable::TooLong), None]);
    // The end of a line is never inside a character: one that it cuts is not UTF-8.
    let parts = whole(b"\xc3\n\xa9");
    assert!(parts[0].lines.iter().all(|line| line.unreadable == Some(Unreadable::NotUtf8)));
}

#[test]
fn a_mark_is_found_wherever_it_is() {
    for mark in ["\"schedule\"", "\"calendars\"", "aab", "aa", "a"] {
        for before in 0..25 {
            for filler in ["x", "a", "\"", "e", "s"] {
                let text = format!("{}{mark}x", filler.repeat(before));
                assert!(contains(text.as_bytes(), mark.as_bytes()), "{mark} in {text}");
            }
        }
    }
    for text in ["", "\"sched\"", "schedule", "\"schedulf\"", "\"sschedule\""] {
        assert!(!contains(text.as_bytes(), b"\"schedule\""), "{text}");
    }
}

/// Bodies of the bytes that matter.
fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        4 => Just(b'x'), 3 => Just(b'\n'), 1 => Just(b'\r'), 1 => Just(b' '), 1 => Just(b'a'), 1 => Just(b'b'),
        1 => Just(0xc3), 1 => Just(0xa9), 1 => Just(0xff)
    ];
    let mark = prop_oneof![Just(Vec::new()), Just(BYTE_ORDER_MARK.to_vec())];
    (mark, prop::collection::vec(byte, 0..400)).prop_map(|(mark, rest)| [mark, rest].concat())
}

proptest! {
    #[test]
    fn parts_do_not_depend_on_the_pieces(body in bodies(), lengths in prop::collection::vec(0..9_usize, 0..100)) {
        prop_assert_eq!(cut(BOUNDS, &body, &lengths), cut(BOUNDS, &body, &[]));
    }

    #[test]
    fn every_line_is_in_one_part_in_order_and_within_the_bounds(body in bodies(), lines in 1..5_usize, bytes in 1..80_usize) {
        let bounds = PartBounds { lines, bytes, ..BOUNDS };
        let (parts, ended) = cut(bounds, &body, &[7; 20]);
        // The same by another way: the whole body at once.
        let text = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&body);
        let mut expected: Vec<(u64, &[u8])> = (1..)
            .zip(text.split(|byte| *byte == b'\n'))
            .map(|(number, line)| (number, line.strip_suffix(b"\r").unwrap_or(line)))
            .collect();
        prop_assert!(ended as usize == expected.len() || body.ends_with(b"\n") || body.len() <= BYTE_ORDER_MARK.len());
        expected.retain(|(_, line)| line.len() > BOUNDS.line_bytes || !line.trim_ascii().is_empty());
        let mut expected = expected.into_iter();
        for part in &parts {
            prop_assert!((1..=lines).contains(&part.lines.len()));
            prop_assert!(part.text.len() <= bytes || part.lines.len() == 1);
            prop_assert!(part.costly_lines <= BOUNDS.costly_lines || part.lines.len() == 1);
            let mut texts = part.text.split_terminator('\n');
            for line in &part.lines {
                let (number, bytes) = expected.next().unwrap();
                prop_assert_eq!(line.number, number);
                match line.unreadable {
                    None => prop_assert_eq!(texts.next().map(str::as_bytes), Some(bytes)),
                    Some(Unreadable::TooLong) => prop_assert!(bytes.len() > BOUNDS.line_bytes),
                    Some(Unreadable::NotUtf8) => prop_assert!(std::str::from_utf8(bytes).is_err()),
                }
            }
            prop_assert_eq!(texts.next(), None);
        }
        prop_assert_eq!(expected.next(), None);
    }

    #[test]
    fn a_mark_is_found_exactly_where_it_is(text in "[ab\"]{0,30}", mark in "[ab\"]{1,4}") {
        prop_assert_eq!(contains(text.as_bytes(), mark.as_bytes()), text.contains(&mark));
    }
}
