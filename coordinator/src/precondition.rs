//! What a PUT, or a POST of a task, says must stand under its id.

use crate::answer::Problem;
use crate::conditions::Condition;
use crate::routes::Call;
use crate::tasks;
use scheduler_core::routing::ShardId;
use scheduler_core::task::version_of;
use scheduler_core::wire::Expected;

/// What `If-Match` or `If-None-Match` say must stand under the id of a task.
pub(crate) enum Precondition {
    None,
    /// What a shard checks by itself.
    Expected(Expected),
    /// What the task has to be read for.
    Condition(Condition),
    /// That the task is none of these; and what `If-Match` says beside it.
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

    /// Returns whether it does not hold where there is no task.
    pub(crate) fn needs_a_task(&self) -> bool {
        match self {
            Self::None | Self::Expected(Expected::Absent) => false,
            Self::Expected(Expected::Version(_)) | Self::Condition(_) => true,
            Self::NoneOf { if_match, .. } => if_match.is_some(),
        }
    }

    /// Returns whether it may hold for what another writer has made of the task meanwhile.
    pub(crate) fn is_open(&self) -> bool {
        match self {
            Self::Condition(condition) => *condition == Condition::Any,
            Self::NoneOf { if_match, .. } => if_match.as_ref().is_none_or(|condition| *condition == Condition::Any),
            Self::None | Self::Expected(_) => false,
        }
    }
}

/// It is part of what an `Idempotency-Key` stands for, so what was written of it before stays as it was.
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
    };
    Ok(Some((shard, expected)))
}

/// What a shard has to find for `If-Match` to hold, where the task has this version now.
fn allowed(condition: &Condition, version: Option<u64>) -> Result<Expected, Problem> {
    match (version, condition.strong_versions()) {
        (Some(version), None) => Ok(Expected::Version(version)),
        (None, None) => Err(Problem::not_matched()),
        (version, Some(allowed)) => {
            let version = version.filter(|version| allowed.contains(version)).or(allowed.first().copied());
            version.map(Expected::Version).ok_or_else(Problem::not_matched)
        }
    }
}
