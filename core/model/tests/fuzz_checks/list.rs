//! Checks that hold for any query of a list, any filter and any cursor. The fuzz target and the
//! ordinary tests share them.

use scheduler_calendar::time::UnixMillis;
use scheduler_model::bounds::MAX_LIST_LIMIT;
use scheduler_model::events::EventsCursor;
use scheduler_model::list_query::{each_once, each_or_several, parse_list_query};
use scheduler_model::listing::Cursor;
use scheduler_model::protocol::{Filter, RunFilter};
use scheduler_model::routing::ShardId;
use scheduler_model::runs::{RunsCursor, parse_runs_query, pattern_of};
use scheduler_model::task::FilterInput;

/// 1973-03-03. Nobody means an earlier time.
const EARLIEST: UnixMillis = UnixMillis::new(100_000_000_000);

/// Input: a query in the form of a URL, a filter as JSON, or a cursor.
pub(crate) fn check(data: &[u8]) {
    match parse_list_query(&mut each_once(url::form_urlencoded::parse(data))) {
        Ok(query) => {
            assert!((1..=MAX_LIST_LIMIT).contains(&query.limit));
            check_filter(&query.filter);
        }
        Err(error) => {
            assert!(!error.detail.is_empty() && error.detail.len() < 2_000, "{}", error.detail)
        }
    }
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(input) = serde_json::from_str::<FilterInput<'_>>(text) {
        match input.check() {
            Ok(filter) => check_filter(&filter),
            Err(error) => assert!(error.field.starts_with("filter")),
        }
    }
    if let Ok(cursor) = text.parse::<Cursor>() {
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        assert_eq!(cursor.to_string(), text.to_ascii_lowercase());
        for index in [0, 1, u16::MAX] {
            let _ = cursor.after(ShardId { epoch: 1, index });
        }
    }
    let shards = [ShardId { epoch: 1, index: 0 }, ShardId { epoch: 1, index: 1 }];
    if let Ok(cursor) = RunsCursor::parse(text, &shards) {
        assert_eq!(RunsCursor::parse(&cursor.text(&shards), &shards), Ok(cursor));
    }
    let _ = EventsCursor::parse(text, &shards);
    // A search for runs by any text must not panic, and any error must have a pattern.
    let parameters = url::form_urlencoded::parse(data);
    if let Ok(query) = parse_runs_query(&mut each_or_several(parameters), &shards) {
        let json = serde_json::to_string(&query.filter).expect("a filter can be encoded");
        assert_eq!(
            serde_json::from_str::<RunFilter>(&json).expect("an encoded filter can be parsed"),
            query.filter
        );
    }
    assert!(pattern_of(text).len() <= 4 * 201);
}

fn check_filter(filter: &Filter) {
    // The filter is encoded as it is sent to the shards.
    let json = serde_json::to_string(filter).expect("a filter can be encoded");
    assert_eq!(
        serde_json::from_str::<Filter>(&json).expect("an encoded filter can be parsed"),
        *filter
    );
    for time in [filter.from, filter.to].into_iter().flatten() {
        // An earlier time can only be given in RFC 3339, with its year.
        assert!(
            (UnixMillis::ZERO..=UnixMillis::LAST).contains(&time)
                && (time >= EARLIEST || time.get() >= 0)
        );
    }
}
