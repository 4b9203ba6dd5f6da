//! Headers that a task may not give, because receivers trust whoever else sets them.
//!
//! A receiver behind an edge or a proxy trusts what these say about the caller: its address, its
//! scheme, whether it is signed in. Calls through a binding do not pass an edge. Calls to an
//! allowed host in a private network pass nothing that would replace such headers. Within a zone,
//! Cloudflare even derives `cf-connecting-ip` from the `x-real-ip` that a Worker sends. So no task
//! can set them.

/// Reserved names.
const NAMES: [&str; 21] = [
    // The dispatcher sets them.
    "idempotency-key",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
    // They belong to the connection and to framing (RFC 9110, sections 7 and 10.1; RFC 9112,
    // section 6).
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "upgrade",
    "te",
    "trailer",
    "expect",
    // Intermediaries add themselves to these to detect loops (RFC 9110, section 7.6.3; RFC 8586).
    "via",
    "cdn-loop",
    // Proxies say in these for whom they forward a request, and which one (RFC 7239, and older
    // names).
    "forwarded",
    "x-forwarded",
    "forwarded-for",
    "x-real-ip",
    "x-host",
    "x-rewrite-url",
];

/// All names with these prefixes are reserved. They belong to the scheduler, to Cloudflare's edge
/// (including Access), to proxies, and to Envoy, which removes them from outside requests. Those of
/// Azure, App Engine and CloudFront identify the caller, too.
const PREFIXES: [&str; 10] = [
    "scheduler-",
    "cf-",
    "proxy-",
    "x-forwarded-",
    "x-original-",
    "x-envoy-",
    "x-azure-",
    "x-arr-",
    "x-appengine-",
    "x-amz-cf-",
];

/// All names with these suffixes are reserved: `true-client-ip`, `x-client-ip`,
/// `x-cluster-client-ip`, and those of other edges.
const SUFFIXES: [&str; 2] = ["-client-ip", "-clientip"];

/// Returns whether a task may not give the header `name`. Any character that is not a letter or a
/// digit counts as `-`, because many servers pass `x_real_ip` and `x-real-ip` on under one name.
pub(super) fn is_reserved(name: &str) -> bool {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let name: String = name.chars().map(plain).collect();
    NAMES.iter().any(|reserved| name.eq_ignore_ascii_case(reserved))
        || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        || SUFFIXES.iter().any(|suffix| name.ends_with(suffix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_that_others_set_are_reserved_in_every_spelling() {
        for name in [
            "cf-connecting-ip",
            "CF-Worker",
            "cf-ray",
            "cf-ipcountry",
            "cf-access-jwt-assertion",
            "x-forwarded-for",
            "X-Forwarded",
            "forwarded-for",
            "x-original-forwarded-for",
            "X-Original-URL",
            "x-host",
            "x-azure-clientip",
            "x-azure-socketip",
            "x-arr-clientip",
            "client-clientip",
            "x-appengine-user-ip",
            "x-amz-cf-id",
            "X-Forwarded-Proto",
            "X_Forwarded_For",
            "x.real.ip",
            "x-real-ip",
            "true-client-ip",
            "fastly-client-ip",
            "x-client-ip",
            "cdn-loop",
            "via",
            "forwarded",
            "proxy-authorization",
            "x-envoy-external-address",
            "Host",
            "te",
            "keep-alive",
            "Webhook_Signature",
            "Scheduler-Namespace",
            "scheduler-attempt",
        ] {
            assert!(is_reserved(name), "{name}");
        }
        for name in [
            "authorization",
            "cookie",
            "x-api-key",
            "accept",
            "cf",
            "x-cf-ray",
            "client-ip-hash",
            "forwarded-to",
            "content-type",
        ] {
            assert!(!is_reserved(name), "{name}");
        }
    }
}
