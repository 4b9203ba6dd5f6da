//! Judges a target's answer. `docs/targets.md` has the same rules as a table.

use crate::outcome::TaskError;
use crate::retry_after::{self, RetryAfter};
use crate::text::shown_url;
use scheduler_model::hosts::Hosts;
use scheduler_model::retry::RetryPolicy;
use scheduler_model::task::{Method, parse_url};
use url::Url;

/// The most redirects that one attempt follows.
pub(crate) const MAX_REDIRECTS: u32 = 3;

/// The parts of an answer's head that the rules need.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    /// The header `Location`.
    pub(crate) location: Option<&'a str>,
    /// The header `Retry-After`.
    pub(crate) retry_after: Option<&'a str>,
}

/// The request that the answer belongs to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sent<'a> {
    /// The target, as an error names it.
    pub(crate) target: &'a str,
    pub(crate) method: Method,
    /// The task's policy.
    pub(crate) policy: &'a RetryPolicy,
    /// Present if the request may follow redirects.
    pub(crate) hop: Option<Hop<'a>>,
}

/// One request of a webhook.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hop<'a> {
    /// The URL of the request.
    pub(crate) url: &'a Url,
    /// The number of redirects that led to it.
    pub(crate) followed: u32,
    /// See [`scheduler_model::hosts::check_host`].
    pub(crate) hosts: Hosts<'a>,
}

/// The meaning of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The task is done.
    Success,
    /// The attempt must go on with this URL.
    Follow(Url),
    /// The attempt has failed.
    Failure(TaskError),
}

/// Returns the meaning of an answer that arrived at `now`.
///
/// - 2xx is a success.
/// - 307 and 308, and for a GET also 301, 302 and 303, are followed. At most [`MAX_REDIRECTS`] are
///   followed, only to a host that a webhook may call, and never from https to http. Every other
///   3xx is a failure.
/// - 410 is a permanent failure.
/// - Everything else is a failure. It is permanent if the task's policy lists the status. Otherwise
///   the policy decides when to retry, but not before the time in `Retry-After`.
pub(crate) fn judge(answer: &Answer<'_>, sent: &Sent<'_>) -> Verdict {
    let Answer { status, .. } = *answer;
    let reason = match status {
        200..=299 => return Verdict::Success,
        300..=399 => match redirect(answer, sent) {
            Ok(url) => return Verdict::Follow(url),
            Err(reason) => reason,
        },
        _ => String::new(),
    };
    let failure =
        TaskError::retry(format!("HTTP {status} from {}", shown_url(sent.target))).saying(&reason);
    // 410 is the only status by which a receiver says that the condition is permanent. The cause of
    // any other 4xx is often a deployment or a key that somebody is about to fix.
    Verdict::Failure(if status == 410 || sent.policy.is_permanent(status) {
        TaskError::permanent(failure.to_string())
    } else {
        match answer.retry_after.and_then(retry_after::parse) {
            Some(RetryAfter::Wait(wait)) => failure.after(wait),
            Some(RetryAfter::Until(time)) => failure.not_before(time),
            None => failure,
        }
    })
}

/// Returns the URL that a redirect leads to, or the reason why it is not followed.
fn redirect(answer: &Answer<'_>, sent: &Sent<'_>) -> Result<Url, String> {
    let Some(hop) = sent.hop else { return Err("redirects are not followed".to_owned()) };
    match (answer.status, sent.method) {
        (307 | 308, _) | (301..=303, Method::Get) => {}
        // A client follows these statuses with a GET and no body, whatever the method of the
        // request was.
        (301..=303, method) => {
            return Err(format!(
                "{} follows 307 and 308 only; use the URL that it leads to",
                method.name()
            ));
        }
        _ => return Err("this status is not followed".to_owned()),
    }
    if hop.followed >= MAX_REDIRECTS {
        return Err(format!("more than {MAX_REDIRECTS} redirects; use the URL that they lead to"));
    }
    let location = answer.location.ok_or("it has no Location")?;
    let url = hop
        .url
        .join(location)
        .map_err(|problem| format!("its Location is not a URL: {problem}"))?;
    let url =
        parse_url(url.as_str(), hop.hosts).map_err(|problem| format!("its Location {problem}"))?;
    if hop.url.scheme() == "https" && url.scheme() == "http" {
        return Err("its Location leads from https to http".to_owned());
    }
    Ok(url)
}

