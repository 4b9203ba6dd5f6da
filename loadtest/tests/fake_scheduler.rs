//! Runs the command against a fake scheduler. A clean run must pass, and each kind of defect must
//! be reported by task and with exit status 1.
#![allow(clippy::unwrap_used, reason = "helpers of tests; a failure here is a failed test")]

mod fake;

use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use fake::{Fake, Fault};
use serde_json::Value;
use tokio::task::JoinSet;

/// The longest time that a test waits for something to happen.
const DEADLINE: Duration = Duration::from_secs(30);
/// Options of a small and quick run: 300 tasks due within a second.
const QUICK: &str = "--tasks 300 --bulk 50 --due-in 0.7 --spread 1 --grace 1.5 --settle 0.3";

/// The result of a run of the command.
struct Ran {
    status: Option<i32>,
    text: String,
    report: Value,
    svg: String,
}

impl Ran {
    /// Returns the number of defects of a class. Each must name a task.
    fn defects(&self, class: &str) -> usize {
        let named =
            |defect: &&Value| defect["class"] == class && defect["detail"].as_str() != Some("");
        self.report["defects"].as_array().unwrap().iter().filter(named).count()
    }

    fn number(&self, pointer: &str) -> f64 {
        self.report.pointer(pointer).and_then(Value::as_f64).unwrap()
    }
}

/// Returns a port that is free. It must be known before the command starts, because the fake sends
/// its envelopes there.
fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

fn directory(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()))
}

fn command(name: &str, fake: &Fake, sink_port: u16, line: &str) -> Command {
    let directory = directory(name);
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadtest"));
    command
        .args(line.split_whitespace())
        .args(["--url", &format!("http://127.0.0.1:{}", fake.port), "--quiet"])
        .arg("--report")
        .arg(directory.join("report.json"))
        .env("SCHEDULER_API_KEY", "test-key");
    if !line.starts_with("bulk") {
        command
            .args(["--sink-port", &sink_port.to_string()])
            .arg("--svg")
            .arg(directory.join("report.svg"));
    }
    command
}

fn ran(name: &str, output: &Output) -> Ran {
    let read = |file: &str| std::fs::read_to_string(directory(name).join(file)).unwrap_or_default();
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    let report = serde_json::from_str(&read("report.json")).unwrap_or_default();
    let svg = read("report.svg");
    let _ = std::fs::remove_dir_all(directory(name));
    Ran { status: output.status.code(), text, report, svg }
}

