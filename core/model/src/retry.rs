//! Retry policies.

use crate::statuses::StatusSet;
use scheduler_calendar::time::UnixMillis;
use schemars::JsonSchema;
use serde::Deserialize;
use std::num::NonZeroU32;
use twox_hash::XxHash64;

/// The most attempts of a policy.
pub const MAX_ATTEMPTS: u32 = 100;
/// The longest wait between two attempts, in seconds: a day.
pub const MAX_BACKOFF_SECONDS: f64 = 86_400.0;
/// The longest time from the start of the first attempt to the last attempt, in seconds: 30 days.
pub const MAX_DURATION_SECONDS: f64 = 2_592_000.0;
/// The largest factor between two waits.
pub const MAX_FACTOR: f64 = 100.0;

/// A retry policy in a request. Absent fields have the defaults of [`RetryPolicy::default`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(
    rename = "Retry",
    description = "When a failed task is tried again: exponential back-off with jitter. Every field may be left out."
)]
pub struct RetryInput {
    /// The most attempts, including the first.
    #[schemars(range(min = 1, max = MAX_ATTEMPTS))]
    #[serde(default, deserialize_with = "crate::input::whole")]
    max_attempts: Option<u32>,
    /// The wait before the second attempt, in seconds. Jitter may make it shorter.
    #[schemars(range(min = 0, max = MAX_BACKOFF_SECONDS))]
    min_backoff_seconds: Option<f64>,
    /// The factor by which each wait is longer than the previous one.
    #[schemars(range(min = 1, max = MAX_FACTOR))]
    factor: Option<f64>,
    /// The longest wait including jitter, in seconds. Not less than `minBackoffSeconds`.
    #[schemars(range(min = 0, max = MAX_BACKOFF_SECONDS))]
    max_backoff_seconds: Option<f64>,
    /// The share by which a wait is longer or shorter at random. No wait is longer than
    /// `maxBackoffSeconds`.
    #[schemars(range(min = 0, max = 1))]
    jitter: Option<f64>,
    /// The most time from the start of the first attempt to the last attempt, in seconds.
    #[schemars(range(min = 0, max = MAX_DURATION_SECONDS))]
    max_duration_seconds: Option<f64>,
    /// HTTP statuses after which there is no further attempt: numbers, and the classes `3xx`, `4xx`
    /// and `5xx`. `4xx` excludes 408, 425 and 429, which mean "not now". After 410 there is never a
    /// further attempt.
    permanent_statuses: Option<StatusSet>,
}

/// A valid policy: exponential back-off between bounds, with jitter, for a number of attempts and a
/// time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RetryPolicy {
    max_attempts: NonZeroU32,
    min_backoff_millis: f64,
    factor: f64,
    max_backoff_millis: f64,
    jitter: f64,
    max_duration_millis: f64,
    permanent_statuses: StatusSet,
}

/// Why a policy is invalid.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{detail}")]
pub struct RetryError {
    /// The field, within `retry`.
    pub field: &'static str,
    /// The problem and the limit.
    pub detail: String,
}

impl Default for RetryPolicy {
    /// 10 attempts, from 1 s with doubling to an hour, with a fifth of jitter, for at most a day.
    /// It survives an outage of 17 minutes, and gives up on a lasting one on the same day.
    fn default() -> Self {
        Self {
            max_attempts: NonZeroU32::MIN.saturating_add(9),
            min_backoff_millis: 1_000.0,
            factor: 2.0,
            max_backoff_millis: 3_600_000.0,
            jitter: 0.2,
            max_duration_millis: 86_400_000.0,
            permanent_statuses: StatusSet::default(),
        }
    }
}

impl TryFrom<RetryInput> for RetryPolicy {
    type Error = RetryError;

