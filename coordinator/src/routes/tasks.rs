//! The routes of tasks.

use crate::handlers::tasks::change::Verb;
use crate::handlers::tasks::{
    batch, cancel, change, create, explain, get, list, patch, runs, stream,
};
use crate::routes::prelude::*;
use scheduler_model::bounds::{DEFAULT_REQUEST_BYTES, MAX_BULK_BODY_BYTES, MAX_TASK_BODY_BYTES};
use scheduler_model::list_query::LIST_QUERY;

/// Each route with its handler and its description for the API's document.
pub(super) static ROUTES: &[Route] = &[
    Route {
        repeats: Repeats::Once,
        body_limit: MAX_TASK_BODY_BYTES,
        conditions: Conditions::Change,
        #[cfg(test)]
        operation: Operation {
            id: "createTask",
            summary: "Create a task",
            description: "Creates the task, or overwrites the task with the same id. Without an `id`, the scheduler makes one. The answer shows the task as it is stored.",
            body: Some(Body::Task),
            answers: &[
                shows::<Task>(201, "Created."),
                shows::<Task>(200, "It replaced a task with the same id."),
            ],
            refusals: &[Invalid, ConditionRefused, KeyReused, Quota, Full, NotApplicable],
            ..Operation::USUAL
        },
        ..Route::new(Method::Post, "/v1/tasks", Scope::Write, |call, _| {
            Box::pin(create::one(call, None))
        })
    },
    Route {
        repeats: Repeats::Once,
        // The setting of the deployment may raise it.
        body_limit: DEFAULT_REQUEST_BYTES,
        #[cfg(test)]
        operation: Operation {
            id: "createTasks",
            summary: "Create many tasks",
            description: "Creates up to 20,000 tasks. An invalid task does not keep the others from being created: `results` has the result of each one, in the order of the request. A deployment may accept a longer body (`MAX_BODY_MIB`).",
            body: Some(Body::Batch),
            answers: &[shows::<BatchReply>(200, "A result for each task.")],
            refusals: &[Invalid, BatchRejected, KeyReused, Quota, Full],
            ..Operation::USUAL
        },
        ..Route::new(Method::Post, "/v1/tasks/batch", Scope::Write, |call, _| {
            Box::pin(batch::batch(call))
        })
    },
    Route {
        repeats: Repeats::Once,
        query: stream::QUERY,
        // The body may have any length.
        body_limit: usize::MAX,
        #[cfg(test)]
        operation: Operation {
            id: "streamTasks",
            summary: "Create any number of tasks",
            description: "Creates the tasks of a body of any length, part after part, and answers a line for each part as soon as it was created. Read the answer while you send the body. An invalid task does not keep the others from being created. The last line has `done`: without it, the answer was cut off. If `done` is false, the line is also a problem, and nothing was created from the line `nextLine` of the body on.",
            content_type: "application/x-ndjson",
            body: Some(Body::Lines),
            answers: &[shows::<StreamLine>(200, "One JSON object on each line.")],
            refusals: &[Invalid, MediaType, KeyReused, Quota, Full],
            ..Operation::USUAL
        },
        ..Route::new(Method::Post, "/v1/tasks/stream", Scope::Write, |call, _| {
            Box::pin(stream::stream(call))
        })
    },
    Route {
        body_limit: MAX_BULK_BODY_BYTES,
        #[cfg(test)]
        operation: Operation {
            id: "cancelTasks",
            summary: "Cancel many tasks",
            description: "Cancels tasks by id or by filter, and discards their dead letters. No further attempt starts; an attempt in flight runs to its end. If `done` is false, send the request again.",
            body: Some(Body::Selection),
            answers: &[shows::<CancelAnswer>(200, "The result.")],
            refusals: &[Invalid],
            ..Operation::USUAL
        },
        ..Route::new(Method::Post, "/v1/tasks/cancel", Scope::Write, |call, _| {
            Box::pin(cancel::many(call))
        })
    },
    Route {
        query: LIST_QUERY,
        #[cfg(test)]
        operation: Operation {
            id: "listTasks",
            summary: "List tasks",
            description: "Lists the tasks that match every part of the filter, in order of due time. Held, paused and unscheduled tasks have no due time: they are last, in no order of time. A page is answered after a bounded amount of work.",
            answers: &[shows::<TaskList>(
                200,
                "A page of the list. It may hold fewer tasks than `limit`, or none, although more follow: send its `cursor` until that is null. `searched` says how far it has looked.",
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
            summary: "Get a task",
            description: "Returns a task that waits, runs or is kept as a dead letter.",
            answers: &[shows::<Task>(200, "The task.")],
            refusals: &[NoTask],
            ..Operation::USUAL
        },
        ..Route::new(Method::Get, "/v1/tasks/{id}", Scope::Read, |call, id| {
            Box::pin(get::get(call, id))
        })
    },
    Route {
        query: runs::QUERY,
        #[cfg(test)]
        operation: Operation {
            id: "listRuns",
            summary: "List the runs of a task",
            description: "Lists how attempts at the task went, newest first. One entry is one attempt. The history of a task that is gone is kept, too, for up to 30 days.",
            answers: &[shows::<RunList>(
                200,
                "A page of its history, which is kept up to 30 days.",
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
            summary: "Explain a task",
            description: "Says why the task did or did not fire, and when it fires next.",
            answers: &[shows::<Explanation>(200, "The explanation.")],
            refusals: &[NoTask],
            ..Operation::USUAL
        },
        ..Route::new(Method::Get, "/v1/tasks/{id}/explain", Scope::Read, |call, id| {
            Box::pin(explain::explain(call, id))
        })
    },
    Route {
        repeats: Repeats::Once,
        body_limit: MAX_TASK_BODY_BYTES,
        conditions: Conditions::Change,
        #[cfg(test)]
        operation: Operation {
            id: "putTask",
            summary: "Create or overwrite a task",
            description: "Creates the task with this id, or overwrites it. With the same schedule as before, a recurring task keeps the run that waits.",
            body: Some(Body::TaskOfPath),
            answers: &[
                shows::<Task>(200, "It replaced a task with the same id."),
                shows::<Task>(201, "Created."),
            ],
            refusals: &[Invalid, KeyReused, Quota, Full, NotApplicable],
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
            description: "Cancels the task, or discards its dead letter. No further attempt starts; an attempt in flight runs to its end.",
            answers: &[shows::<Task>(200, "The task as it was. No attempt of it starts any more.")],
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
            summary: "Pause a task",
            description: "The task does not fire until it is resumed. An attempt in flight runs to its end. The task shows when and by which key it was paused, and the `note`.",
            body: Some(Body::Pause),
            answers: &[shows::<Task>(200, "The task after the change.")],
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
            summary: "Pause many tasks",
            description: "Pauses tasks by id or by filter. If `done` is false, send the request again.",
            body: Some(Body::PauseMany),
            answers: &[shows::<ChangeAnswer>(200, "The result.")],
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
            summary: "Resume a task",
            description: "Lets a paused task fire again. A recurring task does not make up for the runs that it missed, unless it has a `misfire` policy.",
            answers: &[shows::<Task>(200, "The task after the change.")],
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
            summary: "Resume many tasks",
            description: "Resumes tasks by id or by filter. If `done` is false, send the request again.",
            body: Some(Body::Selection),
            answers: &[shows::<ChangeAnswer>(200, "The result.")],
            refusals: &[Invalid, Full],
            ..Operation::USUAL
        },
        ..Route::new(Method::Post, "/v1/tasks/resume", Scope::Write, |call, _| {
            Box::pin(change::many(call, Verb::Resume))
        })
    },
    Route {
        repeats: Repeats::ActAgain,
        body_limit: MAX_TASK_BODY_BYTES,
        conditions: Conditions::Change,
        #[cfg(test)]
        operation: Operation {
            id: "runTask",
            summary: "Run a task now",
            description: "Fires a one-shot task now, a recurring task in addition to its schedule, and a task without a schedule, which stays. Starts a dead letter over. A `payload` in the body replaces that of the task for this run only.",
            body: Some(Body::Run),
            answers: &[shows::<Task>(200, "The task after the change.")],
            refusals: &[Invalid, NoTask, AlreadyRunning, TaskCancelled, Quota, Full, TooManyRuns],
            ..Operation::USUAL
        },
        ..Route::new(Method::Post, "/v1/tasks/{id}/run", Scope::Write, |call, id| {
            Box::pin(change::run(call, id))
        })
    },
    Route {
        repeats: Repeats::ActAgain,
        body_limit: MAX_BULK_BODY_BYTES,
        #[cfg(test)]
        operation: Operation {
            id: "runTasks",
            summary: "Run many tasks now",
            description: "Runs tasks by id or by filter. If `done` is false, send the request again.",
            body: Some(Body::Selection),
            answers: &[shows::<ChangeAnswer>(200, "The result.")],
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
            summary: "Reschedule a task",
            description: "Moves a task that fires once to another time.",
            body: Some(Body::Reschedule),
            answers: &[shows::<Task>(200, "The task after the change.")],
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
            summary: "Reschedule many tasks",
            description: "Moves tasks that fire once to another time, by id or by filter. If `done` is false, send the request again.",
            body: Some(Body::RescheduleMany),
            answers: &[shows::<ChangeAnswer>(200, "The result.")],
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
            summary: "Change a task",
            description: "Applies a JSON merge patch (RFC 7396) to the task. The answer shows the task as it is stored.",
            body: Some(Body::Patch),
            answers: &[shows::<Task>(200, "The task after the change.")],
            refusals: &[Invalid, NoTask, Quota, Full, TaskCancelled, NotApplicable],
            ..Operation::USUAL
        },
        ..Route::new(Method::Patch, "/v1/tasks/{id}", Scope::Write, |call, id| {
            Box::pin(patch::patch(call, id))
        })
    },
];
