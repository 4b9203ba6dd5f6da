//! The routes of tasks.

use crate::conditions::Conditions;
use crate::handlers::tasks::change::Verb;
use crate::handlers::tasks::{cancel, change, create, explain, get, list, patch, runs};
#[cfg(test)]
use crate::openapi::answers::{BatchReply, CancelledMany, ChangedMany, RunList, Task, TaskList};
#[cfg(test)]
use crate::openapi::operation::{Body, Operation};
#[cfg(test)]
use crate::problem::ProblemType::{
    AlreadyRunning, BatchRejected, Full, Invalid, KeyReused, NoTask, NotApplicable, Quota,
    TaskCancelled, TooManyRuns,
};
use crate::routes::route::Route;
use scheduler_model::access::Scope;
use scheduler_model::bounds::{MAX_BULK_BODY_BYTES, MAX_REQUEST_BYTES, MAX_TASK_BODY_BYTES};
#[cfg(test)]
use scheduler_model::explain::Explanation;
#[cfg(test)]
use schemars::SchemaGenerator;
use worker::Method;

/// Each route with its handler and, for the API's document, what it answers.
pub(super) static ROUTES: &[Route] = &[
    Route {
        body_limit: MAX_TASK_BODY_BYTES,
        conditions: Conditions::Change,
        #[cfg(test)]
        operation: Operation {
            id: "createTask",
            summary: "Create a task; overwrites the task of the same id",
            once: true,
            body: Some(Body::Task),
            answers: &[
                (201, "Created.", SchemaGenerator::subschema_for::<Task>),
                (
                    200,
                    "It took the place of a task of the same id.",
                    SchemaGenerator::subschema_for::<Task>,
                ),
            ],
            refusals: &[Invalid, KeyReused, Quota, Full],
            ..Operation::USUAL
        },
        ..Route::new(Method::Post, "/v1/tasks", Scope::Write, |call, _| {
            Box::pin(create::one(call, None))
        })
    },
    Route {
        body_limit: MAX_REQUEST_BYTES,
        #[cfg(test)]
        operation: Operation {
            id: "createTasks",
            summary: "Create many tasks; a bad one leaves the others good",
            once: true,
            body: Some(Body::Batch),
            answers: &[(200, "What became of each.", SchemaGenerator::subschema_for::<BatchReply>)],
            refusals: &[Invalid, BatchRejected, KeyReused, Quota, Full],
            ..Operation::USUAL
        },
        ..Route::new(Method::Post, "/v1/tasks/batch", Scope::Write, |call, _| {
            Box::pin(create::batch(call))
        })
    },
    Route {
        body_limit: MAX_BULK_BODY_BYTES,
        #[cfg(test)]
        operation: Operation {
            id: "cancelTasks",
            summary: "Cancel many tasks, by id or by filter",
            body: Some(Body::Cancel),
            answers: &[(
                200,
                "What became of them.",
                SchemaGenerator::subschema_for::<CancelledMany>,
            )],
            refusals: &[Invalid],
            ..Operation::USUAL
        },
        ..Route::new(Method::Post, "/v1/tasks/cancel", Scope::Write, |call, _| {
            Box::pin(cancel::many(call))
        })
    },
    Route {
        #[cfg(test)]
        operation: Operation {
            id: "listTasks",
            summary: "List tasks in order of due time",
            query: list::QUERY,
            answers: &[(
                200,
                "A page of the list. It may hold fewer tasks than `limit`, or none, although more follow: send its `cursor` until that is null.",
                SchemaGenerator::subschema_for::<TaskList>,
            )],
            refusals: &[Invalid],
            ..Operation::USUAL
        },
        ..Route::new(Method::Get, "/v1/tasks", Scope::Read, |call, _| Box::pin(list::list(call)))
    },
    Route {
        conditions: Conditions::Read,
        #[cfg(test)]
        operation: Operation {
            id: "getTask",
            summary: "Read a task",
            answers: &[(200, "The task.", SchemaGenerator::subschema_for::<Task>)],
            refusals: &[NoTask],
            ..Operation::USUAL
        },
        ..Route::new(Method::Get, "/v1/tasks/{id}", Scope::Read, |call, id| {
            Box::pin(get::get(call, id))
        })
    },
    Route {
        #[cfg(test)]
        operation: Operation {
            id: "listRuns",
            summary: "How attempts at a task went, the newest first; also of a task that is gone",
            query: runs::QUERY,
            answers: &[(
                200,
                "A page of its history, which is kept up to 30 days.",
                SchemaGenerator::subschema_for::<RunList>,
            )],
            refusals: &[Invalid],
            ..Operation::USUAL
        },
        ..Route::new(Method::Get, "/v1/tasks/{id}/runs", Scope::Read, |call, id| {
            Box::pin(runs::runs(call, id))
        })
    },
    Route {
        #[cfg(test)]
        operation: Operation {
            id: "explainTask",
            summary: "Why a task did or did not fire, and when it will",
            answers: &[(
                200,
                "What its shard knows of it.",
                SchemaGenerator::subschema_for::<Explanation>,
            )],
            refusals: &[NoTask],
            ..Operation::USUAL
        },
        ..Route::new(Method::Get, "/v1/tasks/{id}/explain", Scope::Read, |call, id| {
            Box::pin(explain::explain(call, id))
        })
    },
    Route {
        body_limit: MAX_TASK_BODY_BYTES,
        conditions: Conditions::Change,
        #[cfg(test)]
        operation: Operation {
            id: "putTask",
            summary: "Create or overwrite the task of this id",
            once: true,
            body: Some(Body::Task),
            answers: &[
                (
                    200,
                    "It took the place of a task of the same id.",
                    SchemaGenerator::subschema_for::<Task>,
                ),
                (201, "Created.", SchemaGenerator::subschema_for::<Task>),
            ],
            refusals: &[Invalid, KeyReused, Quota, Full],
            ..Operation::USUAL
        },
        ..Route::new(Method::Put, "/v1/tasks/{id}", Scope::Write, |call, id| {
            Box::pin(create::one(call, Some(id)))
        })
    },
    Route {
        conditions: Conditions::Change,
        #[cfg(test)]
        operation: Operation {
            id: "cancelTask",
            summary: "Cancel a task",
            answers: &[(
                200,
                "The task as it was. No attempt of it starts any more.",
                SchemaGenerator::subschema_for::<Task>,
            )],
            refusals: &[Invalid, NoTask],
            ..Operation::USUAL
        },
        ..Route::new(Method::Delete, "/v1/tasks/{id}", Scope::Write, |call, id| {
            Box::pin(cancel::one(call, id))
        })
    },
    Route {
        conditions: Conditions::Change,
        #[cfg(test)]
        operation: Operation {
            id: "pauseTask",
            summary: "Let a task wait until it is resumed",
            body: Some(Body::ChangeOne),
            answers: &[(200, "The task after the change.", SchemaGenerator::subschema_for::<Task>)],
            refusals: &[Invalid, NoTask, TaskCancelled, NotApplicable],
            ..Operation::USUAL
        },
        ..Route::new(Method::Post, "/v1/tasks/{id}/pause", Scope::Write, |call, id| {
            Box::pin(change::one(call, id, Verb::Pause))
        })
    },
    Route {
        body_limit: MAX_BULK_BODY_BYTES,
        #[cfg(test)]
        operation: Operation {
            id: "pauseTasks",
            summary: "Let many tasks wait until they are resumed, by id or by filter",
            body: Some(Body::ChangeMany),
            answers: &[(
                200,
                "What became of them.",
                SchemaGenerator::subschema_for::<ChangedMany>,
            )],
            refusals: &[Invalid],
            ..Operation::USUAL
        },
        ..Route::new(Method::Post, "/v1/tasks/pause", Scope::Write, |call, _| {
            Box::pin(change::many(call, Verb::Pause))
        })
    },
    Route {
        conditions: Conditions::Change,
        #[cfg(test)]
        operation: Operation {
            id: "resumeTask",
            summary: "Let a paused task go on",
            body: Some(Body::ChangeOne),
            answers: &[(200, "The task after the change.", SchemaGenerator::subschema_for::<Task>)],
            refusals: &[Invalid, NoTask, TaskCancelled, Full],
            ..Operation::USUAL
        },
        ..Route::new(Method::Post, "/v1/tasks/{id}/resume", Scope::Write, |call, id| {
            Box::pin(change::one(call, id, Verb::Resume))
        })
    },
    Route {
        body_limit: MAX_BULK_BODY_BYTES,
        #[cfg(test)]
        operation: Operation {
            id: "resumeTasks",
            summary: "Let many paused tasks go on, by id or by filter",
            body: Some(Body::ChangeMany),
            answers: &[(
                200,
                "What became of them.",
                SchemaGenerator::subschema_for::<ChangedMany>,
            )],
            refusals: &[Invalid, Full],
            ..Operation::USUAL
        },
        ..Route::new(Method::Post, "/v1/tasks/resume", Scope::Write, |call, _| {
            Box::pin(change::many(call, Verb::Resume))
        })
    },
    Route {
        conditions: Conditions::Change,
        #[cfg(test)]
        operation: Operation {
            id: "runTask",
            summary: "Fire a task now; a recurring one beside its schedule, a dead letter anew",
            body: Some(Body::ChangeOne),
            answers: &[(200, "The task after the change.", SchemaGenerator::subschema_for::<Task>)],
            refusals: &[Invalid, NoTask, AlreadyRunning, TaskCancelled, Quota, Full, TooManyRuns],
            ..Operation::USUAL
        },
        ..Route::new(Method::Post, "/v1/tasks/{id}/run", Scope::Write, |call, id| {
            Box::pin(change::one(call, id, Verb::Run))
        })
    },
    Route {
        body_limit: MAX_BULK_BODY_BYTES,
        #[cfg(test)]
        operation: Operation {
            id: "runTasks",
            summary: "Fire many tasks now, by id or by filter",
            body: Some(Body::ChangeMany),
            answers: &[(
                200,
                "What became of them.",
                SchemaGenerator::subschema_for::<ChangedMany>,
            )],
            refusals: &[Invalid, Quota, Full],
            ..Operation::USUAL
        },
        ..Route::new(Method::Post, "/v1/tasks/run", Scope::Write, |call, _| {
            Box::pin(change::many(call, Verb::Run))
        })
    },
    Route {
        conditions: Conditions::Change,
        #[cfg(test)]
        operation: Operation {
            id: "rescheduleTask",
            summary: "Let a task fire at another time",
            body: Some(Body::ChangeOne),
            answers: &[(200, "The task after the change.", SchemaGenerator::subschema_for::<Task>)],
            refusals: &[Invalid, NoTask, TaskCancelled, NotApplicable],
            ..Operation::USUAL
        },
        ..Route::new(Method::Post, "/v1/tasks/{id}/reschedule", Scope::Write, |call, id| {
            Box::pin(change::one(call, id, Verb::Reschedule))
        })
    },
    Route {
        body_limit: MAX_BULK_BODY_BYTES,
        #[cfg(test)]
        operation: Operation {
            id: "rescheduleTasks",
            summary: "Let many tasks fire at another time, by id or by filter",
            body: Some(Body::ChangeMany),
            answers: &[(
                200,
                "What became of them.",
                SchemaGenerator::subschema_for::<ChangedMany>,
            )],
            refusals: &[Invalid],
            ..Operation::USUAL
        },
        ..Route::new(Method::Post, "/v1/tasks/reschedule", Scope::Write, |call, _| {
            Box::pin(change::many(call, Verb::Reschedule))
        })
    },
    Route {
        body_limit: MAX_TASK_BODY_BYTES,
        conditions: Conditions::Change,
        #[cfg(test)]
        operation: Operation {
            id: "patchTask",
            summary: "Change single fields of a task: a JSON merge patch",
            body: Some(Body::Patch),
            answers: &[(200, "The task as it stands now.", SchemaGenerator::subschema_for::<Task>)],
            refusals: &[Invalid, NoTask, Quota, Full, TaskCancelled, NotApplicable],
            ..Operation::USUAL
        },
        ..Route::new(Method::Patch, "/v1/tasks/{id}", Scope::Write, |call, id| {
            Box::pin(patch::patch(call, id))
        })
    },
];
