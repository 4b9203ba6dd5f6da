//! The HTTP client of the scheduler's API. It has one connection pool and bounded retries. Its
//! answers state whether an earlier try of the same request may have been carried out.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::{Method, Request, StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::cli::TargetArgs;
use crate::clock::now_millis;
use crate::stats::Stats;

/// The largest answer that is read. The results of a batch of 20,000 with ids of 256 bytes fit.
const MAX_ANSWER_BYTES: usize = 16 * 1024 * 1024;
/// The longest wait before another try, whatever `Retry-After` is.
const MAX_WAIT: Duration = Duration::from_secs(10);
const FIRST_WAIT: Duration = Duration::from_millis(100);

/// The final answer to a request.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
    /// An earlier try may have been carried out, although its answer did not say so.
    pub(crate) repeated: bool,
    /// The times of the first try and of the complete answer, in epoch milliseconds.
    pub(crate) sent: i64,
    pub(crate) answered: i64,
}

impl Answer {
    /// Returns the status and the start of the body, for an error message.
    pub(crate) fn describe(&self) -> String {
        let text = String::from_utf8_lossy(&self.body);
        let beginning: String = text.chars().take(300).collect();
        format!("{} {beginning}", self.status)
    }
}

/// The API of one server.
#[derive(Debug)]
pub(crate) struct Api {
    http: Client<HttpConnector, Full<Bytes>>,
    base: String,
    authorization: HeaderValue,
    timeout: Duration,
    tries: u32,
    requests: AtomicU64,
    retries: AtomicU64,
    stats_calls: AtomicU64,
}

impl Api {
    /// Returns a client for the target.
    ///
    /// # Errors
    /// Returns an error if the target is not loopback or not plain `http`, if the key is missing or
    /// cannot be a header, or if an option is out of bounds.
    pub(crate) fn new(target: &TargetArgs) -> Result<Self, String> {
        let key = target
            .key
            .as_deref()
            .filter(|key| !key.is_empty())
            .ok_or("no API key: give --key or set SCHEDULER_API_KEY to one of the server's keys (`make dev` prints it)")?;
        let mut authorization = HeaderValue::try_from(format!("Bearer {key}"))
            .map_err(|_| "--key: has characters that a header cannot carry")?;
        authorization.set_sensitive(true);
        let timeout = crate::scenario::millis("--request-timeout", target.request_timeout)?;
        if timeout == 0 || !(1..=100).contains(&target.tries) {
            return Err("--request-timeout must be above 0, --tries between 1 and 100".to_owned());
        }
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Ok(Self {
            http: Client::builder(TokioExecutor::new()).build(connector),
            base: loopback_base(&target.url)?,
            authorization,
            timeout: Duration::from_millis(timeout.unsigned_abs()),
            tries: target.tries,
            requests: AtomicU64::new(0),
            retries: AtomicU64::new(0),
            stats_calls: AtomicU64::new(0),
        })
    }

    /// Returns the server's address.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Returns the number of requests that reached the server, including retries.
    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Returns the number of retries.
    pub(crate) fn retries(&self) -> u64 {
        self.retries.load(Ordering::Relaxed)
    }

    /// Returns the number of times that this tool has read the counters, which is not part of the
    /// cost of tasks.
    pub(crate) fn stats_calls(&self) -> u64 {
        self.stats_calls.load(Ordering::Relaxed)
    }

    /// Checks that a scheduler answers and accepts the key, and returns its counters.
    ///
    /// # Errors
    /// Returns the problem and its solution.
    pub(crate) async fn check(&self) -> Result<Stats, String> {
        let health = self.once(&Method::GET, "/healthz", None, Bytes::new()).await;
        match health {
            Ok((status, ..)) if status.is_success() => self.stats().await,
            Ok((status, ..)) => {
                Err(format!("{}/healthz answered {status}: is this the scheduler?", self.base))
            }
            Err(error) => Err(format!(
                "{} does not answer: {error}; start a server with `make dev`",
                self.base
            )),
        }
    }

    /// Reads `GET /v1/stats`.
    ///
    /// # Errors
    /// Returns an error without an answer, for a status other than 200, and for a body that is not
    /// the counters.
    pub(crate) async fn stats(&self) -> Result<Stats, String> {
        self.stats_calls.fetch_add(1, Ordering::Relaxed);
        let answer = self.call(&Method::GET, "/v1/stats", None, Bytes::new()).await?;
        if answer.status == StatusCode::UNAUTHORIZED {
            return Err(
                "the server refuses the API key: give one of its keys with --key".to_owned()
            );
        }
        if !answer.status.is_success() {
            return Err(format!("GET /v1/stats: {}", answer.describe()));
        }
        serde_json::from_slice(&answer.body).map_err(|error| format!("GET /v1/stats: {error}"))
    }

