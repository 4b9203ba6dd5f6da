//! The sink: a local HTTP server that takes every firing and writes it into the ledger.
//!
//! `POST /envelopes`: one envelope per line, from the example consumer; header `x-received-at` is
//! the epoch millisecond at which the consumer had them. `POST /hook`: a webhook, one record;
//! `Idempotency-Key` is `<id>@<time>`. Parsing happens outside the ledger's lock, so that two cores
//! can share it.

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

/// Largest body taken: a consumer's batch is at most 100 messages of 128 KB.
const MAX_BODY_BYTES: usize = 32 * 1024 * 1024;

/// The ledger, shared by the sink and those who schedule.
#[derive(Clone, Debug, Default)]
pub(crate) struct SharedLedger(Arc<Mutex<Ledger>>);

impl SharedLedger {
    /// Returns the ledger, locked. A panic elsewhere leaves it readable: a report of what is known
    /// is better than none.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Ledger> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the sink has been sent, beyond what is in the ledger.
#[derive(Debug, Default)]
pub(crate) struct SinkCounters {
    /// Posts of a consumer and envelopes in them.
    pub(crate) posts: AtomicU64,
    pub(crate) envelopes: AtomicU64,
    pub(crate) hooks: AtomicU64,
    /// Bodies that are neither envelopes nor a record.
    pub(crate) unreadable: AtomicU64,
    /// What was wrong with the first of them.
    pub(crate) first_problem: Mutex<Option<String>>,
}

/// A running sink; it ends when dropped.
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
    /// Listens on 127.0.0.1. Firings of tasks marked with another `run` are counted as strangers.
    ///
    /// # Errors
    /// The port cannot be had.
    pub(crate) async fn start(port: u16, run: u64, ledger: SharedLedger) -> Result<Self, String> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|error| {
            format!("--sink-port {port}: {error}; give a free port (and tell the consumer)")
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
            // Out of file descriptors, most likely; the connections there are go on.
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
            // A connection that breaks is the sender's affair; what it sent is counted or sent
            // again.
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
