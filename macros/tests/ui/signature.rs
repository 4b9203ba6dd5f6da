use scheduler_dispatcher::{HandlerError, TaskContext, task};

#[task]
fn not_async(_: TaskContext) -> Result<(), HandlerError> {
    Ok(())
}

#[task]
async fn no_context() -> Result<(), HandlerError> {
    Ok(())
}

#[task]
async fn too_much(_: TaskContext, _: String, _: u32) -> Result<(), HandlerError> {
    Ok(())
}

#[task]
async fn no_result(_: TaskContext) {}

#[task]
async fn borrowed(_: &TaskContext) -> Result<(), HandlerError> {
    Ok(())
}

#[task]
async fn borrowed_payload(_: TaskContext, _: &str) -> Result<(), HandlerError> {
    Ok(())
}

#[task]
async fn generic<T>(_: TaskContext, _: T) -> Result<(), HandlerError> {
    Ok(())
}

#[task]
async fn generic_payload(_: TaskContext, _: impl Send) -> Result<(), HandlerError> {
    Ok(())
}

#[task]
async unsafe fn not_safe(_: TaskContext) -> Result<(), HandlerError> {
    Ok(())
}

#[task(retries = 100)]
fn both_are_reported(_: TaskContext) -> Result<(), HandlerError> {
    Ok(())
}

#[task]
struct NoFunction;

fn main() {}
