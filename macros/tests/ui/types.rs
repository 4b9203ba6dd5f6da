use scheduler_dispatcher::{HandlerError, TaskContext, task};

#[task]
async fn wrong_context(_: String) -> Result<(), HandlerError> {
    Ok(())
}

#[task]
async fn wrong_result(_: TaskContext) -> Result<u32, HandlerError> {
    Ok(5)
}

#[task]
async fn wrong_error(_: TaskContext, _: String) -> Result<(), String> {
    Ok(())
}

fn main() {}
