//! Creates tasks.

use crate::clients::epochs::find;
use crate::clients::epochs::{self, CancelledElsewhere};
use crate::clients::shards::Shards;
use crate::context::Call;
use crate::handlers::tasks::idempotency::{self, Done};
use crate::handlers::tasks::precondition::{Precondition, where_expected};
use crate::handlers::tasks::warnings::{Warning, warnings_of};
use crate::problem::Problem;
use crate::response::Answer;
use crate::sentences::understood;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::batch::{Plan, ShardAppend, plan};
use scheduler_model::idempotency::{IdempotencyKey, RequestSeed};
use scheduler_model::ids::TaskId;
use scheduler_model::input::FieldError;
use scheduler_model::listing::{write_running, write_task};
use scheduler_model::protocol::{AppendReply, Expected, GetRequest, ListItem, Status, paths};
use scheduler_model::routing::ShardId;
use scheduler_model::task::{NewTask, Origin, Record, Validator, parse_one, version_of};
use scheduler_platform::random_bytes;

/// `POST /v1/tasks` and `PUT /v1/tasks/{id}`.
pub(crate) async fn one(mut call: Call<'_>, of_path: Option<String>) -> Result<Answer, Problem> {
    let precondition = Precondition::of(&call)?;
    let text = call.text().await?;
    let once = idempotency::key_of(&call, &format!("one {precondition:?}"), &text)?;
    let task = || {
        let mut task = parse_one(&text).map_err(Problem::invalid)?;
        if let Some(id) = &of_path {
            task.set_id(id).map_err(Problem::invalid)?;
        }
        Ok::<_, Problem>(task)
    };
    // The body of a POST names the task. Without an id in it, the task does not exist yet.
    let id = match &of_path {
        Some(id) => Some(id.clone()),
        None if precondition.is_none() => None,
        None => task()?.id().map(ToOwned::to_owned),
    };
    if id.is_none() && !precondition.is_none() {
        let detail =
            "is not supported without an id in the body: a new task has no version to compare with";
        return Err(Problem::condition_refused(call.condition_given(), detail));
    }
    if let Ok(task) = task() {
        call.load_calendars(&task).await?;
    }
    let expected = where_expected(&call, &precondition, id.as_deref()).await?;
    match &once {
        Some(once) => one_with_key(&call, once, task, expected).await,
        None => one_without_key(&call, &precondition, id.as_deref(), task, expected).await,
    }
}

/// Stores one task of a request without an `Idempotency-Key`. `expected` is what a shard must find
/// under the `id` by the `precondition`.
async fn one_without_key<'a>(
    call: &'a Call<'_>,
    precondition: &Precondition,
    id: Option<&str>,
    task: impl Fn() -> Result<NewTask<'a>, Problem>,
    mut expected: Option<(ShardId, Expected)>,
) -> Result<Answer, Problem> {
    let mut tries = 1;
    while let Some((shard, version)) = expected {
        match replace_on(call, shard, task()?, version, false, |_| None).await {
            // The version of the other writer may fulfill the condition, too.
            Err(problem)
                if problem.is_other_version() && precondition.is_open() && tries < MAX_TRIES =>
            {
                tries += 1
            }
            answer => return answer,
        }
        expected = where_expected(call, precondition, id).await?;
    }
    let (id, mut part) = planned_one(call, task()?)?;
    let id = id.as_str();
    let gone_on = epochs::go_on(&call.shards, std::slice::from_mut(&mut part)).await?;
    if let Some(shard) = gone_on.get(id) {
        epochs::drop_others(&call.shards, std::iter::once((id, Some(*shard)))).await?;
        let (_, item) = find(&call.shards, id).await?.ok_or_else(|| Problem::no_task(id))?;
        return Ok(shown_with_warnings(call, Shown::of(&item), &AppendReply::default(), 200).await);
    }
    let reply = call.shards.append(part.shard, &mut part.append).await?;
    let shown = shown_after(&call.shards, part.shard, &part, id, reply).await?;
    let moved = epochs::drop_others(&call.shards, std::iter::once((id, None))).await?;
    Ok(created(call, shown, reply, &moved).await)
}

