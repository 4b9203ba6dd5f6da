//! The keys and namespaces that an instance of the coordinator knows, and how long it may use them.

use super::gate::{Denied, Holder};
use super::key::Key;
use super::quota::Quota;
use super::token::{KeyId, Token};
use crate::namespace::Namespace;
use scheduler_calendar::time::UnixMillis;
use serde::{Deserialize, Serialize};

/// How long an instance trusts its directory, in milliseconds. While the registry answers, a
/// revoked key stops working everywhere within this time.
pub const DIRECTORY_FRESH_MILLIS: i64 = 10_000;

/// The age, in milliseconds, after which one request refreshes the directory while the others
/// continue. So a busy instance rarely makes all requests wait.
const REFRESH_MILLIS: i64 = 5_000;

/// The age, in milliseconds, after which the directory is refreshed if it lacks a key or a
/// namespace. So a new one works everywhere within this time, and guesses cost at most one request
/// per second.
const MISSING_MILLIS: i64 = 1_000;

/// How long the instance sends no request to the registry after a failure, in milliseconds. It uses
/// its directory in this time, so not all requests wait for an answer that does not come.
const RETRY_MILLIS: i64 = 5_000;

/// How long a directory is used while the registry does not answer, in milliseconds. An outage of
/// this one object must not become an outage of the scheduler. An hour outlasts every outage of one
/// object that the platform has had. After it, a revoked key must not work any more.
pub const DIRECTORY_LASTS_MILLIS: i64 = 3_600_000;

/// Every key and every namespace.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Directory {
    /// Identifies the contents.
    pub version: u64,
    /// The keys, ordered by id.
    pub keys: Vec<Key>,
    /// The namespaces, ordered by name, without `default`.
    pub namespaces: Vec<Settings>,
}

/// The settings of a namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// The name of the namespace.
    pub name: Namespace,
    /// The limits of the namespace.
    #[serde(default)]
    pub quota: Quota,
    /// When the namespace was created.
    pub created_at: UnixMillis,
}

impl Directory {
    /// Returns the holder of this key.
    ///
    /// # Errors
    /// Returns an error if there is no such key, or it has expired or was revoked.
    pub fn holder(&self, token: &Token, now: UnixMillis) -> Result<Holder, Denied> {
        let key =
            self.key(token.id).filter(|key| token.is(&key.digest)).ok_or(Denied::UnknownKey)?;
        match key.expires_at {
            Some(at) if at <= now => Err(Denied::Expired(at)),
            _ => Ok(Holder {
                scopes: key.scopes.clone(),
                reach: key.namespaces.clone(),
                name: Some(key.name.clone()),
            }),
        }
    }

    /// Returns the key with this id.
    pub fn key(&self, id: KeyId) -> Option<&Key> {
        let at = self.keys.binary_search_by_key(&id, |key| key.id);
        at.ok().and_then(|at| self.keys.get(at))
    }

    /// Returns the quota of a namespace. `default` always exists and has no quota.
    ///
    /// # Errors
    /// Returns an error if there is no such namespace.
    pub fn quota(&self, namespace: &Namespace) -> Result<Quota, Denied> {
        if namespace.is_default() {
            return Ok(Quota::default());
        }
        self.settings(namespace)
            .map(|settings| settings.quota)
            .ok_or_else(|| Denied::NoNamespace(namespace.clone()))
    }

    /// Returns the settings of a namespace.
    pub fn settings(&self, namespace: &Namespace) -> Option<&Settings> {
        let at = self.namespaces.binary_search_by(|settings| settings.name.cmp(namespace));
        at.ok().and_then(|at| self.namespaces.get(at))
    }
}

/// The state of an instance's directory: when its last request to the registry was sent, answered
/// or failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cached {
    answered: Option<UnixMillis>,
    asked: Option<UnixMillis>,
    failed: Option<UnixMillis>,
}

impl Cached {
    /// No request was sent yet.
    pub const NOTHING: Self = Self { answered: None, asked: None, failed: None };

    /// Returns whether to send a request to the registry before continuing. `lacks` says whether
    /// the directory does not contain what the request names.
    pub fn must_ask(&self, lacks: bool, now: UnixMillis) -> bool {
        let Some(answered) = self.answered else { return true };
        let age = now.since(answered);
        let has_failed =
            self.failed.is_some_and(|failed| (0..RETRY_MILLIS).contains(&now.since(failed)));
        if has_failed && !lacks && self.lasts(now) {
            return false;
        }
        // A request of another caller counts as an answer while the directory is fresh.
        let is_asked = self.asked.is_some_and(|asked| now.since(asked) < MISSING_MILLIS);
        // After the clock has gone back, the age is negative.
        !(0..DIRECTORY_FRESH_MILLIS).contains(&age)
            || (lacks && age >= MISSING_MILLIS)
            || (age >= REFRESH_MILLIS && !is_asked)
    }

    /// Returns whether the directory may be used if the registry did not answer.
    pub fn lasts(&self, now: UnixMillis) -> bool {
        self.answered.is_some_and(|answered| now.since(answered) < DIRECTORY_LASTS_MILLIS)
    }

    /// Records that a request is sent to the registry.
    pub fn note_request(&mut self, now: UnixMillis) {
        self.asked = Some(now);
    }

    /// Returns whether another caller has sent a request whose answer may arrive soon.
    pub fn has_open_request(&self, now: UnixMillis) -> bool {
        let Some(asked) = self.asked else { return false };
        let is_open = |end: Option<UnixMillis>| end.is_none_or(|end| end < asked);
        (0..MISSING_MILLIS).contains(&now.since(asked))
            && is_open(self.answered)
            && is_open(self.failed)
    }

