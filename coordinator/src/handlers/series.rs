//! Counts of what happened, by minute or by hour.

use crate::context::Call;
use crate::problem::Problem;
use crate::response::Answer;
use scheduler_model::format::series::StoredSeries;
use scheduler_model::protocol::{SeriesReply, SeriesRequest, paths};
use scheduler_model::series::{SeriesSum, parse_series_query};

/// `GET /v1/stats/series` answers with the sum of what every shard has counted.
pub(crate) async fn series(call: Call<'_>) -> Result<Answer, Problem> {
    let by = call.query(|parameters| parse_series_query(parameters))?;
    let shards = &call.shards;
    let mut sum = SeriesSum::new(by, call.now);
    let request = SeriesRequest { by };
    let ask = |shard| shards.ask_if_known::<_, SeriesReply>(shard, paths::SERIES, &request);
    shards
        .each_into(shards.map.all(), ask, |reply| {
            // A shard of a later version may write a form that this version cannot read.
            let series = reply.and_then(|reply| StoredSeries::from_text(&reply.series).ok());
            sum.add(series.as_ref());
        })
        .await?;
    Ok(Answer::of(200, &sum.shown()))
}
