//! Sends requests to shards: with time limits, concurrently, and with a new stub for each try.

use super::object::encoded;
use crate::problem::Problem;
use crate::request_id;
use futures::StreamExt;
use scheduler_model::namespace::Namespace;
use scheduler_model::protocol::{
    AmongRequest, Append, AppendReply, SHARDS_BINDING, ShardError, ShardErrorKind, paths,
};
use scheduler_model::routing::{ShardId, ShardMap};
use scheduler_platform::Objects;
use scheduler_platform::settings::{shard_map, subrequests};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::cell::Cell;
use std::time::Duration;
use worker::js_sys::Reflect;
use worker::wasm_bindgen::JsValue;
use worker::{Env, Error};

/// The number of requests to shards at once. It keeps every shard of a usual map busy. A request to
/// all shards of a large map comes in waves.
const MAX_AT_ONCE: usize = 32;

/// The number of tries of one request, and the wait before the second try, which doubles before
/// each further one.
const MAX_TRIES: u32 = 4;
const FIRST_WAIT_MILLIS: u64 = 50;

/// The subrequests of an invocation that do not go to shards: two for the settings of the
/// deployment, and the others for the registry and for limiters.
const OTHER_SUBREQUESTS: u32 = 6;

/// The most parts in which a shard carries out one request. Each part writes some 4 MB. All parts
/// on all shards count as subrequests.
pub(crate) const MAX_PARTS: u32 = 200;

/// The shards of one namespace in this deployment.
pub(crate) struct Shards {
    objects: Objects,
    namespace: Namespace,
    pub(crate) map: ShardMap,
    /// The requests to shards that the platform still allows this invocation.
    left: Cell<u32>,
}

/// The reason why a try failed.
enum Failure {
    /// Another try may succeed: the shard moved or restarted, or its storage had a temporary
    /// failure.
    Retryable(Problem),
    /// Another try cannot succeed, or makes matters worse.
    Final(Problem),
    /// The shard refuses the request. A shard of an earlier version may not know it.
    Refused(Problem),
    /// A part is done. The same request does the next part.
    Unfinished(Problem),
}

impl Failure {
    fn into_problem(self) -> Problem {
        match self {
            Self::Retryable(problem)
            | Self::Final(problem)
            | Self::Refused(problem)
            | Self::Unfinished(problem) => problem,
        }
    }
}

impl Shards {
    /// Returns the shards of the default namespace.
    pub(crate) fn new(env: &Env) -> Result<Self, Problem> {
        Self::of(env, Namespace::DEFAULT)
    }

    pub(crate) fn of(env: &Env, namespace: Namespace) -> Result<Self, Problem> {
        let objects = Objects::bound(env, SHARDS_BINDING)
            .map_err(|problem| Problem::misconfigured(problem.to_string()))?;
        let map = shard_map(env).map_err(Problem::misconfigured)?;
        let left = Cell::new(subrequests(env).saturating_sub(OTHER_SUBREQUESTS));
        Ok(Self { objects, namespace, map, left })
    }

    /// Returns the namespace of the shards.
    pub(crate) fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    /// Counts requests that this invocation has made by other means.
    pub(crate) fn spend(&self, requests: u32) {
        self.left.set(self.left.get().saturating_sub(requests));
    }

    /// Returns how many requests to shards the platform still allows this invocation.
    pub(crate) fn left(&self) -> u32 {
        self.left.get()
    }

    /// Returns whether the platform allows this invocation a further step on each of the shards
    /// that are asked at once, with all its tries. A request that takes many steps ends here, and
    /// says that it is not done.
    pub(crate) fn may_go_on(&self) -> bool {
        let at_once = MAX_AT_ONCE.min(self.map.all().count());
        self.left.get() > MAX_TRIES * u32::try_from(at_once).unwrap_or(u32::MAX)
    }

    /// Returns whether the platform allows this invocation to create `tasks` more tasks: one
    /// request to each shard that gets some of them, and a second try.
    pub(crate) fn may_create(&self, tasks: usize) -> bool {
        let shards = tasks.min(self.map.all().count());
        self.left.get() >= u32::try_from(2 * shards).unwrap_or(u32::MAX)
    }

    /// Sends one shard a small JSON request.
    pub(crate) async fn ask<Q: Serialize, A: DeserializeOwned>(
        &self,
        shard: ShardId,
        path: &str,
        request: &Q,
    ) -> Result<A, Problem> {
        let body = encoded(request);
        self.send(shard, path, |_| body.clone()).await
    }

