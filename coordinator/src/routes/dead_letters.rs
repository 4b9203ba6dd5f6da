//! The routes of dead letters.

use crate::handlers::dead_letters::{self, Verb};
use crate::routes::prelude::*;
use scheduler_model::bounds::{MAX_BULK_BODY_BYTES, MAX_TASK_BODY_BYTES};

/// Each route with its handler and its description for the API's document.
pub(super) static ROUTES: &[Route] = &[
    Route {
        query: dead_letters::QUERY,
        #[cfg(test)]
        operation: Operation {
            id: "listDeadLetters",
            summary: "List dead letters",
            description: "Lists dead letters by when they died, newest first. `from` and `to` are times of death.",
            answers: &[shows::<DeadLetterList>(
                200,
                "A page of the list. It may hold fewer dead letters than `limit`, or none, although more follow: send its `cursor` until that is null.",
            )],
            refusals: &[Invalid],
            ..Operation::USUAL
        },
        ..Route::new(Method::Get, "/v1/dead-letters", Scope::Read, |call, _| {
            Box::pin(dead_letters::list(call))
        })
    },
    Route {
        body_limit: MAX_BULK_BODY_BYTES,
        #[cfg(test)]
        operation: Operation {
            id: "replayDeadLetters",
            summary: "Replay many dead letters",
            description: "Starts dead letters over, by ids, by filter or all. If `done` is false, send the request again.",
            body: Some(Body::DeadLetters),
            answers: &[shows::<ReplayAnswer>(200, "The result.")],
            refusals: &[Invalid, Full],
            ..Operation::USUAL
        },
        ..Route::new(Method::Post, "/v1/dead-letters/replay", Scope::Write, |call, _| {
            Box::pin(dead_letters::many(call, Verb::Replay))
        })
    },
    Route {
        body_limit: MAX_BULK_BODY_BYTES,
        #[cfg(test)]
        operation: Operation {
            id: "discardDeadLetters",
            summary: "Discard many dead letters",
            description: "Discards dead letters, by ids, by filter or all. If `done` is false, send the request again.",
            body: Some(Body::DeadLetters),
            answers: &[shows::<DiscardAnswer>(200, "The result.")],
            refusals: &[Invalid],
            ..Operation::USUAL
        },
        ..Route::new(Method::Post, "/v1/dead-letters/discard", Scope::Write, |call, _| {
            Box::pin(dead_letters::many(call, Verb::Discard))
        })
    },
    Route {
        #[cfg(test)]
        operation: Operation {
            id: "getDeadLetter",
            summary: "Get a dead letter",
            description: "Returns a dead letter, with its last error and the number of its attempts.",
            answers: &[shows::<Task>(200, "The dead letter.")],
            refusals: &[NoDeadLetter],
            ..Operation::USUAL
        },
        ..Route::new(Method::Get, "/v1/dead-letters/{id}", Scope::Read, |call, id| {
            Box::pin(dead_letters::get(call, id))
        })
    },
    Route {
        body_limit: MAX_TASK_BODY_BYTES,
        #[cfg(test)]
        operation: Operation {
            id: "replayDeadLetter",
            summary: "Replay a dead letter",
            description: "Starts a dead letter over, as it was or with changes of its callback and payload. It has all attempts of its retry policy again. The schedule of its task does not change.",
            body: Some(Body::Replay),
            answers: &[shows::<Task>(200, "The run, which waits for its first attempt.")],
            refusals: &[Invalid, NoDeadLetter, Full],
            ..Operation::USUAL
        },
        ..Route::new(Method::Post, "/v1/dead-letters/{id}/replay", Scope::Write, |call, id| {
            Box::pin(dead_letters::replay(call, id))
        })
    },
    Route {
        #[cfg(test)]
        operation: Operation {
            id: "discardDeadLetter",
            summary: "Discard a dead letter",
            description: "Discards a dead letter. Its task does not change.",
            answers: &[shows::<DeletedDeadLetter>(200, "It is discarded.")],
            refusals: &[NoDeadLetter],
            ..Operation::USUAL
        },
        ..Route::new(Method::Delete, "/v1/dead-letters/{id}", Scope::Write, |call, id| {
            Box::pin(dead_letters::discard(call, id))
        })
    },
];
