//! Queries of requests, written.

use crate::address::segment_after;
use crate::input::Text;
use crate::protocol::Filter;
use serde_json::value::RawValue;

/// Returns the name of a variant of an enum without fields, which is always a JSON text.
fn name_of(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default().trim_matches('"').to_owned()
}

/// The query of a request: `?` and parameters, or nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query(String);

impl Query {
    /// Adds a parameter.
    pub fn add(&mut self, name: &str, value: &str) {
        let mark = if self.0.is_empty() { '?' } else { '&' };
        let start = std::mem::take(&mut self.0);
        self.0 = segment_after(&format!("{start}{mark}{name}="), value);
    }

    /// Adds a parameter that may be absent.
    pub(super) fn add_text(&mut self, name: &str, value: &Option<Text<'_>>) {
        if let Some(Text(value)) = value {
            self.add(name, value);
        }
    }

    /// Adds a parameter that may be absent, and that may be a string or a number.
    pub(super) fn add_raw(&mut self, name: &str, value: Option<&RawValue>) {
        let Some(value) = value else { return };
        match serde_json::from_str::<Text<'_>>(value.get()) {
            Ok(Text(text)) => self.add(name, &text),
            Err(_) => self.add(name, value.get()),
        }
    }

    /// Returns the query for the tasks that match a filter.
    pub fn of(filter: &Filter) -> Self {
        let mut query = Self::default();
        for (name, value) in [
            ("prefix", filter.prefix.clone()),
            ("text", filter.text.clone()),
            ("tag", filter.tag.clone()),
            ("tag", filter.other_tag.clone()),
            ("callbackHost", filter.callback_host.clone()),
            ("callbackType", filter.callback_type.map(|kind| name_of(&kind))),
            ("error", filter.error.clone()),
            ("lastOutcome", filter.last_outcome.map(|outcome| name_of(&outcome))),
            ("kind", filter.kind.map(|kind| name_of(&kind))),
            ("status", filter.status.map(|status| name_of(&status))),
            ("paused", filter.paused.map(|paused| paused.to_string())),
            ("from", filter.from.map(|time| time.to_string())),
            ("to", filter.to.map(|time| time.to_string())),
        ] {
            if let Some(value) = value {
                query.add(name, &value);
            }
        }
        query
    }

    /// Returns the query as it follows a path.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::list_query::{each_or_several, parse_list_query};
    use crate::protocol::{CallbackType, Kind, LastOutcome, Status};
    use scheduler_calendar::time::UnixMillis;
    use url::Url;

    #[test]
    fn the_query_of_a_filter_is_read_as_that_filter() {
        let filters = [
            Filter::default(),
            Filter {
                prefix: Some("a&b=c\"".to_owned()),
                text: Some("ä +%".to_owned()),
                tag: Some("x".to_owned()),
                other_tag: Some("y".to_owned()),
                callback_host: Some("a.example".to_owned()),
                callback_type: Some(CallbackType::DurableObject),
                error: Some("#1?".to_owned()),
                last_outcome: Some(LastOutcome::DeadLettered),
                kind: Some(Kind::Cron),
                status: Some(Status::Dead),
                paused: Some(true),
                from: Some(UnixMillis::new(1_796_083_200_000)),
                to: Some(UnixMillis::new(1_796_083_300_000)),
            },
        ];
        for filter in filters {
            let query = Query::of(&filter);
            let url = Url::parse(&format!("https://a.example/v1/tasks{}", query.as_str())).unwrap();
            let read = parse_list_query(&mut each_or_several(url.query_pairs())).unwrap();
            assert_eq!(read.filter, filter, "{query:?}");
        }
    }
}
