use scheduler_dispatcher::{HandlerError, TaskContext, task};

#[task(name = "")]
async fn empty(_: TaskContext) -> Result<(), HandlerError> {
    Ok(())
}

#[task(name = "a\nb")]
async fn control_character(_: TaskContext) -> Result<(), HandlerError> {
    Ok(())
}

const NAME: &str = "weekly";

#[task(name = NAME)]
async fn not_written_out(_: TaskContext) -> Result<(), HandlerError> {
    Ok(())
}

fn main() {}
