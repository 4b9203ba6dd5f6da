//! Asks a language model to rewrite a refused sentence in words that the grammar reads.
//!
//! The model is a separate service, which may be wrong, hang or answer anything. So its text counts
//! only as another sentence: the grammar reads it, and the caller confirms it.

use futures::StreamExt;
use scheduler_calendar::time::UnixMillis;
use scheduler_language::limits::MAX_PHRASE_CHARS;
use scheduler_platform::settings::{Model, WORDS_MODEL_URL};
use scheduler_platform::{now, within};
use serde::Deserialize;
use serde_json::json;
use std::cell::RefCell;
use std::time::Duration;
use worker::js_sys::{Function, JSON, Promise, Reflect};
use worker::wasm_bindgen::{JsCast, JsValue};
use worker::wasm_bindgen_futures::JsFuture;
use worker::{AbortController, Env, Fetch, Headers, Method, Request, RequestInit, RequestRedirect};

/// What the model is asked to do.
const PROMPT: &str = include_str!("model_prompt.txt");

/// How long the model may take. A usual model answers such a question within two seconds.
const TIME: Duration = Duration::from_secs(10);

/// The most bytes of an answer that are read. A sentence of 500 characters, escaped, with all that
/// providers send around it, takes less than 8 KB.
const MAX_ANSWER_BYTES: usize = 32_000;

/// The most tokens that the model may write. A sentence of 500 characters has some 150.
const MAX_TOKENS: u32 = 200;

/// The most questions of one instance at a time. So a caller can neither make the deployment pay
/// for many at once, nor fill an instance with waiting questions.
const MAX_AT_ONCE: usize = 4;

thread_local! {
    /// When the questions of this instance began.
    static ASKED: RefCell<Vec<UnixMillis>> = const { RefCell::new(Vec::new()) };
}

/// A question in progress.
struct Asking(UnixMillis);

impl Asking {
    /// Begins a question, if there is room. If the caller has disconnected, the platform may never
    /// drop the question, so a question counts only as long as it may take.
    fn begin(now: UnixMillis) -> Option<Self> {
        ASKED.with_borrow_mut(|asked| {
            asked.retain(|at| now.since(*at).unsigned_abs() <= TIME.as_millis() as u64);
            (asked.len() < MAX_AT_ONCE).then(|| {
                asked.push(now);
                Self(now)
            })
        })
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        ASKED.with_borrow_mut(|asked| {
            if let Some(own) = asked.iter().position(|at| *at == self.0) {
                asked.swap_remove(own);
            }
        });
    }
}

/// An answer of the usual chat protocol, or of the platform's binding.
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    choices: Vec<AnswerChoice>,
    response: Option<String>,
}

#[derive(Deserialize)]
struct AnswerChoice {
    message: AnswerMessage,
}

#[derive(Deserialize)]
struct AnswerMessage {
    content: Option<String>,
}

/// Asks the model to rewrite a sentence. Returns what it has written, or `None` if it says that
/// there is nothing to write.
///
/// # Errors
/// Returns the reason in a sentence if there is no answer.
pub(crate) async fn rewritten(
    env: &Env,
    model: &Model,
    sentence: &str,
) -> Result<Option<String>, String> {
    let Some(_asking) = Asking::begin(now()) else {
        return Err(format!(
            "{MAX_AT_ONCE} sentences are already with the model: try again in a few seconds."
        ));
    };
    let messages = json!([
        { "role": "system", "content": PROMPT },
        { "role": "user", "content": sentence },
    ]);
    let asked = async {
        if model.url.is_empty() {
            of_binding(env, model, messages).await
        } else {
            of_address(model, messages).await
        }
    };
    let slow = || format!("The model did not answer within {} s.", TIME.as_secs());
    let text = within(TIME, asked).await.ok_or_else(slow)??;
    Ok(sentence_in(&text))
}

/// Asks the platform's binding `AI`.
async fn of_binding(
    env: &Env,
    model: &Model,
    messages: serde_json::Value,
) -> Result<String, String> {
    let failed = |thrown: JsValue| format!("The model failed: {}.", worker::Error::from(thrown));
    let none = || format!("The deployment has no binding AI, and {WORDS_MODEL_URL} is empty.");
    let binding = Reflect::get(env, &JsValue::from_str("AI")).map_err(failed)?;
    let run = Reflect::get(&binding, &JsValue::from_str("run"))
        .ok()
        .and_then(|run| run.dyn_into::<Function>().ok())
        .ok_or_else(none)?;
    let input = json!({ "messages": messages, "max_tokens": MAX_TOKENS, "temperature": 0 });
    let input = JSON::parse(&input.to_string()).map_err(failed)?;
    let promise = run
        .call2(&binding, &JsValue::from_str(&model.name), &input)
        .and_then(|promise| promise.dyn_into::<Promise>())
        .map_err(failed)?;
    let answer = JsFuture::from(promise).await.map_err(failed)?;
    let text = JSON::stringify(&answer).map_err(failed)?.as_string().unwrap_or_default();
    content_of(text.as_bytes())
}