    /// Sends a request until the answer is neither 429 nor 503, at most `--tries` times.
    ///
    /// # Errors
    /// Returns the problem of the last try. The request may still have been carried out.
    pub(crate) async fn call(
        &self,
        method: &Method,
        path: &str,
        content_type: Option<&'static str>,
        body: Bytes,
    ) -> Result<Answer, String> {
        let sent = now_millis();
        let mut wait = FIRST_WAIT;
        let mut repeated = false;
        let mut problem = String::new();
        for attempt in 0..self.tries {
            if attempt > 0 {
                self.retries.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(wait.min(MAX_WAIT)).await;
                wait *= 2;
            }
            match self.once(method, path, content_type, body.clone()).await {
                Ok((
                    status @ (StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE),
                    after,
                    text,
                )) => {
                    // A 429 refuses the whole request. A 503 may come from one shard after another
                    // shard has stored its part.
                    repeated |= status == StatusCode::SERVICE_UNAVAILABLE;
                    wait = after.unwrap_or(wait);
                    problem = format!("{status} {}", String::from_utf8_lossy(&text));
                }
                Ok((status, _, body)) => {
                    return Ok(Answer { status, body, repeated, sent, answered: now_millis() });
                }
                Err(error) => {
                    repeated |= !error.before_sending;
                    problem = error.to_string();
                }
            }
        }
        Err(format!("{method} {path}: {problem} ({} tries)", self.tries))
    }

    /// Sends one try, and returns the status, `Retry-After` and the body.
    async fn once(
        &self,
        method: &Method,
        path: &str,
        content_type: Option<&'static str>,
        body: Bytes,
    ) -> Result<(StatusCode, Option<Duration>, Bytes), TryError> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header(AUTHORIZATION, &self.authorization);
        if let Some(content_type) = content_type {
            request = request.header(CONTENT_TYPE, content_type);
        }
        let request = request.body(Full::new(body)).map_err(|error| TryError::new(true, error))?;
        self.requests.fetch_add(1, Ordering::Relaxed);
        let exchange = async {
            let response = self
                .http
                .request(request)
                .await
                .map_err(|error| TryError::new(error.is_connect(), Chain(&error)))?;
            let status = response.status();
            let after = response
                .headers()
                .get(RETRY_AFTER)
                .and_then(|after| after.to_str().ok()?.parse().ok());
            let body = Limited::new(response.into_body(), MAX_ANSWER_BYTES)
                .collect()
                .await
                .map_err(|error| TryError::new(false, error))?;
            Ok((status, after.map(Duration::from_secs), body.to_bytes()))
        };
        match tokio::time::timeout(self.timeout, exchange).await {
            Ok(result) => result,
            Err(_) => Err(TryError::new(false, format!("no answer within {:?}", self.timeout))),
        }
    }
}

/// The reason why a try has no answer.
#[derive(Debug)]
struct TryError {
    /// There was no connection, so the server has not seen the request.
    before_sending: bool,
    text: String,
}

impl TryError {
    fn new(before_sending: bool, error: impl std::fmt::Display) -> Self {
        Self { before_sending, text: error.to_string() }
    }
}

impl std::fmt::Display for TryError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// An error with its causes, because hyper's own text says little.
struct Chain<'a>(&'a dyn std::error::Error);

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(formatter, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

/// Returns the target's scheme, host and port if the target is this machine.
///
/// Every other target is refused, because a test of a deployed scheduler would flood it and cost
/// its owner money.
///
/// # Errors
/// Returns the problem with the address.
fn loopback_base(url: &str) -> Result<String, String> {
    let uri: Uri = url.parse().map_err(|error| format!("--url {url}: {error}"))?;
    if uri.scheme_str() != Some("http") {
        return Err(format!("--url {url}: must start with http://, as a local server does"));
    }
    if uri.path() != "/" || uri.query().is_some() {
        return Err(format!("--url {url}: give only scheme, host and port"));
    }
    let authority = uri.authority().ok_or_else(|| format!("--url {url}: has no host"))?;
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    let is_loopback = host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    if !is_loopback || authority.as_str().contains('@') {
        return Err(format!(
            "--url {url}: only this machine (127.0.0.1, [::1] or localhost) may be load tested"
        ));
    }
    Ok(format!("http://{authority}"))
}

/// Returns a task id as one segment of a path.
pub(crate) fn path_segment(id: &str) -> String {
    let mut out = String::with_capacity(id.len());
    for byte in id.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_can_be_a_target() {
        for url in [
            "http://127.0.0.1:8787",
            "http://localhost:1/",
            "http://[::1]:8787",
            "http://127.1.2.3",
        ] {
            assert!(loopback_base(url).is_ok(), "{url}");
        }
        for url in [
            "https://127.0.0.1:8787",
            "http://example.com",
            "http://10.0.0.1:8787",
            "http://localhost.example.com",
            "http://127.0.0.1@example.com/",
            "http://localhost:1/base",
            "127.0.0.1:8787",
            "",
        ] {
            assert!(loopback_base(url).is_err(), "{url}");
        }
    }

    #[test]
    fn ids_are_escaped_in_paths() {
        assert_eq!(path_segment("lt-1_~.z"), "lt-1_~.z");
        assert_eq!(path_segment("{a}/é%"), "%7Ba%7D%2F%C3%A9%25");
    }
}
