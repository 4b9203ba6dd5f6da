//! The context of a request for the handlers: [`Call`].

mod detached;

pub(crate) use detached::Detached;

use crate::bodies::Held;
use crate::clients::calendars;
use crate::clients::epochs::find;
use crate::clients::shards::Shards;
use crate::conditions::{self, Condition, IF_MATCH, IF_NONE_MATCH};
use crate::problem::Problem;
use crate::response::Answer;
use crate::sentences::Grammar;
use futures::future::LocalBoxFuture;
use scheduler_calendar::time::UnixMillis;
use scheduler_language::calendars_in;
use scheduler_model::access::{Holder, Scope, Share};
use scheduler_model::calendars::Calendars;
use scheduler_model::input::FieldError;
use scheduler_model::list_query::{Parameter, each_once, each_or_several, unknown_parameter};
use scheduler_model::schedule::Sentences;
use scheduler_model::task::{NewTask, Targets, version_of, with_hidden_headers};
use scheduler_platform::settings::{self, Allowed};
use scheduler_platform::{Broken, PartBounds, Parts, Unread, read_body, within};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::time::Duration;
use worker::wasm_bindgen::JsValue;
use worker::{Env, Headers, Method, Request, RequestInit, Url};

/// The time limit for receiving a body, because other requests wait for its memory. Unlike the pace
/// of a body, it includes the time in which the instance was busy. The largest body needs 2.3
/// Mbit/s.
const BODY_TIME: Duration = Duration::from_secs(60);

/// An admitted request, with everything that its answer may depend on.
pub(crate) struct Call<'a> {
    pub(crate) request: Request,
    pub(crate) env: &'a Env,
    /// The largest body that the route accepts, in bytes.
    pub(crate) body_limit: usize,
    /// The memory that the body takes; `None` until the body is read.
    pub(crate) held: Option<Held>,
    /// The scopes and the reach of the API key.
    pub(crate) holder: Holder,
    /// The shards of the request's namespace.
    pub(crate) shards: Shards,
    /// The share of each shard in the quota of the namespace.
    pub(crate) share: Option<Share>,
    pub(crate) handlers: Vec<&'static str>,
    pub(crate) handler_retries: Vec<(&'static str, &'static RawValue)>,
    pub(crate) queues: Vec<String>,
    /// The callback of tasks that name none.
    pub(crate) default_callback: Option<Box<RawValue>>,
    pub(crate) allowed: Allowed,
    pub(crate) now: UnixMillis,
    /// Answers a request that a handler makes for the same caller.
    pub(crate) within: Within,
    /// The meanings of the schedules in words in the body.
    pub(crate) sentences: Sentences<'static>,
    /// The calendars that the tasks in the body name.
    pub(crate) calendars: Calendars,
}

/// Returns the refusal of a body that the platform does not deliver, or that is not text.
fn unreadable(problem: &dyn std::fmt::Display) -> Problem {
    Problem::invalid(FieldError::new("body", format!("cannot be read: {problem}")))
}

impl From<Broken> for Problem {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::TooSlow(detail) => Self::slow_body(detail),
            Broken::Cut(problem) => unreadable(&problem),
        }
    }
}

/// Answers a request for the caller of another one.
pub(crate) type Within =
    for<'a> fn(&'a Call<'a>, Request) -> LocalBoxFuture<'a, Result<Answer, Problem>>;

