use scheduler_dispatcher::{HandlerError, TaskContext, task};

#[task(retrys = 5)]
async fn unknown(_: TaskContext) -> Result<(), HandlerError> {
    Ok(())
}

#[task(retries = 5, name = "twice", retries = 6)]
async fn duplicate(_: TaskContext) -> Result<(), HandlerError> {
    Ok(())
}

#[task(retries)]
async fn no_value(_: TaskContext) -> Result<(), HandlerError> {
    Ok(())
}

#[task(retries = "5")]
async fn no_number(_: TaskContext) -> Result<(), HandlerError> {
    Ok(())
}

#[task("weekly")]
async fn no_name(_: TaskContext) -> Result<(), HandlerError> {
    Ok(())
}

fn main() {}
