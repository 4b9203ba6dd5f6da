//! Headers that a task may not give, since whoever receives them believes somebody else has set
//! them.
//!
//! A receiver behind an edge or a proxy believes what that says of the caller: its address, its
//! scheme, whether it is signed in. Calls through a binding pass no edge, and calls to an allowed
//! host in a private network none that would replace such headers; of a request within a zone
//! Cloudflare even derives `cf-connecting-ip` from the `x-real-ip` that a Worker gives. So a task
//! sets none of them.

/// By their whole names.
const NAMES: [&str; 21] = [
    // The dispatcher sets them.
    "idempotency-key",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
    // They belong to the connection and the framing (RFC 9110, sections 7 and 10.1; RFC 9112,
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
    // Intermediaries note themselves in them, to find loops (RFC 9110, section 7.6.3; RFC 8586).
    "via",
    "cdn-loop",
    // Proxies say in them for whom they ask, and for what (RFC 7239, and names that are older).
    "forwarded",
    "x-forwarded",
    "forwarded-for",
    "x-real-ip",
    "x-host",
    "x-rewrite-url",
];

/// All names that begin so: the scheduler's; Cloudflare's (its edge sets them, Access among them);
/// those of proxies; and Envoy's, which strips them from outside. Azure's, App Engine's and
/// CloudFront's say who the caller is as well.
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

/// All names that end so: `true-client-ip`, `x-client-ip`, `x-cluster-client-ip`, and those of
/// other edges.
const SUFFIXES: [&str; 2] = ["-client-ip", "-clientip"];

/// Returns whether a task may not give the header `name`. What is no letter and no digit counts as
/// `-`: many servers pass `x_real_ip` and `x-real-ip` on under one name.
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
