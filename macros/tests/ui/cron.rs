use scheduler_dispatcher::{HandlerError, TaskContext, task};

#[task(cron = "61 * * * *")]
async fn out_of_range(_: TaskContext) -> Result<(), HandlerError> {
    Ok(())
}

#[task(cron = "0 9 * *", timezone = "Europe/London")]
async fn too_few_fields(_: TaskContext) -> Result<(), HandlerError> {
    Ok(())
}

#[task(retries = 5, cron = "0 0 30 2 *")]
async fn never(_: TaskContext) -> Result<(), HandlerError> {
    Ok(())
}

#[task(cron = "")]
async fn empty(_: TaskContext) -> Result<(), HandlerError> {
    Ok(())
}

#[task(cron = 9)]
async fn no_string(_: TaskContext) -> Result<(), HandlerError> {
    Ok(())
}

fn main() {}
