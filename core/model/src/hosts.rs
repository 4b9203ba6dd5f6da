//! The hosts that a webhook may call: public ones, and those that the deployment allows.
//!
//! If a scheduler called any URL, the holder of an API key could reach hosts that only the
//! scheduler's own network can reach (server-side request forgery). So the host of a URL is checked
//! by these rules when a task arrives, before every attempt, and at every redirect. The rules see
//! names and addresses, but not what a name resolves to, because a Worker cannot look that up. A
//! public name with a private address passes here. The platform has no route from its edge into
//! private networks.

use crate::input::{FieldError, cut, quoted};
use std::net::{Ipv4Addr, Ipv6Addr};
use url::{Host, Url};

/// IPv4 networks without public hosts: base, bits, purpose. From IANA's special-purpose registry.
const CLOSED_V4: [(Ipv4Addr, u32, &str); 15] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8, "an address of this very network"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, "a private address"),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "an address behind a carrier's NAT"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "a loopback address"),
    (Ipv4Addr::new(169, 254, 0, 0), 16, "a link-local address"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, "a private address"),
    (Ipv4Addr::new(192, 0, 0, 0), 24, "a reserved address"),
    (Ipv4Addr::new(192, 0, 2, 0), 24, "an address for documentation"),
    (Ipv4Addr::new(192, 88, 99, 0), 24, "a reserved address"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, "a private address"),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "an address for benchmarks"),
    (Ipv4Addr::new(198, 51, 100, 0), 24, "an address for documentation"),
    (Ipv4Addr::new(203, 0, 113, 0), 24, "an address for documentation"),
    (Ipv4Addr::new(224, 0, 0, 0), 4, "a multicast address"),
    (Ipv4Addr::new(240, 0, 0, 0), 4, "a reserved address"),
];

/// IPv6 networks that a refusal names, and those within 2000::/3 without public hosts. Everything
/// outside of 2000::/3 is refused anyway, including IPv4 addresses written as IPv6 (mapped,
/// translated).
const CLOSED_V6: [(Ipv6Addr, u32, &str); 9] = [
    (Ipv6Addr::UNSPECIFIED, 128, "the unspecified address"),
    (Ipv6Addr::LOCALHOST, 128, "a loopback address"),
    (Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96, "an IPv4 address mapped to IPv6"),
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7, "a private (unique local) address"),
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10, "a link-local address"),
    (Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8, "a multicast address"),
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23, "an address of a protocol"),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32, "an address for documentation"),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20, "an address for documentation"),
];

/// 6to4 contains an IPv4 address, which may be private, and is obsolete (RFC 7526).
const SIX_TO_FOUR: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16);
/// All public IPv6 addresses (RFC 4291, section 2.4, as IANA assigns them).
const GLOBAL_UNICAST: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// Names with a meaning in private networks only, with all names below them: RFC 6761, 6762 and
/// 8375, and the suffix that ICANN has reserved for private use. Cloud providers' metadata services
/// have names under `internal`.
const CLOSED_NAMES: [&str; 5] = ["localhost", "local", "internal", "localdomain", "home.arpa"];

/// The longest label of a name and the longest name, in bytes (RFC 1035, section 2.3.4: the longest
/// name has 255 bytes with the lengths of its labels).
const MAX_LABEL_BYTES: usize = 63;
const MAX_NAME_BYTES: usize = 253;
/// The most bytes of a host that an error shows.
const MAX_SHOWN_BYTES: usize = 100;

/// Returns the host of a filter in the form that URLs have: in lower case, international names in
/// ASCII, without the dot of the root.
///
/// # Errors
/// Returns an error if it is not a host, or has a scheme, a port or a path. The error names
/// `field`.
pub fn host_of_name(name: &str, field: &str) -> Result<String, FieldError> {
    match Host::parse(name) {
        Ok(Host::Domain(domain)) => Ok(without_root(&domain).to_owned()),
        Ok(address) => Ok(address.to_string()),
        Err(_) => Err(FieldError::new(
            field.to_owned(),
            format!(
                "is {}, which is not a host; give it without scheme, port and path, such as hooks.example.com",
                quoted(name, MAX_SHOWN_BYTES)
            ),
        )),
    }
}

/// Returns the host of a URL in the form of [`host_of_name`], or `None` if it has none.
pub fn host_of_url(url: &str) -> Option<String> {
    Some(without_root(Url::parse(url).ok()?.host_str()?).to_owned())
}

fn without_root(host: &str) -> &str {
    host.strip_suffix('.').unwrap_or(host)
}

/// Returns an entry of `OWN_HOSTS` in the form that [`check_host`] compares. An operator may copy
/// the entry from an address bar, with a scheme, a path, international letters, or the dot of the
/// root. A pattern that matches nothing would protect nothing.
pub fn own_pattern(entry: &str) -> String {
    let address = entry.split_once("://").map_or(entry, |(_, address)| address);
    let address = address.split(['/', '?', '#']).next().unwrap_or_default();
    let (below, address) = match address.strip_prefix("*.") {
        Some(address) => ("*.", address),
        None => ("", address),
    };
    let (name, port) = match address.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
        _ => (address, None),
    };
    let name = match Host::parse(name) {
        Ok(Host::Domain(domain)) => without_root(&domain).to_owned(),
        Ok(address) => address.to_string(),
        Err(_) => name.to_owned(),
    };
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    format!("{below}{name}{port}")
}

