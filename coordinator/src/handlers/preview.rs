//! Previews a schedule without creating a task.

use crate::clients::calendars;
use crate::context::Call;
use crate::problem::Problem;
use crate::response::Answer;
use crate::sentences::{Grammar, with_sentence};
use scheduler_language::calendars_in;
use scheduler_model::schedule::{Preview, Sentences, calendars_of_preview, preview_with_calendars};

/// `POST /v1/preview` answers with the next runs of a schedule. It asks no shard, and the registry
/// only for calendars.
pub(crate) async fn preview_runs(mut call: Call<'_>) -> Result<Answer, Problem> {
    let text = call.text().await?;
    let names = calendars_of_preview(&text, calendars_in).into_iter().collect();
    calendars::load(call.env, call.shards.namespace(), names, &call.calendars).await?;
    let sentences = Sentences::new(&Grammar);
    let preview =
        || preview_with_calendars(&text, call.now, Some(&sentences), Some(&call.calendars));
    let (previewed, sentence) = with_sentence(call.now, || match preview() {
        Ok((preview, when)) => (Ok(preview), Some(when)),
        Err(problem) => (Err(problem), None),
    });
    let preview = previewed.map_err(Problem::invalid)?;
    Ok(Answer::of(200, &Preview { sentence, ..preview }))
}
