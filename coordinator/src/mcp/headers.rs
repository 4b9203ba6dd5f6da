//! The headers of a request: the parts of its message that they repeat, and the origin of the
//! request.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

/// The marks around an encoded text in a header.
const ENCODED: (&str, &str) = ("=?base64?", "?=");

/// The headers by which a client repeats parts of its message.
#[derive(Debug, Clone, Default)]
pub(crate) struct Headers {
    /// `MCP-Protocol-Version`.
    pub(crate) protocol_version: Option<String>,
    /// `Mcp-Method`.
    pub(crate) method: Option<String>,
    /// `Mcp-Name`.
    pub(crate) name: Option<String>,
}

impl Headers {
    /// Reads the headers. `get` returns the value of a header.
    pub(crate) fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        // White space around a value is not a part of it (RFC 9110, section 5.5).
        let get = |name| get(name).map(|value| value.trim_matches([' ', '\t']).to_owned());
        Self {
            protocol_version: get("mcp-protocol-version"),
            method: get("mcp-method"),
            name: get("mcp-name"),
        }
    }
}

/// Returns the text in the value of a header that may be encoded; `None` if it cannot be decoded.
pub(super) fn decoded(value: &str) -> Option<String> {
    let encoded = value.strip_prefix(ENCODED.0).and_then(|rest| rest.strip_suffix(ENCODED.1));
    match encoded {
        Some(encoded) => String::from_utf8(BASE64.decode(encoded).ok()?).ok(),
        None => Some(value.to_owned()),
    }
}

/// Returns whether a page of another site has sent a request with this `Origin`. `own` is the
/// origin of the request's URL.
///
/// A page can make its own name lead to this machine (DNS rebinding). Then its origin is that of
/// the URL. But it has no certificate for a server that it does not own, so it cannot do this over
/// HTTPS. Over HTTP, only the names of this machine are trusted.
pub(crate) fn is_foreign(origin: Option<&str>, own: &str) -> bool {
    let Some(origin) = origin else { return false };
    !origin.eq_ignore_ascii_case(own) || !(origin.starts_with("https://") || is_local(origin))
}

/// Returns whether an origin over HTTP is on this machine.
fn is_local(origin: &str) -> bool {
    let Some(host) = origin.strip_prefix("http://") else { return false };
    ["localhost", "127.0.0.1", "[::1]"].into_iter().any(|name| {
        host.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_trimmed_and_decoded() {
        let headers = Headers::read(|name| (name == "mcp-name").then(|| " \ta b\t ".to_owned()));
        assert_eq!(headers.name.as_deref(), Some("a b"));
        assert_eq!(headers.method, None);
        for (value, text) in [
            ("plain", Some("plain")),
            ("=?base64?SGVsbG8sIOS4lueVjA==?=", Some("Hello, 世界")),
            ("=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=", Some("=?base64?literal?=")),
            ("=?BASE64?SGVsbG8=?=", Some("=?BASE64?SGVsbG8=?=")),
            ("=?base64?SGVsbG8", Some("=?base64?SGVsbG8")),
            ("=?base64?Hello!?=", None),
            ("=?base64?/w==?=", None),
        ] {
            assert_eq!(decoded(value).as_deref(), text, "{value}");
        }
    }

    #[test]
    fn only_pages_of_the_server_itself_are_let_in() {
        for (origin, own, foreign) in [
            (None, "http://evil.example", false),
            (Some("https://s.example"), "https://s.example", false),
            (Some("HTTPS://S.example"), "https://s.example", true),
            (Some("https://evil.example"), "https://s.example", true),
            (Some("http://s.example"), "https://s.example", true),
            (Some("https://s.example:444"), "https://s.example", true),
            (Some("null"), "https://s.example", true),
            (Some(""), "https://s.example", true),
            (Some("http://localhost:8787"), "http://localhost:8787", false),
            (Some("http://127.0.0.1:1"), "http://127.0.0.1:1", false),
            (Some("http://[::1]:1"), "http://[::1]:1", false),
            (Some("http://localhost:1"), "http://127.0.0.1:1", true),
            // The name leads to this machine in the browser that shows the page.
            (Some("http://evil.example"), "http://evil.example", true),
            (Some("http://localhost.evil.example"), "http://localhost.evil.example", true),
        ] {
            assert_eq!(is_foreign(origin, own), foreign, "{origin:?} {own}");
        }
    }
}
