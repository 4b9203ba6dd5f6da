//! A fake scheduler in the test's own process. It has the part of the API that the load tester
//! uses, in memory, and switches for one kind of defect each.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// The defect of the fake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// Every 50th task never fires.
    Lose,
    /// Every 50th task fires 150 ms before its time.
    Early,
    /// Every 50th record has another time.
    WrongTime,
    /// Every 50th item of a batch is refused.
    Reject,
    /// Every envelope is sent twice.
    Resend,
    /// A cancel answers that it succeeded, but does nothing.
    IgnoreCancel,
    /// A cancel answers "already fired", but cancels.
    DenyCancel,
    /// An overwrite leaves the old version in place.
    KeepReplaced,
    /// The first occurrence of a recurring task is missing.
    CronGap,
    /// Every other batch is first answered with 429 or 503.
    Overloaded,
    /// Every 50th item of a batch is delayed once, because its shard is busy.
    BusyShard,
    /// The counters start again, as if the shard had lost them with its memory.
    LostCounters,
    /// Handlers are not run.
    NoHandlers,
    /// Webhooks have only the id as their key.
    WrongKey,
}

#[derive(Clone, Debug)]
struct Task {
    id: String,
    due: i64,
    /// The step of a recurring task in milliseconds.
    cron: Option<i64>,
    /// Whether a recurring task has had an occurrence.
    begun: bool,
    callback: Value,
    payload: Value,
    number: u64,
}

#[derive(Debug, Default)]
struct State {
    tasks: HashMap<String, Task>,
    /// Old versions that an overwrite should have removed.
    leftovers: Vec<Task>,
    created: u64,
    succeeded: u64,
    fired: u64,
    batches: u64,
    readings: AtomicU64,
    seq: u64,
}

/// A running fake. It stops with the test's runtime.
#[derive(Debug)]
pub(crate) struct Fake {
    pub(crate) port: u16,
    fault: Fault,
    sink: String,
    state: Mutex<State>,
    parsed: AtomicU64,
}

