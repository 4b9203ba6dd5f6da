//! Previews a schedule without creating a task.

use crate::context::Call;
use crate::problem::Problem;
use crate::response::Answer;
use scheduler_model::schedule::preview;

/// `POST /v1/preview` answers with the next runs of a schedule. It asks no shard.
pub(crate) async fn preview_runs(mut call: Call<'_>) -> Result<Answer, Problem> {
    let text = call.text().await?;
    let preview = preview(&text, call.now).map_err(Problem::invalid)?;
    Ok(Answer::of(200, &preview))
}
