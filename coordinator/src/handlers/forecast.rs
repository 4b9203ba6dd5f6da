//! The number of runs that come due.

use crate::context::Call;
use crate::problem::Problem;
use crate::response::Answer;
use scheduler_model::forecast::{Forecast, parse_forecast_query};
use scheduler_model::protocol::{ForecastReply, paths};

/// `GET /v1/forecast` answers with the sum of what every shard counts.
pub(crate) async fn forecast(call: Call<'_>) -> Result<Answer, Problem> {
    let buckets = call.query(|parameters| parse_forecast_query(parameters, call.now))?;
    let shards = &call.shards;
    let mut sum = Forecast::new(buckets);
    let ask = |shard| shards.ask_if_known::<_, ForecastReply>(shard, paths::FORECAST, &buckets);
    shards.each_into(shards.map.all(), ask, |reply| sum.add(reply.as_ref())).await?;
    Ok(Answer::of(200, &sum))
}
