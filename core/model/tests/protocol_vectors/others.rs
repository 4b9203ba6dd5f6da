//! The messages to limiters and to the registry, and their answers.

use super::{Vector, closed, vector};
use scheduler_model::access::{
    self, DeleteNamespace, Directory, Entry, KeyId, KeyUse, MapAnswer, MapQuestion,
};
use scheduler_model::calendars::{
    self, Calendar, CalendarOf, DeleteCalendar, Deleted, Put, PutCalendar, Resolve, Resolved,
};
use scheduler_model::namespace::Namespace;
use scheduler_model::protocol::limiter::{
    self, Answer, LimitShown, LimiterRequest, Named, Refused, Seen,
};

/// Returns all of them.
pub(crate) fn of_others() -> Vec<Vector> {
    of_limiters().into_iter().chain(of_the_registry()).chain(of_calendars()).collect()
}

fn of_limiters() -> Vec<Vector> {
    use limiter::paths::{ASK, CLEAR, DELETE, GET, LIST, PUT, SEEN};
    let to = |path: &str| format!("to limiter {path}");
    let from = |path: &str| format!("from limiter {path}");
    vec![
        vector::<LimiterRequest>(
            to(ASK),
            r#"{"key":"k","shard":"1-0","ask":{"number":[1,2],"slots":3,"inFlight":4,"waiting":5,"conversation":[6,7]}}"#,
            &[],
        ),
        vector::<Option<Answer>>(
            from(ASK),
            r#"{"number":[1,2],"slots":3,"target":4,"tokens":5,"retryAfterMillis":6,"conversation":[7,8]}"#,
            &["conversation"],
        ),
        vector::<Option<Answer>>(from(ASK), "null", &[]),
        vector::<Named>(to(PUT), r#"{"key":"k","limit":{"concurrency":5,"perSecond":1.5}}"#, &[]),
        vector::<bool>(from(PUT), "true", &[]),
        vector::<String>(to(DELETE), r#""k""#, &[]),
        vector::<bool>(from(DELETE), "false", &[]),
        vector::<String>(to(GET), r#""k""#, &[]),
        vector::<Option<LimitShown>>(
            from(GET),
            r#"{"key":"k","concurrency":5,"perSecond":1.5,"inFlight":1,"waiting":2,"inEffect":true,"shards":[{"shard":"1-0","slots":3,"inFlight":1,"waiting":2}]}"#,
            &["concurrency", "perSecond"],
        ),
        vector::<Option<LimitShown>>(from(GET), "null", &[]),
        vector::<()>(to(LIST), "null", &[]),
        vector::<Vec<LimitShown>>(
            from(LIST),
            r#"[{"key":"k","concurrency":5,"inFlight":1,"waiting":2,"inEffect":true,"shards":[]}]"#,
            &[],
        ),
        vector::<()>(to(SEEN), "null", &[]),
        vector::<Seen>(from(SEEN), r#"{"life":1,"changes":2}"#, &[]),
        vector::<Option<Seen>>(to(CLEAR), r#"{"life":1,"changes":2}"#, &[]),
        vector::<Option<Seen>>(to(CLEAR), "null", &[]),
        vector::<bool>(from(CLEAR), "true", &[]),
        vector::<Refused>("a refusal of a limiter", r#"{"detail":"d"}"#, &[]),
    ]
}

fn of_the_registry() -> Vec<Vector> {
    use access::paths::{DELETE_NAMESPACE, PUT, READ, REVOKE, SETTLE, SETTLE_SHARDS, USED};
    let to = |path: &str| format!("to registry {path}");
    let from = |path: &str| format!("from registry {path}");
    vec![
        vector::<Option<u64>>(to(READ), "7", &[]),
        vector::<Option<u64>>(to(READ), "null", &[]),
        vector::<Option<Directory>>(
            from(READ),
            r#"{"version":7,"keys":[{"id":"0001020304050607","digest":"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f","name":"ci","scopes":["read","write","admin"],"namespaces":["*"],"createdAt":5,"expiresAt":6,"lastUsedAt":7}],"namespaces":[{"name":"shop","quota":{"pendingTasks":8,"createsPerSecond":9},"createdAt":5}]}"#,
            &[],
        ),
        vector::<Option<Directory>>(from(READ), "null", &[]),
        closed::<Entry>(
            to(PUT),
            r#"{"key":{"id":"0001020304050607","digest":"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f","name":"ci","scopes":["read"],"namespaces":["shop"],"createdAt":5}}"#,
        ),
        closed::<Entry>(to(PUT), r#"{"namespace":{"name":"shop","quota":{},"createdAt":5}}"#),
        vector::<bool>(from(PUT), "true", &[]),
        vector::<Vec<KeyUse>>(to(USED), r#"[{"id":"0001020304050607","at":5}]"#, &[]),
        vector::<usize>(from(USED), "1", &[]),
        vector::<KeyId>(to(REVOKE), r#""0001020304050607""#, &[]),
        vector::<bool>(from(REVOKE), "true", &[]),
        vector::<DeleteNamespace>(to(DELETE_NAMESPACE), r#"{"name":"shop","created_at":5}"#, &[]),
        vector::<DeleteNamespace>(to(DELETE_NAMESPACE), r#""shop""#, &[]),
        vector::<bool>(from(DELETE_NAMESPACE), "true", &[]),
        vector::<String>(to(SETTLE), r#""eu""#, &[]),
        vector::<String>(from(SETTLE), r#""""#, &[]),
        vector::<MapQuestion>(to(SETTLE_SHARDS), r#"{"map":"8,32","is_checked":true}"#, &[]),
        vector::<MapAnswer>(from(SETTLE_SHARDS), r#""settled""#, &[]),
        closed::<MapAnswer>(from(SETTLE_SHARDS), r#"{"changed":"16"}"#),
        vector::<MapAnswer>(from(SETTLE_SHARDS), r#""unknown""#, &[]),
        vector::<access::Refused>("a refusal of the registry", r#"{"detail":"d"}"#, &[]),
    ]
}

fn of_calendars() -> Vec<Vector> {
    use calendars::paths::{CLEAR, DELETE, GET, LIST, PUT, RESOLVE};
    let to = |path: &str| format!("to registry {path}");
    let from = |path: &str| format!("from registry {path}");
    vec![
        vector::<CalendarOf>(to(GET), r#"{"namespace":"default","name":"de"}"#, &[]),
        vector::<Option<Calendar>>(
            from(GET),
            r#"{"name":"de","description":"d","items":{"dates":["12-24"]},"createdAt":5,"updatedAt":6,"update":{"changedAt":6,"due":7,"search":1,"beganAt":6,"place":{"shard":0,"after":{"due":5,"page":1,"index":0}},"found":1,"refused":2,"left":true,"tasksUpdated":3,"tasksFailed":4,"failures":[{"id":"a","detail":"d"}]}}"#,
            &["description", "update"],
        ),
        vector::<Option<Calendar>>(from(GET), "null", &[]),
        vector::<Namespace>(to(LIST), r#""default""#, &[]),
        vector::<Vec<Calendar>>(
            from(LIST),
            r#"[{"name":"de","items":{"dates":["12-24"]},"createdAt":5,"updatedAt":6}]"#,
            &[],
        ),
        vector::<Resolve>(to(RESOLVE), r#"{"namespace":"default","names":["de"]}"#, &["names"]),
        vector::<Resolved>(from(RESOLVE), r#"{"calendars":[],"exist":["fr"],"count":1}"#, &[]),
        vector::<Resolved>(
            from(RESOLVE),
            r#"{"calendars":[],"exist":["de"],"count":1,"unreadable":["de"]}"#,
            &["unreadable"],
        ),
        vector::<PutCalendar>(
            to(PUT),
            r#"{"of":{"namespace":"default","name":"de"},"description":"d","items":{"dates":["12-24"]},"expects":{"tag":5}}"#,
            &["description", "expects"],
        ),
        vector::<PutCalendar>(
            to(PUT),
            r#"{"of":{"namespace":"default","name":"de"},"description":null,"items":{"dates":["12-24"]},"expects":"absent"}"#,
            &[],
        ),
        closed::<Put>(
            from(PUT),
            r#"{"done":{"is_new":true,"calendar":{"name":"de","items":{"dates":["12-24"]},"createdAt":5,"updatedAt":6}}}"#,
        ),
        vector::<Put>(from(PUT), r#""other""#, &[]),
        vector::<DeleteCalendar>(
            to(DELETE),
            r#"{"of":{"namespace":"default","name":"de"},"expects":{"tag":5}}"#,
            &["expects"],
        ),
        vector::<Deleted>(from(DELETE), r#""done""#, &[]),
        vector::<Deleted>(from(DELETE), r#""absent""#, &[]),
        vector::<Deleted>(from(DELETE), r#""other""#, &[]),
        vector::<Namespace>(to(CLEAR), r#""default""#, &[]),
        vector::<usize>(from(CLEAR), "1", &[]),
    ]
}
