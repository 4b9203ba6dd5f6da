use scheduler_dispatcher::{HandlerError, TaskContext, task};

#[task(retries = 100)]
async fn too_many_retries(_: TaskContext) -> Result<(), HandlerError> {
    Ok(())
}

#[task(retries = -1, timeout_seconds = 61)]
async fn two_places(_: TaskContext) -> Result<(), HandlerError> {
    Ok(())
}

#[task(retries = 1.5)]
async fn no_whole_number(_: TaskContext) -> Result<(), HandlerError> {
    Ok(())
}

#[task(jitter = 1.5)]
async fn too_much_jitter(_: TaskContext) -> Result<(), HandlerError> {
    Ok(())
}

#[task(min_backoff_seconds = 10, max_backoff_seconds = 5)]
async fn backwards(_: TaskContext) -> Result<(), HandlerError> {
    Ok(())
}

fn main() {}