    /// Sends one shard a request that earlier versions do not know. Returns `None` if the shard
    /// refuses it, because it may still run the earlier version while a new one is rolled out.
    pub(crate) async fn ask_if_known<Q: Serialize, A: DeserializeOwned>(
        &self,
        shard: ShardId,
        path: &str,
        request: &Q,
    ) -> Result<Option<A>, Problem> {
        let body = encoded(request);
        match self.answer_of(MAX_TRIES, shard, path, |_| body.clone()).await {
            Ok(answer) => Ok(Some(answer)),
            Err(Failure::Refused(_)) => {
                request_id::log(format_args!("shard {shard} does not know {path}"));
                Ok(None)
            }
            Err(failure) => Err(failure.into_problem()),
        }
    }

    /// Sends one shard a request about ids, and returns whether it had to be sent again. A try
    /// whose answer was lost may have been carried out, so the next try differs: see
    /// [`scheduler_model::protocol::Among::again`].
    pub(crate) async fn ask_among<Q: Serialize + Clone, A: DeserializeOwned>(
        &self,
        shard: ShardId,
        path: &str,
        request: &AmongRequest<Q>,
    ) -> Result<(A, bool), Problem> {
        let encode = |among| encoded(&AmongRequest { among, ..request.clone() });
        let mut is_repeat = false;
        let answer = self.send(shard, path, |first| {
            is_repeat = !first;
            encode(if first { request.among } else { request.among.again() })
        });
        let answer = answer.await?;
        Ok((answer, is_repeat))
    }

    /// Sends one shard a request once, because it would act again if it were repeated.
    pub(crate) async fn ask_once<Q: Serialize, A: DeserializeOwned>(
        &self,
        shard: ShardId,
        path: &str,
        request: &Q,
    ) -> Result<A, Problem> {
        let body = encoded(request);
        self.answer_of(1, shard, path, |_| body.clone()).await.map_err(Failure::into_problem)
    }

    /// Sends one shard a request. `body` returns the body for each try; its argument is true for
    /// the first.
    pub(crate) async fn send<A: DeserializeOwned>(
        &self,
        shard: ShardId,
        path: &str,
        body: impl FnMut(bool) -> Vec<u8>,
    ) -> Result<A, Problem> {
        self.answer_of(MAX_TRIES, shard, path, body).await.map_err(Failure::into_problem)
    }

