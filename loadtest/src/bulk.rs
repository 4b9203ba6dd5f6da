//! Compares the rate of bulk creates with the rate of the same requests when the server only parses
//! them.
//!
//! On small machines, absolute rates vary by half. So each round measures both with the same
//! bodies, directly one after the other and in alternating order, and the report compares the
//! ratios of the rounds. `POST /v1/tasks/batch?mode=parse` is a route of the bench server, which
//! parses the items and answers `{"parsed":n}`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hyper::Method;
use hyper::body::Bytes;
use serde::Serialize;
use tokio::task::JoinSet;

use crate::body::{self, TaskWriter};
use crate::cli::BulkArgs;
use crate::client::Api;
use crate::clock::{Stopwatch, now_millis};
use crate::latency::median;
use crate::ledger::{Kind, Via};
use crate::plan::Planned;
use crate::progress;

/// The tasks are due in a day, so that none fires during the measurement.
const DUE_IN_MILLIS: i64 = 86_400_000;
const SCHEDULE: &str = "/v1/tasks/batch";
const PARSE: &str = "/v1/tasks/batch?mode=parse";

/// The shapes of the measured requests.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Shape {
    name: &'static str,
    tasks_per_request: usize,
    own_ids: bool,
}

const SHAPES: [Shape; 3] = [
    Shape { name: "1,000 generated ids", tasks_per_request: 1_000, own_ids: false },
    Shape { name: "1,000 own scattered ids", tasks_per_request: 1_000, own_ids: true },
    Shape { name: "5,000 generated ids", tasks_per_request: 5_000, own_ids: false },
];

/// Both rates of one round, in tasks per second.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Round {
    scheduled: f64,
    parsed: f64,
    ratio: f64,
}

/// The median and the range over the rounds.
#[derive(Clone, Copy, Debug, Serialize)]
struct Spread {
    median: f64,
    min: f64,
    max: f64,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ShapeResult {
    shape: Shape,
    bytes_per_task: f64,
    scheduled_tasks_per_second: Spread,
    parsed_tasks_per_second: Spread,
    ratio: Spread,
    rounds: Vec<Round>,
}

/// The report of the measurement. Its fields are those of the JSON file.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BulkReport {
    target: String,
    concurrency: usize,
    /// False after Ctrl-C or the time limit.
    complete: bool,
    shapes: Vec<ShapeResult>,
}

impl BulkReport {
    /// Returns the printed report.
    pub(crate) fn text(&self) -> String {
        let mut out = format!(
            "bulk schedule rate against {}, {} requests at once\n",
            self.target, self.concurrency
        );
        for result in &self.shapes {
            let ShapeResult {
                scheduled_tasks_per_second: scheduled,
                parsed_tasks_per_second: parsed,
                ratio,
                ..
            } = result;
            out.push_str(&format!(
                "  {:<24} scheduled {:>9.0} tasks/s ({:.0}-{:.0}), parsed {:>9.0} ({:.0}-{:.0}), ratio {:.1} % \
                 ({:.1}-{:.1}); {} rounds, {:.0} bytes a task\n",
                result.shape.name,
                scheduled.median,
                scheduled.min,
                scheduled.max,
                parsed.median,
                parsed.min,
                parsed.max,
                ratio.median * 100.0,
                ratio.min * 100.0,
                ratio.max * 100.0,
                result.rounds.len(),
                result.bytes_per_task,
            ));
        }
        if !self.complete {
            out.push_str("  interrupted: only the rounds until then\n");
        }
        out
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.complete
    }

    /// Returns the text of the JSON file.
    ///
    /// # Errors
    /// Never fails, because every field can be written as JSON.
    pub(crate) fn json(&self) -> Result<String, String> {
        serde_json::to_string_pretty(self)
            .map(|text| text + "\n")
            .map_err(|error| error.to_string())
    }
}