    /// Records the answer to the request that was sent at `asked`. Returns whether it is the newest
    /// answer.
    pub fn note_answer(&mut self, asked: UnixMillis) -> bool {
        let is_newest = self.answered.is_none_or(|answered| answered <= asked);
        if is_newest {
            self.answered = Some(asked);
            self.failed = None;
        }
        is_newest
    }

    /// Records that the registry has not answered.
    pub fn fail(&mut self, now: UnixMillis) {
        self.failed = Some(now);
    }

    /// Marks the directory as old, because this instance has changed something.
    pub fn forget(&mut self, now: UnixMillis) {
        self.failed = None;
        if self.answered.is_some() {
            // The directory can still be used if the registry fails.
            self.answered = Some(now.plus(-DIRECTORY_FRESH_MILLIS));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{NewKey, Scope};

    const NOW: UnixMillis = UnixMillis::new(1_764_000_000_000);

    fn directory() -> (Directory, Token) {
        let token = Token::new([1; 8], [2; 16]);
        let text = format!(
            r#"{{"name":"a","scopes":["read"],"namespaces":["a"],"expiresAt":{}}}"#,
            NOW.plus(60_000)
        );
        let key = NewKey::parse(&text).unwrap().check(&token, NOW).unwrap();
        let quota = Quota { pending_tasks: Some(5), ..Quota::default() };
        let namespaces = vec![Settings { name: "a".parse().unwrap(), quota, created_at: NOW }];
        (Directory { version: 1, keys: vec![key], namespaces }, token)
    }

    #[test]
    fn a_key_opens_with_its_secret_until_it_expires() {
        let (directory, token) = directory();
        let holder = directory.holder(&token, NOW).unwrap();
        assert!(holder.scopes.contains(&Scope::Read));
        assert_eq!(
            directory.holder(&Token::new([1; 8], [3; 16]), NOW).err(),
            Some(Denied::UnknownKey)
        );
        assert_eq!(
            directory.holder(&Token::new([2; 8], [2; 16]), NOW).err(),
            Some(Denied::UnknownKey)
        );
        let expired = directory.holder(&token, NOW.plus(60_000)).err();
        assert_eq!(expired, Some(Denied::Expired(NOW.plus(60_000))));
        let detail = expired.unwrap().to_string();
        assert!(
            detail.starts_with("the API key expired at 20") && detail.contains("Z; "),
            "{detail}"
        );
    }

    #[test]
    fn every_namespace_but_the_default_must_be_created() {
        let (directory, _) = directory();
        assert_eq!(
            directory.quota(&"a".parse().unwrap()).map(|quota| quota.pending_tasks),
            Ok(Some(5))
        );
        assert_eq!(directory.quota(&Namespace::DEFAULT), Ok(Quota::default()));
        assert!(matches!(directory.quota(&"b".parse().unwrap()), Err(Denied::NoNamespace(_))));
    }

    #[test]
    fn a_directory_is_fresh_for_ten_seconds() {
        let mut cached = Cached::NOTHING;
        assert!(cached.must_ask(false, NOW) && !cached.lasts(NOW));
        assert!(cached.note_answer(NOW) && !cached.note_answer(NOW.plus(-1)));
        for (age, lacks, asks) in [
            (0, false, false),
            (4_999, false, false),
            (5_000, false, true),
            (10_000, false, true),
            (999, true, false),
            (1_000, true, true),
            (-1, false, true),
        ] {
            assert_eq!(cached.must_ask(lacks, NOW.plus(age)), asks, "{age} {lacks}");
        }
        cached.note_request(NOW.plus(9_500));
        assert!(!cached.must_ask(false, NOW.plus(9_999)), "another caller has sent a request");
        assert!(
            cached.must_ask(false, NOW.plus(10_000)),
            "the stated bound holds even if others send requests"
        );
        assert!(cached.lasts(NOW.plus(3_599_999)) && !cached.lasts(NOW.plus(3_600_000)));
        assert!(cached.note_answer(NOW.plus(9_500)));
        cached.forget(NOW.plus(9_600));
        cached.note_request(NOW.plus(9_700));
        assert!(
            cached.has_open_request(NOW.plus(9_800)) && !cached.has_open_request(NOW.plus(10_700))
        );
        cached.fail(NOW.plus(9_750));
        assert!(!cached.has_open_request(NOW.plus(9_800)));
        assert!(cached.must_ask(false, NOW.plus(9_600)) && cached.lasts(NOW.plus(9_600)));
    }

    #[test]
    fn a_failing_registry_gets_no_requests_while_the_directory_lasts() {
        let mut cached = Cached::NOTHING;
        cached.fail(NOW);
        assert!(cached.must_ask(false, NOW.plus(1)), "nothing is known");
        cached.note_answer(NOW);
        let later = NOW.plus(20_000);
        cached.fail(later);
        for (age, lacks, asks) in
            [(0, false, false), (4_999, false, false), (5_000, false, true), (0, true, true)]
        {
            assert_eq!(cached.must_ask(lacks, later.plus(age)), asks, "{age} {lacks}");
        }
        cached.fail(NOW.plus(DIRECTORY_LASTS_MILLIS));
        assert!(cached.must_ask(false, NOW.plus(DIRECTORY_LASTS_MILLIS)));
    }
}
