//! Measures how many tasks a second the sink can receive, to show that the sink does not limit
//! other measurements.

use std::fmt::Write;
use std::net::Ipv4Addr;

use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::body::TaskWriter;
use crate::cli::SinkRateArgs;
use crate::clock::{Stopwatch, now_millis};
use crate::ledger::{Kind, Via};
use crate::plan::Planned;
use crate::sink::{SharedLedger, Sink};

/// The tasks in an envelope, the envelopes in a post, and the connections, approximately as of a
/// consumer.
const TASKS_PER_ENVELOPE: u32 = 250;
const ENVELOPES_PER_POST: u32 = 10;
const CONNECTIONS: usize = 2;
const RUN: u64 = 1;

/// Sends `--tasks` tasks to a sink of its own, and returns the printed result.
///
/// # Errors
/// Returns an error for wrong options, or if the sink does not receive everything.
pub(crate) async fn run(args: &SinkRateArgs) -> Result<String, String> {
    if !(1..=5_000_000).contains(&args.tasks) || args.payload_bytes > 10_000 {
        return Err(
            "--tasks must be between 1 and 5,000,000, --payload-bytes at most 10,000".to_owned()
        );
    }
    let ledger = SharedLedger::default();
    let due = now_millis();
    {
        let mut ledger = ledger.lock();
        for _ in 0..args.tasks {
            let n = ledger.add(Kind::Once, Via::Consumer, due);
            ledger.sent(n, due);
        }
    }
    let sink = Sink::start(0, RUN, ledger.clone()).await?;
    let posts = posts(args, due);
    let bytes: usize = posts.iter().map(Bytes::len).sum();

    let mut shares: Vec<Vec<Bytes>> = vec![Vec::new(); CONNECTIONS];
    for (index, post) in posts.into_iter().enumerate() {
        if let Some(share) = shares.get_mut(index % CONNECTIONS) {
            share.push(post);
        }
    }
    let mut senders = JoinSet::new();
    let clock = Stopwatch::start();
    for share in shares {
        senders.spawn(send(sink.port, share));
    }
    while let Some(sent) = senders.join_next().await {
        sent.map_err(|error| error.to_string())??;
    }
    let seconds = clock.elapsed().as_secs_f64();
    let received = ledger.lock().received();
    if received != u64::from(args.tasks) {
        return Err(format!("the sink recorded {received} of {} tasks", args.tasks));
    }
    Ok(format!(
        "sink: {received} tasks ({:.0} MB) in {seconds:.2} s, {:.0} tasks/s, sender on the same machine\n",
        bytes as f64 / 1e6,
        received as f64 / seconds
    ))
}

/// Returns the bodies of posts in the form of the example consumer.
fn posts(args: &SinkRateArgs, due: i64) -> Vec<Bytes> {
    let writer = TaskWriter::new(RUN, "FIRED_TASKS", 0, args.payload_bytes);
    let planned = Planned { kind: Kind::Once, via: Via::Consumer, due, change: None };
    let mut posts = Vec::new();
    let mut post = String::new();
    let mut n = 0;
    for seq in 1.. {
        let until = (n + TASKS_PER_ENVELOPE).min(args.tasks);
        // Writing to a String cannot fail.
        let _ = write!(
            post,
            r#"{{"v":1,"shard":"1-{}","seq":{seq},"firedAt":{due},"tasks":["#,
            seq % 16
        );
        for task in n..until {
            if task > n {
                post.push(',');
            }
            writer.write(
                &mut post,
                task,
                Some(&format!("019a0000-0000-7000-8000-{task:012x}")),
                &planned,
            );
        }
        post.push_str("]}\n");
        n = until;
        if seq % ENVELOPES_PER_POST == 0 || n == args.tasks {
            posts.push(Bytes::from(std::mem::take(&mut post)));
        }
        if n == args.tasks {
            break;
        }
    }
    posts
}

async fn send(port: u16, posts: Vec<Bytes>) -> Result<(), String> {
    let stream =
        TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.map_err(|error| error.to_string())?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake::<_, Full<Bytes>>(TokioIo::new(stream))
            .await
            .map_err(|error| error.to_string())?;
    let driving = tokio::spawn(connection);
    for post in posts {
        let request = Request::post("/envelopes")
            .header("host", "sink")
            .header("x-received-at", now_millis())
            .body(Full::new(post))
            .map_err(|error| error.to_string())?;
        let response = sender.send_request(request).await.map_err(|error| error.to_string())?;
        let status = response.status();
        response.into_body().collect().await.map_err(|error| error.to_string())?;
        if !status.is_success() {
            return Err(format!("the sink answered {status}"));
        }
        sender.ready().await.map_err(|error| error.to_string())?;
    }
    driving.abort();
    Ok(())
}
