//! Destinations: what answers, or does not, for many tasks alike.

use super::Callback;
use crate::bounds::MAX_DESTINATION_BYTES;
use url::Url;

impl Callback<'_> {
    /// Returns the name of the place that answers this callback: a webhook's scheme, host and port,
    /// or the kind and name of a binding or handler. Durable Objects of one binding share a
    /// destination. A queue callback has none: its queue takes it or the shard sends it again.
    pub fn destination(&self) -> Option<String> {
        let mut name = match self {
            Self::Webhook(webhook) => match Url::parse(&webhook.url) {
                Ok(url) => url.origin().ascii_serialization(),
                // It was checked when it came in; an attempt says what is wrong with it.
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