/// Stores one task of a request with an `Idempotency-Key`. `expected` is what a shard must find
/// under the id.
async fn one_with_key<'a>(
    call: &'a Call<'_>,
    once: &IdempotencyKey,
    task: impl Fn() -> Result<NewTask<'a>, Problem>,
    expected: Option<(ShardId, Expected)>,
) -> Result<Answer, Problem> {
    let plan = |once: &IdempotencyKey| {
        let mut plan = planned(call, vec![Ok(task()?)], Some(once))?;
        if let Some(Err(problem)) = plan.items.first() {
            return Err(Problem::invalid(problem.clone()));
        }
        if let (Some((shard, expected)), Some(part)) = (expected, plan.appends.first_mut()) {
            part.shard = shard;
            part.append.expected = Some(expected);
            part.append.fresh = false;
        }
        Ok(plan)
    };
    let Done { mut items, parts, is_replay, .. } = idempotency::carry_out(call, once, plan).await?;
    let part = parts.into_iter().find(|(part, _)| !part.items.is_empty());
    let (Some(Ok(id)), Some((part, reply))) = (items.pop(), part) else {
        return Err(Problem::invalid(FieldError::new("body", "has no task")));
    };
    let (id, reply) = (id.as_str(), reply?);
    let shown = shown_after(&call.shards, part.shard, &part, id, reply).await?;
    let moved = match expected {
        Some(_) => CancelledElsewhere::default(),
        None => epochs::drop_others(&call.shards, std::iter::once((id, None))).await?,
    };
    Ok(created(call, shown, reply, &moved).await.replayed(is_replay))
}

/// Returns the answer to a request after which a shard has stored the task with this reply, and
/// `moved` was removed from shards of other epochs.
async fn created(
    call: &Call<'_>,
    shown: Shown,
    reply: AppendReply,
    moved: &CancelledElsewhere,
) -> Answer {
    let is_replaced = reply.replaced > 0 || moved.cancelled > 0;
    let reply = AppendReply { running: reply.running + moved.running, ..reply };
    shown_with_warnings(call, shown, &reply, if is_replaced { 200 } else { 201 }).await
}

/// Returns the answer that shows a task, with the warnings for its record.
async fn shown_with_warnings(
    call: &Call<'_>,
    shown: Shown,
    reply: &AppendReply,
    status: u16,
) -> Answer {
    let warnings = warnings_of(call, &shown.record, reply).await;
    let sentence = understood_of(call, &shown);
    with_more(shown.into_answer(status, reply), &warnings, sentence.as_deref())
}

/// Returns what was understood of the schedule that the request gives in words, so that a caller
/// sees a wrong reading, and in which zone local times were read. Returns `None` if the request
/// gives no schedule in words.
fn understood_of(call: &Call<'_>, shown: &Shown) -> Option<String> {
    if call.sentences.are_given() { understood(&shown.record, call.now) } else { None }
}

/// The most tries to replace a task, if another writer replaces it between the read and the write.
const MAX_TRIES: usize = 5;

/// Stores a task on this shard in one step, if the shard has what is expected. With `tasks_only`,
/// it does not replace an attempt. The answer has the warnings for the stored record, and the
/// warning that `warn` returns for it.
pub(crate) async fn replace_on(
    call: &Call<'_>,
    shard: ShardId,
    task: NewTask<'_>,
    expected: Expected,
    tasks_only: bool,
    warn: impl FnOnce(&Record<'_>) -> Option<Warning>,
) -> Result<Answer, Problem> {
    let (id, mut part) = planned_one(call, task)?;
    part.append.expected = Some(expected);
    part.append.fresh = false;
    part.append.terms.tasks_only = tasks_only;
    let reply = call.shards.append(shard, &mut part.append).await?;
    let shown = shown_after(&call.shards, shard, &part, id.as_str(), reply).await?;
    let lost = Record::parse(shown.record.as_bytes()).ok().as_ref().and_then(warn);
    let mut warnings: Vec<Warning> = lost.into_iter().collect();
    warnings.extend(warnings_of(call, &shown.record, &reply).await);
    let sentence = understood_of(call, &shown);
    let answer = shown.into_answer(if reply.replaced > 0 { 200 } else { 201 }, &reply);
    Ok(with_more(answer, &warnings, sentence.as_deref()))
}

fn planned_one<'a>(
    call: &'a Call<'_>,
    task: NewTask<'a>,
) -> Result<(TaskId<'a>, ShardAppend), Problem> {
    let mut plan = planned(call, vec![Ok(task)], None)?;
    match (plan.items.pop(), plan.appends.pop()) {
        (Some(Ok(id)), Some(part)) => Ok((id, part)),
        (Some(Err(problem)), _) => Err(Problem::invalid(problem)),
        _ => Err(Problem::invalid(FieldError::new("body", "has no task"))),
    }
}

