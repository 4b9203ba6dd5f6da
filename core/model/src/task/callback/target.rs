//! The short name of what a callback calls, for the history.

use crate::format::history::{Target, TargetKind};
use crate::input::Text;
use crate::protocol::CallbackType;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use url::Url;

/// The fields of a callback that name what it calls.
#[derive(Deserialize)]
struct Names<'a> {
    #[serde(borrow)]
    r#type: Text<'a>,
    #[serde(borrow, default)]
    url: Option<Text<'a>>,
    #[serde(borrow, default)]
    binding: Option<Text<'a>>,
    #[serde(borrow, default)]
    name: Option<Text<'a>>,
    #[serde(borrow, default)]
    queue: Option<Text<'a>>,
}

/// Returns the name of what a callback calls: the host of its URL without the port, or the name of
/// its binding, handler or queue. Returns `None` if the text is not a callback.
pub fn target_of(callback: &str) -> Option<Target<'_>> {
    let names: Names<'_> = serde_json::from_str(callback).ok()?;
    let (kind, _) = TargetKind::NAMES.into_iter().find(|(_, known)| names.r#type.0 == *known)?;
    let Text(name) = match kind {
        TargetKind::Webhook => Text(host_of(names.url?.0)),
        TargetKind::Service | TargetKind::DurableObject => names.binding?,
        TargetKind::Handler => names.name?,
        TargetKind::Queue => names.queue?,
        TargetKind::Other(_) => return None,
    };
    Some(Target { kind, name })
}

/// Returns the type of a callback; `None` if this version does not know its type.
pub fn callback_type(callback: &RawValue) -> Option<CallbackType> {
    #[derive(Deserialize)]
    struct TypeOnly {
        r#type: CallbackType,
    }
    serde_json::from_str::<TypeOnly>(callback.get()).ok().map(|of| of.r#type)
}

/// Returns the host of a URL in the form that [`Url`] gives it; empty if the URL has no host.
fn host_of(url: Cow<'_, str>) -> Cow<'_, str> {
    if let Cow::Borrowed(url) = url
        && let Some(host) = plain_host(url)
    {
        return Cow::Borrowed(host);
    }
    let host = Url::parse(&url).ok().and_then(|url| url.host_str().map(str::to_owned));
    Cow::Owned(host.unwrap_or_default())
}

/// Returns the host of a URL if it is a plain name in lower case; `None` for any other URL.
fn plain_host(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.' || c == '-';
    let (host, behind) =
        rest.split_at_checked(rest.find(|c| !is_plain(c)).unwrap_or(rest.len()))?;
    // The last part of an IP address starts with a digit.
    let is_name = host.rsplit('.').next()?.starts_with(|c: char| c.is_ascii_lowercase());
    // The part before a colon may be a user name.
    let ends = behind.is_empty() || behind.starts_with(['/', '?', '#']);
    (is_name && ends).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_type_and_a_host_or_a_name() {
        for (callback, kind, name) in [
            (r#"{"type":"webhook","url":"https://a.example/x?y=1"}"#, "webhook", "a.example"),
            (r#"{"url":"https://A.example:8443","type":"webhook"}"#, "webhook", "a.example"),
            (r#"{"type":"webhook","url":"http://127.0.0.1:8790/"}"#, "webhook", "127.0.0.1"),
            (r#"{"type":"webhook","url":"http://0x7f.1/"}"#, "webhook", "127.0.0.1"),
            (r#"{"type":"webhook","url":"http://[::1]:8790"}"#, "webhook", "[::1]"),
            (
                r#"{"type":"webhook","url":"https://b\u00fccher.example/"}"#,
                "webhook",
                "xn--bcher-kva.example",
            ),
            (
                r#"{"type":"webhook","url":"https://u:p@a.example/","headers":{"a":"b"}}"#,
                "webhook",
                "a.example",
            ),
            (r#"{"type":"webhook","url":"https://wiki"}"#, "webhook", "wiki"),
            (r#"{"type":"webhook","url":"no URL"}"#, "webhook", ""),
            (r#"{"type":"service","binding":"MAIL","path":"/send"}"#, "service", "MAIL"),
            (
                r#"{"type":"durable-object","binding":"ROOMS","name":"a","path":"/"}"#,
                "durable-object",
                "ROOMS",
            ),
            (r#"{"type":"handler","name":"log"}"#, "handler", "log"),
            (r#"{"type":"queue","queue":"FIRED_TASKS"}"#, "queue", "FIRED_TASKS"),
        ] {
            let target = target_of(callback).unwrap();
            assert_eq!((target.kind.name(), target.name.as_ref()), (kind, name), "{callback}");
            let raw: &RawValue = serde_json::from_str(callback).unwrap();
            let of_type = callback_type(raw).map(|kind| serde_json::to_value(kind).unwrap());
            assert_eq!(of_type, Some(kind.into()));
        }
        for callback in ["{}", r#"{"type":"mail"}"#, r#"{"type":"webhook"}"#, "7"] {
            assert_eq!(target_of(callback), None, "{callback}");
        }
    }

    /// Checks that a host that is read without the URL parser is the same as the parser would
    /// return.
    #[test]
    fn a_plain_host_is_what_the_parser_reads() {
        for url in [
            "https://a.example",
            "http://a-b.c1.example/x",
            "https://wiki?x",
            "https://1.2.3.a#x",
            "https://xn--bcher-kva.example/",
        ] {
            let parsed = Url::parse(url).unwrap();
            assert_eq!(plain_host(url), parsed.host_str(), "{url}");
        }
        for url in ["https://1.2.3.4/", "https://1.2.3.0x4", "https://a.", "https://", "ftp://a"] {
            assert_eq!(plain_host(url), None, "{url}");
        }
    }
}
