//! What this instance knows of keys and namespaces, and asking the registry for more: when to is
//! [`Cached`]'s to say.

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

/// The limit where something is known that will do: a registry that hangs must not hold requests
/// for long.
const TRY_FOR_NEWS: Duration = Duration::from_secs(1);

/// How often, and how many times, a request looks whether another one's question was answered.
const LOOK: Duration = Duration::from_millis(25);
const LOOKS: usize = 40;

thread_local! {
    /// What the registry last said, for all requests of this instance.
    static KNOWN: RefCell<(Cached, Option<Rc<Directory>>)> = const { RefCell::new((Cached::NOTHING, None)) };

    /// When this instance has last sent a use of each key, and uses that it has not sent yet.
    static USES: RefCell<(BTreeMap<KeyId, UnixMillis>, Vec<KeyUse>)> = const { RefCell::new((BTreeMap::new(), Vec::new())) };
}

/// Returns all keys and namespaces, as fresh as [`Cached`] asks for. `has`: whether what the
/// request names is there; where it is not, it may have been made a moment ago.
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
    // Requests with unknown keys that come together share one question.
    if known.is_some() && KNOWN.with_borrow(|(cached, _)| cached.is_being_asked(asked)) {
        for _ in 0..LOOKS {
            sleep(LOOK).await;
            if !KNOWN.with_borrow(|(cached, _)| cached.is_being_asked(now())) {
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
            // What is not known may have been made meanwhile: that is for the registry to say.
            known.filter(|known| lasts && has(known)).ok_or(problem)
        }
    }
}

/// Returns all keys and namespaces as they are now, but for the times at which keys were last used.
pub(crate) async fn newest(env: &Env) -> Result<Rc<Directory>, Problem> {
    read(env, KNOWN.with_borrow(|(_, known)| known.as_ref().map(|known| known.version))).await
}

/// Returns all keys and namespaces as they are now.
pub(crate) async fn all(env: &Env) -> Result<Rc<Directory>, Problem> {
    read(env, None).await
}

/// Reads what differs from a version that is known.
async fn read(env: &Env, version: Option<u64>) -> Result<Rc<Directory>, Problem> {
    let asked = now();
    KNOWN.with_borrow_mut(|(cached, _)| cached.ask(asked));
    let limits: &[Duration] = if version.is_some() { &[TRY_FOR_NEWS] } else { &TRIES };
    let told: Option<Directory> = ask(env, paths::READ, &version, limits).await?;
    KNOWN.with_borrow_mut(|(cached, known)| {
        let is_newest = cached.tell(asked);
        match told {
            Some(told) => {
                let told = Rc::new(told);
                if is_newest || known.is_none() {
                    *known = Some(told.clone());
                }
                Ok(told)
            }
            None => {
                known.clone().ok_or_else(|| Problem::unavailable("the registry gave no answer"))
            }
        }
    })
}

/// Notes that a key is used, for [`send_uses`]. This instance sends a use of each key once an hour
/// at most, and none if it knows of one in the last hour.
pub(crate) fn note_use(directory: &Directory, id: KeyId, now: UnixMillis) {
    USES.with_borrow_mut(|(sent, unsent)| {
        let is_sent = sent.get(&id).is_some_and(|last| now.since(*last) < USE_MILLIS);
        if !is_sent && directory.key(id).is_some_and(|key| key.stores_use(now)) {
            sent.insert(id, now);
            unsent.push(KeyUse { id, at: now });
        }
    });
}

/// Takes the uses of keys that [`note_use`] has noted.
pub(crate) fn take_uses() -> Vec<KeyUse> {
    USES.with_borrow_mut(|(_, unsent)| std::mem::take(unsent))
}

/// Has the registry store uses of keys. A failure is logged: such a use is not known.
pub(crate) async fn send_uses(env: &Env, uses: Vec<KeyUse>) {
    drop(ask::<_, usize>(env, paths::USED, &uses, &TRIES).await);
}

/// Adds a key or a namespace, and says whether it is new.
pub(crate) async fn put(env: &Env, entry: &Entry) -> Result<bool, Problem> {
    change(env, paths::PUT, entry).await
}

/// Takes a key out, and says whether there was one.
pub(crate) async fn revoke(env: &Env, id: KeyId) -> Result<bool, Problem> {
    change(env, paths::REVOKE, &id).await
}

/// Takes a namespace out, and says whether there was one.
pub(crate) async fn delete_namespace(
    env: &Env,
    name: Namespace,
    created_at: UnixMillis,
) -> Result<bool, Problem> {
    change(env, paths::DELETE_NAMESPACE, &DeleteNamespace::Made { name, created_at }).await
}

async fn change<Q: Serialize>(env: &Env, path: &str, request: &Q) -> Result<bool, Problem> {
    let outcome = ask(env, path, request, &TRIES).await;
    // Also after an error: it may have been carried out.
    KNOWN.with_borrow_mut(|(cached, _)| cached.forget(now()));
    outcome
}

async fn ask<Q: Serialize, A: DeserializeOwned>(
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