    fn try_from(input: RetryInput) -> Result<Self, RetryError> {
        let default = Self::default();
        let max_attempts = match input.max_attempts {
            None => default.max_attempts,
            Some(given) => NonZeroU32::new(given)
                .filter(|given| given.get() <= MAX_ATTEMPTS)
                .ok_or(RetryError {
                    field: "retry.maxAttempts",
                    detail: format!("is {given}; must be 1 to {MAX_ATTEMPTS}"),
                })?,
        };
        let seconds = |field, given: Option<f64>, default: f64, limit: f64| {
            within(field, given.unwrap_or(default / 1_000.0), 0.0, limit)
                .map(|seconds| seconds * 1_000.0)
        };
        let min_backoff_millis = seconds(
            "retry.minBackoffSeconds",
            input.min_backoff_seconds,
            default.min_backoff_millis,
            MAX_BACKOFF_SECONDS,
        )?;
        // A policy with only a long minimum means that its maximum is not shorter.
        let max_default = default.max_backoff_millis.max(min_backoff_millis);
        let max_backoff_millis = seconds(
            "retry.maxBackoffSeconds",
            input.max_backoff_seconds,
            max_default,
            MAX_BACKOFF_SECONDS,
        )?;
        if max_backoff_millis < min_backoff_millis {
            return Err(RetryError {
                field: "retry.maxBackoffSeconds",
                detail: format!(
                    "is {}, less than minBackoffSeconds, {}",
                    max_backoff_millis / 1_000.0,
                    min_backoff_millis / 1_000.0
                ),
            });
        }
        Ok(Self {
            max_attempts,
            min_backoff_millis,
            max_backoff_millis,
            factor: within(
                "retry.factor",
                input.factor.unwrap_or(default.factor),
                1.0,
                MAX_FACTOR,
            )?,
            jitter: within("retry.jitter", input.jitter.unwrap_or(default.jitter), 0.0, 1.0)?,
            max_duration_millis: seconds(
                "retry.maxDurationSeconds",
                input.max_duration_seconds,
                default.max_duration_millis,
                MAX_DURATION_SECONDS,
            )?,
            permanent_statuses: input.permanent_statuses.unwrap_or_default(),
        })
    }
}

fn within(field: &'static str, given: f64, least: f64, most: f64) -> Result<f64, RetryError> {
    if given >= least && given <= most {
        Ok(given)
    } else {
        Err(RetryError { field, detail: format!("is {given}; must be {least} to {most}") })
    }
}

impl RetryPolicy {
    /// Returns when to retry after `attempt`, counted from 1, of the occurrence `key` failed at
    /// `now`. Returns `None` if the policy is exhausted. `began` is when the first attempt started.
    /// The result is not before `not_before`, which the target requested. But if that is later than
    /// the policy's time allows, the last allowed moment is returned.
    ///
    /// The jitter is computed from a hash of the occurrence and the attempt. So tasks that failed
    /// together spread out, and a replay of the same input yields the same times. If the longest
    /// wait cuts the band of the jitter, the rest of the band is used, so that cut waits spread
    /// out, too.
    pub fn next_attempt(
        &self,
        key: &str,
        attempt: u32,
        began: UnixMillis,
        now: UnixMillis,
        not_before: Option<UnixMillis>,
    ) -> Option<UnixMillis> {
        if attempt >= self.max_attempts.get() {
            return None;
        }
        let exponent = i32::try_from(attempt.saturating_sub(1)).unwrap_or(i32::MAX);
        // `powi` may reach infinity, which `min` then bounds.
        let backoff =
            (self.min_backoff_millis * self.factor.powi(exponent)).min(self.max_backoff_millis);
        let unit = XxHash64::oneshot(u64::from(attempt), key.as_bytes()) as f64 / u64::MAX as f64;
        let shortest = backoff * (1.0 - self.jitter);
        let longest = (backoff * (1.0 + self.jitter)).min(self.max_backoff_millis);
        let delay = shortest + (longest - shortest) * unit;
        let at = now.plus(delay.ceil() as i64);
        // At most 30 days, which is exact in an i64.
        let last = began.plus(self.max_duration_millis as i64);
        (at <= last).then(|| at.max(not_before.unwrap_or(at).min(last)))
    }

