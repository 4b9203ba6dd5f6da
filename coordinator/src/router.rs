//! Routes a request: finds its route, admits the caller, and calls the handler.

use crate::auth::{self, Caller};
use crate::clients::shards::Shards;
use crate::context::Call;
use crate::problem::Problem;
use crate::request_id::{self, OfRequest};
use crate::response::Answer;
use crate::routes::{self, Access, Route};
use futures::FutureExt;
use scheduler_dispatcher::Handlers;
use scheduler_model::access::Scope;
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
    let scope = match &found {
        Some((Route { access: Access::Open(answer), .. }, name)) => return answer(name),
        Some((Route { access: Access::Key(_), .. }, _)) => None,
        Some((Route { access: Access::Scope(scope, _), .. }, _)) => Some(*scope),
        // A path that needs no key refuses other methods without a key.
        None if matches!(
            routes::find(&Method::Get, &path),
            Some((Route { access: Access::Open(_), .. }, _))
        ) =>
        {
            return Err(no_route(&name, &path));
        }
        // Only a caller with the scope for such a route learns that it does not exist.
        None => Some(Scope::needed(method.as_ref(), &path)),
    };
    let now = scheduler_platform::now();
    let Caller { holder, namespace, quota } = auth::admit(&request, env, scope, now).await?;
    routes::check_escapes(&path).map_err(|problem| Problem::malformed_path(&path, problem))?;
    let Some((route, name_in_path)) = found else { return Err(no_route(&name, &path)) };
    let (Access::Scope(_, handler) | Access::Key(handler)) = &route.access else {
        return Err(no_route(&name, &path));
    };
    route.conditions.check(request.headers())?;
    route.repeats.check(request.headers())?;
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
    };
    call.check_query(route.query)?;
    handler(call, name_in_path).await.map_err(|problem| problem.in_namespace(&namespace))
}

/// Returns the refusal of a method that the path does not accept, or of an unknown path.
fn no_route(method: &str, path: &str) -> Problem {
    match routes::allowed(path) {
        Some(allowed) => Problem::no_method(method, path, allowed, routes::hint(path)),
        None => Problem::no_route(method, path),
    }
}