/// Plans tasks. With `once`, the plan is that of the first request with the key.
pub(super) fn planned<'a>(
    call: &'a Call<'_>,
    tasks: Vec<Result<NewTask<'a>, FieldError>>,
    once: Option<&IdempotencyKey>,
) -> Result<Plan<'a>, Problem> {
    let (at, validator) = match once {
        Some(once) => {
            let RequestSeed { at, random } = once.made;
            (at, Validator::new(at, random, call.targets()).with_ids(once.ids()))
        }
        None => {
            let random = random_bytes()
                .map_err(|_| Problem::unavailable("the platform gave no random numbers"))?;
            (call.now, Validator::new(call.now, random, call.targets()))
        }
    };
    let validator = validator.with_origin(Origin::new(at, call.holder.name.as_deref()));
    let validator =
        validator.with_handler_retries(&call.handler_retries).with_sentences(&call.sentences);
    let validator = validator.with_calendars(&call.calendars);
    let mut validator = validator.with_default_callback(call.default_callback.as_deref());
    let mut plan = plan(tasks, &mut validator, &call.shards.map);
    for part in &mut plan.appends {
        part.append.terms.share = call.share;
    }
    Ok(plan)
}

/// Adds the warnings, and what was understood of a sentence, to the answer that shows a task.
fn with_more(answer: Answer, warnings: &[Warning], sentence: Option<&str>) -> Answer {
    // Both have texts only, so writing them as JSON does not fail.
    let warnings = match warnings {
        [] => None,
        warnings => serde_json::to_string(warnings).ok().map(|text| format!("\"warnings\":{text}")),
    };
    let sentence = sentence
        .and_then(|sentence| serde_json::to_string(sentence).ok())
        .map(|text| format!("\"sentence\":{text}"));
    let members: Vec<String> = warnings.into_iter().chain(sentence).collect();
    answer.with_members(&members.join(","))
}

/// A task as the API shows it.
struct Shown {
    status: Status,
    due: UnixMillis,
    record: String,
    /// Whether this is the record of a shard. Otherwise it is that of the request.
    is_stored: bool,
}

/// Returns the one task of a part, as the shard has stored it. If the task continues a former one,
/// it keeps values of the former one. If its first run came due before the shard had stored it, it
/// begins with a later one. In both cases, this reads the task from the shard.
async fn shown_after(
    shards: &Shards,
    shard: ShardId,
    part: &ShardAppend,
    id: &str,
    reply: AppendReply,
) -> Result<Shown, Problem> {
    if reply.went_on > 0 || reply.patched.is_some() {
        let item: Option<ListItem> =
            shards.ask(shard, paths::GET, &GetRequest { id: id.to_owned() }).await?;
        if let Some(item) = item {
            return Ok(Shown::of(&item));
        }
    }
    Ok(shown_task(part))
}

impl Shown {
    fn of(item: &ListItem) -> Self {
        let record = item.record.get().to_owned();
        Self { status: item.status, due: item.due(), record, is_stored: true }
    }

    /// Returns the answer to a request that a shard has carried out with this reply.
    fn into_answer(self, status: u16, reply: &AppendReply) -> Answer {
        // If the task was patched while a run of it is in flight, it is running, and the reply has
        // its version.
        let patched = reply.patched.filter(|_| !self.is_stored);
        let version = patched.unwrap_or_else(|| version_of(self.record.as_bytes()));
        let (shown, record) = match (patched, self.record.strip_suffix('}')) {
            (Some(_), Some(fields)) if self.status == Status::Paused => {
                (Status::Running, format!("{fields},\"paused\":true}}"))
            }
            (Some(_), _) => (Status::Running, self.record),
            (None, _) => (self.status, self.record),
        };
        let mut text = Vec::with_capacity(record.len() + 64);
        let write = if reply.running > 0 { write_running } else { write_task };
        write(shown, self.due, &record, &mut text);
        Answer::json(status, text).with_version(version)
    }
}

/// Returns the answer to a change after which the task is this item.
pub(crate) fn shown(item: &ListItem, is_running: bool) -> Answer {
    Shown::of(item)
        .into_answer(200, &AppendReply { running: u64::from(is_running), ..AppendReply::default() })
}

/// Returns the one task of a part.
fn shown_task(part: &ShardAppend) -> Shown {
    let (status, due, record) = if let Some(page) = part.append.pages.first() {
        let due = page.directory.get(0).map_or(UnixMillis::NEVER, |entry| entry.due);
        let status = match due {
            UnixMillis::PAUSED => Status::Paused,
            UnixMillis::NEVER => Status::Unscheduled,
            _ => Status::Scheduled,
        };
        (status, due, page.body.as_slice())
    } else {
        (
            Status::Scheduled,
            part.first_due,
            part.append.schedules.first().map(Vec::as_slice).unwrap_or_default(),
        )
    };
    let status = if part.first_due == UnixMillis::PAUSED { Status::Paused } else { status };
    let record = String::from_utf8_lossy(record).into_owned();
    Shown { status, due, record, is_stored: false }
}
