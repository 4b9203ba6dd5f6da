use scheduler_dispatcher::{HandlerError, TaskContext, task};

#[task(cron = "0 9 * * MON", timezone = "Europe/Lodnon")]
async fn unknown(_: TaskContext) -> Result<(), HandlerError> {
    Ok(())
}

#[task(timezone = "Europe/London")]
async fn without_cron(_: TaskContext) -> Result<(), HandlerError> {
    Ok(())
}

#[task(cron = "x", timezone = "Mars/Base")]
async fn both_are_reported(_: TaskContext) -> Result<(), HandlerError> {
    Ok(())
}

fn main() {}
