//! The query of a list of runs.

use super::cursor::RunsCursor;
use super::groups::Order;
use crate::bounds::{DEFAULT_LIST_LIMIT, MAX_DESTINATION_BYTES, MAX_ID_BYTES, MAX_TAG_BYTES};
use crate::format::history::{Outcome, TargetKind};
use crate::hosts::host_of_name;
use crate::input::{FieldError, at_most, parse_time, quoted};
use crate::list_query::{Parameter, parse_limit, unknown_parameter};
use crate::protocol::{MAX_ERROR_CHARS, RunFilter};
use crate::routing::ShardId;

/// The parameters that [`parse_runs_query`] accepts.
pub const RUNS_QUERY: &[&str] = &[
    "outcome",
    "target",
    "callbackHost",
    "tag",
    "prefix",
    "error",
    "from",
    "to",
    "group",
    "order",
    "limit",
    "cursor",
];

/// The query of a list of runs.
#[derive(Debug, Clone, PartialEq)]
pub struct RunsQuery {
    /// The filter of the attempts.
    pub filter: RunFilter,
    /// The order of groups, if similar failures are grouped.
    pub groups: Option<Order>,
    /// The most items; for groups, the most from each shard.
    pub limit: usize,
    /// Where the page begins.
    pub cursor: RunsCursor,
}

/// Parses the parameters of a query for the runs of these shards.
///
/// # Errors
/// Returns an error if a parameter is invalid. The error names it.
pub fn parse_runs_query(
    parameters: &mut dyn Iterator<Item = Parameter<'_>>,
    shards: &[ShardId],
) -> Result<RunsQuery, FieldError> {
    let mut filter = RunFilter::default();
    let (mut limit, mut cursor) = (DEFAULT_LIST_LIMIT, RunsCursor::start(shards.len()));
    let (mut is_grouped, mut order) = (false, None);
    for parameter in parameters {
        let (name, value) = parameter?;
        let value = value.as_ref();
        let is_one_of = |known: &str| {
            FieldError::new(name.to_string(), format!("is {}; must be {known}", quoted(value, 64)))
        };
        match name.as_ref() {
            "outcome" => {
                filter.outcomes = Some(filter.outcomes.unwrap_or_default() | outcomes(value)?);
            }
            "target" | "callbackHost" if filter.target.is_some() => {
                let other = if name == "target" { "callbackHost" } else { "target" };
                let detail =
                    format!("is given beside {other}, and each names the target; give one of them");
                return Err(FieldError::new(name.to_string(), detail));
            }
            "target" => filter.target = Some(target(value)?),
            "callbackHost" => {
                let host = text("callbackHost", value, MAX_DESTINATION_BYTES)?;
                filter.target = Some(format!("webhook:{}", host_of_name(&host, "callbackHost")?));
            }
            "tag" => filter.tags.push(text("tag", value, MAX_TAG_BYTES)?),
            "prefix" => filter.prefix = Some(text("prefix", value, MAX_ID_BYTES)?),
            "error" => filter.error = Some(text("error", value, MAX_ERROR_CHARS)?),
            "from" => filter.from = Some(parse_time("from", value)?),
            "to" => filter.to = Some(parse_time("to", value)?),
            "group" if value == "error" => is_grouped = true,
            "group" => return Err(is_one_of("error")),
            "order" => {
                order = Some(match value {
                    "newest" => Order::Newest,
                    "count" => Order::Count,
                    _ => return Err(is_one_of("newest or count")),
                });
            }
            "cursor" => {
                cursor = RunsCursor::parse(value, shards)
                    .map_err(|problem| FieldError::new("cursor", problem.to_string()))?;
            }
            "limit" => limit = parse_limit(value)?,
            other => return Err(unknown_parameter(other, RUNS_QUERY)),
        }
    }
    if order.is_some() && !is_grouped {
        return Err(FieldError::new("order", "is for groups; give group=error too"));
    }
    let groups = is_grouped.then(|| order.unwrap_or_default());
    Ok(RunsQuery { filter, groups, limit, cursor })
}

/// Checks that a text is not empty and not too long.
fn text(name: &'static str, value: &str, most: usize) -> Result<String, FieldError> {
    at_most(name, value.len(), most)?;
    if value.is_empty() {
        return Err(FieldError::new(name, "is empty; leave it out to mean all"));
    }
    Ok(value.to_owned())
}

/// Parses outcomes into a set. Bit n stands for the outcome with code n.
fn outcomes(value: &str) -> Result<u64, FieldError> {
    let mut bits = 0;
    for name in value.split(',') {
        let known = Outcome::KNOWN.iter().find(|outcome| outcome.name() == name);
        let outcome = known.ok_or_else(|| {
            let known = Outcome::KNOWN.map(Outcome::name).join(", ");
            let detail = format!(
                "has {}, which is not an outcome; give one or more of {known}, separated by commas",
                quoted(name, 64)
            );
            FieldError::new("outcome", detail)
        })?;
        bits |= 1 << outcome.code();
    }
    Ok(bits)
}