/// Asks an address that speaks the usual chat protocol.
async fn of_address(model: &Model, messages: serde_json::Value) -> Result<String, String> {
    let failed = |problem: worker::Error| format!("The model was not reached: {problem}.");
    let body = json!({
        "model": model.name,
        "messages": messages,
        "max_tokens": MAX_TOKENS,
        "temperature": 0,
        "stream": false,
    });
    let headers = Headers::new();
    headers.set("content-type", "application/json").map_err(failed)?;
    if !model.key.is_empty() {
        headers.set("authorization", &format!("Bearer {}", model.key)).map_err(failed)?;
    }
    let mut init = RequestInit::new();
    // A redirect would send the key of the model elsewhere.
    init.with_method(Method::Post)
        .with_headers(headers)
        .with_redirect(RequestRedirect::Manual)
        .with_body(Some(JsValue::from_str(&body.to_string())));
    let request = Request::new_with_init(&model.url, &init).map_err(failed)?;
    let abort = Aborts(AbortController::default());
    let mut response =
        Fetch::Request(request).send_with_signal(&abort.0.signal()).await.map_err(failed)?;
    if response.status_code() != 200 {
        return Err(format!("The model answered with HTTP {}.", response.status_code()));
    }
    let mut stream = response.stream().map_err(failed)?;
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.next().await {
        bytes.extend(chunk.map_err(failed)?);
        if bytes.len() > MAX_ANSWER_BYTES {
            return Err(format!("The answer of the model exceeds {MAX_ANSWER_BYTES} bytes."));
        }
    }
    content_of(&bytes)
}

/// Aborts a request when dropped, even if nobody waits for it any more.
struct Aborts(AbortController);

impl Drop for Aborts {
    fn drop(&mut self) {
        std::mem::take(&mut self.0).abort();
    }
}

/// Returns the text of an answer.
fn content_of(answer: &[u8]) -> Result<String, String> {
    let other = || "The answer of the model does not follow the chat protocol.".to_owned();
    let Answer { choices, response } = serde_json::from_slice(answer).map_err(|_| other())?;
    let content = choices.into_iter().next().and_then(|choice| choice.message.content);
    content.or(response).ok_or_else(other)
}

/// Returns the sentence in the text that a model has written, or `None` if there is none.
fn sentence_in(text: &str) -> Option<String> {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    let line = line.trim_matches('`').trim();
    let is_none = line.trim_end_matches('.').eq_ignore_ascii_case("none");
    (!is_none && line.chars().count() <= MAX_PHRASE_CHARS).then(|| line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_that_nobody_ends_counts_only_as_long_as_it_may_take() {
        let now = UnixMillis::new(1_764_000_000_000);
        let later = |seconds: i64| now.plus(seconds * 1_000);
        let lost: Vec<Asking> = (0..4).filter_map(|_| Asking::begin(now)).collect();
        lost.into_iter().for_each(std::mem::forget);
        assert!(Asking::begin(later(10)).is_none());
        let again = Asking::begin(later(11));
        assert!(again.is_some());
        drop(again);
        ASKED.with_borrow(|asked| assert!(asked.is_empty()));
    }

    #[test]
    fn the_first_line_of_an_answer_is_the_sentence() {
        for (text, sentence) in [
            ("every Monday at 10:00", Some("every Monday at 10:00")),
            ("\n  `every day at 9:00`\nI hope this helps.", Some("every day at 9:00")),
            ("\"call Ann\" tomorrow at 17:00", Some("\"call Ann\" tomorrow at 17:00")),
            ("NONE", None),
            ("None.", None),
            ("", None),
            (" \n\n", None),
        ] {
            assert_eq!(sentence_in(text).as_deref(), sentence, "{text:?}");
        }
        assert_eq!(sentence_in(&"x".repeat(MAX_PHRASE_CHARS + 1)), None);
    }

    #[test]
    fn the_content_of_both_kinds_of_answers_is_read() {
        let chat = r#"{"id":"x","choices":[{"index":0,"message":{"role":"assistant","content":"daily"}}],"usage":{}}"#;
        assert_eq!(content_of(chat.as_bytes()).as_deref(), Ok("daily"));
        assert_eq!(content_of(br#"{"response":"daily","usage":{}}"#).as_deref(), Ok("daily"));
        for other in [
            "",
            "[]",
            "null",
            "<html>",
            r#"{"choices":[]}"#,
            r#"{"choices":[{"message":{"content":null}}]}"#,
            r#"{"choices":[{"message":{"content":["a"]}}]}"#,
            r#"{"response":5}"#,
        ] {
            assert!(content_of(other.as_bytes()).unwrap_err().contains("chat protocol"), "{other}");
        }
    }
}