/// Returns whether the headers that a task gives for `from` may be sent to `to`. They may hold
/// secrets, so this needs the same host and port, or a change from http to https on the same host
/// with the default ports.
pub(crate) fn shares_headers(from: &Url, to: &Url) -> bool {
    let is_upgrade = from.port().is_none()
        && to.port().is_none()
        && from.scheme() == "http"
        && to.scheme() == "https";
    from.host() == to.host()
        && (from.port_or_known_default() == to.port_or_known_default() || is_upgrade)
}

#[cfg(test)]
mod tests {
    use super::*;
    use scheduler_calendar::time::UnixMillis;
    use scheduler_model::retry::RetryInput;
    use std::time::Duration;

    fn policy(text: &str) -> RetryPolicy {
        serde_json::from_str::<RetryInput>(text).unwrap().try_into().unwrap()
    }

    fn sent(method: Method, policy: &RetryPolicy) -> Sent<'_> {
        Sent { target: "https://a.example/x?key=1", method, policy, hop: None }
    }

    #[test]
    fn statuses() {
        let policy = policy("{}");
        let judge =
            |status| judge(&Answer { status, ..Answer::default() }, &sent(Method::Post, &policy));
        for status in [200, 201, 202, 204, 299] {
            assert_eq!(judge(status), Verdict::Success);
        }
        for status in
            [100, 199, 400, 401, 403, 404, 408, 422, 425, 429, 451, 499, 500, 502, 503, 504, 599]
        {
            assert_eq!(
                judge(status),
                Verdict::Failure(TaskError::retry(format!(
                    "HTTP {status} from https://a.example/x"
                )))
            );
        }
        assert_eq!(
            judge(410),
            Verdict::Failure(TaskError::permanent("HTTP 410 from https://a.example/x"))
        );
        for status in [300, 301, 302, 303, 304, 307, 308] {
            let Verdict::Failure(error) = judge(status) else { panic!("{status}") };
            assert!(!error.is_permanent());
            assert_eq!(
                error.to_string(),
                format!("HTTP {status} from https://a.example/x: redirects are not followed")
            );
        }
    }

    #[test]
    fn a_policy_lists_permanent_statuses() {
        let policy = policy(r#"{"permanentStatuses":["4xx",429,501,"3xx"]}"#);
        for (status, permanent) in [
            (301, true),
            (400, true),
            (404, true),
            (408, false),
            (425, false),
            (429, true),
            (500, false),
            (501, true),
        ] {
            let answer = Answer { status, retry_after: Some("60"), ..Answer::default() };
            let Verdict::Failure(error) = judge(&answer, &sent(Method::Post, &policy)) else {
                panic!("{status}")
            };
            assert_eq!(error.is_permanent(), permanent, "{status}");
        }
    }

    #[test]
    fn a_retry_after_delays_the_next_attempt() {
        let policy = policy("{}");
        let wait = |seconds| move |failure: TaskError| failure.after(Duration::from_secs(seconds));
        for (status, text, waits) in [
            (429, "120", &wait(120) as &dyn Fn(TaskError) -> TaskError),
            (503, "Sun, 06 Nov 1994 08:49:37 GMT", &|failure| {
                failure.not_before(UnixMillis::new(784_111_777_000))
            }),
            (404, "7", &wait(7)),
            (503, "soon", &|failure| failure),
        ] {
            let answer = Answer { status, retry_after: Some(text), ..Answer::default() };
            let expected =
                waits(TaskError::retry(format!("HTTP {status} from https://a.example/x")));
            assert_eq!(judge(&answer, &sent(Method::Post, &policy)), Verdict::Failure(expected));
        }
    }

    #[test]
    fn redirects_that_keep_the_request_are_followed() {
        use Method::{Delete, Get, Patch, Post, Put};
        let policy = policy("{}");
        let url = Url::parse("https://a.example/x").unwrap();
        for (status, methods) in [
            (300, vec![]),
            (301, vec![Get]),
            (302, vec![Get]),
            (303, vec![Get]),
            (304, vec![]),
            (305, vec![]),
            (307, vec![Post, Put, Patch, Get, Delete]),
            (308, vec![Post, Put, Patch, Get, Delete]),
        ] {
            for method in [Post, Put, Patch, Get, Delete] {
                let hop = Some(Hop { url: &url, followed: 0, hosts: Hosts::default() });
                let answer = Answer { status, location: Some("/y"), ..Answer::default() };
                let verdict = judge(&answer, &Sent { hop, ..sent(method, &policy) });
                let followed =
                    verdict == Verdict::Follow(Url::parse("https://a.example/y").unwrap());
                assert_eq!(followed, methods.contains(&method), "{status} {method:?}: {verdict:?}");
                assert!(followed || matches!(verdict, Verdict::Failure(_)));
            }
        }
    }

    #[test]
    fn redirects_to_refused_urls_are_not_followed() {
        let policy = policy("{}");
        let allowed = ["127.0.0.1:80".to_owned()];
        let own = ["own.example".to_owned()];
        let follow = |from: &str, location: Option<&str>, followed| {
            let url = Url::parse(from).unwrap();
            let hop =
                Some(Hop { url: &url, followed, hosts: Hosts { allowed: &allowed, own: &own } });
            let answer = Answer { status: 307, location, ..Answer::default() };
            match judge(&answer, &Sent { hop, ..sent(Method::Post, &policy) }) {
                Verdict::Follow(url) => Ok(url.to_string()),
                Verdict::Failure(error) => Err(error.to_string()),
                Verdict::Success => panic!("a redirect is not a success"),
            }
        };
        let a = "https://a.example/x/y?z";
        for (from, location, expected) in [
            (a, "w", "https://a.example/x/w"),
            (a, "//b.example/w", "https://b.example/w"),
            (a, "?v", "https://a.example/x/y?v"),
            ("http://a.example", "https://a.example/", "https://a.example/"),
            ("http://a.example", "http://127.0.0.1/x", "http://127.0.0.1/x"),
        ] {
            assert_eq!(follow(from, Some(location), 2).as_deref(), Ok(expected));
        }
        for (from, location, problem) in [
            (a, None, "it has no Location"),
            (a, Some("http://["), "its Location is not a URL"),
            (a, Some("http://10.0.0.1/"), "its Location has the host 10.0.0.1, a private address"),
            (a, Some("//[::ffff:169.254.169.254]/"), "mapped"),
            (a, Some("//127.0.0.1:81/"), "loopback"),
            (a, Some("//metadata.google.internal"), "a name of a private network"),
            (a, Some("//own.example/v1/tasks"), "a host of this scheduler (OWN_HOSTS)"),
            (a, Some("file:///etc/passwd"), "has the scheme file"),
            (a, Some("//u:p@b.example"), "has a user name"),
            (a, Some("http://a.example"), "leads from https to http"),
        ] {
            let found = follow(from, location, 0).unwrap_err();
            assert!(
                found.starts_with("HTTP 307 from https://a.example/x: ") && found.contains(problem),
                "{found}"
            );
        }
        assert!(follow(a, Some("w"), 3).unwrap_err().contains("more than 3 redirects"));
    }

    #[test]
    fn headers_are_only_sent_to_the_host_of_the_task() {
        let shares = |from: &str, to: &str| {
            shares_headers(&Url::parse(from).unwrap(), &Url::parse(to).unwrap())
        };
        assert!(shares("https://a.example/x", "https://a.example:443/y"));
        assert!(shares("http://a.example/x", "https://a.example/x"));
        for (from, to) in [
            ("https://a.example", "https://b.example"),
            ("https://a.example", "https://x.a.example"),
            ("https://a.example", "https://a.example:444"),
            ("http://a.example:8080", "https://a.example"),
            ("https://a.example", "http://a.example"),
        ] {
            assert!(!shares(from, to), "{from} {to}");
        }
    }
}
