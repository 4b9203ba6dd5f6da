//! The routes of everything but tasks.

use crate::conditions::Conditions;
use crate::handlers::{events, keys, namespaces, open, preview, rate_limits, runs, stats};
#[cfg(test)]
use crate::openapi::answers::{
    AllRuns, Deleted, Health, KeyList, LimitList, MadeKey, Namespace, NamespaceList, Stats,
};
#[cfg(test)]
use crate::openapi::operation::{Body, Operation, any_object, text};
#[cfg(test)]
use crate::problem::ProblemType::{
    Invalid, NoKey, NoLimit, NoNamespace, NoRoute, NotEmpty, TooMany, TooManyReaders,
};
use crate::routes::route::Route;
use scheduler_model::access::Scope;
#[cfg(test)]
use scheduler_model::access::ShownKey;
use scheduler_model::bounds::MAX_PREVIEW_BODY_BYTES;
#[cfg(test)]
use scheduler_model::events::EventData;
#[cfg(test)]
use scheduler_model::protocol::limiter::LimitShown;
#[cfg(test)]
use scheduler_model::runs::RUNS_QUERY;
#[cfg(test)]
use scheduler_model::schedule::Preview;
#[cfg(test)]
use schemars::SchemaGenerator;
use worker::Method;

/// Each route with its handler and, for the API's document, what it answers.
pub(super) static ROUTES: &[Route] = &[
    Route {
        #[cfg(test)]
        operation: Operation {
            id: "listAllRuns",
            summary: "How attempts at all tasks went, the newest first, or failures in groups",
            query: RUNS_QUERY,
            answers: &[(
                200,
                "A page of the history, which is kept up to 30 days.",
                SchemaGenerator::subschema_for::<AllRuns>,
            )],
            refusals: &[Invalid],
            ..Operation::USUAL
        },
        ..Route::new(Method::Get, "/v1/runs", Scope::Read, |call, _| Box::pin(runs::runs(call)))
    },
    Route {
        #[cfg(test)]
        operation: Operation {
            id: "health",
            summary: "Whether the Worker runs",
            answers: &[(200, "It runs.", SchemaGenerator::subschema_for::<Health>)],
            ..Operation::USUAL
        },
        ..Route::open("/healthz", open::health)
    },
    Route {
        #[cfg(test)]
        operation: Operation {
            id: "describe",
            summary: "This document",
            answers: &[(200, "The API in OpenAPI 3.1.", any_object)],
            ..Operation::USUAL
        },
        ..Route::open("/openapi.json", open::document)
    },
    Route {
        #[cfg(test)]
        operation: Operation {
            id: "listProblemTypes",
            summary: "The types of problems",
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
            summary: "What a type of problem means, and what to do about it",
            answers: &[(200, "A page in Markdown.", text)],
            content_type: "text/markdown",
            refusals: &[NoRoute],
            ..Operation::USUAL
        },
        ..Route::open("/problems/{id}", open::problem_type)
    },
    Route {
        body_limit: MAX_PREVIEW_BODY_BYTES,
        conditions: Conditions::Ignored,
        #[cfg(test)]
        operation: Operation {
            id: "preview",
            summary: "The next runs of a schedule, and what changes of the clock do to them; creates nothing",
            body: Some(Body::Preview),
            answers: &[(200, "The runs.", SchemaGenerator::subschema_for::<Preview>)],
            refusals: &[Invalid],
            ..Operation::USUAL
        },
        ..Route::new(Method::Post, "/v1/preview", Scope::Read, |call, _| {
            Box::pin(preview::preview_runs(call))
        })
    },
    Route {
        #[cfg(test)]
        operation: Operation {
            id: "stats",
            summary: "The scheduler in numbers, in all and by shard",
            answers: &[(200, "The numbers.", SchemaGenerator::subschema_for::<Stats>)],
            ..Operation::USUAL
        },
        ..Route::new(Method::Get, "/v1/stats", Scope::Read, |call, _| Box::pin(stats::stats(call)))
    },
    Route {
        #[cfg(test)]
        operation: Operation {
            id: "createKey",
            summary: "Make an API key that reaches no further than one's own",
            body: Some(Body::Key),
            answers: &[(
                201,
                "Made. The key is shown this once.",
                SchemaGenerator::subschema_for::<MadeKey>,
            )],
            refusals: &[Invalid, TooMany],
            ..Operation::USUAL
        },
        ..Route::new(Method::Post, "/v1/keys", Scope::Admin, |call, _| Box::pin(keys::create(call)))
    },
    Route {
        #[cfg(test)]
        operation: Operation {
            id: "listKeys",
            summary: "List the API keys that reach no further than one's own",
            answers: &[(
                200,
                "The keys, without their secrets.",
                SchemaGenerator::subschema_for::<KeyList>,
            )],
            ..Operation::USUAL
        },
        ..Route::new(Method::Get, "/v1/keys", Scope::Admin, |call, _| Box::pin(keys::list(call)))
    },
    Route {
        #[cfg(test)]
        operation: Operation {
            id: "getKey",
            summary: "Read an API key that reaches no further than one's own",
            answers: &[(
                200,
                "The key, without its secret.",
                SchemaGenerator::subschema_for::<ShownKey<'static>>,
            )],
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
            summary: "Revoke an API key; it stops working everywhere within ten seconds",
            answers: &[(200, "Revoked.", SchemaGenerator::subschema_for::<Deleted>)],
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
            summary: "List the namespaces that the key is for",
            answers: &[(200, "The namespaces.", SchemaGenerator::subschema_for::<NamespaceList>)],
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
            summary: "Read a namespace that the key is for",
            answers: &[(200, "The namespace.", SchemaGenerator::subschema_for::<Namespace>)],
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
            summary: "Make a namespace, or change its quota; needs a key for every namespace",
            body: Some(Body::Namespace),
            answers: &[
                (200, "Changed.", SchemaGenerator::subschema_for::<Namespace>),
                (201, "Made.", SchemaGenerator::subschema_for::<Namespace>),
            ],
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
            summary: "Delete an empty namespace; needs a key for every namespace",
            answers: &[(200, "Deleted.", SchemaGenerator::subschema_for::<Deleted>)],
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
            summary: "List the limits of the namespace, with what is known of the runs of each",
            answers: &[(200, "The limits.", SchemaGenerator::subschema_for::<LimitList>)],
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
            summary: "Set or change the limit of a key; tasks that wait go on by the new one within some seconds",
            body: Some(Body::Limit),
            answers: &[
                (200, "Changed.", SchemaGenerator::subschema_for::<LimitShown>),
                (201, "Set.", SchemaGenerator::subschema_for::<LimitShown>),
            ],
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
            summary: "The limit of a key, and what is known of its runs",
            answers: &[(200, "The limit.", SchemaGenerator::subschema_for::<LimitShown>)],
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
            summary: "Lift the limit of a key; tasks that name it are not limited any more",
            answers: &[(200, "Lifted.", SchemaGenerator::subschema_for::<Deleted>)],
            refusals: &[NoLimit],
            ..Operation::USUAL
        },
        ..Route::new(Method::Delete, "/v1/limits/{id}", Scope::Write, |call, key| {
            Box::pin(rate_limits::delete(call, key))
        })
    },
    Route {
        #[cfg(test)]
        operation: Operation {
            id: "watchEvents",
            summary: "What happens to tasks and to the circuits of destinations, as it happens: server-sent events. The data of each is an Event; the event gap says that others may be missing",
            query: events::QUERY,
            stream: true,
            answers: &[(
                200,
                "Server-sent events, for up to ten minutes. To continue, send the last `id` in Last-Event-ID.",
                SchemaGenerator::subschema_for::<EventData<'static>>,
            )],
            refusals: &[Invalid, TooManyReaders],
            ..Operation::USUAL
        },
        ..Route::new(Method::Get, "/v1/events", Scope::Read, |call, _| {
            Box::pin(events::events(call))
        })
    },
];