impl Fake {
    /// Starts a fake that sends envelopes to a sink on `sink_port`.
    pub(crate) async fn start(fault: Fault, sink_port: u16) -> Arc<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let fake = Arc::new(Self {
            port: listener.local_addr().unwrap().port(),
            fault,
            sink: format!("http://127.0.0.1:{sink_port}"),
            state: Mutex::default(),
            parsed: AtomicU64::new(0),
        });
        tokio::spawn(serve(listener, Arc::clone(&fake)));
        tokio::spawn(fire(Arc::clone(&fake)));
        fake
    }

    /// Returns the number of tasks accepted so far.
    pub(crate) fn created(&self) -> u64 {
        self.state.lock().unwrap().created
    }

    /// Returns the number of recurring tasks that it still holds.
    pub(crate) fn crons(&self) -> usize {
        self.state.lock().unwrap().tasks.values().filter(|task| task.cron.is_some()).count()
    }

    /// Returns the number of tasks in requests to parse only.
    pub(crate) fn parsed(&self) -> u64 {
        self.parsed.load(Ordering::Relaxed)
    }

    fn answer(
        &self,
        method: &Method,
        path: &str,
        query: Option<&str>,
        body: &[u8],
    ) -> (u16, Value) {
        let id = path.strip_prefix("/v1/tasks/");
        match (method.as_str(), path) {
            ("GET", "/healthz") => (200, json!({"status": "ok"})),
            ("GET", "/v1/stats") => (200, self.stats()),
            ("POST", "/v1/tasks/batch") if query == Some("mode=parse") => {
                let count = items(body).len();
                self.parsed.fetch_add(count as u64, Ordering::Relaxed);
                (200, json!({ "parsed": count }))
            }
            ("POST", "/v1/tasks/batch") => self.batch(body),
            ("POST", "/v1/tasks/cancel") => self.cancel_many(body),
            ("PUT", _) if id.is_some() => {
                let task: Value = serde_json::from_slice(body).unwrap();
                let replaced = self.put(&mut self.state.lock().unwrap(), id.unwrap(), &task);
                (if replaced { 200 } else { 201 }, json!({ "id": id }))
            }
            ("DELETE", _) if id.is_some() => {
                if self.cancel(id.unwrap()) {
                    (200, json!({ "id": id, "cancelled": true }))
                } else {
                    (404, json!({ "title": "No such task" }))
                }
            }
            _ => (404, json!({ "title": "no such route" })),
        }
    }

    fn stats(&self) -> Value {
        let state = self.state.lock().unwrap();
        let lost = self.fault == Fault::LostCounters && state.created > 0;
        let counter = |value: u64| if lost { 0 } else { value };
        let meter = json!({
            "rowsRead": 1, "rowsWritten": counter(state.batches * 2 + 9), "alarmsSet": 1,
            "shardRequests": state.batches + state.readings.fetch_add(1, Ordering::Relaxed),
            "queueOperations": counter(state.seq * 3),
        });
        let (created, fired) = (counter(state.created), counter(state.fired));
        json!({
            "pending": state.tasks.len(), "inFlight": 0, "succeeded": state.succeeded,
            "created": created, "fired": fired, "latenessMillis": {"p50": 1.5, "count": 1}, "unknownField": {},
            "meter": meter, "shards": [{"shard": "1-0", "created": created, "fired": fired, "meter": meter}],
        })
    }

    fn batch(&self, body: &[u8]) -> (u16, Value) {
        let mut state = self.state.lock().unwrap();
        state.batches += 1;
        if self.fault == Fault::Overloaded && state.batches % 2 == 1 {
            return (
                if state.batches % 4 == 1 { 429 } else { 503 },
                json!({ "title": "overloaded" }),
            );
        }
        let items = items(body);
        let mut rejected = 0;
        let mut results = Vec::new();
        for item in &items {
            if self.fault == Fault::Reject && state.created % 50 == 49 {
                state.created += 1;
                rejected += 1;
                results.push(json!({"error": {"field": "payload", "detail": "not today"}}));
                continue;
            }
            if self.fault == Fault::BusyShard && state.created % 50 == 48 {
                state.created += 1;
                rejected += 1;
                let error =
                    json!({"field": "id", "detail": "shard 1-0 is busy", "retryable": true});
                results.push(json!({"id": format!("put-off-{}", state.created), "error": error}));
                continue;
            }
            let id = item["id"]
                .as_str()
                .map_or_else(|| format!("generated-{}", state.created), str::to_owned);
            self.put(&mut state, &id, item);
            results.push(json!({ "id": id }));
        }
        (200, json!({"accepted": items.len() - rejected, "rejected": rejected, "results": results}))
    }

    /// Stores a task, and returns whether there was one with its id.
    fn put(&self, state: &mut State, id: &str, task: &Value) -> bool {
        let cron =
            task["cron"].as_str().map(|cron| if cron.starts_with("*/2") { 2_000 } else { 1_000 });
        let due =
            cron.map_or_else(|| task["time"].as_i64().unwrap(), |step| (now() / step + 1) * step);
        let number = state.created;
        state.created += 1;
        let (callback, payload) = (task["callback"].clone(), task["payload"].clone());
        let task = Task { id: id.to_owned(), due, cron, begun: false, callback, payload, number };
        let old = state.tasks.insert(id.to_owned(), task);
        let replaced = old.is_some();
        if self.fault == Fault::KeepReplaced {
            state.leftovers.extend(old);
        }
        replaced
    }

    fn cancel_many(&self, body: &[u8]) -> (u16, Value) {
        let body: Value = serde_json::from_slice(body).unwrap();
        let ids = body["ids"].as_array().unwrap();
        let cancelled = ids.iter().filter(|id| self.cancel(id.as_str().unwrap())).count();
        (200, json!({"cancelled": cancelled, "notFound": ids.len() - cancelled, "done": true}))
    }

    fn cancel(&self, id: &str) -> bool {
        let mut state = self.state.lock().unwrap();
        let is_cron = state.tasks.get(id).is_some_and(|task| task.cron.is_some());
        match self.fault {
            Fault::IgnoreCancel if !is_cron => state.tasks.contains_key(id),
            Fault::DenyCancel if !is_cron => {
                state.tasks.remove(id);
                false
            }
            _ => state.tasks.remove(id).is_some(),
        }
    }

    /// Removes the due tasks. Returns their envelope, if any, and their webhooks.
    fn due(&self) -> (Option<Value>, Vec<(String, Value, String)>) {
        let now = now();
        let mut state = self.state.lock().unwrap();
        let marked = |task: &Task| task.number % 50 == 49 && task.cron.is_none();
        let is_due = |task: &Task| {
            let head_start = if self.fault == Fault::Early && marked(task) { 150 } else { 0 };
            task.due - head_start <= now
        };
        let mut due: Vec<Task> =
            state.tasks.values().filter(|task| is_due(task)).cloned().collect();
        for task in &due {
            match (task.cron, state.tasks.get_mut(&task.id)) {
                (Some(step), Some(again)) => {
                    again.due += step;
                    again.begun = true;
                }
                _ => drop(state.tasks.remove(&task.id)),
            }
        }
        due.extend(state.leftovers.extract_if(.., |task| is_due(task)));

        let mut records = Vec::new();
        let mut webhooks = Vec::new();
        for task in due {
            let gap = self.fault == Fault::CronGap && task.cron.is_some() && !task.begun;
            if gap || (self.fault == Fault::Lose && marked(&task)) {
                continue;
            }
            state.fired += 1;
            let time = if self.fault == Fault::WrongTime && marked(&task) {
                task.due - 1
            } else {
                task.due
            };
            let record = json!({"time": time, "id": task.id, "callback": task.callback, "payload": task.payload});
            match task.callback["type"].as_str().unwrap() {
                "queue" => records.push(record),
                "webhook" => {
                    let key = match self.fault {
                        Fault::WrongKey => task.id,
                        _ => format!("{}@{time}", task.id),
                    };
                    webhooks.push((task.callback["url"].as_str().unwrap().to_owned(), record, key));
                }
                _ if self.fault == Fault::NoHandlers => {}
                _ => state.succeeded += 1,
            }
        }
        let envelope = (!records.is_empty()).then(|| {
            state.seq += 1;
            json!({"v": 1, "shard": "1-0", "seq": state.seq, "firedAt": now, "tasks": records})
        });
        (envelope, webhooks)
    }
}