/// Measures all shapes.
///
/// # Errors
/// Returns an error for wrong options, a missing server, or any answer except "all accepted" or
/// "all parsed", because a rate that includes errors is meaningless.
pub(crate) async fn run(args: &BulkArgs) -> Result<BulkReport, String> {
    if !(1..=1_000).contains(&args.rounds) || !(1..=64).contains(&args.concurrency) {
        return Err(
            "--rounds must be between 1 and 1,000, --concurrency between 1 and 64".to_owned()
        );
    }
    if !(5_000..=2_000_000).contains(&args.tasks_per_round) || args.payload_bytes > 1_000 {
        return Err(
            "--tasks-per-round must be between 5,000 and 2,000,000, --payload-bytes at most 1,000"
                .to_owned(),
        );
    }
    let limit = Duration::from_millis(
        crate::scenario::millis("--max-seconds", args.max_seconds)?.unsigned_abs(),
    );
    let api = Arc::new(Api::new(&args.target)?);
    api.check().await?;
    let mut report = BulkReport {
        target: api.base().to_owned(),
        concurrency: args.concurrency as usize,
        complete: false,
        shapes: Vec::new(),
    };
    let bar = progress::bar("rounds", u64::from(args.rounds + 1) * SHAPES.len() as u64);
    bar.set_draw_target(progress::target(args.target.quiet));
    let measuring = async {
        for shape in SHAPES {
            let bytes = Bodies::new(args, shape, 0).bytes_per_task();
            report.shapes.push(ShapeResult {
                shape,
                bytes_per_task: bytes,
                scheduled_tasks_per_second: spread(&[]),
                parsed_tasks_per_second: spread(&[]),
                ratio: spread(&[]),
                rounds: Vec::new(),
            });
            // Round 0 warms up the connections, the compiled code and the shards, and is not
            // counted.
            for round in 0..=args.rounds {
                let measured = measure(&api, args, shape, round).await?;
                if let Some(result) = report.shapes.last_mut().filter(|_| round > 0) {
                    result.add(measured);
                }
                bar.inc(1);
            }
        }
        Ok::<(), String>(())
    };
    let complete = tokio::select! {
        done = measuring => done.map(|()| true)?,
        _ = tokio::signal::ctrl_c() => false,
        () = tokio::time::sleep(limit) => false,
    };
    bar.finish_and_clear();
    report.complete = complete;
    report.shapes.retain(|result| !result.rounds.is_empty());
    Ok(report)
}

impl ShapeResult {
    fn add(&mut self, round: Round) {
        self.rounds.push(round);
        let of =
            |value: fn(&Round) -> f64| spread(&self.rounds.iter().map(value).collect::<Vec<_>>());
        let (scheduled, parsed, ratio) =
            (of(|round| round.scheduled), of(|round| round.parsed), of(|round| round.ratio));
        self.scheduled_tasks_per_second = scheduled;
        self.parsed_tasks_per_second = parsed;
        self.ratio = ratio;
    }
}

fn spread(values: &[f64]) -> Spread {
    Spread {
        median: median(values),
        min: values.iter().copied().reduce(f64::min).unwrap_or(0.0),
        max: values.iter().copied().reduce(f64::max).unwrap_or(0.0),
    }
}

/// Measures one round: both rates, whose order alternates.
async fn measure(
    api: &Arc<Api>,
    args: &BulkArgs,
    shape: Shape,
    round: u32,
) -> Result<Round, String> {
    // Each round has new ids of its own, because repeated ids would measure overwriting.
    let bodies = Arc::new(Bodies::new(args, shape, round));
    let (scheduled, parsed) = if round.is_multiple_of(2) {
        let scheduled = send(api, args, &bodies, SCHEDULE).await?;
        (scheduled, send(api, args, &bodies, PARSE).await?)
    } else {
        let parsed = send(api, args, &bodies, PARSE).await?;
        (send(api, args, &bodies, SCHEDULE).await?, parsed)
    };
    Ok(Round { scheduled, parsed, ratio: if parsed > 0.0 { scheduled / parsed } else { 0.0 } })
}

/// Requests made ready before the clock starts.
#[derive(Debug)]
struct Bodies {
    requests: Vec<Bytes>,
    tasks_per_request: usize,
}

