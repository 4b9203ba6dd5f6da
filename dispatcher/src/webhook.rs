//! Calls a webhook: sends a signed request to a public host, and follows the few redirects that do
//! not change its meaning.

use crate::exchange::{Abort, Judged, attempt, request, with_head};
use crate::outcome::{Attempt, TaskError, of_network_error};
use crate::plan::Job;
use crate::rules::{Hop, Sent, Verdict, judge, shares_headers};
use crate::signature::Keys;
use crate::subrequests::MAX_PER_TASK;
use crate::text::shown_url;
use scheduler_model::task::{Webhook, parse_url};
use scheduler_platform::now;
use scheduler_platform::settings::{Allowed, WEBHOOK_SIGNING_KEYS};
use std::cell::Cell;
use worker::Fetch;

/// Makes an attempt, and returns it.
pub(crate) async fn call(
    job: &Job<'_>,
    webhook: &Webhook<'_>,
    allowed: &Allowed,
    keys: &Keys,
) -> Attempt {
    // The requests are counted apart from the work, which is dropped when its time has passed.
    let requests = Cell::new(0);
    let work = follow(job, webhook, allowed, keys, &requests);
    let attempt = attempt(webhook.timeout_seconds, &webhook.url, work).await;
    Attempt { spare: MAX_PER_TASK.saturating_sub(requests.get()), ..attempt }
}

/// Sends the request, and follows redirects to the final answer. Counts its `requests`.
async fn follow(
    job: &Job<'_>,
    webhook: &Webhook<'_>,
    allowed: &Allowed,
    keys: &Keys,
    requests: &Cell<u32>,
) -> Result<Judged, TaskError> {
    // The URL was checked when the task was created. If the settings have changed since, they are
    // unlikely to change back, so this failure is permanent.
    let first = parse_url(&webhook.url, allowed.hosts()).map_err(|problem| {
        TaskError::permanent(format!("not called: the URL {} {problem}", shown_url(&webhook.url)))
    })?;
    if keys.are_broken() {
        return Err(TaskError::retry(format!(
            "not called: {WEBHOOK_SIGNING_KEYS} has no valid key, and a webhook is never sent unsigned"
        )));
    }
    let policy = job.policy();
    let message = &webhook.message;
    let content = job.content(message);
    let body = content.as_ref().map_or("", |(text, _)| text.as_ref());
    let signed = keys.sign(&job.namespace, &job.record.occurrence_key(), now(), body);
    let mut url = first.clone();
    let mut followed = 0;
    // Once the headers have been omitted, they are never sent again, because the last host may have
    // chosen the next one.
    let mut given = true;
    loop {
        let request = request(job, message, url.as_str(), &content, given, signed.as_ref())
            .map_err(|problem| {
                TaskError::permanent(format!("the request cannot be built: {problem}"))
            })?;
        let abort = Abort::new();
        requests.set(requests.get() + 1);
        let response = Fetch::Request(request)
            .send_with_signal(&abort.signal())
            .await
            .map_err(|problem| of_network_error(&problem.to_string(), url.as_str()))?;
        let hop = Some(Hop { url: &url, followed, hosts: allowed.hosts() });
        let sent = Sent { target: url.as_str(), method: message.method, policy: &policy, hop };
        let failure = match with_head(&response, |answer| judge(answer, &sent)) {
            Verdict::Follow(next) => {
                given &= shares_headers(&first, &next);
                url = next;
                followed += 1;
                continue;
            }
            Verdict::Success => None,
            Verdict::Failure(problem) => Some(problem),
        };
        return Ok(Judged { status: response.status_code(), failure, response, abort });
    }
}
