//! Every route with what it takes and answers.

use super::answers::{
    BatchReply, CancelledMany, CancelledOne, ChangedMany, ChangedOne, DeletedLimit, DeletedNamespace, Health, KeyList, LimitList,
    MadeKey, Namespace, NamespaceList, RevokedKey, RunList, Stats, Task, TaskList,
};
use super::document::problems;
use crate::problem::Problem;
use crate::problem::ProblemType::{self, *};
use crate::routes::Route;
use scheduler_model::events::EventData;
use scheduler_model::explain::Explanation;
use scheduler_model::protocol::limiter::LimitShown;
use scheduler_model::schedule::Preview;
use schemars::{Schema, SchemaGenerator};

/// What a request carries.
pub(super) enum Body {
    Task,
    Batch,
    Cancel,
    ChangeOne,
    ChangeMany,
    Patch,
    Preview,
    Key,
    Namespace,
    Limit,
}

type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// A method on a path.
pub(super) struct Operation {
    /// The variant of [`Route`].
    pub(super) route: &'static str,
    pub(super) id: &'static str,
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) summary: &'static str,
    /// Asks for no key.
    pub(super) open: bool,
    /// Takes the filter, limit and cursor.
    pub(super) takes_query: bool,
    /// Takes the limit and the cursor only.
    pub(super) takes_page: bool,
    /// Takes the parameters of the events.
    pub(super) takes_events_query: bool,
    /// Answers with server-sent events, each with data of the schema.
    pub(super) stream: bool,
    /// Takes versions in `If-Match` and `If-None-Match`.
    pub(super) takes_version: bool,
    /// Takes the versions in `If-None-Match` that the caller has seen, and is answered 304.
    pub(super) takes_seen_version: bool,
    /// Is about all tasks of a namespace, or some: takes the header that names it.
    pub(super) of_namespace: bool,
    /// Takes the header by which it is done once.
    pub(super) once: bool,
    pub(super) body: Option<Body>,
    /// Status, description and schema.
    pub(super) answers: &'static [(u16, &'static str, SchemaOf)],
    /// How it may be refused beside [`EVERYWHERE`].
    pub(super) refusals: &'static [ProblemType],
}

/// How every operation that asks for a key may be refused: by the key, the settings, and the shards.
const EVERYWHERE: [ProblemType; 6] = [Unauthorized, Guessing, Forbidden, Misconfigured, Overloaded, Unavailable];

/// How every operation on a namespace may be refused: by its name.
const OF_NAMESPACE: [ProblemType; 2] = [NoNamespace, Invalid];

impl Operation {
    /// The refusals that can occur.
    pub(super) fn problems(&self) -> impl Iterator<Item = Problem> {
        let common = if self.open { &[][..] } else { &EVERYWHERE };
        problems().into_iter().filter(move |problem| {
            let of_namespace = self.of_namespace && OF_NAMESPACE.contains(&problem.kind);
            of_namespace || common.contains(&problem.kind) || self.refusals.contains(&problem.kind)
        })
    }
}

/// What most operations have in common.
const USUAL: Operation = Operation {
    route: "",
    id: "",
    method: "get",
    path: "",
    summary: "",
    open: false,
    takes_query: false,
    takes_page: false,
    takes_events_query: false,
    stream: false,
    takes_version: false,
    takes_seen_version: false,
    of_namespace: true,
    once: false,
    body: None,
    answers: &[],
    refusals: &[],
};

/// Makes the table, and with it a `match` over [`Route`] that does not compile while a route is missing.
macro_rules! operations {
    ($($route:ident => { $($field:ident: $value:expr),+ $(,)? })+) => {
        /// Every operation of the API.
        pub(super) fn operations() -> Vec<Operation> {
            vec![$(Operation { route: stringify!($route), $($field: $value,)+ ..USUAL }),+]
        }

        const _: fn(&Route) = |route| match route {
            $(Route::$route { .. } => {})+
        };
    };
}