/// Parses a target: a type of callback, or a type, a colon and a name.
fn target(value: &str) -> Result<String, FieldError> {
    let target = text("target", value, MAX_DESTINATION_BYTES)?;
    let (kind, name) = value.split_once(':').map_or((value, None), |(of, name)| (of, Some(name)));
    if !TargetKind::NAMES.iter().any(|(_, known)| *known == kind) || name == Some("") {
        let known = TargetKind::NAMES.map(|(_, name)| name).join(", ");
        let detail = format!(
            "is {}; must be one of {known}, alone or with a colon and the host or name, such as webhook:example.com",
            quoted(value, 64)
        );
        return Err(FieldError::new("target", detail));
    }
    match (kind, name) {
        ("webhook", Some(host)) => Ok(format!("webhook:{}", host_of_name(host, "target")?)),
        _ => Ok(target),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::list_query::each_or_several;
    use scheduler_calendar::time::UnixMillis;

    const SHARDS: [ShardId; 1] = [ShardId { epoch: 1, index: 0 }];

    fn parsed(query: &[(&str, &str)]) -> Result<RunsQuery, FieldError> {
        let pairs = query.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        parse_runs_query(&mut each_or_several(pairs), &SHARDS)
    }

    #[test]
    fn every_parameter_is_read() {
        let cursor = RunsCursor::start(1);
        let query = parsed(&[
            ("outcome", "failed,dead-lettered"),
            ("target", "webhook:a.example"),
            ("tag", "mail"),
            ("prefix", "orders/"),
            ("error", "HTTP 5"),
            ("from", "1970-01-01T00:00:01Z"),
            ("to", "1795704299000"),
            ("group", "error"),
            ("order", "count"),
            ("limit", "7"),
            ("cursor", &cursor.text(&SHARDS)),
        ]);
        let filter = RunFilter {
            outcomes: Some(0b110),
            target: Some("webhook:a.example".to_owned()),
            tags: vec!["mail".to_owned()],
            prefix: Some("orders/".to_owned()),
            error: Some("HTTP 5".to_owned()),
            from: Some(UnixMillis::new(1_000)),
            to: Some(UnixMillis::new(1_795_704_299_000)),
        };
        assert_eq!(query, Ok(RunsQuery { filter, groups: Some(Order::Count), limit: 7, cursor }));
        let host = parsed(&[("callbackHost", "A.example")]).unwrap();
        assert_eq!(host.filter.target.as_deref(), Some("webhook:a.example"));
        let host = parsed(&[("callbackHost", "bücher.example.")]).unwrap();
        assert_eq!(host.filter.target.as_deref(), Some("webhook:xn--bcher-kva.example"));
        let several = parsed(&[("outcome", "failed"), ("outcome", "dead-lettered")]).unwrap();
        assert_eq!(several.filter.outcomes, Some(0b110));
        let two = parsed(&[("tag", "a"), ("tag", "b")]).unwrap();
        assert_eq!(two.filter.tags, ["a", "b"]);
        let (all, grouped) = (parsed(&[]).unwrap(), parsed(&[("group", "error")]).unwrap());
        assert_eq!((all.limit, all.groups, all.filter.is_all()), (100, None, true));
        assert_eq!(grouped.groups, Some(Order::Newest));
    }

    #[test]
    fn an_error_names_the_invalid_parameter() {
        for (query, field) in [
            (&[("outcome", "failed,")][..], "outcome"),
            (&[("outcome", "other-7")], "outcome"),
            (&[("target", "mail")], "target"),
            (&[("target", "webhook:")], "target"),
            (&[("target", "webhook:127.0.0.1:8930")], "target"),
            (&[("target", "")], "target"),
            (&[("target", "webhook"), ("callbackHost", "a.example")], "callbackHost"),
            (&[("callbackHost", "a.example"), ("target", "webhook")], "target"),
            (&[("callbackHost", "")], "callbackHost"),
            (&[("tag", "")], "tag"),
            (&[("prefix", "")], "prefix"),
            (&[("error", "")], "error"),
            (&[("error", &"x".repeat(501))], "error"),
            (&[("from", "tomorrow")], "from"),
            (&[("group", "id")], "group"),
            (&[("order", "count")], "order"),
            (&[("group", "error"), ("order", "id")], "order"),
            (&[("limit", "0")], "limit"),
            (&[("limit", "1001")], "limit"),
            (&[("cursor", "x")], "cursor"),
            (&[("id", "x")], "id"),
            (&[("callbackHost", "a.example/b")], "callbackHost"),
            (&[("limit", "7"), ("limit", "7")], "limit"),
        ] {
            assert_eq!(parsed(query).unwrap_err().field, field, "{query:?}");
        }
    }
}
