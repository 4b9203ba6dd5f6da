//! Destinations: the places that answer, or do not answer, the calls of many tasks.

use super::Callback;
use crate::bounds::MAX_DESTINATION_BYTES;
use crate::hosts::host_of_url;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use url::Url;

/// Returns the host of a stored callback if it is a webhook, in the form of
/// [`host_of_name`](crate::hosts::host_of_name). No other callback has a URL.
pub fn webhook_host(callback: &RawValue) -> Option<String> {
    #[derive(Deserialize)]
    struct UrlOnly<'a> {
        #[serde(borrow)]
        url: Cow<'a, str>,
    }
    host_of_url(&serde_json::from_str::<UrlOnly<'_>>(callback.get()).ok()?.url)
}

impl Callback<'_> {
    /// Returns the name of the place that answers this callback: the scheme, host and port of a
    /// webhook, or the kind and name of a binding or handler. All Durable Objects of one binding
    /// are one destination. A queue callback has no destination, because the shard sends its
    /// envelope again until the queue accepts it.
    pub fn destination(&self) -> Option<String> {
        let mut name = match self {
            Self::Webhook(webhook) => match Url::parse(&webhook.url) {
                Ok(url) => url.origin().ascii_serialization(),
                // The URL was checked when the task was accepted. If it is invalid all the same,
                // the attempt fails with the reason.
                Err(_) => "webhook".to_owned(),
            },
            Self::Service(service) => format!("service:{}", service.binding),
            Self::DurableObject(object) => format!("durable-object:{}", object.binding),
            Self::Handler { name } => format!("handler:{name}"),
            Self::Queue { .. } => return None,
        };
        name.truncate(name.floor_char_boundary(MAX_DESTINATION_BYTES));
        Some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_is_a_host_a_binding_or_a_handler() {
        for (callback, destination) in [
            (r#"{"type":"webhook","url":"https://A.example/x?y=1"}"#, Some("https://a.example")),
            (
                r#"{"type":"webhook","url":"https://a.example:443/other","method":"GET"}"#,
                Some("https://a.example"),
            ),
            (r#"{"type":"webhook","url":"http://a.example/"}"#, Some("http://a.example")),
            (
                r#"{"type":"webhook","url":"http://127.0.0.1:8790/hook"}"#,
                Some("http://127.0.0.1:8790"),
            ),
            (r#"{"type":"webhook","url":"http://[::1]:8790/hook"}"#, Some("http://[::1]:8790")),
            (r#"{"type":"webhook","url":"no URL"}"#, Some("webhook")),
            (r#"{"type":"service","binding":"MAIL","path":"/send"}"#, Some("service:MAIL")),
            (
                r#"{"type":"durable-object","binding":"ROOMS","name":"a","function":"tick"}"#,
                Some("durable-object:ROOMS"),
            ),
            (
                r#"{"type":"durable-object","binding":"ROOMS","name":"b","path":"/"}"#,
                Some("durable-object:ROOMS"),
            ),
            (r#"{"type":"handler","name":"log"}"#, Some("handler:log")),
            (r#"{"type":"queue","queue":"FIRED_TASKS"}"#, None),
        ] {
            assert_eq!(
                Callback::parse(callback).unwrap().destination().as_deref(),
                destination,
                "{callback}"
            );
        }
    }

    #[test]
    fn a_webhook_has_a_host_whatever_its_port_and_letters() {
        for (callback, host) in [
            (r#"{"type":"webhook","url":"https://A.example:8443/x"}"#, Some("a.example")),
            (
                r#"{"type":"webhook","url":"https://b\u00fccher.example./"}"#,
                Some("xn--bcher-kva.example"),
            ),
            (r#"{"type":"webhook","url":"http://[::1]:8790/hook"}"#, Some("[::1]")),
            (r#"{"type":"webhook","url":"no URL"}"#, None),
            (r#"{"type":"service","binding":"MAIL","path":"/send"}"#, None),
        ] {
            let callback = RawValue::from_string(callback.to_owned()).unwrap();
            assert_eq!(webhook_host(&callback).as_deref(), host, "{callback}");
        }
    }

    #[test]
    fn a_long_name_is_cut_between_characters() {
        let name = "ä".repeat(MAX_DESTINATION_BYTES);
        let callback = Callback::Handler { name: name.into() };
        let destination = callback.destination().unwrap();
        assert!(
            destination.len() <= MAX_DESTINATION_BYTES
                && destination.len() > MAX_DESTINATION_BYTES - 4
        );
    }
}