operations! {
    Health => {
        id: "health",
        path: "/healthz",
        summary: "Whether the Worker runs",
        open: true,
        of_namespace: false,
        answers: &[(200, "It runs.", SchemaGenerator::subschema_for::<Health>)],
    }
    OpenApi => {
        id: "describe",
        path: "/openapi.json",
        summary: "This document",
        open: true,
        of_namespace: false,
        answers: &[(200, "The API in OpenAPI 3.1.", any_object)],
    }
    CreateTask => {
        id: "createTask",
        method: "post",
        path: "/v1/tasks",
        summary: "Create a task; overwrites the task of the same id",
        takes_version: true,
        once: true,
        body: Some(Body::Task),
        answers: &[
            (201, "Created.", SchemaGenerator::subschema_for::<Task>),
            (200, "It took the place of a task of the same id.", SchemaGenerator::subschema_for::<Task>),
        ],
        refusals: &[TooLarge, Invalid, OtherVersion, KeyReused, Quota, Full],
    }
    CreateBatch => {
        id: "createTasks",
        method: "post",
        path: "/v1/tasks/batch",
        summary: "Create many tasks; a bad one leaves the others good",
        once: true,
        body: Some(Body::Batch),
        answers: &[(200, "What became of each.", SchemaGenerator::subschema_for::<BatchReply>)],
        refusals: &[TooLarge, Invalid, KeyReused, Quota, Full],
    }
    CancelMany => {
        id: "cancelTasks",
        method: "post",
        path: "/v1/tasks/cancel",
        summary: "Cancel many tasks, by id or by filter",
        body: Some(Body::Cancel),
        answers: &[(200, "What became of them.", SchemaGenerator::subschema_for::<CancelledMany>)],
        refusals: &[TooLarge, Invalid],
    }
    ListTasks => {
        id: "listTasks",
        path: "/v1/tasks",
        summary: "List tasks in order of due time",
        takes_query: true,
        answers: &[(200, "A page of the list. It may hold fewer tasks than `limit`, or none, although more follow: send its `cursor` until that is null.", SchemaGenerator::subschema_for::<TaskList>)],
        refusals: &[Invalid],
    }
    GetTask => {
        id: "getTask",
        path: "/v1/tasks/{id}",
        summary: "Read a task",
        takes_version: true,
        takes_seen_version: true,
        answers: &[(200, "The task.", SchemaGenerator::subschema_for::<Task>)],
        refusals: &[NoTask, OtherVersion],
    }
    TaskRuns => {
        id: "listRuns",
        path: "/v1/tasks/{id}/runs",
        summary: "How attempts at a task went, the newest first; also of a task that is gone",
        takes_page: true,
        answers: &[(200, "A page of its history, which is kept up to 30 days.", SchemaGenerator::subschema_for::<RunList>)],
        refusals: &[Invalid],
    }
    ExplainTask => {
        id: "explainTask",
        path: "/v1/tasks/{id}/explain",
        summary: "Why a task did or did not fire, and when it will",
        answers: &[(200, "What its shard knows of it.", SchemaGenerator::subschema_for::<Explanation>)],
        refusals: &[NoTask],
    }
    ReplaceTask => {
        id: "putTask",
        method: "put",
        path: "/v1/tasks/{id}",
        summary: "Create or overwrite the task of this id",
        takes_version: true,
        once: true,
        body: Some(Body::Task),
        answers: &[
            (200, "It took the place of a task of the same id.", SchemaGenerator::subschema_for::<Task>),
            (201, "Created.", SchemaGenerator::subschema_for::<Task>),
        ],
        refusals: &[TooLarge, Invalid, OtherVersion, KeyReused, Quota, Full],
    }
    DeleteTask => {
        id: "cancelTask",
        method: "delete",
        path: "/v1/tasks/{id}",
        summary: "Cancel a task",
        takes_version: true,
        answers: &[(200, "No attempt of it starts any more.", SchemaGenerator::subschema_for::<CancelledOne>)],
        refusals: &[Invalid, NoTask, OtherVersion],
    }
    PauseTask => {
        id: "pauseTask",
        method: "post",
        path: "/v1/tasks/{id}/pause",
        summary: "Let a task wait until it is resumed",
        takes_version: true,
        body: Some(Body::ChangeOne),
        answers: &[(200, "What became of it.", SchemaGenerator::subschema_for::<ChangedOne>)],
        refusals: &[TooLarge, Invalid, NoTask, AlreadyFired, OtherVersion, NotApplicable],
    }
    PauseMany => {
        id: "pauseTasks",
        method: "post",
        path: "/v1/tasks/pause",
        summary: "Let many tasks wait until they are resumed, by id or by filter",
        body: Some(Body::ChangeMany),
        answers: &[(200, "What became of them.", SchemaGenerator::subschema_for::<ChangedMany>)],
        refusals: &[TooLarge, Invalid],
    }
    ResumeTask => {
        id: "resumeTask",
        method: "post",
        path: "/v1/tasks/{id}/resume",
        summary: "Let a paused task go on",
        takes_version: true,
        body: Some(Body::ChangeOne),
        answers: &[(200, "What became of it.", SchemaGenerator::subschema_for::<ChangedOne>)],
        refusals: &[TooLarge, Invalid, NoTask, AlreadyFired, OtherVersion, Full, NotApplicable],
    }
    ResumeMany => {
        id: "resumeTasks",
        method: "post",
        path: "/v1/tasks/resume",
        summary: "Let many paused tasks go on, by id or by filter",
        body: Some(Body::ChangeMany),
        answers: &[(200, "What became of them.", SchemaGenerator::subschema_for::<ChangedMany>)],
        refusals: &[TooLarge, Invalid, Full],
    }
    RunTask => {
        id: "runTask",
        method: "post",
        path: "/v1/tasks/{id}/run",
        summary: "Fire a task now; a recurring one beside its schedule, a dead letter anew",
        takes_version: true,
        body: Some(Body::ChangeOne),
        answers: &[(200, "What became of it.", SchemaGenerator::subschema_for::<ChangedOne>)],
        refusals: &[TooLarge, Invalid, NoTask, AlreadyFired, OtherVersion, Quota, Full, TooManyRuns],
    }
    RunMany => {
        id: "runTasks",
        method: "post",
        path: "/v1/tasks/run",
        summary: "Fire many tasks now, by id or by filter",
        body: Some(Body::ChangeMany),
        answers: &[(200, "What became of them.", SchemaGenerator::subschema_for::<ChangedMany>)],
        refusals: &[TooLarge, Invalid, Quota, Full],
    }
    RescheduleTask => {
        id: "rescheduleTask",
        method: "post",
        path: "/v1/tasks/{id}/reschedule",
        summary: "Let a task fire at another time",
        takes_version: true,
        body: Some(Body::ChangeOne),
        answers: &[(200, "What became of it.", SchemaGenerator::subschema_for::<ChangedOne>)],
        refusals: &[TooLarge, Invalid, NoTask, AlreadyFired, OtherVersion, NotApplicable],
    }
    RescheduleMany => {
        id: "rescheduleTasks",
        method: "post",
        path: "/v1/tasks/reschedule",
        summary: "Let many tasks fire at another time, by id or by filter",
        body: Some(Body::ChangeMany),
        answers: &[(200, "What became of them.", SchemaGenerator::subschema_for::<ChangedMany>)],
        refusals: &[TooLarge, Invalid],
    }
    PatchTask => {
        id: "patchTask",
        method: "patch",
        path: "/v1/tasks/{id}",
        summary: "Change single fields of a task: a JSON merge patch",
        takes_version: true,
        body: Some(Body::Patch),
        answers: &[(200, "The task as it stands now.", SchemaGenerator::subschema_for::<Task>)],
        refusals: &[TooLarge, Invalid, NoTask, OtherVersion, Quota, Full, NotApplicable],
    }
    Preview => {
        id: "preview",
        method: "post",
        path: "/v1/preview",
        summary: "The next runs of a schedule, and what changes of the clock do to them; creates nothing",
        body: Some(Body::Preview),
        answers: &[(200, "The runs.", SchemaGenerator::subschema_for::<Preview>)],
        refusals: &[TooLarge, Invalid],
    }
    Stats => {
        id: "stats",
        path: "/v1/stats",
        summary: "The scheduler in numbers, in all and by shard",
        answers: &[(200, "The numbers.", SchemaGenerator::subschema_for::<Stats>)],
    }
    CreateKey => {
        id: "createKey",
        method: "post",
        path: "/v1/keys",
        summary: "Make an API key that reaches no further than one's own",
        of_namespace: false,
        body: Some(Body::Key),
        answers: &[(201, "Made. The key is shown this once.", SchemaGenerator::subschema_for::<MadeKey>)],
        refusals: &[TooLarge, Invalid, TooMany],
    }
    ListKeys => {
        id: "listKeys",
        path: "/v1/keys",
        summary: "List the API keys that reach no further than one's own",
        of_namespace: false,
        answers: &[(200, "The keys, without their secrets.", SchemaGenerator::subschema_for::<KeyList>)],
    }
    RevokeKey => {
        id: "revokeKey",
        method: "delete",
        path: "/v1/keys/{key}",
        summary: "Revoke an API key; it stops working everywhere within ten seconds",
        of_namespace: false,
        answers: &[(200, "Revoked.", SchemaGenerator::subschema_for::<RevokedKey>)],
        refusals: &[NoKey],
    }
    ListNamespaces => {
        id: "listNamespaces",
        path: "/v1/namespaces",
        summary: "List the namespaces that the key is for",
        of_namespace: false,
        answers: &[(200, "The namespaces.", SchemaGenerator::subschema_for::<NamespaceList>)],
    }
    PutNamespace => {
        id: "putNamespace",
        method: "put",
        path: "/v1/namespaces/{name}",
        summary: "Make a namespace, or change its quota; needs a key for every namespace",
        of_namespace: false,
        body: Some(Body::Namespace),
        answers: &[
            (200, "Changed.", SchemaGenerator::subschema_for::<Namespace>),
            (201, "Made.", SchemaGenerator::subschema_for::<Namespace>),
        ],
        refusals: &[TooLarge, Invalid, TooMany],
    }
    DeleteNamespace => {
        id: "deleteNamespace",
        method: "delete",
        path: "/v1/namespaces/{name}",
        summary: "Delete an empty namespace; needs a key for every namespace",
        of_namespace: false,
        answers: &[(200, "Deleted.", SchemaGenerator::subschema_for::<DeletedNamespace>)],
        refusals: &[Invalid, NoNamespace, NotEmpty],
    }
    ListLimits => {
        id: "listLimits",
        path: "/v1/limits",
        summary: "List the limits of the namespace, with what is known of the runs of each",
        answers: &[(200, "The limits.", SchemaGenerator::subschema_for::<LimitList>)],
    }
    PutLimit => {
        id: "putLimit",
        method: "put",
        path: "/v1/limits/{limitKey}",
        summary: "Set or change the limit of a key; tasks that wait go on by the new one within some seconds",
        body: Some(Body::Limit),
        answers: &[
            (200, "Changed.", SchemaGenerator::subschema_for::<LimitShown>),
            (201, "Set.", SchemaGenerator::subschema_for::<LimitShown>),
        ],
        refusals: &[TooLarge, Invalid, TooMany],
    }
    GetLimit => {
        id: "getLimit",
        path: "/v1/limits/{limitKey}",
        summary: "The limit of a key, and what is known of its runs",
        answers: &[(200, "The limit.", SchemaGenerator::subschema_for::<LimitShown>)],
        refusals: &[NoLimit],
    }
    DeleteLimit => {
        id: "deleteLimit",
        method: "delete",
        path: "/v1/limits/{limitKey}",
        summary: "Lift the limit of a key; tasks that name it are not limited any more",
        answers: &[(200, "Lifted.", SchemaGenerator::subschema_for::<DeletedLimit>)],
        refusals: &[NoLimit],
    }
    Events => {
        id: "watchEvents",
        path: "/v1/events",
        summary: "What happens to tasks and to the circuits of destinations, as it happens: server-sent events. The data of each is an Event; the event gap says that others may be missing",
        takes_events_query: true,
        stream: true,
        answers: &[(200, "Server-sent events, for up to ten minutes; come back with the last id in Last-Event-ID.", SchemaGenerator::subschema_for::<EventData<'static>>)],
        refusals: &[Invalid, TooManyReaders],
    }
}

fn any_object(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({ "type": "object" })
}