async fn run(name: &str, fault: Fault, line: &str) -> Ran {
    let sink_port = free_port();
    let fake = Fake::start(fault, sink_port).await;
    let mut command = command(name, &fake, sink_port, line);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    ran(name, &output)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clean_run_of_everything_passes() {
    let ran =
        run("clean", Fault::None, &format!("smoke {QUICK} --cron-share 0.02 --cancel-share 0.1"))
            .await;
    assert_eq!(ran.status, Some(0), "{}", ran.text);
    assert!(ran.text.contains("PASSED") && ran.text.contains("rows written"), "{}", ran.text);
    assert_eq!(ran.number("/counts/accepted"), 300.0);
    // The shares of the plan are exact up to one task.
    assert!((5.0..=7.0).contains(&ran.number("/counts/cronTasks")));
    assert!(ran.number("/counts/cancelled") + ran.number("/counts/alreadyFired") >= 20.0);
    assert!(ran.number("/counts/cronOccurrences") >= 9.0);
    assert!(ran.number("/latenessMillis/atShard/count") > 100.0);
    assert!(ran.number("/latenessMillis/atWebhook/count") > 100.0);
    assert_eq!(ran.number("/duplicates/total"), 0.0);
    assert!(ran.number("/cost/dollarsPerMillionTasks") > 0.0);
    roxmltree::Document::parse(&ran.svg).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clean_churn_passes() {
    let line =
        format!("churn {QUICK} --via consumer,webhook --concurrency 1 --ndjson --race-share 0.9");
    let ran = run("churn", Fault::None, &line).await;
    assert_eq!(ran.status, Some(0), "{}", ran.text);
    assert!(
        ran.number("/counts/overwritten") > 20.0 && ran.number("/counts/accepted") > 350.0,
        "{}",
        ran.text
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_defect_is_named_by_task() {
    let cases = [
        ("lost", Fault::Lose, "", 6),
        ("early", Fault::Early, "--via consumer,webhook", 6),
        ("wrongTime", Fault::WrongTime, "", 6),
        ("rejected", Fault::Reject, "", 6),
        ("wrongIdentity", Fault::WrongKey, "--via webhook", 300),
    ];
    let mut runs = JoinSet::new();
    for (class, fault, options, defects) in cases {
        runs.spawn(async move {
            let ran = run(class, fault, &format!("spread {QUICK} {options}")).await;
            assert_eq!(
                (ran.status, ran.defects(class)),
                (Some(1), defects),
                "{class}: {}",
                ran.text
            );
            assert!(
                ran.text.contains("FAILED") && ran.text.contains(", due "),
                "{class}: {}",
                ran.text
            );
        });
    }
    while let Some(done) = runs.join_next().await {
        done.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_answers_to_cancels_are_named_by_task() {
    let line = format!("spread {QUICK} --due-in 1.2 --cancel-share 0.2 --race-share 0");
    let (ignored, denied) = tokio::join!(
        run("ignore-cancel", Fault::IgnoreCancel, &line),
        run("deny-cancel", Fault::DenyCancel, &line)
    );
    // On a busy machine, a few of the 60 cancels may be after the due time, and then they are
    // right.
    let fired = ignored.defects("firedThoughCancelled");
    assert_eq!(
        (ignored.status, fired),
        (Some(1), ignored.number("/counts/cancelled") as usize),
        "{}",
        ignored.text
    );
    assert!(
        (30..=61).contains(&fired) && ignored.text.contains("more in the JSON report"),
        "{}",
        ignored.text
    );
    for class in ["neverFiredThoughAnswered", "deniedWhilePending"] {
        assert!((30..=61).contains(&denied.defects(class)), "{}", denied.text);
    }
    assert_eq!(denied.status, Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_occurrences_are_named() {
    let ran =
        run("cron-gap", Fault::CronGap, &format!("spread {QUICK} --tasks 50 --cron-share 0.1"))
            .await;
    let tasks = ran.number("/counts/cronTasks");
    assert_eq!((ran.status, ran.defects("cronGap") as f64), (Some(1), tasks), "{}", ran.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn duplicates_are_counted_and_fail_only_with_the_option() {
    let line = format!("spread {QUICK}");
    let strict = format!("{line} --fail-on-duplicates");
    let (counted, failed) = tokio::join!(
        run("resend", Fault::Resend, &line),
        run("resend-fail", Fault::Resend, &strict)
    );
    assert_eq!(
        (counted.status, counted.number("/duplicates/sameEnvelope")),
        (Some(0), 300.0),
        "{}",
        counted.text
    );
    assert_eq!(failed.status, Some(1), "{}", failed.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_counters_give_no_bill_instead_of_a_cheap_one() {
    let ran = run("lost-counters", Fault::LostCounters, &format!("spread {QUICK}")).await;
    assert_eq!(ran.status, Some(0), "{}", ran.text);
    assert!(ran.report["cost"].is_null(), "{}", ran.text);
    assert!(
        ran.text.contains("cost       unknown: the counters of shard 1-0 went back"),
        "{}",
        ran.text
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn handlers_are_checked_by_the_servers_counters() {
    let line = format!("spread {QUICK} --via handler-noop --cancel-share 0.1 --race-share 0");
    let (clean, idle) = tokio::join!(
        run("handlers", Fault::None, &line),
        run("no-handlers", Fault::NoHandlers, &line)
    );
    assert_eq!(clean.status, Some(0), "{}", clean.text);
    let expected = idle.number("/counts/handlerExpected");
    assert_eq!(
        (idle.status, idle.number("/handlersMissing")),
        (Some(1), expected),
        "{}",
        idle.text
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn old_versions_that_fire_are_named() {
    let line =
        format!("churn {QUICK} --due-in 1.2 --cancel-share 0 --overwrite-share 0.2 --race-share 0");
    let ran = run("keep-replaced", Fault::KeepReplaced, &line).await;
    assert_eq!(ran.status, Some(1), "{}", ran.text);
    assert!(ran.defects("firedThoughReplaced") >= 30, "{}", ran.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn overload_answers_are_retried() {
    let line = format!("spread {QUICK}");
    let (door, shard) = tokio::join!(
        run("overloaded", Fault::Overloaded, &line),
        run("busy-shard", Fault::BusyShard, &line)
    );
    assert_eq!(door.status, Some(0), "{}", door.text);
    assert!(door.number("/schedule/retries") >= 3.0, "{}", door.text);
    assert_eq!(
        (shard.status, shard.number("/counts/accepted")),
        (Some(0), 300.0),
        "{}",
        shard.text
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_server_a_wrong_key_or_another_machine_is_status_2() {
    let fake = Fake::start(Fault::None, 1).await;
    let status = |line: String, key: &'static str| async move {
        let mut command = Command::new(env!("CARGO_BIN_EXE_loadtest"));
        command
            .args(line.split_whitespace())
            .args(["--sink-port", "0", "--via", "webhook"])
            .env("SCHEDULER_API_KEY", key);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let here = format!("spread --url http://127.0.0.1:{}", fake.port);
    for (line, key, says) in [
        (format!("spread --url http://127.0.0.1:{}", free_port()), "test-key", "does not answer"),
        (here.clone(), "another-key", "refuses the API key"),
        (here.clone(), "", "no API key"),
        (here + " --bulk 0", "test-key", "--bulk"),
        ("spread --url http://192.0.2.1:8787".to_owned(), "test-key", "only this machine"),
    ] {
        let (status, text) = status(line.clone(), key).await;
        assert_eq!(status, Some(2), "{line}: {text}");
        assert!(text.contains(says), "{line}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_run_reports_and_leaves_no_recurring_task() {
    let sink_port = free_port();
    let fake = Fake::start(Fault::None, sink_port).await;
    let line = "spread --tasks 400 --bulk 50 --spread 600 --cron-share 0.02";
    let mut command = command("interrupted", &fake, sink_port, line);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let all_created = async {
        while fake.created() < 400 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(DEADLINE, all_created).await.unwrap();
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let output =
        tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
    let ran = ran("interrupted", &output);
    assert_eq!(ran.status, Some(130), "{}", ran.text);
    assert_eq!(ran.report["ending"], "interrupted");
    assert!(ran.number("/counts/stillPending") > 0.0, "{}", ran.text);
    assert_eq!(fake.crons(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn bulk_compares_scheduling_with_parsing() {
    let fake = Fake::start(Fault::None, 1).await;
    let mut command = command("bulk", &fake, 0, "bulk --rounds 2 --tasks-per-round 5000");
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let ran = ran("bulk", &output);
    assert_eq!(ran.status, Some(0), "{}", ran.text);
    assert_eq!((fake.created(), fake.parsed()), (45_000, 45_000));
    let shapes = ran.report["shapes"].as_array().unwrap();
    assert_eq!(shapes.len(), 3);
    for shape in shapes {
        assert_eq!(shape["rounds"].as_array().unwrap().len(), 2);
        assert!(shape["ratio"]["median"].as_f64().unwrap() > 0.0);
    }
}
