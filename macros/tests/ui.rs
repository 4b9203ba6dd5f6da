//! What does not hold is refused at compile time, with the place marked. After a change of the
//! messages: `TRYBUILD=overwrite cargo test -p scheduler-macros --test ui`.

#[test]
fn what_does_not_hold_is_marked() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