/// The hosts that the settings of the deployment name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Hosts<'a> {
    /// Hosts that webhooks may call although they are not public, from `WEBHOOK_ALLOWED_HOSTS`.
    pub allowed: &'a [String],
    /// The scheduler's own hosts, which webhooks may not call: [`own_pattern`] of each in
    /// `OWN_HOSTS`.
    pub own: &'a [String],
}

/// Why a host may not be called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// The host is not public.
    #[error(
        "has the host {host}, {what}, which webhooks may not call; use a public host, or allow it with WEBHOOK_ALLOWED_HOSTS"
    )]
    Closed {
        /// The host, cut.
        host: String,
        /// The kind of the host.
        what: &'static str,
    },
    /// The host is the scheduler itself.
    #[error(
        "has the host {host}, which is a host of this scheduler (OWN_HOSTS): a task that calls the scheduler could start itself again without end; call another Worker, or a handler"
    )]
    Own {
        /// The host, cut.
        host: String,
    },
    /// The name is longer than any name with an address.
    #[error(
        "has the host {host}, a name of {bytes} bytes; the limit is {MAX_NAME_BYTES}, and {MAX_LABEL_BYTES} between two dots"
    )]
    TooLong {
        /// The host, shortened.
        host: String,
        /// The length without the dot of the root.
        bytes: usize,
    },
}

/// Checks the host of an http or https URL.
///
/// An entry of `hosts` is a host (`127.0.0.1`, `[::1]`, `wiki`), or all names below one
/// (`*.example.internal`, which does not include `example.internal` itself). With `:8080`, it
/// applies to that port only.
///
/// # Errors
/// Returns an error if it is neither a public nor an allowed host, if it is one of the scheduler's
/// own, or if it is longer than a name may be.
pub fn check_host(url: &Url, hosts: Hosts<'_>) -> Result<(), HostError> {
    let shown = url.host_str().unwrap_or_default();
    // A name with one dot at its end is the same name.
    let host = without_root(shown);
    let shown = || cut(shown, MAX_SHOWN_BYTES).into_owned();
    if host.len() > MAX_NAME_BYTES || host.split('.').any(|label| label.len() > MAX_LABEL_BYTES) {
        return Err(HostError::TooLong { host: shown(), bytes: host.len() });
    }
    let port = url.port_or_known_default();
    if hosts.own.iter().any(|pattern| matches(pattern, host, port)) {
        return Err(HostError::Own { host: shown() });
    }
    let closed = match url.host() {
        Some(Host::Ipv4(address)) => closed_v4(address),
        Some(Host::Ipv6(address)) => closed_v6(address),
        Some(Host::Domain(_)) => closed_name(host),
        None => Some("none at all"),
    };
    match closed {
        Some(what) if !hosts.allowed.iter().any(|pattern| matches(pattern, host, port)) => {
            Err(HostError::Closed { host: shown(), what })
        }
        _ => Ok(()),
    }
}

fn matches(pattern: &str, host: &str, port: Option<u16>) -> bool {
    let (name, at_port) = match pattern.rsplit_once(':') {
        Some((name, digits)) if !digits.ends_with(']') => match digits.parse::<u16>() {
            Ok(port) => (name, Some(port)),
            // This is not a valid pattern, so it matches nothing.
            Err(_) => return false,
        },
        _ => (pattern, None),
    };
    if at_port.is_some() && at_port != port {
        return false;
    }
    match name.strip_prefix("*.") {
        Some("") | None => name.eq_ignore_ascii_case(host),
        // The boundary is within the host: a name below the suffix begins with a label and a dot.
        Some(suffix) => host
            .len()
            .checked_sub(suffix.len())
            .and_then(|at| host.split_at_checked(at))
            .is_some_and(|(below, end)| {
                end.eq_ignore_ascii_case(suffix) && below.len() > 1 && below.ends_with('.')
            }),
    }
}

fn closed_v4(address: Ipv4Addr) -> Option<&'static str> {
    let bits = address.to_bits();
    CLOSED_V4
        .iter()
        .find(|(base, len, _)| (bits ^ base.to_bits()) >> (32 - len) == 0)
        .map(|(_, _, what)| *what)
}

fn closed_v6(address: Ipv6Addr) -> Option<&'static str> {
    let within =
        |base: Ipv6Addr, len: u32| (address.to_bits() ^ base.to_bits()) >> (128 - len) == 0;
    if let Some((_, _, what)) = CLOSED_V6.iter().find(|(base, len, _)| within(*base, *len)) {
        return Some(what);
    }
    let is_public =
        within(GLOBAL_UNICAST.0, GLOBAL_UNICAST.1) && !within(SIX_TO_FOUR.0, SIX_TO_FOUR.1);
    (!is_public).then_some("not a public address")
}

/// Checks a name. `host` is in lower case, as [`Url`] returns it, without the dot of the root.
fn closed_name(host: &str) -> Option<&'static str> {
    if host.split('.').any(str::is_empty) {
        return Some("a name with an empty label");
    }
    if !host.contains('.') {
        return Some(if host == "localhost" {
            "this machine"
        } else {
            "a name of one label, of a private network"
        });
    }
    let is_closed = |name: &&&str| {
        host.strip_suffix(**name).is_some_and(|below| below.is_empty() || below.ends_with('.'))
    };
    CLOSED_NAMES.iter().find(is_closed).map(|_| "a name of a private network")
}

#[cfg(test)]
#[path = "hosts_tests.rs"]
mod tests;