    /// Returns whether the policy ends the attempts after this HTTP status.
    pub fn is_permanent(&self, status: u16) -> bool {
        self.permanent_statuses.contains(status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(json: &str) -> Result<RetryPolicy, RetryError> {
        serde_json::from_str::<RetryInput>(json).unwrap().try_into()
    }

    #[test]
    fn waits_double_up_to_the_maximum() {
        let policy =
            policy(r#"{"maxAttempts":6,"minBackoffSeconds":1,"maxBackoffSeconds":5,"jitter":0}"#)
                .unwrap();
        let waits: Vec<Option<i64>> = (1..=6)
            .map(|attempt| {
                policy
                    .next_attempt("k", attempt, UnixMillis::ZERO, UnixMillis::ZERO, None)
                    .map(UnixMillis::get)
            })
            .collect();
        assert_eq!(waits, [Some(1_000), Some(2_000), Some(4_000), Some(5_000), Some(5_000), None]);
    }

    #[test]
    fn jitter_stays_in_its_band_and_differs_between_tasks() {
        let policy = policy(r#"{"minBackoffSeconds":10,"jitter":0.5}"#).unwrap();
        let waits: std::collections::HashSet<i64> = (0..100)
            .filter_map(|n| {
                policy.next_attempt(&format!("t{n}"), 1, UnixMillis::ZERO, UnixMillis::ZERO, None)
            })
            .map(UnixMillis::get)
            .collect();
        assert!(waits.len() > 90);
        assert!(waits.iter().all(|wait| (5_000..=15_001).contains(wait)));
    }

    #[test]
    fn jitter_never_passes_the_longest_wait_and_spreads_capped_waits() {
        for (json, attempt, shortest, longest) in [
            // The wait is at its maximum from the first attempt on.
            (r#"{"minBackoffSeconds":10,"maxBackoffSeconds":10,"jitter":0.5}"#, 1, 5_000, 10_000),
            // The maximum is within the band of the jitter.
            (r#"{"minBackoffSeconds":8,"maxBackoffSeconds":10,"jitter":1}"#, 1, 0, 10_000),
            // Doubled beyond the maximum, with the default jitter.
            (r#"{"maxBackoffSeconds":60}"#, 9, 48_000, 60_000),
        ] {
            let policy = policy(json).unwrap();
            let waits: std::collections::BTreeSet<i64> = (0..1_000)
                .filter_map(|n| {
                    policy.next_attempt(
                        &format!("t{n}"),
                        attempt,
                        UnixMillis::ZERO,
                        UnixMillis::ZERO,
                        None,
                    )
                })
                .map(UnixMillis::get)
                .collect();
            assert!(
                waits.iter().all(|wait| (shortest..=longest).contains(wait)),
                "{json}: {waits:?}"
            );
            assert!(waits.len() > 500, "{json}: only {} waits", waits.len());
        }
    }

    #[test]
    fn ends_after_its_time() {
        let policy = policy(r#"{"maxDurationSeconds":10,"jitter":0,"maxAttempts":100}"#).unwrap();
        assert!(
            policy.next_attempt("k", 1, UnixMillis::ZERO, UnixMillis::new(8_999), None).is_some()
        );
        assert!(
            policy.next_attempt("k", 1, UnixMillis::ZERO, UnixMillis::new(9_001), None).is_none()
        );
    }

    #[test]
    fn a_target_can_request_a_longer_wait_within_the_policy_s_time() {
        let policy =
            policy(r#"{"maxDurationSeconds":60,"minBackoffSeconds":10,"jitter":0}"#).unwrap();
        let now = UnixMillis::new(5_000);
        let next = |not_before: i64| {
            policy
                .next_attempt("k", 1, UnixMillis::ZERO, now, Some(UnixMillis::new(not_before)))
                .map(UnixMillis::get)
        };
        for (not_before, expected) in [
            (i64::MIN, 15_000),
            (0, 15_000),
            (15_000, 15_000),
            (15_001, 15_001),
            (59_999, 59_999),
            (60_001, 60_000),
            (i64::MAX, 60_000),
        ] {
            assert_eq!(next(not_before), Some(expected), "{not_before}");
        }
        // If the policy has given up, a target cannot request an attempt.
        assert_eq!(policy.next_attempt("k", 10, UnixMillis::ZERO, now, Some(now)), None);
        assert_eq!(
            policy.next_attempt(
                "k",
                1,
                UnixMillis::ZERO,
                UnixMillis::new(50_001),
                Some(UnixMillis::new(55_000))
            ),
            None
        );
    }

    #[test]
    fn a_task_has_its_own_permanent_statuses() {
        let policy = policy(r#"{"permanentStatuses":["4xx",503]}"#).unwrap();
        assert!(policy.is_permanent(404) && policy.is_permanent(503));
        assert!(!policy.is_permanent(429) && !policy.is_permanent(500));
        assert!(!RetryPolicy::default().is_permanent(404));
    }

    #[test]
    fn extreme_policies_do_not_overflow() {
        let policy =
            policy(r#"{"maxAttempts":100,"factor":100,"minBackoffSeconds":86400,"maxDurationSeconds":2592000}"#).unwrap();
        let at = policy.next_attempt("k", 99, UnixMillis::ZERO, UnixMillis::ZERO, None).unwrap();
        assert!(at.get() <= 86_400_000);
    }

    #[test]
    fn an_error_names_the_invalid_field() {
        for (json, field) in [
            (r#"{"maxAttempts":0}"#, "retry.maxAttempts"),
            (r#"{"maxAttempts":101}"#, "retry.maxAttempts"),
            (r#"{"minBackoffSeconds":-1}"#, "retry.minBackoffSeconds"),
            (r#"{"minBackoffSeconds":10,"maxBackoffSeconds":5}"#, "retry.maxBackoffSeconds"),
            (r#"{"factor":0.5}"#, "retry.factor"),
            (r#"{"jitter":1.5}"#, "retry.jitter"),
            (r#"{"maxDurationSeconds":1e9}"#, "retry.maxDurationSeconds"),
        ] {
            assert_eq!(policy(json).unwrap_err().field, field);
        }
        assert!(policy(r#"{"minBackoffSeconds":7200}"#).is_ok());
    }
}