impl Bodies {
    fn new(args: &BulkArgs, shape: Shape, round: u32) -> Self {
        let now = now_millis();
        let writer = TaskWriter::new(now.unsigned_abs(), &args.queue, 0, args.payload_bytes);
        let task = Planned {
            kind: Kind::Once,
            via: Via::Consumer,
            due: now + DUE_IN_MILLIS,
            change: None,
        };
        let requests = (args.tasks_per_round as usize).div_ceil(shape.tasks_per_request);
        let mut n = 0_u32;
        let mut request = || {
            let text = body::batch(shape.tasks_per_request, args.ndjson, |out, _| {
                // Spread over a minute, and scattered: as in real use, not already in order.
                let due = task.due + i64::from(n.wrapping_mul(0x9E37_79B1) % 60_000);
                let id = shape
                    .own_ids
                    .then(|| format!("{:08x}-{now:x}-{round}", n.wrapping_mul(0x9E37_79B1)));
                writer.write(out, n, id.as_deref(), &Planned { due, ..task });
                n += 1;
            });
            Bytes::from(text)
        };
        Self {
            requests: (0..requests).map(|_| request()).collect(),
            tasks_per_request: shape.tasks_per_request,
        }
    }

    fn tasks(&self) -> usize {
        self.requests.len() * self.tasks_per_request
    }

    fn bytes_per_task(&self) -> f64 {
        self.requests.iter().map(Bytes::len).sum::<usize>() as f64 / self.tasks().max(1) as f64
    }
}

/// Sends all bodies to `path`; gives tasks/s.
async fn send(
    api: &Arc<Api>,
    args: &BulkArgs,
    bodies: &Arc<Bodies>,
    path: &'static str,
) -> Result<f64, String> {
    let next = Arc::new(AtomicUsize::new(0));
    let content_type = body::content_type(args.ndjson);
    let field = if path == PARSE { "parsed" } else { "accepted" };
    let expected: Arc<str> = format!("\"{field}\":{}", bodies.tasks_per_request).into();
    let mut workers = JoinSet::new();
    let clock = Stopwatch::start();
    for _ in 0..args.concurrency {
        let (api, bodies, next) = (Arc::clone(api), Arc::clone(bodies), Arc::clone(&next));
        let expected = Arc::clone(&expected);
        workers.spawn(async move {
            while let Some(body) = bodies.requests.get(next.fetch_add(1, Ordering::Relaxed)) {
                let answer =
                    api.call(&Method::POST, path, Some(content_type), body.clone()).await?;
                if !answer.status.is_success() || !begins_with_count(&answer.body, &expected) {
                    return Err(format!(
                        "POST {path}: expected {expected}, got {}",
                        answer.describe()
                    ));
                }
            }
            Ok(())
        });
    }
    while let Some(worker) = workers.join_next().await {
        worker.map_err(|error| error.to_string())??;
    }
    Ok(bodies.tasks() as f64 / clock.elapsed().as_secs_f64())
}

/// Returns whether the count is among the first fields of an answer. Not parsed, so that the client
/// stays cheap.
fn begins_with_count(body: &[u8], expected: &str) -> bool {
    let head = String::from_utf8_lossy(body.get(..body.len().min(64)).unwrap_or_default());
    let head: String = head.split_whitespace().collect();
    head.split_once(expected)
        .is_some_and(|(_, rest)| !rest.starts_with(|next: char| next.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_must_be_the_whole_number() {
        assert!(begins_with_count(
            br#"{"accepted":1000,"rejected":0,"results":[]}"#,
            "\"accepted\":1000"
        ));
        assert!(begins_with_count(br#"{ "parsed": 1000 }"#, "\"parsed\":1000"));
        assert!(!begins_with_count(br#"{"accepted":10000}"#, "\"accepted\":1000"));
        assert!(!begins_with_count(br#"{"accepted":999,"rejected":1}"#, "\"accepted\":1000"));
        assert!(!begins_with_count(b"", "\"parsed\":1"));
    }

    #[test]
    fn a_spread_has_median_and_range() {
        let spread = spread(&[2.0, 9.0, 4.0]);
        assert_eq!((spread.median, spread.min, spread.max), (4.0, 2.0, 9.0));
    }
}
