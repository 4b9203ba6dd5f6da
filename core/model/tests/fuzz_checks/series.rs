//! Checks that hold for any bytes given as stored series. The fuzz target and the ordinary tests
//! share them.

use scheduler_model::format::series::StoredSeries;
use scheduler_model::series::{Resolution, SeriesSum};

/// Input: series as the state stores them, before base64.
pub(crate) fn check(data: &[u8]) {
    let Ok(series) = StoredSeries::decode(data) else { return };
    // What was read can be written and read.
    assert_eq!(StoredSeries::decode(&series.encode()).as_ref(), Ok(&series));
    assert_eq!(StoredSeries::from_text(&series.to_text()).as_ref(), Ok(&series));
    for by in [Resolution::Minute, Resolution::Hour] {
        let points = series.points(by).to_vec();
        assert!(points.is_sorted_by(|one, next| one.number < next.number), "in order, none twice");
        // They can be shown, whatever the time is.
        for point in points.iter().take(3).chain(points.last()) {
            let mut sum = SeriesSum::new(by, by.start(point.number));
            sum.add(Some(&series));
            sum.add(Some(&series));
            assert_eq!(sum.shown().buckets.len(), by.kept());
        }
    }
}
