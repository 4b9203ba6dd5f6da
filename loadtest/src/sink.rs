//! The sink: a local HTTP server that receives every firing and records it in the ledger.
//!
//! `POST /envelopes` has one envelope per line, from the example consumer. Its header
//! `x-received-at` is the epoch millisecond at which the consumer received them. `POST /hook` is a
//! webhook with one record, whose `Idempotency-Key` is `<id>@<time>`. Bodies are parsed without the
//! ledger's lock, so that two cores can share the work.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::HeaderMap;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::clock::now_millis;
use crate::envelope::{self, Record};
use crate::ledger::{Arrival, Fired, Ledger};

/// The largest body. A consumer's batch has at most 100 messages of 128 KB.
const MAX_BODY_BYTES: usize = 32 * 1024 * 1024;

/// The ledger, which the sink and the schedulers share.
#[derive(Clone, Debug, Default)]
pub(crate) struct SharedLedger(Arc<Mutex<Ledger>>);

impl SharedLedger {
    /// Returns the locked ledger. It stays readable after a panic elsewhere, because a report of
    /// the known facts is better than none.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Ledger> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The counts of the sink that are not in the ledger.
#[derive(Debug, Default)]
pub(crate) struct SinkCounters {
    /// The posts of a consumer, and the envelopes in them.
    pub(crate) posts: AtomicU64,
    pub(crate) envelopes: AtomicU64,
    pub(crate) hooks: AtomicU64,
    /// The bodies that are neither envelopes nor a record.
    pub(crate) unreadable: AtomicU64,
    /// The problem of the first of them.
    pub(crate) first_problem: Mutex<Option<String>>,
}

/// A running sink. It stops when this is dropped.
#[derive(Debug)]
pub(crate) struct Sink {
    pub(crate) port: u16,
    pub(crate) counters: Arc<SinkCounters>,
    accepting: JoinHandle<()>,
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Sink {
    /// Listens on 127.0.0.1. Firings with the mark of another `run` are counted as strangers.
    ///
    /// # Errors
    /// Returns an error if the port is not free.
    pub(crate) async fn start(port: u16, run: u64, ledger: SharedLedger) -> Result<Self, String> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|error| {
            format!(
                "--sink-port {port}: {error}; use a free port, and the same one for the consumer"
            )
        })?;
        let port = listener.local_addr().map_err(|error| error.to_string())?.port();
        let counters = Arc::new(SinkCounters::default());
        let receiver = Receiver { run, ledger, counters: Arc::clone(&counters) };
        let accepting = tokio::spawn(accept(listener, receiver));
        Ok(Self { port, counters, accepting })
    }
}

async fn accept(listener: TcpListener, receiver: Receiver) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // The process probably has no free file descriptors. Existing connections continue.
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let receiver = receiver.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let receiver = receiver.clone();
                async move { Ok::<_, Infallible>(receiver.answer(request).await) }
            });
            // A broken connection is the sender's problem. What it sent is counted already, or is
            // sent again.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

#[derive(Clone, Debug)]
struct Receiver {
    run: u64,
    ledger: SharedLedger,
    counters: Arc<SinkCounters>,
}

impl Receiver {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let body = match Limited::new(body, MAX_BODY_BYTES).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) => return self.refuse(&error.to_string()),
        };
        let taken = match (&head.method, head.uri.path()) {
            (&Method::POST, "/envelopes") => self.envelopes(&head.headers, &body),
            (&Method::POST, "/hook") => self.hook(&head.headers, &body),
            _ => return plain(StatusCode::NOT_FOUND, "POST /envelopes or /hook\n"),
        };
        match taken {
            Ok(()) => plain(StatusCode::OK, "ok\n"),
            Err(problem) => self.refuse(&problem),
        }
    }

    fn envelopes(&self, headers: &HeaderMap, body: &[u8]) -> Result<(), String> {
        let received = number(headers, "x-received-at").unwrap_or_else(now_millis);
        let envelopes = envelope::parse_lines(body)?;
        self.counters.posts.fetch_add(1, Ordering::Relaxed);
        self.counters.envelopes.fetch_add(envelopes.len() as u64, Ordering::Relaxed);
        let mut ledger = self.ledger.lock();
        for envelope in &envelopes {
            let shard = ledger.shard_number(&envelope.shard);
            let arrival = Arrival {
                at_shard: Some(envelope.fired_at),
                received,
                envelope: Some((shard, envelope.seq)),
            };
            envelope
                .tasks
                .iter()
                .for_each(|record| self.record(&mut ledger, record, arrival, true));
        }
        Ok(())
    }

    fn hook(&self, headers: &HeaderMap, body: &[u8]) -> Result<(), String> {
        let received = now_millis();
        let record = envelope::parse_record(body)?;
        let key = headers.get("idempotency-key").map(hyper::header::HeaderValue::as_bytes);
        let expected = format!("{}@{}", record.id, record.time);
        self.counters.hooks.fetch_add(1, Ordering::Relaxed);
        let arrival = Arrival { at_shard: None, received, envelope: None };
        self.record(&mut self.ledger.lock(), &record, arrival, key == Some(expected.as_bytes()));
        Ok(())
    }

    fn record(
        &self,
        ledger: &mut Ledger,
        record: &Record<'_>,
        arrival: Arrival,
        key_matches: bool,
    ) {
        match record.payload.n {
            Some(n) if record.payload.run == Some(self.run) => ledger.fired(&Fired {
                n,
                id: &record.id,
                time: record.time,
                attempt: record.attempt,
                arrival,
                key_matches,
            }),
            _ => ledger.stranger(),
        }
    }

    fn refuse(&self, problem: &str) -> Response<Full<Bytes>> {
        self.counters.unreadable.fetch_add(1, Ordering::Relaxed);
        self.counters
            .first_problem
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert_with(|| problem.to_owned());
        plain(StatusCode::BAD_REQUEST, problem)
    }
}

fn number(headers: &HeaderMap, name: &str) -> Option<i64> {
    headers.get(name)?.to_str().ok()?.parse().ok()
}

fn plain(status: StatusCode, text: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::copy_from_slice(text.as_bytes())));
    *response.status_mut() = status;
    response
}
