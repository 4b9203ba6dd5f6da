use super::*;

fn check(url: &str, allowed: &[&str]) -> Result<(), HostError> {
    let allowed: Vec<String> = allowed.iter().map(|pattern| (*pattern).to_owned()).collect();
    check_host(&Url::parse(url).unwrap(), Hosts { allowed: &allowed, own: &[] })
}

#[test]
fn the_schedulers_own_hosts_are_refused_even_if_they_are_allowed() {
    let names = ["tasks.example.com", "*.example.workers.dev", "127.0.0.1:8787"];
    let own: Vec<String> = names.map(str::to_owned).into();
    let hosts = Hosts { allowed: &own, own: &own };
    let check = |url: &str| check_host(&Url::parse(url).unwrap(), hosts);
    for url in [
        "https://tasks.example.com/v1/tasks",
        "https://TASKS.example.com./",
        "https://scheduler.example.workers.dev",
        "http://127.0.0.1:8787/",
    ] {
        let problem = check(url).unwrap_err().to_string();
        assert!(problem.contains("a host of this scheduler (OWN_HOSTS)"), "{problem}");
    }
    for url in ["https://example.com", "https://hooks.example.com", "https://example.workers.dev"] {
        assert_eq!(check(url), Ok(()), "{url}");
    }
    let hosts = Hosts { allowed: &["127.0.0.1".to_owned()], ..hosts };
    assert_eq!(check_host(&Url::parse("http://127.0.0.1:8788/").unwrap(), hosts), Ok(()));
}

#[test]
fn own_hosts_are_recognized_however_the_operator_writes_them() {
    for (entry, url) in [
        ("tasks.example.com", "https://tasks.example.com/v1"),
        ("tasks.example.com.", "https://tasks.example.com/v1"),
        ("https://tasks.example.com/", "https://tasks.example.com/v1"),
        ("HTTPS://Tasks.Example.Com/v1/tasks?a#b", "http://tasks.example.com./"),
        ("https://tasks.example.com:8443/", "https://tasks.example.com:8443/"),
        ("tasks.example.com:443", "https://tasks.example.com/"),
        ("t\u{e4}sks.example", "https://xn--tsks-loa.example/"),
        ("t\u{e4}sks.example", "https://T\u{c4}SKS.example/"),
        ("*.example.workers.dev.", "https://a.example.workers.dev/"),
        ("*.b\u{fc}cher.example:8080", "http://a.xn--bcher-kva.example:8080"),
        ("127.1", "http://127.0.0.1/"),
        ("[0:0::1]:8787", "http://[::1]:8787/"),
        ("[::1]", "http://[::1]:8787/"),
    ] {
        let own = [own_pattern(entry)];
        let hosts = Hosts { allowed: &[], own: &own };
        let refused = check_host(&Url::parse(url).unwrap(), hosts);
        assert!(matches!(refused, Err(HostError::Own { .. })), "{entry} {own:?}: {url}");
    }
    for (entry, url) in [
        ("https://tasks.example.com:8443/", "https://tasks.example.com/"),
        ("*.example.workers.dev", "https://example.workers.dev/"),
        ("", "https://example.com/"),
        ("*.", "https://example.com/"),
        ("/", "https://example.com/"),
    ] {
        let own = [own_pattern(entry)];
        let hosts = Hosts { allowed: &[], own: &own };
        assert_eq!(check_host(&Url::parse(url).unwrap(), hosts), Ok(()), "{entry} {own:?}");
    }
}

#[test]
fn public_hosts_pass() {
    for url in [
        "https://example.com/x",
        "http://a.b.example:8080",
        "https://localhost.example.com",
        "https://mylocal.example",
        "https://notlocalhost.example",
        "https://xn--bcher-kva.example",
        "https://8.8.8.8",
        "http://1.1.1.1:8080/x",
        "https://11.0.0.1",
        "https://100.63.255.255",
        "https://100.128.0.0",
        "https://172.15.255.255",
        "https://172.32.0.0",
        "https://192.167.1.1",
        "https://192.0.1.1",
        "https://198.17.1.1",
        "https://198.20.1.1",
        "https://223.255.255.255",
        "https://[2606:4700:4700::1111]/x",
        "https://[2a00:1450::1]",
        "https://[2001:200::1]",
    ] {
        assert_eq!(check(url, &[]), Ok(()), "{url}");
    }
}