    async fn answer_of<A: DeserializeOwned>(
        &self,
        most: u32,
        shard: ShardId,
        path: &str,
        mut body: impl FnMut(bool) -> Vec<u8>,
    ) -> Result<A, Failure> {
        let mut wait = FIRST_WAIT_MILLIS;
        let (mut tries, mut parts) = (1, 0);
        loop {
            match self.try_once(shard, path, body(tries == 1)).await {
                Ok(bytes) => {
                    return serde_json::from_slice(&bytes).map_err(|problem| {
                        Failure::Final(Problem::unavailable(format!(
                            "shard {shard} gave an invalid answer: {problem}"
                        )))
                    });
                }
                Err(Failure::Unfinished(_)) if parts < MAX_PARTS => parts += 1,
                Err(Failure::Retryable(_)) if tries < most => {
                    scheduler_platform::sleep(Duration::from_millis(wait)).await;
                    wait *= 2;
                    tries += 1;
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    /// Sends one shard its part of a request that creates tasks.
    pub(crate) async fn append(
        &self,
        shard: ShardId,
        append: &mut Append,
    ) -> Result<AppendReply, Problem> {
        let mut tries = 0;
        let expects = append.expected.is_some();
        let reply = self
            .send(shard, paths::APPEND, |first| {
                tries += 1;
                append.begin_try(first);
                append.encode()
            })
            .await;
        match reply {
            // The task may have this version because the first try changed it.
            Err(problem) if expects && tries > 1 && problem.is_other_version() => {
                Err(Problem::unknown_outcome())
            }
            reply => reply,
        }
    }

    /// Sends requests to many shards at once, and returns their answers in the order of `requests`.
    pub(crate) async fn each<T, A, F: Future<Output = A>>(
        &self,
        requests: impl IntoIterator<Item = T>,
        ask: impl Fn(T) -> F,
    ) -> Vec<A> {
        futures::stream::iter(requests).map(ask).buffered(MAX_AT_ONCE).collect().await
    }

    /// Sends requests to many shards at once, and passes each answer to `take`, in the order of
    /// `requests`. At most [`MAX_AT_ONCE`] answers are in memory. Ends at the first problem.
    pub(crate) async fn each_into<T, A, F: Future<Output = Result<A, Problem>>>(
        &self,
        requests: impl IntoIterator<Item = T>,
        ask: impl Fn(T) -> F,
        mut take: impl FnMut(A),
    ) -> Result<(), Problem> {
        let mut answers =
            std::pin::pin!(futures::stream::iter(requests).map(ask).buffered(MAX_AT_ONCE));
        while let Some(answer) = answers.next().await {
            take(answer?);
        }
        Ok(())
    }

    async fn try_once(
        &self,
        shard: ShardId,
        path: &str,
        body: Vec<u8>,
    ) -> Result<Vec<u8>, Failure> {
        let Some(left) = self.left.get().checked_sub(1) else {
            return Err(Failure::Final(Problem::too_many_subrequests()));
        };
        self.left.set(left);
        let name = self.namespace.shard(shard).to_string();
        let (status, bytes) = self
            .objects
            .post(&name, path, body)
            .await
            .map_err(|problem| failure_of(shard, &problem))?;
        if status == 200 {
            return Ok(bytes);
        }
        Err(refusal_of(shard, &bytes))
    }
}

/// Returns the failure that the body of a shard's refusal describes.
fn refusal_of(shard: ShardId, body: &[u8]) -> Failure {
    match serde_json::from_slice::<ShardError>(body) {
        Ok(ShardError { kind: ShardErrorKind::Full, detail, .. }) => {
            Failure::Final(Problem::full(detail))
        }
        Ok(ShardError { kind: ShardErrorKind::Quota, detail, retry_after_seconds }) => {
            Failure::Final(Problem::quota(detail, retry_after_seconds))
        }
        Ok(ShardError { kind: ShardErrorKind::Readers, detail, retry_after_seconds }) => {
            Failure::Final(Problem::too_many_readers(detail, retry_after_seconds.unwrap_or(1)))
        }
        Ok(ShardError { kind: ShardErrorKind::KeyReused, detail, .. }) => {
            Failure::Final(Problem::key_reused(detail))
        }
        Ok(ShardError { kind: ShardErrorKind::Conflict, detail, .. }) => {
            Failure::Final(Problem::other_version(detail))
        }
        Ok(ShardError { kind: ShardErrorKind::NotApplicable, detail, .. }) => {
            Failure::Final(Problem::would_end(detail))
        }
        Ok(ShardError { kind: ShardErrorKind::Request, detail, .. }) => Failure::Refused(
            Problem::not_known_yet(&format!("shard {shard} refused the request: {detail}")),
        ),
        Ok(ShardError { kind: ShardErrorKind::Unfinished, detail, .. }) => {
            Failure::Unfinished(Problem::unavailable(detail))
        }
        Ok(ShardError { kind: ShardErrorKind::Storage, .. }) | Err(_) => Failure::Retryable(
            Problem::unavailable(format!("shard {shard} could not use its storage")),
        ),
    }
}

/// Returns the failure for an error of the platform. The platform marks its errors: an `overloaded`
/// one must not be retried, a `retryable` one may be.
fn failure_of(shard: ShardId, problem: &Error) -> Failure {
    let is_marked = |name: &str| match problem {
        Error::UnknownJsError { original, .. } | Error::Internal(original) => {
            Reflect::get(original, &JsValue::from_str(name)).is_ok_and(|mark| mark.is_truthy())
        }
        _ => false,
    };
    request_id::log(format_args!("shard {shard}: {problem}"));
    if is_marked("overloaded") {
        Failure::Final(Problem::overloaded())
    } else {
        // An error without a mark usually means that the shard was reset during the request. The
        // request may be sent again: a repeated append replaces its own tasks, and every other
        // request is repeatable.
        Failure::Retryable(Problem::unavailable(format!("shard {shard} could not be reached")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_never_fits_a_quota_is_not_retryable() {
        for retry_after_seconds in [None, Some(90)] {
            let error = ShardError {
                kind: ShardErrorKind::Quota,
                detail: String::new(),
                retry_after_seconds,
            };
            let refusal =
                refusal_of(ShardId { epoch: 0, index: 0 }, &serde_json::to_vec(&error).unwrap());
            let Failure::Final(problem) = refusal else { panic!("not a final failure") };
            assert_eq!(problem.retry_after_seconds, retry_after_seconds);
        }
    }

    #[test]
    fn a_request_that_a_shard_cannot_read_is_retryable_because_of_deploys() {
        let body = br#"{"kind":"request","detail":"unknown field `lastOutcome`"}"#;
        let refusal = refusal_of(ShardId { epoch: 1, index: 2 }, body);
        let Failure::Refused(problem) = refusal else { panic!("not a refused request") };
        assert!(problem.is_retryable());
        for part in ["shard 1-2 refused", "`lastOutcome`", "deploy is under way"] {
            assert!(problem.detail.contains(part), "{}", problem.detail);
        }
    }
}
