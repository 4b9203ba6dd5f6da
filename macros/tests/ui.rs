//! Invalid uses of the attribute are refused at compile time, and the error marks the place. After
//! a change of the messages, run `TRYBUILD=overwrite cargo test -p scheduler-macros --test ui`.

#[test]
fn errors_mark_their_place() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
