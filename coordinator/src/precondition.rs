//! What a PUT says must stand under its id.

use crate::answer::Problem;
use crate::conditions::Condition;
use crate::routes::Call;
use crate::tasks;
use scheduler_core::routing::ShardId;
use scheduler_core::task::{FieldError, version_of};
use scheduler_core::wire::Expected;

/// What `If-Match` or `If-None-Match` say must stand under the id of a PUT.
pub(crate) enum Precondition {
    None,
    /// What a shard checks by itself.
    Expected(Expected),
    /// What the task has to be read for.
    Condition(Condition),
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
            _ => {
                let detail = "must be * and stand alone: create only where no task waits";
                Err(Problem::invalid(FieldError::new("If-None-Match", detail)))
            }
        }
    }

    /// Returns whether it asks only that there is a task.
    pub(crate) fn is_any(&self) -> bool {
        matches!(self, Self::Condition(Condition::Any))
    }
}

/// It is part of what an `Idempotency-Key` stands for, so what was written of it before stays as it was.
impl std::fmt::Debug for Precondition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Expected(expected) => write!(f, "Some({expected:?})"),
            Self::Condition(condition) => condition.fmt(f),
        }
    }
}

/// What a shard has to find under the id, and which shard: what is expected may stand in an older epoch. Of several versions it is the
/// one that the task has; where it has none of them, the first, for the shard to refuse, or to know the request by its
/// `Idempotency-Key`.
pub(crate) async fn where_expected(
    call: &Call<'_>,
    precondition: &Precondition,
    id: Option<&str>,
) -> Result<Option<(ShardId, Expected)>, Problem> {
    let (Some(id), false) = (id, matches!(precondition, Precondition::None)) else { return Ok(None) };
    // A new task goes to the newest epoch, wherever a dead letter of its id is.
    let found = tasks::find(&call.shards, id).await?.filter(|(_, item)| tasks::rank(item) > tasks::Rank::Dead);
    let version = found.as_ref().map(|(_, item)| version_of(item.record.get().as_bytes()));
    let shard = found.map_or_else(|| call.shards.map.home(id), |(shard, _)| shard);
    let expected = match precondition {
        Precondition::None => return Ok(None),
        Precondition::Expected(expected) => *expected,
        Precondition::Condition(condition) => match (version, condition.strong_versions()) {
            (Some(version), None) => Expected::Version(version),
            (None, None) => return Err(Problem::not_matched()),
            (version, Some(allowed)) => match version.filter(|version| allowed.contains(version)).or(allowed.first().copied()) {
                Some(version) => Expected::Version(version),
                None => return Err(Problem::not_matched()),
            },
        },
    };
    Ok(Some((shard, expected)))
}
