//! The routes for everything but tasks and dead letters.

use crate::handlers::{
    events, forecast, keys, mcp, namespaces, open, parse, preview, rate_limits, runs, series, stats,
};
use crate::routes::prelude::*;
use scheduler_model::bounds::{MAX_SMALL_BODY_BYTES, MAX_TASK_BODY_BYTES};
use scheduler_model::forecast::FORECAST_QUERY;
use scheduler_model::runs::RUNS_QUERY;
use scheduler_model::series::SERIES_QUERY;

/// Each route with its handler and its description for the API's document.
pub(super) static ROUTES: &[Route] = &[
    Route {
        query: RUNS_QUERY,
        #[cfg(test)]
        operation: Operation {
            id: "listAllRuns",
            summary: "List the runs of all tasks",
            description: "Lists how attempts at all tasks of the namespace went, newest first, or groups the failures that are alike. One entry is one attempt.",
            answers: &[shows::<AllRuns>(
                200,
                "A page of the history, which is kept up to 30 days.",
            )],
            refusals: &[Invalid],
            ..Operation::USUAL
        },
        ..Route::new(Method::Get, "/v1/runs", Scope::Read, |call, _| Box::pin(runs::runs(call)))
    },
    Route {
        body_limit: MAX_TASK_BODY_BYTES,
        #[cfg(test)]
        operation: Operation {
            id: "mcp",
            summary: "Call tools for language models",
            description: "Takes a message of the Model Context Protocol, revision 2026-07-28 or 2025-11-25, over Streamable HTTP. A client of that protocol sends these messages. A key sees the tools that its scopes allow.",
            body: Some(Body::Mcp),
            answers: &[
                shows::<McpAnswer>(200, "The answer to a request."),
                (202, "A notification was accepted.", any_object),
                shows::<McpError>(400, "The body is not a message, or the headers contradict it."),
                shows::<McpError>(
                    404,
                    "The revision 2026-07-28 or this server has no such method.",
                ),
            ],
            ..Operation::USUAL
        },
        ..Route::of_namespace(Method::Post, "/mcp", |call, _| Box::pin(mcp::post(call)))
    },
    Route {
        #[cfg(test)]
        operation: Operation {
            id: "health",
            summary: "Check that the Worker runs",
            description: "Answers without asking any shard.",
            answers: &[shows::<Health>(200, "It runs.")],
            ..Operation::USUAL
        },
        ..Route::open("/healthz", open::health)
    },
    Route {
        #[cfg(test)]
        operation: Operation {
            id: "describe",
            summary: "Get this document",
            description: "The API in OpenAPI 3.1.",
            answers: &[(200, "The API in OpenAPI 3.1.", any_object)],
            ..Operation::USUAL
        },
        ..Route::open("/openapi.json", open::document)
    },
    Route {
        #[cfg(test)]
        operation: Operation {
            id: "listProblemTypes",
            summary: "List the types of problems",
            description: "A page that lists every type of problem.",
            answers: &[(200, "A list in Markdown, with a link to the page of each.", text)],
            content_type: "text/markdown",
            ..Operation::USUAL
        },
        ..Route::open("/problems", open::problem_types)
    },
    Route {
        #[cfg(test)]
        operation: Operation {
            id: "getProblemType",
            summary: "Explain a type of problem",
            description: "A page about a type of problem: what it means, and what to do.",
            answers: &[(200, "A page in Markdown.", text)],
            content_type: "text/markdown",
            refusals: &[NoRoute],
            ..Operation::USUAL
        },
        ..Route::open("/problems/{id}", open::problem_type)
    },
    Route {
        body_limit: MAX_TASK_BODY_BYTES,
        conditions: Conditions::Ignored,
        #[cfg(test)]
        operation: Operation {
            id: "preview",
            summary: "Preview a schedule",
            description: "Returns the next runs of a schedule, with their local times and what clock changes do to them. Creates nothing.",
            body: Some(Body::Preview),
            answers: &[shows::<Preview>(200, "The runs.")],
            refusals: &[Invalid],
            ..Operation::USUAL
        },
        ..Route::new(Method::Post, "/v1/preview", Scope::Read, |call, _| {
            Box::pin(preview::preview_runs(call))
        })
    },
    Route {
        query: SERIES_QUERY,
        #[cfg(test)]
        operation: Operation {
            id: "statsSeries",
            summary: "Get statistics over time",
            description: "Returns what happened in each minute of the last two hours, or in each hour of the last seven days: the sum of what all shards have counted. A crash may lose the last seconds of it.",
            answers: &[shows::<Series>(200, "The counts.")],
            refusals: &[Invalid],
            ..Operation::USUAL
        },
        ..Route::new(Method::Get, "/v1/stats/series", Scope::Read, |call, _| {
            Box::pin(series::series(call))
        })
    },
    Route {
        query: FORECAST_QUERY,
        #[cfg(test)]
        operation: Operation {
            id: "forecast",
            summary: "Count the runs to come",
            description: "Counts the runs that come due in each part of the time ahead, one-shot and recurring, without reading them. It does not count what is paused, what waits for the end of an earlier run, or what is in flight.",
            answers: &[shows::<Forecast>(200, "The counts.")],
            refusals: &[Invalid],
            ..Operation::USUAL
        },
        ..Route::new(Method::Get, "/v1/forecast", Scope::Read, |call, _| {
            Box::pin(forecast::forecast(call))
        })
    },
    Route {
        body_limit: MAX_SMALL_BODY_BYTES,
        conditions: Conditions::Ignored,
        #[cfg(test)]
        operation: Operation {
            id: "parse",
            summary: "Read a schedule in words",
            description: "Reads a sentence in English or German as the schedule of a task: its fields, the same as a sentence, the next runs, and what the sentence leaves open. If it is ambiguous, the answer has choices. If it is refused, the answer has similar sentences. Creates nothing.",
            body: Some(Body::Parse),
            answers: &[shows::<ParsedSentence>(200, "The meaning of the sentence.")],
            refusals: &[Invalid],
            ..Operation::USUAL
        },
        ..Route::new(Method::Post, "/v1/parse", Scope::Read, |call, _| Box::pin(parse::parse(call)))
    },
    Route {
        #[cfg(test)]
        operation: Operation {
            id: "stats",
            summary: "Get statistics",
            description: "Returns counts, lateness and billed operations, in total and for each shard. Counters count since the shards were created, so use differences.",
            answers: &[shows::<Stats>(200, "The numbers.")],
            ..Operation::USUAL
        },
        ..Route::new(Method::Get, "/v1/stats", Scope::Read, |call, _| Box::pin(stats::stats(call)))
    },
    Route {
        repeats: Repeats::ActAgain,
        #[cfg(test)]
        operation: Operation {
            id: "createKey",
            summary: "Create an API key",
            description: "Creates a key that reaches no further than the key of the request. The answer is the only one that shows the key itself.",
            body: Some(Body::Key),
            answers: &[shows::<MadeKey>(201, "The new key, which is shown only this once.")],
            refusals: &[Invalid, TooMany],
            ..Operation::USUAL
        },
        ..Route::new(Method::Post, "/v1/keys", Scope::Admin, |call, _| Box::pin(keys::create(call)))
    },
    Route {
        #[cfg(test)]
        operation: Operation {
            id: "getOwnKey",
            summary: "Get the key of the request",
            description: "Returns what the key of the request may do. Any key can send this request.",
            answers: &[shows::<OwnKey<'static>>(200, "What the key may do.")],
            ..Operation::USUAL
        },
        ..Route::of_any_key("/v1/key", |call, _| Box::pin(keys::own(call)))
    },
    Route {
        #[cfg(test)]
        operation: Operation {
            id: "listKeys",
            summary: "List API keys",
            description: "Lists the keys that reach no further than the key of the request, without their secrets.",
            answers: &[shows::<KeyList>(200, "The keys, without their secrets.")],
            ..Operation::USUAL
        },
        ..Route::new(Method::Get, "/v1/keys", Scope::Admin, |call, _| Box::pin(keys::list(call)))
    },
    Route {
        #[cfg(test)]
        operation: Operation {
            id: "getKey",
            summary: "Get an API key",
            description: "Returns a key that reaches no further than the key of the request, without its secret.",
            answers: &[shows::<ShownKey<'static>>(200, "The key, without its secret.")],
            refusals: &[NoKey],
            ..Operation::USUAL
        },
        ..Route::new(Method::Get, "/v1/keys/{id}", Scope::Admin, |call, id| {
            Box::pin(keys::get(call, id))
        })
    },
    Route {
        #[cfg(test)]
        operation: Operation {
            id: "revokeKey",
            summary: "Revoke an API key",
            description: "The key stops working everywhere within ten seconds.",
            answers: &[shows::<Deleted>(200, "Revoked.")],
            refusals: &[NoKey],
            ..Operation::USUAL
        },
        ..Route::new(Method::Delete, "/v1/keys/{id}", Scope::Admin, |call, id| {
            Box::pin(keys::revoke(call, id))
        })
    },
    Route {
        #[cfg(test)]
        operation: Operation {
            id: "listNamespaces",
            summary: "List namespaces",
            description: "Lists the namespaces that the key of the request is for.",
            answers: &[shows::<NamespaceList>(200, "The namespaces.")],
            ..Operation::USUAL
        },
        ..Route::new(Method::Get, "/v1/namespaces", Scope::Admin, |call, _| {
            Box::pin(namespaces::list(call))
        })
    },
    Route {
        #[cfg(test)]
        operation: Operation {
            id: "getNamespace",
            summary: "Get a namespace",
            description: "Returns a namespace that the key of the request is for, with its quota.",
            answers: &[shows::<Namespace>(200, "The namespace.")],
            refusals: &[Invalid, NoNamespace],
            ..Operation::USUAL
        },
        ..Route::new(Method::Get, "/v1/namespaces/{id}", Scope::Admin, |call, name| {
            Box::pin(namespaces::get(call, name))
        })
    },
    Route {
        #[cfg(test)]
        operation: Operation {
            id: "putNamespace",
            summary: "Create or change a namespace",
            description: "Creates a namespace, or replaces its quota. Needs a key for every namespace.",
            body: Some(Body::Namespace),
            answers: &[shows::<Namespace>(200, "Changed."), shows::<Namespace>(201, "Made.")],
            refusals: &[Invalid, TooMany],
            ..Operation::USUAL
        },
        ..Route::new(Method::Put, "/v1/namespaces/{id}", Scope::Admin, |call, name| {
            Box::pin(namespaces::put(call, name))
        })
    },
    Route {
        #[cfg(test)]
        operation: Operation {
            id: "deleteNamespace",
            summary: "Delete a namespace",
            description: "Deletes a namespace that holds no task. Needs a key for every namespace.",
            answers: &[shows::<Deleted>(200, "Deleted.")],
            refusals: &[Invalid, NoNamespace, NotEmpty],
            ..Operation::USUAL
        },
        ..Route::new(Method::Delete, "/v1/namespaces/{id}", Scope::Admin, |call, name| {
            Box::pin(namespaces::delete(call, name))
        })
    },
    Route {
        #[cfg(test)]
        operation: Operation {
            id: "listLimits",
            summary: "List limits",
            description: "Lists the limits of the namespace, with what is known about the runs of each.",
            answers: &[shows::<LimitList>(200, "The limits.")],
            ..Operation::USUAL
        },
        ..Route::new(Method::Get, "/v1/limits", Scope::Read, |call, _| {
            Box::pin(rate_limits::list(call))
        })
    },
    Route {
        #[cfg(test)]
        operation: Operation {
            id: "putLimit",
            summary: "Set a limit",
            description: "Sets or changes the limit of a key. Waiting tasks follow the new limit within a few seconds.",
            body: Some(Body::Limit),
            answers: &[shows::<LimitShown>(200, "Changed."), shows::<LimitShown>(201, "Set.")],
            refusals: &[Invalid, TooMany],
            ..Operation::USUAL
        },
        ..Route::new(Method::Put, "/v1/limits/{id}", Scope::Write, |call, key| {
            Box::pin(rate_limits::put(call, key))
        })
    },
    Route {
        #[cfg(test)]
        operation: Operation {
            id: "getLimit",
            summary: "Get a limit",
            description: "Returns the limit of a key, and what is known about its runs.",
            answers: &[shows::<LimitShown>(200, "The limit.")],
            refusals: &[NoLimit],
            ..Operation::USUAL
        },
        ..Route::new(Method::Get, "/v1/limits/{id}", Scope::Read, |call, key| {
            Box::pin(rate_limits::get(call, key))
        })
    },
    Route {
        #[cfg(test)]
        operation: Operation {
            id: "deleteLimit",
            summary: "Delete a limit",
            description: "Deletes the limit of a key. Tasks that name the key are no longer limited.",
            answers: &[shows::<Deleted>(200, "Lifted.")],
            refusals: &[NoLimit],
            ..Operation::USUAL
        },
        ..Route::new(Method::Delete, "/v1/limits/{id}", Scope::Write, |call, key| {
            Box::pin(rate_limits::delete(call, key))
        })
    },
    Route {
        query: events::QUERY,
        #[cfg(test)]
        operation: Operation {
            id: "watchEvents",
            summary: "Follow events",
            description: "Streams what happens to tasks, and to the circuits of destinations, as server-sent events. The data of each event is an `Event`. The event `gap` says that others may be missing. The stream ends after ten minutes; to continue it, send the last `id` in `Last-Event-ID`.",
            stream: true,
            answers: &[shows::<EventData<'static>>(
                200,
                "Server-sent events, for up to ten minutes. To continue, send the last `id` in Last-Event-ID.",
            )],
            refusals: &[Invalid, TooManyReaders],
            ..Operation::USUAL
        },
        ..Route::new(Method::Get, "/v1/events", Scope::Read, |call, _| {
            Box::pin(events::events(call))
        })
    },
];
