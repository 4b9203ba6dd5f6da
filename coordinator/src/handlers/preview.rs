//! Previews a schedule without creating a task.

use crate::context::Call;
use crate::problem::Problem;
use crate::response::Answer;
use crate::sentences::{Grammar, with_sentence};
use scheduler_model::schedule::{Preview, Sentences, preview_with};

/// `POST /v1/preview` answers with the next runs of a schedule. It asks no shard.
pub(crate) async fn preview_runs(mut call: Call<'_>) -> Result<Answer, Problem> {
    let text = call.text().await?;
    let sentences = Sentences::new(&Grammar);
    let (previewed, sentence) =
        with_sentence(call.now, || match preview_with(&text, call.now, Some(&sentences)) {
            Ok((preview, when)) => (Ok(preview), Some(when)),
            Err(problem) => (Err(problem), None),
        });
    let preview = previewed.map_err(Problem::invalid)?;
    Ok(Answer::of(200, &Preview { sentence, ..preview }))
}