#[test]
fn hosts_that_are_not_public_are_refused() {
    for (url, what) in [
        ("http://localhost", "this machine"),
        ("http://LOCALHOST:8080/x", "this machine"),
        ("http://localhost./x", "this machine"),
        ("http://a.localhost", "private network"),
        ("http://printer.local", "private network"),
        ("http://a.b.internal.", "private network"),
        ("http://metadata.google.internal/computeMetadata/v1/", "private network"),
        ("http://router.home.arpa", "private network"),
        ("http://db", "one label"),
        ("http://127.0.0.1../", "an empty label"),
        ("http://localhost../", "an empty label"),
        ("http://a..example.com/", "an empty label"),
        ("http://.example.com/", "an empty label"),
        ("http://internal", "one label"),
        ("http://com", "one label"),
        ("http://0.0.0.0", "very network"),
        ("http://0.1.2.3", "very network"),
        ("http://10.1.2.3", "private"),
        ("http://100.64.0.1", "carrier"),
        ("http://100.127.255.255", "carrier"),
        ("http://127.0.0.1:8790/hook", "loopback"),
        ("http://127.255.255.254", "loopback"),
        ("http://169.254.169.254/latest/meta-data/", "link-local"),
        ("http://172.16.0.1", "private"),
        ("http://172.31.255.255", "private"),
        ("http://192.0.0.192", "reserved"),
        ("http://192.0.2.1", "documentation"),
        ("http://192.168.1.1", "private"),
        ("http://198.19.0.1", "benchmarks"),
        ("http://198.51.100.1", "documentation"),
        ("http://203.0.113.9", "documentation"),
        ("http://224.0.0.1", "multicast"),
        ("http://239.255.255.255", "multicast"),
        ("http://240.0.0.1", "reserved"),
        ("http://255.255.255.255", "reserved"),
        ("http://[::]", "unspecified"),
        ("http://[::1]:8787", "loopback"),
        ("http://[::ffff:127.0.0.1]", "mapped"),
        ("http://[::ffff:8.8.8.8]", "mapped"),
        ("http://[::127.0.0.1]", "not a public"),
        ("http://[64:ff9b::a00:1]", "not a public"),
        ("http://[100::1]", "not a public"),
        ("http://[2001::1]", "protocol"),
        ("http://[2001:db8::1]", "documentation"),
        ("http://[2002:a00:1::]", "not a public"),
        ("http://[3fff::1]", "documentation"),
        ("http://[4000::1]", "not a public"),
        ("http://[5f00::1]", "not a public"),
        ("http://[fc00::1]", "unique local"),
        ("http://[fd12:3456::1]", "unique local"),
        ("http://[fe80::1]", "link-local"),
        ("http://[fec0::1]", "not a public"),
        ("http://[ff02::1]", "multicast"),
    ] {
        let problem = check(url, &[]).expect_err(url).to_string();
        assert!(problem.contains(what), "{url}: {problem}");
    }
}

