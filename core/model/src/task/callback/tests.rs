use super::*;
use crate::hosts::Hosts;

fn checked(text: &str) -> Result<(), FieldError> {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let (queues, services) = (names(&["FIRED_TASKS"]), names(&["MAIL"]));
    let (objects, hosts) = (names(&["ROOMS"]), names(&["127.0.0.1:8790"]));
    let targets = Targets {
        handlers: &["log", "noop"],
        queues: &queues,
        services: &services,
        durable_objects: &objects,
        hosts: Hosts { allowed: &hosts, own: &[] },
    };
    Callback::given(text, targets).map(drop)
}

#[test]
fn good_callbacks_pass() {
    for text in [
        r#"{"type":"webhook","url":"https://example.com/x"}"#,
        r#"{"type":"webhook","url":"http://127.0.0.1:8790/hook","headers":{"x-a":"b"},"timeoutSeconds":60}"#,
        r#"{"type":"webhook","url":"https://a.example","method":"PUT","body":{"a":[1]}}"#,
        r#"{"type":"webhook","url":"https://a.example","method":"GET"}"#,
        r#"{"type":"webhook","url":"https://a.example","method":"DELETE","headers":{"accept":"*/*"},"body":null}"#,
        r#"{"type":"webhook","url":"https://a.example","body":"a=1","headers":{"Content-Type":"application/x-www-form-urlencoded"}}"#,
        r#"{"type":"service","binding":"MAIL","path":"/send?x=1","method":"PATCH","headers":{"a":"b"},"body":7,"timeoutSeconds":1}"#,
        r#"{"type":"service","binding":"MAIL","path":"//not-a-host/x"}"#,
        r#"{"type":"service","binding":"MAIL","function":"send"}"#,
        r#"{"type":"service","binding":"MAIL","function":"$send_2","body":["x"],"timeoutSeconds":9}"#,
        r#"{"type":"durable-object","binding":"ROOMS","name":"späť 1","path":"/"}"#,
        r#"{"type":"durable-object","binding":"ROOMS","name":"a","function":"tick"}"#,
        r#"{"type":"handler","name":"log"}"#,
        r#"{"queue":"FIRED_TASKS","type":"queue"}"#,
    ] {
        assert_eq!(checked(text), Ok(()), "{text}");
    }
}

#[test]
fn an_unknown_member_is_answered_with_those_of_the_type() {
    for (text, field, detail) in [
        (
            r#"{"type":"queue","nome":"x"}"#,
            "callback.nome",
            "is not a member of this object; there are: type, queue",
        ),
        (
            r#"{"type":"handler","nome":"x"}"#,
            "callback.nome",
            "is not a member of this object; did you mean `name`? There are: type, name",
        ),
        (
            r#"{"type":"webhook","uri":"x"}"#,
            "callback.uri",
            "is not a member of this object; did you mean `url`? There are: type, url, method, headers, body, timeoutSeconds",
        ),
        (
            r#"{"uri":"x"}"#,
            "callback.uri",
            "is not a member of this object; did you mean `url`? There are: type, url, method, headers, body, timeoutSeconds, binding, path, function, name, queue",
        ),
    ] {
        let problem = checked(text).unwrap_err();
        assert_eq!((problem.field.as_ref(), problem.detail.as_str()), (field, detail), "{text}");
    }
}