impl Call<'_> {
    /// Parses the condition in a header, if there is one.
    fn condition(&self, field: &'static str) -> Result<Option<Condition>, Problem> {
        let given = conditions::given(self.request.headers(), field);
        given.map(|text| Condition::parse(field, &text)).transpose().map_err(Problem::invalid)
    }

    /// Returns the name of the header with a condition, or `If-Match` if the request has both.
    pub(crate) fn condition_given(&self) -> &'static str {
        let has_match = conditions::given(self.request.headers(), IF_MATCH).is_some();
        if has_match { IF_MATCH } else { IF_NONE_MATCH }
    }

    /// Parses the condition in `If-Match`.
    pub(crate) fn if_match(&self) -> Result<Option<Condition>, Problem> {
        self.condition(IF_MATCH)
    }

    /// Parses the condition in `If-None-Match`.
    pub(crate) fn if_none_match(&self) -> Result<Option<Condition>, Problem> {
        self.condition(IF_NONE_MATCH)
    }

    /// Returns the version that the task must have so that `If-Match` and `If-None-Match` hold. The
    /// shard compares it in the same step as it makes the change. Unless `If-Match` names exactly
    /// one version, this reads the task. `*` only requires that the task exists.
    pub(crate) async fn version_to_match(&self, id: &str) -> Result<Option<u64>, Problem> {
        let (condition, seen) = (self.if_match()?, self.if_none_match()?);
        let only = condition.as_ref().and_then(Condition::only_version);
        if only.is_some() && seen.is_none() || condition.is_none() && seen.is_none() {
            return Ok(only);
        }
        let version =
            find(&self.shards, id).await?.map(|(_, item)| version_of(item.record.get().as_bytes()));
        if let (Some(seen), Some(version)) = (&seen, version)
            && seen.names(version)
        {
            return Err(Problem::seen_already());
        }
        match (condition, version) {
            (Some(Condition::Any), Some(_)) if seen.is_none() => Ok(None),
            (Some(condition), Some(version)) if condition.allows(version) => Ok(Some(version)),
            (Some(_), _) => Err(Problem::not_matched()),
            (None, version) => Ok(version),
        }
    }

    /// Returns a record as the caller may see it. If the API key cannot change tasks, the values of
    /// its targets' headers are omitted.
    pub(crate) fn visible<'r>(&self, record: &'r str) -> Cow<'r, str> {
        if self.holder.scopes.contains(&Scope::Write) {
            Cow::Borrowed(record)
        } else {
            with_hidden_headers(record)
        }
    }

    /// Returns the name of the caller's API key, which is empty for a key in the deployment's
    /// secret.
    pub(crate) fn key_name(&self) -> &str {
        self.holder.name.as_deref().unwrap_or_default()
    }

    /// Returns the targets that tasks may name.
    pub(crate) fn targets(&self) -> Targets<'_> {
        Targets {
            handlers: &self.handlers,
            queues: &self.queues,
            services: &self.allowed.services,
            durable_objects: &self.allowed.durable_objects,
            hosts: self.allowed.hosts(),
        }
    }

    /// Returns the request's body as text. It reads at most the number of bytes that the route
    /// accepts. It does not read a large body while the bodies of other requests use up the memory.
    pub(crate) async fn text(&mut self) -> Result<String, Problem> {
        let (limit, namespace, env) = (self.body_limit, self.shards.namespace(), self.env);
        let held = &mut self.held;
        let take = |bytes| {
            match held {
                None => *held = Some(Held::take(namespace, bytes, env)?),
                Some(held) => held.grow(bytes, env)?,
            }
            Ok(())
        };
        let read = within(BODY_TIME, read_body(&mut self.request, limit, take)).await;
        let slow = || {
            Problem::slow_body(format!(
                "the body did not arrive within {} s; send less, or split the request",
                BODY_TIME.as_secs()
            ))
        };
        let bytes = read.ok_or_else(slow)?.map_err(|unread| match unread {
            Unread::TooLong => Problem::too_large(limit),
            Unread::NoRoom(problem) => problem,
            Unread::TooSlow(detail) => Problem::slow_body(detail),
            Unread::Cut(problem) => unreadable(&problem),
        })?;
        String::from_utf8(bytes)
            .map_err(|problem| unreadable(&format_args!("it is not UTF-8: {problem}")))
    }

    /// Returns a reader of the request's body, which has a task on each line. It reads a part when
    /// it is asked for one, so the body may have any length. `bytes` is the memory that this takes.
    pub(crate) fn parts(&mut self, bounds: PartBounds, bytes: usize) -> Result<Parts, Problem> {
        self.held = Some(Held::answer(self.shards.namespace(), bytes, self.env)?);
        Parts::of(&self.request, bounds).map_err(|problem| unreadable(&problem))
    }

    /// Looks up the calendars that a task of the request names, in fields or in words, so that the
    /// task can be checked.
    pub(crate) async fn load_calendars(&self, task: &NewTask<'_>) -> Result<(), Problem> {
        self.load_calendars_named(task.calendars(calendars_in).into_iter().collect()).await
    }

    /// Looks up calendars by their names.
    pub(crate) async fn load_calendars_named(
        &self,
        names: BTreeSet<String>,
    ) -> Result<(), Problem> {
        calendars::load(self.env, self.shards.namespace(), names, &self.calendars).await
    }

    /// Checks that the query has only parameters that the route reads, because the caller expects
    /// an effect of each.
    pub(crate) fn check_query(&self, known: &[&str]) -> Result<(), Problem> {
        // A benchmark uses the query to name what it measures.
        if settings::is_bench(self.env) {
            return Ok(());
        }
        match self.url()?.query_pairs().find(|(name, _)| !known.contains(&name.as_ref())) {
            Some((name, _)) => Err(Problem::invalid(unknown_parameter(&name, known))),
            None => Ok(()),
        }
    }

    /// Parses the request's query. A parameter that is given twice is refused: see [`each_once`].
    pub(crate) fn query<T>(
        &self,
        read: impl FnOnce(&mut dyn Iterator<Item = Parameter<'_>>) -> Result<T, FieldError>,
    ) -> Result<T, Problem> {
        read(&mut each_once(self.url()?.query_pairs())).map_err(Problem::invalid)
    }

    /// Parses the request's query, in which some parameters may be given several times: see
    /// [`each_or_several`].
    pub(crate) fn query_of_list<T>(
        &self,
        read: impl FnOnce(&mut dyn Iterator<Item = Parameter<'_>>) -> Result<T, FieldError>,
    ) -> Result<T, Problem> {
        read(&mut each_or_several(self.url()?.query_pairs())).map_err(Problem::invalid)
    }

    /// Returns the origin of the address that the request was sent to.
    pub(crate) fn origin(&self) -> Result<String, Problem> {
        Ok(self.url()?.origin().ascii_serialization())
    }

    /// Makes a request to the API for the same caller, within this one.
    pub(crate) async fn request_within(
        &self,
        method: Method,
        path: &str,
        headers: &[(&'static str, &str)],
        body: Option<&str>,
    ) -> Result<Answer, Problem> {
        let unmade = |problem: worker::Error| {
            Problem::unavailable(format!("a request within the scheduler was not made: {problem}"))
        };
        let given = Headers::new();
        for (name, value) in headers {
            given.set(name, value).map_err(unmade)?;
        }
        let mut init = RequestInit::new();
        init.with_method(method).with_headers(given).with_body(body.map(JsValue::from_str));
        let url = format!("{}{path}", self.origin()?);
        let request = Request::new_with_init(&url, &init).map_err(unmade)?;
        (self.within)(self, request).await
    }

    /// Returns the call of another request for the same caller.
    pub(crate) fn nested(&self, request: Request, body_limit: usize) -> Result<Call<'_>, Problem> {
        Ok(Call {
            request,
            env: self.env,
            body_limit,
            held: None,
            holder: self.holder.clone(),
            shards: Shards::of(self.env, self.shards.namespace().clone())?,
            share: self.share,
            handlers: self.handlers.clone(),
            handler_retries: self.handler_retries.clone(),
            queues: self.queues.clone(),
            default_callback: self.default_callback.clone(),
            allowed: self.allowed.clone(),
            now: self.now,
            within: self.within,
            sentences: Sentences::new(&Grammar),
            calendars: Calendars::default(),
        })
    }

    fn url(&self) -> Result<Url, Problem> {
        let url = self.request.url();
        url.map_err(|problem| Problem::invalid(FieldError::new("url", problem.to_string())))
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { sources(&path, found) } else { found.push(path) }
        }
    }

    /// All requests are parsed by types of the core, whose tests attack their fields. `Call::text`
    /// stops at the route's limit, and `Call::parts` reads one part at a time.
    #[test]
    fn no_other_module_reads_a_request() {
        // These files parse the answers of objects, of the API and of a model, and the payload of
        // an example handler.
        let readers = [
            "example_handlers.rs",
            "clients/deployment.rs",
            "clients/jurisdiction.rs",
            "clients/model.rs",
            "clients/object.rs",
            "clients/shards.rs",
            "tools/answers.rs",
            "tools/parse.rs",
            "tools/parsed.rs",
        ];
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"));
        let mut files = Vec::new();
        sources(folder, &mut files);
        assert!(readers.iter().all(|reader| files.contains(&folder.join(reader))));
        for file in files {
            let name = file.strip_prefix(folder).unwrap().to_str().unwrap();
            // Only tests compile the generator of the API's document.
            if name.starts_with("openapi/") && name != "openapi/mod.rs" {
                continue;
            }
            let source = std::fs::read_to_string(&file).unwrap();
            let source = source.split("#[cfg(test)]\nmod tests {").next().unwrap();
            for reads in
                ["derive(Deserialize", ", Deserialize", "serde_json::from_", "IntoDeserializer"]
            {
                let is_reader = readers.contains(&name);
                assert!(
                    is_reader || !source.contains(reads),
                    "{name} has {reads}: read requests in the core"
                );
            }
            for reads in [
                "request.bytes()",
                "request.text()",
                "request.json()",
                "request.stream()",
                "array_buffer()",
            ] {
                assert!(!source.contains(reads), "{name} has {reads}: use Call::text");
            }
            assert!(
                name == "context.rs" || !source.contains("query_pairs"),
                "{name} reads the query: use Call::query"
            );
        }
    }
}