fn items(body: &[u8]) -> Vec<Value> {
    if body.first() == Some(&b'[') {
        return serde_json::from_slice(body).unwrap();
    }
    body.split(|&byte| byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect()
}

async fn serve(listener: TcpListener, fake: Arc<Fake>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let fake = Arc::clone(&fake);
        tokio::spawn(async move {
            let service = service_fn(move |request: Request<Incoming>| {
                let fake = Arc::clone(&fake);
                async move { Ok::<_, Infallible>(respond(&fake, request).await) }
            });
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn respond(fake: &Fake, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let Ok(body) = body.collect().await else {
        return Response::default();
    };
    let has_key = head.headers.get("authorization").is_some_and(|key| key == "Bearer test-key");
    let (status, answer) = if has_key || head.uri.path() == "/healthz" {
        fake.answer(&head.method, head.uri.path(), head.uri.query(), &body.to_bytes())
    } else {
        (401, json!({ "title": "no" }))
    };
    let response = Response::builder().status(status).header("retry-after", "0");
    response.body(Full::new(Bytes::from(answer.to_string()))).unwrap()
}

/// Fires due tasks without end. Envelopes are sent one after the other and webhooks at once, so
/// that a slow webhook delays no envelope.
async fn fire(fake: Arc<Fake>) {
    let http: Client<HttpConnector, Full<Bytes>> =
        Client::builder(TokioExecutor::new()).build_http();
    let mut webhooks = JoinSet::new();
    loop {
        let (envelope, due_webhooks) = fake.due();
        let copies = if fake.fault == Fault::Resend { 2 } else { 1 };
        for envelope in std::iter::repeat_n(&envelope, copies).flatten() {
            let request =
                Request::post(format!("{}/envelopes", fake.sink)).header("x-received-at", now());
            let _ = http
                .request(request.body(Full::new(Bytes::from(envelope.to_string()))).unwrap())
                .await;
        }
        for (url, record, key) in due_webhooks {
            let request = Request::post(url).header("idempotency-key", key);
            webhooks.spawn(
                http.request(request.body(Full::new(Bytes::from(record.to_string()))).unwrap()),
            );
        }
        while webhooks.try_join_next().is_some() {}
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "the fake replaces a server, which has the machine's clock"
)]
fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}