#[test]
fn too_long_names_have_no_address() {
    let label = "a".repeat(MAX_LABEL_BYTES);
    let longest =
        format!("{label}.{label}.{label}.{}.{}", "b".repeat(MAX_LABEL_BYTES - 8), "example");
    assert_eq!(longest.len(), MAX_NAME_BYTES + 2);
    let (longest, allowed) = (&longest[2..], ["*.example"]);
    for host in [longest, &format!("{longest}."), &format!("{label}.example")] {
        assert_eq!(check(&format!("https://{host}/x"), &[]), Ok(()), "{host}");
    }
    // An exception does not make it a valid name.
    for allowed in [&[][..], &allowed] {
        for host in [
            &format!("a{longest}"),
            &format!("a{longest}."),
            &format!("a{label}.example"),
            &format!("x.a{label}.example"),
        ] {
            let problem = check(&format!("https://{host}/x"), allowed).expect_err(host);
            assert!(matches!(problem, HostError::TooLong { .. }), "{host}: {problem}");
            assert!(
                problem.to_string().contains("the limit is 253, and 63 between two dots"),
                "{problem}"
            );
        }
    }
    // The length is that of the ASCII form, which is looked up.
    assert!(check(&format!("https://{}.example", "\u{e4}".repeat(50)), &[]).is_ok());
    assert!(check(&format!("https://{}.example", "\u{e4}\u{15f}".repeat(30)), &[]).is_err());
    assert!(check("https://[2606:4700:4700:1111:2222:3333:4444:5555]", &[]).is_ok());
}

/// The same addresses and names in other notations. The parser follows the same standard as
/// those of browsers.
#[test]
fn other_notations_of_closed_hosts_are_refused() {
    for url in [
        "http://2130706433/",
        "http://0x7f000001/",
        "http://017700000001/",
        "http://127.1/",
        "http://0177.0.0.01/",
        "http://0x7f.1/",
        "http://127.0.0.1./",
        "http://%31%32%37.0.0.1/",
        "http://\u{ff11}\u{ff12}\u{ff17}.0.0.1/",
        "http://127\u{3002}0\u{3002}0\u{3002}1/",
        "http://\u{24db}ocalhost/",
        "http://loc\u{ad}alhost/",
        "http:\\\\127.0.0.1\\",
        "http:/127.0.0.1/",
        "http://127.0.0\t.1/",
        "http://[0:0:0:0:0:0:0:1]/",
        "http://[::ffff:7f00:1]/",
        "http://example.com@127.0.0.1/",
        "http://127.0.0.1#@example.com/",
    ] {
        assert!(check(url, &[]).is_err(), "{url}");
    }
}

#[test]
fn an_exception_applies_to_its_host_or_subdomains_and_to_its_port() {
    for (url, pattern, passes) in [
        ("http://127.0.0.1:8790/x", "127.0.0.1", true),
        ("http://127.0.0.1:8790/x", "127.0.0.1:8790", true),
        ("http://127.0.0.1:8791/x", "127.0.0.1:8790", false),
        ("http://127.0.0.1/x", "127.0.0.1:80", true),
        ("https://127.0.0.1/x", "127.0.0.1:80", false),
        ("http://127.0.0.2/x", "127.0.0.1", false),
        ("http://2130706433/", "127.0.0.1", true),
        ("http://localhost", "LocalHost", true),
        ("http://localhost.", "localhost", true),
        ("http://a.localhost", "localhost", false),
        ("http://a.example.internal", "*.example.internal", true),
        ("http://a.b.Example.internal:81", "*.example.internal:81", true),
        ("http://a.example.internal:82", "*.example.internal:81", false),
        ("http://example.internal", "*.example.internal", false),
        ("http://example.internal", "example.internal", true),
        ("http://aexample.internal", "*.example.internal", false),
        ("http://[::1]:8787", "[::1]", true),
        ("http://[::1]:8787", "[::1]:8787", true),
        ("http://[::1]:8787", "[::1]:8788", false),
        ("http://[::1]", "::1", false),
        ("http://db", "db", true),
        ("http://db", "*", false),
        ("http://db", "*.", false),
        ("http://db", "", false),
        ("http://db", "db:", false),
        ("http://db", "db:x", false),
        ("http://\u{e4}.internal", "*.internal", true),
    ] {
        assert_eq!(check(url, &[pattern]).is_ok(), passes, "{url} by {pattern}");
    }
    assert!(check("http://db", &["cache", "db"]).is_ok());
}
