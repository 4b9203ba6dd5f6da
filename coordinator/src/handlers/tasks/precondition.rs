//! The preconditions of a `PUT`, and of a `POST` of one task.

use crate::clients::epochs::find;
use crate::conditions::Condition;
use crate::context::Call;
use crate::problem::Problem;
use scheduler_model::epochs::Rank;
use scheduler_model::protocol::Expected;
use scheduler_model::routing::ShardId;
use scheduler_model::task::version_of;

/// What `If-Match` or `If-None-Match` require of the task with the id.
pub(crate) enum Precondition {
    None,
    /// A condition that a shard checks by itself.
    Expected(Expected),
    /// A condition that needs a read of the task first.
    Condition(Condition),
    /// The task has none of these tags. May be combined with `If-Match`.
    NoneOf {
        seen: Condition,
        if_match: Option<Condition>,
    },
}

impl Precondition {
    /// Reads the headers.
    pub(crate) fn of(call: &Call<'_>) -> Result<Self, Problem> {
        match (call.if_match()?, call.if_none_match()?) {
            (None, None) => Ok(Self::None),
            (None, Some(Condition::Any)) => Ok(Self::Expected(Expected::Absent)),
            (Some(condition), None) => Ok(match condition.only_version() {
                Some(version) => Self::Expected(Expected::Version(version)),
                None => Self::Condition(condition),
            }),
            (if_match, Some(seen)) => Ok(Self::NoneOf { seen, if_match }),
        }
    }

    pub(crate) fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// Returns whether the precondition may still hold after another writer has changed the task.
    pub(crate) fn is_open(&self) -> bool {
        match self {
            Self::Condition(condition) => *condition == Condition::Any,
            Self::NoneOf { if_match, .. } => {
                if_match.as_ref().is_none_or(|condition| *condition == Condition::Any)
            }
            Self::None | Self::Expected(_) => false,
        }
    }
}

/// The text is part of what an `Idempotency-Key` covers, so the form of earlier versions must not
/// change.
impl std::fmt::Debug for Precondition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Expected(expected) => write!(f, "Some({expected:?})"),
            Self::Condition(condition) => condition.fmt(f),
            Self::NoneOf { seen, if_match } => write!(f, "NoneOf({seen:?}, {if_match:?})"),
        }
    }
}

/// Returns what a shard must find under the id, and which shard, because the task may be on a shard
/// of an older epoch. If the condition names several versions, the result has the version of the
/// task. If the task has none of them, the result has the first one: the shard then refuses the
/// request, or recognizes it by its `Idempotency-Key`.
pub(crate) async fn where_expected(
    call: &Call<'_>,
    precondition: &Precondition,
    id: Option<&str>,
) -> Result<Option<(ShardId, Expected)>, Problem> {
    let (Some(id), false) = (id, matches!(precondition, Precondition::None)) else {
        return Ok(None);
    };
    let found = find(&call.shards, id).await?;
    let version = found.as_ref().map(|(_, item)| version_of(item.record.get().as_bytes()));
    // A new task goes to the newest epoch, even if there is a dead letter with its id in another.
    let is_dead = found.as_ref().is_some_and(|(_, item)| Rank::of(item) == Rank::Dead);
    let shard =
        found.filter(|_| !is_dead).map_or_else(|| call.shards.map.home(id), |(shard, _)| shard);
    let expected = if is_dead {
        beside_dead_letter(precondition, version)
    } else {
        expected(precondition, version)
    };
    Ok(expected?.map(|expected| (shard, expected)))
}

/// Returns what a shard must find, if the task has this version now.
fn expected(
    precondition: &Precondition,
    version: Option<u64>,
) -> Result<Option<Expected>, Problem> {
    Ok(Some(match precondition {
        Precondition::None => return Ok(None),
        Precondition::Expected(expected) => *expected,
        Precondition::Condition(condition) => allowed(condition, version)?,
        Precondition::NoneOf { seen, if_match } => {
            if version.is_some_and(|version| seen.names(version)) {
                return Err(Problem::seen_already());
            }
            match (if_match, version) {
                (Some(condition), _) => allowed(condition, version)?,
                (None, Some(version)) => Expected::Version(version),
                (None, None) => Expected::Absent,
            }
        }
    }))
}

/// Returns what a shard must find, if there is no task but a dead letter with this version. A new
/// task does not replace the dead letter, so no task may be there. A read shows the dead letter, so
/// tags are compared with it. `If-None-Match: *` applies to tasks only.
fn beside_dead_letter(
    precondition: &Precondition,
    dead: Option<u64>,
) -> Result<Option<Expected>, Problem> {
    let allows = |condition: &Condition| dead.is_some_and(|version| condition.allows(version));
    let names = |seen: &Condition| {
        *seen != Condition::Any && dead.is_some_and(|version| seen.names(version))
    };
    match precondition {
        Precondition::None => Ok(None),
        Precondition::Expected(Expected::Version(version)) if dead != Some(*version) => {
            Ok(Some(Expected::Version(*version)))
        }
        Precondition::Condition(condition)
        | Precondition::NoneOf { if_match: Some(condition), .. }
            if !allows(condition) =>
        {
            Err(Problem::not_matched())
        }
        Precondition::NoneOf { seen, .. } if names(seen) => Err(Problem::seen_already()),
        _ => Ok(Some(Expected::Absent)),
    }
}

/// Returns what a shard must find for `If-Match` to hold, if the task has this version now.
fn allowed(condition: &Condition, version: Option<u64>) -> Result<Expected, Problem> {
    match (version, condition.strong_versions()) {
        (Some(version), None) => Ok(Expected::Version(version)),
        (None, None) => Err(Problem::not_matched()),
        (version, Some(allowed)) => {
            let version =
                version.filter(|version| allowed.contains(version)).or(allowed.first().copied());
            version.map(Expected::Version).ok_or_else(Problem::not_matched)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(text: &str) -> Condition {
        Condition::parse("If-Match", text).unwrap()
    }

    /// The conditions of a PUT after a GET has shown a dead letter with the version 10.
    #[test]
    fn the_tag_of_a_dead_letter_holds_for_a_new_task_beside_it() {
        let (shown, other) = (r#""000000000000000a.000000000000000b""#, r#""000000000000000c""#);
        let version = |version| Precondition::Expected(Expected::Version(version));
        let none_of = |seen: &str, if_match: Option<&str>| Precondition::NoneOf {
            seen: tags(seen),
            if_match: if_match.map(tags),
        };
        let (absent, failed) = (Ok(Some(Expected::Absent)), Err(412));
        for (precondition, expected) in [
            (Precondition::None, Ok(None)),
            (Precondition::Expected(Expected::Absent), absent),
            (version(10), absent),
            // The shard refuses it, or recognizes the request by its key.
            (version(12), Ok(Some(Expected::Version(12)))),
            (Precondition::Condition(Condition::Any), absent),
            (Precondition::Condition(tags(&format!("{other}, {shown}"))), absent),
            (Precondition::Condition(tags(&format!("{other}, W/{shown}"))), failed),
            (none_of(shown, None), failed),
            (none_of(other, None), absent),
            (none_of(other, Some(shown)), absent),
            (none_of(other, Some(other)), failed),
            (none_of(shown, Some(shown)), failed),
            (none_of("*", Some(shown)), absent),
        ] {
            let given = format!("{precondition:?}");
            assert_eq!(
                beside_dead_letter(&precondition, Some(10))
                    .map_err(|problem| problem.kind.status()),
                expected,
                "{given}"
            );
        }
    }
}
