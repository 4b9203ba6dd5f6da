//! Checks that hold for any text given to the preview. The fuzz target and the ordinary tests share
//! them.

use scheduler_calendar::time::UnixMillis;
use scheduler_model::bounds::MAX_PREVIEW_RUNS;
use scheduler_model::schedule::preview;

/// 2025-11-24T16:00:00Z.
const NOW: UnixMillis = UnixMillis::new(1_764_000_000_000);

/// Input: the body of a request.
pub(crate) fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let preview = match preview(text, NOW) {
        Ok(preview) => preview,
        Err(error) => {
            assert!(!error.detail.is_empty());
            assert!(error.detail.len() < 20_000, "{} bytes of detail", error.detail.len());
            return;
        }
    };
    assert!(preview.runs.len() <= MAX_PREVIEW_RUNS);
    assert!(!preview.more || !preview.runs.is_empty());
    assert!(preview.runs.is_sorted_by(|one, other| one.time < other.time && one.due < other.due));
    for run in &preview.runs {
        assert!((UnixMillis::ZERO..=UnixMillis::LAST).contains(&run.time), "{:?}", run.time);
        assert!(run.due >= run.time);
        assert_eq!(run.clock_change.is_some(), run.explanation.is_some());
        // The local time is the same instant, except for the seconds of historical offsets.
        let local = chrono::DateTime::parse_from_rfc3339(&run.local).expect("RFC 3339");
        assert!(
            (local.timestamp_millis() - run.time.get()).abs() < 60_000,
            "{} is not {:?}",
            run.local,
            run.time
        );
    }
}
