//! A filter as a request gives it.

use crate::input::{FieldError, Text, TimeInput};
use crate::protocol::{Filter, Kind, Status};
use schemars::JsonSchema;
use serde::Deserialize;

/// Which tasks are meant: those that fulfil every part that is given.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[schemars(
    rename = "Filter",
    description = "Which tasks are meant: those that fulfil every part that is given."
)]
pub struct FilterInput<'a> {
    /// The id starts with this.
    #[serde(borrow)]
    prefix: Option<Text<'a>>,
    /// The description contains this, upper and lower case alike.
    #[serde(borrow)]
    text: Option<Text<'a>>,
    /// The tags include this.
    #[serde(borrow)]
    tag: Option<Text<'a>>,
    /// The kind of schedule.
    kind: Option<Kind>,
    /// The status.
    status: Option<Status>,
    /// The task is due at this time or later.
    #[serde(borrow)]
    from: Option<TimeInput<'a>>,
    /// The task is due before this time.
    #[serde(borrow)]
    to: Option<TimeInput<'a>>,
}

impl FilterInput<'_> {
    /// Checks its texts and times.
    ///
    /// # Errors
    /// Names the field that does not hold.
    pub fn check(&self) -> Result<Filter, FieldError> {
        let text = |text: &Option<Text<'_>>| text.as_ref().map(|text| text.0.clone().into_owned());
        let filter = Filter {
            prefix: text(&self.prefix),
            text: text(&self.text),
            tag: text(&self.tag),
            kind: self.kind,
            status: self.status,
            from: self.from.as_ref().map(|time| time.instant("filter.from")).transpose()?,
            to: self.to.as_ref().map(|time| time.instant("filter.to")).transpose()?,
        };
        filter.check("filter.")?;
        Ok(filter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use scheduler_calendar::time::UnixMillis;

    fn checked(text: &str) -> Result<Filter, FieldError> {
        serde_json::from_str::<FilterInput<'_>>(text).unwrap().check()
    }

    #[test]
    fn filters_are_read_and_their_times_checked() {
        let filter = checked(
            r#"{"prefix":"a\"","kind":"cron","status":"paused","from":"2026-12-01T00:00:00Z","to":1795704299000}"#,
        );
        let expected = Filter {
            prefix: Some("a\"".to_owned()),
            kind: Some(Kind::Cron),
            status: Some(Status::Paused),
            from: Some(UnixMillis::new(1_796_083_200_000)),
            to: Some(UnixMillis::new(1_795_704_299_000)),
            ..Filter::default()
        };
        assert_eq!(filter, Ok(expected));
        assert_eq!(checked("{}"), Ok(Filter::default()));
        for (name, limit) in [("prefix", 256), ("text", 1_024), ("tag", 64)] {
            let given = |bytes: usize| checked(&format!(r#"{{"{name}":"{}"}}"#, "x".repeat(bytes)));
            assert!(given(limit).is_ok(), "{name}");
            assert_eq!(
                given(limit + 1).map_err(|problem| problem.field.into_owned()),
                Err(format!("filter.{name}"))
            );
        }
        for (text, field) in [
            (r#"{"from":0}"#, "filter.from"),
            (r#"{"to":1795704299}"#, "filter.to"),
            (r#"{"to":"2026"}"#, "filter.to"),
        ] {
            assert_eq!(
                checked(text).map_err(|problem| problem.field.into_owned()),
                Err(field.to_owned()),
                "{text}"
            );
        }
    }
}
