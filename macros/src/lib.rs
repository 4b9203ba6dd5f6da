//! The attribute `#[task]` declares an async function as a handler, together with its retries and
//! its schedule. Users import it from `scheduler_dispatcher`, which has the trait that it
//! implements.
//!
//! In scope: parsing the attribute, and refusing at compile time, with the place marked, everything
//! that the Worker would refuse at run time. The checks are those of the core crates, so both apply
//! the same rules. Not in scope: running handlers and creating their schedules; the attribute only
//! records the declarations.
//!
//! **Why handlers are registered by hand,** one line each. The crates that collect functions
//! automatically (`inventory`, `linkme`) run code before `main` or gather linker sections. A Worker
//! has no `main`, and its constructors run only if something calls the module's start function in
//! the right order. Not every wasm toolchain keeps the sections. If either fails, no error is
//! visible; a handler is just missing. Readers also look for a list in one place, and the compiler
//! warns about a private function that is not on it.
//!
//! **What it generates.** The function remains, and can be called and tested. The attribute adds a
//! type of the same name, an enum without values, which implements `scheduler_dispatcher::Task`.
//! Types and functions have separate namespaces, so `handlers.with_task::<report>()` uses the type
//! and `report(context, payload).await` calls the function, and one `use` imports both.

mod arguments;
mod expand;
mod signature;

use proc_macro::TokenStream;

/// Declares an async function as a handler, which tasks can name as their callback.
///
/// ```
/// use scheduler_dispatcher::{HandlerError, Handlers, TaskContext, task};
///
/// #[derive(serde::Deserialize)]
/// struct Report {
///     customer: String,
/// }
///
/// /// Tried again up to five times, two seconds after the first failure.
/// #[task(retries = 5, min_backoff_seconds = 2)]
/// async fn report(context: TaskContext, payload: Report) -> Result<(), HandlerError> {
///     worker::console_log!("{}: a report for {}", context.id, payload.customer);
///     Ok(())
/// }
///
/// /// Every Monday at nine in London, by itself.
/// #[task(name = "weekly-sum", cron = "0 9 * * MON", timezone = "Europe/London")]
/// async fn weekly_sum(context: TaskContext) -> Result<(), HandlerError> {
///     worker::console_log!("the week up to {}", context.time);
///     Ok(())
/// }
///
/// fn handlers() -> Handlers {
///     Handlers::shipped().with_task::<report>().with_task::<weekly_sum>()
/// }
/// assert_eq!(handlers().names(), ["log", "noop", "report", "weekly-sum"]);
/// ```
///
/// # The function
/// The function must be a free async function without generics. It takes a `TaskContext` by value,
/// and optionally a payload of any type that serde can deserialize into an owned value. It returns
/// `Result<(), HandlerError>`. If the payload does not fit the type, the task fails permanently.
/// The payload of a task without one is `null`, so use an `Option` if there may be none. A run by
/// the handler's own `cron` has no payload.
///
/// # The arguments
/// All arguments are optional. Their values are literals.
///
/// | argument | meaning | limit | default |
/// |---|---|---|---|
/// | `name` | the name by which tasks call it | 1 to 248 bytes, no control characters | the function's |
/// | `retries` | attempts after the first: `maxAttempts` minus one | 0 to 99 | 9 |
/// | `min_backoff_seconds`, `max_backoff_seconds` | the shortest and the longest wait between attempts, in seconds | 0 to 86,400 | 1; 3,600 |
/// | `factor` | how many times longer each wait is than the one before | 1 to 100 | 2 |
/// | `jitter` | the random part of a wait | 0 to 1 | 0.2 |
/// | `max_duration_seconds` | the time from the due time to the last attempt, in seconds | 0 to 2,592,000 | 86,400 |
/// | `timeout_seconds` | the time limit of one attempt, in seconds | 1 to 60 | 60 |
/// | `cron` | the handler's own schedule, a cron expression | as in the API | never |
/// | `timezone` | the IANA time zone of `cron` | as in the API | UTC |
///
/// The retry arguments apply to a task that names the handler and has no `retry` of its own. The
/// task stores them when it is created, so a later change of the attribute affects new tasks only.
///
/// With `cron`, the deployed Worker keeps a recurring task `handler:<name>`; see
/// `scheduler_dispatcher::Handlers`.
#[proc_macro_attribute]
pub fn task(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::task(arguments.into(), item.into()).into()
}
