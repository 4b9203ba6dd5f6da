//! Routes a request: finds its route, admits the caller, and calls the handler.

use crate::auth::{self, Caller, Needed};
use crate::clients::deployment;
use crate::clients::shards::Shards;
use crate::context::Call;
use crate::problem::Problem;
use crate::request_id::{self, OfRequest};
use crate::response::Answer;
use crate::routes::{self, Access, Route};
use crate::sentences::Grammar;
use futures::FutureExt;
use futures::future::LocalBoxFuture;
use scheduler_dispatcher::Handlers;
use scheduler_model::access::Scope;
use scheduler_model::calendars::Calendars;
use scheduler_model::schedule::Sentences;
use scheduler_platform::settings::{self, Allowed};
use worker::{Env, Method, Request};

/// Answers a request.
pub(crate) async fn handle(request: Request, env: &Env, handlers: &Handlers) -> Answer {
    let id = request_id::of(&request);
    let is_head = request.method() == Method::Head;
    let inner = answer_or_refuse(request, env, handlers).boxed_local();
    let answer = OfRequest { id: id.clone(), inner }.await.of_request(id);
    if is_head { answer.without_body() } else { answer }
}

async fn answer_or_refuse(request: Request, env: &Env, handlers: &Handlers) -> Answer {
    let (method, path) = (request.method(), request.path());
    answer(request, env, handlers).await.unwrap_or_else(|problem| {
        let status = problem.kind.status();
        if status >= 500 {
            let method = method.as_ref();
            request_id::log(format_args!("{method} {path}: {status}, {}", problem.detail));
        }
        Answer::from(problem)
    })
}

async fn answer(request: Request, env: &Env, handlers: &Handlers) -> Result<Answer, Problem> {
    let (method, path) = (request.method(), request.path());
    // The SDK treats an unknown method as GET.
    let name = request.inner().method();
    let found = if method.as_ref().eq_ignore_ascii_case(&name) {
        routes::find(&method, &path)
    } else {
        None
    };
    let needed = match &found {
        Some((Route { access: Access::Open(answer), .. }, name)) => return answer(name),
        Some((Route { access: Access::Key(_), .. }, _)) => Needed::Key,
        Some((Route { access: Access::Namespace(_), .. }, _)) => Needed::Namespace,
        Some((Route { access: Access::Scope(scope, _), .. }, _)) => Needed::Scope(*scope),
        // A path that needs no key refuses other methods without a key.
        None if matches!(
            routes::find(&Method::Get, &path),
            Some((Route { access: Access::Open(_), .. }, _))
        ) =>
        {
            return Err(no_route(&name, &path));
        }
        // Every key may send a POST to this path. Clients try other methods first.
        None if matches!(
            routes::find(&Method::Post, &path),
            Some((Route { access: Access::Namespace(_), .. }, _))
        ) =>
        {
            Needed::Key
        }
        // Only a caller with the scope for such a route learns that it does not exist.
        None => Needed::Scope(Scope::needed(method.as_ref(), &path)),
    };
    // A dispatcher sets this header, and no task can.
    if request.headers().has("scheduler-attempt").unwrap_or(false) {
        return Err(Problem::called_by_a_task());
    }
    deployment::settle(env).await?;
    let now = scheduler_platform::now();
    let Caller { holder, namespace, quota } = auth::admit(&request, env, needed, now).await?;
    routes::check_escapes(&path).map_err(|problem| Problem::malformed_path(&path, problem))?;
    let Some((route, name_in_path)) = found else { return Err(no_route(&name, &path)) };
    let shards = Shards::of(env, namespace.clone())?;
    let call = Call {
        request,
        env,
        body_limit: route.body_limit,
        held: None,
        holder,
        share: quota.share(shards.map.shards()),
        shards,
        handlers: handlers.names(),
        handler_retries: handlers.retries(),
        default_callback: settings::default_callback(env).map_err(Problem::misconfigured)?,
        queues: settings::queue_bindings(env),
        allowed: Allowed::read(env),
        now,
        within,
        sentences: Sentences::new(&Grammar),
        calendars: Calendars::default(),
    };
    carry_out(call, route, name_in_path).await
}

/// Calls the handler of a route, if the route accepts the request.
async fn carry_out(call: Call<'_>, route: &Route, name_in_path: String) -> Result<Answer, Problem> {
    let (Access::Scope(_, handler) | Access::Namespace(handler) | Access::Key(handler)) =
        &route.access
    else {
        return Err(no_route(route.method.as_ref(), route.path));
    };
    route.conditions.check(call.request.headers())?;
    route.repeats.check(call.request.headers())?;
    call.check_query(route.query)?;
    let namespace = call.shards.namespace().clone();
    handler(call, name_in_path).await.map_err(|problem| problem.in_namespace(&namespace))
}

/// Answers a request that a handler makes for the caller of `outer`, as if the caller had sent it:
/// with the same key, in the same namespace, and within every bound of its route.
fn within<'a>(
    outer: &'a Call<'a>,
    request: Request,
) -> LocalBoxFuture<'a, Result<Answer, Problem>> {
    Box::pin(async move {
        let (method, path) = (request.method(), request.path());
        routes::check_escapes(&path).map_err(|problem| Problem::malformed_path(&path, problem))?;
        match routes::find(&method, &path) {
            Some((route @ Route { access: Access::Scope(scope, _), .. }, name)) => {
                outer.holder.admit(Some(*scope), Some(outer.shards.namespace().as_str()))?;
                carry_out(outer.nested(request, route.body_limit)?, route, name).await
            }
            _ => Err(no_route(method.as_ref(), &path)),
        }
    })
}

/// Returns the refusal of a method that the path does not accept, or of an unknown path.
fn no_route(method: &str, path: &str) -> Problem {
    match routes::allowed(path) {
        Some(allowed) => Problem::no_method(method, path, allowed, routes::hint(path)),
        None => Problem::no_route(method, path),
    }
}
