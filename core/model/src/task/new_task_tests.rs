use super::*;

const LOG: &str = r#""callback":{"type":"handler","name":"log"}"#;

#[test]
fn a_batch_keeps_the_good_among_the_bad() {
    let array = format!(
        "[{{\"id\":\"a\",\"time\":1764000000001,{LOG}}}, 7, {{\"id\":\"b\",\"time\":1764000000002,{LOG}}}, {{\"x\":1}}]"
    );
    let items = parse_batch(&array, false).unwrap();
    assert_eq!(items.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true, false]);
    let lines = format!(
        "{{\"time\":1764000000001,{LOG}}}\n\n  \nnope\n{{\"time\":1764000000002,{LOG}}}\r\n"
    );
    let items = parse_batch(&lines, true).unwrap();
    assert_eq!(items.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
    assert_eq!(parse_batch("{}", false).unwrap_err().field, "body");
    assert_eq!(parse_batch("[1,", false).unwrap_err().field, "body");
    let too_many = format!("[{}1]", "1,".repeat(MAX_BATCH_ITEMS));
    assert!(
        parse_batch(&too_many, false)
            .unwrap_err()
            .detail
            .contains("more than 20000 items, which is the limit")
    );
}