#[test]
fn a_url_without_a_scheme_says_how_one_begins() {
    let problem = checked(r#"{"type":"webhook","url":"example.com/x"}"#).unwrap_err();
    assert_eq!(problem.detail, "is not a complete URL; begin it with https://");
}

#[test]
fn bad_callbacks_name_the_field() {
    for (text, field) in [
        (r#"{"type":"webhook"}"#, "callback.url"),
        (r#"{"type":"webhook","url":"x"}"#, "callback.url"),
        (r#"{"type":"webhook","url":"ftp://a.example/b"}"#, "callback.url"),
        (r#"{"type":"webhook","url":"https://u:p@a.example/b"}"#, "callback.url"),
        (r#"{"type":"webhook","url":"http://127.0.0.1:8791/hook"}"#, "callback.url"),
        (r#"{"type":"webhook","url":"https://metadata.google.internal/"}"#, "callback.url"),
        (r#"{"type":"webhook","url":"https://a.example","method":"HEAD"}"#, "callback.method"),
        (r#"{"type":"webhook","url":"https://a.example","method":"post"}"#, "callback.method"),
        (
            r#"{"type":"webhook","url":"https://a.example","method":"GET","body":{}}"#,
            "callback.body",
        ),
        (
            r#"{"type":"webhook","url":"https://a.example","method":"DELETE","body":""}"#,
            "callback.body",
        ),
        (r#"{"type":"webhook","url":"https://a.example","body":"\ud800"}"#, "callback.body"),
        (
            r#"{"type":"webhook","url":"https://a.example","timeoutSeconds":0}"#,
            "callback.timeoutSeconds",
        ),
        (
            r#"{"type":"webhook","url":"https://a.example","timeoutSeconds":"1"}"#,
            "callback.timeoutSeconds",
        ),
        (
            r#"{"type":"webhook","url":"https://a.example","headers":{"a b":"c"}}"#,
            "callback.headers.a b",
        ),
        (
            r#"{"type":"webhook","url":"https://a.example","headers":{"Host":"c"}}"#,
            "callback.headers.Host",
        ),
        (
            r#"{"type":"webhook","url":"https://a.example","headers":{"Webhook-Signature":"c"}}"#,
            "callback.headers.Webhook-Signature",
        ),
        (
            r#"{"type":"webhook","url":"https://a.example","headers":{"cf-connecting-ip":"c"}}"#,
            "callback.headers.cf-connecting-ip",
        ),
        (
            r#"{"type":"webhook","url":"https://a.example","headers":{"content-type":"text/plain"}}"#,
            "callback.headers.content-type",
        ),
        (
            r#"{"type":"webhook","url":"https://a.example","headers":{"a":"c\r\nd"}}"#,
            "callback.headers.a",
        ),
        (
            r#"{"type":"webhook","url":"https://a.example","headers":{"a":"<hidden>"}}"#,
            "callback.headers.a",
        ),
        (
            r#"{"type":"webhook","url":"https://a.example","headers":{"a":"b","A":"b"}}"#,
            "callback.headers.A",
        ),
        (
            r#"{"type":"webhook","url":"https://a.example","headers":{"scheduler-attempt":"1"}}"#,
            "callback.headers.scheduler-attempt",
        ),
        (r#"{"type":"webhook","url":"https://a.example","name":"log"}"#, "callback.name"),
        (r#"{"type":"webhook","url":"https://a.example","path":"/"}"#, "callback.path"),
        (r#"{"type":"service"}"#, "callback.binding"),
        (r#"{"type":"service","binding":"MAIL"}"#, "callback.path"),
        (r#"{"type":"service","binding":"ROOMS","path":"/"}"#, "callback.binding"),
        (r#"{"type":"service","binding":"MAIL","path":"x"}"#, "callback.path"),
        (r#"{"type":"service","binding":"MAIL","path":"/","function":"f"}"#, "callback.function"),
        (
            r#"{"type":"service","binding":"MAIL","path":"/","method":"GET","body":1}"#,
            "callback.body",
        ),
        (
            r#"{"type":"service","binding":"MAIL","path":"/","headers":{"te":"x"}}"#,
            "callback.headers.te",
        ),
        (
            r#"{"type":"service","binding":"MAIL","path":"/","timeoutSeconds":61}"#,
            "callback.timeoutSeconds",
        ),
        (r#"{"type":"service","binding":"MAIL","path":"/","name":"a"}"#, "callback.name"),
        (
            r#"{"type":"service","binding":"MAIL","path":"/","url":"https://a.example"}"#,
            "callback.url",
        ),
        (r#"{"type":"service","binding":"MAIL","function":"f","method":"GET"}"#, "callback.method"),
        (r#"{"type":"service","binding":"MAIL","function":"f","headers":{}}"#, "callback.headers"),
        (r#"{"type":"service","binding":"MAIL","function":""}"#, "callback.function"),
        (r#"{"type":"service","binding":"MAIL","function":"a.b"}"#, "callback.function"),
        (r#"{"type":"service","binding":"MAIL","function":"1a"}"#, "callback.function"),
        (r#"{"type":"service","binding":"MAIL","function":"fetch"}"#, "callback.function"),
        (r#"{"type":"service","binding":"MAIL","function":"__proto__"}"#, "callback.function"),
        (r#"{"type":"durable-object","binding":"ROOMS","path":"/"}"#, "callback.name"),
        (r#"{"type":"durable-object","binding":"ROOMS","name":"","path":"/"}"#, "callback.name"),
        (
            r#"{"type":"durable-object","binding":"SHARDS","name":"1-0","path":"/"}"#,
            "callback.binding",
        ),
        (r#"{"type":"durable-object","binding":"ROOMS","name":"a"}"#, "callback.path"),
        (
            r#"{"type":"durable-object","binding":"ROOMS","name":"a","function":"alarm"}"#,
            "callback.function",
        ),
        (r#"{"type":"handler"}"#, "callback.name"),
        (r#"{"type":"handler","name":"none"}"#, "callback.name"),
        (r#"{"type":"handler","name":"log","url":"https://a.example"}"#, "callback.url"),
        (r#"{"type":"handler","name":"log","body":1}"#, "callback.body"),
        (r#"{"type":"queue"}"#, "callback.queue"),
        (r#"{"type":"queue","queue":"OTHER"}"#, "callback.queue"),
        (r#"{"type":"queue","queue":"FIRED_TASKS","binding":"MAIL"}"#, "callback.binding"),
        (r#"{"type":"email"}"#, "callback.type"),
        (r#"{"url":"https://a.example"}"#, "callback.type"),
        (r#"{"type":"handler","name":"log","nmae":1}"#, "callback.nmae"),
        (r#"[]"#, "callback"),
    ] {
        assert_eq!(checked(text).expect_err(text).field, field, "{text}: {:?}", checked(text));
    }
}

#[test]
fn lengths_are_limited() {
    let long = |text: &str, n: usize| text.replace('~', &"x".repeat(n));
    let whole = r#"{"type":"webhook","url":"https://a.example","body":"~"}"#;
    for (text, field, most) in [
        (
            r#"{"type":"webhook","url":"https://a.example/~"}"#,
            "callback.url",
            2_048 - "https://a.example/".len(),
        ),
        (r#"{"type":"service","binding":"MAIL","path":"/~"}"#, "callback.path", 2_047),
        (r#"{"type":"service","binding":"MAIL","function":"~"}"#, "callback.function", 128),
        (
            r#"{"type":"durable-object","binding":"ROOMS","name":"~","path":"/"}"#,
            "callback.name",
            256,
        ),
        (whole, "callback", 8_192 - (whole.len() - 1)),
    ] {
        assert_eq!(checked(&long(text, most)), Ok(()), "{text}");
        assert_eq!(checked(&long(text, most + 1)).unwrap_err().field, field, "{text}");
    }
}

#[test]
fn a_body_is_a_text_or_json() {
    let body = |given: &'static str| {
        let text = format!(r#"{{"type":"webhook","url":"https://a.example","body":{given}}}"#);
        match Callback::parse(&text) {
            Ok(Callback::Webhook(webhook)) => match webhook.message.body {
                Some(Body::Text(text)) => format!("text {text}"),
                Some(Body::Json(json)) => format!("json {json}"),
                None => "none".to_owned(),
            },
            other => panic!("{other:?}"),
        }
    };
    for (given, expected) in [
        (r#""a\nb""#, "text a\nb"),
        (r#""""#, "text "),
        (r#"{"a": 1.50}"#, r#"json {"a": 1.50}"#),
        ("[]", "json []"),
        ("7", "json 7"),
        ("false", "json false"),
        ("null", "none"),
    ] {
        assert_eq!(body(given), expected);
    }
}

/// An earlier version accepted them, so their records must stay readable.
#[test]
fn reserved_headers_of_stored_tasks_are_not_sent() {
    let text = r#"{"type":"webhook","url":"https://a.example","headers":{"a":"1","CF-Connecting-IP":"2","x_forwarded_for":"3","b":"4"}}"#;
    let Ok(Callback::Webhook(webhook)) = Callback::parse(text) else { panic!("it is read") };
    assert_eq!(webhook.message.sent_headers().collect::<Vec<_>>(), [("a", "1"), ("b", "4")]);
}
