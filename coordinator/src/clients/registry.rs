//! Keeps this instance's copy of the keys and namespaces, and reads it again from the registry when
//! [`Cached`] requires it.

use super::object::{self, TRIES, Target};
use crate::problem::Problem;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::access::{
    Cached, DeleteNamespace, Directory, Entry, KeyId, KeyUse, REGISTRY_BINDING, REGISTRY_NAME,
    USE_MILLIS, paths,
};
use scheduler_model::namespace::Namespace;
use scheduler_platform::{now, sleep};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;
use worker::Env;

/// The time limit if the instance has a copy that is still good enough. A registry that does not
/// answer must not hold requests for long.
const TRY_FOR_NEWS: Duration = Duration::from_secs(1);

/// The time between two checks whether another request's question has been answered.
const LOOK: Duration = Duration::from_millis(25);
/// The most such checks of one request.
const MAX_LOOKS: usize = 40;

thread_local! {
    /// The last answer of the registry, shared by all requests of this instance.
    static KNOWN: RefCell<(Cached, Option<Rc<Directory>>)> = const { RefCell::new((Cached::NOTHING, None)) };

    /// The time at which this instance last sent a use of each key, and the uses that it has not
    /// sent yet.
    static USES: RefCell<(BTreeMap<KeyId, UnixMillis>, Vec<KeyUse>)> = const { RefCell::new((BTreeMap::new(), Vec::new())) };
}

/// Returns all keys and namespaces, as recent as [`Cached`] requires. `has` returns whether they
/// include what the request names. If they do not, it may have been created a moment ago.
pub(crate) async fn directory(
    env: &Env,
    has: impl Fn(&Directory) -> bool,
) -> Result<Rc<Directory>, Problem> {
    let asked = now();
    let (must_ask, known) = KNOWN.with_borrow(|(cached, known)| {
        let lacks = known.as_ref().is_some_and(|known| !has(known));
        (cached.must_ask(lacks, asked), known.clone())
    });
    if let Some(known) = known.as_ref().filter(|_| !must_ask) {
        return Ok(known.clone());
    }
    // Requests with unknown keys that arrive together share one question.
    if known.is_some() && KNOWN.with_borrow(|(cached, _)| cached.has_open_request(asked)) {
        for _ in 0..MAX_LOOKS {
            sleep(LOOK).await;
            if !KNOWN.with_borrow(|(cached, _)| cached.has_open_request(now())) {
                break;
            }
        }
        let (must_ask, known) = KNOWN.with_borrow(|(cached, known)| {
            let lacks = known.as_ref().is_some_and(|known| !has(known));
            (cached.must_ask(lacks, now()), known.clone())
        });
        if let Some(known) = known.filter(|_| !must_ask) {
            return Ok(known);
        }
    }
    match newest(env).await {
        Ok(newest) => Ok(newest),
        Err(problem) => {
            let lasts = KNOWN.with_borrow_mut(|(cached, _)| {
                cached.fail(now());
                cached.lasts(asked)
            });
            // If the copy lacks what the request names, it may have been created meanwhile. Only
            // the registry knows.
            known.filter(|known| lasts && has(known)).ok_or(problem)
        }
    }
}

/// Returns all keys and namespaces as they are now, except for the times at which keys were last
/// used.
pub(crate) async fn newest(env: &Env) -> Result<Rc<Directory>, Problem> {
    read(env, KNOWN.with_borrow(|(_, known)| known.as_ref().map(|known| known.version))).await
}

/// Returns all keys and namespaces as they are now.
pub(crate) async fn all(env: &Env) -> Result<Rc<Directory>, Problem> {
    read(env, None).await
}

/// Reads the registry, unless the version of this instance is the newest.
async fn read(env: &Env, version: Option<u64>) -> Result<Rc<Directory>, Problem> {
    let asked = now();
    KNOWN.with_borrow_mut(|(cached, _)| cached.note_request(asked));
    let limits: &[Duration] = if version.is_some() { &[TRY_FOR_NEWS] } else { &TRIES };
    let newer: Option<Directory> = ask_within(env, paths::READ, &version, limits).await?;
    KNOWN.with_borrow_mut(|(cached, known)| {
        let is_newest = cached.note_answer(asked);
        match newer {
            Some(newer) => {
                let newer = Rc::new(newer);
                if is_newest || known.is_none() {
                    *known = Some(newer.clone());
                }
                Ok(newer)
            }
            None => {
                known.clone().ok_or_else(|| Problem::unavailable("the registry gave no answer"))
            }
        }
    })
}

/// Records a use of a key for [`send_uses`]. This instance sends a use of each key at most once an
/// hour, and none if it knows of a use in the last hour.
pub(crate) fn note_use(directory: &Directory, id: KeyId, now: UnixMillis) {
    USES.with_borrow_mut(|(sent, unsent)| {
        let is_sent = sent.get(&id).is_some_and(|last| now.since(*last) < USE_MILLIS);
        if !is_sent && directory.key(id).is_some_and(|key| key.stores_use(now)) {
            sent.insert(id, now);
            unsent.push(KeyUse { id, at: now });
        }
    });
}

/// Takes the uses of keys that [`note_use`] has recorded.
pub(crate) fn take_uses() -> Vec<KeyUse> {
    USES.with_borrow_mut(|(_, unsent)| std::mem::take(unsent))
}

/// Sends uses of keys to the registry. A failure is logged, and the use is lost.
pub(crate) async fn send_uses(env: &Env, uses: Vec<KeyUse>) {
    drop(ask::<_, usize>(env, paths::USED, &uses).await);
}

/// Adds a key or a namespace, and returns whether it is new.
pub(crate) async fn put(env: &Env, entry: &Entry) -> Result<bool, Problem> {
    change(env, paths::PUT, entry).await
}

/// Removes a key, and returns whether it existed.
pub(crate) async fn revoke(env: &Env, id: KeyId) -> Result<bool, Problem> {
    change(env, paths::REVOKE, &id).await
}

/// Removes a namespace, and returns whether it existed.
pub(crate) async fn delete_namespace(
    env: &Env,
    name: Namespace,
    created_at: UnixMillis,
) -> Result<bool, Problem> {
    change(env, paths::DELETE_NAMESPACE, &DeleteNamespace::Made { name, created_at }).await
}

async fn change<Q: Serialize>(env: &Env, path: &str, request: &Q) -> Result<bool, Problem> {
    let outcome = ask(env, path, request).await;
    // The copy is also read again after an error, because the change may have been carried out.
    KNOWN.with_borrow_mut(|(cached, _)| cached.forget(now()));
    outcome
}

/// Sends the registry a request.
pub(super) async fn ask<Q: Serialize, A: DeserializeOwned>(
    env: &Env,
    path: &str,
    request: &Q,
) -> Result<A, Problem> {
    ask_within(env, path, request, &TRIES).await
}

async fn ask_within<Q: Serialize, A: DeserializeOwned>(
    env: &Env,
    path: &str,
    request: &Q,
    limits: &[Duration],
) -> Result<A, Problem> {
    let target = Target {
        binding: REGISTRY_BINDING,
        name: REGISTRY_NAME,
        kind: "registry",
        no_answer: "the registry of keys and namespaces did not answer; the keys in the secret API_KEYS work without it",
    };
    object::ask(env, &target, path, request, limits).await
}
